//! Accepts TLS connections, bounded in time, handshakes and connections.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::identity::{IdentityError, TlsIdentity};
use super::pin::{Trusted, TrustedPins, spki_digest};
use super::stream::{ClientInfo, PeerInfo, PinnedStream};
use crate::telemetry::{CONNECTIONS_OPEN, CONNECTIONS_REFUSED};

/// Pause after the operating system could give no connection (descriptors used up).
pub(super) const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(10);

/// Authenticated connections that wait for the server to take them.
const READY_MAX: usize = 16;

/// What a listener allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptLimits {
    /// Longest handshake.
    pub handshake: Duration,
    /// Handshakes under way at once; one more ends the oldest of them.
    pub pending_handshakes: usize,
    /// Connections at once; more are closed after their handshake.
    pub connections: usize,
    /// Connections at once of one peer, or of one address where clients show no key.
    pub connections_per_peer: usize,
}

/// Who may pass a gate, and what handlers learn of them.
pub trait Admission: Send + Sync + 'static {
    /// Put into the extensions of each request.
    type Info: Clone + Send + Sync + Unpin + 'static;

    /// Judges a finished handshake; none refuses it.
    fn admit(&self, session: &ServerConnection, address: SocketAddr) -> Option<Pass<Self::Info>>;
}

/// What an admitted connection goes on with.
pub struct Pass<I> {
    /// What handlers learn.
    pub info: I,
    /// Ends the connection when cancelled.
    pub cut: CancellationToken,
    /// Connections with the same name share the limit per peer.
    pub counted_as: String,
}

/// Admits nodes whose key is trusted.
pub struct Peers(TrustedPins);

impl Admission for Peers {
    type Info = PeerInfo;

    fn admit(&self, session: &ServerConnection, address: SocketAddr) -> Option<Pass<PeerInfo>> {
        let pin = spki_digest(session.peer_certificates()?.first()?).ok()?;
        let key_exchange = session.negotiated_key_exchange_group()?.name();
        // Asked again: the trust may have ended during the handshake.
        let trusted = self.0.find(pin)?;
        let counted_as = trusted.node.to_string();
        let Trusted { node, cut, expired } = trusted;
        let info = PeerInfo { node, pin, expired, key_exchange, address };
        Some(Pass { info, cut, counted_as })
    }
}

/// Admits every client; its calls are judged one by one.
pub struct Clients;

impl Admission for Clients {
    type Info = ClientInfo;

    fn admit(&self, session: &ServerConnection, address: SocketAddr) -> Option<Pass<ClientInfo>> {
        let key_exchange = session.negotiated_key_exchange_group()?.name();
        let info = ClientInfo { key_exchange, address };
        let (cut, counted_as) = (CancellationToken::new(), address.ip().to_string());
        Some(Pass { info, cut, counted_as })
    }
}

/// A connection that passed.
pub type Admitted<I> = PinnedStream<TlsStream<TcpStream>, I>;

/// What passed, for tonic's `serve_with_incoming`.
pub type Incoming<I> = ReceiverStream<io::Result<Admitted<I>>>;

/// Turns TCP connections into admitted TLS connections.
pub struct Gate<A> {
    /// Names the listener in metrics and logs.
    listener: &'static str,
    tls: Arc<ServerConfig>,
    admission: A,
    limits: AcceptLimits,
    places: Arc<Places>,
}

impl Gate<Peers> {
    /// Lets nodes in whose key is trusted (mutual TLS).
    ///
    /// # Errors
    /// [`IdentityError::Settings`].
    pub fn for_peers(
        listener: &'static str,
        identity: &TlsIdentity,
        trusted: TrustedPins,
        limits: AcceptLimits,
    ) -> Result<Self, IdentityError> {
        let tls = identity.peer_server(trusted.clone())?;
        Ok(Self::new(listener, tls, Peers(trusted), limits))
    }
}

impl Gate<Clients> {
    /// Lets everybody in; only the server shows a certificate.
    ///
    /// # Errors
    /// [`IdentityError::Settings`].
    pub fn for_clients(
        listener: &'static str,
        identity: &TlsIdentity,
        limits: AcceptLimits,
    ) -> Result<Self, IdentityError> {
        Ok(Self::new(listener, identity.open_server()?, Clients, limits))
    }
}

impl<A: Admission> Gate<A> {
    fn new(
        listener: &'static str,
        tls: Arc<ServerConfig>,
        admission: A,
        limits: AcceptLimits,
    ) -> Self {
        let places = Places::new(listener, limits);
        Self { listener, tls, admission, limits, places }
    }

    /// Accepts until `stop` is cancelled or the returned stream is dropped; handshakes under
    /// way end with it, admitted connections do not.
    pub fn accept(self, listener: TcpListener, stop: CancellationToken) -> Incoming<A::Info> {
        let (sender, receiver) = mpsc::channel(READY_MAX);
        tokio::spawn(Arc::new(self).run(listener, sender, stop));
        ReceiverStream::new(receiver)
    }

