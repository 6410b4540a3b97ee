//! Where results and remarks go: data to standard output, the rest to standard error.

use std::io::{IsTerminal, Write};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};
use owo_colors::{OwoColorize, Stream};
use raccordo_core::text::{REPLACEMENT, escaped, on_lines, on_one_line, steers};
use serde::Serialize;

use crate::failure::Failure;

/// How good the news in a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Somebody has something to do.
    Open,
    /// Wrong.
    Bad,
    /// No news.
    Plain,
    /// A title.
    Strong,
    /// Beside the point.
    Faint,
}

impl Tone {
    /// Of the state words of peers, pacts, équipes, alerts and findings.
    pub fn of(state: &str) -> Self {
        match state {
            "verified" | "active" | "accepted" | "founded" | "delivered" | "read" | "open"
            | "ok" | "complete" | "self" => Self::Good,
            "introduced" | "waiting" | "waiting for me" | "waiting for others" | "queued"
            | "signed" | "founding" | "next" | "warning" => Self::Open,
            "suspended" | "revoked" | "refused" | "evicted" | "problem" => Self::Bad,
            held if held.starts_with("held") => Self::Bad,
            _ => Self::Plain,
        }
    }
}

/// The program's two outputs.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    colour: bool,
}

impl Output {
    /// Scripts get JSON; people on a terminal get colours unless they refuse them.
    pub fn new(json: bool) -> Self {
        // owo-colors knows the terminal, NO_COLOR and their relatives, and only answers by
        // painting.
        let painted = "x".if_supports_color(Stream::Stdout, |text| text.bold()).to_string();
        Self { json, colour: !json && painted != "x" }
    }

    /// Whether a script reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Writes one JSON object on one line.
    ///
    /// # Errors
    /// Standard output does not take it.
    pub fn object(&self, value: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(value)
            .map_err(|error| Failure::internal(format!("cannot encode the result: {error}")))?;
        self.line(&line)
    }

    /// Writes one line of JSON that was encoded already; what could steer a terminal stands
    /// escaped in it, and reads back as the same.
    ///
    /// # Errors
    /// Standard output does not take it.
    pub fn line(&self, json: &str) -> Result<(), Failure> {
        self.raw(&format!("{}\n", escaped(json.trim_end())))
    }

