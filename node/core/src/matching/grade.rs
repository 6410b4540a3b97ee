//! How strong agreeing evidence is: a fixed rule, since weights that were learned on one set
//! lost precision on the next.

use std::collections::BTreeMap;
use std::fmt;

use crate::normal::evidence::Family;
use crate::pseudonym::key::Class;

/// How strong. All three only ask people: nothing is linked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// One weak agreement: a question, shown as such and never pressed.
    C,
    /// A candidate: precise in tests, less so in large registers.
    B,
    /// A candidate that was no mistake in any test: an identifier, both names with the full
    /// date of birth, or two independent kinds of evidence.
    A,
}

impl Grade {
    /// `A`, `B` or `C`.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }

    /// The grade of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::A, Self::B, Self::C].into_iter().find(|grade| grade.name() == name)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Evidence of different groups does not err together: a namesake born on the same day lives
/// and works elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Person,
    Place,
    Work,
}

/// What agrees between two records: how many different tokens of each family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement(BTreeMap<Family, usize>);

impl Agreement {
    /// Counts one token that both records have.
    pub fn add(&mut self, family: Family) {
        let count = self.0.entry(family).or_default();
        *count = count.saturating_add(1);
    }

    /// The families that agree, strongest first: what people are shown, never the values.
    pub fn families(&self) -> impl Iterator<Item = Family> {
        self.0.keys().copied()
    }

    fn count(&self, family: Family) -> usize {
        self.0.get(&family).copied().unwrap_or_default()
    }

    fn has(&self, family: Family) -> bool {
        self.count(family) > 0
    }

    /// The grade; none where nothing agrees.
    pub fn grade(&self) -> Option<Grade> {
        if self.0.is_empty() {
            return None;
        }
        let identified = self.families().any(is_identifier);
        let accepted = self.families().any(accepts);
        let dated = self.families().any(|family| {
            matches!(family, Family::NameBirth | Family::NameStartBirth | Family::BirthPlace)
        });
        // Two parts of a name that agree with the date are both names; that one part sounds
        // and begins alike is one part.
        let both_names = self.has(Family::NamesYear)
            || self.has(Family::NamesPlace)
            || self.count(Family::NameBirth) >= 2
            || self.count(Family::NameStartBirth) >= 2;
        let grade = if identified || (both_names && dated) || (accepted && self.groups() >= 2) {
            Grade::A
        } else if accepted || self.groups() >= 2 {
            Grade::B
        } else {
            Grade::C
        };
        Some(grade)
    }

    fn groups(&self) -> usize {
        let groups = [Group::Person, Group::Place, Group::Work];
        let agrees =
            |group: &&Group| self.families().any(|family| group_of(family) == Some(**group));
        groups.iter().filter(agrees).count()
    }
}

impl FromIterator<Family> for Agreement {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        let mut agreement = Self::default();
        families.into_iter().for_each(|family| agreement.add(family));
        agreement
    }
}

fn is_identifier(family: Family) -> bool {
    family.class() == Class::PersonStrong || matches!(family, Family::CompanyNumber | Family::Rea)
}

/// Whether the family alone makes a candidate. Names with a year alone are right in half of
/// the cases only (precision 0.48 where many are born on 1 January), part of a name with an
/// employer in hardly more of a large works.
fn accepts(family: Family) -> bool {
    matches!(
        family,
        Family::NameBirth
            | Family::NameStartBirth
            | Family::NamesPlace
            | Family::NameStartsPlace
            | Family::BirthPlace
            | Family::CompanyNamePlace
    )
}

fn group_of(family: Family) -> Option<Group> {
    match family {
        Family::NameBirth | Family::NameStartBirth | Family::NamesYear => Some(Group::Person),
        Family::NamesPlace | Family::NameStartsPlace | Family::BirthPlace => Some(Group::Place),
        Family::NameEmployer => Some(Group::Work),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(families: &[Family], expected: Option<Grade>) {
        let agreement: Agreement = families.iter().copied().collect();
        assert_eq!(agreement.grade(), expected, "{families:?}");
    }

    #[test]
    fn identifiers_are_a() {
        for family in [
            Family::CodiceFiscale,
            Family::ProvisionalCodiceFiscale,
            Family::Permit,
            Family::Passport,
            Family::Phone,
            Family::CompanyNumber,
            Family::Rea,
        ] {
            check(&[family], Some(Grade::A));
        }
    }

    #[test]
    fn both_names_with_the_full_date_are_a() {
        check(&[Family::NameBirth], Some(Grade::B));
        check(&[Family::NameBirth, Family::NameBirth], Some(Grade::A));
        check(&[Family::NameBirth, Family::NamesYear], Some(Grade::A));
        check(&[Family::NameStartBirth], Some(Grade::B));
        check(&[Family::NameBirth, Family::NameStartBirth], Some(Grade::B));
        check(&[Family::NameStartBirth, Family::NameStartBirth], Some(Grade::A));
        check(&[Family::BirthPlace, Family::NamesYear], Some(Grade::A));
        check(&[Family::BirthPlace, Family::NamesPlace], Some(Grade::A));
    }

    #[test]
    fn two_groups_are_a_if_one_of_them_is_a_candidate() {
        check(&[Family::NameBirth, Family::BirthPlace], Some(Grade::A));
        check(&[Family::NameBirth, Family::NameEmployer], Some(Grade::A));
        check(&[Family::NamesPlace, Family::NameEmployer], Some(Grade::A));
        check(&[Family::NamesPlace, Family::NamesYear], Some(Grade::A));
        check(&[Family::NamesYear, Family::NameEmployer], Some(Grade::B));
        check(&[Family::NamesPlace, Family::NamesPlace], Some(Grade::B));
        check(&[Family::BirthPlace, Family::BirthPlace], Some(Grade::B));
    }

    #[test]
    fn one_weak_token_is_a_question() {
        check(&[], None);
        check(&[Family::NamesYear], Some(Grade::C));
        check(&[Family::NamesYear, Family::NamesYear], Some(Grade::C));
        check(&[Family::NameEmployer, Family::NameEmployer], Some(Grade::C));
        check(&[Family::NamesPlace], Some(Grade::B));
        check(&[Family::NameStartsPlace], Some(Grade::B));
        check(&[Family::BirthPlace], Some(Grade::B));
        check(&[Family::CompanyNamePlace], Some(Grade::B));
    }

    #[test]
    fn names_are_read_back() {
        for grade in [Grade::A, Grade::B, Grade::C] {
            assert_eq!(Grade::from_name(grade.name()), Some(grade));
        }
        assert!(Grade::A > Grade::B && Grade::B > Grade::C);
    }

    proptest! {
        #[test]
        fn more_evidence_is_never_weaker(
            some in proptest::collection::vec(0_usize..15, 0..5), more in 0_usize..15,
        ) {
            let mut agreement: Agreement = some.into_iter().map(|at| Family::ALL[at]).collect();
            let before = agreement.grade();
            agreement.add(Family::ALL[more]);
            prop_assert!(agreement.grade() >= before);
        }
    }
}
