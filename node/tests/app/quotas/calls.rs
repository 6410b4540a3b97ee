//! What a caller has under way at a listener: real calls over connections in this process.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, FuturesUnordered, Stream, StreamExt as _};
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper_util::rt::TokioIo;
use raccordo_core::id::{Digest, NodeId};
use raccordo_core::quota::Quota;
use raccordo_node::api::serve::{Services, casework_router, hub_router};
use raccordo_node::transport::limits::CallLimits;
use raccordo_node::transport::stream::{ClientInfo, PeerInfo, PinnedStream};
use raccordo_proto::casework::v1 as casework;
use raccordo_proto::casework::v1::casework_service_client::CaseworkServiceClient;
use raccordo_proto::hub::v1 as proto;
use raccordo_proto::hub::v1::hub_service_client::HubServiceClient;
use rustls::NamedGroup;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::ServiceExt as _;

use super::{Crowd, assert_named};
use crate::bench::{Relay, Toscana, Umbria};

/// Only a test that fails waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);
const LIMITS: CallLimits = CallLimits { streams: 1_024, metadata_bytes: 1_000 };

const CONFIRM: &str = "/raccordo.hub.v1.HubService/Confirm";
const POST: &str = "/raccordo.hub.v1.HubService/Post";
const WHO_AM_I: &str = "/raccordo.casework.v1.CaseworkService/WhoAmI";
const WATCH: &str = "/raccordo.casework.v1.CaseworkService/WatchAlerts";

/// A listener of the relay, and connections to it in this process.
struct Listener<I> {
    crowd: Crowd,
    connections: mpsc::UnboundedSender<io::Result<PinnedStream<DuplexStream, I>>>,
}

impl<I: Clone + Send + Sync + Unpin + 'static> Listener<I> {
    fn serve(crowd: Crowd, services: Services) -> Self {
        let (connections, incoming) = mpsc::unbounded_channel();
        let incoming = UnboundedReceiverStream::new(incoming);
        tokio::spawn(services.serve_with_incoming(incoming));
        Self { crowd, connections }
    }

    async fn connect(&self, info: I) -> Channel {
        let (near, far) = tokio::io::duplex(64 << 10);
        let stream = PinnedStream::new(far, info, CancellationToken::new());
        self.connections.send(Ok(stream)).unwrap();
        let near = std::sync::Mutex::new(Some(TokioIo::new(near)));
        let dial = tower::service_fn(move |_| {
            let near = near.lock().unwrap().take();
            async move { near.ok_or_else(|| io::Error::other("dialled twice")) }
        });
        Endpoint::from_static("http://localhost").connect_with_connector(dial).await.unwrap()
    }
}

type HubListener = Listener<PeerInfo>;
type CaseworkListener = Listener<ClientInfo>;

async fn hub() -> HubListener {
    let crowd = Crowd::of(0).await;
    let node = crowd.bench.shared(Relay);
    let services = hub_router(node, LIMITS, CancellationToken::new()).await.unwrap();
    Listener::serve(crowd, services)
}

async fn casework() -> CaseworkListener {
    let crowd = Crowd::of(0).await;
    let node = crowd.bench.shared(Relay);
    let services = casework_router(node, LIMITS, CancellationToken::new()).await.unwrap();
    Listener::serve(crowd, services)
}

impl HubListener {
    async fn of(&self, node: &NodeId) -> Channel {
        let info = PeerInfo {
            node: node.clone(),
            pin: Digest([9; 32]),
            expired: false,
            key_exchange: NamedGroup::X25519MLKEM768,
            address: ([127, 0, 0, 1], 1).into(),
        };
        self.connect(info).await
    }
}

impl CaseworkListener {
    async fn at(&self, last: u8) -> Channel {
        let address = ([192, 0, 2, last], 1).into();
        self.connect(ClientInfo { key_exchange: NamedGroup::X25519MLKEM768, address }).await
    }
}

fn peer(number: usize) -> NodeId {
    format!("caller-{number}").parse().unwrap()
}

/// Code and stable reason of an answer.
type Told = (Code, String);

fn told(status: &Status) -> Told {
    let reason = status.metadata().get("raccordo-reason");
    let reason = reason.map_or("", |reason| reason.to_str().unwrap());
    (status.code(), reason.to_owned())
}

