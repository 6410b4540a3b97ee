//! From bits to grades: how probable it is that two records are of one.
//!
//! Two registers of n and m records make n × m pairs, of which some n are true where half is shared
//! and fewer where less is: chance evidence must be rarer than one in the size of both before a
//! pair is more likely true than not. The bits above that are how sure it is.

use super::weight::Weight;
use crate::matching::grade::Grade;

/// Above the size of both registers: one of some three hundred is a mistake, where a tenth is
/// shared.
pub const A_BITS: f64 = 8.5;
/// Above it: at the bound one of some ten is a mistake, over all that is above one of thirty.
pub const B_BITS: f64 = 4.9;
/// So far below it nobody is asked: of some thousands one is no mistake.
pub const QUESTION_BITS: f64 = -8.0;
/// What disagrees so much that not even an identifier makes it more than a candidate: the number
/// was written down wrongly, or somebody uses another's.
pub const DOUBT_BITS: f64 = 6.0;
/// Who is so much weaker than a rival for the same record is a question: the record is of one.
pub const RIVAL_BITS: f64 = 3.0;

/// A register is taken to have no fewer records: a young one grows, and what agrees now is held
/// against what it will have soon.
pub const RECORDS_MIN: u32 = 1_024;

/// How many records two registers have together, each at least [`RECORDS_MIN`].
pub fn both(ours: u32, theirs: u32) -> u32 {
    ours.max(RECORDS_MIN).saturating_add(theirs.max(RECORDS_MIN))
}

/// Bits above what agrees by chance somewhere between registers that have so many records
/// together.
pub fn above(weight: &Weight, both: u32) -> f64 {
    weight.bits - f64::from(both.max(2)).log2()
}

/// The grade of what agrees, between registers that have so many records together.
pub fn grade(weight: &Weight, both: u32) -> Grade {
    let above = above(weight, both);
    let certain = match weight.identified {
        true => weight.disagreement < DOUBT_BITS,
        false => above >= A_BITS && !weight.kin,
    };
    if certain {
        Grade::A
    } else if above >= B_BITS {
        Grade::B
    } else {
        Grade::C
    }
}

/// Whether it is worth a question at all.
pub fn is_question(weight: &Weight, both: u32) -> bool {
    weight.identified || above(weight, both) >= QUESTION_BITS
}

/// The same beside a rival for one of the two records: what is much weaker is a question.
pub fn beside(grade: Grade, weight: &Weight, best: f64) -> Grade {
    let weaker = weight.bits + RIVAL_BITS < best;
    if weaker && !(weight.identified && grade == Grade::A) { Grade::C } else { grade }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(weight: Weight, both: u32, expected: Grade) {
        assert_eq!(grade(&weight, both), expected, "{weight:?} of {both}");
    }

    #[test]
    fn bits_are_held_against_the_size_of_both_registers() {
        let of = |bits: f64| Weight { bits, ..Weight::default() };
        check(of(18.5), 1_024, Grade::A);
        check(of(18.4), 1_024, Grade::B);
        check(of(15.0), 1_024, Grade::B);
        check(of(14.8), 1_024, Grade::C);
        check(of(18.5), 16_384, Grade::C);
    }

    #[test]
    fn relatives_are_never_certain_and_identifiers_are_unless_much_disagrees() {
        check(Weight { bits: 40.0, kin: true, ..Weight::default() }, 1_024, Grade::B);
        let identified = |disagreement: f64| Weight {
            bits: 30.0 - disagreement,
            disagreement,
            identified: true,
            ..Weight::default()
        };
        check(identified(0.0), 1_024, Grade::A);
        check(identified(8.0), 1_024, Grade::B);
    }

    #[test]
    fn nobody_is_asked_of_what_many_have() {
        let of = |bits: f64| Weight { bits, ..Weight::default() };
        assert!(is_question(&of(3.0), 2_048) && !is_question(&of(2.9), 2_048));
        assert!(is_question(&Weight { identified: true, ..of(-5.0) }, 2_048));
        assert_eq!((both(3, 5), both(3_000, 4)), (2_048, 4_024));
    }

    #[test]
    fn what_is_much_weaker_than_a_rival_is_a_question() {
        let weight = Weight { bits: 20.0, ..Weight::default() };
        assert_eq!(beside(Grade::B, &weight, 22.0), Grade::B);
        assert_eq!(beside(Grade::B, &weight, 23.5), Grade::C);
        let identified = Weight { identified: true, ..weight };
        assert_eq!(beside(Grade::A, &identified, 40.0), Grade::A);
    }
}
