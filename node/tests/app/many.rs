//! Many nodes and a relay, for stories about who is in: the calls between them are those of
//! the [`crate::bench`], by number instead of by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use raccordo_core::alert::{Alert, example};
use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::{Crypto, Suite};
use raccordo_core::entropy::{Entropy, SeededEntropy};
use raccordo_core::id::{BootId, Digest, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::object::Kind;
use raccordo_core::secret::Secret;
use raccordo_core::time::Clock;
use raccordo_core::vault::Vault;
use raccordo_node::app::alerts::{self, AlertView, Query};
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::app::fault::Done;
use raccordo_node::app::found::{self, Step};
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::hub::append::append;
use raccordo_node::app::hub::read_log::{LogAfter, read_log};
use raccordo_node::app::hub::{Hub, Limits, found_group, key_package_pool, mailbox, offer};
use raccordo_node::app::init::{NewNode, NewTls, init};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::receive::{Batch, Received, receive};
use raccordo_node::app::receive_mail::{Taken, receive_mail, skip};
use raccordo_node::app::share::{Order, Shared, share};
use raccordo_node::app::{
    Node, audit_chain, identity, join, key_packages, mail, pack, peers, send,
};
use raccordo_node::store::Store;
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::hub::LogRow;
use raccordo_node::store::memory::{MemoryStore, Snapshot};

use crate::bench::{ADMIN, StandingClock};

/// Name of the équipe of every story.
pub const EQUIPE: &str = "Dorsale";
const NAMES: [&str; 5] = ["toscana", "umbria", "lazio", "marche", "molise"];
const RELAY: &str = "relay";
const ROUNDS_MAX: usize = 200;

/// The members by number, and a relay.
pub struct Many {
    pub clock: Arc<StandingClock>,
    stores: BTreeMap<NodeId, MemoryStore>,
    lives: BTreeMap<NodeId, u32>,
    nodes: Vec<Node>,
    relay: Node,
    operators: Vec<Option<Operator>>,
    /// Members whose couriers stand still.
    pub away: BTreeSet<usize>,
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
    pub async fn acquainted(count: usize) -> Self {
        let clock = Arc::new(StandingClock::begin());
        let (mut stores, mut nodes) = (BTreeMap::new(), Vec::new());
        for member in (0..count).map(id).chain([relay_id()]) {
            let store = MemoryStore::new();
            create(&member, &store, &clock).await;
            nodes.push(start(&member, &store, &clock, 1).await);
            stores.insert(member, store);
        }
        for node in &nodes {
            for peer in nodes.iter().filter(|peer| peer.identity.node != node.identity.node) {
                let card = peer.identity.card();
                let known = peers::add(node, ADMIN, card).await.unwrap();
                peers::verify(node, ADMIN, &peer.identity.node, &known.code).await.unwrap();
            }
        }
        let relay = nodes.pop().unwrap();
        let operators = (0..count).map(|_| None).collect();
        let (away, ended) = (BTreeSet::new(), BTreeMap::new());
        let lives = BTreeMap::new();
        Self { clock, stores, lives, nodes, relay, operators, away, ended }
    }

    /// An équipe of the first `parties` of `count` nodes, chaired by the first.
    pub async fn founded(parties: usize, count: usize) -> Self {
        let mut many = Self::acquainted(count).await;
        let named: Vec<NodeId> = (0..parties).map(id).collect();
        let chair = many.node(0);
        let suite = Suite::Classical.name();
        let text = pacts::draft(chair, EQUIPE, &named, &relay_id(), true, suite).await.unwrap();
        pacts::sign(chair, ADMIN, Source::Toml(text)).await.unwrap();
        pacts::propose(chair, ADMIN, EQUIPE, false).await.unwrap();
        many.run().await;
        for member in 1..parties {
            many.sign(member).await;
        }
        many.run().await;
        accept::decide(&many.relay, ADMIN, EQUIPE, Decision::Accept).await.unwrap();
        many.run().await;
        found::create(many.node(0), ADMIN, EQUIPE).await.unwrap();
        many.run().await;
        for member in 0..count {
            many.employ(member).await;
        }
        many
    }

    /// A node.
    pub fn node(&self, member: usize) -> &Node {
        &self.nodes[member]
    }

    /// The hub.
    pub fn relay(&self) -> &Node {
        &self.relay
    }

    /// Signs what waits under the équipe's name.
    pub async fn sign(&self, member: usize) {
        pacts::sign(self.node(member), ADMIN, Source::Named(EQUIPE.into())).await.unwrap();
    }

    async fn employ(&mut self, member: usize) {
        let node = self.node(member);
        directory::add_organisation(node, ADMIN, "PUA", "access_point").await.unwrap();
        let added = directory::add_operator(node, ADMIN, "Anna", "PUA", "coordinator").await;
        self.operators[member] = Some(added.unwrap().0);
    }

    fn operator(&self, member: usize) -> &Operator {
        self.operators[member].as_ref().unwrap()
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        self.clock.pass(span);
    }

    /// Ends the process of a member and starts it again.
    pub async fn restart(&mut self, member: usize) {
        let name = id(member);
        let life = self.lives.entry(name.clone()).or_insert(1);
        *life += 1;
        self.nodes[member] = start(&name, &self.stores[&name], &self.clock, *life).await;
    }

    /// Lets everybody who is there work until nothing moves any more.
    pub async fn run(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for member in 0..self.nodes.len() {
                if !self.away.contains(&member) {
                    moved |= self.turn(member).await.unwrap();
                }
            }
            if !moved {
                return;
            }
        }
        panic!("still moving after {ROUNDS_MAX} rounds");
    }

    /// All that one courier does, once.
    pub async fn turn(&mut self, member: usize) -> Done<bool> {
        let mut moved = self.errands(member).await?;
        moved |= self.read_mail(member).await?;
        moved |= self.send(member).await?;
        moved |= self.fetch(member).await?;
        Ok(moved)
    }

    /// Everything at the hub but the log.
    pub async fn errands(&self, member: usize) -> Done<bool> {
        let (node, relay, hub, me) = (self.node(member), &self.relay, relay_id(), id(member));
        let waiting = mail::waiting(node, &hub).await?;
        let mut moved = !waiting.is_empty();
        for post in waiting {
            let payload = post.payload.clone();
            mailbox::post(relay, &me, &post.recipient, post.item, &post.kind, payload).await?;
            mail::settled(node, post.item).await?;
        }
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
        for (lineage, step) in found::steps(node, &hub).await? {
            moved |= self.step(member, lineage, step).await?;
        }
        Ok(moved)
    }

    async fn step(&self, member: usize, lineage: LineageId, step: Step) -> Done<bool> {
        let (node, relay, me) = (self.node(member), &self.relay, id(member));
        match step {
            Step::Upload { group, group_info } => {
                found_group::found_group(relay, &me, lineage, group, group_info).await?;
                found::uploaded(node, lineage).await?;
                Ok(true)
            }
            Step::Seed => panic!("there is one hub"),
            Step::Claim { parties, suite } => {
                let claimed = key_package_pool::claim(relay, &me, lineage, suite, &parties).await?;
                let some = !claimed.key_packages.is_empty();
                if some {
                    found::invite(node, lineage, claimed.key_packages).await?;
                }
                Ok(some)
            }
        }
    }

    async fn read_mail(&self, member: usize) -> Done<bool> {
        let (node, relay, hub, me) = (self.node(member), &self.relay, relay_id(), id(member));
        let cursor = node.store.read().await?.mailbox_cursor(&hub).await?;
        let rows = mailbox::read_mailbox(relay, &me, cursor).await?;
        let moved = !rows.is_empty();
        for row in rows {
            let item = row.mail();
            let Taken::Welcome(welcome) = receive_mail(node, &hub, &item).await? else { continue };
            let tree =
                key_package_pool::fetch_tree(relay, &me, welcome.group, welcome.epoch).await?;
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
    pub async fn send(&self, member: usize) -> Done<bool> {
        let Some(row) = self.known(member).await? else { return Ok(false) };
        let (node, me) = (self.node(member), id(member));
        let mut moved = pack::pack(node, row.lineage).await? != pack::Packed::Nothing;
        while let Some(call) = send::next_call(node, row.lineage).await? {
            if row.state != "active" {
                break;
            }
            let answer = match append(&self.relay, &me, call.group, call.entries.clone()).await {
                Ok(answer) => answer,
                // Removed, and not told yet.
                Err(fault) if fault.reason == "not_a_member" => break,
                Err(fault) => return Err(fault),
            };
            send::answered(node, row.lineage, &call, &answer).await?;
            moved = true;
        }
        Ok(moved)
    }

    /// Reads the log to its end.
    pub async fn fetch(&mut self, member: usize) -> Done<bool> {
        let mut moved = false;
        while let Some(row) = self.known(member).await?.filter(|row| row.state == "active") {
            match read_log(&self.relay, &id(member), row.group, row.sequence).await? {
                LogAfter::Batch(rows, checkpoint) => {
                    let entries = rows.into_iter().map(LogRow::entry).collect();
                    let batch = Batch { group: row.group, entries, checkpoint };
                    match receive(self.node(member), &batch).await? {
                        Received::At(_) => moved = true,
                        Received::Gap(_) | Received::Stopped => break,
                    }
                }
                LogAfter::Nothing => break,
                LogAfter::Ended(reason) => {
                    self.ended.insert(member, reason);
                    break;
                }
            }
        }
        Ok(moved)
    }

    async fn known(&self, member: usize) -> Done<Option<EquipeRow>> {
        Ok(self.node(member).store.read().await?.equipes().await?.into_iter().next())
    }

    /// The équipe at a member.
    pub async fn row(&self, member: usize) -> EquipeRow {
        self.known(member).await.unwrap().unwrap()
    }

    /// Ids of the members, as one of them sees it.
    pub async fn members(&self, member: usize) -> Vec<NodeId> {
        let lineage = self.row(member).await.lineage;
        let rows = self.node(member).store.read().await.unwrap().members(lineage).await.unwrap();
        rows.into_iter().map(|row| row.node).collect()
    }

    /// Codes of the alarms at a member.
    pub async fn alarms(&self, member: usize) -> Vec<String> {
        let lineage = self.row(member).await.lineage;
        let alarms = self.node(member).store.read().await.unwrap().alarms(lineage).await.unwrap();
        alarms.into_iter().map(|alarm| alarm.code).collect()
    }

    /// What a member has set aside.
    pub async fn set_aside(&self, member: usize) -> Vec<(Sequence, String)> {
        let lineage = self.row(member).await.lineage;
        let mut tx = self.node(member).store.read().await.unwrap();
        let rows = tx.set_aside_after(lineage, Sequence(0)).await.unwrap();
        rows.into_iter().map(|row| (row.sequence, row.reason)).collect()
    }

    /// The operator of a member shares synthetic alerts; their ids.
    pub async fn share(&self, member: usize, count: usize) -> Vec<ObjectId> {
        let shared = self.order(member, count).await.unwrap();
        assert_eq!(shared.violations, Vec::new());
        shared.objects.into_iter().map(|(row, _)| row.object).collect()
    }

    /// The same where it may be refused.
    pub async fn try_share(&self, member: usize) -> Done<Shared> {
        self.order(member, 1).await
    }

    async fn order(&self, member: usize, count: usize) -> Done<Shared> {
        let node = self.node(member);
        let made = example(Kind::Case, count, &*node.entropy, self.clock.now(), &node.lists);
        let with_id = |alert| Alert { id: ObjectId::random(&*node.entropy).to_string(), ..alert };
        let alerts = made.into_iter().map(with_id).collect();
        let order = Order { equipe: EQUIPE.into(), alerts, purpose: None, dry_run: false };
        share(node, self.operator(member), order).await
    }

    /// The operator of a member, for calls that are to fail.
    pub fn employee(&self, member: usize) -> &Operator {
        self.operator(member)
    }

    /// Everything that the operator of a member sees, in order.
    pub async fn listed(&self, member: usize) -> Vec<AlertView> {
        let (node, operator) = (self.node(member), self.operator(member));
        let mut all = Vec::new();
        let mut after = Some(0);
        while let Some(position) = after {
            let query =
                Query { equipe: EQUIPE.into(), after: position, limit: 100, ..Query::default() };
            let (views, next) = alerts::list(node, operator, &query).await.unwrap();
            all.extend(views);
            after = next;
        }
        all
    }

    /// Ids of the active alerts that a member sees.
    pub async fn seen(&self, member: usize) -> BTreeSet<ObjectId> {
        let listed = self.listed(member).await;
        let active = listed.into_iter().filter(|view| view.row.state == "active");
        active.map(|view| view.row.object).collect()
    }

    /// One alert as the operator of a member sees it.
    pub async fn one(&self, member: usize, object: ObjectId) -> AlertView {
        alerts::one(self.node(member), self.operator(member), object).await.unwrap()
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
            let row = self.row(*member).await;
            let name = id(*member);
            assert_eq!((row.sequence, row.head), (first.sequence, first.head), "{name}");
            assert_eq!(row.epoch, first.epoch, "{name}");
            assert_eq!(row.authenticator, first.authenticator, "{name}");
            assert_eq!(row.statement, first.statement, "{name}");
            assert_eq!(self.members(*member).await, expected, "{name}");
            assert_eq!(self.alarms(*member).await, Vec::<String>::new(), "{name}");
            assert_eq!(self.set_aside(*member).await, Vec::new(), "{name}");
            let mut tx = self.node(*member).store.read().await.unwrap();
            assert_eq!(tx.unaccepted_envelopes(row.lineage).await.unwrap(), 0, "{name}");
            assert_eq!(tx.proposals(row.lineage).await.unwrap(), [], "{name}");
        }
    }

    /// All that one courier does, except sending to the log.
    pub async fn turn_but_send(&mut self, member: usize) {
        self.read_mail(member).await.unwrap();
        self.errands(member).await.unwrap();
    }

    /// The disk of a member as it is.
    pub fn disk(&self, member: usize) -> Snapshot {
        self.stores[&id(member)].snapshot()
    }

    /// Puts a member's disk back, and starts it again.
    pub async fn put_back(&mut self, member: usize, disk: Snapshot) {
        self.stores[&id(member)].restore(&disk);
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

fn vault(node: &NodeId) -> Vault {
    Vault::new(&Secret::new(Digest::of(node.as_str().as_bytes()).0))
}

async fn create(node: &NodeId, store: &MemoryStore, clock: &StandingClock) {
    let name = node.as_str();
    let new = NewNode {
        node: node.clone(),
        name: format!("Regione {name}"),
        ipa_code: None,
        hub_endpoint: (name == RELAY).then(|| "relay.example.org:4460".to_owned()),
    };
    // Nothing here speaks TLS.
    let tls =
        NewTls { key: name.into(), certificate: name.into(), spki: Digest::of(name.as_bytes()) };
    init(store, &vault(node), &SeededEntropy::labelled(name), clock, new, tls).await.unwrap();
}

async fn start(node: &NodeId, store: &MemoryStore, clock: &Arc<StandingClock>, life: u32) -> Node {
    let vault = vault(node);
    let label = format!("{node} {life}");
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::labelled(&label));
    let limits = Limits { entries_per_minute_max: u32::MAX, ..Limits::default() };
    Node {
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
        hub: (node.as_str() == RELAY).then(|| Hub::new(limits)),
        rhythm: Default::default(),
        links: Default::default(),
        claims: Default::default(),
        voice: Default::default(),
        told: Default::default(),
    }
}
