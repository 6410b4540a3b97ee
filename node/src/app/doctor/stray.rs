//! Where a change of the membership is in doubt: who can follow it, and who must decide.

use super::{Finding, Severity, finding, yours};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::status::EquipeStatus;

/// Findings about one équipe.
///
/// # Errors
/// The store's.
pub(super) async fn about(
    node: &Node,
    equipe: &EquipeStatus,
    findings: &mut Vec<Finding>,
) -> Done<()> {
    let (name, lineage) = (&equipe.row.name, equipe.row.lineage);
    let Some(stray) = node.store.read().await?.stray(lineage).await? else { return Ok(()) };
    let (votes, maker) = (&stray.votes, &stray.committer);
    let missing: Vec<&str> =
        votes.needed.difference(&votes.said).map(|node| node.as_str()).collect();
    let (place, missing) = (votes.sequence, missing.join(", "));
    let rejoin = format!("raccordo equipe rejoin {name}");
    if *maker == node.identity.node {
        if !votes.said.is_empty() {
            let message = format!(
                "members of {name} cannot process this node's change at entry {place}, and hold \
                 it for void; not yet: {missing}"
            );
            let step = "if all do, this node joins again by itself: another party approves";
            findings.push(finding(
                Severity::Warning,
                "own_commit_doubted",
                message,
                step,
                "nobody",
            ));
        }
        return Ok(());
    }
    let message = format!("{maker}'s change of {name} at entry {place} cannot be processed here");
    findings.push(match &stray.followed_by {
        Some(follower) => yours(
            Severity::Problem,
            "commit_followed",
            format!("{message}, and {follower} has processed it"),
            &rejoin,
        ),
        None if !votes.can_pass() => yours(
            Severity::Problem,
            "commit_not_followed",
            message,
            &format!("{rejoin}; where nobody can follow: raccordo equipe succeed {name}"),
        ),
        None if !stray.asked => yours(
            Severity::Problem,
            "commit_to_void",
            message,
            &format!(
                "call the other administrators: where no node but {maker}'s can, each: raccordo \
                 equipe void {name}; where only this one cannot: {rejoin}"
            ),
        ),
        None => finding(
            Severity::Next,
            "commit_void_waits",
            format!("{message}; not yet held for void by {missing}"),
            &format!("raccordo equipe void {name}"),
            &format!("the administrators of {missing}"),
        ),
    });
    Ok(())
}
