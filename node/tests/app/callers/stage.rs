//! A hub that listens, an équipe with members, one that was removed and one that is suspended,
//! another équipe, and a peer that is in none.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use raccordo_core::callers::Caller;
use raccordo_core::crypto::Suite;
use raccordo_core::entropy::draw;
use raccordo_core::id::{Digest, ItemId, NodeId, Sequence};
use raccordo_core::trust::card::{Card, SignedCard};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::statement::{Party, SignedStatement, Statement};
use raccordo_core::wire;
use raccordo_core::wire::offer::Offer;
use raccordo_node::api::serve::hub_router;
use raccordo_node::app::changes::Wanted;
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::{Node, changes, found, send};
use raccordo_node::courier::pins;
use raccordo_node::store::hub::{CarriedRow, MailboxRow};
use raccordo_node::store::peer::PeerRow;
use raccordo_node::transport::accept::{AcceptLimits, Gate};
use raccordo_node::transport::connect::{ConnectError, Route};
use raccordo_node::transport::identity::{TlsIdentity, TlsKey};
use raccordo_node::transport::limits::CallLimits;
use raccordo_node::transport::pin::TrustedPins;
use raccordo_proto::hub::v1 as proto;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::bench::ADMIN;
use crate::identities::{card_of, thief, tls_key_of};
use crate::many::{self, HUB, Many};
use crate::membership::begin;

/// Only a test that fails waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const OTHER_EQUIPE: &str = "Altra";

/// The chair.
const MEMBER: usize = 0;
/// The other member; at last its card has expired.
pub const OTHER_MEMBER: usize = 1;
const REMOVED: usize = 2;
const SUSPENDED: usize = 3;
/// The chair of the other équipe, and its other party.
const ELSEWHERE: [usize; 2] = [4, 5];
const PEER: usize = 6;

/// All of them, and the hub's listener.
pub struct Stage {
    many: Many,
    endpoint: String,
    /// Of the équipe with which everything is about.
    pub carried: CarriedRow,
    /// With which it began.
    pub founding: Offer,
    /// A message that its chair has not sent yet.
    pub message: proto::NewEntry,
}

/// Which node is such a caller, where one is.
fn number(caller: Caller) -> Option<usize> {
    match caller {
        Caller::Stranger | Caller::Squatter => None,
        Caller::Peer => Some(PEER),
        Caller::Elsewhere => Some(ELSEWHERE[0]),
        Caller::Member => Some(MEMBER),
        Caller::Suspended => Some(SUSPENDED),
        Caller::Removed => Some(REMOVED),
        Caller::Expired => Some(OTHER_MEMBER),
    }
}

impl Stage {
    pub async fn set() -> Self {
        let mut many = Many::founded(4, 7).await;
        let statement = changes::statement(&many.row(MEMBER).await).unwrap();
        let of = |party: &Party| [0, 1, 2, 3].into_iter().find(|it| many::id(*it) == party.node);
        let parties = statement.statement().parties.iter().map(|party| of(party).unwrap());
        let cards = parties.map(|party| many.node(party).identity.card()).collect();
        let founding = Offer { statement, earlier: Vec::new(), cards };
        found_another(&mut many).await;
        begin(&many, MEMBER, Wanted::Remove(many::id(REMOVED))).await;
        many.run().await;
        many.sign(OTHER_MEMBER).await;
        many.sign(SUSPENDED).await;
        many.run().await;
        begin(&many, OTHER_MEMBER, Wanted::Suspend(many::id(SUSPENDED))).await;
        many.run().await;
        many.assert_agreement(&[MEMBER, OTHER_MEMBER]).await;
        many.share(MEMBER, 1).await;
        let lineage = many.row(MEMBER).await.lineage;
        let call = send::next_call(many.node(MEMBER), lineage).await.unwrap().unwrap();
        let message = wire::hub::new_entry_message(&call.entries[0]);
        // Whoever is in an équipe is known by it alone.
        for party in [MEMBER, REMOVED, SUSPENDED, ELSEWHERE[0]] {
            many.know_by_equipe_alone(party).await;
        }
        many.pass(DAY * 3);
        let carried = carried(&many).await;
        let mut stage = Self { many, endpoint: String::new(), carried, founding, message };
        stage.spoil_cards().await;
        stage.fill_mailboxes().await;
        stage.endpoint = stage.listen().await;
        stage
    }

