//! What a hub keeps, in memory.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, Epoch, GroupId, ItemId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::hub::{
    HubRows, LogBytes, LogRow, MailLoad, MailLoads, MailboxRow, POSTED, PoolRow,
};

#[async_trait]
impl HubRows for MemoryTx {
    async fn insert_log(&mut self, rows: &[LogRow]) -> Stored<()> {
        self.change(|tables| {
            for row in rows {
                let place = (row.group, row.sender.clone(), row.entry);
                let free = tables.log_place.add(place, row.sequence);
                let key = (row.group, row.sequence);
                inserted("log_entry", free && tables.log.add(key, row.clone()))?;
            }
            Ok(())
        })
    }

    async fn log_by_entry(
        &mut self,
        group: GroupId,
        sender: &NodeId,
        entry: EntryId,
    ) -> Stored<Option<LogRow>> {
        self.look(|tables| {
            let sequence = tables.log_place.row(&(group, sender.clone(), entry))?;
            tables.log.row(&(group, *sequence)).cloned()
        })
    }

    async fn log_among(
        &mut self,
        group: GroupId,
        sender: &NodeId,
        entries: &[EntryId],
    ) -> Stored<Vec<LogRow>> {
        self.look(|tables| {
            let place = |entry: &EntryId| tables.log_place.row(&(group, sender.clone(), *entry));
            let mut places: Vec<Sequence> = entries.iter().filter_map(place).copied().collect();
            places.sort();
            places.dedup();
            let rows = places.into_iter().filter_map(|place| tables.log.row(&(group, place)));
            rows.map(|row| LogRow { payload: Vec::new(), ..row.clone() }).collect()
        })
    }

    async fn log_after(
        &mut self,
        group: GroupId,
        sequence: Sequence,
        limit: u32,
        bytes: u64,
    ) -> Stored<Vec<LogRow>> {
        self.look(|tables| {
            let rows = tables.log.range((group, sequence.next())..=(group, Sequence(u64::MAX)));
            let mut total = 0_u64;
            let fitting = rows.enumerate().take_while(|(place, (_, row))| {
                total = total.saturating_add(size(&row.payload));
                *place == 0 || total <= bytes
            });
            first(fitting.map(|(_, (_, row))| row), limit)
        })
    }

    async fn log_kept(&mut self, group: GroupId) -> Stored<Vec<LogBytes>> {
        let all = (group, Sequence(0))..=(group, Sequence(u64::MAX));
        self.look(|tables| by_sender(tables.log.range(all).map(|(_, row)| row)))
    }

    async fn trim_log(&mut self, group: GroupId, up_to: Sequence) -> Stored<Vec<LogBytes>> {
        let trimmed = (group, Sequence(0))..=(group, up_to);
        self.alter(|tables| {
            let freed = by_sender(tables.log.range(trimmed.clone()).map(|(_, row)| row));
            let has_payload = |row: &LogRow| !row.payload.is_empty();
            tables.log.change_where(trimmed, has_payload, |row| row.payload = Vec::new());
            freed
        })
    }

    async fn delete_log_rows(&mut self, group: GroupId, up_to: Sequence) -> Stored<()> {
        let rows = (group, Sequence(0))..=(group, up_to);
        self.alter(|tables| {
            tables.log.remove_where(rows, |_, _| true);
            tables.log_place.remove_where(.., |(of, ..), place| *of == group && *place <= up_to);
        })
    }

    async fn rename_log(&mut self, from: GroupId, to: GroupId) -> Stored<()> {
        self.change(|tables| {
            let rows = tables.log.range((from, Sequence(0))..=(from, Sequence(u64::MAX)));
            for row in rows.map(|(_, row)| row.clone()).collect::<Vec<_>>() {
                tables.log.remove(&(from, row.sequence));
                tables.log_place.remove(&(from, row.sender.clone(), row.entry));
                let place = (to, row.sender.clone(), row.entry);
                let free = tables.log_place.add(place, row.sequence);
                let key = (to, row.sequence);
                let added = tables.log.add(key, LogRow { group: to, ..row });
                inserted("log_entry", free && added)?;
            }
            Ok(())
        })
    }

    async fn put_tree(
        &mut self,
        group: GroupId,
        epoch: Epoch,
        tree: Vec<u8>,
        expires_at: Instant,
    ) -> Stored<()> {
        self.alter(|tables| tables.group_tree.put((group, epoch), (tree, expires_at)))
    }

    async fn limit_trees(&mut self, group: GroupId, most: usize) -> Stored<()> {
        self.alter(|tables| {
            let epochs = tables.group_tree.rows().map(|((of, epoch), _)| (*of, *epoch));
            let mut epochs: Vec<_> = epochs.filter(|(of, _)| *of == group).collect();
            epochs.sort();
            epochs.truncate(epochs.len().saturating_sub(most));
            tables.group_tree.remove_where(.., |key, _| epochs.contains(key));
        })
    }

    async fn tree(&mut self, group: GroupId, epoch: Epoch) -> Stored<Option<Vec<u8>>> {
        self.look(|tables| tables.group_tree.row(&(group, epoch)).map(|(tree, _)| tree.clone()))
    }

