//! The logs of a hub, with their trees.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, Epoch, GroupId, NodeId, Sequence};
use raccordo_core::time::Instant;
use sqlx::AssertSqlSafe;

use super::SqlTx;
use super::bulk::{Bulk, KEYS, among, filled};
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::hub::{LogBytes, LogRow};

/// All columns of a [`LogRow`] but the payload.
macro_rules! columns {
    () => {
        "group_id, sequence, epoch, kind, sender, entry, accepted_at_ms, digest, head"
    };
}

static INSERT: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = concat!("INSERT INTO log_entry (", columns!(), ", payload, payload_bytes)");
    Bulk::new(insert, 11, "ON CONFLICT DO NOTHING")
});
static AMONG: LazyLock<Arc<str>> = LazyLock::new(|| {
    let select = concat!(
        "SELECT ",
        columns!(),
        " FROM log_entry WHERE group_id = $1 AND sender = $2 AND entry"
    );
    among(select, 2)
});

const BY_ENTRY: &str = concat!(
    "SELECT ",
    columns!(),
    ", payload FROM log_entry WHERE group_id = $1 AND sender = $2 AND entry = $3"
);
const SIZES_AFTER: &str = "SELECT sequence, payload_bytes FROM log_entry \
     WHERE group_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
const BETWEEN: &str = concat!(
    "SELECT ",
    columns!(),
    ", payload FROM log_entry WHERE group_id = $1 AND sequence > $2 AND sequence <= $3 \
     ORDER BY sequence"
);
const KEPT: &str = "SELECT sender, kind, CAST(SUM(payload_bytes) AS BIGINT) FROM log_entry \
     WHERE group_id = $1 AND sequence <= $2 AND payload_bytes > 0 GROUP BY sender, kind";
const DELETE_ROWS: &str = "DELETE FROM log_entry WHERE group_id = $1 AND sequence <= $2";
const TRIM: &str = "UPDATE log_entry SET payload = $3, payload_bytes = 0 \
     WHERE group_id = $1 AND sequence <= $2 AND payload_bytes > 0";
const DELETE_GROUP: [(&str, &str); 2] = [
    ("log_entry", "DELETE FROM log_entry WHERE group_id = $1"),
    ("group_tree", "DELETE FROM group_tree WHERE group_id = $1"),
];

const RENAME_GROUP: &str = "UPDATE log_entry SET group_id = $2 WHERE group_id = $1";

const PUT_TREE: &str = "INSERT INTO group_tree (group_id, epoch, tree, expires_at_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (group_id, epoch) DO UPDATE \
     SET tree = excluded.tree, expires_at_ms = excluded.expires_at_ms";
const DELETE_OLD_TREES: &str = "DELETE FROM group_tree WHERE group_id = $1 AND epoch NOT IN \
     (SELECT epoch FROM group_tree WHERE group_id = $1 ORDER BY epoch DESC LIMIT $2)";
const TREE: &str = "SELECT tree FROM group_tree WHERE group_id = $1 AND epoch = $2";

impl SqlTx {
    /// Adds entries.
    pub(super) async fn append_to_log(&mut self, rows: &[LogRow]) -> Stored<()> {
        self.insert_new("log_entry", &INSERT, rows, bind).await
    }

    /// The entry that a sender handed in under an id.
    pub(super) async fn logged(
        &mut self,
        group: GroupId,
        sender: &NodeId,
        entry: EntryId,
    ) -> Stored<Option<LogRow>> {
        let select = sql("log_entry", BY_ENTRY).bytes(group.as_bytes()).text(sender.as_str());
        self.one(select.bytes(entry.as_bytes()), with_payload).await
    }

    /// Those of the ids that a sender handed in, by place, without payloads.
    pub(super) async fn logged_among(
        &mut self,
        group: GroupId,
        sender: &NodeId,
        entries: &[EntryId],
    ) -> Stored<Vec<LogRow>> {
        let mut found = BTreeMap::new();
        for chunk in entries.chunks(KEYS) {
            // The text is made of literals and markers alone.
            let select = sql("log_entry", AssertSqlSafe(Arc::clone(&AMONG)))
                .bytes(group.as_bytes())
                .text(sender.as_str());
            let select = filled(chunk).fold(select, |select, entry| select.bytes(entry.0));
            let rows = self.all(select, without_payload).await?;
            found.extend(rows.into_iter().map(|row| (row.sequence, row)));
        }
        Ok(found.into_values().collect())
    }

    /// Entries after a place: first the sizes, so that no payload is read in vain.
    pub(super) async fn logged_after(
        &mut self,
        group: GroupId,
        sequence: Sequence,
        limit: u32,
        bytes: u64,
    ) -> Stored<Vec<LogRow>> {
        let select = sql("log_entry", SIZES_AFTER).bytes(group.as_bytes()).integer(sequence.0);
        let size = |row: &mut Columns<'_>| Ok((row.integer::<u64>()?, row.integer::<u64>()?));
        let sizes = self.all(select.integer(limit), size).await?;
        let mut total = 0_u64;
        let fitting = sizes.iter().enumerate().take_while(|(place, (_, size))| {
            total = total.saturating_add(*size);
            *place == 0 || total <= bytes
        });
        let Some((_, (last, _))) = fitting.last() else {
            return Ok(Vec::new());
        };
        let select = sql("log_entry", BETWEEN).bytes(group.as_bytes());
        self.all(select.integer(sequence.0).integer(*last), with_payload).await
    }

