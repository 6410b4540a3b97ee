//! The bytes of a call, message by message: none is handed on before it is known to be of
//! bounded size and shape, and none is taken off the wire before there is room for it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame};
use raccordo_core::quota::Quota;
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

use super::shape::SHAPES;
use crate::transport::limits::refusal;

/// Before each message: whether it is compressed, and its length, big-endian (gRPC over
/// HTTP/2, "Length-Prefixed-Message").
const PREFIX_BYTES: usize = 5;

/// What one message may be.
#[derive(Clone, Debug)]
pub struct MessageBounds {
    /// Its full name; none where nobody knows it, and then its elements are not counted.
    pub message: Option<String>,
    /// Its bytes.
    pub bytes_max: usize,
    /// Its elements and inner messages, at all depths together.
    pub elements_max: usize,
}

impl MessageBounds {
    fn check_length(&self, length: usize) -> Result<(), Status> {
        if length <= self.bytes_max {
            return Ok(());
        }
        let text =
            format!("the message has {length} bytes, at most {} are allowed", self.bytes_max);
        Err(refusal(Status::out_of_range(text), "message_too_large"))
    }

    fn check_shape(&self, message: &[u8]) -> Result<(), Status> {
        let Some(name) = &self.message else { return Ok(()) };
        if !SHAPES.exceeds(name, message, self.elements_max) {
            return Ok(());
        }
        let text = format!("the message has more than {} elements", self.elements_max);
        Err(refusal(Status::invalid_argument(text), "too_many"))
    }
}

/// Makes room for the bytes of a message.
pub trait Room: Send + 'static {
    /// Waits until there is room, and keeps it.
    fn reserve(&mut self, bytes: usize) -> Reserving;
}

/// Until there is room.
pub type Reserving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Is told which quota a message has reached.
pub type Reached = Box<dyn Fn(Quota) + Send>;

/// Room without end, for who has asked for what comes.
pub struct Boundless;

impl Room for Boundless {
    fn reserve(&mut self, _: usize) -> Reserving {
        Box::pin(std::future::ready(()))
    }
}

/// A body whose messages are bounded.
pub struct BoundedBody<R> {
    inner: Body,
    bounds: MessageBounds,
    room: R,
    /// What has come of the next message, with its prefix.
    buffer: BytesMut,
    /// Until there is room for it.
    reserving: Option<Reserving>,
    /// Whether there is.
    reserved: bool,
    /// How long a message may take, and when this one is over.
    patience: Option<Duration>,
    deadline: Option<Pin<Box<Sleep>>>,
    reached: Option<Reached>,
}

impl<R: Room> BoundedBody<R> {
    /// Bounds the messages of a body. With `patience` the first must be whole so long after
    /// now, and each further one so long after it began.
    pub fn new(inner: Body, bounds: MessageBounds, room: R, patience: Option<Duration>) -> Self {
        let deadline = patience.map(|patience| Box::pin(tokio::time::sleep(patience)));
        let (buffer, reserving, reserved) = (BytesMut::new(), None, false);
        let reached = None;
        Self { inner, bounds, room, buffer, reserving, reserved, patience, deadline, reached }
    }

    /// Tells which quota a message reaches that is refused.
    pub fn telling(self, reached: Reached) -> Self {
        Self { reached: Some(reached), ..self }
    }

    fn tell(&self, quota: Quota) {
        if let Some(reached) = &self.reached {
            reached(quota);
        }
    }

    /// The next message with its prefix, once it is whole.
    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Status>> {
        let Some(length) = self.length() else { return Poll::Ready(Ok(None)) };
        self.bounds.check_length(length).inspect_err(|_| self.tell(Quota::HubMessageBytes))?;
        if !self.reserved {
            let reserving = self.reserving.get_or_insert_with(|| self.room.reserve(length));
            ready!(reserving.as_mut().poll(context));
            (self.reserving, self.reserved) = (None, true);
        }
        let whole = PREFIX_BYTES.saturating_add(length);
        if self.buffer.len() < whole {
            self.buffer.reserve(whole.saturating_sub(self.buffer.len()));
            return Poll::Ready(Ok(None));
        }
        let message = self.buffer.split_to(whole).freeze();
        let shape = self.bounds.check_shape(message.get(PREFIX_BYTES..).unwrap_or_default());
        shape.inspect_err(|_| self.tell(Quota::HubMessageElements))?;
        (self.reserved, self.deadline) = (false, None);
        Poll::Ready(Ok(Some(message)))
    }

    /// The length of the next message, as its prefix says it.
    fn length(&self) -> Option<usize> {
        let prefix = self.buffer.get(..PREFIX_BYTES)?;
        let length = prefix.get(1..)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(length)).ok()
    }

    fn take(&mut self, mut data: Bytes) {
        if let (Some(patience), None) = (self.patience, &self.deadline) {
            self.deadline = Some(Box::pin(tokio::time::sleep(patience)));
        }
        while data.has_remaining() {
            let chunk = data.chunk().len();
            self.buffer.extend_from_slice(&data.split_to(chunk));
        }
    }
}

fn too_slow() -> Status {
    let status = Status::deadline_exceeded("the message took too long to arrive");
    refusal(status, "request_too_slow")
}

