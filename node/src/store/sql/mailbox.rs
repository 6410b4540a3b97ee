//! The mailboxes of a hub, and its pool of key packages.

use raccordo_core::id::{ItemId, NodeId};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::hub::{MailLoad, MailLoads, MailboxRow, PoolRow};
use crate::store::{StoreError, Stored};

macro_rules! pool_columns {
    () => {
        "owner, reference, suite, last_resort, key_package, expires_at_ms, deposited_at_ms"
    };
}

/// Number and bytes of what peers have posted and waits.
macro_rules! load {
    ($of:literal) => {
        concat!(
            "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(payload)), 0) AS BIGINT) FROM mailbox \
             WHERE kind IN ('pact', 'card') AND ",
            $of
        )
    };
}

const KNOWN: &str = "SELECT COUNT(*) FROM mailbox WHERE sender = $1 AND item = $2";
const NEXT: &str = "INSERT INTO mailbox_counter (recipient, sequence) VALUES ($1, 1) \
     ON CONFLICT (recipient) DO UPDATE SET sequence = mailbox_counter.sequence + 1 \
     RETURNING sequence";
const INSERT: &str = "INSERT INTO mailbox (recipient, sequence, item, sender, kind, payload, \
     expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const SIZES_AFTER: &str = "SELECT sequence, CAST(LENGTH(payload) AS BIGINT) FROM mailbox \
     WHERE recipient = $1 AND sequence > $2 AND expires_at_ms > $3 ORDER BY sequence LIMIT $4";
const BETWEEN: &str = "SELECT recipient, sequence, item, sender, kind, payload, expires_at_ms \
     FROM mailbox WHERE recipient = $1 AND sequence > $2 AND expires_at_ms > $3 \
     AND sequence <= $4 ORDER BY sequence";
const LOAD_OF_BOTH: &str = load!("sender = $1 AND recipient = $2");
const LOAD_OF_SENDER: &str = load!("sender = $1");
const LOAD_OF_RECIPIENT: &str = load!("recipient = $1");
const DELETE_ITEM: &str = "DELETE FROM mailbox WHERE sender = $1 AND item = $2";
const DELETE: &str = "DELETE FROM mailbox WHERE recipient = $1 AND sequence <= $2";

const INSERT_POOL: &str = concat!(
    "INSERT INTO pool (",
    pool_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
);
const POOL: &str = concat!(
    "SELECT ",
    pool_columns!(),
    " FROM pool WHERE owner = $1 AND suite = $2 AND expires_at_ms > $3 AND given = 0 \
     ORDER BY last_resort, deposited_at_ms, reference"
);
const GIVE_POOL: &str = "UPDATE pool SET given = 1, key_package = $3 \
     WHERE owner = $1 AND reference = $2";
const DELETE_POOL: &str = "DELETE FROM pool WHERE owner = $1 AND reference = $2";

impl SqlTx {
    /// Adds an item; false when it is there already.
    pub(super) async fn deposit_item(&mut self, row: MailboxRow) -> Stored<bool> {
        let known = sql("mailbox", KNOWN).text(row.sender.as_str()).bytes(row.item.as_bytes());
        if self.number(known).await? > 0 {
            return Ok(false);
        }
        let next = sql("mailbox_counter", NEXT).text(row.recipient.as_str());
        let next: Vec<u64> = self.returning(next, |row| row.integer()).await?;
        let sequence = next.first().ok_or(StoreError::Damaged("mailbox_counter"))?;
        let insert = sql("mailbox", INSERT)
            .text(row.recipient)
            .integer(*sequence)
            .bytes(row.item.as_bytes())
            .text(row.sender)
            .text(row.kind)
            .bytes(row.payload)
            .instant(row.expires_at);
        Ok(self.execute(insert).await? > 0)
    }

