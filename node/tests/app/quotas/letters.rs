//! What comes by a mailbox or in a letter: Toscana is hostile, Umbria goes on.

use std::time::Duration;

use raccordo_core::crypto::Suite;
use raccordo_core::entropy::draw;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, Epoch};
use raccordo_core::quota::Quota;
use raccordo_core::sealing;
use raccordo_core::trust::card::Card;
use raccordo_core::trust::notice::{Notice, NoticeKind};
use raccordo_core::wire::hub::Mail;
use raccordo_node::app::hub::append::{Handed, Outcome, append};
use raccordo_node::app::pacts::{self, SEAL_INFO, Source};
use raccordo_node::app::receive_mail::receive_mail;
use raccordo_node::app::{changes, expire};

use super::{assert_named, doctor};
use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Rows, Toscana, Umbria, Who};
use crate::matching::stage::{Stage, TOSCANA, UMBRIA};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Brings Umbria a post of Toscana's, after all others.
async fn bring(bench: &Bench, kind: &str, payload: Vec<u8>) {
    let umbria = bench.node(Umbria);
    let cursor = umbria.store.read().await.unwrap().mailbox_cursor(&Relay.id()).await.unwrap();
    let (sequence, sender) = (cursor + 1, Toscana.id());
    let mail = Mail { sequence, sender, kind: kind.into(), payload };
    receive_mail(umbria, &Relay.id(), &mail).await.unwrap();
}

/// The proposal of a new équipe, signed by Toscana.
async fn proposal(bench: &Bench, name: &str) -> Vec<u8> {
    let (toscana, parties) = (bench.node(Toscana), [Toscana.id(), Umbria.id()]);
    let suite = Suite::Classical.name();
    let text = pacts::draft(toscana, name, &parties, &Relay.id(), true, suite).await.unwrap();
    pacts::sign(toscana, ADMIN, Source::Toml(text)).await.unwrap();
    pacts::propose(toscana, ADMIN, name, true).await.unwrap().1
}

async fn propose(bench: &Bench, encoded: &[u8]) {
    let card = bench.node(Umbria).identity.card();
    let (key, id) = (&card.card().sealing_key, Umbria.id());
    let entropy = &bench.node(Toscana).entropy;
    let sealed = sealing::seal(&**entropy, key, SEAL_INFO, id.as_str().as_bytes(), encoded);
    bring(bench, pacts::MAIL_KIND, sealed.unwrap()).await;
}

async fn pacts_at(bench: &Bench, who: Who) -> Vec<String> {
    let pacts = pacts::list(bench.node(who)).await.unwrap();
    pacts.into_iter().map(|standing| standing.row.equipe).collect()
}

pub async fn too_many_proposals(quota: Quota) {
    let bench = Bench::acquainted(Rows::Memory).await;
    for number in 0..=quota.count() {
        propose(&bench, &proposal(&bench, &format!("e{number}")).await).await;
    }
    assert_eq!(pacts_at(&bench, Umbria).await.len(), quota.count());
    assert_named(bench.node(Umbria), &Toscana.id(), quota).await;
    // What Umbria signs waits for it no more.
    pacts::sign(bench.node(Umbria), ADMIN, Source::Named("e0".into())).await.unwrap();
    let last = format!("e{}", quota.count());
    let encoded = pacts::propose(bench.node(Toscana), ADMIN, &last, true).await.unwrap().1;
    propose(&bench, &encoded).await;
    assert!(pacts_at(&bench, Umbria).await.contains(&last));
    too_many_changes(quota).await;
}

/// The same of one équipe's changes: those of others are not kept out by them.
async fn too_many_changes(quota: Quota) {
    let mut bench = Bench::ready().await;
    let parties = [Toscana.id(), Umbria.id()];
    let text = async |who: Who| {
        let node = bench.node(who);
        pacts::draft(node, EQUIPE, &parties, &Relay.id(), true, "classical").await.unwrap()
    };
    let (theirs, own) = (text(Toscana).await, text(Umbria).await);
    for number in 0..=quota.count() {
        let text = format!("{theirs}\n# {number}\n");
        pacts::sign(bench.node(Toscana), ADMIN, Source::Toml(text)).await.unwrap();
        pacts::propose(bench.node(Toscana), ADMIN, EQUIPE, false).await.ok();
    }
    for pending in changes::list(bench.node(Toscana)).await.unwrap() {
        let encoded = raccordo_core::wire::trust::encode_proposal(&pending.proposal);
        propose(&bench, &encoded).await;
    }
    assert_eq!(changes::list(bench.node(Umbria)).await.unwrap().len(), quota.count());
    assert_named(bench.node(Umbria), &Toscana.id(), quota).await;
    let text = format!("{own}\n# own\n");
    pacts::sign(bench.node(Umbria), ADMIN, Source::Toml(text)).await.unwrap();
    assert_eq!(changes::list(bench.node(Umbria)).await.unwrap().len(), quota.count() + 1);
    bench.run().await;
}

pub async fn proposed_too_often(quota: Quota) {
    let bench = Bench::acquainted(Rows::Memory).await;
    let encoded = proposal(&bench, "first").await;
    for _ in 0..quota.number() {
        propose(&bench, &encoded).await;
    }
    let later = proposal(&bench, "later").await;
    propose(&bench, &later).await;
    assert_eq!(pacts_at(&bench, Umbria).await, ["first"]);
    assert_named(bench.node(Umbria), &Toscana.id(), quota).await;
    bench.pass(DAY);
    propose(&bench, &later).await;
    assert_eq!(pacts_at(&bench, Umbria).await, ["first", "later"]);
}

