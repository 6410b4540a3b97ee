//! Alerts as they stand in a file: one JSON object over any number of lines, or many.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use raccordo_proto::alert::v1::Alert;
use serde::Deserialize;
use serde_json::Deserializer;
use serde_json::de::{IoRead, StreamDeserializer};

use crate::failure::Failure;
use crate::files;

/// An alert with its place in the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    /// The line on which it ends, from 1.
    pub line: u64,
    /// The alert.
    pub alert: Alert,
    /// Which record of the own register it is about.
    pub record: Option<String>,
}

/// An alert as it stands in a file: beside its fields, what only this node learns.
#[derive(Deserialize)]
struct Written {
    record: Option<String>,
    #[serde(flatten)]
    alert: Alert,
}

type Source = BufReader<LineCounter<Box<dyn Read>>>;

/// Reads alerts one by one, in bounded memory.
pub struct AlertReader {
    stream: StreamDeserializer<'static, IoRead<Source>, Written>,
    breaks: Rc<RefCell<VecDeque<usize>>>,
    line: u64,
}

impl AlertReader {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self::new(files::open(path)?))
    }

    fn new(source: Box<dyn Read>) -> Self {
        let breaks = Rc::new(RefCell::new(VecDeque::new()));
        let counter = LineCounter { source, offset: 0, breaks: Rc::clone(&breaks) };
        let stream = Deserializer::from_reader(BufReader::new(counter)).into_iter();
        Self { stream, breaks, line: 1 }
    }

    /// The next alerts, at most so many; none at the end.
    ///
    /// # Errors
    /// The input is no alert; the message names line and field, never a value.
    pub fn batch(&mut self, max: usize) -> Result<Vec<Numbered>, Failure> {
        self.by_ref().take(max).collect()
    }

    /// Bytes of the input that were used so far.
    pub fn offset(&self) -> u64 {
        self.stream.byte_offset() as u64
    }

    /// The line on which the newest alert ends.
    fn line_now(&mut self) -> u64 {
        let offset = self.stream.byte_offset();
        let mut breaks = self.breaks.borrow_mut();
        while breaks.front().is_some_and(|place| *place < offset) {
            breaks.pop_front();
            self.line += 1;
        }
        self.line
    }
}

impl Iterator for AlertReader {
    type Item = Result<Numbered, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let written = self.stream.next()?;
        let line = self.line_now();
        let numbered = |Written { record, alert }| Numbered { line, alert, record };
        Some(written.map(numbered).map_err(|error| unreadable(&error)))
    }
}

fn unreadable(error: &serde_json::Error) -> Failure {
    let line = error.line();
    if error.is_io() {
        return Failure::usage("input_failed", format!("cannot read the input: {error}"))
            .hint("check the file or the pipe that it comes from");
    }
    if error.is_data() {
        let message = format!("line {line}: {}", without_value(&error.to_string()));
        return Failure::usage("invalid_alert", message).hint(
            "alerts are JSON objects, one or many: raccordo alert example --kind case prints one",
        );
    }
    let message = format!("line {line}, column {}: this is no JSON", error.column());
    let why = match error.is_eof() {
        true => "it ends in the middle of an object",
        false => {
            "one object, or one after the other: raccordo alert example --kind case prints one"
        }
    };
    Failure::usage("invalid_json", message).hint(why)
}

/// The decoder's message without the value that it may quote.
pub fn without_value(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default();
    if message.starts_with("unknown field") {
        return message.split(", expected").next().unwrap_or_default().to_owned();
    }
    let quotes = ["invalid type:", "invalid value:", "invalid length:"];
    if !quotes.iter().any(|quote| message.starts_with(quote)) {
        return message.to_owned();
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("a value of the wrong kind; expected {expected}"),
        None => "a value of the wrong kind".to_owned(),
    }
}

/// Notes where lines break while bytes pass.
struct LineCounter<R> {
    source: R,
    offset: usize,
    breaks: Rc<RefCell<VecDeque<usize>>>,
}

