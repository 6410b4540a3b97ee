//! Shared objects, own and received.

use async_trait::async_trait;
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::time::Instant;

use super::Stored;

/// A shared object as this node holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRow {
    /// The object.
    pub object: ObjectId,
    /// Order in which this node came to know it; assigned by `insert_objects`.
    pub position: u64,
    /// Which équipe.
    pub lineage: LineageId,
    /// `case` or `company`.
    pub kind: String,
    /// Whose it is.
    pub origin: NodeId,
    /// Its newest version.
    pub version: u64,
    /// `active`, `withdrawn` or `expired`.
    pub state: String,
    /// The envelope that made it known.
    pub envelope: EnvelopeId,
    /// Place in the log, 0 before.
    pub sequence: Sequence,
    /// When the origin shared it.
    pub shared_at: Instant,
    /// When it was received; none for own ones.
    pub received_at: Option<Instant>,
    /// When it is erased.
    pub expires_at: Instant,
    /// Record key, wrapped by the vault; empty once ended.
    pub wrapped_key: Vec<u8>,
    /// Encoded `Share`, sealed under the record key; empty once ended.
    pub sealed_share: Vec<u8>,
    /// Encoded author, sealed under the record key; empty once ended.
    pub sealed_author: Vec<u8>,
    /// Why it ended; else empty.
    pub end_reason: String,
}

/// Which objects to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectFilter {
    /// Only of this équipe.
    pub lineage: Option<LineageId>,
    /// Only from this origin.
    pub origin: Option<NodeId>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only after this position.
    pub after_position: u64,
    /// At most so many.
    pub limit: u32,
}

/// Which objects people look at, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewestFilter {
    /// Only of this équipe.
    pub lineage: Option<LineageId>,
    /// Only from this origin.
    pub origin: Option<NodeId>,
    /// Only from others than this one.
    pub not_origin: Option<NodeId>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only after this position.
    pub after_position: u64,
    /// Only before this position; none: from the newest.
    pub before_position: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// An object without what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// The object.
    pub object: ObjectId,
    /// Order in which this node came to know it.
    pub position: u64,
    /// Its newest version.
    pub version: u64,
}

/// What the members have done with an own object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectReports {
    /// Members that opened it.
    pub read: Vec<NodeId>,
    /// Members that could not process it, with the reason.
    pub refusals: Vec<(NodeId, String)>,
}

/// Rows of objects.
#[async_trait]
pub trait ObjectRows {
    /// Adds objects, in order; `Exists` when an id is taken.
    async fn insert_objects(&mut self, rows: Vec<ObjectRow>) -> Stored<()>;
    /// One object.
    async fn object(&mut self, object: ObjectId) -> Stored<Option<ObjectRow>>;
    /// Whether an envelope is one of ours that makes an object of ours known.
    async fn is_own_share(&mut self, lineage: LineageId, envelope: EnvelopeId) -> Stored<bool>;
    /// Those of the given ids that exist.
    async fn objects_among(&mut self, objects: &[ObjectId]) -> Stored<Vec<ObjectRow>>;
    /// Replaces version, state, keys, bodies and reason.
    async fn update_object(&mut self, row: &ObjectRow) -> Stored<()>;
    /// Lists by position, ascending.
    async fn list_objects(&mut self, filter: &ObjectFilter) -> Stored<Vec<ObjectRow>>;
    /// Lists by position, descending.
    async fn newest_objects(&mut self, filter: &NewestFilter) -> Stored<Vec<ObjectRow>>;
    /// The same without their bodies: far quicker where there are many.
    async fn newest_heads(&mut self, filter: &NewestFilter) -> Stored<Vec<ObjectHead>>;
    /// Own active objects of which a member could not process the first envelope, oldest first.
    async fn objects_refused(&mut self, lineage: LineageId, limit: u32) -> Stored<Vec<ObjectRow>>;
    /// Active objects whose time has come, at most `limit`.
    async fn objects_expired(&mut self, now: Instant, limit: u32) -> Stored<Vec<ObjectRow>>;
    /// What members reported of own objects, in the order of the ids.
    async fn object_reports(&mut self, rows: &[ObjectRow]) -> Stored<Vec<ObjectReports>>;

    /// Notes that an operator here opened a received object, to be told to its origin; once.
    async fn note_read(&mut self, lineage: LineageId, object: ObjectId) -> Stored<()>;
    /// Whether there are objects whose reading the origins have not been told.
    async fn has_unreported_reads(&mut self, lineage: LineageId) -> Stored<bool>;
    /// Takes up to `limit` objects whose reading the origins have not been told, and marks them.
    async fn take_unreported_reads(
        &mut self,
        lineage: LineageId,
        limit: u32,
    ) -> Stored<Vec<ObjectId>>;
    /// Objects that stood in the log after a place stand at it: what comes after it is another
    /// log.
    async fn objects_placed_until(&mut self, lineage: LineageId, sequence: Sequence) -> Stored<()>;
    /// Notes places in the log; 0 is before.
    async fn place_objects(&mut self, places: &[(ObjectId, Sequence)]) -> Stored<()>;
}
