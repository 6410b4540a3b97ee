//! The life of an équipe: parties come, go, are suspended and return.

use std::collections::BTreeSet;
use std::time::Duration;

use raccordo_core::id::ObjectId;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::delivery::State;
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::withdraw::withdraw;
use raccordo_node::store::outbox::EntryState;

use crate::bench::ADMIN;
use crate::many::{EQUIPE, Many, id};

/// One member begins to agree on a pact of these parties, and sends it round.
pub async fn propose(many: &Many, by: usize, parties: &[usize]) {
    let named: Vec<_> = parties.iter().map(|party| id(*party)).collect();
    let node = many.node(by);
    let text = pacts::draft(node, EQUIPE, &named, &"relay".parse().unwrap(), true, "").await;
    pacts::sign(node, ADMIN, Source::Toml(text.unwrap())).await.unwrap();
    pacts::propose(node, ADMIN, EQUIPE, false).await.unwrap();
}

/// The same until everybody has signed and it is in force.
pub async fn agree(many: &mut Many, by: usize, parties: &[usize]) {
    propose(many, by, parties).await;
    many.run().await;
    for party in parties.iter().filter(|party| **party != by) {
        many.sign(*party).await;
    }
    many.run().await;
}

pub async fn begin(many: &Many, by: usize, wanted: Wanted) {
    changes::begin(many.node(by), ADMIN, EQUIPE, wanted, "story").await.unwrap();
}

async fn refused(many: &Many, by: usize, wanted: Wanted) -> &'static str {
    changes::begin(many.node(by), ADMIN, EQUIPE, wanted, "story").await.unwrap_err().reason
}

fn ids(objects: &[&[ObjectId]]) -> BTreeSet<ObjectId> {
    objects.iter().flat_map(|some| some.iter().copied()).collect()
}

#[tokio::test]
async fn a_party_is_added_and_has_what_was_shared_before() {
    let mut many = Many::founded(3, 4).await;
    let mut shared = Vec::new();
    for member in 0..3 {
        shared.extend(many.share(member, 2).await);
    }
    let gone = many.share(0, 1).await;
    many.run().await;
    withdraw(many.node(0), many.operator(0), gone[0], "resolved").await.unwrap();
    many.run().await;
    // Any member may propose, not the chair alone.
    agree(&mut many, 1, &[0, 1, 2, 3]).await;
    many.assert_agreement(&[0, 1, 2, 3]).await;
    assert_eq!(many.seen(3).await, shared.iter().copied().collect());
    for (place, object) in shared.iter().enumerate() {
        let (origin, newcomer) = (many.one(place / 2, *object).await, many.one(3, *object).await);
        assert_eq!(newcomer.share, origin.share);
        assert_eq!(newcomer.author, origin.author);
        assert_eq!(newcomer.row.shared_at, origin.row.shared_at);
        assert_eq!((origin.delivery.delivered, origin.delivery.members), (3, 3));
        assert_eq!(origin.delivery.state, State::Delivered);
    }
    // Nobody else has anything twice.
    for member in 0..3 {
        assert_eq!(many.listed(member).await.len(), 7, "{member}");
    }
    let later = [many.share(3, 1).await, many.share(0, 1).await].concat();
    many.run().await;
    for member in 0..4 {
        assert!(ids(&[&later]).is_subset(&many.seen(member).await), "{member}");
    }
    many.assert_agreement(&[0, 1, 2, 3]).await;
}

#[tokio::test]
async fn until_a_newcomer_was_told_nothing_counts_as_delivered_to_it() {
    let mut many = Many::founded(2, 3).await;
    let shared = many.share(0, 1).await;
    many.run().await;
    propose(&many, 0, &[0, 1, 2]).await;
    many.run().await;
    many.sign(1).await;
    many.sign(2).await;
    // The newcomer joins and gives receipts, while the origin's courier stands still.
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    let delivery = many.one(0, shared[0]).await.delivery;
    assert_eq!((delivery.delivered, delivery.members), (2, 2));

    let mut many = Many::founded(2, 3).await;
    let shared = many.share(1, 1).await;
    many.run().await;
    propose(&many, 0, &[0, 1, 2]).await;
    many.run().await;
    many.sign(1).await;
    many.sign(2).await;
    many.errands(1).await.unwrap();
    many.away.insert(1);
    many.run().await;
    many.fetch(1).await.unwrap();
    let delivery = many.one(1, shared[0]).await.delivery;
    assert_eq!((delivery.delivered, delivery.members), (1, 2));
    assert_eq!(delivery.state, State::Accepted);
    assert_eq!(many.seen(2).await, BTreeSet::new());
    many.away.clear();
    many.run().await;
    assert_eq!(many.one(1, shared[0]).await.delivery.state, State::Delivered);
    assert_eq!(many.seen(2).await, ids(&[&shared]));
}

