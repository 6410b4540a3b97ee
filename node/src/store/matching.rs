//! Matches, the objects that name own records in them, and stop values.

use async_trait::async_trait;
use raccordo_core::id::{
    Digest, EnvelopeId, LineageId, NodeId, ObjectId, OperatorId, OrganisationId, RecordId,
};
use raccordo_core::matching::life::MatchId;
use raccordo_core::time::Instant;

use super::Stored;

/// Which own record an own object is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordObjectRow {
    /// The object.
    pub object: ObjectId,
    /// In which équipe.
    pub lineage: LineageId,
    /// The record.
    pub record: RecordId,
    /// Whether it is shared; else it only names the record in matches.
    pub shared: bool,
}

/// A match as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchRow {
    /// The match.
    pub id: MatchId,
    /// Order of finding; assigned by `insert_match`.
    pub position: u64,
    /// In which équipe.
    pub lineage: LineageId,
    /// The other node.
    pub counterpart: NodeId,
    /// The own record.
    pub record: RecordId,
    /// The object that names it.
    pub ours: ObjectId,
    /// The counterpart's object.
    pub theirs: ObjectId,
    /// Where it stands, as `app::matching` writes it.
    pub state: String,
    /// `A`, `B` or `C`: how strong the evidence is, as this node computes it; of what only the
    /// counterpart says, `C`.
    pub grade: String,
    /// The best grade that either node has told, the same at both.
    pub claimed: String,
    /// Whether this node has computed the evidence by itself; else the counterpart says it.
    pub seen: bool,
    /// Names of the families that agree, with spaces between.
    pub families: String,
    /// What agrees, each with its tenths of bits, the strongest first, with spaces between:
    /// `phone:120 name:98`. Empty where this node has computed nothing.
    pub reasons: String,
    /// Tenths of bits above what agrees by chance between the two registers.
    pub strength: i64,
    /// The newest word of this node's manager; else empty.
    pub said_here: String,
    /// The newest word of the counterpart's manager; else empty.
    pub said_there: String,
    /// Who decided last here.
    pub decided_by: Option<OperatorId>,
    /// Who the counterpart's manager is, sealed; empty unless linked.
    pub sealed_contact: Vec<u8>,
    /// When it was found.
    pub found_at: Instant,
    /// When it changed last.
    pub changed_at: Instant,
}

/// What is asked of the matches that people look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchStage {
    /// Nothing.
    #[default]
    Any,
    /// This node has not decided them: `candidate` or `confirmed_there`.
    Undecided,
    /// They are linked, and this node's manager has said no word.
    Unanswered,
}

/// Which matches people look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchFilter {
    /// Only of this organisation's records.
    pub organisation: Option<OrganisationId>,
    /// With those of records about people.
    pub people: bool,
    /// With those of records about companies.
    pub companies: bool,
    /// How far they are.
    pub stage: MatchStage,
    /// Only after this position.
    pub after_position: u64,
    /// Only before this position; none: from the newest.
    pub before_position: Option<u64>,
    /// At most so many; a count has no limit.
    pub limit: u32,
}

/// An own event of a match that the log has not shown yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchEventRow {
    /// The envelope that carries it.
    pub envelope: EnvelopeId,
    /// In which équipe.
    pub lineage: LineageId,
    /// To whom it is said.
    pub peer: NodeId,
    /// Who says it; none where the node itself does.
    pub operator: Option<OperatorId>,
    /// The event, sealed by the vault.
    pub sealed: Vec<u8>,
}

/// A value that is no evidence here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopValueRow {
    /// Keyed digest of kind and value.
    pub digest: Digest,
    /// `phone`, `place` or `company`.
    pub kind: String,
    /// The normalised value, sealed by the vault.
    pub sealed: Vec<u8>,
    /// Who added it.
    pub added_by: OperatorId,
    /// When.
    pub added_at: Instant,
}

/// Rows of matches.
#[async_trait]
pub trait MatchRows {
    /// Adds an object that names a record, or says that it is shared.
    async fn put_record_object(&mut self, row: RecordObjectRow) -> Stored<()>;
    /// What an object is about.
    async fn record_object(&mut self, object: ObjectId) -> Stored<Option<RecordObjectRow>>;
    /// The objects of a record, in all équipes.
    async fn objects_of_record(&mut self, record: RecordId) -> Stored<Vec<RecordObjectRow>>;
    /// Forgets an object.
    async fn delete_record_object(&mut self, object: ObjectId) -> Stored<()>;

    /// Adds a match and gives it a position; `Exists` for an id that is taken.
    async fn insert_match(&mut self, row: MatchRow) -> Stored<()>;
    /// Replaces state, grades, families, words, contact, decider and time of change.
    async fn update_match(&mut self, row: &MatchRow) -> Stored<()>;
    /// One match.
    async fn found_match(&mut self, id: MatchId) -> Stored<Option<MatchRow>>;
    /// Matches after a position, in the order of finding.
    async fn list_matches(&mut self, after: u64, limit: u32) -> Stored<Vec<MatchRow>>;
    /// The newest found first.
    async fn newest_matches(&mut self, filter: &MatchFilter) -> Stored<Vec<MatchRow>>;
    /// How many pass a filter.
    async fn count_matches(&mut self, filter: &MatchFilter) -> Stored<u64>;
    /// The matches of a record, in the order of finding.
    async fn matches_of_record(&mut self, record: RecordId) -> Stored<Vec<MatchRow>>;
    /// The matches of an object, own or received, in the order of finding.
    async fn matches_of_object(&mut self, object: ObjectId) -> Stored<Vec<MatchRow>>;
    /// Deletes a match.
    async fn delete_match(&mut self, id: MatchId) -> Stored<()>;

    /// Keeps an own event until the log shows it.
    async fn put_match_event(&mut self, row: MatchEventRow) -> Stored<()>;
    /// Takes what an own envelope says, if it says something of a match.
    async fn take_match_event(&mut self, envelope: EnvelopeId) -> Stored<Option<MatchEventRow>>;
    /// Own events that the log has not shown, by envelope.
    async fn match_events(&mut self, lineage: LineageId) -> Stored<Vec<MatchEventRow>>;

    /// Adds a stop value; false when it was there.
    async fn put_stop_value(&mut self, row: StopValueRow) -> Stored<bool>;
    /// All, oldest first.
    async fn stop_values(&mut self) -> Stored<Vec<StopValueRow>>;
    /// Deletes one; false when there was none.
    async fn delete_stop_value(&mut self, digest: &Digest) -> Stored<bool>;

    /// Keeps an operator's phone at work, sealed by the vault; none forgets it.
    async fn put_operator_phone(
        &mut self,
        operator: OperatorId,
        sealed: Option<Vec<u8>>,
    ) -> Stored<()>;
    /// An operator's phone at work, sealed.
    async fn operator_phone(&mut self, operator: OperatorId) -> Stored<Option<Vec<u8>>>;
}
