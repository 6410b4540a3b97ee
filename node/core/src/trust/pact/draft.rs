//! The draft of a pact: commented TOML with safe defaults, and a mark wherever people must
//! decide.

use std::fmt::Write;

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::crypto::Suite;
use crate::id::{LineageId, NodeId};
use crate::object::{Field, Kind};
use crate::operator::Class;
use crate::trust::pact::problems::AUTHORITIES;
use crate::trust::pact::terms::TO_FILL;

/// From what a draft is made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Name of the équipe.
    pub equipe: String,
    /// Its lineage, newly drawn.
    pub lineage: LineageId,
    /// The proposed chair.
    pub chair: NodeId,
    /// The parties with their names.
    pub parties: Vec<(NodeId, String)>,
    /// The proposed hub.
    pub hub: NodeId,
    /// The ciphersuite of the first group.
    pub suite: Suite,
    /// From when the example's dates count.
    pub today: Date,
    /// Filled with examples, for pilots, instead of marks.
    pub example: bool,
}

impl Draft {
    /// The text.
    pub fn toml(&self) -> String {
        let mut text = self.head();
        for (node, name) in &self.parties {
            text.push_str(&party_block(node, name, self.example));
        }
        text.push_str(&self.case());
        text.push_str(&self.company());
        text.push_str(&self.budget());
        text
    }

    fn head(&self) -> String {
        let Self { equipe, lineage, chair, hub, .. } = self;
        format!(
            r##"# Pact (patto) of an équipe.
#
# Every party signs exactly this text. Values that begin with "{TO_FILL}" wait for a
# decision of the parties; nothing can be signed while one is left. Write dates as
# YYYY-MM-DD.

equipe = {equipe}
# Names the équipe for as long as it lives. Do not change it.
lineage = "{lineage}"

# The chair (capofila) founds the group and adds its members. It cannot remove anyone alone.
chair = "{chair}"
chair_mandate = {chair_mandate}

# The hub carries ciphertext and reads nothing. It may be a party or not.
hub = "{hub}"
# "hybrid" also withstands quantum computers; "classical" does not.
ciphersuite = "{suite}"

# For what data is shared. Each alert names one of these purposes.
purposes = {purposes}
# GDPR art. 6, and art. 9 or 10 where they apply.
legal_basis = {legal_basis}
# Data protection impact assessment (DPIA, GDPR art. 35): title, date, protocol number.
dpia_reference = {dpia}

# When the parties look at this pact again, and the last day on which anything is shared.
review_date = {review}
expiry_date = {expiry}

# An alert is held back when fewer people than this share its coarse fields.
threshold_k = 10
# Whether a party may pass on what it received. The safe answer is no.
onward_sharing = false
# After so many days the hub may drop what a silent party never fetched.
log_age_limit_days = 90
# How often a silent node says that it is there.
heartbeat_minutes = 15
"##,
            equipe = quoted(equipe),
            suite = self.suite.name(),
            chair_mandate =
                self.value("the act that names the chair", "Example act no. 1 of the parties"),
            purposes = self.purposes(),
            legal_basis = self.value(
                "the legal basis",
                "GDPR art. 6(1)(e) and art. 9(2)(g): public interest in protecting victims",
            ),
            dpia = self.value("the DPIA's reference", "Example DPIA, protocol 1"),
            review = self.date("the date of review", 1.year()),
            expiry = self.date("the date of expiry", 2.years()),
        )
    }

    fn case(&self) -> String {
        format!(
            r##"
# Alerts about people: codes only, no identity, no free text.
[share.case_alert]
allowed = true
# Who decided fields, precision, retention and recipients below.
decided_by = {decided}
# Only these fields may be filled. Left out because they identify or endanger: {risky}.
fields = {fields}
# "province" or "comune"; with "comune" also list the field comune.
place_precision = "{place}"
# "world_region" or "country".
citizenship_precision = "{citizenship}"
# The longest life of an alert; then it is erased everywhere.
retention_days = 180
# Classes of organisation that may read these alerts. Employers' associations never may;
# inspectorates, police and prosecutors are reached by disclosure only.
recipient_classes = {classes}
"##,
            decided = self.decided(),
            risky = self.left_out(Kind::Case),
            fields = self.fields(Kind::Case),
            place = if self.example { "comune" } else { "province" },
            citizenship = if self.example { "country" } else { "world_region" },
            classes = self.classes(),
        )
    }