#[tokio::test]
async fn the_others_remove_a_party_which_reads_nothing_later_and_knows_why() {
    let mut many = Many::founded(4, 4).await;
    let before = many.share(1, 2).await;
    many.run().await;
    many.away.insert(3);
    let unread = many.share(0, 1).await;
    begin(&many, 0, Wanted::Remove(id(3))).await;
    many.run().await;
    for member in [1, 2] {
        many.sign(member).await;
    }
    many.run().await;
    let later = many.share(2, 1).await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    let delivery = many.one(0, unread[0]).await.delivery;
    assert_eq!((delivery.state, delivery.delivered, delivery.members), (State::Delivered, 2, 2));

    many.away.clear();
    many.run().await;
    let row = many.row(3).await;
    assert_eq!(row.state, "ended");
    let why = raccordo_node::app::membership::why_ended(&id(3), &row.statement).unwrap();
    assert_eq!(why, "removed by lazio, toscana, umbria");
    assert!(many.audited(many.node(3)).await.contains(&"equipe.ended".to_owned()));
    // What was sent before its removal it has; what came later it cannot read.
    assert_eq!(many.seen(3).await, ids(&[&before, &unread]));
    assert!(!many.seen(3).await.contains(&later[0]));
    assert_eq!(refused(&many, 3, Wanted::Leave).await, "not_a_member");
}

#[tokio::test]
async fn who_is_removed_and_agreed_on_again_comes_back() {
    let mut many = Many::founded(3, 3).await;
    let kept = many.share(2, 1).await;
    let gone = many.share(0, 1).await;
    many.run().await;
    begin(&many, 0, Wanted::Remove(id(2))).await;
    many.run().await;
    many.sign(1).await;
    many.run().await;
    assert_eq!(many.row(2).await.state, "ended");
    let missed = many.share(1, 1).await;
    withdraw(many.node(0), many.operator(0), gone[0], "resolved").await.unwrap();
    many.run().await;
    agree(&mut many, 0, &[0, 1, 2]).await;
    many.assert_agreement(&[0, 1, 2]).await;
    assert_eq!(many.row(0).await.sequence, many.row(2).await.sequence);
    // What it missed came, what had ended meanwhile has ended.
    assert_eq!(many.seen(2).await, ids(&[&kept, &missed]));
    let later = many.share(2, 1).await;
    many.run().await;
    assert_eq!(many.seen(0).await, ids(&[&kept, &missed, &later]));
}

#[tokio::test]
async fn a_leave_is_committed_by_whoever_remains() {
    let mut many = Many::founded(3, 3).await;
    // The chair itself: the first of the others takes over.
    begin(&many, 0, Wanted::Leave).await;
    many.run().await;
    let row = many.row(0).await;
    assert_eq!(row.state, "ended");
    let why = raccordo_node::app::membership::why_ended(&id(0), &row.statement).unwrap();
    assert_eq!(why, "left");
    many.assert_agreement(&[1, 2]).await;
    let statement = changes::statement(&many.row(1).await).unwrap();
    assert_eq!(statement.statement().chair, id(2));
    let shared = many.share(1, 1).await;
    many.run().await;
    assert_eq!(many.seen(2).await, ids(&[&shared]));
}

#[tokio::test]
async fn a_leave_while_the_chair_is_suspended_waits_for_nobody() {
    let mut many = Many::founded(4, 4).await;
    begin(&many, 1, Wanted::Suspend(id(0))).await;
    many.run().await;
    begin(&many, 2, Wanted::Leave).await;
    many.run().await;
    assert_eq!(many.row(2).await.state, "ended");
    many.assert_agreement(&[1, 3]).await;
}

