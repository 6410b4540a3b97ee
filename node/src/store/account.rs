//! Accounts, invitations and sessions of the desk, and who operators are elsewhere.

use async_trait::async_trait;
use raccordo_core::account::Session;
use raccordo_core::id::{Digest, OperatorId};
use raccordo_core::time::Instant;

use super::Stored;

/// An operator's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Whose.
    pub operator: OperatorId,
    /// argon2 hash of the password.
    pub password_hash: String,
    /// Seed of the one-time codes, sealed by the vault.
    pub sealed_seed: Vec<u8>,
    /// The newest step of which a code was used.
    pub used_step: u64,
    /// When the link was used.
    pub activated_at: Instant,
}

/// Who an operator is at the region's identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Who.
    pub operator: OperatorId,
    /// Keyed digest of issuer and subject.
    pub person: Digest,
    /// Issuer and subject, sealed by the vault.
    pub sealed: Vec<u8>,
    /// When the link was used.
    pub bound_at: Instant,
}

/// A link that waits to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRow {
    /// Whose.
    pub operator: OperatorId,
    /// Of what stands in the link.
    pub digest: Digest,
    /// Until when it works.
    pub expires_at: Instant,
}

/// Rows of accounts.
#[async_trait]
pub trait AccountRows {
    /// The account of an operator.
    async fn account(&mut self, operator: OperatorId) -> Stored<Option<AccountRow>>;
    /// Writes or replaces one.
    async fn put_account(&mut self, row: AccountRow) -> Stored<()>;
    /// Deletes one; nothing happens if there is none.
    async fn delete_account(&mut self, operator: OperatorId) -> Stored<()>;
    /// The operator who is this person at the provider.
    async fn provider_person(&mut self, person: Digest) -> Stored<Option<PersonRow>>;
    /// Writes or replaces who an operator is, whom no other operator is.
    async fn put_provider_person(&mut self, row: PersonRow) -> Stored<()>;
    /// Deletes who an operator is; nothing happens if that is not known.
    async fn delete_provider_person(&mut self, operator: OperatorId) -> Stored<()>;
    /// The link with this digest.
    async fn invitation(&mut self, digest: Digest) -> Stored<Option<InvitationRow>>;
    /// Writes one, in place of an earlier one for the same operator.
    async fn put_invitation(&mut self, row: InvitationRow) -> Stored<()>;
    /// Deletes that of an operator; nothing happens if there is none.
    async fn delete_invitation(&mut self, operator: OperatorId) -> Stored<()>;
    /// The session with this digest.
    async fn session(&mut self, key: Digest) -> Stored<Option<Session>>;
    /// Writes or replaces one.
    async fn put_session(&mut self, row: Session) -> Stored<()>;
    /// Deletes one; nothing happens if there is none.
    async fn delete_session(&mut self, key: Digest) -> Stored<()>;
    /// Deletes all of an operator; how many there were.
    async fn delete_sessions(&mut self, operator: OperatorId) -> Stored<u64>;
    /// Deletes all that began before an instant.
    async fn delete_sessions_before(&mut self, begun: Instant) -> Stored<()>;
}
