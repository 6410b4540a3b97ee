//! One verified peer asks its hub for more than it may have, by every call at once: the others'
//! alerts arrive, the hub stays small, and its administrator is told whose it is.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use raccordo_core::crypto::{Crypto, Suite};
use raccordo_core::entropy::draw;
use raccordo_core::id::{Digest, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::quota::Quota;
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use raccordo_core::session::Session;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::trust::statement::{HubTerm, Party, RULES_VERSION, SignedStatement, Statement};
use raccordo_core::wire::offer::{Offer, offer_message};
use raccordo_node::setup::Opened;
use raccordo_proto::hub::v1 as proto;
use raccordo_proto::hub::v1::EntryKind::{Application, Commit, Notice};
use raccordo_proto::hub::v1::hub_service_client::HubServiceClient;
use raccordo_tests::federation::raw::Raw;
use raccordo_tests::federation::{Federation, PATIENCE, RELAY, Setting, TOSCANA, UMBRIA};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use crate::alerts::{examples, listed, share};

/// The peer that floods.
const MARCHE: &str = "marche";
/// Its équipe, which the relay's administrator has accepted.
const EQUIPE: &str = "Piena";
/// The most memory of the hub, in KiB.
const MEMORY_KIB_MAX: u64 = 256 << 10;
/// What the relay's administrator allows: fewer than the default, so that they are soon had.
const CALLS_PER_MINUTE: u64 = 1_500;
/// Calls of one kind: more than any quota of theirs lets through.
const MANY: usize = 48;
/// Calls of a few bytes that are under way at any time, on each connection: more than may wait.
const POLLS: usize = 50;
const CONNECTIONS: usize = 6;
const SUITE: Suite = Suite::Classical;

/// Every call of the hub more often, and larger, than the quotas let through.
pub async fn by_every_call(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting.classical()).await?;
    allow_fewer_calls(&mut world).await?;
    let flooder = Flooder::of(&mut world).await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "1").await?).await?;
    let before = doctor(&world).await?;
    ensure!(before.is_empty(), "before the flood: {before:?}");

    let stop = CancellationToken::new();
    let flooded = tokio::spawn(flooder.flood(stop.clone()));
    let (began, mut shared) = (Instant::now(), 1);
    loop {
        shared += 1;
        let from = if shared % 2 == 0 { TOSCANA } else { UMBRIA };
        let alerts = examples(&world, "case", 1, &shared.to_string()).await?;
        share(&world, from, &alerts).await?;
        match named(&doctor(&world).await?) {
            Ok(()) => break,
            Err(_) if flooded.is_finished() => break,
            Err(missing) if began.elapsed() > PATIENCE => return Err(missing),
            Err(_) => {}
        }
    }
    stop.cancel();
    flooded.await??;
    for member in [TOSCANA, UMBRIA] {
        ensure!(listed(&world, member).await?.len() == shared, "alerts are missing at {member}");
    }
    let most = memory_kib_most(&world)?;
    ensure!(most < MEMORY_KIB_MAX, "the hub has had {most} KiB");
    Ok(())
}

/// What the relay's `doctor` says of peers over their quota.
async fn doctor(world: &Federation) -> anyhow::Result<Vec<String>> {
    let findings = world.node(RELAY)?.findings().await?;
    let about = findings.into_iter().filter(|finding| finding.code == "peer_over_quota");
    Ok(about.map(|finding| finding.message).collect())
}

/// The peer is told with each quota that it has reached, and nobody else.
fn named(told: &[String]) -> anyhow::Result<()> {
    let stranger = told.iter().find(|message| !message.starts_with(&format!("{MARCHE} reached ")));
    ensure!(stranger.is_none(), "somebody else is named: {stranger:?}");
    for quota in [
        Quota::CallPace,
        Quota::CallsWaiting,
        Quota::SubscriptionsOfPeer,
        Quota::EntriesOfCall,
        Quota::EntriesOfMember,
        Quota::OfferBytes,
        Quota::OffersOfPeer,
        Quota::CommitBytes,
        Quota::HubMessageBytes,
        Quota::HubMessageElements,
        Quota::ClaimParties,
        Quota::KeyPackageBytes,
        Quota::PostBytes,
        Quota::PostedBytesToMailbox,
    ] {
        let words = format!("{MARCHE} reached the quota {quota} ");
        let found = told.iter().any(|message| message.starts_with(&words));
        ensure!(found, "{quota} is not told: {told:?}");
    }
    let pace = format!("at most {CALLS_PER_MINUTE} in a minute are allowed");
    ensure!(told.iter().any(|message| message.contains(&pace)), "another number: {told:?}");
    Ok(())
}

