//! What a hub keeps, in memory.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use raccordo_core::id::{EntryId, Epoch, GroupId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::hub::{HubRows, LogRow, MailboxRow, PoolRow};

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

    async fn trim_log(&mut self, group: GroupId, up_to: Sequence) -> Stored<u64> {
        let trimmed = (group, Sequence(0))..=(group, up_to);
        self.alter(|tables| {
            let rows = tables.log.range(trimmed.clone());
            let freed = rows.map(|(_, row)| size(&row.payload)).fold(0, u64::saturating_add);
            let has_payload = |row: &LogRow| !row.payload.is_empty();
            tables.log.change_where(trimmed, has_payload, |row| row.payload = Vec::new());
            freed
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
    ) -> Stored<Vec<MailboxRow>> {
        let after = items(recipient, sequence.saturating_add(1), u64::MAX);
        self.look(|tables| {
            let rows = tables.mailbox.range(after).map(|(_, row)| row);
            first(rows.filter(|row| row.expires_at > now), limit)
        })
    }

    async fn mailbox_load(&mut self, recipient: &NodeId) -> Stored<(u64, u64)> {
        let all = items(recipient, 0, u64::MAX);
        self.look(|tables| {
            let rows = tables.mailbox.range(all).map(|(_, row)| size(&row.payload));
            rows.fold((0_u64, 0_u64), |(count, bytes), size| {
                (count.saturating_add(1), bytes.saturating_add(size))
            })
        })
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

fn items(recipient: &NodeId, from: u64, to: u64) -> RangeInclusive<(NodeId, u64)> {
    (recipient.clone(), from)..=(recipient.clone(), to.max(from))
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
