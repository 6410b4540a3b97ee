//! A change that nobody but its maker can process: the others hold it for void, go on where
//! they stood, and the maker joins again.

use std::collections::BTreeSet;

use raccordo_core::id::{ObjectId, Sequence};
use raccordo_core::ledger::LedgerScope;
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::hub::read_log::{LogAfter, read_log};
use raccordo_node::app::receive::{Batch, Received, receive};
use raccordo_node::app::rejoin::{approve, request};
use raccordo_node::app::update_keys::update_keys;
use raccordo_node::app::void::ask::ask;
use raccordo_node::store::hub::LogRow;
use raccordo_node::store::ledger::LedgerRow;
use raccordo_node::store::memory::CrashPoint;

use crate::bench::{ADMIN, sight};
use crate::many::{EQUIPE, HUB, Many, id};

/// The maker of every change here.
const MAKER: usize = 0;
/// A story with more commits than this is not what it was.
const COMMITS_MAX: u64 = 100;

/// What a disk has lost.
type Lost = Vec<(usize, Vec<LedgerRow>)>;

/// Takes the keys from these members that open the paths of commits, as a damaged disk or a
/// program with a fault would.
async fn blind(many: &mut Many, members: &[usize]) -> Lost {
    let mut lost = Lost::new();
    for member in members {
        let scope = LedgerScope::Group(many.row(*member).await.group).to_string();
        let mut tx = many.node(*member).store.write().await.unwrap();
        let rows = tx.ledger(&scope).await.unwrap();
        let keys: Vec<_> = rows.into_iter().filter(|row| row.kind == "epoch_key_pairs").collect();
        assert!(!keys.is_empty());
        for row in &keys {
            tx.delete_ledger(&scope, &row.kind, &row.key).await.unwrap();
        }
        tx.commit().await.unwrap();
        lost.push((*member, keys));
        many.restart(*member).await;
    }
    lost
}

async fn heal(many: &mut Many, lost: Lost) {
    for (member, rows) in lost {
        let mut tx = many.node(member).store.write().await.unwrap();
        tx.put_ledger(&rows).await.unwrap();
        tx.commit().await.unwrap();
        many.restart(member).await;
    }
}

/// Codes of what a node's doctor finds.
async fn found(many: &Many, member: usize) -> Vec<String> {
    doctor(many.node(member)).await.unwrap().into_iter().map(|found| found.code).collect()
}

/// The maker's change stands in the log, and these cannot process it; all have shared before
/// it and after it.
async fn stray(many: &mut Many, blinded: &[usize], shared: &mut BTreeSet<ObjectId>) {
    let everybody = || (0..).take_while(|member| *member <= *blinded.iter().max().unwrap());
    for member in everybody() {
        shared.extend(many.share(member, 1).await);
    }
    many.run().await;
    let lost = blind(many, blinded).await;
    update_keys(many.node(MAKER), ADMIN, EQUIPE).await.unwrap();
    // The maker alone, so that nobody asks for a commit of its own first.
    many.send(MAKER).await.unwrap();
    many.fetch(MAKER).await.unwrap();
    for member in blinded {
        many.fetch(*member).await.unwrap();
        assert_eq!(many.alarms(*member).await, ["commit_unprocessable"]);
    }
    heal(many, lost).await;
    shared.extend(many.share(MAKER, 2).await);
    many.run().await;
    for member in blinded {
        shared.extend(many.share(*member, 1).await);
    }
    many.run().await;
}

/// Everybody is in, stands alike, sees everything, and nothing is wrong.
async fn assert_well(many: &Many, members: usize, shared: &BTreeSet<ObjectId>) {
    let first = many.row(0).await;
    for member in 0..members {
        let (row, name) = (many.row(member).await, id(member));
        assert_eq!(row.state, "active", "{name}");
        sight::assert_same(&first, &row, name.as_str());
        assert_eq!(many.alarms(member).await, Vec::<String>::new(), "{name}");
        assert_eq!(many.seen(member).await, *shared, "{name}");
        let mut tx = many.node(member).store.read().await.unwrap();
        assert_eq!(tx.unaccepted_envelopes(row.lineage).await.unwrap(), 0, "{name}");
        assert_eq!(many.members(member).await.len(), members, "{name}");
    }
}

#[tokio::test]
async fn all_others_go_on_and_the_maker_joins_again() {
    let mut many = Many::founded(4, 4).await;
    let mut shared = BTreeSet::new();
    stray(&mut many, &[1, 2, 3], &mut shared).await;
    let before = many.row(1).await.epoch;
    for member in 1..4 {
        assert!(found(&many, member).await.contains(&"commit_to_void".to_owned()));
        assert_eq!(many.row(member).await.state, "active");
    }
    for member in [1, 2] {
        ask(many.node(member), ADMIN, EQUIPE).await.unwrap();
        ask(many.node(member), ADMIN, EQUIPE).await.unwrap();
        many.run().await;
        assert!(found(&many, member).await.contains(&"commit_void_waits".to_owned()));
    }
    assert!(found(&many, MAKER).await.contains(&"own_commit_doubted".to_owned()));
    assert_eq!(many.row(MAKER).await.state, "active");
    assert_eq!(many.row(1).await.epoch, before);
    let before_last = many.row(1).await.sequence;
    ask(many.node(3), ADMIN, EQUIPE).await.unwrap();
    many.run().await;

    assert_eq!(many.row(MAKER).await.state, "needs_rejoin");
    assert!(many.row(1).await.epoch > before, "the others go on");
    for member in 1..4 {
        assert_eq!(many.alarms(member).await, ["notice_rejoin_request"], "{member}");
    }
    approve::approve(many.node(2), ADMIN, EQUIPE, &id(MAKER)).await.unwrap();
    many.run().await;
    shared.extend(many.share(MAKER, 1).await);
    many.run().await;
    assert_well(&many, 4, &shared).await;
    shared.extend(read_again(&mut many, before_last).await);
    assert_well(&many, 4, &shared).await;
    let relay = many.audited(many.relay()).await;
    assert!(relay.contains(&"hub.commit_void".to_owned()));
    for member in 0..4 {
        let audited = many.audited(many.node(member)).await;
        assert!(audited.contains(&"equipe.commit_void".to_owned()), "{member}");
    }
}

