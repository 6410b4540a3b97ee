//! A group as its hub keeps it: public state only (DESIGN §4).
//!
//! The hub checks signatures, epoch and membership of every commit, and that the committer
//! has signed for the very state that the hub comes to. It cannot check path secrets.

use std::sync::Arc;

use openmls::framing::{MlsMessageBodyIn, MlsMessageIn};
use openmls::group::{ProposalStore, PublicGroup};
use openmls::prelude::{KeyPackageRef, LeafNodeIndex, ProcessedMessageContent, Verifiable as _};
use tls_codec::Serialize as _;

use crate::crypto::{Crypto, Suite};
use crate::id::{Epoch, GroupId, NodeId};
use crate::ledger::{Ledger, LedgerChange, LedgerError, LedgerRow, LedgerScope};
use crate::session::{
    FrameKind, Header, SessionError, are_parents_usable, commit_view, frame, group_info,
    group_view, mls_group_id, node_at, parse, peek, ratchet_tree,
};
use crate::trust::commit::{CommitView, GroupView, Validator};

/// Why the hub refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HubGroupError {
    /// The message or commit itself is refused.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Peer: the committer's leaf is not of the node that is connected.
    #[error("the committer is not the node that is connected")]
    WrongSender,
    /// Peer: the GroupInfo is not signed by the committer's new leaf for the state after
    /// the commit.
    #[error("the GroupInfo is not of this commit")]
    GroupInfo,
    /// Peer: the Welcome is not for exactly those whom the commit adds.
    #[error("the Welcome is not for whom the commit adds")]
    Welcome,
    /// Peer: what was uploaded is not epoch 0 of a group as ours, with one leaf.
    #[error("not the founding of a group: {0}")]
    Founding(String),
}

impl HubGroupError {
    /// The stable reason, snake case.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Session(error) => error.reason(),
            Self::WrongSender => "wrong_sender",
            Self::GroupInfo => "bad_group_info",
            Self::Welcome => "bad_welcome",
            Self::Founding(_) => "bad_group",
        }
    }
}

impl From<LedgerError> for HubGroupError {
    fn from(error: LedgerError) -> Self {
        Self::Session(error.into())
    }
}

/// One group at its hub. After any error of [`HubGroup::apply_commit`], and after any
/// rollback, it is dropped and loaded again; until then it refuses all further work.
pub struct HubGroup {
    crypto: Arc<Crypto>,
    ledger: Ledger,
    group: PublicGroup,
    id: GroupId,
    spoiled: bool,
    /// References of the key packages that the commit applied last has added.
    added: Vec<KeyPackageRef>,
}

impl std::fmt::Debug for HubGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HubGroup({}, epoch {})", self.id, self.epoch())
    }
}

impl HubGroup {
    /// Opens a group from the GroupInfo with tree of its founder. The caller checks the
    /// view (id, statement, card) before it keeps the changes.
    ///
    /// # Errors
    /// [`HubGroupError::Founding`], [`SessionError::Malformed`], [`SessionError::TooLarge`].
    pub fn found(
        crypto: &Arc<Crypto>,
        group_info_with_tree: &[u8],
    ) -> Result<(Self, GroupView), HubGroupError> {
        let unfit = |what: &dyn std::fmt::Display| HubGroupError::Founding(what.to_string());
        let info = group_info(group_info_with_tree)?;
        let id = GroupId::try_from(info.group_id().as_slice())
            .map_err(|error| unfit(&format!("group id: {error}")))?;
        let tree = info.extensions().ratchet_tree().map(|sent| sent.ratchet_tree().clone());
        let tree = tree.ok_or_else(|| unfit(&"no tree"))?;
        let ledger = Ledger::from_rows(LedgerScope::Hub(id), [])?;
        let opened =
            PublicGroup::from_external(&**crypto, &ledger, tree, info, ProposalStore::new());
        let (group, _) = opened.map_err(|error| unfit(&error))?;
        let view = group_view(&group)?;
        if view.epoch != Epoch(0) || view.leaves.len() != 1 {
            return Err(unfit(&"not epoch 0 with one leaf"));
        }
        let leaves_exact = view.leaves.iter().all(|(_, leaf)| leaf.extensions_exact);
        if !(view.context_exact && leaves_exact) || Suite::from_number(view.ciphersuite).is_none() {
            return Err(unfit(&"context, leaf or suite is not as ours"));
        }
        let crypto = Arc::clone(crypto);
        Ok((Self { crypto, ledger, group, id, spoiled: false, added: Vec::new() }, view))
    }

