//! What happened: the last steps in words, and a digest over all of them.

use std::collections::VecDeque;

use raccordo_core::id::Digest;

/// The steps of a run.
pub struct Trace {
    shown: usize,
    last: VecDeque<String>,
    digest: Digest,
    count: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self { shown: 0, last: VecDeque::new(), digest: Digest::ZERO, count: 0 }
    }
}

impl Trace {
    /// Keeps as many of the last steps.
    pub fn show(&mut self, shown: usize) {
        self.shown = shown;
    }

    /// Adds a step.
    pub fn note(&mut self, step: &str) {
        self.count += 1;
        self.digest = Digest::of(&[self.digest.as_bytes(), step.as_bytes()].concat());
        if self.last.len() >= self.shown {
            self.last.pop_front();
        }
        self.last.push_back(format!("{:5} {step}", self.count));
    }

    /// The last steps, oldest first.
    pub fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    /// The digest over all steps: equal for equal runs.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
