//! The live state against its database: after any use a store that opens the database anew
//! reads what the first one has in memory; who was overtaken by another process stores nothing;
//! what is in memory is not asked of the database again.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::{Epoch, Sequence};
use raccordo_core::time::Instant;
use raccordo_node::store::ailment::Ailment;
use raccordo_node::store::equipe::{AlarmRow, MemberRow};
use raccordo_node::store::memory::MemoryStore;
use raccordo_node::store::mishap::{CrashPoint, SharedMishaps, locked};
use raccordo_node::store::outbox::EntryState;
use raccordo_node::store::sql::SqlStore;
use raccordo_node::store::{Store, StoreError, Tx};

use crate::backend::sqlite_url;
use crate::sample::{entry, entry_id, envelope, equipe, group, lineage, node, object};

/// One change of the live tables.
#[derive(Clone, Debug)]
enum Step {
    Raise,
    Member(u8, u64),
    ForgetMember(u8),
    Alarm(u8, u64),
    EndAlarm(u8),
    Queue(u32),
    Pack(u32),
    Place(u32, u64),
    Stale(u64),
    Forget(u64),
    Again,
    Blank(u32),
    Made(u64),
    Cursor(u8, u64),
    Object(u32),
    Read(u32),
    TakeReads,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Raise),
        (0..3_u8, 0..9_u64).prop_map(|(member, place)| Step::Member(member, place)),
        (0..3_u8).prop_map(Step::ForgetMember),
        (0..4_u8, 0..9_u64).prop_map(|(member, place)| Step::Alarm(member, place)),
        (0..4_u8).prop_map(Step::EndAlarm),
        (0..40_u32).prop_map(Step::Queue),
        (0..40_u32).prop_map(Step::Pack),
        (0..40_u32, 1..30_u64).prop_map(|(entry, place)| Step::Place(entry, place)),
        (0..6_u64).prop_map(Step::Stale),
        (0..30_u64).prop_map(Step::Forget),
        Just(Step::Again),
        (0..40_u32).prop_map(Step::Blank),
        (0..6_u64).prop_map(Step::Made),
        (0..3_u8, 0..9_u64).prop_map(|(member, place)| Step::Cursor(member, place)),
        (0..40_u32).prop_map(Step::Object),
        (0..40_u32).prop_map(Step::Read),
        Just(Step::TakeReads),
    ]
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Commit,
    RollBack,
    /// The process ends at the commit, and starts again.
    Crash(CrashPoint),
    /// The commit fails, and the process lives on.
    Fail(CrashPoint),
}

fn ending() -> impl Strategy<Value = Ending> {
    let point = prop_oneof![Just(CrashPoint::BeforeCommit), Just(CrashPoint::AfterCommit)];
    prop_oneof![
        8 => Just(Ending::Commit),
        2 => Just(Ending::RollBack),
        1 => point.clone().prop_map(Ending::Crash),
        1 => point.prop_map(Ending::Fail),
    ]
}

/// Transactions, and how each ends.
fn run() -> impl Strategy<Value = Vec<(Vec<Step>, Ending)>> {
    let transaction = (prop::collection::vec(step(), 1..12), ending());
    prop::collection::vec(transaction, 1..8)
}

fn named(number: u8) -> raccordo_core::id::NodeId {
    node(["toscana", "umbria", "lazio"][usize::from(number)])
}

/// An alarm about a member, or, of the fourth, about none.
fn alarm(member: u8, place: u64) -> AlarmRow {
    AlarmRow {
        lineage: lineage(1),
        code: AlarmCode::LogForked,
        member: (member < 3).then(|| named(member)),
        peer: None,
        place: Sequence(place),
        detail: "as the test has it".to_owned(),
        raised_at: Instant(i64::from(member)),
    }
}

