//! Which steps there are, and how likely each is.

use std::time::Duration;

use super::Checked;
use super::machine::Task;
use super::world::{Who, World};

/// One step of the federation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// A process starts.
    Boot(Who),
    /// A process is ended in the middle of what it does.
    Kill(Who),
    /// A coming commit will be the last.
    Arm(Who),
    /// A task that waits goes on.
    GoOn(usize, Task),
    /// A member sends.
    Send(usize),
    /// A member runs its errands.
    Errands(usize),
    /// A member subscribes.
    Subscribe(usize),
    /// A member's subscription breaks.
    Disconnect(usize),
    /// What is new reaches a member.
    Fetch(usize),
    /// A member takes an item.
    Take(usize),
    /// A member tells the hub what it has.
    Confirm(usize),
    /// A member's administrator does what is next.
    Administer(usize),
    /// A member's administrator begins a change.
    Change(usize),
    /// A member's administrator signs a change.
    Sign(usize),
    /// A member's administrator asks for new keys.
    RenewKeys(usize),
    /// A member's administrator tries what it may not.
    Usurp(usize),
    /// An administrator decides that its node asks to join again.
    Decide(usize),
    /// An administrator approves that another node joins again.
    Approve(usize),
    /// A disk is copied.
    KeepDisk(usize),
    /// A disk is put back as it was.
    PutBack(usize),
    /// A copy of a disk comes alive.
    Copy(usize),
    /// One of two copies is thrown away.
    SettleCopies,
    /// The hub begins to lie.
    Lie,
    /// A member is cut off.
    Part(usize),
    /// It can be reached again.
    Rejoin(usize),
    /// A member says where it stands, if that is due.
    Look(usize),
    /// An operator shares.
    Share(usize),
    /// An operator withdraws.
    Withdraw(usize),
    /// An operator opens an alert.
    Open(usize),
    /// An operator enters a person.
    Meet(usize),
    /// An administrator replaces the keys.
    Rekey(usize),
    /// A member cheats where keys or tokens are made.
    Cheat(usize),
    /// A member says what is not so.
    Deceive(usize),
    /// A member commits though nothing calls for it.
    Update(usize),
    /// A member's trust in another changes.
    Trust(usize),
    /// A member erases what has expired.
    Expire(usize),
    /// The hub's administrator accepts.
    Accept,
    /// A late call arrives.
    Arrive,
    /// Time passes.
    Pass,
}

