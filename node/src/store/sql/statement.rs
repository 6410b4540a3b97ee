//! A statement with its parameters, and the reading of rows, column by column.

use std::str::FromStr;

use raccordo_core::time::Instant;
use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{Any, Database, Decode, Row as _, SqlSafeStr, Type};

use crate::store::{StoreError, Stored};

/// What the driver runs.
pub(super) type Prepared = Query<'static, Any, <Any as Database>::Arguments>;

/// A statement on a table, with parameters bound in order.
pub(in crate::store) struct Statement {
    pub(super) table: &'static str,
    query: Prepared,
    fits: bool,
}

/// A statement whose main table is `table`.
pub(super) fn sql(table: &'static str, text: impl SqlSafeStr) -> Statement {
    Statement { table, query: sqlx::query(text), fits: true }
}

impl Statement {
    /// Binds bytes.
    pub(super) fn bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { query: self.query.bind(bytes.into()), ..self }
    }

    /// Binds bytes or NULL.
    pub(super) fn option_bytes(self, bytes: Option<Vec<u8>>) -> Self {
        Self { query: self.query.bind(bytes), ..self }
    }

    /// Binds a text; one with a zero byte, which PostgreSQL takes in no text, fails the
    /// statement.
    pub(super) fn text(self, text: impl Into<String>) -> Self {
        let text = text.into();
        let fits = self.fits && is_storable(&text);
        Self { query: self.query.bind(text), fits, ..self }
    }

    /// Binds a text or NULL; as [`Statement::text`].
    pub(super) fn option_text(self, text: Option<String>) -> Self {
        let fits = self.fits && text.as_deref().is_none_or(is_storable);
        Self { query: self.query.bind(text), fits, ..self }
    }

    /// Binds a whole number; one beyond `i64::MAX` fails the statement.
    pub(super) fn integer(self, number: impl TryInto<i64>) -> Self {
        let number = number.try_into().ok();
        let fits = self.fits && number.is_some();
        Self { query: self.query.bind(number.unwrap_or_default()), fits, ..self }
    }

    /// Binds a time.
    pub(super) fn instant(self, instant: Instant) -> Self {
        Self { query: self.query.bind(instant.0), ..self }
    }

    /// Binds a time or NULL.
    pub(super) fn option_instant(self, instant: Option<Instant>) -> Self {
        Self { query: self.query.bind(instant.map(|instant| instant.0)), ..self }
    }

    /// Binds 0 or 1.
    pub(super) fn flag(self, flag: bool) -> Self {
        Self { query: self.query.bind(i64::from(flag)), ..self }
    }

    /// What the driver runs.
    ///
    /// # Errors
    /// [`StoreError::Unfit`].
    pub(super) fn query(self) -> Stored<Prepared> {
        if self.fits { Ok(self.query) } else { Err(StoreError::Unfit(self.table)) }
    }
}

fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// The columns of one row, read in order.
pub(in crate::store) struct Columns<'r> {
    table: &'static str,
    row: &'r AnyRow,
    next: usize,
}

impl<'r> Columns<'r> {
    /// Before the first column.
    pub(super) fn new(table: &'static str, row: &'r AnyRow) -> Self {
        Self { table, row, next: 0 }
    }

    /// What cannot be read.
    pub(super) fn damaged(&self) -> StoreError {
        StoreError::Damaged(self.table)
    }

    fn value<T: Decode<'r, Any> + Type<Any>>(&mut self) -> Stored<T> {
        let column = self.next;
        self.next = column.saturating_add(1);
        self.row.try_get(column).map_err(|_| self.damaged())
    }

    /// Bytes.
    pub(super) fn bytes(&mut self) -> Stored<Vec<u8>> {
        self.value()
    }

    /// Bytes or NULL.
    pub(super) fn option_bytes(&mut self) -> Stored<Option<Vec<u8>>> {
        self.value()
    }

    /// An identifier kept as bytes.
    pub(super) fn id<T: for<'a> TryFrom<&'a [u8]>>(&mut self) -> Stored<T> {
        let bytes: &[u8] = self.value()?;
        T::try_from(bytes).map_err(|_| self.damaged())
    }

    /// An identifier or NULL.
    pub(super) fn option_id<T: for<'a> TryFrom<&'a [u8]>>(&mut self) -> Stored<Option<T>> {
        let bytes = self.option_bytes()?;
        bytes.map(|bytes| T::try_from(&bytes).map_err(|_| self.damaged())).transpose()
    }

    /// A text.
    pub(super) fn text(&mut self) -> Stored<String> {
        self.value()
    }

    /// A text or NULL.
    pub(super) fn option_text(&mut self) -> Stored<Option<String>> {
        self.value()
    }

    /// Something written as its text.
    pub(super) fn parsed<T: FromStr>(&mut self) -> Stored<T> {
        let text: &str = self.value()?;
        text.parse().map_err(|_| self.damaged())
    }

    /// The same, where an empty text stands for none.
    pub(super) fn parsed_or_none<T: FromStr>(&mut self) -> Stored<Option<T>> {
        let text: &str = self.value()?;
        match text {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| self.damaged()),
        }
    }

    /// A whole number.
    pub(super) fn integer<T: TryFrom<i64>>(&mut self) -> Stored<T> {
        let number: i64 = self.value()?;
        T::try_from(number).map_err(|_| self.damaged())
    }

    /// A time.
    pub(super) fn instant(&mut self) -> Stored<Instant> {
        self.value().map(Instant)
    }

    /// A time or NULL.
    pub(super) fn option_instant(&mut self) -> Stored<Option<Instant>> {
        Ok(self.value::<Option<i64>>()?.map(Instant))
    }

    /// 0 or 1.
    pub(super) fn flag(&mut self) -> Stored<bool> {
        match self.integer::<i64>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged()),
        }
    }
}
