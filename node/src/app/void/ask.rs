//! The administrator holds a commit for void that this node cannot process.

use raccordo_core::id::LineageId;
use raccordo_core::trust::notice::NoticeKind;

use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::app::{Node, notices, pack, status};

/// Says in the log that the commit is void. Repeated, it says nothing more.
///
/// # Errors
/// `no_such_equipe`, `nothing_to_void`; `commit_followed` where another member has processed
/// the commit; `too_few_members` where fewer than two would decide.
pub async fn ask(node: &Node, actor: Actor, equipe: &str) -> Done<LineageId> {
    let lineage = status::equipe(node, equipe).await?.row.lineage;
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(lineage) };
    let rejoin = format!("join again: raccordo equipe rejoin {equipe}");
    let stray = work.tx()?.stray(lineage).await?;
    let Some(mut stray) = stray.filter(|stray| stray.committer != node.identity.node) else {
        let message = "no change waits here that this node cannot process";
        return Err(Fault::conflict("nothing_to_void", message).hint("see `raccordo doctor`"));
    };
    if let Some(follower) = &stray.followed_by {
        let message = format!("{follower} has processed the change: it stands");
        return Err(Fault::conflict("commit_followed", message).hint(rejoin));
    }
    if !stray.votes.can_pass() {
        let message = "fewer than two members would decide that the change is void";
        return Err(Fault::refused("too_few_members", message).hint(rejoin));
    }
    if stray.asked {
        return Ok(lineage);
    }
    let row = work.row.clone();
    let (place, by) = (stray.votes.sequence.to_string(), stray.committer.to_string());
    let detail = [("by", by.as_str()), ("entry", place.as_str())];
    let tx = work.tx()?;
    record(node, tx, actor, "equipe.void", &lineage.to_string(), &detail).await?;
    notices::say(node, tx, &row, NoticeKind::Void, stray.votes.detail()).await?;
    stray.asked = true;
    tx.put_stray(stray).await?;
    work.commit().await?;
    pack::wake(node, lineage);
    Ok(lineage)
}
