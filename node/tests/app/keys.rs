//! Keys for tokens: made when an équipe begins, shared anew when its members change, replaced
//! after a removal; whoever is away, crashes or cheats meanwhile.

use std::time::Duration;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::envelope::{Body, Envelope, KeyPlan};
use raccordo_core::id::{Digest, EntryId, EnvelopeId, NodeId, Sequence};
use raccordo_core::pseudonym::ceremony::{Act, Plan, Rules};
use raccordo_core::pseudonym::dealing;
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::pseudonym::renewal::REPLACE_AFTER;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::secret::Secret;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::init::NewTls;
use raccordo_node::app::pack::queued_row;
use raccordo_node::app::pseudonym::PHASE;
use raccordo_node::app::pseudonym::rekey::rekey;
use raccordo_node::app::pseudonym::show::{self, KeyStatus};
use raccordo_node::app::rejoin::{approve, request};
use raccordo_node::app::rotate::{Order, rotate};
use raccordo_node::app::work::Work;
use raccordo_node::store::keys::CeremonyRow;
use raccordo_node::store::memory::{CrashPoint, Snapshot};

use crate::bench::ADMIN;
use crate::many::{EQUIPE, Many, id};
use crate::membership::agree;

/// Before one commit and after the next.
const POINTS: [(CrashPoint, u64); 2] =
    [(CrashPoint::BeforeCommit, 1), (CrashPoint::AfterCommit, 2)];
/// Longer than any wait of a ceremony for its next attempt.
const LONG: Duration = Duration::from_secs(25 * 3600);

/// The keys as a member sees them.
pub async fn keys(many: &Many, member: usize) -> Vec<KeyStatus> {
    show::show(many.node(member), EQUIPE).await.unwrap()
}

/// Queues something at a member that its program would not say, and sends it.
pub async fn say(many: &Many, member: usize, body: Body) {
    let (node, lineage) = (many.node(member), many.row(member).await.lineage);
    let envelope = Envelope {
        id: EnvelopeId::random(&*node.entropy),
        lineage,
        number: 0,
        said_at: node.clock.now(),
        author: None,
        body,
    };
    let mut work = Work::begin(node, lineage).await.unwrap().unwrap();
    let row = queued_row(node, &envelope, None, false).unwrap();
    work.tx().unwrap().queue_envelopes(vec![row]).await.unwrap();
    work.commit().await.unwrap();
    many.send(member).await.unwrap();
}

/// All these members have one key of each class, in this epoch and sharing, with exactly
/// these holders, each with its share.
async fn assert_keys(many: &Many, members: &[usize], epoch: u64, generation: u64) {
    let mut holders: Vec<NodeId> = members.iter().map(|member| id(*member)).collect();
    holders.sort();
    let mut sharings = Vec::new();
    for member in members {
        for key in keys(many, *member).await {
            let found = (key.key_epoch, key.generation, key.own_share);
            assert_eq!(found, (epoch, generation, true), "{member} {key:?}");
            assert_eq!(key.holders, holders, "{member}");
            assert_eq!(usize::from(key.threshold), members.len().div_ceil(2).max(2));
            assert_eq!(key.renewal, "", "{member}");
        }
        let lineage = many.row(*member).await.lineage;
        let mut tx = many.node(*member).store.read().await.unwrap();
        let rows = tx.key_sharings(lineage).await.unwrap();
        sharings.push(rows.into_iter().map(|row| row.sharing).collect::<Vec<_>>());
    }
    sharings.dedup();
    assert_eq!(sharings.len(), 1, "members have different sharings");
    assert_eq!(sharings[0].len(), Class::ALL.len());
}

/// The ceremonies as a member keeps them.
pub async fn ceremonies(many: &Many, member: usize) -> Vec<CeremonyRow> {
    let lineage = many.row(member).await.lineage;
    let mut tx = many.node(member).store.read().await.unwrap();
    tx.key_ceremonies(lineage).await.unwrap()
}

#[tokio::test]
async fn two_members_make_the_first_keys() {
    let many = Many::keyed(2, 2).await;
    assert_keys(&many, &[0, 1], 1, 1).await;
    many.assert_agreement(&[0, 1]).await;
    for member in [0, 1] {
        let audited = many.audited(many.node(member)).await;
        assert_eq!(audited.iter().filter(|action| *action == "equipe.key").count(), 3);
    }
}