    pub fn relay(&self) -> &Node {
        self.many.relay()
    }

    /// The node that is such a caller.
    pub fn node(&self, caller: Caller) -> &Node {
        self.many.node(number(caller).unwrap())
    }

    /// The card of one member expires, and a squatter's is among those of the équipe.
    async fn spoil_cards(&mut self) {
        let expired = self.many.node(OTHER_MEMBER);
        let valid_until = expired.clock.now().minus(DAY);
        let card = Card { valid_until, ..expired.identity.card().card().clone() };
        let card = card.sign(&expired.identity.key).unwrap();
        let mut row = self.carried.clone();
        let known = expired.identity.card().encode();
        row.cards.iter_mut().filter(|it| **it == known).for_each(|it| *it = card.encode());
        row.cards.push(self.squatter().encode());
        let mut tx = self.relay().store.write().await.unwrap();
        let peer = tx.peer(&many::id(OTHER_MEMBER)).await.unwrap().unwrap();
        tx.put_peer(PeerRow { signed_card: card.encode(), ..peer }).await.unwrap();
        tx.update_carried(&row).await.unwrap();
        tx.commit().await.unwrap();
        self.carried = row;
    }

    fn squatter(&self) -> SignedCard {
        let known = self.many.node(MEMBER).identity.card();
        card_of(known.card().node.as_str(), &known, &thief())
    }

    /// Something waits for everybody.
    async fn fill_mailboxes(&self) {
        let mut tx = self.relay().store.write().await.unwrap();
        for caller in Caller::ALL.into_iter().filter(|caller| number(*caller).is_some()) {
            let row = MailboxRow {
                recipient: self.node(caller).identity.node.clone(),
                sequence: 0,
                item: self.item(),
                sender: many::id(PEER),
                kind: "pact".into(),
                payload: vec![1],
                expires_at: self.relay().clock.now().plus(DAY),
            };
            assert!(tx.insert_mailbox(row).await.unwrap());
        }
        tx.commit().await.unwrap();
    }

