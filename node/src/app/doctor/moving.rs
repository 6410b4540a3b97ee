//! Where a log is on its way to another hub, or should be: whose turn it is.

use super::{Finding, Severity, finding, succeeding, yours};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::hub::restored::BEHIND;
use crate::app::status::{EquipeStatus, Link};
use crate::app::term::{self, Moving};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::hub::CarriedRow;

/// Reasons for which a hub that was reached does not go on with a log.
const HUB_BEHIND: &str = "hub_behind";

/// Findings about one équipe.
///
/// # Errors
/// The store's.
pub(super) async fn about(
    node: &Node,
    equipe: &EquipeStatus,
    findings: &mut Vec<Finding>,
) -> Done<()> {
    let row = &equipe.row;
    let (moving, succeeding) = {
        let mut tx = node.store.read().await?;
        let succeeding = succeeding::next(node, &mut *tx, row).await?;
        (term::moving(&mut *tx, row.lineage).await?, succeeding)
    };
    findings.extend(succeeding);
    match moving {
        Some(moving) => findings.push(next(row, &moving)?),
        None if row.state == "active" => findings.extend(away(row, &equipe.link)),
        None => {}
    }
    Ok(())
}

/// What is to be done next where a log is on its way; else empty.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn next_of_move(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    link: &Link,
) -> Done<String> {
    let finding = match term::moving(tx, row.lineage).await? {
        Some(moving) => Some(next(row, &moving)?),
        None => succeeding::next(node, tx, row).await?,
    };
    let finding = match finding {
        Some(finding) => Some(finding),
        None => change(node, tx, row).await?.or_else(|| away(row, link)),
    };
    let words =
        |finding: Finding| format!("{} ({}): {}", finding.step, finding.whose, finding.message);
    Ok(finding.map(words).unwrap_or_default())
}

/// A change that waits for a signature.
async fn change(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<Option<Finding>> {
    let pending = crate::app::changes::of(node, tx, row).await?;
    Ok(pending.first().map(|pending| super::next_of_change(node, pending)))
}

/// The next step of a move that all have signed.
fn next(row: &EquipeRow, moving: &Moving) -> Done<Finding> {
    let (name, hub) = (&row.name, &moving.term().hub);
    let whose = format!("{hub}, administrator");
    let message = format!("the log of {name} moves to {hub}");
    let told =
        |code, step: &str, whose: &str| finding(Severity::Next, code, message.clone(), step, whose);
    Ok(match moving.answer.as_str() {
        "" => told(
            "hub_not_asked",
            "nothing: this node offers it by itself once it reaches that hub",
            &whose,
        ),
        "refused" => told(
            "hub_refuses_log",
            &format!("choose another hub: raccordo equipe move-hub {name} --to ID"),
            "you",
        ),
        "waiting" => told("hub_to_accept", &format!("raccordo hub accept {name}"), &whose),
        "accepted" if moving.term().is_planned() && !moving.in_force(row)? => told(
            "move_on_its_way",
            "nothing: the change is committed by itself, by the node that began it",
            "nobody",
        ),
        "accepted" if moving.at_the_end(row)? => {
            told("log_handed_over", "nothing: this node hands the log over by itself", "nobody")
        }
        "accepted" => told(
            "log_to_hand_over",
            "the node of a member that stands at the last entry must run: it hands the log over",
            "the other administrators",
        ),
        _ => told("move_on_its_way", "nothing: the new term begins by itself", "nobody"),
    })
}

/// A hub that is not there, or lost a part of the log.
fn away(row: &EquipeRow, link: &Link) -> Option<Finding> {
    let (name, hub) = (&row.name, &row.hub);
    let (code, message) = match (link.connected, link.reason.as_str()) {
        (_, HUB_BEHIND) => {
            (HUB_BEHIND, format!("the hub {hub} of {name} was put back to an older state"))
        }
        (false, reason) if !reason.is_empty() && reason != "resubscribing" => {
            ("hub_away", format!("the hub {hub} of {name} is not reached"))
        }
        _ => return None,
    };
    let step = format!(
        "wait if it comes back; if it is lost: raccordo equipe move-hub {name} --to HUB --lost, \
         then every other administrator: raccordo pact sign {name}"
    );
    Some(yours(Severity::Warning, code, message, &step))
}

/// What a hub's administrator has to know of a log that it keeps.
pub(super) fn about_carried(row: &CarriedRow) -> Option<Finding> {
    (row.state == BEHIND).then(|| {
        finding(
            Severity::Problem,
            HUB_BEHIND,
            format!("this hub's log of {} was put back to an older state", row.name),
            &format!(
                "nothing is appended; a member: raccordo equipe move-hub {} --to HUB --lost, and \
                 here, once `raccordo hub list` shows that it waits: raccordo hub accept {0}",
                row.name
            ),
            "a member's administrator",
        )
    })
}
