//! One MLS group of this node: found, join, encrypt, commit, process (DESIGN §3–§6).
//!
//! A [`Session`] is live state over a ledger. The caller loads it from the rows of its
//! group, works, takes the changes, and writes them in one transaction; only then may a
//! ciphertext leave the node. **After any error, and after any rollback of that
//! transaction, the session is dropped and loaded again**; one that has failed refuses
//! all further work with [`SessionError::Spoiled`].

mod error;
mod frame;
mod join;
mod keys;
mod path;
mod process;
mod public;
mod stage;
#[cfg(test)]
pub(crate) mod tests;
mod view;

use std::sync::Arc;
use std::time::SystemTime;

use openmls::group::{MlsGroup, MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY};
use openmls::group::{PastEpochDeletion, PastEpochDeletionPolicy};
use openmls::prelude::SenderRatchetConfiguration;

pub use self::error::SessionError;
pub use self::frame::{COMMIT_BYTES_MAX, FrameKind, Header, MESSAGE_BYTES_MAX, peek};
pub use self::join::{Invitation, Joining, leaves_in_tree};
pub use self::keys::{
    KeyPackageView, LeafKeys, NewKeyPackage, key_package, read_key_package, stored_key_packages,
};
pub use self::process::Processed;
pub use self::public::PublicState;
pub use self::stage::{Change, Staged};
pub use self::view::{CARD, STATEMENT};
pub(crate) use self::{
    frame::{frame, group_info, mls_group_id, parse},
    join::ratchet_tree,
    path::are_parents_usable,
    view::{commit_view, group_view, node_at},
};

use crate::crypto::{Crypto, Provider, Suite};
use crate::id::{Epoch, GroupId};
use crate::ledger::{Ledger, LedgerChange, LedgerRow, LedgerScope};
use crate::trust::commit::{GroupView, LeafView};

/// Messages that may come out of order, and by how many one may be ahead (RFC 9420 §9.1).
/// The log is ordered, so both are only for what was set aside.
const RATCHET: (u32, u32) = (5, 1000);

/// One live group.
pub struct Session {
    provider: Provider,
    group: MlsGroup,
    id: GroupId,
    spoiled: bool,
}

/// Where a group stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The group.
    pub group: GroupId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Equal at all members of the same state (RFC 9420 §8.7), 32 bytes.
    pub authenticator: Vec<u8>,
    /// Its ciphersuite.
    pub suite: Suite,
    /// Our leaf.
    pub own_index: u32,
    /// Whether a commit of ours waits for the log.
    pub pending: bool,
    /// Whether we are a member still.
    pub active: bool,
    /// Roster and context.
    pub view: GroupView,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}, epoch {})", self.id, self.group.epoch())
    }
}

