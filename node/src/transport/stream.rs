//! A connection that ends as soon as the trust in its peer does.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use raccordo_core::id::{Digest, NodeId};
pub use rustls::NamedGroup;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

/// Which node is at the other end; handlers find it in a request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who it is by the trust list at the time of the handshake.
    pub node: NodeId,
    /// Pin of the key that it proved.
    pub pin: Digest,
    /// Whether its card has expired: it may only deliver a successor.
    pub expired: bool,
    /// The key exchange that was agreed.
    pub key_exchange: NamedGroup,
    /// Where it called from; a proxy's address if there is one.
    pub address: SocketAddr,
}

/// A client that showed no certificate; its calls carry a token each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    /// The key exchange that was agreed.
    pub key_exchange: NamedGroup,
    /// Where it called from.
    pub address: SocketAddr,
}

/// A stream with what is known of its other end. Reading and writing fail once it is cut.
pub struct PinnedStream<S, I> {
    inner: S,
    info: I,
    cut: CancellationToken,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Gives a place in a count of connections back when the stream is dropped.
    _place: Option<Box<dyn Send + Sync>>,
}

impl<S, I> PinnedStream<S, I> {
    /// Ends `inner` when `cut` is cancelled.
    pub fn new(inner: S, info: I, cut: CancellationToken) -> Self {
        let cancelled = Box::pin(cut.clone().cancelled_owned());
        Self { inner, info, cut, cancelled, _place: None }
    }

    /// Keeps `place` for as long as the stream lives.
    pub fn holding(mut self, place: impl Send + Sync + 'static) -> Self {
        self._place = Some(Box::new(place));
        self
    }

    /// What is known of the other end.
    pub fn info(&self) -> &I {
        &self.info
    }
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the peer is no longer trusted")
}

impl<S, I: Clone + Send + Sync + 'static> Connected for PinnedStream<S, I> {
    type ConnectInfo = I;

    fn connect_info(&self) -> I {
        self.info.clone()
    }
}

impl<S: AsyncRead + Unpin, I: Unpin> AsyncRead for PinnedStream<S, I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A server always reads, so waiting for the cut here is enough to wake it.
        if self.cancelled.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(cut_off()));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin, I: Unpin> AsyncWrite for PinnedStream<S, I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cut.is_cancelled() {
            return Poll::Ready(Err(cut_off()));
        }
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.cut.is_cancelled() {
            return Poll::Ready(Err(cut_off()));
        }
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_waiting_reader_wakes_when_cut() {
        let (near, mut far) = tokio::io::duplex(64);
        let cut = CancellationToken::new();
        let mut stream = PinnedStream::new(near, (), cut.clone());
        far.write_all(b"a").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'a');
        let reader = tokio::spawn(async move { (stream.read_u8().await, stream) });
        tokio::task::yield_now().await;
        cut.cancel();
        let (read, mut stream) = reader.await.unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        let written = stream.write_all(b"b").await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
