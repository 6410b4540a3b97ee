//! Tells the demo to a person, or counts its steps for a script.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Output, Tone};

/// What the demo reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Alerts shared.
    pub shared: usize,
    /// Of these, delivered to every other member.
    pub delivered: usize,
    /// Matches linked.
    pub matches: usize,
}

#[derive(Serialize)]
struct Step {
    name: &'static str,
    ms: u128,
}

/// The narrator.
pub struct Teller {
    out: Output,
    json: bool,
    steps: Vec<Step>,
    since: Instant,
}

impl Teller {
    /// Begins to tell.
    pub fn new(json: bool) -> Self {
        Self { out: Output::new(json), json, steps: Vec::new(), since: Instant::now() }
    }

    /// Says a paragraph; scripts do not hear it.
    ///
    /// # Errors
    /// An output that is closed.
    pub fn say(&self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { self.out.text(text) }
    }

    /// Begins a chapter.
    ///
    /// # Errors
    /// An output that is closed.
    pub fn chapter(&self, title: &str) -> Result<(), Failure> {
        self.say("")?;
        self.say(&self.out.paint(title, Tone::Strong))
    }

    /// Ends a step: notes how long it took.
    ///
    /// # Errors
    /// An output that is closed.
    pub fn step(&mut self, name: &'static str) -> Result<(), Failure> {
        let ms = self.since.elapsed().as_millis();
        self.since = Instant::now();
        self.steps.push(Step { name, ms });
        self.say(&self.out.paint(&format!("  ({name}: {ms} ms)"), Tone::Faint))
    }

    /// Ends the demo.
    ///
    /// # Errors
    /// An output that is closed.
    pub fn end(&self, outcome: &Outcome, kept: Option<&Path>) -> Result<(), Failure> {
        if self.json {
            return self.out.object(&serde_json::json!({
                "demo": "ok",
                "alerts": { "shared": outcome.shared, "delivered": outcome.delivered },
                "matches": outcome.matches,
                "steps": self.steps,
            }));
        }
        let total: u128 = self.steps.iter().map(|step| step.ms).sum();
        self.chapter("Done")?;
        self.say(&format!(
            "  {} alerts shared, {} delivered, {} matches linked, in {:.1} s from empty directories.",
            outcome.shared,
            outcome.delivered,
            outcome.matches,
            total as f64 / 1000.0
        ))?;
        if let Some(dir) = kept {
            let dir = dir.display();
            self.say(&format!(
                "  The homes are kept. To go on exploring, start the four again:\n    \
                 for n in relay toscana umbria lombardia; do raccordod --home {dir}/$n 2> {dir}/$n.log & done\n    \
                 raccordo --home {dir}/umbria --operator {dir}/umbria.token alert list --equipe \
                 tre-regioni"
            ))?;
        }
        Ok(())
    }
}
