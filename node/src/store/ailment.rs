//! What ails a database that cannot write, told apart because the next step differs.
//!
//! Nothing is acknowledged that is not durable, so a store that fails stops every use case
//! by itself. What is kept here is only for telling people, and is forgotten as soon as a
//! transaction is durable again.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::telemetry::{STORAGE_FAILING, STORAGE_FAILURES};

/// Why a database cannot do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ailment {
    /// No space is left: SQLITE_FULL, ENOSPC, PostgreSQL 53100.
    Full,
    /// The disk fails to read, write or flush: EIO.
    Disk,
    /// The file, directory or transaction may not be written.
    ReadOnly,
    /// Pages are torn or not of a database.
    Damaged,
    /// The server or its connections are gone.
    Unreachable,
}

impl Ailment {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Full, Self::Disk, Self::ReadOnly, Self::Damaged, Self::Unreachable];

    /// The stable reason for machines.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Full => "disk_full",
            Self::Disk => "disk_error",
            Self::ReadOnly => "database_read_only",
            Self::Damaged => "database_damaged",
            Self::Unreachable => "store_unavailable",
        }
    }

    /// The next step for an administrator.
    pub fn step(self) -> &'static str {
        match self {
            Self::Full => "make space on the database's disk: the node goes on by itself",
            Self::Disk => {
                "look at the kernel's log and the disk; the node goes on by itself when writing \
                 works again; make a backup first, and replace a disk that fails again"
            }
            Self::ReadOnly => {
                "let the node's user write the data directory, or mount it writable; on \
                 PostgreSQL end default_transaction_read_only: the node goes on by itself"
            }
            Self::Damaged => {
                "stop the node, keep a copy of the data directory, and restore the newest backup \
                 with raccordo backup restore; do not repair the database by hand"
            }
            Self::Unreachable => "start the database: the node connects again by itself",
        }
    }
}

impl fmt::Display for Ailment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "no space is left on the database's disk",
            Self::Disk => "the database's disk fails",
            Self::ReadOnly => "the database may not be written",
            Self::Damaged => "the database is damaged",
            Self::Unreachable => "the database is not reached",
        })
    }
}

/// What ails the database now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ailing {
    /// What it is.
    pub ailment: Ailment,
    /// The database's own words, without values.
    pub cause: String,
}

/// Keeps what ails a database until something is durable again.
#[derive(Debug, Default)]
pub struct Vitals(Mutex<Option<Ailing>>);

impl Vitals {
    /// Notes a failure; damage stays noted, whatever else comes.
    pub fn note(&self, ailing: Ailing) {
        let reason = ailing.ailment.reason();
        metrics::counter!(STORAGE_FAILURES.name, "reason" => reason).increment(1);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.as_ref().map(|kept| kept.ailment);
        if before == Some(Ailment::Damaged) {
            return;
        }
        if before != Some(ailing.ailment) {
            tracing::error!(reason, cause = ailing.cause, "the database cannot do its work");
        }
        show(before, 0.0);
        show(Some(ailing.ailment), 1.0);
        *kept = Some(ailing);
    }

    /// A transaction that wrote is durable: only damage stays.
    pub fn wrote(&self) {
        self.end(|ailment| ailment != Ailment::Damaged);
    }

    /// The database answers: it is reached again.
    pub fn answered(&self) {
        self.end(|ailment| ailment == Ailment::Unreachable);
    }

    /// What ails it now.
    pub fn now(&self) -> Option<Ailing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn end(&self, over: impl Fn(Ailment) -> bool) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ailing) = kept.take_if(|kept| over(kept.ailment)) {
            show(Some(ailing.ailment), 0.0);
            tracing::info!(reason = ailing.ailment.reason(), "the database works again");
        }
    }
}

fn show(ailment: Option<Ailment>, value: f64) {
    if let Some(ailment) = ailment {
        metrics::gauge!(STORAGE_FAILING.name, "reason" => ailment.reason()).set(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ailing(ailment: Ailment) -> Ailing {
        Ailing { ailment, cause: "cause".to_owned() }
    }

    fn check(noted: Ailment, after: impl Fn(&Vitals), left: Option<Ailment>) {
        let vitals = Vitals::default();
        vitals.note(ailing(noted));
        after(&vitals);
        assert_eq!(vitals.now().map(|left| left.ailment), left, "{noted:?}");
    }

    #[test]
    fn what_is_written_ends_all_but_damage() {
        for ailment in [Ailment::Full, Ailment::Disk, Ailment::ReadOnly, Ailment::Unreachable] {
            check(ailment, Vitals::wrote, None);
        }
        check(Ailment::Damaged, Vitals::wrote, Some(Ailment::Damaged));
    }

    #[test]
    fn an_answer_shows_only_that_it_is_reached() {
        check(Ailment::Unreachable, Vitals::answered, None);
        check(Ailment::Full, Vitals::answered, Some(Ailment::Full));
        let again = |vitals: &Vitals| vitals.note(ailing(Ailment::Full));
        check(Ailment::Disk, again, Some(Ailment::Full));
        check(Ailment::Damaged, again, Some(Ailment::Damaged));
    }

    #[test]
    fn reasons_differ() {
        let reasons: std::collections::BTreeSet<_> =
            Ailment::ALL.iter().map(|ailment| ailment.reason()).collect();
        assert_eq!(reasons.len(), Ailment::ALL.len());
    }
}
