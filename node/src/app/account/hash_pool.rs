//! Where passwords and tokens are hashed: slow on purpose, and so neither on the threads that
//! serve everybody nor on more than some of the others.
//!
//! Strangers have a lane of their own: however many of them try, whoever is known does not
//! wait behind them.

use tokio::sync::Semaphore;

use crate::app::fault::{Done, Fault, Whose};

/// Whose hash it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Of somebody who has shown a token, a link, or a browser that is known.
    Known,
    /// Of anybody.
    Stranger,
}

/// Hashes at once, of one lane.
const AT_ONCE: [usize; 2] = [2, 1];
/// Hashes that wait or run, of one lane: some 20 ms each.
const WAITING_MAX: [usize; 2] = [64, 16];

/// What may hash at a time.
#[derive(Debug)]
pub struct HashPool {
    lanes: [LaneState; 2],
}

#[derive(Debug)]
struct LaneState {
    places: Semaphore,
    running: Semaphore,
}

impl Default for HashPool {
    fn default() -> Self {
        let lane = |waiting, at_once| LaneState {
            places: Semaphore::new(waiting),
            running: Semaphore::new(at_once),
        };
        let [known, stranger] = AT_ONCE;
        let [known_waiting, stranger_waiting] = WAITING_MAX;
        Self { lanes: [lane(known_waiting, known), lane(stranger_waiting, stranger)] }
    }
}

impl HashPool {
    /// Runs a hash when its turn comes, on a thread that may be busy for a while.
    ///
    /// # Errors
    /// `busy` where too many wait already.
    pub async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        hash: impl FnOnce() -> T + Send + 'static,
    ) -> Done<T> {
        let [known, stranger] = &self.lanes;
        let lane = match lane {
            Lane::Known => known,
            Lane::Stranger => stranger,
        };
        let _place = lane.places.try_acquire().map_err(|_| busy())?;
        let _turn = lane.running.acquire().await.map_err(|_| busy())?;
        let hashed = tokio::task::spawn_blocking(hash).await;
        hashed.map_err(|cause| Fault::ours("hash", cause))
    }
}

fn busy() -> Fault {
    let message = "too many people sign in at this moment";
    Fault::new(Whose::Exhausted, "busy", message).hint("try again in a moment")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn strangers_fill_their_own_lane_alone() {
        let pool = Arc::new(HashPool::default());
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(std::sync::Mutex::new(held));
        let at_once = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let hash = |pool: Arc<HashPool>| {
            let (held, at_once, most) = (held.clone(), at_once.clone(), most.clone());
            tokio::spawn(async move {
                let hashing = move || {
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let _ = held.lock().unwrap().recv();
                    at_once.fetch_sub(1, Ordering::SeqCst);
                };
                pool.run(Lane::Stranger, hashing).await.map_err(|fault| fault.reason)
            })
        };
        let strangers: Vec<_> = (0..100).map(|_| hash(pool.clone())).collect();
        // While they wait, somebody who is known does not.
        assert_eq!(pool.run(Lane::Known, || 7).await.unwrap(), 7);
        drop(release);
        let mut refused = 0;
        for stranger in strangers {
            refused += usize::from(stranger.await.unwrap() == Err("busy"));
        }
        assert_eq!((refused, most.load(Ordering::SeqCst)), (100 - 16, 1));
    }
}
