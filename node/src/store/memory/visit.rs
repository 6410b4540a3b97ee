//! Rows of visits, in memory.

use async_trait::async_trait;
use raccordo_core::account::Marks;
use raccordo_core::id::OperatorId;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::visit::{VisitRow, VisitRows};

#[async_trait]
impl VisitRows for MemoryTx {
    async fn visit(&mut self, operator: OperatorId) -> Stored<Option<VisitRow>> {
        self.look(|tables| tables.visit.row(&operator).copied())
    }

    async fn put_visit(&mut self, row: VisitRow) -> Stored<()> {
        self.alter(|tables| tables.visit.put(row.operator, row))
    }

    async fn newest_marks(&mut self) -> Stored<Marks> {
        self.look(|tables| {
            let last = |keys: Option<u64>| keys.unwrap_or(0);
            Marks {
                objects: last(tables.object_place.rows().next_back().map(|(key, _)| *key)),
                matches: last(tables.found_match.rows().next_back().map(|(key, _)| *key)),
            }
        })
    }
}
