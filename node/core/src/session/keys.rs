//! What a leaf is made of, and the key packages by which others add it.

use std::fmt;
use std::sync::Arc;

use openmls::framing::{MlsMessageBodyIn, MlsMessageOut};
use openmls::prelude::{
    BasicCredential, CredentialWithKey, KeyPackage, KeyPackageBundle, ProtocolVersion,
    SignatureScheme,
};
use openmls_traits::signatures::{Signer, SignerError};

use super::{SessionError, frame, view};
use crate::crypto::{Crypto, Provider, Suite};
use crate::id::NodeId;
use crate::ledger::{Ledger, LedgerChange, LedgerRow, LedgerScope};
use crate::secret::Secret;
use crate::trust::commit::LeafView;
use crate::trust::key_check;

/// This node's part in its leaves: who it is, the key that signs, the card that says so.
#[derive(Clone)]
pub struct LeafKeys {
    /// The node; identity of the basic credential.
    pub node: NodeId,
    /// Content of the leaf extension 0xff02: the encoded signed card.
    pub card: Vec<u8>,
    signing: ed25519_dalek::SigningKey,
}

impl fmt::Debug for LeafKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeafKeys({}, [secret])", self.node)
    }
}

impl LeafKeys {
    /// From the seed of the MLS signature key, Ed25519 (RFC 8032 §5.1.5). Derives the
    /// public key once, which costs as much as a signature.
    pub fn new(node: NodeId, signing_seed: &Secret<[u8; 32]>, card: Vec<u8>) -> Self {
        let signing = ed25519_dalek::SigningKey::from_bytes(signing_seed.reveal());
        Self { node, card, signing }
    }

    /// The public signature key, 32 bytes, as the card names it.
    pub fn public(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }

    pub(crate) fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.node.as_str().as_bytes().to_vec()).into(),
            signature_key: self.public().to_vec().into(),
        }
    }
}

impl Signer for LeafKeys {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        use ed25519_dalek::Signer as _;
        Ok(self.signing.sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// A key package that was just made.
#[derive(Clone, Debug)]
pub struct NewKeyPackage {
    /// The encoded `MLSMessage`, for the hub's pool.
    pub message: Vec<u8>,
    /// Its reference (RFC 9420 §5.2), by which a Welcome names it.
    pub hash_ref: Vec<u8>,
    /// Its private part: one put in the scope `device`, whose key the caller keeps, to
    /// delete the row when the package has expired.
    pub changes: Vec<LedgerChange>,
}

/// Makes a key package. A last-resort one survives its use.
///
/// # Errors
/// [`SessionError::Internal`].
pub fn key_package(
    crypto: &Arc<Crypto>,
    keys: &LeafKeys,
    suite: Suite,
    last_resort: bool,
) -> Result<NewKeyPackage, SessionError> {
    let ledger = Ledger::from_rows(LedgerScope::Device, [])?;
    let provider = Provider { crypto: Arc::clone(crypto), ledger };
    let builder = KeyPackage::builder()
        .key_package_lifetime(view::unbounded())
        .leaf_node_capabilities(view::capabilities(suite))
        .leaf_node_extensions(view::leaf_extensions(&keys.card)?);
    let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
    let bundle = builder.build(suite.mls(), &provider, keys, keys.credential());
    let package = bundle.map_err(SessionError::internal)?.into_key_package();
    let hash_ref = package.hash_ref(&**crypto).map_err(SessionError::internal)?;
    let message = MlsMessageOut::from(package).to_bytes().map_err(SessionError::internal)?;
    let changes = provider.ledger.take_changes();
    Ok(NewKeyPackage { message, hash_ref: hash_ref.as_slice().to_vec(), changes })
}

/// The key packages whose private parts stand in the rows of the scope `device`: the
/// reference of each, and the change that deletes it.
///
/// # Errors
/// [`SessionError::Store`] for a row that OpenMLS has not written.
pub fn stored_key_packages(
    crypto: &Crypto,
    device_rows: impl IntoIterator<Item = LedgerRow>,
) -> Result<Vec<(Vec<u8>, LedgerChange)>, SessionError> {
    let mut stored = Vec::new();
    for (bundle, deletion) in Ledger::key_packages::<KeyPackageBundle>(device_rows)? {
        let reference = bundle.key_package().hash_ref(crypto).map_err(SessionError::internal)?;
        stored.push((reference.as_slice().to_vec(), deletion));
    }
    Ok(stored)
}

/// A verified key package, as the hub's pool and the committer see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPackageView {
    /// The leaf that it would add.
    pub leaf: LeafView,
    /// Its ciphersuite.
    pub suite: Suite,
    /// Its reference (RFC 9420 §5.2).
    pub hash_ref: Vec<u8>,
    /// Whether it survives its use.
    pub last_resort: bool,
}

/// Reads a key package and verifies that it is as [`key_package`] makes them: signed, of
/// one of our suites, with at least our capabilities, keys that can be sealed to, exactly the
/// card, and an unbounded lifetime. What the card says is for the caller to check.
///
/// # Errors
/// [`SessionError::Malformed`], [`SessionError::TooLarge`],
/// [`SessionError::KeyPackage`].
pub fn read_key_package(crypto: &Crypto, bytes: &[u8]) -> Result<KeyPackageView, SessionError> {
    verified(crypto, bytes).map(|(view, _)| view)
}

pub(crate) fn verified(
    crypto: &Crypto,
    bytes: &[u8],
) -> Result<(KeyPackageView, KeyPackage), SessionError> {
    let unfit = |what: &str| SessionError::KeyPackage(what.to_owned());
    if bytes.len() > frame::MESSAGE_BYTES_MAX {
        return Err(SessionError::TooLarge);
    }
    let MlsMessageBodyIn::KeyPackage(package) = frame::parse(bytes)?.extract() else {
        return Err(SessionError::Malformed);
    };
    let package = package.validate(crypto, ProtocolVersion::Mls10);
    let package = package.map_err(|error| SessionError::KeyPackage(error.to_string()))?;
    let suite = Suite::from_number(u16::from(package.ciphersuite()));
    let suite = suite.ok_or_else(|| unfit("the suite is not one of ours"))?;
    let leaf = view::leaf_view(package.leaf_node());
    if leaf.node.is_none() {
        return Err(unfit("the credential is no node id"));
    }
    if !leaf.lifetime_unbounded {
        return Err(unfit("the lifetime is bounded"));
    }
    if !leaf.extensions_exact {
        return Err(unfit("the leaf holds not exactly a card"));
    }
    if !view::is_capable(package.leaf_node(), suite) {
        return Err(unfit("the leaf does not list what every leaf must be able to do"));
    }
    // Whoever adds the leaf seals to both keys, and could not with one that is none.
    let keys = key_check::hpke(suite, package.hpke_init_key().as_slice())
        .and_then(|()| key_check::hpke_encoded(suite, &leaf.encryption_key));
    if let Err(weak) = keys {
        return Err(unfit(&format!("a key of it is degenerate: {weak}")));
    }
    if package.extensions().iter().count() != usize::from(package.last_resort()) {
        return Err(unfit("the key package holds foreign extensions"));
    }
    let hash_ref = package.hash_ref(crypto).map_err(SessionError::internal)?;
    let (hash_ref, last_resort) = (hash_ref.as_slice().to_vec(), package.last_resort());
    Ok((KeyPackageView { leaf, suite, hash_ref, last_resort }, package))
}
