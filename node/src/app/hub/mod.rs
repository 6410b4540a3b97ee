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
mod room;
pub mod seed;
pub mod trim;
mod void;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex as Plain, MutexGuard, PoisonError};
use std::time::Duration;

use raccordo_core::canonical::Writer;
use raccordo_core::hubgroup::HubGroup;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{GroupId, ItemId, NodeId};
use raccordo_core::quota::{Buckets, Pace, Quota};
use raccordo_core::time::Instant;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Longest a Welcome, with the tree it needs, is kept.
pub const WELCOME_LIFETIME: Duration = Quota::MailDays.span();
/// Longest an unread item is kept.
pub const MAIL_LIFETIME: Duration = Quota::MailDays.span();

/// What this hub allows where an équipe has no limit of its own.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries that each member of an équipe may append to its log within a minute.
    pub entries_per_minute_max: u32,
    /// Bytes of messages kept for one équipe.
    pub stored_bytes_max: u64,
    /// How fast each peer may call.
    pub calls: Pace,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_per_minute_max: Quota::EntriesOfMember.pace().burst,
            stored_bytes_max: Quota::LogBytesOfEquipe.number(),
            calls: Quota::CallPace.pace(),
        }
    }
}

/// The hub's part of the node in memory.
pub struct Hub {
    /// Defaults for every équipe.
    pub limits: Limits,
    slots: Plain<Slots>,
    /// Single-use key packages that a claimant got of an owner.
    claims: Plain<Buckets<(NodeId, NodeId)>>,
    /// How often a claimant had an owner asked for more.
    asked: Plain<Buckets<(NodeId, NodeId)>>,
    /// Subscriptions of each peer.
    subscriptions: Plain<BTreeMap<NodeId, usize>>,
    /// How fast members append.
    paces: Plain<Buckets<(GroupId, NodeId, EntryKind)>>,
    /// What the logs keep of each member.
    kept: Plain<BTreeMap<GroupId, room::Kept>>,
}

type Slots = BTreeMap<GroupId, Arc<Mutex<HubSlot>>>;

/// One group in memory, in step with the disk.
#[derive(Default)]
pub struct HubSlot {
    /// The public group; none until it is loaded.
    pub group: Option<HubGroup>,
    /// Whether another member is known to have followed the newest commit: then nothing is
    /// kept of the group before it.
    followed: bool,
}

/// The id of an item that the hub itself leaves: the same for the same news to the same
/// recipient about the same thing, so that it waits once however often it is caused.
fn own_item(kind: &str, recipient: &NodeId, about: &[u8]) -> ItemId {
    let digest = Writer::new("hub-item").text(kind).text(recipient.as_str()).bytes(about).digest();
    let mut id = [0; 16];
    id.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
    ItemId(id)
}

impl Hub {
    /// A hub with nothing in memory.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            slots: Plain::default(),
            claims: Plain::default(),
            asked: Plain::default(),
            subscriptions: Plain::default(),
            paces: Plain::default(),
            kept: Plain::default(),
        }
    }

    /// Locks one group. Of a group that has nothing in memory at the end, nothing stays:
    /// names of groups that do not exist cost nothing.
    pub async fn lock(&self, group: GroupId) -> Locked<'_> {
        let slot = Arc::clone(self.slots().entry(group).or_default());
        let place = Place { hub: self, group };
        Locked { slot: slot.lock_owned().await, _place: place }
    }

    /// How many groups have something in memory, or are at work.
    pub fn groups_in_memory(&self) -> usize {
        self.slots().len()
    }

    /// Counts a subscription of a peer; false when it has as many as it may.
    fn count_subscription(&self, peer: &NodeId) -> bool {
        let mut all = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(peer.clone()).or_default();
        let fits = *own < Quota::SubscriptionsOfPeer.count();
        if fits {
            *own = own.saturating_add(1);
        }
        fits
    }

    fn forget_subscription(&self, peer: &NodeId) {
        let mut all = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(peer) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                all.remove(peer);
            }
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // A poisoned map is still whole: each change is one step.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a claimant may have one more single-use key package of an owner; counts it if
    /// so.
    fn may_claim(&self, claimant: &NodeId, owner: &NodeId, now: Instant) -> bool {
        takes(&self.claims, (claimant, owner), Quota::ClaimsOfPeer, now)
    }

    /// Whether a claimant may have an owner asked once more for key packages; counts it if so.
    fn may_ask(&self, claimant: &NodeId, owner: &NodeId, now: Instant) -> bool {
        takes(&self.asked, (claimant, owner), Quota::AskedOfOwner, now)
    }
}

fn takes(
    buckets: &Plain<Buckets<(NodeId, NodeId)>>,
    (claimant, owner): (&NodeId, &NodeId),
    quota: Quota,
    now: Instant,
) -> bool {
    let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
    buckets.take((claimant.clone(), owner.clone()), 1, quota.pace(), now) > 0
}

/// One group, locked.
pub struct Locked<'h> {
    slot: OwnedMutexGuard<HubSlot>,
    // Dropped after the lock.
    _place: Place<'h>,
}

impl Deref for Locked<'_> {
    type Target = HubSlot;

    fn deref(&self) -> &HubSlot {
        &self.slot
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut HubSlot {
        &mut self.slot
    }
}

/// The place of a group in memory, given up when nobody uses it and nothing is in it.
struct Place<'h> {
    hub: &'h Hub,
    group: GroupId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut slots = self.hub.slots();
        // Whoever waits for the lock, or is about to, has a share of it.
        let unused = |slot: &Arc<Mutex<HubSlot>>| {
            Arc::strong_count(slot) == 1 && slot.try_lock().is_ok_and(|slot| slot.is_empty())
        };
        if slots.get(&self.group).is_some_and(unused) {
            slots.remove(&self.group);
        }
    }
}

impl HubSlot {
    fn is_empty(&self) -> bool {
        self.group.is_none()
    }
}
