//! The federation, and all that is known of it from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use raccordo_core::codes::CodeLists;
use raccordo_core::id::{GroupId, LineageId, NodeId, ObjectId, RecordId, Sequence};
use raccordo_core::invariant::{Agreement, Ciphertexts};
use raccordo_core::pseudonym::token::TOKEN_BYTES;
use raccordo_node::app::Node;
use raccordo_node::store::mishap::CrashPoint;

use super::chance::Dice;
use super::clock::WorldTime;
use super::liar::Liar;
use super::link::{Network, SimLink};
use super::machine::Machine;
use super::operators::Wish;
use super::report::{Counts, Failure, Report};
use super::rolls::Rolls;
use super::tokens::Made;
use super::trace::Trace;
use super::{Checked, Plan, Violation};

/// Name of the équipe.
pub const EQUIPE: &str = "centro";
/// Names of the nodes; the first founds as chair.
const NODES: [&str; 12] = [
    "toscana",
    "umbria",
    "lazio",
    "marche",
    "abruzzo",
    "molise",
    "campania",
    "puglia",
    "basilicata",
    "calabria",
    "sicilia",
    "sardegna",
];
/// How wrong the members' clocks go, in turn, and the hub's.
const SKEWS_MS: [i64; 5] = [0, -90_000, 75_000, 20_000, -35_000];
const HUB_SKEW_MS: i64 = 40_000;

/// The most nodes of one run.
pub const NODES_MAX: usize = NODES.len();

/// One of the machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The hub.
    Hub,
    /// A node's machine, by place.
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
    /// The nodes' machines.
    pub members: Vec<Machine>,
    /// The équipe, once it is drafted.
    pub lineage: Option<LineageId>,
    /// Its group, once the hub has it.
    pub group: Option<GroupId>,
    /// Who was a member when, as the hub's log says.
    pub rolls: Rolls,
    /// Changes of membership that are still to be begun.
    pub changes_left: usize,
    /// Nodes that have begun to leave since they were last added.
    pub leaving: BTreeSet<NodeId>,
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
    /// Whom operators entered, as which record of which node.
    pub people: BTreeMap<(NodeId, RecordId), usize>,
    /// What was made of them.
    pub tokens: BTreeMap<Made, BTreeSet<[u8; TOKEN_BYTES]>>,
    /// Members that have cheated.
    pub cheaters: BTreeSet<NodeId>,
    /// Members that have said what was not so.
    pub deceivers: BTreeSet<NodeId>,
    /// The hub that lies, once it has begun to.
    pub liar: Option<Liar>,
    /// Steps until all faults are healed.
    pub steps_left: usize,
    /// Disks that were lost so far.
    pub losses: u64,
    /// Nodes whose disk was put back, or copied.
    pub rewound: BTreeSet<NodeId>,
    /// Newest entry of the log that was looked at.
    pub log_seen: Sequence,
    /// Version of the équipe that was looked at, by machine.
    pub versions_seen: BTreeMap<usize, u64>,
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
            Machine::new((plan.seed, plan.storage), node(name)?, hub, time.clock(skew), &lists)
        };
        let hub = machine("relay", true, HUB_SKEW_MS)?;
        let members = NODES.iter().zip(SKEWS_MS.iter().cycle()).take(plan.size.nodes);
        let members = members.map(|(name, skew)| machine(name, false, *skew));
        let members = members.collect::<Checked<Vec<_>>>()?;
        let wishes = Wish::some(&plan);
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
            rolls: Rolls::default(),
            changes_left: plan.size.changes,
            leaving: BTreeSet::new(),
            wishes,
            share_at_last: false,
            shared: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            opened: BTreeSet::new(),
            perhaps_opened: BTreeSet::new(),
            people: BTreeMap::new(),
            tokens: BTreeMap::new(),
            cheaters: BTreeSet::new(),
            deceivers: BTreeSet::new(),
            liar: None,
            steps_left: plan.steps(),
            losses: 0,
            rewound: BTreeSet::new(),
            log_seen: Sequence(0),
            versions_seen: BTreeMap::new(),
            agreement: Agreement::default(),
            ciphertexts: Ciphertexts::default(),
            trace: Trace::default(),
            counts: Counts::default(),
        })
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
        let Plan { seed, storage, .. } = self.plan;
        Failure { seed, storage, violation, last, digest }
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
        Ok(SimLink { caller: machine.name.clone(), store: machine.disk.store(), network })
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
        self.machine(who)?.disk.crash_after(commits, point);
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
            let disk = self.machine(who)?.disk.clone();
            let crashed = disk.crashed();
            if crashed {
                disk.recover();
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
}
