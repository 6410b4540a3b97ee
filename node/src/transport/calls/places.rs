//! Who has how much under way: counted for each caller, and for all together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use raccordo_core::quota::{Bucket, Quota};
use raccordo_core::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::CallNumbers;
use super::body::{Reserving, Room};

/// In what room is counted, in bytes.
const UNIT_BYTES: usize = 1 << 10;
/// Messages up to this size wait for nobody else's, in bytes: how many of them there are is
/// bounded by the calls of each caller.
const SMALL_BYTES: usize = 64 << 10;

/// The quota at which a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) Quota);

/// All callers that have something under way.
pub(super) struct Callers {
    numbers: CallNumbers,
    began: tokio::time::Instant,
    bytes: Arc<Semaphore>,
    known: Mutex<BTreeMap<String, Arc<Caller>>>,
}

/// What one caller has under way.
struct Caller {
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    waiting: AtomicUsize,
    bucket: Mutex<Bucket>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is counted is still whole: each change is one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Callers {
    pub(super) fn new(numbers: CallNumbers) -> Self {
        Self {
            numbers,
            began: tokio::time::Instant::now(),
            bytes: Arc::new(Semaphore::new(units(numbers.bytes_of_all))),
            known: Mutex::default(),
        }
    }

    fn now(&self) -> Instant {
        Instant(0).plus(self.began.elapsed())
    }

    /// Waits for the caller's turn; `note` is told when it calls faster than it may.
    pub(super) async fn enter(
        self: &Arc<Self>,
        name: String,
        streams: bool,
        note: impl Fn(Quota),
    ) -> Result<Stay, Refused> {
        let visit = self.visit(name);
        let caller = Arc::clone(&visit.caller);
        let turn = caller.wait_in(self.numbers.waiting)?;
        if let Some(pace) = self.numbers.pace {
            let mut noted = false;
            loop {
                let (given, wait) = {
                    let (mut bucket, now) = (lock(&caller.bucket), self.now());
                    (bucket.take(1, pace, now), bucket.wait(pace, now))
                };
                if given > 0 {
                    break;
                }
                if !noted {
                    note(Quota::CallPace);
                    noted = true;
                }
                tokio::time::sleep(wait).await;
            }
        }
        let kind = if streams { &caller.streams } else { &caller.calls };
        let place = match (streams, self.numbers.streams) {
            (true, None) => None,
            (true, Some(_)) => {
                let place = Arc::clone(kind).try_acquire_owned();
                Some(place.map_err(|_| Refused(Quota::StreamsOfClient))?)
            }
            // The semaphore is never closed.
            (false, _) => Arc::clone(kind).acquire_owned().await.ok(),
        };
        drop(turn);
        let held = Arc::new(Held { _place: place, visit });
        Ok(Stay { held, room: Arc::default() })
    }

    fn visit(self: &Arc<Self>, name: String) -> Visit {
        let new = || {
            Arc::new(Caller {
                calls: Arc::new(Semaphore::new(self.numbers.calls)),
                streams: Arc::new(Semaphore::new(self.numbers.streams.unwrap_or_default())),
                bytes: Arc::new(Semaphore::new(units(self.numbers.bytes))),
                waiting: AtomicUsize::new(0),
                bucket: Mutex::new(Bucket::full(self.now())),
            })
        };
        let caller = Arc::clone(lock(&self.known).entry(name.clone()).or_insert_with(new));
        Visit { callers: Arc::clone(self), name, caller }
    }

    /// How many callers are remembered.
    #[cfg(test)]
    fn count(&self) -> usize {
        lock(&self.known).len()
    }
}

impl Caller {
    /// A place among those that wait.
    fn wait_in(self: &Arc<Self>, most: usize) -> Result<Turn, Refused> {
        let turn = Turn(Arc::clone(self));
        match self.waiting.fetch_add(1, Ordering::Relaxed) < most {
            true => Ok(turn),
            false => Err(Refused(Quota::CallsWaiting)),
        }
    }
}

/// A place among the calls that wait.
struct Turn(Arc<Caller>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A caller that is remembered while it has something under way, and until it may call as
/// fast as ever again.
struct Visit {
    callers: Arc<Callers>,
    name: String,
    caller: Arc<Caller>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let now = self.callers.now();
        let mut known = lock(&self.callers.known);
        // Looked at by whoever leaves: the map holds no more than have called of late.
        known.retain(|name, caller| {
            let uses = if *name == self.name { 2 } else { 1 };
            Arc::strong_count(caller) > uses || !lock(&caller.bucket).is_full(now)
        });
    }
}

/// What a call holds until nobody needs it.
struct Held {
    _place: Option<OwnedSemaphorePermit>,
    visit: Visit,
}

/// A call under way.
pub(super) struct Stay {
    held: Arc<Held>,
    /// Room for its messages.
    room: Arc<Mutex<Vec<OwnedSemaphorePermit>>>,
}

impl Stay {
    /// Room for what the call sends, and for so many bytes of its answer, kept as long as the
    /// stay.
    pub(super) fn room(&self, answer_bytes: usize) -> RoomOfCall {
        RoomOfCall { held: Arc::clone(&self.held), room: Arc::clone(&self.room), answer_bytes }
    }

