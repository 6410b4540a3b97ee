//! What nodes show each other, so that each finds where both know the same.

use crate::id::{Digest, NodeId, ObjectId};
use crate::pseudonym::token::{Contribution, Tag};

/// The most tags of one object for one member.
pub const TAGS_MAX: usize = 128;

/// Tags of one object. For each receiver that is named they replace all earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The sender's object.
    pub object: ObjectId,
    /// For some members, each once.
    pub shown: Vec<Shown>,
}

/// What one member is shown; to the others it is noise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The member.
    pub receiver: NodeId,
    /// Ascending, each once, at most [`TAGS_MAX`]; none takes all back. Neither family nor
    /// class is said: the receiver knows those of its own tokens.
    pub tags: Vec<Tag>,
}

/// A node's half of what it and another node share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairHalf {
    /// The sender's half.
    pub half: Contribution,
    /// Digest of the receiver's half, as the sender has it; none before it has come.
    pub heard: Option<Digest>,
}
