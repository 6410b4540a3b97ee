//! Trust by SHA-256 of the peer's SubjectPublicKeyInfo, on both sides, without a CA.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use raccordo_core::id::{Digest, NodeId};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use tokio_util::sync::CancellationToken;

/// SHA-256 of a certificate's DER SubjectPublicKeyInfo.
///
/// # Errors
/// rustls' reason why the certificate does not parse.
pub fn spki_digest(certificate: &CertificateDer<'_>) -> Result<Digest, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(Digest::of(&parsed.subject_public_key_info()))
}

/// The name under which a client tells a server that it trusts a key (RFC 8446 §4.2.4): a
/// distinguished name whose only part is the common name, the pin in hex.
pub fn pin_name(pin: Digest) -> DistinguishedName {
    // RFC 5280 §4.1.2.4: SET { SEQUENCE { OID 2.5.4.3, UTF8String } }.
    let text = pin.to_string();
    let mut name = vec![0x31, 73, 0x30, 71, 0x06, 3, 0x55, 0x04, 0x03, 0x0c, 64];
    name.extend_from_slice(text.as_bytes());
    DistinguishedName::in_sequence(&name)
}

/// The peer proved a key, but not one that is trusted here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key {seen} is not trusted")]
pub struct PinMismatch {
    /// Pin of the key that was shown; zero if its certificate does not parse.
    pub seen: Digest,
}

/// Whose key a pin is, and what cuts the connections made with it.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// The node that the key belongs to.
    pub node: NodeId,
    /// Cancelled when the pin is no longer trusted.
    pub cut: CancellationToken,
    /// Whether its card has expired: as a client it may only deliver a successor.
    pub expired: bool,
}

/// The pins trusted now. Clones share one map.
#[derive(Clone, Debug, Default)]
pub struct TrustedPins {
    pins: Arc<Mutex<BTreeMap<Digest, Trusted>>>,
}

impl TrustedPins {
    /// Trusts nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts `pin` as a key of `node` from now on, beside others that it may have.
    ///
    /// A pin that was another node's before is moved, and its connections are cut.
    pub fn trust(&self, pin: Digest, node: NodeId) {
        self.put(pin, node, false);
    }

    fn put(&self, pin: Digest, node: NodeId, expired: bool) {
        let mut pins = self.lock();
        let same = |known: &Trusted| known.node == node && known.expired == expired;
        if pins.get(&pin).is_some_and(same) {
            return;
        }
        let trusted = Trusted { node, cut: CancellationToken::new(), expired };
        if let Some(former) = pins.insert(pin, trusted) {
            former.cut.cancel();
        }
    }

    /// Makes `pin` the only key of `node`, as a new card does; connections made with its
    /// other keys are cut.
    pub fn replace(&self, node: &NodeId, pin: Digest) {
        self.trust(pin, node.clone());
        self.drop_where(|other, trusted| trusted.node == *node && *other != pin);
    }

    /// Refuses `pin` from now on and cuts its open connections.
    pub fn revoke(&self, pin: Digest) {
        self.drop_where(|other, _| *other == pin);
    }

    /// Refuses all keys of `node` from now on and cuts its open connections.
    pub fn revoke_node(&self, node: &NodeId) {
        self.drop_where(|_, trusted| trusted.node == *node);
    }

    /// Trusts exactly these, as the trust list in the database says, and those whose card has
    /// expired as far as that goes; cuts what is not there.
    pub fn replace_all(&self, pins: &BTreeMap<Digest, NodeId>, expired: &BTreeMap<Digest, NodeId>) {
        for (pin, node) in pins {
            self.put(*pin, node.clone(), false);
        }
        for (pin, node) in expired.iter().filter(|(pin, _)| !pins.contains_key(pin)) {
            self.put(*pin, node.clone(), true);
        }
        self.drop_where(|pin, _| !pins.contains_key(pin) && !expired.contains_key(pin));
    }

    /// Whose key `pin` is; none if it is not trusted.
    pub fn find(&self, pin: Digest) -> Option<Trusted> {
        self.lock().get(&pin).cloned()
    }

    /// The pins of a node.
    pub fn of(&self, node: &NodeId) -> Vec<Digest> {
        let pins = self.lock();
        let of_it = pins.iter().filter(|(_, trusted)| trusted.node == *node);
        of_it.map(|(pin, _)| *pin).collect()
    }