#[tokio::test]
async fn a_party_that_is_away_gets_its_share_when_it_is_back() {
    let mut many = Many::founded(3, 3).await;
    many.keyed = [0, 1, 2].into();
    many.away.insert(2);
    many.run().await;
    assert_eq!(keys(&many, 0).await[0].key_epoch, 0);
    // Dealing, reporting, agreeing: each waits for it in vain.
    for _ in 0..4 {
        many.pass(PHASE);
        many.run().await;
    }
    many.away.clear();
    many.run().await;
    assert_keys(&many, &[0, 1, 2], 1, 1).await;
    many.assert_agreement(&[0, 1, 2]).await;
}

#[tokio::test]
async fn two_of_whom_one_is_away_wait_quietly_until_it_is_back() {
    let mut many = Many::founded(2, 2).await;
    many.keyed = [0, 1].into();
    many.away.insert(1);
    many.run().await;
    for _ in 0..5 {
        many.pass(LONG);
        many.run().await;
    }
    let failed = ceremonies(&many, 0).await;
    assert!(failed.iter().all(|row| row.failures > 0 && row.failures <= 5), "{failed:?}");
    assert_eq!(many.alarms(0).await, ["key_ceremony_failed"]);
    many.away.clear();
    many.run().await;
    for _ in 0..3 {
        many.pass(PHASE * 2);
        many.run().await;
    }
    assert_keys(&many, &[0, 1], 1, 1).await;
    many.assert_agreement(&[0, 1]).await;
}

/// How much the hub's log holds.
async fn log_end(many: &Many) -> u64 {
    let lineage = many.row(0).await.lineage;
    many.relay().store.read().await.unwrap().carried(lineage).await.unwrap().unwrap().sequence.0
}

#[tokio::test]
async fn a_log_that_does_not_come_back_is_spoken_to_once_in_a_while() {
    let mut many = Many::founded(3, 3).await;
    many.keyed = [0, 1].into();
    many.away.insert(2);
    many.run().await;
    many.pass(PHASE);
    let before = log_end(&many).await;
    for _ in 0..20 {
        many.send(0).await.unwrap();
    }
    assert_eq!(log_end(&many).await, before + 1);
    many.pass(Duration::from_secs(61));
    many.send(0).await.unwrap();
    assert_eq!(log_end(&many).await, before + 2);
}

/// Whether a member keeps a share of the first sharing of a class.
async fn has_share(many: &Many, member: usize) -> bool {
    let lineage = many.row(member).await.lineage;
    let mut tx = many.node(member).store.read().await.unwrap();
    let (class, epoch, generation) = (Class::Company, KeyEpoch::FIRST, Generation::FIRST);
    tx.key_share(lineage, class, epoch, generation).await.unwrap().is_some()
}

#[tokio::test]
async fn a_share_of_a_ceremony_that_failed_gives_way_to_the_next() {
    let mut many = Many::founded(2, 2).await;
    many.keyed = [0, 1].into();
    while !has_share(&many, 0).await {
        assert!(many.turn(1).await.unwrap() | many.turn(0).await.unwrap());
    }
    // It has agreed, and nobody else has: nothing is made.
    many.away.insert(1);
    many.pass(PHASE * 2);
    many.run().await;
    let failed = ceremonies(&many, 0).await;
    assert!(failed.iter().any(|row| row.state == "failed"), "{failed:?}");
    many.away.clear();
    for _ in 0..4 {
        many.run().await;
        many.pass(PHASE * 2);
    }
    many.run().await;
    assert_keys(&many, &[0, 1], 1, 1).await;
}

#[tokio::test]
async fn a_chair_that_is_away_is_not_waited_for() {
    let mut many = Many::founded(3, 3).await;
    many.keyed = [0, 1, 2].into();
    many.away.insert(0);
    for _ in 0..8 {
        many.pass(PHASE);
        many.run().await;
    }
    many.away.clear();
    many.run().await;
    assert_keys(&many, &[0, 1, 2], 1, 1).await;
}

async fn crashing(many: &mut Many, story: impl AsyncFn(&mut Many)) {
    let disks = many.disks();
    for victim in [0, 1] {
        let mut crashes = 0;
        for (point, first) in POINTS {
            for commits in (first..200).step_by(2) {
                many.put_all_back(&disks).await;
                let life = many.life(victim);
                many.disk(victim).crash_after(commits, point);
                story(many).await;
                if many.life(victim) == life {
                    break;
                }
                crashes += 1;
            }
        }
        assert!(crashes > 4, "{victim} crashed {crashes} times");
    }
}

