//! Rows of pacts.

use async_trait::async_trait;
use raccordo_core::id::LineageId;

use super::all;
use crate::store::Stored;
use crate::store::live::{LiveAccess, Scope};
use crate::store::pact::{PactRow, PactRows};

#[async_trait]
impl<T: LiveAccess> PactRows for T {
    async fn raise_pact(&mut self, lineage: LineageId) -> Stored<bool> {
        // Writers queue behind one another anyway.
        self.alter_live(Scope::Node, |tables| tables.pact.row(&(lineage,)).is_some()).await
    }

    async fn pact(&mut self, lineage: LineageId) -> Stored<Option<PactRow>> {
        Ok(self.live(Scope::Node).await?.pact.row(&(lineage,)).cloned())
    }

    async fn pacts(&mut self) -> Stored<Vec<PactRow>> {
        let mut rows = all(&self.live(Scope::Node).await?.pact);
        rows.sort_by(|a, b| (&a.equipe, a.lineage).cmp(&(&b.equipe, b.lineage)));
        Ok(rows)
    }

    async fn put_pact(&mut self, row: PactRow) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| tables.pact.put((row.lineage,), row)).await
    }

    async fn delete_pact(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| tables.pact.remove(&(lineage,))).await
    }
}
