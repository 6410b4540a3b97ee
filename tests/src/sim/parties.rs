//! What administrators agree on once the équipe lives: parties come, go, are suspended and
//! return, pacts are renewed, keys too.

use std::sync::Arc;

use raccordo_core::id::NodeId;
use raccordo_core::sending::Standing;
use raccordo_core::trust::statement::Statement;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::fault::{Done, Fault, Whose};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::work::open_pact;
use raccordo_node::app::{Node, update_keys};
use raccordo_node::store::equipe::EquipeRow;

use super::founding::ADMINISTRATOR;
use super::task::ready;
use super::world::{EQUIPE, World};
use super::{Checked, Violation};

/// Fewest unsuspended parties that the game leaves.
const PARTIES_MIN: usize = 3;

/// What an administrator begins.
#[derive(Clone, Debug)]
enum Course {
    /// Something about one party.
    Of(Wanted),
    /// A pact with these parties.
    Renew(Vec<NodeId>),
}

/// Takes an answer that people would read: what they asked for, or the reason why not.
///
/// # Errors
/// The program's own fault.
pub fn answered<T>(answer: Done<T>) -> Checked<Result<T, &'static str>> {
    match answer {
        Ok(done) => Ok(Ok(done)),
        Err(fault) if fault.whose == Whose::Ours => Err(fault.into()),
        Err(fault) => Ok(Err(fault.reason)),
    }
}

async fn equipe(node: &Node) -> Done<Option<EquipeRow>> {
    Ok(node.store.read().await?.equipes().await?.into_iter().next())
}

async fn begin(node: &Node, row: &EquipeRow, course: &Course, hub: &NodeId) -> Done<String> {
    match course {
        Course::Of(wanted) => {
            changes::begin(node, ADMINISTRATOR, EQUIPE, wanted.clone(), "simulated").await?;
            Ok(format!("{wanted:?}"))
        }
        Course::Renew(parties) => {
            // Longer each time: what was shared under the pact before stays allowed.
            let days = open_pact(node, row)?.terms().share.case_alert.retention_days;
            let text = pacts::draft(node, EQUIPE, parties, hub, true, "").await?;
            let (now, next) = (format!("days = {days}"), format!("days = {}", days + 1));
            let text = text.replacen(&now, &next, 1);
            pacts::sign(node, ADMINISTRATOR, Source::Toml(text)).await?;
            pacts::propose(node, ADMINISTRATOR, EQUIPE, false).await?;
            Ok(format!("Renew({parties:?})"))
        }
    }
}