#[tokio::test]
async fn a_crash_at_any_step_delays_nothing_and_breaks_nothing() {
    let mut many = Many::founded(2, 2).await;
    many.keyed = [0, 1].into();
    crashing(&mut many, async |many| {
        many.run().await;
        assert_keys(many, &[0, 1], 1, 1).await;
        many.assert_agreement(&[0, 1]).await;
    })
    .await;
}

#[tokio::test]
async fn a_newcomer_shares_the_same_key_and_old_shares_are_deleted() {
    let mut many = Many::keyed(2, 3).await;
    let before = public_keys(&many, 0).await;
    let old = keys(&many, 0).await;
    agree(&mut many, 0, &[0, 1, 2]).await;
    assert_keys(&many, &[0, 1, 2], 1, 2).await;
    assert_eq!(public_keys(&many, 2).await, before);
    for key in old {
        let lineage = many.row(0).await.lineage;
        let mut tx = many.node(0).store.read().await.unwrap();
        let (epoch, generation) = (KeyEpoch(key.key_epoch), Generation(key.generation));
        let share = tx.key_share(lineage, key.class, epoch, generation).await.unwrap();
        assert_eq!(share, None);
    }
    many.assert_agreement(&[0, 1, 2]).await;
}

pub async fn public_keys(many: &Many, member: usize) -> Vec<[u8; 32]> {
    let lineage = many.row(member).await.lineage;
    let mut tx = many.node(member).store.read().await.unwrap();
    let rows = tx.key_sharings(lineage).await.unwrap();
    rows.iter().map(|row| Sharing::decode(&row.sharing).unwrap().public_key()).collect()
}

async fn begin(many: &Many, by: usize, wanted: Wanted) {
    changes::begin(many.node(by), ADMIN, EQUIPE, wanted, "story").await.unwrap();
}

#[tokio::test]
async fn who_leaves_takes_a_share_that_is_worth_nothing_any_more() {
    let mut many = Many::keyed(3, 3).await;
    let before = public_keys(&many, 0).await;
    begin(&many, 2, Wanted::Leave).await;
    many.run().await;
    assert_keys(&many, &[0, 1], 1, 2).await;
    assert_eq!(public_keys(&many, 0).await, before);
}

#[tokio::test]
async fn a_removal_replaces_the_key() {
    let mut many = Many::keyed(3, 3).await;
    let before = public_keys(&many, 0).await;
    begin(&many, 0, Wanted::Remove(id(2))).await;
    many.run().await;
    many.sign(1).await;
    many.run().await;
    assert_keys(&many, &[0, 1], 2, 1).await;
    let after = public_keys(&many, 0).await;
    assert!(before.iter().all(|key| !after.contains(key)));
}

#[tokio::test]
async fn administrators_of_more_than_half_replace_the_keys_but_not_too_often() {
    let mut many = Many::keyed(2, 2).await;
    let request = rekey(many.node(1), ADMIN, EQUIPE).await.unwrap();
    assert_eq!((request.asked, request.needed), (1, 2));
    many.pass(REPLACE_AFTER);
    many.run().await;
    assert_keys_age(&many, 1).await;
    let found = doctor(many.node(0)).await.unwrap();
    let told = found.iter().find(|one| one.code == "key_renewal_asked").unwrap();
    assert!(told.message.contains("umbria asked") && told.whose == "you", "{}", told.message);
    let request = rekey(many.node(0), ADMIN, EQUIPE).await.unwrap();
    assert_eq!((request.asked, request.needed), (2, 2));
    many.run().await;
    assert_keys(&many, &[0, 1], 2, 1).await;
    // Asked again at once, the new one has its hour.
    for member in [0, 1] {
        rekey(many.node(member), ADMIN, EQUIPE).await.unwrap();
    }
    many.run().await;
    assert_keys_age(&many, 2).await;
    many.pass(REPLACE_AFTER);
    many.run().await;
    assert_keys(&many, &[0, 1], 3, 1).await;
    let refused = rekey(many.node(1), ADMIN, "nowhere").await.unwrap_err();
    assert_eq!(refused.reason, "no_such_equipe");
}

