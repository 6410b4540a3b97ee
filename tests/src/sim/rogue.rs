//! An administrator who tries by itself what only several may do: each such commit is
//! refused, whatever it signs in the others' names.

use std::collections::BTreeMap;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, NodeId};
use raccordo_core::sending::Standing;
use raccordo_core::session::Change;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::statement::{SignedStatement, Statement};
use raccordo_node::app::fault::Done;
use raccordo_node::app::hub::append::{self, Handed, Outcome};
use raccordo_node::app::work::Work;
use raccordo_node::app::{Node, changes};

use super::task::ready;
use super::world::World;
use super::{Checked, Violation};

/// In whose names the rogue signs.
#[derive(Clone, Copy, Debug)]
enum Signing {
    /// In its own alone.
    Alone,
    /// In everybody's, with a key of its own.
    ForAll,
}

/// The statement without one other party.
fn without(before: &SignedStatement, other: &NodeId) -> Statement {
    let mut after = before.statement().clone();
    after.version += 1;
    after.previous = before.digest();
    after.parties.retain(|party| party.node != *other);
    after
}

fn signed(node: &Node, after: &Statement, signing: Signing) -> Checked<SignedStatement> {
    let bytes = after.canonical();
    let me = &node.identity.node;
    let forged = IdentityKey::from_seed(&[66; 32]).sign(&bytes);
    let mut signatures = BTreeMap::from([(me.clone(), node.identity.key.sign(&bytes))]);
    if let Signing::ForAll = signing {
        let others = after.parties.iter().filter(|party| party.node != *me);
        signatures.extend(others.map(|party| (party.node.clone(), forged)));
    }
    let signed = SignedStatement::parse(&bytes, signatures);
    signed.map_err(|bad| Violation(format!("the rogue's statement: {bad}")))
}

/// A commit that the node would never make; the node itself forgets it.
async fn forge(node: &Node, work: &mut Work<'_>, after: &SignedStatement) -> Done<Option<Handed>> {
    let epoch = work.row.epoch;
    let session = work.session().await?;
    let Ok(facts) = session.facts() else { return Ok(None) };
    let leaves = facts.view.leaves.iter();
    let gone = |node: &NodeId| !after.statement().may_have_leaf(node);
    let remove = leaves
        .filter(|(_, leaf)| leaf.node.as_ref().is_some_and(gone))
        .map(|(index, _)| *index)
        .collect();
    let change = Change { statement: Some(after.encode()), remove, ..Change::default() };
    let Ok(staged) = session.stage(&node.identity.leaf(), &change) else { return Ok(None) };
    Ok(Some(Handed {
        entry: EntryId::random(&*node.entropy),
        kind: EntryKind::Commit,
        epoch,
        payload: staged.commit,
        group_info: staged.group_info,
        welcome: staged.welcome.unwrap_or_default(),
    }))
}

impl World {
    /// A member tries to put another one out by itself.
    ///
    /// # Errors
    /// It succeeds.
    pub fn usurp(&mut self, place: usize) -> Checked<String> {
        let (Some(node), Some(hub), Some(lineage)) =
            (self.node(place), self.hub.node(), self.lineage)
        else {
            return Ok("down".into());
        };
        let others = self.rolls.members();
        let others: Vec<_> = others.into_iter().filter(|it| *it != node.identity.node).collect();
        let Some(other) = self.dice.pick(&others).cloned() else { return Ok("alone".into()) };
        let signing = if self.dice.one_in(2) { Signing::Alone } else { Signing::ForAll };
        let Ok(Some(mut work)) = ready(Work::begin(&node, lineage))? else {
            return Ok("not now".into());
        };
        if Standing::parse(&work.row.state) != Some(Standing::Active) {
            return Ok("no member".into());
        }
        let before = changes::statement(&work.row)?;
        if before.statement().unsuspended().count() < 3 || before.statement().chair == other {
            return Ok("too few".into());
        }
        let after = signed(&node, &without(&before, &other), signing)?;
        let (group, epoch) = (work.row.group, work.row.epoch);
        let held = ready(work.holds_commit())?.unwrap_or(true);
        if held {
            return Ok("not now".into());
        }
        let forged = ready(forge(&node, &mut work, &after))?;
        drop(work);
        let Ok(Some(forged)) = forged else { return Ok("not now".into()) };
        let me = node.identity.node.clone();
        let Ok(answer) = ready(append::append(&hub, &me, group, vec![forged]))? else {
            return Ok("not heard".into());
        };
        match answer.outcomes.first() {
            Some((_, Outcome::Placed { .. })) => {
                let what = format!("{me} has put {other} out by itself in {epoch}, {signing:?}");
                Err(Violation(what))
            }
            outcome => {
                self.counts.count("usurpations refused");
                Ok(format!("{other}, {signing:?}: {outcome:?}"))
            }
        }
    }
}