    /// Takes over a group as one of its members tells it: GroupInfo and tree. The caller
    /// checks the view (id, epoch, statement, cards) before it keeps the changes.
    ///
    /// # Errors
    /// [`HubGroupError::Founding`], [`SessionError::Malformed`], [`SessionError::TooLarge`].
    pub fn adopt(
        crypto: &Arc<Crypto>,
        group_info: &[u8],
        tree: &[u8],
    ) -> Result<(Self, GroupView), HubGroupError> {
        let unfit = |what: &dyn std::fmt::Display| HubGroupError::Founding(what.to_string());
        let info = self::group_info(group_info)?;
        let id = GroupId::try_from(info.group_id().as_slice())
            .map_err(|error| unfit(&format!("group id: {error}")))?;
        let ledger = Ledger::from_rows(LedgerScope::Hub(id), [])?;
        let tree = ratchet_tree(tree)?;
        let opened =
            PublicGroup::from_external(&**crypto, &ledger, tree, info, ProposalStore::new());
        let (group, _) = opened.map_err(|error| unfit(&error))?;
        let view = group_view(&group)?;
        if !are_parents_usable(&group) {
            return Err(unfit(&"a parent node has a key that nobody can use"));
        }
        let crypto = Arc::clone(crypto);
        Ok((Self { crypto, ledger, group, id, spoiled: false, added: Vec::new() }, view))
    }