pub async fn unsigned_too_long(quota: Quota) {
    let bench = Bench::acquainted(Rows::Memory).await;
    for name in ["signed", "unsigned"] {
        propose(&bench, &proposal(&bench, name).await).await;
    }
    pacts::sign(bench.node(Umbria), ADMIN, Source::Named("signed".into())).await.unwrap();
    bench.pass(quota.span() - Duration::from_millis(1));
    expire::expire(bench.node(Umbria)).await.unwrap();
    assert_eq!(pacts_at(&bench, Umbria).await.len(), 2);
    bench.pass(Duration::from_millis(1));
    expire::expire(bench.node(Umbria)).await.unwrap();
    assert_eq!(pacts_at(&bench, Umbria).await, ["signed"]);
}

pub async fn too_many_cards(quota: Quota) {
    let bench = Bench::acquainted(Rows::Memory).await;
    let identity = &bench.node(Toscana).identity;
    let known = identity.card().card().clone();
    let serial = async || {
        let mut tx = bench.node(Umbria).store.read().await.unwrap();
        tx.peer(&Toscana.id()).await.unwrap().unwrap().card_serial
    };
    let card = |serial| Card { serial, ..known.clone() }.sign(&identity.key).unwrap().encode();
    let most = known.serial + quota.number();
    for serial in known.serial + 1..=most + 3 {
        bring(&bench, "card", card(serial)).await;
    }
    assert_eq!(serial().await, most);
    assert_named(bench.node(Umbria), &Toscana.id(), quota).await;
    let records = bench.node(Umbria).store.read().await.unwrap().audit_after(0, 10_000).await;
    let of_it = |action: &str| action.starts_with("trust.successor");
    let records = records.unwrap().into_iter().filter(|it| of_it(&it.event.action)).count();
    assert_eq!(records, quota.count() + 1, "each that was taken, and that one was refused");
    bench.pass(DAY);
    bring(&bench, "card", card(most + 3)).await;
    assert_eq!(serial().await, most + 3);
}

pub async fn notice_too_old(quota: Quota) {
    let bench = Bench::ready().await;
    let node = bench.node(Toscana);
    let now = node.clock.now();
    let (early, late) = (now.minus(quota.span()), now.plus(quota.span()));
    let beyond = Duration::from_millis(1);
    for said_at in [early, late, early.minus(beyond), late.plus(beyond)] {
        let notice = Notice {
            group: bench.row(Toscana).await.group,
            sender: Toscana.id(),
            entry: EntryId(draw(&*node.entropy)),
            kind: NoticeKind::CannotProcess,
            said_at,
            detail: vec![7],
        };
        hand(&bench, &notice).await;
    }
    bench.fetch(Umbria).await.unwrap();
    let reasons: Vec<_> = bench.set_aside(Umbria).await.into_iter().map(|(_, why)| why).collect();
    assert_eq!(reasons, [quota.row().reason; 2]);
    assert_eq!(bench.alarms(Umbria).await, ["notice_cannot_process"]);
}

async fn hand(bench: &Bench, notice: &Notice) {
    let handed = Handed {
        entry: notice.entry,
        kind: EntryKind::Notice,
        epoch: Epoch(0),
        payload: notice.clone().sign(&bench.node(Toscana).identity.key).unwrap().encode(),
        group_info: Vec::new(),
        welcome: Vec::new(),
    };
    let answer = append(bench.node(Relay), &Toscana.id(), notice.group, vec![handed]).await;
    let outcome = answer.unwrap().outcomes.remove(0).1;
    assert!(matches!(outcome, Outcome::Placed { .. }), "{outcome:?}");
}

/// Toscana makes up another half of what it shares with Umbria, again and again.
pub async fn shown_anew_too_often(quota: Quota) {
    let mut stage = Stage::matched().await;
    let record = stage.only(UMBRIA).await.row.record;
    let mut expected = vec![stage.expected(UMBRIA, record, TOSCANA).await];
    for _ in 0..quota.number() + 4 {
        stage.send_half(TOSCANA, UMBRIA).await;
        // Toscana's own program would say what is so again.
        stage.turn(UMBRIA).await;
        expected.push(stage.expected(UMBRIA, record, TOSCANA).await);
    }
    assert_ne!(expected[0], expected[1]);
    let mut newest = expected.iter().rev();
    assert_eq!(newest.next(), newest.next(), "no more of it today");
    assert_named(stage.node(UMBRIA), &crate::many::id(TOSCANA), quota).await;
    let made = expected.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(made <= quota.count(), "{made}");
    // The newest half counts, in its turn.
    stage.pass(DAY);
    stage.turn(UMBRIA).await;
    assert_ne!(Some(&stage.expected(UMBRIA, record, TOSCANA).await), expected.last());
}

pub async fn half_sent_too_often(quota: Quota) {
    let mut stage = Stage::matched().await;
    let mut lies = 0;
    while !is_named(&stage, quota).await {
        assert!(lies <= quota.count(), "{lies}");
        stage.send_half(TOSCANA, UMBRIA).await;
        stage.run().await;
        lies += 1;
    }
    // Some were sent when the two met.
    assert!((quota.count() - 2..=quota.count() + 1).contains(&lies), "{lies}");
    assert_named(stage.node(UMBRIA), &crate::many::id(TOSCANA), quota).await;
}

async fn is_named(stage: &Stage, quota: Quota) -> bool {
    let findings = doctor::doctor(stage.node(UMBRIA)).await.unwrap();
    findings.iter().any(|it| it.code == "peer_over_quota" && it.message.contains(quota.row().name))
}