/// The most resident memory that the relay's process has ever had.
fn memory_kib_most(world: &Federation) -> anyhow::Result<u64> {
    let pid = world.node(RELAY)?.pid().context("the relay does not run")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmHWM")?.parse()?)
}

async fn allow_fewer_calls(world: &mut Federation) -> anyhow::Result<()> {
    let relay = world.node_mut(RELAY)?;
    let path = relay.home().config();
    let config = std::fs::read_to_string(&path)?;
    let section = format!("\n[hub]\ncalls_per_minute = {CALLS_PER_MINUTE}\n");
    ensure!(config.contains("\n[hub]\n"), "no section [hub]");
    std::fs::write(&path, config.replace("\n[hub]\n", &section))?;
    relay.restart().await
}

/// The keys of a verified peer, and an équipe of its own at the relay.
struct Flooder {
    opened: Opened,
    hub: SignedCard,
    session: Session,
    group: GroupId,
    lineage: LineageId,
}

impl Flooder {
    async fn of(world: &mut Federation) -> anyhow::Result<Self> {
        world.add(MARCHE).await?;
        world.export_card(MARCHE).await?;
        world.introduce(MARCHE, RELAY).await?;
        world.introduce(RELAY, MARCHE).await?;
        world.verify(MARCHE, RELAY).await?;
        world.verify(RELAY, MARCHE).await?;
        world.node_mut(MARCHE)?.stop().await?;
        let opened = world.node(MARCHE)?.open().await?;
        let hub = world.node(RELAY)?.card().await?;
        let mut client = Raw::of(&opened, &hub).await?.client;
        let offered = offer(&opened, &hub, EQUIPE)?;
        let statement = offered.statement.statement();
        let (group, lineage) = (statement.group_id(), statement.lineage);
        client.offer_equipe(offer_message(&offered)).await?;
        world.node(RELAY)?.run(&["hub", "accept", EQUIPE]).await?;
        let (crypto, leaf) = (Crypto::new(Arc::clone(&opened.entropy)), opened.identity.leaf());
        let statement = offered.statement.encode();
        let (session, group_info) = Session::found(&crypto, &leaf, group, SUITE, &statement)?;
        let (group_id, lineage_id) = (group.as_bytes().to_vec(), lineage.as_bytes().to_vec());
        let found = proto::FoundGroupRequest { group_id, lineage: lineage_id, group_info };
        client.found_group(found).await?;
        Ok(Self { opened, hub, session, group, lineage })
    }

    /// All calls at once, then the smallest again and again until it is stopped.
    async fn flood(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut lanes = Vec::new();
        for _ in 0..CONNECTIONS {
            lanes.push(Lane::of(&self.opened, &self.hub).await?);
        }
        let [one, two, three, four, five, six] = lanes.as_slice() else {
            bail!("other connections")
        };
        let _held = subscriptions(six).await;
        let mut calls = JoinSet::new();
        self.offers(one, &mut calls)?;
        self.entries(two, &mut calls)?;
        self.key_packages(three, &mut calls);
        self.posts(four, &mut calls);
        self.groups(five, &mut calls);
        large(six, &mut calls);
        while let Some(ended) = calls.join_next().await {
            ended?;
        }
        for lane in &lanes {
            for _ in 0..POLLS {
                let mut client = lane.client();
                calls.spawn(async move {
                    loop {
                        // Whatever it is told.
                        let _ = client.confirm(proto::ConfirmRequest::default()).await;
                        tokio::task::yield_now().await;
                    }
                });
            }
        }
        stop.cancelled().await;
        calls.shutdown().await;
        Ok(())
    }

    /// Small ones that are good, each of an équipe that nobody knows, and large ones.
    fn offers(&self, lane: &Lane, calls: &mut JoinSet<()>) -> anyhow::Result<()> {
        for number in 0..MANY {
            let good = offer(&self.opened, &self.hub, &format!("{EQUIPE} {number}"))?;
            let mut client = lane.client();
            let asked = offer_message(&good);
            lane.begin(calls, async move { client.offer_equipe(asked).await.map(drop) });
        }
        let mut large = offer(&self.opened, &self.hub, "Grande")?;
        let again = self.opened.identity.card();
        large.cards = vec![again.clone(); Quota::OfferBytes.count() / again.encode().len() + 1];
        for _ in 0..4 {
            let (mut client, asked) = (lane.client(), offer_message(&large));
            lane.begin(calls, async move { client.offer_equipe(asked).await.map(drop) });
        }
        Ok(())
    }

