//! The end of the audit chain goes out: to the others, who keep it, so that a chain that was
//! computed anew is found.

use std::time::Duration;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::audit::{AuditHead, SignedAuditHead};
use raccordo_core::envelope::Body;
use raccordo_core::id::Digest;
use raccordo_core::object::Kind;
use raccordo_node::app::audit_chain::{HeldAgainst, note_export, verify_against, verify_chain};
use raccordo_node::app::audit_heads::{export, own_head};
use raccordo_node::app::heartbeat::beat;
use raccordo_node::store::audit_head::{AuditHeadRow, HeadPart};

use crate::bench::{ADMIN, Bench, Toscana, Umbria, Who};
use crate::refused_by_members::{lie, own_lie};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn head(bench: &Bench, who: Who) -> AuditHead {
    own_head(&mut *bench.node(who).store.read().await.unwrap()).await.unwrap()
}

/// What Umbria keeps of Toscana.
async fn kept(bench: &Bench) -> Vec<AuditHeadRow> {
    let mut tx = bench.node(Umbria).store.read().await.unwrap();
    tx.audit_heads(&Toscana.id()).await.unwrap()
}

/// As it would be sent to Toscana's administrator.
async fn lines(bench: &Bench) -> Vec<String> {
    export(bench.node(Umbria), Some(&Toscana.id())).await.unwrap()
}

/// Toscana says where its chain ends, once for a heartbeat.
async fn told(bench: &mut Bench) {
    bench.pass(MINUTE * 16);
    beat(bench.node(Toscana)).await.unwrap();
    bench.run().await;
}

async fn spoken() -> Bench {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench
}

async fn audited(bench: &Bench, who: Who, times: usize) {
    for _ in 0..times {
        note_export(bench.node(who), ADMIN).await.unwrap();
    }
}

#[tokio::test]
async fn the_end_of_the_chain_goes_out_with_heartbeats_and_is_kept() {
    let mut bench = spoken().await;
    assert_eq!(kept(&bench).await, []);
    told(&mut bench).await;
    let now = head(&bench, Toscana).await;
    let rows = kept(&bench).await;
    let parts: Vec<_> = rows.iter().map(|row| (row.part, row.signed.head)).collect();
    assert_eq!(parts, [(HeadPart::First, now), (HeadPart::Newest, now)]);
    // A chain that has not grown says nothing more, and a heartbeat is never receipted.
    told(&mut bench).await;
    assert_eq!(kept(&bench).await, rows);
    audited(&bench, Toscana, 3).await;
    told(&mut bench).await;
    let later = head(&bench, Toscana).await;
    let parts: Vec<_> = kept(&bench).await.iter().map(|row| (row.part, row.signed.head)).collect();
    assert_eq!(parts, [(HeadPart::First, now), (HeadPart::Newest, later)]);
    bench.assert_agreement().await;
    let held = verify_against(bench.node(Toscana), &lines(&bench).await).await;
    assert_eq!(held, Ok(HeldAgainst { head: later, borne_out: 2, passed_over: 0 }));
}

/// A node that never has to say that it is there tells all the same.
#[tokio::test]
async fn who_is_never_silent_tells_too() {
    let mut bench = spoken().await;
    for _ in 0..4 {
        bench.pass(MINUTE * 5);
        bench.share_samples(Toscana, Kind::Case, 1).await;
        bench.run().await;
        beat(bench.node(Toscana)).await.unwrap();
        bench.run().await;
    }
    assert!(!kept(&bench).await.is_empty());
    bench.assert_agreement().await;
}

#[tokio::test]
async fn the_first_of_each_day_stays() {
    let mut bench = spoken().await;
    for _ in 0..3 {
        for _ in 0..2 {
            audited(&bench, Toscana, 1).await;
            told(&mut bench).await;
        }
        bench.pass(DAY - MINUTE * 32);
    }
    let rows = kept(&bench).await;
    let firsts = rows.iter().filter(|row| row.part == HeadPart::First).count();
    assert_eq!((firsts, rows.len()), (3, 6));
}

