//! Records: what a backup says, one after the other.
//!
//! ```text
//! record = tag (1) ‖ length (4) ‖ body
//! tag 1    manifest, JSON: node, made_at_ms, schema, version, card first, once
//! tag 2    table, JSON: name, columns                             before its rows
//! tag 3    row: the values of the table's columns in order
//! tag 4    end, JSON: the number of rows of each table            last, once
//! value  = 0 | 1 ‖ number (8, two's complement) | 2 ‖ length (4) ‖ UTF-8
//!          | 3 ‖ length (4) ‖ bytes
//! ```
//!
//! Names are those of the database's tables, of the schema that the manifest names. What
//! the database keeps sealed stands here as plaintext: the file as a whole is sealed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::id::NodeId;
use crate::secret::Secret;
use crate::time::Instant;

const MANIFEST: u8 = 1;
const TABLE: u8 = 2;
const ROW: u8 = 3;
const END: u8 = 4;
const PREFIX_BYTES: usize = 5;
/// No row is longer.
const BODY_BYTES_MAX: usize = 64 << 20;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Whose it is.
    #[serde(with = "as_text")]
    pub node: NodeId,
    /// When it was made, in milliseconds.
    pub made_at_ms: i64,
    /// Number of the newest migration of its database.
    pub schema: u32,
    /// Version of the program that made it.
    pub version: String,
    /// The node's newest card: hex of the container `signed-card`.
    pub card: String,
}

impl Manifest {
    /// When it was made.
    pub fn made_at(&self) -> Instant {
        Instant(self.made_at_ms)
    }
}

/// The rows that follow are of this table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHead {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of the values.
    pub columns: Vec<Column>,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are, where there are any.
    pub kind: ColumnKind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Whole numbers, times and flags.
    Integer,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
}

/// One value of a row.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number, a time or a flag.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row holds plaintext; nothing of it is shown.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Integer(_) => "Integer(…)",
            Self::Text(_) => "Text(…)",
            Self::Bytes(_) => "Bytes(…)",
        })
    }
}

/// The values of one row, in the order of the table's columns.
pub type Row = Vec<Value>;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What the backup is.
    Manifest(Manifest),
    /// A table begins.
    Table(TableHead),
    /// A row of the table that began last.
    Row(Row),
    /// The end, with the number of rows of each table.
    End(BTreeMap<String, u64>),
}

impl Record {
    /// The record's bytes.
    ///
    /// # Errors
    /// [`BackupError::Malformed`] for a row that is too long.
    pub fn encode(&self) -> Result<Secret<Vec<u8>>, BackupError> {
        let (tag, body) = match self {
            Self::Manifest(manifest) => (MANIFEST, json(manifest)?),
            Self::Table(head) => (TABLE, json(head)?),
            Self::Row(row) => (ROW, encode_row(row)),
            Self::End(counts) => (END, json(counts)?),
        };
        if body.len() > BODY_BYTES_MAX {
            return Err(BackupError::Malformed("a row that is too long"));
        }
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        Ok(Secret::new([[tag].as_slice(), &length.to_be_bytes(), &body].concat()))
    }

