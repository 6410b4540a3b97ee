//! Key packages at a hub: what its pool holds, and who gets them.

use std::time::Duration;

use raccordo_core::crypto::Suite;
use raccordo_core::id::NodeId;
use raccordo_core::quota::Quota;
use raccordo_core::session::key_package;
use raccordo_core::time::Instant;
use raccordo_core::wire::hub::Mail;
use raccordo_node::app::changes::Wanted;
use raccordo_node::app::fault::Done;
use raccordo_node::app::hub::key_package_pool::{Claimed, Deposit, LIFETIME, claim, deposit};
use raccordo_node::app::hub::mailbox::read_mailbox;
use raccordo_node::app::key_packages::to_deposit;
use raccordo_node::app::receive_mail::receive_mail;
use raccordo_node::store::hub::PoolRow;
use raccordo_node::store::node::OwnKeyPackageRow;

use super::{assert_named, assert_refused};
use crate::bench::{Bench, Relay, Rows, Toscana, Umbria, Who};
use crate::many::{self, Many};
use crate::membership::begin;

const SUITE: Suite = Suite::Classical;
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn founded() -> Bench {
    Bench::founded(Rows::Memory, SUITE).await
}

async fn claimed(bench: &Bench, parties: &[NodeId]) -> Done<Claimed> {
    let row = bench.node(Relay).store.read().await?.all_carried().await?.remove(0);
    let suite = SUITE.number();
    claim(bench.node(Relay), &Toscana.id(), row.lineage, suite, parties).await
}

