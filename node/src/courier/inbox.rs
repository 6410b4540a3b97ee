//! Takes what a hub tells: each item once, in order; and tells the hub what is durable here.

use std::collections::BTreeSet;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::WelcomeItem;
use raccordo_core::id::{GroupId, NodeId, Sequence};
use raccordo_core::sending::Standing;
use raccordo_core::wire::hub::News;

use super::Trouble;
use super::link::{Cursors, HubLink, LinkError};
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::{Done, Whose};
use crate::app::hub::append::MOVED;
use crate::app::hub::read_log::SUCCEEDED;
use crate::app::receive::Received;
use crate::app::receive_mail::{self, Taken};
use crate::app::{Node, join, receive};

/// What follows from an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is done, and nothing is to be told.
    GoOn,
    /// Something is durable that the hub may hear of.
    Confirm {
        /// The group, or none for the mailbox.
        group: Option<GroupId>,
        /// Entries or items taken.
        count: usize,
    },
    /// Entries are missing in between: subscribe again.
    Resubscribe,
    /// Nothing more of this group is taken from this subscription.
    Leave(GroupId),
}

/// Takes one item.
///
/// # Errors
/// The store's, or why a tree could not be fetched; the item then comes again with the
/// next subscription.
pub async fn take(
    node: &Node,
    link: &dyn HubLink,
    hub: &NodeId,
    item: &News,
) -> Result<Next, Trouble> {
    match item {
        News::KeepAlive => Ok(Next::GoOn),
        News::Entries(batch) => {
            let group = batch.group;
            tracing::debug!(%group, step = "receive");
            Ok(match receive::receive(node, batch).await? {
                Received::At(_) => Next::Confirm { group: Some(group), count: batch.entries.len() },
                Received::Gap(_) => Next::Resubscribe,
                Received::Stopped => Next::Leave(group),
            })
        }
        News::Mail(mail) => {
            if let Taken::Welcome(welcome) = receive_mail::receive_mail(node, hub, mail).await? {
                enter(node, link, hub, mail.sequence, &welcome).await?;
            }
            Ok(Next::Confirm { group: None, count: 1 })
        }
        News::Ended { group, reason } => {
            note_ended(node, *group, reason).await?;
            Ok(Next::Leave(*group))
        }
    }
}

/// Joins by a Welcome that was kept, once the log has shown why it came.
///
/// # Errors
/// As [`take`].
pub async fn enter_kept(node: &Node, link: &dyn HubLink, hub: &NodeId) -> Result<bool, Trouble> {
    let Some((cursor, welcome)) = join::kept(node, hub).await? else { return Ok(false) };
    enter(node, link, hub, cursor, &welcome).await?;
    join::forget_kept(node, welcome.lineage).await?;
    Ok(true)
}

/// Joins by a Welcome; one that is refused here, or whose tree is gone, is passed over, and the
/// administrator told.
async fn enter(
    node: &Node,
    link: &dyn HubLink,
    hub: &NodeId,
    sequence: u64,
    welcome: &WelcomeItem,
) -> Result<(), Trouble> {
    let lineage = welcome.lineage;
    tracing::debug!(%lineage, step = "join");
    match link.fetch_tree(welcome.group, Some(welcome.epoch)).await {
        Ok(tree) => match join::join(node, hub, sequence, welcome, &tree).await {
            Ok(()) => tracing::info!(%lineage, %hub, "joined"),
            Err(fault) if matches!(fault.whose, Whose::Ours | Whose::Unavailable) => {
                return Err(fault.into());
            }
            Err(fault) => {
                tracing::warn!(%lineage, %hub, reason = fault.reason, "a Welcome is refused");
                join::note_refused(node, hub, welcome, &fault).await?;
            }
        },
        Err(LinkError::Refused { reason, .. }) => {
            tracing::warn!(%lineage, %hub, reason, "a Welcome has no tree");
            join::note_no_tree(node, hub, welcome, &reason).await?;
        }
        Err(later) => return Err(later.into()),
    }
    receive_mail::skip(node, hub, sequence).await?;
    Ok(())
}

/// The hub serves a group no longer, though this node holds itself for a member: people
/// must know.
async fn note_ended(node: &Node, group: GroupId, reason: &str) -> Done<()> {
    let mut tx = node.store.write().await?;
    let Some(equipe) = tx.equipe_of_group(group).await? else { return Ok(()) };
    if !matches!(Standing::parse(&equipe.state), Some(Standing::Active | Standing::Founding)) {
        return Ok(());
    }
    if reason == MOVED || reason == SUCCEEDED {
        // The commit that says so came before, or comes from its next hub; the Welcome to
        // another group comes by the mailbox.
        return Ok(());
    }
    let code = match reason {
        "removed" => AlarmCode::HubRemoved,
        "trimmed" => AlarmCode::HubTrimmed,
        // Whatever it says, it serves the log no longer.
        _ => AlarmCode::HubUnknownGroup,
    };
    let known = ["removed", "trimmed", "unknown_group"].contains(&reason);
    let why = if known { reason } else { "for no reason that this program knows" };
    let detail = format!("the hub {} serves this équipe's log no longer: {why}", equipe.hub);
    alarms::raise(node, &mut *tx, equipe.lineage, NewAlarm::new(code, detail)).await?;
    Ok(tx.commit().await?)
}

/// Tells the hub what is durable here: the cursors of these groups, and of the mailbox.
///
/// # Errors
/// The store's, or why the hub could not be told.
pub async fn confirm(
    node: &Node,
    link: &dyn HubLink,
    hub: &NodeId,
    groups: &BTreeSet<GroupId>,
) -> Result<(), Trouble> {
    let mut cursors = Cursors::default();
    {
        let mut tx = node.store.read().await?;
        cursors.mailbox = tx.mailbox_cursor(hub).await?;
        for group in groups {
            let equipe = tx.equipe_of_group(*group).await?;
            if let Some(row) = equipe.filter(|row| row.sequence > Sequence(0)) {
                cursors.groups.push((*group, row.sequence));
            }
        }
    }
    if cursors == Cursors::default() {
        return Ok(());
    }
    tracing::debug!(%hub, step = "confirm_sent");
    link.confirm(&cursors).await?;
    Ok(())
}
