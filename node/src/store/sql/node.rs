//! Rows of the node itself.

use async_trait::async_trait;
use raccordo_core::audit::{AuditEvent, AuditRecord};
use raccordo_core::id::{BootId, ItemId, NodeId};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::node::{MailRow, NodeRow, NodeRows, OwnKeyPackageRow};

macro_rules! audit_columns {
    () => {
        "sequence, at_ms, actor, action, subject, detail, previous, hash"
    };
}

macro_rules! key_package_columns {
    () => {
        "reference, hub, suite, last_resort, created_at_ms, undelivered, card_serial"
    };
}

const NODE: &str = "SELECT node, vault_check, created_at_ms FROM node";
const INSERT_NODE: &str = "INSERT INTO node (only_row, node, vault_check, created_at_ms) \
     VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING";
const SECRET: &str = "SELECT sealed FROM secret WHERE name = $1";
const PUT_SECRET: &str = "INSERT INTO secret (name, sealed) VALUES ($1, $2) \
     ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed";
const OWN_CARD: &str = "SELECT signed_card FROM own_card ORDER BY serial DESC LIMIT 1";
const OWN_CARDS: &str = "SELECT signed_card FROM own_card ORDER BY serial";
const INSERT_OWN_CARD: &str =
    "INSERT INTO own_card (serial, signed_card) VALUES ($1, $2) ON CONFLICT DO NOTHING";
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
const CURSOR: &str = "SELECT sequence FROM mailbox_cursor WHERE hub = $1";
const PUT_CURSOR: &str = "INSERT INTO mailbox_cursor (hub, sequence) VALUES ($1, $2) \
     ON CONFLICT (hub) DO UPDATE SET sequence = excluded.sequence";
const INSERT_MAIL: &str = "INSERT INTO mail (position, item, hub, recipient, kind, payload) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const MAIL_FOR: &str = "SELECT item, hub, recipient, kind, payload FROM mail \
     WHERE hub = $1 ORDER BY position LIMIT $2";
