//! A pact on its way round the parties: who has signed, what is missing, and how two
//! copies with different signatures become one.
//!
//! The statement holds the pact's digest, so that one signature covers both.

use std::collections::BTreeMap;

use super::card::SignedCard;
use super::keys::IdentityKey;
use super::pact::{Pact, PactError};
use super::statement::{SignedStatement, StatementError};
use crate::id::NodeId;

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
}

/// A pact, its first statement with the signatures so far, and the cards it rests on.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The pact, with its exact text.
    pub pact: Pact,
    /// The first statement and its signatures.
    pub statement: SignedStatement,
    /// Cards of all parties and of the hub.
    pub cards: BTreeMap<NodeId, SignedCard>,
}

impl Proposal {
    /// Makes the proposal of a pact; nobody has signed it.
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
        Ok(Self { pact, statement, cards })
    }

    /// Reads one that came from elsewhere: the statement must follow from pact and cards,
    /// and every signature must verify.
    ///
    /// # Errors
    /// [`ProposalError`].
    pub fn check(
        pact: Pact,
        statement: SignedStatement,
        cards: BTreeMap<NodeId, SignedCard>,
    ) -> Result<Self, ProposalError> {
        let expected = Self::new(pact, cards)?;
        if expected.statement.bytes() != statement.bytes() {
            return Err(ProposalError::Mismatch);
        }
        statement.verify(None)?;
        Ok(Self { statement, ..expected })
    }

    /// Adds this node's signature; whether there was none before.
    ///
    /// # Errors
    /// When the node is no party.
    pub fn sign(&mut self, node: &NodeId, key: &IdentityKey) -> Result<bool, ProposalError> {
        if self.statement.signatures().contains_key(node) {
            return Ok(false);
        }
        self.statement.sign(None, node, key)?;
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
        for (signer, signature) in other.statement.signatures() {
            self.statement.add_signature(None, signer, *signature)?;
        }
        Ok(self.statement.signatures().len() > before)
    }

    /// Parties that have signed, by id.
    pub fn signed_by(&self) -> Vec<NodeId> {
        self.statement.signatures().keys().cloned().collect()
    }

    /// Parties that have not.
    pub fn missing(&self) -> Vec<NodeId> {
        self.statement.missing_signers()
    }
}
