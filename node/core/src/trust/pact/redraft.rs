//! The text of a later pact: the one in force, with parties added or taken out. Everything
//! else stays as it was agreed, for people to change where they wish.

use crate::crypto::Suite;
use crate::id::NodeId;
use crate::trust::pact::Pact;
use crate::trust::pact::draft::party_block;

/// The key of the ciphersuite.
const SUITE: &str = "ciphersuite";
/// A line that begins a party.
const PARTY: &str = "[[party]]";

impl Pact {
    /// This pact's text without the parties that are left out, and with the new ones at
    /// its end; what is said of parties that stay is kept word for word.
    pub fn redraft(&self, parties: &[(NodeId, String)], example: bool) -> String {
        let stays = |node: &NodeId| parties.iter().any(|(party, _)| party == node);
        let mut blocks = self.parties().map(stays);
        let mut keep = true;
        let mut text = String::new();
        for line in self.text().lines() {
            let begins = line.trim_start();
            if begins.starts_with(PARTY) {
                keep = blocks.next().unwrap_or(true);
            } else if begins.is_empty() || begins.starts_with(['[', '#']) {
                keep = true;
            }
            if keep {
                text.push_str(line);
                text.push('\n');
            }
        }
        for (node, name) in parties.iter().filter(|(node, _)| !self.has_party(node)) {
            text.push_str(&party_block(node, name, example));
        }
        text
    }
}

impl Pact {
    /// This pact's text with another ciphersuite, and nothing else changed.
    pub fn with_suite(&self, suite: Suite) -> String {
        let (old, new) = (self.terms().ciphersuite.name(), suite.name());
        let mut text = String::new();
        for line in self.text().lines() {
            match line.split_once('=') {
                Some((key, value)) if key.trim() == SUITE => {
                    let value = value.replacen(old, new, 1);
                    text.push_str(&format!("{key}={value}"));
                }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::pact::tests::example;
    use crate::trust::sample::node;

    fn check(parties: &[usize], expected: &[usize]) {
        let named: Vec<_> = parties.iter().map(|n| (node(*n), format!("Regione {n}"))).collect();
        let pact = example();
        let again = Pact::parse(&pact.redraft(&named, true)).unwrap();
        let found: Vec<_> = again.parties().cloned().collect();
        assert_eq!(found, expected.iter().map(|n| node(*n)).collect::<Vec<_>>());
        assert_eq!(again.terms().share, pact.terms().share);
        assert_eq!(again.terms().budget, pact.terms().budget);
    }

    #[test]
    fn parties_come_and_go_and_the_rest_stays() {
        check(&[0, 1], &[1, 0]);
        check(&[0, 1, 2], &[1, 0, 2]);
        check(&[1, 2], &[1, 2]);
        assert_eq!(
            example().redraft(&[(node(0), String::new()), (node(1), String::new())], true),
            example().text()
        );
    }

    #[test]
    fn a_newcomer_is_marked_where_people_must_decide() {
        let parties = [0, 1, 2].map(|n| (node(n), format!("Regione {n}")));
        let again = Pact::parse(&example().redraft(&parties, false)).unwrap();
        assert_eq!(again.problems(), ["party node-0002: art26_role is not filled in"]);
    }

    #[test]
    fn nothing_but_the_suite_changes() {
        let pact = example();
        let other = Pact::parse(&pact.with_suite(Suite::Classical)).unwrap();
        assert_eq!(other.terms().ciphersuite, Suite::Classical);
        assert_ne!(other.digest(), pact.digest());
        assert_eq!(other.with_suite(Suite::Hybrid), pact.text());
    }
}
