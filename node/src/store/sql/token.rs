//! Rows of tokens and tags.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId, ObjectId, RecordId};
use raccordo_core::pseudonym::token::Tag;
use sqlx::AssertSqlSafe;

use super::SqlTx;
use super::bulk::{Bulk, KEYS, among, filled};
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::live::{LiveAccess as _, Scope};
use crate::store::token::{OwnTagRow, ReceivedTagRow, TokenRow, TokenRows};

static PUT_TOKENS: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = "INSERT INTO token (record, lineage, class, lookup, key_epoch, family, sealed)";
    Bulk::new(insert, 7, "ON CONFLICT DO NOTHING")
});
static PUT_OWN: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = "INSERT INTO own_tag (lineage, peer, tag, record, class, family)";
    Bulk::new(insert, 6, "ON CONFLICT DO NOTHING")
});
static PUT_RECEIVED: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = "INSERT INTO tag_received (lineage, peer, tag, object, facts, register)";
    Bulk::new(insert, 6, "ON CONFLICT DO NOTHING")
});
static OWN_AMONG: LazyLock<Arc<str>> = LazyLock::new(|| {
    let select = "SELECT lineage, peer, tag, record, class, family FROM own_tag \
                  WHERE lineage = $1 AND peer = $2 AND tag";
    among(select, 2)
});
static RECEIVED_AMONG: LazyLock<Arc<str>> = LazyLock::new(|| {
    let select = "SELECT lineage, peer, tag, object, facts, register FROM tag_received \
                  WHERE lineage = $1 AND peer = $2 AND tag";
    among(select, 2)
});

const DELETE: &str = "DELETE FROM token WHERE record = $1 AND lineage = $2 AND class = $3";
const FORGET: &str = "DELETE FROM token WHERE record = $1";
const FORGET_TAGS: &str = "DELETE FROM own_tag WHERE record = $1";
const OF_RECORD: &str = "SELECT record, lineage, class, lookup, key_epoch, family, sealed \
     FROM token WHERE record = $1 AND lineage = $2 ORDER BY class, lookup";
const RECORDS: &str = "SELECT DISTINCT record FROM token WHERE lineage = $1 AND record > $2 \
     ORDER BY record LIMIT $3";
const ANY: &str = "SELECT record FROM token WHERE lineage = $1 LIMIT 1";
const DELETE_OWN: &str = "DELETE FROM own_tag WHERE record = $1 AND lineage = $2";
const OWN: &str = "SELECT lineage, peer, tag, record, class, family FROM own_tag \
     WHERE record = $1 AND lineage = $2 ORDER BY peer, tag, family";
const DELETE_RECEIVED: &str = "DELETE FROM tag_received WHERE object = $1";
const RECEIVED: &str = "SELECT lineage, peer, tag, object, facts, register FROM tag_received WHERE object = $1 \
     ORDER BY tag";

#[async_trait]
impl TokenRows for SqlTx {
    async fn put_tokens(&mut self, rows: &[TokenRow]) -> Stored<()> {
        let lineages: BTreeSet<LineageId> = rows.iter().map(|row| row.lineage).collect();
        for lineage in lineages {
            if !self.may_have_tokens(lineage).await? {
                let scope = Scope::Equipe(lineage);
                self.alter_live(scope, |tables| tables.may_have_tokens = true).await?;
            }
        }
        self.write_all("token", &PUT_TOKENS, rows, bind_token).await.map(drop)
    }

    async fn delete_tokens(
        &mut self,
        record: RecordId,
        lineage: LineageId,
        class: &str,
    ) -> Stored<()> {
        let delete = sql("token", DELETE).bytes(record.as_bytes()).bytes(lineage.as_bytes());
        self.execute(delete.text(class)).await.map(drop)
    }

    async fn forget_tokens(&mut self, record: RecordId) -> Stored<()> {
        for (table, text) in [("token", FORGET), ("own_tag", FORGET_TAGS)] {
            self.execute(sql(table, text).bytes(record.as_bytes())).await?;
        }
        Ok(())
    }

    async fn tokens_of(&mut self, lineage: LineageId, record: RecordId) -> Stored<Vec<TokenRow>> {
        let select = sql("token", OF_RECORD).bytes(record.as_bytes()).bytes(lineage.as_bytes());
        self.all(select, read_token).await
    }

    async fn may_have_tokens(&mut self, lineage: LineageId) -> Stored<bool> {
        Ok(self.live(Scope::Equipe(lineage)).await?.may_have_tokens)
    }

    async fn records_with_tokens(
        &mut self,
        lineage: LineageId,
        after: Option<RecordId>,
        limit: u32,
    ) -> Stored<Vec<RecordId>> {
        let after = after.map(|record| record.as_bytes().to_vec()).unwrap_or_default();
        let select = sql("token", RECORDS).bytes(lineage.as_bytes()).bytes(after).integer(limit);
        self.all(select, |row| row.id()).await
    }

    async fn put_own_tags(&mut self, rows: &[OwnTagRow]) -> Stored<()> {
        self.write_all("own_tag", &PUT_OWN, rows, bind_own).await.map(drop)
    }

