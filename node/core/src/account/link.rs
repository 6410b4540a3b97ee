//! The link by which an operator activates an account, once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::entropy::{Entropy, draw};
use crate::id::Digest;
use crate::secret::Secret;

/// How long a link works.
pub const LINK_LIFE: Duration = Duration::from_secs(72 * 3_600);

/// What stands in the link: 32 secret random bytes. The node keeps only their digest.
#[derive(Clone, Debug)]
pub struct Invitation(Secret<[u8; 32]>);

impl Invitation {
    /// Draws a new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(draw(entropy)))
    }

    /// Reads the text of a link; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(Secret::new(<[u8; 32]>::try_from(bytes).ok()?)))
    }

    /// 43 letters of base64url (RFC 4648 §5, no padding). Secret.
    pub fn text(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0.reveal()))
    }

    /// Under which the node knows it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.reveal())
    }

    /// Its bytes, of which the seed of the codes is derived. Secret.
    pub fn bytes(&self) -> &Secret<[u8; 32]> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn reads_what_it_writes() {
        let made = Invitation::random(&SeededEntropy::labelled("link"));
        let read = Invitation::parse(made.text().reveal()).unwrap();
        assert_eq!(read.digest(), made.digest());
        assert_eq!(made.text().reveal().len(), 43);
        for wrong in ["", "AAAA", "ä", &made.text().reveal()[1..]] {
            assert!(Invitation::parse(wrong).is_none(), "{wrong}");
        }
    }
}