    fn decode(tag: u8, body: &[u8]) -> Result<Self, BackupError> {
        match tag {
            MANIFEST => Ok(Self::Manifest(from_json(body)?)),
            TABLE => Ok(Self::Table(from_json(body)?)),
            ROW => Ok(Self::Row(decode_row(body).ok_or(BackupError::Malformed("a row"))?)),
            END => Ok(Self::End(from_json(body)?)),
            _ => Err(BackupError::Malformed("a record of an unknown kind")),
        }
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, BackupError> {
    serde_json::to_vec(value).map_err(|_| BackupError::Malformed("what JSON cannot say"))
}

fn from_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BackupError> {
    serde_json::from_slice(body).map_err(|_| BackupError::Malformed("a record"))
}

fn encode_row(row: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let with_length = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    for value in row {
        match value {
            Value::Null => out.push(0),
            Value::Integer(number) => {
                out.push(1);
                out.extend(number.to_be_bytes());
            }
            Value::Text(text) => with_length(&mut out, 2, text.as_bytes()),
            Value::Bytes(bytes) => with_length(&mut out, 3, bytes),
        }
    }
    out
}

fn decode_row(mut body: &[u8]) -> Option<Row> {
    let mut row = Vec::new();
    while let Some((tag, rest)) = body.split_first() {
        body = rest;
        row.push(match tag {
            0 => Value::Null,
            1 => {
                let (number, rest) = body.split_first_chunk()?;
                body = rest;
                Value::Integer(i64::from_be_bytes(*number))
            }
            2 => Value::Text(String::from_utf8(counted(&mut body)?.to_vec()).ok()?),
            3 => Value::Bytes(counted(&mut body)?.to_vec()),
            _ => return None,
        });
    }
    Some(row)
}

fn counted<'b>(body: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = body.split_first_chunk()?;
    let (bytes, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *body = rest;
    Some(bytes)
}

/// Puts parts together, and checks the order and the counts of what they say.
#[derive(Default)]
pub struct Assembler {
    waiting: Vec<u8>,
    counts: BTreeMap<String, u64>,
    table: Option<TableHead>,
    begun: bool,
    ended: bool,
}

impl Assembler {
    /// Takes a part, and returns the records that are whole now.
    ///
    /// # Errors
    /// [`BackupError::Malformed`].
    pub fn push(&mut self, part: &[u8]) -> Result<Vec<Record>, BackupError> {
        self.waiting.extend_from_slice(part);
        let mut records = Vec::new();
        let mut read = 0;
        loop {
            let rest = self.waiting.get(read..).unwrap_or_default();
            let Some(([tag, length @ ..], rest)) = rest.split_first_chunk::<PREFIX_BYTES>() else {
                break;
            };
            let length = u32::from_be_bytes(*length) as usize;
            if length > BODY_BYTES_MAX {
                return Err(BackupError::Malformed("a row that is too long"));
            }
            let Some(body) = rest.get(..length) else { break };
            records.push(Record::decode(*tag, body)?);
            read += PREFIX_BYTES + length;
        }
        self.waiting.drain(..read);
        for record in &records {
            self.follow(record)?;
        }
        Ok(records)
    }

    /// The number of rows of each table, once all has been taken.
    ///
    /// # Errors
    /// [`BackupError::Malformed`] when the end is missing.
    pub fn finish(self) -> Result<BTreeMap<String, u64>, BackupError> {
        let whole = self.ended && self.waiting.is_empty();
        if whole { Ok(self.counts) } else { Err(BackupError::Malformed("no end")) }
    }

    fn follow(&mut self, record: &Record) -> Result<(), BackupError> {
        let first = matches!(record, Record::Manifest(_));
        if self.ended || first == self.begun {
            return Err(BackupError::Malformed("records out of order"));
        }
        self.begun = true;
        match record {
            Record::Manifest(_) => {}
            Record::Table(head) => {
                let known = self.counts.insert(head.name.clone(), 0).is_some();
                if known || !head.is_sound() {
                    return Err(BackupError::Malformed("a table"));
                }
                self.table = Some(head.clone());
            }
            Record::Row(row) => {
                let head = self.table.as_ref().filter(|head| head.columns.len() == row.len());
                let head = head.ok_or(BackupError::Malformed("a row of no table"))?;
                let count = self.counts.entry(head.name.clone()).or_default();
                *count = count.saturating_add(1);
            }
            Record::End(counts) => {
                if *counts != self.counts {
                    return Err(BackupError::Malformed("other counts than its rows"));
                }
                self.ended = true;
            }
        }
        Ok(())
    }
}

impl TableHead {
    /// Whether the names can be names of tables and columns.
    fn is_sound(&self) -> bool {
        let name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        name(&self.name) && !self.columns.is_empty() && self.columns.iter().all(|it| name(&it.name))
    }
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::id::NodeId;

    pub(super) fn serialize<S: Serializer>(node: &NodeId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(node.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NodeId, D::Error> {
        String::deserialize(from)?.parse().map_err(|_| D::Error::custom("a node id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Record {
        Record::Manifest(Manifest {
            node: "toscana".parse().unwrap(),
            made_at_ms: 7,
            schema: 3,
            version: "1".into(),
            card: "00".into(),
        })
    }

    fn table(name: &str) -> Record {
        let column = |name: &str| Column { name: name.to_owned(), kind: ColumnKind::Text };
        let columns = ["a", "b", "c", "d"].map(column).to_vec();
        Record::Table(TableHead { name: name.to_owned(), columns })
    }

    fn row() -> Record {
        Record::Row(vec![
            Value::Null,
            Value::Integer(-5),
            Value::Text("però".into()),
            Value::Bytes(vec![0, 255]),
        ])
    }

    fn end(counts: &[(&str, u64)]) -> Record {
        Record::End(counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect())
    }

    fn check(records: &[Record], expected: &str) {
        let bytes: Vec<u8> =
            records.iter().flat_map(|record| record.encode().unwrap().reveal().clone()).collect();
        for cut in [1, 7, bytes.len()] {
            let mut assembler = Assembler::default();
            let mut read = Vec::new();
            let taken = bytes
                .chunks(cut.max(1))
                .try_for_each(|part| assembler.push(part).map(|records| read.extend(records)));
            match taken.and_then(|()| assembler.finish()) {
                Ok(_) => {
                    assert_eq!(expected, "");
                    assert_eq!(read, records);
                }
                Err(error) => {
                    let told = BackupError::Malformed("").to_string();
                    assert_eq!(error.to_string(), format!("{told}{expected}"));
                }
            }
        }
    }

    #[test]
    fn records_come_back_however_they_are_cut() {
        check(&[manifest(), table("x"), row(), row(), end(&[("x", 2)])], "");
        check(&[manifest(), table("x"), table("y_z"), row(), end(&[("x", 0), ("y_z", 1)])], "");
        check(&[manifest(), end(&[])], "");
    }

    #[test]
    fn order_and_counts_are_checked() {
        check(&[], "no end");
        check(&[manifest()], "no end");
        check(&[end(&[])], "records out of order");
        check(&[manifest(), manifest()], "records out of order");
        check(&[manifest(), end(&[]), end(&[])], "records out of order");
        check(&[manifest(), row()], "a row of no table");
        check(&[manifest(), table("x"), Record::Row(vec![Value::Null])], "a row of no table");
        check(&[manifest(), table("x"), row(), end(&[("x", 2)])], "other counts than its rows");
        check(&[manifest(), table("x"), table("x")], "a table");
        check(&[manifest(), table("x; drop table y")], "a table");
    }

    #[test]
    fn damaged_rows_are_told() {
        assert_eq!(decode_row(&[9]), None);
        assert_eq!(decode_row(&[1, 0]), None);
        assert_eq!(decode_row(&[2, 0, 0, 0, 1, 0xff]), None);
        assert_eq!(decode_row(&[3, 0, 0, 0, 2, 1]), None);
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", Value::Text("Rossi".into())), "Text(…)");
    }
}
