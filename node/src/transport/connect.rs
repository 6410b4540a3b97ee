//! Dials one pinned node, through a proxy if there is one, and names what went wrong.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use raccordo_core::id::{Digest, NodeId};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig};
use tokio::io::AsyncBufReadExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::Status;
use tonic::transport::{Channel, Endpoint, Uri};

use super::address::HostPort;
use super::identity::{IdentityError, TlsIdentity};
use super::limits::{CONNECTION_WINDOW_BYTES, HEADER_BYTES_MAX, STREAM_WINDOW_BYTES};
use super::limits::{KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT};
use super::pin::{PinMismatch, Trusted, TrustedPins, spki_digest};
use super::proxy::Proxy;
use super::stream::{PeerInfo, PinnedStream};

/// How far a connection had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Name and TCP, to the proxy if there is one.
    Tcp,
    /// The proxy's answer to CONNECT.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The server's judgement of this node's key, told by its first byte.
    Admission,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "the TCP connection",
            Self::Proxy => "the proxy's answer",
            Self::Tls => "the TLS handshake",
            Self::Admission => "the node's first answer",
        })
    }
}

/// Why a connection could not be made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address (operator, network).
    #[error("no address is known for {host}")]
    Dns {
        /// The name that was asked for.
        host: String,
        /// What the resolver said.
        source: Arc<io::Error>,
    },
    /// Nobody listens there (peer).
    #[error("{address} refused the connection")]
    Refused {
        /// What was dialled.
        address: HostPort,
    },
    /// No packet gets there (network).
    #[error("{address} cannot be reached from here")]
    Unreachable {
        /// What was dialled.
        address: HostPort,
    },
    /// It took longer than the route's patience (network).
    #[error("no connection within {patience:?}: still waiting for {stage}")]
    TimedOut {
        /// How long was waited in all.
        patience: Duration,
        /// For what.
        stage: Stage,
    },
    /// The proxy itself does not answer as one (operator, network).
    #[error("the proxy {proxy} cannot be used: {cause}")]
    ProxyUnreachable {
        /// The proxy.
        proxy: HostPort,
        /// Why.
        cause: Box<ConnectError>,
    },
    /// The proxy refuses the tunnel (operator, network).
    #[error("the proxy {proxy} answered {status}")]
    Proxy {
        /// The proxy.
        proxy: HostPort,
        /// Its HTTP status.
        status: u16,
    },
    /// Another key answered than the peer's card names (network, peer).
    #[error("another key answered than {node}'s card names; seen: {seen}")]
    Intercepted {
        /// Who was expected.
        node: NodeId,
        /// Pin of the key that answered.
        seen: Digest,
    },
    /// The peer does not trust this node's key (peer).
    #[error("{node} does not trust this node's key")]
    NotTrusted {
        /// The peer.
        node: NodeId,
    },
    /// What answers does not speak TLS 1.3 as a node does (network, operator).
    #[error("what answers there is not a node: {reason}")]
    Foreign {
        /// What TLS had to say.
        reason: rustls::Error,
    },
    /// The peer closed the connection without a word (peer).
    #[error("the peer closed the connection before its first answer")]
    Closed,
    /// The connection failed in another way (network).
    #[error("the connection broke: {source}")]
    Broken {
        /// What the operating system said.
        source: Arc<io::Error>,
    },
}

/// Every word of [`ConnectError::reason`].
pub const REASONS: [&str; 11] = [
    "dns",
    "refused",
    "unreachable",
    "timed_out",
    "proxy_unreachable",
    "proxy_refused",
    "intercepted",
    "not_trusted",
    "not_a_node",
    "closed",
    "broken",
];

impl ConnectError {
    /// A stable word for programs, one of [`REASONS`].
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Dns { .. } => "dns",
            Self::Refused { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut { .. } => "timed_out",
            Self::ProxyUnreachable { .. } => "proxy_unreachable",
            Self::Proxy { .. } => "proxy_refused",
            Self::Intercepted { .. } => "intercepted",
            Self::NotTrusted { .. } => "not_trusted",
            Self::Foreign { .. } => "not_a_node",
            Self::Closed => "closed",
            Self::Broken { .. } => "broken",
        }
    }

    /// The next step, for an administrator.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Dns { .. } => "check the endpoint on the peer's card and this machine's DNS",
            Self::Refused { .. } => {
                "the peer's node is stopped, or listens elsewhere: ask its administrator"
            }
            Self::Unreachable { .. } => "check this machine's network and routes",
            Self::TimedOut { .. } => {
                "a firewall may drop the packets: check that outbound connections are allowed, \
                 or set [outbound] proxy"
            }
            Self::ProxyUnreachable { .. } => "check [outbound] proxy in raccordo.toml",
            Self::Proxy { status: 407, .. } => {
                "the proxy wants a user: set [outbound] proxy_credentials_file"
            }
            Self::Proxy { status: 502..=504, .. } => {
                "the proxy cannot reach the peer: check the endpoint on the peer's card"
            }
            Self::Proxy { .. } => "ask the proxy's administrator to allow CONNECT to the peer",
            Self::Intercepted { .. } => {
                "a proxy or firewall opens TLS here, or the peer has a new card: exempt the \
                 peer from inspection, or ask its administrator for the new card"
            }
            Self::NotTrusted { .. } => {
                "the peer's administrator has to add and verify this node's card"
            }
            Self::Foreign { .. } => "check host and port of the endpoint on the peer's card",
            Self::Closed => "the peer is restarting or at its limit of connections: wait",
            Self::Broken { .. } => "the node keeps trying; check the network if it persists",
        }
    }

    pub(super) fn broken(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        match error.kind() {
            UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => Self::Closed,
            _ => Self::Broken { source: Arc::new(error) },
        }
    }
}

