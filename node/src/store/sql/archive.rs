//! Whole tables: statements made from the names of tables and columns.

use async_trait::async_trait;
use raccordo_core::backup::records::{Column, ColumnKind, Row, TableHead, Value};
use sqlx::AssertSqlSafe;

use super::bulk::Bulk;
use super::statement::{Columns, Statement, sql};
use super::tx::SqlTx;
use crate::store::archive::{Archive, Table};
use crate::store::{StoreError, Stored};

/// Named where a statement fails.
const ANY: &str = "a table of the backup";

#[async_trait]
impl Archive for SqlTx {
    async fn page(&mut self, table: &Table, after: Option<&Row>, limit: u32) -> Stored<Vec<Row>> {
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let key = names.get(..table.key).unwrap_or_default().join(", ");
        let columns = names.join(", ");
        let name = table.name;
        let from = match after {
            None => String::new(),
            Some(_) => {
                let markers: Vec<String> = (1..=table.key).map(|at| format!("${at}")).collect();
                format!("WHERE ({key}) > ({})", markers.join(", "))
            }
        };
        // The text is made of names of this program and parameter markers alone.
        let text = format!("SELECT {columns} FROM {name} {from} ORDER BY {key} LIMIT {limit}");
        let mut statement = sql(table.name, AssertSqlSafe(text));
        for ((_, kind), value) in
            table.columns.iter().take(table.key).zip(after.into_iter().flatten())
        {
            statement = bound(statement, *kind, value)?;
        }
        let kinds: Vec<ColumnKind> = table.columns.iter().map(|(_, kind)| *kind).collect();
        self.all_with(statement, |row| kinds.iter().map(|kind| read(row, *kind)).collect()).await
    }

    async fn clear(&mut self, table: &TableHead) -> Stored<()> {
        // The names of a backup's tables are letters and underscores.
        let text = format!("DELETE FROM {}", table.name);
        self.execute(sql(ANY, AssertSqlSafe(text))).await?;
        Ok(())
    }

    async fn fill(&mut self, table: &TableHead, rows: Vec<Row>) -> Stored<()> {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let insert = format!("INSERT INTO {} ({})", table.name, columns.join(", "));
        let bulk = Bulk::new(&insert, columns.len(), "");
        let typed: Vec<Typed> =
            rows.into_iter().map(|row| Typed::new(&table.columns, row)).collect::<Stored<_>>()?;
        self.insert_new(ANY, &bulk, &typed, Typed::bind).await
    }

    async fn commit(self: Box<Self>) -> Stored<()> {
        self.end_archive().await
    }
}

/// A row whose values fit their columns.
struct Typed(Vec<(ColumnKind, Value)>);

impl Typed {
    fn new(columns: &[Column], row: Row) -> Stored<Self> {
        let pairs: Vec<_> = columns.iter().map(|column| column.kind).zip(row).collect();
        let fits = columns.iter().zip(&pairs).all(|(column, (_, value))| fits(column, value));
        if fits { Ok(Self(pairs)) } else { Err(StoreError::Unfit(ANY)) }
    }

    fn bind(statement: Statement, row: &Self) -> Statement {
        row.0.iter().fold(statement, |statement, (kind, value)| bind(statement, *kind, value))
    }
}

/// Whether a value is of its column's kind; only times may lie before their beginning.
fn fits(column: &Column, value: &Value) -> bool {
    let counts = !column.name.ends_with("_ms");
    is_of(column.kind, value) && !matches!(value, Value::Integer(number) if counts && *number < 0)
}

fn is_of(kind: ColumnKind, value: &Value) -> bool {
    matches!(
        (kind, value),
        (_, Value::Null)
            | (ColumnKind::Integer, Value::Integer(_))
            | (ColumnKind::Text, Value::Text(_))
            | (ColumnKind::Bytes, Value::Bytes(_))
    )
}

fn bound(statement: Statement, kind: ColumnKind, value: &Value) -> Stored<Statement> {
    if is_of(kind, value) { Ok(bind(statement, kind, value)) } else { Err(StoreError::Unfit(ANY)) }
}

fn bind(statement: Statement, kind: ColumnKind, value: &Value) -> Statement {
    match (kind, value) {
        (_, Value::Integer(number)) => statement.integer(*number),
        (_, Value::Text(text)) => statement.text(text.clone()),
        (_, Value::Bytes(bytes)) => statement.bytes(bytes.clone()),
        (ColumnKind::Integer, Value::Null) => statement.option_instant(None),
        (ColumnKind::Text, Value::Null) => statement.option_text(None),
        (ColumnKind::Bytes, Value::Null) => statement.option_bytes(None),
    }
}

fn read(row: &mut Columns<'_>, kind: ColumnKind) -> Stored<Value> {
    Ok(match kind {
        ColumnKind::Integer => row.option_instant()?.map_or(Value::Null, |it| Value::Integer(it.0)),
        ColumnKind::Text => row.option_text()?.map_or(Value::Null, Value::Text),
        ColumnKind::Bytes => row.option_bytes()?.map_or(Value::Null, Value::Bytes),
    })
}
