//! What a member can tell a new hub: the public state of the group; and how it gives up a
//! commit that the log can never return.

use openmls::prelude::ProcessedMessageContent;
use tls_codec::Serialize as _;

use super::view::statement;
use super::{FrameKind, LeafKeys, Session, SessionError, commit_view, frame};
use crate::trust::commit::CommitView;

/// A group's public state, signed by the member that tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicState {
    /// GroupInfo of the present epoch without tree, a `MLSMessage` (RFC 9420 §12.4.3).
    pub group_info: Vec<u8>,
    /// The ratchet tree, TLS-encoded (RFC 9420 §7.8).
    pub tree: Vec<u8>,
}

impl Session {
    /// The group as it stands, for a hub that has none.
    ///
    /// # Errors
    /// [`SessionError::Spoiled`], [`SessionError::Internal`].
    pub fn public_state(&self, keys: &LeafKeys) -> Result<PublicState, SessionError> {
        if self.spoiled {
            return Err(SessionError::Spoiled);
        }
        let info = self.group.export_group_info(&*self.provider.crypto, keys, false);
        let group_info = info.map_err(SessionError::internal)?.to_bytes();
        let tree = self.group.export_ratchet_tree().tls_serialize_detached();
        Ok(PublicState {
            group_info: group_info.map_err(SessionError::internal)?,
            tree: tree.map_err(SessionError::internal)?,
        })
    }

    /// What another member's commit would do, read as a hub reads it: without path secrets,
    /// so that nothing of it need be openable here. Nothing changes.
    ///
    /// # Errors
    /// Any [`SessionError`] of a peer's fault.
    pub fn read_commit(&self, payload: &[u8]) -> Result<CommitView, SessionError> {
        let (header, message) = frame(payload)?;
        if header.kind != FrameKind::Commit || header.group != self.id {
            return Err(SessionError::NotAdmissible);
        }
        let group = self.group.public_group();
        let processed = group.process_message(&*self.provider.crypto, message)?;
        let (from, data) = (processed.sender().clone(), processed.aad().to_vec());
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(SessionError::NotAdmissible);
        };
        commit_view(&from, &staged, &data, payload)
    }

    /// The statement that would be in force after the own commit that waits for the log, if
    /// one does: content of the context extension.
    pub fn pending_statement(&self) -> Option<Vec<u8>> {
        statement(self.group.pending_commit()?.group_context())
    }

    /// Drops the own commit that waits for the log. Only where the log's end is settled
    /// without it: by a statement that names the last entry of a lost hub, and by nothing
    /// that the network did or did not answer.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub fn drop_pending(&mut self) -> Result<(), SessionError> {
        self.guarded(|session| Ok(session.group.clear_pending_commit(&session.provider.ledger)?))
    }
}
