//! What one member may put into a log, and what the log keeps.

use std::time::Duration;

use raccordo_core::entropy::draw;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, Epoch, Sequence};
use raccordo_core::object::Kind;
use raccordo_core::quota::Quota;
use raccordo_core::trust::notice::{DETAIL_BYTES_MAX, Notice, NoticeKind};
use raccordo_node::app::fault::Done;
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::hub::append::{Appended, Handed, Outcome, append};
use raccordo_node::app::hub::confirm::confirm;
use raccordo_node::app::hub::trim::trim_old;
use raccordo_node::app::{found, pack, send};

use super::{assert_named, assert_refused};
use crate::bench::{ADMIN, Bench, EQUIPE, REGIONS, Relay, Rows, Toscana, Umbria, Who, sight};

const SUITE: raccordo_core::crypto::Suite = raccordo_core::crypto::Suite::Classical;
const HOUR: Duration = Duration::from_secs(3600);

/// A good entry of a region that the hub does not have yet.
async fn waiting(bench: &Bench, who: Who) -> Handed {
    let call = send::next_call(bench.node(who), bench.lineage().await).await.unwrap().unwrap();
    call.entries[0].clone()
}

/// A good message of a region.
async fn message(bench: &Bench, who: Who) -> Handed {
    bench.share_samples(who, Kind::Case, 1).await;
    let message = waiting(bench, who).await;
    assert_eq!(message.kind, EntryKind::Application);
    message
}

/// The same once more: the hub does not open it. Its sender must not read the log after that,
/// or it would take itself for a copy.
fn again(bench: &Bench, handed: &Handed) -> Handed {
    Handed { entry: EntryId(draw(&*bench.node(Relay).entropy)), ..handed.clone() }
}

async fn hand(bench: &Bench, who: Who, entries: Vec<Handed>) -> Done<Appended> {
    append(bench.node(Relay), &who.id(), bench.row(who).await.group, entries).await
}

async fn hand_one(bench: &Bench, who: Who, handed: &Handed) -> Done<Outcome> {
    let answer = hand(bench, who, vec![handed.clone()]).await?;
    Ok(answer.outcomes.into_iter().next().unwrap().1)
}

async fn hand_again(bench: &Bench, who: Who, handed: &Handed) -> Done<Outcome> {
    hand_one(bench, who, &again(bench, handed)).await
}

fn assert_placed(outcome: Outcome) {
    assert!(matches!(outcome, Outcome::Placed { .. }), "{outcome:?}");
}

/// A commit of a region that has started again, as it hands it in.
async fn commit(bench: &mut Bench, who: Who) -> Handed {
    bench.restart(who).await;
    bench.share_samples(who, Kind::Case, 1).await;
    let lineage = bench.lineage().await;
    pack::pack(bench.node(who), lineage).await.unwrap();
    let mut tx = bench.node(who).store.read().await.unwrap();
    let row = tx.pending_commit(lineage).await.unwrap().unwrap();
    Handed {
        entry: row.entry,
        kind: row.kind,
        epoch: row.epoch,
        payload: row.payload,
        group_info: row.group_info,
        welcome: row.welcome,
    }
}

/// Both regions can change the group, and say that they cannot follow it.
async fn assert_commits_and_notices_pass(bench: &mut Bench) {
    for who in REGIONS {
        let said = notice(bench, who, 10).await;
        assert_placed(hand_one(bench, who, &said).await.unwrap());
        let commit = commit(bench, who).await;
        assert_placed(hand_one(bench, who, &commit).await.unwrap());
        if who == Toscana {
            // Umbria goes on from there. After what it says itself past its node it would take
            // itself for a copy.
            while bench.fetch(Umbria).await.unwrap() {}
        }
    }
}

async fn notice(bench: &Bench, who: Who, bytes: usize) -> Handed {
    let node = bench.node(who);
    let entry = EntryId(draw(&*node.entropy));
    let notice = Notice {
        group: bench.row(who).await.group,
        sender: who.id(),
        entry,
        kind: NoticeKind::CannotProcess,
        said_at: node.clock.now(),
        detail: vec![7; bytes],
    };
    Handed {
        entry,
        kind: EntryKind::Notice,
        epoch: Epoch(0),
        payload: notice.sign(&node.identity.key).unwrap().encode(),
        group_info: Vec::new(),
        welcome: Vec::new(),
    }
}