impl World {
    /// A member's administrator begins a change.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn change(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let row = ready(equipe(&node))??;
        let active = |row: &EquipeRow| row.state == Standing::Active.as_str();
        let Some(row) = row.filter(active) else { return Ok("no member".into()) };
        // Two changes at a time can only come to one.
        if !ready(waits(&node))??.is_empty() && !self.dice.one_in(4) {
            return Ok("another waits".into());
        }
        let statement = changes::statement(&row)?;
        let courses = self.courses(&node.identity.node, statement.statement());
        let Some(course) = self.dice.weighted(&courses).cloned() else {
            return Ok("nothing".into());
        };
        let hub = self.hub.name.clone();
        let words = match answered(ready(begin(&node, &row, &course, &hub))?)? {
            Ok(words) => words,
            Err(reason) => return Ok(format!("{course:?}: {reason}")),
        };
        self.changes_left = self.changes_left.saturating_sub(1);
        self.counts.count("changes begun");
        if matches!(course, Course::Of(Wanted::Leave)) {
            self.leaving.insert(node.identity.node.clone());
        }
        Ok(words)
    }

    /// Somebody begins that all who are suspended return.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn let_return(&mut self) -> Checked {
        let Some(statement) = self.rolls.statement().cloned() else { return Ok(()) };
        let suspended = statement.parties.iter().find(|party| party.suspended_by.is_some());
        let Some(party) = suspended.map(|party| party.node.clone()) else { return Ok(()) };
        self.begin_at_once(&Course::Of(Wanted::Return(party)))
    }

    /// Somebody begins that all who are out come in.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn let_in(&mut self) -> Checked {
        let Some(statement) = self.rolls.statement().cloned() else { return Ok(()) };
        let all: Vec<NodeId> = self.everybody(&statement);
        if all.len() == statement.parties.len() {
            return Ok(());
        }
        self.begin_at_once(&Course::Renew(all))
    }

    /// Somebody begins that one is removed.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn put_out(&mut self, who: &NodeId) -> Checked {
        self.begin_at_once(&Course::Of(Wanted::Remove(who.clone())))
    }

    fn begin_at_once(&mut self, course: &Course) -> Checked {
        let hub = self.hub.name.clone();
        for place in self.machines() {
            // Who was removed may not know it.
            let member = |node: &Arc<Node>| self.rolls.is_member(&node.identity.node);
            let Some(node) = self.node(place).filter(member) else { continue };
            let row = ready(equipe(&node))??;
            let active = |row: &EquipeRow| row.state == Standing::Active.as_str();
            let Some(row) = row.filter(active) else { continue };
            let begun = answered(ready(begin(&node, &row, course, &hub))?)?;
            self.trace.note(&format!("  member {place} begins {course:?}: {begun:?}"));
            if begun.is_ok() {
                break;
            }
        }
        self.after()
    }

    /// Parties, and who might be one.
    fn everybody(&self, statement: &Statement) -> Vec<NodeId> {
        let mut all: Vec<_> = statement.parties.iter().map(|party| party.node.clone()).collect();
        for member in &self.members {
            if !all.contains(&member.name) {
                all.push(member.name.clone());
            }
        }
        all
    }

    /// What may be begun by a member, and how likely that is.
    fn courses(&self, me: &NodeId, statement: &Statement) -> Vec<(u64, Course)> {
        let mut courses = Vec::new();
        let all = self.everybody(statement);
        let weight = if all.len() > statement.parties.len() { 8 } else { 1 };
        courses.push((weight, Course::Renew(all)));
        for party in &statement.parties {
            let node = party.node.clone();
            if party.suspended_by.is_some() {
                courses.push((3, Course::Of(Wanted::Return(node.clone()))));
                if !party.ratified {
                    courses.push((2, Course::Of(Wanted::Ratify(node))));
                }
            }
        }
        let unsuspended: Vec<_> = statement.unsuspended().map(|party| party.node.clone()).collect();
        if unsuspended.len() > PARTIES_MIN {
            courses.push((3, Course::Of(Wanted::Leave)));
            for other in unsuspended.into_iter().filter(|node| node != me) {
                courses.push((1, Course::Of(Wanted::Remove(other.clone()))));
                courses.push((1, Course::Of(Wanted::Suspend(other))));
            }
        }
        courses
    }

    /// An administrator signs one of the changes that wait for it.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn sign(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let waiting = match answered(ready(waiting(&node))?)? {
            Ok(waiting) => waiting,
            Err(reason) => return Ok(reason.into()),
        };
        let Some(name) = self.dice.pick(&waiting) else { return Ok("nothing".into()) };
        sign(&node, name)
    }

    /// An administrator signs all changes that wait for it.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn sign_all(&mut self, place: usize) -> Checked {
        let Some(node) = self.node(place) else { return Ok(()) };
        for name in ready(waiting(&node))?? {
            let words = sign(&node, &name)?;
            self.trace.note(&format!("  member {place} signs {name}: {words}"));
            self.after()?;
        }
        Ok(())
    }

    /// Whoever wished to leave, and is there still, says it once more: the first time it may
    /// have told nobody, because it trusted nobody.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn leave_again(&mut self) -> Checked {
        for place in self.machines() {
            let name = self.members.get(place).map(|machine| machine.name.clone());
            let wishes = name.is_some_and(|name| self.leaving.contains(&name));
            let Some(node) = self.node(place).filter(|_| wishes) else { continue };
            let begun = changes::begin(&node, ADMINISTRATOR, EQUIPE, Wanted::Leave, "simulated");
            let words = answered(ready(begun)?)?.map_or_else(str::to_owned, |_| "again".into());
            self.trace.note(&format!("  member {place} leaves: {words}"));
        }
        Ok(())
    }

    /// An administrator asks for new keys.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn renew_keys(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let renewed = ready(update_keys::update_keys(&node, ADMINISTRATOR, EQUIPE))?;
        if answered(renewed.clone())?.is_ok() {
            self.counts.count("keys renewed");
        }
        Ok(renewed.map_or_else(|fault: Fault| fault.reason.into(), |()| "asked".into()))
    }

    /// Whoever has left, and was not added again, is no party any more, unless nobody else is
    /// there to commit that.
    ///
    /// # Errors
    /// It is.
    pub fn check_leaves(&self) -> Checked {
        let Some(statement) = self.rolls.statement() else { return Ok(()) };
        let stays = |node: &&NodeId| {
            let others = self.rolls.members().iter().any(|member| member != *node);
            statement.may_have_leaf(node) && others
        };
        match self.leaving.iter().find(stays) {
            None => Ok(()),
            Some(node) => Err(Violation(format!("{node} has left, and is a party still"))),
        }
    }
}

/// Changes that wait for anybody's signature, or to be committed.
async fn waits(node: &Node) -> Done<Vec<changes::Pending>> {
    changes::list(node).await
}

/// Digests of the changes that wait for this node's signature.
async fn waiting(node: &Node) -> Done<Vec<String>> {
    let mut waiting = Vec::new();
    for pending in changes::list(node).await? {
        if pending.proposal.missing().contains(&node.identity.node) {
            waiting.push(changes::short(pending.row.statement));
        }
    }
    Ok(waiting)
}

fn sign(node: &Node, name: &str) -> Checked<String> {
    let source = Source::Named(name.to_owned());
    let signed = answered(ready(pacts::sign(node, ADMINISTRATOR, source))?)?;
    Ok(match signed {
        Ok(_) => name.to_owned(),
        Err(reason) => reason.to_owned(),
    })
}
