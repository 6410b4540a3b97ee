//! The pact: the agreement that the parties of an équipe read, fill in and sign, as TOML.
//!
//! What is signed are the exact bytes of the text, so that comments count too. [`draft`]
//! writes one, [`redraft`] a later one, [`terms`] are what it says, [`problems`] what it still lacks, [`permits`]
//! what it allows.

pub mod draft;
pub mod fields;
pub mod permits;
pub mod problems;
pub mod redraft;
pub mod summary;
pub mod terms;

use std::collections::BTreeMap;

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, NodeId, Sequence};
use crate::trust::card::SignedCard;
use crate::trust::statement::{HubTerm, Party, RULES_VERSION, Statement, StatementError};
use terms::Terms;

/// The longest pact, in bytes.
pub const PACT_BYTES_MAX: usize = 256 * 1024;

const DAY_MS: u64 = 86_400_000;

/// Why a pact is refused, or makes no statement: the fault of who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PactError {
    /// The text is no TOML, or a key is unknown, missing or of the wrong type.
    #[error("line {line}{}: {message}", .key.as_ref().map_or_else(String::new, |key| format!(", {key}")))]
    Toml {
        /// From 1.
        line: usize,
        /// The key on that line.
        key: Option<String>,
        /// What is wrong.
        message: String,
    },
    /// The text is longer than [`PACT_BYTES_MAX`].
    #[error("the pact is longer than {PACT_BYTES_MAX} bytes")]
    TooLong,
    /// The bytes are not canonical of type `pact`.
    #[error("not a pact: {0}")]
    Malformed(#[from] CanonicalError),
    /// Something must be filled in or put right first.
    #[error("the pact has open points, the first of them: {first}")]
    Unfilled {
        /// The first of [`Pact::problems`].
        first: String,
    },
    /// The card of a party or of the hub is not here.
    #[error("the card of {0} is missing")]
    CardMissing(NodeId),
    /// The hub's card names no endpoint.
    #[error("{0} runs no hub: its card names no endpoint")]
    HubWithoutEndpoint(NodeId),
    /// The terms make no valid statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

impl PactError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Toml { .. } | Self::TooLong | Self::Malformed(_) | Self::Statement(_) => {
                "pact_invalid"
            }
            Self::Unfilled { .. } => "pact_unfilled",
            Self::CardMissing(_) => "card_missing",
            Self::HubWithoutEndpoint(_) => "hub_without_endpoint",
        }
    }
}

/// A pact: its exact text, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pact {
    text: String,
    terms: Terms,
}

impl Pact {
    /// Reads a pact; it may still have [problems](Pact::problems).
    ///
    /// # Errors
    /// [`PactError::TooLong`], or [`PactError::Toml`] with line and key.
    pub fn parse(text: &str) -> Result<Self, PactError> {
        if text.len() > PACT_BYTES_MAX {
            return Err(PactError::TooLong);
        }
        let terms = toml::from_str(text).map_err(|error| placed(text, &error))?;
        Ok(Self { text: text.to_owned(), terms })
    }

