//! Rows of a hub: the équipes it carries; the log, mailboxes and pool lie beside.

use async_trait::async_trait;
use raccordo_core::id::{EntryId, Epoch, GroupId, ItemId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::hub::{CarriedRow, HubRows, LogBytes, LogRow, MailLoads, MailboxRow, PoolRow};
use crate::store::{StoreError, Stored};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.lineage, c.name, c.state, c.version, d.statement, d.cards, c.group_id, \
             c.epoch, c.sequence, c.head, c.accepted_at_ms, c.term, d.group_info, c.trimmed, \
             c.stored_bytes, c.entries_per_minute_max, c.stored_bytes_max, c.begun, \
             c.succeeds \
             FROM carried c JOIN carried_document d ON d.lineage = c.lineage",
            $rest
        )
    };
}

const RAISE: &str = "UPDATE carried SET version = version + 1 WHERE lineage = $1";
const CARRIED: &str = select!(" WHERE c.lineage = $1");
const CARRIED_GROUP: &str = select!(" WHERE c.group_id = $1");
const ALL: &str = select!("");
const SUCCESSORS: &str = "SELECT COUNT(*) FROM carried WHERE succeeds = $1";
const INSERT: &str = "INSERT INTO carried (lineage, name, state, group_id, epoch, sequence, \
     head, accepted_at_ms, term, trimmed, stored_bytes, entries_per_minute_max, \
     stored_bytes_max, begun, succeeds, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
     ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE carried SET name = $2, state = $3, group_id = $4, epoch = $5, \
     sequence = $6, head = $7, accepted_at_ms = $8, term = $9, trimmed = $10, \
     stored_bytes = $11, entries_per_minute_max = $12, stored_bytes_max = $13, begun = $14, \
     succeeds = $15 \
     WHERE lineage = $1";
const INSERT_DOCUMENT: &str = "INSERT INTO carried_document (lineage, statement, cards, \
     group_info) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const UPDATE_DOCUMENT: &str = "UPDATE carried_document \
     SET statement = $2, cards = $3, group_info = $4 \
     WHERE lineage = $1 AND (statement <> $2 OR cards <> $3 OR group_info <> $4)";

const DELETE_CARRIED: [(&str, &str); 2] = [
    ("carried", "DELETE FROM carried WHERE lineage = $1"),
    ("carried_document", "DELETE FROM carried_document WHERE lineage = $1"),
];

const DELETE_EXPIRED: [(&str, &str); 3] = [
    ("mailbox", "DELETE FROM mailbox WHERE expires_at_ms <= $1"),
    ("pool", "DELETE FROM pool WHERE expires_at_ms <= $1"),
    ("group_tree", "DELETE FROM group_tree WHERE expires_at_ms <= $1"),
];

#[async_trait]
impl HubRows for SqlTx {
    async fn raise_carried(&mut self, lineage: LineageId) -> Stored<bool> {
        Ok(self.execute(sql("carried", RAISE).bytes(lineage.as_bytes())).await? > 0)
    }

    async fn carried(&mut self, lineage: LineageId) -> Stored<Option<CarriedRow>> {
        self.one(sql("carried", CARRIED).bytes(lineage.as_bytes()), carried).await
    }

    async fn carried_group(&mut self, group: GroupId) -> Stored<Option<CarriedRow>> {
        self.one(sql("carried", CARRIED_GROUP).bytes(group.as_bytes()), carried).await
    }

    async fn all_carried(&mut self) -> Stored<Vec<CarriedRow>> {
        let mut rows = self.all(sql("carried", ALL), carried).await?;
        rows.sort_by(|a, b| (&a.name, a.lineage).cmp(&(&b.name, b.lineage)));
        Ok(rows)
    }

    async fn has_successor(&mut self, group: GroupId) -> Stored<bool> {
        Ok(self.number(sql("carried", SUCCESSORS).bytes(group.as_bytes())).await? > 0)
    }

    async fn insert_carried(&mut self, row: CarriedRow) -> Stored<()> {
        self.insert(bind(sql("carried", INSERT), &row).integer(row.version)).await?;
        self.insert(bind_document(sql("carried_document", INSERT_DOCUMENT), &row)?).await
    }

    async fn update_carried(&mut self, row: &CarriedRow) -> Stored<()> {
        self.execute(bind(sql("carried", UPDATE), row)).await?;
        let document = bind_document(sql("carried_document", UPDATE_DOCUMENT), row)?;
        self.execute(document).await.map(drop)
    }

