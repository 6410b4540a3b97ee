//! Values that must not be shown: keys, tokens, identifying fields.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Holds a value that its `Debug` does not show and that is wiped when dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into hiding.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value; every call is a place to look at in a review.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

/// Values that are compared in a time that tells their length, and not where they differ.
pub trait Alike {
    /// Whether both are the same.
    fn is_alike(&self, other: &Self) -> bool;
}

impl<const N: usize> Alike for [u8; N] {
    fn is_alike(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Alike for String {
    fn is_alike(&self, other: &Self) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Alike for Vec<u8> {
    fn is_alike(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Alike for Vec<String> {
    fn is_alike(&self, other: &Self) -> bool {
        let pairs = self.iter().zip(other);
        let same = pairs.fold(true, |alike, (one, other)| alike & one.is_alike(other));
        self.len() == other.len() && same
    }
}

/// In constant time, as [`Alike`] says.
impl<T: Zeroize + Alike> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_alike(&other.0)
    }
}

impl<T: Zeroize + Alike> Eq for Secret<T> {}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("RSSMRA".to_owned())), "[secret]");
    }

    #[test]
    fn equal_values_are_equal_and_no_others() {
        fn check<T: Zeroize + Alike + Clone>(one: T, others: &[T]) {
            assert!(Secret::new(one.clone()) == Secret::new(one.clone()));
            assert!(
                others.iter().all(|other| Secret::new(one.clone()) != Secret::new(other.clone()))
            );
        }
        let text = |text: &str| text.to_owned();
        check([1_u8, 2], &[[1, 3], [2, 2]]);
        check(vec![1_u8, 2], &[vec![1], vec![1, 2, 3], vec![], vec![2, 2]]);
        check(text("ab"), &[text("a"), text("ac"), text("")]);
        let many = |all: &[&str]| all.iter().map(|one| text(one)).collect::<Vec<String>>();
        check(many(&["a", "b"]), &[many(&["a"]), many(&["a", "c"]), many(&["ab"]), many(&[])]);
    }
}
