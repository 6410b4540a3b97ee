//! Making a commit. It is pending until the log returns it.

use openmls::prelude::{LeafNodeIndex, LeafNodeParameters, NewSignerBundle};

use super::{LeafKeys, Session, SessionError, keys, view};

/// What one commit does, beside renewing our own leaf's keys.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// A new signed statement, encoded.
    pub statement: Option<Vec<u8>>,
    /// Key packages to add, each an encoded `MLSMessage`.
    pub add: Vec<Vec<u8>>,
    /// Leaf indices to remove. The order of several Removes within one commit is not
    /// reproducible from a seed.
    pub remove: Vec<u32>,
    /// A new card, and the signing key that it names, for our own leaf. They are in force
    /// when the log has returned the commit, not before.
    pub leaf: Option<LeafKeys>,
    /// Readable by all, the hub included: a signed rejoin request, or empty.
    pub authenticated_data: Vec<u8>,
}

/// A commit to be appended; sent again, it is sent as these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The commit, a PublicMessage.
    pub commit: Vec<u8>,
    /// The GroupInfo after it, without tree.
    pub group_info: Vec<u8>,
    /// For those that it adds, without tree.
    pub welcome: Option<Vec<u8>>,
}

impl Session {
    /// Stages a commit, with a path always.
    ///
    /// # Errors
    /// [`SessionError::AlreadyPending`] while another is pending (the session stays usable),
    /// [`SessionError::KeyPackage`], [`SessionError::Removed`], [`SessionError::Change`]
    /// for what MLS does not allow.
    pub fn stage(&mut self, keys: &LeafKeys, change: &Change) -> Result<Staged, SessionError> {
        // OpenMLS would overwrite the pending commit, and be lost if that was accepted.
        if self.pending() {
            return Err(SessionError::AlreadyPending);
        }
        self.guarded(|session| session.stage_unguarded(keys, change))
    }

    fn stage_unguarded(
        &mut self,
        keys: &LeafKeys,
        change: &Change,
    ) -> Result<Staged, SessionError> {
        if !self.group.is_active() {
            return Err(SessionError::Removed);
        }
        let crypto = &*self.provider.crypto;
        let adds = change.add.iter().map(|bytes| keys::verified(crypto, bytes));
        let adds = adds.map(|verified| verified.map(|(_, package)| package));
        let adds: Vec<_> = adds.collect::<Result<_, _>>()?;
        self.group.set_aad(change.authenticated_data.clone());
        let mut builder = self
            .group
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .propose_removals(change.remove.iter().map(|index| LeafNodeIndex::new(*index)))
            .propose_adds(adds);
        if let Some(statement) = &change.statement {
            let context = view::context_extensions(statement)?;
            builder = builder.propose_group_context_extensions(context).map_err(unfit)?;
        }
        if let Some(leaf) = &change.leaf {
            let extensions = view::leaf_extensions(&leaf.card)?;
            let parameters = LeafNodeParameters::builder().with_extensions(extensions);
            builder = builder.leaf_node_parameters(parameters.build());
        }
        let builder = builder.load_psks(&self.provider.ledger).map_err(unfit)?;
        let builder = builder.use_ratchet_tree_extension(false).create_group_info(true);
        let built = match change.leaf.as_ref().filter(|leaf| leaf.public() != keys.public()) {
            None => builder.build(crypto, crypto, keys, |_| true),
            Some(leaf) => {
                let credential_with_key = leaf.credential();
                let new = NewSignerBundle { signer: leaf, credential_with_key };
                builder.build_with_new_signer(crypto, crypto, keys, new, |_| true)
            }
        };
        let bundle = built.map_err(unfit)?.stage_commit(&self.provider);
        let (commit, welcome, info) = bundle.map_err(SessionError::internal)?.into_messages();
        let info = info.ok_or_else(|| SessionError::internal("no GroupInfo was made"))?;
        Ok(Staged {
            commit: commit.to_bytes().map_err(SessionError::internal)?,
            group_info: info.to_bytes().map_err(SessionError::internal)?,
            welcome: welcome.map(|w| w.to_bytes()).transpose().map_err(SessionError::internal)?,
        })
    }
}

fn unfit(cause: impl std::fmt::Display) -> SessionError {
    SessionError::Change(cause.to_string())
}
