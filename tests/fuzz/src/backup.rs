//! The file of a backup: its header, its frames, and the records in them.

use raccordo_core::backup::frames::{Opener, PREFIX_BYTES, Sealer};
use raccordo_core::backup::records::{Assembler, Manifest, Record, TableHead, Value};
use raccordo_core::backup::{BackupError, BackupKey, Costs, HEADER_BYTES};
use raccordo_core::secret::Secret;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{choice, fixture};

/// As cheap as Argon2id with four lanes may be.
const COSTS: Costs = Costs { memory_kib: 32, passes: 1 };

fn passphrase() -> Secret<String> {
    Secret::new("correct horse battery".to_owned())
}

static KEY: LazyLock<BackupKey> =
    LazyLock::new(|| BackupKey::new(&fixture::entropy("backup"), &passphrase(), COSTS).unwrap());

/// A byte for the part, then its bytes.
pub fn run(data: &[u8]) -> bool {
    let Some((part, bytes)) = choice(data) else { return false };
    match part % 4 {
        0 => header(bytes),
        1 => frames(bytes).is_ok(),
        2 => records(bytes),
        _ => sealed(bytes),
    }
}

/// Whoever gives a file chooses what its key costs.
fn header(bytes: &[u8]) -> bool {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return false };
    let costs = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
    // A key that takes long is no fault; what is refused is refused at once.
    let dear = (257..=1024 * 1024).contains(&costs(18)) || (5..=16).contains(&costs(22));
    !dear && BackupKey::open(header, &passphrase()).is_ok()
}

/// Opens frames as a reader of a file does.
fn frames(mut bytes: &[u8]) -> Result<Vec<u8>, BackupError> {
    let mut opener = Opener::new(&KEY);
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX_BYTES>() else {
            return Err(opener.cut_off(bytes.len()));
        };
        let length = opener.expect(prefix)?.min(rest.len());
        let (part, rest) = rest.split_at(length);
        out.extend_from_slice(opener.open(prefix, part)?.reveal());
        bytes = rest;
    }
    if opener.ended() { Ok(out) } else { Err(opener.cut_off(0)) }
}

/// Records in parts of several lengths: what they say does not depend on the cuts.
fn records(bytes: &[u8]) -> bool {
    let read = |length: usize| {
        let mut assembler = Assembler::default();
        let mut records = Vec::new();
        for part in bytes.chunks(length) {
            records.extend(assembler.push(part)?);
        }
        assembler.finish().map(|counts| (records, counts))
    };
    let whole = read(bytes.len().max(1));
    if bytes.len() < 2_000 {
        assert_eq!(read(7).ok(), whole.as_ref().ok().cloned(), "another cut");
    }
    let Ok((records, _)) = whole else { return false };
    for record in &records {
        // Text of JSON may be written in other ways than ours; rows have one form.
        let written = record.encode().expect("what was read can be written");
        if matches!(record, Record::Row(_)) {
            let found = bytes.windows(written.reveal().len());
            assert!(found.into_iter().any(|window| window == written.reveal().as_slice()));
        }
    }
    true
}

/// What is sealed comes back, and no changed byte goes unseen.
fn sealed(bytes: &[u8]) -> bool {
    let mut sealer = Sealer::new(&KEY);
    let mut file = sealer.push(bytes).unwrap();
    file.extend(sealer.finish().unwrap());
    assert_eq!(frames(&file).as_deref(), Ok(bytes));
    let at = bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>() % file.len();
    file[at] ^= 1;
    assert!(frames(&file).is_err(), "changed at {at}");
    bytes.len() > 16
}

fn whole() -> Vec<u8> {
    let manifest = Manifest {
        node: fixture::node(0),
        made_at_ms: fixture::NOW.0,
        schema: 20,
        version: "0.1.0".to_owned(),
        card: hex::encode(fixture::card(0).encode()),
    };
    let head = r#"{"name":"peer","columns":[{"name":"id","kind":"text"},{"name":"n","kind":"integer"},{"name":"b","kind":"bytes"}]}"#;
    let head: TableHead = serde_json::from_str(head).unwrap();
    let row = vec![Value::Text("umbria".to_owned()), Value::Integer(-1), Value::Bytes(vec![1, 2])];
    let nulls = vec![Value::Null, Value::Null, Value::Null];
    let records = [
        Record::Manifest(manifest),
        Record::Table(head),
        Record::Row(row),
        Record::Row(nulls),
        Record::End(BTreeMap::from([("peer".to_owned(), 2)])),
    ];
    records.iter().flat_map(|record| record.encode().unwrap().reveal().clone()).collect()
}

pub fn examples() -> Vec<Vec<u8>> {
    let with = |part: u8, bytes: &[u8]| [&[part], bytes].concat();
    let mut sealer = Sealer::new(&KEY);
    let mut file = sealer.push(&whole()).unwrap();
    file.extend(sealer.finish().unwrap());
    vec![with(0, KEY.header()), with(1, &file), with(2, &whole()), with(3, &[7; 40])]
}