impl<R: Room + Unpin> HttpBody for BoundedBody<R> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        loop {
            if let Some(deadline) = &mut this.deadline
                && deadline.as_mut().poll(context).is_ready()
            {
                this.tell(Quota::RequestSeconds);
                return Poll::Ready(Some(Err(too_slow())));
            }
            match ready!(this.poll_message(context)) {
                Ok(Some(message)) => return Poll::Ready(Some(Ok(Frame::data(message)))),
                Ok(None) => {}
                Err(status) => return Poll::Ready(Some(Err(status))),
            }
            let frame = match ready!(Pin::new(&mut this.inner).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                // A message that breaks off is told by the decoder.
                None if !this.buffer.is_empty() => {
                    return Poll::Ready(Some(Ok(Frame::data(this.buffer.split().freeze()))));
                }
                None => return Poll::Ready(None),
            };
            match frame.into_data() {
                Ok(data) => this.take(data),
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.buffer.is_empty() && self.inner.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http_body_util::{BodyExt as _, StreamBody};
    use raccordo_proto::hub::v1 as proto;
    use tokio::sync::Semaphore;
    use tokio_stream::wrappers::ReceiverStream;

    use super::*;

    const NAME: &str = "raccordo.hub.v1.ClaimKeyPackagesRequest";

    fn bounds(bytes_max: usize, elements_max: usize) -> MessageBounds {
        MessageBounds { message: Some(NAME.to_owned()), bytes_max, elements_max }
    }

    fn framed(parties: usize) -> Vec<u8> {
        let message = proto::ClaimKeyPackagesRequest {
            parties: vec![String::new(); parties],
            ..Default::default()
        };
        let message = prost::Message::encode_to_vec(&message);
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0][..], &length, &message].concat()
    }

    /// A body that comes in pieces of so many bytes.
    fn pieces(bytes: &[u8], each: usize) -> Body {
        let frames: Vec<_> = bytes
            .chunks(each)
            .map(|piece| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        Body::new(StreamBody::new(tokio_stream::iter(frames)))
    }

    async fn read<R: Room + Unpin>(mut body: BoundedBody<R>) -> Result<Vec<Bytes>, Status> {
        let mut messages = Vec::new();
        while let Some(frame) = body.frame().await {
            messages.extend(frame?.into_data().ok());
        }
        Ok(messages)
    }

    fn reason(status: Status) -> (tonic::Code, String) {
        let reason = status.metadata().get("raccordo-reason").unwrap().to_str().unwrap();
        (status.code(), reason.to_owned())
    }

    #[tokio::test]
    async fn messages_come_whole_however_they_were_cut() {
        let all = [framed(3), framed(0), framed(9)].concat();
        for each in [1, 2, 7, 1_000] {
            let body = BoundedBody::new(pieces(&all, each), bounds(99, 9), Boundless, None);
            let found = read(body).await.unwrap();
            assert_eq!(found, [framed(3), framed(0), framed(9)], "pieces of {each}");
        }
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_by_its_prefix() {
        let body = BoundedBody::new(pieces(&framed(20)[..5], 5), bounds(39, 99), Boundless, None);
        let refused = reason(read(body).await.unwrap_err());
        assert_eq!(refused, (tonic::Code::OutOfRange, "message_too_large".to_owned()));
    }

    #[tokio::test]
    async fn many_small_elements_are_refused_before_they_are_made() {
        let body = BoundedBody::new(pieces(&framed(20), 99), bounds(99, 19), Boundless, None);
        let refused = reason(read(body).await.unwrap_err());
        assert_eq!(refused, (tonic::Code::InvalidArgument, "too_many".to_owned()));
    }

    #[tokio::test]
    async fn what_breaks_off_is_handed_on_as_it_is() {
        let half = &framed(9)[..12];
        let body = BoundedBody::new(pieces(half, 4), bounds(99, 99), Boundless, None);
        assert_eq!(read(body).await.unwrap(), [half.to_vec()]);
    }

    #[tokio::test]
    async fn who_sends_nothing_is_not_waited_for() {
        let (_held, nothing) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, Status>>(1);
        let inner = Body::new(StreamBody::new(ReceiverStream::new(nothing)));
        let patience = Some(Duration::from_millis(1));
        let refused = read(BoundedBody::new(inner, bounds(9, 9), Boundless, patience)).await;
        let refused = reason(refused.unwrap_err());
        assert_eq!(refused, (tonic::Code::DeadlineExceeded, "request_too_slow".to_owned()));
    }

    struct Gate(Arc<Semaphore>, Arc<Mutex<Vec<usize>>>);

    impl Room for Gate {
        fn reserve(&mut self, bytes: usize) -> Reserving {
            let (gate, asked) = (Arc::clone(&self.0), Arc::clone(&self.1));
            Box::pin(async move {
                asked.lock().unwrap().push(bytes);
                gate.acquire().await.unwrap().forget();
            })
        }
    }

    #[tokio::test]
    async fn each_message_waits_for_room() {
        let (gate, asked) = (Arc::new(Semaphore::new(0)), Arc::default());
        let room = Gate(Arc::clone(&gate), Arc::clone(&asked));
        let all = [framed(3), framed(5)].concat();
        let mut body = BoundedBody::new(pieces(&all, 1_000), bounds(99, 9), room, None);
        for (parties, bytes) in [(3, 6), (5, 10)] {
            assert!(futures::poll!(body.frame()).is_pending());
            assert_eq!(asked.lock().unwrap().last(), Some(&bytes));
            gate.add_permits(1);
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), framed(parties));
        }
        assert!(body.frame().await.is_none());
    }
}
