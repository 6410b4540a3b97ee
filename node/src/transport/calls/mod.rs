//! What a caller may have under way at a listener: calls, streams, bytes, and how fast it
//! calls. Who reaches a bound waits, or is refused, and the others go on.
//!
//! - [`CallQuotas`]: the layer in front of the services of a listener
//! - [`body`]: no message is taken off the wire before there is room for it
//! - [`shape`]: no message is decoded that would become much more than it was

pub mod body;
mod places;
pub mod shape;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Extensions, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use raccordo_core::quota::{Pace, Quota};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt as _};

use self::body::{BoundedBody, MessageBounds};
use self::places::{Callers, Refused, Stay};
use self::shape::SHAPES;
use super::limits::refusal;
use super::stream::{ClientInfo, PeerInfo};

/// Largest message of a method that is not of ours (health, reflection), in bytes.
const FOREIGN_BYTES_MAX: usize = 64 << 10;

/// Room for the answer where it is a group's tree, in bytes: the one answer that is large.
const TREE_BYTES: usize = 4 << 20;

fn fetches_tree(path: &str) -> bool {
    path == "/raccordo.hub.v1.HubService/FetchTree"
}

/// What each caller of a listener may have, and all together.
#[derive(Clone, Copy, Debug)]
pub struct CallNumbers {
    /// Calls under way of one caller.
    pub calls: usize,
    /// Calls of one caller that wait for their turn.
    pub waiting: usize,
    /// Streams of one caller, where the listener bounds them.
    pub streams: Option<usize>,
    /// How fast one caller may call, where the listener bounds that.
    pub pace: Option<Pace>,
    /// Bytes of messages of one caller.
    pub bytes: usize,
    /// Bytes of messages of all callers.
    pub bytes_of_all: usize,
    /// Bytes of one message.
    pub message_bytes: usize,
    /// Elements of one message.
    pub elements: usize,
    /// How long a message may take to arrive.
    pub patience: Duration,
}

impl CallNumbers {
    /// For peers at a hub; the pace is configured.
    pub fn for_peers(pace: Pace) -> Self {
        Self {
            calls: Quota::CallsOfPeer.count(),
            waiting: Quota::CallsWaiting.count(),
            streams: None,
            pace: Some(pace),
            bytes: Quota::BytesOfPeer.count(),
            bytes_of_all: Quota::BytesOfPeers.count(),
            message_bytes: Quota::HubMessageBytes.count(),
            elements: Quota::HubMessageElements.count(),
            patience: Quota::RequestSeconds.span(),
        }
    }

    /// For the region's own systems and administrators.
    pub fn for_clients() -> Self {
        Self {
            calls: Quota::CallsOfClient.count(),
            waiting: Quota::CallsWaiting.count(),
            streams: Some(Quota::StreamsOfClient.count()),
            pace: None,
            bytes: Quota::BytesOfClient.count(),
            bytes_of_all: Quota::BytesOfClients.count(),
            message_bytes: Quota::CallMessageBytes.count(),
            elements: Quota::CallMessageElements.count(),
            patience: Quota::RequestSeconds.span(),
        }
    }
}

impl CallNumbers {
    /// How much is allowed here of what a quota counts.
    pub fn of(&self, quota: Quota) -> u64 {
        let pace = self.pace.filter(|_| quota == Quota::CallPace);
        pace.map_or(quota.number(), |pace| pace.burst.into())
    }
}

/// Is told of peers that reach a quota.
pub type Note = Arc<dyn Fn(&PeerInfo, Quota) + Send + Sync>;

/// The layer in front of a listener's services.
#[derive(Clone)]
pub struct CallQuotas {
    numbers: CallNumbers,
    callers: Arc<Callers>,
    note: Note,
}

impl CallQuotas {
    /// A layer that counts for itself.
    pub fn new(numbers: CallNumbers, note: Note) -> Self {
        Self { numbers, callers: Arc::new(Callers::new(numbers)), note }
    }
}

impl<S> Layer<S> for CallQuotas {
    type Service = Bounded<S>;

    fn layer(&self, inner: S) -> Bounded<S> {
        Bounded { quotas: self.clone(), inner }
    }
}

/// A service whose callers are bounded.
#[derive(Clone)]
pub struct Bounded<S> {
    quotas: CallQuotas,
    inner: S,
}