/// The [`ConnectError`] in an error's chain, such as that of a [`Status`].
pub fn explain<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ConnectError> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|error| error.downcast_ref())
}

/// Whether a status was made on this side because the connection failed.
///
/// Its code says little: a stream that breaks ends `Unknown`, the next call at times
/// `Cancelled`. What the server answered has no source.
pub fn is_transport(status: &Status) -> bool {
    status.source().is_some()
}

/// A connection to a peer on which the peer has already spoken.
pub type Dialled = PinnedStream<TlsStream<TcpStream>, PeerInfo>;

/// How to reach one node.
#[derive(Clone)]
pub struct Route {
    node: NodeId,
    server: HostPort,
    proxy: Option<Proxy>,
    identity: TlsIdentity,
    /// How often the server has refused this node's key.
    turns: Arc<AtomicUsize>,
    trusted: TrustedPins,
    patience: Duration,
}

impl Route {
    /// A route to `node` at `server`; a proxy resolves the name, not this node.
    ///
    /// `patience` bounds the whole: name, TCP, proxy, TLS and the server's first byte.
    ///
    /// # Errors
    /// [`IdentityError::Settings`].
    pub fn new(
        identity: &TlsIdentity,
        trusted: TrustedPins,
        node: NodeId,
        server: HostPort,
        proxy: Option<Proxy>,
        patience: Duration,
    ) -> Result<Self, IdentityError> {
        let (identity, turns) = (identity.clone(), Arc::default());
        let route = Self { node, server, proxy, identity, turns, trusted, patience };
        route.tls()?;
        Ok(route)
    }

    /// The settings of one connection, which tell the server the keys trusted now.
    fn tls(&self) -> Result<Arc<ClientConfig>, IdentityError> {
        self.identity.client(self.trusted.clone(), self.node.clone(), &self.turns)
    }

    /// Connects now; the channel dials again by itself at the next call after it broke.
    ///
    /// # Errors
    /// Why the first connection failed.
    pub async fn channel(&self) -> Result<Channel, ConnectError> {
        let connected = endpoint().connect_with_connector(self.connector()).await;
        connected.map_err(|error| match explain(&error) {
            Some(cause) => cause.clone(),
            None => ConnectError::broken(io::Error::other(error)),
        })
    }

    /// A channel that dials at its first call; [`explain`] finds in its status why it failed.
    pub fn lazy_channel(&self) -> Channel {
        endpoint().connect_with_connector_lazy(self.connector())
    }

    /// An authenticated connection on which the server has already spoken.
    ///
    /// # Errors
    /// Every variant of [`ConnectError`].
    pub async fn dial(&self) -> Result<Dialled, ConnectError> {
        let mut stage = Stage::Tcp;
        let dialled = timeout(self.patience, self.dial_patiently(&mut stage)).await;
        let patience = self.patience;
        dialled.unwrap_or(Err(ConnectError::TimedOut { patience, stage }))
    }

    fn connector(
        &self,
    ) -> impl tower::Service<
        Uri,
        Response = TokioIo<Dialled>,
        Error = ConnectError,
        Future = impl Future<Output = Result<TokioIo<Dialled>, ConnectError>> + Send + use<>,
    > + Send
    + use<> {
        let route = self.clone();
        tower::service_fn(move |_: Uri| {
            let route = route.clone();
            async move { route.dial().await.map(TokioIo::new) }
        })
    }

    async fn dial_patiently(&self, stage: &mut Stage) -> Result<Dialled, ConnectError> {
        let tcp = self.dial_tcp(stage).await?;
        let address = tcp.peer_addr().map_err(ConnectError::broken)?;
        *stage = Stage::Tls;
        // The name is sent to nobody and checked by nobody: the key is pinned.
        let name = ServerName::IpAddress(std::net::Ipv4Addr::UNSPECIFIED.into());
        let settings = self.tls().map_err(|error| ConnectError::broken(io::Error::other(error)))?;
        let handshake = TlsConnector::from(settings).connect(name, tcp).await;
        let mut tls = handshake.map_err(|error| self.tls_error(error))?;
        *stage = Stage::Admission;
        // In TLS 1.3 the client ends its handshake before the server has judged its key. An
        // HTTP/2 server speaks first (SETTINGS, RFC 9113 §3.4): its first byte is a yes.
        match tls.fill_buf().await {
            Ok([]) => Err(ConnectError::Closed),
            Ok(_) => self.pinned(tls, address),
            Err(error) => Err(self.tls_error(error)),
        }
    }

