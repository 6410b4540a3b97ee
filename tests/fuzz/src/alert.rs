//! Alerts as JSON, from operators' files and systems; proofs and audit lines, from whoever
//! hands them over.

use raccordo_core::alert::{Alert, CheckedAlert, FieldError, check, check_received};
use raccordo_core::audit::{AuditEvent, AuditHead, AuditRecord, verify};
use raccordo_core::codes::CodeLists;
use raccordo_core::hublog::Equivocation;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{choice, fixture};

static LISTS: LazyLock<CodeLists> = LazyLock::new(CodeLists::builtin);

/// A byte for the kind, then the text.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = choice(data) else { return false };
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match kind % 3 {
        0 => alert(text),
        1 => proof(text),
        _ => line(text),
    }
}

fn alert(text: &str) -> bool {
    let Ok(alert) = serde_json::from_str::<Alert>(text) else { return false };
    let written = serde_json::to_string(&alert).expect("an alert has a JSON form");
    assert_eq!(serde_json::from_str::<Alert>(&written).ok().as_ref(), Some(&alert));
    let received = check_received(&LISTS, &alert, fixture::NOW);
    let checked = check(&LISTS, &alert, fixture::NOW);
    no_value_told(&received);
    no_value_told(&checked);
    let Ok(checked) = checked else { return false };
    assert!(received.is_ok(), "what the origin may send, the receiver takes: {received:?}");
    let _ = (checked.id(), checked.subject(), checked.expires_at(), checked.present());
    true
}

/// Errors name fields and say what to do.
fn no_value_told(outcome: &Result<CheckedAlert, Vec<FieldError>>) {
    if let Err(errors) = outcome {
        assert!(!errors.is_empty());
        assert!(errors.iter().all(|error| !error.field.is_empty() && !error.message.is_empty()));
    }
}

fn proof(text: &str) -> bool {
    let Ok(proof) = Equivocation::from_file(text) else { return false };
    assert_eq!(Equivocation::from_file(&proof.to_file()).as_ref(), Ok(&proof));
    assert_eq!(Equivocation::decode(&proof.encode()).as_ref(), Ok(&proof));
    proof.judge().is_ok()
}

fn line(text: &str) -> bool {
    let Ok(record) = AuditRecord::from_line(text) else { return false };
    let written = record.to_line().expect("a record has a JSON form");
    assert_eq!(AuditRecord::from_line(&written).as_ref(), Ok(&record));
    verify(AuditHead::EMPTY, [&record]).is_ok()
}

pub fn examples() -> Vec<Vec<u8>> {
    let with = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    let mut all: Vec<Vec<u8>> = fixture::alerts()
        .iter()
        .map(|alert| with(0, &serde_json::to_string(alert).unwrap()))
        .collect();
    all.push(with(1, &super::canonical::proof().to_file()));
    let event = AuditEvent {
        at: fixture::NOW,
        actor: "administrator".to_owned(),
        action: "trust.verify".to_owned(),
        subject: "umbria".to_owned(),
        detail: BTreeMap::new(),
    };
    all.push(with(2, &AuditRecord::append(AuditHead::EMPTY, event).to_line().unwrap()));
    all
}
