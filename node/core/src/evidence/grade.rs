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
/// Above it: one of some thirty.
pub const B_BITS: f64 = 5.0;
/// What disagrees so much that not even an identifier makes it more than a candidate: the number
/// was written down wrongly, or somebody uses another's.
pub const DOUBT_BITS: f64 = 6.0;
/// Who is so much weaker than a rival for the same record is a question: the record is of one.
pub const RIVAL_BITS: f64 = 3.0;

/// The grade of what agrees, between registers that have so many records together.
pub fn grade(weight: &Weight, both: u32) -> Grade {
    let above = weight.bits - f64::from(both.max(2)).log2();
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
        check(of(14.9), 1_024, Grade::C);
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
    fn what_is_much_weaker_than_a_rival_is_a_question() {
        let weight = Weight { bits: 20.0, ..Weight::default() };
        assert_eq!(beside(Grade::B, &weight, 22.0), Grade::B);
        assert_eq!(beside(Grade::B, &weight, 23.5), Grade::C);
        let identified = Weight { identified: true, ..weight };
        assert_eq!(beside(Grade::A, &identified, 40.0), Grade::A);
    }
}
