//! Many nodes and a relay, for stories about who is in: the calls between them are those of
//! the [`crate::bench`], by number instead of by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raccordo_core::crypto::Suite;
use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::object::Kind;
use raccordo_core::trust::state::TrustState;
use raccordo_core::vault::Vault;
use raccordo_node::app::alerts::AlertView;
use raccordo_node::app::directory::Operator;
use raccordo_node::app::fault::Done;
use raccordo_node::app::hub::Limits;
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::receive::{Received, receive};
use raccordo_node::app::share::Shared;
use raccordo_node::app::{Node, audit_chain, found, peers, pseudonym};
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::memory::{MemoryStore, Snapshot};
use raccordo_node::store::peer::PeerRow;

use crate::bench::link::{Link, Next, Sealed};
use crate::bench::place::{Place, RELAY, Rows, StandingClock};
use crate::bench::{ADMIN, sight};

/// Name of the équipe of every story.
pub const EQUIPE: &str = "Dorsale";
const NAMES: [&str; 5] = ["toscana", "umbria", "lazio", "marche", "molise"];
const ROUNDS_MAX: usize = 200;

/// The relay, where a number names any node.
pub const HUB: usize = usize::MAX;

/// The disks of all at one time.
pub struct Disks(Vec<(usize, Snapshot)>);

/// The members by number, and a relay.
pub struct Many {
    pub clock: Arc<StandingClock>,
    places: Vec<Place>,
    relay: Place,
    operators: Vec<Option<Operator>>,
    /// Everything that ever left a member.
    sealed: Mutex<Sealed>,
    /// Members that look after keys and tokens.
    pub keyed: BTreeSet<usize>,
    /// Members whose couriers stand still.
    pub away: BTreeSet<usize>,
    /// Members that read their mail, and not the log.
    pub behind: BTreeSet<usize>,
    /// What the hub said when it served a log no longer.
    pub ended: BTreeMap<usize, &'static str>,
}

/// The id of a member.
pub fn id(member: usize) -> NodeId {
    match NAMES.get(member) {
        Some(name) => name.parse().unwrap(),
        None => format!("regione-{member:02}").parse().unwrap(),
    }
}

fn relay_id() -> NodeId {
    RELAY.parse().unwrap()
}

impl Many {
    /// So many nodes and a relay that have all verified each other.
    async fn acquainted(rows: Rows, count: usize) -> Self {
        let clock = Arc::new(StandingClock::begin());
        let limits = Limits { entries_per_minute_max: u32::MAX, ..Limits::default() };
        let mut places = Vec::new();
        for member in (0..count).map(id).chain([relay_id()]) {
            places.push(Place::new(&member, rows, limits, &clock).await);
        }
        for place in &places {
            for peer in places.iter().map(|peer| &peer.node().identity) {
                if peer.node != place.node().identity.node {
                    let known = peers::add(place.node(), ADMIN, peer.card()).await.unwrap();
                    peers::verify(place.node(), ADMIN, &peer.node, &known.code).await.unwrap();
                }
            }
        }
        let relay = places.pop().unwrap();
        let operators = (0..count).map(|_| None).collect();
        let (away, behind, ended) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        let (sealed, keyed) = (Mutex::default(), BTreeSet::new());
        Self { clock, places, relay, operators, sealed, keyed, away, behind, ended }
    }

    /// An équipe of the first `parties` of `count` nodes, chaired by the first.
    pub async fn founded(parties: usize, count: usize) -> Self {
        Self::founded_on(Rows::Memory, parties, count).await
    }

    /// The same, where it matters what is on the disks.
    pub async fn founded_on(rows: Rows, parties: usize, count: usize) -> Self {
        let mut many = Self::proposed(rows, parties, count).await;
        for member in 1..parties {
            many.sign(member).await;
        }
        many.found().await;
        many
    }

