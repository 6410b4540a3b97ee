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
        Ok(stream::once(async { Ok(Item::KeepAlive) }).chain(items).boxed())
    }
}

/// One subscription: cursors that move with what is handed out.
struct Following {
    node: Arc<Node>,
    logs: Vec<(GroupId, Sequence, watch::Receiver<u64>)>,
    mailbox: (u64, watch::Receiver<u64>),
    ready: VecDeque<Item>,
}

impl Following {
    fn new(node: Arc<Node>, from: Cursors) -> Self {
        // Listened to before the first look, so that nothing is missed.
        let logs = from.groups.into_iter().map(|(group, after)| {
            let grown = node.signals.listen(Topic::Log(group));
            (group, after, grown)
        });
        let logs = logs.collect();
        let mailbox = node.signals.listen(Topic::Mailbox(node.identity.node.clone()));
        Self { node, logs, mailbox: (from.mailbox, mailbox), ready: VecDeque::new() }
    }

    async fn next(&mut self) -> Done<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            self.look().await?;
            if self.ready.is_empty() && !self.changed().await {
                return Ok(Item::KeepAlive);
            }
        }
    }

    /// Reads what stands after the cursors.
    async fn look(&mut self) -> Done<()> {
        let me = &self.node.identity.node;
        let mut ended = Vec::new();
        for (group, after, _) in &mut self.logs {
            match read_log(&self.node, me, *group, *after).await? {
                LogAfter::Nothing => {}
                LogAfter::Batch(rows, checkpoint) => {
                    let entries: Vec<LogEntry> = rows.into_iter().map(log_entry).collect();
                    *after = entries.last().map_or(*after, |last| last.sequence);
                    let batch = Batch { group: *group, entries, checkpoint };
                    self.ready.push_back(Item::Entries(batch));
                }
                LogAfter::Ended(reason) => {
                    ended.push(*group);
                    let (group, reason) = (*group, reason.to_owned());
                    self.ready.push_back(Item::Ended { group, reason });
                }
            }
        }
        self.logs.retain(|(group, ..)| !ended.contains(group));
        let (cursor, _) = &mut self.mailbox;
        for row in mailbox::read_mailbox(&self.node, me, *cursor).await? {
            *cursor = row.sequence;
            self.ready.push_back(Item::Mail(mail_item(row)));
        }
        Ok(())
    }

    /// Waits for news; false when none came for a while.
    async fn changed(&mut self) -> bool {
        let logs = self.logs.iter_mut().map(|(_, _, grown)| Box::pin(grown.changed()));
        let mailbox = Box::pin(self.mailbox.1.changed());
        let news = futures::future::select_all(logs.chain([mailbox]));
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
