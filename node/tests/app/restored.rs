//! Backups of different ages, copies of a disk that both live, disks put back: nothing is
//! encrypted twice (which the bench checks of whatever leaves a node), the second copy falls
//! silent, and what was acknowledged is there.

use raccordo_core::crypto::Suite;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::object::Kind;
use raccordo_node::app::audit_chain;
use raccordo_node::app::delivery::State;
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::rejoin::{approve, request};
use raccordo_node::app::withdraw::withdraw;

use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Rows, Toscana, Umbria, Who};

/// Codes of what the doctor finds at a node.
async fn findings(bench: &Bench, who: Who) -> Vec<String> {
    doctor(bench.node(who)).await.unwrap().into_iter().map(|found| found.code).collect()
}

async fn approved(bench: &mut Bench, by: Who, who: &NodeId) {
    approve::approve(bench.node(by), ADMIN, EQUIPE, who).await.unwrap();
    bench.run().await;
}

fn active(listed: &[raccordo_node::app::alerts::AlertView], origin: &NodeId) -> Vec<ObjectId> {
    let of = listed.iter().filter(|view| view.row.origin == *origin && view.row.state == "active");
    of.map(|view| view.row.object).collect()
}

/// Umbria's machine burns after a backup that is `rounds` rounds of work old.
async fn check_age(rounds_before: usize, rounds_after: usize) {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("umbria.backup");
    let mut bench = Bench::founded(Rows::Sqlite, Suite::Classical).await;
    let (mut of_toscana, mut of_umbria) = (Vec::new(), Vec::new());
    for round in 0..rounds_before + rounds_after {
        if round == rounds_before {
            bench.backup(Umbria, &file).await;
        }
        of_toscana.extend(bench.share_samples(Toscana, Kind::Case, 2).await);
        of_umbria.extend(bench.share_samples(Umbria, Kind::Company, 1).await);
        bench.run().await;
    }
    if rounds_after == 0 {
        bench.backup(Umbria, &file).await;
    }
    // Ended while the backup did not see it.
    let ended = of_toscana.remove(0);
    let reason = bench.node(Toscana).lists.list("withdrawal_reason").unwrap();
    let reason = reason.entries().first().unwrap().code.clone();
    withdraw(bench.node(Toscana), bench.operator(Toscana), ended, &reason).await.unwrap();
    bench.run().await;

    let burnt = {
        let place = bench.restored(Umbria, &file).await;
        bench.exchange(Umbria, place)
    };
    drop(burnt);
    assert_eq!(bench.row(Umbria).await.state, "needs_rejoin");
    assert_eq!(bench.alarms(Umbria).await, ["needs_rejoin"]);
    assert!(findings(&bench, Umbria).await.contains(&"needs_rejoin".to_owned()));
    let refused = bench.share(Umbria, bench.samples(Umbria, Kind::Case, 1)).await.unwrap_err();
    assert_eq!(refused.reason, "equipe_not_active");
    let before = bench.log().await.len();
    bench.run().await;
    let log = bench.log().await;
    assert_eq!(log.len(), before + 1, "only the request");
    assert_eq!(log.last().unwrap().kind, EntryKind::Notice);
    assert!(findings(&bench, Toscana).await.contains(&"rejoin_to_approve".to_owned()));

    // What is shared meanwhile is for it, too.
    of_toscana.extend(bench.share_samples(Toscana, Kind::Case, 1).await);
    bench.run().await;
    approved(&mut bench, Toscana, &Umbria.id()).await;
    assert_eq!(bench.row(Umbria).await.state, "active");
    of_umbria.extend(bench.share_samples(Umbria, Kind::Company, 1).await);
    of_toscana.extend(bench.share_samples(Toscana, Kind::Case, 1).await);
    bench.run().await;

    bench.assert_agreement().await;
    let (mut there, mut expected) =
        (active(&bench.listed(Umbria).await, &Toscana.id()), of_toscana.clone());
    there.sort_unstable();
    expected.sort_unstable();
    assert_eq!(there, expected);
    let known = bench.listed(Umbria).await;
    let gone = known.iter().find(|view| view.row.object == ended);
    assert!(gone.is_none_or(|view| view.row.state == "withdrawn" && view.share.is_none()));
    assert_eq!(active(&bench.listed(Toscana).await, &Umbria.id()), of_umbria);
    for object in of_toscana {
        assert_eq!(bench.seen(Toscana, object).await.delivery.state, State::Delivered);
    }
    audit_chain::verify_chain(bench.node(Umbria)).await.unwrap();
    assert!(!findings(&bench, Toscana).await.contains(&"rejoin_to_approve".to_owned()));
}

