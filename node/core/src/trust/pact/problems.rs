//! What a pact still lacks: marks that nobody filled, and contradictions.

use std::collections::BTreeSet;

use crate::object::Kind;
use crate::operator::Class;
use crate::text::is_line;
use crate::trust::pact::Pact;
use crate::trust::pact::fields::PlacePrecision;
use crate::trust::pact::terms::{KindTerms, TO_FILL, Terms};
use crate::trust::statement::{EQUIPE_NAME_BYTES_MAX, PARTIES_MAX};

/// Classes that are reached by a disclosure package only (CASEWORK rule 2).
pub const AUTHORITIES: [Class; 3] = [Class::LabourInspectorate, Class::Police, Class::Prosecutor];

/// The longest life of an alert that a pact may give, in days.
const RETENTION_DAYS_MAX: u32 = 3_650;

impl Pact {
    /// What must be filled in or put right before anyone signs, each beginning with its key.
    pub fn problems(&self) -> Vec<String> {
        let terms = self.terms();
        let mut problems = Vec::new();
        check_marks(terms, &mut problems);
        check_parties(terms, &mut problems);
        check_dates(terms, &mut problems);
        check_numbers(terms, &mut problems);
        for kind in Kind::ALL {
            check_kind(kind, &terms.kind(kind), &mut problems);
        }
        problems
    }
}

fn check_marks(terms: &Terms, problems: &mut Vec<String>) {
    let mut values = vec![
        ("equipe".to_owned(), terms.equipe.as_str()),
        ("chair_mandate".to_owned(), &terms.chair_mandate),
    ];
    values.extend(terms.purposes.iter().map(|purpose| ("purposes".to_owned(), purpose.as_str())));
    values.extend([
        ("legal_basis".to_owned(), terms.legal_basis.as_str()),
        ("dpia_reference".to_owned(), &terms.dpia_reference),
        ("review_date".to_owned(), &terms.review_date),
        ("expiry_date".to_owned(), &terms.expiry_date),
    ]);
    for party in &terms.party {
        values.push((format!("party {}: name", party.id), &party.name));
        values.push((format!("party {}: art26_role", party.id), &party.art26_role));
    }
    for kind in Kind::ALL {
        values.push((format!("share.{}.decided_by", kind.section()), terms.kind(kind).decided_by));
    }
    values.push(("budget.decided_by".to_owned(), &terms.budget.decided_by));
    for (key, value) in values {
        if value.trim_start().starts_with(TO_FILL) {
            problems.push(format!("{key} is not filled in"));
        } else if value.trim().is_empty() {
            problems.push(format!("{key} is empty"));
        }
    }
}

fn check_parties(terms: &Terms, problems: &mut Vec<String>) {
    if !is_line(&terms.equipe, EQUIPE_NAME_BYTES_MAX) {
        problems.push(format!("equipe must be one line of at most {EQUIPE_NAME_BYTES_MAX} bytes"));
    }
    if !(2..=PARTIES_MAX).contains(&terms.party.len()) {
        problems.push(format!("party must be given 2 to {PARTIES_MAX} times"));
    }
    let mut seen = BTreeSet::new();
    for party in &terms.party {
        if !seen.insert(&party.id) {
            problems.push(format!("party {} is listed twice", party.id));
        }
    }
    if !seen.contains(&terms.chair) {
        problems.push(format!("chair {} is no party", terms.chair));
    }
    if terms.purposes.is_empty() {
        problems.push("purposes is empty".to_owned());
    }
}

fn check_dates(terms: &Terms, problems: &mut Vec<String>) {
    let dates = [
        ("review_date", &terms.review_date, terms.review()),
        ("expiry_date", &terms.expiry_date, terms.expiry()),
    ];
    for (key, text, date) in dates {
        if date.is_none() && !text.starts_with(TO_FILL) {
            problems.push(format!("{key} is no date like 2027-01-31"));
        }
    }
    if let (Some(review), Some(expiry)) = (terms.review(), terms.expiry())
        && review > expiry
    {
        problems.push("review_date is after expiry_date".to_owned());
    }
}

fn check_numbers(terms: &Terms, problems: &mut Vec<String>) {
    let ranges = [
        ("threshold_k", terms.threshold_k, 2..=10_000),
        ("log_age_limit_days", terms.log_age_limit_days, 1..=3_650),
        ("heartbeat_minutes", terms.heartbeat_minutes, 1..=10_080),
    ];
    for (key, value, range) in ranges {
        if !range.contains(&value) {
            problems.push(format!("{key} must be {} to {}", range.start(), range.end()));
        }
    }
}

