//! This node's part in a running ceremony, said once in each phase.

use std::collections::BTreeMap;

use raccordo_core::envelope::Body;
use raccordo_core::id::NodeId;
use raccordo_core::pseudonym::ceremony::{Act, Ceremony, Duty};
use raccordo_core::pseudonym::dealing::{self, DealerSeed};
use raccordo_core::pseudonym::share::KeyShare;
use raccordo_core::secret::Secret;
use raccordo_core::trust::card::SignedCard;

use super::ceremony::Running;
use super::plan::seed_context;
use super::{keys, say};
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::store::keys::CeremonyRow;

/// Says it, where it has not been said yet; whether anything was.
///
/// # Errors
/// The store's, or damaged rows.
pub(super) async fn perform(node: &Node, work: &mut Work<'_>, running: Running) -> Done<bool> {
    let Running { mut row, ceremony, .. } = running;
    let Some(duty) = ceremony.duty(&node.identity.node) else { return Ok(false) };
    let phase = name(&duty);
    if row.posted == phase {
        return Ok(false);
    }
    let acts = acts(node, work, &row, &ceremony, duty).await?;
    let said = !acts.is_empty();
    for act in acts {
        say(node, work, Body::KeyAct(act.encode(row.run)), false).await?;
    }
    row.posted = phase.to_owned();
    work.tx()?.put_key_ceremony(row).await?;
    Ok(said)
}

fn name(duty: &Duty) -> &'static str {
    match duty {
        Duty::Deal => "dealing",
        Duty::Report => "reporting",
        Duty::Answer(_) => "answering",
        Duty::Agree => "agreeing",
    }
}

async fn acts(
    node: &Node,
    work: &mut Work<'_>,
    row: &CeremonyRow,
    ceremony: &Ceremony,
    duty: Duty,
) -> Done<Vec<Act>> {
    let (me, plan) = (&node.identity.node, ceremony.plan());
    match duty {
        Duty::Deal => {
            let (seed, share) = dealer(node, work, row, ceremony).await?;
            let keys = sealing_keys(work).await?;
            let dealt = dealing::deal(&*node.entropy, &seed, plan, me, share.as_ref(), &keys);
            Ok(told(dealt.map(|dealing| vec![Act::Deal(dealing)])))
        }
        Duty::Report => {
            let sets = node.identity.all();
            let accused = ceremony.complaints(me, &keys::openers(&sets));
            // Who has a key knows by itself whether the plan deals that one.
            let known = keys::in_force(node, work.tx()?, row.lineage, row.class).await?;
            Ok(vec![Act::Report { accused, newcomer: known.is_none() }])
        }
        Duty::Answer(holders) => {
            let (seed, share) = dealer(node, work, row, ceremony).await?;
            let answer = |holder: NodeId| {
                let value = dealing::reveal(&seed, plan, me, share.as_ref(), &holder)?;
                Ok(Act::Answer { holder, value })
            };
            Ok(told(holders.into_iter().map(answer).collect()))
        }
        Duty::Agree => {
            // The share is kept before anybody is told that this node has it.
            let has_share = keys::keep_share(node, work, ceremony).await?;
            let agreement = ceremony.agreement().filter(|_| has_share);
            Ok(agreement.map(Act::Agree).into_iter().collect())
        }
    }
}

/// What a dealer deals from.
async fn dealer(
    node: &Node,
    work: &mut Work<'_>,
    row: &CeremonyRow,
    ceremony: &Ceremony,
) -> Done<(DealerSeed, Option<KeyShare>)> {
    let plan = ceremony.plan();
    let seed = node.open(&seed_context(plan), &row.sealed_seed)?;
    let seed = seed.reveal().as_slice().try_into().map(Secret::new);
    let seed = seed.map_err(|_| Fault::ours("key_seed_damaged", "a seed is not 32 bytes"))?;
    let share = match plan.old() {
        Some(old) => keys::share(node, work, old).await?,
        None => None,
    };
    Ok((seed, share))
}

/// To whom values are sealed: the cards in the leaves, which all members see alike.
async fn sealing_keys(work: &mut Work<'_>) -> Done<BTreeMap<NodeId, Vec<u8>>> {
    let facts = work.session().await?.facts();
    let view = facts.map_err(|cause| Fault::ours("group", cause))?.view;
    let cards = view.leaves.iter().filter_map(|(_, leaf)| leaf.card.as_deref());
    let cards = cards.filter_map(|card| SignedCard::decode_verified(card).ok());
    Ok(cards.map(|card| (card.card().node.clone(), card.card().sealing_key.clone())).collect())
}

/// Who cannot do its part says nothing, and the others work around it.
fn told(acts: Result<Vec<Act>, dealing::DealError>) -> Vec<Act> {
    acts.unwrap_or_else(|cause| {
        tracing::error!(%cause, "this node cannot do its part in making a key");
        Vec::new()
    })
}