    /// Reads the canonical bytes of a pact.
    ///
    /// # Errors
    /// [`PactError::Malformed`], or as [`Pact::parse`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PactError> {
        let mut reader = Reader::new("pact", bytes)?;
        let text = reader.text("text")?;
        reader.end()?;
        Self::parse(text)
    }

    /// The exact text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The parties, in the order of the text.
    pub fn parties(&self) -> impl Iterator<Item = &NodeId> {
        self.terms.party.iter().map(|party| &party.id)
    }

    /// Whether a node is one of the parties.
    pub fn has_party(&self, node: &NodeId) -> bool {
        self.parties().any(|party| party == node)
    }

    /// The canonical bytes that the parties sign.
    pub fn canonical(&self) -> Vec<u8> {
        Writer::new("pact").text(&self.text).finish()
    }

    /// SHA-256 of the canonical bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }

    /// The first statement of the équipe, unsigned: each party at the serial of its card.
    ///
    /// # Errors
    /// [`PactError::Unfilled`], [`PactError::CardMissing`],
    /// [`PactError::HubWithoutEndpoint`] or [`PactError::Statement`].
    pub fn first_statement(
        &self,
        cards: &BTreeMap<NodeId, SignedCard>,
        hub: &SignedCard,
    ) -> Result<Statement, PactError> {
        if let Some(first) = self.problems().into_iter().next() {
            return Err(PactError::Unfilled { first });
        }
        let parties = self.terms.party.iter().map(|party| first_party(cards, &party.id));
        let mut parties = parties.collect::<Result<Vec<_>, _>>()?;
        parties.sort_by(|one, other| one.node.cmp(&other.node));
        let statement = Statement {
            lineage: self.terms.lineage,
            version: 1,
            previous: Digest::ZERO,
            pact: self.digest(),
            parties,
            chair: self.terms.chair.clone(),
            hub: self.first_term(hub)?,
            age_limit_ms: u64::from(self.terms.log_age_limit_days) * DAY_MS,
            rules_version: RULES_VERSION,
            equipe_name: self.terms.equipe.clone(),
            succeeds: None,
        };
        statement.check()?;
        statement.check_founding()?;
        Ok(statement)
    }

    /// Lets a statement follow this pact: its parties (those that were there stay as they
    /// are, newcomers come at the serials of their cards), chair and limits.
    ///
    /// # Errors
    /// [`PactError::Unfilled`] or [`PactError::CardMissing`].
    pub fn follow(
        &self,
        statement: &mut Statement,
        cards: &BTreeMap<NodeId, SignedCard>,
    ) -> Result<(), PactError> {
        if let Some(first) = self.problems().into_iter().next() {
            return Err(PactError::Unfilled { first });
        }
        let party = |node: &NodeId| match statement.party(node) {
            Some(known) => Ok(known.clone()),
            None => first_party(cards, node),
        };
        let mut parties = self.parties().map(party).collect::<Result<Vec<_>, _>>()?;
        parties.sort_by(|one, other| one.node.cmp(&other.node));
        statement.parties = parties;
        statement.pact = self.digest();
        statement.chair = self.terms.chair.clone();
        statement.age_limit_ms = u64::from(self.terms.log_age_limit_days) * DAY_MS;
        Ok(())
    }

    fn first_term(&self, hub: &SignedCard) -> Result<HubTerm, PactError> {
        let card = hub.card();
        if card.node != self.terms.hub {
            return Err(PactError::CardMissing(self.terms.hub.clone()));
        }
        let endpoint = card.hub_endpoint.clone();
        Ok(HubTerm {
            hub: card.node.clone(),
            identity: card.identity,
            endpoint: endpoint.ok_or_else(|| PactError::HubWithoutEndpoint(card.node.clone()))?,
            term: 1,
            first_sequence: Sequence(1),
            head_before: Digest::ZERO,
        })
    }
}

fn first_party(cards: &BTreeMap<NodeId, SignedCard>, node: &NodeId) -> Result<Party, PactError> {
    let card = cards.get(node).map(SignedCard::card).filter(|card| card.node == *node);
    let card = card.ok_or_else(|| PactError::CardMissing(node.clone()))?;
    Ok(Party {
        node: node.clone(),
        identity: card.identity,
        card_floor: card.serial,
        suspended_by: None,
        ratified: false,
    })
}

