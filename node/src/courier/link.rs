//! What the courier asks of a hub, in the words of the use cases: the same for a hub far
//! away, for this node's own, and for a simulated one.

use async_trait::async_trait;
use futures::stream::BoxStream;
use raccordo_core::hublog::SignedCheckpoint;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::wire::hub::News;
use raccordo_core::wire::seed::{Seed, Seeded};

use crate::app::hub::append::Appended;
use crate::app::hub::key_package_pool::{Claimed, Deposit};
use crate::app::mail::Offer;
use crate::app::send::AppendCall;
use crate::store::node::MailRow;

/// Why a call to a hub brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The hub has judged, and would judge the same again until somebody acts.
    #[error("the hub refuses: {message}")]
    Refused {
        /// Stable reason.
        reason: String,
        /// The hub's sentence.
        message: String,
    },
    /// The hub has no room for this one now, or is asked too often: worth trying again, and
    /// others may go meanwhile.
    #[error("the hub takes no more: {message}")]
    Full {
        /// Stable reason: `rate_limited`, `mailbox_full`, …
        reason: String,
        /// The hub's sentence.
        message: String,
    },
    /// The hub cannot now, or cannot be reached: worth trying again.
    #[error("{message}")]
    Later {
        /// Stable reason: `dns`, `timed_out`, …
        reason: String,
        /// What happened.
        message: String,
        /// The next step for an administrator; may be empty.
        hint: String,
    },
}

impl LinkError {
    /// The stable reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused { reason, .. }
            | Self::Full { reason, .. }
            | Self::Later { reason, .. } => reason,
        }
    }

    /// The next step for an administrator; may be empty.
    pub fn hint(&self) -> &str {
        match self {
            Self::Refused { .. } => "ask the hub's administrator",
            Self::Full { .. } => "the node tries again by itself",
            Self::Later { hint, .. } => hint,
        }
    }

    /// An answer that does not fit its question: the hub's fault, and perhaps mended later.
    pub fn bad_answer(what: impl Into<String>) -> Self {
        Self::Later {
            reason: "bad_answer".into(),
            message: what.into(),
            hint: "the hub's program may be damaged or of another version".into(),
        }
    }
}

/// Short for answers of a hub.
pub type Answered<T> = Result<T, LinkError>;

/// From where a subscription begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursors {
    /// Newest processed entry of each group; 0 for all.
    pub groups: Vec<(GroupId, Sequence)>,
    /// The hub's newest signature over each log, as far as there is one.
    pub checkpoints: Vec<SignedCheckpoint>,
    /// Newest processed item of the mailbox; 0 for all.
    pub mailbox: u64,
}

/// A hub that answers calls. Every call may be repeated.
#[async_trait]
pub trait HubLink: Send + Sync {
    /// Appends to a log: exactly the bytes given.
    async fn append(&self, call: &AppendCall) -> Answered<Appended>;

    /// Tells what is durably processed here.
    async fn confirm(&self, processed: &Cursors) -> Answered<()>;

    /// Offers an équipe; the answer is `waiting`, `accepted`, `refused` or `founded`.
    async fn offer(&self, offer: &Offer) -> Answered<String>;

    /// Uploads epoch 0.
    async fn found_group(
        &self,
        lineage: LineageId,
        group: GroupId,
        group_info: &[u8],
    ) -> Answered<()>;

    /// Adds key packages to this node's pool.
    async fn deposit(&self, deposits: &[Deposit]) -> Answered<()>;

    /// Takes one key package of each of these parties.
    async fn claim(&self, lineage: LineageId, suite: u16, parties: &[NodeId]) -> Answered<Claimed>;

    /// The tree that belongs to a Welcome of an epoch (RFC 9420 §12.4.3.1), or the present one.
    async fn fetch_tree(&self, group: GroupId, epoch: Option<Epoch>) -> Answered<Vec<u8>>;

    /// Hands over a page of a log whose next term is this hub's.
    async fn seed(&self, page: Seed) -> Answered<Seeded>;

    /// Leaves an item in a peer's mailbox.
    async fn post(&self, mail: &MailRow) -> Answered<()>;
}

/// A hub that tells what is new, until the connection breaks.
#[async_trait]
pub trait Feed: HubLink {
    /// Follows logs and mailbox. The first item comes as soon as the hub has answered.
    async fn subscribe(&self, from: &Cursors) -> Answered<BoxStream<'static, Answered<News>>>;
}