    /// As many nodes, of which the first has signed the pact and the parties have it.
    pub async fn proposed(rows: Rows, parties: usize, count: usize) -> Self {
        let mut many = Self::acquainted(rows, count).await;
        let named: Vec<NodeId> = (0..parties).map(id).collect();
        let chair = many.node(0);
        let suite = Suite::Classical.name();
        let text = pacts::draft(chair, EQUIPE, &named, &relay_id(), true, suite).await.unwrap();
        pacts::sign(chair, ADMIN, Source::Toml(text)).await.unwrap();
        pacts::propose(chair, ADMIN, EQUIPE, false).await.unwrap();
        many.run().await;
        many
    }

    /// What is left once all have signed.
    pub async fn found(&mut self) {
        self.run().await;
        accept::decide(self.relay(), ADMIN, EQUIPE, Decision::Accept).await.unwrap();
        self.run().await;
        found::create(self.node(0), ADMIN, EQUIPE).await.unwrap();
        self.run().await;
        for member in 0..self.places.len() {
            self.operators[member] = Some(sight::employ(self.node(member)).await);
        }
    }

    /// The same, where all look after keys and tokens, and have made the first ones.
    pub async fn keyed(parties: usize, count: usize) -> Self {
        let mut many = Self::founded(parties, count).await;
        many.keyed = (0..count).collect();
        many.run().await;
        many
    }

    fn place(&self, who: usize) -> &Place {
        if who == HUB { &self.relay } else { &self.places[who] }
    }

    /// A node.
    pub fn node(&self, who: usize) -> &Node {
        self.place(who).node()
    }

    /// The same, for who keeps it.
    pub fn shared_node(&self, who: usize) -> Arc<Node> {
        Arc::clone(self.place(who).node())
    }

    /// The hub.
    pub fn relay(&self) -> &Node {
        self.relay.node()
    }

    /// The hub's administrator has not compared the words of a member: it is known there by the
    /// équipe alone.
    pub async fn know_by_equipe_alone(&self, member: usize) {
        let mut tx = self.relay().store.write().await.unwrap();
        let known = tx.peer(&id(member)).await.unwrap().unwrap();
        tx.put_peer(PeerRow { state: TrustState::Introduced, ..known }).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Signs what waits under the équipe's name.
    pub async fn sign(&self, member: usize) {
        pacts::sign(self.node(member), ADMIN, Source::Named(EQUIPE.into())).await.unwrap();
    }

    /// The operator of a member.
    pub fn operator(&self, member: usize) -> &Operator {
        self.operators[member].as_ref().unwrap()
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        self.clock.pass(span);
    }

    /// Ends the process of a node and starts it again.
    pub async fn restart(&mut self, who: usize) {
        let place = if who == HUB { &mut self.relay } else { &mut self.places[who] };
        place.restart(&self.clock).await;
    }

    /// How often a node was started.
    pub fn life(&self, who: usize) -> u32 {
        self.place(who).life()
    }

    /// All members and the hub.
    pub fn everybody(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.places.len()).chain([HUB])
    }

    /// Starts again whoever has crashed.
    pub async fn restart_crashed(&mut self) {
        for who in self.everybody() {
            if self.disk(who).crashed() {
                self.restart(who).await;
            }
        }
    }

    /// What people do at a node; they do it again where the node crashed in it.
    pub async fn act<T>(&mut self, member: usize, act: impl AsyncFn(&Node) -> Done<T>) -> T {
        match act(self.node(member)).await {
            Err(fault) if fault.reason == "crashed" => {
                self.restart_crashed().await;
                act(self.node(member)).await.unwrap()
            }
            done => done.unwrap(),
        }
    }

