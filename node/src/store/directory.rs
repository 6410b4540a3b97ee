//! Organisations and operators of this node.

use async_trait::async_trait;
use raccordo_core::id::{OperatorId, OrganisationId};
use raccordo_core::time::Instant;

use super::Stored;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationRow {
    /// Its opaque id.
    pub organisation: OrganisationId,
    /// Its name, unique in the node.
    pub name: String,
    /// From the list `organisation_class`.
    pub class: String,
    /// When it was added.
    pub created_at: Instant,
}

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorRow {
    /// Opaque id.
    pub operator: OperatorId,
    /// Where the operator works.
    pub organisation: OrganisationId,
    /// Name, sealed by the vault.
    pub sealed_name: Vec<u8>,
    /// Keyed digest of the name, unique in the node.
    pub name_index: Vec<u8>,
    /// Text of the role.
    pub role: String,
    /// First bytes of the token's digest, to find the row.
    pub token_lookup: Vec<u8>,
    /// argon2 hash of the token.
    pub token_hash: String,
    /// Whether the token is accepted.
    pub enabled: bool,
    /// When it was added.
    pub created_at: Instant,
}

/// Rows of organisations and operators.
#[async_trait]
pub trait DirectoryRows {
    /// Adds one; `Exists` for a name that is taken.
    async fn insert_organisation(&mut self, row: OrganisationRow) -> Stored<()>;
    /// All, by name.
    async fn organisations(&mut self) -> Stored<Vec<OrganisationRow>>;
    /// Adds one; `Exists` for a name that is taken.
    async fn insert_operator(&mut self, row: OperatorRow) -> Stored<()>;
    /// All, in the order in which they were added.
    async fn operators(&mut self) -> Stored<Vec<OperatorRow>>;
    /// By the token's lookup bytes.
    async fn operator_by_token(&mut self, lookup: &[u8]) -> Stored<Option<OperatorRow>>;
    /// Replaces role and enabled.
    async fn update_operator(
        &mut self,
        operator: OperatorId,
        role: &str,
        enabled: bool,
    ) -> Stored<()>;
}
