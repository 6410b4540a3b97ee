//! The card: a node's self-signed public description.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, NodeId};
use crate::text::is_line;
use crate::time::Instant;
use crate::trust::keys::{IdentityKey, PublicKey, Signature};

/// Length of an X-Wing public key (draft-connolly-cfrg-xwing-kem §5), in bytes.
pub const SEALING_KEY_BYTES: usize = 1216;
/// The longest display name, in bytes.
const NAME_BYTES_MAX: usize = 200;
const BEGIN: &str = "-----BEGIN RACCORDO CARD-----";
const END: &str = "-----END RACCORDO CARD-----";
/// Base64 characters per line of a card file.
const LINE: usize = 64;

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
}

impl CardError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Range(_) | Self::Signature | Self::File(_) => "bad_card",
            Self::LowerSerial { .. } => "lower_serial",
            Self::AnotherIdentity => "another_identity",
            Self::Forked(_) => "card_forked",
            Self::TooLate(_) => "successor_too_late",
            Self::Expired(_) => "card_expired",
            Self::NotYetValid(_) => "card_not_yet_valid",
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
    /// SHA-256 of the SubjectPublicKeyInfo of the node's TLS certificate.
    pub tls_spki: Digest,
    /// Signature key of the node's MLS leaves.
    pub mls_key: PublicKey,
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
    /// [`CardError::Range`] when it could not be read back, [`CardError::AnotherIdentity`]
    /// when the key is not the card's.
    pub fn sign(self, identity: &IdentityKey) -> Result<SignedCard, CardError> {
        self.check()?;
        if identity.public() != self.identity {
            return Err(CardError::AnotherIdentity);
        }
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
            .bytes(self.tls_spki.as_bytes())
            .bytes(self.mls_key.as_bytes())
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
            tls_spki: Digest(reader.array("TLS key digest")?),
            mls_key: PublicKey(reader.array("MLS key")?),
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
    /// Reads a card and verifies its signature by its own identity key.
    ///
    /// # Errors
    /// [`CardError::Malformed`], [`CardError::Range`] or [`CardError::Signature`].
    pub fn parse(bytes: &[u8], signature: &Signature) -> Result<Self, CardError> {
        let signed = Self::read(bytes, signature)?;
        signed.card.identity.verify(bytes, signature).map_err(|_| CardError::Signature)?;
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

    /// The card as a text file: comments for people, then base64 between two marks.
    pub fn to_file(&self) -> String {
        let card = &self.card;
        let mut text = format!(
            "# Raccordo card of {} ({}), serial {}, valid until {}.\n\
             # Public. Whoever adds it compares 12 words with its administrator by phone.\n\
             {BEGIN}\n",
            card.node, card.name, card.serial, card.valid_until
        );
        let encoded = STANDARD.encode(self.encode());
        for (place, letter) in encoded.chars().enumerate() {
            if place > 0 && place % LINE == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        text.push('\n');
        text.push_str(END);
        text.push('\n');
        text
    }

    /// Reads a card file, and verifies the card.
    ///
    /// # Errors
    /// [`CardError::File`] for any text outside the marks that is no comment, a missing or
    /// repeated mark, or lines that are no base64; else as [`SignedCard::parse`].
    pub fn from_file(text: &str) -> Result<Self, CardError> {
        let mut lines = text.lines().map(str::trim_end);
        let comment = |line: &&str| line.is_empty() || line.starts_with('#');
        match lines.find(|line| !comment(line)) {
            Some(BEGIN) => {}
            Some(_) => return Err(CardError::File("text other than comments before BEGIN")),
            None => return Err(CardError::File("no BEGIN RACCORDO CARD line")),
        }
        let mut encoded = String::new();
        loop {
            match lines.next() {
                Some(END) => break,
                Some(line) => encoded.push_str(line),
                None => return Err(CardError::File("no END RACCORDO CARD line")),
            }
        }
        if !lines.all(|line| comment(&line)) {
            return Err(CardError::File("text other than comments after END"));
        }
        let container = STANDARD.decode(&encoded);
        Self::decode(&container.map_err(|_| CardError::File("the lines are not base64"))?)
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
mod tests {
    use super::*;

    fn sample() -> Card {
        Card {
            node: "toscana".parse().unwrap(),
            name: "Regione Toscana".to_owned(),
            ipa_code: Some("r_toscan".to_owned()),
            identity: key().public(),
            hub_endpoint: Some("hub.toscana.example:7443".to_owned()),
            tls_spki: Digest([4; 32]),
            mls_key: PublicKey([5; 32]),
            sealing_key: vec![6; SEALING_KEY_BYTES],
            valid_from: Instant(1_000),
            valid_until: Instant(2_000),
            serial: 3,
        }
    }

    fn key() -> IdentityKey {
        IdentityKey::from_seed(&[1; 32])
    }

    fn check(change: impl FnOnce(&mut Card), expected: Result<(), CardError>) {
        let mut card = sample();
        change(&mut card);
        assert_eq!(card.sign(&key()).map(|_| ()), expected);
    }

    #[test]
    fn ranges() {
        let range = |field| Err(CardError::Range(field));
        check(|_| {}, Ok(()));
        check(|card| card.name = String::new(), range("name"));
        check(|card| card.name = "two\nlines".to_owned(), range("name"));
        check(|card| card.name = "a".repeat(201), range("name"));
        check(|card| card.ipa_code = None, Ok(()));
        check(|card| card.ipa_code = Some("r toscan".to_owned()), range("IPA code"));
        check(|card| card.sealing_key = vec![6; 1215], range("sealing key"));
        check(|card| card.valid_until = card.valid_from, range("validity"));
        check(|card| card.serial = 0, range("serial"));
        check(|card| card.identity = PublicKey([9; 32]), Err(CardError::AnotherIdentity));
    }

    #[test]
    fn endpoints() {
        let check = |text: &str, good| assert_eq!(is_endpoint(text), good, "{text:?}");
        check("hub.example:7443", true);
        check("127.0.0.1:1", true);
        check("[::1]:65535", true);
        check("hub.example", false);
        check("hub.example:0", false);
        check("hub.example:65536", false);
        check("hub.example:+7", false);
        check(":7443", false);
        check("::1:7443", false);
        check("https://hub.example:7443", false);
    }

    #[test]
    fn container_and_file_are_read_back() {
        let signed = sample().sign(&key()).unwrap();
        assert_eq!(SignedCard::decode(&signed.encode()), Ok(signed.clone()));
        assert_eq!(SignedCard::decode_verified(&signed.encode()), Ok(signed.clone()));
        let file = signed.to_file();
        assert!(file.lines().all(|line| line.len() <= 120), "{file}");
        assert_eq!(SignedCard::from_file(&file), Ok(signed.clone()));
        assert_eq!(SignedCard::from_file(&file.replace('\n', "\r\n")), Ok(signed));
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let container = sample().sign(&key()).unwrap().encode();
        for place in (0..container.len()).step_by(7) {
            let mut bent = container.clone();
            bent[place] ^= 1;
            let error = SignedCard::decode(&bent).unwrap_err();
            assert_eq!(error.reason(), "bad_card", "byte {place}");
        }
    }

    #[test]
    fn files_are_read_strictly() {
        let file = sample().sign(&key()).unwrap().to_file();
        let check = |text: &str, why| {
            assert_eq!(SignedCard::from_file(text), Err(CardError::File(why)));
        };
        check("", "no BEGIN RACCORDO CARD line");
        check("hello\n", "text other than comments before BEGIN");
        check(&file.replace(END, ""), "no END RACCORDO CARD line");
        check(&format!("{file}more"), "text other than comments after END");
        check(&file.replace(END, &format!("!\n{END}")), "the lines are not base64");
    }

    #[test]
    fn validity_and_succession() {
        let first = sample().sign(&key()).unwrap();
        assert_eq!(first.valid_at(Instant(999)).unwrap_err().reason(), "card_not_yet_valid");
        assert_eq!(first.valid_at(Instant(1_000)), Ok(()));
        assert_eq!(first.valid_at(Instant(2_000)).unwrap_err().reason(), "card_expired");

        let next = Card { serial: 4, ..sample() }.sign(&key()).unwrap();
        assert_eq!(next.succeeds(first.card()), Ok(()));
        assert_eq!(first.succeeds(next.card()).unwrap_err().reason(), "lower_serial");
        assert_eq!(first.succeeds(first.card()).unwrap_err().reason(), "lower_serial");
        let other = IdentityKey::from_seed(&[2; 32]);
        let stranger = Card { identity: other.public(), serial: 9, ..sample() }.sign(&other);
        let refused = stranger.unwrap().succeeds(first.card()).unwrap_err();
        assert_eq!(refused.reason(), "another_identity");
    }
}
