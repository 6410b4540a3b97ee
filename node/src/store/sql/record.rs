//! A table declared once: from one declaration come its columns, how a row is bound and read,
//! its key, and the statements that load and write many rows.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{
    BootId, Digest, EntryId, EnvelopeId, Epoch, GroupId, ItemId, LineageId, NodeId, ObjectId,
    RecordId, Sequence, TokenRequestId,
};
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::time::Instant;
use raccordo_core::trust::state::TrustState;
use raccordo_core::trust::void::Votes;
use sqlx::AssertSqlSafe;

use super::SqlTx;
use super::bulk::Bulk;
use super::log::{kind_number, read_kind};
use super::statement::sql;
pub(in crate::store) use super::statement::{Columns, Statement};
use crate::store::Stored;
use crate::store::live::{Row, RowTable};
use crate::store::outbox::EntryState;

/// What stands in one column.
pub(in crate::store) trait Value: Sized {
    /// Binds it as the next parameter.
    fn bind(&self, statement: Statement) -> Statement;
    /// Reads it from the next column.
    fn read(row: &mut Columns<'_>) -> Stored<Self>;
}

/// A row of a table of its own.
pub(in crate::store) trait Record: Row {
    /// The table.
    const TABLE: &'static str;
    /// Columns of the key, in order.
    const KEYS: &'static [&'static str];
    /// Columns that change often and are small.
    const LIGHT: &'static [&'static str];
    /// Columns that are large, and are written only where they change.
    const HEAVY: &'static [&'static str];

    /// Binds all columns: key, light, heavy.
    fn bind(&self, statement: Statement) -> Statement;
    /// Binds the key and the light columns.
    fn bind_light(&self, statement: Statement) -> Statement;
    /// Binds a key.
    fn bind_key(key: &Self::Key, statement: Statement) -> Statement;
    /// Whether the heavy columns are those of another row.
    fn same_heavy(&self, other: &Self) -> bool;
    /// Reads all columns.
    fn read(row: &mut Columns<'_>) -> Stored<Self>;
    /// The statements, made once.
    fn texts() -> &'static Texts;
}

/// The statements of a table.
pub(in crate::store) struct Texts {
    /// All rows, or those of a scope, whose key begins with it.
    all: Arc<str>,
    of_scope: Arc<str>,
    put: Bulk,
    put_light: Bulk,
    delete: Bulk,
}

impl Texts {
    /// Makes them.
    pub(in crate::store) fn of<R: Record>() -> Self {
        let table = R::TABLE;
        let columns: Vec<&str> = R::KEYS.iter().chain(R::LIGHT).chain(R::HEAVY).copied().collect();
        let keys = R::KEYS.join(", ");
        let all = format!("SELECT {} FROM {table}", columns.join(", "));
        let first = R::KEYS.first().copied().unwrap_or_default();
        let of_scope = format!("{all} WHERE {first} = $1");
        let values: Vec<String> = R::LIGHT
            .iter()
            .chain(R::HEAVY)
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let conflict = match values.is_empty() {
            true => format!("ON CONFLICT ({keys}) DO NOTHING"),
            false => format!("ON CONFLICT ({keys}) DO UPDATE SET {}", values.join(", ")),
        };
        let insert = format!("INSERT INTO {table} ({})", columns.join(", "));
        let put = Bulk::new(&insert, columns.len(), &conflict);
        let delete = format!("DELETE FROM {table} WHERE ({keys}) IN (");
        Self {
            all: all.into(),
            of_scope: of_scope.into(),
            put,
            put_light: light::<R>(),
            delete: Bulk::new(&delete, R::KEYS.len(), ")"),
        }
    }
}

/// An update of the light columns of many rows: the values stand in a table without a name of
/// its own columns, which both databases call `column1`, `column2`…
fn light<R: Record>() -> Bulk {
    let table = R::TABLE;
    let mut set = String::new();
    for (place, column) in R::LIGHT.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        let number = R::KEYS.len().saturating_add(place).saturating_add(1);
        let _ = write!(set, "{separator}{column} = changed.column{number}");
    }
    let same: Vec<String> = (1_usize..)
        .zip(R::KEYS)
        .map(|(number, column)| format!("{table}.{column} = changed.column{number}"))
        .collect();
    let before = format!("UPDATE {table} SET {set} FROM (");
    let after = format!(") AS changed WHERE {}", same.join(" AND "));
    Bulk::new(&before, R::KEYS.len().saturating_add(R::LIGHT.len()), &after)
}

