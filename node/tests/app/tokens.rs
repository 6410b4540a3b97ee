//! Tokens of records: asked of the members, made by any of them that suffice, within budgets
//! that all count.

use std::collections::BTreeSet;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use raccordo_core::alarm::AlarmCode;
use raccordo_core::envelope::{Body, TokenAnswer, TokenRequest};
use raccordo_core::id::{RecordId, TokenRequestId};
use raccordo_core::pseudonym::evaluation::{BATCH_MAX, Evaluation};
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch, KeyId};
use raccordo_core::pseudonym::request::Request;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::register::{Entry, Field, Identity, RecordKind};
use raccordo_core::secret::Secret;
use raccordo_core::trust::state::TrustChange;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::matching::{self, stops};
use raccordo_node::app::peers;
use raccordo_node::app::pseudonym::want_tokens;
use raccordo_node::app::register::add::{self, NewCase};
use raccordo_node::app::status::status;
use raccordo_node::store::keys::BudgetRow;
use raccordo_node::store::memory::CrashPoint;
use raccordo_node::store::token::TokenRow;
use raccordo_node::telemetry::TOKENS_REFUSED;

use crate::bench::ADMIN;
use crate::keys::{keys, say};
use crate::many::{EQUIPE, Many, id};
use crate::measured::value;
use crate::membership::{agree, propose};

const DAY: Duration = Duration::from_secs(24 * 3600);
const PERSON: [Class; 2] = [Class::PersonStrong, Class::PersonWeak];

fn entry(field: Field, parts: &[&str]) -> Entry {
    Entry::new(field, parts.iter().map(|part| (*part).to_owned()))
}

/// A new person of a member's register, with two strong values and some weak ones.
pub async fn person(many: &Many, member: usize, name: &str, phone: &str) -> RecordId {
    let entries = vec![
        entry(Field::Name, &[name, "Mario"]),
        entry(Field::BirthDate, &["1985-03-02"]),
        entry(Field::Phone, &[phone]),
    ];
    let person = Identity { kind: RecordKind::Person, sole_trader: false, entries };
    let (node, operator) = (many.node(member), many.operator(member));
    let added = add::add_case(node, operator, person, NewCase::default()).await.unwrap().unwrap();
    added.record
}