/// A member gets what is new once more with all that it has read since some place, as after a
/// lost connection. The notice that ended the doubt is in it, and raises no doubt again.
async fn read_again(many: &mut Many, after: Sequence) -> Vec<ObjectId> {
    let shared = many.share(MAKER, 1).await;
    many.send(MAKER).await.unwrap();
    let row = many.row(1).await;
    let read = read_log(many.relay(), &id(1), row.group, after).await.unwrap();
    let LogAfter::Batch(entries, checkpoint) = read else { panic!("trimmed") };
    let entries: Vec<_> = entries.into_iter().map(LogRow::entry).collect();
    let (first, last) = (entries.first().unwrap().sequence, entries.last().unwrap().sequence);
    assert!(first <= row.sequence && row.sequence < last, "{first} {} {last}", row.sequence);
    let batch = Batch { group: row.group, entries, checkpoint };
    assert_eq!(receive(many.node(1), &batch).await, Ok(Received::At(last)));
    many.run().await;
    shared
}

/// The last of the others says so, the maker is approved, and one node crashes at each of
/// its commits.
#[tokio::test]
async fn crashes_while_a_change_is_void() {
    let mut many = Many::founded(3, 3).await;
    let mut shared = BTreeSet::new();
    stray(&mut many, &[1, 2], &mut shared).await;
    ask(many.node(1), ADMIN, EQUIPE).await.unwrap();
    many.run().await;
    let disks = many.disks();
    for victim in [MAKER, 1, 2, HUB] {
        for commit in 1..COMMITS_MAX {
            many.put_all_back(&disks).await;
            let life = many.life(victim);
            let point =
                if commit % 2 == 0 { CrashPoint::BeforeCommit } else { CrashPoint::AfterCommit };
            many.disk(victim).crash_after(commit, point);
            many.act(2, async |node| ask(node, ADMIN, EQUIPE).await).await;
            many.run().await;
            assert_eq!(many.row(MAKER).await.state, "needs_rejoin", "{victim} {commit}");
            let maker = id(MAKER);
            many.act(1, async |node| match approve::approve(node, ADMIN, EQUIPE, &maker).await {
                // Approved before the crash, and followed already.
                Err(fault) if fault.reason == "no_such_request" => Ok(()),
                done => done.map(drop),
            })
            .await;
            many.run().await;
            assert_well(&many, 3, &shared).await;
            if many.life(victim) == life {
                assert!(commit > 2, "{victim} crashed nowhere");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_change_that_another_has_followed_stands() {
    let mut many = Many::founded(3, 3).await;
    let mut shared = BTreeSet::new();
    for member in 0..3 {
        shared.extend(many.share(member, 1).await);
    }
    many.run().await;
    let lost = blind(&mut many, &[1]).await;
    update_keys(many.node(MAKER), ADMIN, EQUIPE).await.unwrap();
    many.run().await;
    heal(&mut many, lost).await;
    shared.extend(many.share(2, 1).await);
    many.run().await;
    assert!(found(&many, 1).await.contains(&"commit_followed".to_owned()));
    let refused = ask(many.node(1), ADMIN, EQUIPE).await.unwrap_err();
    assert_eq!(refused.reason, "commit_followed");
    let nothing = ask(many.node(2), ADMIN, EQUIPE).await.unwrap_err();
    assert_eq!(nothing.reason, "nothing_to_void");
    request::ask(many.node(1), ADMIN, EQUIPE).await.unwrap();
    many.run().await;
    approve::approve(many.node(2), ADMIN, EQUIPE, &id(1)).await.unwrap();
    many.run().await;
    for member in 0..3 {
        assert_eq!(many.seen(member).await, shared, "{member}");
        assert_eq!(many.row(member).await.state, "active", "{member}");
    }
}

#[tokio::test]
async fn one_other_cannot_decide_alone() {
    let mut many = Many::founded(2, 2).await;
    stray(&mut many, &[1], &mut BTreeSet::new()).await;
    let refused = ask(many.node(1), ADMIN, EQUIPE).await.unwrap_err();
    assert_eq!(refused.reason, "too_few_members");
    assert!(found(&many, 1).await.contains(&"commit_not_followed".to_owned()));
    let own = ask(many.node(MAKER), ADMIN, EQUIPE).await.unwrap_err();
    assert_eq!(own.reason, "nothing_to_void");
}