impl SqlTx {
    /// Reads all rows of a table into memory, or those whose key begins with a value.
    pub(super) async fn load_rows<R: Record>(&mut self, scope: Option<&[u8]>) -> Stored<Vec<R>> {
        // The text is made of names of this program and parameter markers alone.
        let statement = match scope {
            None => sql(R::TABLE, AssertSqlSafe(Arc::clone(&R::texts().all))),
            Some(scope) => {
                sql(R::TABLE, AssertSqlSafe(Arc::clone(&R::texts().of_scope))).bytes(scope)
            }
        };
        self.all(statement, R::read).await
    }

    /// Writes what a table's rows have become since a former state of it.
    pub(super) async fn write_touched<R: Record>(
        &mut self,
        before: &RowTable<R>,
        now: &RowTable<R>,
    ) -> Stored<()> {
        let (mut puts, mut lights, mut deletes) = (Vec::new(), Vec::new(), Vec::new());
        for key in now.touched() {
            match (before.row(key), now.row(key)) {
                (Some(_), None) => deletes.push(key),
                (None, None) => {}
                (Some(old), Some(new)) if old == new => {}
                (Some(old), Some(new)) if !R::LIGHT.is_empty() && new.same_heavy(old) => {
                    lights.push(new);
                }
                (_, Some(new)) => puts.push(new),
            }
        }
        let texts = R::texts();
        if !deletes.is_empty() {
            let bind = |statement, key: &&R::Key| R::bind_key(key, statement);
            self.write_all(R::TABLE, &texts.delete, &deletes, bind).await?;
        }
        if !lights.is_empty() {
            let bind = |statement, row: &&R| row.bind_light(statement);
            self.write_all(R::TABLE, &texts.put_light, &lights, bind).await?;
        }
        if !puts.is_empty() {
            let bind = |statement, row: &&R| row.bind(statement);
            self.write_all(R::TABLE, &texts.put, &puts, bind).await?;
        }
        Ok(())
    }
}

/// Declares how a row stands in a table: `record! { Row in "table" { key { field: Type =
/// "column", … } field = "column", …; heavy { field = "column", … } } }`. A field that takes
/// several columns names them one after the other.
macro_rules! record {
    ($Row:ident in $table:literal {
        key { $($key:ident: $Key:ty = $key_column:literal),+ $(,)? }
        $($light:ident = $($light_column:literal)+),* $(,)?
        $(; heavy { $($heavy:ident = $($heavy_column:literal)+),+ $(,)? })?
    }) => {
        impl $crate::store::live::Row for $Row {
            type Key = ($($Key,)+);

            fn key(&self) -> Self::Key {
                ($(self.$key.clone(),)+)
            }
        }

        impl $crate::store::sql::record::Record for $Row {
            const TABLE: &'static str = $table;
            const KEYS: &'static [&'static str] = &[$($key_column),+];
            const LIGHT: &'static [&'static str] = &[$($($light_column),+),*];
            const HEAVY: &'static [&'static str] = &[$($($($heavy_column),+),+)?];

            fn bind(
                &self,
                statement: $crate::store::sql::record::Statement,
            ) -> $crate::store::sql::record::Statement {
                let statement = self.bind_light(statement);
                $($(let statement =
                    $crate::store::sql::record::Value::bind(&self.$heavy, statement);)+)?
                statement
            }

            fn bind_light(
                &self,
                statement: $crate::store::sql::record::Statement,
            ) -> $crate::store::sql::record::Statement {
                $(let statement = $crate::store::sql::record::Value::bind(&self.$key, statement);)+
                $(let statement =
                    $crate::store::sql::record::Value::bind(&self.$light, statement);)*
                statement
            }

            fn bind_key(
                key: &Self::Key,
                statement: $crate::store::sql::record::Statement,
            ) -> $crate::store::sql::record::Statement {
                let ($($key,)+) = key;
                $(let statement = $crate::store::sql::record::Value::bind($key, statement);)+
                statement
            }

            fn same_heavy(&self, other: &Self) -> bool {
                let _ = other;
                true $($(&& self.$heavy == other.$heavy)+)?
            }

            fn read(
                row: &mut $crate::store::sql::record::Columns<'_>,
            ) -> $crate::store::Stored<Self> {
                $(let $key = $crate::store::sql::record::Value::read(row)?;)+
                $(let $light = $crate::store::sql::record::Value::read(row)?;)*
                $($(let $heavy = $crate::store::sql::record::Value::read(row)?;)+)?
                Ok(Self { $($key,)+ $($light,)* $($($heavy,)+)? })
            }

            fn texts() -> &'static $crate::store::sql::record::Texts {
                static TEXTS: std::sync::LazyLock<$crate::store::sql::record::Texts> =
                    std::sync::LazyLock::new($crate::store::sql::record::Texts::of::<$Row>);
                &TEXTS
            }
        }
    };
}
pub(in crate::store) use record;