/// By whom a call is counted: a node, an address, or this machine.
fn name_of(extensions: &Extensions) -> String {
    if let Some(peer) = extensions.get::<PeerInfo>() {
        return peer.node.to_string();
    }
    let client = extensions.get::<ClientInfo>();
    client.map_or_else(|| "here".to_owned(), |client| client.address.ip().to_string())
}

impl<S> Service<Request<Body>> for Bounded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    S: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (quotas, inner) = (self.quotas.clone(), self.inner.clone());
        let admitted = self.quotas.admit(request.extensions(), request.uri().path());
        Box::pin(async move {
            match admitted.await {
                Ok(stay) => quotas.serve(request, stay, inner).await,
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

impl CallQuotas {
    /// Waits for the caller's turn.
    fn admit(
        &self,
        extensions: &Extensions,
        path: &str,
    ) -> impl Future<Output = Result<Stay, Status>> + Send + use<> {
        let (quotas, name) = (self.clone(), name_of(extensions));
        let peer = extensions.get::<PeerInfo>().cloned();
        let streams = SHAPES.method(path).is_some_and(|method| method.streams);
        async move { quotas.enter(name, peer, streams).await }
    }

    async fn enter(
        &self,
        name: String,
        peer: Option<PeerInfo>,
        streams: bool,
    ) -> Result<Stay, Status> {
        let note = |quota| {
            if let Some(peer) = &peer {
                (self.note)(peer, quota);
            }
        };
        let entered = self.callers.enter(name, streams, note).await;
        entered.map_err(|Refused(quota)| {
            note(quota);
            let row = quota.row();
            let most = row.unit.words(self.numbers.of(quota));
            let text = format!("at most {most} are allowed: {}", row.bounds);
            refusal(Status::resource_exhausted(text), row.reason)
        })
    }

    async fn serve<S>(
        &self,
        request: Request<Body>,
        stay: Stay,
        inner: S,
    ) -> Result<Response<Body>, Infallible>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let numbers = &self.numbers;
        let method = SHAPES.method(request.uri().path());
        let bounds = MessageBounds {
            message: method.map(|method| method.request.clone()),
            bytes_max: method.map_or(FOREIGN_BYTES_MAX, |_| numbers.message_bytes),
            elements_max: numbers.elements,
        };
        let streams = method.is_some_and(|method| method.streams);
        let answer_bytes = if fetches_tree(request.uri().path()) { TREE_BYTES } else { 0 };
        let (room, patience) = (stay.room(answer_bytes), Some(numbers.patience));
        let note = Arc::clone(&self.note);
        // Of methods that are not ours the bounds are others.
        let peer = request.extensions().get::<PeerInfo>().filter(|_| method.is_some()).cloned();
        let request = request.map(|body| {
            let body = BoundedBody::new(body, bounds, room, patience);
            Body::new(match peer {
                Some(peer) => body.telling(Box::new(move |quota| note(&peer, quota))),
                None => body,
            })
        });
        let answer = inner.oneshot(request).await?;
        // A stream goes on without what its request took.
        let stay = if streams { stay.streaming() } else { stay };
        Ok(answer.map(|inner| Body::new(Staying { inner, _stay: stay })))
    }
}

/// The body of an answer, during which the caller's place is taken.
struct Staying {
    inner: Body,
    _stay: Stay,
}

impl HttpBody for Staying {
    type Data = <Body as HttpBody>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Bounds the answers that a caller gets: who has asked makes room, and looks at their size
/// and shape.
#[derive(Clone, Copy, Debug)]
pub struct BoundedAnswers;

impl<S> Layer<S> for BoundedAnswers {
    type Service = AnswersBounded<S>;

    fn layer(&self, inner: S) -> AnswersBounded<S> {
        AnswersBounded(inner)
    }
}

/// A channel whose answers are bounded.
#[derive(Clone, Debug)]
pub struct AnswersBounded<S>(S);

impl<S> Service<Request<Body>> for AnswersBounded<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = SHAPES.method(request.uri().path()).map(|method| method.answer.clone());
        let called = self.0.call(request);
        Box::pin(async move {
            let bounds = MessageBounds {
                message: answer,
                bytes_max: Quota::HubMessageBytes.count(),
                elements_max: Quota::HubMessageElements.count(),
            };
            let bounded = |body| Body::new(BoundedBody::new(body, bounds, body::Boundless, None));
            Ok(called.await?.map(bounded))
        })
    }
}