    /// The payloads that are kept, by sender and kind.
    pub(super) async fn kept_payloads(&mut self, group: GroupId) -> Stored<Vec<LogBytes>> {
        self.payloads_up_to(group, i64::MAX as u64).await
    }

    async fn payloads_up_to(&mut self, group: GroupId, up_to: u64) -> Stored<Vec<LogBytes>> {
        let select = sql("log_entry", KEPT).bytes(group.as_bytes()).integer(up_to);
        let read = |row: &mut Columns<'_>| {
            Ok(LogBytes { sender: row.parsed()?, kind: read_kind(row)?, bytes: row.integer()? })
        };
        let mut kept = self.all(select, read).await?;
        kept.sort_by(|a, b| (&a.sender, a.kind).cmp(&(&b.sender, b.kind)));
        Ok(kept)
    }

    /// Deletes entries up to a place.
    pub(super) async fn forget_entries(&mut self, group: GroupId, up_to: Sequence) -> Stored<()> {
        let delete = sql("log_entry", DELETE_ROWS).bytes(group.as_bytes()).integer(up_to.0);
        self.execute(delete).await.map(drop)
    }

    /// Forgets payloads up to a place; returns what was freed.
    pub(super) async fn forget_payloads(
        &mut self,
        group: GroupId,
        up_to: Sequence,
    ) -> Stored<Vec<LogBytes>> {
        let freed = self.payloads_up_to(group, up_to.0).await?;
        let trim = sql("log_entry", TRIM).bytes(group.as_bytes()).integer(up_to.0).bytes([]);
        self.execute(trim).await?;
        Ok(freed)
    }

    /// Deletes a group's entries and trees.
    pub(super) async fn delete_entries_and_trees(&mut self, group: GroupId) -> Stored<()> {
        for (table, text) in DELETE_GROUP {
            self.execute(sql(table, text).bytes(group.as_bytes())).await?;
        }
        Ok(())
    }

    /// Makes entries those of another group.
    pub(super) async fn rename_group(&mut self, from: GroupId, to: GroupId) -> Stored<()> {
        let rename = sql("log_entry", RENAME_GROUP).bytes(from.as_bytes());
        self.execute(rename.bytes(to.as_bytes())).await.map(drop)
    }

    /// Keeps the tree of an epoch until a time.
    pub(super) async fn keep_tree(
        &mut self,
        group: GroupId,
        epoch: Epoch,
        tree: Vec<u8>,
        expires_at: Instant,
    ) -> Stored<()> {
        let put = sql("group_tree", PUT_TREE).bytes(group.as_bytes()).integer(epoch.0);
        self.execute(put.bytes(tree).instant(expires_at)).await.map(drop)
    }

    /// Deletes all trees of a group but the newest.
    pub(super) async fn keep_newest_trees(&mut self, group: GroupId, most: usize) -> Stored<()> {
        let delete = sql("group_tree", DELETE_OLD_TREES).bytes(group.as_bytes()).integer(most);
        self.execute(delete).await.map(drop)
    }

    /// The tree of an epoch.
    pub(super) async fn kept_tree(
        &mut self,
        group: GroupId,
        epoch: Epoch,
    ) -> Stored<Option<Vec<u8>>> {
        let select = sql("group_tree", TREE).bytes(group.as_bytes()).integer(epoch.0);
        self.one(select, |row| row.bytes()).await
    }
}

/// The number that stands for a kind in columns.
pub(super) fn kind_number(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Application => 1,
        EntryKind::Commit => 2,
        EntryKind::Notice => 3,
    }
}

/// The kind that a column holds.
pub(super) fn read_kind(row: &mut Columns<'_>) -> Stored<EntryKind> {
    match row.integer::<i64>()? {
        1 => Ok(EntryKind::Application),
        2 => Ok(EntryKind::Commit),
        3 => Ok(EntryKind::Notice),
        _ => Err(row.damaged()),
    }
}

fn bind(statement: Statement, row: &LogRow) -> Statement {
    statement
        .bytes(row.group.as_bytes())
        .integer(row.sequence.0)
        .integer(row.epoch.0)
        .integer(kind_number(row.kind))
        .text(row.sender.as_str())
        .bytes(row.entry.as_bytes())
        .instant(row.accepted_at)
        .bytes(row.digest.as_bytes())
        .bytes(row.head.as_bytes())
        .bytes(row.payload.as_slice())
        .integer(row.payload.len())
}

fn without_payload(row: &mut Columns<'_>) -> Stored<LogRow> {
    Ok(LogRow {
        group: row.id()?,
        sequence: Sequence(row.integer()?),
        epoch: Epoch(row.integer()?),
        kind: read_kind(row)?,
        sender: row.parsed()?,
        entry: row.id()?,
        accepted_at: row.instant()?,
        digest: row.id()?,
        head: row.id()?,
        payload: Vec::new(),
    })
}

fn with_payload(row: &mut Columns<'_>) -> Stored<LogRow> {
    let entry = without_payload(row)?;
    Ok(LogRow { payload: row.bytes()?, ..entry })
}
