//! What this node says in a log beside MLS, under its identity key: also while it may not
//! encrypt, or cannot follow the group.

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, NodeId};
use raccordo_core::sending::Standing;
use raccordo_core::trust::notice::{Notice, NoticeKind};
use raccordo_core::trust::state::TrustState;

use super::Node;
use super::fault::{Done, Fault};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::outbox::EntryRow;

/// Longest detail that is shown to people.
const SHOWN_BYTES_MAX: usize = 128;

/// Puts a notice into the outbox of an équipe; the caller wakes the courier once it is
/// durable.
///
/// # Errors
/// The store's.
pub async fn say(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    kind: NoticeKind,
    detail: String,
) -> Done<()> {
    let entry = EntryId::random(&*node.entropy);
    let notice = Notice {
        group: row.group,
        sender: node.identity.node.clone(),
        entry,
        kind,
        said_at: node.clock.now(),
        detail: detail.into_bytes(),
    };
    let signed =
        notice.sign(&node.identity.key).map_err(|cause| Fault::ours("notice_not_made", cause))?;
    let payload = signed.encode();
    let row = EntryRow::pending(row, node.boot, EntryKind::Notice, entry, payload);
    tx.insert_entries(vec![row]).await?;
    Ok(())
}

/// The équipes that a change of the trust in a peer concerns: those of which it is a party
/// or the hub. Each is raised, so that no other transaction writes to it meanwhile.
///
/// # Errors
/// The store's.
pub async fn concerned(tx: &mut dyn Tx, peer: &NodeId) -> Done<Vec<EquipeRow>> {
    let mut concerned = Vec::new();
    for row in tx.equipes().await? {
        let active = Standing::parse(&row.state) == Some(Standing::Active);
        let member = tx.members(row.lineage).await?.iter().any(|member| member.node == *peer);
        if active && (member || row.hub == *peer) && tx.raise_equipe(row.lineage).await? {
            concerned.push(row);
        }
    }
    Ok(concerned)
}

/// Tells the others of these équipes how far this node trusts a peer now.
///
/// # Errors
/// The store's.
pub async fn trust_changed(
    node: &Node,
    tx: &mut dyn Tx,
    equipes: &[EquipeRow],
    peer: &NodeId,
    state: TrustState,
) -> Done<()> {
    for row in equipes {
        let detail = format!("{peer} {}", state.as_str());
        say(node, tx, row, NoticeKind::Revocation, detail).await?;
    }
    Ok(())
}

/// What a notice says, as people are shown it; empty where it is not plain text.
pub fn words(notice: &Notice) -> &str {
    let plain = |text: &&str| {
        text.len() <= SHOWN_BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    };
    std::str::from_utf8(&notice.detail).ok().filter(plain).unwrap_or_default()
}

/// Of whom a notice about trust speaks, and how far its sender trusts that peer now; none where it
/// says neither.
pub fn trust_told(notice: &Notice) -> Option<(NodeId, TrustState)> {
    let (peer, state) = words(notice).rsplit_once(' ')?;
    Some((peer.parse().ok()?, state.parse().ok()?))
}