/// A call of this method whose message has so many bytes, all zero, of which the last come
/// only when `go_on` is told.
struct Stalled {
    go_on: oneshot::Sender<()>,
    answer: JoinHandle<Told>,
}

fn stall(channel: &Channel, path: &'static str, bytes: usize) -> Stalled {
    let (go_on, told_to) = oneshot::channel();
    let rest = stream::once(async move {
        // Never, where nobody tells it.
        if told_to.await.is_err() {
            std::future::pending::<()>().await;
        }
        Bytes::from(vec![0; bytes])
    });
    let begin = stream::once(async move { Bytes::from(prefix(bytes)) });
    Stalled { go_on, answer: send(channel, path, begin.chain(rest)) }
}

/// A call whose message comes at once.
fn call(channel: &Channel, path: &'static str, bytes: usize) -> JoinHandle<Told> {
    let message = [prefix(bytes), vec![0; bytes]].concat();
    send(channel, path, stream::once(async { Bytes::from(message) }))
}

fn prefix(bytes: usize) -> Vec<u8> {
    [&[0][..], &u32::try_from(bytes).unwrap().to_be_bytes()].concat()
}

fn send(
    channel: &Channel,
    path: &'static str,
    frames: impl Stream<Item = Bytes> + Send + 'static,
) -> JoinHandle<Told> {
    let frames = frames.map(|bytes| Ok::<_, Status>(Frame::data(bytes)));
    let request = Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(StreamBody::new(Box::pin(frames))))
        .unwrap();
    let channel = channel.clone();
    tokio::spawn(async move {
        let answer = channel.oneshot(request).await.unwrap();
        if let Some(status) = Status::from_header_map(answer.headers()) {
            return told(&status);
        }
        let trailers = answer.into_body().collect().await.unwrap().trailers().cloned();
        told(&Status::from_header_map(&trailers.unwrap_or_default()).unwrap())
    })
}

async fn answered(answer: JoinHandle<Told>) -> Told {
    timeout(PATIENCE, answer).await.expect("it should have been answered long ago").unwrap()
}

