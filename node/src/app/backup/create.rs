//! Makes a backup while the node runs: one consistent state, piece by piece, so that memory
//! stays bounded however much there is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use raccordo_core::backup::BackupKey;
use raccordo_core::backup::frames::Sealer;
use raccordo_core::backup::records::{Manifest, Record, Row, TableHead, Value};

use super::sealed;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::store::archive::{Archive, Purpose, TABLES, Table};

/// Rows read at a time.
const PAGE: u32 = 64;

/// A backup under way.
pub struct Backup {
    node: Arc<Node>,
    archive: Box<dyn Archive>,
    sealer: Option<Sealer>,
    rest: VecDeque<&'static Table>,
    now: Option<Reading>,
    counts: BTreeMap<String, u64>,
    ready: Vec<u8>,
}

/// The table that is being read.
struct Reading {
    table: &'static Table,
    head: TableHead,
    after: Option<Row>,
}

impl Backup {
    /// Notes in the audit chain that a backup is made, and opens the state that it shows.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin(node: Arc<Node>, actor: Actor, key: &BackupKey) -> Done<Self> {
        let mut tx = node.store.write().await?;
        record(&node, &mut *tx, actor, "backup.create", node.identity.node.as_str(), &[]).await?;
        tx.commit().await?;
        let schema = node.store.schema().await?;
        let archive = node.store.archive(Purpose::Backup).await?;
        let mut sealer = Sealer::new(key);
        let manifest = Record::Manifest(Manifest {
            node: node.identity.node.clone(),
            made_at_ms: node.clock.now().0,
            schema,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            card: hex::encode(node.identity.card().encode()),
        });
        let mut ready = key.header().to_vec();
        ready.extend(sealer.push(manifest.encode()?.reveal())?);
        Ok(Self {
            node,
            archive,
            sealer: Some(sealer),
            rest: TABLES.iter().collect(),
            now: None,
            counts: BTreeMap::new(),
            ready,
        })
    }

    /// The next bytes of the file; none after the last.
    ///
    /// # Errors
    /// The store's, or damaged rows; the file is of no use then.
    pub async fn next(&mut self) -> Done<Option<Vec<u8>>> {
        loop {
            if !self.ready.is_empty() {
                return Ok(Some(std::mem::take(&mut self.ready)));
            }
            if self.now.is_some() {
                self.read_page().await?;
            } else if let Some(table) = self.rest.pop_front() {
                let head = table.head();
                self.counts.insert(head.name.clone(), 0);
                self.say(&Record::Table(head.clone()))?;
                self.now = Some(Reading { table, head, after: None });
            } else if let Some(mut sealer) = self.sealer.take() {
                let end = Record::End(std::mem::take(&mut self.counts)).encode()?;
                self.ready = sealer.push(end.reveal())?;
                self.ready.extend(sealer.finish()?);
            } else {
                return Ok(None);
            }
        }
    }

    async fn read_page(&mut self) -> Done<()> {
        let Some(mut reading) = self.now.take() else { return Ok(()) };
        let rows = self.archive.page(reading.table, reading.after.as_ref(), PAGE).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        reading.after = Some(last.clone());
        for row in rows {
            if let Some(row) = kept(&reading.head, row) {
                let row = sealed::open(&self.node.vault, &reading.head, row)?;
                self.say(&Record::Row(row))?;
                let count = self.counts.entry(reading.head.name.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
        self.now = Some(reading);
        Ok(())
    }

    fn say(&mut self, record: &Record) -> Done<()> {
        let sealer = self.sealer.as_mut();
        let sealer = sealer.ok_or_else(|| Fault::ours("backup_ended", "said after the end"))?;
        self.ready.extend(sealer.push(record.encode()?.reveal())?);
        Ok(())
    }
}

/// The row as it may come back; none where it may not.
fn kept(head: &TableHead, mut row: Row) -> Option<Row> {
    match head.name.as_str() {
        // Founds a group whose ratchets stay behind.
        "secret" => match row.first() {
            Some(Value::Text(name)) if name.starts_with("founding/") => None,
            _ => Some(row),
        },
        // The entry that carries it stays behind; it will be carried by another.
        "envelope" => {
            for (column, value) in head.columns.iter().zip(&mut row) {
                match column.name.as_str() {
                    "entry" => *value = Value::Null,
                    "sequence" => *value = Value::Integer(0),
                    _ => {}
                }
            }
            Some(row)
        }
        _ => Some(row),
    }
}