    /// Loads a group from the rows of its scope; `None` when there are none.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub fn load(
        crypto: &Arc<Crypto>,
        id: GroupId,
        rows: impl IntoIterator<Item = LedgerRow>,
    ) -> Result<Option<Self>, HubGroupError> {
        let ledger = Ledger::from_rows(LedgerScope::Hub(id), rows)?;
        let group = PublicGroup::load(&ledger, &mls_group_id(&id))?;
        let crypto = Arc::clone(crypto);
        Ok(group.map(|group| Self { crypto, ledger, group, id, spoiled: false, added: Vec::new() }))
    }

    /// Checks an application message as far as a hub can: size, framing, group. The caller
    /// compares the epoch, which is not authenticated here.
    ///
    /// # Errors
    /// [`SessionError::TooLarge`], [`SessionError::Malformed`],
    /// [`SessionError::NotAdmissible`] also for a commit, [`SessionError::WrongGroup`].
    pub fn check_message(&self, payload: &[u8]) -> Result<Header, HubGroupError> {
        let header = peek(payload)?;
        if header.kind != FrameKind::Application {
            return Err(SessionError::NotAdmissible.into());
        }
        if header.group != self.id {
            return Err(SessionError::WrongGroup.into());
        }
        Ok(header)
    }

    /// Validates a commit of `sender` (as mutual TLS has authenticated it) with the
    /// GroupInfo after it, and merges it.
    ///
    /// # Errors
    /// Any [`HubGroupError`]. Nothing may be stored then: drop the group and load it again.
    pub fn apply_commit(
        &mut self,
        sender: &NodeId,
        commit: &[u8],
        group_info: &[u8],
        validator: Validator<'_>,
    ) -> Result<CommitView, HubGroupError> {
        if self.spoiled {
            return Err(SessionError::Spoiled.into());
        }
        let outcome = self.apply(sender, commit, group_info, validator);
        self.spoiled = outcome.is_err();
        outcome
    }

    fn apply(
        &mut self,
        sender: &NodeId,
        commit: &[u8],
        group_info: &[u8],
        validator: Validator<'_>,
    ) -> Result<CommitView, HubGroupError> {
        let (header, message) = frame(commit)?;
        if header.kind != FrameKind::Commit {
            return Err(SessionError::NotAdmissible.into());
        }
        let processed =
            self.group.process_message(&*self.crypto, message).map_err(SessionError::from)?;
        let (from, data) = (processed.sender().clone(), processed.aad().to_vec());
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(SessionError::NotAdmissible.into());
        };
        let view = commit_view(&from, &staged, &data, commit)?;
        let committer = LeafNodeIndex::new(view.committer);
        if node_at(&self.group, committer)? != *sender {
            return Err(HubGroupError::WrongSender);
        }
        validator(&self.view()?, &view).map_err(SessionError::from)?;
        let added = staged.add_proposals();
        let added = added.map(|add| add.add_proposal().key_package().hash_ref(&*self.crypto));
        self.added = added.collect::<Result<_, _>>().map_err(SessionError::internal)?;
        self.group.merge_commit(&self.ledger, *staged).map_err(SessionError::internal)?;
        self.match_info(committer, group_info)?;
        Ok(view)
    }

    /// Judges the Welcome that came with the commit applied last (RFC 9420 §12.4.3.1): an MLS
    /// message of the group's suite with secrets for each added key package and for no other;
    /// empty where nobody was added. What is sealed in it only the newcomers can read.
    ///
    /// # Errors
    /// [`HubGroupError::Welcome`]. Nothing may be stored then: drop the group and load it again.
    pub fn check_welcome(&mut self, welcome: &[u8]) -> Result<(), HubGroupError> {
        let fits = if self.added.is_empty() { welcome.is_empty() } else { self.greets(welcome) };
        self.spoiled |= !fits;
        if fits { Ok(()) } else { Err(HubGroupError::Welcome) }
    }

    fn greets(&self, welcome: &[u8]) -> bool {
        let Ok(MlsMessageBodyIn::Welcome(welcome)) = parse(welcome).map(MlsMessageIn::extract)
        else {
            return false;
        };
        let secrets = welcome.secrets();
        let names = |reference: &KeyPackageRef| {
            secrets.iter().filter(|secret| secret.new_member() == *reference).count() == 1
        };
        welcome.ciphersuite() == self.group.ciphersuite()
            && secrets.len() == self.added.len()
            && self.added.iter().all(names)
    }

    /// The committer's new key has signed a GroupInfo of exactly the state that the commit
    /// led to. It pins the confirmation tag, which a hub cannot compute (RFC 9420 §12.4.3).
    fn match_info(&self, committer: LeafNodeIndex, info: &[u8]) -> Result<(), HubGroupError> {
        let leaf = self.group.leaf(committer).ok_or(HubGroupError::GroupInfo)?;
        let scheme = self.group.ciphersuite().signature_algorithm();
        let key = leaf.signature_key().clone().into_signature_public_key_enriched(scheme);
        let info = group_info(info)?;
        // At most the external key, which OpenMLS always adds and nobody uses: no tree.
        let extensions = info.extensions();
        if extensions.iter().count() != usize::from(extensions.external_pub().is_some()) {
            return Err(HubGroupError::GroupInfo);
        }
        let info = info.verify(&*self.crypto, &key).map_err(|_| HubGroupError::GroupInfo)?;
        // What was signed begins with context, extensions, confirmation tag and signer
        // (RFC 9420 §12.4.3); the tag has no accessor.
        let parts = [
            self.group.group_context().tls_serialize_detached(),
            info.extensions().tls_serialize_detached(),
            self.group.confirmation_tag().tls_serialize_detached(),
            committer.u32().tls_serialize_detached(),
        ];
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>();
        let expected = parts.map_err(SessionError::internal)?.concat();
        let bytes = info.tls_serialize_detached().map_err(SessionError::internal)?;
        if bytes.starts_with(&expected) { Ok(()) } else { Err(HubGroupError::GroupInfo) }
    }

    /// The ratchet tree, TLS-encoded (RFC 9420 §7.8), for newcomers.
    ///
    /// # Errors
    /// [`SessionError::Internal`].
    pub fn tree(&self) -> Result<Vec<u8>, HubGroupError> {
        let tree = self.group.export_ratchet_tree().tls_serialize_detached();
        Ok(tree.map_err(SessionError::internal)?)
    }

    /// Roster and context.
    ///
    /// # Errors
    /// [`SessionError::WrongGroup`], which no group that was opened here causes.
    pub fn view(&self) -> Result<GroupView, SessionError> {
        group_view(&self.group)
    }

    /// The group.
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.group.group_context().epoch().as_u64())
    }

    /// The changes since the last call, to be written in one transaction.
    ///
    /// # Errors
    /// [`SessionError::Spoiled`] after a refused commit: nothing of it may be stored.
    pub fn take_changes(&mut self) -> Result<Vec<LedgerChange>, SessionError> {
        if self.spoiled { Err(SessionError::Spoiled) } else { Ok(self.ledger.take_changes()) }
    }
}
