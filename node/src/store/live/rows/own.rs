//! Rows of what is this node's own: secrets, cards, mail, key packages.

use async_trait::async_trait;
use raccordo_core::id::{ItemId, NodeId};

use super::{all, first, inserted};
use crate::store::Stored;
use crate::store::live::{
    LiveAccess, MailboxCursorRow, OwnCardRow, QueuedMailRow, Scope, SecretRow,
};
use crate::store::node::{MailRow, OwnKeyPackageRow, OwnRows};

#[async_trait]
impl<T: LiveAccess> OwnRows for T {
    async fn secret(&mut self, name: &str) -> Stored<Option<Vec<u8>>> {
        let tables = self.live(Scope::Node).await?;
        Ok(tables.secret.row(&(name.to_owned(),)).map(|row| row.sealed.clone()))
    }

    async fn put_secret(&mut self, name: &str, sealed: Vec<u8>) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| {
            let row = SecretRow { name: name.to_owned(), sealed };
            tables.secret.put((name.to_owned(),), row);
        })
        .await
    }

    async fn own_card(&mut self) -> Stored<Option<Vec<u8>>> {
        Ok(self.own_cards().await?.pop())
    }

    async fn own_cards(&mut self) -> Stored<Vec<Vec<u8>>> {
        let cards = all(&self.live(Scope::Node).await?.own_card);
        Ok(cards.into_iter().map(|row| row.signed_card).collect())
    }

    async fn insert_own_card(&mut self, serial: u64, signed_card: Vec<u8>) -> Stored<()> {
        self.change_live(Scope::Node, |tables| {
            let row = OwnCardRow { serial, signed_card };
            inserted("own_card", tables.own_card.add((serial,), row))
        })
        .await
    }

    async fn mailbox_cursor(&mut self, hub: &NodeId) -> Stored<u64> {
        let tables = self.live(Scope::Node).await?;
        Ok(tables.mailbox_cursor.row(&(hub.clone(),)).map_or(0, |row| row.sequence))
    }

    async fn put_mailbox_cursor(&mut self, hub: &NodeId, cursor: u64) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| {
            let row = MailboxCursorRow { hub: hub.clone(), sequence: cursor };
            tables.mailbox_cursor.put((hub.clone(),), row);
        })
        .await
    }

    async fn insert_mail(&mut self, row: MailRow) -> Stored<()> {
        self.change_live(Scope::Node, |tables| {
            let taken = tables.mail.rows().any(|(_, other)| other.item == row.item);
            inserted("mail", !taken)?;
            let position = tables.next_number("mail");
            let MailRow { item, hub, recipient, kind, payload } = row;
            let row = QueuedMailRow { position, item, hub, recipient, kind, payload };
            tables.mail.put((position,), row);
            Ok(())
        })
        .await
    }

    async fn mail_for(&mut self, hub: &NodeId, limit: u32) -> Stored<Vec<MailRow>> {
        let tables = self.live(Scope::Node).await?;
        let rows = tables.mail.rows().map(|(_, row)| row).filter(|row| row.hub == *hub);
        let mail = |row: QueuedMailRow| {
            let QueuedMailRow { item, hub, recipient, kind, payload, .. } = row;
            MailRow { item, hub, recipient, kind, payload }
        };
        Ok(first(rows, limit).into_iter().map(mail).collect())
    }

    async fn delete_mail(&mut self, item: ItemId) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| {
            tables.mail.remove_where(.., |_, row| row.item == item)
        })
        .await
    }

    async fn insert_own_key_package(&mut self, row: OwnKeyPackageRow) -> Stored<()> {
        self.change_live(Scope::Node, |tables| {
            let key = (row.reference.clone(),);
            inserted("own_key_package", tables.own_key_package.add(key, row))
        })
        .await
    }

    async fn own_key_packages(&mut self, hub: &NodeId) -> Stored<Vec<OwnKeyPackageRow>> {
        let mut rows = self.all_own_key_packages().await?;
        rows.retain(|row| row.hub == *hub);
        rows.sort_by_key(|row| row.created_at);
        Ok(rows)
    }

    async fn all_own_key_packages(&mut self) -> Stored<Vec<OwnKeyPackageRow>> {
        Ok(all(&self.live(Scope::Node).await?.own_key_package))
    }

    async fn own_key_package_delivered(&mut self, reference: &[u8]) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| {
            let delivered = |row: &mut OwnKeyPackageRow| row.undelivered = None;
            tables.own_key_package.change(&(reference.to_vec(),), delivered);
        })
        .await
    }

    async fn delete_own_key_package(&mut self, reference: &[u8]) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| tables.own_key_package.remove(&(reference.to_vec(),)))
            .await
    }
}
