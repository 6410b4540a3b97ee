//! A CSV file: looked at as a whole first, then read record by record, in bounded memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use clap::ValueEnum;
use csv::{ByteRecord, Reader, ReaderBuilder};
use raccordo_core::id::Digest;
use raccordo_core::register::import::{separator, windows_1252};
use raccordo_core::secret::Secret;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// Longest line and record, in bytes: an open quotation mark would take in the rest of a file.
const RECORD_BYTES_MAX: u64 = 1 << 20;

/// How a file writes its letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark
    #[default]
    #[value(name = "utf-8")]
    Utf8,
    /// Windows-1252, which includes Latin-1 (ISO 8859-1)
    #[value(name = "windows-1252", alias = "latin-1")]
    Windows1252,
}

impl Encoding {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
        }
    }

    fn text(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Windows1252 => Some(bytes.iter().map(|byte| windows_1252(*byte)).collect()),
        }
    }
}

/// What the first look at a file tells.
pub(super) struct Glance {
    /// SHA-256 of all of it.
    pub(super) digest: Digest,
    /// Its length in bytes.
    pub(super) length: u64,
    /// What separates its columns.
    pub(super) delimiter: u8,
}

/// Looks at a whole file: length, digest, letters and separator.
///
/// # Errors
/// It cannot be read, or its letters are not of the encoding; the message names the line.
pub(super) fn glance(
    path: &Path,
    encoding: Encoding,
    delimiter: Option<u8>,
) -> Result<Glance, Failure> {
    if path == Path::new("-") {
        return Err(Failure::usage("not_a_file", "an import is read twice, so it is a file")
            .hint("write it to a file that only you can read, and remove it afterwards"));
    }
    let failed = |error| Failure::file("read", path, &error);
    let mut input = BufReader::new(File::open(path).map_err(failed)?);
    let mut hash = Sha256::new();
    let (mut length, mut number, mut header) = (0_u64, 0_u64, Vec::new());
    loop {
        let mut line = Vec::new();
        let read = input.by_ref().take(RECORD_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(failed)? as u64;
        if read == 0 {
            break;
        }
        let line = Secret::new(line);
        number += 1;
        length += read;
        fit(line.reveal(), number, encoding)?;
        hash.update(line.reveal());
        if number == 1 {
            header.clone_from(line.reveal());
        }
    }
    let delimiter = delimiter.unwrap_or_else(|| separator(&header));
    Ok(Glance { digest: Digest(hash.finalize().into()), length, delimiter })
}

fn fit(line: &[u8], number: u64, encoding: Encoding) -> Result<(), Failure> {
    if line.len() as u64 >= RECORD_BYTES_MAX {
        return Err(Failure::usage("line_too_long", format!("line {number} is longer than 1 MiB"))
            .hint("is it the right file?"));
    }
    if number == 1 && (line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff])) {
        return Err(
            Failure::usage("not_utf8", "the file is UTF-16").hint("save it again as: CSV UTF-8")
        );
    }
    if encoding.text(line).is_none() {
        let message = format!("line {number} is not UTF-8; nothing was imported");
        return Err(Failure::usage("not_utf8", message).hint(
            "save it again as: CSV UTF-8; or if it is an older Excel's: --encoding windows-1252",
        ));
    }
    Ok(())
}

/// What passes on the way to the reader of records.
#[derive(Default)]
struct Passage {
    /// Bytes so far.
    bytes: u64,
    /// Bytes since the newest record began.
    since: u64,
    /// Where line feeds stand, as far as no record has come past them.
    breaks: VecDeque<u64>,
}

/// Counts what passes, and fails once more has passed than one record may have.
struct Counted<R> {
    source: R,
    passage: Rc<RefCell<Passage>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut passage = self.passage.borrow_mut();
        if passage.since > RECORD_BYTES_MAX {
            return Err(std::io::Error::other("a record is longer than 1 MiB"));
        }
        let read = self.source.read(buffer)?;
        let fresh = (passage.bytes..).zip(buffer.iter().take(read));
        let breaks = fresh.filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place);
        passage.breaks.extend(breaks);
        passage.bytes += read as u64;
        passage.since += read as u64;
        Ok(read)
    }
}

/// One record of the file.
pub(super) struct Record {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Its values, as many as it has.
    pub(super) values: Vec<Secret<String>>,
}

/// Reads records.
pub(super) struct Table {
    reader: Reader<Counted<File>>,
    passage: Rc<RefCell<Passage>>,
    encoding: Encoding,
    record: ByteRecord,
    /// Line feeds that records have come past.
    passed: u64,
}

