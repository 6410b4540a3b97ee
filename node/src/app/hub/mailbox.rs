//! Mailboxes: bounded, expiring, between peers that this hub trusts.

use raccordo_core::id::{ItemId, NodeId};
use raccordo_core::quota::Quota;
use raccordo_core::trust::card::CardError;

use super::{MAIL_LIFETIME, cards, rights};
use crate::app::Node;
use crate::app::fault::{Done, Fault, Whose};
use crate::app::pacts::MAIL_KIND as PACT_KIND;
use crate::app::peers;
use crate::app::sealing_proof::{ANSWER_KIND, CHALLENGE_KIND};
use crate::app::signals::Topic;
use crate::app::successor::{self, MAIL_KIND, Taken};
use crate::store::Tx;
use crate::store::hub::{MailLoad, MailboxRow};

/// Most items, and about the most bytes, that are read at once.
const READ_ITEMS_MAX: u32 = 16;
const READ_BYTES_MAX: u64 = 1 << 20;

/// Leaves an item in a peer's mailbox; a repeat is posted once.
///
/// # Errors
/// `not_a_hub`, `not_a_party`, `no_such_peer`, `mailbox_full`, `too_many_posts`,
/// `item_too_large`, `unknown_kind`; of a card also `bad_card`, `card_forked`,
/// `successor_too_late`, `card_expired`, `too_many_cards`, `revoked`.
pub async fn post(
    node: &Node,
    caller: &NodeId,
    recipient: &NodeId,
    item: ItemId,
    kind: &str,
    payload: Vec<u8>,
) -> Done<()> {
    if node.hub.is_none() {
        return Err(super::accept::not_a_hub());
    }
    if ![PACT_KIND, MAIL_KIND, CHALLENGE_KIND, ANSWER_KIND].contains(&kind) {
        return Err(Fault::usage(
            "unknown_kind",
            "only pacts, cards, challenges and answers are posted",
        ));
    }
    if payload.len() > Quota::PostBytes.count() {
        return Err(node.at_quota(caller, Quota::PostBytes, Whose::Usage));
    }
    let mut tx = node.store.write().await?;
    let level = rights::level(node, &mut *tx, caller).await?;
    level.check_post(&node.identity.node, recipient, kind)?;
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
    has_room(node, &mut *tx, (caller, recipient), payload.len() as u64).await?;
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

/// Whether one more item of this size may wait: counted for the sender here and everywhere,
/// and for the recipient.
async fn has_room(
    node: &Node,
    tx: &mut dyn Tx,
    (sender, recipient): (&NodeId, &NodeId),
    bytes: u64,
) -> Done<()> {
    let loads = tx.mail_loads(sender, recipient).await?;
    for (load, items_max, bytes_max) in [
        (loads.of_both, Quota::PostsToMailbox, Quota::PostedBytesToMailbox),
        (loads.of_sender, Quota::PostsOfSender, Quota::PostedBytesOfSender),
        (loads.of_recipient, Quota::MailboxItems, Quota::MailboxBytes),
    ] {
        let MailLoad { items, bytes: waiting } = load;
        if items >= items_max.number() {
            return Err(node.at_quota(sender, items_max, Whose::Exhausted));
        }
        if waiting.saturating_add(bytes) > bytes_max.number() {
            return Err(node.at_quota(sender, bytes_max, Whose::Exhausted));
        }
    }
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
    let mut tx = node.store.read().await?;
    Ok(tx.mailbox_after(caller, after, now, READ_ITEMS_MAX, READ_BYTES_MAX).await?)
}