    fn company(&self) -> String {
        format!(
            r##"
# Alerts about companies: codes only, never a name or number.
[share.company_alert]
allowed = true
decided_by = {decided}
# Left out because they identify or endanger: {risky}.
fields = {fields}
place_precision = "comune"
retention_days = 365
recipient_classes = {classes}
"##,
            decided = self.decided(),
            risky = self.left_out(Kind::Company),
            fields = self.fields(Kind::Company),
            classes = self.classes(),
        )
    }

    fn budget(&self) -> String {
        format!(
            r##"
# How many pseudonymous tokens one node may ask for in a day, so that nobody can try out
# every name or number.
[budget]
decided_by = {decided}
person_strong_per_day = 200
person_weak_per_day = 400
company_per_day = 50
"##,
            decided = self.decided()
        )
    }

    fn decided(&self) -> String {
        self.value("who decided what stands below", "Example meeting of the parties")
    }

    fn purposes(&self) -> String {
        if self.example {
            return list(["victim_protection", "joint_casework"]);
        }
        list([format!("{TO_FILL}: the purposes, one by one").as_str()])
    }

    fn fields(&self, kind: Kind) -> String {
        let kept = |field: &&Field| self.example || !field.by_decision;
        list(kind.shareable().filter(kept).map(|field| field.name))
    }

    fn left_out(&self, kind: Kind) -> String {
        if self.example {
            return "none".to_owned();
        }
        let left_out = kind.shareable().filter(|field| field.by_decision);
        left_out.map(|field| field.name).collect::<Vec<_>>().join(", ")
    }

    fn classes(&self) -> String {
        let apart = [Class::EmployersAssociation, Class::Research];
        let reads = |class: &&Class| !AUTHORITIES.contains(class) && !apart.contains(class);
        list(Class::ALL.iter().filter(reads).map(|class| class.as_str()))
    }

    fn value(&self, what: &str, example: &str) -> String {
        value(self.example, what, example)
    }

    fn date(&self, what: &str, ahead: Span) -> String {
        // The calendar ends in the year 9999.
        let date = self.today.checked_add(ahead).unwrap_or(Date::MAX);
        self.value(what, &date.to_string())
    }
}

/// One party, with its part under GDPR art. 26 as an example or left to be filled in.
pub(super) fn party_block(node: &NodeId, name: &str, example: bool) -> String {
    let role = value(
        example,
        "its part under GDPR art. 26: who informs, who answers requests, contact point",
        "joint controller: informs the people it meets and answers their requests",
    );
    format!("\n[[party]]\nid = \"{node}\"\nname = {}\nart26_role = {role}\n", quoted(name))
}

fn value(fill: bool, what: &str, example: &str) -> String {
    quoted(&if fill { example.to_owned() } else { format!("{TO_FILL}: {what}") })
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A TOML list of strings, one to a line.
fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = "[\n".to_owned();
    for item in items {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {},", quoted(item));
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use crate::trust::pact::Pact;
    use crate::trust::pact::tests::draft;

    #[test]
    fn a_draft_is_read_back_and_waits_for_people() {
        let pact = Pact::parse(&draft(false).toml()).unwrap();
        let terms = pact.terms();
        assert_eq!(terms.equipe, "Toscana–Umbria \"di prova\"");
        assert_eq!(terms.party.len(), 2);
        assert_eq!(terms.threshold_k, 10);
        assert!(!terms.onward_sharing);
        assert!(!terms.share.case_alert.fields.iter().any(|field| field == "comune"));
        let problems = pact.problems();
        let expected = [
            "chair_mandate",
            "purposes",
            "legal_basis",
            "dpia_reference",
            "review_date",
            "expiry_date",
            "party node-0001: art26_role",
            "party node-0000: art26_role",
            "share.case_alert.decided_by",
            "share.company_alert.decided_by",
            "budget.decided_by",
        ];
        assert_eq!(problems.len(), expected.len(), "{problems:#?}");
        for key in expected {
            assert!(problems.iter().any(|problem| problem.starts_with(key)), "{key}");
        }
    }

    #[test]
    fn an_example_can_be_signed_as_it_is() {
        let pact = Pact::parse(&draft(true).toml()).unwrap();
        assert_eq!(pact.problems(), Vec::<String>::new());
        assert_eq!(pact.terms().review_date, "2027-05-04");
        assert_eq!(pact.terms().expiry_date, "2028-05-04");
    }
}
