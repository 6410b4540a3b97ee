//! What a subscriber follows: logs from their cursors, the mailbox, and a sign of life. The
//! same for a caller far away and for this node as a member of its own hub.
//!
//! It reads when it is asked for more, one batch at a time, so that a slow reader holds one
//! batch and nothing waits in between.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{FutureExt, select_all};
use raccordo_core::id::{GroupId, NodeId, Sequence};
use raccordo_core::quota::Quota;
use raccordo_core::wire::hub::{Batch, News};
use tokio::sync::watch;
use tokio::time::timeout;

use super::mailbox::read_mailbox;
use super::read_log::{LogAfter, read_log};
use crate::app::Node;
use crate::app::fault::{Done, Whose};
use crate::app::signals::Topic;
use crate::store::hub::{LogRow, MailboxRow};

/// After how long without anything else a sign of life is sent; everything is read again
/// then, as an eviction wakes nobody.
const IDLE: Duration = Duration::from_secs(15);

/// One followed log.
struct Log {
    group: GroupId,
    /// Newest sent.
    cursor: Sequence,
    /// None until the group is known to exist: topics are kept for the process's life.
    signal: Option<watch::Receiver<u64>>,
    /// Whether more may stand after the cursor.
    due: bool,
}

impl Log {
    fn is_due(&self) -> bool {
        self.due || self.signal.as_ref().is_none_or(woken)
    }
}

fn woken(signal: &watch::Receiver<u64>) -> bool {
    signal.has_changed().unwrap_or(true)
}

/// One subscription: cursors that move with what is handed out.
pub struct Following {
    node: Arc<Node>,
    caller: NodeId,
    /// The next to be read is first.
    logs: VecDeque<Log>,
    mailbox_cursor: u64,
    mail_signal: watch::Receiver<u64>,
    mail_due: bool,
    ready: VecDeque<News>,
}

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(hub) = &self.node.hub {
            hub.forget_subscription(&self.caller);
        }
    }
}

impl Following {
    /// Follows from these cursors on; the first item is a sign of life.
    ///
    /// # Errors
    /// `not_a_hub`, `too_many_subscriptions`.
    pub fn new(
        node: Arc<Node>,
        caller: NodeId,
        groups: Vec<(GroupId, Sequence)>,
        mailbox_cursor: u64,
    ) -> Done<Self> {
        let Some(hub) = &node.hub else { return Err(super::accept::not_a_hub()) };
        if !hub.count_subscription(&caller) {
            return Err(node.at_quota(&caller, Quota::SubscriptionsOfPeer, Whose::Exhausted));
        }
        let follow = |(group, cursor)| Log { group, cursor, signal: None, due: true };
        let mail_signal = node.signals.listen(Topic::Mailbox(caller.clone()));
        Ok(Self {
            logs: groups.into_iter().map(follow).collect(),
            ready: VecDeque::from([News::KeepAlive]),
            mail_due: true,
            node,
            caller,
            mailbox_cursor,
            mail_signal,
        })
    }

    /// The next item.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn next(&mut self) -> Done<News> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            self.read_mail().await?;
            self.read_logs().await?;
            if self.ready.is_empty() {
                self.wait().await;
            }
        }
    }

    async fn read_mail(&mut self) -> Done<()> {
        if !self.mail_due && !woken(&self.mail_signal) {
            return Ok(());
        }
        // Marked before reading: what comes during it wakes again.
        self.mail_signal.mark_unchanged();
        let items = read_mailbox(&self.node, &self.caller, self.mailbox_cursor).await?;
        self.mail_due = !items.is_empty();
        if let Some(last) = items.last() {
            self.mailbox_cursor = last.sequence;
        }
        self.ready.extend(items.into_iter().map(MailboxRow::mail).map(News::Mail));
        Ok(())
    }

    /// Reads from one log after the other until one has something, each in its turn.
    async fn read_logs(&mut self) -> Done<()> {
        for _ in 0..self.logs.len() {
            let Some(mut log) = self.logs.pop_front() else { break };
            if log.is_due() {
                let (item, goes_on) = self.read_one(&mut log).await?;
                self.ready.extend(item);
                if !goes_on {
                    break;
                }
            }
            self.logs.push_back(log);
            if !self.ready.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// What one log has, and whether it is still to be followed.
    async fn read_one(&self, log: &mut Log) -> Done<(Option<News>, bool)> {
        if let Some(signal) = &mut log.signal {
            signal.mark_unchanged();
        }
        let after = read_log(&self.node, &self.caller, log.group, log.cursor).await?;
        let listening = log.signal.is_some();
        let item = match after {
            LogAfter::Ended(reason) => {
                let ended = News::Ended { group: log.group, reason: reason.to_owned() };
                return Ok((Some(ended), false));
            }
            LogAfter::Batch(rows, checkpoint) => {
                log.cursor = rows.last().map_or(log.cursor, |last| last.sequence);
                log.due = true;
                let entries = rows.into_iter().map(LogRow::entry).collect();
                Some(News::Entries(Batch { group: log.group, entries, checkpoint }))
            }
            LogAfter::Nothing => {
                // Read once more after beginning to listen, so that no wake-up is lost.
                log.due = !listening;
                None
            }
        };
        if !listening {
            log.signal = Some(self.node.signals.listen(Topic::Log(log.group)));
        }
        Ok((item, true))
    }

    /// Waits for anything to read; after [`IDLE`] there is a sign of life.
    async fn wait(&mut self) {
        if self.mail_due || self.logs.iter().any(Log::is_due) {
            return;
        }
        let logs = self.logs.iter_mut().filter_map(|log| log.signal.as_mut());
        let signals = logs.chain([&mut self.mail_signal]);
        let changes = select_all(signals.map(|signal| signal.changed().boxed()));
        let changed = timeout(IDLE, changes).await.ok().map(|(_, index, _)| index);
        // Waiting has taken note of the change: say that it is still to be read.
        if let Some(index) = changed {
            let mut followed = self.logs.iter_mut().filter(|log| log.signal.is_some());
            match followed.nth(index) {
                Some(log) => log.due = true,
                None => self.mail_due = true,
            }
        } else {
            self.mail_due = true;
            self.logs.iter_mut().for_each(|log| log.due = true);
            self.ready.push_back(News::KeepAlive);
        }
    }
}
