//! Serves pages, metrics and health over HTTP/1.1, bounded in time and connections.
//!
//! A connection that has asked for nothing yet waits among few, and one more ends the one that
//! has waited longest: refusing the newest would let a few silent connections lock everybody
//! out. Headers and whole requests must come in time; what is answered may stream.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt as _, service_fn};

use super::accept::{ACCEPT_RETRY_DELAY, AcceptLimits, Place, Places, refused};

/// Largest headers of a request, in bytes.
const HEADER_BYTES_MAX: usize = 32 * 1024;

/// What a listener of pages allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimits {
    /// Of the connections: `handshake` is until the headers of a request have come, also of the
    /// next one on the same connection; `pending_handshakes` are connections that have asked
    /// for nothing yet. Connections from this machine share no limit per peer: a web server
    /// there brings everybody's.
    pub accept: AcceptLimits,
    /// Until a whole request has come and its answer begins.
    pub request: Duration,
}

/// Serves until `stop` is cancelled, and then until what is under way has ended. Handlers find
/// the other end in `ConnectInfo<SocketAddr>`.
///
/// # Errors
/// Never: what fails is one connection's.
pub async fn serve(
    name: &'static str,
    listener: TcpListener,
    router: Router,
    limits: PageLimits,
    stop: CancellationToken,
) -> io::Result<()> {
    let places = Places::new(name, limits.accept);
    let mut connections = JoinSet::new();
    let mut silent: VecDeque<Silent> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stop.cancelled() => break,
        };
        let (tcp, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(listener = name, %error, "cannot accept a connection");
                sleep(ACCEPT_RETRY_DELAY).await;
                continue;
            }
        };
        make_room(name, &mut silent, limits.accept.pending_handshakes);
        let Some(place) = place(&places, address) else {
            refused(name, "too_many");
            continue;
        };
        let has_asked = Arc::new(AtomicBool::new(false));
        let connection = Connection {
            address,
            router: router.clone(),
            limits,
            has_asked: has_asked.clone(),
            stop: stop.clone(),
        };
        let task = connections.spawn(connection.serve(tcp, place));
        silent.push_back(Silent { task, has_asked });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// A connection that may have asked for nothing yet.
struct Silent {
    task: AbortHandle,
    has_asked: Arc<AtomicBool>,
}

/// Ends the oldest silent connection when there are too many.
fn make_room(name: &'static str, silent: &mut VecDeque<Silent>, most: usize) {
    if silent.len() < most {
        return;
    }
    silent.retain(|one| !one.task.is_finished() && !one.has_asked.load(Ordering::Relaxed));
    if silent.len() >= most
        && let Some(oldest) = silent.pop_front()
    {
        oldest.task.abort();
        refused(name, "evicted");
    }
}

fn place(places: &Arc<Places>, address: SocketAddr) -> Option<Place> {
    match address.ip().to_canonical() {
        here if here.is_loopback() => places.take_unshared(),
        other => places.take(&other.to_string()),
    }
}

/// One connection.
struct Connection {
    address: SocketAddr,
    router: Router,
    limits: PageLimits,
    has_asked: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Connection {
    async fn serve(self, tcp: TcpStream, place: Place) {
        let Self { address, router, limits, has_asked, stop } = self;
        // Small answers must not wait for acknowledgements; without it the stream still works.
        let _ = tcp.set_nodelay(true);
        let answer = service_fn(move |request: http::Request<_>| {
            has_asked.store(true, Ordering::Relaxed);
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(address));
            let answered = timeout(limits.request, router.clone().oneshot(request));
            async move { Ok::<Response, Infallible>(in_time(answered.await)) }
        });
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.accept.handshake)
            .max_buf_size(HEADER_BYTES_MAX);
        let served = builder.serve_connection(TokioIo::new(tcp), TowerToHyperService::new(answer));
        let mut served = std::pin::pin!(served);
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = stop.cancelled() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%address, %error, "a connection ended early");
        }
        drop(place);
    }
}

