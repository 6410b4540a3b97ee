//! This node's own hub: the same calls without a network.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId, Sequence};
use tokio::sync::watch;

use super::link::{Answered, Cursors, Feed, HubLink, Item, LinkError};
use crate::app::Node;
use crate::app::fault::{Done, Fault, Whose};
use crate::app::hub::append::{self, Appended};
use crate::app::hub::key_package_pool::{self, Claimed, Deposit};
use crate::app::hub::read_log::{LogAfter, read_log};
use crate::app::hub::{confirm, found_group, mailbox, offer};
use crate::app::mail::Offer;
use crate::app::receive::Batch;
use crate::app::receive_mail;
use crate::app::send::AppendCall;
use crate::app::signals::Topic;
use crate::store::hub::{LogRow, MailboxRow};
use crate::store::node::MailRow;

/// Longest silence of the feed.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(15);

/// Calls this node's own hub.
pub struct LocalLink {
    node: Arc<Node>,
}

impl LocalLink {
    /// The hub of this node.
    pub fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn me(&self) -> &NodeId {
        &self.node.identity.node
    }
}

impl From<Fault> for LinkError {
    fn from(fault: Fault) -> Self {
        let (reason, message) = (fault.reason.to_owned(), fault.message);
        match fault.whose {
            Whose::Exhausted | Whose::Unavailable | Whose::Ours => {
                Self::Later { reason, message, hint: fault.hint }
            }
            Whose::Usage
            | Whose::Unauthenticated
            | Whose::Refused
            | Whose::NotFound
            | Whose::Conflict => Self::Refused { reason, message },
        }
    }
}

#[async_trait]
impl HubLink for LocalLink {
    async fn append(&self, call: &AppendCall) -> Answered<Appended> {
        Ok(append::append(&self.node, self.me(), call.group, call.entries.clone()).await?)
    }

    async fn confirm(&self, processed: &Cursors) -> Answered<()> {
        let Cursors { groups, mailbox } = processed;
        Ok(confirm::confirm(&self.node, self.me(), groups, *mailbox).await?)
    }

    async fn offer(&self, offer: &Offer) -> Answered<String> {
        let (statement, cards) = (offer.statement.clone(), offer.cards.clone());
        Ok(offer::offer(&self.node, self.me(), statement, cards).await?)
    }

    async fn found_group(
        &self,
        lineage: LineageId,
        group: GroupId,
        group_info: &[u8],
    ) -> Answered<()> {
        let info = group_info.to_vec();
        Ok(found_group::found_group(&self.node, self.me(), lineage, group, info).await?)
    }

    async fn deposit(&self, deposits: &[Deposit]) -> Answered<()> {
        key_package_pool::deposit(&self.node, self.me(), deposits.to_vec()).await?;
        Ok(())
    }

    async fn claim(&self, lineage: LineageId, suite: u16, parties: &[NodeId]) -> Answered<Claimed> {
        Ok(key_package_pool::claim(&self.node, self.me(), lineage, suite, parties).await?)
    }

    async fn fetch_tree(&self, group: GroupId, epoch: Epoch) -> Answered<Vec<u8>> {
        Ok(key_package_pool::fetch_tree(&self.node, self.me(), group, epoch).await?)
    }

    async fn post(&self, mail: &MailRow) -> Answered<()> {
        let MailRow { item, recipient, kind, payload, .. } = mail;
        let payload = payload.clone();
        Ok(mailbox::post(&self.node, self.me(), recipient, *item, kind, payload).await?)
    }
}

#[async_trait]
impl Feed for LocalLink {
    async fn subscribe(&self, from: &Cursors) -> Answered<BoxStream<'static, Answered<Item>>> {
        let following = Following::new(self.node.clone(), from.clone());
        let items = stream::unfold(following, |mut following| async move {
            let item = following.next().await.map_err(LinkError::from);
            Some((item, following))
        });
        Ok(items.boxed())
    }
}

/// One followed log.
struct Log {
    group: GroupId,
    after: Sequence,
    grown: watch::Receiver<u64>,
    /// Whether more may stand after the cursor.
    due: bool,
}

