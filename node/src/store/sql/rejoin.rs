//! Rows of rejoining.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId};

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::rejoin::{RejoinRow, RejoinRows};

const REJOINS: &str = "SELECT lineage, node, entry, signed_notice, approved, noted_at_ms \
     FROM rejoin_request WHERE lineage = $1";
const PUT: &str = "INSERT INTO rejoin_request \
     (lineage, node, entry, signed_notice, approved, noted_at_ms) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (lineage, node) DO UPDATE \
     SET entry = excluded.entry, signed_notice = excluded.signed_notice, \
     approved = excluded.approved, noted_at_ms = excluded.noted_at_ms";
const DELETE: &str = "DELETE FROM rejoin_request WHERE lineage = $1 AND node = $2";
const DELETE_ENTRIES: &str = "DELETE FROM entry WHERE lineage = $1 AND kind <> 3";
const QUEUE_AGAIN: &str = "UPDATE envelope SET entry = NULL, sequence = 0 WHERE lineage = $1";

#[async_trait]
impl RejoinRows for SqlTx {
    async fn rejoins(&mut self, lineage: LineageId) -> Stored<Vec<RejoinRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(RejoinRow {
                lineage: row.id()?,
                node: row.parsed()?,
                entry: row.id()?,
                signed_notice: row.bytes()?,
                approved: row.flag()?,
                noted_at: row.instant()?,
            })
        };
        let select = sql("rejoin_request", REJOINS).bytes(lineage.as_bytes());
        let mut rows = self.all(select, read).await?;
        rows.sort_by(|one, other| one.node.cmp(&other.node));
        Ok(rows)
    }

    async fn put_rejoin(&mut self, row: RejoinRow) -> Stored<()> {
        let put = sql("rejoin_request", PUT)
            .bytes(row.lineage.as_bytes())
            .text(row.node.as_str())
            .bytes(row.entry.as_bytes())
            .bytes(row.signed_notice)
            .flag(row.approved)
            .instant(row.noted_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_rejoin(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()> {
        let delete = sql("rejoin_request", DELETE).bytes(lineage.as_bytes());
        self.execute(delete.text(node.as_str())).await.map(drop)
    }

    async fn queue_all_again(&mut self, lineage: LineageId) -> Stored<()> {
        self.execute(sql("entry", DELETE_ENTRIES).bytes(lineage.as_bytes())).await?;
        self.execute(sql("envelope", QUEUE_AGAIN).bytes(lineage.as_bytes())).await.map(drop)
    }
}
