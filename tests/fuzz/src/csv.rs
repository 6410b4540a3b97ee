//! A file of people or companies that somebody imports: letters, separator, header, lines, and
//! what each record becomes.

use raccordo_core::codes::CodeLists;
use raccordo_core::register::import::{Columns, Rows, lines, separator, windows_1252};
use raccordo_core::register::{Identity, RecordKind, canonical, check, check_codes, tidy};
use raccordo_core::secret::Secret;
use std::sync::{LazyLock, Mutex};

use super::{choice, fixture};

static LISTS: LazyLock<CodeLists> = LazyLock::new(CodeLists::builtin);
/// Labels are read once for each kind.
static ROWS: LazyLock<[Mutex<Rows>; 2]> =
    LazyLock::new(|| RecordKind::ALL.map(|kind| Mutex::new(Rows::new(kind, LISTS.clone()))));

/// A byte for kind and letters, then the file.
pub fn run(data: &[u8]) -> bool {
    let Some((form, bytes)) = choice(data) else { return false };
    let place = usize::from(form & 1);
    let text = if form & 2 == 0 {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        text.to_owned()
    } else {
        bytes.iter().map(|byte| windows_1252(*byte)).collect()
    };
    let header = text.split('\n').next().unwrap_or_default();
    let Ok(table) = lines(&text, separator(header.as_bytes())) else { return false };
    assert!(table.is_sorted_by(|one, next| one.line < next.line), "lines ascend");
    let Some((first, records)) = table.split_first() else { return false };
    let kind = RecordKind::ALL[place];
    let Ok(columns) = Columns::decide(kind, &first.values, &[]) else { return false };
    let mut rows = ROWS[place].lock().unwrap();
    let mut any = false;
    for record in records {
        if let Ok(Some(row)) = rows.read(&columns, &record.values) {
            any |= taken(row.identity);
            let _ = check_codes(&LISTS, kind, &row.codes, fixture::NOW);
        }
    }
    any
}

/// What is stored is in its one form already.
fn taken(identity: Identity) -> bool {
    let searched = tidy(&LISTS, identity.clone());
    let Ok(checked) = check(&LISTS, identity) else { return false };
    assert_eq!(searched.as_ref(), Ok(checked.identity()));
    let again = check(&LISTS, checked.identity().clone());
    assert_eq!(again.as_ref(), Ok(&checked), "one form");
    for entry in &checked.identity().entries {
        let form: Option<Secret<String>> = canonical(entry);
        let _ = form;
    }
    true
}

pub fn examples() -> Vec<Vec<u8>> {
    let with = |form: u8, text: &[u8]| [&[form], text].concat();
    vec![
        with(
            0,
            "Cognome;Nome;Data di nascita;Codice fiscale;Telefono;Comune;Stato\n\
             Rossi;Zoë;31/12/1985;RSSZOE85T71D612X;055 123456;Firenze;reported\n\
             \"Al;i\";\"Mo\n h\";1990;;+39 333 1234567 | 06 1;;\n"
                .as_bytes(),
        ),
        with(
            0,
            b"\xef\xbb\xbfnome,cognome,passaporto,sesso,cittadinanza\nAda,Neri,AB123,Feminine,MA\n",
        ),
        with(
            1,
            b"Ragione sociale\tP.IVA\tREA\tDitta individuale\nAlfa srl\t00743110157\tFI-1\tno\n",
        ),
        with(2, b"nominativo,citt\xe0\nNiccol\xf2 Bruni,Forl\xec\n"),
    ]
}
