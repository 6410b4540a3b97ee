//! New cards: they come to everybody by themselves, and nothing is lost meanwhile.

use std::time::Duration;

use raccordo_core::id::Digest;
use raccordo_core::object::Kind;
use raccordo_core::trust::card::{Card, CardError, SignedCard};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::state::TrustState;
use raccordo_core::trust::validator::CIPHERSUITES;
use raccordo_node::app::delivery::State;
use raccordo_node::app::hub::{key_package_pool, mailbox};
use raccordo_node::app::init::NewTls;
use raccordo_node::app::peers::{self, Peer};
use raccordo_node::app::rotate::{Order, rotate};
use raccordo_node::app::status::status;
use raccordo_node::app::successor::{Taken, take};
use raccordo_node::app::work::Work;
use raccordo_node::app::{audit_chain, expire, found, key_packages, mail, update_keys};

use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Toscana, Umbria, Who};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn tls(label: &str) -> Option<NewTls> {
    let signing = IdentityKey::from_seed(&Digest::of(label.as_bytes()).0);
    Some(NewTls { signing, key: label.into(), certificate: label.into() })
}

async fn renew(bench: &Bench, who: Who, label: &str) -> SignedCard {
    rotate(bench.node(who), ADMIN, Order { tls: tls(label), ..Order::default() }).await.unwrap()
}

async fn seen(bench: &Bench, by: Who, of: Who) -> Peer {
    peers::show(bench.node(by), &of.id()).await.unwrap()
}