fn check_kind(kind: Kind, terms: &KindTerms<'_>, problems: &mut Vec<String>) {
    let section = kind.section();
    let mut say = |key: &str, what: String| problems.push(format!("share.{section}.{key} {what}"));
    let mut seen = BTreeSet::new();
    for field in terms.fields {
        if !kind.shareable().any(|known| known.name == field) {
            say("fields", format!("lists {field}, which is no field"));
        } else if !seen.insert(field.as_str()) {
            say("fields", format!("lists {field} twice"));
        }
    }
    if !terms.allowed {
        return;
    }
    for needed in kind.shareable().filter(|field| field.required) {
        if !seen.contains(needed.name) {
            say("fields", format!("lacks {}, without which no alert is valid", needed.name));
        }
    }
    let indicators = ["iloIndicators", "indices603bis"];
    if kind == Kind::Company && !indicators.iter().any(|field| seen.contains(field)) {
        say(
            "fields",
            format!("lacks both {}: no alert is valid without", indicators.join(" and ")),
        );
    }
    if seen.contains("comune") != (terms.place_precision == PlacePrecision::Comune) {
        let said = terms.place_precision;
        say("place_precision", format!("is {said}, which contradicts fields on comune"));
    }
    if !(1..=RETENTION_DAYS_MAX).contains(&terms.retention_days) {
        say("retention_days", format!("must be 1 to {RETENTION_DAYS_MAX}"));
    }
    if terms.recipient_classes.is_empty() {
        say("recipient_classes", "is empty: nobody could read it".to_owned());
    }
    for class in terms.recipient_classes {
        if let Some(why) = class_problem(kind, class) {
            say("recipient_classes", format!("lists {class}, {why}"));
        }
    }
}

fn class_problem(kind: Kind, class: &str) -> Option<&'static str> {
    match class.parse::<Class>() {
        Err(_) => Some("which is no class"),
        Ok(class) if AUTHORITIES.contains(&class) => {
            Some("which is reached by a disclosure package only")
        }
        Ok(Class::EmployersAssociation) if kind == Kind::Case => {
            Some("which never sees what is about people")
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::pact::tests::example;

    fn check(from: &str, to: &str, expected: &[&str]) {
        let text = example().text().to_owned();
        assert!(text.contains(from), "{from}");
        let pact = Pact::parse(&text.replacen(from, to, 1)).unwrap();
        assert_eq!(pact.problems(), expected);
    }

    #[test]
    fn contradictions_are_named() {
        check("threshold_k = 10", "threshold_k = 10", &[]);
        check("threshold_k = 10", "threshold_k = 1", &["threshold_k must be 2 to 10000"]);
        check("chair = \"node-0001\"", "chair = \"relay\"", &["chair relay is no party"]);
        let twice = ["party node-0000 is listed twice", "chair node-0001 is no party"];
        check("id = \"node-0001\"", "id = \"node-0000\"", &twice);
        check("\"2027-05-04\"", "\"2029-05-04\"", &["review_date is after expiry_date"]);
        check("\"2027-05-04\"", "\"04/05/2027\"", &["review_date is no date like 2027-01-31"]);
        check("Example DPIA, protocol 1", " ", &["dpia_reference is empty"]);
        let no_limit = ["log_age_limit_days must be 1 to 3650"];
        check("log_age_limit_days = 90", "log_age_limit_days = 0", &no_limit);
    }

    #[test]
    fn kinds_are_consistent() {
        let fields = "share.case_alert.fields";
        check("\"ageBand\"", "\"age\"", &[&format!("{fields} lists age, which is no field")]);
        check("\"ageBand\"", "\"gender\"", &[&format!("{fields} lists gender twice")]);
        let lacks = format!("{fields} lacks exploitation, without which no alert is valid");
        check("  \"exploitation\",\n", "", &[&lacks]);
        let lacks = format!("{fields} lacks province, without which no alert is valid");
        check(
            "  \"province\",\n  \"comune\",\n  \"month\",",
            "  \"comune\",\n  \"month\",",
            &[&lacks],
        );
        let lacks = "share.company_alert.fields lacks role, without which no alert is valid";
        check("  \"role\",\n", "", &[lacks]);
        let indicators = "  \"role\",\n  \"iloIndicators\",\n  \"indices603bis\",\n";
        let lacks = "share.company_alert.fields lacks both iloIndicators and indices603bis: no alert \
                     is valid without";
        check(indicators, "  \"role\",\n", &[lacks]);
        let precision =
            "share.case_alert.place_precision is province, which contradicts fields on comune";
        check("place_precision = \"comune\"", "place_precision = \"province\"", &[precision]);
        let retention = "share.case_alert.retention_days must be 1 to 3650";
        check("retention_days = 180", "retention_days = 0", &[retention]);
        check("allowed = true", "allowed = false", &[]);
    }

    #[test]
    fn recipients_follow_the_rules_of_casework() {
        let check = |class: &str, why: &str| {
            let problem = format!("share.case_alert.recipient_classes lists {class}, {why}");
            check("\"union\"", &format!("\"{class}\""), &[&problem]);
        };
        check("employers_association", "which never sees what is about people");
        check("police", "which is reached by a disclosure package only");
        check("prosecutor", "which is reached by a disclosure package only");
        check("labour_inspectorate", "which is reached by a disclosure package only");
        check("press", "which is no class");
        assert_eq!(class_problem(Kind::Company, "employers_association"), None);
    }
}