fn in_time(
    answered: Result<Result<Response, Infallible>, tokio::time::error::Elapsed>,
) -> Response {
    match answered {
        Ok(Ok(answer)) => answer,
        Ok(Err(never)) => match never {},
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn limits() -> PageLimits {
        let accept = AcceptLimits {
            handshake: PATIENCE * 100,
            pending_handshakes: 4,
            connections: 8,
            connections_per_peer: 2,
        };
        PageLimits { accept, request: PATIENCE * 100 }
    }

    /// Where pages are served until the token is cancelled.
    async fn served(limits: PageLimits) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router =
            Router::new()
                .route(
                    "/",
                    get(|ConnectInfo(from): ConnectInfo<SocketAddr>| async move {
                        from.ip().to_string()
                    }),
                )
                .route("/form", post(|text: String| async move { text }));
        let stop = CancellationToken::new();
        tokio::spawn(serve("desk", listener, router, limits, stop.clone()));
        (address, stop)
    }

    async fn answered(tcp: &mut TcpStream) -> String {
        let mut text = String::new();
        timeout(PATIENCE, tcp.read_to_string(&mut text)).await.unwrap().unwrap();
        text
    }

    async fn ask(tcp: &mut TcpStream) -> String {
        tcp.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        answered(tcp).await
    }

    async fn is_closed(tcp: &mut TcpStream) -> bool {
        let mut byte = [0];
        let read = timeout(PATIENCE, tcp.read(&mut byte)).await.unwrap();
        matches!(read, Ok(0) | Err(_))
    }

    #[tokio::test]
    async fn pages_come_with_the_other_end() {
        let (address, _stop) = served(limits()).await;
        let mut tcp = TcpStream::connect(address).await.unwrap();
        let answer = ask(&mut tcp).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
    }

    #[tokio::test]
    async fn headers_that_do_not_come_end_the_connection() {
        let mut limits = limits();
        limits.accept.handshake = Duration::from_millis(200);
        let (address, _stop) = served(limits).await;
        let mut silent = TcpStream::connect(address).await.unwrap();
        assert!(is_closed(&mut silent).await, "it said nothing");
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow").await.unwrap();
        let text = answered(&mut slow).await;
        assert!(!text.starts_with("HTTP/1.1 200"), "its headers did not end: {text}");
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let text = answered(&mut idle).await;
        assert!(text.ends_with("127.0.0.1"), "it asked once, and then nothing: {text}");
    }

    #[tokio::test]
    async fn a_request_that_does_not_come_whole_is_answered_in_time() {
        let limits = PageLimits { request: Duration::from_millis(200), ..limits() };
        let (address, _stop) = served(limits).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        let head = b"POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nslow";
        slow.write_all(head).await.unwrap();
        let text = answered(&mut slow).await;
        assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    }

    #[tokio::test]
    async fn silent_connections_lock_nobody_out() {
        let (address, _stop) = served(limits()).await;
        let mut silent = Vec::new();
        for _ in 0..20 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut tcp = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut tcp).await.starts_with("HTTP/1.1 200"));
        assert!(is_closed(&mut silent[0]).await, "the oldest was not ended");
    }

    #[tokio::test]
    async fn there_are_only_so_many_connections() {
        let (address, _stop) = served(limits()).await;
        let mut open = Vec::new();
        for _ in 0..8 {
            let mut tcp = TcpStream::connect(address).await.unwrap();
            tcp.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut begun = [0; 12];
            timeout(PATIENCE, tcp.read_exact(&mut begun)).await.unwrap().unwrap();
            assert_eq!(&begun, b"HTTP/1.1 200");
            open.push(tcp);
        }
        let mut one_more = TcpStream::connect(address).await.unwrap();
        assert!(is_closed(&mut one_more).await);
        drop(open.pop());
        let mut after = String::new();
        while !after.starts_with("HTTP/1.1 200") {
            // The place is free once the node has seen the end of the other one.
            let mut tcp = TcpStream::connect(address).await.unwrap();
            let _ = tcp.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            after.clear();
            let _ = timeout(PATIENCE, tcp.read_to_string(&mut after)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn it_ends_when_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = serve("desk", listener, Router::new(), limits(), stop.clone());
        let serving = tokio::spawn(serving);
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut begun = [0; 12];
        timeout(PATIENCE, idle.read_exact(&mut begun)).await.unwrap().unwrap();
        stop.cancel();
        timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