    fn drop_where(&self, gone: impl Fn(&Digest, &Trusted) -> bool) {
        self.lock().retain(|pin, trusted| {
            let gone = gone(pin, trusted);
            if gone {
                trusted.cut.cancel();
            }
            !gone
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Trusted>> {
        // A poisoned map is still whole: each entry is put or taken in one step.
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks the other side's certificate against the trusted pins, at each handshake anew.
#[derive(Debug)]
pub struct PeerVerifier {
    trusted: TrustedPins,
    /// The one node that may answer, when this side dials.
    only: Option<NodeId>,
    /// The pins of that node, as it is told them.
    told: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
}

impl PeerVerifier {
    /// Accepts every trusted key.
    pub fn anyone_of(trusted: TrustedPins, provider: Arc<CryptoProvider>) -> Self {
        Self { trusted, only: None, told: Vec::new(), provider }
    }

    /// Accepts the trusted keys of one node: another trusted peer must not answer for it.
    pub fn only(trusted: TrustedPins, node: NodeId, provider: Arc<CryptoProvider>) -> Self {
        let told = trusted.of(&node).into_iter().map(pin_name).collect();
        Self { trusted, only: Some(node), told, provider }
    }

    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), PinMismatch> {
        let seen = spki_digest(certificate).unwrap_or(Digest::ZERO);
        let wanted = |node: &NodeId| self.only.as_ref().is_none_or(|only| only == node);
        match self.trusted.find(seen) {
            Some(trusted) if wanted(&trusted.node) && !self.dials_expired(&trusted) => Ok(()),
            _ => Err(PinMismatch { seen }),
        }
    }

    /// Nobody dials a hub whose card has expired.
    fn dials_expired(&self, trusted: &Trusted) -> bool {
        self.only.is_some() && trusted.expired
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn tls12_refused() -> Error {
    Error::General("TLS 1.2 is not offered".into())
}

impl ServerCertVerifier for PeerVerifier {
    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        (!self.told.is_empty()).then_some(self.told.as_slice())
    }

    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // Carries the key that was seen up to whoever dialled.
        let told = |mismatch| CertificateError::Other(OtherError(Arc::new(mismatch)));
        self.check(end_entity).map_err(|mismatch| Error::InvalidCertificate(told(mismatch)))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12_refused())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // Sent as the alert access_denied (RFC 8446 §6.2), which tells the peer why.
        let denied = CertificateError::ApplicationVerificationFailure;
        self.check(end_entity).map_err(|_| Error::InvalidCertificate(denied))?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12_refused())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Digest = Digest([1; 32]);
    const NEW: Digest = Digest([2; 32]);

    fn node(id: &str) -> NodeId {
        id.parse().unwrap()
    }

    fn owner(pins: &TrustedPins, pin: Digest) -> Option<String> {
        pins.find(pin).map(|trusted| trusted.node.to_string())
    }

    #[test]
    fn a_new_card_cuts_the_old_key_only() {
        let pins = TrustedPins::new();
        pins.trust(OLD, node("toscana"));
        let (old, umbria) = (pins.find(OLD).unwrap(), Digest([3; 32]));
        pins.trust(umbria, node("umbria"));
        pins.replace(&node("toscana"), NEW);
        assert!(old.cut.is_cancelled());
        assert_eq!(owner(&pins, OLD), None);
        assert_eq!(owner(&pins, NEW).as_deref(), Some("toscana"));
        assert!(!pins.find(umbria).unwrap().cut.is_cancelled());
    }

    #[test]
    fn trusting_again_cuts_nothing() {
        let pins = TrustedPins::new();
        pins.trust(OLD, node("toscana"));
        let before = pins.find(OLD).unwrap();
        pins.trust(OLD, node("toscana"));
        assert!(!before.cut.is_cancelled());
    }

    #[test]
    fn a_pin_belongs_to_one_node() {
        let pins = TrustedPins::new();
        pins.trust(OLD, node("toscana"));
        let before = pins.find(OLD).unwrap();
        pins.trust(OLD, node("umbria"));
        assert!(before.cut.is_cancelled());
        assert_eq!(owner(&pins, OLD).as_deref(), Some("umbria"));
    }

    #[test]
    fn revoking_a_node_cuts_all_its_keys() {
        let pins = TrustedPins::new();
        pins.trust(OLD, node("toscana"));
        pins.trust(NEW, node("toscana"));
        let held = [pins.find(OLD).unwrap(), pins.find(NEW).unwrap()];
        pins.revoke_node(&node("toscana"));
        assert!(held.iter().all(|trusted| trusted.cut.is_cancelled()));
        assert_eq!((owner(&pins, OLD), owner(&pins, NEW)), (None, None));
    }

    #[test]
    fn the_whole_list_is_replaced_and_the_kept_stay_connected() {
        let pins = TrustedPins::new();
        pins.trust(OLD, node("toscana"));
        pins.trust(NEW, node("umbria"));
        let (gone, kept) = (pins.find(OLD).unwrap(), pins.find(NEW).unwrap());
        let now = BTreeMap::from([(NEW, node("umbria"))]);
        pins.replace_all(&now, &BTreeMap::new());
        assert!(gone.cut.is_cancelled());
        assert!(!kept.cut.is_cancelled());
        // Its card expires: it comes again, and may do less.
        pins.replace_all(&BTreeMap::new(), &now);
        assert!(kept.cut.is_cancelled());
        assert!(pins.find(NEW).unwrap().expired);
    }
}
