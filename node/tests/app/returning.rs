//! Members that come back, as the simulation met them: what overtakes what, who owes what to
//! whom, and that nobody stays outside for ever.

use std::collections::BTreeSet;

use raccordo_core::id::Sequence;
use raccordo_node::app::alarms::{self, NewAlarm};
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::hub::confirm::confirm;
use raccordo_node::app::hub::mailbox::read_mailbox;
use raccordo_node::app::receive_mail;
use raccordo_node::app::rejoin::{approve, request};
use raccordo_node::app::withdraw::withdraw;
use raccordo_node::app::work::open_pact;

use crate::bench::ADMIN;
use crate::many::{EQUIPE, Many, id};
use crate::membership::{agree, propose};

/// The first two put a third one out.
pub async fn remove(many: &mut Many, who: usize) {
    let wanted = Wanted::Remove(id(who));
    changes::begin(many.node(0), ADMIN, EQUIPE, wanted, "story").await.unwrap();
    many.run().await;
    many.sign(1).await;
    many.run().await;
}

/// The last of three has signed that it comes in, and is away when it is added.
async fn add_while_away(many: &mut Many) {
    propose(many, 0, &[0, 1, 2]).await;
    many.run().await;
    many.sign(1).await;
    many.sign(2).await;
    many.errands(2).await.unwrap();
    many.away.insert(2);
    many.run().await;
    assert_eq!(many.members(0).await.len(), 3);
}

