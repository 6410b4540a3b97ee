//! Three nodes and the calls between them: what the courier and the hub's API do, without
//! a network.

pub mod link;
mod machines;
pub mod place;
pub mod sight;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raccordo_core::alert::Alert;
use raccordo_core::crypto::Suite;
use raccordo_core::id::{LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::object::Kind;
use raccordo_node::app::alerts::{AlertHead, AlertView};
use raccordo_node::app::audit::Actor;
use raccordo_node::app::directory::Operator;
use raccordo_node::app::fault::{Done, Whose};
use raccordo_node::app::hub::Limits;
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::hub::append::{Appended, Handed, Outcome, append};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::receive::{Batch, Received, receive};
use raccordo_node::app::send::AppendCall;
use raccordo_node::app::share::Shared;
use raccordo_node::app::{Node, found, peers};
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::hub::LogRow;
use raccordo_node::store::memory::{MemoryStore, Snapshot};
use raccordo_node::store::outbox::{EntryRow, EntryState};

use link::{Link, Next, Sealed};
pub use place::Rows;
use place::{Place, StandingClock};

/// Name of the équipe of every story.
pub const EQUIPE: &str = "Toscana e Umbria";
/// The administrator of every node.
pub const ADMIN: Actor = Actor::Administrator(0);
/// Rounds after which a bench that still moves counts as stuck.
const ROUNDS_MAX: usize = 60;

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Toscana,
    Umbria,
    Relay,
}

pub use Who::{Relay, Toscana, Umbria};

/// The regions, which are members.
pub const REGIONS: [Who; 2] = [Toscana, Umbria];
const ALL: [Who; 3] = [Toscana, Umbria, Relay];

impl Who {
    fn name(self) -> &'static str {
        match self {
            Toscana => "toscana",
            Umbria => "umbria",
            Relay => place::RELAY,
        }
    }

    /// The node id.
    pub fn id(self) -> NodeId {
        self.name().parse().unwrap()
    }

    /// The other region.
    pub fn other(self) -> Self {
        if self == Toscana { Umbria } else { Toscana }
    }
}

/// Three nodes.
pub struct Bench {
    clock: Arc<StandingClock>,
    places: BTreeMap<Who, Place>,
    operators: BTreeMap<Who, Operator>,
    /// Everything that ever left a member.
    sealed: Mutex<Sealed>,
}

/// The disks of all three at one time.
pub struct Disks(Vec<(Who, Snapshot)>);

impl Bench {
    /// Three nodes that know nothing of each other.
    pub async fn strangers(rows: Rows) -> Self {
        let clock = Arc::new(StandingClock::begin());
        let mut places = BTreeMap::new();
        for who in ALL {
            places.insert(who, Place::new(&who.id(), rows, Limits::default(), &clock).await);
        }
        Self { clock, places, operators: BTreeMap::new(), sealed: Mutex::default() }
    }

    /// Three nodes that have verified each other by phone.
    pub async fn acquainted(rows: Rows) -> Self {
        let bench = Self::strangers(rows).await;
        for who in ALL {
            for peer in ALL.into_iter().filter(|peer| *peer != who) {
                bench.introduce(who, peer).await;
                bench.verify(who, peer).await;
            }
        }
        bench
    }

    /// Three nodes whose pact is signed by both and accepted by the hub.
    pub async fn agreed(rows: Rows, suite: Suite) -> Self {
        let mut bench = Self::acquainted(rows).await;
        bench.sign_and_propose(suite).await;
        bench.run().await;
        pacts::sign(bench.node(Umbria), ADMIN, Source::Named(EQUIPE.into())).await.unwrap();
        bench.run().await;
        accept::decide(bench.node(Relay), ADMIN, EQUIPE, Decision::Accept).await.unwrap();
        bench.run().await;
        bench
    }