#[tokio::test]
async fn whoever_is_left_alone_keeps_nothing_for_those_who_left() {
    let mut many = Many::founded(2, 2).await;
    many.away.insert(1);
    many.share(0, 2).await;
    many.run().await;
    begin(&many, 1, Wanted::Leave).await;
    many.errands(1).await.unwrap();
    many.run().await;
    assert_eq!(many.members(0).await, [id(0)]);
    let lineage = many.row(0).await.lineage;
    let mut tx = many.node(0).store.read().await.unwrap();
    for entry in tx.entries_in(lineage, EntryState::Accepted, 100).await.unwrap() {
        let envelopes = tx.envelopes_of(lineage, entry.entry).await.unwrap();
        assert!(!envelopes.iter().any(|row| row.case_bearing), "{}", entry.sequence);
    }
}

#[tokio::test]
async fn a_leave_that_another_change_overtakes_goes_on() {
    let mut many = Many::founded(4, 4).await;
    begin(&many, 0, Wanted::Remove(id(3))).await;
    many.run().await;
    many.sign(1).await;
    many.run().await;
    // All have signed the removal, and one of them leaves at the same time.
    many.away.extend([0, 1, 3]);
    begin(&many, 2, Wanted::Leave).await;
    many.sign(2).await;
    many.errands(2).await.unwrap();
    many.away.clear();
    many.away.insert(3);
    many.run().await;
    many.assert_agreement(&[0, 1]).await;
    assert_eq!(many.row(2).await.state, "ended");
    many.away.clear();
    many.run().await;
    assert_eq!(many.row(3).await.state, "ended");
}

#[tokio::test]
async fn one_party_suspends_another_at_once_and_the_others_decide() {
    let mut many = Many::founded(4, 4).await;
    let before = many.share(3, 1).await;
    many.run().await;
    begin(&many, 1, Wanted::Suspend(id(3))).await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    let row = many.row(3).await;
    assert_eq!(row.state, "ended");
    let why = raccordo_node::app::membership::why_ended(&id(3), &row.statement).unwrap();
    assert_eq!(why, "suspended by umbria");
    // One unratified suspension each.
    assert_eq!(refused(&many, 1, Wanted::Suspend(id(2))).await, "one_suspension_each");
    assert_eq!(refused(&many, 0, Wanted::Suspend(id(3))).await, "already_suspended");
    let meanwhile = many.share(0, 1).await;
    many.run().await;
    // The suspender is not needed for the return, and the suspended counts.
    begin(&many, 0, Wanted::Return(id(3))).await;
    many.run().await;
    many.sign(2).await;
    many.run().await;
    assert_eq!(many.row(3).await.state, "ended");
    many.sign(3).await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2, 3]).await;
    assert_eq!(many.seen(3).await, ids(&[&before, &meanwhile]));
}

