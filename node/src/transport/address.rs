//! A host and a port, as an administrator writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is not `host:port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected host:port, like `hub.example.org:7443` or `[2001:db8::7]:7443`")]
pub struct NoAddress;

/// A DNS name or IP address, and a port from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    /// Without the brackets of an IPv6 address.
    pub host: String,
    /// From 1.
    pub port: u16,
}

impl FromStr for HostPort {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(NoAddress)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(NoAddress)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let good = match bracketed {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.len() <= 253 && host.bytes().all(in_name),
        };
        match good {
            true => Ok(Self { host: bracketed.unwrap_or(host).to_owned(), port }),
            false => Err(NoAddress),
        }
    }
}

/// Letters and digits of a DNS name, dots, and the underscore that some internal names have.
fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

impl TryFrom<String> for HostPort {
    type Error = NoAddress;

    fn try_from(text: String) -> Result<Self, NoAddress> {
        text.parse()
    }
}

impl From<HostPort> for String {
    fn from(address: HostPort) -> Self {
        address.to_string()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, good: bool) {
        let parsed = text.parse::<HostPort>();
        assert_eq!(parsed.is_ok(), good, "{text:?}");
        if let Ok(address) = parsed {
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn addresses() {
        check("hub.example.org:7443", true);
        check("127.0.0.1:1", true);
        check("[2001:db8::7]:7443", true);
        check("2001:db8::7:7443", false);
        check("[hub]:7443", false);
        check("hub.example.org", false);
        check(":7443", false);
        check("hub:0", false);
        check("hub:65536", false);
        check("https://hub:7443", false);
        check("hub\r\nHost: x:7443", false);
    }
}