    async fn listen(&self) -> String {
        let relay = self.many.shared_node(HUB);
        let trusted = TrustedPins::new();
        pins::refresh(&relay, &trusted).await.unwrap();
        let limits = AcceptLimits {
            handshake: PATIENCE,
            pending_handshakes: 8,
            connections: 64,
            connections_per_peer: 8,
        };
        let gate = Gate::for_peers("hub", &identity_of(&relay), trusted, limits).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, stop) =
            (CallLimits { streams: 64, metadata_bytes: 4_096 }, CancellationToken::new());
        let services = hub_router(Arc::clone(&relay), calls, stop.clone()).await.unwrap();
        tokio::spawn(services.serve_with_incoming(gate.accept(listener, stop)));
        address.to_string()
    }

    /// A connection to the hub.
    pub async fn dial(&self, caller: Caller) -> Result<Channel, ConnectError> {
        let shown = |name: &str, key: &IdentityKey| {
            let TlsKey { pkcs8, certificate } =
                TlsKey::for_peers(&name.parse().unwrap(), key).unwrap();
            TlsIdentity::from_parts(&pkcs8, &certificate).unwrap()
        };
        let identity = match caller {
            Caller::Stranger => shown("nobody", &IdentityKey::from_seed(&[5; 32])),
            Caller::Squatter => shown("toscana", &tls_key_of(&thief())),
            known => identity_of(self.node(known)),
        };
        let hub = self.relay().identity.card();
        let trusted = TrustedPins::new();
        trusted.trust(hub.card().tls_pin(), hub.card().node.clone());
        let (node, endpoint) = (hub.card().node.clone(), self.endpoint.parse().unwrap());
        Route::new(&identity, trusted, node, endpoint, None, PATIENCE).unwrap().channel().await
    }

    /// An item's id that nobody has had.
    pub fn item(&self) -> ItemId {
        ItemId(draw(&*self.relay().entropy))
    }

    /// An équipe that nobody knows, of a caller, its chair, and of somebody without a node.
    pub fn new_equipe(&self, caller: Caller) -> Offer {
        let chair = &self.node(caller).identity;
        let named = format!("x-of-{}", chair.node);
        let other = IdentityKey::from_seed(&Digest::of(named.as_bytes()).0);
        let cards = vec![chair.card(), card_of(&named, &chair.card(), &other)];
        let mut parties: Vec<Party> = cards.iter().map(party).collect();
        parties.sort_by(|a, b| a.node.cmp(&b.node));
        let mut body = Statement {
            parties,
            chair: chair.node.clone(),
            equipe_name: format!("Nuova {}", chair.node),
            ..self.founding.statement.statement().clone()
        };
        body.lineage.0 = draw(&*self.relay().entropy);
        let mut statement = SignedStatement::new(body).unwrap();
        statement.sign(None, &chair.node, &chair.key).unwrap();
        statement.sign(None, &cards[1].card().node, &other).unwrap();
        Offer { statement, earlier: Vec::new(), cards }
    }

    /// The next card of a caller.
    pub fn new_card(&self, caller: Caller) -> SignedCard {
        let identity = &self.node(caller).identity;
        let card = identity.card().card().clone();
        Card { serial: card.serial + 1, ..card }.sign(&identity.key).unwrap()
    }

    /// Up to where the hub has trimmed the équipe's log.
    pub async fn trimmed(&self) -> Sequence {
        carried(&self.many).await.trimmed
    }

    /// How far the hub knows a caller to be in the équipe's log.
    pub async fn cursor(&self, caller: Caller) -> Option<Sequence> {
        let me: &NodeId = &self.node(caller).identity.node;
        let mut tx = self.relay().store.read().await.unwrap();
        let cursors = tx.cursors(self.carried.group).await.unwrap();
        cursors.into_iter().find(|(member, _)| member == me).map(|(_, cursor)| cursor)
    }

    /// What waits for a caller.
    pub async fn mail(&self, caller: Caller) -> Vec<MailboxRow> {
        let (me, now) = (&self.node(caller).identity.node, self.relay().clock.now());
        let mut tx = self.relay().store.read().await.unwrap();
        tx.mailbox_after(me, 0, now, 100, 1 << 20).await.unwrap()
    }
}

fn party(card: &SignedCard) -> Party {
    let Card { node, identity, .. } = card.card().clone();
    Party { node, identity, card_floor: 1, suspended_by: None, ratified: false }
}

fn identity_of(node: &Node) -> TlsIdentity {
    let newest = node.identity.newest();
    TlsIdentity::from_parts(&newest.tls_key, &newest.tls_certificate).unwrap()
}

/// As the hub has it now.
async fn carried(many: &Many) -> CarriedRow {
    let lineage = many.row(MEMBER).await.lineage;
    let mut tx = many.relay().store.read().await.unwrap();
    tx.carried(lineage).await.unwrap().unwrap()
}

async fn found_another(many: &mut Many) {
    let chair = many.node(ELSEWHERE[0]);
    let (parties, hub) = (ELSEWHERE.map(many::id), many.relay().identity.node.clone());
    let suite = Suite::Classical.name();
    let text = pacts::draft(chair, OTHER_EQUIPE, &parties, &hub, true, suite).await.unwrap();
    pacts::sign(chair, ADMIN, Source::Toml(text)).await.unwrap();
    pacts::propose(chair, ADMIN, OTHER_EQUIPE, false).await.unwrap();
    many.run().await;
    let named = Source::Named(OTHER_EQUIPE.into());
    pacts::sign(many.node(ELSEWHERE[1]), ADMIN, named).await.unwrap();
    many.run().await;
    accept::decide(many.relay(), ADMIN, OTHER_EQUIPE, Decision::Accept).await.unwrap();
    many.run().await;
    found::create(many.node(ELSEWHERE[0]), ADMIN, OTHER_EQUIPE).await.unwrap();
    many.run().await;
}