/// A member whose program knows no better proposes another key every hour: the others make
/// none, and spend no budget.
#[tokio::test]
async fn one_member_alone_does_not_make_the_others_make_all_tokens_anew() {
    let mut many = Many::keyed(3, 3).await;
    for _ in 0..3 {
        many.pass(REPLACE_AFTER);
        let plans = fresh_plans(&many, 1).await;
        for plan in plans {
            say(&many, 1, Body::KeyPlan(plan)).await;
        }
        many.run().await;
    }
    assert_keys(&many, &[0, 1, 2], 1, 1).await;
    // Nor does it make them share again what they share already.
    for class in Class::ALL {
        let sharing = sharing(&many, 1, class).await;
        let members = (0..3).map(id).collect();
        let key = sharing.key();
        let rules = Rules { key, holders: &members, threshold: 2, current: Some(&sharing) };
        let run = EntryId::random(&*many.node(1).entropy);
        let plan = Plan::resharing(run, rules, PHASE).unwrap().encode();
        say(&many, 1, Body::KeyPlan(KeyPlan { plan, current: sharing.encode() })).await;
    }
    many.run().await;
    assert_keys(&many, &[0, 1, 2], 1, 1).await;
    assert!(ceremonies(&many, 0).await.iter().all(|row| row.state == "done"));
}

async fn sharing(many: &Many, member: usize, class: Class) -> Sharing {
    let lineage = many.row(member).await.lineage;
    let mut tx = many.node(member).store.read().await.unwrap();
    let rows = tx.key_sharings(lineage).await.unwrap();
    let row = rows.into_iter().find(|row| row.class == class).unwrap();
    Sharing::decode(&row.sharing).unwrap()
}

/// Another key in the place of each.
async fn fresh_plans(many: &Many, member: usize) -> Vec<KeyPlan> {
    let members = many.members(member).await.into_iter().collect();
    let mut plans = Vec::new();
    for class in Class::ALL {
        let sharing = sharing(many, member, class).await;
        let key = sharing.key().successor();
        let rules = Rules { key, holders: &members, threshold: 2, current: Some(&sharing) };
        let run = EntryId::random(&*many.node(member).entropy);
        let plan = Plan::founding(run, rules, PHASE).unwrap().encode();
        plans.push(KeyPlan { plan, current: sharing.encode() });
    }
    plans
}

async fn assert_keys_age(many: &Many, epoch: u64) {
    assert!(keys(many, 0).await.iter().all(|key| key.key_epoch == epoch));
}

/// The plan that runs at a member.
async fn plan(many: &Many, member: usize, class: Class) -> Plan {
    let rows = ceremonies(many, member).await;
    let row = rows.iter().find(|row| row.class == class && row.state == "running").unwrap();
    Plan::read(&row.plan, None).unwrap()
}

#[tokio::test]
async fn a_dealer_that_cheats_is_named_and_left_out() {
    let mut many = Many::founded(3, 3).await;
    many.keyed = [0, 2].into();
    many.run().await;
    let plan = plan(&many, 1, Class::Company).await;
    let node = many.node(1);
    let keys = (0..3)
        .map(|member| (id(member), many.node(member).identity.card().card().sealing_key.clone()));
    let (seed, keys) = (Secret::new([7; 32]), keys.collect());
    let dealt = dealing::deal(&*node.entropy, &seed, &plan, &id(1), None, &keys);
    let mut dealing = dealt.unwrap();
    // What it deals to one holder does not open; it proves and commits as it must.
    for letter in dealing.sealed.values_mut() {
        letter.reverse();
    }
    say(&many, 1, Body::KeyAct(Act::Deal(dealing).encode(plan.run()))).await;
    for _ in 0..5 {
        many.run().await;
        many.pass(PHASE);
    }
    many.run().await;
    for member in [0, 2] {
        let key = keys_of(&many, member, Class::Company).await;
        assert_eq!((key.key_epoch, key.own_share), (1, true));
        let lineage = many.row(member).await.lineage;
        let alarms = many.node(member).store.read().await.unwrap().alarms(lineage).await.unwrap();
        let told = alarms.iter().find(|alarm| alarm.code == AlarmCode::KeyDealingBad).unwrap();
        assert!(told.detail.contains("umbria"), "{}", told.detail);
        assert!(!told.holds());
    }
}

pub async fn keys_of(many: &Many, member: usize, class: Class) -> KeyStatus {
    keys(many, member).await.into_iter().find(|key| key.class == class).unwrap()
}

