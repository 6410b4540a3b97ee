//! Rows of a hub: its log, mailboxes and pool, of which the statements lie beside.

use async_trait::async_trait;
use raccordo_core::id::{EntryId, Epoch, GroupId, ItemId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::sql;
use crate::store::Stored;
use crate::store::hub::{HubRows, LogBytes, LogRow, MailLoads, MailboxRow, PoolRow};

const DELETE_EXPIRED: [(&str, &str); 3] = [
    ("mailbox", "DELETE FROM mailbox WHERE expires_at_ms <= $1"),
    ("pool", "DELETE FROM pool WHERE expires_at_ms <= $1"),
    ("group_tree", "DELETE FROM group_tree WHERE expires_at_ms <= $1"),
];

#[async_trait]
impl HubRows for SqlTx {
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

    async fn rename_log(&mut self, from: GroupId, to: GroupId) -> Stored<()> {
        self.rename_group(from, to).await
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

    async fn delete_log_entries(&mut self, group: GroupId) -> Stored<()> {
        self.delete_entries_and_trees(group).await
    }
}
