//! Rows of the node itself.

use async_trait::async_trait;
use raccordo_core::audit::{AuditEvent, AuditRecord};
use raccordo_core::id::BootId;
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::live::{LiveAccess as _, Scope};
use crate::store::node::{NodeRow, NodeRows};

macro_rules! audit_columns {
    () => {
        "sequence, at_ms, actor, action, subject, detail, previous, hash"
    };
}

const NODE: &str = "SELECT node, vault_check, created_at_ms FROM node";
const INSERT_NODE: &str = "INSERT INTO node (only_row, node, vault_check, created_at_ms) \
     VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING";
const AUDIT_NEWEST: &str =
    concat!("SELECT ", audit_columns!(), " FROM audit ORDER BY sequence DESC LIMIT 1");
const AUDIT_AFTER: &str = concat!(
    "SELECT ",
    audit_columns!(),
    " FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2"
);
const AUDIT_OF: &str = concat!(
    "SELECT ",
    audit_columns!(),
    " FROM audit WHERE actor = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3"
);
const INSERT_AUDIT: &str = concat!(
    "INSERT INTO audit (",
    audit_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
);
const INSERT_BOOT: &str = "INSERT INTO boot (boot, at_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING";

#[async_trait]
impl NodeRows for SqlTx {
    async fn node(&mut self) -> Stored<Option<NodeRow>> {
        let read = |row: &mut Columns<'_>| {
            let (node, vault_check) = (row.parsed()?, row.bytes()?);
            Ok(NodeRow { node, vault_check, created_at: row.instant()? })
        };
        self.one(sql("node", NODE), read).await
    }

    async fn insert_node(&mut self, row: NodeRow) -> Stored<()> {
        let insert = sql("node", INSERT_NODE).text(row.node.as_str()).bytes(row.vault_check);
        self.insert(insert.instant(row.created_at)).await
    }

    async fn audit_newest(&mut self) -> Stored<Option<AuditRecord>> {
        Ok(self.live(Scope::Node).await?.audit_newest.clone())
    }

    async fn audit_append(&mut self, record: &AuditRecord) -> Stored<()> {
        let AuditEvent { at, actor, action, subject, detail } = &record.event;
        let detail: serde_json::Map<_, _> =
            detail.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        let insert = sql("audit", INSERT_AUDIT)
            .integer(record.sequence)
            .instant(*at)
            .text(actor)
            .text(action)
            .text(subject)
            .text(serde_json::Value::Object(detail).to_string())
            .bytes(record.previous.as_bytes())
            .bytes(record.hash.as_bytes());
        self.insert(insert).await?;
        self.live_mut(Scope::Node).await?.audit_newest = Some(record.clone());
        Ok(())
    }

    async fn audit_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<AuditRecord>> {
        let select = sql("audit", AUDIT_AFTER).integer(sequence).integer(limit);
        self.all(select, audit_record).await
    }

    async fn audit_of(&mut self, actor: &str, before: u64, limit: u32) -> Stored<Vec<AuditRecord>> {
        let select = sql("audit", AUDIT_OF).text(actor).integer(before).integer(limit);
        self.all(select, audit_record).await
    }

    async fn insert_boot(&mut self, boot: BootId, at: Instant) -> Stored<()> {
        self.insert(sql("boot", INSERT_BOOT).bytes(boot.as_bytes()).instant(at)).await
    }
}

impl SqlTx {
    /// The end of the audit's chain.
    pub(super) async fn newest_audit_record(&mut self) -> Stored<Option<AuditRecord>> {
        self.one(sql("audit", AUDIT_NEWEST), audit_record).await
    }
}

fn audit_record(row: &mut Columns<'_>) -> Stored<AuditRecord> {
    let sequence = row.integer()?;
    let event = AuditEvent {
        at: row.instant()?,
        actor: row.text()?,
        action: row.text()?,
        subject: row.text()?,
        detail: serde_json::from_str(&row.text()?).map_err(|_| row.damaged())?,
    };
    Ok(AuditRecord { sequence, event, previous: row.id()?, hash: row.id()? })
}