#[tokio::test]
async fn what_is_malformed_is_set_aside() {
    let mut many = Many::keyed(2, 2).await;
    say(&many, 1, Body::KeyAct(vec![1, 2, 3])).await;
    let plan = KeyPlan { plan: vec![1, 2, 3], current: Vec::new() };
    say(&many, 1, Body::KeyPlan(plan)).await;
    many.run().await;
    let lineage = many.row(0).await.lineage;
    let mut tx = many.node(0).store.read().await.unwrap();
    let rows = tx.set_aside_after(lineage, Sequence(0)).await.unwrap();
    let reasons: Vec<&str> = rows.iter().map(|row| row.reason.as_str()).collect();
    assert_eq!(reasons, ["key_act_malformed", "key_plan_malformed"]);
}

/// A member's disk is one of yesterday: it gives up its state, and joins again.
async fn lose(many: &mut Many, member: usize) {
    let earlier = many.disk(member).snapshot();
    lose_since(many, member, &earlier).await;
}

/// The same, of a disk as it was earlier.
pub async fn lose_since(many: &mut Many, member: usize, earlier: &Snapshot) {
    many.share(member, 1).await;
    many.run().await;
    many.put_back(member, earlier).await;
    many.share(member, 1).await;
    many.run().await;
    assert_eq!(many.row(member).await.state, "quarantined");
    request::ask(many.node(member), ADMIN, EQUIPE).await.unwrap();
    many.run().await;
    approve::approve(many.node(0), ADMIN, EQUIPE, &id(member)).await.unwrap();
    many.run().await;
    assert_eq!(many.row(member).await.state, "active");
}

#[tokio::test]
async fn two_of_whom_one_lost_its_share_begin_again_with_a_new_key() {
    let mut many = Many::keyed(2, 2).await;
    lose(&mut many, 1).await;
    many.pass(PHASE);
    many.run().await;
    assert!(many.alarms(0).await.contains(&"key_lost".to_owned()));
    let step = async |many: &Many| {
        let found = doctor(many.node(0)).await.unwrap().into_iter();
        let mut steps = found.filter(|one| one.code.starts_with("key_"));
        steps.next().map(|one| (one.code, one.whose, one.step))
    };
    let (code, whose, told) = step(&many).await.unwrap();
    assert_eq!((code.as_str(), whose.as_str()), ("key_lost", "you"));
    assert!(told.contains("raccordo equipe rekey 'Dorsale'"), "{told}");
    rekey(many.node(0), ADMIN, EQUIPE).await.unwrap();
    assert_eq!(step(&many).await.unwrap().0, "key_renewed");
    many.pass(REPLACE_AFTER * 2);
    many.run().await;
    assert_keys(&many, &[0, 1], 2, 1).await;
    assert!(!many.alarms(0).await.contains(&"key_lost".to_owned()));
    assert_eq!(step(&many).await, None);
}

#[tokio::test]
async fn who_came_back_without_its_share_is_given_another() {
    let mut many = Many::keyed(3, 3).await;
    let before = public_keys(&many, 0).await;
    lose(&mut many, 2).await;
    assert!(keys(&many, 2).await.iter().all(|key| key.key_epoch == 0));
    // It cannot deal, and is waited for.
    many.pass(PHASE);
    many.run().await;
    assert_keys(&many, &[0, 1, 2], 1, 2).await;
    assert_eq!(public_keys(&many, 2).await, before);
}

/// A card rotated in the middle of a ceremony brings another sealing key: what was sealed to the
/// one before is opened still, and what comes after is sealed to the new one.
#[tokio::test]
async fn a_card_rotated_during_a_ceremony_breaks_nothing() {
    for turns in 1..6 {
        let mut many = Many::founded(3, 3).await;
        many.keyed = [0, 1, 2].into();
        for turn in 0..turns {
            many.turn(turn % 3).await.unwrap();
        }
        let before = many.node(1).identity.card().card().serial;
        let tls = NewTls {
            signing: IdentityKey::from_seed(&Digest::of(b"next").0),
            key: b"next".to_vec(),
            certificate: b"next".to_vec(),
        };
        let order = Order { tls: Some(tls), ..Order::default() };
        rotate(many.node(1), ADMIN, order).await.unwrap();
        assert!(many.node(1).identity.card().card().serial > before);
        many.run().await;
        for _ in 0..4 {
            many.pass(PHASE);
            many.run().await;
        }
        assert_keys(&many, &[0, 1, 2], 1, 1).await;
        many.assert_agreement(&[0, 1, 2]).await;
    }
}
