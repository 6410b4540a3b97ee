//! Rows of successors of groups, in memory.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId, ObjectId, Sequence};

use super::MemoryTx;
use crate::store::Stored;
use crate::store::successor::{SuccessorRow, SuccessorRows};

#[async_trait]
impl SuccessorRows for MemoryTx {
    async fn successor(
        &mut self,
        lineage: LineageId,
        old_group: GroupId,
    ) -> Stored<Option<SuccessorRow>> {
        self.look(|tables| tables.successor.row(&(lineage, old_group)).cloned())
    }

    async fn put_successor(&mut self, row: SuccessorRow) -> Stored<()> {
        self.alter(|tables| tables.successor.put((row.lineage, row.old_group), row))
    }

    async fn objects_placed_until(&mut self, lineage: LineageId, sequence: Sequence) -> Stored<()> {
        self.alter(|tables| {
            let rows = tables.object.rows().map(|(_, row)| row);
            let beyond = rows.filter(|row| row.lineage == lineage && row.sequence > sequence);
            let beyond = beyond.map(|row| row.object);
            for object in beyond.collect::<Vec<ObjectId>>() {
                tables.object.change(&object, |row| row.sequence = sequence);
            }
        })
    }
}
