//! Disks that are put back as they were, and copies of them that come alive beside the
//! original; and what administrators do about it.

use std::sync::Arc;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::NodeId;
use raccordo_core::sending::Standing;
use raccordo_node::app::Node;
use raccordo_node::app::fault::Done;
use raccordo_node::app::rejoin::{approve, request};

use super::founding::ADMINISTRATOR;
use super::parties::answered;
use super::storage::Storage;
use super::task::ready;
use super::world::{EQUIPE, Who, World};
use super::{Checked, Violation};

/// Disks put back, and copies made, in one run.
const LOSSES_MAX: u64 = 3;

impl World {
    /// Places of the machines that have not been thrown away.
    pub fn machines(&self) -> Vec<usize> {
        let places = self.members.iter().enumerate();
        places.filter(|(_, machine)| !machine.scrapped).map(|(place, _)| place).collect()
    }

    /// Whether another disk may be lost in this run.
    pub fn may_lose_disk(&self) -> bool {
        self.plan.loses_disks() && self.losses < LOSSES_MAX && self.group.is_some()
    }

    /// Keeps a copy of a disk.
    ///
    /// # Errors
    /// Never in practice.
    pub fn keep_disk(&mut self, place: usize) -> Checked<String> {
        let machine = self.machine(Who::Member(place))?;
        machine.past = Some(machine.disk.snapshot()?);
        Ok(String::new())
    }

    /// Puts a disk back as it was; whatever ran on it is over.
    ///
    /// # Errors
    /// The store's.
    pub fn put_back(&mut self, place: usize) -> Checked<String> {
        let Some(past) = self.machine(Who::Member(place))?.past.clone() else {
            return Ok("no copy".into());
        };
        self.losses += 1;
        self.counts.count("disks put back");
        self.kill(Who::Member(place))?;
        let machine = self.machine(Who::Member(place))?;
        machine.disk = Storage::of(&past)?;
        machine.aged = true;
        let name = machine.name.clone();
        self.versions_seen.remove(&place);
        self.forget_acts_of(&name);
        Ok(String::new())
    }

    /// What people did at a node after its copy was made, or at the copy that is thrown away, is
    /// not known there any more.
    fn forget_acts_of(&mut self, name: &NodeId) {
        self.leaving.remove(name);
        self.rewound.insert(name.clone());
    }

    /// A copy of a disk comes alive beside the original.
    ///
    /// # Errors
    /// The store's.
    pub fn copy(&mut self, place: usize) -> Checked<String> {
        let twins = self.members.iter().filter(|machine| machine.twin.is_some()).count();
        let original = self.machine(Who::Member(place))?;
        if original.twin.is_some() || twins > 0 {
            return Ok("there is one".into());
        }
        let past = match original.past.take() {
            Some(past) => past,
            None => original.disk.snapshot()?,
        };
        let copy = original.copy(&past, place)?;
        original.aged = true;
        let name = original.name.clone();
        self.losses += 1;
        self.counts.count("copies alive");
        self.members.push(copy);
        self.boot(Who::Member(self.members.len() - 1))?;
        self.forget_acts_of(&name);
        Ok(format!("at {}", self.members.len() - 1))
    }

    /// One of two living copies is thrown away, and the other one goes on.
    ///
    /// # Errors
    /// The store's.
    pub fn settle_copies(&mut self) -> Checked {
        let twins: Vec<_> = self
            .members
            .iter()
            .enumerate()
            .filter(|(_, machine)| !machine.scrapped)
            .filter_map(|(place, machine)| machine.twin.map(|original| (original, place)))
            .collect();
        for (original, copy) in twins {
            let gone = if self.dice.one_in(2) { original } else { copy };
            self.trace.note(&format!("machine {gone} is thrown away"));
            self.kill(Who::Member(gone))?;
            let machine = self.machine(Who::Member(gone))?;
            machine.scrapped = true;
            let name = machine.name.clone();
            self.forget_acts_of(&name);
            let kept = if gone == original { copy } else { original };
            self.machine(Who::Member(kept))?.twin = None;
            self.move_wishes(gone, kept);
        }
        Ok(())
    }

    fn move_wishes(&mut self, gone: usize, kept: usize) {
        let wishes = self.wishes.iter_mut().filter(|(place, _)| *place == gone);
        wishes.for_each(|(place, _)| *place = kept);
    }