    /// Items after a place that have not expired: first the sizes, so that no payload is read
    /// in vain.
    pub(super) async fn items_after(
        &mut self,
        recipient: &NodeId,
        sequence: u64,
        now: Instant,
        (limit, bytes): (u32, u64),
    ) -> Stored<Vec<MailboxRow>> {
        let select = sql("mailbox", SIZES_AFTER).text(recipient.as_str()).integer(sequence);
        let size = |row: &mut Columns<'_>| Ok((row.integer::<u64>()?, row.integer::<u64>()?));
        let sizes = self.all(select.instant(now).integer(limit), size).await?;
        let mut total = 0_u64;
        let fitting = sizes.iter().enumerate().take_while(|(place, (_, size))| {
            total = total.saturating_add(*size);
            *place == 0 || total <= bytes
        });
        let Some((_, (last, _))) = fitting.last() else {
            return Ok(Vec::new());
        };
        let read = |row: &mut Columns<'_>| {
            Ok(MailboxRow {
                recipient: row.parsed()?,
                sequence: row.integer()?,
                item: row.id()?,
                sender: row.parsed()?,
                kind: row.text()?,
                payload: row.bytes()?,
                expires_at: row.instant()?,
            })
        };
        let select = sql("mailbox", BETWEEN).text(recipient.as_str()).integer(sequence);
        self.all(select.instant(now).integer(*last), read).await
    }

    /// What peers have posted and waits: of one sender, of one recipient, of both.
    pub(super) async fn posted_loads(
        &mut self,
        sender: &NodeId,
        recipient: &NodeId,
    ) -> Stored<MailLoads> {
        let (from, to) = (sender.as_str(), recipient.as_str());
        Ok(MailLoads {
            of_both: self.load(sql("mailbox", LOAD_OF_BOTH).text(from).text(to)).await?,
            of_sender: self.load(sql("mailbox", LOAD_OF_SENDER).text(from)).await?,
            of_recipient: self.load(sql("mailbox", LOAD_OF_RECIPIENT).text(to)).await?,
        })
    }

    async fn load(&mut self, select: Statement) -> Stored<MailLoad> {
        let read =
            |row: &mut Columns<'_>| Ok(MailLoad { items: row.integer()?, bytes: row.integer()? });
        self.one(select, read).await?.ok_or(StoreError::Damaged("mailbox"))
    }

    /// Deletes one item.
    pub(super) async fn delete_item(&mut self, sender: &NodeId, item: ItemId) -> Stored<()> {
        let delete = sql("mailbox", DELETE_ITEM).text(sender.as_str()).bytes(item.as_bytes());
        self.execute(delete).await.map(drop)
    }

    /// Deletes items up to a place.
    pub(super) async fn delete_items(&mut self, recipient: &NodeId, up_to: u64) -> Stored<()> {
        let delete = sql("mailbox", DELETE).text(recipient.as_str()).integer(up_to);
        self.execute(delete).await.map(drop)
    }

    /// Adds a key package; false when it is there already, or was given out.
    pub(super) async fn deposit_key_package(&mut self, row: PoolRow) -> Stored<bool> {
        let insert = sql("pool", INSERT_POOL)
            .text(row.owner)
            .bytes(row.reference)
            .integer(row.suite)
            .flag(row.last_resort)
            .bytes(row.key_package)
            .instant(row.expires_at)
            .instant(row.deposited_at);
        Ok(self.execute(insert).await? > 0)
    }

    /// An owner's key packages that were not given out, single-use first, oldest first.
    pub(super) async fn key_packages_of(
        &mut self,
        owner: &NodeId,
        suite: u16,
        now: Instant,
    ) -> Stored<Vec<PoolRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(PoolRow {
                owner: row.parsed()?,
                reference: row.bytes()?,
                suite: row.integer()?,
                last_resort: row.flag()?,
                key_package: row.bytes()?,
                expires_at: row.instant()?,
                deposited_at: row.instant()?,
            })
        };
        let select = sql("pool", POOL).text(owner.as_str()).integer(suite).instant(now);
        self.all(select, read).await
    }

    /// Gives a key package out.
    pub(super) async fn give_key_package(
        &mut self,
        owner: &NodeId,
        reference: &[u8],
    ) -> Stored<()> {
        let give = sql("pool", GIVE_POOL).text(owner.as_str()).bytes(reference).bytes([]);
        self.execute(give).await.map(drop)
    }

    /// Drops a key package.
    pub(super) async fn delete_key_package(
        &mut self,
        owner: &NodeId,
        reference: &[u8],
    ) -> Stored<()> {
        let delete = sql("pool", DELETE_POOL).text(owner.as_str()).bytes(reference);
        self.execute(delete).await.map(drop)
    }
}