    async fn run(
        self: Arc<Self>,
        listener: TcpListener,
        sender: mpsc::Sender<io::Result<Admitted<A::Info>>>,
        stop: CancellationToken,
    ) {
        let mut handshakes = JoinSet::new();
        let mut pending = VecDeque::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = handshakes.join_next() => continue,
                () = sender.closed() => return,
                () = stop.cancelled() => return,
            };
            let (tcp, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(listener = self.listener, %error, "cannot accept a connection");
                    sleep(ACCEPT_RETRY_DELAY).await;
                    continue;
                }
            };
            self.make_room(&mut pending);
            let (gate, sender) = (self.clone(), sender.clone());
            pending.push_back(handshakes.spawn(async move {
                if let Some(stream) = gate.pass(tcp, address).await {
                    // The receiver is gone only when the server stops.
                    let _ = sender.send(Ok(stream)).await;
                }
            }));
        }
    }

    /// Ends the oldest handshake when there are too many.
    ///
    /// Refusing the newest would let a few silent connections lock every member out.
    fn make_room(&self, pending: &mut VecDeque<AbortHandle>) {
        if pending.len() < self.limits.pending_handshakes {
            return;
        }
        pending.retain(|handshake| !handshake.is_finished());
        if pending.len() >= self.limits.pending_handshakes
            && let Some(oldest) = pending.pop_front()
        {
            oldest.abort();
            refused(self.listener, "evicted");
        }
    }

    async fn pass(&self, tcp: TcpStream, address: SocketAddr) -> Option<Admitted<A::Info>> {
        // Small frames must not wait for acknowledgements; without it the stream still works.
        let _ = tcp.set_nodelay(true);
        let handshake = TlsAcceptor::from(self.tls.clone()).accept(tcp);
        let tls = match timeout(self.limits.handshake, handshake).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => {
                tracing::debug!(listener = self.listener, %address, %error, "handshake failed");
                refused(self.listener, "handshake");
                return None;
            }
            Err(_) => {
                refused(self.listener, "timed_out");
                return None;
            }
        };
        let Some(pass) = self.admission.admit(tls.get_ref().1, address) else {
            refused(self.listener, "not_admitted");
            return None;
        };
        let Some(place) = self.places.take(&pass.counted_as) else {
            tracing::warn!(
                listener = self.listener,
                peer = pass.counted_as,
                "refused a connection: too many"
            );
            refused(self.listener, "too_many");
            return None;
        };
        Some(PinnedStream::new(tls, pass.info, pass.cut).holding(place))
    }
}

/// Counts a connection that was turned away.
pub(super) fn refused(listener: &'static str, cause: &'static str) {
    metrics::counter!(CONNECTIONS_REFUSED.name, "listener" => listener, "cause" => cause)
        .increment(1);
}

/// The connections that a listener has open, by who holds them.
pub(super) struct Places {
    listener: &'static str,
    limits: AcceptLimits,
    taken: Mutex<BTreeMap<String, usize>>,
}

impl Places {
    pub(super) fn new(listener: &'static str, limits: AcceptLimits) -> Arc<Self> {
        Arc::new(Self { listener, limits, taken: Mutex::default() })
    }

    /// A place, or none when all, or all of `holder`, are taken.
    pub(super) fn take(self: &Arc<Self>, holder: &str) -> Option<Place> {
        self.take_of(holder, self.limits.connections_per_peer)
    }

    /// A place of those who share no limit, or none when all are taken.
    pub(super) fn take_unshared(self: &Arc<Self>) -> Option<Place> {
        self.take_of("", usize::MAX)
    }

    fn take_of(self: &Arc<Self>, holder: &str, most: usize) -> Option<Place> {
        let mut taken = self.lock();
        let own = taken.get(holder).copied().unwrap_or(0);
        let all: usize = taken.values().sum();
        if own >= most || all >= self.limits.connections {
            return None;
        }
        taken.insert(holder.to_owned(), own + 1);
        self.report(all + 1);
        Some(Place { places: self.clone(), holder: holder.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        // A poisoned count is still whole: each change is one step.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, open: usize) {
        metrics::gauge!(CONNECTIONS_OPEN.name, "listener" => self.listener).set(open as f64);
    }
}

/// One counted connection.
pub(super) struct Place {
    places: Arc<Places>,
    holder: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(own) = taken.get_mut(&self.holder) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(&self.holder);
            }
        }
        self.places.report(taken.values().sum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, connections_per_peer: usize) -> Arc<Places> {
        let limits = AcceptLimits {
            handshake: Duration::from_secs(1),
            pending_handshakes: 1,
            connections,
            connections_per_peer,
        };
        Places::new("hub", limits)
    }

    #[test]
    fn one_peer_cannot_take_every_place() {
        let places = places(3, 2);
        let _held = [places.take("a").unwrap(), places.take("a").unwrap()];
        assert!(places.take("a").is_none());
        assert!(places.take("b").is_some());
    }

    #[test]
    fn a_closed_connection_frees_its_place() {
        let places = places(1, 1);
        let held = places.take("a").unwrap();
        assert!(places.take("b").is_none());
        drop(held);
        assert!(places.take("b").is_some());
        assert!(places.lock().is_empty());
    }
}