/// The member is to have tokens of a record.
pub async fn want(many: &Many, member: usize, record: RecordId) {
    let (node, lineage) = (many.node(member), many.row(member).await.lineage);
    let mut tx = node.store.write().await.unwrap();
    want_tokens(&mut *tx, lineage, record, &PERSON, node.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn tokens(many: &Many, member: usize, record: RecordId) -> Vec<TokenRow> {
    let lineage = many.row(member).await.lineage;
    let mut tx = many.node(member).store.read().await.unwrap();
    tx.tokens_of(lineage, record).await.unwrap()
}

/// What makes two tokens of one record the same: their digest under the node's own key.
async fn digests(many: &Many, member: usize, record: RecordId) -> BTreeSet<Vec<u8>> {
    let rows = tokens(many, member, record).await;
    rows.into_iter().map(|row| row.lookup.as_bytes().to_vec()).collect()
}

async fn evidence(many: &Many, member: usize, record: RecordId) -> usize {
    let node = many.node(member);
    let mut tx = node.store.read().await.unwrap();
    matching::evidence(node, &mut *tx, record).await.unwrap().len()
}

#[tokio::test]
async fn two_members_make_a_records_tokens() {
    let mut many = Many::keyed(2, 2).await;
    let record = person(&many, 1, "Rossi", "+39 333 1234567").await;
    want(&many, 1, record).await;
    many.run().await;
    let count = evidence(&many, 1, record).await;
    assert!(count > 3);
    assert_eq!(tokens(&many, 1, record).await.len(), count);
    let classes: BTreeSet<String> =
        tokens(&many, 1, record).await.into_iter().map(|row| row.class).collect();
    assert_eq!(classes, PERSON.map(|class| class.name().to_owned()).into());
    many.assert_agreement(&[0, 1]).await;
    for key in keys(&many, 1).await {
        assert_eq!((key.wanted, key.asked), (0, 0));
    }
    // All counted it.
    assert_eq!(uses(&many, 0).await, uses(&many, 1).await);
    let used: u32 = uses(&many, 0).await.iter().map(|row| row.used).sum();
    assert_eq!(used as usize, count);
}

async fn uses(many: &Many, member: usize) -> Vec<BudgetRow> {
    let lineage = many.row(member).await.lineage;
    many.node(member).store.read().await.unwrap().budget_uses(lineage).await.unwrap()
}

#[tokio::test]
async fn any_two_of_three_make_the_same_tokens() {
    let mut many = Many::keyed(3, 3).await;
    let record = person(&many, 0, "Rossi", "+39 333 1234567").await;
    let mut made = BTreeSet::new();
    for away in [None, Some(1), Some(2)] {
        many.away = away.into_iter().collect();
        want(&many, 0, record).await;
        many.run().await;
        made.insert(digests(&many, 0, record).await);
    }
    assert_eq!(made.len(), 1);
    assert!(!made.into_iter().next().unwrap().is_empty());
}

#[tokio::test]
async fn with_nobody_there_a_request_waits_and_is_asked_again() {
    let mut many = Many::keyed(2, 2).await;
    let records = [
        person(&many, 0, "Rossi", "+39 333 1234567").await,
        person(&many, 0, "Bianchi", "+39 333 7654321").await,
    ];
    many.away.insert(1);
    want(&many, 0, records[0]).await;
    many.run().await;
    // An alert does not wait for tokens.
    let shared = many.share(0, 1).await;
    for _ in 0..6 {
        many.pass(Duration::from_secs(3600));
        many.run().await;
    }
    want(&many, 0, records[1]).await;
    many.run().await;
    assert!(tokens(&many, 0, records[0]).await.is_empty());
    let used: u32 = uses(&many, 0).await.iter().map(|row| row.used).sum();
    // The longer nobody answers, the seldomer it is asked, and nothing new.
    let once = evidence(&many, 0, records[0]).await + evidence(&many, 0, records[1]).await;
    assert!(used as usize <= 5 * once, "{used}");
    many.away.clear();
    many.run().await;
    assert!(many.seen(1).await.contains(&shared[0]));
    assert!(tokens(&many, 0, records[0]).await.is_empty(), "old requests are not answered");
    many.pass(Duration::from_secs(6 * 3600));
    many.run().await;
    for record in records {
        assert!(!tokens(&many, 0, record).await.is_empty());
    }
    many.assert_agreement(&[0, 1]).await;
}

#[tokio::test]
async fn a_crash_at_any_step_costs_no_token() {
    let mut many = Many::keyed(2, 2).await;
    let record = person(&many, 0, "Rossi", "+39 333 1234567").await;
    want(&many, 0, record).await;
    let count = evidence(&many, 0, record).await;
    let disks = many.disks();
    for victim in [0, 1] {
        let mut crashes = 0;
        for point in [CrashPoint::BeforeCommit, CrashPoint::AfterCommit] {
            for commits in 1..100 {
                many.put_all_back(&disks).await;
                let life = many.life(victim);
                many.disk(victim).crash_after(commits, point);
                many.run().await;
                assert_eq!(tokens(&many, 0, record).await.len(), count);
                let used: u32 = uses(&many, 1).await.iter().map(|row| row.used).sum();
                assert_eq!(used as usize, count, "asked more than once");
                many.assert_agreement(&[0, 1]).await;
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
async fn a_newcomer_changes_no_token_and_a_removal_changes_all() {
    let mut many = Many::keyed(2, 3).await;
    let record = person(&many, 0, "Rossi", "+39 333 1234567").await;
    want(&many, 0, record).await;
    many.run().await;
    let first = digests(&many, 0, record).await;
    agree(&mut many, 0, &[0, 1, 2]).await;
    assert!(keys(&many, 0).await.iter().all(|key| key.generation == 2));
    many.pass(DAY);
    want(&many, 0, record).await;
    many.away.insert(1);
    many.run().await;
    // The founder is away: these are made with the newcomer's share.
    assert_eq!(digests(&many, 0, record).await, first);
    many.away.clear();
    many.run().await;
    changes::begin(many.node(0), ADMIN, EQUIPE, Wanted::Remove(id(2)), "story").await.unwrap();
    many.run().await;
    many.sign(1).await;
    many.run().await;
    let second = tokens(&many, 0, record).await;
    assert!(second.iter().all(|row| row.key_epoch == 2));
    assert_eq!(second.len(), first.len());
    assert!(digests(&many, 0, record).await.is_disjoint(&first));
}

/// A request that stands in the log before the end of a resharing is answered with shares of
/// the sharing before, wherever the answers stand.
#[tokio::test]
async fn who_asks_while_a_key_is_shared_anew_is_answered() {
    const TURNS_MAX: usize = 100;
    for turns in 0..TURNS_MAX {
        let mut many = Many::keyed(2, 3).await;
        propose(&many, 0, &[0, 1, 2]).await;
        many.run().await;
        for party in [1, 2] {
            many.sign(party).await;
        }
        for turn in 0..turns {
            many.turn(turn % 3).await.unwrap();
        }
        let done = keys(&many, 0).await.iter().all(|key| key.generation == 2);
        let record = person(&many, 0, "Rossi", "+39 333 1234567").await;
        want(&many, 0, record).await;
        many.run().await;
        let made = tokens(&many, 0, record).await.len();
        assert_eq!(made, evidence(&many, 0, record).await, "after {turns} turns");
        if done {
            return;
        }
    }
    panic!("not shared anew after {TURNS_MAX} turns");
}

/// A request and its answers: two round trips of the log.
#[tokio::test]
async fn a_cases_tokens_take_two_round_trips_of_the_log() {
    let mut many = Many::keyed(3, 3).await;
    let record = person(&many, 0, "Rossi", "+39 333 1234567").await;
    let before =
        [entries_by(&many, 0).await, entries_by(&many, 1).await, entries_by(&many, 2).await];
    // One turn of the asking member, one of each other, and it reads.
    many.send(0).await.unwrap();
    for member in [1, 2] {
        many.fetch(member).await.unwrap();
        many.send(member).await.unwrap();
    }
    many.fetch(0).await.unwrap();
    assert_eq!(tokens(&many, 0, record).await.len(), evidence(&many, 0, record).await);
    for (member, before) in before.into_iter().enumerate() {
        // Both classes in one entry.
        assert_eq!(entries_by(&many, member).await - before, 1, "{member}");
    }
}

/// Values that a member could never have met.
pub fn guesses(many: &Many, member: usize, count: usize) -> TokenRequest {
    let node = many.node(member);
    let values: Vec<String> = (0..count).map(|at| format!("RSSMRA{at:010}")).collect();
    let lineage = raccordo_core::id::LineageId([0; 16]);
    let key = KeyId { lineage, class: Class::PersonStrong, epoch: KeyEpoch::FIRST };
    let values = values.iter().map(|value| ("codice_fiscale", value.as_str()));
    let request = Request::blind(&*node.entropy, key, values).unwrap();
    TokenRequest {
        request: TokenRequestId::random(&*node.entropy),
        class: Class::PersonStrong,
        key_epoch: KeyEpoch::FIRST,
        blinded: request.blinded(),
        attempt: 0,
    }
}

#[tokio::test]
async fn who_asks_for_ten_thousand_is_stopped_by_all_and_everyone_is_told() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _scope = metrics::set_default_local_recorder(&recorder);
    let mut many = Many::keyed(3, 3).await;
    let limit = keys(&many, 0).await[0].limit;
    let within = guesses(&many, 1, limit as usize);
    say(&many, 1, Body::TokenRequest(within)).await;
    let more = guesses(&many, 1, BATCH_MAX);
    for _ in 0..10 {
        let request = TokenRequestId::random(&*many.node(1).entropy);
        let again = TokenRequest { request, ..more.clone() };
        say(&many, 1, Body::TokenRequest(again)).await;
    }
    let before = entries_by(&many, 0).await;
    many.run().await;
    for member in 0..3 {
        let uses = uses(&many, member).await;
        assert_eq!(uses.len(), 1);
        assert_eq!((uses[0].requester.clone(), uses[0].used), (id(1), limit), "{member}");
        assert_eq!(uses[0].refused, 10, "{member}");
        let alarms = many.alarms(member).await;
        assert!(alarms.contains(&"token_budget_exceeded".to_owned()), "{member} {alarms:?}");
    }
    // As the people there see it, and what watches over the nodes.
    for member in 0..3 {
        let shown = status(many.node(member)).await.unwrap().equipes.remove(0).alarms;
        let told = shown.iter().find(|alarm| alarm.code == AlarmCode::TokenBudgetExceeded);
        let told = told.unwrap().words();
        assert!(told.contains("umbria asked for 1000 tokens of person_strong"), "{told}");
        assert!(told.contains(&format!("allows {limit} in a day")), "{told}");
    }
    assert_eq!(keys(&many, 1).await[0].used, limit);
    let refused = value(&recorder, TOKENS_REFUSED, r#"{class="person_strong"}"#);
    assert_eq!(refused, f64::from(3 * 10 * 1_000));
    // One answer, and receipts.
    assert!(entries_by(&many, 0).await - before <= 3);
    // Its honest requests have to wait for another day, those of others do not.
    let record = person(&many, 1, "Rossi", "+39 333 1234567").await;
    let other = person(&many, 2, "Rossi", "+39 333 1234567").await;
    want(&many, 1, record).await;
    want(&many, 2, other).await;
    many.run().await;
    let strong = |rows: Vec<TokenRow>| rows.iter().any(|row| row.class == "person_strong");
    assert!(!strong(tokens(&many, 1, record).await));
    assert!(strong(tokens(&many, 2, other).await));
    many.pass(DAY);
    many.run().await;
    assert!(strong(tokens(&many, 1, record).await));
}

#[tokio::test]
async fn a_stop_value_remakes_the_tokens_that_it_touches_and_no_others() {
    let mut many = Many::keyed(2, 2).await;
    let centre = person(&many, 0, "Rossi", "+39 06 12345678").await;
    let other = person(&many, 0, "Bianchi", "+39 333 1234567").await;
    many.run().await;
    let strong = async |many: &Many, record| {
        let rows = tokens(many, 0, record).await;
        rows.into_iter().filter(|row| row.class == "person_strong").count()
    };
    let used = async |many: &Many| uses(many, 1).await.iter().map(|row| row.used).sum::<u32>();
    // The phone, and the phone with each part of the name.
    assert_eq!([strong(&many, centre).await, strong(&many, other).await], [3, 3]);
    let weak = tokens(&many, 0, centre).await.len() - 3;
    let before = used(&many).await;
    let value = || Secret::new("0612345678".to_owned());
    let (node, operator) = (many.node(0), many.operator(0));
    stops::add(node, operator, "phone", &[value()]).await.unwrap();
    many.run().await;
    assert_eq!([strong(&many, centre).await, strong(&many, other).await], [0, 3]);
    assert_eq!(tokens(&many, 0, centre).await.len(), weak);
    assert_eq!(used(&many).await, before, "nothing is asked where nothing is left");
    // Twice is once, and taken off it counts again.
    let (node, operator) = (many.node(0), many.operator(0));
    stops::add(node, operator, "phone", &[value()]).await.unwrap();
    let digest = stops::all(node, operator).await.unwrap()[0].row.digest;
    stops::remove(node, operator, &digest).await.unwrap();
    many.run().await;
    assert_eq!([strong(&many, centre).await, strong(&many, other).await], [3, 3]);
    assert_eq!(used(&many).await, before + 3);
    many.assert_agreement(&[0, 1]).await;
}

/// How many entries of a member stand in the log.
async fn entries_by(many: &Many, member: usize) -> usize {
    let group = many.row(0).await.group;
    let mut tx = many.relay().store.read().await.unwrap();
    let rows = tx.log_after(group, raccordo_core::id::Sequence(0), 10_000, u64::MAX >> 1).await;
    rows.unwrap().iter().filter(|row| row.sender == id(member)).count()
}

#[tokio::test]
async fn who_answers_with_something_else_is_named_and_worked_around() {
    let mut many = Many::keyed(3, 3).await;
    let record = person(&many, 0, "Rossi", "+39 333 1234567").await;
    want(&many, 0, record).await;
    many.away = [1, 2].into();
    many.run().await;
    let lineage = many.row(0).await.lineage;
    let mut tx = many.node(0).store.read().await.unwrap();
    let asked = tx.token_requests(lineage, Class::PersonStrong).await.unwrap();
    let sharing = tx.key_sharings(lineage).await.unwrap().remove(0).sharing;
    drop(tx);
    // An element of the group, but not what its share makes of the request.
    let element = Sharing::decode(&sharing).unwrap().public_key();
    let elements = vec![element; asked[0].elements as usize];
    let evaluation = Evaluation { elements, proof: [1; 64] }.encode();
    let (request, generation) = (asked[0].request, Generation::FIRST);
    say(&many, 1, Body::TokenAnswer(TokenAnswer { request, generation, evaluation })).await;
    many.run().await;
    let mut tx = many.node(0).store.read().await.unwrap();
    let alarms = tx.alarms(lineage).await.unwrap();
    drop(tx);
    let told = alarms.iter().find(|alarm| alarm.code == AlarmCode::EvaluationBad).unwrap();
    assert!(told.detail.contains("umbria") && !told.detail.contains("lazio"), "{}", told.detail);
    assert!(tokens(&many, 0, record).await.is_empty());
    many.away = [1].into();
    many.run().await;
    assert_eq!(tokens(&many, 0, record).await.len(), evidence(&many, 0, record).await);
}

/// Whoever is suspended or revoked tests nothing with the shares of those who do not trust it.
#[tokio::test]
async fn who_is_not_trusted_gets_no_answers() {
    for change in [TrustChange::Suspend, TrustChange::Revoke] {
        let mut many = Many::keyed(3, 3).await;
        for member in [0, 2] {
            peers::change(many.node(member), ADMIN, &id(1), change, "story").await.unwrap();
        }
        many.run().await;
        let record = person(&many, 1, "Rossi", "+39 333 1234567").await;
        want(&many, 1, record).await;
        for _ in 0..3 {
            many.run().await;
            many.pass(Duration::from_secs(3600));
        }
        many.run().await;
        assert!(tokens(&many, 1, record).await.is_empty(), "{change:?}");
        // It is counted like every other, by all.
        assert!(uses(&many, 0).await.iter().any(|row| row.requester == id(1) && row.used > 0));
        if change == TrustChange::Revoke {
            continue;
        }
        for member in [0, 2] {
            let verify = TrustChange::Verify;
            peers::change(many.node(member), ADMIN, &id(1), verify, "story").await.unwrap();
        }
        many.pass(Duration::from_secs(6 * 3600));
        many.run().await;
        assert_eq!(tokens(&many, 1, record).await.len(), evidence(&many, 1, record).await);
    }
}

#[tokio::test]
async fn what_is_wanted_last_is_served_first_and_the_budget_ends_the_day() {
    let mut many = Many::keyed(2, 2).await;
    let limit = keys(&many, 0).await[1].limit as usize;
    let mut records = Vec::new();
    for at in 0..limit / 4 {
        let phone = format!("+39 333 {:07}", at + 1_000_000);
        records.push(person(&many, 0, "Rossi", &phone).await);
        many.pass(Duration::from_secs(1));
    }
    for record in &records {
        many.pass(Duration::from_secs(1));
        want(&many, 0, *record).await;
    }
    many.run().await;
    let weak = |rows: Vec<TokenRow>| rows.iter().any(|row| row.class == "person_weak");
    assert!(weak(tokens(&many, 0, *records.last().unwrap()).await));
    assert!(!weak(tokens(&many, 0, records[0]).await));
    let used = keys(&many, 0).await[1].used as usize;
    assert!((limit - 5..=limit).contains(&used), "{used}");
    many.assert_agreement(&[0, 1]).await;
    many.pass(DAY);
    many.run().await;
    assert!(weak(tokens(&many, 0, records[0]).await));
    many.assert_agreement(&[0, 1]).await;
}
