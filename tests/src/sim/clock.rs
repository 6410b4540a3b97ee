//! Time that only the scheduler moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use raccordo_core::time::{Clock, Instant};

/// When every run begins: an evening, so that days change early.
const BEGIN: Instant = Instant(1_790_000_000_000);

/// The time of the whole world.
#[derive(Clone)]
pub struct WorldTime(Arc<AtomicI64>);

impl Default for WorldTime {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(BEGIN.0)))
    }
}

impl WorldTime {
    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap_or(0);
        self.0.fetch_add(millis, Ordering::Relaxed);
    }

    /// How long the run lasts.
    pub fn passed(&self) -> Duration {
        Instant(self.0.load(Ordering::Relaxed)).since(BEGIN)
    }

    /// The clock of one machine, which goes wrong by so much.
    pub fn clock(&self, skew_ms: i64) -> SkewedClock {
        SkewedClock { time: self.clone(), skew_ms }
    }
}

/// The clock of one machine.
pub struct SkewedClock {
    time: WorldTime,
    skew_ms: i64,
}

impl Clock for SkewedClock {
    fn now(&self) -> Instant {
        Instant(self.time.0.load(Ordering::Relaxed).saturating_add(self.skew_ms))
    }
}
