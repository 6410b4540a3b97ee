//! Transcripts: commands as typed, and what they print.
//!
//! ```text
//! # a remark
//! $ raccordo alert list --equipe nobody
//! ! raccordo: this node is in no équipe of that name
//! ! hint: [..]
//! ? 4
//! ```
//!
//! Lines with `!` are standard error, a line with `?` is the exit code (0 where none is told),
//! other lines are standard output. `[..]` stands for any part of a line, a line `...` for any
//! lines. An empty line ends a command; one inside an output is written as `.`.

use std::fmt::Write as _;

/// One command and what is expected of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// Line of the file, from 1.
    pub(crate) line: usize,
    /// For the shell.
    pub(crate) command: String,
    /// What it does.
    pub(crate) effect: Effect,
}

/// What a command does: expected, or seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Lines of standard output.
    pub(crate) stdout: Vec<String>,
    /// Lines of standard error.
    pub(crate) stderr: Vec<String>,
    /// Exit code.
    pub(crate) exit: i32,
}

/// Reads a transcript.
pub(crate) fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            let command = command.to_owned();
            steps.push(Step { line: index + 1, command, ..Step::default() });
            continue;
        }
        if line.is_empty() || line.starts_with("# ") {
            continue;
        }
        let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: no command", index + 1));
        match (line.strip_prefix('!'), line.strip_prefix("? ")) {
            (Some(error), _) => {
                step.effect.stderr.push(error.strip_prefix(' ').unwrap_or(error).to_owned());
            }
            (None, Some(code)) => step.effect.exit = code.parse().expect("an exit code"),
            (None, None) => step.effect.stdout.push(if line == "." { "" } else { line }.to_owned()),
        }
    }
    steps
}

impl Effect {
    /// Whether what was seen is what this expects.
    pub(crate) fn allows(&self, seen: &Self) -> bool {
        self.exit == seen.exit
            && all_match(&self.stdout, &seen.stdout)
            && all_match(&self.stderr, &seen.stderr)
    }

    /// As it would stand in a transcript.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.stdout {
            let _ = writeln!(text, "{}", if line.is_empty() { "." } else { line });
        }
        for line in &self.stderr {
            let _ = writeln!(text, "{}", format!("! {line}").trim_end());
        }
        if self.exit != 0 {
            let _ = writeln!(text, "? {}", self.exit);
        }
        text
    }
}

fn all_match(expected: &[String], seen: &[String]) -> bool {
    let Some((first, rest)) = expected.split_first() else { return seen.is_empty() };
    if first == "..." {
        return (0..=seen.len()).any(|skipped| all_match(rest, &seen[skipped..]));
    }
    let Some((line, others)) = seen.split_first() else { return false };
    line_matches(first, line.trim_end()) && all_match(rest, others)
}

fn line_matches(expected: &str, line: &str) -> bool {
    let parts: Vec<&str> = expected.split("[..]").collect();
    let [first, middle @ .., last] = parts.as_slice() else { return expected == line };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for part in middle {
        let Some(found) = rest.find(part) else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn lines_with_wildcards() {
    let check = |expected, line, matches| {
        assert_eq!(line_matches(expected, line), matches, "{expected} and {line}");
    };
    check("a b", "a b", true);
    check("a b", "a c", false);
    check("a", "ab", false);
    check("[..]", "", true);
    check("a[..]b", "a b", true);
    check("a[..]b", "ab", true);
    check("a[..]b", "a", false);
    check("a[..]a", "a", false);
    check("[..]b[..]", "abc", true);
    check("[..]x[..]", "abc", false);
}

#[test]
fn effects_with_any_lines() {
    let lines = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let check = |expected: &str, seen: &str, matches| {
        assert_eq!(all_match(&lines(expected), &lines(seen)), matches, "{expected} and {seen}");
    };
    check("", "", true);
    check("", "a", false);
    check("a", "", false);
    check("...", "", true);
    check("a ... d", "a b c d", true);
    check("a ... d", "a b c", false);
    check("... b ...", "a b c", true);
}

#[test]
fn transcripts_are_read() {
    let text = "# so it is\n$ one | two\nout\n.\n! err\n!\n? 4\n\n$ three\n";
    let steps = parse(text);
    let lines = |text: &[&str]| text.iter().map(|line| (*line).to_owned()).collect();
    let effect = Effect { stdout: lines(&["out", ""]), stderr: lines(&["err", ""]), exit: 4 };
    assert_eq!(steps[0].effect.text(), "out\n.\n! err\n!\n? 4\n");
    assert_eq!(
        steps,
        [
            Step { line: 2, command: "one | two".into(), effect },
            Step { line: 9, command: "three".into(), effect: Effect::default() },
        ]
    );
}
