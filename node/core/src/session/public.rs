//! What a member can tell a new hub: the public state of the group; and how it gives up a
//! commit that the log can never return.

use tls_codec::Serialize as _;

use super::view::statement;
use super::{LeafKeys, Session, SessionError};

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
