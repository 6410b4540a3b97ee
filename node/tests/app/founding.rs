//! From strangers to an équipe.

use std::time::Duration;

use raccordo_core::crypto::Suite;
use raccordo_core::id::{Epoch, Sequence};
use raccordo_core::object::Kind;
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::hub::confirm::confirm;
use raccordo_node::app::hub::read_log::{LogAfter, read_log};
use raccordo_node::app::hub::trim::trim_old;
use raccordo_node::app::status::status;
use raccordo_node::app::{audit_chain, found, pacts};

use crate::bench::{ADMIN, Bench, EQUIPE, REGIONS, Relay, Rows, Toscana, Umbria};

async fn check(rows: Rows, suite: Suite) {
    let bench = Bench::founded(rows, suite).await;
    bench.assert_agreement().await;
    for who in REGIONS {
        let row = bench.row(who).await;
        assert_eq!((row.state.as_str(), row.suite), ("active", suite.number()));
        assert!(row.epoch > Epoch(0) && row.sequence > Sequence(0));
        let status = status(bench.node(who)).await.unwrap();
        let equipe = &status.equipes[0];
        assert_eq!((equipe.sending.as_str(), equipe.statement_version), ("open", 1));
        assert_eq!(equipe.members.len(), 2);
        assert!(equipe.members.iter().all(|member| member.joined), "{who:?}");
        audit_chain::verify_chain(bench.node(who)).await.unwrap();
    }
    audit_chain::verify_chain(bench.node(Relay)).await.unwrap();
}

#[tokio::test]
async fn founded_in_memory_hybrid() {
    check(Rows::Memory, Suite::Hybrid).await;
}

#[tokio::test]
async fn founded_in_memory_classical() {
    check(Rows::Memory, Suite::Classical).await;
}

#[tokio::test]
async fn founded_on_sqlite_hybrid() {
    check(Rows::Sqlite, Suite::Hybrid).await;
}

#[tokio::test]
async fn founded_on_sqlite_classical() {
    check(Rows::Sqlite, Suite::Classical).await;
}

#[tokio::test]
async fn the_doctor_names_the_next_step() {
    let mut bench = Bench::acquainted(Rows::Memory).await;
    let codes = async |bench: &Bench, who| -> Vec<String> {
        let found = doctor(bench.node(who)).await.unwrap();
        let codes = found.into_iter().map(|finding| finding.code);
        codes.filter(|code| code != "hub_not_connected").collect()
    };
    bench.sign_and_propose(Suite::Classical).await;
    bench.run().await;
    assert_eq!(codes(&bench, Toscana).await, ["pact_unsigned"]);
    assert_eq!(codes(&bench, Umbria).await, ["pact_to_sign"]);
    let source = pacts::Source::Named(EQUIPE.into());
    pacts::sign(bench.node(Umbria), ADMIN, source).await.unwrap();
    bench.run().await;
    assert_eq!(codes(&bench, Toscana).await, ["hub_to_accept"]);
    assert_eq!(codes(&bench, Relay).await, ["equipe_to_accept"]);
    assert_eq!(codes(&bench, Umbria).await, ["equipe_not_created"]);
}

#[tokio::test]
async fn creation_waits_for_signatures_and_hub() {
    let mut bench = Bench::acquainted(Rows::Memory).await;
    let reason = async |bench: &Bench, who| {
        found::create(bench.node(who), ADMIN, EQUIPE).await.unwrap_err().reason
    };
    assert_eq!(reason(&bench, Toscana).await, "no_such_pact");
    bench.sign_and_propose(Suite::Classical).await;
    assert_eq!(reason(&bench, Toscana).await, "signatures_missing");
    bench.run().await;
    assert_eq!(reason(&bench, Umbria).await, "not_the_chair");
    let source = pacts::Source::Named(EQUIPE.into());
    pacts::sign(bench.node(Umbria), ADMIN, source).await.unwrap();
    bench.run().await;
    assert_eq!(reason(&bench, Toscana).await, "hub_not_accepted");
    let bench = Bench::founded(Rows::Memory, Suite::Classical).await;
    assert_eq!(reason(&bench, Toscana).await, "already_created");
}

#[tokio::test]
async fn the_hub_forgets_what_all_have_confirmed() {
    let bench = Bench::ready().await;
    let group = bench.row(Toscana).await.group;
    for who in REGIONS {
        let at = bench.row(who).await.sequence;
        confirm(bench.node(Relay), &who.id(), &[(group, at)], 0).await.unwrap();
    }
    let mut tx = bench.node(Relay).store.read().await.unwrap();
    let carried = tx.carried_group(group).await.unwrap().unwrap();
    assert_eq!(carried.trimmed, carried.sequence);
    let kept = tx.log_after(group, Sequence(0), 10, 1 << 20).await.unwrap();
    assert!(kept.iter().all(|entry| entry.payload.is_empty()));
    let after = read_log(bench.node(Relay), &Umbria.id(), group, Sequence(0)).await.unwrap();
    assert_eq!(after, LogAfter::Ended("trimmed"));
}

#[tokio::test]
async fn the_hub_forgets_what_is_too_old_for_whoever_stayed_away() {
    let bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 2).await;
    bench.send(Toscana).await.unwrap();
    bench.fetch(Toscana).await.unwrap();
    bench.send(Toscana).await.unwrap();
    assert_eq!(trim_old(bench.node(Relay)).await.unwrap(), 0);
    // The examples' age limit is 90 days.
    bench.pass(Duration::from_secs(91 * 24 * 3600));
    let (group, away) = (bench.row(Umbria).await.group, bench.row(Umbria).await.sequence);
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.send(Toscana).await.unwrap();
    assert!(trim_old(bench.node(Relay)).await.unwrap() > 0);
    assert_eq!(trim_old(bench.node(Relay)).await.unwrap(), 0);
    let after = read_log(bench.node(Relay), &Umbria.id(), group, away).await.unwrap();
    assert_eq!(after, LogAfter::Ended("trimmed"));
    let carried = bench.node(Relay).store.read().await.unwrap().carried_group(group).await;
    let carried = carried.unwrap().unwrap();
    assert!(carried.trimmed < carried.sequence, "what is new stays");
    audit_chain::verify_chain(bench.node(Relay)).await.unwrap();
}

#[tokio::test]
async fn a_proposal_may_come_before_the_phone_call() {
    let mut bench = Bench::strangers(Rows::Memory).await;
    for (who, peer) in [(Toscana, Relay), (Relay, Toscana), (Umbria, Relay), (Relay, Umbria)] {
        bench.introduce(who, peer).await;
        bench.verify(who, peer).await;
    }
    bench.introduce(Toscana, Umbria).await;
    bench.verify(Toscana, Umbria).await;
    bench.introduce(Umbria, Toscana).await;
    bench.sign_and_propose(Suite::Classical).await;
    bench.run().await;
    let sign = async |bench: &Bench| {
        let signed =
            pacts::sign(bench.node(Umbria), ADMIN, pacts::Source::Named(EQUIPE.into())).await;
        signed.map(drop).map_err(|fault| fault.reason)
    };
    assert_eq!(sign(&bench).await, Err("party_not_verified"));
    bench.verify(Umbria, Toscana).await;
    assert_eq!(sign(&bench).await, Ok(()));
}