    /// The administrator of a node that cannot go on lets it ask to join again.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn decide(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        match answered(ready(lost(&node))?)? {
            Ok(true) => {}
            Ok(false) => return Ok("nothing lost".into()),
            Err(reason) => return Ok(reason.into()),
        }
        let asked = answered(ready(request::ask(&node, ADMINISTRATOR, EQUIPE))?)?;
        Ok(asked.map_or_else(str::to_owned, |()| {
            self.counts.count("requests to join again");
            "asked".to_owned()
        }))
    }

    /// Whose request is still open when everybody has approved what can be approved asks anew:
    /// the leaf that it names is gone, as the others' administrators say on the phone.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn ask_again(&mut self) -> Checked {
        for place in self.machines() {
            let member = |node: &Arc<Node>| self.rolls.is_member(&node.identity.node);
            let Some(node) = self.node(place).filter(member) else { continue };
            if ready(asks(&node))?? {
                let asked = answered(ready(request::ask(&node, ADMINISTRATOR, EQUIPE))?)?;
                self.trace.note(&format!("  member {place} asks anew: {asked:?}"));
            }
        }
        self.after()
    }

    /// Members whose disk is older than their membership: they know nothing of it.
    fn lost_members(&self) -> Checked<Vec<NodeId>> {
        let mut lost = Vec::new();
        for place in self.machines() {
            let Some(machine) = self.members.get(place) else { continue };
            let mut tx = ready(machine.disk.store().read())??;
            let row = ready(tx.equipes())??.into_iter().next();
            let knows = row.is_some_and(|row| row.state != Standing::Ended.as_str());
            if machine.aged && !knows && self.rolls.is_member(&machine.name) {
                lost.push(machine.name.clone());
            }
        }
        Ok(lost)
    }

    /// The others put out who knows nothing of its membership, so that it can come in again.
    /// Whether there was such a one.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn put_out_the_lost(&mut self) -> Checked<bool> {
        let mut any = false;
        for name in self.lost_members()? {
            if self.rolls.members().len() > 2 {
                self.counts.count("members put out to come in again");
                self.put_out(&name)?;
                self.rewound.insert(name);
                any = true;
            }
        }
        Ok(any)
    }

    /// Whether only two are left, of whom one knows nothing of the équipe: nobody else could
    /// put it out, so that they found another one.
    ///
    /// # Errors
    /// The store's.
    pub fn is_beyond_help(&self) -> Checked<bool> {
        Ok(self.rolls.members().len() <= 2 && !self.lost_members()?.is_empty())
    }

    /// An administrator approves that others join again.
    ///
    /// # Errors
    /// What the use case must not answer.
    pub fn approve(&mut self, place: usize) -> Checked<String> {
        let Some(node) = self.node(place) else { return Ok("down".into()) };
        let asking = match answered(ready(asking(&node))?)? {
            Ok(asking) => asking,
            Err(reason) => return Ok(reason.into()),
        };
        let mut words = String::new();
        for who in asking {
            let approved = ready(approve::approve(&node, ADMINISTRATOR, EQUIPE, &who))?;
            match answered(approved)? {
                Ok(_) => {
                    self.counts.count("approvals");
                    words = format!("{who} approved");
                }
                Err(reason) => words = format!("{who}: {reason}"),
            }
            self.after()?;
        }
        Ok(words)
    }

    /// Every machine that was put back or copied, and noticed it, is a member again or was
    /// told that it is none.
    ///
    /// # Errors
    /// One is not.
    pub fn check_copies(&self) -> Checked {
        for place in self.machines() {
            let Some(machine) = self.members.get(place) else { continue };
            let mut tx = ready(machine.disk.store().read())??;
            let row = ready(tx.equipes())??.into_iter().next();
            let standing = row.and_then(|row| Standing::parse(&row.state));
            let stuck = matches!(standing, Some(Standing::Quarantined | Standing::NeedsRejoin));
            if stuck && self.rolls.is_member(&machine.name) {
                return Err(Violation(format!("{} is {standing:?} for ever", machine.name)));
            }
        }
        Ok(())
    }
}

/// Whether a node that has lost its group asks the others.
async fn asks(node: &Node) -> Done<bool> {
    let mut tx = node.store.read().await?;
    let row = tx.equipes().await?.into_iter().next();
    Ok(row.is_some_and(|row| row.state == Standing::NeedsRejoin.as_str()))
}

/// Whether a node waits for its administrator's decision.
async fn lost(node: &Node) -> Done<bool> {
    let mut tx = node.store.read().await?;
    let Some(row) = tx.equipes().await?.into_iter().next() else { return Ok(false) };
    let alarms = tx.alarms(row.lineage).await?;
    let stands = |code| alarms.iter().any(|alarm| alarm.code == code);
    Ok(match Standing::parse(&row.state) {
        Some(Standing::Quarantined) => true,
        Some(Standing::Active) => {
            stands(AlarmCode::HubTrimmed) || stands(AlarmCode::WelcomeRefused)
        }
        Some(Standing::Ended) => stands(AlarmCode::WelcomeRefused),
        _ => false,
    })
}

/// Who asks this node's équipe to join again.
async fn asking(node: &Node) -> Done<Vec<NodeId>> {
    let mut tx = node.store.read().await?;
    let Some(row) = tx.equipes().await?.into_iter().next() else { return Ok(Vec::new()) };
    if row.state != Standing::Active.as_str() {
        return Ok(Vec::new());
    }
    let rows = tx.rejoins(row.lineage).await?;
    let others = rows.into_iter().filter(|row| row.node != node.identity.node && !row.approved);
    Ok(others.map(|row| row.node).collect())
}
