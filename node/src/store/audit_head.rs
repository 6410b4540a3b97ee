//! Where other members have said that their audit chains end.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use raccordo_core::audit::SignedAuditHead;
use raccordo_core::id::NodeId;

use super::Stored;

/// Why a head of a day is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeadPart {
    /// The first of the day.
    First,
    /// The first of the day that a later one contradicts.
    Contradicted,
    /// The newest of the day.
    Newest,
}

impl HeadPart {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Contradicted, Self::Newest];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Contradicted => "contradicted",
            Self::Newest => "newest",
        }
    }
}

impl fmt::Display for HeadPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPart;

impl FromStr for HeadPart {
    type Err = UnknownPart;

    fn from_str(text: &str) -> Result<Self, UnknownPart> {
        Self::ALL.into_iter().find(|part| part.as_str() == text).ok_or(UnknownPart)
    }
}

/// A head of another node's chain; its signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHeadRow {
    /// Days since 1970-01-01 UTC when it came, by this node's clock.
    pub day: i64,
    /// Why it is kept.
    pub part: HeadPart,
    /// What that node signed.
    pub signed: SignedAuditHead,
}

/// Rows of heads.
#[async_trait]
pub trait AuditHeadRows {
    /// Keeps one; of a node, day and part the first stays.
    async fn keep_audit_head(&mut self, row: AuditHeadRow) -> Stored<()>;
    /// Writes or replaces one.
    async fn put_audit_head(&mut self, row: AuditHeadRow) -> Stored<()>;
    /// Those of a node, by day and part.
    async fn audit_heads(&mut self, node: &NodeId) -> Stored<Vec<AuditHeadRow>>;
    /// Nodes of which there is one, by id.
    async fn audit_head_nodes(&mut self) -> Stored<Vec<NodeId>>;
    /// Forgets those of a node that came before a day.
    async fn forget_audit_heads(&mut self, node: &NodeId, before: i64) -> Stored<()>;
    /// Forgets which were the newest of a node's days.
    async fn forget_newest_audit_heads(&mut self, node: &NodeId) -> Stored<()>;
}
