//! Who this node is: its keys, opened from the vault, and its cards.

use std::sync::{Arc, PoisonError, RwLock};

use raccordo_core::id::NodeId;
use raccordo_core::sealing::{SealingError, SealingKey};
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

    /// The name of a secret of the card with this serial: those of the first have none.
    pub fn of_card(name: &str, serial: u64) -> String {
        if serial == 1 { name.to_owned() } else { format!("{name}/{serial}") }
    }
}

/// A card of this node and the keys that it names.
pub struct KeySet {
    /// The card.
    pub card: SignedCard,
    /// The leaf in each group, as this card has it.
    pub leaf: LeafKeys,
    /// Opens what peers seal to this card.
    pub sealing: SealingKey,
    /// PKCS #8 of the TLS key.
    pub tls_key: Secret<Vec<u8>>,
    /// DER of the TLS certificate.
    pub tls_certificate: Vec<u8>,
}

/// Keys and cards of this node.
pub struct Identity {
    /// The node id.
    pub node: NodeId,
    /// Long-term key: signs cards, pacts, statements, checkpoints, notices.
    pub key: IdentityKey,
    /// Newest first; never empty.
    ring: RwLock<(Arc<KeySet>, Vec<Arc<KeySet>>)>,
}

impl Identity {
    /// The newest card and its keys.
    pub fn newest(&self) -> Arc<KeySet> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// All cards with their keys, newest first: who is behind still knows an older one.
    pub fn all(&self) -> Vec<Arc<KeySet>> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(&ring.0).chain(&ring.1).cloned().collect()
    }

    /// The newest own card.
    pub fn card(&self) -> SignedCard {
        self.newest().card.clone()
    }

    /// The leaf as the newest card has it.
    pub fn leaf(&self) -> LeafKeys {
        self.newest().leaf.clone()
    }

    /// The leaf keys of all cards, newest first.
    pub fn leaves(&self) -> Vec<LeafKeys> {
        self.all().iter().map(|set| set.leaf.clone()).collect()
    }

    /// The leaf keys with this public signature key.
    pub fn leaf_of(&self, public: &[u8]) -> Option<LeafKeys> {
        self.leaves().into_iter().find(|leaf| leaf.public() == public)
    }

    /// Opens what was sealed to this node, to its newest card or to an older one.
    ///
    /// # Errors
    /// [`SealingError`] when no key opens it.
    pub fn unseal(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        let mut opened = self.newest().sealing.open(info, aad, sealed);
        for former in self.all().iter().skip(1) {
            opened = opened.or_else(|_| former.sealing.open(info, aad, sealed));
        }
        opened
    }

    /// Puts a new card in the first place.
    pub(super) fn renew(&self, set: KeySet) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let former = std::mem::replace(&mut ring.0, Arc::new(set));
        ring.1.insert(0, former);
    }
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
    let mut sets = Vec::new();
    for card in tx.own_cards().await?.into_iter().rev() {
        let card = SignedCard::decode(&card).map_err(|cause| Fault::ours("card_damaged", cause))?;
        sets.push(Arc::new(key_set(&mut *tx, vault, &row.node, card).await?));
    }
    let mut sets = sets.into_iter();
    let newest = sets.next().ok_or_else(|| Fault::ours("card_missing", "own card"))?;
    Ok(Identity { node: row.node, key, ring: RwLock::new((newest, sets.collect())) })
}

async fn key_set(tx: &mut dyn Tx, vault: &Vault, node: &NodeId, card: SignedCard) -> Done<KeySet> {
    let name = |name| names::of_card(name, card.card().serial);
    let mls = seed(open(tx, vault, &name(names::MLS)).await?)?;
    let sealing = seed(open(tx, vault, &name(names::SEALING)).await?)?;
    let tls_key = open(tx, vault, &name(names::TLS_KEY)).await?;
    let tls_certificate = open(tx, vault, &name(names::TLS_CERTIFICATE)).await?.reveal().clone();
    made_of(node, card, &mls, &sealing, tls_key, tls_certificate)
}

/// A card and its keys, from their seeds.
///
/// # Errors
/// A sealing key that cannot be derived: never in practice.
pub(super) fn made_of(
    node: &NodeId,
    card: SignedCard,
    mls: &Secret<[u8; 32]>,
    sealing: &Secret<[u8; 32]>,
    tls_key: Secret<Vec<u8>>,
    tls_certificate: Vec<u8>,
) -> Done<KeySet> {
    let sealing = SealingKey::derive(sealing).map_err(|cause| Fault::ours("sealing_key", cause))?;
    let leaf = LeafKeys::new(node.clone(), mls, card.encode());
    Ok(KeySet { card, leaf, sealing, tls_key, tls_certificate })
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

/// A seed of 32 bytes.
///
/// # Errors
/// A damaged row.
pub(super) fn seed(bytes: Secret<Vec<u8>>) -> Done<Secret<[u8; 32]>> {
    let seed = bytes.reveal().as_slice().try_into();
    seed.map(Secret::new).map_err(|_| Fault::ours("secret_damaged", "a seed is not 32 bytes"))
}