impl Session {
    /// Founds a group whose only leaf is ours, and returns the GroupInfo with tree that
    /// opens it at the hub.
    ///
    /// # Errors
    /// [`SessionError::Internal`].
    pub fn found(
        crypto: &Arc<Crypto>,
        keys: &LeafKeys,
        id: GroupId,
        suite: Suite,
        statement: &[u8],
    ) -> Result<(Self, Vec<u8>), SessionError> {
        let provider = provider(crypto, id, [])?;
        let group = MlsGroup::builder()
            .with_group_id(mls_group_id(&id))
            .ciphersuite(suite.mls())
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .padding_size(0)
            .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(0))
            .sender_ratchet_configuration(ratchet())
            .use_ratchet_tree_extension(false)
            .lifetime(view::unbounded())
            .with_capabilities(view::capabilities(suite))
            .with_group_context_extensions(view::context_extensions(statement)?)
            .with_leaf_node_extensions(view::leaf_extensions(&keys.card)?)
            .map_err(SessionError::internal)?
            .build(&provider, keys, keys.credential())
            .map_err(SessionError::internal)?;
        let info = group.export_group_info(&*provider.crypto, keys, true);
        let info = info.map_err(SessionError::internal)?.to_bytes();
        let session = Self { provider, group, id, spoiled: false };
        Ok((session, info.map_err(SessionError::internal)?))
    }

    /// Loads a group from the rows of its scope; `None` when there are none.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub fn load(
        crypto: &Arc<Crypto>,
        id: GroupId,
        rows: impl IntoIterator<Item = LedgerRow>,
    ) -> Result<Option<Self>, SessionError> {
        let provider = provider(crypto, id, rows)?;
        let group = MlsGroup::load(&provider.ledger, &mls_group_id(&id))?;
        Ok(group.map(|group| Self { provider, group, id, spoiled: false }))
    }

    /// Encrypts a padded plaintext for the group. The ciphertext may leave only when the
    /// changes are durable.
    ///
    /// # Errors
    /// [`SessionError::Removed`], [`SessionError::TooLarge`],
    /// [`SessionError::Internal`].
    pub fn encrypt(&mut self, keys: &LeafKeys, plaintext: &[u8]) -> Result<Vec<u8>, SessionError> {
        self.guarded(|session| {
            if !session.group.is_active() {
                return Err(SessionError::Removed);
            }
            session.provider.ledger.defer_secrets(true);
            session.group.set_aad(Vec::new());
            let message = session.group.create_message(&session.provider, keys, plaintext);
            let bytes = message.map_err(SessionError::internal)?.to_bytes();
            let bytes = bytes.map_err(SessionError::internal)?;
            if bytes.len() > MESSAGE_BYTES_MAX { Err(SessionError::TooLarge) } else { Ok(bytes) }
        })
    }

    /// Where the group stands.
    ///
    /// # Errors
    /// [`SessionError::Spoiled`], or [`SessionError::Store`] for a group that is not ours.
    pub fn facts(&self) -> Result<Facts, SessionError> {
        if self.spoiled {
            return Err(SessionError::Spoiled);
        }
        let number = u16::from(self.group.ciphersuite());
        let suite = Suite::from_number(number);
        Ok(Facts {
            group: self.id,
            epoch: self.epoch(),
            authenticator: self.group.epoch_authenticator().as_slice().to_vec(),
            suite: suite.ok_or_else(|| SessionError::internal("a foreign suite"))?,
            own_index: self.group.own_leaf_index().u32(),
            pending: self.pending(),
            active: self.group.is_active(),
            view: group_view(self.group.public_group())?,
        })
    }

    /// The group.
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.group.epoch().as_u64())
    }

    /// Whether a commit of ours waits for the log.
    pub fn pending(&self) -> bool {
        self.group.pending_commit().is_some()
    }

    /// Our leaf as the tree has it: its key signs what we say now.
    ///
    /// # Errors
    /// [`SessionError::Removed`] when we have none any more.
    pub fn own_leaf(&self) -> Result<LeafView, SessionError> {
        let leaf = self.group.own_leaf_node().ok_or(SessionError::Removed)?;
        Ok(view::leaf_view(leaf))
    }

    /// Equal at all members of the same state (RFC 9420 §8.7), 32 bytes.
    pub fn authenticator(&self) -> &[u8] {
        self.group.epoch_authenticator().as_slice()
    }

    /// The changes since the last call, to be written in one transaction.
    ///
    /// Message secrets are written here, once for all messages since the last call.
    ///
    /// # Errors
    /// [`SessionError::Spoiled`] after a failed operation: nothing of it may be stored.
    pub fn take_changes(&mut self) -> Result<Vec<LedgerChange>, SessionError> {
        self.guarded(|session| {
            session.provider.ledger.defer_secrets(false);
            if session.provider.ledger.secrets_deferred() {
                // Deletes nothing, since no past epoch is kept, and writes the secrets.
                let none = PastEpochDeletion::before_timestamp(SystemTime::UNIX_EPOCH);
                let written = session.group.delete_past_epoch_secrets(&session.provider, none);
                written.map_err(SessionError::internal)?;
            }
            Ok(session.provider.ledger.take_changes())
        })
    }

    /// Runs an operation; one that fails leaves the session spoiled, since OpenMLS may
    /// have stopped half-way.
    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        if self.spoiled {
            return Err(SessionError::Spoiled);
        }
        let outcome = work(self);
        self.spoiled = outcome.is_err();
        outcome
    }
}

fn provider(
    crypto: &Arc<Crypto>,
    id: GroupId,
    rows: impl IntoIterator<Item = LedgerRow>,
) -> Result<Provider, SessionError> {
    let ledger = Ledger::from_rows(LedgerScope::Group(id), rows)?;
    Ok(Provider { crypto: Arc::clone(crypto), ledger })
}

fn ratchet() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(RATCHET.0, RATCHET.1)
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(0)
        .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(0))
        .sender_ratchet_configuration(ratchet())
        .use_ratchet_tree_extension(false)
        .build()
}
