//! A computer with a disk and a clock, on which a process of the node runs until it ends.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::Crypto;
use raccordo_core::entropy::{Entropy, SeededEntropy, draw};
use raccordo_core::id::{BootId, Digest, GroupId, NodeId, Sequence};
use raccordo_core::secret::Secret;
use raccordo_core::time::Clock;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::vault::Vault;
use raccordo_core::wire::hub::News;
use raccordo_node::app::hub::{Hub, Limits};
use raccordo_node::app::init::{NewNode, NewTls, init};
use raccordo_node::app::{Node, identity};
use raccordo_node::courier::Trouble;
use raccordo_node::courier::inbox::Next;
use raccordo_node::courier::{errands, outbox};
use tokio::sync::watch;

use super::Checked;
use super::clock::SkewedClock;
use super::storage::{Snapshot, Storage, StorageKind};
use super::task::{Pending, ready};

/// What a task of the courier came to.
pub enum Ended {
    /// Sending.
    Outbox(Result<outbox::Progress, Trouble>),
    /// Errands.
    Errands(Result<errands::Progress, Trouble>),
    /// One item taken.
    Inbox(Result<Next, Trouble>),
    /// The hub was told.
    Confirm(Result<(), Trouble>),
}

/// The tasks of the courier; of each at most one runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Sending.
    Outbox,
    /// Errands.
    Errands,
    /// Taking what the hub tells, and telling it what was taken.
    Inbox,
}

/// A subscription that stands.
#[derive(Default)]
pub struct Feed {
    /// The groups followed, and the newest entry that was read of each.
    pub logs: Vec<(GroupId, Sequence)>,
    /// Groups of which the hub has said that it serves them no longer.
    pub ended: BTreeSet<GroupId>,
    /// The newest item of the mailbox that was read.
    pub mailbox: u64,
    /// Read from the hub, not yet taken here.
    pub items: VecDeque<News>,
    /// Wakes when the node became member of an équipe, or ceased to be.
    pub membership: Option<watch::Receiver<u64>>,
}

impl Feed {
    /// Whether the node was woken and has other groups to follow than it does.
    pub fn must_follow_others(&mut self, joined: &[GroupId]) -> bool {
        let woken = self.membership.as_mut().is_some_and(|woken| {
            let changed = woken.has_changed().unwrap_or(false);
            woken.mark_unchanged();
            changed
        });
        let followed = self.logs.iter().map(|(group, _)| group);
        woken && joined.iter().ne(followed.filter(|group| !self.ended.contains(group)))
    }
}

/// What dies with the process.
pub struct Process {
    /// The node.
    pub node: Arc<Node>,
    /// What it is doing.
    pub tasks: Vec<(Task, Pending<Ended>)>,
    /// Its subscription.
    pub feed: Option<Feed>,
    /// Groups of which the hub has not been told; none also stands for the mailbox.
    pub untold: Option<BTreeSet<GroupId>>,
}

/// A computer.
pub struct Machine {
    /// Whose.
    pub name: NodeId,
    /// Its disk.
    pub disk: Storage,
    /// What runs on it.
    pub process: Option<Process>,
    /// Its disk as it once was.
    pub past: Option<Snapshot>,
    /// Whether it was put back, or is not the only one of its node.
    pub aged: bool,
    /// The place of the machine of which it is a copy.
    pub twin: Option<usize>,
    /// Whether it was thrown away.
    pub scrapped: bool,
    label: String,
    boots: u32,
    hub: bool,
    clock: Arc<SkewedClock>,
    lists: CodeLists,
}

impl Machine {
    /// A computer with an empty disk.
    ///
    /// # Errors
    /// The disk cannot be made.
    pub fn new(
        (seed, kind): (u64, StorageKind),
        name: NodeId,
        hub: bool,
        clock: SkewedClock,
        lists: &CodeLists,
    ) -> Checked<Self> {
        Ok(Self {
            label: format!("seed {seed}, node {name}"),
            name,
            disk: Storage::new(kind)?,
            process: None,
            past: None,
            aged: false,
            twin: None,
            scrapped: false,
            boots: 0,
            hub,
            clock: Arc::new(clock),
            lists: lists.clone(),
        })
    }

    /// The node key is the same on every copy.
    fn vault(&self) -> Vault {
        Vault::new(&Secret::new(Digest::of(self.name.as_str().as_bytes()).0))
    }

    /// Another machine with an old disk.
    ///
    /// # Errors
    /// The disk cannot be made.
    pub fn copy(&self, past: &Snapshot, place: usize) -> Checked<Self> {
        Ok(Self {
            name: self.name.clone(),
            disk: Storage::of(past)?,
            process: None,
            past: None,
            aged: true,
            twin: Some(place),
            scrapped: false,
            label: format!("{}, copied", self.label),
            boots: 0,
            hub: self.hub,
            clock: self.clock.clone(),
            lists: self.lists.clone(),
        })
    }

    /// Makes the node.
    ///
    /// # Errors
    /// Never in practice.
    pub fn init(&self) -> Checked<SignedCard> {
        let entropy = SeededEntropy::labelled(&format!("{}, init", self.label));
        let new = NewNode {
            node: self.name.clone(),
            name: format!("Regione {}", self.name),
            ipa_code: None,
            hub_endpoint: self.hub.then(|| "hub.example:7443".to_owned()),
        };
        let signing = IdentityKey::random(&entropy);
        let tls = NewTls { signing, key: vec![1], certificate: vec![2] };
        let store = self.disk.store();
        Ok(ready(init(&*store, &self.vault(), &entropy, &*self.clock, new, tls))??)
    }

    /// Starts a process; its randomness has never been drawn before.
    ///
    /// # Errors
    /// The node cannot start.
    pub fn boot(&mut self) -> Checked {
        self.boots += 1;
        let label = format!("{}, boot {}", self.label, self.boots);
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::labelled(&label));
        let vault = self.vault();
        let store = self.disk.store();
        let identity = ready(identity::load(&*store, &vault))??;
        let node = Node {
            envelopes_per_message_max: usize::MAX,
            identity,
            store,
            vault,
            crypto: Crypto::new(entropy.clone()),
            boot: BootId(draw(&*entropy)),
            entropy,
            started_at: self.clock.now(),
            clock: self.clock.clone(),
            lists: self.lists.clone(),
            slots: Default::default(),
            signals: Default::default(),
            hub: self.hub.then(|| Hub::new(Limits::default())),
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
        };
        self.process =
            Some(Process { node: Arc::new(node), tasks: Vec::new(), feed: None, untold: None });
        Ok(())
    }

    /// The node that runs here, if one does.
    pub fn node(&self) -> Option<Arc<Node>> {
        self.process.as_ref().map(|process| process.node.clone())
    }

    /// Whether a task of this kind runs.
    pub fn runs(&self, task: Task) -> bool {
        let tasks = self.process.iter().flat_map(|process| &process.tasks);
        tasks.into_iter().any(|(running, _)| *running == task)
    }
}