    /// Messages into its own log, as many as go into a call and more; changes and notices that
    /// are none.
    fn entries(&mut self, lane: &Lane, calls: &mut JoinSet<()>) -> anyhow::Result<()> {
        let message = self.session.encrypt(&self.opened.identity.leaf(), &[0; 16 << 10])?;
        let group_id = self.group.as_bytes().to_vec();
        let entry = |kind: proto::EntryKind, payload: Vec<u8>| proto::NewEntry {
            entry_id: uuid::Uuid::new_v4().as_bytes().to_vec(),
            kind: kind.into(),
            payload,
            ..Default::default()
        };
        let batch = |count, kind, payload: &[u8]| proto::AppendRequest {
            group_id: group_id.clone(),
            entries: (0..count).map(|_| entry(kind, payload.to_vec())).collect(),
        };
        let most = Quota::EntriesOfCall.count();
        let times = 2 * Quota::EntriesOfMember.count() / most;
        let mut asked: Vec<_> = (0..times).map(|_| batch(most, Application, &message)).collect();
        asked.extend((0..4).map(|_| batch(most + 1, Application, &[7; 100])));
        asked.extend((0..8).map(|_| batch(1, Commit, &[7; 5 << 20])));
        asked.extend((0..MANY).map(|_| batch(1, Commit, &[7; 1_000])));
        asked.extend((0..MANY).map(|_| batch(1, Notice, &[7; 1_000])));
        for asked in asked {
            let mut client = lane.client();
            lane.begin(calls, async move { client.append(asked).await.map(drop) });
        }
        Ok(())
    }

    /// Claims of those of others, few and many, and deposits of its own that are none.
    fn key_packages(&self, lane: &Lane, calls: &mut JoinSet<()>) {
        let lineage = self.lineage.as_bytes().to_vec();
        let suite = SUITE.number().into();
        let claim = |count| proto::ClaimKeyPackagesRequest {
            lineage: lineage.clone(),
            ciphersuite: suite,
            parties: [TOSCANA, UMBRIA].repeat(count).into_iter().map(str::to_owned).collect(),
        };
        for times in [1; MANY].into_iter().chain([400, 600, 8_000, 100_000]) {
            let (mut client, asked) = (lane.client(), claim(times));
            lane.begin(calls, async move { client.claim_key_packages(asked).await.map(drop) });
        }
        for bytes in [1_000, Quota::KeyPackageBytes.count() + 1] {
            let junk = proto::DepositedKeyPackage {
                key_package: vec![7; bytes],
                expires_at_ms: 1_800_000_000_000,
                ..Default::default()
            };
            for _ in 0..MANY {
                let mut client = lane.client();
                let key_packages = vec![junk.clone(); 20];
                let asked = proto::DepositKeyPackagesRequest { key_packages };
                lane.begin(
                    calls,
                    async move { client.deposit_key_packages(asked).await.map(drop) },
                );
            }
        }
    }

    fn posts(&self, lane: &Lane, calls: &mut JoinSet<()>) {
        let most = Quota::PostBytes.count();
        for (recipient, bytes) in [(TOSCANA, most), (UMBRIA, most), (UMBRIA, most + 1)] {
            for _ in 0..MANY {
                let mut client = lane.client();
                let asked = proto::PostRequest {
                    recipient: recipient.to_owned(),
                    item_id: uuid::Uuid::new_v4().as_bytes().to_vec(),
                    kind: "pact".to_owned(),
                    payload: vec![7; bytes],
                };
                lane.begin(calls, async move { client.post(asked).await.map(drop) });
            }
        }
    }

    /// Its tree, and groups that are no more than their name.
    fn groups(&self, lane: &Lane, calls: &mut JoinSet<()>) {
        for number in 0..MANY {
            let group_id = Digest::of(&number.to_be_bytes()).0.to_vec();
            let lineage = self.lineage.as_bytes().to_vec();
            let [mut tree, mut found, mut seed] = [lane.client(), lane.client(), lane.client()];
            let own = self.group.as_bytes().to_vec();
            let asked = proto::FetchTreeRequest { group_id: own, epoch: None };
            lane.begin(calls, async move { tree.fetch_tree(asked).await.map(drop) });
            let asked = proto::FoundGroupRequest {
                group_id: group_id.clone(),
                lineage: lineage.clone(),
                group_info: vec![7; 1 << 20],
            };
            lane.begin(calls, async move { found.found_group(asked).await.map(drop) });
            let head_after = vec![7; 32];
            let asked =
                proto::SeedGroupRequest { group_id, lineage, head_after, ..Default::default() };
            lane.begin(calls, async move { seed.seed_group(asked).await.map(drop) });
        }
    }
}

