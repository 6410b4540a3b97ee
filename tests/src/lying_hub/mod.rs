//! A hub written from the proto files alone, which keeps its log honestly until it is told
//! to lie. Ordering, chain, checkpoints and deliveries are its own; of the node it borrows
//! TLS with pinned keys, the identity key, and MLS for the public tree.
//!
//! Every member is shown a log of its own: at first all are equal. A lie is told to one of
//! them, about what comes next.

mod log;
mod service;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use raccordo_core::crypto::Crypto;
use raccordo_core::hubgroup::HubGroup;
use raccordo_core::trust::card::SignedCard;
use raccordo_node::setup::Opened;
use raccordo_node::transport::accept::{AcceptLimits, Gate};
use raccordo_node::transport::pin::TrustedPins;
use raccordo_proto::hub::v1::hub_service_server::HubServiceServer;
use raccordo_proto::hub::v1::{DepositedKeyPackage, LogEntry, MailboxItem};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::log::Log;

const MESSAGE_BYTES_MAX: usize = 8 << 20;

/// What one member is told that is not so. Each is about the next entry that it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lie {
    /// It is left out.
    Withhold,
    /// It comes after the one that follows it.
    Reorder,
    /// It comes twice.
    Replay,
    /// The log ends so many entries earlier, and goes on from there.
    Truncate(usize),
    /// It is shown under another sender.
    Sender(String),
    /// It is shown in another epoch.
    Epoch,
    /// The checkpoint is of another head.
    Checkpoint,
    /// The checkpoint is not signed by the hub.
    Signature,
    /// A commit that nobody made follows it.
    ForgedCommit,
}

/// The hub in this process.
pub struct LyingHub {
    shared: Arc<Shared>,
    stop: CancellationToken,
}

struct Shared {
    state: Mutex<State>,
    /// Raised whenever somebody may be told something.
    news: watch::Sender<u64>,
    opened: Opened,
    crypto: Arc<Crypto>,
}

/// The service.
struct Calls(Arc<Shared>);

#[derive(Default)]
struct State {
    lineage: Vec<u8>,
    group_id: Vec<u8>,
    public: Option<HubGroup>,
    epoch: u64,
    /// Trees by epoch, as newcomers fetch them.
    trees: BTreeMap<u64, Vec<u8>>,
    /// Whether newcomers are given the tree of the epoch before.
    false_trees: bool,
    parties: BTreeSet<String>,
    joined: BTreeSet<String>,
    /// What each member is shown.
    logs: BTreeMap<String, Log>,
    lies: BTreeMap<String, VecDeque<Lie>>,
    /// Entries that come after the next one.
    delayed: BTreeMap<String, LogEntry>,
    mail: BTreeMap<String, Vec<MailboxItem>>,
    pool: BTreeMap<String, Vec<DepositedKeyPackage>>,
    clock_ms: i64,
}

impl LyingHub {
    /// Serves with the keys of a home, whose node does not run, on the endpoint of its card.
    ///
    /// # Errors
    /// The endpoint is taken.
    pub async fn start(opened: Opened, members: &[SignedCard]) -> anyhow::Result<Self> {
        let endpoint = opened.identity.card().card().hub_endpoint.clone();
        let address: SocketAddr = endpoint.context("the card names no endpoint")?.parse()?;
        let trusted = TrustedPins::new();
        for card in members {
            trusted.trust(card.card().tls_pin(), card.card().node.clone());
        }
        let limits = AcceptLimits {
            handshake: Duration::from_secs(10),
            pending_handshakes: 16,
            connections: 16,
            connections_per_peer: 16,
        };
        let gate = Gate::for_peers("hub", &opened.tls, trusted, limits)?;
        let stop = CancellationToken::new();
        let incoming = gate.accept(TcpListener::bind(address).await?, stop.clone());
        let crypto = Crypto::new(opened.entropy.clone());
        let (news, _) = watch::channel(0);
        let state = Mutex::new(State { clock_ms: 1_790_000_000_000, ..State::default() });
        let shared = Arc::new(Shared { state, news, opened, crypto });
        let service = HubServiceServer::new(Calls(shared.clone()))
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            let served = tonic::transport::Server::builder().add_service(service);
            drop(served.serve_with_incoming_shutdown(incoming, stopped).await);
        });
        Ok(Self { shared, stop })
    }

    /// Tells a lie to a member about the next entry.
    pub fn lie(&self, member: &str, lie: Lie) {
        self.shared.state().lies.entry(member.to_owned()).or_default().push_back(lie);
    }

    /// Gives newcomers a tree that does not fit their Welcome.
    pub fn give_false_trees(&self) {
        self.shared.state().false_trees = true;
    }

    /// Newest place that a member was shown.
    pub fn shown(&self, member: &str) -> u64 {
        self.shared.state().logs.get(member).map_or(0, Log::end)
    }
}

impl Drop for LyingHub {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.news.send_modify(|count| *count += 1);
    }
}

/// What is told to a member of an entry: of entries it is told lies only where another member
/// said something, since of itself it knows better; of the end of the log always.
fn next_lie(lies: &mut VecDeque<Lie>, entry: &LogEntry, member: &str) -> Option<Lie> {
    let said = raccordo_proto::hub::v1::EntryKind::Application as i32;
    let fits = entry.kind == said && entry.sender != member;
    match lies.front()? {
        Lie::Checkpoint | Lie::Signature => lies.pop_front(),
        _ => fits.then(|| lies.pop_front())?,
    }
}

impl State {
    /// Shows an entry to every member, to each as it is told.
    fn show(&mut self, entry: &LogEntry) {
        for member in self.parties.clone() {
            let lie = self.lies.get_mut(&member).and_then(|lies| next_lie(lies, entry, &member));
            let delayed = self.delayed.remove(&member);
            let log = self.logs.entry(member.clone()).or_default();
            let mut entry = entry.clone();
            match lie {
                None => log.push(entry),
                Some(Lie::Withhold) => {}
                Some(Lie::Reorder) => drop(self.delayed.insert(member, entry)),
                Some(Lie::Replay) => {
                    log.push(entry.clone());
                    log.push(entry);
                }
                Some(Lie::Truncate(count)) => {
                    log.truncate(count);
                    log.push(entry);
                }
                Some(Lie::Sender(sender)) => {
                    entry.sender = sender;
                    log.push(entry);
                }
                Some(Lie::Epoch) => {
                    entry.epoch += 1;
                    log.push(entry);
                }
                Some(Lie::Checkpoint) => {
                    log.push(entry);
                    log.bad_head = Some(log.end());
                }
                Some(Lie::Signature) => {
                    log.push(entry);
                    log.bad_signature = Some(log.end());
                }
                Some(Lie::ForgedCommit) => {
                    let mut commit = entry.clone();
                    log.push(entry);
                    commit.kind = raccordo_proto::hub::v1::EntryKind::Commit.into();
                    commit.entry_id = vec![9; 16];
                    log.push(commit);
                }
            }
            if let Some(delayed) = delayed {
                log.push(delayed);
            }
        }
    }
}