    async fn delete_carried(&mut self, lineage: LineageId) -> Stored<()> {
        for (table, text) in DELETE_CARRIED {
            self.execute(sql(table, text).bytes(lineage.as_bytes())).await?;
        }
        Ok(())
    }

    async fn insert_log(&mut self, rows: &[LogRow]) -> Stored<()> {
        self.append_to_log(rows).await
    }

    async fn log_by_entry(
        &mut self,
        group: GroupId,
        sender: &NodeId,
        entry: EntryId,
    ) -> Stored<Option<LogRow>> {
        self.logged(group, sender, entry).await
    }

    async fn log_among(
        &mut self,
        group: GroupId,
        sender: &NodeId,
        entries: &[EntryId],
    ) -> Stored<Vec<LogRow>> {
        self.logged_among(group, sender, entries).await
    }

    async fn log_after(
        &mut self,
        group: GroupId,
        sequence: Sequence,
        limit: u32,
        bytes: u64,
    ) -> Stored<Vec<LogRow>> {
        self.logged_after(group, sequence, limit, bytes).await
    }

    async fn log_kept(&mut self, group: GroupId) -> Stored<Vec<LogBytes>> {
        self.kept_payloads(group).await
    }

    async fn trim_log(&mut self, group: GroupId, up_to: Sequence) -> Stored<Vec<LogBytes>> {
        self.forget_payloads(group, up_to).await
    }

    async fn delete_log_rows(&mut self, group: GroupId, up_to: Sequence) -> Stored<()> {
        self.forget_entries(group, up_to).await
    }

    async fn delete_log(&mut self, group: GroupId) -> Stored<()> {
        self.delete_group(group).await
    }

    async fn rename_log(&mut self, from: GroupId, to: GroupId) -> Stored<()> {
        self.rename_group(from, to).await
    }

    async fn cursors(&mut self, group: GroupId) -> Stored<Vec<(NodeId, Sequence)>> {
        self.log_cursors(group).await
    }

    async fn put_cursor(
        &mut self,
        group: GroupId,
        node: &NodeId,
        sequence: Sequence,
    ) -> Stored<()> {
        self.move_log_cursor(group, node, sequence).await
    }

    async fn delete_cursor(&mut self, group: GroupId, node: &NodeId) -> Stored<()> {
        self.delete_log_cursor(group, node).await
    }

    async fn put_tree(
        &mut self,
        group: GroupId,
        epoch: Epoch,
        tree: Vec<u8>,
        expires_at: Instant,
    ) -> Stored<()> {
        self.keep_tree(group, epoch, tree, expires_at).await
    }

    async fn limit_trees(&mut self, group: GroupId, most: usize) -> Stored<()> {
        self.keep_newest_trees(group, most).await
    }

    async fn tree(&mut self, group: GroupId, epoch: Epoch) -> Stored<Option<Vec<u8>>> {
        self.kept_tree(group, epoch).await
    }

    async fn insert_mailbox(&mut self, row: MailboxRow) -> Stored<bool> {
        self.deposit_item(row).await
    }

    async fn mailbox_after(
        &mut self,
        recipient: &NodeId,
        sequence: u64,
        now: Instant,
        limit: u32,
        bytes: u64,
    ) -> Stored<Vec<MailboxRow>> {
        self.items_after(recipient, sequence, now, (limit, bytes)).await
    }

    async fn mail_loads(&mut self, sender: &NodeId, recipient: &NodeId) -> Stored<MailLoads> {
        self.posted_loads(sender, recipient).await
    }

    async fn delete_mailbox_item(&mut self, sender: &NodeId, item: ItemId) -> Stored<()> {
        self.delete_item(sender, item).await
    }

    async fn delete_mailbox(&mut self, recipient: &NodeId, up_to: u64) -> Stored<()> {
        self.delete_items(recipient, up_to).await
    }

    async fn insert_pool(&mut self, row: PoolRow) -> Stored<bool> {
        self.deposit_key_package(row).await
    }

    async fn pool(&mut self, owner: &NodeId, suite: u16, now: Instant) -> Stored<Vec<PoolRow>> {
        self.key_packages_of(owner, suite, now).await
    }

    async fn give_pool(&mut self, owner: &NodeId, reference: &[u8]) -> Stored<()> {
        self.give_key_package(owner, reference).await
    }

    async fn delete_pool(&mut self, owner: &NodeId, reference: &[u8]) -> Stored<()> {
        self.delete_key_package(owner, reference).await
    }

    async fn delete_expired_at_hub(&mut self, now: Instant) -> Stored<()> {
        for (table, text) in DELETE_EXPIRED {
            self.execute(sql(table, text).instant(now)).await?;
        }
        Ok(())
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