impl<R: Read> Read for LineCounter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        let fresh = buffer.iter().take(count).enumerate();
        let ends = fresh.filter(|(_, byte)| **byte == b'\n').map(|(place, _)| self.offset + place);
        self.breaks.borrow_mut().extend(ends);
        self.offset += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(text: &str) -> AlertReader {
        AlertReader::new(Box::new(std::io::Cursor::new(text.as_bytes().to_vec())))
    }

    fn check(text: &str, expected: &[(u64, &str)]) {
        let found: Vec<(u64, String)> =
            reader(text).map(|item| item.unwrap()).map(|item| (item.line, item.alert.id)).collect();
        let expected: Vec<(u64, String)> =
            expected.iter().map(|(line, id)| (*line, (*id).to_owned())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn one_or_many_alerts() {
        check("", &[]);
        check("\n\n", &[]);
        check(r#"{"id":"a"}"#, &[(1, "a")]);
        check("{\"id\":\"a\"}\n{\"id\":\"b\"}\n", &[(1, "a"), (2, "b")]);
        check("{\"id\":\"a\"}\r\n\r\n{\"id\":\"b\"}", &[(1, "a"), (3, "b")]);
        check("{\n  \"id\": \"a\"\n}\n{\n\"id\":\"b\"}", &[(3, "a"), (5, "b")]);
        check(r#"{"id":"a"}{"id":"b"}"#, &[(1, "a"), (1, "b")]);
    }

    #[test]
    fn canonical_json_of_both_kinds() {
        let text = r#"{"caseAlert":{"ageBand":"25-34","exploitation":["x"]}} {"companyAlert":{"soleTrader":true}}"#;
        let alerts = reader(text).batch(10).unwrap();
        let [case, company] = alerts.as_slice() else { panic!("{alerts:?}") };
        let json = serde_json::to_value(&case.alert).unwrap();
        assert_eq!(json["caseAlert"]["ageBand"], "25-34");
        let json = serde_json::to_value(&company.alert).unwrap();
        assert_eq!(json, serde_json::json!({"companyAlert": {"soleTrader": true}}));
    }

    #[test]
    fn an_alert_may_be_about_a_record() {
        let read = reader(r#"{"record":"r1","id":"a"} {"id":"b"}"#).batch(10).unwrap();
        let records: Vec<_> = read.iter().map(|item| item.record.as_deref()).collect();
        assert_eq!(records, [Some("r1"), None]);
        assert_eq!(read[0].alert.id, "a");
    }

    #[test]
    fn batches_end() {
        let mut reader = reader("{} {} {}");
        assert_eq!(reader.batch(2).unwrap().len(), 2);
        assert_eq!(reader.batch(2).unwrap().len(), 1);
        assert_eq!(reader.batch(2).unwrap().len(), 0);
        assert_eq!(reader.offset(), 8);
    }

    fn fails(text: &str, code: &str, parts: &[&str]) {
        let failure = reader(text).batch(10).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.exit), (code, 2), "{text}");
        for part in parts {
            assert!(failure.message.contains(part), "{text}: {}", failure.message);
        }
    }

    #[test]
    fn errors_name_line_and_field() {
        fails("{}\n{\"caseAlert\":{\"nam\":1}}", "invalid_alert", &["line 2", "`nam`"]);
        fails("{}\n{}\n{\"id\"", "invalid_json", &["line 3"]);
        fails("{}\nnonsense", "invalid_json", &["line 2, column"]);
        fails("[{}]", "invalid_alert", &["line 1"]);
    }

    #[test]
    fn errors_never_repeat_a_value() {
        let failure = reader(r#"{"caseAlert":{"exploitation":"Mario Rossi, expected x"}}"#)
            .batch(1)
            .unwrap_err();
        assert!(!failure.to_string().contains("Mario"), "{failure}");
        assert!(failure.message.contains("expected a sequence"), "{failure}");
    }
}
