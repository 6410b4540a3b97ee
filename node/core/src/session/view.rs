//! The views that the membership validator reads, built from OpenMLS's objects, and the
//! parameters that they are compared with (DESIGN §3).

use openmls::group::{GroupContext, PublicGroup, StagedCommit};
use openmls::prelude::{
    BasicCredential, Capabilities, CredentialType, Extension, ExtensionType, Extensions, LeafNode,
    LeafNodeIndex, Lifetime, Proposal, ProposalOrRefType, ProtocolVersion, QueuedProposal,
    RequiredCapabilitiesExtension, Sender, UnknownExtension,
};
use openmls::treesync::LeafNodeSource;
use tls_codec::Serialize as _;

use super::{SessionError, frame, path};
use crate::crypto::Suite;
use crate::id::{Epoch, NodeId};
use crate::number;
use crate::trust::commit::{CommitView, GroupView, LeafView};

/// Context extension that holds the encoded signed statement.
pub const STATEMENT: u16 = 0xff01;
/// Leaf extension that holds the encoded signed card.
pub const CARD: u16 = 0xff02;

const OURS: [ExtensionType; 2] = [ExtensionType::Unknown(STATEMENT), ExtensionType::Unknown(CARD)];

/// What every leaf of ours can: its suite, our two extensions, and to be a last resort.
pub(crate) fn capabilities(suite: Suite) -> Capabilities {
    let extensions = OURS.into_iter().chain([ExtensionType::LastResort]).collect();
    Capabilities::builder().ciphersuites(vec![suite.mls()]).extensions(extensions).build()
}

/// Whether a leaf lists what every leaf must be able to do, in any order, whatever else it
/// lists: others know more than we do, or say so (GREASE, RFC 9420 §13.5).
pub(crate) fn is_capable(leaf: &LeafNode, suite: Suite) -> bool {
    let listed = leaf.capabilities();
    listed.versions().contains(&ProtocolVersion::Mls10)
        && listed.ciphersuites().contains(&suite.mls().into())
        && OURS.iter().all(|ours| listed.extensions().contains(ours))
        && listed.credentials().contains(&CredentialType::Basic)
}

/// Exactly `required_capabilities` and the statement.
pub(crate) fn context_extensions(
    statement: &[u8],
) -> Result<Extensions<GroupContext>, SessionError> {
    let basic = [CredentialType::Basic];
    let required = RequiredCapabilitiesExtension::new(&OURS, &[], &basic);
    let statement = Extension::Unknown(STATEMENT, UnknownExtension(statement.to_vec()));
    let both = vec![Extension::RequiredCapabilities(required), statement];
    Extensions::from_vec(both).map_err(SessionError::internal)
}

/// Exactly the card.
pub(crate) fn leaf_extensions(card: &[u8]) -> Result<Extensions<LeafNode>, SessionError> {
    let card = Extension::Unknown(CARD, UnknownExtension(card.to_vec()));
    Extensions::single(card).map_err(SessionError::internal)
}

/// Leaves never expire in MLS, since OpenMLS would ask the system clock.
pub(crate) fn unbounded() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// The public state of a group, for members and hub alike.
pub(crate) fn group_view(group: &PublicGroup) -> Result<GroupView, SessionError> {
    let context = group.group_context();
    let leaves = group.treesync().full_leaves();
    Ok(GroupView {
        group: frame::group_id(group.group_id()).ok_or(SessionError::WrongGroup)?,
        epoch: epoch(context)?,
        ciphersuite: u16::from(context.ciphersuite()),
        statement: statement(context),
        context_exact: context_exact(context),
        leaves: leaves.map(|(index, leaf)| (index.u32(), leaf_view(leaf))).collect(),
    })
}

/// One leaf.
pub(crate) fn leaf_view(leaf: &LeafNode) -> LeafView {
    let card = leaf.extensions().unknown(CARD).map(|extension| extension.0.clone());
    LeafView {
        node: node_of(leaf),
        signature_key: leaf.signature_key().as_slice().to_vec(),
        // Writing to memory does not fail.
        encryption_key: leaf.encryption_key().tls_serialize_detached().unwrap_or_default(),
        extensions_exact: card.is_some() && leaf.extensions().iter().count() == 1,
        card,
        lifetime_unbounded: match leaf.leaf_node_source() {
            LeafNodeSource::KeyPackage(lifetime) => *lifetime == unbounded(),
            LeafNodeSource::Update | LeafNodeSource::Commit(_) => true,
        },
    }
}

/// Identity of a leaf's basic credential.
pub(crate) fn node_of(leaf: &LeafNode) -> Option<NodeId> {
    let credential = BasicCredential::try_from(leaf.credential().clone()).ok()?;
    std::str::from_utf8(credential.identity()).ok()?.parse().ok()
}

/// The node at a leaf index.
pub(crate) fn node_at(group: &PublicGroup, index: LeafNodeIndex) -> Result<NodeId, SessionError> {
    group.leaf(index).and_then(node_of).ok_or(SessionError::UnknownSender)
}

/// What a staged commit of a member would do; `commit` are its bytes.
pub(crate) fn commit_view(
    sender: &Sender,
    staged: &StagedCommit,
    authenticated_data: &[u8],
    commit: &[u8],
) -> Result<CommitView, SessionError> {
    let Sender::Member(committer) = sender else {
        return Err(SessionError::UnknownSender);
    };
    let context = staged.group_context();
    let added = staged.add_proposals();
    let removed = staged.remove_proposals();
    let mut removed: Vec<_> =
        removed.map(|queued| queued.remove_proposal().removed().u32()).collect();
    removed.sort_unstable();
    Ok(CommitView {
        committer: committer.u32(),
        epoch_after: epoch(context)?,
        statement_after: statement(context),
        context_exact: context_exact(context),
        added: added
            .map(|queued| leaf_view(queued.add_proposal().key_package().leaf_node()))
            .collect(),
        removed,
        path_leaf: staged.update_path_leaf_node().map(leaf_view),
        path_keys: path::keys(commit, staged.update_path_leaf_node())?,
        authenticated_data: authenticated_data.to_vec(),
        foreign_proposal: staged.queued_proposals().find_map(foreign),
    })
}

/// The name of a proposal that is not Add, Remove or GroupContextExtensions by value.
fn foreign(queued: &QueuedProposal) -> Option<String> {
    if !matches!(queued.proposal_or_ref_type(), ProposalOrRefType::Proposal) {
        return Some("by_reference".into());
    }
    match queued.proposal() {
        Proposal::Add(_) | Proposal::Remove(_) | Proposal::GroupContextExtensions(_) => None,
        other => Some(format!("{:?}", other.proposal_type()).to_lowercase()),
    }
}

fn epoch(context: &GroupContext) -> Result<Epoch, SessionError> {
    let told = number::bounded(context.epoch().as_u64());
    told.map(Epoch).ok_or(SessionError::EpochRange)
}

/// Content of the context extension that holds the statement.
pub(super) fn statement(context: &GroupContext) -> Option<Vec<u8>> {
    context.extensions().unknown(STATEMENT).map(|extension| extension.0.clone())
}

fn context_exact(context: &GroupContext) -> bool {
    let extensions = context.extensions();
    let required = extensions.required_capabilities().is_some_and(|required| {
        required.extension_types() == OURS
            && required.proposal_types().is_empty()
            && required.credential_types() == [CredentialType::Basic]
    });
    required && extensions.unknown(STATEMENT).is_some() && extensions.iter().count() == 2
}
