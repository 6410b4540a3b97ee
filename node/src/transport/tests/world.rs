//! A hub on loopback, a member that may call it, and proxies between them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use raccordo_core::id::{Digest, NodeId};
use raccordo_core::trust::keys::IdentityKey;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::service::interceptor::InterceptedService;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::entropy::SystemEntropy;
use crate::transport::accept::{AcceptLimits, Admission, Gate};
use crate::transport::address::HostPort;
use crate::transport::connect::Route;
use crate::transport::identity::{TlsIdentity, TlsKey};
use crate::transport::limits::{MetadataLimit, server};
use crate::transport::pin::TrustedPins;
use crate::transport::proxy::{Proxy, ProxyUrl};

/// Long enough for a busy machine; only a test that fails waits for it to pass.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Fails instead of waiting for ever.
pub async fn within<T>(awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, awaited).await.expect("it should have come long ago")
}

/// Limits that are not reached.
pub const WIDE: AcceptLimits = AcceptLimits {
    handshake: Duration::from_secs(3600),
    pending_handshakes: 16,
    connections: 16,
    connections_per_peer: 16,
};

/// Largest metadata that the hub takes.
pub const METADATA_BYTES: usize = 512;

pub fn node(id: &str) -> NodeId {
    id.parse().unwrap()
}

/// A key that nobody has had before.
pub fn fresh_key(id: &str) -> TlsKey {
    let key = IdentityKey::random(&SystemEntropy::open().unwrap());
    TlsKey::for_peers(&node(id), &key).unwrap()
}

pub fn identity(id: &str) -> TlsIdentity {
    let key = fresh_key(id);
    TlsIdentity::from_parts(&key.pkcs8, &key.certificate).unwrap()
}

/// Trusts each pin as the named node's.
pub fn trusting(pins: &[(&str, Digest)]) -> TrustedPins {
    let trusted = TrustedPins::new();
    pins.iter().for_each(|(id, pin)| trusted.trust(*pin, node(id)));
    trusted
}

pub fn local(address: SocketAddr) -> HostPort {
    address.to_string().parse().unwrap()
}

/// Serves health behind a gate; what handlers learn of a caller goes to the receiver.
pub async fn serve<A: Admission>(gate: Gate<A>) -> (SocketAddr, mpsc::Receiver<A::Info>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, callers) = mpsc::channel();
    let health = HealthServer::new(HealthService::from_health_reporter(HealthReporter::new()));
    let told = move |request: Request<()>| {
        // A test that does not look at its callers has dropped the receiver.
        let _ = sender.send(request.extensions().get::<A::Info>().unwrap().clone());
        Ok(request)
    };
    let health = InterceptedService::new(health, MetadataLimit(METADATA_BYTES));
    let incoming = gate.accept(listener, CancellationToken::new());
    let serving = server(8).add_service(InterceptedService::new(health, told));
    tokio::spawn(serving.serve_with_incoming(incoming));
    (address, callers)
}

/// A hub `relay` and a member `toscana` that trust each other.
pub struct World {
    pub hub: TlsIdentity,
    pub member: TlsIdentity,
    /// What the hub trusts.
    pub by_hub: TrustedPins,
    /// What the member trusts.
    pub by_member: TrustedPins,
    pub address: SocketAddr,
    pub callers: mpsc::Receiver<super::PeerInfo>,
}

impl World {
    pub async fn start(limits: AcceptLimits) -> Self {
        let (hub, member) = (identity("relay"), identity("toscana"));
        let by_hub = trusting(&[("toscana", member.spki_digest())]);
        let by_member = trusting(&[("relay", hub.spki_digest())]);
        let gate = Gate::for_peers("hub", &hub, by_hub.clone(), limits).unwrap();
        let (address, callers) = serve(gate).await;
        Self { hub, member, by_hub, by_member, address, callers }
    }

    /// The member's route to its hub.
    pub fn route(&self) -> Route {
        self.route_by(None, local(self.address), PATIENCE)
    }

    /// The member's route through a proxy.
    pub fn through(&self, proxy: Proxy) -> Route {
        self.route_by(Some(proxy), local(self.address), PATIENCE)
    }

    pub fn route_by(&self, proxy: Option<Proxy>, server: HostPort, patience: Duration) -> Route {
        let trusted = self.by_member.clone();
        Route::new(&self.member, trusted, node("relay"), server, proxy, patience).unwrap()
    }
}

/// What a proxy does after CONNECT.
#[derive(Clone)]
pub enum Manner {
    /// Passes bytes on, if the request has this header line.
    Tunnel { wanted: &'static str },
    /// Answers with this status.
    Refuse(u16),
    /// Answers the TLS handshake itself.
    Intercept(Arc<ServerConfig>),
    /// Says nothing.
    Silent,
}

/// Starts a proxy without credentials.
pub async fn proxy(manner: Manner) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = ProxyUrl(local(listener.local_addr().unwrap()));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(handle(client, manner.clone()));
        }
    });
    Proxy { url, credentials: None }
}

async fn handle(mut client: TcpStream, manner: Manner) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap();
    match manner {
        Manner::Tunnel { wanted } if head.contains(wanted) => {
            let mut server = TcpStream::connect(target).await?;
            client.write_all(b"HTTP/1.1 200 OK\r\nVia: test\r\n\r\n").await?;
            copy_bidirectional(&mut client, &mut server).await.map(drop)
        }
        Manner::Tunnel { .. } => answer(client, 407).await,
        Manner::Refuse(status) => answer(client, status).await,
        Manner::Intercept(tls) => {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            TlsAcceptor::from(tls).accept(client).await.map(drop)
        }
        Manner::Silent => std::future::pending().await,
    }
}

async fn answer(mut client: TcpStream, status: u16) -> std::io::Result<()> {
    client.write_all(format!("HTTP/1.1 {status} No\r\n\r\n").as_bytes()).await
}
