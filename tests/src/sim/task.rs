//! Futures without a runtime: polled by the scheduler, and pending only where the network
//! lets them wait.
//!
//! Where rows are in a database, a piece of work also waits for its answers. Nothing else happens
//! meanwhile: the scheduler's thread sleeps until they are there, and goes on with that work.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};

use super::storage::StorageKind;
use super::{Checked, Violation};

/// A piece of work under way.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Longest that a database may take for one answer: whatever takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(120);

thread_local! {
    /// Whether the work that was polled last waits for the scheduler.
    static PAUSED: Cell<bool> = const { Cell::new(false) };
}

/// What answers come by: nothing for a store in memory, a runtime for the database's driver.
pub struct Waiting(Option<Runtime>);

impl Waiting {
    /// What a kind of storage needs.
    ///
    /// # Errors
    /// The runtime cannot be made.
    pub fn of(kind: StorageKind) -> Checked<Self> {
        if kind == StorageKind::Memory {
            return Ok(Self(None));
        }
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Violation(format!("no runtime: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    /// Lets this thread wait by it.
    pub fn enter(&self) -> Option<EnterGuard<'_>> {
        self.0.as_ref().map(Runtime::enter)
    }
}

/// Wakes the scheduler's thread.
struct Alarm {
    thread: Thread,
    rung: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Polls until the work has ended, or waits for the scheduler.
fn poll_through<T>(mut work: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Poll<T> {
    if Handle::try_current().is_err() {
        return work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    let alarm = Arc::new(Alarm { thread: thread::current(), rung: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&alarm));
    let mut context = Context::from_waker(&waker);
    loop {
        PAUSED.set(false);
        let polled = work.as_mut().poll(&mut context);
        if polled.is_ready() || PAUSED.get() {
            return polled;
        }
        let began = Instant::now();
        while !alarm.rung.swap(false, Ordering::Acquire) {
            if began.elapsed() >= PATIENCE {
                return Poll::Pending;
            }
            thread::park_timeout(PATIENCE);
        }
    }
}

/// Lets a piece of work go on until it waits or ends.
pub fn go_on<T>(work: &mut Pending<T>) -> Poll<T> {
    poll_through(work.as_mut())
}

/// Takes the result of what never waits for the scheduler.
///
/// # Errors
/// It waited.
pub fn ready<T>(work: impl Future<Output = T>) -> Checked<T> {
    match poll_through(pin!(work)) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err(Violation::new("a use case waited for somebody")),
    }
}

/// Waits until the scheduler comes by again.
pub fn pause() -> impl Future<Output = ()> + Send {
    let mut paused = false;
    std::future::poll_fn(move |_| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        PAUSED.set(true);
        Poll::Pending
    })
}