#[tokio::test]
async fn a_fresh_backup_comes_back() {
    check_age(2, 0).await;
}

#[tokio::test]
async fn a_backup_of_yesterday_comes_back() {
    check_age(1, 2).await;
}

#[tokio::test]
async fn a_backup_from_before_the_first_alert_comes_back() {
    check_age(0, 2).await;
}

#[tokio::test]
async fn what_waited_in_a_backup_is_sent_and_shown_once() {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("umbria.backup");
    let mut bench = Bench::founded(Rows::Sqlite, Suite::Classical).await;
    let mut shared = bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    // Encrypted and stored, and not sent yet.
    shared.extend(bench.share_samples(Umbria, Kind::Case, 2).await);
    bench.backup(Umbria, &file).await;
    let place = bench.restored(Umbria, &file).await;
    // The old machine still sends it before it burns.
    bench.run().await;
    assert_eq!(active(&bench.listed(Toscana).await, &Umbria.id()), shared);
    drop(bench.exchange(Umbria, place));
    bench.run().await;
    approved(&mut bench, Toscana, &Umbria.id()).await;
    bench.assert_agreement().await;
    assert_eq!(active(&bench.listed(Toscana).await, &Umbria.id()), shared);
    for object in shared {
        assert_eq!(bench.seen(Umbria, object).await.delivery.state, State::Delivered);
    }
}

#[tokio::test]
async fn a_backup_shows_no_identifier() {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("umbria.backup");
    let bench = Bench::founded(Rows::Sqlite, Suite::Classical).await;
    bench.share_samples(Umbria, Kind::Case, 3).await;
    bench.backup(Umbria, &file).await;
    let bytes = std::fs::read(&file).unwrap();
    for canary in ["umbria", "Anna", "PUA", "toscana", "envelope", "signed_card"] {
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{canary}");
    }
}

#[tokio::test]
async fn of_two_living_copies_the_second_falls_silent() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Umbria, Kind::Case, 2).await;
    bench.run().await;
    let copy = bench.copied(Umbria).await;
    bench.restart(Umbria).await;

    // The first goes on; the second starts, has something to say, and says nothing.
    let first = bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    let original = bench.exchange(Umbria, copy);
    bench.share_samples(Umbria, Kind::Case, 1).await;
    let before = bench.log().await.len();
    bench.run().await;
    assert_eq!(bench.row(Umbria).await.state, "quarantined");
    assert_eq!(bench.alarms(Umbria).await, ["own_entry_unknown"]);
    assert!(findings(&bench, Umbria).await.contains(&"quarantined".to_owned()));
    bench.restart(Umbria).await;
    bench.run().await;
    assert_eq!(bench.log().await.len(), before, "the copy has said nothing");

    // The first never noticed.
    let copy = bench.exchange(Umbria, original);
    let more = bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    bench.assert_agreement().await;
    let there = active(&bench.listed(Toscana).await, &Umbria.id());
    assert!(first.iter().chain(&more).all(|object| there.contains(object)));

    // The administrator decides for the copy: then the first falls silent.
    let original = bench.exchange(Umbria, copy);
    request::ask(bench.node(Umbria), ADMIN, EQUIPE).await.unwrap();
    bench.run().await;
    let copy = bench.exchange(Umbria, original);
    bench.run().await;
    assert_eq!(bench.row(Umbria).await.state, "quarantined");
    drop(bench.exchange(Umbria, copy));
    approved(&mut bench, Toscana, &Umbria.id()).await;
    assert_eq!(bench.row(Umbria).await.state, "active");
    bench.assert_agreement().await;
}

