//! The HTTP proxy that a node may have to pass on its way out.

use std::fmt;
use std::io;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use raccordo_core::secret::Secret;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::address::{HostPort, NoAddress};
use super::connect::ConnectError;

/// Longest answer to CONNECT that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Why a text names no proxy that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// It is not `host:port`.
    #[error(transparent)]
    Address(#[from] NoAddress),
    /// TLS towards the proxy is not spoken: the tunnel inside is encrypted anyway.
    #[error("only plain HTTP proxies are supported: write `http://host:port`")]
    Scheme,
    /// A password does not belong in this file.
    #[error("put user and password into a file of mode 0600 and name it as proxy_credentials_file")]
    Credentials,
}

/// Where the proxy listens: `host:port`, also written `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProxyUrl(pub HostPort);

impl FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, ProxyUrlError> {
        let address = match text.split_once("://") {
            Some(("http", rest)) => rest.strip_suffix('/').unwrap_or(rest),
            Some(_) => return Err(ProxyUrlError::Scheme),
            None => text,
        };
        if address.contains('@') {
            return Err(ProxyUrlError::Credentials);
        }
        Ok(Self(address.parse()?))
    }
}

impl TryFrom<String> for ProxyUrl {
    type Error = ProxyUrlError;

    fn try_from(text: String) -> Result<Self, ProxyUrlError> {
        text.parse()
    }
}

impl From<ProxyUrl> for String {
    fn from(url: ProxyUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

/// A proxy, and what it wants to know of its users.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it listens.
    pub url: ProxyUrl,
    /// `user:password` for basic authentication (RFC 7617); secret.
    pub credentials: Option<Secret<String>>,
}

impl Proxy {
    /// Asks for a tunnel to `server` (RFC 9110 §9.3.6); the proxy resolves its name.
    ///
    /// # Errors
    /// [`ConnectError::Proxy`] with the status, or [`ConnectError::ProxyUnreachable`] when
    /// it breaks off or answers what is not HTTP.
    pub(super) async fn tunnel(
        &self,
        mut tcp: TcpStream,
        server: &HostPort,
    ) -> Result<TcpStream, ConnectError> {
        let status = self.ask(&mut tcp, server).await;
        let proxy = || self.url.0.clone();
        match status {
            Ok(200..=299) => Ok(tcp),
            Ok(status) => Err(ConnectError::Proxy { proxy: proxy(), status }),
            Err(error) => {
                let cause = Box::new(ConnectError::broken(error));
                Err(ConnectError::ProxyUnreachable { proxy: proxy(), cause })
            }
        }
    }

    async fn ask(&self, tcp: &mut TcpStream, server: &HostPort) -> io::Result<u16> {
        let request = Secret::new(self.request(server));
        tcp.write_all(request.reveal().as_bytes()).await?;
        let mut answer = Vec::new();
        // Byte by byte, so that nothing of the tunnel is swallowed.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER_BYTES_MAX {
                return Err(no_http());
            }
            answer.push(tcp.read_u8().await?);
        }
        status_of(&answer).ok_or_else(no_http)
    }

    fn request(&self, server: &HostPort) -> String {
        let authorization = match &self.credentials {
            Some(credentials) => {
                let encoded = STANDARD.encode(credentials.reveal());
                format!("Proxy-Authorization: Basic {encoded}\r\n")
            }
            None => String::new(),
        };
        format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n{authorization}\r\n")
    }
}

/// The status of an HTTP/1 answer: `HTTP/1.x NNN …`.
fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok().filter(|status| (100..600).contains(status))
}

fn no_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP/1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_url(text: &str, expected: Result<&str, ProxyUrlError>) {
        let parsed = text.parse::<ProxyUrl>().map(|url| url.to_string());
        assert_eq!(parsed, expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn urls() {
        check_url("proxy.example.org:3128", Ok("http://proxy.example.org:3128"));
        check_url("http://proxy.example.org:3128/", Ok("http://proxy.example.org:3128"));
        check_url("https://proxy.example.org:3128", Err(ProxyUrlError::Scheme));
        check_url("http://me:secret@proxy:3128", Err(ProxyUrlError::Credentials));
        check_url("proxy", Err(ProxyUrlError::Address(NoAddress)));
    }

    fn check_status(answer: &str, status: Option<u16>) {
        assert_eq!(status_of(answer.as_bytes()), status, "{answer:?}");
    }

    #[test]
    fn statuses() {
        check_status("HTTP/1.1 200 Connection established\r\n\r\n", Some(200));
        check_status("HTTP/1.0 407\r\nProxy-Authenticate: Basic\r\n\r\n", Some(407));
        check_status("SSH-2.0-OpenSSH\r\n\r\n", None);
        check_status("HTTP/1.1 OK\r\n\r\n", None);
        check_status("HTTP/1.1 20000\r\n\r\n", None);
    }

    #[test]
    fn credentials_are_sent_encoded_and_not_shown() {
        let proxy = Proxy {
            url: "proxy:3128".parse().unwrap(),
            // The example of RFC 7617 §2.
            credentials: Some(Secret::new("Aladdin:open sesame".into())),
        };
        let request = proxy.request(&"hub.example.org:7443".parse().unwrap());
        assert!(request.contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"), "{request}");
        assert!(!format!("{proxy:?}").contains("sesame"));
    }
}