/// Repeats of what is there already are no fault here.
fn unless_there(stored: Result<(), StoreError>) -> anyhow::Result<()> {
    match stored {
        Ok(()) | Err(StoreError::Exists(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn apply(tx: &mut dyn Tx, step: &Step) -> anyhow::Result<()> {
    let one = lineage(1);
    match step.clone() {
        Step::Raise => drop(tx.raise_equipe(one).await?),
        Step::Member(member, place) => {
            tx.put_member(MemberRow {
                lineage: one,
                node: named(member),
                delivered: Sequence(place),
                last_seen: Instant(5),
                last_number: place,
            })
            .await?;
        }
        Step::ForgetMember(member) => tx.delete_member(one, &named(member)).await?,
        Step::Alarm(member, place) => tx.put_alarm(alarm(member, place)).await?,
        Step::EndAlarm(member) => tx.delete_alarm(&alarm(member, 0)).await?,
        Step::Queue(number) => unless_there(tx.queue_envelopes(vec![envelope(number)]).await)?,
        Step::Pack(number) => {
            if tx.entry(one, entry_id(number)).await?.is_none() {
                let mut rows = tx.queued_envelopes(one, true, 3).await?;
                rows.iter_mut().for_each(|row| row.entry = Some(entry_id(number)));
                tx.pack_envelopes(&rows).await?;
                tx.insert_entries(vec![entry(number)]).await?;
            }
        }
        Step::Place(number, place) => {
            tx.entries_placed(one, &[(entry_id(number), Sequence(place))]).await?;
        }
        Step::Stale(epoch) => tx.entries_stale_before(one, Epoch(epoch)).await?,
        Step::Forget(place) => tx.forget_delivered(one, Sequence(place)).await?,
        Step::Again => tx.queue_all_again(one).await?,
        Step::Blank(number) => {
            let envelope = envelope(number).envelope;
            tx.blank_envelope(one, envelope, b"blank".to_vec()).await?;
        }
        Step::Made(epoch) => tx.forget_made(one, Epoch(epoch)).await?,
        Step::Cursor(member, place) => {
            tx.put_cursor(group(1), &named(member), Sequence(place)).await?;
        }
        Step::Object(number) => {
            if tx.object(object(number).object).await?.is_none() {
                tx.insert_objects(vec![object(number)]).await?;
            }
        }
        Step::Read(number) => tx.note_read(one, object(number).object).await?,
        Step::TakeReads => drop(tx.take_unreported_reads(one, 3).await?),
    }
    Ok(())
}

/// All that the steps change, in words that can be compared.
async fn picture(store: &dyn Store) -> anyhow::Result<Vec<String>> {
    let one = lineage(1);
    let mut tx = store.read().await?;
    let mut lines = vec![format!("{:?}", tx.equipes().await?)];
    lines.extend(tx.members(one).await?.iter().map(|row| format!("{row:?}")));
    lines.extend(tx.alarms(one).await?.iter().map(|row| format!("{row:?}")));
    for state in [EntryState::Pending, EntryState::Stale, EntryState::Accepted] {
        for row in tx.entries_in(one, state, 100).await? {
            let packed = tx.envelopes_of(one, row.entry).await?;
            lines.push(format!("{row:?} {packed:?}"));
        }
    }
    lines.push(format!("{:?}", tx.queued_envelopes(one, true, 100).await?));
    lines.push(format!("{:?}", tx.own_places(one, Sequence(0), Sequence(100)).await?));
    lines.push(format!("{:?}", tx.unaccepted_envelopes(one).await?));
    lines.push(format!("{:?}", tx.cursors(group(1)).await?));
    lines.push(format!("{:?}", tx.has_unreported_reads(one).await?));
    for number in 0..40 {
        let made = tx.has_made(one, entry(number).payload_digest).await?;
        let object = tx.object(object(number).object).await?;
        lines.push(format!("{number}: {made} {object:?}"));
    }
    Ok(lines)
}

/// The steps of one transaction on one store, to their end.
async fn transact(
    store: &dyn Store,
    mishaps: &mut (dyn FnMut(Ending) + Send),
    steps: &[Step],
    ending: Ending,
) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for step in steps {
        apply(&mut *tx, step).await?;
    }
    mishaps(ending);
    let ended = match ending {
        Ending::RollBack => {
            drop(tx);
            return Ok(());
        }
        Ending::Commit | Ending::Crash(_) | Ending::Fail(_) => tx.commit().await,
    };
    match ending {
        Ending::Commit | Ending::RollBack => ended?,
        Ending::Crash(_) => anyhow::ensure!(matches!(ended, Err(StoreError::Crashed))),
        Ending::Fail(_) => anyhow::ensure!(matches!(ended, Err(StoreError::Ailing { .. }))),
    }
    Ok(())
}

/// The same on the store in memory and on a database: what the database's store has in memory,
/// what a new one reads of the database, and what the store in memory has are one.
async fn check_run(url: &str, run: &[(Vec<Step>, Ending)]) -> anyhow::Result<()> {
    let mishaps = SharedMishaps::default();
    let (memory, sql) =
        (MemoryStore::new(), SqlStore::open(url, 2).await?.with_mishaps(mishaps.clone()));
    for store in [&memory as &dyn Store, &sql] {
        let mut tx = store.write().await?;
        tx.insert_equipe(equipe(1, "pisa")).await?;
        tx.commit().await?;
    }
    let full = Ailment::Full;
    for (steps, ending) in run {
        let mut in_memory = |ending| match ending {
            Ending::Crash(point) => memory.crash_after(1, point),
            Ending::Fail(point) => memory.fail_after(1, 1, full, point),
            Ending::Commit | Ending::RollBack => {}
        };
        transact(&memory, &mut in_memory, steps, *ending).await?;
        let mut in_database = |ending| match ending {
            Ending::Crash(point) => locked(&mishaps).crash_after(1, point),
            Ending::Fail(point) => locked(&mishaps).fail_after(1, 1, full, point),
            Ending::Commit | Ending::RollBack => {}
        };
        transact(&sql, &mut in_database, steps, *ending).await?;
        if matches!(ending, Ending::Crash(_)) {
            memory.recover();
            locked(&mishaps).recover();
        }
        let anew = SqlStore::open(url, 2).await?;
        let (live, disk) = (picture(&sql).await?, picture(&anew).await?);
        anyhow::ensure!(live == disk, "in memory: {live:#?}\non disk: {disk:#?}");
        let reference = picture(&memory).await?;
        anyhow::ensure!(live == reference, "database: {live:#?}\nmemory: {reference:#?}");
        anew.close().await;
    }
    sql.close().await;
    Ok(())
}

#[test]
fn memory_is_what_the_database_holds() {
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let checked = runner.run(&run(), |run| {
        let directory = tempfile::tempdir().unwrap();
        let url = sqlite_url(directory.path());
        let checked = runtime.block_on(check_run(&url, &run));
        checked.map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    checked.unwrap();
}

/// Two processes on one database: whoever comes second has stored nothing, reads again, and
/// can go on.
async fn check_overtaken(url: &str) -> anyhow::Result<()> {
    let one = lineage(1);
    let (first, second) = (SqlStore::open(url, 2).await?, SqlStore::open(url, 2).await?);
    let mut tx = first.write().await?;
    tx.insert_equipe(equipe(1, "pisa")).await?;
    tx.commit().await?;
    for store in [&first, &second] {
        assert_eq!(store.read().await?.equipe(one).await?.map(|row| row.version), Some(4));
    }
    let mut tx = first.write().await?;
    tx.raise_equipe(one).await?;
    tx.commit().await?;

    let mut tx = second.write().await?;
    // It knows the version of before.
    let mut row = tx.equipe(one).await?.unwrap();
    tx.raise_equipe(one).await?;
    row.name = "siena".to_owned();
    tx.update_equipe(&row).await?;
    tx.queue_envelopes(vec![envelope(1)]).await?;
    let overtaken = tx.commit().await;
    assert!(matches!(overtaken, Err(StoreError::Overtaken("equipe"))));
    let mut tx = second.write().await?;
    assert_eq!(tx.queued_envelopes(one, true, 9).await?, []);
    tx.raise_equipe(one).await?;
    tx.commit().await?;
    let found = second.read().await?.equipe(one).await?.unwrap();
    assert_eq!((found.version, found.name.as_str()), (6, "pisa"));
    Ok(())
}

#[tokio::test]
async fn sqlite_overtaken() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    check_overtaken(&sqlite_url(directory.path())).await
}

#[tokio::test]
async fn postgres_overtaken() -> anyhow::Result<()> {
    check_overtaken(&raccordo_tests::postgres::database()?).await
}

/// Statements that a use of the store costs.
async fn cost<T>(
    store: &SqlStore,
    used: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<u64> {
    let before = store.statements();
    used.await?;
    Ok(store.statements().since(&before).total())
}

async fn check_costs(url: &str) -> anyhow::Result<()> {
    let one = lineage(1);
    let store = SqlStore::open(url, 2).await?;
    let mut tx = store.write().await?;
    tx.insert_equipe(equipe(1, "pisa")).await?;
    tx.queue_envelopes((0..20).map(envelope).collect()).await?;
    tx.insert_entries((0..20).map(entry).collect()).await?;
    tx.commit().await?;
    let reads = cost(&store, async {
        let mut tx = store.read().await?;
        tx.equipe(one).await?;
        tx.members(one).await?;
        tx.alarms(one).await?;
        tx.pending_commit(one).await?;
        Ok(tx.queued_envelopes(one, true, 9).await?)
    });
    assert_eq!(reads.await?, 0, "what is in memory is not read again");
    let written = cost(&store, async {
        let mut tx = store.write().await?;
        tx.raise_equipe(one).await?;
        let row = tx.equipe(one).await?.unwrap();
        tx.update_equipe(&row).await?;
        let places: Vec<_> = (0..8).map(|n| (entry_id(n), Sequence(u64::from(n) + 1))).collect();
        tx.entries_placed(one, &places).await?;
        Ok(tx.commit().await?)
    });
    assert_eq!(written.await?, 2, "the équipe, and eight entries with one statement");
    let nothing = cost(&store, async {
        let mut tx = store.write().await?;
        tx.equipe(one).await?;
        Ok(tx.commit().await?)
    });
    assert_eq!(nothing.await?, 0, "who changes nothing writes nothing");
    Ok(())
}

#[tokio::test]
async fn sqlite_costs() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    check_costs(&sqlite_url(directory.path())).await
}

#[tokio::test]
async fn postgres_costs() -> anyhow::Result<()> {
    check_costs(&raccordo_tests::postgres::database()?).await
}
