//! How an équipe, or a later term of it, is offered to a hub.

use raccordo_proto::hub::v1 as proto;

use super::WireError;
use super::trust::{card, card_message, statement, statement_message, unverified_statement};
use crate::id::{Digest, LineageId};
use crate::trust::card::SignedCard;
use crate::trust::statement::SignedStatement;
use crate::trust::statement_chain::STEPS_MAX;

/// What is offered: never the pact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Signed by all its parties.
    pub statement: SignedStatement,
    /// Statements that were in force before it, oldest first; the last is the one right before.
    /// None before a first statement.
    pub earlier: Vec<SignedStatement>,
    /// Of all parties.
    pub cards: Vec<SignedCard>,
}

impl Offer {
    /// The équipe.
    pub fn lineage(&self) -> LineageId {
        self.statement.statement().lineage
    }

    /// What tells it from other offers of the équipe: SHA-256 of the statement.
    pub fn digest(&self) -> Digest {
        self.statement.digest()
    }
}

/// An offer as a message.
pub fn offer_message(offer: &Offer) -> proto::OfferEquipeRequest {
    proto::OfferEquipeRequest {
        statement: Some(statement_message(&offer.statement)),
        cards: offer.cards.iter().map(card_message).collect(),
        earlier: offer.earlier.iter().map(statement_message).collect(),
    }
}

/// Reads an offer. Cards verify; whether signatures of statements do is judged with the
/// statements before them, whose parties may have signed too.
///
/// # Errors
/// [`WireError::Field`] with `statement`, `card` or `earlier`.
pub fn offer(message: &proto::OfferEquipeRequest) -> Result<Offer, WireError> {
    let offered = message.statement.as_ref().ok_or(WireError::Field("statement"))?;
    // Of a first one nothing stands before it.
    let offered = match message.earlier.is_empty() {
        true => statement(offered)?,
        false => unverified_statement(offered)?,
    };
    if message.earlier.len() > STEPS_MAX {
        return Err(WireError::Field("earlier"));
    }
    let step = |step| unverified_statement(step).map_err(|_| WireError::Field("earlier"));
    Ok(Offer {
        statement: offered,
        earlier: message.earlier.iter().map(step).collect::<Result<_, _>>()?,
        cards: message.cards.iter().map(card).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::sample;

    fn later() -> Offer {
        let first = sample::signed(sample::statement(2), &[0, 1]);
        let mut next = sample::next(first.statement());
        next.age_limit_ms += 1;
        Offer {
            statement: sample::signed(next, &[0, 1]),
            earlier: vec![first],
            cards: vec![sample::card(0, 1), sample::card(1, 1)],
        }
    }

    #[test]
    fn offers_come_back() {
        let first = later().earlier.remove(0);
        let founding = Offer { statement: first, earlier: Vec::new(), ..later() };
        for given in [founding, later()] {
            assert_eq!(offer(&offer_message(&given)), Ok(given));
        }
    }

    #[test]
    fn what_is_malformed_names_its_field() {
        let check = |bend: fn(&mut proto::OfferEquipeRequest), field| {
            let mut message = offer_message(&later());
            bend(&mut message);
            assert_eq!(offer(&message), Err(WireError::Field(field)));
        };
        check(|it| it.statement = None, "statement");
        check(|it| it.cards[1].signature[0] ^= 1, "card");
        check(|it| it.earlier[0].statement.clear(), "earlier");
        check(|it| it.earlier = vec![it.earlier[0].clone(); STEPS_MAX + 1], "earlier");
        // What nothing stands before is verified at once.
        check(
            |it| {
                it.earlier.clear();
                it.statement.as_mut().unwrap().signatures[0].signature[0] ^= 1;
            },
            "statement",
        );
    }
}