async fn raise(many: &Many, member: usize, code: &str) {
    let node = many.node(member);
    let lineage = many.row(member).await.lineage;
    let mut tx = node.store.write().await.unwrap();
    let alarm = NewAlarm::new(code.parse().unwrap(), "");
    alarms::raise(node, &mut *tx, lineage, alarm).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_welcome_that_overtakes_the_log_waits_for_the_removal() {
    let mut many = Many::founded(3, 3).await;
    many.behind.insert(2);
    remove(&mut many, 2).await;
    agree(&mut many, 0, &[0, 1, 2]).await;
    // Its Welcome has come, and it has not read yet that it was removed.
    assert_eq!(many.row(2).await.state, "active");
    assert_ne!(many.row(2).await.epoch, many.row(0).await.epoch);
    many.behind.clear();
    many.run().await;
    assert_eq!(many.row(2).await.state, "active");
    many.assert_agreement(&[0, 1, 2]).await;
    let shared = many.share(2, 1).await;
    many.run().await;
    assert_eq!(many.seen(0).await, shared.into_iter().collect());
}

#[tokio::test]
async fn whom_the_hub_serves_no_longer_comes_back_by_a_welcome() {
    let mut many = Many::founded(3, 3).await;
    many.behind.insert(2);
    remove(&mut many, 2).await;
    // The commit that removed it is trimmed: the hub can only say so.
    let row = many.row(0).await;
    for member in [0, 1] {
        let cursors = [(row.group, row.sequence)];
        confirm(many.relay(), &id(member), &cursors, 0).await.unwrap();
    }
    many.behind.clear();
    many.fetch(2).await.unwrap();
    assert_eq!(many.ended.get(&2), Some(&"removed"));
    raise(&many, 2, "hub_removed").await;
    agree(&mut many, 0, &[0, 1, 2]).await;
    assert_eq!(many.alarms(2).await, Vec::<String>::new());
    many.assert_agreement(&[0, 1, 2]).await;
}

#[tokio::test]
async fn who_was_removed_and_added_again_meanwhile_needs_nobody_where_the_log_is_trimmed() {
    let mut many = Many::founded(3, 3).await;
    many.behind.insert(2);
    remove(&mut many, 2).await;
    agree(&mut many, 0, &[0, 1, 2]).await;
    // All that the others have is trimmed, up to where it was added again.
    let row = many.row(0).await;
    for member in [0, 1] {
        let cursors = [(row.group, row.sequence)];
        confirm(many.relay(), &id(member), &cursors, 0).await.unwrap();
    }
    many.behind.clear();
    many.fetch(2).await.unwrap();
    assert_eq!(many.ended.get(&2), Some(&"trimmed"));
    raise(&many, 2, "hub_trimmed").await;
    many.run().await;
    assert_eq!(many.alarms(2).await, Vec::<String>::new());
    many.assert_agreement(&[0, 1, 2]).await;
}

#[tokio::test]
async fn who_goes_on_from_before_a_pact_is_told_that_it_has_signed_it() {
    let mut many = Many::founded(3, 4).await;
    let disk = many.disk(2).snapshot();
    agree(&mut many, 0, &[0, 1, 2, 3]).await;
    let shared = many.share(2, 1).await;
    many.run().await;
    many.put_back(2, &disk).await;
    many.run().await;
    assert_eq!(many.row(2).await.state, "quarantined");
    request::ask(many.node(2), ADMIN, EQUIPE).await.unwrap();
    many.run().await;
    approve::approve(many.node(1), ADMIN, EQUIPE, &id(2)).await.unwrap();
    many.run().await;
    assert_eq!(many.alarms(2).await, Vec::<String>::new());
    many.assert_agreement(&[0, 1, 2, 3]).await;
    let pact = changes::statement(&many.row(2).await).unwrap().statement().pact;
    assert_eq!(open_pact(many.node(2), &many.row(2).await).unwrap().digest(), pact);
    assert_eq!(many.seen(3).await, shared.into_iter().collect());
}

#[tokio::test]
async fn who_was_added_by_keys_that_are_lost_asks_to_join_again() {
    let mut many = Many::founded(3, 3).await;
    remove(&mut many, 2).await;
    let refused = request::ask(many.node(2), ADMIN, EQUIPE).await.unwrap_err();
    assert_eq!(refused.reason, "nothing_lost");
    add_while_away(&mut many).await;
    // It cannot open its Welcome.
    let mail = read_mailbox(many.relay(), &id(2), 0).await.unwrap();
    let last = mail.last().map(|item| item.sequence).unwrap();
    let hub = many.relay().identity.node.clone();
    receive_mail::skip(many.node(2), &hub, last).await.unwrap();
    raise(&many, 2, "welcome_refused").await;
    many.away.clear();
    request::ask(many.node(2), ADMIN, EQUIPE).await.unwrap();
    many.run().await;
    approve::approve(many.node(1), ADMIN, EQUIPE, &id(2)).await.unwrap();
    many.run().await;
    assert_eq!(many.alarms(2).await, Vec::<String>::new());
    many.assert_agreement(&[0, 1, 2]).await;
}

/// The last of three was added again, has not read of it, and asks to join again.
async fn asked_although_added() -> Many {
    let mut many = Many::founded(3, 3).await;
    remove(&mut many, 2).await;
    add_while_away(&mut many).await;
    raise(&many, 2, "welcome_refused").await;
    request::ask(many.node(2), ADMIN, EQUIPE).await.unwrap();
    many.errands(2).await.unwrap();
    many.send(2).await.unwrap();
    many
}

/// Its Welcome waits in its mailbox, and stands in the log before what it says meanwhile.
#[tokio::test]
async fn who_asks_although_it_was_added_again_knows_its_own_request() {
    let mut many = asked_although_added().await;
    many.read_mail(2).await;
    assert_eq!(many.row(2).await.state, "active");
    many.fetch(2).await.unwrap();
    assert_eq!(many.row(2).await.state, "active");
    many.away.clear();
    many.run().await;
    assert_eq!(many.alarms(2).await, Vec::<String>::new());
    // Nobody has to follow what was asked.
    assert_eq!(many.alarms(1).await, ["notice_rejoin_request"]);
    let approved = approve::approve(many.node(1), ADMIN, EQUIPE, &id(2)).await;
    assert_eq!(approved.unwrap_err().reason, "request_overtaken");
    assert_eq!(many.alarms(1).await, Vec::<String>::new());
    approve::approve(many.node(0), ADMIN, EQUIPE, &id(2)).await.unwrap_err();
    many.assert_agreement(&[0, 1, 2]).await;
}

/// One commit takes its leaf out and adds another one: it may read of both, and then the
/// Welcome.
#[tokio::test]
async fn who_has_its_group_and_is_let_in_once_more_goes_on() {
    let mut many = asked_although_added().await;
    many.run().await;
    approve::approve(many.node(1), ADMIN, EQUIPE, &id(2)).await.unwrap();
    many.run().await;
    // The hub keeps the newest Welcome alone.
    many.read_mail(2).await;
    assert_eq!(many.row(2).await.state, "active");
    many.fetch(2).await.unwrap();
    assert_eq!(many.row(2).await.state, "active");
    many.away.clear();
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    assert_eq!(many.alarms(2).await, Vec::<String>::new());
}

/// Both copies of a disk have given the hub key packages, and the older one goes on.
#[tokio::test]
async fn a_newcomer_whose_key_packages_are_not_at_the_hub_replaces_them() {
    let mut many = Many::founded(3, 4).await;
    propose(&many, 0, &[0, 1, 2, 3]).await;
    let empty = many.disk(3).snapshot();
    many.run().await;
    many.sign(3).await;
    many.run().await;
    let first = many.disk(3).snapshot();
    many.put_back(3, &empty).await;
    many.run().await;
    many.sign(3).await;
    many.run().await;
    many.put_back(3, &first).await;
    many.sign(1).await;
    many.sign(2).await;
    many.run().await;
    // Added, by a key package that it does not have.
    assert_eq!(many.members(0).await.len(), 4);
    assert!(many.node(3).store.read().await.unwrap().equipes().await.unwrap().is_empty());
    let found = doctor(many.node(3)).await.unwrap();
    let told = found.iter().find(|found| found.code == "welcome_refused").unwrap();
    assert!(told.message.contains("key package"), "{}", told.message);

    remove(&mut many, 3).await;
    many.sign(2).await;
    many.run().await;
    agree(&mut many, 0, &[0, 1, 2, 3]).await;
    many.assert_agreement(&[0, 1, 2, 3]).await;
    let shared = many.share(3, 1).await;
    many.run().await;
    assert_eq!(many.seen(0).await, shared.into_iter().collect());
}

#[tokio::test]
async fn of_whom_the_hub_has_trimmed_the_administrator_lets_it_join_again() {
    let many = Many::founded(2, 2).await;
    let refused = request::ask(many.node(1), ADMIN, EQUIPE).await.unwrap_err();
    assert_eq!(refused.reason, "nothing_lost");
    raise(&many, 1, "hub_trimmed").await;
    request::ask(many.node(1), ADMIN, EQUIPE).await.unwrap();
    assert_eq!(many.row(1).await.state, "needs_rejoin");
}

#[tokio::test]
async fn who_returns_owes_its_objects_to_whoever_came_meanwhile() {
    let mut many = Many::founded(3, 4).await;
    let shared = many.share(2, 2).await;
    many.run().await;
    remove(&mut many, 2).await;
    agree(&mut many, 0, &[0, 1, 3]).await;
    assert_eq!(many.seen(3).await, BTreeSet::new());
    agree(&mut many, 0, &[0, 1, 2, 3]).await;
    many.assert_agreement(&[0, 1, 2, 3]).await;
    assert_eq!(many.seen(3).await, shared.iter().copied().collect());
    let delivery = many.one(2, shared[0]).await.delivery;
    assert_eq!((delivery.delivered, delivery.members), (3, 3));
}

#[tokio::test]
async fn the_end_of_what_a_newcomer_never_had_is_nothing() {
    let mut many = Many::founded(2, 3).await;
    let gone = many.share(0, 1).await;
    many.run().await;
    propose(&many, 1, &[0, 1, 2]).await;
    many.run().await;
    many.sign(0).await;
    many.sign(2).await;
    many.errands(0).await.unwrap();
    // The newcomer is added while the origin is away, and the origin withdraws before it
    // knows of the newcomer.
    many.away.insert(0);
    many.run().await;
    assert_eq!(many.row(2).await.state, "active");
    many.away.clear();
    withdraw(many.node(0), many.operator(0), gone[0], "resolved").await.unwrap();
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    let lineage = many.row(2).await.lineage;
    let mut tx = many.node(2).store.read().await.unwrap();
    assert!(tx.set_aside_after(lineage, Sequence(0)).await.unwrap().is_empty());
    assert!(many.listed(2).await.is_empty());
}