async fn limit(bench: &Bench, stored_bytes_max: u64) {
    let limit = Decision::Limit { entries_per_minute_max: 100_000, stored_bytes_max };
    accept::decide(bench.node(Relay), ADMIN, EQUIPE, limit).await.unwrap();
}

pub async fn too_many_in_a_call(quota: Quota) {
    let bench = Bench::ready().await;
    let good = message(&bench, Toscana).await;
    let many = |count| (0..count).map(|_| again(&bench, &good)).collect::<Vec<_>>();
    assert_refused(hand(&bench, Toscana, many(quota.count() + 1)).await, quota);
    let answer = hand(&bench, Toscana, many(quota.count())).await.unwrap();
    assert_eq!(answer.outcomes.len(), quota.count());
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
}

/// An entry that is larger than its kind may be is refused for ever.
async fn assert_too_large(bench: &Bench, quota: Quota, large: Handed) {
    let outcome = hand_one(bench, Toscana, &large).await.unwrap();
    assert_eq!(outcome, Outcome::Refused(quota.row().reason.to_owned()));
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
}

pub async fn large_message(quota: Quota) {
    let bench = Bench::ready().await;
    let good = message(&bench, Toscana).await;
    let payload = vec![0; quota.count() + 1];
    assert_too_large(&bench, quota, Handed { payload, ..good.clone() }).await;
    assert_placed(hand_one(&bench, Toscana, &good).await.unwrap());
}

pub async fn large_commit(quota: Quota) {
    let mut bench = Bench::ready().await;
    let good = commit(&mut bench, Toscana).await;
    let large = vec![0; quota.count() + 1];
    assert_too_large(&bench, quota, Handed { payload: large.clone(), ..good.clone() }).await;
    assert_too_large(&bench, quota, Handed { welcome: large, ..good.clone() }).await;
    assert_placed(hand_one(&bench, Toscana, &good).await.unwrap());
}

pub async fn large_group_info(quota: Quota) {
    let mut bench = Bench::ready().await;
    let good = commit(&mut bench, Toscana).await;
    let group_info = vec![0; quota.count() + 1];
    assert_too_large(&bench, quota, Handed { group_info, ..good.clone() }).await;
    assert_placed(hand_one(&bench, Toscana, &good).await.unwrap());
}

pub async fn large_notice(quota: Quota) {
    let bench = Bench::ready().await;
    let good = notice(&bench, Toscana, 10).await;
    let payload = vec![0; quota.count() + 1];
    assert_too_large(&bench, quota, Handed { payload, ..good.clone() }).await;
    assert_placed(hand_one(&bench, Toscana, &good).await.unwrap());
}

/// Hands in messages of a region until there is no more room.
pub async fn send_until_refused(bench: &Bench, who: Who) {
    let good = message(bench, who).await;
    while hand_again(bench, who, &good).await.is_ok() {}
}

pub async fn too_many_messages(quota: Quota) {
    let mut bench = Bench::ready().await;
    // What the founding has cost.
    bench.pass(Duration::from_secs(60));
    let (others, good) = (message(&bench, Umbria).await, message(&bench, Toscana).await);
    let mut placed = 0;
    loop {
        let some = (0..Quota::EntriesOfCall.count()).map(|_| again(&bench, &good)).collect();
        match hand(&bench, Toscana, some).await {
            // As many as there is room for are taken of the call that comes to the bound.
            Ok(answer) => placed += answer.outcomes.len(),
            refused => break assert_refused(refused, quota),
        }
    }
    assert_eq!(placed, quota.count());
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
    assert_placed(hand_one(&bench, Umbria, &others).await.unwrap());
    // A tenth of a second brings one more.
    bench.pass(Duration::from_millis(100));
    assert_placed(hand_again(&bench, Toscana, &good).await.unwrap());
    assert_refused(hand_again(&bench, Toscana, &good).await, quota);
    let commit = commit(&mut bench, Toscana).await;
    assert_placed(hand_one(&bench, Toscana, &commit).await.unwrap());
}

