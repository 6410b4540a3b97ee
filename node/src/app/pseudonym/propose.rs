//! Whether a key has to be made, shared anew or replaced, and whose turn it is to say so: any
//! member may, one after the other, the chair first.

use std::collections::BTreeSet;
use std::time::Duration;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::envelope::{Body, KeyPlan};
use raccordo_core::id::{EntryId, NodeId};
use raccordo_core::planted::{self, Bug};
use raccordo_core::pseudonym::ceremony::{Plan, PlanError, Rules};
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::pseudonym::renewal::{KeyInForce, Reason};
use raccordo_core::pseudonym::sharing::{Sharing, threshold};
use raccordo_core::time::Instant;

use super::ceremony::{self, states};
use super::{PHASE, keys, say};
use crate::app::Node;
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::store::keys::{CeremonyRow, DutyRow};

/// How long each member waits for those whose turn comes before its own.
const TURN: Duration = Duration::from_secs(10 * 60);
/// How long the founders wait for parties that are not in yet.
const FOUNDING_PATIENCE: Duration = Duration::from_secs(3600);
/// The longest wait after failures.
const RETRY_MAX: Duration = Duration::from_secs(24 * 3600);

/// What came of it.
pub(super) enum Proposed {
    /// Nothing is to be done before this time.
    Not(Instant),
    /// A plan is on its way.
    Plan,
}

/// Looked at again when something happens.
const NEVER: Proposed = Proposed::Not(Instant(i64::MAX));

/// What has to happen to a key.
enum Need {
    Found,
    Reshare,
    Replace,
}

/// Posts a plan for a class where one is needed and it is this node's turn.
///
/// # Errors
/// The store's, or damaged rows.
pub(super) async fn propose(
    node: &Node,
    work: &mut Work<'_>,
    duty: &DutyRow,
    class: Class,
) -> Done<Proposed> {
    let (lineage, me) = (work.row.lineage, &node.identity.node);
    let members = keys::members(work.tx()?, lineage).await?;
    let newest = ceremony::newest(work, class).await?;
    let begun = |row: &CeremonyRow| row.state == states::RUNNING || row.state == states::PLANNED;
    if members.len() < 2 || !members.contains(me) || newest.as_ref().is_some_and(begun) {
        return Ok(NEVER);
    }
    let known = keys::in_force(node, work.tx()?, lineage, class).await?;
    let facts = known.as_ref().map(|(row, sharing)| keys::facts(row, sharing, &members));
    let facts = facts.transpose()?;
    let asked = known.as_ref().is_some_and(|(row, _)| row.asked);
    let Some(need) = need(facts.as_ref(), asked, duty.founder) else { return Ok(NEVER) };
    let proposers: BTreeSet<NodeId> = match (&need, &known) {
        (Need::Reshare, Some((_, sharing))) => {
            members.iter().filter(|node| sharing.is_holder(node)).cloned().collect()
        }
        _ => members.clone(),
    };
    let current = known.as_ref().map(|(_, sharing)| sharing);
    if let (Need::Reshare, Some(current)) = (&need, current)
        && proposers.len() < usize::from(current.threshold())
    {
        lost(node, work, class, current, proposers.len()).await?;
        return Ok(NEVER);
    }
    let statement = work.statement()?;
    let Some(turn) = turn(&proposers, &statement.statement().chair, me) else { return Ok(NEVER) };
    let mut from = duty.changed_at.plus(TURN * turn);
    let everybody = statement.statement().unsuspended().all(|party| members.contains(&party.node));
    if matches!(need, Need::Found) && !everybody {
        from = from.max(duty.changed_at.plus(FOUNDING_PATIENCE));
    }
    if let (Need::Replace, Some(replaced)) = (&need, facts.and_then(|it| it.replaced_from())) {
        from = from.max(replaced);
    }
    if let Some(failed) = newest.as_ref().filter(|row| row.state == states::FAILED) {
        from = from.max(retry(node, work, failed).await?.plus(TURN * turn));
    }
    let now = node.clock.now();
    if now < from {
        return Ok(Proposed::Not(from.min(now.plus(TURN))));
    }
    post(node, work, class, &members, current, &need).await
}

