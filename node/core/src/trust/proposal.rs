//! A pact on its way round the parties: who has signed, what is missing, and how two
//! copies with different signatures become one.
//!
//! The statement holds the pact's digest, so that one signature covers both. A first
//! statement follows from the pact alone; a later one from the statement in force, which
//! travels with it, so that a newcomer too sees what it changes and who must sign.

use std::collections::{BTreeMap, BTreeSet};

use super::card::SignedCard;
use super::change::Change;
use super::keys::IdentityKey;
use super::pact::{Pact, PactError};
use super::statement::{HubTerm, SignedStatement, Statement, StatementError};
use super::validator::validate_step;
use crate::id::{GroupId, NodeId};

/// Why a proposal is refused.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// The pact does not parse or is not filled.
    #[error(transparent)]
    Pact(#[from] PactError),
    /// The statement or a signature is wrong.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The statement is not the one that follows from the pact and the cards.
    #[error("the statement does not follow from the pact")]
    Mismatch,
    /// The card of a party or of the hub is missing.
    #[error("the card of {0} is missing")]
    CardMissing(NodeId),
    /// Another pact has the same lineage.
    #[error("another pact of this lineage is here")]
    Conflict,
    /// The validator would refuse the step from the statement in force.
    #[error("the statement cannot follow the one before it: {0}")]
    Step(&'static str),
}

/// A pact, its statement with the signatures so far, and the cards it rests on.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The pact, with its exact text.
    pub pact: Pact,
    /// The statement and its signatures.
    pub statement: SignedStatement,
    /// The statement that it follows; none for a first one.
    pub previous: Option<SignedStatement>,
    /// Of a first statement the cards of all parties and of the hub, of a later one at
    /// least those of the newcomers.
    pub cards: BTreeMap<NodeId, SignedCard>,
}

impl Proposal {
    /// Makes the proposal of a pact that founds an équipe; nobody has signed it.
    ///
    /// # Errors
    /// A missing card, or a statement that would be invalid.
    pub fn new(pact: Pact, cards: BTreeMap<NodeId, SignedCard>) -> Result<Self, ProposalError> {
        let hub = &pact.terms().hub;
        let hub = cards.get(hub).ok_or_else(|| ProposalError::CardMissing(hub.clone()))?;
        for party in pact.parties() {
            if !cards.contains_key(party) {
                return Err(ProposalError::CardMissing(party.clone()));
            }
        }
        let statement = SignedStatement::new(pact.first_statement(&cards, hub)?)?;
        Ok(Self { pact, statement, previous: None, cards })
    }

    /// Makes the proposal of a later statement; nobody has signed it.
    ///
    /// # Errors
    /// A newcomer without card, or a step that the validator would refuse.
    pub fn next(
        pact: Pact,
        previous: SignedStatement,
        statement: Statement,
        cards: BTreeMap<NodeId, SignedCard>,
    ) -> Result<Self, ProposalError> {
        let statement = SignedStatement::new(statement)?;
        Self::check(pact, statement, Some(previous), cards)
    }

    /// Reads one that came from elsewhere: the statement must follow from pact and cards,
    /// or from the statement before it, and every signature must verify.
    ///
    /// # Errors
    /// [`ProposalError`].
    pub fn check(
        pact: Pact,
        statement: SignedStatement,
        previous: Option<SignedStatement>,
        cards: BTreeMap<NodeId, SignedCard>,
    ) -> Result<Self, ProposalError> {
        let Some(previous) = previous else {
            let expected = Self::new(pact, cards)?;
            if expected.statement.bytes() != statement.bytes() {
                return Err(ProposalError::Mismatch);
            }
            statement.verify(None)?;
            return Ok(Self { statement, ..expected });
        };
        validate_step(&previous, &statement).map_err(|refused| ProposalError::Step(refused.0))?;
        check_terms(&pact, &previous, &statement, &cards)?;
        Ok(Self { pact, statement, previous: Some(previous), cards })
    }

    /// Adds this node's signature; whether there was none before.
    ///
    /// # Errors
    /// When the node is no party.
    pub fn sign(&mut self, node: &NodeId, key: &IdentityKey) -> Result<bool, ProposalError> {
        if self.statement.signatures().contains_key(node) {
            return Ok(false);
        }
        let previous = self.previous.as_ref().map(SignedStatement::statement);
        self.statement.sign(previous, node, key)?;
        Ok(true)
    }

    /// Takes the signatures of another copy; whether there was a new one.
    ///
    /// # Errors
    /// [`ProposalError::Conflict`] when it is not the same pact.
    pub fn merge(&mut self, other: &Self) -> Result<bool, ProposalError> {
        if self.statement.bytes() != other.statement.bytes() {
            return Err(ProposalError::Conflict);
        }
        let before = self.statement.signatures().len();
        let previous = self.previous.as_ref().map(SignedStatement::statement);
        for (signer, signature) in other.statement.signatures() {
            self.statement.add_signature(previous, signer, *signature)?;
        }
        Ok(self.statement.signatures().len() > before)
    }

    /// Parties that have signed, by id.
    pub fn signed_by(&self) -> Vec<NodeId> {
        self.statement.signatures().keys().cloned().collect()
    }

