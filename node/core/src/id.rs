//! Newtypes for identifiers. All but [`NodeId`] are fixed-size bytes shown as hex or UUID.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A node id is 1 to 63 of `a-z`, `0-9` and `-`, and starts and ends with no `-`.
    #[error("a node id is 1 to 63 lower-case letters, digits and inner hyphens, like `toscana`")]
    Node,
    /// The text has another length or alphabet.
    #[error("expected {0}")]
    Malformed(&'static str),
}

/// A node: a DNS-like label in lower case, 1 to 63 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId(String);

impl NodeId {
    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let whole = (1..=63).contains(&text.len()) && text.bytes().all(inner);
        if whole && !text.starts_with('-') && !text.ends_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(IdError::Node)
    }
}

impl TryFrom<String> for NodeId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<NodeId> for String {
    fn from(id: NodeId) -> Self {
        id.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $Name:ident, $len:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name(pub [u8; $len]);

        impl $Name {
            /// Draws a new one.
            pub fn random(entropy: &dyn Entropy) -> Self {
                let mut bytes = [0; $len];
                entropy.fill(&mut bytes);
                Self(bytes)
            }

            /// The bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $Name {
            type Error = IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError::Malformed($expected))
            }
        }

        impl FromStr for $Name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; $len];
                let done = hex::decode_to_slice(text, &mut bytes);
                done.map(|()| Self(bytes)).map_err(|_| IdError::Malformed($expected))
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

hex_id!(
    /// An équipe through all its groups: 16 random bytes, fixed by the pact's draft.
    LineageId, 16, "32 hex digits"
);
hex_id!(
    /// One MLS group of an équipe: 32 bytes, derived from lineage and statement.
    GroupId, 32, "64 hex digits"
);
hex_id!(
    /// One entry of the log: 16 random bytes, chosen by its sender.
    EntryId, 16, "32 hex digits"
);
hex_id!(
    /// One envelope: 16 random bytes; the same through every repetition of its sending.
    EnvelopeId, 16, "32 hex digits"
);
hex_id!(
    /// One item of a mailbox: 16 random bytes, chosen by its sender.
    ItemId, 16, "32 hex digits"
);
hex_id!(
    /// One run of a process: 16 random bytes, drawn at start.
    BootId, 16, "32 hex digits"
);
hex_id!(
    /// One request for tokens: 16 random bytes; the same through every repetition.
    TokenRequestId, 16, "32 hex digits"
);
hex_id!(
    /// SHA-256 of something named beside it.
    Digest, 32, "64 hex digits"
);

impl Digest {
    /// What stands where nothing came before.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name(pub uuid::Uuid);

        impl $Name {
            /// Draws a new one (RFC 9562 §5.4, version 4).
            pub fn random(entropy: &dyn Entropy) -> Self {
                let mut bytes = [0; 16];
                entropy.fill(&mut bytes);
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// The 16 bytes.
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl TryFrom<&[u8]> for $Name {
            type Error = IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                uuid::Uuid::from_slice(bytes).map(Self).map_err(|_| IdError::Malformed("16 bytes"))
            }
        }

        impl FromStr for $Name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                uuid::Uuid::try_parse(text).map(Self).map_err(|_| IdError::Malformed("a UUID"))
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

uuid_id!(
    /// A shared object: an alert, and later every other kind.
    ObjectId
);
uuid_id!(
    /// An operator, opaque outside its node.
    OperatorId
);
uuid_id!(
    /// An organisation, opaque outside its node.
    OrganisationId
);
uuid_id!(
    /// A person or company in the node's own register, opaque outside it.
    RecordId
);
uuid_id!(
    /// A case in the node's own register, opaque outside it.
    CaseId
);

macro_rules! counter {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $Name(pub u64);

        impl $Name {
            /// The one after.
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

counter!(
    /// A place in a group's log, from 1; 0 stands before the first.
    Sequence
);
counter!(
    /// An MLS epoch, from 0.
    Epoch
);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, good: bool) {
        assert_eq!(text.parse::<NodeId>().is_ok(), good, "{text:?}");
    }

    #[test]
    fn node_ids() {
        check("toscana", true);
        check("valle-d-aosta", true);
        check("n1", true);
        check("", false);
        check("Toscana", false);
        check("-toscana", false);
        check("toscana-", false);
        check("tosc ana", false);
        check("perché", false);
        check(&"a".repeat(63), true);
        check(&"a".repeat(64), false);
    }

    #[test]
    fn hex_ids_read_what_they_write() {
        let id = LineageId([7; 16]);
        assert_eq!(id.to_string().parse::<LineageId>(), Ok(id));
        assert!("07".parse::<LineageId>().is_err());
    }
}