/// One subscription: cursors that move with what is handed out.
struct Following {
    node: Arc<Node>,
    logs: Vec<Log>,
    mailbox: u64,
    mail: watch::Receiver<u64>,
    mail_due: bool,
    ready: VecDeque<Item>,
}

fn woken(signal: &watch::Receiver<u64>) -> bool {
    signal.has_changed().unwrap_or(true)
}

async fn wake(mut signal: watch::Receiver<u64>) {
    // An error would mean that the node has ended, and this with it.
    let _ = signal.changed().await;
}

impl Following {
    fn new(node: Arc<Node>, from: Cursors) -> Self {
        // Listened to before the first look, so that nothing is missed.
        let logs = from.groups.into_iter().map(|(group, after)| {
            let grown = node.signals.listen(Topic::Log(group));
            Log { group, after, grown, due: true }
        });
        let logs = logs.collect();
        let mail = node.signals.listen(Topic::Mailbox(node.identity.node.clone()));
        let ready = VecDeque::from([Item::KeepAlive]);
        Self { node, logs, mailbox: from.mailbox, mail, mail_due: true, ready }
    }

    async fn next(&mut self) -> Done<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            self.look_at_mail().await?;
            self.look_at_logs().await?;
            if self.ready.is_empty() && !self.woken().await {
                // An eviction wakes nobody: everything is looked at again now and then.
                self.logs.iter_mut().for_each(|log| log.due = true);
                self.mail_due = true;
                return Ok(Item::KeepAlive);
            }
        }
    }

    async fn look_at_logs(&mut self) -> Done<()> {
        let me = &self.node.identity.node;
        let mut ended = Vec::new();
        for log in &mut self.logs {
            if !log.due && !woken(&log.grown) {
                continue;
            }
            // Marked before reading: what comes during it wakes again.
            log.grown.mark_unchanged();
            let read = read_log(&self.node, me, log.group, log.after).await?;
            log.due = matches!(read, LogAfter::Batch(..));
            let group = log.group;
            match read {
                LogAfter::Nothing => {}
                LogAfter::Batch(rows, checkpoint) => {
                    let entries: Vec<LogEntry> = rows.into_iter().map(log_entry).collect();
                    log.after = entries.last().map_or(log.after, |last| last.sequence);
                    self.ready.push_back(Item::Entries(Batch { group, entries, checkpoint }));
                    // One batch in memory at a time.
                    break;
                }
                LogAfter::Ended(reason) => {
                    ended.push(group);
                    self.ready.push_back(Item::Ended { group, reason: reason.to_owned() });
                }
            }
        }
        self.logs.retain(|log| !ended.contains(&log.group));
        Ok(())
    }

    async fn look_at_mail(&mut self) -> Done<()> {
        if !self.mail_due && !woken(&self.mail) {
            return Ok(());
        }
        self.mail.mark_unchanged();
        let me = &self.node.identity.node;
        let rows = mailbox::read_mailbox(&self.node, me, self.mailbox).await?;
        self.mail_due = !rows.is_empty();
        self.mailbox = rows.last().map_or(self.mailbox, |last| last.sequence);
        self.ready.extend(rows.into_iter().map(|row| Item::Mail(mail_item(row))));
        Ok(())
    }

    /// Waits for news; false when none came for a while.
    async fn woken(&self) -> bool {
        // Copies wait, so that the originals still tell whose news it was.
        let logs = self.logs.iter().map(|log| log.grown.clone());
        let signals = logs.chain([self.mail.clone()]);
        let news = futures::future::select_all(signals.map(|signal| Box::pin(wake(signal))));
        tokio::time::timeout(KEEP_ALIVE, news).await.is_ok()
    }
}

fn log_entry(row: LogRow) -> LogEntry {
    LogEntry {
        sequence: row.sequence,
        epoch: row.epoch,
        kind: row.kind,
        sender: row.sender,
        entry_id: row.entry,
        accepted_at: row.accepted_at,
        payload: row.payload,
    }
}

fn mail_item(row: MailboxRow) -> receive_mail::Item {
    receive_mail::Item {
        sequence: row.sequence,
        sender: row.sender,
        kind: row.kind,
        payload: row.payload,
    }
}