/// Messages that are larger than any may be, or would become so.
fn large(lane: &Lane, calls: &mut JoinSet<()>) {
    for _ in 0..MANY / 4 {
        let [mut large, mut dense] = [lane.client(), lane.client()];
        let payload = vec![7; Quota::HubMessageBytes.count()];
        let asked = proto::PostRequest { payload, ..Default::default() };
        lane.begin(calls, async move { large.post(asked).await.map(drop) });
        let groups = vec![proto::Cursor::default(); 100_000];
        let asked = proto::ConfirmRequest { groups, ..Default::default() };
        lane.begin(calls, async move { dense.confirm(asked).await.map(drop) });
    }
}

/// As many as it gets; nobody reads them.
async fn subscriptions(lane: &Lane) -> Vec<Streaming<proto::SubscribeResponse>> {
    let mut held = Vec::new();
    for _ in 0..MANY {
        let asked = proto::SubscribeRequest::default();
        held.extend(lane.client().subscribe(asked).await.map(Response::into_inner));
    }
    held
}

/// A connection with a few calls under way: what waits for its turn at the hub takes the
/// window of the others on it.
struct Lane {
    raw: Raw,
    under_way: Arc<Semaphore>,
}

impl Lane {
    async fn of(opened: &Opened, hub: &SignedCard) -> anyhow::Result<Self> {
        let raw = Raw::of(opened, hub).await?;
        Ok(Self { raw, under_way: Arc::new(Semaphore::new(2)) })
    }

    fn client(&self) -> HubServiceClient<Channel> {
        self.raw.client.clone()
    }

    /// Calls when it is its turn; how it is answered is the hub's affair.
    fn begin(
        &self,
        calls: &mut JoinSet<()>,
        call: impl Future<Output = Result<(), Status>> + Send + 'static,
    ) {
        let under_way = Arc::clone(&self.under_way);
        calls.spawn(async move {
            // It is never closed.
            let _turn = under_way.acquire_owned().await;
            let _ = call.await;
        });
    }
}

/// An équipe of a peer, its chair, and of somebody who has no node.
fn offer(opened: &Opened, hub: &SignedCard, name: &str) -> anyhow::Result<Offer> {
    let chair = &opened.identity;
    let other = IdentityKey::from_seed(&draw(&*opened.entropy));
    let cards = vec![chair.card(), invented(&chair.card(), &other)?];
    let mut parties: Vec<Party> = cards.iter().map(party).collect();
    parties.sort_by(|a, b| a.node.cmp(&b.node));
    let hub = hub.card();
    let body = Statement {
        lineage: LineageId(draw(&*opened.entropy)),
        version: 1,
        previous: Digest::ZERO,
        pact: Digest::of(name.as_bytes()),
        parties,
        chair: chair.node.clone(),
        hub: HubTerm {
            hub: hub.node.clone(),
            identity: hub.identity,
            endpoint: hub.hub_endpoint.clone().context("no endpoint")?,
            term: 1,
            first_sequence: Sequence(1),
            head_before: Digest::ZERO,
        },
        age_limit_ms: 30 * 24 * 3_600_000,
        rules_version: RULES_VERSION,
        equipe_name: name.to_owned(),
        succeeds: None,
    };
    let mut statement = SignedStatement::new(body)?;
    statement.sign(None, &chair.node, &chair.key)?;
    if let Some(invented) = cards.last() {
        statement.sign(None, &invented.card().node, &other)?;
    }
    Ok(Offer { statement, earlier: Vec::new(), cards })
}

fn party(card: &SignedCard) -> Party {
    let (node, identity) = (card.card().node.clone(), card.card().identity);
    Party { node, identity, card_floor: 1, suspended_by: None, ratified: false }
}

/// The card of somebody whose keys are all made here.
fn invented(like: &SignedCard, key: &IdentityKey) -> anyhow::Result<SignedCard> {
    let mut card = like.card().clone();
    let seed = |purpose: &str| Digest::of(format!("{purpose} of {}", key.public()).as_bytes()).0;
    let name = Digest::of(key.public().as_bytes()).to_string();
    card.node = format!("x{}", name.get(..20).unwrap_or_default()).parse::<NodeId>()?;
    card.identity = key.public();
    let prove = |purpose, key_use| {
        let secret = IdentityKey::from_seed(&seed(purpose));
        ProvenKey::prove(&secret, key_use, &card.node, &card.identity)
    };
    (card.tls_key, card.mls_key) = (prove("TLS", KeyUse::Tls), prove("MLS", KeyUse::Mls));
    card.sealing_key = SealingKey::derive(&Secret::new(seed("sealing")))?.public().to_vec();
    Ok(card.sign(key)?)
}
