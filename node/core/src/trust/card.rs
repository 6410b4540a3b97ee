//! The card: a node's self-signed public description.

mod file;

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, NodeId};
use crate::text::is_line;
use crate::time::Instant;
use crate::trust::key_check::{self, WeakKey};
use crate::trust::key_holders::KeyConflict;
use crate::trust::keys::{IdentityKey, PublicKey, Signature};
use crate::trust::possession::{KeyUse, ProvenKey, tls_pin};

/// Length of an X-Wing public key (draft-connolly-cfrg-xwing-kem §5), in bytes.
pub const SEALING_KEY_BYTES: usize = 1216;
/// The longest display name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// Why a card is refused. All but expiry and succession are its maker's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The bytes are no card.
    #[error("not a card: {0}")]
    Malformed(#[from] CanonicalError),
    /// A field is out of its range.
    #[error("the card's {0} is out of range")]
    Range(&'static str),
    /// The card is not signed by its own identity key.
    #[error("the card is not signed by its own identity key")]
    Signature,
    /// A key is none, or one that anybody could use.
    #[error("the card's {0} key is degenerate: {1}")]
    WeakKey(KeyUse, WeakKey),
    /// One key stands in two places.
    #[error("the card's {0} key is also its {1} key")]
    SameKey(KeyUse, KeyUse),
    /// A key has not signed that it is this node's.
    #[error("the card does not prove that its node holds the {0} key")]
    NotProven(KeyUse),
    /// Another node holds a key.
    #[error("the card claims as {} key one that {} holds", .0.key_use, .0.holder)]
    KeyHeld(KeyConflict),
    /// The text is no card file.
    #[error("not a card file: {0}")]
    File(&'static str),
    /// The card is of the same serial as the one that is known, or a lower one.
    #[error("the card's serial is {found}, and serial {known} is known already")]
    LowerSerial {
        /// Serial of the card that is known.
        known: u64,
        /// Serial of the card that was given.
        found: u64,
    },
    /// The card names the same node with another identity key, or another node.
    #[error("the card is of another identity than the one that is known")]
    AnotherIdentity,
    /// Another card of this serial is known: its maker, or a thief of its key, made two.
    #[error("there are two different cards of serial {0}")]
    Forked(u64),
    /// The card that it would follow had expired before.
    #[error("it was made, or came, too long after the card before it had expired at {0}")]
    TooLate(Instant),
    /// The card's time is over.
    #[error("the card expired at {0}")]
    Expired(Instant),
    /// The card's time has not come.
    #[error("the card is valid only from {0}")]
    NotYetValid(Instant),
    /// Its node makes new cards faster than anybody follows.
    #[error("too many new cards of this node came in one day")]
    TooMany,
}

impl CardError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Range(_) | Self::Signature | Self::File(_) => "bad_card",
            Self::WeakKey(..) | Self::SameKey(..) => "weak_key",
            Self::NotProven(_) => "key_not_proven",
            Self::KeyHeld(_) => "key_held",
            Self::LowerSerial { .. } => "lower_serial",
            Self::AnotherIdentity => "another_identity",
            Self::Forked(_) => "card_forked",
            Self::TooLate(_) => "successor_too_late",
            Self::Expired(_) => "card_expired",
            Self::NotYetValid(_) => "card_not_yet_valid",
            Self::TooMany => "too_many_cards",
        }
    }
}

/// What a card says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The node.
    pub node: NodeId,
    /// Display name, 1 to 200 bytes on one line.
    pub name: String,
    /// Code in the Indice PA, up to 32 letters, digits, `_` and `-`.
    pub ipa_code: Option<String>,
    /// The long-term key that signs the card and statements.
    pub identity: PublicKey,
    /// `host:port` of the hub that the node runs.
    pub hub_endpoint: Option<String>,
    /// Key of the node's TLS certificate.
    pub tls_key: ProvenKey,
    /// Signature key of the node's MLS leaves.
    pub mls_key: ProvenKey,
    /// HPKE X-Wing public key, [`SEALING_KEY_BYTES`].
    pub sealing_key: Vec<u8>,
    /// First instant of validity.
    pub valid_from: Instant,
    /// First instant after validity.
    pub valid_until: Instant,
    /// Running number of the node's cards, from 1.
    pub serial: u64,
}