impl World {
    /// Takes one step.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn step(&mut self) -> Checked {
        let moves = self.moves();
        let Some(chosen) = self.dice.weighted(&moves).copied() else { return Ok(()) };
        let what = self.make(chosen)?;
        self.trace.note(&format!("{chosen:?} {what}"));
        self.after()
    }

    fn moves(&self) -> Vec<(u64, Move)> {
        let mut moves = vec![(4, Move::Pass)];
        if self.hub.process.is_some() {
            moves.extend([(1, Move::Kill(Who::Hub)), (1, Move::Arm(Who::Hub)), (2, Move::Accept)]);
        } else {
            moves.push((30, Move::Boot(Who::Hub)));
        }
        if self.network.ghosts() > 0 {
            moves.push((8, Move::Arrive));
        }
        if self.plan.lies() && self.liar.is_none() && self.steps_left < self.plan.steps() / 2 {
            moves.push((6, Move::Lie));
        }
        if self.members.iter().any(|machine| machine.twin.is_some()) {
            moves.push((1, Move::SettleCopies));
        }
        for place in self.machines() {
            self.moves_of(place, &mut moves);
        }
        moves
    }

    fn moves_of(&self, place: usize, moves: &mut Vec<(u64, Move)>) {
        let who = Who::Member(place);
        let Some(machine) = self.members.get(place) else { return };
        let Some(process) = &machine.process else {
            moves.push((20, Move::Boot(who)));
            return;
        };
        moves.extend([
            (1, Move::Kill(who)),
            (1, Move::Arm(who)),
            (4, Move::Share(place)),
            (2, Move::Withdraw(place)),
            (2, Move::Open(place)),
            (1, Move::Update(place)),
            (1, Move::Meet(place)),
            (1, Move::Expire(place)),
            (1, Move::Look(place)),
        ]);
        // Who is in the équipe has few errands.
        let joined = self.versions_seen.contains_key(&place);
        if joined {
            moves.extend([(1, Move::Trust(place)), (6, Move::Sign(place))]);
            moves.push((1, Move::Rekey(place)));
            if self.plan.cheats() {
                moves.push((2, Move::Cheat(place)));
            }
            if self.plan.deceives() {
                moves.push((2, Move::Deceive(place)));
            }
            if self.changes_left > 0 && self.rolls.members().len() > 1 {
                moves.extend([(2, Move::Change(place)), (1, Move::Usurp(place))]);
                moves.push((1, Move::RenewKeys(place)));
            }
        } else {
            moves.push((2, Move::Administer(place)));
        }
        if self.network.is_parted(&machine.name) {
            moves.push((4, Move::Rejoin(place)));
        } else if !self.network.anybody_parted() {
            moves.push((1, Move::Part(place)));
        }
        self.moves_of_disk(place, moves);
        for (task, _) in &process.tasks {
            moves.push((15, Move::GoOn(place, *task)));
        }
        if !machine.runs(Task::Outbox) {
            moves.push((12, Move::Send(place)));
        }
        if !machine.runs(Task::Errands) {
            moves.push((if joined && place > 0 { 1 } else { 5 }, Move::Errands(place)));
        }
        match &process.feed {
            None => moves.push((15, Move::Subscribe(place))),
            Some(feed) => {
                moves.push((1, Move::Disconnect(place)));
                moves.push((12, Move::Fetch(place)));
                if !feed.items.is_empty() && !machine.runs(Task::Inbox) {
                    moves.push((20, Move::Take(place)));
                }
            }
        }
        if process.untold.is_some() && !machine.runs(Task::Inbox) {
            moves.push((6, Move::Confirm(place)));
        }
    }

    fn moves_of_disk(&self, place: usize, moves: &mut Vec<(u64, Move)>) {
        if !self.plan.loses_disks() {
            return;
        }
        moves.extend([(1, Move::Decide(place)), (2, Move::Approve(place))]);
        if !self.may_lose_disk() {
            return;
        }
        let kept = self.members.get(place).is_some_and(|machine| machine.past.is_some());
        moves.push((1, Move::KeepDisk(place)));
        if kept {
            moves.extend([(2, Move::PutBack(place)), (1, Move::Copy(place))]);
        }
    }

    fn make(&mut self, chosen: Move) -> Checked<String> {
        match chosen {
            Move::Boot(who) => self.boot(who).map(|()| String::new()),
            Move::Kill(who) => {
                self.counts.count("kills");
                self.kill(who).map(|()| String::new())
            }
            Move::Arm(who) => self.arm(who),
            Move::GoOn(place, task) => self.go_on(place, task),
            Move::Send(place) => self.send(place),
            Move::Errands(place) => self.errands(place),
            Move::Subscribe(place) => self.subscribe(place),
            Move::Disconnect(place) => self.disconnect(place),
            Move::Fetch(place) => self.fetch(place),
            Move::Take(place) => self.take(place),
            Move::Confirm(place) => self.confirm(place),
            Move::Administer(place) => self.administer(place),
            Move::Change(place) => self.change(place),
            Move::Sign(place) => self.sign(place),
            Move::RenewKeys(place) => self.renew_keys(place),
            Move::Usurp(place) => self.usurp(place),
            Move::Decide(place) => self.decide(place),
            Move::Approve(place) => self.approve(place),
            Move::KeepDisk(place) => self.keep_disk(place),
            Move::PutBack(place) => self.put_back(place),
            Move::Copy(place) => self.copy(place),
            Move::SettleCopies => self.settle_copies().map(|()| String::new()),
            Move::Lie => self.begin_lying(),
            Move::Part(place) => self.part(place, true),
            Move::Rejoin(place) => self.part(place, false),
            Move::Look(place) => self.look(place),
            Move::Share(place) => self.share(place),
            Move::Withdraw(place) => self.withdraw(place),
            Move::Open(place) => self.open(place),
            Move::Meet(place) => self.meet(place),
            Move::Rekey(place) => self.rekey(place),
            Move::Cheat(place) => self.cheat(place),
            Move::Deceive(place) => self.deceive(place),
            Move::Update(place) => self.update(place),
            Move::Trust(place) => self.trust(place),
            Move::Expire(place) => self.expire(place),
            Move::Accept => self.accept_at_hub(),
            Move::Arrive => self.arrive(),
            Move::Pass => Ok(self.pass()),
        }
    }

    /// Mostly a moment, seldom a day; never so many that mail or cards expire.
    fn pass(&mut self) -> String {
        let spans = [(40, 200), (20, 5_000), (10, 600_000), (6, 90_000_000)];
        let millis = self.dice.weighted(&spans).copied().unwrap_or(1);
        let millis = self.dice.below(millis);
        if self.time.passed() < Duration::from_secs(20 * 24 * 3600) {
            self.time.pass(Duration::from_millis(millis));
        }
        format!("{millis} ms")
    }
}
