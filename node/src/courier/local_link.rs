//! This node's own hub: the same calls without a network.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId};
use raccordo_core::wire::hub::News;
use raccordo_core::wire::seed::{Seed, Seeded};

use super::link::{Answered, Cursors, Feed, HubLink, LinkError};
use crate::app::Node;
use crate::app::fault::{Fault, Whose};
use crate::app::hub::append::{self, Appended};
use crate::app::hub::follow::Following;
use crate::app::hub::key_package_pool::{self, Claimed, Deposit};
use crate::app::hub::{confirm, found_group, mailbox, offer, restored, seed};
use crate::app::mail::Offer;
use crate::app::send::AppendCall;
use crate::store::node::MailRow;

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
            Whose::Exhausted => Self::Full { reason, message },
            Whose::Unavailable | Whose::Ours => Self::Later { reason, message, hint: fault.hint },
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
        let Cursors { groups, mailbox, .. } = processed;
        Ok(confirm::confirm(&self.node, self.me(), groups, *mailbox).await?)
    }

    async fn offer(&self, offer: &Offer) -> Answered<String> {
        Ok(offer::offer(&self.node, self.me(), offer.clone()).await?)
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

    async fn fetch_tree(&self, group: GroupId, epoch: Option<Epoch>) -> Answered<Vec<u8>> {
        Ok(key_package_pool::fetch_tree(&self.node, self.me(), group, epoch).await?)
    }

    async fn seed(&self, page: Seed) -> Answered<Seeded> {
        Ok(seed::seed(&self.node, self.me(), page).await?)
    }

    async fn post(&self, mail: &MailRow) -> Answered<()> {
        let MailRow { item, recipient, kind, payload, .. } = mail;
        let payload = payload.clone();
        Ok(mailbox::post(&self.node, self.me(), recipient, *item, kind, payload).await?)
    }
}

#[async_trait]
impl Feed for LocalLink {
    async fn subscribe(&self, from: &Cursors) -> Answered<BoxStream<'static, Answered<News>>> {
        let (node, me) = (self.node.clone(), self.me().clone());
        restored::shown(&node, &me, &from.checkpoints).await?;
        let following = Following::new(node, me, from.groups.clone(), from.mailbox)?;
        let items = stream::unfold(following, |mut following| async move {
            let item = following.next().await.map_err(LinkError::from);
            Some((item, following))
        });
        Ok(items.boxed())
    }
}
