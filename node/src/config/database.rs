//! Which database, and how its password stays out of the configuration.

use std::fmt;
use std::str::FromStr;

use raccordo_core::secret::Secret;
use serde::Deserialize;

/// Why a text names no database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It is neither of the two.
    #[error("expected `sqlite` or `postgres://user@host:port/database`")]
    Unknown,
    /// A password does not belong in this file.
    #[error("put the password into a file of mode 0600 and name it as password_file")]
    Password,
}

/// The database of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum DatabaseUrl {
    /// The embedded one, a file in `data`.
    #[default]
    Sqlite,
    /// `postgres://…`, without a password.
    Postgres(String),
}

impl DatabaseUrl {
    /// Takes the password out of a URL that was typed with one, so that it can go into a
    /// file of its own.
    ///
    /// # Errors
    /// [`DatabaseUrlError::Unknown`].
    pub fn split(text: &str) -> Result<(Self, Option<Secret<String>>), DatabaseUrlError> {
        let Some((scheme, user, password, rest)) = parts(text) else {
            return Ok((text.parse()?, None));
        };
        let url = format!("{scheme}{user}@{rest}").parse()?;
        let password = percent_decoded(password).ok_or(DatabaseUrlError::Unknown)?;
        Ok((url, Some(Secret::new(password))))
    }

    /// The URL that PostgreSQL's driver takes; none for the embedded database.
    pub fn postgres(&self, password: Option<&Secret<String>>) -> Option<Secret<String>> {
        let Self::Postgres(url) = self else {
            return None;
        };
        let (scheme, rest) = url.split_once("://")?;
        let (user, host) = split_user(rest);
        Some(Secret::new(match (user, password) {
            (Some(user), Some(password)) => {
                format!("{scheme}://{user}:{}@{host}", percent_encoded(password.reveal()))
            }
            _ => url.clone(),
        }))
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if text == "sqlite" {
            return Ok(Self::Sqlite);
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(DatabaseUrlError::Unknown);
        }
        match parts(text) {
            Some(_) => Err(DatabaseUrlError::Password),
            None => Ok(Self::Postgres(text.to_owned())),
        }
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = DatabaseUrlError;

    fn try_from(text: String) -> Result<Self, DatabaseUrlError> {
        text.parse()
    }
}

/// As the configuration has it; never with a password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("sqlite"),
            Self::Postgres(url) => f.write_str(url),
        }
    }
}

/// Scheme with its slashes, user, password, and what follows the `@`, of a URL with a password.
fn parts(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (scheme, _) = text.split_once("://")?;
    let (scheme, rest) = text.split_at_checked(scheme.len() + 3)?;
    let (user, host) = split_user(rest);
    let (user, password) = user?.split_once(':')?;
    Some((scheme, user, password, host))
}

/// User information and the rest, of what follows the scheme (RFC 3986 §3.2).
fn split_user(rest: &str) -> (Option<&str>, &str) {
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.split_at_checked(authority).and_then(|(authority, _)| authority.rfind('@')) {
        Some(at) => (rest.get(..at), rest.get(at + 1..).unwrap_or_default()),
        None => (None, rest),
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            let mut one = [0];
            hex::decode_to_slice(pair, &mut one).ok()?;
            decoded.extend_from_slice(&one);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, DatabaseUrlError>) {
        let parsed = text.parse::<DatabaseUrl>().map(|url| url.to_string());
        assert_eq!(parsed, expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn urls() {
        check("sqlite", Ok("sqlite"));
        check("postgres://node@db/raccordo", Ok("postgres://node@db/raccordo"));
        check("postgresql:///raccordo?host=/run/pg", Ok("postgresql:///raccordo?host=/run/pg"));
        check("postgres://db:5432/raccordo", Ok("postgres://db:5432/raccordo"));
        check("postgres://node:word@db/raccordo", Err(DatabaseUrlError::Password));
        check("sqlite:///tmp/x.db", Err(DatabaseUrlError::Unknown));
        check("", Err(DatabaseUrlError::Unknown));
    }

    fn check_split(text: &str, url: &str, password: Option<&str>) {
        let (split, found) = DatabaseUrl::split(text).unwrap();
        assert_eq!(split.to_string(), url);
        assert_eq!(found.as_ref().map(|found| found.reveal().as_str()), password);
        let whole = split.postgres(found.as_ref()).unwrap();
        assert_eq!(whole.reveal(), text);
    }

    #[test]
    fn a_password_is_taken_out_and_put_back() {
        check_split("postgres://node@db/r", "postgres://node@db/r", None);
        check_split(
            "postgres://node:word@db:5/r?a=b@c",
            "postgres://node@db:5/r?a=b@c",
            Some("word"),
        );
        check_split("postgres://node:a%40%2F%C3%A8@db/r", "postgres://node@db/r", Some("a@/è"));
    }

    #[test]
    fn the_embedded_one_has_no_url() {
        assert!(DatabaseUrl::Sqlite.postgres(None).is_none());
    }
}
