//! A self-signed certificate and the TLS settings made from it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use raccordo_core::id::{Digest, NodeId};
use raccordo_core::secret::Secret;
use raccordo_core::trust::keys::IdentityKey;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig, SignatureScheme};

use super::pin::{PeerVerifier, TrustedPins, pin_name, spki_digest};

/// The one application protocol that is spoken (RFC 7301).
const ALPN_HTTP_2: &[u8] = b"h2";
/// DER of an Ed25519 private key (RFC 8410 §7), up to its 32 bytes.
const ED25519_PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Why a TLS identity cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A fresh key or certificate could not be made (ourselves).
    #[error("cannot make a TLS key: {0}")]
    Generate(#[from] rcgen::Error),
    /// The stored key and certificate do not belong together, or do not parse (store).
    #[error("the stored TLS key or certificate is damaged: {0}")]
    Stored(rustls::Error),
    /// The TLS library refuses its own settings (ourselves).
    #[error("cannot set up TLS: {0}")]
    Settings(rustls::Error),
}

/// A private key in PKCS#8 DER, and its self-signed certificate in DER, both to be stored.
///
/// The certificate carries a name only because X.509 wants one, and no end: what counts is
/// the pin on its key.
#[derive(Debug)]
pub struct TlsKey {
    /// PKCS#8 DER; secret.
    pub pkcs8: Secret<Vec<u8>>,
    /// X.509 DER; public.
    pub certificate: Vec<u8>,
}

impl TlsKey {
    /// Wraps an Ed25519 key for talking to other nodes. It comes from the caller, whose card
    /// it signs for.
    ///
    /// # Errors
    /// [`IdentityError::Generate`].
    pub fn for_peers(node: &NodeId, key: &IdentityKey) -> Result<Self, IdentityError> {
        // RFC 8410 §7: OneAsymmetricKey, version 1, without the public key.
        let pkcs8 = [&ED25519_PKCS8_PREFIX[..], key.seed().reveal()].concat();
        let pkcs8 = Secret::new(pkcs8);
        let der = PrivatePkcs8KeyDer::from(pkcs8.reveal().as_slice());
        let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519)?;
        Self::signed(key, vec![node.to_string()])
    }

    /// An ECDSA P-256 key for operators' systems, whose TLS libraries often refuse Ed25519
    /// certificates: grpcio for Python does, through BoringSSL.
    ///
    /// `names`: DNS names and addresses under which clients reach the listener.
    ///
    /// # Errors
    /// [`IdentityError::Generate`], also for a name that is no DNS name.
    pub fn for_clients(names: Vec<String>) -> Result<Self, IdentityError> {
        Self::signed(rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?, names)
    }

    fn signed(key: rcgen::KeyPair, names: Vec<String>) -> Result<Self, IdentityError> {
        let certificate = rcgen::CertificateParams::new(names)?.self_signed(&key)?;
        let certificate = certificate.der().to_vec();
        Ok(Self { pkcs8: Secret::new(key.serialize_der()), certificate })
    }
}

/// This node's TLS keys, ready for use; a key itself cannot be taken out again. Clones share
/// them, so that a new one is in force everywhere at once.
#[derive(Clone, Debug)]
pub struct TlsIdentity {
    ring: Arc<RwLock<Ring>>,
}

/// The newest key, and those before it, newest first.
#[derive(Debug)]
struct Ring {
    newest: PinnedKey,
    former: Vec<PinnedKey>,
}

#[derive(Clone, Debug)]
struct PinnedKey {
    pin: Digest,
    certified: Arc<CertifiedKey>,
}

impl PinnedKey {
    fn from_parts(pkcs8: &Secret<Vec<u8>>, certificate: &[u8]) -> Result<Self, IdentityError> {
        let certificate = CertificateDer::from(certificate.to_vec());
        let pin = spki_digest(&certificate).map_err(IdentityError::Stored)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.reveal().clone()));
        let certified = CertifiedKey::from_der(vec![certificate], key, &provider());
        let certified = Arc::new(certified.map_err(IdentityError::Stored)?);
        Ok(Self { pin, certified })
    }
}

impl TlsIdentity {
    /// Takes what was stored.
    ///
    /// # Errors
    /// [`IdentityError::Stored`] if a part does not parse, or they do not belong together.
    pub fn from_parts(pkcs8: &Secret<Vec<u8>>, certificate: &[u8]) -> Result<Self, IdentityError> {
        let newest = PinnedKey::from_parts(pkcs8, certificate)?;
        Ok(Self { ring: Arc::new(RwLock::new(Ring { newest, former: Vec::new() })) })
    }

    /// Takes a newer key. The older ones stay for those who do not know it yet; one that is
    /// the newest already changes nothing.
    ///
    /// # Errors
    /// As [`TlsIdentity::from_parts`].
    pub fn renew(&self, pkcs8: &Secret<Vec<u8>>, certificate: &[u8]) -> Result<(), IdentityError> {
        let key = PinnedKey::from_parts(pkcs8, certificate)?;
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        if ring.newest.pin != key.pin {
            let former = std::mem::replace(&mut ring.newest, key);
            ring.former.insert(0, former);
        }
        Ok(())
    }

