//! Which key: one per équipe, class and key epoch.
//!
//! An evaluator sees blinded elements and not what they were, so that only a key of its own
//! lets it hold a class to its budget.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::LineageId;

/// What kind of values a key makes tokens of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Identifiers of people: codice fiscale, permit, passport, phone.
    PersonStrong,
    /// Evidence about people that many share: names, dates, places, employers.
    PersonWeak,
    /// Companies.
    Company,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::PersonStrong, Self::PersonWeak, Self::Company];

    /// `person_strong`, `person_weak` or `company`, as in inputs, budgets and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::PersonStrong => "person_strong",
            Self::PersonWeak => "person_weak",
            Self::Company => "company",
        }
    }

    /// The class of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// A name that no class has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a class is person_strong, person_weak or company")]
pub struct UnknownClass;

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(name: &str) -> Result<Self, UnknownClass> {
        Self::from_name(name).ok_or(UnknownClass)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $Name(pub u64);

        impl $Name {
            /// The first, 1.
            pub const FIRST: Self = Self(1);

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

number!(
    /// Counts the keys of one lineage and class, from 1: with a new one all tokens change.
    KeyEpoch
);
number!(
    /// Counts the sharings of one key, from 1: tokens stay, shares of different ones do not mix.
    Generation
);

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    /// The équipe; keys survive its groups.
    pub lineage: LineageId,
    /// What it makes tokens of.
    pub class: Class,
    /// Which of the class's keys.
    pub epoch: KeyEpoch,
}

impl KeyId {
    /// The key that follows after a removal for cause, or a share lost for good.
    #[must_use]
    pub fn successor(self) -> Self {
        Self { epoch: self.epoch.next(), ..self }
    }

    pub(super) fn write(&self, writer: Writer) -> Writer {
        writer.bytes(self.lineage.as_bytes()).text(self.class.name()).integer(self.epoch.0)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CanonicalError> {
        let lineage = LineageId(reader.array("lineage")?);
        let class = Class::from_name(reader.text("class")?);
        let class = class.ok_or(CanonicalError::Field("class"))?;
        let epoch = KeyEpoch(reader.integer("key epoch")?);
        Ok(Self { lineage, class, epoch })
    }

    /// What the PRF is applied to: `v1|lineage|key epoch|class|family|value`, UTF-8; the
    /// lineage as hex, the epoch in decimal.
    pub(super) fn input(&self, family: &str, value: &str) -> Vec<u8> {
        let Self { lineage, class, epoch } = self;
        format!("v1|{lineage}|{epoch}|{class}|{family}|{value}").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyId {
        KeyId { lineage: LineageId([7; 16]), class: Class::Company, epoch: KeyEpoch::FIRST }
    }

    #[test]
    fn names_are_read_back() {
        for class in Class::ALL {
            assert_eq!(Class::from_name(class.name()), Some(class));
        }
        assert_eq!(Class::from_name("person"), None);
        assert_eq!("company".parse(), Ok(Class::Company));
        assert_eq!("person".parse::<Class>(), Err(UnknownClass));
    }

    #[test]
    fn inputs_are_as_documented() {
        let input = key().input("rea", "FI-123456");
        let text = "v1|07070707070707070707070707070707|1|company|rea|FI-123456";
        assert_eq!(input, text.as_bytes());
        assert_ne!(key().successor().input("rea", "FI-123456"), input);
    }

    #[test]
    fn keys_are_read_back() {
        let bytes = key().write(Writer::new("x")).finish();
        let mut reader = Reader::new("x", &bytes).unwrap();
        assert_eq!(KeyId::read(&mut reader), Ok(key()));
        let bytes = Writer::new("x").bytes(&[7; 16]).text("person").integer(1).finish();
        let mut reader = Reader::new("x", &bytes).unwrap();
        assert_eq!(KeyId::read(&mut reader), Err(CanonicalError::Field("class")));
    }
}
