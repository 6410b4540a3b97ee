//! A CSV file as text: its letters, its separator, and its lines.

use csv::ReaderBuilder;

use crate::secret::Secret;

/// The text is no CSV from this line on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} or later: this is no CSV")]
pub struct BadTable {
    /// From 1.
    pub line: u64,
}

/// One record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its values, as many as it has.
    pub values: Vec<Secret<String>>,
}

/// All records of a text (RFC 4180), the header among them; what is in quotation marks may go
/// over several lines.
///
/// # Errors
/// [`BadTable`].
pub fn lines(text: &str, delimiter: u8) -> Result<Vec<Line>, BadTable> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter);
    let mut reader = builder.from_reader(text.as_bytes());
    let breaks = line_ends(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut lines: Vec<Line> = Vec::new();
    loop {
        let from = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        // What ended the record before, and empty lines.
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = from.saturating_add(skipped);
        let line = (breaks.partition_point(|place| *place < start) as u64).saturating_add(1);
        let more = reader.read_record(&mut record).map_err(|_| BadTable { line })?;
        if !more {
            return Ok(lines);
        }
        let values = record.iter().map(|value| Secret::new(value.to_owned())).collect();
        lines.push(Line { line, values });
    }
}

/// Where lines end: at a line feed, or at a carriage return without one, as old programs write.
/// A record ends at either, so that the lines on which records begin always ascend.
fn line_ends(text: &[u8]) -> Vec<usize> {
    let next = text.iter().skip(1).copied().map(Some).chain([None]);
    let ends = text.iter().zip(next).enumerate().filter(|(_, (byte, next))| match byte {
        b'\n' => true,
        b'\r' => *next != Some(b'\n'),
        _ => false,
    });
    ends.map(|(place, _)| place).collect()
}

/// A letter of Windows-1252 (WHATWG Encoding, index windows-1252).
pub fn windows_1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let place = usize::from(byte).checked_sub(0x80);
    place.and_then(|place| FROM_80.get(place)).copied().unwrap_or(char::from(byte))
}

/// The separator that stands most often in the header, outside quotation marks.
pub fn separator(header: &[u8]) -> u8 {
    let count = |wanted: u8| {
        let mut quoted = false;
        header
            .iter()
            .filter(|byte| {
                quoted ^= **byte == b'"';
                !quoted && **byte == wanted
            })
            .count()
    };
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|wanted| count(*wanted)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(u64, &[&str])]) {
        let header = text.lines().next().unwrap_or_default();
        let lines = lines(text, separator(header.as_bytes())).unwrap();
        let found: Vec<(u64, Vec<&str>)> = lines
            .iter()
            .map(|it| (it.line, it.values.iter().map(|value| value.reveal().as_str()).collect()))
            .collect();
        let expected: Vec<_> = expected.iter().map(|(line, it)| (*line, it.to_vec())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn files_of_all_kinds() {
        check("", &[]);
        check("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check(
            "nome;età\r\nZoë;3\r\n\r\nAda;4",
            &[(1, &["nome", "età"]), (2, &["Zoë", "3"]), (4, &["Ada", "4"])],
        );
        check(
            "\"a;b\",c\n\"1\n2\",3\nx\n",
            &[(1, &["a;b", "c"]), (2, &["1\n2", "3"]), (4, &["x"])],
        );
        check("a\tb,c\td\n", &[(1, &["a", "b,c", "d"])]);
    }

    /// The node takes no batch whose lines do not ascend.
    #[test]
    fn lines_ascend_in_every_file() {
        check("a\n\"b\n", &[(1, &["a"]), (2, &["b\n"])]);
        check("a\n\"b\n\n", &[(1, &["a"]), (2, &["b\n\n"])]);
        check("a\rb\r\rc\r", &[(1, &["a"]), (2, &["b"]), (4, &["c"])]);
        check("a\rb\n\"c\r\nd\"\r\ne", &[(1, &["a"]), (2, &["b"]), (3, &["c\r\nd"]), (5, &["e"])]);
    }

    #[test]
    fn older_letters() {
        let text: String = b"citt\xe0 \x80 \x92".iter().map(|byte| windows_1252(*byte)).collect();
        assert_eq!(text, "città € ’");
    }
}
