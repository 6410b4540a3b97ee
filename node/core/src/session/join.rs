//! Joining by a Welcome and the tree that the hub serves.

use std::sync::Arc;

use openmls::framing::MlsMessageBodyIn;
use openmls::group::{StagedWelcome, WelcomeError};
use openmls::prelude::{BasicCredential, RatchetTreeIn};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::{
    LeafKeys, Session, SessionError, are_parents_usable, frame, group_view, join_config, provider,
    view,
};
use crate::crypto::Crypto;
use crate::id::{Digest, GroupId, NodeId};
use crate::ledger::LedgerRow;
use crate::trust::commit::{GroupView, leaf_digest};

/// What a newcomer has in hand.
#[derive(Debug)]
pub struct Invitation<'a> {
    /// The group that it expects to join.
    pub group: GroupId,
    /// The encoded Welcome.
    pub welcome: &'a [u8],
    /// The ratchet tree of the Welcome's epoch, TLS-encoded (RFC 9420 §7.8).
    pub tree: &'a [u8],
    /// Rows of the scope `device`: the key packages.
    pub device_rows: Vec<LedgerRow>,
    /// Rows of an older state of the group, which this one replaces; none for a newcomer.
    pub group_rows: Vec<LedgerRow>,
}

/// A session that was joined and is not yet kept: the caller has to check the view (the
/// statement's signatures, its parties against the leaves, the cards) and either store the
/// session's changes or drop it.
#[derive(Debug)]
pub struct Joining {
    /// The session.
    pub session: Session,
    /// The group's public state.
    pub view: GroupView,
}

impl Session {
    /// Joins a group with one of these leaf keys. The used key package is among the changes, deleted (unless it is a
    /// last resort), and so is every row of an older state of the group.
    ///
    /// # Errors
    /// [`SessionError::Malformed`], [`SessionError::TooLarge`], [`SessionError::WrongGroup`],
    /// [`SessionError::Welcome`] also when the leaf is of none of `mine` or the context is not
    /// exactly ours, [`SessionError::UnknownKeyPackage`], [`SessionError::Store`].
    pub fn join(
        crypto: &Arc<Crypto>,
        mine: &[LeafKeys],
        invitation: Invitation<'_>,
    ) -> Result<Joining, SessionError> {
        let Invitation { group: id, welcome, tree, device_rows, group_rows } = invitation;
        let MlsMessageBodyIn::Welcome(welcome) = frame::parse(welcome)?.extract() else {
            return Err(SessionError::Malformed);
        };
        let tree = ratchet_tree(tree)?;
        let mut provider = provider(crypto, id, group_rows)?;
        provider.ledger = provider.ledger.with_device(device_rows)?;
        let config = join_config();
        let builder = StagedWelcome::build_from_welcome(&provider, &config, welcome);
        let builder = builder.map_err(|error| match error {
            WelcomeError::NoMatchingKeyPackage => SessionError::UnknownKeyPackage,
            error => unfit(error),
        })?;
        let info = builder.processed_welcome().unverified_group_info();
        if frame::group_id(info.group_id()) != Some(id) {
            return Err(SessionError::WrongGroup);
        }
        let staged = builder.replace_old_group().with_ratchet_tree(tree).build().map_err(unfit)?;
        let own = staged.own_leaf_node().map(view::leaf_view);
        let ours = own.is_some_and(|leaf| {
            mine.iter().any(|keys| {
                leaf.node.as_ref() == Some(&keys.node) && leaf.signature_key == keys.public()
            })
        });
        if !ours {
            return Err(unfit("the leaf is not of our node and key"));
        }
        provider.ledger.clear_group();
        let group = staged.into_group(&provider).map_err(unfit)?;
        let view = group_view(group.public_group())?;
        if !view.context_exact {
            return Err(unfit("the context is not exactly ours"));
        }
        if !are_parents_usable(group.public_group()) {
            return Err(unfit("a parent node has a key that nobody can use"));
        }
        Ok(Joining { session: Self { provider, group, id, spoiled: false }, view })
    }
}

/// The digests of a node's leaves in a tree that a hub serves. Nothing of it is verified:
/// where the hub lies, a request for such a leaf is refused by everybody.
///
/// # Errors
/// [`SessionError::Malformed`], [`SessionError::TooLarge`], [`SessionError::Internal`].
pub fn leaves_in_tree(tree: &[u8], node: &NodeId) -> Result<Vec<Digest>, SessionError> {
    let tree = ratchet_tree(tree)?;
    let mut digests = Vec::new();
    for leaf in tree.leaves() {
        let identity = BasicCredential::try_from(leaf.credential().clone()).ok();
        if identity.is_none_or(|it| it.identity() != node.as_str().as_bytes()) {
            continue;
        }
        let key = leaf.encryption_key().tls_serialize_detached();
        let key = key.map_err(SessionError::internal)?;
        digests.push(leaf_digest(Some(node), leaf.signature_key().as_slice(), &key));
    }
    Ok(digests)
}

/// Reads a tree.
pub(crate) fn ratchet_tree(bytes: &[u8]) -> Result<RatchetTreeIn, SessionError> {
    if bytes.len() > frame::COMMIT_BYTES_MAX {
        return Err(SessionError::TooLarge);
    }
    RatchetTreeIn::tls_deserialize_exact_bytes(bytes).map_err(|_| SessionError::Malformed)
}

fn unfit(cause: impl std::fmt::Display) -> SessionError {
    SessionError::Welcome(cause.to_string())
}
