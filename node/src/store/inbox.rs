//! What was received: which envelopes were seen, what was set aside, and parts of chunks.

use async_trait::async_trait;
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::time::Instant;

use super::Stored;

/// An entry or envelope that could not be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAsideRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Place in the log.
    pub sequence: Sequence,
    /// The envelope; none when the whole entry could not be read.
    pub envelope: Option<EnvelopeId>,
    /// Who sent it.
    pub sender: NodeId,
    /// Stable reason, snake case.
    pub reason: String,
    /// When.
    pub at: Instant,
}

/// A part of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Who sends it.
    pub origin: NodeId,
    /// The whole.
    pub whole: EnvelopeId,
    /// Place of this part, from 0.
    pub index: u32,
    /// Number of parts.
    pub count: u32,
    /// Bytes, sealed by the vault.
    pub sealed: Vec<u8>,
    /// When it may be forgotten.
    pub expires_at: Instant,
}

/// An envelope of which parts are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeRow {
    /// Which.
    pub whole: EnvelopeId,
    /// Sealed bytes of all parts.
    pub bytes: u64,
}

/// Rows of what was received.
#[async_trait]
pub trait InboxRows {
    /// Notes an envelope as seen; false if it was already.
    async fn see_envelope(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        envelope: EnvelopeId,
        expires_at: Instant,
    ) -> Stored<bool>;
    /// Forgets what was seen and whose time has come.
    async fn forget_seen(&mut self, now: Instant) -> Stored<()>;

    /// Sets aside; once per place and envelope.
    async fn set_aside(&mut self, row: SetAsideRow) -> Stored<()>;
    /// What was set aside after a place, ascending.
    async fn set_aside_after(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
    ) -> Stored<Vec<SetAsideRow>>;
    /// Forgets what was set aside of a sender, the oldest entries first, beyond a number that
    /// stays; how many.
    async fn forget_set_aside(
        &mut self,
        lineage: LineageId,
        sender: &NodeId,
        keep: u64,
    ) -> Stored<u64>;
    /// How many.
    async fn set_aside_count(&mut self, lineage: LineageId) -> Stored<u64>;

    /// Keeps a part; once.
    async fn put_chunk(&mut self, row: ChunkRow) -> Stored<()>;
    /// The parts of a whole, by index.
    async fn chunks(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        whole: EnvelopeId,
    ) -> Stored<Vec<ChunkRow>>;
    /// The wholes of which a sender's parts are here, in the order of their beginning.
    async fn wholes(&mut self, lineage: LineageId, origin: &NodeId) -> Stored<Vec<WholeRow>>;
    /// Wholes of which a part's time has come, by sender.
    async fn wholes_overdue(
        &mut self,
        lineage: LineageId,
        now: Instant,
    ) -> Stored<Vec<(NodeId, EnvelopeId)>>;
    /// Forgets parts whose time has come, in all équipes.
    async fn forget_chunks(&mut self, now: Instant) -> Stored<()>;
    /// Forgets the parts of a whole.
    async fn delete_chunks(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        whole: EnvelopeId,
    ) -> Stored<()>;

    /// Notes that a member could not process an envelope of ours.
    async fn put_refusal(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
        member: &NodeId,
        reason: &str,
    ) -> Stored<()>;
    /// Notes that an operator at a member has opened an object of ours.
    async fn put_read(
        &mut self,
        lineage: LineageId,
        object: ObjectId,
        member: &NodeId,
    ) -> Stored<()>;
}
