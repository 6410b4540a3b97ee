//! Who somebody is at the region's identity provider.

use crate::canonical::Writer;
use crate::secret::Secret;

/// A person as an OpenID provider names it for ever: only issuer and subject together do
/// (OpenID Connect Core 1.0 §5.7). All other claims, such as a user name or an address, may
/// change, and may be given to somebody else later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The provider's address, as its token says it.
    pub issuer: String,
    /// Its name for the person, at most 255 bytes. Secret: it may be the person's tax code.
    pub subject: Secret<String>,
}

impl Person {
    /// Canonical `provider-person`: issuer, subject. Secret.
    pub fn bytes(&self) -> Secret<Vec<u8>> {
        let writer = Writer::new("provider-person").text(&self.issuer).text(self.subject.reveal());
        Secret::new(writer.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_and_subject_make_the_person() {
        let person = |issuer: &str, subject: &str| {
            let subject = Secret::new(subject.to_owned());
            Person { issuer: issuer.to_owned(), subject }.bytes().reveal().clone()
        };
        let anna = person("https://login.example.org", "42");
        assert_eq!(anna, person("https://login.example.org", "42"));
        assert_ne!(anna, person("https://login.example.org", "43"));
        assert_ne!(anna, person("https://other.example.org", "42"));
        assert_ne!(person("a", "bc"), person("ab", "c"));
    }
}
