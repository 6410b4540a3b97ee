//! Three nodes and the calls between them: what the courier and the hub's API do, without
//! a network.

mod machines;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raccordo_core::alert::{Alert, example};
use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::{Crypto, Suite};
use raccordo_core::entropy::{Entropy, SeededEntropy};
use raccordo_core::id::{BootId, Digest, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::invariant::{Ciphertexts, Made};
use raccordo_core::object::Kind;
use raccordo_core::secret::Secret;
use raccordo_core::time::{Clock, Instant};
use raccordo_core::vault::Vault;
use raccordo_node::app::alerts::{self, AlertView, Query};
use raccordo_node::app::audit::Actor;
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::app::fault::{Done, Fault, Whose};
use raccordo_node::app::found::{self, Step};
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::hub::append::{Appended, Handed, Outcome, append};
use raccordo_node::app::hub::read_log::{LogAfter, read_log};
use raccordo_node::app::hub::{Hub, Limits, found_group, key_package_pool, mailbox, offer};
use raccordo_node::app::init::{NewNode, NewTls, init};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::receive::{Batch, Received, receive};
use raccordo_node::app::receive_mail::{Taken, receive_mail, skip};
use raccordo_node::app::rejoin::request;
use raccordo_node::app::send::AppendCall;
use raccordo_node::app::share::{Order, Shared, share};
use raccordo_node::app::{Node, identity, join, key_packages, mail, pack, peers, send};
use raccordo_node::store::Store;
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::hub::LogRow;
use raccordo_node::store::memory::{MemoryStore, Snapshot};
use raccordo_node::store::outbox::{EntryRow, EntryState};
use raccordo_node::store::sql::SqlStore;
use tempfile::TempDir;

/// Name of the équipe of every story.
pub const EQUIPE: &str = "Toscana e Umbria";
/// The administrator of every node.
pub const ADMIN: Actor = Actor::Administrator(0);
/// Rounds after which a bench that still moves counts as stuck.
const ROUNDS_MAX: usize = 60;
/// 21 September 2026.
const BEGIN: i64 = 1_790_000_000_000;

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
            Relay => "relay",
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

/// A clock that stands until it is moved.
pub struct StandingClock(AtomicI64);

impl StandingClock {
    /// Standing where every story begins.
    pub fn begin() -> Self {
        Self(AtomicI64::new(BEGIN))
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl StandingClock {
    /// Puts it back.
    pub fn put_back(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.0.fetch_sub(millis, Ordering::Relaxed);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Instant {
        Instant(self.0.load(Ordering::Relaxed))
    }
}

/// Where the three keep their rows.
#[derive(Clone, Copy, Debug)]
pub enum Rows {
    Memory,
    Sqlite,
}

enum Backend {
    Memory(MemoryStore),
    Sqlite(Arc<SqlStore>, #[expect(dead_code, reason = "outlives the store")] TempDir),
}

impl Backend {
    async fn fresh(rows: Rows) -> Self {
        match rows {
            Rows::Memory => Self::Memory(MemoryStore::new()),
            Rows::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}/node.db", directory.path().display());
                Self::Sqlite(Arc::new(SqlStore::open(&url, 2).await.unwrap()), directory)
            }
        }
    }

    fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Sqlite(store, _) => Arc::clone(store) as Arc<dyn Store>,
        }
    }
}

/// One node, its disk and node key, and how often it was started.
pub struct Place {
    backend: Backend,
    key: [u8; 32],
    life: u32,
    node: Arc<Node>,
}

/// Three nodes.
pub struct Bench {
    clock: Arc<StandingClock>,
    places: BTreeMap<Who, Place>,
    operators: BTreeMap<Who, Operator>,
    /// Everything that ever left a member, in which run of its process.
    ciphertexts: Mutex<Ciphertexts>,
}

/// The disks of all three at one time.
pub struct Disks(Vec<(Who, Snapshot)>);

impl Bench {
    /// Three nodes that know nothing of each other.
    pub async fn strangers(rows: Rows) -> Self {
        let clock = Arc::new(StandingClock::begin());
        let mut places = BTreeMap::new();
        for who in ALL {
            let backend = Backend::fresh(rows).await;
            create(who, &backend, &clock).await;
            let key = key_of(who);
            let node = start(&backend, &key, &clock, &format!("{} 1", who.name())).await;
            places.insert(who, Place { backend, key, life: 1, node });
        }
        Self { clock, places, operators: BTreeMap::new(), ciphertexts: Mutex::default() }
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
            bench.employ(who).await;
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

    async fn employ(&mut self, who: Who) {
        let node = self.node(who);
        directory::add_organisation(node, ADMIN, "PUA", "access_point").await.unwrap();
        let added = directory::add_operator(node, ADMIN, "Anna", "PUA", "coordinator").await;
        let (operator, _) = added.unwrap();
        self.operators.insert(who, operator);
    }

    /// A node.
    pub fn node(&self, who: Who) -> &Node {
        &self.places[&who].node
    }

    /// The operator there.
    pub fn operator(&self, who: Who) -> &Operator {
        &self.operators[&who]
    }

    /// The disk of a node, to let it crash.
    pub fn disk(&self, who: Who) -> &MemoryStore {
        match &self.places[&who].backend {
            Backend::Memory(store) => store,
            Backend::Sqlite(..) => panic!("only the store in memory crashes"),
        }
    }

    /// How often a node was started.
    pub fn life(&self, who: Who) -> u32 {
        self.places[&who].life
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        self.clock.pass(span);
    }

    /// Puts everybody's clock back.
    pub fn put_clock_back(&self, span: Duration) {
        self.clock.put_back(span);
    }

    /// Ends the process of a node and starts it again.
    pub async fn restart(&mut self, who: Who) {
        let place = self.places.get_mut(&who).unwrap();
        if let Backend::Memory(store) = &place.backend {
            store.recover();
        }
        place.life += 1;
        let label = format!("{} {}", who.name(), place.life);
        place.node = start(&place.backend, &place.key, &self.clock, &label).await;
    }

    /// The disks as they are.
    pub fn disks(&self) -> Disks {
        Disks(ALL.into_iter().map(|who| (who, self.disk(who).snapshot())).collect())
    }

    /// Puts the disks back, and starts all three again.
    pub async fn put_back(&mut self, disks: &Disks) {
        // With the hub's disk the whole world goes back.
        self.ciphertexts = Mutex::default();
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

    /// All that one node's courier does, once; whether anything was to be done.
    pub async fn turn(&self, who: Who) -> Done<bool> {
        let mut moved = self.errands(who).await?;
        moved |= self.read_mail(who).await?;
        moved |= self.send(who).await?;
        moved |= self.fetch(who).await?;
        Ok(moved)
    }

    async fn errands(&self, who: Who) -> Done<bool> {
        let (node, relay, hub, me) = (self.node(who), self.node(Relay), Relay.id(), who.id());
        let mut moved = self.post(who).await?;
        for offered in mail::offers(node, &hub).await? {
            let before = pacts::named(node, &offered.lineage.to_string()).await?.row.hub_answer;
            let answer = offer::offer(relay, &me, offered.statement, offered.cards).await?;
            mail::answered(node, &hub, offered.lineage, &answer).await?;
            moved |= before != answer;
        }
        let (references, deposits): (Vec<_>, Vec<_>) =
            key_packages::to_deposit(node, &hub).await?.into_iter().unzip();
        if !deposits.is_empty() {
            key_package_pool::deposit(relay, &me, deposits).await?;
            key_packages::deposited(node, &references).await?;
            moved = true;
        }
        for (lineage, group) in request::wanted(node, &hub).await? {
            let tree = key_package_pool::fetch_tree(relay, &me, group, key_package_pool::PRESENT);
            moved |= request::request(node, lineage, &tree.await?).await?;
        }
        for (lineage, step) in found::steps(node, &hub).await? {
            moved |= self.found(who, lineage, step).await?;
        }
        Ok(moved)
    }

    /// Posts what waits for the hub.
    pub async fn post(&self, who: Who) -> Done<bool> {
        let (node, relay) = (self.node(who), self.node(Relay));
        let waiting = mail::waiting(node, &Relay.id()).await?;
        for post in &waiting {
            let payload = post.payload.clone();
            mailbox::post(relay, &who.id(), &post.recipient, post.item, &post.kind, payload)
                .await?;
            mail::settled(node, post.item).await?;
        }
        Ok(!waiting.is_empty())
    }

    async fn found(&self, who: Who, lineage: LineageId, step: Step) -> Done<bool> {
        let (node, relay) = (self.node(who), self.node(Relay));
        match step {
            Step::Upload { group, group_info } => {
                found_group::found_group(relay, &who.id(), lineage, group, group_info).await?;
                found::uploaded(node, lineage).await?;
                Ok(true)
            }
            Step::Seed => panic!("there is one hub"),
            Step::Claim { parties, suite } => {
                let claimed =
                    key_package_pool::claim(relay, &who.id(), lineage, suite, &parties).await?;
                let some = !claimed.key_packages.is_empty();
                if some {
                    found::invite(node, lineage, claimed.key_packages).await?;
                }
                Ok(some)
            }
        }
    }

    /// Takes what is in a node's mailbox.
    pub async fn read_mail(&self, who: Who) -> Done<bool> {
        let (node, relay, hub) = (self.node(who), self.node(Relay), Relay.id());
        let cursor = node.store.read().await?.mailbox_cursor(&hub).await?;
        let rows = mailbox::read_mailbox(relay, &who.id(), cursor).await?;
        let moved = !rows.is_empty();
        for row in rows {
            let item = row.mail();
            let Taken::Welcome(welcome) = receive_mail(node, &hub, &item).await? else { continue };
            let (group, epoch) = (welcome.group, welcome.epoch);
            let tree = key_package_pool::fetch_tree(relay, &who.id(), group, epoch).await?;
            match join::join(node, &hub, item.sequence, &welcome, &tree).await {
                Ok(()) => {}
                Err(fault) if matches!(fault.reason, "bad_welcome" | "pact_not_signed") => {
                    skip(node, &hub, item.sequence).await?;
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(moved)
    }

    /// Packs, appends and settles until there is nothing to send.
    pub async fn send(&self, who: Who) -> Done<bool> {
        let mut moved = false;
        for lineage in self.lineages(who).await? {
            moved |= pack::pack(self.node(who), lineage).await? != pack::Packed::Nothing;
            for _ in 0..ROUNDS_MAX {
                if !self.append_once(who, lineage).await? {
                    break;
                }
                moved = true;
            }
        }
        Ok(moved)
    }

    /// One call to the hub, with its answer; whether there was anything to send.
    pub async fn append_once(&self, who: Who, lineage: LineageId) -> Done<bool> {
        let node = self.node(who);
        let Some(call) = send::next_call(node, lineage).await? else { return Ok(false) };
        let answer = self.append(who, lineage, call.clone()).await?;
        send::answered(node, lineage, &call, &answer).await?;
        Ok(true)
    }

    /// A member's call to the hub, of which the bench notes what is encrypted in it.
    pub async fn append(&self, who: Who, lineage: LineageId, call: AppendCall) -> Done<Appended> {
        let node = self.node(who);
        let made: Vec<Made> = call.entries.iter().map(made).collect();
        for made in &made {
            // A run also sends what an earlier one has encrypted.
            let row = node.store.read().await?.entry(lineage, made.entry).await?.unwrap();
            let noted = self.ciphertexts.lock().unwrap().note_made(&who.id(), row.boot, made);
            noted.unwrap();
        }
        let answer = append(self.node(Relay), &who.id(), call.group, call.entries).await?;
        for (entry, outcome) in &answer.outcomes {
            let made = made.iter().find(|made| made.entry == *entry).unwrap();
            if matches!(outcome, Outcome::Placed { .. }) {
                self.ciphertexts.lock().unwrap().note_placed(&who.id(), made).unwrap();
            }
        }
        Ok(answer)
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
        let row = self.row_of(who, lineage).await?;
        match read_log(self.node(Relay), &who.id(), row.group, row.sequence).await? {
            LogAfter::Batch(rows, checkpoint) => {
                let entries = rows.into_iter().map(LogRow::entry).collect();
                Ok(Some(Batch { group: row.group, entries, checkpoint }))
            }
            LogAfter::Nothing | LogAfter::Ended(_) => Ok(None),
        }
    }

    async fn lineages(&self, who: Who) -> Done<Vec<LineageId>> {
        let rows = self.node(who).store.read().await?.equipes().await?;
        Ok(rows.into_iter().map(|row| row.lineage).collect())
    }

    async fn row_of(&self, who: Who, lineage: LineageId) -> Done<EquipeRow> {
        let row = self.node(who).store.read().await?.equipe(lineage).await?;
        row.ok_or_else(|| Fault::not_found("no_such_equipe", "the bench"))
    }

    /// The équipe at a region.
    pub async fn row(&self, who: Who) -> EquipeRow {
        let rows = self.node(who).store.read().await.unwrap().equipes().await.unwrap();
        rows.into_iter().next().unwrap()
    }

    /// The lineage of the équipe.
    pub async fn lineage(&self) -> LineageId {
        self.row(Toscana).await.lineage
    }

    /// A region's entries in a state.
    pub async fn entries(&self, who: Who, state: EntryState) -> Vec<EntryRow> {
        let lineage = self.row(who).await.lineage;
        let mut tx = self.node(who).store.read().await.unwrap();
        tx.entries_in(lineage, state, 10_000).await.unwrap()
    }

    /// Codes of the alarms at a region.
    pub async fn alarms(&self, who: Who) -> Vec<String> {
        let lineage = self.row(who).await.lineage;
        let alarms = self.node(who).store.read().await.unwrap().alarms(lineage).await.unwrap();
        alarms.into_iter().map(|alarm| alarm.code).collect()
    }

    /// What a region has set aside: place and reason.
    pub async fn set_aside(&self, who: Who) -> Vec<(Sequence, String)> {
        let lineage = self.row(who).await.lineage;
        let mut tx = self.node(who).store.read().await.unwrap();
        let rows = tx.set_aside_after(lineage, Sequence(0)).await.unwrap();
        rows.into_iter().map(|row| (row.sequence, row.reason)).collect()
    }

    /// Synthetic alerts, each with an id of its own, so that sharing can be repeated.
    pub fn samples(&self, who: Who, kind: Kind, count: usize) -> Vec<Alert> {
        let node = self.node(who);
        let made = example(kind, count, &*node.entropy, self.clock.now(), &node.lists);
        let with_id = |alert| Alert { id: ObjectId::random(&*node.entropy).to_string(), ..alert };
        made.into_iter().map(with_id).collect()
    }

    /// The operator of a region shares alerts.
    pub async fn share(&self, who: Who, alerts: Vec<Alert>) -> Done<Shared> {
        let order = Order { equipe: EQUIPE.into(), alerts, purpose: None, dry_run: false };
        share(self.node(who), self.operator(who), order).await
    }

    /// The same with synthetic alerts; their ids.
    pub async fn share_samples(&self, who: Who, kind: Kind, count: usize) -> Vec<ObjectId> {
        let shared = self.share(who, self.samples(who, kind, count)).await.unwrap();
        assert_eq!(shared.violations, Vec::new());
        shared.objects.into_iter().map(|(row, _)| row.object).collect()
    }

    /// Everything that the operator of a region sees, in order.
    pub async fn listed(&self, who: Who) -> Vec<AlertView> {
        let mut all = Vec::new();
        let mut after = Some(0);
        while let Some(position) = after {
            let query =
                Query { equipe: EQUIPE.into(), after: position, limit: 100, ..Query::default() };
            let listed = alerts::list(self.node(who), self.operator(who), &query).await;
            let (views, next) = listed.unwrap();
            all.extend(views);
            after = next;
        }
        all
    }

    /// One alert as the operator of a region sees it.
    pub async fn seen(&self, who: Who, object: ObjectId) -> AlertView {
        alerts::one(self.node(who), self.operator(who), object).await.unwrap()
    }

    /// Both regions stand at one place and agree on everything; nothing waits or is broken.
    pub async fn assert_agreement(&self) {
        let (toscana, umbria) = (self.row(Toscana).await, self.row(Umbria).await);
        assert_eq!(toscana.sequence, umbria.sequence);
        assert_eq!(toscana.head, umbria.head);
        assert_eq!(toscana.epoch, umbria.epoch);
        assert_eq!(toscana.authenticator, umbria.authenticator);
        assert_eq!(toscana.statement, umbria.statement);
        for who in REGIONS {
            let lineage = toscana.lineage;
            let mut tx = self.node(who).store.read().await.unwrap();
            assert_eq!(tx.unaccepted_envelopes(lineage).await.unwrap(), 0, "{who:?}");
            assert_eq!(self.alarms(who).await, Vec::<String>::new(), "{who:?}");
            assert_eq!(self.set_aside(who).await, Vec::new(), "{who:?}");
        }
    }

    /// The other region has exactly these alerts of a region, once each, decrypted.
    pub async fn assert_arrived(&self, from: Who, objects: &[ObjectId]) {
        let listed = self.listed(from.other()).await;
        let mut arrived: Vec<ObjectId> = Vec::new();
        for view in listed.iter().filter(|view| view.row.origin == from.id()) {
            let own = self.seen(from, view.row.object).await;
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

/// An entry as the invariant about ciphertexts knows it.
fn made(handed: &Handed) -> Made {
    let Handed { entry, kind, epoch, payload, .. } = handed;
    Made { entry: *entry, kind: *kind, epoch: *epoch, payload: Digest::of(payload) }
}

fn key_of(who: Who) -> [u8; 32] {
    [who as u8 + 1; 32]
}

fn vault(key: &[u8; 32]) -> Vault {
    Vault::new(&Secret::new(*key))
}

async fn create(who: Who, backend: &Backend, clock: &StandingClock) {
    let entropy = SeededEntropy::labelled(who.name());
    let new = NewNode {
        node: who.id(),
        name: format!("Regione {}", who.name()),
        ipa_code: None,
        hub_endpoint: (who == Relay).then(|| "relay.example.org:4460".to_owned()),
    };
    // Nothing here speaks TLS.
    let tls = NewTls {
        key: who.name().into(),
        certificate: who.name().into(),
        spki: Digest::of(who.name().as_bytes()),
    };
    init(&*backend.store(), &vault(&key_of(who)), &entropy, clock, new, tls).await.unwrap();
}

async fn start(
    backend: &Backend,
    key: &[u8; 32],
    clock: &Arc<StandingClock>,
    label: &str,
) -> Arc<Node> {
    let store = backend.store();
    let vault = vault(key);
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::labelled(label));
    let identity = identity::load(&*store, &vault).await.unwrap();
    let is_hub = identity.card().card().hub_endpoint.is_some();
    Arc::new(Node {
        envelopes_per_message_max: usize::MAX,
        identity,
        store,
        vault,
        crypto: Crypto::new(Arc::clone(&entropy)),
        boot: BootId::random(&*entropy),
        entropy,
        started_at: clock.now(),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        lists: CodeLists::builtin(),
        slots: Default::default(),
        signals: Default::default(),
        hub: is_hub.then(|| Hub::new(Limits::default())),
        rhythm: Default::default(),
        links: Default::default(),
        claims: Default::default(),
        voice: Default::default(),
        told: Default::default(),
    })
}
