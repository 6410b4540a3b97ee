//! Canonical bytes: the one encoding of everything that is signed or hashed.
//!
//! `raccordo/v1/TYPE`, one zero byte, then each field as `length (4 bytes, big-endian) ‖
//! bytes`. Integers are 8 bytes big-endian and at most 2^53 - 1, booleans one byte, text
//! UTF-8. A list is one field that holds its items, each length-prefixed; a record in a list
//! is one item that holds its fields. Signed bytes are stored and sent as they were signed
//! and never encoded again (`proto/trust/v1/trust.proto` defines each type).

use crate::id::Digest;
use crate::number;
use crate::time::Instant;

/// Why bytes are not canonical of the expected type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// The tag is of another type or version.
    #[error("not canonical bytes of type {0}")]
    Tag(&'static str),
    /// A length points past the end, or the end came too early.
    #[error("the field {0} is cut off")]
    Short(&'static str),
    /// A field has another length or alphabet than its type.
    #[error("the field {0} is malformed")]
    Field(&'static str),
    /// A number or time is beyond what is taken from others ([`crate::number`]).
    #[error("the field {0} is out of range")]
    Range(&'static str),
    /// Bytes follow the last field.
    #[error("bytes follow the last field")]
    Trailing,
}

/// Writes canonical bytes.
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins bytes of one type, such as `card`.
    pub fn new(kind: &str) -> Self {
        let mut bytes = tag(kind);
        bytes.push(0);
        Self { bytes }
    }

    /// Begins the fields of a record inside a list.
    pub fn record() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Adds one field of bytes.
    #[must_use]
    pub fn bytes(mut self, field: &[u8]) -> Self {
        // A field is bounded by the frame it came in, far below 4 GiB.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(field);
        self
    }

    /// Adds one field of text.
    #[must_use]
    pub fn text(self, field: &str) -> Self {
        self.bytes(field.as_bytes())
    }

    /// Adds one unsigned integer, 8 bytes big-endian.
    #[must_use]
    pub fn integer(self, field: u64) -> Self {
        self.bytes(&field.to_be_bytes())
    }

    /// Adds one instant in milliseconds, 8 bytes big-endian, two's complement.
    #[must_use]
    pub fn instant(self, field: Instant) -> Self {
        self.bytes(&field.0.to_be_bytes())
    }

    /// Adds one boolean, one byte.
    #[must_use]
    pub fn boolean(self, field: bool) -> Self {
        self.bytes(&[u8::from(field)])
    }

    /// Adds one list; each item is bytes, or a finished [`Writer::record`].
    #[must_use]
    pub fn list<I: AsRef<[u8]>>(self, items: impl IntoIterator<Item = I>) -> Self {
        let inner = items.into_iter().fold(Self::record(), |list, item| list.bytes(item.as_ref()));
        self.bytes(&inner.bytes)
    }

    /// The finished bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// SHA-256 of the finished bytes.
    pub fn digest(self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// Reads canonical bytes, strictly.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins to read bytes of one type.
    ///
    /// # Errors
    /// [`CanonicalError::Tag`] when they are of another.
    pub fn new(kind: &'static str, bytes: &'a [u8]) -> Result<Self, CanonicalError> {
        let rest = bytes
            .strip_prefix(tag(kind).as_slice())
            .and_then(|rest| rest.strip_prefix(&[0]))
            .ok_or(CanonicalError::Tag(kind))?;
        Ok(Self { rest })
    }

    /// Begins to read the fields of a record inside a list.
    pub fn record(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next field.
    ///
    /// # Errors
    /// [`CanonicalError::Short`] at the end.
    pub fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], CanonicalError> {
        let short = CanonicalError::Short(field);
        let (length, rest) = self.rest.split_first_chunk::<4>().ok_or(short.clone())?;
        let length = u32::from_be_bytes(*length) as usize;
        let (value, rest) = rest.split_at_checked(length).ok_or(short)?;
        self.rest = rest;
        Ok(value)
    }

    /// The next field, of exactly `N` bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes`], or [`CanonicalError::Field`] for another length.
    pub fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], CanonicalError> {
        self.bytes(field)?.try_into().map_err(|_| CanonicalError::Field(field))
    }

    /// The next field as text.
    ///
    /// # Errors
    /// As [`Reader::bytes`], or [`CanonicalError::Field`] when it is not UTF-8.
    pub fn text(&mut self, field: &'static str) -> Result<&'a str, CanonicalError> {
        std::str::from_utf8(self.bytes(field)?).map_err(|_| CanonicalError::Field(field))
    }

    /// The next field as an unsigned integer.
    ///
    /// # Errors
    /// As [`Reader::array`], or [`CanonicalError::Range`] above [`number::NUMBER_MAX`].
    pub fn integer(&mut self, field: &'static str) -> Result<u64, CanonicalError> {
        let told = u64::from_be_bytes(self.array(field)?);
        number::bounded(told).ok_or(CanonicalError::Range(field))
    }

    /// The next field as an instant.
    ///
    /// # Errors
    /// As [`Reader::array`], or [`CanonicalError::Range`] outside of [`number::instant`].
    pub fn instant(&mut self, field: &'static str) -> Result<Instant, CanonicalError> {
        let told = i64::from_be_bytes(self.array(field)?);
        number::instant(told).ok_or(CanonicalError::Range(field))
    }

    /// The next field as a boolean.
    ///
    /// # Errors
    /// As [`Reader::array`], or [`CanonicalError::Field`] for a byte other than 0 and 1.
    pub fn boolean(&mut self, field: &'static str) -> Result<bool, CanonicalError> {
        match self.array(field)? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(CanonicalError::Field(field)),
        }
    }

    /// The next field as a list of items.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn list(&mut self, field: &'static str) -> Result<Vec<&'a [u8]>, CanonicalError> {
        let mut inner = Reader { rest: self.bytes(field)? };
        let mut items = Vec::new();
        while !inner.rest.is_empty() {
            items.push(inner.bytes(field)?);
        }
        Ok(items)
    }

    /// Whether no field is left.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`CanonicalError::Trailing`] when bytes are left.
    pub fn end(self) -> Result<(), CanonicalError> {
        if self.rest.is_empty() { Ok(()) } else { Err(CanonicalError::Trailing) }
    }
}

fn tag(kind: &str) -> Vec<u8> {
    let mut tag = b"raccordo/v1/".to_vec();
    tag.extend_from_slice(kind.as_bytes());
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let record = Writer::record().text("umbria").boolean(true).finish();
        Writer::new("sample").text("toscana").integer(7).list([record]).finish()
    }

    #[test]
    fn layout_is_as_documented() {
        let bytes = Writer::new("x").text("ab").finish();
        assert_eq!(bytes, b"raccordo/v1/x\0\0\0\0\x02ab");
    }

    #[test]
    fn reads_what_it_writes() -> Result<(), CanonicalError> {
        let bytes = sample();
        let mut reader = Reader::new("sample", &bytes)?;
        assert_eq!(reader.text("name")?, "toscana");
        assert_eq!(reader.integer("number")?, 7);
        let items = reader.list("parties")?;
        let mut record = Reader::record(items[0]);
        assert_eq!(record.text("party")?, "umbria");
        assert!(record.boolean("ratified")?);
        record.end()?;
        reader.end()
    }

    #[test]
    fn numbers_and_times_beyond_their_bounds_are_refused() {
        for edge in number::EDGES {
            let bytes = Writer::new("sample").integer(edge).finish();
            let read = Reader::new("sample", &bytes).unwrap().integer("number");
            let bounded = edge <= number::NUMBER_MAX;
            assert_eq!(read, if bounded { Ok(edge) } else { Err(CanonicalError::Range("number")) });
            let told = Instant(i64::from_be_bytes(edge.to_be_bytes()));
            let bytes = Writer::new("sample").instant(told).finish();
            let read = Reader::new("sample", &bytes).unwrap().instant("time");
            let bounded = (Instant(0)..=Instant::LAST).contains(&told);
            assert_eq!(read, if bounded { Ok(told) } else { Err(CanonicalError::Range("time")) });
        }
    }

    #[test]
    fn every_cut_and_every_addition_is_refused() {
        let read = |bytes: &[u8]| -> Result<(), CanonicalError> {
            let mut reader = Reader::new("sample", bytes)?;
            reader.text("name")?;
            reader.integer("number")?;
            reader.list("parties")?;
            reader.end()
        };
        let bytes = sample();
        assert!(read(&bytes).is_ok());
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(read(&[&bytes[..], &[0]].concat()), Err(CanonicalError::Trailing));
        assert!(Reader::new("other", &bytes).is_err());
    }
}
