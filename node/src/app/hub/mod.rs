//! What a hub does: keeps ordered logs of ciphertext, mailboxes and key packages, and
//! judges every commit. It never holds a key that opens a message.

pub mod accept;
pub mod append;
pub mod cards;
pub mod confirm;
pub mod follow;
pub mod found_group;
pub mod key_package_pool;
pub mod mailbox;
pub mod offer;
pub mod read_log;
pub mod restored;
pub mod rights;
pub mod seed;
pub mod trim;
mod void;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex as Plain, PoisonError};
use std::time::Duration;

use raccordo_core::hubgroup::HubGroup;
use raccordo_core::id::{GroupId, NodeId};
use raccordo_core::time::Instant;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Longest a Welcome, with the tree it needs, is kept.
pub const WELCOME_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// Longest an unread pact is kept.
pub const MAIL_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// What this hub allows where an équipe has no limit of its own.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries that each member of an équipe may append to its log within a minute.
    pub entries_per_minute_max: u32,
    /// Bytes of payload kept for one équipe.
    pub stored_bytes_max: u64,
    /// Items that wait in one mailbox.
    pub mailbox_items_max: u64,
    /// Bytes that wait in one mailbox.
    pub mailbox_bytes_max: u64,
    /// Key packages of one owner and suite.
    pub pool_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_per_minute_max: 60_000,
            stored_bytes_max: 10 << 30,
            mailbox_items_max: 1_000,
            mailbox_bytes_max: 64 << 20,
            pool_max: 20,
        }
    }
}

/// The hub's part of the node in memory.
pub struct Hub {
    /// Defaults for every équipe.
    pub limits: Limits,
    slots: Plain<BTreeMap<GroupId, Arc<Mutex<HubSlot>>>>,
}

/// One group in memory, in step with the disk.
#[derive(Default)]
pub struct HubSlot {
    /// The public group; none until it is loaded.
    pub group: Option<HubGroup>,
    /// Whether another member is known to have followed the newest commit: then nothing is
    /// kept of the group before it.
    followed: bool,
    rates: BTreeMap<NodeId, VecDeque<(Instant, u32)>>,
}

impl Hub {
    /// A hub with nothing in memory.
    pub fn new(limits: Limits) -> Self {
        Self { limits, slots: Plain::default() }
    }

    /// Locks one group.
    pub async fn lock(&self, group: GroupId) -> OwnedMutexGuard<HubSlot> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(group).or_default())
        };
        slot.lock_owned().await
    }
}

impl HubSlot {
    /// Whether a sender may append so many entries more within the minute; counts them if so.
    pub fn admit(&mut self, sender: &NodeId, entries: u32, now: Instant, max: u32) -> bool {
        let window = self.rates.entry(sender.clone()).or_default();
        // What lies ahead was counted before the clock was put back.
        window.retain(|(at, _)| *at <= now && now.since(*at) < Duration::from_secs(60));
        let used: u32 = window.iter().map(|(_, count)| count).sum();
        if used.saturating_add(entries) > max {
            return false;
        }
        window.push_back((now, entries));
        true
    }
}
