//! Three regions and two hubs, for stories about where the log is: the couriers' own steps
//! over a network that can cut hubs off, lose answers and repeat calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use raccordo_core::alert::{Alert, example};
use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::{Crypto, Suite};
use raccordo_core::entropy::{Entropy, SeededEntropy};
use raccordo_core::id::{BootId, Digest, Epoch, GroupId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::object::Kind;
use raccordo_core::secret::Secret;
use raccordo_core::sending::Standing;
use raccordo_core::time::{Clock, Instant};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::vault::Vault;
use raccordo_core::wire::hub::{Batch, Mail, News};
use raccordo_core::wire::seed::{Seed, Seeded};
use raccordo_node::app::alerts::{self, AlertView, Listing, Query};
use raccordo_node::app::delivery::State;
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::app::fault::Done;
use raccordo_node::app::found;
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::hub::append::{Appended, append};
use raccordo_node::app::hub::key_package_pool::{self, Claimed, Deposit};
use raccordo_node::app::hub::read_log::{LogAfter, read_log};
use raccordo_node::app::hub::{Hub, Limits, confirm, found_group, mailbox, offer, restored, seed};
use raccordo_node::app::init::{NewNode, NewTls, init};
use raccordo_node::app::mail::Offer;
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::send::AppendCall;
use raccordo_node::app::share::{Order, share};
use raccordo_node::app::{Node, audit_chain, changes, identity, peers, term};
use raccordo_node::courier::link::{Answered, Cursors, HubLink, LinkError};
use raccordo_node::courier::{Trouble, errands, inbox, outbox};
use raccordo_node::store::Store;
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::hub::{CarriedRow, LogRow};
use raccordo_node::store::memory::{MemoryStore, Snapshot};
use raccordo_node::store::node::MailRow;

use crate::bench::ADMIN;
use crate::bench::place::StandingClock;

/// Name of the équipe of every story.
pub const EQUIPE: &str = "Dorsale";
/// The regions; the first is the chair.
pub const REGIONS: [&str; 3] = ["toscana", "umbria", "lazio"];
/// The first hub, and the one to which its log goes.
pub const HUBS: [&str; 2] = ["relay", "ponte"];
const ROUNDS_MAX: usize = 80;

/// What the network does to calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Every call arrives once, and so does its answer.
    Calm,
    /// Of so many answers one is lost.
    LosesOneAnswerIn(u64),
    /// Every call arrives twice.
    Repeats,
}

struct Place {
    store: MemoryStore,
    life: u32,
    node: Arc<Node>,
}

/// Five nodes.
pub struct Hubs {
    clock: Arc<StandingClock>,
    places: BTreeMap<&'static str, Place>,
    operators: BTreeMap<&'static str, Operator>,
    /// Nodes that do not run, or cannot be reached.
    pub down: BTreeSet<&'static str>,
    /// What happens to calls.
    pub weather: Weather,
    calls: Arc<AtomicU64>,
}