macro_rules! ids {
    ($($Id:ty),*) => {
        $(
            impl Value for $Id {
                fn bind(&self, statement: Statement) -> Statement {
                    statement.bytes(self.as_bytes())
                }

                fn read(row: &mut Columns<'_>) -> Stored<Self> {
                    row.id()
                }
            }

            impl Value for Option<$Id> {
                fn bind(&self, statement: Statement) -> Statement {
                    statement.option_bytes(self.map(|id| id.as_bytes().to_vec()))
                }

                fn read(row: &mut Columns<'_>) -> Stored<Self> {
                    row.option_id()
                }
            }
        )*
    };
}
ids!(
    BootId,
    Digest,
    EntryId,
    EnvelopeId,
    GroupId,
    ItemId,
    LineageId,
    ObjectId,
    RecordId,
    TokenRequestId
);

macro_rules! integers {
    ($($Integer:ty),*) => {
        $(
            impl Value for $Integer {
                fn bind(&self, statement: Statement) -> Statement {
                    statement.integer(*self)
                }

                fn read(row: &mut Columns<'_>) -> Stored<Self> {
                    row.integer()
                }
            }
        )*
    };
}
integers!(u16, u32, u64);

macro_rules! numbered {
    ($($Number:ident),*) => {
        $(
            impl Value for $Number {
                fn bind(&self, statement: Statement) -> Statement {
                    statement.integer(self.0)
                }

                fn read(row: &mut Columns<'_>) -> Stored<Self> {
                    row.integer().map($Number)
                }
            }
        )*
    };
}
numbered!(Epoch, Generation, KeyEpoch, Sequence);

macro_rules! texts {
    ($($Text:ty: $as_str:ident),*) => {
        $(
            impl Value for $Text {
                fn bind(&self, statement: Statement) -> Statement {
                    statement.text(self.$as_str())
                }

                fn read(row: &mut Columns<'_>) -> Stored<Self> {
                    row.parsed()
                }
            }
        )*
    };
}
texts!(AlarmCode: as_str, Class: name, NodeId: as_str, TrustState: as_str);

impl Value for String {
    fn bind(&self, statement: Statement) -> Statement {
        statement.text(self)
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        row.text()
    }
}

impl Value for Vec<u8> {
    fn bind(&self, statement: Statement) -> Statement {
        statement.bytes(self.as_slice())
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        row.bytes()
    }
}

impl Value for Option<Vec<u8>> {
    fn bind(&self, statement: Statement) -> Statement {
        statement.option_bytes(self.clone())
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        row.option_bytes()
    }
}

impl Value for bool {
    fn bind(&self, statement: Statement) -> Statement {
        statement.flag(*self)
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        row.flag()
    }
}

impl Value for Instant {
    fn bind(&self, statement: Statement) -> Statement {
        statement.instant(*self)
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        row.instant()
    }
}

/// Node ids with spaces between them.
impl Value for BTreeSet<NodeId> {
    fn bind(&self, statement: Statement) -> Statement {
        let names: Vec<&str> = self.iter().map(NodeId::as_str).collect();
        statement.text(names.join(" "))
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        let words = row.text()?;
        let read = words.split_whitespace().map(|word| word.parse().map_err(|_| row.damaged()));
        read.collect()
    }
}

/// No node is an empty text.
impl Value for Option<NodeId> {
    fn bind(&self, statement: Statement) -> Statement {
        statement.text(self.as_ref().map_or("", NodeId::as_str))
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        row.parsed_or_none()
    }
}

/// Place, entry, who is needed, who has said it.
impl Value for Votes {
    fn bind(&self, statement: Statement) -> Statement {
        let statement = self.entry.bind(self.sequence.bind(statement));
        self.said.bind(self.needed.bind(statement))
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        let (sequence, entry) = (Value::read(row)?, Value::read(row)?);
        Ok(Self { sequence, entry, needed: Value::read(row)?, said: Value::read(row)? })
    }
}

impl Value for EntryKind {
    fn bind(&self, statement: Statement) -> Statement {
        statement.integer(kind_number(*self))
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        read_kind(row)
    }
}

impl Value for EntryState {
    fn bind(&self, statement: Statement) -> Statement {
        statement.text(self.as_str())
    }

    fn read(row: &mut Columns<'_>) -> Stored<Self> {
        row.parsed()
    }
}