    /// The same without room for messages: what was sent has been read.
    pub(super) fn streaming(self) -> Self {
        Self { held: self.held, room: Arc::default() }
    }
}

/// Room for the messages of one call.
pub(super) struct RoomOfCall {
    held: Arc<Held>,
    room: Arc<Mutex<Vec<OwnedSemaphorePermit>>>,
    answer_bytes: usize,
}

impl Room for RoomOfCall {
    fn reserve(&mut self, bytes: usize) -> Reserving {
        let Visit { callers, caller, .. } = &self.held.visit;
        let (own, all) = (Arc::clone(&caller.bytes), Arc::clone(&callers.bytes));
        let room = Arc::clone(&self.room);
        // All at once: calls that held some and waited for more would wait for each other.
        let bytes = bytes.saturating_add(self.answer_bytes).min(callers.numbers.bytes);
        Box::pin(async move {
            let wanted = u32::try_from(units(bytes)).unwrap_or(u32::MAX);
            // The semaphores are never closed. The message before has been read.
            lock(&room).clear();
            let own = own.acquire_many_owned(wanted).await;
            let all = match bytes > SMALL_BYTES {
                true => all.acquire_many_owned(wanted).await.ok(),
                false => None,
            };
            lock(&room).extend(own.into_iter().chain(all));
        })
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT_BYTES).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use raccordo_core::quota::Pace;

    use super::*;

    fn numbers() -> CallNumbers {
        CallNumbers {
            calls: 2,
            waiting: 3,
            streams: Some(1),
            bytes: 100 << 10,
            bytes_of_all: 150 << 10,
            ..CallNumbers::for_peers(Pace::per_minute(1_000))
        }
    }

    fn callers(numbers: CallNumbers) -> Arc<Callers> {
        Arc::new(Callers::new(numbers))
    }

    fn nobody(quota: Quota) {
        panic!("{quota}");
    }

    async fn enter(callers: &Arc<Callers>, name: &str) -> Stay {
        callers.enter(name.to_owned(), false, nobody).await.ok().unwrap()
    }

    #[tokio::test]
    async fn a_further_call_waits_and_others_do_not() {
        let callers = callers(numbers());
        let (first, _second) = (enter(&callers, "a").await, enter(&callers, "a").await);
        let mut third = Box::pin(callers.enter("a".to_owned(), false, nobody));
        assert!(futures::poll!(&mut third).is_pending());
        let _other = enter(&callers, "b").await;
        drop(first);
        assert!(third.await.is_ok());
    }

    #[tokio::test]
    async fn too_many_that_wait_are_refused() {
        let callers = callers(numbers());
        let _held = (enter(&callers, "a").await, enter(&callers, "a").await);
        let mut waiting: Vec<_> =
            (0..3).map(|_| Box::pin(callers.enter("a".to_owned(), false, nobody))).collect();
        for call in &mut waiting {
            assert!(futures::poll!(call).is_pending());
        }
        let refused = callers.enter("a".to_owned(), false, nobody).await.err();
        assert_eq!(refused, Some(Refused(Quota::CallsWaiting)));
        drop(waiting);
        assert!(
            futures::poll!(Box::pin(callers.enter("a".to_owned(), false, nobody))).is_pending()
        );
    }

    #[tokio::test]
    async fn streams_are_refused_and_take_no_call() {
        let callers = callers(numbers());
        let stream = callers.enter("a".to_owned(), true, nobody).await.ok().unwrap().streaming();
        let refused = callers.enter("a".to_owned(), true, nobody).await.err();
        assert_eq!(refused, Some(Refused(Quota::StreamsOfClient)));
        let _calls = (enter(&callers, "a").await, enter(&callers, "a").await);
        drop(stream);
        assert!(callers.enter("a".to_owned(), true, nobody).await.is_ok());
    }

    #[tokio::test]
    async fn room_is_counted_for_each_and_for_all() {
        let callers = callers(numbers());
        let (a, b) = (enter(&callers, "a").await, enter(&callers, "b").await);
        a.room(0).reserve(90 << 10).await;
        let mut own = enter(&callers, "a").await.room(0);
        assert!(futures::poll!(own.reserve(20 << 10)).is_pending());
        assert!(futures::poll!(b.room(0).reserve(70 << 10)).is_pending());
        // What is small waits for nobody else's.
        b.room(0).reserve(SMALL_BYTES).await;
        drop(a);
        own.reserve(20 << 10).await;
        b.room(0).reserve(90 << 10).await;
    }

    #[tokio::test]
    async fn who_calls_too_fast_waits_and_is_named() {
        let pace = Pace { burst: 20, per: Duration::from_secs(2) };
        let callers = callers(CallNumbers { pace: Some(pace), calls: 100, ..numbers() });
        let named = Mutex::new(Vec::new());
        let began = tokio::time::Instant::now();
        for _ in 0..30 {
            let note = |quota| named.lock().unwrap().push(quota);
            assert!(callers.enter("a".to_owned(), false, note).await.is_ok());
        }
        assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!(named.lock().unwrap().first(), Some(&Quota::CallPace));
    }

    #[tokio::test]
    async fn callers_are_forgotten() {
        let pace = Pace { burst: 1, per: Duration::from_millis(1) };
        let callers = callers(CallNumbers { pace: Some(pace), ..numbers() });
        for number in 0..100 {
            drop(enter(&callers, &format!("caller {number}")).await);
        }
        let held = enter(&callers, "b").await;
        while callers.count() > 1 {
            // Whether it is its turn does not matter here.
            drop(callers.enter("b".to_owned(), false, |_| ()).await);
            tokio::task::yield_now().await;
        }
        drop(held);
    }
}