async fn offered(bench: &Bench, to: Who, card: &SignedCard) -> Taken {
    let node = bench.node(to);
    let mut tx = node.store.write().await.unwrap();
    let taken = take(node, &mut *tx, card).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

/// Another card of the same node and serial.
fn another(bench: &Bench, who: Who, card: &SignedCard) -> SignedCard {
    let other = Card { name: "Other".into(), ..card.card().clone() };
    other.sign(&bench.node(who).identity.key).unwrap()
}

async fn leaf_is_newest(bench: &Bench, who: Who) -> bool {
    let lineage = bench.lineage().await;
    let mut work = Work::begin(bench.node(who), lineage).await.unwrap().unwrap();
    work.leaf_is_newest().await.unwrap()
}

async fn actions(bench: &Bench, who: Who) -> Vec<String> {
    let node = bench.node(who);
    assert!(audit_chain::verify_chain(node).await.is_ok());
    let records = node.store.read().await.unwrap().audit_after(0, 10_000).await.unwrap();
    records.into_iter().map(|record| record.event.action).collect()
}

/// Alerts of both regions arrive, and everybody agrees.
async fn all_is_well(bench: &mut Bench) {
    for who in [Toscana, Umbria] {
        let shared = bench.share_samples(who, Kind::Case, 2).await;
        bench.run().await;
        for object in shared {
            assert_eq!(bench.seen(who, object).await.delivery.state, State::Delivered, "{who:?}");
        }
    }
    bench.assert_agreement().await;
}

#[tokio::test]
async fn a_member_s_new_card_comes_to_everybody_by_itself() {
    let mut bench = Bench::ready().await;
    all_is_well(&mut bench).await;
    let before = bench.node(Toscana).identity.card();
    let card = renew(&bench, Toscana, "toscana 2").await;
    assert_eq!(card.card().serial, 2);
    assert_ne!(card.card().mls_key, before.card().mls_key);
    bench.run().await;
    for by in [Umbria, Relay] {
        let peer = seen(&bench, by, Toscana).await;
        assert_eq!((peer.row.state, &peer.card), (TrustState::Verified, &card), "{by:?}");
        assert!(actions(&bench, by).await.contains(&"trust.successor".to_owned()));
    }
    assert!(actions(&bench, Toscana).await.contains(&"trust.rotate".to_owned()));
    assert!(leaf_is_newest(&bench, Toscana).await);
    all_is_well(&mut bench).await;
    bench.restart(Toscana).await;
    all_is_well(&mut bench).await;
    assert_eq!(bench.node(Toscana).identity.card(), card);
}

#[tokio::test]
async fn both_tls_keys_are_accepted_for_a_week() {
    let mut bench = Bench::ready().await;
    let old = bench.node(Toscana).identity.card().card().tls_pin();
    let new = renew(&bench, Toscana, "toscana 2").await.card().tls_pin();
    bench.run().await;
    for by in [Umbria, Relay] {
        let pins = peers::trusted_pins(bench.node(by)).await.unwrap();
        assert_eq!((pins.get(&old), pins.get(&new)), (Some(&Toscana.id()), Some(&Toscana.id())));
    }
    bench.pass(DAY * 8);
    for by in [Umbria, Relay] {
        let pins = peers::trusted_pins(bench.node(by)).await.unwrap();
        assert_eq!((pins.get(&old), pins.get(&new)), (None, Some(&Toscana.id())), "{by:?}");
    }
}

#[tokio::test]
async fn only_what_the_card_says_may_be_new() {
    let mut bench = Bench::ready().await;
    let before = bench.node(Toscana).identity.card().card().clone();
    let order = Order { name: Some("Toscana nuova".into()), serial: Some(7), ..Order::default() };
    let card = rotate(bench.node(Toscana), ADMIN, order).await.unwrap();
    let kept = (before.mls_key, before.tls_key, before.sealing_key);
    let card = card.card().clone();
    assert_eq!((card.mls_key, card.tls_key, card.sealing_key), kept);
    assert_eq!((card.name.as_str(), card.serial), ("Toscana nuova", 7));
    bench.run().await;
    assert_eq!(seen(&bench, Umbria, Toscana).await.card.card().name, "Toscana nuova");
    bench.restart(Toscana).await;
    all_is_well(&mut bench).await;
    let lower = Order { serial: Some(7), ..Order::default() };
    let refused = rotate(bench.node(Toscana), ADMIN, lower).await.unwrap_err();
    assert_eq!(refused.reason, "lower_serial");
    let endpoint = Order { hub_endpoint: Some("a.example:1".into()), ..Order::default() };
    let refused = rotate(bench.node(Toscana), ADMIN, endpoint).await.unwrap_err();
    assert_eq!(refused.reason, "not_a_hub");
}

#[tokio::test]
async fn a_hub_s_new_card_waits_in_the_mailboxes() {
    let mut bench = Bench::ready().await;
    let order = Order {
        tls: tls("relay 2"),
        hub_endpoint: Some("new.example.org:4460".into()),
        ..Order::default()
    };
    let card = rotate(bench.node(Relay), ADMIN, order).await.unwrap();
    while bench.post(Relay).await.unwrap() {}
    bench.run().await;
    for by in [Toscana, Umbria] {
        assert_eq!(seen(&bench, by, Relay).await.card, card, "{by:?}");
    }
    all_is_well(&mut bench).await;
}

#[tokio::test]
async fn whoever_was_away_catches_up_from_the_log_alone() {
    let mut bench = Bench::ready().await;
    for label in ["toscana 2", "toscana 3"] {
        renew(&bench, Toscana, label).await;
        while bench.turn(Toscana).await.unwrap() {}
    }
    let held = bench.share_samples(Toscana, Kind::Case, 2).await;
    while bench.turn(Toscana).await.unwrap() {}
    // What waits in a mailbox is not kept for ever.
    bench.pass(DAY * 31);
    expire::expire(bench.node(Relay)).await.unwrap();
    bench.run().await;
    assert_eq!(seen(&bench, Umbria, Toscana).await.card.card().serial, 3);
    bench.assert_arrived(Toscana, &held).await;
    all_is_well(&mut bench).await;
}

#[tokio::test]
async fn a_commit_on_its_way_does_not_stop_a_new_card() {
    let mut bench = Bench::ready().await;
    update_keys::update_keys(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    renew(&bench, Toscana, "toscana 2").await;
    let other = update_keys::update_keys(bench.node(Umbria), ADMIN, EQUIPE).await;
    other.unwrap();
    renew(&bench, Umbria, "umbria 2").await;
    bench.run().await;
    for who in [Toscana, Umbria] {
        assert!(leaf_is_newest(&bench, who).await, "{who:?}");
        assert_eq!(seen(&bench, who.other(), who).await.card.card().serial, 2);
    }
    all_is_well(&mut bench).await;
}

#[tokio::test]
async fn replays_and_wrong_order_change_nothing() {
    let bench = Bench::ready().await;
    let first = bench.node(Toscana).identity.card();
    let second = renew(&bench, Toscana, "toscana 2").await;
    let third = renew(&bench, Toscana, "toscana 3").await;
    assert_eq!(offered(&bench, Umbria, &third).await, Taken::Followed);
    assert_eq!(offered(&bench, Umbria, &third).await, Taken::Known);
    for (old, found) in [(&second, 2), (&first, 1)] {
        let lower = CardError::LowerSerial { known: 3, found };
        assert_eq!(offered(&bench, Umbria, old).await, Taken::Refused(lower));
    }
    let peer = seen(&bench, Umbria, Toscana).await;
    assert_eq!((peer.row.state, peer.card), (TrustState::Verified, third));
    assert_eq!(offered(&bench, Toscana, &first).await, Taken::Known, "one's own");
}

async fn check_fork(bench: &Bench, other: &SignedCard) {
    let serial = other.card().serial;
    let forked = Taken::Refused(CardError::Forked(serial));
    assert_eq!(offered(bench, Umbria, other).await, forked);
    let peer = seen(bench, Umbria, Toscana).await;
    assert_eq!(peer.row.state, TrustState::Suspended);
    assert!(peer.row.reason.contains(&format!("serial {serial}")), "{}", peer.row.reason);
    assert_eq!(bench.alarms(Umbria).await, ["card_forked"]);
    assert!(actions(bench, Umbria).await.contains(&"trust.forked".to_owned()));
    let told = status(bench.node(Umbria)).await.unwrap().equipes[0].sending.clone();
    assert!(told.starts_with("held: "), "{told}");
}

#[tokio::test]
async fn two_successors_of_one_card_end_the_trust_until_the_next_call() {
    let mut bench = Bench::ready().await;
    let card = renew(&bench, Toscana, "toscana 2").await;
    bench.run().await;
    let other = another(&bench, Toscana, &card);
    check_fork(&bench, &other).await;
    // Told again, it is the same fork: one record.
    offered(&bench, Umbria, &other).await;
    let forks = actions(&bench, Umbria).await;
    assert_eq!(forks.iter().filter(|action| *action == "trust.forked").count(), 1);
    bench.verify(Umbria, Toscana).await;
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
    all_is_well(&mut bench).await;
}

#[tokio::test]
async fn a_fork_of_an_older_card_is_seen_too() {
    let mut bench = Bench::ready().await;
    let second = renew(&bench, Toscana, "toscana 2").await;
    bench.run().await;
    renew(&bench, Toscana, "toscana 3").await;
    bench.run().await;
    check_fork(&bench, &another(&bench, Toscana, &second)).await;
}

#[tokio::test]
async fn a_fork_in_a_file_counts_as_well() {
    let mut bench = Bench::ready().await;
    let card = renew(&bench, Toscana, "toscana 2").await;
    bench.run().await;
    let other = another(&bench, Toscana, &card);
    let refused = peers::add(bench.node(Umbria), ADMIN, other).await.unwrap_err();
    assert_eq!(refused.reason, "card_forked");
    assert_eq!(seen(&bench, Umbria, Toscana).await.row.state, TrustState::Suspended);
}

#[tokio::test]
async fn the_hub_refuses_a_fork_and_others_cards() {
    let mut bench = Bench::ready().await;
    let card = renew(&bench, Toscana, "toscana 2").await;
    bench.run().await;
    let post = async |by: Who, card: &SignedCard| {
        let (relay, item) = (bench.node(Relay), raccordo_core::id::ItemId([9; 16]));
        let posted = mailbox::post(relay, &by.id(), &Relay.id(), item, "card", card.encode()).await;
        posted.map_err(|fault| fault.reason)
    };
    assert_eq!(post(Toscana, &card).await, Ok(()));
    assert_eq!(post(Umbria, &card).await, Err("bad_card"));
    assert_eq!(post(Toscana, &another(&bench, Toscana, &card)).await, Err("card_forked"));
    assert_eq!(seen(&bench, Relay, Toscana).await.row.state, TrustState::Suspended);
}

#[tokio::test]
async fn a_card_made_before_the_end_is_taken_after_it() {
    let bench = Bench::ready().await;
    bench.pass(DAY * (2 * 365 - 1));
    let card = renew(&bench, Toscana, "toscana 2").await;
    bench.pass(DAY * 20);
    assert_eq!(offered(&bench, Umbria, &card).await, Taken::Followed);
    bench.pass(DAY * 11);
    let late = offered(&bench, Relay, &card).await;
    assert!(matches!(late, Taken::Refused(CardError::TooLate(_))), "{late:?}");
}

#[tokio::test]
async fn after_an_end_in_silence_the_administrators_call_each_other_again() {
    let bench = Bench::ready().await;
    bench.pass(DAY * (2 * 365 + 2));
    let told = status(bench.node(Umbria)).await.unwrap().equipes[0].sending.clone();
    assert!(told.contains("toscana"), "an expired card counts: {told}");
    let card = renew(&bench, Toscana, "toscana 2").await;
    for waiting in mail::waiting(bench.node(Toscana), &Relay.id()).await.unwrap() {
        let payload = waiting.payload.clone();
        let (relay, to) = (bench.node(Relay), &waiting.recipient);
        let posted = mailbox::post(relay, &Toscana.id(), to, waiting.item, "card", payload).await;
        assert_eq!(posted.unwrap_err().reason, "successor_too_late");
    }
    let late = offered(&bench, Umbria, &card).await;
    assert!(matches!(late, Taken::Refused(CardError::TooLate(_))), "{late:?}");
    assert!(actions(&bench, Umbria).await.contains(&"trust.successor_refused".to_owned()));
    let added = peers::add(bench.node(Umbria), ADMIN, card).await.unwrap();
    assert_eq!(added.row.state, TrustState::Introduced);
    bench.verify(Umbria, Toscana).await;
    assert_eq!(seen(&bench, Umbria, Toscana).await.row.state, TrustState::Verified);
}

#[tokio::test]
async fn a_revoked_peer_s_card_is_not_looked_at() {
    let bench = Bench::ready().await;
    let card = renew(&bench, Toscana, "toscana 2").await;
    let revoke = raccordo_core::trust::state::TrustChange::Revoke;
    peers::change(bench.node(Umbria), ADMIN, &Toscana.id(), revoke, "test").await.unwrap();
    assert_eq!(offered(&bench, Umbria, &card).await, Taken::Revoked);
    assert_eq!(seen(&bench, Umbria, Toscana).await.card.card().serial, 1);
}

/// Serials of the cards in the hub's pool.
async fn pooled(bench: &Bench, owner: Who) -> Vec<u64> {
    let relay = bench.node(Relay);
    let mut tx = relay.store.read().await.unwrap();
    let mut serials = Vec::new();
    for suite in CIPHERSUITES {
        for row in tx.pool(&owner.id(), suite, relay.clock.now()).await.unwrap() {
            let read = raccordo_core::session::read_key_package(&relay.crypto, &row.key_package);
            let card = SignedCard::decode(&read.unwrap().leaf.card.unwrap()).unwrap();
            serials.push(card.card().serial);
        }
    }
    serials
}

async fn private_parts(bench: &Bench, who: Who) -> usize {
    let rows = bench.node(who).store.read().await.unwrap().ledger("device").await.unwrap();
    rows.iter().filter(|row| row.kind == "key_package").count()
}

#[tokio::test]
async fn key_packages_follow_the_card() {
    let mut bench = Bench::ready().await;
    assert!(pooled(&bench, Umbria).await.contains(&1));
    renew(&bench, Umbria, "umbria 2").await;
    bench.run().await;
    let serials = pooled(&bench, Umbria).await;
    assert!(!serials.is_empty() && serials.iter().all(|serial| *serial == 2), "{serials:?}");
}

#[tokio::test]
async fn private_parts_go_when_their_life_is_over() {
    let mut bench = Bench::ready().await;
    let at_first = private_parts(&bench, Umbria).await;
    assert!(at_first > 0);
    assert_eq!(key_packages::forget_old(bench.node(Umbria)).await.unwrap(), 0);
    bench.pass(DAY * 113);
    assert_eq!(key_packages::forget_old(bench.node(Umbria)).await.unwrap(), 0);
    bench.pass(DAY);
    assert_eq!(key_packages::forget_old(bench.node(Umbria)).await.unwrap(), at_first);
    bench.run().await;
    assert!(private_parts(&bench, Umbria).await > 0, "new ones are made");
    assert_eq!(key_packages::forget_old(bench.node(Umbria)).await.unwrap(), 0);
}

#[tokio::test]
async fn the_committer_takes_no_old_key_package() {
    let mut bench =
        Bench::agreed(crate::bench::Rows::Memory, raccordo_core::crypto::Suite::Classical).await;
    found::create(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    let lineage = bench.lineage().await;
    let (chair, relay, hub) = (bench.node(Toscana), bench.node(Relay), Relay.id());
    let steps = found::steps(chair, &hub).await.unwrap();
    let Some(found::Step::Upload { group, group_info }) = steps.get(&lineage).cloned() else {
        panic!("nothing to upload: {steps:?}");
    };
    use raccordo_node::app::hub::found_group::found_group;
    found_group(relay, &Toscana.id(), lineage, group, group_info).await.unwrap();
    found::uploaded(chair, lineage).await.unwrap();
    let suite = raccordo_core::crypto::Suite::Classical.number();
    let (me, parties) = (Toscana.id(), [Umbria.id()]);
    let claim = key_package_pool::claim(relay, &me, lineage, suite, &parties);
    let claimed = claim.await.unwrap().key_packages;
    let now = chair.clock.now();
    for end in [now.minus(DAY), now.plus(DAY * 86)] {
        let mut old = claimed.clone();
        old[0].expires_at = end;
        found::invite(chair, lineage, old).await.unwrap();
        let pending = chair.store.read().await.unwrap().pending_commit(lineage).await.unwrap();
        assert!(pending.is_none(), "{end}");
    }
    found::invite(chair, lineage, claimed).await.unwrap();
    bench.run().await;
    bench.assert_agreement().await;
}