    /// Lets everybody who is there work until nothing moves any more; who crashed is started
    /// again.
    pub async fn run(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for member in 0..self.places.len() {
                if self.away.contains(&member) {
                    continue;
                }
                match self.turn(member).await {
                    Ok(worked) => moved |= worked,
                    Err(fault) if fault.reason == "crashed" => {
                        self.restart_crashed().await;
                        moved = true;
                    }
                    Err(fault) => panic!("{}: {} {fault}", id(member), fault.reason),
                }
            }
            if !moved {
                return;
            }
        }
        panic!("still moving after {ROUNDS_MAX} rounds");
    }

    fn link(&self, member: usize) -> Link<'_> {
        Link { node: self.node(member), relay: self.relay(), sealed: &self.sealed }
    }

    /// All that one courier does, once.
    pub async fn turn(&mut self, member: usize) -> Done<bool> {
        let mut moved = self.errands(member).await?;
        moved |= self.link(member).read_mail().await?;
        moved |= self.send(member).await?;
        if !self.behind.contains(&member) {
            moved |= self.fetch(member).await?;
        }
        Ok(moved)
    }

    /// Posts what waits for the hub, and nothing else.
    pub async fn post(&self, member: usize) {
        self.link(member).post().await.unwrap();
    }

    /// Takes what is in the mailbox, and nothing else.
    pub async fn read_mail(&self, member: usize) {
        self.link(member).read_mail().await.unwrap();
    }

    /// Everything at the hub but mailbox and log.
    pub async fn errands(&self, member: usize) -> Done<bool> {
        self.link(member).errands().await
    }

    /// Packs, appends and settles until there is nothing to send; who looks after keys does
    /// first what is due.
    pub async fn send(&self, member: usize) -> Done<bool> {
        // Who asks to join again says nothing else.
        let speaks = |row: &EquipeRow| row.state == "active" || row.state == "needs_rejoin";
        let Some(row) = self.known(member).await?.filter(speaks) else { return Ok(false) };
        if self.keyed.contains(&member) {
            pseudonym::tend(self.node(member), row.lineage).await?;
        }
        match self.link(member).send(row.lineage).await {
            // Removed, and not told yet.
            Err(fault) if fault.reason == "not_a_member" => Ok(false),
            sent => sent,
        }
    }

    /// Reads the log to its end.
    pub async fn fetch(&mut self, member: usize) -> Done<bool> {
        let mut moved = false;
        while let Some(row) = self.known(member).await?.filter(|row| row.state == "active") {
            match self.link(member).next(row.lineage).await? {
                Next::Batch(batch) => match receive(self.node(member), &batch).await? {
                    Received::At(_) => moved = true,
                    Received::Gap(_) | Received::Stopped => {
                        // What shows that the membership is over may also let it come back.
                        let now = self.known(member).await?;
                        moved |= now.is_some_and(|now| now.state != row.state);
                        break;
                    }
                },
                Next::Nothing => break,
                Next::Ended(reason) => {
                    self.ended.insert(member, reason);
                    break;
                }
            }
        }
        Ok(moved)
    }

    async fn known(&self, member: usize) -> Done<Option<EquipeRow>> {
        sight::known(self.node(member)).await
    }

    /// The équipe at a member.
    pub async fn row(&self, member: usize) -> EquipeRow {
        sight::row(self.node(member)).await
    }

    /// Ids of the members, as one of them sees it.
    pub async fn members(&self, member: usize) -> Vec<NodeId> {
        let lineage = self.row(member).await.lineage;
        let rows = self.node(member).store.read().await.unwrap().members(lineage).await.unwrap();
        rows.into_iter().map(|row| row.node).collect()
    }

    /// Codes of the alarms at a member.
    pub async fn alarms(&self, member: usize) -> Vec<String> {
        sight::alarms(self.node(member)).await
    }

    /// The operator of a member shares synthetic alerts; their ids.
    pub async fn share(&self, member: usize, count: usize) -> Vec<ObjectId> {
        sight::ids(self.order(member, count).await.unwrap())
    }

    /// The same where it may be refused.
    pub async fn try_share(&self, member: usize) -> Done<Shared> {
        self.order(member, 1).await
    }

    async fn order(&self, member: usize, count: usize) -> Done<Shared> {
        let node = self.node(member);
        let alerts = sight::samples(node, Kind::Case, count);
        sight::share_all(node, self.operator(member), EQUIPE, alerts).await
    }

    /// Everything that the operator of a member sees, in order.
    pub async fn listed(&self, member: usize) -> Vec<AlertView> {
        let listed = sight::listed(self.node(member), self.operator(member), EQUIPE);
        self.place(member).spared(listed).await
    }

    /// Ids of the active alerts that a member sees.
    pub async fn seen(&self, member: usize) -> BTreeSet<ObjectId> {
        let listed = self.listed(member).await;
        let active = listed.into_iter().filter(|view| view.row.state == "active");
        active.map(|view| view.row.object).collect()
    }

    /// One alert as the operator of a member sees it.
    pub async fn one(&self, member: usize, object: ObjectId) -> AlertView {
        let listed = self.listed(member).await;
        listed.into_iter().find(|view| view.row.object == object).unwrap()
    }

    /// These members stand at one place, agree on everything, and nothing waits or is broken.
    pub async fn assert_agreement(&self, members: &[usize]) {
        let first = self.row(members[0]).await;
        let expected: Vec<NodeId> = {
            let mut ids: Vec<_> = members.iter().map(|member| id(*member)).collect();
            ids.sort();
            ids
        };
        for member in members {
            let (row, name) = (self.row(*member).await, id(*member));
            sight::assert_same(&first, &row, name.as_str());
            assert_eq!(self.members(*member).await, expected, "{name}");
            sight::assert_settled(self.node(*member)).await;
            let mut tx = self.node(*member).store.read().await.unwrap();
            assert_eq!(tx.proposals(row.lineage).await.unwrap(), [], "{name}");
        }
    }

    /// All that one courier does, except sending to the log.
    pub async fn turn_but_send(&mut self, member: usize) {
        self.link(member).read_mail().await.unwrap();
        self.errands(member).await.unwrap();
    }

    /// The files on the disk of a node.
    pub fn files(&self, who: usize) -> Vec<u8> {
        self.place(who).files()
    }

    /// The vault of a node, for who has stolen its key.
    pub fn vault(&self, who: usize) -> Vault {
        self.place(who).vault()
    }

    /// The disk of a node.
    pub fn disk(&self, who: usize) -> &MemoryStore {
        self.place(who).disk()
    }

    /// The disks as they are.
    pub fn disks(&self) -> Disks {
        Disks(self.everybody().map(|who| (who, self.disk(who).snapshot())).collect())
    }

    /// Puts all disks back, and starts everybody again.
    pub async fn put_all_back(&mut self, disks: &Disks) {
        // With the hub's disk the whole world goes back.
        self.sealed = Mutex::default();
        self.ended.clear();
        for (who, snapshot) in &disks.0 {
            self.disk(*who).recover();
            self.put_back(*who, snapshot).await;
        }
    }

    /// Puts a member's disk back, and starts it again.
    pub async fn put_back(&mut self, member: usize, disk: &Snapshot) {
        self.disk(member).restore(disk);
        self.restart(member).await;
    }

    /// Details of one action in a node's audit chain, in order.
    pub async fn audited_details(
        &self,
        node: &Node,
        action: &str,
    ) -> Vec<BTreeMap<String, String>> {
        let records = node.store.read().await.unwrap().audit_after(0, 100_000).await.unwrap();
        let of = records.into_iter().filter(|record| record.event.action == action);
        of.map(|record| record.event.detail).collect()
    }

    /// Actions in a node's audit chain, in order.
    pub async fn audited(&self, node: &Node) -> Vec<String> {
        audit_chain::verify_chain(node).await.unwrap();
        let records = node.store.read().await.unwrap().audit_after(0, 100_000).await.unwrap();
        records.into_iter().map(|record| record.event.action).collect()
    }
}
