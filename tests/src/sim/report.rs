//! What came of runs.

use std::collections::BTreeMap;
use std::fmt;

use raccordo_core::id::Digest;

use super::storage::StorageKind;
use super::{Plan, Violation};

/// What happened how often, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    /// Once more.
    pub fn count(&mut self, what: &'static str) {
        self.add(what, 1);
    }

    /// So many times more.
    pub fn add(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    /// How often.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// All of another run's.
    pub fn add_all(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, times)| self.add(what, *times));
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> =
            self.0.iter().map(|(what, times)| format!("{what} {times}")).collect();
        f.write_str(&words.join(", "))
    }
}

/// A run in which everything held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// What happened.
    pub counts: Counts,
    /// Over all its steps.
    pub digest: Digest,
}

/// A run in which something did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// On what the machines kept their rows.
    pub storage: StorageKind,
    /// What did not hold.
    pub violation: Violation,
    /// The last steps, oldest first.
    pub last: Vec<String>,
    /// Over all its steps.
    pub digest: Digest,
}

impl Failure {
    /// Before the first step.
    pub fn early(plan: Plan, violation: Violation) -> Self {
        let Plan { seed, storage, .. } = plan;
        Self { seed, storage, violation, last: Vec::new(), digest: Digest::ZERO }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.last {
            writeln!(f, "{step}")?;
        }
        let on = match self.storage {
            StorageKind::Memory => "",
            StorageKind::Sqlite => ", on SQLite",
            StorageKind::Postgres => ", on PostgreSQL",
        };
        write!(f, "seed {}{on}: {}", self.seed, self.violation)
    }
}