/// Starts calls until one waits, while somebody else is answered again and again.
async fn until_one_waits(
    begin: impl Fn() -> JoinHandle<Told>,
    other: (&Channel, &'static str),
) -> JoinHandle<Told> {
    for _ in 0..1_000 {
        let begun = begin();
        for _ in 0..50 {
            answered(call(other.0, other.1, 0)).await;
        }
        if !begun.is_finished() {
            return begun;
        }
    }
    panic!("none waits");
}

/// So many calls may be under way; a further one waits, and others do not.
async fn check_calls(
    (own, other): (&Channel, &Channel),
    path: &'static str,
    quota: Quota,
) -> Vec<Stalled> {
    let mut held: Vec<_> = (0..quota.count()).map(|_| stall(own, path, 1)).collect();
    let waits = until_one_waits(|| call(own, path, 0), (other, path)).await;
    let last = held.pop().unwrap();
    last.go_on.send(()).unwrap();
    answered(last.answer).await;
    answered(waits).await;
    held
}

pub async fn too_many_of_peer(quota: Quota) {
    let listener = hub().await;
    let (own, other) = (listener.of(&Toscana.id()).await, listener.of(&Umbria.id()).await);
    check_calls((&own, &other), CONFIRM, quota).await;
}

pub async fn too_many_of_client(quota: Quota) {
    let listener = casework().await;
    let (own, other) = (listener.at(1).await, listener.at(2).await);
    check_calls((&own, &other), WHO_AM_I, quota).await;
}

pub async fn too_many_wait(quota: Quota) {
    let listener = hub().await;
    let (own, other) = (listener.of(&Toscana.id()).await, listener.of(&Umbria.id()).await);
    let count = Quota::CallsOfPeer.count();
    let held: Vec<_> = (0..count).map(|_| stall(&own, CONFIRM, 1)).collect();
    let first = until_one_waits(|| call(&own, CONFIRM, 0), (&other, CONFIRM)).await;
    let more = 40;
    let rest = (0..quota.count() - 1 + more).map(|_| call(&own, CONFIRM, 0));
    let mut waiting: FuturesUnordered<_> = rest.chain([first]).map(answered).collect();
    for _ in 0..more {
        let refused = waiting.next().await.unwrap();
        assert_eq!(refused, (Code::ResourceExhausted, quota.row().reason.to_owned()));
    }
    assert_named(listener.crowd.relay(), &Toscana.id(), quota).await;
    for stalled in held {
        stalled.go_on.send(()).unwrap();
    }
    let mut answers = 0;
    while let Some(answer) = waiting.next().await {
        assert_ne!(answer.0, Code::ResourceExhausted);
        answers += 1;
    }
    assert_eq!(answers, quota.count());
}

pub async fn too_fast(quota: Quota) {
    let listener = hub().await;
    let own = listener.of(&Toscana.id()).await;
    let mut calls = 0;
    let named = || {
        let now = listener.crowd.relay().clock.now();
        let recent = listener.crowd.relay().quotas.recent(now);
        recent.iter().any(|(peer, reached, _)| (peer, *reached) == (&Toscana.id(), quota))
    };
    while !named() {
        answered(call(&own, CONFIRM, 0)).await;
        calls += 1;
        assert!(calls < 10 * quota.number(), "it may call as fast as it likes");
    }
    assert!(calls >= quota.number(), "{calls}");
    assert_named(listener.crowd.relay(), &Toscana.id(), quota).await;
}

/// So many bytes may be under way of one caller; further ones wait, and others' do not.
async fn check_bytes(
    (own, other): (&Channel, &Channel),
    path: &'static str,
    quota: Quota,
    each: usize,
) {
    let held: Vec<_> = (0..quota.count() / each).map(|_| stall(own, path, each)).collect();
    let waits = until_one_waits(|| call(own, path, 100 << 10), (other, path)).await;
    answered(call(other, path, 100 << 10)).await;
    for stalled in held {
        stalled.go_on.send(()).unwrap();
        answered(stalled.answer).await;
    }
    answered(waits).await;
}

pub async fn too_many_bytes_of_peer(quota: Quota) {
    let listener = hub().await;
    let (own, other) = (listener.of(&Toscana.id()).await, listener.of(&Umbria.id()).await);
    check_bytes((&own, &other), POST, quota, Quota::HubMessageBytes.count()).await;
}

pub async fn too_many_bytes_of_client(quota: Quota) {
    let listener = casework().await;
    let (own, other) = (listener.at(1).await, listener.at(2).await);
    check_bytes((&own, &other), WHO_AM_I, quota, Quota::CallMessageBytes.count()).await;
}

/// All together fill the room for large messages; small ones pass.
async fn check_bytes_of_all(
    (all, other): (&[Channel], &Channel),
    path: &'static str,
    (own, each): (Quota, usize),
) {
    let of = |channel| (0..own.count() / each).map(move |_| stall(channel, path, each));
    let held: Vec<_> = all.iter().flat_map(of).collect();
    let waits = until_one_waits(|| call(other, path, 100 << 10), (other, path)).await;
    answered(call(other, path, 60 << 10)).await;
    for stalled in held {
        stalled.go_on.send(()).unwrap();
        answered(stalled.answer).await;
    }
    answered(waits).await;
}

pub async fn too_many_bytes_of_peers(quota: Quota) {
    let listener = hub().await;
    let mut all = Vec::new();
    for number in 0..quota.count() / Quota::BytesOfPeer.count() {
        all.push(listener.of(&peer(number)).await);
    }
    let other = listener.of(&Umbria.id()).await;
    let each = Quota::HubMessageBytes.count();
    check_bytes_of_all((&all, &other), POST, (Quota::BytesOfPeer, each)).await;
}

pub async fn too_many_bytes_of_clients(quota: Quota) {
    let listener = casework().await;
    let mut all = Vec::new();
    for number in 0..quota.count() / Quota::BytesOfClient.count() {
        all.push(listener.at(number as u8).await);
    }
    let other = listener.at(200).await;
    let each = Quota::CallMessageBytes.count();
    check_bytes_of_all((&all, &other), WHO_AM_I, (Quota::BytesOfClient, each)).await;
}

pub async fn large_hub_message(quota: Quota) {
    let listener = hub().await;
    let own = listener.of(&Toscana.id()).await;
    // Told by its length alone: none of it has to come.
    let large = stall(&own, POST, quota.count() + 1);
    let refused = answered(large.answer).await;
    assert_eq!(refused, (Code::OutOfRange, quota.row().reason.to_owned()));
    let fits = answered(call(&own, POST, quota.count())).await;
    assert_ne!(fits.1, quota.row().reason);
    assert_named(listener.crowd.relay(), &Toscana.id(), quota).await;
}

pub async fn large_call_message(quota: Quota) {
    let listener = casework().await;
    let own = listener.at(1).await;
    let refused = answered(stall(&own, WHO_AM_I, quota.count() + 1).answer).await;
    assert_eq!(refused, (Code::OutOfRange, quota.row().reason.to_owned()));
    let fits = answered(call(&own, WHO_AM_I, quota.count())).await;
    assert_ne!(fits.1, quota.row().reason);
}

pub async fn many_hub_elements(quota: Quota) {
    let listener = hub().await;
    let own = listener.of(&Toscana.id()).await;
    let append = async |count| {
        let entries = vec![proto::NewEntry::default(); count];
        let asked = proto::AppendRequest { group_id: vec![1; 32], entries };
        told(&HubServiceClient::new(own.clone()).append(asked).await.unwrap_err())
    };
    let refused = append(quota.count() + 1).await;
    assert_eq!(refused, (Code::InvalidArgument, quota.row().reason.to_owned()));
    assert_eq!(append(quota.count()).await, (Code::InvalidArgument, "malformed".to_owned()));
    assert_named(listener.crowd.relay(), &Toscana.id(), quota).await;
}

pub async fn many_call_elements(quota: Quota) {
    let listener = casework().await;
    let own = listener.at(1).await;
    let share = async |count| {
        let alerts = vec![Default::default(); count];
        let asked = casework::ShareAlertsRequest { alerts, ..Default::default() };
        told(&CaseworkServiceClient::new(own.clone()).share_alerts(asked).await.unwrap_err())
    };
    // Before anybody asks who calls.
    let refused = share(quota.count() + 1).await;
    assert_eq!(refused, (Code::InvalidArgument, quota.row().reason.to_owned()));
    assert_eq!(share(quota.count()).await, (Code::Unauthenticated, "wrong_token".to_owned()));
}

pub async fn too_slow(quota: Quota) {
    let listener = hub().await;
    let own = listener.of(&Toscana.id()).await;
    let began = std::time::Instant::now();
    let Stalled { go_on, answer } = stall(&own, CONFIRM, 1);
    let refused = answered(answer).await;
    assert_eq!(refused, (Code::DeadlineExceeded, quota.row().reason.to_owned()));
    assert!(began.elapsed() >= quota.span());
    assert_named(listener.crowd.relay(), &Toscana.id(), quota).await;
    drop(go_on);
}

pub async fn too_many_subscriptions(quota: Quota) {
    let listener = hub().await;
    let (own, other) = (listener.of(&Toscana.id()).await, listener.of(&Umbria.id()).await);
    let subscribe = async |channel: &Channel| {
        let asked = proto::SubscribeRequest::default();
        HubServiceClient::new(channel.clone()).subscribe(asked).await
    };
    let mut held = Vec::new();
    for _ in 0..quota.count() {
        held.push(subscribe(&own).await.unwrap());
    }
    let refused = told(&subscribe(&own).await.unwrap_err());
    assert_eq!(refused, (Code::ResourceExhausted, quota.row().reason.to_owned()));
    assert_named(listener.crowd.relay(), &Toscana.id(), quota).await;
    subscribe(&other).await.unwrap();
    held.pop();
    let again = async { while subscribe(&own).await.is_err() {} };
    timeout(PATIENCE, again).await.expect("its place should have been free long ago");
}

pub async fn too_many_streams(quota: Quota) {
    let listener = casework().await;
    let (own, other) = (listener.at(1).await, listener.at(2).await);
    let more = 10;
    let begun = (0..quota.count() + more).map(|_| stall(&own, WATCH, 1));
    let (held, answers): (Vec<_>, Vec<_>) =
        begun.map(|Stalled { go_on, answer }| (go_on, answered(answer))).unzip();
    let mut answers: FuturesUnordered<_> = answers.into_iter().collect();
    for _ in 0..more {
        let refused = answers.next().await.unwrap();
        assert_eq!(refused, (Code::ResourceExhausted, quota.row().reason.to_owned()));
    }
    answered(call(&own, WHO_AM_I, 0)).await;
    let passed = answered(call(&other, WATCH, 0)).await;
    assert_eq!(passed.1, "wrong_token");
    for go_on in held {
        // Whoever was refused does not wait for it.
        let _ = go_on.send(());
    }
    while let Some(answer) = answers.next().await {
        assert_ne!(answer.1, quota.row().reason);
    }
}
