//! What is late: alerts that are not at every region after a day, members that are silent,
//! and what expires soon.

use std::collections::BTreeMap;
use std::time::Duration;

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::object::State as Life;
use raccordo_core::operator::{Action, may};
use raccordo_core::time::Instant;

use crate::app::Node;
use crate::app::alerts::{self, AlertHead};
use crate::app::delivery::State as Way;
use crate::app::directory::Operator;
use crate::app::expiry::Expiring;
use crate::app::fault::Done;
use crate::app::status::{self, EquipeStatus, MemberStatus};
use crate::store::object::ObjectRow;

/// An alert that is not at every region after so long is late.
pub const LATE_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// Envelopes and refusals of one équipe that are looked at: of what is late, people see the
/// oldest.
const LOOK_MAX: u32 = 100;

/// Why alerts are late.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// This node may not send to the équipe now.
    Held,
    /// The hub is not reached.
    HubAway(NodeId),
    /// They are on their way out.
    Sending,
    /// This member has not confirmed them; whether it is silent as a whole.
    Missing(NodeId, bool),
    /// This member could not process them.
    Refused(NodeId),
}

/// Own alerts that are late for one reason.
#[derive(Clone, Debug)]
pub struct LateAlerts {
    /// Name of the équipe.
    pub equipe: String,
    /// Why.
    pub why: Why,
    /// Which, the oldest first.
    pub alerts: Vec<AlertHead>,
    /// Whether there may be more.
    pub more: bool,
}

/// A member of which nothing is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    /// Name of the équipe.
    pub equipe: String,
    /// Which.
    pub node: NodeId,
    /// When it was last heard of.
    pub last_seen: Instant,
}

/// All that is late.
#[derive(Clone, Debug, Default)]
pub struct Late {
    /// Own alerts.
    pub alerts: Vec<LateAlerts>,
    /// Members.
    pub silent: Vec<Silent>,
    /// What ends soon, or has: own card and équipes; for administrators also peers' cards.
    pub expires: Vec<Expiring>,
    /// How all équipes stand, which has been read for it.
    pub equipes: Vec<EquipeStatus>,
}

/// Looks at all équipes.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn look(node: &Node, operator: &Operator) -> Done<Late> {
    let told = status::status(node).await?;
    let mut late = Late::default();
    for equipe in &told.equipes {
        if alerts::may_read_any(operator) {
            late.alerts.extend(late_alerts(node, operator, equipe).await?);
        }
        let silent = equipe.members.iter().filter(|member| member.silent);
        late.silent.extend(silent.map(|member| Silent {
            equipe: equipe.row.name.clone(),
            node: member.node.clone(),
            last_seen: member.last_seen,
        }));
    }
    let all = may(operator.role, operator.class, Action::ManageTrust);
    let soon = |one: &Expiring| one.stage().is_some() && (all || one.peer.is_none());
    late.expires = told.expires.into_iter().filter(soon).collect();
    late.equipes = told.equipes;
    Ok(late)
}

async fn late_alerts(
    node: &Node,
    operator: &Operator,
    equipe: &EquipeStatus,
) -> Done<Vec<LateAlerts>> {
    let lineage = equipe.row.lineage;
    let before = node.clock.now().minus(LATE_AFTER);
    let mut tx = node.store.read().await?;
    let under_way = tx.objects_under_way(lineage, before, LOOK_MAX).await?;
    let refused = tx.objects_refused(lineage, LOOK_MAX).await?;
    let more = [under_way.len(), refused.len()].iter().any(|count| *count >= LOOK_MAX as usize);
    let mut rows: BTreeMap<u64, ObjectRow> = BTreeMap::new();
    rows.extend(refused.into_iter().map(|row| (row.position, row)));
    let own = |row: &ObjectRow| is_own(node, lineage, row) && row.shared_at < before;
    let waiting = tx.objects_among(&under_way).await?.into_iter().filter(own);
    rows.extend(waiting.map(|row| (row.position, row)));
    let rows = rows.into_values().collect();
    let heads = alerts::heads(node, &mut *tx, operator, rows, &equipe.row.name).await?;
    let mut by_reason: BTreeMap<Why, Vec<AlertHead>> = BTreeMap::new();
    for head in heads {
        for why in reasons(equipe, &head, before) {
            by_reason.entry(why).or_default().push(head.clone());
        }
    }
    let late = |(why, alerts)| LateAlerts { equipe: equipe.row.name.clone(), why, alerts, more };
    Ok(by_reason.into_iter().map(late).collect())
}

fn is_own(node: &Node, lineage: LineageId, row: &ObjectRow) -> bool {
    let active = row.state == Life::Active.as_str();
    active && row.lineage == lineage && row.origin == node.identity.node
}

/// Why an alert is not at every region; nothing where it is.
fn reasons(equipe: &EquipeStatus, head: &AlertHead, before: Instant) -> Vec<Why> {
    let others = || equipe.members.iter().filter(|member| member.node != head.row.origin);
    let here = |node: &NodeId| others().any(|member| member.node == *node && member.joined);
    let refusals = head.delivery.refusals.iter().map(|(node, _)| node);
    let refused: Vec<&NodeId> = refusals.filter(|node| here(node)).collect();
    let mut reasons: Vec<Why> = refused.iter().map(|node| Why::Refused((*node).clone())).collect();
    let late = head.row.shared_at < before;
    match head.delivery.state {
        Way::Queued if late => reasons.push(queued(equipe)),
        Way::Accepted if late => {
            let has = |member: &&MemberStatus| {
                member.delivered >= head.row.sequence || refused.contains(&&member.node)
            };
            let missing = others().filter(|member| member.joined && !has(member));
            reasons.extend(missing.map(|it| Why::Missing(it.node.clone(), it.silent)));
        }
        _ => {}
    }
    reasons
}

fn queued(equipe: &EquipeStatus) -> Why {
    if equipe.sending != "open" {
        Why::Held
    } else if !equipe.link.connected {
        Why::HubAway(equipe.row.hub.clone())
    } else {
        Why::Sending
    }
}
