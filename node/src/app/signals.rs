//! Wakes whoever waits for work: the courier, subscribers, watchers. A wake-up carries
//! nothing and may be lost at a restart: everything that matters is in the database.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Something that can be waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// An équipe has something to send.
    Outbox(raccordo_core::id::LineageId),
    /// Something waits for a hub besides log entries: posts, offers, key packages.
    Errands(raccordo_core::id::NodeId),
    /// Peers, cards or what a hub accepts have changed: pins must follow.
    Trust,
    /// This node became member of an équipe, or ceased to be: subscriptions must follow.
    Membership,
    /// An object or its delivery has changed.
    Objects,
    /// A log of this hub has grown.
    Log(raccordo_core::id::GroupId),
    /// A mailbox of this hub has a new item.
    Mailbox(raccordo_core::id::NodeId),
}

/// All topics of a process.
#[derive(Default)]
pub struct Signals {
    topics: Mutex<BTreeMap<Topic, Arc<watch::Sender<u64>>>>,
}

impl Signals {
    /// Wakes all who wait for a topic; who subscribes later sees nothing of it.
    pub fn wake(&self, topic: &Topic) {
        let sender = {
            let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
            topics.get(topic).cloned()
        };
        if let Some(sender) = sender {
            sender.send_modify(|count| *count += 1);
        }
    }

    /// Begins to listen: `changed()` returns once for any number of wake-ups since then.
    pub fn listen(&self, topic: Topic) -> watch::Receiver<u64> {
        let mut receiver = self.sender(topic).subscribe();
        receiver.mark_unchanged();
        receiver
    }

    /// Wake-ups of a topic since it was first asked for: whoever has seen a number, and finds
    /// another when it begins to listen, has missed some.
    pub fn count(&self, topic: Topic) -> u64 {
        *self.sender(topic).borrow()
    }

    fn sender(&self, topic: Topic) -> Arc<watch::Sender<u64>> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.entry(topic).or_insert_with(|| Arc::new(watch::Sender::new(0))).clone()
    }
}
