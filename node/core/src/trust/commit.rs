//! What a commit shows before it is merged: the only input of the membership validator.
//!
//! Free of MLS types, so that members and hub build the same views from their different
//! groups, and the validator is a pure function of them (DESIGN §3).

use crate::canonical::Writer;
use crate::id::{Digest, Epoch, GroupId, NodeId};

/// Why a commit is refused: a stable reason in snake case, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the commit is refused: {0}")]
pub struct CommitRefused(pub &'static str);

/// The membership validator, as members and hub are given it: the public state before the
/// commit, and what the commit would do.
pub type Validator<'a> =
    &'a (dyn Fn(&GroupView, &CommitView) -> Result<(), CommitRefused> + Send + Sync);

/// One leaf of the ratchet tree, as far as membership is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafView {
    /// Identity of the basic credential; `None` when it is no valid node id.
    pub node: Option<NodeId>,
    /// The leaf's MLS signature key, Ed25519.
    pub signature_key: Vec<u8>,
    /// The leaf's HPKE public key, TLS-encoded: another one after every commit of its node.
    pub encryption_key: Vec<u8>,
    /// Content of the leaf extension 0xff02: an encoded signed card.
    pub card: Option<Vec<u8>>,
    /// Whether the leaf holds no other extension than the card.
    pub extensions_exact: bool,
    /// Whether the MLS lifetime, where the leaf has one, is unbounded.
    pub lifetime_unbounded: bool,
}

impl LeafView {
    /// What a rejoin request calls the leaf: SHA-256 of canonical type `leaf`.
    pub fn digest(&self) -> Digest {
        leaf_digest(self.node.as_ref(), &self.signature_key, &self.encryption_key)
    }
}

/// As [`LeafView::digest`], of the parts of a leaf.
pub fn leaf_digest(node: Option<&NodeId>, signature_key: &[u8], encryption_key: &[u8]) -> Digest {
    Writer::new("leaf")
        .text(node.map(NodeId::as_str).unwrap_or_default())
        .bytes(signature_key)
        .bytes(encryption_key)
        .digest()
}

/// The public state of a group: roster and context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// The group.
    pub group: GroupId,
    /// Its epoch.
    pub epoch: Epoch,
    /// The MLS ciphersuite's number.
    pub ciphersuite: u16,
    /// Content of the context extension 0xff01: an encoded signed statement.
    pub statement: Option<Vec<u8>>,
    /// Whether the context holds exactly `required_capabilities`, as ours are, and 0xff01.
    pub context_exact: bool,
    /// All leaves with their indices, ascending.
    pub leaves: Vec<(u32, LeafView)>,
}

/// What a commit would do, read before it is merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitView {
    /// Leaf index of the committer.
    pub committer: u32,
    /// The epoch that it leads to.
    pub epoch_after: Epoch,
    /// Content of 0xff01 after the commit.
    pub statement_after: Option<Vec<u8>>,
    /// As [`GroupView::context_exact`], after the commit.
    pub context_exact: bool,
    /// Leaves of the Add proposals, in order.
    pub added: Vec<LeafView>,
    /// Leaf indices of the Remove proposals, ascending.
    pub removed: Vec<u32>,
    /// The committer's new leaf; every commit must have a path.
    pub path_leaf: Option<LeafView>,
    /// HPKE public keys that the path puts into parent nodes, from the leaf upwards.
    pub path_keys: Vec<Vec<u8>>,
    /// The commit's authenticated data; used by rejoin requests only.
    pub authenticated_data: Vec<u8>,
    /// A proposal that is not Add, Remove or GroupContextExtensions by value, if any.
    pub foreign_proposal: Option<String>,
}
