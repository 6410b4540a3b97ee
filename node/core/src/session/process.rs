//! Taking one entry of the log: read, validate, merge.

use openmls::framing::ProtocolMessage;
use openmls::prelude::{ProcessedMessageContent, Sender};

use super::{FrameKind, Session, SessionError, commit_view, frame, group_view, node_at};
use crate::id::{Epoch, NodeId};
use crate::trust::commit::{CommitView, GroupView, Validator};

/// What an entry was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Processed {
    /// A message of another member.
    Message {
        /// Who signed it, by its leaf.
        from: NodeId,
        /// The leaf.
        leaf: u32,
        /// The epoch, which is the group's.
        epoch: Epoch,
        /// The padded plaintext.
        plaintext: Vec<u8>,
    },
    /// The commit that was pending here; it is merged.
    OwnCommitMerged {
        /// What it did.
        commit: CommitView,
        /// The group after it.
        view: GroupView,
    },
    /// A commit of another member; it is merged.
    CommitMerged {
        /// What it did.
        commit: CommitView,
        /// The group after it.
        view: GroupView,
        /// Whether it removed us.
        removed_self: bool,
        /// Whether a commit of ours was pending and is void now.
        dropped_own_pending: bool,
    },
    /// A message under our own leaf, which we cannot decrypt and nobody has authenticated:
    /// only the outbox (entry id, digest) tells it from a clone's.
    OwnMessage,
}

impl Session {
    /// Takes one entry. Size, wire format, content type and group are checked before
    /// OpenMLS sees the bytes; the validator judges every commit, our own too, before it
    /// is merged.
    ///
    /// # Errors
    /// Any [`SessionError`] of a peer's fault. Nothing of the entry may be stored then:
    /// drop the session and load it again.
    pub fn process(
        &mut self,
        payload: &[u8],
        validator: Validator<'_>,
    ) -> Result<Processed, SessionError> {
        self.guarded(|session| {
            let (header, message) = frame(payload)?;
            if header.group != session.id {
                return Err(SessionError::WrongGroup);
            }
            if header.epoch != session.epoch() {
                return Err(SessionError::WrongEpoch);
            }
            session.provider.ledger.defer_secrets(header.kind == FrameKind::Application);
            session.take(message, payload, validator)
        })
    }

    fn take(
        &mut self,
        message: ProtocolMessage,
        payload: &[u8],
        validator: Validator<'_>,
    ) -> Result<Processed, SessionError> {
        let processed = self.group.process_message(&self.provider, message)?;
        let (sender, epoch) = (processed.sender().clone(), Epoch(processed.epoch().as_u64()));
        let data = processed.aad().to_vec();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => {
                let Sender::Member(index) = sender else {
                    return Err(SessionError::UnknownSender);
                };
                let from = node_at(self.group.public_group(), index)?;
                let plaintext = message.into_bytes();
                Ok(Processed::Message { from, leaf: index.u32(), epoch, plaintext })
            }
            ProcessedMessageContent::OwnPrivateMessage => Ok(Processed::OwnMessage),
            ProcessedMessageContent::OwnPendingCommit => {
                let pending = self.group.pending_commit().ok_or(SessionError::OwnCommitMismatch)?;
                let commit = commit_view(&sender, pending, &data, payload)?;
                validator(&self.view()?, &commit)?;
                let merged = self.group.merge_pending_commit(&self.provider);
                merged.map_err(SessionError::internal)?;
                Ok(Processed::OwnCommitMerged { commit, view: self.view()? })
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let commit = commit_view(&sender, &staged, &data, payload)?;
                validator(&self.view()?, &commit)?;
                let (removed_self, dropped_own_pending) = (staged.self_removed(), self.pending());
                let merged = self.group.merge_staged_commit(&self.provider, *staged);
                merged.map_err(SessionError::internal)?;
                let view = self.view()?;
                Ok(Processed::CommitMerged { commit, view, removed_self, dropped_own_pending })
            }
            _ => Err(SessionError::NotAdmissible),
        }
    }

    fn view(&self) -> Result<GroupView, SessionError> {
        group_view(self.group.public_group())
    }
}
