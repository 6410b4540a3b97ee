//! Rows of other nodes' audit heads.

use async_trait::async_trait;
use raccordo_core::audit::{AuditHead, SignedAuditHead};
use raccordo_core::id::NodeId;

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::audit_head::{AuditHeadRow, AuditHeadRows};

macro_rules! insert {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO audit_head (node, day, part, sequence, hash, signed_at_ms, signature) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ",
            $conflict
        )
    };
}

const KEEP: &str = insert!("DO NOTHING");
const PUT: &str = insert!(
    "(node, day, part) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, \
     signed_at_ms = excluded.signed_at_ms, signature = excluded.signature"
);
const OF_NODE: &str = "SELECT node, day, part, sequence, hash, signed_at_ms, signature \
     FROM audit_head WHERE node = $1";
const NODES: &str = "SELECT DISTINCT node FROM audit_head";
const FORGET: &str = "DELETE FROM audit_head WHERE node = $1 AND day < $2";
const FORGET_NEWEST: &str = "DELETE FROM audit_head WHERE node = $1 AND part = 'newest'";

#[async_trait]
impl AuditHeadRows for SqlTx {
    async fn keep_audit_head(&mut self, row: AuditHeadRow) -> Stored<()> {
        self.execute(bind(KEEP, &row)).await.map(drop)
    }

    async fn put_audit_head(&mut self, row: AuditHeadRow) -> Stored<()> {
        self.execute(bind(PUT, &row)).await.map(drop)
    }

    async fn audit_heads(&mut self, node: &NodeId) -> Stored<Vec<AuditHeadRow>> {
        let mut rows = self.all(sql("audit_head", OF_NODE).text(node.as_str()), read).await?;
        rows.sort_by_key(|row| (row.day, row.part));
        Ok(rows)
    }

    async fn audit_head_nodes(&mut self) -> Stored<Vec<NodeId>> {
        let mut nodes = self.all(sql("audit_head", NODES), |row| row.parsed()).await?;
        nodes.sort();
        Ok(nodes)
    }

    async fn forget_audit_heads(&mut self, node: &NodeId, before: i64) -> Stored<()> {
        let forget = sql("audit_head", FORGET).text(node.as_str()).integer(before);
        self.execute(forget).await.map(drop)
    }

    async fn forget_newest_audit_heads(&mut self, node: &NodeId) -> Stored<()> {
        self.execute(sql("audit_head", FORGET_NEWEST).text(node.as_str())).await.map(drop)
    }
}

fn bind(text: &'static str, row: &AuditHeadRow) -> Statement {
    let SignedAuditHead { node, head, at, signature } = &row.signed;
    sql("audit_head", text)
        .text(node.as_str())
        .integer(row.day)
        .text(row.part.as_str())
        .integer(head.sequence)
        .bytes(head.hash.as_bytes())
        .instant(*at)
        .bytes(signature.as_slice())
}

fn read(row: &mut Columns<'_>) -> Stored<AuditHeadRow> {
    let node = row.parsed()?;
    let (day, part) = (row.integer()?, row.parsed()?);
    let head = AuditHead { sequence: row.integer()?, hash: row.id()? };
    let (at, signature) = (row.instant()?, row.id()?);
    Ok(AuditHeadRow { day, part, signed: SignedAuditHead { node, head, at, signature } })
}
