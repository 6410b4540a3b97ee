//! What the vault seals in the rows of a backup, and under which context.
//!
//! A backup holds the plaintext (the file as a whole is sealed), so that the restored node
//! has a node key of its own. A record's fields stay sealed under the record's key, which
//! is what is opened here.

use raccordo_core::backup::records::{Row, TableHead, Value};
use raccordo_core::entropy::Entropy;
use raccordo_core::id::{Digest, EnvelopeId, LineageId, ObjectId, OperatorId};
use raccordo_core::matching::life::MatchId;
use raccordo_core::secret::Secret;
use raccordo_core::vault::{RecordKey, Vault, VaultError};

use crate::app::fault::{Done, Fault};
use crate::app::{
    account, changes, directory, draft, identity, matching, pack, pacts, parts, register, work,
};
use crate::store::archive::column;

/// How a column is sealed.
#[derive(Clone, Copy, Debug)]
enum How {
    /// A value, under the context that the row's other columns make.
    Value(fn(&Fields<'_>) -> Option<String>),
    /// A record's key, wrapped for the record.
    RecordKey(fn(&Fields<'_>) -> Option<String>),
}

/// The columns that the vault seals: table, column, how.
const SEALED: &[(&str, &str, How)] = &[
    ("secret", "sealed", How::Value(|row| Some(identity::context(row.text("name")?)))),
    (
        "operator",
        "sealed_name",
        How::Value(|row| Some(directory::name_context(row.id::<OperatorId>("operator")?))),
    ),
    (
        "account",
        "sealed_seed",
        How::Value(|row| Some(account::seed_context(row.id::<OperatorId>("operator")?))),
    ),
    (
        "provider_person",
        "sealed",
        How::Value(|row| Some(account::person_context(row.id::<OperatorId>("operator")?))),
    ),
    (
        "email_notice",
        "sealed_address",
        How::Value(|row| {
            Some(account::email_notice::address_context(row.id::<OperatorId>("operator")?))
        }),
    ),
    (
        "draft",
        "sealed",
        How::Value(|row| {
            Some(draft::context(row.id::<OperatorId>("operator")?, row.text("kind")?))
        }),
    ),
    (
        "pact",
        "sealed_proposal",
        How::Value(|row| Some(pacts::context(row.id::<LineageId>("lineage")?))),
    ),
    (
        "proposal",
        "sealed_proposal",
        How::Value(|row| {
            let statement = row.id::<Digest>("statement")?;
            Some(changes::context(row.id::<LineageId>("lineage")?, statement))
        }),
    ),
    (
        "equipe_document",
        "sealed_pact",
        How::Value(|row| Some(work::pact_context(row.id::<LineageId>("lineage")?))),
    ),
    (
        "envelope",
        "sealed",
        How::Value(|row| Some(pack::context(row.id::<EnvelopeId>("envelope")?))),
    ),
    (
        "chunk",
        "sealed",
        How::Value(|row| {
            let part = u32::try_from(row.integer("part")?).ok()?;
            Some(parts::context(row.id::<EnvelopeId>("whole")?, part))
        }),
    ),
    (
        "object",
        "wrapped_key",
        How::RecordKey(|row| Some(row.id::<ObjectId>("object")?.to_string())),
    ),
    (
        "pair_secret",
        "sealed_own",
        How::Value(|row| {
            let lineage = row.id::<LineageId>("lineage")?;
            Some(matching::pairs::context(lineage, row.text("peer")?, "own"))
        }),
    ),
    (
        "pair_secret",
        "sealed_theirs",
        How::Value(|row| {
            let lineage = row.id::<LineageId>("lineage")?;
            Some(matching::pairs::context(lineage, row.text("peer")?, "theirs"))
        }),
    ),
    (
        "found_match",
        "sealed_contact",
        How::Value(|row| Some(matching::contact::context(MatchId(row.id::<Digest>("match_id")?)))),
    ),
    (
        "match_event",
        "sealed",
        How::Value(|row| Some(matching::events::context(row.id::<EnvelopeId>("envelope")?))),
    ),
    (
        "stop_value",
        "sealed",
        How::Value(|row| Some(matching::stops::context(&row.id::<Digest>("digest")?))),
    ),
    (
        "operator_phone",
        "sealed",
        How::Value(|row| Some(matching::contact::phone_context(row.id::<OperatorId>("operator")?))),
    ),
    (
        "wrapping_key",
        "wrapped",
        How::RecordKey(|row| {
            let number = u64::try_from(row.integer("number")?).ok()?;
            Some(register::keys::wrapping_context(number))
        }),
    ),
];

/// Columns that look sealed, and are so under a record's or wrapping key, which is opened in
/// their place.
#[cfg(test)]
const UNDER_RECORD_KEYS: &[(&str, &str)] = &[
    ("object", "sealed_share"),
    ("object", "sealed_author"),
    ("token", "sealed"),
    ("register_record", "wrapped_key"),
    ("register_record", "sealed_codes"),
    ("register_field", "sealed"),
    ("register_case", "sealed_codes"),
];

/// The columns of one row by name.
struct Fields<'r> {
    head: &'r TableHead,
    row: &'r Row,
}

impl Fields<'_> {
    fn id<T: for<'a> TryFrom<&'a [u8]>>(&self, name: &str) -> Option<T> {
        match column(self.head, self.row, name) {
            Value::Bytes(bytes) => T::try_from(bytes).ok(),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        match column(self.head, self.row, name) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn integer(&self, name: &str) -> Option<i64> {
        match column(self.head, self.row, name) {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

/// Opens what the vault seals in a row.
///
/// # Errors
/// A damaged row, or a wrong node key.
pub(super) fn open(vault: &Vault, head: &TableHead, row: Row) -> Done<Row> {
    each(head, row, |how, context, bytes| match how {
        How::Value(_) => Ok(vault.open(context, bytes)?.reveal().clone()),
        How::RecordKey(_) => Ok(vault.unwrap(context, bytes)?.bytes().reveal().to_vec()),
    })
}

/// Seals it again, for another node key.
///
/// # Errors
/// A row that no version of this program wrote.
pub(super) fn seal(vault: &Vault, entropy: &dyn Entropy, head: &TableHead, row: Row) -> Done<Row> {
    let row = indexed(vault, head, row);
    each(head, row, |how, context, bytes| match how {
        How::Value(_) => vault.seal(entropy, context, bytes),
        How::RecordKey(_) => {
            let key = <[u8; 32]>::try_from(bytes).map_err(|_| VaultError::Unopened)?;
            vault.wrap(entropy, context, &RecordKey::new(Secret::new(key)))
        }
    })
}

/// What is found by a digest under the node key: table, what is digested, digest, purpose.
const INDEXED: &[(&str, &str, &str, &str)] = &[
    ("operator", "sealed_name", "name_index", directory::NAME_INDEX),
    ("provider_person", "sealed", "person", account::PERSON_INDEX),
];

/// Makes the digests of a row under another node key.
fn indexed(vault: &Vault, head: &TableHead, mut row: Row) -> Row {
    for (_, of, index, purpose) in INDEXED.iter().filter(|(table, ..)| *table == head.name) {
        let Value::Bytes(plain) = column(head, &row, of) else { continue };
        let digest = vault.index(purpose, plain).to_vec();
        if let Some(value) = place(head, index).and_then(|place| row.get_mut(place)) {
            *value = Value::Bytes(digest);
        }
    }
    row
}

fn each(
    head: &TableHead,
    mut row: Row,
    turn: impl Fn(&How, &str, &[u8]) -> Result<Vec<u8>, VaultError>,
) -> Done<Row> {
    let damaged = |what: &str| Fault::ours("row_damaged", format!("{} of {}", what, head.name));
    for (_, name, how) in SEALED.iter().filter(|(table, ..)| *table == head.name) {
        let Value::Bytes(bytes) = column(head, &row, name) else { continue };
        // What has ended has no content.
        if bytes.is_empty() {
            continue;
        }
        let (How::Value(context) | How::RecordKey(context)) = how;
        let context = context(&Fields { head, row: &row }).ok_or_else(|| damaged(name))?;
        let turned = turn(how, &context, bytes).map_err(|cause| Fault::ours("vault", cause))?;
        if let Some(value) = place(head, name).and_then(|place| row.get_mut(place)) {
            *value = Value::Bytes(turned);
        }
    }
    Ok(row)
}

fn place(head: &TableHead, name: &str) -> Option<usize> {
    head.columns.iter().position(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use raccordo_core::entropy::SeededEntropy;

    use super::*;
    use crate::store::archive::{TABLES, Table};

    fn vault(key: u8) -> Vault {
        Vault::new(&Secret::new([key; 32]))
    }

    fn table(name: &str) -> Table {
        *TABLES.iter().find(|table| table.name == name).unwrap()
    }

    /// Sixteen bytes in each column of bytes, except what `with` says.
    fn row(table: &Table, with: &[(&str, Value)]) -> Row {
        let value = |&(name, kind): &(&str, _)| {
            let given = with.iter().find(|(given, _)| *given == name);
            given.map_or_else(
                || match kind {
                    raccordo_core::backup::records::ColumnKind::Integer => Value::Integer(3),
                    raccordo_core::backup::records::ColumnKind::Text => Value::Text("x".into()),
                    raccordo_core::backup::records::ColumnKind::Bytes => Value::Bytes(vec![7; 16]),
                },
                |(_, value)| value.clone(),
            )
        };
        table.columns.iter().map(value).collect()
    }

    #[test]
    fn every_column_that_looks_sealed_is_known() {
        let known = |table: &str, column: &str| {
            SEALED.iter().any(|(t, c, _)| (*t, *c) == (table, column))
                || UNDER_RECORD_KEYS.contains(&(table, column))
        };
        for table in TABLES {
            for (column, _) in table.columns {
                let looks = column.contains("sealed") || column.contains("wrapped");
                assert!(!looks || known(table.name, column), "{}.{column}", table.name);
            }
        }
        for (name, column, _) in SEALED {
            assert!(table(name).columns.iter().any(|(known, _)| known == column), "{column}");
        }
    }

    #[test]
    fn a_row_changes_vaults() {
        let entropy = SeededEntropy::labelled("sealed");
        let mut seen: Vec<&str> = SEALED.iter().map(|(table, ..)| *table).collect();
        seen.dedup();
        for name in seen {
            let (table, key) = (table(name), Value::Bytes(vec![9; 32]));
            let statement = Value::Bytes(vec![8; 32]);
            let plain = row(
                &table,
                &[
                    ("wrapped_key", key.clone()),
                    ("wrapped", key),
                    ("statement", statement.clone()),
                    ("lookup", statement.clone()),
                    ("match_id", statement.clone()),
                    ("digest", statement),
                    ("name_index", Value::Null),
                    ("person", Value::Null),
                ],
            );
            let head = table.head();
            let old = seal(&vault(1), &entropy, &head, plain.clone()).unwrap();
            assert_ne!(old, plain);
            let opened = open(&vault(1), &head, old.clone()).unwrap();
            let new = seal(&vault(2), &entropy, &head, opened).unwrap();
            assert!(open(&vault(1), &head, new.clone()).is_err(), "{name}");
            let back = open(&vault(2), &head, new).unwrap();
            let digests = ["name_index", "person"].map(|index| place(&head, index));
            for (at, (found, expected)) in back.iter().zip(&plain).enumerate() {
                let same = digests.contains(&Some(at)) || found == expected;
                assert!(same, "{name}, column {at}");
            }
            assert!(open(&vault(2), &head, old).is_err(), "{name}");
        }
    }

    #[test]
    fn what_has_ended_stays_empty() {
        let (table, entropy) = (table("object"), SeededEntropy::labelled("ended"));
        let none = || Value::Bytes(Vec::new());
        let ended = row(&table, &[("wrapped_key", none())]);
        assert_eq!(seal(&vault(1), &entropy, &table.head(), ended.clone()).unwrap(), ended);
        assert_eq!(open(&vault(1), &table.head(), ended.clone()).unwrap(), ended);
    }

    #[test]
    fn an_operator_is_found_under_the_new_key() {
        let (table, entropy) = (table("operator"), SeededEntropy::labelled("operator"));
        let plain = row(&table, &[("sealed_name", Value::Bytes(b"Anna".to_vec()))]);
        let head = table.head();
        let sealed = seal(&vault(2), &entropy, &head, plain).unwrap();
        let index = vault(2).index(directory::NAME_INDEX, b"Anna").to_vec();
        assert_eq!(column(&head, &sealed, "name_index"), &Value::Bytes(index));
    }

    #[test]
    fn a_person_at_the_provider_is_found_under_the_new_key() {
        let (table, entropy) = (table("provider_person"), SeededEntropy::labelled("person"));
        let plain = row(&table, &[("sealed", Value::Bytes(b"issuer and subject".to_vec()))]);
        let head = table.head();
        let sealed = seal(&vault(2), &entropy, &head, plain).unwrap();
        let index = vault(2).index(account::PERSON_INDEX, b"issuer and subject").to_vec();
        assert_eq!(column(&head, &sealed, "person"), &Value::Bytes(index));
    }
}
