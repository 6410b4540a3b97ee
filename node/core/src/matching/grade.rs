//! How strong evidence is: three grades, from bits (`crate::evidence::grade`).

use std::fmt;

/// How strong. All three only ask people: nothing is linked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// A question, shown as such and never pressed.
    C,
    /// A candidate: of twenty in tests one was somebody else.
    B,
    /// A candidate that was somebody else in less than one of a hundred in tests.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for grade in [Grade::A, Grade::B, Grade::C] {
            assert_eq!(Grade::from_name(grade.name()), Some(grade));
        }
        assert!(Grade::A > Grade::B && Grade::B > Grade::C);
    }
}
