//! Takes one item of this node's mailbox: the cursor moves with it, whatever it holds.

use raccordo_core::hublog::WelcomeItem;
use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::planted::{self, Bug};
use raccordo_core::quota::Quota;
use raccordo_core::wire;
use raccordo_core::wire::hub::Mail;

use super::fault::Done;
use super::sealing_proof::{self, ANSWER_KIND, CHALLENGE_KIND};
use super::signals::Topic;
use super::successor::{self, MAIL_KIND};
use super::{Node, join, key_packages, membership, pacts, succeed, term};
use crate::store::Tx;

/// Kind of the items by which a hub brings a Welcome.
const WELCOME_KIND: &str = "welcome";

/// What the courier has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing: it is done.
    Done,
    /// Fetch the tree, then join; the cursor moves only then.
    Welcome(Box<WelcomeItem>),
}

/// Takes an item; one that was taken before does nothing. One that says what no database holds
/// is passed over, as everything that is its sender's fault.
///
/// # Errors
/// The store's.
pub async fn receive_mail(node: &Node, hub: &NodeId, item: &Mail) -> Done<Taken> {
    if item.kind != WELCOME_KIND && item.payload.len() > Quota::PostBytes.count() {
        // No hub that keeps its own bounds takes a post so large.
        let (sender, kind) = (&item.sender, &item.kind);
        tracing::warn!(%hub, %sender, kind, "a mailbox item is too large");
        node.quotas.note(hub, Quota::PostBytes, node.clock.now());
        skip(node, hub, item.sequence).await?;
        return Ok(Taken::Done);
    }
    match take(node, hub, item).await {
        Err(fault) if fault.is_of_content() => {
            let (sender, kind, reason) = (&item.sender, &item.kind, fault.reason);
            tracing::warn!(%sender, kind, reason, cause = %fault, "a mailbox item is refused");
            skip(node, hub, item.sequence).await?;
            Ok(Taken::Done)
        }
        taken => taken,
    }
}

async fn take(node: &Node, hub: &NodeId, item: &Mail) -> Done<Taken> {
    let mut tx = node.store.write().await?;
    if tx.mailbox_cursor(hub).await? >= item.sequence {
        return Ok(Taken::Done);
    }
    let mut errands = vec![hub.clone()];
    let mut agreed = None;
    match item.kind.as_str() {
        WELCOME_KIND => match wire::hub::decode_welcome(&item.payload) {
            Ok(welcome) => {
                if planted::is(Bug::WelcomePassed) {
                    tx.put_mailbox_cursor(hub, item.sequence).await?;
                    tx.commit().await?;
                }
                return Ok(Taken::Welcome(Box::new(welcome)));
            }
            Err(cause) => {
                tracing::warn!(%hub, %cause, "a Welcome from the hub is malformed");
                join::note_unreadable(node, &mut *tx, hub).await?;
            }
        },
        pacts::MAIL_KIND => {
            match pacts::receive(node, &mut *tx, &item.sender, &item.payload).await? {
                Ok(lineage) => {
                    tracing::info!(sender = %item.sender, %lineage, "pact received");
                    agreed = Some(lineage);
                }
                Err(fault) => {
                    tracing::warn!(sender = %item.sender, reason = fault.reason, "pact refused");
                }
            }
        }
        MAIL_KIND => match successor::posted(node, &mut *tx, &item.sender, &item.payload).await? {
            Ok(taken) => tracing::info!(peer = %item.sender, state = ?taken, "a new card came"),
            Err(fault) => {
                tracing::warn!(peer = %item.sender, reason = fault.reason, "a card is refused");
            }
        },
        CHALLENGE_KIND => {
            sealing_proof::answer(node, &mut *tx, hub, &item.sender, &item.payload).await?;
        }
        ANSWER_KIND => {
            sealing_proof::answered(node, &mut *tx, &item.sender, &item.payload).await?;
        }
        "equipe_accepted" => errands.extend(accepted(node, &mut *tx, hub, &item.payload).await?),
        "key_packages_wanted" => key_packages::wanted(node, &mut *tx, hub).await?,
        _ => tracing::warn!(%hub, "a mailbox item of unknown kind"),
    }
    tx.put_mailbox_cursor(hub, item.sequence).await?;
    tx.commit().await?;
    if item.kind == MAIL_KIND {
        node.signals.wake(&Topic::Trust);
    }
    if let Some(lineage) = agreed {
        membership::adopt_pact(node, lineage).await?;
    }
    for hub in errands {
        node.signals.wake(&Topic::Errands(hub));
    }
    Ok(Taken::Done)
}

/// A hub agrees to carry an équipe; where that exists already, also the hub that has its log
/// now, at which the change is to be committed.
async fn accepted(
    node: &Node,
    tx: &mut dyn Tx,
    hub: &NodeId,
    payload: &[u8],
) -> Done<Option<NodeId>> {
    let Ok(lineage) = LineageId::try_from(payload) else { return Ok(None) };
    if let Some(row) = tx.equipe(lineage).await? {
        if !term::answered(node, tx, lineage, hub, "accepted").await? {
            succeed::answered(node, tx, lineage, hub, "accepted").await?;
        }
        return Ok(Some(row.hub));
    }
    tx.raise_pact(lineage).await?;
    if let Some(mut row) = tx.pact(lineage).await? {
        row.hub_answer = "accepted".into();
        row.changed_at = node.clock.now();
        tx.put_pact(row).await?;
    }
    Ok(None)
}

/// Moves the cursor past an item.
///
/// # Errors
/// The store's.
pub async fn skip(node: &Node, hub: &NodeId, sequence: u64) -> Done<()> {
    let mut tx = node.store.write().await?;
    if tx.mailbox_cursor(hub).await? < sequence {
        tx.put_mailbox_cursor(hub, sequence).await?;
        tx.commit().await?;
    }
    Ok(())
}