impl Card {
    /// Signs the card.
    ///
    /// # Errors
    /// [`CardError::AnotherIdentity`] when the key is not the card's; [`CardError::Range`],
    /// [`CardError::WeakKey`], [`CardError::SameKey`] or [`CardError::NotProven`] when it
    /// could not be read back.
    pub fn sign(self, identity: &IdentityKey) -> Result<SignedCard, CardError> {
        self.check()?;
        if identity.public() != self.identity {
            return Err(CardError::AnotherIdentity);
        }
        self.check_keys()?;
        let bytes = self.canonical();
        let signature = identity.sign(&bytes);
        Ok(SignedCard { bytes, signature, card: self })
    }

    fn canonical(&self) -> Vec<u8> {
        Writer::new("card")
            .text(self.node.as_str())
            .text(&self.name)
            .text(self.ipa_code.as_deref().unwrap_or_default())
            .bytes(self.identity.as_bytes())
            .text(self.hub_endpoint.as_deref().unwrap_or_default())
            .bytes(self.tls_key.key.as_bytes())
            .bytes(&self.tls_key.proof)
            .bytes(self.mls_key.key.as_bytes())
            .bytes(&self.mls_key.proof)
            .bytes(&self.sealing_key)
            .instant(self.valid_from)
            .instant(self.valid_until)
            .integer(self.serial)
            .finish()
    }

    fn read(bytes: &[u8]) -> Result<Self, CardError> {
        let mut reader = Reader::new("card", bytes)?;
        let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let node = reader.text("node id")?.parse().map_err(|_| CardError::Range("node id"))?;
        let card = Self {
            node,
            name: reader.text("name")?.to_owned(),
            ipa_code: optional(reader.text("IPA code")?),
            identity: PublicKey(reader.array("identity key")?),
            hub_endpoint: optional(reader.text("hub endpoint")?),
            tls_key: proven(&mut reader, "TLS key")?,
            mls_key: proven(&mut reader, "MLS key")?,
            sealing_key: reader.bytes("sealing key")?.to_vec(),
            valid_from: reader.instant("valid from")?,
            valid_until: reader.instant("valid until")?,
            serial: reader.integer("serial")?,
        };
        reader.end()?;
        card.check()?;
        Ok(card)
    }

    fn check(&self) -> Result<(), CardError> {
        let ipa = |code: &String| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            (1..=32).contains(&code.len()) && code.bytes().all(inner)
        };
        let ranges = [
            (is_line(&self.name, NAME_BYTES_MAX), "name"),
            (self.ipa_code.as_ref().is_none_or(ipa), "IPA code"),
            (self.hub_endpoint.as_ref().is_none_or(|text| is_endpoint(text)), "hub endpoint"),
            (self.sealing_key.len() == SEALING_KEY_BYTES, "sealing key"),
            (self.valid_from < self.valid_until, "validity"),
            (self.serial >= 1, "serial"),
        ];
        let broken = ranges.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, field)| Err(CardError::Range(field)))
    }

    /// Each key is one, stands in one place, and has signed that it is this node's; of the
    /// sealing key only a challenge can tell.
    fn check_keys(&self) -> Result<(), CardError> {
        let uses = [KeyUse::Identity, KeyUse::Tls, KeyUse::Mls];
        let keys = self.signing_keys();
        for (key_use, key) in uses.into_iter().zip(&keys) {
            key_check::ed25519(&key.0).map_err(|weak| CardError::WeakKey(key_use, weak))?;
            let mut before = uses.into_iter().zip(&keys).take_while(|(used, _)| *used != key_use);
            if let Some((used, _)) = before.find(|(_, other)| *other == key) {
                return Err(CardError::SameKey(key_use, used));
            }
        }
        key_check::x_wing(&self.sealing_key)
            .map_err(|weak| CardError::WeakKey(KeyUse::Sealing, weak))?;
        for (key_use, proven) in [(KeyUse::Tls, self.tls_key), (KeyUse::Mls, self.mls_key)] {
            let verified = proven.verify(key_use, &self.node, &self.identity);
            verified.map_err(|_| CardError::NotProven(key_use))?;
        }
        Ok(())
    }

    /// Identity, TLS and MLS key.
    pub fn signing_keys(&self) -> [PublicKey; 3] {
        [self.identity, self.tls_key.key, self.mls_key.key]
    }

    /// What the TLS key is pinned by: SHA-256 of its SubjectPublicKeyInfo.
    pub fn tls_pin(&self) -> Digest {
        tls_pin(&self.tls_key.key)
    }

    /// SHA-256 of the sealing key.
    pub fn sealing_key_digest(&self) -> Digest {
        Digest::of(&self.sealing_key)
    }
}

