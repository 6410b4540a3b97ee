//! What people type: names, numbers, dates, ids, codes, words heard on the phone.

use raccordo_core::account::{Seed, SessionKey};
use raccordo_core::codes::{CodeLists, Lang};
use raccordo_core::evidence::name::Name;
use raccordo_core::evidence::record::Subject;
use raccordo_core::id::{Digest, EntryId, EnvelopeId, GroupId, LineageId, NodeId, ObjectId};
use raccordo_core::normal::birth::Birth;
use raccordo_core::normal::codice_fiscale::CodiceFiscale;
use raccordo_core::normal::company_name::company_name;
use raccordo_core::normal::company_number::{partita_iva, rea};
use raccordo_core::normal::comune::Comuni;
use raccordo_core::normal::document::{passport, permit};
use raccordo_core::normal::phone::e164;
use raccordo_core::normal::stop_list::StopList;
use raccordo_core::operator::Token;
use raccordo_core::register::{Entry, Field, RecordKind, canonical, date};
use raccordo_core::text::is_line;
use raccordo_core::time::Instant;
use raccordo_core::trust::keys::PublicKey;
use raccordo_core::trust::phone_code::PhoneCode;
use std::sync::LazyLock;

use super::{choice, fixture};

static LISTS: LazyLock<CodeLists> = LazyLock::new(CodeLists::builtin);
static COMUNI: LazyLock<Comuni> = LazyLock::new(|| Comuni::new(&LISTS));

/// A byte for the question, then the text.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = choice(data) else { return false };
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match kind % 8 {
        0 => name(text),
        1 => numbers(text),
        2 => dates(text),
        3 => ids(text),
        4 => places(text),
        5 => heard(text),
        6 => searched(text),
        _ => record(text),
    }
}

fn name(text: &str) -> bool {
    let Some(name) = Name::parse(text) else { return company_name(text).is_some() };
    let _ = (name.parts().len(), name.telling().count(), name.letters().len());
    true
}

fn numbers(text: &str) -> bool {
    let mut good = false;
    if let Ok(code) = CodiceFiscale::parse(text) {
        let again = CodiceFiscale::parse(code.value().reveal());
        assert!(again.is_ok_and(|again| again.value() == code.value()), "one form");
        good = true;
    }
    for normal in [e164, partita_iva_of, rea_of, permit_of] {
        good |= normal(text).is_ok();
    }
    if let Ok(phone) = e164(text) {
        assert_eq!(e164(phone.reveal()).as_ref().ok(), Some(&phone), "one form");
    }
    if let Ok(number) = partita_iva(text) {
        assert_eq!(partita_iva(number.reveal()).as_ref().ok(), Some(&number), "one form");
    }
    let (country, rest) = text.split_once(' ').unwrap_or(("MA", text));
    good | passport(country, rest).is_ok()
}

type Normal =
    Result<raccordo_core::secret::Secret<String>, raccordo_core::normal::phone::PhoneError>;

fn partita_iva_of(text: &str) -> Normal {
    partita_iva(text).or_else(|_| e164(""))
}

fn rea_of(text: &str) -> Normal {
    rea(text).or_else(|_| e164(""))
}

fn permit_of(text: &str) -> Normal {
    permit(text).or_else(|_| e164(""))
}

fn dates(text: &str) -> bool {
    if let Ok(birth) = Birth::parse(text) {
        let _ = (birth.year(), birth.full());
    }
    if let Ok(at) = text.parse::<Instant>() {
        assert_eq!(at.to_string().parse::<Instant>(), Ok(at));
        return true;
    }
    let Some(read) = date(text) else { return false };
    assert_eq!(date(&read).as_ref(), Some(&read), "one form");
    true
}

fn ids(text: &str) -> bool {
    if let Ok(node) = text.parse::<NodeId>() {
        assert_eq!(node.as_str(), text);
        return true;
    }
    let (key, seed) = (SessionKey::parse(text), Seed::from_bytes(text.as_bytes()));
    if let Some(key) = &key {
        assert_eq!(
            SessionKey::parse(key.text().reveal()).map(|it| it.digest()),
            Some(key.digest())
        );
    }
    if let Some(seed) = seed {
        let _ = seed.take(text, fixture::NOW, 0);
    }
    let token = text.parse::<Token>();
    let _ = (text.parse::<GroupId>(), text.parse::<LineageId>(), text.parse::<Digest>());
    let _ = (text.parse::<EntryId>(), text.parse::<EnvelopeId>(), text.parse::<PublicKey>());
    text.parse::<ObjectId>().is_ok() | token.is_ok() | key.is_some()
}

fn places(text: &str) -> bool {
    let _ = is_line(text, 100);
    let named = COMUNI.named(text);
    COMUNI.code(text).is_some() || named.is_some()
}

fn heard(text: &str) -> bool {
    let code = PhoneCode::between(&PublicKey([1; 32]), &PublicKey([2; 32]));
    code.matches(text)
}

fn searched(text: &str) -> bool {
    let mut found = 0;
    for name in ["need", "urgency"] {
        if let Some(list) = LISTS.list(name) {
            found += list.search(text, Lang::It, 8).len() + list.search(text, Lang::En, 8).len();
            let _ = list.lookup(text);
        }
        let _ = LISTS.label(name, text, Lang::It);
    }
    found > 0
}

/// Fields by number, each with the parts that its line has.
fn record(text: &str) -> bool {
    let mut entries = Vec::new();
    for line in text.lines() {
        let mut parts = line.split('|').map(str::to_owned);
        let number = parts.next().and_then(|first| first.parse::<usize>().ok()).unwrap_or_default();
        let field = Field::ALL[number % Field::ALL.len()];
        entries.push(Entry::new(field, parts));
    }
    for entry in &entries {
        let _ = canonical(entry);
    }
    let mut found = 0;
    for kind in RecordKind::ALL {
        let subject = Subject::of_record(kind, &entries, vec!["BD".to_owned()], &COMUNI);
        found += subject.evidence(&StopList::default()).len();
    }
    found > 0
}

pub fn examples() -> Vec<Vec<u8>> {
    let code = PhoneCode::between(&PublicKey([1; 32]), &PublicKey([2; 32]));
    let heard = code.words().join(" ");
    let with = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    vec![
        with(0, "Maria Grazia De' Rossi-Ferrari"),
        with(0, "محمد علي"),
        with(0, "Alfa Costruzioni di Mario Bianchi & C. s.a.s."),
        with(1, "RSSMRA85T10A562S"),
        with(1, "RSSMRA85T10A56NH"),
        with(1, "+39 055 27 56 111"),
        with(1, "IT00743110157"),
        with(1, "FI-123456"),
        with(1, "MA AB 123456"),
        with(2, "31/12/1985"),
        with(2, "1985-12-31"),
        with(2, "2026-05-04T10:20:30.400Z"),
        with(3, "regione-toscana"),
        with(3, "00112233445566778899aabbccddeeff"),
        with(3, "0190b3a0-0000-7000-8000-000000000001"),
        with(4, "Reggio nell'Emilia"),
        with(4, "048017"),
        with(5, &heard),
        with(6, "ordinar"),
        with(7, "1|Rossi|Maria\n2|1985-12-31\n3|RSSMRA85T10A562S\n5|0552756111\n"),
    ]
}
