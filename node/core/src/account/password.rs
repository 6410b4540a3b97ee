//! What a password must be, and its hash.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::entropy::{Entropy, draw};
use crate::secret::Secret;

/// Shortest password, in characters.
const CHARACTERS_MIN: usize = 12;
/// Longest password, in bytes: what is hashed at each attempt stays small.
const BYTES_MAX: usize = 256;
/// Fewest different characters: a repeated letter is no password.
const DIFFERENT_MIN: usize = 5;
/// Memory of the hash in KiB, passes, lanes (OWASP, Password Storage Cheat Sheet).
const HASH_COST: (u32, u32, u32) = (19_456, 2, 1);

/// Why a password is not taken. Never holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The operator's fault: fewer than 12 characters.
    #[error("a password has at least {CHARACTERS_MIN} characters")]
    Short,
    /// The operator's fault: more than 256 bytes.
    #[error("a password has at most {BYTES_MAX} bytes")]
    Long,
    /// The operator's fault: nearly all characters alike.
    #[error("a password has at least {DIFFERENT_MIN} different characters")]
    Repeated,
    /// The operator's fault: it is, or begins with, the operator's name.
    #[error("a password is not the operator's name")]
    Name,
    /// Our own fault: the hash function refused its input.
    #[error("the password could not be hashed")]
    Hash,
}

impl PasswordError {
    /// Stable, snake case.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Short => "password_short",
            Self::Long => "password_long",
            Self::Repeated => "password_repeated",
            Self::Name => "password_is_name",
            Self::Hash => "password_hash",
        }
    }
}

/// A password that may be chosen, or was typed.
#[derive(Clone, Debug)]
pub struct Password(Secret<String>);

impl Password {
    /// Takes what somebody typed to sign in, whatever it is.
    pub fn typed(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// Takes what somebody of this name chose as a password.
    ///
    /// # Errors
    /// [`PasswordError`], all but `Hash`.
    pub fn chosen(text: String, name: &str) -> Result<Self, PasswordError> {
        let different: std::collections::BTreeSet<char> = text.chars().collect();
        let (folded, name) = (text.to_lowercase(), name.trim().to_lowercase());
        if text.chars().count() < CHARACTERS_MIN {
            return Err(PasswordError::Short);
        }
        if text.len() > BYTES_MAX {
            return Err(PasswordError::Long);
        }
        if different.len() < DIFFERENT_MIN {
            return Err(PasswordError::Repeated);
        }
        if !name.is_empty() && folded.starts_with(&name) && folded.len() < name.len() + 6 {
            return Err(PasswordError::Name);
        }
        Ok(Self(Secret::new(text)))
    }

    /// Hashes it with argon2id (RFC 9106) under a new salt, as a PHC string.
    ///
    /// # Errors
    /// [`PasswordError::Hash`], our own fault.
    pub fn hash(&self, entropy: &dyn Entropy) -> Result<String, PasswordError> {
        let (memory, passes, lanes) = HASH_COST;
        let params = Params::new(memory, passes, lanes, None).map_err(|_| PasswordError::Hash)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let salt: [u8; 16] = draw(entropy);
        let hash = argon2.hash_password_with_salt(self.0.reveal().as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|_| PasswordError::Hash)
    }

    /// Whether a stored hash is this password's; compared in constant time. Costs the same
    /// where there is no hash, and whatever was typed, so that nobody learns by the time it
    /// takes which names exist.
    pub fn verify(&self, hash: Option<&str>) -> bool {
        let typed = self.0.reveal().as_bytes();
        // What nobody could choose is hashed as far as a password goes, and is wrong.
        let hashed = typed.get(..BYTES_MAX).unwrap_or(typed);
        let right = Argon2::default().verify_password(hashed, hash.unwrap_or(NOBODY)).is_ok();
        right && hash.is_some() && hashed.len() == typed.len()
    }
}

/// A hash of the same cost that belongs to nobody.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn what_a_password_must_be() {
        let check = |text: &str, expected: Option<PasswordError>| {
            assert_eq!(Password::chosen(text.to_owned(), "Anna Rossi").err(), expected);
        };
        check("la zia di Lucca", None);
        check("undici.ma.12", None);
        check("undici.ma.1", Some(PasswordError::Short));
        check("àèìòùàèìòùàè", None);
        check("aaaaaaaaaaaaaaaa", Some(PasswordError::Repeated));
        check("anna rossi 12", Some(PasswordError::Name));
        check("anna rossi va al mare", None);
        check(&"la zia di Lucca ".repeat(17), Some(PasswordError::Long));
    }

    #[test]
    fn only_the_right_password_verifies() {
        let password = Password::typed("la zia di Lucca".to_owned());
        let hash = password.hash(&SeededEntropy::labelled("salt")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(password.verify(Some(&hash)));
        assert!(!Password::typed("la zia di lucca".to_owned()).verify(Some(&hash)));
        assert!(!password.verify(Some("")));
        assert!(!password.verify(None));
    }

    #[test]
    fn what_is_too_long_is_wrong_even_where_it_begins_right() {
        let longest = "la zia di Lucca ".repeat(BYTES_MAX / 16);
        let password = Password::typed(longest.clone());
        let hash = password.hash(&SeededEntropy::labelled("salt")).unwrap();
        assert!(password.verify(Some(&hash)));
        assert!(!Password::typed(format!("{longest}!")).verify(Some(&hash)));
    }

    #[test]
    fn nobody_has_a_hash_that_can_be_compared() {
        assert!(argon2::PasswordHash::new(NOBODY).is_ok());
    }

    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?}", Password::typed("la zia di Lucca".to_owned()));
        assert!(!shown.contains("Lucca"), "{shown}");
    }
}