#[tokio::test]
async fn a_disk_put_back_is_noticed_before_it_encrypts() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    let earlier = bench.disk(Umbria).snapshot();
    bench.share_samples(Umbria, Kind::Case, 2).await;
    let lost = bench.share_samples(Toscana, Kind::Case, 2).await;
    bench.run().await;

    bench.disk(Umbria).restore(&earlier);
    bench.restart(Umbria).await;
    let again = bench.share_samples(Umbria, Kind::Case, 1).await;
    let before = bench.log().await.len();
    bench.run().await;
    assert_eq!(bench.row(Umbria).await.state, "quarantined");
    // At most the commit that comes before whatever is encrypted.
    let log = bench.log().await;
    assert!(log.iter().skip(before).all(|row| row.kind == EntryKind::Commit));
    assert!(log.len() <= before + 1);

    request::ask(bench.node(Umbria), ADMIN, EQUIPE).await.unwrap();
    bench.run().await;
    approved(&mut bench, Toscana, &Umbria.id()).await;
    bench.assert_agreement().await;
    let there = active(&bench.listed(Umbria).await, &Toscana.id());
    assert!(lost.iter().all(|object| there.contains(object)));
    assert!(active(&bench.listed(Toscana).await, &Umbria.id()).contains(&again[0]));
}

#[tokio::test]
async fn who_may_approve_and_what() {
    let mut bench = Bench::ready().await;
    let refusal = |fault: raccordo_node::app::fault::Fault| fault.reason;
    let (umbria, toscana) = (Umbria.id(), Toscana.id());
    let tried = approve::approve(bench.node(Toscana), ADMIN, EQUIPE, &umbria).await;
    assert_eq!(tried.unwrap_err().reason, "no_such_request");
    let tried = request::ask(bench.node(Umbria), ADMIN, EQUIPE).await;
    assert_eq!(tried.unwrap_err().reason, "nothing_lost");

    let earlier = bench.disk(Umbria).snapshot();
    bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    bench.disk(Umbria).restore(&earlier);
    bench.restart(Umbria).await;
    bench.run().await;
    request::ask(bench.node(Umbria), ADMIN, EQUIPE).await.unwrap();
    bench.run().await;
    let own = approve::approve(bench.node(Umbria), ADMIN, EQUIPE, &umbria).await;
    assert_eq!(own.map_err(refusal), Err("own_request"));
    let absent = approve::approve(bench.node(Umbria), ADMIN, EQUIPE, &toscana).await;
    assert_eq!(absent.map_err(refusal), Err("equipe_not_active"));
    approved(&mut bench, Toscana, &umbria).await;
    // Followed once, it is no request any more.
    let again = approve::approve(bench.node(Toscana), ADMIN, EQUIPE, &umbria).await;
    assert_eq!(again.map_err(refusal), Err("no_such_request"));
    bench.assert_agreement().await;
    assert!(bench.node(Relay).store.read().await.unwrap().equipes().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_approval_that_is_refused_calls_for_no_commit() {
    let mut bench = Bench::ready().await;
    let (lineage, umbria) = (bench.lineage().await, Umbria.id());
    let earlier = bench.disk(Umbria).snapshot();
    bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    bench.disk(Umbria).restore(&earlier);
    bench.restart(Umbria).await;
    bench.run().await;
    request::ask(bench.node(Umbria), ADMIN, EQUIPE).await.unwrap();
    bench.run().await;
    let store = bench.node(Toscana).store.clone();
    let asked = store.read().await.unwrap().rejoins(lineage).await.unwrap();
    approved(&mut bench, Toscana, &umbria).await;
    // As if a copy of Umbria had been first: the leaf that it names is gone.
    let mut tx = store.write().await.unwrap();
    tx.put_rejoin(asked[0].clone()).await.unwrap();
    tx.commit().await.unwrap();
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    let epoch = bench.row(Toscana).await.epoch;
    let refused = approve::approve(bench.node(Toscana), ADMIN, EQUIPE, &umbria).await;
    assert_eq!(refused.unwrap_err().reason, "request_overtaken");
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    assert_eq!(bench.row(Toscana).await.epoch, epoch);
    bench.assert_agreement().await;
}