/// Puts packages into the pool past their owner; they are given out unread.
async fn stock(bench: &Bench, owner: Who, count: u8, last_resort: bool) {
    let now = bench.node(Relay).clock.now();
    let mut tx = bench.node(Relay).store.write().await.unwrap();
    for number in 0..count {
        let row = PoolRow {
            owner: owner.id(),
            reference: vec![number, u8::from(last_resort)],
            suite: SUITE.number(),
            last_resort,
            key_package: vec![number, u8::from(last_resort)],
            expires_at: now.plus(LIFETIME),
            deposited_at: Instant(i64::from(number)),
        };
        tx.insert_pool(row).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Empties the pool of an owner.
async fn clear(bench: &Bench, owner: Who) -> Vec<PoolRow> {
    let now = bench.node(Relay).clock.now();
    let mut tx = bench.node(Relay).store.write().await.unwrap();
    let rows = tx.pool(&owner.id(), SUITE.number(), now).await.unwrap();
    for row in &rows {
        tx.delete_pool(&owner.id(), &row.reference).await.unwrap();
    }
    tx.commit().await.unwrap();
    rows
}

pub async fn too_many_parties(quota: Quota) {
    let bench = founded().await;
    let many = vec![Umbria.id(); quota.count()];
    // A party that is named twice is one party.
    assert_eq!(claimed(&bench, &many).await.unwrap().key_packages.len(), 1);
    let many = vec![Umbria.id(); quota.count() + 1];
    assert_refused(claimed(&bench, &many).await, quota);
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
}

pub async fn claimed_too_often(quota: Quota) {
    let bench = founded().await;
    clear(&bench, Umbria).await;
    stock(&bench, Umbria, quota.number() as u8 + 3, false).await;
    stock(&bench, Umbria, 1, true).await;
    let next = async || claimed(&bench, &[Umbria.id()]).await.unwrap().key_packages.remove(0);
    // The founding has taken one of Umbria's.
    let left = quota.number() as u8 - 1;
    for number in 0..left {
        assert_eq!(next().await.key_package, [number, 0]);
    }
    // The last resort from now on, so that nobody else finds the pool empty.
    assert_eq!(next().await.key_package, [0, 1]);
    assert_eq!(next().await.key_package, [0, 1]);
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
    bench.pass(DAY);
    assert_eq!(next().await.key_package, [left, 0]);
}

pub async fn asked_too_often(quota: Quota) {
    let bench = founded().await;
    clear(&bench, Umbria).await;
    let mut read = 0;
    for times in 1..=quota.number() + 2 {
        // However often before it is read, it waits once.
        for _ in 0..3 {
            assert_eq!(claimed(&bench, &[Umbria.id()]).await.unwrap().missing, [Umbria.id()]);
        }
        let news = read_mailbox(bench.node(Relay), &Umbria.id(), read).await.unwrap();
        let wanted = news.iter().filter(|row| row.kind == "key_packages_wanted").count();
        assert_eq!(wanted, usize::from(times <= quota.number()), "asked {times} times");
        read = news.last().map_or(read, |row| row.sequence);
        let mut tx = bench.node(Relay).store.write().await.unwrap();
        tx.delete_mailbox(&Umbria.id(), read).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_named(bench.node(Relay), &Toscana.id(), quota).await;
}

async fn own(bench: &Bench) -> Vec<OwnKeyPackageRow> {
    let mut tx = bench.node(Umbria).store.read().await.unwrap();
    let mut rows = tx.own_key_packages(&Relay.id()).await.unwrap();
    rows.retain(|row| !row.last_resort);
    rows
}

pub async fn made_too_often(quota: Quota) {
    let bench = founded().await;
    let mut sequence = 100;
    let mut wanted = async || {
        sequence += 1;
        let (sender, kind) = (Relay.id(), "key_packages_wanted".to_owned());
        let mail = Mail { sequence, sender, kind, payload: Vec::new() };
        receive_mail(bench.node(Umbria), &Relay.id(), &mail).await.unwrap();
    };
    for _ in 0..quota.number() {
        wanted().await;
    }
    let made = own(&bench).await.len();
    assert!((quota.count() - 1..=quota.count()).contains(&made), "{made}");
    assert_named(bench.node(Umbria), &Relay.id(), quota).await;
    bench.pass(DAY);
    wanted().await;
    assert_eq!(own(&bench).await.len(), made + 2);
}

pub async fn too_large(quota: Quota) {
    let bench = founded().await;
    let [package, ..] = &clear(&bench, Umbria).await[..] else { panic!("no package") };
    assert!(package.key_package.len() < quota.count(), "{}", package.key_package.len());
    let mut large = deposited(package);
    large.key_package.resize(quota.count() + 1, 0);
    let answer = deposit(bench.node(Relay), &Umbria.id(), vec![large]).await;
    assert_refused(answer, quota);
    assert_named(bench.node(Relay), &Umbria.id(), quota).await;
}

fn deposited(row: &PoolRow) -> Deposit {
    Deposit {
        key_package: row.key_package.clone(),
        last_resort: row.last_resort,
        expires_at: row.expires_at,
        replaces: false,
    }
}

/// Of a suspended party one is kept of each suite, which is what its return takes.
pub async fn too_many_of_suspended(quota: Quota) {
    let mut many = Many::founded(3, 3).await;
    let third = many::id(2);
    many.know_by_equipe_alone(2).await;
    begin(&many, 1, Wanted::Suspend(third.clone())).await;
    many.run().await;
    let package = async |last_resort| {
        let (crypto, leaf) = (&many.node(2).crypto, many.node(2).identity.leaf());
        let made = key_package(crypto, &leaf, SUITE, last_resort).unwrap();
        let expires_at = many.relay().clock.now().plus(LIFETIME);
        Deposit { key_package: made.message, last_resort, expires_at, replaces: false }
    };
    let some = vec![package(true).await, package(false).await, package(false).await];
    let last = some.last().unwrap().key_package.clone();
    deposit(many.relay(), &third, some.clone()).await.unwrap();
    let pool = async || {
        let now = many.relay().clock.now();
        let mut tx = many.relay().store.read().await.unwrap();
        tx.pool(&third, SUITE.number(), now).await.unwrap()
    };
    let kept = pool().await;
    assert_eq!(kept.len(), quota.count());
    assert_eq!(kept[0].key_package, last);
    // Given out and handed in again, it takes nobody's place.
    let mut tx = many.relay().store.write().await.unwrap();
    tx.give_pool(&third, &kept[0].reference).await.unwrap();
    tx.commit().await.unwrap();
    deposit(many.relay(), &third, some[..1].to_vec()).await.unwrap();
    deposit(many.relay(), &third, some[2..].to_vec()).await.unwrap();
    assert_eq!(pool().await[0].key_package, some[0].key_package);
}

pub async fn too_many(quota: Quota) {
    let bench = founded().await;
    let packages = clear(&bench, Umbria).await;
    let single = packages.iter().find(|row| !row.last_resort).unwrap();
    stock(&bench, Umbria, quota.number() as u8, false).await;
    deposit(bench.node(Relay), &Umbria.id(), vec![deposited(single)]).await.unwrap();
    let now = bench.node(Relay).clock.now();
    let mut tx = bench.node(Relay).store.read().await.unwrap();
    let pool = tx.pool(&Umbria.id(), SUITE.number(), now).await.unwrap();
    assert_eq!(pool.len(), quota.count());
    assert_eq!(pool[0].key_package, [1, 0]);
    assert_eq!(pool.last().map(|row| &row.reference), Some(&single.reference));
    // Nothing waits at its owner, whose errands go on.
    assert_eq!(to_deposit(bench.node(Umbria), &Relay.id()).await.unwrap().len(), 0);
}
