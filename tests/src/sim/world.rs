//! The federation and its steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use raccordo_core::codes::CodeLists;
use raccordo_core::id::{GroupId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::invariant::{Agreement, Ciphertexts};
use raccordo_node::app::Node;
use raccordo_node::store::memory::CrashPoint;

use super::chance::Dice;
use super::clock::WorldTime;
use super::link::{Network, SimLink};
use super::machine::Machine;
use super::operators::Wish;
use super::report::{Counts, Failure, Report};
use super::trace::Trace;
use super::{Checked, Plan, Violation};

/// Name of the équipe.
pub const EQUIPE: &str = "centro";
/// Names of the members; the first is the chair.
const MEMBERS: [&str; 3] = ["toscana", "umbria", "lazio"];
/// How wrong the members' clocks go, and the hub's.
const SKEWS_MS: [i64; 3] = [0, -90_000, 75_000];
const HUB_SKEW_MS: i64 = 40_000;
/// Rounds after which a healed federation must be quiet.
const ROUNDS_MAX: u32 = 200;

/// One of the machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The hub.
    Hub,
    /// A member, by place.
    Member(usize),
}

/// The federation, and all that is known of it from outside.
pub struct World {
    /// What it was made from.
    pub plan: Plan,
    /// The scheduler's.
    pub dice: Dice,
    /// The time everywhere.
    pub time: WorldTime,
    /// The code lists everywhere.
    pub lists: CodeLists,
    /// Between members and hub.
    pub network: Arc<Network>,
    /// The hub.
    pub hub: Machine,
    /// The members.
    pub members: Vec<Machine>,
    /// The équipe, once it is drafted.
    pub lineage: Option<LineageId>,
    /// Its group, once the hub has it.
    pub group: Option<GroupId>,
    /// What the members' people still want to share.
    pub wishes: Vec<(usize, Wish)>,
    /// Whether all that is still wished is shared now.
    pub share_at_last: bool,
    /// What was shared, by whom.
    pub shared: BTreeMap<ObjectId, NodeId>,
    /// What was withdrawn.
    pub withdrawn: BTreeSet<ObjectId>,
    /// What was opened, by whom.
    pub opened: BTreeSet<(ObjectId, NodeId)>,
    /// What was perhaps opened besides: the answer was lost in a crash.
    pub perhaps_opened: BTreeSet<ObjectId>,
    /// Newest entry of the log that was looked at.
    pub log_seen: Sequence,
    /// Version of each member's équipe that was looked at.
    pub versions_seen: BTreeMap<NodeId, u64>,
    /// Invariant 3.
    pub agreement: Agreement,
    /// Invariant 2.
    pub ciphertexts: Ciphertexts,
    /// What happened.
    pub trace: Trace,
    /// How often.
    pub counts: Counts,
}

fn node(name: &str) -> Checked<NodeId> {
    name.parse().map_err(|_| Violation::new("a bad node id"))
}

impl World {
    /// Machines with empty disks.
    ///
    /// # Errors
    /// Never in practice.
    pub fn new(plan: Plan) -> Checked<Self> {
        let lists = CodeLists::builtin();
        let time = WorldTime::default();
        let machine = |name: &str, hub, skew| -> Checked<Machine> {
            Ok(Machine::new(plan.seed, node(name)?, hub, time.clock(skew), &lists))
        };
        let hub = machine("relay", true, HUB_SKEW_MS)?;
        let members = MEMBERS.iter().zip(SKEWS_MS);
        let members = members.map(|(name, skew)| machine(name, false, skew));
        let members = members.collect::<Checked<Vec<_>>>()?;
        let wishes = Wish::some(plan.seed, members.len());
        Ok(Self {
            plan,
            dice: Dice::new(&format!("seed {}, schedule", plan.seed)),
            network: Arc::new(Network::new(plan.seed)),
            hub,
            members,
            time,
            lists,
            lineage: None,
            group: None,
            wishes,
            share_at_last: false,
            shared: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            opened: BTreeSet::new(),
            perhaps_opened: BTreeSet::new(),
            log_seen: Sequence(0),
            versions_seen: BTreeMap::new(),
            agreement: Agreement::default(),
            ciphertexts: Ciphertexts::default(),
            trace: Trace::default(),
            counts: Counts::default(),
        })
    }

    /// From empty disks to the last check.
    ///
    /// # Errors
    /// The first thing that did not hold.
    pub fn live(&mut self) -> Checked {
        self.prepare()?;
        if self.plan.founded_in_peace() {
            self.network.heal();
            self.until_quiet()?;
            self.network.disturb();
        }
        for _ in 0..self.plan.steps {
            self.step()?;
        }
        self.heal()?;
        self.end()
    }

    /// What came of it.
    pub fn report(&self) -> Report {
        let mut counts = self.counts.clone();
        counts.add_all(&self.network.counts());
        Report { seed: self.plan.seed, counts, digest: self.trace.digest() }
    }