impl Table {
    /// Opens a file that was looked at.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) fn open(path: &Path, encoding: Encoding, delimiter: u8) -> Result<Self, Failure> {
        let source = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
        let passage = Rc::new(RefCell::new(Passage::default()));
        let counted = Counted { source, passage: Rc::clone(&passage) };
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter);
        let reader = builder.from_reader(counted);
        Ok(Self { reader, passage, encoding, record: ByteRecord::new(), passed: 0 })
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// It cannot be read; the message names the line and no value.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Failure> {
        self.passage.borrow_mut().since = 0;
        let read = self.reader.read_byte_record(&mut self.record);
        let more = read.map_err(|_| {
            let line = self.passed + 2;
            Failure::usage("bad_csv", format!("line {line} or later: this is no CSV"))
                .hint("a quotation mark may be left open; open the file and save it again as CSV")
        })?;
        if !more {
            return Ok(None);
        }
        let line = self.line();
        let text = |bytes: &[u8]| self.encoding.text(bytes).map(Secret::new);
        let values: Option<Vec<_>> = self.record.iter().map(text).collect();
        let values = values.ok_or_else(|| {
            Failure::usage("not_utf8", format!("line {line} is not UTF-8"))
                .hint("the file was changed while it was read: begin again")
        })?;
        Ok(Some(Record { line, values }))
    }

    /// The line on which the newest record begins.
    fn line(&mut self) -> u64 {
        // The line feed that ends the record is its last byte, or follows a carriage return.
        let end = self.reader.position().byte().saturating_sub(1);
        let breaks = &mut self.passage.borrow_mut().breaks;
        while breaks.front().is_some_and(|place| *place < end) {
            breaks.pop_front();
            self.passed += 1;
        }
        let within = self.record.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        (self.passed + 1).saturating_sub(within)
    }

    /// Bytes read so far.
    pub(super) fn offset(&self) -> u64 {
        self.reader.position().byte()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn check(bytes: &[u8], encoding: Encoding, expected: &[(u64, &[&str])]) {
        let file = file(bytes);
        let glance = glance(file.path(), encoding, None).unwrap();
        assert_eq!(glance.length, bytes.len() as u64);
        assert_eq!(glance.digest, Digest::of(bytes));
        let mut table = Table::open(file.path(), encoding, glance.delimiter).unwrap();
        for (line, values) in expected {
            let record = table.next().unwrap().unwrap();
            let found: Vec<_> = record.values.iter().map(|it| it.reveal().as_str()).collect();
            assert_eq!((record.line, found.as_slice()), (*line, *values));
        }
        assert!(table.next().unwrap().is_none());
    }

    #[test]
    fn files_of_all_kinds() {
        check(b"", Encoding::Utf8, &[]);
        check(b"a,b\n1,2\n", Encoding::Utf8, &[(1, &["a", "b"]), (2, &["1", "2"])]);
        let mark = "\u{feff}nome;età\r\nZoë;3\r\n\r\nAda;4".as_bytes();
        check(
            mark,
            Encoding::Utf8,
            &[(1, &["nome", "età"]), (2, &["Zoë", "3"]), (4, &["Ada", "4"])],
        );
        check(
            b"citt\xe0\tx\n\x80\t\x92\n",
            Encoding::Windows1252,
            &[(1, &["città", "x"]), (2, &["€", "’"])],
        );
        check(
            b"\"a;b\",c\n\"1\n2\",3\nx\n",
            Encoding::Utf8,
            &[(1, &["a;b", "c"]), (2, &["1\n2", "3"]), (4, &["x"])],
        );
    }

    fn refused(bytes: &[u8], code: &str, says: &str) {
        let failure = glance(file(bytes).path(), Encoding::Utf8, None).map(|_| ()).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.exit), (code, 2));
        assert!(failure.message.contains(says), "{failure}");
    }

    #[test]
    fn wrong_letters_are_told_with_their_line() {
        refused(b"a\nb\ncitt\xe0 Canarino\n", "not_utf8", "line 3");
        refused(b"\xff\xfea\0", "not_utf8", "UTF-16");
        refused(&vec![b'a'; 1 << 20], "line_too_long", "line 1");
    }

    #[test]
    fn an_open_quotation_mark_does_not_take_in_the_file() {
        let file = file(&[b"a,b\n\"1,2\n".to_vec(), b"3,4\n".repeat(1 << 20)].concat());
        let mut table = Table::open(file.path(), Encoding::Utf8, b',').unwrap();
        table.next().unwrap();
        let failure = table.next().map(|_| ()).unwrap_err();
        assert_eq!(failure.code, "bad_csv");
        assert!(failure.message.contains("line 2 or later"), "{failure}");
    }
}
