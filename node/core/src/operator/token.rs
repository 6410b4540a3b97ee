//! Operator tokens: shown once, stored as an argon2id hash.

use std::fmt;
use std::str::FromStr;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, draw};
use crate::secret::Secret;

/// Marks tokens, so that scanners for leaked secrets find them.
const PREFIX: &str = "rcd_";
/// Memory of the hash in KiB, passes, lanes. A token has 256 random bits, so no guess is ever
/// right whatever it costs; the hash only keeps a stolen table useless. A low cost keeps every
/// call cheap, since each call is verified.
const HASH_COST: (u32, u32, u32) = (4096, 1, 1);

/// What can go wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The operator's fault: not `rcd_` and 43 letters. Never shows the text.
    #[error("not an operator token; it begins with `rcd_` and stands alone on its line")]
    Malformed,
    /// Our own fault: the hash function refused its input.
    #[error("the token could not be hashed")]
    Hash,
}

/// An operator's token: 32 secret random bytes.
#[derive(Clone)]
pub struct Token(Secret<[u8; 32]>);

/// Finds the one row of a token: the first 8 bytes of its SHA-256. Not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenLookup(pub [u8; 8]);

impl Token {
    /// Draws a new token.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(draw(entropy)))
    }

    /// The text for the token file: `rcd_` and 43 letters of base64url (RFC 4648 §5, no
    /// padding). Secret.
    pub fn text(&self) -> Secret<String> {
        Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0.reveal())))
    }

    /// The key of the row that holds this token's hash.
    pub fn lookup(&self) -> TokenLookup {
        let digest: [u8; 32] = Sha256::digest(self.0.reveal()).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        TokenLookup([a, b, c, d, e, f, g, h])
    }

    /// Hashes the token with argon2id (RFC 9106) under a new salt, as a PHC string.
    ///
    /// # Errors
    /// [`TokenError::Hash`], our own fault.
    pub fn hash(&self, entropy: &dyn Entropy) -> Result<String, TokenError> {
        let (memory, passes, lanes) = HASH_COST;
        let params = Params::new(memory, passes, lanes, None).map_err(|_| TokenError::Hash)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let salt: [u8; 16] = draw(entropy);
        let hash = argon2.hash_password_with_salt(self.0.reveal(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|_| TokenError::Hash)
    }

    /// Whether a stored hash is this token's; compared in constant time.
    pub fn verify(&self, hash: &str) -> bool {
        Argon2::default().verify_password(self.0.reveal(), hash).is_ok()
    }
}

impl FromStr for Token {
    type Err = TokenError;

    /// Reads a token; white space around it does not matter.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(TokenError::Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenError::Malformed)?;
        let bytes = Zeroizing::new(bytes);
        let bytes = bytes.as_slice().try_into().map_err(|_| TokenError::Malformed)?;
        Ok(Self(Secret::new(bytes)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn token(label: &str) -> Token {
        Token::random(&SeededEntropy::labelled(label))
    }

    #[test]
    fn reads_what_it_writes() {
        let text = token("a").text();
        assert_eq!(text.reveal().len(), 47);
        assert!(text.reveal().starts_with("rcd_"));
        let read: Token = format!("{}\n", text.reveal()).parse().unwrap();
        assert_eq!(read.lookup(), token("a").lookup());
        assert_ne!(read.lookup(), token("b").lookup());
    }

    #[test]
    fn malformed_tokens() {
        let check = |text: &str| {
            assert_eq!(text.parse::<Token>().err(), Some(TokenError::Malformed), "{text:?}");
        };
        check("");
        check("rcd_");
        check("rcd_AAAA");
        check(&token("a").text().reveal().replace("rcd_", ""));
        check(&format!("{}A", token("a").text().reveal()));
        check(&format!("{} x", token("a").text().reveal()));
    }

    #[test]
    fn only_the_right_token_verifies() {
        let hash = token("a").hash(&SeededEntropy::labelled("salt")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=4096,t=1,p=1$"), "{hash}");
        assert!(token("a").verify(&hash));
        assert!(!token("b").verify(&hash));
        assert!(!token("a").verify("not a hash"));
        assert!(!token("a").verify(""));
    }

    #[test]
    fn equal_tokens_have_different_hashes() {
        let entropy = SeededEntropy::labelled("salts");
        assert_ne!(token("a").hash(&entropy), token("a").hash(&entropy));
    }

    #[test]
    fn the_lookup_is_of_sha_256() {
        let zero = Token(Secret::new([0; 32]));
        // SHA-256 of 32 zero bytes begins so.
        assert_eq!(hex::encode(zero.lookup().0), "66687aadf862bd77");
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", token("a")), "Token([secret])");
    }
}