    async fn insert_mailbox(&mut self, mut row: MailboxRow) -> Stored<bool> {
        self.alter(|tables| {
            let known = |(_, other): (_, &MailboxRow)| {
                (&other.sender, other.item) == (&row.sender, row.item)
            };
            if tables.mailbox.rows().any(known) {
                return false;
            }
            let newest = tables.mailbox_counter.row(&row.recipient).copied().unwrap_or(0);
            row.sequence = newest.saturating_add(1);
            tables.mailbox_counter.put(row.recipient.clone(), row.sequence);
            tables.mailbox.put((row.recipient.clone(), row.sequence), row);
            true
        })
    }

    async fn mailbox_after(
        &mut self,
        recipient: &NodeId,
        sequence: u64,
        now: Instant,
        limit: u32,
        bytes: u64,
    ) -> Stored<Vec<MailboxRow>> {
        let after = items(recipient, sequence.saturating_add(1), u64::MAX);
        self.look(|tables| {
            let rows = tables.mailbox.range(after).map(|(_, row)| row);
            let mut total = 0_u64;
            let rows = rows.filter(|row| row.expires_at > now).enumerate();
            let fitting = rows.take_while(|(place, row)| {
                total = total.saturating_add(size(&row.payload));
                *place == 0 || total <= bytes
            });
            first(fitting.map(|(_, row)| row), limit)
        })
    }

    async fn mail_loads(&mut self, sender: &NodeId, recipient: &NodeId) -> Stored<MailLoads> {
        self.look(|tables| {
            let mut loads = MailLoads::default();
            let posted = tables.mailbox.rows().map(|(_, row)| row);
            for row in posted.filter(|row| POSTED.contains(&row.kind.as_str())) {
                let (from, to) = (row.sender == *sender, row.recipient == *recipient);
                let loads = [
                    (from && to, &mut loads.of_both),
                    (from, &mut loads.of_sender),
                    (to, &mut loads.of_recipient),
                ];
                for (_, load) in loads.into_iter().filter(|(counts, _)| *counts) {
                    let MailLoad { items, bytes } = *load;
                    let bytes = bytes.saturating_add(size(&row.payload));
                    *load = MailLoad { items: items.saturating_add(1), bytes };
                }
            }
            loads
        })
    }

    async fn delete_mailbox_item(&mut self, sender: &NodeId, item: ItemId) -> Stored<()> {
        let is_it = |row: &MailboxRow| (&row.sender, row.item) == (sender, item);
        self.alter(|tables| tables.mailbox.remove_where(.., |_, row| is_it(row)))
    }

    async fn delete_mailbox(&mut self, recipient: &NodeId, up_to: u64) -> Stored<()> {
        let done = items(recipient, 0, up_to);
        self.alter(|tables| tables.mailbox.remove_where(done, |_, _| true))
    }

    async fn insert_pool(&mut self, row: PoolRow) -> Stored<bool> {
        let key = (row.owner.clone(), row.reference.clone());
        self.alter(|tables| tables.pool.add(key, (row, false)))
    }

    async fn pool(&mut self, owner: &NodeId, suite: u16, now: Instant) -> Stored<Vec<PoolRow>> {
        self.look(|tables| {
            let rows = tables.pool.rows().filter(|(_, (_, given))| !given);
            let rows = rows.map(|(_, (row, _))| row);
            let fits =
                |row: &&PoolRow| row.owner == *owner && row.suite == suite && row.expires_at > now;
            let mut rows: Vec<_> = rows.filter(fits).cloned().collect();
            rows.sort_by_key(|row| (row.last_resort, row.deposited_at));
            rows
        })
    }

    async fn give_pool(&mut self, owner: &NodeId, reference: &[u8]) -> Stored<()> {
        let key = (owner.clone(), reference.to_vec());
        self.alter(|tables| tables.pool.change(&key, |(_, given)| *given = true)).map(drop)
    }

    async fn delete_pool(&mut self, owner: &NodeId, reference: &[u8]) -> Stored<()> {
        self.alter(|tables| tables.pool.remove(&(owner.clone(), reference.to_vec())))
    }

    async fn delete_expired_at_hub(&mut self, now: Instant) -> Stored<()> {
        self.alter(|tables| {
            tables.mailbox.remove_where(.., |_, row| row.expires_at <= now);
            tables.pool.remove_where(.., |_, (row, _)| row.expires_at <= now);
            tables.group_tree.remove_where(.., |_, (_, expires_at)| *expires_at <= now);
        })
    }

    async fn delete_log_entries(&mut self, group: GroupId) -> Stored<()> {
        self.alter(|tables| {
            tables.log.remove_where(.., |(of, _), _| *of == group);
            tables.log_place.remove_where(.., |(of, ..), _| *of == group);
            tables.group_tree.remove_where(.., |(of, _), _| *of == group);
        })
    }
}

fn by_sender<'r>(rows: impl Iterator<Item = &'r LogRow>) -> Vec<LogBytes> {
    let mut bytes: BTreeMap<(&NodeId, EntryKind), u64> = BTreeMap::new();
    for row in rows.filter(|row| !row.payload.is_empty()) {
        let of = bytes.entry((&row.sender, row.kind)).or_default();
        *of = of.saturating_add(size(&row.payload));
    }
    let found = bytes.into_iter();
    found.map(|((sender, kind), bytes)| LogBytes { sender: sender.clone(), kind, bytes }).collect()
}

fn items(recipient: &NodeId, from: u64, to: u64) -> RangeInclusive<(NodeId, u64)> {
    (recipient.clone(), from)..=(recipient.clone(), to.max(from))
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
