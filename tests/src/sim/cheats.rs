//! A member that cheats where keys and tokens are made: it deals what does not fit, agrees to
//! what it did not see, and answers requests with what its share does not make of them.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::envelope::{Body, Envelope, TokenAnswer};
use raccordo_core::id::{Digest, EnvelopeId, LineageId, NodeId};
use raccordo_core::pseudonym::ceremony::{Act, Plan, Rules};
use raccordo_core::pseudonym::dealing::{self, Dealing};
use raccordo_core::pseudonym::evaluation::Evaluation;
use raccordo_core::pseudonym::key::Class;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;
use raccordo_node::app::Node;
use raccordo_node::app::fault::Done;
use raccordo_node::app::pack::queued_row;
use raccordo_node::app::pseudonym::PHASE;
use raccordo_node::app::work::Work;
use raccordo_node::store::equipe::AlarmRow;
use raccordo_node::store::keys::CeremonyRow;

use super::parties::answered;
use super::task::ready;
use super::world::World;
use super::{Checked, Violation};

/// Members that cheat in one run.
const CHEATERS_MAX: usize = 2;

/// Whether an alarm about keys names nobody but members that have cheated; none for other
/// alarms.
pub fn names_cheaters(alarm: &AlarmRow, members: &[NodeId], cheaters: &[NodeId]) -> Option<bool> {
    let mut named = members.iter().filter(|node| alarm.detail.contains(node.as_str()));
    match alarm.code {
        AlarmCode::KeyDealingBad | AlarmCode::KeyDissent | AlarmCode::EvaluationBad => {
            Some(named.all(|node| cheaters.contains(node)))
        }
        _ => None,
    }
}

/// A running ceremony of an équipe in which a node has not dealt yet, or may agree.
async fn running(node: &Node, lineage: LineageId) -> Done<Option<CeremonyRow>> {
    let mut tx = node.store.read().await?;
    let rows = tx.key_ceremonies(lineage).await?;
    Ok(rows.into_iter().find(|row| row.state == "running"))
}

async fn sharing(node: &Node, lineage: LineageId, class: Class) -> Done<Option<Sharing>> {
    let mut tx = node.store.read().await?;
    let rows = tx.key_sharings(lineage).await?;
    let row = rows.into_iter().find(|row| row.class == class);
    Ok(row.and_then(|row| Sharing::decode(&row.sharing).ok()))
}

async fn say(node: &Node, lineage: LineageId, body: Body) -> Done<()> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let (id, said_at) = (EnvelopeId::random(&*node.entropy), node.clock.now());
    let envelope = Envelope { id, lineage, number: 0, said_at, author: None, body };
    let row = queued_row(node, &envelope, None, false)?;
    work.tx()?.queue_envelopes(vec![row]).await?;
    work.commit().await
}

impl World {
    /// A member cheats, where there is an occasion.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn cheat(&mut self, place: usize) -> Checked<String> {
        let (Some(node), Some(lineage)) = (self.node(place), self.lineage) else {
            return Ok("down".into());
        };
        let me = node.identity.node.clone();
        let may = self.cheaters.contains(&me) || self.cheaters.len() < CHEATERS_MAX;
        if !may || !self.versions_seen.contains_key(&place) {
            return Ok("is honest".into());
        }
        let lie = match ready(running(&node, lineage))?? {
            Some(row) => self.wrong_act(&node, &row)?,
            None => self.wrong_answer(&node, lineage)?,
        };
        let Some((words, body)) = lie else { return Ok("no occasion".into()) };
        // Also whose call fails: it may have crashed after its commit.
        self.cheaters.insert(me);
        match answered(ready(say(&node, lineage, body))?)? {
            Ok(()) => {}
            Err(reason) => return Ok(reason.into()),
        }
        self.counts.count(words);
        Ok(words.into())
    }

    fn wrong_act(&self, node: &Node, row: &CeremonyRow) -> Checked<Option<(&'static str, Body)>> {
        let old = (!row.old.is_empty()).then(|| Sharing::decode(&row.old));
        let old = old.transpose().map_err(|bad| Violation(format!("a sharing: {bad}")))?;
        let plan = Plan::read(&row.plan, old.as_ref());
        let plan = plan.map_err(|bad| Violation(format!("a plan: {bad}")))?;
        let act = match row.posted.as_str() {
            "" => self.wrong_dealing(node, &plan).map(|deal| ("cheating dealers", Act::Deal(deal))),
            "agreeing" => Some(("cheating witnesses", Act::Agree(Digest([66; 32])))),
            _ => None,
        };
        Ok(act.map(|(words, act)| (words, Body::KeyAct(act.encode(plan.run())))))
    }

    /// Of a new key: what some holders get does not open. Of a key that is shared anew: it
    /// shares another value than its share.
    fn wrong_dealing(&self, node: &Node, plan: &Plan) -> Option<Dealing> {
        let me = &node.identity.node;
        let nodes = self.members.iter().filter_map(|machine| machine.node());
        let keys = nodes
            .map(|it| (it.identity.node.clone(), it.identity.card().card().sealing_key.clone()));
        let (keys, seed) = (keys.collect(), Secret::new([66; 32]));
        let rules = Rules {
            key: plan.key(),
            holders: plan.holders(),
            threshold: plan.threshold(),
            current: None,
        };
        let other = match plan.old() {
            Some(_) => Plan::founding(plan.run(), rules, PHASE).ok()?,
            None => plan.clone(),
        };
        let mut dealing = dealing::deal(&*node.entropy, &seed, &other, me, None, &keys).ok()?;
        for (_, letter) in dealing.sealed.iter_mut().filter(|_| self.dice.one_in(2)) {
            letter.reverse();
        }
        Some(dealing)
    }

    /// An answer to another's request that no share makes.
    fn wrong_answer(
        &self,
        node: &Node,
        lineage: LineageId,
    ) -> Checked<Option<(&'static str, Body)>> {
        for machine in &self.members {
            if machine.name == node.identity.node {
                continue;
            }
            let mut tx = ready(machine.disk.store().read())??;
            for class in Class::ALL {
                let Some(sharing) = ready(sharing(node, lineage, class))?? else { continue };
                let rows = ready(tx.token_requests(lineage, class))??;
                let waits = rows.iter().find(|row| row.accepted_at > Instant(0));
                let Some(row) = waits else { continue };
                let count = usize::try_from(row.elements).unwrap_or(0);
                let elements = vec![sharing.public_key(); count];
                let evaluation = Evaluation { elements, proof: [7; 64] }.encode();
                let generation = sharing.generation();
                let answer = TokenAnswer { request: row.request, generation, evaluation };
                return Ok(Some(("cheating evaluators", Body::TokenAnswer(answer))));
            }
        }
        Ok(None)
    }
}
