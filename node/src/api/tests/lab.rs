//! A node in memory, and channels to its three listeners.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use hyper_util::rt::TokioIo;
use raccordo_core::id::Digest;
use rustls::NamedGroup;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint};

use crate::api::serve::{Services, admin_router, casework_router, hub_router};
use crate::app::Node;
use crate::app::lab;
use crate::transport::limits::CallLimits;
use crate::transport::stream::{PeerInfo, PinnedStream};
use crate::transport::unix::AllowedUids;

/// Long enough for a busy machine; only a test that fails waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// What each listener allows.
pub const LIMITS: CallLimits = CallLimits { streams: 8, metadata_bytes: 1000 };

/// Fails instead of waiting for ever.
pub async fn within<T>(awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, awaited).await.expect("it should have come long ago")
}

/// The node `relay`, which is a hub.
pub struct Lab {
    pub node: Arc<Node>,
    pub stop: CancellationToken,
}

impl Lab {
    pub async fn new() -> Self {
        let node = lab::node("relay", Some("relay.example:7443")).await;
        Self { node, stop: CancellationToken::new() }
    }

    pub async fn admin(&self, users: AllowedUids) -> Channel {
        let router =
            admin_router(self.node.clone(), users, LIMITS, self.stop.clone()).await.unwrap();
        let (near, far) = UnixStream::pair().unwrap();
        serve(router, far);
        channel(near).await
    }

    pub async fn casework(&self) -> Channel {
        let router = casework_router(self.node.clone(), LIMITS, self.stop.clone()).await.unwrap();
        let (near, far) = UnixStream::pair().unwrap();
        serve(router, far);
        channel(near).await
    }

    /// A connection on which `toscana` has proved its key.
    pub async fn hub(&self) -> Channel {
        self.hub_to(false).await
    }

    /// The same with a card that has expired, or has not.
    pub async fn hub_to(&self, expired: bool) -> Channel {
        let router = hub_router(self.node.clone(), LIMITS, self.stop.clone()).await.unwrap();
        let (near, far) = tokio::io::duplex(64 * 1024);
        let info = PeerInfo {
            node: "toscana".parse().unwrap(),
            pin: Digest([9; 32]),
            expired,
            key_exchange: NamedGroup::X25519MLKEM768,
            address: ([127, 0, 0, 1], 1).into(),
        };
        serve(router, PinnedStream::new(far, info, CancellationToken::new()));
        channel(near).await
    }
}

/// This process's own user.
pub fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn serve<IO>(router: Services, connection: IO)
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    // The end of the connections would be the end of the server.
    let incoming = stream::iter([Ok::<_, std::io::Error>(connection)]).chain(stream::pending());
    tokio::spawn(router.serve_with_incoming_shutdown(incoming, std::future::pending()));
}

async fn channel(near: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Channel {
    let near = Mutex::new(Some(TokioIo::new(near)));
    let dial = tower::service_fn(move |_| {
        let near = near.lock().unwrap().take();
        async move { near.ok_or_else(|| std::io::Error::other("dialled twice")) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(dial).await.unwrap()
}
