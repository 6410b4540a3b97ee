//! One-time codes (TOTP, RFC 6238): six digits, SHA-1, a step of 30 seconds, as every
//! authenticator program has them.

use totp_rs::{Algorithm, TOTP};

use crate::secret::Secret;
use crate::time::Instant;

/// Bytes of a seed (RFC 4226 §4, R6).
const SEED_BYTES: usize = 20;
/// Digits of a code.
const DIGITS: usize = 6;
/// Seconds of a step.
const STEP_S: u64 = 30;
/// Steps before and after the present one of which a code is taken: clocks differ.
const SKEW: u64 = 1;
/// Who issues the codes, as the authenticator program shows it.
const ISSUER: &str = "Raccordo";

/// Why a code is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The operator's fault: another code than the present one.
    #[error("the code is not the one that the authenticator shows now")]
    Wrong,
    /// The operator's fault, or a thief's: this code was used already.
    #[error("the code was used already; wait for the next one")]
    Used,
    /// Our own fault: the seed is none.
    #[error("the seed of the codes is damaged")]
    Seed,
}

/// What authenticator and node share; secret.
#[derive(Clone, Debug)]
pub struct Seed(Secret<[u8; SEED_BYTES]>);

impl Seed {
    /// A seed from random bytes, or from what was stored; `None` for fewer than 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<SEED_BYTES>()?;
        Some(Self(Secret::new(*bytes)))
    }

    /// The bytes to store.
    pub fn reveal(&self) -> &[u8; SEED_BYTES] {
        self.0.reveal()
    }

    fn totp(&self, name: &str) -> Result<TOTP, CodeError> {
        // A colon would end the issuer in the address.
        let name = name.replace(':', " ");
        let seed = self.0.reveal().to_vec();
        TOTP::new(Algorithm::SHA1, DIGITS, 0, STEP_S, seed, Some(ISSUER.to_owned()), name)
            .map_err(|_| CodeError::Seed)
    }

    /// The address `otpauth://totp/…` that an authenticator program reads, as text or as a
    /// picture. Secret.
    ///
    /// # Errors
    /// [`CodeError::Seed`].
    pub fn address(&self, name: &str) -> Result<Secret<String>, CodeError> {
        Ok(Secret::new(self.totp(name)?.get_url()))
    }

    /// The seed in base32 (RFC 4648 §6), to be typed in. Secret.
    ///
    /// # Errors
    /// [`CodeError::Seed`].
    pub fn text(&self) -> Result<Secret<String>, CodeError> {
        Ok(Secret::new(self.totp("")?.get_secret_base32()))
    }

    /// The code of an instant.
    ///
    /// # Errors
    /// [`CodeError::Seed`].
    pub fn code(&self, at: Instant) -> Result<Secret<String>, CodeError> {
        Ok(Secret::new(self.totp("")?.generate(seconds(at))))
    }

    /// Takes a code once: returns its step, which is to be stored as `used`. Spaces do not
    /// matter. Compared in constant time.
    ///
    /// # Errors
    /// [`CodeError`].
    pub fn take(&self, typed: &str, at: Instant, used: u64) -> Result<u64, CodeError> {
        let typed: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
        let totp = self.totp("")?;
        let present = seconds(at) / STEP_S;
        let near = present.saturating_sub(SKEW)..=present.saturating_add(SKEW);
        let is_code = |step: &u64| totp.check(&typed, step.saturating_mul(STEP_S));
        let step = near.rev().find(is_code).ok_or(CodeError::Wrong)?;
        if step <= used {
            return Err(CodeError::Used);
        }
        Ok(step)
    }
}

fn seconds(at: Instant) -> u64 {
    u64::try_from(at.0).unwrap_or(0) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Seed {
        // RFC 6238, appendix B.
        Seed::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        let check = |second: i64, code: &str| {
            assert_eq!(seed().code(Instant(second * 1_000)).unwrap().reveal(), code);
        };
        // The RFC shows eight digits, of which ours are the last six.
        check(59, "287082");
        check(1_111_111_109, "081804");
        check(1_234_567_890, "005924");
        check(20_000_000_000, "353130");
    }

    #[test]
    fn a_code_is_taken_once_and_near_its_time() {
        let now = 1_111_111_109;
        let step = 1_111_111_109 / 30;
        let check = |typed: &str, second: i64, used: u64, expected: Result<u64, CodeError>| {
            assert_eq!(seed().take(typed, Instant(second * 1_000), used), expected);
        };
        check("081804", now, 0, Ok(step));
        check(" 081 804 ", 1_111_111_109, 0, Ok(step));
        check("081804", 1_111_111_109 + 30, 0, Ok(step));
        check("081804", 1_111_111_109 - 30, 0, Ok(step));
        check("081804", 1_111_111_109 + 60, 0, Err(CodeError::Wrong));
        check("081804", 1_111_111_109, step, Err(CodeError::Used));
        check("081805", 1_111_111_109, 0, Err(CodeError::Wrong));
        check("", 1_111_111_109, 0, Err(CodeError::Wrong));
        check("81804", 1_111_111_109, 0, Err(CodeError::Wrong));
    }

    #[test]
    fn the_address_names_issuer_and_operator() {
        let address = seed().address("anna: rossi").unwrap();
        assert!(address.reveal().starts_with("otpauth://totp/Raccordo:anna"), "no issuer");
        assert!(address.reveal().contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        assert_eq!(seed().text().unwrap().reveal(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn short_seeds_and_debug() {
        assert!(Seed::from_bytes(&[1; 19]).is_none());
        assert!(!format!("{:?}", seed()).contains("12"));
    }
}