#[tokio::test]
async fn who_returns_has_signed_what_was_agreed_meanwhile() {
    let mut many = Many::founded(4, 5).await;
    begin(&many, 1, Wanted::Suspend(id(3))).await;
    many.run().await;
    propose(&many, 0, &[0, 1, 2, 3, 4]).await;
    many.run().await;
    for party in [1, 2, 4] {
        many.sign(party).await;
    }
    many.run().await;
    begin(&many, 0, Wanted::Return(id(3))).await;
    many.run().await;
    for party in [2, 4] {
        many.sign(party).await;
    }
    many.run().await;
    // All signatures that the others need are there; it has not agreed to the new pact.
    assert_eq!(many.row(3).await.state, "ended");
    many.sign(3).await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2, 3, 4]).await;
    assert_eq!(many.alarms(3).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_suspension_is_ratified_by_all_others() {
    let mut many = Many::founded(3, 3).await;
    begin(&many, 1, Wanted::Suspend(id(2))).await;
    many.run().await;
    begin(&many, 0, Wanted::Ratify(id(2))).await;
    many.run().await;
    many.sign(1).await;
    many.run().await;
    many.assert_agreement(&[0, 1]).await;
    let statement = changes::statement(&many.row(0).await).unwrap();
    let party = statement.statement().party(&id(2)).unwrap();
    assert!(party.ratified);
    // Only then may the same party suspend another.
    begin(&many, 1, Wanted::Suspend(id(0))).await;
    many.run().await;
    assert_eq!(many.row(0).await.state, "ended");
}

#[tokio::test]
async fn a_pair_of_whom_one_suspends_the_other_is_closed() {
    let mut many = Many::founded(2, 2).await;
    let before = many.share(0, 1).await;
    many.run().await;
    begin(&many, 0, Wanted::Suspend(id(1))).await;
    many.run().await;
    assert_eq!(many.members(0).await, [id(0)]);
    let closed = many.try_share(0).await.unwrap_err();
    assert_eq!(closed.reason, "equipe_closed");
    // One of two is not more than half: nothing is begun that the hub would have to refuse.
    let (node, parties) = (many.node(0), [id(0), id(1)]);
    let text = pacts::draft(node, EQUIPE, &parties, &"relay".parse().unwrap(), true, "").await;
    let text = text.unwrap().replace("retention_days = 180", "retention_days = 30");
    let refused = pacts::sign(node, ADMIN, Source::Toml(text)).await.unwrap_err();
    assert_eq!(refused.reason, "too_few_to_sign");
    // Both agree that it opens again.
    begin(&many, 0, Wanted::Return(id(1))).await;
    many.run().await;
    many.sign(1).await;
    many.run().await;
    many.assert_agreement(&[0, 1]).await;
    let later = many.share(1, 1).await;
    many.run().await;
    assert_eq!(many.seen(0).await, ids(&[&before, &later]));
}

#[tokio::test]
async fn a_renewed_pact_is_in_force_for_all_at_once() {
    let mut many = Many::founded(2, 2).await;
    let node = many.node(1);
    let parties = [id(0), id(1)];
    let text = pacts::draft(node, EQUIPE, &parties, &"relay".parse().unwrap(), true, "").await;
    let text = text.unwrap().replace("retention_days = 180", "retention_days = 30");
    pacts::sign(node, ADMIN, Source::Toml(text)).await.unwrap();
    pacts::propose(node, ADMIN, EQUIPE, false).await.unwrap();
    many.run().await;
    many.sign(0).await;
    many.run().await;
    many.assert_agreement(&[0, 1]).await;
    let shared = many.share(0, 1).await;
    many.run().await;
    let expiry = many.one(1, shared[0]).await.row.expires_at;
    let days = expiry.since(many.node(0).clock.now()).as_secs() / 86_400;
    assert!(days <= 31, "{days}");
    many.pass(Duration::from_secs(1));
    assert_eq!(many.seen(1).await, ids(&[&shared]));
}

#[tokio::test]
async fn what_a_later_pact_may_not_change() {
    let many = Many::founded(2, 3).await;
    let node = many.node(0);
    let parties = [id(0), id(1)];
    let text = pacts::draft(node, EQUIPE, &parties, &"relay".parse().unwrap(), true, "").await;
    let text = text.unwrap();
    for (from, to) in [
        ("ciphersuite = \"classical\"", "ciphersuite = \"hybrid\""),
        ("equipe = \"Dorsale\"", "equipe = \"Altra\""),
        ("hub = \"relay\"", "hub = \"umbria\""),
    ] {
        assert!(text.contains(from), "{from}");
        let bent = text.replacen(from, to, 1);
        let signed = pacts::sign(node, ADMIN, Source::Toml(bent)).await.map(drop);
        assert_eq!(signed.unwrap_err().reason, "pact_conflict", "{from}");
    }
    assert_eq!(refused(&many, 0, Wanted::Remove(id(2))).await, "not_a_party");
    assert_eq!(refused(&many, 0, Wanted::Remove(id(0))).await, "not_oneself");
    assert_eq!(refused(&many, 0, Wanted::Ratify(id(1))).await, "not_suspended");
    assert_eq!(refused(&many, 0, Wanted::Return(id(1))).await, "not_suspended");
}

#[tokio::test]
async fn keys_are_renewed_when_they_are_old_or_on_demand() {
    let mut many = Many::founded(2, 2).await;
    many.share(0, 1).await;
    many.run().await;
    let before = many.row(0).await.epoch;
    many.pass(Duration::from_secs(6 * 24 * 3600));
    many.run().await;
    assert_eq!(many.row(0).await.epoch, before);
    many.pass(Duration::from_secs(24 * 3600));
    many.run().await;
    // Both were due, and both did it.
    assert_eq!(many.row(0).await.epoch.0, before.0 + 2);
    many.assert_agreement(&[0, 1]).await;
    raccordo_node::app::update_keys::update_keys(many.node(1), ADMIN, EQUIPE).await.unwrap();
    many.run().await;
    assert_eq!(many.row(0).await.epoch.0, before.0 + 3);
    assert!(many.audited(many.node(1)).await.contains(&"equipe.update_keys".to_owned()));
}

#[tokio::test]
async fn a_member_that_says_nothing_is_called_silent() {
    let mut many = Many::founded(3, 3).await;
    many.share(0, 1).await;
    many.run().await;
    many.away.insert(2);
    many.pass(Duration::from_secs(4 * 24 * 3600));
    many.share(1, 1).await;
    many.run().await;
    let status = raccordo_node::app::status::equipe(many.node(0), EQUIPE).await.unwrap();
    let silent: Vec<_> = status.members.iter().filter(|member| member.silent).collect();
    assert_eq!(silent.iter().map(|member| member.node.clone()).collect::<Vec<_>>(), [id(2)]);
    let found = raccordo_node::app::doctor::doctor(many.node(0)).await.unwrap();
    assert!(found.iter().any(|finding| finding.code == "member_silent"));
}

#[tokio::test]
async fn a_leave_that_a_new_pact_overtakes_goes_on_under_it() {
    let mut many = Many::founded(3, 3).await;
    let parties = [id(0), id(1), id(2)];
    let relay = "relay".parse().unwrap();
    let text = pacts::draft(many.node(0), EQUIPE, &parties, &relay, true, "").await.unwrap();
    let text = text.replace("retention_days = 180", "retention_days = 30");
    pacts::sign(many.node(0), ADMIN, Source::Toml(text)).await.unwrap();
    pacts::propose(many.node(0), ADMIN, EQUIPE, false).await.unwrap();
    many.run().await;
    many.sign(1).await;
    many.run().await;
    many.away.extend([0, 1]);
    many.sign(2).await;
    begin(&many, 2, Wanted::Leave).await;
    many.errands(2).await.unwrap();
    many.away.clear();
    many.run().await;
    many.assert_agreement(&[0, 1]).await;
    let statement = changes::statement(&many.row(0).await).unwrap();
    assert_eq!(statement.statement().version, 3);
    assert_eq!(many.row(2).await.state, "ended");
    let shown = raccordo_node::app::work::open_pact(many.node(1), &many.row(1).await).unwrap();
    assert_eq!(shown.terms().share.case_alert.retention_days, 30);
}

#[tokio::test]
async fn who_is_no_member_begins_nothing() {
    let mut many = Many::founded(3, 3).await;
    begin(&many, 2, Wanted::Leave).await;
    many.run().await;
    assert_eq!(many.row(2).await.state, "ended");
    for wanted in [Wanted::Remove(id(0)), Wanted::Suspend(id(0)), Wanted::Leave] {
        assert_eq!(refused(&many, 2, wanted).await, "not_a_member");
    }
    let node = many.node(0);
    let parties = [id(0), id(1), id(2)];
    let relay = "relay".parse().unwrap();
    let text = pacts::draft(node, EQUIPE, &parties, &relay, true, "").await.unwrap();
    let signed = pacts::sign(many.node(2), ADMIN, Source::Toml(text)).await.map(drop);
    assert_eq!(signed.unwrap_err().reason, "not_a_member");
    let keys = raccordo_node::app::update_keys::update_keys(many.node(2), ADMIN, EQUIPE).await;
    assert_eq!(keys.unwrap_err().reason, "not_a_member");
}
