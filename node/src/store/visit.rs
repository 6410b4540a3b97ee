//! Where operators left off at the desk.

use async_trait::async_trait;
use raccordo_core::account::Marks;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::Stored;

/// One operator's visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitRow {
    /// Whose.
    pub operator: OperatorId,
    /// What there was when the visit before this one ended: what is beyond is new.
    pub known: Marks,
    /// When that was; 0 where there was none.
    pub left_at: Instant,
    /// What this visit has met.
    pub met: Marks,
    /// When it did so last.
    pub seen_at: Instant,
}

/// Rows of visits.
#[async_trait]
pub trait VisitRows {
    /// That of an operator.
    async fn visit(&mut self, operator: OperatorId) -> Stored<Option<VisitRow>>;
    /// Writes or replaces one.
    async fn put_visit(&mut self, row: VisitRow) -> Stored<()>;
    /// The newest positions of objects and of matches; 0 where there is none.
    async fn newest_marks(&mut self) -> Stored<Marks>;
}
