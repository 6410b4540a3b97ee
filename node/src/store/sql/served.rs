//! Rows of whom a hub serves.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::served::{ConflictRow, ServedRow, ServedRows};

const SERVED: &str = "SELECT lineage, node, identity, former FROM served WHERE node = $1";
const DELETE: &str = "DELETE FROM served WHERE lineage = $1";
const INSERT: &str = "INSERT INTO served (lineage, node, identity, former) \
     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

const PUT_CONFLICT: &str = "INSERT INTO identity_conflict (node, claimed_by, lineage, at_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (node, claimed_by) DO UPDATE \
     SET lineage = excluded.lineage, at_ms = excluded.at_ms";
const CONFLICTS: &str = "SELECT node, claimed_by, lineage, at_ms FROM identity_conflict";
const FORGET_CONFLICTS: &str = "DELETE FROM identity_conflict WHERE at_ms < $1";

#[async_trait]
impl ServedRows for SqlTx {
    async fn served(&mut self, node: &NodeId) -> Stored<Vec<ServedRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(ServedRow {
                lineage: row.id()?,
                node: row.parsed()?,
                identity: row.id()?,
                former: row.flag()?,
            })
        };
        let mut rows = self.all(sql("served", SERVED).text(node.as_str()), read).await?;
        rows.sort_by_key(|row| row.lineage);
        Ok(rows)
    }

    async fn replace_served(&mut self, lineage: LineageId, rows: Vec<ServedRow>) -> Stored<()> {
        self.execute(sql("served", DELETE).bytes(lineage.as_bytes())).await?;
        for row in rows {
            let insert = sql("served", INSERT)
                .bytes(lineage.as_bytes())
                .text(row.node)
                .bytes(row.identity.as_bytes().to_vec())
                .flag(row.former);
            self.insert(insert).await?;
        }
        Ok(())
    }

    async fn put_identity_conflict(&mut self, row: ConflictRow) -> Stored<()> {
        let put = sql("identity_conflict", PUT_CONFLICT)
            .text(row.node)
            .text(row.claimed_by)
            .bytes(row.lineage.as_bytes())
            .instant(row.at);
        self.execute(put).await.map(drop)
    }

    async fn identity_conflicts(&mut self) -> Stored<Vec<ConflictRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(ConflictRow {
                node: row.parsed()?,
                claimed_by: row.parsed()?,
                lineage: row.id()?,
                at: row.instant()?,
            })
        };
        let mut rows = self.all(sql("identity_conflict", CONFLICTS), read).await?;
        rows.sort_by(|a, b| (&a.node, &a.claimed_by).cmp(&(&b.node, &b.claimed_by)));
        Ok(rows)
    }

    async fn forget_identity_conflicts(&mut self, before: Instant) -> Stored<()> {
        self.execute(sql("identity_conflict", FORGET_CONFLICTS).instant(before)).await.map(drop)
    }
}
