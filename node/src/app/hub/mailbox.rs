//! Mailboxes: bounded, expiring, between peers that this hub trusts.

use raccordo_core::id::{ItemId, NodeId};
use raccordo_core::trust::card::CardError;

use super::{MAIL_LIFETIME, cards, rights};
use crate::app::Node;
use crate::app::fault::{Done, Fault, Whose};
use crate::app::peers;
use crate::app::signals::Topic;
use crate::app::successor::{self, MAIL_KIND, Taken};
use crate::store::Tx;
use crate::store::hub::MailboxRow;

/// Largest item: the Welcome of a large équipe.
pub const ITEM_BYTES_MAX: usize = 4 << 20;
/// Largest item that a peer may post.
pub const POST_BYTES_MAX: usize = 256 << 10;

/// Leaves an item in a peer's mailbox; a repeat is posted once.
///
/// # Errors
/// `not_a_hub`, `not_a_party`, `no_such_peer`, `mailbox_full`, `item_too_large`, `unknown_kind`;
/// of a card also `bad_card`, `card_forked`, `successor_too_late`, `card_expired`, `revoked`.
pub async fn post(
    node: &Node,
    caller: &NodeId,
    recipient: &NodeId,
    item: ItemId,
    kind: &str,
    payload: Vec<u8>,
) -> Done<()> {
    let Some(hub) = &node.hub else { return Err(super::accept::not_a_hub()) };
    if kind != "pact" && kind != MAIL_KIND {
        return Err(Fault::usage("unknown_kind", "only pacts and cards are posted"));
    }
    if payload.len() > POST_BYTES_MAX {
        return Err(Fault::usage("item_too_large", "the item is larger than 256 KiB"));
    }
    let mut tx = node.store.write().await?;
    rights::admit(node, &mut *tx, caller).await?;
    if kind == MAIL_KIND {
        let refused = take_card(node, &mut *tx, caller, &payload).await?;
        if refused.is_some() || *recipient == node.identity.node {
            // Also what a refusal has changed: two cards of one serial end the trust.
            tx.commit().await?;
            node.signals.wake(&Topic::Trust);
            return refused.map_or(Ok(()), Err);
        }
    }
    if !rights::is_served(node, &mut *tx, recipient).await? {
        return Err(Fault::refused(
            "no_such_peer",
            format!("{recipient} is not verified at this hub"),
        )
        .hint("the hub's administrator and the peer's compare their 12 words first"));
    }
    let (items, bytes) = tx.mailbox_load(recipient).await?;
    let full = items >= hub.limits.mailbox_items_max
        || bytes.saturating_add(payload.len() as u64) > hub.limits.mailbox_bytes_max;
    if full {
        return Err(Fault::new(Whose::Exhausted, "mailbox_full", "the mailbox is full")
            .hint("the recipient must connect and read it first"));
    }
    tx.insert_mailbox(MailboxRow {
        recipient: recipient.clone(),
        sequence: 0,
        item,
        sender: caller.clone(),
        kind: kind.to_owned(),
        payload,
        expires_at: node.clock.now().plus(MAIL_LIFETIME),
    })
    .await?;
    tx.commit().await?;
    if kind == MAIL_KIND {
        node.signals.wake(&Topic::Trust);
    }
    node.signals.wake(&Topic::Mailbox(recipient.clone()));
    Ok(())
}

/// The hub itself follows its caller's card, whomever it is for.
async fn take_card(
    node: &Node,
    tx: &mut dyn Tx,
    caller: &NodeId,
    container: &[u8],
) -> Done<Option<Fault>> {
    if *caller == node.identity.node {
        return Ok(None);
    }
    let card = successor::of_sender(caller, container)?;
    Ok(match cards::take(node, tx, &card).await? {
        // An old one comes again from whoever did not hear the answer.
        Taken::Refused(CardError::LowerSerial { .. }) => None,
        Taken::Refused(error) => Some(peers::card_fault(&error)),
        Taken::Revoked => Some(Fault::refused("revoked", "trust in the caller was revoked here")),
        Taken::Known | Taken::Stranger | Taken::Followed => None,
    })
}

/// What waits for the caller after its cursor.
///
/// # Errors
/// Whatever the store says.
pub async fn read_mailbox(node: &Node, caller: &NodeId, after: u64) -> Done<Vec<MailboxRow>> {
    let now = node.clock.now();
    Ok(node.store.read().await?.mailbox_after(caller, after, now, 16).await?)
}