/// The error with its line, and the key that stands there.
fn placed(text: &str, error: &toml::de::Error) -> PactError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let row = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
    let key = row.split_once('=').map_or(row, |(key, _)| key).trim();
    let key = (!key.is_empty()).then(|| key.to_owned());
    PactError::Toml { line, key, message: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::draft::Draft;
    use super::*;
    use crate::crypto::Suite;
    use crate::id::LineageId;
    use crate::trust::card::Card;
    use crate::trust::sample;

    pub(super) fn draft(example: bool) -> Draft {
        Draft {
            equipe: "Toscana–Umbria \"di prova\"".to_owned(),
            lineage: LineageId([7; 16]),
            chair: sample::node(1),
            parties: vec![
                (sample::node(1), "Regione Umbria".to_owned()),
                (sample::node(0), "Regione Toscana".to_owned()),
            ],
            hub: "relay".parse().unwrap(),
            suite: Suite::Hybrid,
            today: "2026-05-04".parse().unwrap(),
            example,
        }
    }

    pub(super) fn example() -> Pact {
        Pact::parse(&draft(true).toml()).unwrap()
    }

    fn hub(endpoint: Option<&str>) -> SignedCard {
        let card = sample::card_of(&"relay".parse().unwrap(), 9, 2).card().clone();
        let hub_endpoint = endpoint.map(str::to_owned);
        Card { hub_endpoint, ..card }.sign(&sample::key(9)).unwrap()
    }

    fn cards() -> BTreeMap<NodeId, SignedCard> {
        (0..2).map(|number| (sample::node(number), sample::card(number, 4))).collect()
    }

    #[test]
    fn canonical_bytes_hold_the_exact_text() {
        let pact = example();
        assert_eq!(Pact::decode(&pact.canonical()), Ok(pact.clone()));
        assert_eq!(pact.text(), draft(true).toml());
        let commented = Pact::parse(&format!("{}# read on 4 May\n", pact.text())).unwrap();
        assert_eq!(commented.terms(), pact.terms());
        assert_ne!(commented.digest(), pact.digest());
    }

    fn check(from: &str, to: &str, key: &str, message: &str) {
        let text = draft(true).toml();
        let at = text.find(from).unwrap_or_else(|| panic!("{from}"));
        let line_expected = text[..at].matches('\n').count() + 1;
        match Pact::parse(&text.replacen(from, to, 1)) {
            Err(PactError::Toml { line, key: found, message: said }) => {
                assert_eq!((line, found.as_deref()), (line_expected, Some(key)), "{said}");
                assert!(said.contains(message), "{said}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_name_line_and_key() {
        check("threshold_k", "treshold_k", "treshold_k", "unknown field");
        check("onward_sharing = false", "onward_sharing = 0", "onward_sharing", "invalid type");
        check(
            "ciphersuite = \"hybrid\"",
            "ciphersuite = \"none\"",
            "ciphersuite",
            "unknown variant",
        );
        check("chair = \"node-0001\"", "chair = \"Umbria\"", "chair", "node id");
        check("lineage = \"07", "lineage = \"0", "lineage", "32 hex digits");
    }

    #[test]
    fn long_pacts_are_refused() {
        let text = "#".repeat(PACT_BYTES_MAX + 1);
        assert_eq!(Pact::parse(&text), Err(PactError::TooLong));
    }

    #[test]
    fn the_first_statement_follows_the_pact_and_the_cards() {
        let pact = example();
        let statement = pact.first_statement(&cards(), &hub(Some("relay.example:1"))).unwrap();
        assert_eq!(statement.lineage, LineageId([7; 16]));
        assert_eq!(statement.pact, pact.digest());
        assert_eq!(statement.chair, sample::node(1));
        let nodes: Vec<_> = statement.parties.iter().map(|party| party.node.clone()).collect();
        assert_eq!(nodes, [sample::node(0), sample::node(1)]);
        assert!(statement.parties.iter().all(|party| party.card_floor == 4));
        assert_eq!(statement.hub.endpoint, "relay.example:1");
        assert_eq!(Statement::parse(&statement.canonical()), Ok(statement));
    }

    #[test]
    fn no_statement_without_cards_endpoint_or_decisions() {
        let check = |pact: &Pact, cards: &BTreeMap<_, _>, hub: &SignedCard, reason| {
            assert_eq!(pact.first_statement(cards, hub).unwrap_err().reason(), reason);
        };
        let good = hub(Some("relay.example:1"));
        let mut fewer = cards();
        fewer.remove(&sample::node(1));
        check(&example(), &fewer, &good, "card_missing");
        check(&example(), &cards(), &hub(None), "hub_without_endpoint");
        check(&example(), &cards(), &sample::card(1, 1), "card_missing");
        let unfilled = Pact::parse(&draft(false).toml()).unwrap();
        check(&unfilled, &cards(), &good, "pact_unfilled");
    }
}