const DELETE_MAIL: &str = "DELETE FROM mail WHERE item = $1";
const INSERT_KEY_PACKAGE: &str = concat!(
    "INSERT INTO own_key_package (",
    key_package_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
);
const KEY_PACKAGES: &str = concat!(
    "SELECT ",
    key_package_columns!(),
    " FROM own_key_package WHERE hub = $1 ORDER BY created_at_ms, reference"
);
const ALL_KEY_PACKAGES: &str = concat!("SELECT ", key_package_columns!(), " FROM own_key_package");
const DELIVERED: &str = "UPDATE own_key_package SET undelivered = NULL WHERE reference = $1";
const DELETE_KEY_PACKAGE: &str = "DELETE FROM own_key_package WHERE reference = $1";
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

    async fn secret(&mut self, name: &str) -> Stored<Option<Vec<u8>>> {
        self.one(sql("secret", SECRET).text(name), |row| row.bytes()).await
    }

    async fn put_secret(&mut self, name: &str, sealed: Vec<u8>) -> Stored<()> {
        self.execute(sql("secret", PUT_SECRET).text(name).bytes(sealed)).await.map(drop)
    }

    async fn own_card(&mut self) -> Stored<Option<Vec<u8>>> {
        self.one(sql("own_card", OWN_CARD), |row| row.bytes()).await
    }

    async fn own_cards(&mut self) -> Stored<Vec<Vec<u8>>> {
        self.all(sql("own_card", OWN_CARDS), |row| row.bytes()).await
    }

    async fn insert_own_card(&mut self, serial: u64, signed_card: Vec<u8>) -> Stored<()> {
        self.insert(sql("own_card", INSERT_OWN_CARD).integer(serial).bytes(signed_card)).await
    }

    async fn audit_newest(&mut self) -> Stored<Option<AuditRecord>> {
        if self.writes() {
            // Whoever appends reads first: on PostgreSQL the counter's row makes the second
            // writer wait, so that both do not chain to one record.
            self.take_numbers("audit", 1).await?;
        }
        self.one(sql("audit", AUDIT_NEWEST), audit_record).await
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
        self.insert(insert).await
    }

    async fn audit_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<AuditRecord>> {
        let select = sql("audit", AUDIT_AFTER).integer(sequence).integer(limit);
        self.all(select, audit_record).await
    }

    async fn audit_of(&mut self, actor: &str, before: u64, limit: u32) -> Stored<Vec<AuditRecord>> {
        let select = sql("audit", AUDIT_OF).text(actor).integer(before).integer(limit);
        self.all(select, audit_record).await
    }

    async fn mailbox_cursor(&mut self, hub: &NodeId) -> Stored<u64> {
        let select = sql("mailbox_cursor", CURSOR).text(hub.as_str());
        Ok(self.one(select, |row| row.integer()).await?.unwrap_or(0))
    }

    async fn put_mailbox_cursor(&mut self, hub: &NodeId, cursor: u64) -> Stored<()> {
        let put = sql("mailbox_cursor", PUT_CURSOR).text(hub.as_str()).integer(cursor);
        self.execute(put).await.map(drop)
    }

    async fn insert_mail(&mut self, row: MailRow) -> Stored<()> {
        let insert = sql("mail", INSERT_MAIL)
            .integer(self.take_numbers("mail", 1).await?)
            .bytes(row.item.as_bytes())
            .text(row.hub)
            .text(row.recipient)
            .text(row.kind)
            .bytes(row.payload);
        self.insert(insert).await
    }

    async fn mail_for(&mut self, hub: &NodeId, limit: u32) -> Stored<Vec<MailRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(MailRow {
                item: row.id()?,
                hub: row.parsed()?,
                recipient: row.parsed()?,
                kind: row.text()?,
                payload: row.bytes()?,
            })
        };
        self.all(sql("mail", MAIL_FOR).text(hub.as_str()).integer(limit), read).await
    }

    async fn delete_mail(&mut self, item: ItemId) -> Stored<()> {
        self.execute(sql("mail", DELETE_MAIL).bytes(item.as_bytes())).await.map(drop)
    }

    async fn insert_own_key_package(&mut self, row: OwnKeyPackageRow) -> Stored<()> {
        let insert = sql("own_key_package", INSERT_KEY_PACKAGE)
            .bytes(row.reference)
            .text(row.hub)
            .integer(row.suite)
            .flag(row.last_resort)
            .instant(row.created_at)
            .option_bytes(row.undelivered)
            .integer(row.card_serial);
        self.insert(insert).await
    }

    async fn own_key_packages(&mut self, hub: &NodeId) -> Stored<Vec<OwnKeyPackageRow>> {
        self.all(sql("own_key_package", KEY_PACKAGES).text(hub.as_str()), own_key_package).await
    }

    async fn all_own_key_packages(&mut self) -> Stored<Vec<OwnKeyPackageRow>> {
        let mut rows = self.all(sql("own_key_package", ALL_KEY_PACKAGES), own_key_package).await?;
        rows.sort_by(|a, b| a.reference.cmp(&b.reference));
        Ok(rows)
    }

    async fn own_key_package_delivered(&mut self, reference: &[u8]) -> Stored<()> {
        self.execute(sql("own_key_package", DELIVERED).bytes(reference)).await.map(drop)
    }

    async fn delete_own_key_package(&mut self, reference: &[u8]) -> Stored<()> {
        self.execute(sql("own_key_package", DELETE_KEY_PACKAGE).bytes(reference)).await.map(drop)
    }

    async fn insert_boot(&mut self, boot: BootId, at: Instant) -> Stored<()> {
        self.insert(sql("boot", INSERT_BOOT).bytes(boot.as_bytes()).instant(at)).await
    }
}

fn own_key_package(row: &mut Columns<'_>) -> Stored<OwnKeyPackageRow> {
    Ok(OwnKeyPackageRow {
        reference: row.bytes()?,
        hub: row.parsed()?,
        suite: row.integer()?,
        last_resort: row.flag()?,
        created_at: row.instant()?,
        undelivered: row.option_bytes()?,
        card_serial: row.integer()?,
    })
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