/// A key and its proof.
fn proven(reader: &mut Reader<'_>, field: &'static str) -> Result<ProvenKey, CanonicalError> {
    Ok(ProvenKey { key: PublicKey(reader.array(field)?), proof: reader.array(field)? })
}

/// Whether a text is `host:port`: a DNS name, an IPv4 address, or an IPv6 address in
/// brackets, and a port from 1.
pub(crate) fn is_endpoint(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let port_good = !port.starts_with('0')
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port != 0);
    let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let host_good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => (1..=253).contains(&host.len()) && host.bytes().all(name),
    };
    port_good && host_good
}

/// A card with its signature, as the exact bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCard {
    bytes: Vec<u8>,
    signature: Signature,
    card: Card,
}

impl SignedCard {
    /// Reads a card, verifies its signature by its own identity key, and that its other keys
    /// are good and its node's.
    ///
    /// # Errors
    /// [`CardError::Malformed`], [`CardError::Range`], [`CardError::Signature`],
    /// [`CardError::WeakKey`], [`CardError::SameKey`] or [`CardError::NotProven`].
    pub fn parse(bytes: &[u8], signature: &Signature) -> Result<Self, CardError> {
        let signed = Self::read(bytes, signature)?;
        signed.card.identity.verify(bytes, signature).map_err(|_| CardError::Signature)?;
        signed.card.check_keys()?;
        Ok(signed)
    }

    /// Reads what [`SignedCard::encode`] wrote, and verifies.
    ///
    /// # Errors
    /// As [`SignedCard::parse`].
    pub fn decode(container: &[u8]) -> Result<Self, CardError> {
        let (bytes, signature) = Self::open(container)?;
        Self::parse(bytes, &signature)
    }

    /// Reads a container whose signature was verified before, such as that of a leaf
    /// which is in the tree already.
    ///
    /// # Errors
    /// [`CardError::Malformed`] or [`CardError::Range`].
    pub fn decode_verified(container: &[u8]) -> Result<Self, CardError> {
        let (bytes, signature) = Self::open(container)?;
        Self::read(bytes, &signature)
    }

    /// Reads a card whose signature was verified before.
    ///
    /// # Errors
    /// [`CardError::Malformed`] or [`CardError::Range`].
    pub fn verified(bytes: &[u8], signature: &Signature) -> Result<Self, CardError> {
        Self::read(bytes, signature)
    }

    /// Canonical container `signed-card`: the content of leaf extension 0xff02.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new("signed-card").bytes(&self.bytes).bytes(&self.signature).finish()
    }

    /// What the card says.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The canonical bytes that were signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature over [`SignedCard::bytes`].
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Whether the card may be used now.
    ///
    /// # Errors
    /// [`CardError::NotYetValid`] or [`CardError::Expired`].
    pub fn valid_at(&self, now: Instant) -> Result<(), CardError> {
        if now < self.card.valid_from {
            return Err(CardError::NotYetValid(self.card.valid_from));
        }
        if now >= self.card.valid_until {
            return Err(CardError::Expired(self.card.valid_until));
        }
        Ok(())
    }

    /// Whether this card may take the place of `previous`: same node, same identity key,
    /// higher serial.
    ///
    /// # Errors
    /// [`CardError::AnotherIdentity`] or [`CardError::LowerSerial`].
    pub fn succeeds(&self, previous: &Card) -> Result<(), CardError> {
        if (&self.card.node, self.card.identity) != (&previous.node, previous.identity) {
            return Err(CardError::AnotherIdentity);
        }
        if self.card.serial <= previous.serial {
            let (known, found) = (previous.serial, self.card.serial);
            return Err(CardError::LowerSerial { known, found });
        }
        Ok(())
    }

    fn open(container: &[u8]) -> Result<(&[u8], Signature), CardError> {
        let mut reader = Reader::new("signed-card", container)?;
        let bytes = reader.bytes("card")?;
        let signature = reader.array("signature")?;
        reader.end()?;
        Ok((bytes, signature))
    }

    fn read(bytes: &[u8], signature: &Signature) -> Result<Self, CardError> {
        Ok(Self { card: Card::read(bytes)?, bytes: bytes.to_vec(), signature: *signature })
    }
}

#[cfg(test)]
mod tests;
