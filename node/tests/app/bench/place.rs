//! One node of a bench: its disk, its node key, and the process on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::Crypto;
use raccordo_core::entropy::{Entropy, SeededEntropy};
use raccordo_core::id::{BootId, Digest, NodeId};
use raccordo_core::secret::Secret;
use raccordo_core::time::{Clock, Instant};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::vault::Vault;
use raccordo_node::app::hub::{Hub, Limits};
use raccordo_node::app::init::{NewNode, NewTls, init};
use raccordo_node::app::{Node, identity};
use raccordo_node::store::Store;
use raccordo_node::store::memory::MemoryStore;
use raccordo_node::store::sql::SqlStore;
use raccordo_node::transport::identity::TlsKey;
use tempfile::TempDir;

/// The node that is the hub of every bench.
pub const RELAY: &str = "relay";
/// 21 September 2026.
const BEGIN: i64 = 1_790_000_000_000;

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

/// Where the nodes of a bench keep their rows.
#[derive(Clone, Copy, Debug)]
pub enum Rows {
    Memory,
    Sqlite,
}

/// A disk.
pub enum Backend {
    Memory(MemoryStore),
    Sqlite(Arc<SqlStore>, TempDir),
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
    limits: Limits,
    node: Arc<Node>,
}

impl Place {
    /// A new node, started; the relay is a hub.
    pub async fn new(id: &NodeId, rows: Rows, limits: Limits, clock: &Arc<StandingClock>) -> Self {
        let backend = Backend::fresh(rows).await;
        let key = Digest::of(id.as_str().as_bytes()).0;
        create(id, &backend, &key, clock).await;
        Self::on(backend, key, limits, clock, (&format!("{id} 1"), 1)).await
    }

    /// A process on a disk that is there; the label and number tell it from all others.
    pub async fn on(
        backend: Backend,
        key: [u8; 32],
        limits: Limits,
        clock: &Arc<StandingClock>,
        (label, life): (&str, u32),
    ) -> Self {
        let node = start(&backend, &key, limits, clock, label).await;
        Self { backend, key, life, limits, node }
    }

    /// The running node.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// How often it was started.
    pub fn life(&self) -> u32 {
        self.life
    }

    /// The disk, to let it crash.
    pub fn disk(&self) -> &MemoryStore {
        match &self.backend {
            Backend::Memory(store) => store,
            Backend::Sqlite(..) => panic!("only the store in memory crashes"),
        }
    }

    /// Looks at the node without a mishap: what is still to come waits, since what an operator
    /// reads is noted too.
    pub async fn spared<T>(&self, look: impl Future<Output = T>) -> T {
        let Backend::Memory(disk) = &self.backend else { return look.await };
        let spared = disk.spare();
        let seen = look.await;
        disk.resume(spared);
        seen
    }

    /// Everything in the database's files, one after the other.
    pub fn files(&self) -> Vec<u8> {
        let Backend::Sqlite(_, directory) = &self.backend else { panic!("there are no files") };
        let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
        let read: Vec<Vec<u8>> = files.map(|path| std::fs::read(path).unwrap()).collect();
        read.concat()
    }

    /// The vault, for who has stolen the node key.
    pub fn vault(&self) -> Vault {
        vault(&self.key)
    }

    /// Ends the process and starts it again.
    pub async fn restart(&mut self, clock: &Arc<StandingClock>) {
        if let Backend::Memory(store) = &self.backend {
            store.recover();
        }
        self.life += 1;
        let label = format!("{} {}", self.node.identity.node, self.life);
        self.node = start(&self.backend, &self.key, self.limits, clock, &label).await;
    }

    /// Another copy of the disk, and a process on it.
    pub async fn copied(&self, clock: &Arc<StandingClock>) -> Self {
        let disk = MemoryStore::new();
        disk.restore(&self.disk().snapshot());
        let label = format!("{} copied {}", self.node.identity.node, self.life);
        let life = 1000 + self.life;
        Self::on(Backend::Memory(disk), self.key, self.limits, clock, (&label, life)).await
    }
}

fn vault(key: &[u8; 32]) -> Vault {
    Vault::new(&Secret::new(*key))
}

async fn create(id: &NodeId, backend: &Backend, key: &[u8; 32], clock: &StandingClock) {
    let name = id.as_str();
    let new = NewNode {
        node: id.clone(),
        name: format!("Regione {name}"),
        ipa_code: None,
        hub_endpoint: (name == RELAY).then(|| "relay.example.org:4460".to_owned()),
    };
    let signing = IdentityKey::from_seed(&Digest::of(name.as_bytes()).0);
    let TlsKey { pkcs8, certificate } = TlsKey::for_peers(id, &signing).unwrap();
    let tls = NewTls { signing, key: pkcs8.reveal().clone(), certificate };
    let entropy = SeededEntropy::labelled(name);
    init(&*backend.store(), &vault(key), &entropy, clock, new, tls).await.unwrap();
}

async fn start(
    backend: &Backend,
    key: &[u8; 32],
    limits: Limits,
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
        hub: is_hub.then(|| Hub::new(limits)),
        rhythm: Default::default(),
        links: Default::default(),
        claims: Default::default(),
        voice: Default::default(),
        matching: Default::default(),
        keys: Default::default(),
        gists: Default::default(),
        told: Default::default(),
        quotas: Default::default(),
        accounts: Default::default(),
        reading: Default::default(),
    })
}
