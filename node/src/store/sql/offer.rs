//! Rows of offers.

use async_trait::async_trait;
use raccordo_core::id::{Digest, Epoch, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::carried::{join, split};
use super::statement::{Columns, sql};
use crate::store::offer::{CopyRow, OfferLoad, OfferRow, OfferRows};
use crate::store::{StoreError, Stored};

macro_rules! offer_columns {
    () => {
        "lineage, statement, name, state, offered_by, offered_at_ms, signed, earlier, cards"
    };
}

macro_rules! copy_columns {
    () => {
        "lineage, statement, party, group_id, after, sequence, head, epoch, accepted_at_ms, \
         stored_bytes"
    };
}

const RAISE: &str = "UPDATE offer SET version = version + 1 WHERE lineage = $1";
const OFFERS: &str = concat!("SELECT ", offer_columns!(), " FROM offer WHERE lineage = $1");
const ALL: &str = concat!("SELECT ", offer_columns!(), " FROM offer");
const IN_STATE: &str = concat!("SELECT ", offer_columns!(), " FROM offer WHERE state = $1");
const LOADS: &str = "SELECT offered_by, COUNT(*), \
     CAST(SUM(LENGTH(signed) + LENGTH(earlier) + LENGTH(cards)) AS BIGINT) FROM offer \
     WHERE state IN ('waiting', 'refused') GROUP BY offered_by";
const DELETE_BEFORE: &str =
    "DELETE FROM offer WHERE state IN ('waiting', 'refused') AND offered_at_ms < $1";
const PUT: &str = concat!(
    "INSERT INTO offer (",
    offer_columns!(),
    ", version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0) \
     ON CONFLICT (lineage, statement) DO UPDATE SET state = excluded.state, \
     cards = excluded.cards"
);
const DELETE: &str = "DELETE FROM offer WHERE lineage = $1 AND statement = $2";

const COPY: &str = concat!(
    "SELECT ",
    copy_columns!(),
    " FROM log_copy WHERE lineage = $1 AND statement = $2 AND party = $3"
);
const COPIES: &str = concat!("SELECT ", copy_columns!(), " FROM log_copy WHERE lineage = $1");
const PUT_COPY: &str = concat!(
    "INSERT INTO log_copy (",
    copy_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     ON CONFLICT (lineage, statement, party) DO UPDATE SET group_id = excluded.group_id, \
     after = excluded.after, sequence = excluded.sequence, head = excluded.head, \
     epoch = excluded.epoch, accepted_at_ms = excluded.accepted_at_ms, \
     stored_bytes = excluded.stored_bytes"
);
const DELETE_COPY: &str =
    "DELETE FROM log_copy WHERE lineage = $1 AND statement = $2 AND party = $3";

#[async_trait]
impl OfferRows for SqlTx {
    async fn raise_offers(&mut self, lineage: LineageId) -> Stored<()> {
        self.execute(sql("offer", RAISE).bytes(lineage.as_bytes())).await.map(drop)
    }

    async fn offers(&mut self, lineage: LineageId) -> Stored<Vec<OfferRow>> {
        let mut rows = self.all(sql("offer", OFFERS).bytes(lineage.as_bytes()), offer).await?;
        rows.sort_by_key(|row| (row.offered_at, row.digest));
        Ok(rows)
    }

    async fn all_offers(&mut self) -> Stored<Vec<OfferRow>> {
        let mut rows = self.all(sql("offer", ALL), offer).await?;
        rows.sort_by(|a, b| (&a.name, a.lineage, a.digest).cmp(&(&b.name, b.lineage, b.digest)));
        Ok(rows)
    }

    async fn offers_in(&mut self, state: &str) -> Stored<Vec<OfferRow>> {
        let mut rows = self.all(sql("offer", IN_STATE).text(state), offer).await?;
        rows.sort_by(|a, b| (&a.name, a.lineage, a.digest).cmp(&(&b.name, b.lineage, b.digest)));
        Ok(rows)
    }

    async fn offer_loads(&mut self) -> Stored<Vec<OfferLoad>> {
        let read = |row: &mut Columns<'_>| {
            let (offered_by, offers, bytes) = (row.parsed()?, row.integer()?, row.integer()?);
            Ok(OfferLoad { offered_by, offers, bytes })
        };
        let mut loads = self.all(sql("offer", LOADS), read).await?;
        loads.sort_by(|a, b| a.offered_by.cmp(&b.offered_by));
        Ok(loads)
    }

    async fn delete_offers_before(&mut self, at: Instant) -> Stored<()> {
        self.execute(sql("offer", DELETE_BEFORE).instant(at)).await.map(drop)
    }

    async fn put_offer(&mut self, row: OfferRow) -> Stored<()> {
        let joined = |parts: &[Vec<u8>]| join(parts).ok_or(StoreError::Damaged("offer"));
        let put = sql("offer", PUT)
            .bytes(row.lineage.as_bytes())
            .bytes(row.digest.as_bytes())
            .text(row.name)
            .text(row.state)
            .text(row.offered_by)
            .instant(row.offered_at)
            .bytes(row.statement)
            .bytes(joined(&row.earlier)?)
            .bytes(joined(&row.cards)?);
        self.execute(put).await.map(drop)
    }

    async fn delete_offer(&mut self, lineage: LineageId, digest: Digest) -> Stored<()> {
        let delete = sql("offer", DELETE).bytes(lineage.as_bytes());
        self.execute(delete.bytes(digest.as_bytes())).await.map(drop)
    }

    async fn log_copy(
        &mut self,
        lineage: LineageId,
        digest: Digest,
        party: &NodeId,
    ) -> Stored<Option<CopyRow>> {
        let select = sql("log_copy", COPY).bytes(lineage.as_bytes()).bytes(digest.as_bytes());
        self.one(select.text(party.as_str()), copy).await
    }

    async fn log_copies(&mut self, lineage: LineageId) -> Stored<Vec<CopyRow>> {
        let mut rows = self.all(sql("log_copy", COPIES).bytes(lineage.as_bytes()), copy).await?;
        rows.sort_by(|a, b| (a.digest, &a.party).cmp(&(b.digest, &b.party)));
        Ok(rows)
    }

    async fn put_log_copy(&mut self, row: CopyRow) -> Stored<()> {
        let put = sql("log_copy", PUT_COPY)
            .bytes(row.lineage.as_bytes())
            .bytes(row.digest.as_bytes())
            .text(row.party)
            .bytes(row.group.as_bytes())
            .integer(row.after.0)
            .integer(row.sequence.0)
            .bytes(row.head.as_bytes())
            .integer(row.epoch.0)
            .instant(row.accepted_at)
            .integer(row.stored_bytes);
        self.execute(put).await.map(drop)
    }

    async fn delete_log_copy(&mut self, row: &CopyRow) -> Stored<()> {
        let delete = sql("log_copy", DELETE_COPY).bytes(row.lineage.as_bytes());
        let delete = delete.bytes(row.digest.as_bytes()).text(row.party.as_str());
        self.execute(delete).await.map(drop)
    }
}

fn offer(row: &mut Columns<'_>) -> Stored<OfferRow> {
    Ok(OfferRow {
        lineage: row.id()?,
        digest: row.id()?,
        name: row.text()?,
        state: row.text()?,
        offered_by: row.parsed()?,
        offered_at: row.instant()?,
        statement: row.bytes()?,
        earlier: split(&row.bytes()?).ok_or(row.damaged())?,
        cards: split(&row.bytes()?).ok_or(row.damaged())?,
    })
}

fn copy(row: &mut Columns<'_>) -> Stored<CopyRow> {
    Ok(CopyRow {
        lineage: row.id()?,
        digest: row.id()?,
        party: row.parsed()?,
        group: row.id()?,
        after: Sequence(row.integer()?),
        sequence: Sequence(row.integer()?),
        head: row.id()?,
        epoch: Epoch(row.integer()?),
        accepted_at: row.instant()?,
        stored_bytes: row.integer()?,
    })
}
