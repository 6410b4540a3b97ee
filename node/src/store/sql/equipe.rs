//! Équipes in SQL. A row stands in two tables: what every step changes, and the documents,
//! which are large and change seldom.

use raccordo_core::id::{Epoch, Sequence};

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::equipe::EquipeRow;
use crate::store::live::RowTable;
use crate::store::{StoreError, Stored};

const ALL: &str = "SELECT e.lineage, e.name, e.group_id, e.suite, e.state, e.version, \
     d.statement, d.sealed_pact, e.hub, e.sequence, e.head, e.accepted_at_ms, e.epoch, \
     e.authenticator, e.checkpoint, e.checkpoint_signature, e.next_number, e.receipt_due, \
     e.receipt_sent FROM equipe e JOIN equipe_document d ON d.lineage = e.lineage";
const INSERT: &str = "INSERT INTO equipe (lineage, name, group_id, suite, state, hub, sequence, \
     head, accepted_at_ms, epoch, authenticator, checkpoint, checkpoint_signature, next_number, \
     receipt_due, receipt_sent, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
/// The version is the fence: where it is not the one that is in memory, another writer was
/// there, and nothing is written.
const UPDATE: &str = "UPDATE equipe SET name = $2, group_id = $3, suite = $4, state = $5, \
     hub = $6, sequence = $7, head = $8, accepted_at_ms = $9, epoch = $10, authenticator = $11, \
     checkpoint = $12, checkpoint_signature = $13, next_number = $14, receipt_due = $15, \
     receipt_sent = $16, version = $17 WHERE lineage = $1 AND version = $18";
const INSERT_DOCUMENT: &str =
    "INSERT INTO equipe_document (lineage, statement, sealed_pact) VALUES ($1, $2, $3)";
const UPDATE_DOCUMENT: &str =
    "UPDATE equipe_document SET statement = $2, sealed_pact = $3 WHERE lineage = $1";

impl SqlTx {
    /// Reads all équipes.
    pub(super) async fn load_equipes(&mut self) -> Stored<Vec<EquipeRow>> {
        self.all(sql("equipe", ALL), equipe).await
    }

    /// Writes the équipes that were touched, each behind its fence.
    pub(super) async fn write_equipes(
        &mut self,
        before: &RowTable<EquipeRow>,
        now: &RowTable<EquipeRow>,
    ) -> Stored<()> {
        for key in now.touched() {
            let Some(row) = now.row(key) else { continue };
            let Some(old) = before.row(key) else {
                self.execute(bind(sql("equipe", INSERT), row)).await?;
                let document = bind_document(sql("equipe_document", INSERT_DOCUMENT), row);
                self.execute(document).await?;
                continue;
            };
            if old == row {
                continue;
            }
            let update = bind(sql("equipe", UPDATE), row).integer(old.version);
            if self.execute(update).await? == 0 {
                return Err(StoreError::Overtaken("equipe"));
            }
            if (&old.statement, &old.sealed_pact) != (&row.statement, &row.sealed_pact) {
                let document = bind_document(sql("equipe_document", UPDATE_DOCUMENT), row);
                self.execute(document).await?;
            }
        }
        Ok(())
    }
}

fn bind(statement: Statement, row: &EquipeRow) -> Statement {
    statement
        .bytes(row.lineage.as_bytes())
        .text(&row.name)
        .bytes(row.group.as_bytes())
        .integer(row.suite)
        .text(&row.state)
        .text(row.hub.as_str())
        .integer(row.sequence.0)
        .bytes(row.head.as_bytes())
        .instant(row.accepted_at)
        .integer(row.epoch.0)
        .bytes(row.authenticator.as_slice())
        .bytes(row.checkpoint.as_slice())
        .bytes(row.checkpoint_signature.as_slice())
        .integer(row.next_number)
        .integer(row.receipt_due.0)
        .integer(row.receipt_sent.0)
        .integer(row.version)
}

fn bind_document(statement: Statement, row: &EquipeRow) -> Statement {
    let statement = statement.bytes(row.lineage.as_bytes());
    statement.bytes(row.statement.as_slice()).bytes(row.sealed_pact.as_slice())
}

fn equipe(row: &mut Columns<'_>) -> Stored<EquipeRow> {
    Ok(EquipeRow {
        lineage: row.id()?,
        name: row.text()?,
        group: row.id()?,
        suite: row.integer()?,
        state: row.text()?,
        version: row.integer()?,
        statement: row.bytes()?,
        sealed_pact: row.bytes()?,
        hub: row.parsed()?,
        sequence: Sequence(row.integer()?),
        head: row.id()?,
        accepted_at: row.instant()?,
        epoch: Epoch(row.integer()?),
        authenticator: row.bytes()?,
        checkpoint: row.bytes()?,
        checkpoint_signature: row.bytes()?,
        next_number: row.integer()?,
        receipt_due: Sequence(row.integer()?),
        receipt_sent: Sequence(row.integer()?),
    })
}