    /// Writes text for people, with a line break at its end and no control characters.
    ///
    /// # Errors
    /// Standard output does not take it.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        self.raw(&format!("{}\n", harmless(text.trim_end())))
    }

    /// Writes bytes of text as they are.
    ///
    /// # Errors
    /// Standard output does not take it.
    pub fn raw(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(|error| Failure::output(&error))
    }

    /// Writes a record: JSON for scripts, else the text.
    ///
    /// # Errors
    /// Standard output does not take it.
    pub fn record<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.json {
            true => self.object(value),
            false => self.text(&text(value)),
        }
    }

    /// Writes records: JSON Lines for scripts, else a table, else the remark that there
    /// are none.
    ///
    /// # Errors
    /// Standard output does not take it.
    pub fn records<T: Serialize, const N: usize>(
        &self,
        values: &[T],
        header: [&str; N],
        row: impl Fn(&T) -> [String; N],
        none: &str,
    ) -> Result<(), Failure> {
        if self.json {
            return values.iter().try_for_each(|value| self.object(value));
        }
        if values.is_empty() {
            self.note(none);
            return Ok(());
        }
        self.raw(&format!("{}\n", self.table(header, values.iter().map(row))))
    }

    /// A table without borders, as wide as the terminal at most.
    pub fn table<const N: usize>(
        &self,
        header: [&str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) -> String {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        if std::io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        match self.colour {
            true => table.enforce_styling(),
            false => table.force_no_tty(),
        };
        table.set_header(header.map(|name| Cell::new(name).add_attribute(Attribute::Dim)));
        for row in rows {
            table.add_row(row.map(|text| cell(&text)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.trim_fmt()
    }

    /// Paints a state word by its tone, on one line.
    pub fn paint(&self, text: &str, tone: Tone) -> String {
        let text = on_one_line(text);
        match tone {
            _ if !self.colour => text.into_owned(),
            Tone::Good => text.green().to_string(),
            Tone::Open => text.yellow().to_string(),
            Tone::Bad => text.red().to_string(),
            Tone::Plain => text.into_owned(),
            Tone::Strong => text.bold().to_string(),
            Tone::Faint => text.dimmed().to_string(),
        }
    }

    /// Tells people something on standard error; scripts are not told.
    pub fn note(&self, text: &str) {
        if !self.json {
            tell(text);
        }
    }

    /// Tells of a failure: scripts on standard output, people on standard error.
    pub fn failure(&self, failure: &Failure) {
        if failure.code == "output_closed" {
            return;
        }
        match self.json {
            // Where even this cannot be written, the exit code remains.
            true => drop(self.object(&failure.json())),
            false => tell(&failure.to_string()),
        }
    }
}

/// Writes a help text to standard error, as it is.
pub fn help(text: &str) {
    // Nothing is left to tell when standard error itself is gone.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Writes lines to standard error, each after the program's name.
fn tell(text: &str) {
    let mut stderr = std::io::stderr().lock();
    for line in on_lines(text).lines() {
        // Nothing is left to tell when standard error itself is gone.
        drop(writeln!(stderr, "raccordo: {line}"));
    }
}

fn cell(text: &str) -> Cell {
    let cell = Cell::new(on_one_line(text));
    match Tone::of(text) {
        Tone::Good => cell.fg(Color::Green),
        Tone::Open => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
        Tone::Plain | Tone::Strong | Tone::Faint => cell,
    }
}

/// The only escape sequences that pass: the tones, and their ends.
const TONES: [&str; 8] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[22m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[39m",
];

/// Without the characters by which a peer's text could steer the terminal, or be read as
/// another one.
pub fn harmless(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let tone = || TONES.iter().any(|tone| text.get(at..).is_some_and(|t| t.starts_with(tone)));
        let harm = steers(c) && c != '\n' && c != '\t' && !tone();
        kept.push(if harm { REPLACEMENT } else { c });
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Output = Output { json: false, colour: false };

    #[test]
    fn tables_are_bare() {
        let rows = [["umbria", "verified"], ["toscana-nord", "introduced"]];
        let text = PLAIN.table(["ID", "STATE"], rows.map(|row| row.map(str::to_owned)).into_iter());
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(
            lines,
            ["ID            STATE", "umbria        verified", "toscana-nord  introduced"]
        );
    }

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(harmless("\u{1b}[32mok\u{1b}[39m"), "\u{1b}[32mok\u{1b}[39m");
        assert_eq!(harmless("\u{1b}[8mhidden"), "\u{fffd}[8mhidden");
        assert_eq!(harmless("a\u{1b}[2Jb\tc\nd\u{9b}"), "a\u{fffd}[2Jb\tc\nd\u{fffd}");
        assert_eq!(harmless("a\u{202e}b\u{200b}c"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn a_name_takes_one_cell_of_one_line() {
        let rows = [["umbria\nlazio  verified", "\u{1b}[32mverified\u{1b}[39m\u{202e}"]];
        let text = PLAIN.table(["ID", "STATE"], rows.map(|row| row.map(str::to_owned)).into_iter());
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.chars().any(|c| steers(c) && c != '\n'), "{text:?}");
        assert_eq!(PLAIN.paint("ok\nbad", Tone::Good), "ok\u{fffd}bad");
    }

    #[test]
    fn colours_only_where_wanted() {
        assert_eq!(PLAIN.paint("ok", Tone::Good), "ok");
        let coloured = Output { json: false, colour: true };
        assert_eq!(coloured.paint("ok", Tone::Good), "\u{1b}[32mok\u{1b}[39m");
    }

    #[test]
    fn held_is_bad_news() {
        assert_eq!(Tone::of("held: umbria is not verified"), Tone::Bad);
        assert_eq!(Tone::of("open"), Tone::Good);
        assert_eq!(Tone::of("anything"), Tone::Plain);
    }
}
