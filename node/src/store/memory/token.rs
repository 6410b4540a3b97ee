//! Rows of tokens and tags, in memory.

use async_trait::async_trait;
use raccordo_core::id::{Digest, LineageId, NodeId, ObjectId, RecordId};
use raccordo_core::pseudonym::token::Tag;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::token::{OwnTagRow, ReceivedTagRow, TokenRow, TokenRows};

const FIRST: RecordId = RecordId(uuid::Uuid::nil());

#[async_trait]
impl TokenRows for MemoryTx {
    async fn put_tokens(&mut self, rows: &[TokenRow]) -> Stored<()> {
        self.alter(|tables| {
            for row in rows {
                let key = (row.record, row.lineage, row.class.clone(), row.lookup);
                tables.token.add(key, row.clone());
            }
        })
    }

    async fn delete_tokens(
        &mut self,
        record: RecordId,
        lineage: LineageId,
        class: &str,
    ) -> Stored<()> {
        let from = (record, lineage, String::new(), Digest([0; 32]));
        self.alter(|tables| {
            tables.token.remove_where(from.., |(of, within, named, _), _| {
                (*of, *within) == (record, lineage) && named == class
            });
        })
    }

    async fn forget_tokens(&mut self, record: RecordId) -> Stored<()> {
        self.alter(|tables| {
            tables.token.remove_where(.., |(of, ..), _| *of == record);
            tables.own_tag.remove_where(.., |_, row| row.record == record);
        })
    }

    async fn tokens_of(&mut self, lineage: LineageId, record: RecordId) -> Stored<Vec<TokenRow>> {
        let from = (record, lineage, String::new(), Digest([0; 32]));
        self.look(|tables| {
            let rows = tables.token.range(from..).map(|(_, row)| row);
            rows.take_while(|row| (row.record, row.lineage) == (record, lineage)).cloned().collect()
        })
    }

    async fn may_have_tokens(&mut self, lineage: LineageId) -> Stored<bool> {
        self.look(|tables| tables.token.rows().any(|(_, row)| row.lineage == lineage))
    }

    async fn records_with_tokens(
        &mut self,
        lineage: LineageId,
        after: Option<RecordId>,
        limit: u32,
    ) -> Stored<Vec<RecordId>> {
        let from = (after.unwrap_or(FIRST), LineageId([0; 16]), String::new(), Digest([0; 32]));
        self.look(|tables| {
            let rows = tables.token.range(from..).map(|(_, row)| row);
            let rows = rows.filter(|row| row.lineage == lineage && Some(row.record) > after);
            let mut records: Vec<_> = rows.map(|row| row.record).collect();
            records.dedup();
            records.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            records
        })
    }

    async fn put_own_tags(&mut self, rows: &[OwnTagRow]) -> Stored<()> {
        self.alter(|tables| {
            for row in rows {
                let family = row.family.clone();
                let key = (row.lineage, row.peer.clone(), row.tag, row.record, family);
                tables.own_tag.add(key, row.clone());
            }
        })
    }

    async fn delete_own_tags(&mut self, lineage: LineageId, record: RecordId) -> Stored<()> {
        self.alter(|tables| {
            let of_it = |row: &OwnTagRow| (row.lineage, row.record) == (lineage, record);
            tables.own_tag.remove_where(.., |_, row| of_it(row));
        })
    }

    async fn own_tags(&mut self, lineage: LineageId, record: RecordId) -> Stored<Vec<OwnTagRow>> {
        self.look(|tables| {
            let rows = tables.own_tag.rows().map(|(_, row)| row);
            let of_it = |row: &&OwnTagRow| (row.lineage, row.record) == (lineage, record);
            rows.filter(of_it).cloned().collect()
        })
    }

    async fn own_tags_among(
        &mut self,
        lineage: LineageId,
        peer: &NodeId,
        tags: &[Tag],
    ) -> Stored<Vec<OwnTagRow>> {
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        tags.dedup();
        self.look(|tables| {
            let mut found = Vec::new();
            for tag in tags {
                let from = (lineage, peer.clone(), tag, FIRST, String::new());
                let rows = tables.own_tag.range(from..).map(|(_, row)| row);
                let same = rows
                    .take_while(|row| (row.lineage, &row.peer, row.tag) == (lineage, peer, tag));
                found.extend(same.cloned());
            }
            found
        })
    }

    async fn put_received_tags(&mut self, rows: &[ReceivedTagRow]) -> Stored<()> {
        self.alter(|tables| {
            for row in rows {
                let key = (row.lineage, row.peer.clone(), row.tag, row.object);
                tables.tag_received.add(key, row.clone());
            }
        })
    }

    async fn delete_received_tags(&mut self, object: ObjectId) -> Stored<()> {
        self.alter(|tables| {
            tables.tag_received.remove_where(.., |(.., of), _| *of == object);
        })
    }

    async fn received_tags(&mut self, object: ObjectId) -> Stored<Vec<ReceivedTagRow>> {
        self.look(|tables| {
            let rows = tables.tag_received.rows().filter(|((.., of), _)| *of == object);
            rows.map(|(_, row)| row.clone()).collect()
        })
    }

    async fn received_tags_among(
        &mut self,
        lineage: LineageId,
        peer: &NodeId,
        tags: &[Tag],
    ) -> Stored<Vec<ReceivedTagRow>> {
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        tags.dedup();
        self.look(|tables| {
            let mut found = Vec::new();
            for tag in tags {
                let from = (lineage, peer.clone(), tag, ObjectId(uuid::Uuid::nil()));
                let rows = tables.tag_received.range(from..).map(|(_, row)| row);
                let same = rows
                    .take_while(|row| (row.lineage, &row.peer, row.tag) == (lineage, peer, tag));
                found.extend(same.cloned());
            }
            found
        })
    }
}
