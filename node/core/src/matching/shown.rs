//! What nodes show each other, so that each finds where both know the same.

use crate::evidence::facts::Facts;
use crate::id::{Digest, NodeId, ObjectId};
use crate::pseudonym::token::{Contribution, Tag};

/// The most tags of one object for one member.
pub const TAGS_MAX: usize = 128;

/// Tags of one object. For each receiver that is named they replace all earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The sender's object.
    pub object: ObjectId,
    /// How many records the sender has.
    pub register: RegisterSize,
    /// For some members, each once.
    pub shown: Vec<Shown>,
}

/// What one member is shown; to the others it is noise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The member.
    pub receiver: NodeId,
    /// Ascending, each once, at most [`TAGS_MAX`]; none takes all back. Neither family nor
    /// class is said: the receiver knows those of its own tokens.
    pub tags: Vec<ShownTag>,
}

/// A tag with what the sender knows at all of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShownTag {
    /// The tag.
    pub tag: Tag,
    /// [`Facts::byte`], masked by the token ([`crate::pseudonym::token::TagKey::mask`]): who does
    /// not have it reads noise.
    pub facts: u8,
}

/// How many records a register has, coarsely: the smallest power of two that is no less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegisterSize(u8);

impl RegisterSize {
    /// The greatest exponent: more people than Italy has.
    pub const MAX: u8 = 26;

    /// Of a number of records.
    pub fn of(records: u32) -> Self {
        let power = records.max(1).checked_next_power_of_two();
        let exponent = power.and_then(|power| u8::try_from(power.trailing_zeros()).ok());
        Self(exponent.unwrap_or(Self::MAX).min(Self::MAX))
    }

    /// Of an exponent, up to [`RegisterSize::MAX`].
    pub fn of_exponent(exponent: u8) -> Option<Self> {
        (exponent <= Self::MAX).then_some(Self(exponent))
    }

    /// The exponent.
    pub fn exponent(self) -> u8 {
        self.0
    }

    /// About so many records: three quarters of the power of two, the middle of what it stands for.
    pub fn records(self) -> u32 {
        (3 << self.0) / 4
    }
}

/// What a node says of its record beside the tags, to who has proved or is shown that it has the
/// same tokens: what it knows at all, and among how many records it found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Background {
    /// What is known.
    pub facts: Facts,
    /// How many records there are.
    pub register: RegisterSize,
}

/// A node's half of what it and another node share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairHalf {
    /// The sender's half.
    pub half: Contribution,
    /// Digest of the receiver's half, as the sender has it; none before it has come.
    pub heard: Option<Digest>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_two() {
        let check = |records: u32, expected: u32| {
            let size = RegisterSize::of(records);
            assert_eq!(1_u32 << size.exponent(), expected, "{records}");
            assert!(size.records() <= expected && size.records() >= expected / 2);
            assert_eq!(RegisterSize::of_exponent(size.exponent()), Some(size));
        };
        check(0, 1);
        check(1, 1);
        check(3, 4);
        check(50_000, 65_536);
        check(1 << 20, 1 << 20);
        check(u32::MAX >> 2, 1 << 26);
        check(u32::MAX, 1 << 26);
        assert_eq!(RegisterSize::of_exponent(27), None);
    }
}
