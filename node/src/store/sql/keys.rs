//! Rows of keys, ceremonies and budgets.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::keys::{ActRow, BudgetRow, CeremonyRow, DutyRow, KeyRows, ShareRow, SharingRow};

const DUTY: &str =
    "SELECT lineage, due_at_ms, founder, changed_at_ms FROM key_duty WHERE lineage = $1";
const PUT_DUTY: &str = "INSERT INTO key_duty (lineage, due_at_ms, founder, changed_at_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (lineage) DO UPDATE SET due_at_ms = excluded.due_at_ms, \
     founder = excluded.founder, changed_at_ms = excluded.changed_at_ms";
const HASTEN: &str = "UPDATE key_duty SET due_at_ms = 0 WHERE lineage = $1";
const SHARINGS: &str = "SELECT lineage, class, key_epoch, generation, sharing, since_ms, \
     seen_from_ms, renewal, asked, asked_by FROM key_sharing WHERE lineage = $1";
const PUT_SHARING: &str = "INSERT INTO key_sharing (lineage, class, key_epoch, generation, \
     sharing, since_ms, seen_from_ms, renewal, asked, asked_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     ON CONFLICT (lineage, class) DO UPDATE SET key_epoch = excluded.key_epoch, \
     generation = excluded.generation, sharing = excluded.sharing, \
     since_ms = excluded.since_ms, seen_from_ms = excluded.seen_from_ms, \
     renewal = excluded.renewal, asked = excluded.asked, asked_by = excluded.asked_by";
const PUT_SHARE: &str = "INSERT INTO key_share (lineage, class, key_epoch, generation, sealed) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lineage, class, key_epoch, generation) \
     DO UPDATE SET sealed = excluded.sealed";
const SHARE: &str = "SELECT lineage, class, key_epoch, generation, sealed FROM key_share \
     WHERE lineage = $1 AND class = $2 AND key_epoch = $3 AND generation = $4";
const RETIRE: &str = "DELETE FROM key_share WHERE lineage = $1 AND class = $2 \
     AND (key_epoch <> $3 OR generation <> $4)";
const CEREMONIES: &str = "SELECT lineage, class, run, state, plan, old, began_at_ms, until_ms, \
     sealed_seed, posted, failures, failure FROM key_ceremony WHERE lineage = $1";
const PUT_CEREMONY: &str = "INSERT INTO key_ceremony (lineage, class, run, state, plan, old, \
     began_at_ms, until_ms, sealed_seed, posted, failures, failure) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
     ON CONFLICT (lineage, class) DO UPDATE SET run = excluded.run, state = excluded.state, \
     plan = excluded.plan, old = excluded.old, began_at_ms = excluded.began_at_ms, \
     until_ms = excluded.until_ms, sealed_seed = excluded.sealed_seed, \
     posted = excluded.posted, failures = excluded.failures, failure = excluded.failure";
const INSERT_ACT: &str = "INSERT INTO key_act (lineage, class, position, sender, at_ms, act) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const ACTS: &str = "SELECT lineage, class, position, sender, at_ms, act FROM key_act \
     WHERE lineage = $1 AND class = $2 ORDER BY position";
const DELETE_ACTS: &str = "DELETE FROM key_act WHERE lineage = $1 AND class = $2";
const USES: &str =
    "SELECT lineage, day, requester, class, used, refused FROM budget_use WHERE lineage = $1";
const PUT_USE: &str = "INSERT INTO budget_use (lineage, day, requester, class, used, refused) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (lineage, day, requester, class) \
     DO UPDATE SET used = excluded.used, refused = excluded.refused";
const FORGET_DAYS: &str = "DELETE FROM budget_use WHERE lineage = $1 AND day <> $2";
const FORGET: [(&str, &str); 5] = [
    ("key_sharing", "DELETE FROM key_sharing WHERE lineage = $1"),
    ("key_share", "DELETE FROM key_share WHERE lineage = $1"),
    ("key_ceremony", "DELETE FROM key_ceremony WHERE lineage = $1"),
    ("key_act", "DELETE FROM key_act WHERE lineage = $1"),
    ("budget_use", "DELETE FROM budget_use WHERE lineage = $1"),
];

