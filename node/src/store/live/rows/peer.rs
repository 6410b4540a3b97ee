//! Rows of peers.

use async_trait::async_trait;
use raccordo_core::id::NodeId;

use super::all;
use crate::store::Stored;
use crate::store::live::{LiveAccess, Scope};
use crate::store::peer::{FormerCardRow, PeerRow, PeerRows};

#[async_trait]
impl<T: LiveAccess> PeerRows for T {
    async fn peer(&mut self, node: &NodeId) -> Stored<Option<PeerRow>> {
        Ok(self.live(Scope::Node).await?.peer.row(&(node.clone(),)).cloned())
    }

    async fn peers(&mut self) -> Stored<Vec<PeerRow>> {
        Ok(all(&self.live(Scope::Node).await?.peer))
    }

    async fn put_peer(&mut self, row: PeerRow) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| tables.peer.put((row.node.clone(),), row)).await
    }

    async fn put_former_card(&mut self, row: FormerCardRow) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| {
            tables.former_card.add((row.node.clone(), row.serial), row)
        })
        .await
        .map(drop)
    }

    async fn former_cards(&mut self) -> Stored<Vec<FormerCardRow>> {
        Ok(all(&self.live(Scope::Node).await?.former_card))
    }
}