    /// An équipe of both regions, with an operator in each.
    pub async fn founded(rows: Rows, suite: Suite) -> Self {
        let mut bench = Self::agreed(rows, suite).await;
        found::create(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
        bench.run().await;
        for who in REGIONS {
            let operator = sight::employ(bench.node(who)).await;
            bench.operators.insert(who, operator);
        }
        bench
    }

    /// The same in memory with the cheaper suite, for stories that are about neither.
    pub async fn ready() -> Self {
        Self::founded(Rows::Memory, Suite::Classical).await
    }

    /// Gives a peer's card to a node.
    pub async fn introduce(&self, who: Who, peer: Who) {
        let card = self.node(peer).identity.card();
        peers::add(self.node(who), ADMIN, card).await.unwrap();
    }

    /// Both read the code, and one types it.
    pub async fn verify(&self, who: Who, peer: Who) {
        let heard = peers::show(self.node(peer), &who.id()).await.map(|shown| shown.code);
        let heard = match heard {
            Ok(code) => code,
            Err(_) => peers::show(self.node(who), &peer.id()).await.unwrap().code,
        };
        peers::verify(self.node(who), ADMIN, &peer.id(), &heard).await.unwrap();
    }

    /// The chair drafts with examples, signs and proposes.
    pub async fn sign_and_propose(&self, suite: Suite) {
        let toscana = self.node(Toscana);
        let parties = REGIONS.map(Who::id);
        let text = pacts::draft(toscana, EQUIPE, &parties, &Relay.id(), true, suite.name()).await;
        pacts::sign(toscana, ADMIN, Source::Toml(text.unwrap())).await.unwrap();
        pacts::propose(toscana, ADMIN, EQUIPE, false).await.unwrap();
    }

    /// How many keys have sealed the messages that left members.
    pub fn keys_used(&self) -> usize {
        self.sealed.lock().unwrap().ratchets.count()
    }

    /// A node.
    pub fn node(&self, who: Who) -> &Node {
        self.places[&who].node()
    }

    /// The same, shared.
    pub fn shared(&self, who: Who) -> Arc<Node> {
        Arc::clone(self.places[&who].node())
    }

    /// The operator there.
    pub fn operator(&self, who: Who) -> &Operator {
        &self.operators[&who]
    }

    /// The disk of a node, to let it crash.
    pub fn disk(&self, who: Who) -> &MemoryStore {
        self.places[&who].disk()
    }

    /// How often a node was started.
    pub fn life(&self, who: Who) -> u32 {
        self.places[&who].life()
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        self.clock.pass(span);
    }

    /// Ends the process of a node and starts it again.
    pub async fn restart(&mut self, who: Who) {
        self.places.get_mut(&who).unwrap().restart(&self.clock).await;
    }

    /// The disks as they are.
    pub fn disks(&self) -> Disks {
        Disks(ALL.into_iter().map(|who| (who, self.disk(who).snapshot())).collect())
    }

    /// Puts the disks back, and starts all three again.
    pub async fn put_back(&mut self, disks: &Disks) {
        // With the hub's disk the whole world goes back.
        self.sealed = Mutex::default();
        for (who, snapshot) in &disks.0 {
            self.disk(*who).recover();
            self.disk(*who).restore(snapshot);
            self.restart(*who).await;
        }
    }

    /// Lets everybody work until nothing moves any more; who crashed is started again.
    pub async fn run(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for who in REGIONS {
                match self.turn(who).await {
                    Ok(worked) => moved |= worked,
                    Err(fault) if fault.reason == "crashed" => {
                        self.restart_crashed().await;
                        moved = true;
                    }
                    // A courier tries again.
                    Err(fault) if fault.whose == Whose::Unavailable => moved = true,
                    Err(fault) => panic!("{who:?}: {} {fault}", fault.reason),
                }
            }
            if !moved {
                return;
            }
        }
        panic!("still moving after {ROUNDS_MAX} rounds");
    }

    /// Starts again whoever has crashed.
    pub async fn restart_crashed(&mut self) {
        for who in ALL {
            if self.disk(who).crashed() {
                self.restart(who).await;
            }
        }
    }

    /// All rows of the log at the hub.
    pub async fn log(&self) -> Vec<LogRow> {
        let group = self.row(Toscana).await.group;
        let mut tx = self.node(Relay).store.read().await.unwrap();
        tx.log_after(group, Sequence(0), 10_000, u64::MAX >> 1).await.unwrap()
    }