    async fn delete_own_tags(&mut self, lineage: LineageId, record: RecordId) -> Stored<()> {
        let delete = sql("own_tag", DELETE_OWN).bytes(record.as_bytes());
        self.execute(delete.bytes(lineage.as_bytes())).await.map(drop)
    }

    async fn own_tags(&mut self, lineage: LineageId, record: RecordId) -> Stored<Vec<OwnTagRow>> {
        let select = sql("own_tag", OWN).bytes(record.as_bytes()).bytes(lineage.as_bytes());
        self.all(select, read_own).await
    }

    async fn own_tags_among(
        &mut self,
        lineage: LineageId,
        peer: &NodeId,
        tags: &[Tag],
    ) -> Stored<Vec<OwnTagRow>> {
        let mut found = Vec::new();
        for chunk in tags.chunks(KEYS) {
            let select = bind_among("own_tag", &OWN_AMONG, lineage, peer, chunk);
            found.extend(self.all(select, read_own).await?);
        }
        found.sort_by_key(|row| (row.tag, row.record));
        Ok(found)
    }

    async fn put_received_tags(&mut self, rows: &[ReceivedTagRow]) -> Stored<()> {
        self.write_all("tag_received", &PUT_RECEIVED, rows, bind_received).await.map(drop)
    }

    async fn delete_received_tags(&mut self, object: ObjectId) -> Stored<()> {
        let delete = sql("tag_received", DELETE_RECEIVED).bytes(object.as_bytes());
        self.execute(delete).await.map(drop)
    }

    async fn received_tags(&mut self, object: ObjectId) -> Stored<Vec<ReceivedTagRow>> {
        self.all(sql("tag_received", RECEIVED).bytes(object.as_bytes()), read_received).await
    }

    async fn received_tags_among(
        &mut self,
        lineage: LineageId,
        peer: &NodeId,
        tags: &[Tag],
    ) -> Stored<Vec<ReceivedTagRow>> {
        let mut found = Vec::new();
        for chunk in tags.chunks(KEYS) {
            let select = bind_among("tag_received", &RECEIVED_AMONG, lineage, peer, chunk);
            found.extend(self.all(select, read_received).await?);
        }
        found.sort_by_key(|row| (row.tag, row.object));
        Ok(found)
    }
}

impl SqlTx {
    /// Whether any record has tokens in an équipe.
    pub(super) async fn has_tokens(&mut self, lineage: LineageId) -> Stored<bool> {
        let select = sql("token", ANY).bytes(lineage.as_bytes());
        Ok(self.one(select, |row| row.id::<RecordId>()).await?.is_some())
    }
}

fn bind_among(
    table: &'static str,
    text: &Arc<str>,
    lineage: LineageId,
    peer: &NodeId,
    chunk: &[Tag],
) -> Statement {
    // The text is made of literals and parameter markers alone.
    let statement = sql(table, AssertSqlSafe(Arc::clone(text)));
    let statement = statement.bytes(lineage.as_bytes()).text(peer.as_str());
    filled(chunk).fold(statement, |statement, tag| statement.bytes(tag.as_bytes()))
}

fn bind_token(statement: Statement, row: &TokenRow) -> Statement {
    statement
        .bytes(row.record.as_bytes())
        .bytes(row.lineage.as_bytes())
        .text(&row.class)
        .bytes(row.lookup.as_bytes())
        .integer(row.key_epoch)
        .text(&row.family)
        .bytes(row.sealed.as_slice())
}

fn bind_own(statement: Statement, row: &OwnTagRow) -> Statement {
    statement
        .bytes(row.lineage.as_bytes())
        .text(row.peer.as_str())
        .bytes(row.tag.as_bytes())
        .bytes(row.record.as_bytes())
        .text(&row.class)
        .text(&row.family)
}

fn bind_received(statement: Statement, row: &ReceivedTagRow) -> Statement {
    statement
        .bytes(row.lineage.as_bytes())
        .text(row.peer.as_str())
        .bytes(row.tag.as_bytes())
        .bytes(row.object.as_bytes())
        .integer(row.facts)
        .integer(row.register)
}

fn read_token(row: &mut Columns<'_>) -> Stored<TokenRow> {
    Ok(TokenRow {
        record: row.id()?,
        lineage: row.id()?,
        class: row.text()?,
        lookup: row.id()?,
        key_epoch: row.integer()?,
        family: row.text()?,
        sealed: row.bytes()?,
    })
}

fn read_own(row: &mut Columns<'_>) -> Stored<OwnTagRow> {
    Ok(OwnTagRow {
        lineage: row.id()?,
        peer: row.parsed()?,
        tag: read_tag(row)?,
        record: row.id()?,
        class: row.text()?,
        family: row.text()?,
    })
}

fn read_received(row: &mut Columns<'_>) -> Stored<ReceivedTagRow> {
    Ok(ReceivedTagRow {
        lineage: row.id()?,
        peer: row.parsed()?,
        tag: read_tag(row)?,
        object: row.id()?,
        facts: row.integer()?,
        register: row.integer()?,
    })
}

fn read_tag(row: &mut Columns<'_>) -> Stored<Tag> {
    let bytes = row.bytes()?;
    bytes.as_slice().try_into().map(Tag).map_err(|_| row.damaged())
}
