//! Rows of commits that may have to be undone.

use std::collections::BTreeSet;

use async_trait::async_trait;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::trust::void::Votes;

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::void::{StrayRow, UnfollowedRow, VoidRows};

const UNFOLLOWED: &str = "SELECT group_id, committer, epoch, statement, group_info, tree, \
     sequence, entry, needed, said FROM unfollowed WHERE group_id = $1";
const PUT_UNFOLLOWED: &str = "INSERT INTO unfollowed \
     (group_id, committer, epoch, statement, group_info, tree, sequence, entry, needed, said) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (group_id) DO UPDATE \
     SET committer = excluded.committer, epoch = excluded.epoch, \
     statement = excluded.statement, group_info = excluded.group_info, tree = excluded.tree, \
     sequence = excluded.sequence, entry = excluded.entry, needed = excluded.needed, \
     said = excluded.said";
const DELETE_UNFOLLOWED: &str = "DELETE FROM unfollowed WHERE group_id = $1";
const STRAY: &str = "SELECT lineage, committer, epoch, log_epoch, asked, followed_by, \
     sequence, entry, needed, said FROM stray WHERE lineage = $1";
const PUT_STRAY: &str = "INSERT INTO stray \
     (lineage, committer, epoch, log_epoch, asked, followed_by, sequence, entry, needed, said) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (lineage) DO UPDATE \
     SET committer = excluded.committer, epoch = excluded.epoch, \
     log_epoch = excluded.log_epoch, asked = excluded.asked, \
     followed_by = excluded.followed_by, sequence = excluded.sequence, \
     entry = excluded.entry, needed = excluded.needed, said = excluded.said";
const DELETE_STRAY: &str = "DELETE FROM stray WHERE lineage = $1";

#[async_trait]
impl VoidRows for SqlTx {
    async fn unfollowed(&mut self, group: GroupId) -> Stored<Option<UnfollowedRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(UnfollowedRow {
                group: row.id()?,
                committer: row.parsed()?,
                epoch: Epoch(row.integer()?),
                statement: row.bytes()?,
                group_info: row.bytes()?,
                tree: row.bytes()?,
                votes: votes(row)?,
            })
        };
        self.one(sql("unfollowed", UNFOLLOWED).bytes(group.as_bytes()), read).await
    }

    async fn put_unfollowed(&mut self, row: UnfollowedRow) -> Stored<()> {
        let put = sql("unfollowed", PUT_UNFOLLOWED)
            .bytes(row.group.as_bytes())
            .text(row.committer.as_str())
            .integer(row.epoch.0)
            .bytes(row.statement)
            .bytes(row.group_info)
            .bytes(row.tree);
        self.execute(bind_votes(put, &row.votes)).await.map(drop)
    }

    async fn delete_unfollowed(&mut self, group: GroupId) -> Stored<()> {
        let delete = sql("unfollowed", DELETE_UNFOLLOWED).bytes(group.as_bytes());
        self.execute(delete).await.map(drop)
    }

    async fn stray(&mut self, lineage: LineageId) -> Stored<Option<StrayRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(StrayRow {
                lineage: row.id()?,
                committer: row.parsed()?,
                epoch: Epoch(row.integer()?),
                log_epoch: Epoch(row.integer()?),
                asked: row.flag()?,
                followed_by: nodes(row)?.pop_first(),
                votes: votes(row)?,
            })
        };
        self.one(sql("stray", STRAY).bytes(lineage.as_bytes()), read).await
    }

    async fn put_stray(&mut self, row: StrayRow) -> Stored<()> {
        let put = sql("stray", PUT_STRAY)
            .bytes(row.lineage.as_bytes())
            .text(row.committer.as_str())
            .integer(row.epoch.0)
            .integer(row.log_epoch.0)
            .flag(row.asked)
            .text(row.followed_by.as_ref().map_or("", NodeId::as_str));
        self.execute(bind_votes(put, &row.votes)).await.map(drop)
    }

    async fn delete_stray(&mut self, lineage: LineageId) -> Stored<()> {
        let delete = sql("stray", DELETE_STRAY).bytes(lineage.as_bytes());
        self.execute(delete).await.map(drop)
    }
}

fn bind_votes(statement: Statement, votes: &Votes) -> Statement {
    let words = |nodes: &BTreeSet<NodeId>| {
        let names: Vec<&str> = nodes.iter().map(NodeId::as_str).collect();
        names.join(" ")
    };
    statement
        .integer(votes.sequence.0)
        .bytes(votes.entry.as_bytes())
        .text(words(&votes.needed))
        .text(words(&votes.said))
}

fn votes(row: &mut Columns<'_>) -> Stored<Votes> {
    Ok(Votes {
        sequence: Sequence(row.integer()?),
        entry: row.id()?,
        needed: nodes(row)?,
        said: nodes(row)?,
    })
}

/// Node ids with spaces between them.
fn nodes(row: &mut Columns<'_>) -> Stored<BTreeSet<NodeId>> {
    let words = row.text()?;
    let read = words.split_whitespace().map(|word| word.parse().map_err(|_| row.damaged()));
    read.collect()
}