    /// What did not hold.
    pub fn failure(&self, violation: Violation) -> Failure {
        let (last, digest) = (self.trace.last(), self.trace.digest());
        Failure { seed: self.plan.seed, violation, last, digest }
    }

    /// A machine.
    pub fn machine(&mut self, who: Who) -> Checked<&mut Machine> {
        match who {
            Who::Hub => Ok(&mut self.hub),
            Who::Member(place) => {
                let machine = self.members.get_mut(place);
                machine.ok_or_else(|| Violation::new("there is no such member"))
            }
        }
    }

    /// The node that runs on a member's machine; none while it is down.
    pub fn node(&self, place: usize) -> Option<Arc<Node>> {
        self.members.get(place).and_then(Machine::node)
    }

    /// A member's way to the hub.
    ///
    /// # Errors
    /// Never in practice.
    pub fn link(&mut self, place: usize) -> Checked<SimLink> {
        let network = self.network.clone();
        let machine = self.machine(Who::Member(place))?;
        Ok(SimLink { caller: machine.name.clone(), store: machine.store.clone(), network })
    }

    /// Starts a process.
    ///
    /// # Errors
    /// The node cannot start.
    pub fn boot(&mut self, who: Who) -> Checked {
        let machine = self.machine(who)?;
        machine.boot()?;
        if who == Who::Hub {
            let node = machine.node();
            self.network.serve(node);
        }
        Ok(())
    }

    /// Ends a process in the middle of whatever it does.
    ///
    /// # Errors
    /// Never in practice.
    pub fn kill(&mut self, who: Who) -> Checked {
        if who == Who::Hub {
            self.network.serve(None);
        }
        self.machine(who)?.process = None;
        Ok(())
    }

    /// Lets a coming commit of a machine's process be its last.
    ///
    /// # Errors
    /// Never in practice.
    pub fn arm(&mut self, who: Who) -> Checked<String> {
        let commits = self.dice.below(4) + 1;
        let points = [CrashPoint::BeforeCommit, CrashPoint::AfterCommit];
        let point = self.dice.pick(&points).copied().unwrap_or(CrashPoint::BeforeCommit);
        self.machine(who)?.store.crash_after(commits, point);
        Ok(format!("{point:?} {commits}"))
    }

    /// After each step: looks at what it did, and ends whom a crash has met. A crash that
    /// only the database felt leaves the process running.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn after(&mut self) -> Checked {
        self.network.check()?;
        let places = (0..self.members.len()).map(Who::Member);
        for who in places.chain([Who::Hub]) {
            let store = self.machine(who)?.store.clone();
            let crashed = store.crashed();
            if crashed {
                store.recover();
            }
            match who {
                Who::Hub => self.watch_hub()?,
                Who::Member(place) => self.watch_member(place)?,
            }
            if crashed && self.dice.one_in(4) {
                self.counts.count("failed commits");
                self.trace.note(&format!("  {who:?}: a commit failed, the process goes on"));
            } else if crashed {
                self.counts.count("crashes at a commit");
                self.trace.note(&format!("  {who:?}: crashed at a commit"));
                self.kill(who)?;
            }
        }
        Ok(())
    }

    /// Everything runs, nothing goes wrong any more, until nothing is left to be done.
    fn heal(&mut self) -> Checked {
        self.trace.note("all faults are healed");
        self.network.heal();
        self.hub.store.recover();
        self.members.iter().for_each(|member| member.store.recover());
        self.share_at_last = true;
        self.until_quiet()?;
        self.trace.note("days pass");
        self.time.pass(Duration::from_secs(3 * 24 * 3600));
        self.until_quiet()
    }

    /// Everybody does what there is to do, round after round.
    fn until_quiet(&mut self) -> Checked {
        let mut quiet = 0;
        for _ in 0..ROUNDS_MAX {
            let before = self.fingerprint()?;
            self.round()?;
            self.time.pass(Duration::from_secs(2));
            quiet = if before == self.fingerprint()? { quiet + 1 } else { 0 };
            if quiet == 3 {
                return Ok(());
            }
        }
        Err(Violation::new("the healed federation does not become quiet"))
    }

    fn round(&mut self) -> Checked {
        if self.hub.process.is_none() {
            self.boot(Who::Hub)?;
        }
        while self.network.ghosts() > 0 {
            self.arrive()?;
        }
        self.accept_at_hub()?;
        for place in 0..self.members.len() {
            if self.node(place).is_none() {
                self.boot(Who::Member(place))?;
            }
            self.finish_tasks(place)?;
            self.trust_all(place)?;
            self.administer(place)?;
            if self.share_at_last {
                self.share_all(place)?;
            }
            self.expire(place)?;
            self.run_all(place)?;
            self.after()?;
        }
        Ok(())
    }
}
