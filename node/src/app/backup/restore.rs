//! Writes a backup into an empty database, sealed under the node key of the new home.
//!
//! The node's own row comes last and makes it a node: whatever stops a restoration before
//! leaves a database that holds none, and into which it can be done again.

use std::collections::BTreeSet;

use raccordo_core::audit::{AuditEvent, AuditHead, AuditRecord};
use raccordo_core::backup::records::{Manifest, Record, Row, TableHead, Value};
use raccordo_core::entropy::Entropy;
use raccordo_core::sending::Standing;
use raccordo_core::time::Clock;
use raccordo_core::vault::Vault;

use super::sealed;
use crate::app::fault::{Done, Fault};
use crate::app::rejoin::alarm_restored;
use crate::store::archive::{Archive, Purpose, column};
use crate::store::node::NodeRow;
use crate::store::{Store, StoreError};

/// Rows written at a time.
const PAGE: usize = 64;

/// A restoration under way.
pub struct Restoration<'r> {
    archive: Box<dyn Archive>,
    vault: &'r Vault,
    entropy: &'r dyn Entropy,
    head: Option<TableHead>,
    waiting: Vec<Row>,
    /// Équipes that were being founded: their groups cannot come back.
    unfounded: BTreeSet<Vec<u8>>,
}

impl<'r> Restoration<'r> {
    /// Begins, in a database whose schema is the backup's.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin(
        store: &dyn Store,
        vault: &'r Vault,
        entropy: &'r dyn Entropy,
    ) -> Done<Self> {
        let archive = store.archive(Purpose::Restoration).await?;
        let (waiting, unfounded) = (Vec::new(), BTreeSet::new());
        Ok(Self { archive, vault, entropy, head: None, waiting, unfounded })
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// The store's, or a row that no version of this program wrote.
    pub async fn take(&mut self, record: Record) -> Done<()> {
        match record {
            Record::Manifest(_) | Record::End(_) => self.write().await,
            Record::Table(head) => {
                self.write().await?;
                self.archive.clear(&head).await?;
                self.head = Some(head);
                Ok(())
            }
            Record::Row(row) => self.row(row).await,
        }
    }

    /// Makes all of it durable; the database holds no node yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn finish(self) -> Done<()> {
        self.archive.commit().await?;
        Ok(())
    }

    async fn row(&mut self, row: Row) -> Done<()> {
        let head = self.head.as_ref();
        let head = head.ok_or_else(|| Fault::ours("backup_malformed", "a row of no table"))?;
        let row = sealed::seal(self.vault, self.entropy, head, row)?;
        if let Some(row) = standing(head, row, &mut self.unfounded) {
            self.waiting.push(row);
        }
        if self.waiting.len() >= PAGE { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Done<()> {
        let rows = std::mem::take(&mut self.waiting);
        if let Some(head) = self.head.as_ref().filter(|_| !rows.is_empty()) {
            self.archive.fill(head, rows).await.map_err(|error| misfit(head, error))?;
        }
        Ok(())
    }
}

/// What the file holds and no database does is the file's fault.
fn misfit(head: &TableHead, error: StoreError) -> Fault {
    match error {
        StoreError::Unfit(_) => Fault::usage(
            "backup_malformed",
            format!(
                "the backup holds a row of {} that no version of this program wrote",
                head.name
            ),
        )
        .hint("use another copy of it, or an older backup"),
        error => error.into(),
    }
}

/// An équipe's row without a group behind it; none where it was only being founded.
fn standing(head: &TableHead, mut row: Row, unfounded: &mut BTreeSet<Vec<u8>>) -> Option<Row> {
    let Value::Bytes(lineage) = column(head, &row, "lineage").clone() else { return Some(row) };
    if head.name == "equipe" {
        let Value::Text(state) = column(head, &row, "state").clone() else { return Some(row) };
        match Standing::parse(&state) {
            Some(Standing::Founding) => {
                unfounded.insert(lineage);
                return None;
            }
            Some(Standing::Ended) => {}
            _ => {
                let place = head.columns.iter().position(|column| column.name == "state");
                if let Some(value) = place.and_then(|place| row.get_mut(place)) {
                    *value = Value::Text(Standing::NeedsRejoin.as_str().to_owned());
                }
            }
        }
    }
    let of_it = matches!(head.name.as_str(), "equipe_document" | "member");
    (!(of_it && unfounded.contains(&lineage))).then_some(row)
}

/// Makes the database a node's, once its schema is this program's: the node's row, an alarm
/// for each équipe, and a record in the audit chain.
///
/// # Errors
/// `already_initialised`, or the store's.
pub async fn make_node(
    store: &dyn Store,
    vault: &Vault,
    clock: &dyn Clock,
    manifest: &Manifest,
) -> Done<()> {
    let now = clock.now();
    let mut tx = store.write().await?;
    if tx.node().await?.is_some() {
        return Err(Fault::conflict("already_initialised", "this database holds a node already"));
    }
    let node = manifest.node.clone();
    let vault_check = vault.check_value().to_vec();
    let subject = node.to_string();
    tx.insert_node(NodeRow { node, vault_check, created_at: now }).await?;
    for equipe in tx.equipes().await? {
        if equipe.state == Standing::NeedsRejoin.as_str() {
            tx.put_alarm(alarm_restored(manifest.made_at()).row(equipe.lineage, now)).await?;
        }
    }
    let newest = tx.audit_newest().await?;
    let head = newest.map_or(AuditHead::EMPTY, |record| record.head());
    let detail = [("made_at".to_owned(), manifest.made_at().to_string())].into();
    let event = AuditEvent {
        at: now,
        actor: crate::app::audit::Actor::Node.to_string(),
        action: "backup.restore".to_owned(),
        subject,
        detail,
    };
    tx.audit_append(&AuditRecord::append(head, event)).await?;
    tx.commit().await?;
    Ok(())
}
