//! What calls and streams cost over the node's own transport: mutual TLS, pinned keys.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use raccordo_core::id::NodeId;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_node::entropy::SystemEntropy;
use raccordo_node::transport::accept::{AcceptLimits, Gate};
use raccordo_node::transport::connect::Route;
use raccordo_node::transport::identity::{TlsIdentity, TlsKey};
use raccordo_node::transport::limits::server;
use raccordo_node::transport::pin::TrustedPins;
use raccordo_proto::hub::v1::LogEntry;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::http::{Request as HttpRequest, Response as HttpResponse};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::measure::{Samples, Spread, micros, own_cpu};

const LENGTH: Duration = Duration::from_secs(2);
const BODY_BYTES: usize = 1536;
/// Calls at once.
const AT_ONCE: usize = 64;
/// Messages of one stream.
const STREAMED: u64 = 100_000;
/// Messages that are pushed one by one.
const PUSHED: u64 = 2_000;
const STREAMS_MAX: u32 = 128;
const PATIENCE: Duration = Duration::from_secs(10);

const CALL: &str = "/bench.Cost/Call";
const STREAM: &str = "/bench.Cost/Stream";
const PUSH: &str = "/bench.Cost/Push";

/// CPU times are of both ends together, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct RpcCosts {
    /// One call alone, on the wall.
    pub(crate) unary: Spread,
    /// Of one call among 64.
    pub(crate) unary_cpu_us: f64,
    /// From one end of an open stream to the other, on the wall.
    pub(crate) push: Spread,
    /// Of one message of a stream.
    pub(crate) stream_cpu_us: f64,
}

/// Answers calls, and streams as many messages as it is asked for.
#[derive(Clone)]
struct Cost {
    pushes: Arc<Mutex<Option<mpsc::Receiver<LogEntry>>>>,
}

impl NamedService for Cost {
    const NAME: &'static str = "bench.Cost";
}

type Messages = std::pin::Pin<Box<dyn Stream<Item = Result<LogEntry, Status>> + Send>>;

impl Cost {
    fn messages(&self, path: &str, count: u64) -> Messages {
        if path != PUSH {
            return Box::pin(tokio_stream::iter((0..count).map(|_| Ok(message(0)))));
        }
        let taken = self.pushes.lock().unwrap_or_else(PoisonError::into_inner).take();
        match taken {
            Some(pushes) => Box::pin(ReceiverStream::new(pushes).map(Ok)),
            None => Box::pin(tokio_stream::empty()),
        }
    }
}

impl Service<HttpRequest<Body>> for Cost {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        let cost = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<LogEntry, LogEntry>::default());
            if path == CALL {
                let answer = service_fn(|_: Request<LogEntry>| async {
                    Ok::<_, Status>(Response::new(LogEntry::default()))
                });
                return Ok(grpc.unary(answer, request).await);
            }
            let answer = service_fn(move |asked: Request<LogEntry>| {
                let messages = cost.messages(&path, asked.into_inner().sequence);
                async { Ok::<_, Status>(Response::new(messages)) }
            });
            Ok(grpc.server_streaming(answer, request).await)
        })
    }
}

fn message(sequence: u64) -> LogEntry {
    LogEntry { sequence, payload: vec![7; BODY_BYTES], ..LogEntry::default() }
}

/// Measures.
///
/// # Errors
/// The loopback's.
pub(crate) async fn costs() -> anyhow::Result<RpcCosts> {
    let (sender, receiver) = mpsc::channel(1);
    let channel = connected(Cost { pushes: Arc::new(Mutex::new(Some(receiver))) }).await?;
    let (unary, _) = calls(&channel, 1).await?;
    let (_, unary_cpu_us) = calls(&channel, AT_ONCE).await?;
    let stream_cpu_us = streamed(&channel).await?;
    let push = pushed(&channel, sender).await?;
    Ok(RpcCosts { unary, unary_cpu_us, push, stream_cpu_us })
}

async fn connected(cost: Cost) -> anyhow::Result<Channel> {
    let (hub, member): (NodeId, NodeId) = ("relay".parse()?, "toscana".parse()?);
    let (at_hub, at_member) = (identity(&hub)?, identity(&member)?);
    let (by_hub, by_member) = (TrustedPins::new(), TrustedPins::new());
    by_hub.trust(at_member.spki_digest(), member);
    by_member.trust(at_hub.spki_digest(), hub.clone());
    let limits = AcceptLimits {
        handshake: PATIENCE,
        pending_handshakes: 4,
        connections: 4,
        connections_per_peer: 4,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string().parse()?;
    let gate = Gate::for_peers("bench", &at_hub, by_hub, limits)?;
    let incoming = gate.accept(listener, CancellationToken::new());
    tokio::spawn(server(STREAMS_MAX).add_service(cost).serve_with_incoming(incoming));
    Ok(Route::new(&at_member, by_member, hub, address, None, PATIENCE)?.channel().await?)
}

fn identity(node: &NodeId) -> anyhow::Result<TlsIdentity> {
    let key = TlsKey::for_peers(node, &IdentityKey::random(&SystemEntropy::open()?))?;
    Ok(TlsIdentity::from_parts(&key.pkcs8, &key.certificate)?)
}

async fn call(grpc: &mut Grpc<Channel>) -> anyhow::Result<()> {
    grpc.ready().await?;
    let codec = ProstCodec::<LogEntry, LogEntry>::default();
    let request = Request::new(message(0));
    grpc.unary(request, PathAndQuery::from_static(CALL), codec).await?;
    Ok(())
}

async fn calls(channel: &Channel, at_once: usize) -> anyhow::Result<(Spread, f64)> {
    let (start, cpu) = (Instant::now(), own_cpu()?);
    let mut callers = JoinSet::new();
    for _ in 0..at_once {
        let mut grpc = Grpc::new(channel.clone());
        callers.spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < LENGTH {
                let begin = Instant::now();
                call(&mut grpc).await?;
                times.push(begin.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut samples = Samples::default();
    let mut count = 0_u32;
    while let Some(times) = callers.join_next().await {
        for time in times?? {
            samples.add(time);
            count += 1;
        }
    }
    let spent = own_cpu()?.saturating_sub(cpu);
    Ok((samples.spread(), micros(spent) / f64::from(count.max(1))))
}

async fn open(
    channel: &Channel,
    path: &'static str,
    count: u64,
) -> anyhow::Result<tonic::Streaming<LogEntry>> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await?;
    let codec = ProstCodec::<LogEntry, LogEntry>::default();
    let request = Request::new(LogEntry { sequence: count, ..LogEntry::default() });
    let path = PathAndQuery::from_static(path);
    Ok(grpc.server_streaming(request, path, codec).await?.into_inner())
}

async fn streamed(channel: &Channel) -> anyhow::Result<f64> {
    let cpu = own_cpu()?;
    let mut stream = open(channel, STREAM, STREAMED).await?;
    let mut count = 0.0;
    while stream.message().await?.is_some() {
        count += 1.0;
    }
    Ok(micros(own_cpu()?.saturating_sub(cpu)) / count)
}

async fn pushed(channel: &Channel, sender: mpsc::Sender<LogEntry>) -> anyhow::Result<Spread> {
    let mut stream = open(channel, PUSH, 0).await?;
    let mut samples = Samples::default();
    for sequence in 0..PUSHED {
        let begin = Instant::now();
        sender.send(message(sequence)).await?;
        stream.message().await?.context("the stream ended")?;
        samples.add(begin.elapsed());
    }
    Ok(samples.spread())
}
