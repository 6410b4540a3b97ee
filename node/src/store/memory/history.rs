//! Rows of statements that were in force, in memory.

use async_trait::async_trait;
use raccordo_core::id::LineageId;

use super::{MemoryTx, first};
use crate::store::Stored;
use crate::store::history::{HistoryRows, Keeper};

#[async_trait]
impl HistoryRows for MemoryTx {
    async fn put_past_statement(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        version: u64,
        statement: Vec<u8>,
    ) -> Stored<()> {
        self.alter(|tables| {
            tables.past_statement.put((keeper, lineage, version), statement);
            let all = (keeper, lineage, version)..=(keeper, lineage, u64::MAX);
            tables.past_statement.remove_where(all, |(.., of), _| *of > version);
        })
    }

    async fn past_statements(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        before: u64,
        limit: u32,
    ) -> Stored<Vec<Vec<u8>>> {
        self.look(|tables| {
            let earlier = (keeper, lineage, 0)..(keeper, lineage, before);
            first(tables.past_statement.range(earlier).rev().map(|(_, row)| row), limit)
        })
    }

    async fn forget_past_statements(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        before: u64,
    ) -> Stored<()> {
        self.alter(|tables| {
            let earlier = (keeper, lineage, 0)..(keeper, lineage, before);
            tables.past_statement.remove_where(earlier, |_, _| true);
        })
    }
}
