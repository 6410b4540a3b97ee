//! Keys that somebody bears: whoever shows one is believed.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::entropy::{Entropy, draw};
use crate::id::Digest;
use crate::secret::Secret;

/// 32 secret random bytes, for one use: a key of one use is none of another. The node keeps
/// only their digest.
pub struct BearerKey<Use>(Secret<[u8; 32]>, PhantomData<Use>);

impl<Use> BearerKey<Use> {
    /// Draws a new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(draw(entropy)), PhantomData)
    }

    /// Reads its text; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(Secret::new(<[u8; 32]>::try_from(bytes).ok()?), PhantomData))
    }

    /// 43 letters of base64url (RFC 4648 §5, no padding). Secret.
    pub fn text(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0.reveal()))
    }

    /// Under which the node knows it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.reveal())
    }

    /// Its bytes, of which other secrets are derived. Secret.
    pub fn bytes(&self) -> &Secret<[u8; 32]> {
        &self.0
    }
}

impl<Use> Clone for BearerKey<Use> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<Use> fmt::Debug for BearerKey<Use> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BearerKey").field(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn reads_what_it_writes_and_shows_nothing() {
        let made = BearerKey::<()>::random(&SeededEntropy::labelled("link"));
        let text = made.text();
        let read = BearerKey::<()>::parse(text.reveal()).unwrap();
        assert_eq!(read.digest(), made.digest());
        assert_eq!(text.reveal().len(), 43);
        assert!(!format!("{made:?}").contains(text.reveal()));
        for wrong in ["", "AAAA", "ä", &text.reveal()[1..]] {
            assert!(BearerKey::<()>::parse(wrong).is_none(), "{wrong}");
        }
    }
}
