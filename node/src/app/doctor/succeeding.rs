//! Where an équipe goes over into another group: whose turn it is.

use super::{Finding, Severity, finding};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::succeed;
use crate::store::Tx;
use crate::store::equipe::EquipeRow;

/// What is to be done next where all have signed the successor of an équipe's group.
///
/// # Errors
/// The store's, or a damaged row.
pub(super) async fn next(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<Option<Finding>> {
    let Some((known, statement)) = succeed::complete(tx, row).await? else { return Ok(None) };
    let (name, term) = (&row.name, &statement.statement().hub);
    let (chair, hub) = (&statement.statement().chair, &term.hub);
    let message = format!("all have signed that {name} goes on in another group");
    let told = |code, step: &str, whose: &str| {
        Some(finding(Severity::Next, code, message.clone(), step, whose))
    };
    let of_hub = format!("{hub}, administrator");
    if *chair != node.identity.node {
        let step = format!(
            "the chair's node must run: it asks the hub, which may have to agree with raccordo hub \
             accept {name}, and founds the group; this node follows by itself"
        );
        return Ok(told("successor_awaited", &step, &format!("{chair}, administrator")));
    }
    Ok(match known.answer.as_str() {
        "" => told(
            "successor_not_offered",
            "nothing: this node offers it by itself once it reaches the hub",
            &of_hub,
        ),
        "waiting" => told("hub_to_accept", &format!("raccordo hub accept {name}"), &of_hub),
        "refused" => told(
            "hub_refuses_successor",
            &format!("agree with it by phone; then there: raccordo hub accept {name}"),
            &of_hub,
        ),
        _ => told("successor_on_its_way", "nothing: this node founds it by itself", "nobody"),
    })
}