    async fn dial_tcp(&self, stage: &mut Stage) -> Result<TcpStream, ConnectError> {
        let Some(proxy) = &self.proxy else {
            return dial_tcp(&self.server).await;
        };
        let address = &proxy.url.0;
        let tcp = dial_tcp(address).await.map_err(|cause| {
            let (proxy, cause) = (address.clone(), Box::new(cause));
            ConnectError::ProxyUnreachable { proxy, cause }
        })?;
        *stage = Stage::Proxy;
        proxy.tunnel(tcp, &self.server).await
    }

    /// Ties the connection to the trust in the key that answered.
    fn pinned(
        &self,
        tls: TlsStream<TcpStream>,
        address: std::net::SocketAddr,
    ) -> Result<Dialled, ConnectError> {
        let session = tls.get_ref().1;
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let pin = certificate.and_then(|certificate| spki_digest(certificate).ok());
        let (Some(pin), Some(group)) = (pin, session.negotiated_key_exchange_group()) else {
            return Err(ConnectError::Closed);
        };
        let key_exchange = group.name();
        // Asked again: the trust may have ended during the handshake.
        let ours = |trusted: &Trusted| trusted.node == self.node && !trusted.expired;
        match self.trusted.find(pin).filter(ours) {
            Some(trusted) => {
                let (node, expired) = (trusted.node, false);
                let info = PeerInfo { node, pin, expired, key_exchange, address };
                Ok(PinnedStream::new(tls, info, trusted.cut))
            }
            None => Err(ConnectError::Intercepted { node: self.node.clone(), seen: pin }),
        }
    }

    /// Finds the TLS reason inside an IO error.
    fn tls_error(&self, error: io::Error) -> ConnectError {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(reason) = inner else {
            return ConnectError::broken(error);
        };
        let node = self.node.clone();
        match reason {
            rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
                match other.0.downcast_ref::<PinMismatch>() {
                    Some(PinMismatch { seen }) => ConnectError::Intercepted { node, seen: *seen },
                    None => ConnectError::Foreign { reason: reason.clone() },
                }
            }
            rustls::Error::AlertReceived(AlertDescription::AccessDenied) => {
                // Perhaps it knows an older card of this node, or only a newer one.
                self.turns.fetch_add(1, Ordering::Relaxed);
                ConnectError::NotTrusted { node }
            }
            _ => ConnectError::Foreign { reason: reason.clone() },
        }
    }
}

/// Written as `http` because the connector brings the TLS; the name is never resolved.
fn endpoint() -> Endpoint {
    Endpoint::from_static("http://node.raccordo.invalid")
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
}

async fn dial_tcp(address: &HostPort) -> Result<TcpStream, ConnectError> {
    let found = lookup_host((address.host.as_str(), address.port)).await;
    let found = found.map_err(|error| {
        let (host, source) = (address.host.clone(), Arc::new(error));
        ConnectError::Dns { host, source }
    })?;
    let addresses: Vec<_> = found.collect();
    let tcp = TcpStream::connect(addresses.as_slice()).await.map_err(|error| {
        use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
        let address = address.clone();
        match error.kind() {
            ConnectionRefused => ConnectError::Refused { address },
            HostUnreachable | NetworkUnreachable => ConnectError::Unreachable { address },
            _ => ConnectError::broken(error),
        }
    })?;
    // Small frames must not wait for acknowledgements; without it the stream still works.
    let _ = tcp.set_nodelay(true);
    Ok(tcp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_listed() {
        let address: HostPort = "hub.example.org:7443".parse().unwrap();
        let node: NodeId = "relay".parse().unwrap();
        let source = Arc::new(io::Error::other("no"));
        let all = [
            ConnectError::Dns { host: address.host.clone(), source: source.clone() },
            ConnectError::Refused { address: address.clone() },
            ConnectError::Unreachable { address: address.clone() },
            ConnectError::TimedOut { patience: Duration::from_secs(1), stage: Stage::Tcp },
            ConnectError::ProxyUnreachable {
                proxy: address.clone(),
                cause: Box::new(ConnectError::Closed),
            },
            ConnectError::Proxy { proxy: address, status: 407 },
            ConnectError::Intercepted { node: node.clone(), seen: Digest::of(b"key") },
            ConnectError::NotTrusted { node },
            ConnectError::Foreign { reason: rustls::Error::HandshakeNotComplete },
            ConnectError::Closed,
            ConnectError::Broken { source },
        ];
        assert_eq!(all.map(|error| error.reason()), REASONS);
    }
}