/// Hands in so many entries that are refused, each after work.
async fn refused_for_work(bench: &Bench, bad: &Handed, times: u64) {
    for _ in 0..times {
        let outcome = hand_one(bench, Toscana, bad).await.unwrap();
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
}

pub async fn too_many_commits(quota: Quota) {
    let mut bench = Bench::ready().await;
    bench.pass(HOUR);
    let others = commit(&mut bench, Umbria).await;
    let good = commit(&mut bench, Toscana).await;
    let bad = Handed { group_info: Vec::new(), ..good.clone() };
    refused_for_work(&bench, &bad, quota.number()).await;
    assert_refused(hand_one(&bench, Toscana, &good).await, quota);
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
    // One that is stale costs nothing, and is answered.
    let stale = hand_one(&bench, Toscana, &Handed { epoch: Epoch(0), ..bad }).await.unwrap();
    assert!(matches!(stale, Outcome::Stale { .. }), "{stale:?}");
    // Its messages pass, and so do the others' commits, which may put it out.
    assert_placed(hand_one(&bench, Umbria, &others).await.unwrap());
}

pub async fn too_many_notices(quota: Quota) {
    let bench = Bench::ready().await;
    let good = notice(&bench, Umbria, 10).await;
    let mut bad = notice(&bench, Toscana, 10).await;
    bad.payload.push(0);
    refused_for_work(&bench, &bad, quota.number()).await;
    assert_refused(hand_one(&bench, Toscana, &bad).await, quota);
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
    assert_placed(hand_one(&bench, Umbria, &good).await.unwrap());
}

/// Fills a region's share of a log of so many bytes; what the entry is refused for then.
async fn fill(bench: &Bench, stored_bytes_max: u64, quota: Quota) -> Handed {
    limit(bench, stored_bytes_max).await;
    let good = message(bench, Toscana).await;
    let each = good.payload.len() as u64;
    let share = stored_bytes_max * Quota::LogShareOfMember.number() / 100;
    let mut placed = 0;
    let refused = loop {
        match hand_again(bench, Toscana, &good).await {
            Ok(outcome) => assert_placed(outcome),
            refused => break refused,
        }
        placed += 1;
        assert!(placed * each <= share, "more than its share");
    };
    assert_refused(refused, quota);
    assert!((placed + 4) * each > share, "{placed} of {each} bytes are not its share");
    good
}

pub async fn full_of_one(quota: Quota) {
    let mut bench = Bench::ready().await;
    let others = message(&bench, Umbria).await;
    let good = fill(&bench, 1 << 20, quota).await;
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
    assert_placed(hand_one(&bench, Umbria, &others).await.unwrap());
    // What is in memory is what is on the disk.
    bench.restart(Relay).await;
    assert_refused(hand_again(&bench, Toscana, &good).await, quota);
    // Whoever reads makes room.
    while bench.fetch(Umbria).await.unwrap() {}
    let row = bench.node(Relay).store.read().await.unwrap().all_carried().await.unwrap();
    for who in REGIONS {
        let read = [(row[0].group, row[0].sequence)];
        confirm(bench.node(Relay), &who.id(), &read, 0).await.unwrap();
    }
    fill_up(&bench, &good, quota).await;
    assert_commits_and_notices_pass(&mut bench).await;
}

/// Hands in as many copies as there is room for: at least one.
async fn fill_up(bench: &Bench, good: &Handed, quota: Quota) {
    let mut placed = 0;
    loop {
        match hand_again(bench, Toscana, good).await {
            Ok(outcome) => assert_placed(outcome),
            refused => break assert_refused(refused, quota),
        }
        placed += 1;
    }
    assert!(placed > 100, "{placed}");
}

pub async fn full_of_all(quota: Quota) {
    let mut bench = Bench::ready().await;
    let others = message(&bench, Umbria).await;
    fill(&bench, 1 << 20, Quota::LogShareOfMember).await;
    // Four members would have filled it all: of a smaller one, this one has.
    limit(&bench, 256 << 10).await;
    assert_refused(hand_one(&bench, Umbria, &others).await, quota);
    assert_named(bench.node(Relay), &Umbria.id(), quota).await;
    assert_commits_and_notices_pass(&mut bench).await;
}

pub async fn reserve_of_one(quota: Quota) {
    let mut bench = Bench::ready().await;
    let others = message(&bench, Toscana).await;
    let mut bytes = 0;
    loop {
        let large = notice(&bench, Toscana, DETAIL_BYTES_MAX).await;
        let each = large.payload.len() as u64;
        match hand(&bench, Toscana, vec![large]).await {
            Ok(answer) => assert_placed(answer.outcomes[0].1.clone()),
            Err(fault) if fault.reason == "rate_limited" => {
                bench.pass(HOUR);
                continue;
            }
            refused => {
                assert!(bytes + each > quota.number(), "{bytes} is not all");
                break assert_refused(refused, quota);
            }
        }
        bytes += each;
        assert!(bytes <= quota.number(), "more than it has");
    }
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
    // Nobody else's place is taken, nor its own for messages.
    assert_placed(hand_one(&bench, Toscana, &others).await.unwrap());
    let notice = notice(&bench, Umbria, 10).await;
    assert_placed(hand_one(&bench, Umbria, &notice).await.unwrap());
    let commit = commit(&mut bench, Umbria).await;
    assert_placed(hand_one(&bench, Umbria, &commit).await.unwrap());
}

pub async fn too_many_trees(quota: Quota) {
    let bench = Bench::agreed(Rows::Memory, SUITE).await;
    found::create(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    let group = sight::row(bench.node(Toscana)).await.group;
    // What the hub kept of the group before its founding goes with it.
    bench.turn(Toscana).await.unwrap();
    let now = bench.node(Relay).clock.now();
    let mut tx = bench.node(Relay).store.write().await.unwrap();
    for epoch in 100..100 + quota.number() {
        tx.put_tree(group, Epoch(epoch), vec![1], now.plus(HOUR)).await.unwrap();
    }
    tx.commit().await.unwrap();
    // The commit that adds Umbria leaves a tree for it.
    while bench.turn(Toscana).await.unwrap() {}
    let mut tx = bench.node(Relay).store.read().await.unwrap();
    let mut kept = 0;
    for epoch in 0..100 + quota.number() {
        kept += u64::from(tx.tree(group, Epoch(epoch)).await.unwrap().is_some());
    }
    assert_eq!(kept, quota.number());
    assert_eq!(tx.tree(group, Epoch(1)).await.unwrap(), None, "the oldest goes");
}

pub async fn too_old(quota: Quota) {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 3).await;
    bench.run().await;
    let rows = async || bench.log().await.into_iter().map(|row| row.sequence).collect::<Vec<_>>();
    let all = rows().await;
    assert!(all.len() > 2);
    bench.pass(quota.span());
    trim_old(bench.node(Relay)).await.unwrap();
    assert_eq!(rows().await, all);
    bench.pass(Duration::from_millis(1));
    trim_old(bench.node(Relay)).await.unwrap();
    // The newest stays: its place is signed again.
    assert_eq!(rows().await, all[all.len() - 1..]);
    let row = bench.node(Relay).store.read().await.unwrap().all_carried().await.unwrap();
    assert_eq!((row[0].trimmed, row[0].stored_bytes), (Sequence(all.len() as u64), 0));
}

pub async fn audited_too_often(quota: Quota) {
    let mut bench = Bench::ready().await;
    let good = commit(&mut bench, Toscana).await;
    let bad = Handed { group_info: Vec::new(), ..good };
    refused_for_work(&bench, &bad, quota.number() + 5).await;
    let records = bench.node(Relay).store.read().await.unwrap().audit_after(0, 10_000).await;
    let refused = |action: &str| action == "hub.commit_refused";
    let of_it = records.unwrap().into_iter().filter(|record| refused(&record.event.action));
    assert_eq!(of_it.count(), quota.count());
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
}
