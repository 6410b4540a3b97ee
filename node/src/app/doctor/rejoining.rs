//! Who has lost its state, here or at another member, and what brings it back.

use raccordo_core::sending::Standing;

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
    let (name, me) = (&equipe.row.name, &node.identity.node);
    let rows = node.store.read().await?.rejoins(equipe.row.lineage).await?;
    match Standing::parse(&equipe.row.state) {
        Some(Standing::Quarantined) => findings.push(yours(
            Severity::Problem,
            "quarantined",
            format!("another copy of this node has spoken in {name}"),
            &format!(
                "find the other copy and decide which one goes on; stop the other; if it is this \
                 one that goes on: raccordo equipe rejoin {name}"
            ),
        )),
        Some(Standing::NeedsRejoin) => findings.push(finding(
            Severity::Problem,
            "needs_rejoin",
            format!("this node has lost its state in {name} and asks to join again"),
            &format!(
                "raccordo equipe approve-rejoin {name} {me}; where no request waits there, this \
                 node's administrator asks anew: raccordo equipe rejoin {name}; where nobody is \
                 left who could approve: raccordo equipe succeed {name}"
            ),
            "another party's administrator",
        )),
        _ => {}
    }
    for row in rows.iter().filter(|row| row.node != *me) {
        let who = &row.node;
        findings.push(match row.approved {
            false => yours(
                Severity::Next,
                "rejoin_to_approve",
                format!("{who} has lost its state in {name} and asks to join again"),
                &format!(
                    "call its administrator: was it restored or moved? then raccordo equipe \
                     approve-rejoin {name} {who}"
                ),
            ),
            true => finding(
                Severity::Next,
                "rejoin_on_its_way",
                format!("that {who} joins {name} again is approved"),
                "nothing: its node joins by itself",
                &format!("{who}, administrator"),
            ),
        });
    }
    Ok(())
}