/// The disks of all at one time.
pub struct Disks(Vec<(&'static str, Snapshot)>);

pub fn id(name: &str) -> NodeId {
    name.parse().unwrap()
}

impl Hubs {
    /// An équipe of all three regions at the first hub; the second one is verified too.
    pub async fn founded() -> Self {
        Self::of(&REGIONS).await
    }

    /// The same of some of them.
    pub async fn of(parties: &[&'static str]) -> Self {
        let mut hubs = Self::signed(parties).await;
        hubs.run().await;
        hubs.accept(HUBS[0]).await;
        hubs.found(parties).await;
        hubs
    }

    /// A pact of some of them, signed by all and not offered to its hub yet.
    pub async fn signed(parties: &[&'static str]) -> Self {
        let mut hubs = Self::acquainted().await;
        let named: Vec<NodeId> = parties.iter().map(|name| id(name)).collect();
        let (chair, hub, suite) = (hubs.node(REGIONS[0]), id(HUBS[0]), Suite::Classical.name());
        let text = pacts::draft(chair, EQUIPE, &named, &hub, true, suite).await.unwrap();
        pacts::sign(chair, ADMIN, Source::Toml(text)).await.unwrap();
        pacts::propose(chair, ADMIN, EQUIPE, false).await.unwrap();
        hubs.run().await;
        for region in &parties[1..] {
            hubs.sign(region).await;
        }
        hubs
    }

    /// The hub has accepted: the chair founds the équipe, and people may work.
    pub async fn found(&mut self, parties: &[&'static str]) {
        self.run().await;
        found::create(self.node(REGIONS[0]), ADMIN, EQUIPE).await.unwrap();
        self.run().await;
        for region in parties {
            let node = self.node(region);
            directory::add_organisation(node, ADMIN, "PUA", "access_point").await.unwrap();
            let added = directory::add_operator(node, ADMIN, "Anna", "PUA", "coordinator").await;
            self.operators.insert(region, added.unwrap().0);
        }
    }

    async fn acquainted() -> Self {
        let clock = Arc::new(StandingClock::begin());
        let mut places = BTreeMap::new();
        for name in REGIONS.into_iter().chain(HUBS) {
            let store = MemoryStore::new();
            create(name, &store, &clock).await;
            let node = start(name, &store, &clock, 1).await;
            places.insert(name, Place { store, life: 1, node });
        }
        for place in places.values() {
            for peer in places.values() {
                let (node, id) = (&place.node, &peer.node.identity.node);
                if *id != node.identity.node {
                    let card = peer.node.identity.card();
                    let known = peers::add(node, ADMIN, card).await.unwrap();
                    peers::verify(node, ADMIN, id, &known.code).await.unwrap();
                }
            }
        }
        let (operators, down) = (BTreeMap::new(), BTreeSet::new());
        let (weather, calls) = (Weather::Calm, Arc::default());
        Self { clock, places, operators, down, weather, calls }
    }

    /// A node.
    pub fn node(&self, name: &str) -> &Node {
        &self.places[name].node
    }

    /// Its disk, to let it crash.
    pub fn disk(&self, name: &str) -> &MemoryStore {
        &self.places[name].store
    }

    /// The time everywhere.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        self.clock.pass(span);
    }

    /// All clocks go back.
    pub fn put_clock_back(&self, span: Duration) {
        self.clock.put_back(span);
    }

    /// The first hub says that it serves a region no longer, and why.
    pub async fn end_log(&self, region: &str, reason: &str) {
        let group = self.row(region).await.group;
        self.take(region, News::Ended { group, reason: reason.into() }).await;
    }

    /// An item of the first hub's mailbox comes to a region.
    pub async fn take_mail(&self, region: &str, mail: Mail) {
        self.take(region, News::Mail(mail)).await;
    }

    async fn take(&self, region: &str, item: News) {
        let (node, link) = (self.node(region), self.link(region, HUBS[0]));
        inbox::take(node, &link, &id(HUBS[0]), &item).await.unwrap();
    }

    /// Signs what waits under the équipe's name.
    pub async fn sign(&self, name: &str) {
        pacts::sign(self.node(name), ADMIN, Source::Named(EQUIPE.into())).await.unwrap();
    }

    /// A hub's administrator agrees.
    pub async fn accept(&self, hub: &str) {
        accept::decide(self.node(hub), ADMIN, EQUIPE, Decision::Accept).await.unwrap();
    }

    /// A region's administrator begins to move the log.
    pub async fn move_to(&self, name: &str, to: &str, lost: bool) -> Done<()> {
        let wanted = term::Wanted { to: id(to), lost, without: Vec::new() };
        term::begin(self.node(name), ADMIN, EQUIPE, wanted, "").await.map(drop)
    }

    /// The same where it may be refused.
    pub async fn try_sign(&self, name: &str) -> Done<()> {
        pacts::sign(self.node(name), ADMIN, Source::Named(EQUIPE.into())).await.map(drop)
    }

    /// Signs the change of a statement, where it may be refused.
    pub async fn try_sign_change(&self, name: &str, statement: Digest) -> Done<()> {
        let digest = changes::short(statement);
        pacts::sign(self.node(name), ADMIN, Source::Named(digest)).await.map(drop)
    }

    /// Signs the move that one of the regions has begun, where several wait.
    pub async fn sign_move(&self, name: &str, begun_by: &str) {
        let begun = changes::list(self.node(begun_by)).await.unwrap();
        let mut begun = begun.into_iter().filter(|pending| pending.row.begun_here);
        let digest = changes::short(begun.next().unwrap().row.statement);
        pacts::sign(self.node(name), ADMIN, Source::Named(digest)).await.unwrap();
    }

    /// Hands over what a region has to say, and reads nothing.
    pub async fn send(&self, region: &'static str, hub: &'static str) {
        let (node, link) = (&*self.places[region].node, self.link(region, hub));
        let lineage = self.row(region).await.lineage;
        loop {
            match outbox::step(node, &link, lineage).await {
                Ok(outbox::Progress::Idle) => return,
                Ok(outbox::Progress::Settled(_)) | Err(Trouble::There(_)) => {}
                Err(Trouble::Here(fault)) => panic!("{}", fault.reason),
            }
        }
    }

    /// Ends the waiting for a crash; whether it has happened.
    pub fn clear_crash(&self, name: &str) -> bool {
        let pending = self.disk(name).crash_pending();
        self.disk(name).recover();
        !pending
    }

    /// Ends the process of a node and starts it again.
    pub async fn restart(&mut self, name: &str) {
        let place = self.places.get_mut(name).unwrap();
        place.store.recover();
        place.life += 1;
        let (name, life) = (place.node.identity.node.to_string(), place.life);
        place.node = start(&name, &place.store, &self.clock, life).await;
    }

    /// The disks as they are.
    pub fn disks(&self) -> Disks {
        Disks(self.places.iter().map(|(name, place)| (*name, place.store.snapshot())).collect())
    }

    /// Puts all disks back, and starts all again.
    pub async fn put_back(&mut self, disks: &Disks) {
        for (name, snapshot) in &disks.0 {
            self.put_disk_back(name, snapshot).await;
        }
    }

    /// Puts one disk back, and starts that node again.
    pub async fn put_disk_back(&mut self, name: &str, disk: &Snapshot) {
        self.disk(name).recover();
        self.disk(name).restore(disk);
        self.restart(name).await;
    }

    /// Lets everybody work until nothing moves any more; who crashed is started again.
    pub async fn run(&mut self) {
        let (mut last, mut still) = (String::new(), 0);
        // Where answers are lost, a round in which nothing came through says little.
        let enough = if self.weather == Weather::Calm { 1 } else { 4 };
        for _ in 0..ROUNDS_MAX {
            for region in REGIONS {
                if self.down.contains(region) {
                    continue;
                }
                for hub in HUBS {
                    self.turn(region, hub).await;
                    self.restart_crashed().await;
                }
            }
            let now = self.picture().await;
            still = if now == last { still + 1 } else { 0 };
            if still == enough {
                return;
            }
            last = now;
        }
        panic!("still moving after {ROUNDS_MAX} rounds");
    }

    async fn restart_crashed(&mut self) {
        for name in REGIONS.into_iter().chain(HUBS) {
            if self.disk(name).crashed() {
                self.restart(name).await;
            }
        }
    }

    /// All that can still change, in words.
    async fn picture(&self) -> String {
        let mut words = String::new();
        for (name, place) in &self.places {
            let mut tx = place.node.store.read().await.unwrap();
            for row in tx.equipes().await.unwrap() {
                let waits = tx.unaccepted_envelopes(row.lineage).await.unwrap();
                let moving = tx.hub_move(row.lineage).await.unwrap().map(|row| row.answer);
                let alarms = tx.alarms(row.lineage).await.unwrap().len();
                words += &format!("{name} {} {} {waits} ", row.state, row.sequence);
                words += &format!("{moving:?} {alarms} {} ", row.version);
                words += &format!("{} ", tx.proposals(row.lineage).await.unwrap().len());
            }
            for row in tx.all_carried().await.unwrap() {
                words += &format!("{name} {} {} {}", row.state, row.sequence, row.version);
            }
            for row in tx.all_offers().await.unwrap() {
                let copies = tx.log_copies(row.lineage).await.unwrap();
                let copied: u64 = copies.iter().map(|copy| copy.sequence.0).sum();
                words += &format!("{name} {} {} {copied} ", row.digest, row.state);
            }
            for hub in HUBS {
                words += &format!(" {} ", tx.mailbox_cursor(&id(hub)).await.unwrap());
                words += &format!(" {} ", tx.mail_for(&id(hub), 99).await.unwrap().len());
            }
            words += &format!("{} ", tx.pacts().await.unwrap().len());
        }
        words
    }

    /// All that one region's courier does at one hub, once.
    pub async fn turn(&self, region: &'static str, hub: &'static str) {
        if self.down.contains(hub) {
            return;
        }
        // What the network interrupts, or the hub turns down, is asked again.
        // In a development build the nodes' futures are too large for a test's stack.
        match Box::pin(self.try_turn(region, hub)).await {
            Ok(()) | Err(Trouble::There(_)) => {}
            Err(Trouble::Here(fault)) if fault.reason == "crashed" => {}
            Err(Trouble::Here(fault)) => panic!("{region} at {hub}: {} {fault}", fault.reason),
        }
    }

    async fn try_turn(&self, region: &'static str, hub: &'static str) -> Result<(), Trouble> {
        let (node, hub_id) = (&*self.places[region].node, id(hub));
        let link = self.link(region, hub);
        errands::step(node, &link, &hub_id).await?;
        self.read_mail(node, &link).await?;
        let rows = node.store.read().await?.equipes().await?;
        for row in rows.into_iter().filter(|row| row.hub == hub_id) {
            let open = term::opened(&mut *node.store.read().await?, &row).await?;
            if !open {
                continue;
            }
            let active = follows(&row);
            if active {
                let shown = term::checkpoint_of(&row)?;
                let shown: Vec<_> = shown.into_iter().collect();
                restored::shown(&link.hub, &link.caller, &shown).await.map_err(LinkError::from)?;
                self.read_log(node, &link, row.lineage).await?;
            }
            while outbox::step(node, &link, row.lineage).await? != outbox::Progress::Idle {}
            if active {
                self.read_log(node, &link, row.lineage).await?;
            }
        }
        Ok(())
    }

    async fn read_mail(&self, node: &Node, link: &Direct) -> Result<(), Trouble> {
        let hub = link.hub.identity.node.clone();
        let cursor = node.store.read().await?.mailbox_cursor(&hub).await?;
        let rows = mailbox::read_mailbox(&link.hub, &link.caller, cursor).await;
        for row in rows.map_err(LinkError::from)? {
            inbox::take(node, link, &hub, &News::Mail(row.mail())).await?;
        }
        Ok(())
    }

    async fn read_log(
        &self,
        node: &Node,
        link: &Direct,
        lineage: LineageId,
    ) -> Result<(), Trouble> {
        let hub = link.hub.identity.node.clone();
        loop {
            let Some(row) = node.store.read().await?.equipe(lineage).await? else { return Ok(()) };
            if row.hub != hub || !follows(&row) {
                return Ok(());
            }
            let group = row.group;
            let after = read_log(&link.hub, &link.caller, group, row.sequence).await;
            let item = match after.map_err(LinkError::from)? {
                LogAfter::Nothing => return Ok(()),
                LogAfter::Ended(reason) => News::Ended { group, reason: reason.into() },
                LogAfter::Batch(rows, checkpoint) => {
                    let entries = rows.into_iter().map(LogRow::entry).collect();
                    News::Entries(Batch { group, entries, checkpoint })
                }
            };
            match inbox::take(node, link, &hub, &item).await? {
                inbox::Next::Confirm { .. } => {
                    inbox::confirm(node, link, &hub, &BTreeSet::from([group])).await?;
                }
                inbox::Next::GoOn => {}
                inbox::Next::Resubscribe | inbox::Next::Leave(_) => return Ok(()),
            }
        }
    }

    fn link(&self, region: &str, hub: &str) -> Direct {
        Direct {
            hub: Arc::clone(&self.places[hub].node),
            caller: id(region),
            weather: self.weather,
            calls: Arc::clone(&self.calls),
        }
    }

    /// The équipe at a region.
    pub async fn row(&self, name: &str) -> EquipeRow {
        let rows = self.node(name).store.read().await.unwrap().equipes().await.unwrap();
        rows.into_iter().next().unwrap()
    }

    /// The équipe at a hub.
    pub async fn carried(&self, hub: &str) -> CarriedRow {
        let rows = self.node(hub).store.read().await.unwrap().all_carried().await.unwrap();
        rows.into_iter().next().unwrap()
    }

    /// The log that a hub keeps.
    pub async fn log(&self, hub: &str) -> Vec<LogRow> {
        let group = self.carried(hub).await.group;
        let mut tx = self.node(hub).store.read().await.unwrap();
        tx.log_after(group, Sequence(0), 10_000, u64::MAX >> 1).await.unwrap()
    }

    /// Codes of the alarms at a region.
    pub async fn alarms(&self, name: &str) -> Vec<String> {
        let lineage = self.row(name).await.lineage;
        let alarms = self.node(name).store.read().await.unwrap().alarms(lineage).await.unwrap();
        alarms.into_iter().map(|alarm| alarm.code.to_string()).collect()
    }

    /// The operator of a region shares synthetic alerts; their ids. What was not answered is
    /// asked again under the same ids.
    pub async fn share(&mut self, name: &'static str, count: usize) -> Vec<ObjectId> {
        let node = self.node(name);
        let made = example(Kind::Case, count, &*node.entropy, self.clock.now(), &node.lists);
        let with_id = |alert| Alert { id: ObjectId::random(&*node.entropy).to_string(), ..alert };
        let alerts: Vec<Alert> = made.into_iter().map(with_id).collect();
        loop {
            let order = Order {
                equipe: EQUIPE.into(),
                alerts: alerts.clone(),
                purpose: None,
                dry_run: false,
            };
            match share(self.node(name), &self.operators[name], order).await {
                Ok(shared) => {
                    return shared.objects.into_iter().map(|(row, _)| row.object).collect();
                }
                Err(fault) if fault.reason == "crashed" => self.restart_crashed().await,
                Err(fault) => panic!("{}", fault.reason),
            }
        }
    }

    /// Everything that the operator of a region sees: object and whether all have it.
    async fn listed(&self, name: &str) -> Vec<(ObjectId, State)> {
        let (node, operator) = (self.node(name), &self.operators[name]);
        let mut all = Vec::new();
        let mut after = Some(0);
        while let Some(position) = after {
            let query =
                Query { equipe: EQUIPE.into(), after: position, limit: 100, ..Query::default() };
            let shown = |view: AlertView| {
                all.push((view.row.object, view.delivery.state));
                alerts::Place::Shown
            };
            after = alerts::list(node, operator, &query, Listing::Page, shown).await.unwrap();
        }
        all
    }

    /// Each of these alerts is at each of these regions, once, and nothing else is; own ones
    /// are known to have arrived.
    pub async fn assert_shared(&self, names: &[&'static str], objects: &[ObjectId]) {
        let mut expected = objects.to_vec();
        expected.sort_unstable();
        for name in names {
            let mut seen: Vec<_> = self.listed(name).await.into_iter().map(|it| it.0).collect();
            seen.sort_unstable();
            assert_eq!(seen, expected, "{name}");
        }
    }

    /// These regions stand at one place of the log at this hub and agree; nothing waits.
    pub async fn assert_agreement(&self, names: &[&'static str], hub: &str) {
        let first = self.row(names[0]).await;
        assert_eq!(first.hub, id(hub));
        for name in names {
            let row = self.row(name).await;
            assert_eq!((row.sequence, row.head), (first.sequence, first.head), "{name}");
            assert_eq!((row.epoch, &row.hub), (first.epoch, &first.hub), "{name}");
            assert_eq!(row.authenticator, first.authenticator, "{name}");
            assert_eq!(row.statement, first.statement, "{name}");
            assert_eq!(self.alarms(name).await, Vec::<String>::new(), "{name}");
            let mut tx = self.node(name).store.read().await.unwrap();
            assert_eq!(tx.unaccepted_envelopes(row.lineage).await.unwrap(), 0, "{name}");
            assert_eq!(tx.proposals(row.lineage).await.unwrap(), [], "{name}");
            assert_eq!(tx.hub_move(row.lineage).await.unwrap(), None, "{name}");
            let aside = tx.set_aside_after(row.lineage, Sequence(0)).await.unwrap();
            assert_eq!(aside, [], "{name}");
        }
        let carried = self.carried(hub).await;
        assert_eq!((carried.sequence, carried.head), (first.sequence, first.head));
        assert_eq!(carried.state, "founded");
    }

    /// Actions in a node's audit chain, in order.
    pub async fn audited(&self, name: &str) -> Vec<String> {
        let node = self.node(name);
        audit_chain::verify_chain(node).await.unwrap();
        let records = node.store.read().await.unwrap().audit_after(0, 100_000).await.unwrap();
        records.into_iter().map(|record| record.event.action).collect()
    }
}

/// Whether a region follows the log.
fn follows(row: &EquipeRow) -> bool {
    let standing = Standing::parse(&row.state);
    matches!(standing, Some(Standing::Active | Standing::Succeeding))
}

/// A connection between a region and a hub.
struct Direct {
    hub: Arc<Node>,
    caller: NodeId,
    weather: Weather,
    calls: Arc<AtomicU64>,
}

/// Carries one call through the weather.
macro_rules! carry {
    ($link:ident, $call:expr) => {{
        let number = $link.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let answer = $call.await?;
        match $link.weather {
            Weather::LosesOneAnswerIn(calls) if number % calls == 0 => Err(lost()),
            Weather::Calm | Weather::LosesOneAnswerIn(_) => Ok(answer),
            Weather::Repeats => Ok($call.await?),
        }
    }};
}

fn lost() -> LinkError {
    LinkError::Later { reason: "broken".into(), message: "broken".into(), hint: String::new() }
}

#[async_trait]
impl HubLink for Direct {
    async fn append(&self, call: &AppendCall) -> Answered<Appended> {
        carry!(self, append(&self.hub, &self.caller, call.group, call.entries.clone()))
    }

    async fn confirm(&self, processed: &Cursors) -> Answered<()> {
        let Cursors { groups, mailbox, .. } = processed;
        carry!(self, confirm::confirm(&self.hub, &self.caller, groups, *mailbox))
    }

    async fn offer(&self, offer: &Offer) -> Answered<String> {
        carry!(self, offer::offer(&self.hub, &self.caller, offer.clone()))
    }

    async fn found_group(
        &self,
        lineage: LineageId,
        group: GroupId,
        group_info: &[u8],
    ) -> Answered<()> {
        let info = group_info.to_vec();
        carry!(
            self,
            found_group::found_group(&self.hub, &self.caller, lineage, group, info.clone())
        )
    }

    async fn deposit(&self, deposits: &[Deposit]) -> Answered<()> {
        let deposits = deposits.to_vec();
        carry!(self, key_package_pool::deposit(&self.hub, &self.caller, deposits.clone())).map(drop)
    }

    async fn claim(&self, lineage: LineageId, suite: u16, parties: &[NodeId]) -> Answered<Claimed> {
        carry!(self, key_package_pool::claim(&self.hub, &self.caller, lineage, suite, parties))
    }

    async fn fetch_tree(&self, group: GroupId, epoch: Option<Epoch>) -> Answered<Vec<u8>> {
        carry!(self, key_package_pool::fetch_tree(&self.hub, &self.caller, group, epoch))
    }

    async fn seed(&self, page: Seed) -> Answered<Seeded> {
        carry!(self, seed::seed(&self.hub, &self.caller, page.clone()))
    }

    async fn post(&self, mail: &MailRow) -> Answered<()> {
        let MailRow { item, recipient, kind, payload, .. } = mail;
        let payload = payload.clone();
        carry!(
            self,
            mailbox::post(&self.hub, &self.caller, recipient, *item, kind, payload.clone())
        )
    }
}

fn vault(name: &str) -> Vault {
    Vault::new(&Secret::new(Digest::of(name.as_bytes()).0))
}

async fn create(name: &str, store: &MemoryStore, clock: &StandingClock) {
    let new = NewNode {
        node: id(name),
        name: format!("Regione {name}"),
        ipa_code: None,
        hub_endpoint: HUBS.contains(&name).then(|| format!("{name}.example.org:4460")),
    };
    // Nothing here speaks TLS.
    let signing = IdentityKey::from_seed(&Digest::of(name.as_bytes()).0);
    let tls = NewTls { signing, key: name.into(), certificate: name.into() };
    init(store, &vault(name), &SeededEntropy::labelled(name), clock, new, tls).await.unwrap();
}

async fn start(
    name: &str,
    store: &MemoryStore,
    clock: &Arc<StandingClock>,
    life: u32,
) -> Arc<Node> {
    let vault = vault(name);
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::labelled(&format!("{name} {life}")));
    let limits = Limits { entries_per_minute_max: u32::MAX, ..Limits::default() };
    Arc::new(Node {
        envelopes_per_message_max: usize::MAX,
        identity: identity::load(store, &vault).await.unwrap(),
        store: Arc::new(store.clone()) as Arc<dyn Store>,
        vault,
        crypto: Crypto::new(Arc::clone(&entropy)),
        boot: BootId::random(&*entropy),
        entropy,
        started_at: clock.now(),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        lists: CodeLists::builtin(),
        slots: Default::default(),
        signals: Default::default(),
        hub: HUBS.contains(&name).then(|| Hub::new(limits)),
        rhythm: Default::default(),
        links: Default::default(),
        claims: Default::default(),
        matching: Default::default(),
        keys: Default::default(),
        voice: Default::default(),
        gists: Default::default(),
        told: Default::default(),
        quotas: Default::default(),
        accounts: Default::default(),
        reading: Default::default(),
    })
}