/// The database of a node is put back, and something else is recorded: the chain is whole by
/// itself, and what it signed before is not in it.
#[tokio::test]
async fn a_chain_that_was_computed_anew_is_found() {
    let mut bench = spoken().await;
    let earlier = bench.disk(Toscana).snapshot();
    audited(&bench, Toscana, 5).await;
    told(&mut bench).await;
    let lines = lines(&bench).await;
    let signed = head(&bench, Toscana).await;
    bench.disk(Toscana).restore(&earlier);
    bench.restart(Toscana).await;
    let node = bench.node(Toscana);
    let short = verify_chain(node).await.unwrap();
    assert!(short.sequence < signed.sequence);
    let cut = verify_against(node, &lines).await.unwrap_err();
    assert_eq!(cut.reason, "chain_contradicted");
    assert!(cut.message.contains(&format!("record {}", signed.sequence)), "{cut}");
    assert!(cut.message.contains(&format!("ends at record {}", short.sequence)), "{cut}");
    audited(&bench, Toscana, 9).await;
    let node = bench.node(Toscana);
    assert!(verify_chain(node).await.unwrap().sequence > signed.sequence);
    let rewritten = verify_against(node, &lines).await.unwrap_err();
    assert_eq!(rewritten.reason, "chain_contradicted");
    assert!(rewritten.message.contains("has another one there"), "{rewritten}");
}

/// What others say of a chain, or what is not signed by its node, brings it into no doubt.
#[tokio::test]
async fn nobody_else_can_contradict_a_chain() {
    let bench = spoken().await;
    let node = bench.node(Toscana);
    let head = AuditHead { sequence: 1, hash: Digest([7; 32]) };
    let now = node.clock.now();
    let forged = |node, key| SignedAuditHead::sign(node, head, now, key).to_line().unwrap();
    let stranger = &bench.node(Umbria).identity.key;
    let lines = [forged(Toscana.id(), stranger), forged(Umbria.id(), stranger)];
    let held = verify_against(node, &lines).await.unwrap();
    assert_eq!((held.borne_out, held.passed_over), (0, 2));
    let own = forged(Toscana.id(), &node.identity.key);
    let found = verify_against(node, &[own]).await.unwrap_err();
    assert_eq!(found.reason, "chain_contradicted");
    let none = verify_against(node, &["{}".to_owned()]).await.unwrap_err();
    assert_eq!(none.reason, "bad_audit_head");
}

#[tokio::test]
async fn only_its_node_says_where_a_chain_ends() {
    let bench = spoken().await;
    let now = bench.node(Toscana).clock.now();
    let head = AuditHead { sequence: 9, hash: Digest([7; 32]) };
    for (name, by) in [(Toscana, Umbria), (Umbria, Umbria), (Umbria, Toscana)] {
        let key = &bench.node(by).identity.key;
        let body = Body::AuditHead(SignedAuditHead::sign(name.id(), head, now, key));
        let place = lie(&bench, |_, envelope| envelope.body = body).await;
        bench.fetch(Umbria).await.unwrap();
        let aside = bench.set_aside(Umbria).await;
        assert_eq!(aside.last(), Some(&(place, "bad_audit_head".to_owned())), "{name:?} {by:?}");
    }
    assert_eq!(kept(&bench).await, []);
}

/// A chain that goes back is told, and what it was before stays; a rewritten one that goes on
/// pushes nothing out.
#[tokio::test]
async fn a_chain_that_goes_back_is_told_and_what_it_was_stays() {
    let bench = spoken().await;
    let node = bench.node(Toscana);
    let heads = [(50, 1), (50, 2), (51, 3), (60, 4), (40, 5)];
    for (sequence, hash) in heads {
        let head = AuditHead { sequence, hash: Digest([hash; 32]) };
        let now = node.clock.now();
        let signed = SignedAuditHead::sign(Toscana.id(), head, now, &node.identity.key);
        own_lie(&bench, |_, envelope| envelope.body = Body::AuditHead(signed)).await;
    }
    bench.fetch(Umbria).await.unwrap();
    let lineage = bench.lineage().await;
    let alarms = bench.node(Umbria).store.read().await.unwrap().alarms(lineage).await.unwrap();
    assert_eq!(alarms.len(), 1);
    assert_eq!((alarms[0].code, alarms[0].holds()), (AlarmCode::AuditWentBack, false));
    assert_eq!(alarms[0].member, Some(Toscana.id()));
    let rows = kept(&bench).await;
    let kept: Vec<_> =
        rows.iter().map(|row| (row.part, row.signed.head.sequence, row.signed.head.hash)).collect();
    assert_eq!(
        kept,
        [
            (HeadPart::First, 50, Digest([1; 32])),
            (HeadPart::Contradicted, 50, Digest([1; 32])),
            (HeadPart::Newest, 40, Digest([5; 32])),
        ]
    );
}
