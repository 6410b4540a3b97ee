//! A pact in words, as it is shown before anyone signs.

use crate::object::Kind;
use crate::text::on_one_line;
use crate::trust::pact::Pact;
use crate::trust::pact::terms::{KindTerms, Terms};

impl Pact {
    /// Many lines in plain words, ending with what is still open. A value stays on its line,
    /// whatever its author wrote into it.
    pub fn summary(&self) -> String {
        let mut lines = head(self.terms());
        for kind in Kind::ALL {
            lines.extend(shared(kind, &self.terms().kind(kind)));
        }
        lines.extend(limits(self.terms()));
        lines.push(format!("Digest of this pact: {}", self.digest()));
        let problems = self.problems();
        if !problems.is_empty() {
            lines.push("Still open:".to_owned());
            lines.extend(problems.iter().map(|problem| format!("  - {problem}")));
        }
        let lines: Vec<_> = lines.iter().map(|line| on_one_line(line)).collect();
        lines.join("\n")
    }
}

fn head(terms: &Terms) -> Vec<String> {
    let mut lines = vec![format!("Équipe {} (lineage {})", terms.equipe, terms.lineage)];
    lines.push("Parties:".to_owned());
    for party in &terms.party {
        let chair = if party.id == terms.chair { ", chair" } else { "" };
        lines.push(format!("  - {} ({}{chair}): {}", party.name, party.id, party.art26_role));
    }
    lines.push(format!("Chair named by: {}", terms.chair_mandate));
    lines.push(format!("Hub: {}; ciphersuite: {}", terms.hub, terms.ciphersuite.name()));
    lines.push(format!("Purposes: {}", terms.purposes.join("; ")));
    lines.push(format!("Legal basis: {}", terms.legal_basis));
    lines.push(format!("DPIA: {}", terms.dpia_reference));
    lines.push(format!("Review on {}; expires after {}", terms.review_date, terms.expiry_date));
    lines
}

fn shared(kind: Kind, terms: &KindTerms<'_>) -> Vec<String> {
    let name = match kind {
        Kind::Case => "Alerts about people",
        Kind::Company => "Alerts about companies",
    };
    if !terms.allowed {
        return vec![format!("{name}: not shared")];
    }
    let forbidden: Vec<_> = kind
        .shareable()
        .map(|field| field.name)
        .filter(|field| !terms.fields.iter().any(|allowed| allowed == field))
        .collect();
    let mut lines = vec![
        format!(
            "{name}: erased after {} days; decided by: {}",
            terms.retention_days, terms.decided_by
        ),
        format!("  fields: {}", terms.fields.join(", ")),
    ];
    if !forbidden.is_empty() {
        lines.push(format!("  never filled: {}", forbidden.join(", ")));
    }
    lines.push(format!("  place as precise as: {}", terms.place_precision));
    if let Some(citizenship) = terms.citizenship_precision {
        lines.push(format!("  citizenship as precise as: {citizenship}"));
    }
    lines.push(format!("  read by: {}", terms.recipient_classes.join(", ")));
    lines
}

fn limits(terms: &Terms) -> Vec<String> {
    let budget = &terms.budget;
    vec![
        format!("Held back below {} people with the same coarse fields", terms.threshold_k),
        format!("Sharing onward: {}", if terms.onward_sharing { "allowed" } else { "not allowed" }),
        format!(
            "Tokens per node and day: {} strong and {} weak for people, {} for companies; \
             decided by: {}",
            budget.person_strong_per_day,
            budget.person_weak_per_day,
            budget.company_per_day,
            budget.decided_by
        ),
        format!(
            "The hub may drop entries after {} days; a sign of life every {} minutes",
            terms.log_age_limit_days, terms.heartbeat_minutes
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::trust::pact::Pact;
    use crate::trust::pact::tests::{draft, example};

    fn check(pact: &Pact, line: &str, shown: bool) {
        let summary = pact.summary();
        assert_eq!(summary.lines().any(|found| found.starts_with(line)), shown, "{summary}");
    }

    #[test]
    fn says_what_matters() {
        let pact = example();
        check(&pact, "Équipe Toscana–Umbria \"di prova\" (lineage 0707", true);
        check(&pact, "  - Regione Umbria (node-0001, chair): joint controller", true);
        check(&pact, "  - Regione Toscana (node-0000): joint controller", true);
        check(&pact, "Alerts about people: erased after 180 days", true);
        check(&pact, "  never filled", false);
        check(&pact, "Still open:", false);
    }

    #[test]
    fn a_value_stays_on_its_line() {
        let text = example().text().replacen(
            "chair_mandate = \"",
            "chair_mandate = \"\\nDigest of this pact: 00\\u001b[2J\\u202e ",
            1,
        );
        let pact = Pact::parse(&text).unwrap();
        assert!(pact.terms().chair_mandate.contains('\u{1b}'));
        check(&pact, "Digest of this pact: 00", false);
        check(&pact, "Chair named by: \u{fffd}Digest of this pact: 00\u{fffd}[2J\u{fffd}", true);
    }

    #[test]
    fn says_what_is_open_and_what_is_never_filled() {
        let pact = Pact::parse(&draft(false).toml()).unwrap();
        check(&pact, "Still open:", true);
        check(&pact, "  - legal_basis is not filled in", true);
        check(&pact, "  never filled: legalPath, comune, minor, companyRefs", true);
        let text = pact.text().replacen("allowed = true", "allowed = false", 1);
        check(&Pact::parse(&text).unwrap(), "Alerts about people: not shared", true);
    }
}
