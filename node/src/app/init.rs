//! Makes a node: keys, first card, audit chain. Everything or nothing.

use std::time::Duration;

use raccordo_core::entropy::{Entropy, draw};
use raccordo_core::id::NodeId;
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use raccordo_core::time::Clock;
use raccordo_core::trust::card::{Card, SignedCard};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::vault::Vault;

use super::fault::{Done, Fault};
use super::identity::{context, names};
use crate::store::Store;
use crate::store::node::NodeRow;

/// A card counts from so long before it was made.
pub(super) const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 3600);
/// How long a card is valid: two years, so that renewal is a habit and not an emergency.
pub(super) const CARD_LIFETIME: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

/// What `raccordo init` was told.
#[derive(Clone, Debug)]
pub struct NewNode {
    /// The node id.
    pub node: NodeId,
    /// Display name.
    pub name: String,
    /// IPA code, if the body has one.
    pub ipa_code: Option<String>,
    /// `host:port` under which peers reach its hub, if it runs one.
    pub hub_endpoint: Option<String>,
}

/// A new TLS key, as the transport has wrapped it.
pub struct NewTls {
    /// The key itself, which proves to be this node's.
    pub signing: IdentityKey,
    /// PKCS #8 of it.
    pub key: Vec<u8>,
    /// DER of its certificate.
    pub certificate: Vec<u8>,
}

/// Makes keys and the first card, and writes them.
///
/// # Errors
/// `already_initialised` when the database holds a node; a card that would be invalid.
pub async fn init(
    store: &dyn Store,
    vault: &Vault,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
    new: NewNode,
    tls: NewTls,
) -> Done<SignedCard> {
    let identity_seed: [u8; 32] = draw(entropy);
    let mls_seed: [u8; 32] = draw(entropy);
    let sealing_seed: [u8; 32] = draw(entropy);
    let identity = IdentityKey::from_seed(&identity_seed);
    let sealing = SealingKey::derive(&Secret::new(sealing_seed))
        .map_err(|cause| Fault::ours("sealing_key", cause))?;
    let now = clock.now();
    let owner = identity.public();
    let proven =
        |secret: &IdentityKey, key_use| ProvenKey::prove(secret, key_use, &new.node, &owner);
    let card = Card {
        node: new.node.clone(),
        name: new.name,
        ipa_code: new.ipa_code,
        identity: owner,
        hub_endpoint: new.hub_endpoint,
        tls_key: proven(&tls.signing, KeyUse::Tls),
        mls_key: proven(&IdentityKey::from_seed(&mls_seed), KeyUse::Mls),
        sealing_key: sealing.public().to_vec(),
        // Clocks of peers differ.
        valid_from: now.minus(CLOCKS_DIFFER),
        valid_until: now.plus(CARD_LIFETIME),
        serial: 1,
    };
    let signed =
        card.sign(&identity).map_err(|cause| Fault::usage("bad_card", cause.to_string()))?;
    let mut tx = store.write().await?;
    if tx.node().await?.is_some() {
        return Err(Fault::conflict("already_initialised", "this database holds a node already"));
    }
    let vault_check = vault.check_value().to_vec();
    tx.insert_node(NodeRow { node: new.node, vault_check, created_at: now }).await?;
    let secrets: [(&str, &[u8]); 5] = [
        (names::IDENTITY, &identity_seed),
        (names::MLS, &mls_seed),
        (names::SEALING, &sealing_seed),
        (names::TLS_KEY, &tls.key),
        (names::TLS_CERTIFICATE, &tls.certificate),
    ];
    for (name, value) in secrets {
        let sealed = vault.seal(entropy, &context(name), value);
        let sealed = sealed.map_err(|cause| Fault::ours("vault", cause))?;
        tx.put_secret(name, sealed).await?;
    }
    tx.insert_own_card(1, signed.encode()).await?;
    tx.commit().await?;
    Ok(signed)
}
