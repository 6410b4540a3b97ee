//! Équipes that a hub carries, in SQL. A row stands in two tables, as those of
//! [`equipe`](super::equipe).

use raccordo_core::id::{Epoch, Sequence};

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::hub::CarriedRow;
use crate::store::live::RowTable;
use crate::store::{StoreError, Stored};

const ALL: &str = "SELECT c.lineage, c.name, c.state, c.version, d.statement, d.cards, \
     c.group_id, c.epoch, c.sequence, c.head, c.accepted_at_ms, c.term, d.group_info, \
     c.trimmed, c.stored_bytes, c.entries_per_minute_max, c.stored_bytes_max, c.begun, \
     c.succeeds FROM carried c JOIN carried_document d ON d.lineage = c.lineage";
const INSERT: &str = "INSERT INTO carried (lineage, name, state, group_id, epoch, sequence, \
     head, accepted_at_ms, term, trimmed, stored_bytes, entries_per_minute_max, \
     stored_bytes_max, begun, succeeds, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
/// As an équipe's, behind the version as its fence.
const UPDATE: &str = "UPDATE carried SET name = $2, state = $3, group_id = $4, epoch = $5, \
     sequence = $6, head = $7, accepted_at_ms = $8, term = $9, trimmed = $10, \
     stored_bytes = $11, entries_per_minute_max = $12, stored_bytes_max = $13, begun = $14, \
     succeeds = $15, version = $16 WHERE lineage = $1 AND version = $17";
const INSERT_DOCUMENT: &str = "INSERT INTO carried_document (lineage, statement, cards, \
     group_info) VALUES ($1, $2, $3, $4)";
const UPDATE_DOCUMENT: &str = "UPDATE carried_document \
     SET statement = $2, cards = $3, group_info = $4 WHERE lineage = $1";
const DELETE: &str = "DELETE FROM carried WHERE lineage = $1 AND version = $2";
const DELETE_DOCUMENT: &str = "DELETE FROM carried_document WHERE lineage = $1";

impl SqlTx {
    /// Reads all équipes that this hub carries.
    pub(super) async fn load_carried(&mut self) -> Stored<Vec<CarriedRow>> {
        self.all(sql("carried", ALL), carried).await
    }

    /// Writes those that were touched, each behind its fence.
    pub(super) async fn write_carried(
        &mut self,
        before: &RowTable<CarriedRow>,
        now: &RowTable<CarriedRow>,
    ) -> Stored<()> {
        for key in now.touched() {
            let Some(row) = now.row(key) else {
                self.delete_carried_row(before.row(key)).await?;
                continue;
            };
            let Some(old) = before.row(key) else {
                self.execute(bind(sql("carried", INSERT), row)).await?;
                let document = bind_document(sql("carried_document", INSERT_DOCUMENT), row)?;
                self.execute(document).await?;
                continue;
            };
            if old == row {
                continue;
            }
            let update = bind(sql("carried", UPDATE), row).integer(old.version);
            if self.execute(update).await? == 0 {
                return Err(StoreError::Overtaken("carried"));
            }
            let documents = |row: &CarriedRow| {
                (row.statement.clone(), row.cards.clone(), row.group_info.clone())
            };
            if documents(old) != documents(row) {
                let document = bind_document(sql("carried_document", UPDATE_DOCUMENT), row)?;
                self.execute(document).await?;
            }
        }
        Ok(())
    }

    /// Deletes one that there was, behind its fence.
    async fn delete_carried_row(&mut self, old: Option<&CarriedRow>) -> Stored<()> {
        let Some(old) = old else { return Ok(()) };
        let delete = sql("carried", DELETE).bytes(old.lineage.as_bytes()).integer(old.version);
        if self.execute(delete).await? == 0 {
            return Err(StoreError::Overtaken("carried"));
        }
        let document = sql("carried_document", DELETE_DOCUMENT).bytes(old.lineage.as_bytes());
        self.execute(document).await.map(drop)
    }
}

fn bind(statement: Statement, row: &CarriedRow) -> Statement {
    statement
        .bytes(row.lineage.as_bytes())
        .text(&row.name)
        .text(&row.state)
        .bytes(row.group.as_bytes())
        .integer(row.epoch.0)
        .integer(row.sequence.0)
        .bytes(row.head.as_bytes())
        .instant(row.accepted_at)
        .integer(row.term)
        .integer(row.trimmed.0)
        .integer(row.stored_bytes)
        .integer(row.entries_per_minute_max)
        .integer(row.stored_bytes_max)
        .bytes(row.begun.as_bytes())
        .bytes(row.succeeds.as_bytes())
        .integer(row.version)
}

fn bind_document(statement: Statement, row: &CarriedRow) -> Stored<Statement> {
    let cards = join(&row.cards).ok_or(StoreError::Damaged("carried_document"))?;
    let statement = statement.bytes(row.lineage.as_bytes()).bytes(row.statement.as_slice());
    Ok(statement.bytes(cards).bytes(row.group_info.as_slice()))
}

fn carried(row: &mut Columns<'_>) -> Stored<CarriedRow> {
    Ok(CarriedRow {
        lineage: row.id()?,
        name: row.text()?,
        state: row.text()?,
        version: row.integer()?,
        statement: row.bytes()?,
        cards: split(&row.bytes()?).ok_or(row.damaged())?,
        group: row.id()?,
        epoch: Epoch(row.integer()?),
        sequence: Sequence(row.integer()?),
        head: row.id()?,
        accepted_at: row.instant()?,
        term: row.integer()?,
        group_info: row.bytes()?,
        trimmed: Sequence(row.integer()?),
        stored_bytes: row.integer()?,
        entries_per_minute_max: row.integer()?,
        stored_bytes_max: row.integer()?,
        begun: row.id()?,
        succeeds: row.id()?,
    })
}

/// Each part after its length, 4 bytes, big-endian; none for a part of 4 GiB and more.
pub(super) fn join(parts: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        joined.extend_from_slice(part);
    }
    Some(joined)
}

/// What [`join`] wrote; none for anything else.
pub(super) fn split(mut joined: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = joined.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        parts.push(part.to_vec());
        joined = rest;
    }
    joined.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[&[u8]]) {
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
        let joined = join(&parts).unwrap();
        assert_eq!(split(&joined), Some(parts));
        assert_eq!(split(&[&joined[..], &[0]].concat()), None);
    }

    #[test]
    fn parts_are_split_as_they_were_joined() {
        check(&[]);
        check(&[b""]);
        check(&[b"one", b"", b"three"]);
        assert_eq!(split(&[0, 0, 0, 2, 1]), None);
    }
}
