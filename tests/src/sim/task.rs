//! Futures without a runtime: polled by the scheduler, and pending only where the network
//! lets them wait.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::{Checked, Violation};

/// A piece of work under way.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Lets a piece of work go on until it waits or ends.
pub fn go_on<T>(work: &mut Pending<T>) -> Poll<T> {
    work.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Takes the result of what never waits.
///
/// # Errors
/// It waited.
pub fn ready<T>(work: impl Future<Output = T>) -> Checked<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err(Violation::new("a use case waited for somebody")),
    }
}

/// Waits until the scheduler comes by again.
pub fn pause() -> impl Future<Output = ()> + Send {
    let mut paused = false;
    std::future::poll_fn(move |_| {
        if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }
    })
}