fn need(known: Option<&KeyInForce<'_>>, asked: bool, founder: bool) -> Option<Need> {
    let Some(known) = known else { return founder.then_some(Need::Found) };
    match known.reason {
        Reason::Removal => Some(Need::Replace),
        // A lost key is replaced when an administrator here says so, another one when the
        // others agree.
        _ if asked && known.replaced_from().is_some() => Some(Need::Replace),
        Reason::Lost => None,
        _ if !known.is_shared_anew() || planted::is(Bug::KeyNotSharedAnew) => None,
        _ => Some(Need::Reshare),
    }
}

/// How many come before this node: the chair is first, then the names decide.
fn turn(proposers: &BTreeSet<NodeId>, chair: &NodeId, me: &NodeId) -> Option<u32> {
    let chair_first = proposers.iter().filter(|node| *node == chair);
    let mut order = chair_first.chain(proposers.iter().filter(|node| *node != chair));
    order.position(|node| node == me).and_then(|place| u32::try_from(place).ok())
}

/// From when on a failed ceremony may be tried again: soon when everybody was heard since,
/// later and later while somebody is away.
async fn retry(node: &Node, work: &mut Work<'_>, failed: &CeremonyRow) -> Done<Instant> {
    let lineage = work.row.lineage;
    let members = work.tx()?.members(lineage).await?;
    let others = members.iter().filter(|member| member.node != node.identity.node);
    if others.map(|member| member.last_seen).all(|seen| seen > failed.until) {
        return Ok(failed.until.plus(PHASE * failed.failures.clamp(1, 16)));
    }
    let doublings = failed.failures.saturating_sub(1).min(8);
    Ok(failed.until.plus((PHASE * 4 * (1 << doublings)).min(RETRY_MAX)))
}

/// Tells that too few shares are left.
///
/// # Errors
/// The store's.
pub(super) async fn lost(
    node: &Node,
    work: &mut Work<'_>,
    class: Class,
    current: &Sharing,
    left: usize,
) -> Done<()> {
    let name = work.row.name.clone();
    let detail = format!(
        "{left} of the {} shares of the key of {class} that are needed are left: make a new key \
         with `raccordo equipe rekey '{name}'`",
        current.threshold()
    );
    alarms::raise_within(node, work, NewAlarm::new(AlarmCode::KeyLost, detail)).await.map(drop)
}

async fn post(
    node: &Node,
    work: &mut Work<'_>,
    class: Class,
    members: &BTreeSet<NodeId>,
    current: Option<&Sharing>,
    need: &Need,
) -> Done<Proposed> {
    let lineage = work.row.lineage;
    let first = KeyId { lineage, class, epoch: KeyEpoch::FIRST };
    let key = match (need, current) {
        (Need::Replace, Some(current)) => current.key().successor(),
        (_, Some(current)) => current.key(),
        (_, None) => first,
    };
    let rules = Rules { key, holders: members, threshold: threshold(members.len()), current };
    let run = EntryId::random(&*node.entropy);
    let plan = match need {
        Need::Found | Need::Replace => Plan::founding(run, rules, PHASE),
        Need::Reshare => Plan::resharing(run, rules, PHASE),
    };
    let plan = match plan {
        Ok(plan) => plan,
        Err(PlanError::Threshold) => return Ok(NEVER),
        Err(cause) => return Err(Fault::ours("key_plan", cause)),
    };
    let failures = ceremony::newest(work, class).await?.map_or(0, |row| row.failures);
    let (bytes, now) = (plan.encode(), node.clock.now());
    let row = CeremonyRow {
        lineage,
        class,
        run,
        state: states::PLANNED.into(),
        plan: bytes.clone(),
        old: Vec::new(),
        began_at: now,
        until: now,
        sealed_seed: Vec::new(),
        posted: String::new(),
        failures,
        failure: String::new(),
    };
    work.tx()?.put_key_ceremony(row).await?;
    let current = current.map(Sharing::encode).unwrap_or_default();
    say(node, work, Body::KeyPlan(KeyPlan { plan: bytes, current }), false).await?;
    Ok(Proposed::Plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chair_comes_first() {
        let id = |name: &str| name.parse::<NodeId>().unwrap();
        let all = ["lazio", "toscana", "umbria"].map(id).into_iter().collect();
        let check = |chair: &str, me: &str, expected| {
            assert_eq!(turn(&all, &id(chair), &id(me)), expected, "{chair} {me}");
        };
        check("toscana", "toscana", Some(0));
        check("toscana", "lazio", Some(1));
        check("toscana", "umbria", Some(2));
        // A chair that holds nothing leaves the others their turns.
        check("marche", "lazio", Some(0));
        check("toscana", "marche", None);
    }
}
