//! New cards of those whom a hub serves: of its peers, and of the parties of équipes that
//! it carries. What was made under an older card goes from the pool of key packages.

use raccordo_core::id::NodeId;
use raccordo_core::session::read_key_package;
use raccordo_core::trust::card::{CardError, SignedCard};
use raccordo_core::trust::succession::{Offered, judge};
use raccordo_core::trust::validator::CIPHERSUITES;

use crate::app::fault::{Done, Fault};
use crate::app::successor::{self, Taken};
use crate::app::{Node, key_holders};
use crate::store::Tx;

/// Takes a card whose signature was verified: as a peer's, and as a party's.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn take(node: &Node, tx: &mut dyn Tx, card: &SignedCard) -> Done<Taken> {
    let mut taken = successor::take(node, tx, card).await?;
    if !matches!(taken, Taken::Stranger | Taken::Known | Taken::Followed) {
        return Ok(taken);
    }
    if let Err(refused) = key_holders::check(node, tx, card.card()).await? {
        return Ok(Taken::Refused(refused));
    }
    let mut may_follow = taken != Taken::Stranger;
    for carried in tx.all_carried().await? {
        tx.raise_carried(carried.lineage).await?;
        let Some(mut row) = tx.carried(carried.lineage).await? else { continue };
        match replace(&mut row.cards, card, node.clock.now())? {
            Ok(None) => {}
            Ok(Some(former)) => {
                may_follow = may_follow || successor::may_follow(node, card.card());
                if !may_follow {
                    return Ok(Taken::Refused(CardError::TooMany));
                }
                successor::keep_former(node, tx, &former).await?;
                tx.update_carried(&row).await?;
                taken = Taken::Followed;
            }
            Err(error) if taken == Taken::Stranger => return Ok(Taken::Refused(error)),
            Err(_) => {}
        }
    }
    for mut row in tx.all_offers().await? {
        match replace(&mut row.cards, card, node.clock.now())? {
            Ok(None) => {}
            Ok(Some(former)) => {
                may_follow = may_follow || successor::may_follow(node, card.card());
                if !may_follow {
                    return Ok(Taken::Refused(CardError::TooMany));
                }
                successor::keep_former(node, tx, &former).await?;
                tx.put_offer(row).await?;
                taken = Taken::Followed;
            }
            Err(error) if taken == Taken::Stranger => return Ok(Taken::Refused(error)),
            Err(_) => {}
        }
    }
    if taken == Taken::Followed {
        drop_pool(node, tx, card).await?;
    }
    Ok(taken)
}

/// Replaces an older card of the same node in a list; returns the one that was there.
fn replace(
    cards: &mut [Vec<u8>],
    card: &SignedCard,
    now: raccordo_core::time::Instant,
) -> Done<Result<Option<SignedCard>, CardError>> {
    for kept in cards {
        let known = SignedCard::decode_verified(kept)
            .map_err(|cause| Fault::ours("card_damaged", cause))?;
        if known.card().node != card.card().node {
            continue;
        }
        return Ok(match judge(&known, card, now) {
            Ok(Offered::Known) => Ok(None),
            Ok(Offered::Successor) => {
                *kept = card.encode();
                Ok(Some(known))
            }
            Err(error) => Err(error),
        });
    }
    Ok(Ok(None))
}

/// Key packages whose leaf has an older card would add a leaf that is out of date.
///
/// # Errors
/// The store's.
pub async fn drop_pool(node: &Node, tx: &mut dyn Tx, card: &SignedCard) -> Done<()> {
    let owner: &NodeId = &card.card().node;
    for suite in CIPHERSUITES {
        for row in tx.pool(owner, suite, node.clock.now()).await? {
            let serial = read_key_package(&node.crypto, &row.key_package)
                .ok()
                .and_then(|read| read.leaf.card)
                .and_then(|card| SignedCard::decode_verified(&card).ok())
                .map(|card| card.card().serial);
            if serial.is_none_or(|serial| serial < card.card().serial) {
                tx.delete_pool(owner, &row.reference).await?;
            }
        }
    }
    Ok(())
}