    fn link(&self, who: Who) -> Link<'_> {
        let (node, relay) = (self.node(who), self.node(Relay));
        Link { node, relay, sealed: &self.sealed }
    }

    /// All that one node's courier does, once; whether anything was to be done.
    pub async fn turn(&self, who: Who) -> Done<bool> {
        let mut moved = self.link(who).errands().await?;
        moved |= self.read_mail(who).await?;
        moved |= self.send(who).await?;
        moved |= self.fetch(who).await?;
        Ok(moved)
    }

    /// Posts what waits for the hub.
    pub async fn post(&self, who: Who) -> Done<bool> {
        self.link(who).post().await
    }

    /// Takes what is in a node's mailbox.
    pub async fn read_mail(&self, who: Who) -> Done<bool> {
        self.link(who).read_mail().await
    }

    /// Packs, appends and settles until there is nothing to send.
    pub async fn send(&self, who: Who) -> Done<bool> {
        let mut moved = false;
        for lineage in self.lineages(who).await? {
            moved |= self.link(who).send(lineage).await?;
        }
        Ok(moved)
    }

    /// One call to the hub, with its answer; whether there was anything to send.
    pub async fn append_once(&self, who: Who, lineage: LineageId) -> Done<bool> {
        self.link(who).append_once(lineage).await
    }

    /// A member's call to the hub, of which the bench notes what is encrypted in it.
    pub async fn append(&self, who: Who, lineage: LineageId, call: AppendCall) -> Done<Appended> {
        self.link(who).append(lineage, call).await
    }

    /// Reads the log to its end.
    pub async fn fetch(&self, who: Who) -> Done<bool> {
        let mut moved = false;
        for lineage in self.lineages(who).await? {
            while let Some(batch) = self.batch(who, lineage).await? {
                match receive(self.node(who), &batch).await? {
                    Received::At(_) => moved = true,
                    Received::Gap(_) | Received::Stopped => break,
                }
            }
        }
        Ok(moved)
    }

    /// What stands in the log after a node's cursor.
    pub async fn batch(&self, who: Who, lineage: LineageId) -> Done<Option<Batch>> {
        match self.link(who).next(lineage).await? {
            Next::Batch(batch) => Ok(Some(batch)),
            Next::Nothing | Next::Ended(_) => Ok(None),
        }
    }

    async fn lineages(&self, who: Who) -> Done<Vec<LineageId>> {
        let rows = self.node(who).store.read().await?.equipes().await?;
        Ok(rows.into_iter().map(|row| row.lineage).collect())
    }

    /// The équipe at a region.
    pub async fn row(&self, who: Who) -> EquipeRow {
        sight::row(self.node(who)).await
    }

    /// The lineage of the équipe.
    pub async fn lineage(&self) -> LineageId {
        self.row(Toscana).await.lineage
    }

    /// A region's entries in a state.
    pub async fn entries(&self, who: Who, state: EntryState) -> Vec<EntryRow> {
        sight::entries(self.node(who), state).await
    }

    /// Codes of the alarms at a region.
    pub async fn alarms(&self, who: Who) -> Vec<String> {
        sight::alarms(self.node(who)).await
    }

    /// What a region has set aside: place and reason.
    pub async fn set_aside(&self, who: Who) -> Vec<(Sequence, String)> {
        sight::set_aside(self.node(who)).await
    }

    /// Synthetic alerts, each with an id of its own, so that sharing can be repeated.
    pub fn samples(&self, who: Who, kind: Kind, count: usize) -> Vec<Alert> {
        sight::samples(self.node(who), kind, count)
    }

    /// The operator of a region shares alerts.
    pub async fn share(&self, who: Who, alerts: Vec<Alert>) -> Done<Shared> {
        sight::share_all(self.node(who), self.operator(who), EQUIPE, alerts).await
    }

    /// The same with synthetic alerts; their ids.
    pub async fn share_samples(&self, who: Who, kind: Kind, count: usize) -> Vec<ObjectId> {
        sight::ids(self.share(who, self.samples(who, kind, count)).await.unwrap())
    }

    /// Everything that the operator of a region sees, in order.
    pub async fn listed(&self, who: Who) -> Vec<AlertView> {
        let listed = sight::listed(self.node(who), self.operator(who), EQUIPE);
        self.places[&who].spared(listed).await
    }

    /// One alert as the operator of a region sees it, without what it says.
    pub async fn seen(&self, who: Who, object: ObjectId) -> AlertHead {
        sight::head(self.node(who), self.operator(who), object).await
    }

    /// Both regions stand at one place and agree on everything; nothing waits or is broken.
    pub async fn assert_agreement(&self) {
        sight::assert_same(&self.row(Toscana).await, &self.row(Umbria).await, "umbria");
        for who in REGIONS {
            sight::assert_settled(self.node(who)).await;
        }
    }

    /// The other region has exactly these alerts of a region, once each, decrypted.
    pub async fn assert_arrived(&self, from: Who, objects: &[ObjectId]) {
        let (listed, all) = (self.listed(from.other()).await, self.listed(from).await);
        let mut arrived: Vec<ObjectId> = Vec::new();
        for view in listed.iter().filter(|view| view.row.origin == from.id()) {
            let own = all.iter().find(|own| own.row.object == view.row.object).unwrap();
            assert_eq!(view.share, own.share);
            assert_eq!(view.author, own.author);
            arrived.push(view.row.object);
        }
        assert_eq!(arrived, objects);
    }

    /// Hands entries to the hub as a region, past its own node.
    pub async fn hand(&self, who: Who, handed: Handed) -> Outcome {
        let group = self.row(who).await.group;
        let answer = append(self.node(Relay), &who.id(), group, vec![handed]).await.unwrap();
        answer.outcomes.into_iter().next().unwrap().1
    }
}
