//! Cards, statements and proposals as messages: only containers of the signed bytes.

use prost::Message;
use raccordo_proto::trust::v1 as proto;

use super::WireError;
use crate::trust::card::SignedCard;
use crate::trust::pact::Pact;
use crate::trust::proposal::{Proposal, ProposalError};
use crate::trust::statement::SignedStatement;

/// A card as a message.
pub fn card_message(card: &SignedCard) -> proto::Card {
    proto::Card { card: card.bytes().to_vec(), signature: card.signature().to_vec() }
}

/// Reads a card and checks its self-signature.
///
/// # Errors
/// [`WireError::Field`] when the card does not verify.
pub fn card(message: &proto::Card) -> Result<SignedCard, WireError> {
    let field = WireError::Field("card");
    let signature = message.signature.as_slice().try_into().map_err(|_| field.clone())?;
    SignedCard::parse(&message.card, &signature).map_err(|_| field)
}

/// A statement with its signatures as a message.
pub fn statement_message(statement: &SignedStatement) -> proto::SignedStatement {
    let signatures = statement.signatures().iter().map(|(node, signature)| proto::PartySignature {
        node_id: node.to_string(),
        signature: signature.to_vec(),
    });
    proto::SignedStatement {
        statement: statement.bytes().to_vec(),
        signatures: signatures.collect(),
    }
}

/// Reads a statement and checks every signature that it carries.
///
/// # Errors
/// [`WireError::Field`] when something does not verify.
pub fn statement(message: &proto::SignedStatement) -> Result<SignedStatement, WireError> {
    let statement = unverified_statement(message)?;
    statement.verify(None).map_err(|_| WireError::Field("statement"))?;
    Ok(statement)
}

/// Reads a statement without looking at its signatures: they are verified with the statement
/// before it, of which who left is the only witness.
///
/// # Errors
/// [`WireError::Field`].
pub fn unverified_statement(
    message: &proto::SignedStatement,
) -> Result<SignedStatement, WireError> {
    let field = WireError::Field("statement");
    let mut signatures = std::collections::BTreeMap::new();
    for signed in &message.signatures {
        let node = signed.node_id.parse().map_err(|_| field.clone())?;
        let signature = signed.signature.as_slice().try_into().map_err(|_| field.clone())?;
        signatures.insert(node, signature);
    }
    SignedStatement::parse(&message.statement, signatures).map_err(|_| field)
}

/// Why a proposal cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ProposalWireError {
    /// It is no proposal.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// It contradicts itself.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
}

/// Encodes a proposal.
pub fn encode_proposal(proposal: &Proposal) -> Vec<u8> {
    proto::PactProposal {
        pact: proposal.pact.canonical(),
        statement: Some(statement_message(&proposal.statement)),
        cards: proposal.cards.values().map(card_message).collect(),
        previous: proposal.previous.as_ref().map(statement_message),
    }
    .encode_to_vec()
}

/// Reads a proposal that this node verified when it took it, and has kept sealed since.
///
/// # Errors
/// [`ProposalWireError`]: a damaged row.
pub fn decode_kept_proposal(bytes: &[u8]) -> Result<Proposal, ProposalWireError> {
    proposal(bytes, |message| {
        let field = || WireError::Field("card");
        let signature = message.signature.as_slice().try_into().map_err(|_| field())?;
        SignedCard::verified(&message.card, &signature).map_err(|_| field())
    })
}

/// Reads a proposal: every signature verifies, and the statement follows from the pact.
///
/// # Errors
/// [`ProposalWireError`].
pub fn decode_proposal(bytes: &[u8]) -> Result<Proposal, ProposalWireError> {
    let Proposal { pact, statement, previous, cards } = proposal(bytes, card)?;
    Ok(Proposal::check(pact, statement, previous, cards)?)
}

/// Reads the parts of a proposal, its cards by `read`.
fn proposal(
    bytes: &[u8],
    read: impl Fn(&proto::Card) -> Result<SignedCard, WireError>,
) -> Result<Proposal, ProposalWireError> {
    let message = proto::PactProposal::decode(bytes).map_err(WireError::from)?;
    let pact = Pact::decode(&message.pact).map_err(ProposalError::from)?;
    let statement = message.statement.as_ref().ok_or(WireError::Field("statement"))?;
    let statement = unverified_statement(statement)?;
    let previous = message.previous.as_ref().map(unverified_statement).transpose()?;
    let mut cards = std::collections::BTreeMap::new();
    for message in &message.cards {
        let card = read(message)?;
        cards.insert(card.card().node.clone(), card);
    }
    Ok(Proposal { pact, statement, previous, cards })
}