    /// Parties whose signature it still needs.
    pub fn missing(&self) -> Vec<NodeId> {
        let Some(before) = self.previous.as_ref().map(SignedStatement::statement) else {
            return self.statement.missing_signers();
        };
        let signers: BTreeSet<NodeId> = self.statement.signatures().keys().cloned().collect();
        let after = self.statement.statement();
        Change::between(before, after).missing(before, after, &signers)
    }

    /// Whether it could be complete if all signed.
    pub fn may_be_complete(&self) -> bool {
        let Some(before) = self.previous.as_ref().map(SignedStatement::statement) else {
            return true;
        };
        let after = self.statement.statement();
        Change::between(before, after).may_be_signed(before, after)
    }

    /// What it changes; none for a first statement.
    pub fn change(&self) -> Option<Change> {
        let before = self.previous.as_ref()?.statement();
        Some(Change::between(before, self.statement.statement()))
    }

    /// The hub term that it would begin in the same group; none where the log stays where it
    /// is.
    pub fn moves(&self) -> Option<&HubTerm> {
        let before = self.previous.as_ref()?.statement();
        let after = self.statement.statement();
        (before.hub != after.hub && after.succeeds.is_none()).then_some(&after.hub)
    }

    /// The group after which it would found another one; none for every other change.
    pub fn succeeds(&self) -> Option<GroupId> {
        self.statement.statement().succeeds
    }

    /// The hub through which it goes round: where the present one is lost, the next.
    pub fn hub(&self) -> &NodeId {
        if self.succeeds().is_some() {
            return &self.statement.statement().hub.hub;
        }
        match self.moves() {
            Some(term) if !term.is_planned() => &term.hub,
            _ => {
                let statement = self.previous.as_ref().unwrap_or(&self.statement);
                &statement.statement().hub.hub
            }
        }
    }

    /// What it changes, in words; empty for a first statement.
    pub fn words(&self) -> String {
        let (Some(change), Some(previous)) = (self.change(), &self.previous) else {
            return String::new();
        };
        match change {
            Change::Leaving { leaver } if self.statement.signatures().contains_key(&leaver) => {
                format!("{leaver} leaves")
            }
            Change::Leaving { leaver } => format!("removes {leaver}"),
            Change::Suspension { suspended, by } => format!("{by} suspends {suspended}"),
            Change::Return { returning, .. } => format!("{returning} returns"),
            Change::Other => {
                let mut words = others(previous.statement(), self.statement.statement());
                if previous.statement().pact != self.statement.statement().pact {
                    words.push("renews the pact".to_owned());
                }
                words.join(", ")
            }
        }
    }

    /// Parties that the statement before it did not have.
    pub fn newcomers(&self) -> Vec<NodeId> {
        let parties = self.statement.statement().parties.iter().map(|party| &party.node);
        let before = self.previous.as_ref().map(SignedStatement::statement);
        let known = |node: &&NodeId| before.is_some_and(|before| before.party(node).is_some());
        parties.filter(|node| !known(node)).cloned().collect()
    }
}

/// What becomes of the parties, one by one.
fn others(before: &Statement, after: &Statement) -> Vec<String> {
    let mut words = Vec::new();
    for party in &after.parties {
        match before.party(&party.node) {
            None => words.push(format!("adds {}", party.node)),
            Some(old) if !old.ratified && party.ratified => {
                words.push(format!("ratifies the suspension of {}", party.node));
            }
            Some(_) => {}
        }
    }
    let gone = before.parties.iter().filter(|party| after.party(&party.node).is_none());
    words.extend(gone.map(|party| format!("removes {}", party.node)));
    if after.succeeds.is_some() {
        let at = if before.hub.hub == after.hub.hub { "" } else { after.hub.hub.as_str() };
        let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
        let last = after.hub.end_before().map(|(last, _)| last).unwrap_or_default();
        words.push(format!("founds a successor of the group{at} after entry {last}"));
    } else if before.hub != after.hub {
        words.push(match after.hub.end_before() {
            None => format!("moves the log to {}", after.hub.hub),
            Some((last, _)) => {
                format!(
                    "gives up {}, and goes on at {} after entry {last}",
                    before.hub.hub, after.hub.hub
                )
            }
        });
    }
    words
}

/// What the validator does not see: that the pact is the one that the statement names, and
/// that it names every party; and that newcomers come with their cards.
fn check_terms(
    pact: &Pact,
    previous: &SignedStatement,
    statement: &SignedStatement,
    cards: &BTreeMap<NodeId, SignedCard>,
) -> Result<(), ProposalError> {
    let (before, after) = (previous.statement(), statement.statement());
    let parties_named = after.parties.iter().all(|party| pact.has_party(&party.node));
    let follows = pact.digest() == after.pact && pact.terms().lineage == after.lineage;
    if !(follows && parties_named) {
        return Err(ProposalError::Mismatch);
    }
    for party in after.parties.iter().filter(|party| before.party(&party.node).is_none()) {
        let card = cards.get(&party.node).map(SignedCard::card);
        let card = card.ok_or_else(|| ProposalError::CardMissing(party.node.clone()))?;
        if (card.identity, card.serial) != (party.identity, party.card_floor) {
            return Err(ProposalError::Mismatch);
        }
    }
    Ok(())
}
