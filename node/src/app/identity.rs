//! Who this node is: its keys, opened from the vault, and its card.

use raccordo_core::id::NodeId;
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use raccordo_core::session::LeafKeys;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::vault::Vault;

use super::fault::{Done, Fault};
use crate::store::{Store, Tx};

/// Names of the sealed secrets in the database.
pub mod names {
    /// Ed25519 seed of the long-term identity, 32 bytes.
    pub const IDENTITY: &str = "identity";
    /// Ed25519 seed of the MLS signature key, 32 bytes.
    pub const MLS: &str = "mls";
    /// Seed of the X-Wing sealing key, 32 bytes.
    pub const SEALING: &str = "sealing";
    /// PKCS #8 of the TLS key.
    pub const TLS_KEY: &str = "tls_key";
    /// DER of the self-signed TLS certificate (no secret, kept beside its key).
    pub const TLS_CERTIFICATE: &str = "tls_certificate";
}

/// Keys and card of this node.
pub struct Identity {
    /// The node id.
    pub node: NodeId,
    /// Long-term key: signs cards, pacts, statements, checkpoints, notices.
    pub key: IdentityKey,
    /// Opens what peers seal to this node.
    pub sealing: SealingKey,
    /// The leaf in each group.
    pub leaf: LeafKeys,
    /// The newest own card.
    pub card: SignedCard,
    /// PKCS #8 of the TLS key.
    pub tls_key: Secret<Vec<u8>>,
    /// DER of the TLS certificate.
    pub tls_certificate: Vec<u8>,
}

/// Context under which a secret is sealed.
pub fn context(name: &str) -> String {
    format!("secret/{name}")
}

/// Opens the node's keys.
///
/// # Errors
/// No node in this database, a wrong node key, or the store's.
pub async fn load(store: &dyn Store, vault: &Vault) -> Done<Identity> {
    let mut tx = store.read().await?;
    let Some(row) = tx.node().await? else {
        return Err(Fault::not_found("not_initialised", "this database holds no node")
            .hint("run `raccordo init` first"));
    };
    if !vault.matches(&row.vault_check) {
        return Err(Fault::usage("wrong_node_key", "the node key does not fit this database")
            .hint("give the key file that `raccordo init` wrote for it"));
    }
    let key = IdentityKey::from_seed(seed(open(&mut *tx, vault, names::IDENTITY).await?)?.reveal());
    let mls = seed(open(&mut *tx, vault, names::MLS).await?)?;
    let sealing = SealingKey::derive(&seed(open(&mut *tx, vault, names::SEALING).await?)?)
        .map_err(|cause| Fault::ours("sealing_key", cause))?;
    let tls_key = open(&mut *tx, vault, names::TLS_KEY).await?;
    let tls_certificate = open(&mut *tx, vault, names::TLS_CERTIFICATE).await?.reveal().clone();
    let card = tx.own_card().await?.ok_or_else(|| Fault::ours("card_missing", "own card"))?;
    let card = SignedCard::decode(&card).map_err(|cause| Fault::ours("card_damaged", cause))?;
    let leaf = LeafKeys::new(row.node.clone(), &mls, card.encode());
    Ok(Identity { node: row.node, key, sealing, leaf, card, tls_key, tls_certificate })
}

/// Opens one secret of the database.
///
/// # Errors
/// A wrong node key, or a secret that is missing.
pub async fn open(tx: &mut dyn Tx, vault: &Vault, name: &str) -> Done<Secret<Vec<u8>>> {
    let sealed = tx.secret(name).await?;
    let sealed = sealed.ok_or_else(|| Fault::ours("secret_missing", name))?;
    vault.open(&context(name), &sealed).map_err(|cause| Fault::ours("vault", cause))
}

fn seed(bytes: Secret<Vec<u8>>) -> Done<Secret<[u8; 32]>> {
    let seed = bytes.reveal().as_slice().try_into();
    seed.map(Secret::new).map_err(|_| Fault::ours("secret_damaged", "a seed is not 32 bytes"))
}
