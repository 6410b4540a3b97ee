//! A plan in the log: held against the members and the key in force at its place, by all
//! alike; the first that holds is followed.

use raccordo_core::entropy::draw;
use raccordo_core::envelope::KeyPlan;
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::LineageId;
use raccordo_core::pseudonym::ceremony::{Plan, PlanError, Rules};
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::pseudonym::sharing::{Sharing, threshold};
use raccordo_core::time::Instant;

use super::ceremony::{self, states};
use super::{Applied, PHASE, keys};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::work::Work;
use crate::store::keys::CeremonyRow;

/// Takes a plan.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn planned(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    body: &KeyPlan,
) -> Done<Applied> {
    let at = entry.accepted_at;
    ceremony::pass(node, work, at).await?;
    let lineage = work.row.lineage;
    let key = match Plan::key_of(&body.plan) {
        Ok(key) if key.lineage == lineage => key,
        Ok(_) => return Ok(Err("key_plan_malformed")),
        Err(cause) => return Ok(Err(cause.reason())),
    };
    let known = keys::in_force(node, work.tx()?, lineage, key.class).await?;
    let told = match known.is_none() && !is_founder(work).await? {
        true => Sharing::decode(&body.current).ok().filter(|told| is_of(told.key(), key)),
        false => None,
    };
    let current = known.as_ref().map(|(_, sharing)| sharing).or(told.as_ref());
    let read = Plan::read(&body.plan, current);
    let plan = match read.and_then(|plan| hold(lineage, plan, current)) {
        Ok(plan) => plan,
        Err(PlanError::Malformed(_)) => return Ok(Err("key_plan_malformed")),
        Err(_) => return without_effect(work, key.class, body).await,
    };
    // A longer phase would let one member keep all others from making the key.
    if plan.phase() != PHASE {
        return Ok(Err("key_plan_phase"));
    }
    let members = keys::members(work.tx()?, lineage).await?;
    let rules =
        Rules { key: plan.key(), holders: &members, threshold: threshold(members.len()), current };
    let fresh = plan.old().is_none();
    // Of what is not due a member would make the others tire of it, or spend their budgets.
    let due = match &known {
        Some((row, sharing)) => {
            let known = keys::facts(row, sharing, &members)?;
            match fresh {
                true => known.replaced_from().is_some_and(|from| at >= from),
                false => known.is_shared_anew(),
            }
        }
        None => true,
    };
    if plan.check(rules).is_err() || !due {
        return without_effect(work, key.class, body).await;
    }
    let before = ceremony::newest(work, key.class).await?;
    if let Some(running) = before.as_ref().filter(|row| row.state == states::RUNNING) {
        // To who joined after the key was made, anybody can tell that there is none yet.
        let better = known.is_none() && running.old.is_empty() && !fresh;
        if !better {
            return Ok(Ok(()));
        }
        ceremony::overtake(work, running.clone()).await?;
    }
    let row = begun(node, &plan, at, before.map_or(0, |before| before.failures))?;
    let tx = work.tx()?;
    tx.put_key_ceremony(row).await?;
    tx.hasten_key_duty(lineage).await?;
    tracing::info!(%lineage, class = %key.class, by = %entry.sender, fresh, "key ceremony begins");
    Ok(Ok(()))
}

/// Which key the plan may be about, given what is in force.
fn hold(lineage: LineageId, plan: Plan, current: Option<&Sharing>) -> Result<Plan, PlanError> {
    let first = KeyId { lineage, class: plan.key().class, epoch: KeyEpoch::FIRST };
    let due = match (plan.old(), current) {
        (Some(old), _) => old.key(),
        (None, Some(current)) => current.key().successor(),
        (None, None) => first,
    };
    if plan.key() == due { Ok(plan) } else { Err(PlanError::Epoch) }
}

fn is_of(told: KeyId, key: KeyId) -> bool {
    (told.lineage, told.class) == (key.lineage, key.class)
}

async fn is_founder(work: &mut Work<'_>) -> Done<bool> {
    let lineage = work.row.lineage;
    Ok(work.tx()?.key_duty(lineage).await?.is_some_and(|duty| duty.founder))
}

/// Of an overtaken own plan, the node knows that it may make another.
async fn without_effect(work: &mut Work<'_>, class: Class, body: &KeyPlan) -> Done<Applied> {
    let newest = ceremony::newest(work, class).await?;
    let own = newest.filter(|row| row.state == states::PLANNED && row.plan == body.plan);
    if let Some(row) = own {
        ceremony::overtake(work, row).await?;
    }
    Ok(Ok(()))
}

fn begun(node: &Node, plan: &Plan, at: Instant, failures: u32) -> Done<CeremonyRow> {
    let key = plan.key();
    let sealed_seed = match plan.dealers().contains(&node.identity.node) {
        true => node.seal(&seed_context(plan), &draw::<32>(&*node.entropy))?,
        false => Vec::new(),
    };
    Ok(CeremonyRow {
        lineage: key.lineage,
        class: key.class,
        run: plan.run(),
        state: states::RUNNING.into(),
        plan: plan.encode(),
        old: plan.old().map(Sharing::encode).unwrap_or_default(),
        began_at: at,
        until: at.plus(plan.phase()),
        sealed_seed,
        posted: String::new(),
        failures,
        failure: String::new(),
    })
}

/// Context under which the seed of an own polynomial is sealed.
pub(super) fn seed_context(plan: &Plan) -> String {
    let key = plan.key();
    format!("key-seed/{}/{}/{}", key.lineage, key.class, plan.run())
}
