//! The text of a pact, as a party gets it to sign: whatever it says, it is read or refused, and
//! what was read asks its questions without harm.

use raccordo_core::alert::permit;
use raccordo_core::crypto::Suite;
use raccordo_core::envelope::Label;
use raccordo_core::object::Kind;
use raccordo_core::time::Instant;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::statement::Statement;

use super::fixture;

/// The text.
pub fn run(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Ok(pact) = Pact::parse(text) else { return false };
    assert_eq!(Pact::decode(&pact.canonical()).as_ref(), Ok(&pact));
    let _ = (pact.problems(), pact.summary());
    let _ = (pact.terms().review(), pact.terms().expiry());
    if let Ok(statement) = pact.first_statement(fixture::cards(), &fixture::card(3)) {
        assert_eq!(Statement::parse(&statement.canonical()).as_ref(), Ok(&statement));
        assert_eq!(statement.check_founding(), Ok(()));
    }
    let later = [(fixture::node(0), "Lazio".to_owned()), (fixture::node(3), "Relay".to_owned())];
    let _ = (Pact::parse(&pact.redraft(&later, true)), Pact::parse(&pact.redraft(&[], false)));
    let _ = Pact::parse(&pact.with_suite(Suite::Hybrid));
    permits(&pact);
    true
}

/// The questions that every sharing and every receipt ask.
fn permits(pact: &Pact) {
    let purpose = pact.terms().purposes.first().cloned().unwrap_or_default();
    for at in [fixture::NOW, Instant(i64::MIN), Instant(i64::MAX)] {
        for kind in Kind::ALL {
            let expires_at = pact.terms().default_expiry(kind, at);
            let recipient_classes = pact.terms().kind(kind).recipient_classes.to_vec();
            let label = Label {
                purpose: purpose.clone(),
                recipient_classes,
                expires_at,
                onward_sharing: false,
            };
            for alert in ALERTS.iter() {
                let _ = permit(pact, alert, &label, at);
            }
        }
    }
}

static ALERTS: std::sync::LazyLock<Vec<raccordo_core::alert::Alert>> =
    std::sync::LazyLock::new(fixture::alerts);

pub fn examples() -> Vec<Vec<u8>> {
    let small: String = fixture::pact_text()
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    vec![fixture::pact_text().into_bytes(), small.into_bytes()]
}