    /// SHA-256 of the newest key's DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): what others
    /// pin.
    pub fn spki_digest(&self) -> Digest {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).newest.pin
    }

    /// The keys, newest first.
    fn keys(&self) -> Vec<PinnedKey> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(&ring.newest).chain(&ring.former).cloned().collect()
    }

    /// Listens to peers: their keys must be trusted.
    ///
    /// # Errors
    /// [`IdentityError::Settings`].
    pub fn peer_server(&self, trusted: TrustedPins) -> Result<Arc<ServerConfig>, IdentityError> {
        let verifier = Arc::new(PeerVerifier::anyone_of(trusted, provider()));
        let builder = server_builder()?.with_client_cert_verifier(verifier);
        Ok(self.finish_server(builder))
    }

    /// Listens to operators' systems: they pin this key, and show a token of their own.
    ///
    /// # Errors
    /// [`IdentityError::Settings`].
    pub fn open_server(&self) -> Result<Arc<ServerConfig>, IdentityError> {
        Ok(self.finish_server(server_builder()?.with_no_client_auth()))
    }

    /// Dials `node`: it must show a key that is trusted as its own. This node shows its
    /// newest key, or after so many turns an older one.
    ///
    /// # Errors
    /// [`IdentityError::Settings`].
    pub fn client(
        &self,
        trusted: TrustedPins,
        node: NodeId,
        turns: &Arc<AtomicUsize>,
    ) -> Result<Arc<ClientConfig>, IdentityError> {
        let verifier = Arc::new(PeerVerifier::only(trusted, node, provider()));
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(IdentityError::Settings)?;
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::new(Shown {
                identity: self.clone(),
                turns: Arc::clone(turns),
            }));
        config.alpn_protocols = vec![ALPN_HTTP_2.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        Ok(Arc::new(config))
    }

    fn finish_server(
        &self,
        builder: rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>,
    ) -> Arc<ServerConfig> {
        let mut config = builder.with_cert_resolver(Arc::new(Asked(self.clone())));
        config.alpn_protocols = vec![ALPN_HTTP_2.to_vec()];
        // A resumed session would skip the check of the client's key.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        Arc::new(config)
    }
}

/// The key that a server shows: the newest that the client names among those it trusts
/// (RFC 8446 §4.2.4), else the newest. So whoever was away while the key changed still gets
/// in, and is handed the new card.
#[derive(Debug)]
struct Asked(TlsIdentity);

impl ResolvesServerCert for Asked {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = self.0.keys();
        let names = hello.certificate_authorities().unwrap_or_default();
        let named = |key: &&PinnedKey| {
            let name = pin_name(key.pin);
            names.iter().any(|told| told.as_ref() == name.as_ref())
        };
        let key = keys.iter().find(named).or(keys.first())?;
        Some(key.certified.clone())
    }
}

/// The key that a client shows: the server has not said which it trusts, so after a refusal
/// it is the next one's turn.
#[derive(Debug)]
struct Shown {
    identity: TlsIdentity,
    turns: Arc<AtomicUsize>,
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let keys = self.identity.keys();
        let place = self.turns.load(Ordering::Relaxed).checked_rem(keys.len())?;
        keys.get(place).map(|key| key.certified.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn server_builder()
-> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, IdentityError> {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(IdentityError::Settings)
}

/// The hybrid group first, said here and not left to a feature of a dependency.
fn provider() -> Arc<CryptoProvider> {
    let kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519];
    Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toscana() -> TlsKey {
        wrapped(1)
    }

    fn wrapped(seed: u8) -> TlsKey {
        let key = IdentityKey::from_seed(&[seed; 32]);
        TlsKey::for_peers(&"toscana".parse().unwrap(), &key).unwrap()
    }

    #[test]
    fn a_stored_key_comes_back_with_its_pin() {
        let key = toscana();
        let first = TlsIdentity::from_parts(&key.pkcs8, &key.certificate).unwrap();
        let again = TlsIdentity::from_parts(&key.pkcs8, &key.certificate).unwrap();
        assert_eq!(first.spki_digest(), again.spki_digest());
        let other = wrapped(2);
        let other = TlsIdentity::from_parts(&other.pkcs8, &other.certificate).unwrap();
        assert_ne!(first.spki_digest(), other.spki_digest());
    }

    #[test]
    fn the_pin_of_the_certificate_is_that_of_the_card() {
        let key = toscana();
        let identity = TlsIdentity::from_parts(&key.pkcs8, &key.certificate).unwrap();
        let public = IdentityKey::from_seed(&[1; 32]).public();
        assert_eq!(identity.spki_digest(), raccordo_core::trust::possession::tls_pin(&public));
    }

    #[test]
    fn damaged_or_foreign_parts_are_refused() {
        let (key, other) = (toscana(), wrapped(2));
        let damaged = |parts: Result<TlsIdentity, IdentityError>| {
            assert!(matches!(parts, Err(IdentityError::Stored(_))), "{parts:?}");
        };
        damaged(TlsIdentity::from_parts(&key.pkcs8, &other.certificate));
        damaged(TlsIdentity::from_parts(&key.pkcs8, &key.certificate[1..]));
        damaged(TlsIdentity::from_parts(&Secret::new(vec![1, 2, 3]), &key.certificate));
    }

    #[test]
    fn a_key_for_clients_carries_names() {
        let key = TlsKey::for_clients(vec!["node.example.org".into(), "10.0.0.7".into()]).unwrap();
        TlsIdentity::from_parts(&key.pkcs8, &key.certificate).unwrap().open_server().unwrap();
    }

    #[test]
    fn debug_shows_no_key() {
        assert!(format!("{:?}", toscana()).contains("[secret]"));
    }
}
