//! Rows of what waits for tokens, in memory.

use std::cmp::Reverse;

use async_trait::async_trait;
use raccordo_core::id::{LineageId, RecordId};
use raccordo_core::pseudonym::key::Class;

use super::{MemoryTx, first};
use crate::store::Stored;
use crate::store::token_request::{WantedRow, WantedRows};

#[async_trait]
impl WantedRows for MemoryTx {
    async fn want_tokens(&mut self, rows: &[WantedRow]) -> Stored<()> {
        self.alter(|tables| {
            for row in rows {
                let key = (row.lineage, row.class, row.record);
                tables.token_wanted.put(key, row.clone());
            }
        })
    }

    async fn wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        limit: u32,
    ) -> Stored<Vec<WantedRow>> {
        self.look(|tables| {
            let rows = tables.token_wanted.rows().map(|(_, row)| row);
            let of = |row: &&WantedRow| is_of(row, lineage, class) && row.state == "wanted";
            let mut rows: Vec<&WantedRow> = rows.filter(of).collect();
            rows.sort_by_key(|row| (Reverse(row.at), row.record));
            first(rows.into_iter(), limit)
        })
    }

    async fn count_wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        state: &str,
    ) -> Stored<u64> {
        self.look(|tables| {
            let rows = tables.token_wanted.rows().map(|(_, row)| row);
            let count = rows.filter(|row| is_of(row, lineage, class) && row.state == state).count();
            u64::try_from(count).unwrap_or(u64::MAX)
        })
    }

    async fn turn_wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        records: &[RecordId],
        (from, to): (&str, &str),
    ) -> Stored<()> {
        self.alter(|tables| {
            for record in records {
                let key = (lineage, class, *record);
                if tables.token_wanted.row(&key).is_some_and(|row| row.state == from) {
                    tables.token_wanted.change(&key, |row| row.state = to.to_owned());
                }
            }
        })
    }

    async fn want_tokens_again(
        &mut self,
        lineage: LineageId,
        class: Class,
        state: &str,
    ) -> Stored<()> {
        let of = |row: &WantedRow| is_of(row, lineage, class) && row.state == state;
        let want = |row: &mut WantedRow| row.state = "wanted".to_owned();
        self.alter(|tables| tables.token_wanted.change_where(.., of, want))
    }

    async fn forget_wanted_tokens(&mut self, record: RecordId) -> Stored<()> {
        self.alter(|tables| tables.token_wanted.remove_where(.., |key, _| key.2 == record))
    }
}

fn is_of(row: &WantedRow, lineage: LineageId, class: Class) -> bool {
    (row.lineage, row.class) == (lineage, class)
}