#[async_trait]
impl KeyRows for SqlTx {
    async fn key_duty(&mut self, lineage: LineageId) -> Stored<Option<DutyRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(DutyRow {
                lineage: row.id()?,
                due_at: row.instant()?,
                founder: row.flag()?,
                changed_at: row.instant()?,
            })
        };
        self.one(of("key_duty", DUTY, lineage), read).await
    }

    async fn put_key_duty(&mut self, row: DutyRow) -> Stored<()> {
        let put = of("key_duty", PUT_DUTY, row.lineage).instant(row.due_at);
        self.execute(put.flag(row.founder).instant(row.changed_at)).await.map(drop)
    }

    async fn hasten_key_duty(&mut self, lineage: LineageId) -> Stored<()> {
        self.execute(of("key_duty", HASTEN, lineage)).await.map(drop)
    }

    async fn key_sharings(&mut self, lineage: LineageId) -> Stored<Vec<SharingRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(SharingRow {
                lineage: row.id()?,
                class: row.parsed()?,
                key_epoch: KeyEpoch(row.integer()?),
                generation: Generation(row.integer()?),
                sharing: row.bytes()?,
                since: row.instant()?,
                seen_from: row.instant()?,
                renewal: row.text()?,
                asked: row.flag()?,
                asked_by: {
                    let names = row.text()?;
                    let read = names.split_whitespace().map(str::parse);
                    read.collect::<Result<_, _>>().map_err(|_| row.damaged())?
                },
            })
        };
        let mut rows = self.all(of("key_sharing", SHARINGS, lineage), read).await?;
        rows.sort_by_key(|row| row.class);
        Ok(rows)
    }

    async fn put_key_sharing(&mut self, row: SharingRow) -> Stored<()> {
        let put = of("key_sharing", PUT_SHARING, row.lineage)
            .text(row.class.name())
            .integer(row.key_epoch.0)
            .integer(row.generation.0)
            .bytes(row.sharing)
            .instant(row.since)
            .instant(row.seen_from)
            .text(row.renewal)
            .flag(row.asked)
            .text(row.asked_by.iter().map(NodeId::as_str).collect::<Vec<_>>().join(" "));
        self.execute(put).await.map(drop)
    }

    async fn put_key_share(&mut self, row: ShareRow) -> Stored<()> {
        let at = (row.class, row.key_epoch, row.generation);
        self.execute(share(PUT_SHARE, row.lineage, at).bytes(row.sealed)).await.map(drop)
    }

    async fn key_share(
        &mut self,
        lineage: LineageId,
        class: Class,
        key_epoch: KeyEpoch,
        generation: Generation,
    ) -> Stored<Option<ShareRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(ShareRow {
                lineage: row.id()?,
                class: row.parsed()?,
                key_epoch: KeyEpoch(row.integer()?),
                generation: Generation(row.integer()?),
                sealed: row.bytes()?,
            })
        };
        self.one(share(SHARE, lineage, (class, key_epoch, generation)), read).await
    }

    async fn retire_key_shares(
        &mut self,
        lineage: LineageId,
        class: Class,
        key_epoch: KeyEpoch,
        generation: Generation,
    ) -> Stored<u64> {
        self.execute(share(RETIRE, lineage, (class, key_epoch, generation))).await
    }

    async fn key_ceremonies(&mut self, lineage: LineageId) -> Stored<Vec<CeremonyRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(CeremonyRow {
                lineage: row.id()?,
                class: row.parsed()?,
                run: row.id()?,
                state: row.text()?,
                plan: row.bytes()?,
                old: row.bytes()?,
                began_at: row.instant()?,
                until: row.instant()?,
                sealed_seed: row.bytes()?,
                posted: row.text()?,
                failures: row.integer()?,
                failure: row.text()?,
            })
        };
        let mut rows = self.all(of("key_ceremony", CEREMONIES, lineage), read).await?;
        rows.sort_by_key(|row| row.class);
        Ok(rows)
    }

    async fn put_key_ceremony(&mut self, row: CeremonyRow) -> Stored<()> {
        let put = of("key_ceremony", PUT_CEREMONY, row.lineage)
            .text(row.class.name())
            .bytes(row.run.as_bytes())
            .text(row.state)
            .bytes(row.plan)
            .bytes(row.old)
            .instant(row.began_at)
            .instant(row.until)
            .bytes(row.sealed_seed)
            .text(row.posted)
            .integer(row.failures)
            .text(row.failure);
        self.execute(put).await.map(drop)
    }

    async fn insert_key_act(&mut self, row: ActRow) -> Stored<()> {
        let insert = of("key_act", INSERT_ACT, row.lineage)
            .text(row.class.name())
            .integer(row.position)
            .text(row.sender)
            .instant(row.at)
            .bytes(row.act);
        self.insert(insert).await
    }

    async fn key_acts(&mut self, lineage: LineageId, class: Class) -> Stored<Vec<ActRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(ActRow {
                lineage: row.id()?,
                class: row.parsed()?,
                position: row.integer()?,
                sender: row.parsed()?,
                at: row.instant()?,
                act: row.bytes()?,
            })
        };
        self.all(of("key_act", ACTS, lineage).text(class.name()), read).await
    }

    async fn delete_key_acts(&mut self, lineage: LineageId, class: Class) -> Stored<()> {
        self.execute(of("key_act", DELETE_ACTS, lineage).text(class.name())).await.map(drop)
    }

    async fn budget_uses(&mut self, lineage: LineageId) -> Stored<Vec<BudgetRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(BudgetRow {
                lineage: row.id()?,
                day: row.text()?,
                requester: row.parsed()?,
                class: row.parsed()?,
                used: row.integer()?,
                refused: row.integer()?,
            })
        };
        let mut rows = self.all(of("budget_use", USES, lineage), read).await?;
        rows.sort_by(|a, b| (&a.requester, a.class).cmp(&(&b.requester, b.class)));
        Ok(rows)
    }

    async fn put_budget_use(&mut self, row: BudgetRow) -> Stored<()> {
        let forget = of("budget_use", FORGET_DAYS, row.lineage).text(row.day.as_str());
        self.execute(forget).await?;
        let put = of("budget_use", PUT_USE, row.lineage)
            .text(row.day)
            .text(row.requester)
            .text(row.class.name())
            .integer(row.used)
            .integer(row.refused);
        self.execute(put).await.map(drop)
    }

    async fn forget_keys(&mut self, lineage: LineageId) -> Stored<()> {
        for (table, text) in FORGET {
            self.execute(of(table, text, lineage)).await?;
        }
        Ok(())
    }
}

fn of(table: &'static str, text: &'static str, lineage: LineageId) -> Statement {
    sql(table, text).bytes(lineage.as_bytes())
}

fn share(
    text: &'static str,
    lineage: LineageId,
    (class, key_epoch, generation): (Class, KeyEpoch, Generation),
) -> Statement {
    let statement = of("key_share", text, lineage).text(class.name());
    statement.integer(key_epoch.0).integer(generation.0)
}
