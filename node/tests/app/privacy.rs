//! What those learn who should learn nothing: the hub, a thief, members that put together what
//! they have, and third members.

mod attack;

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::{LineageId, ObjectId, RecordId, Sequence};
use raccordo_core::matching::life::{MatchId, Word};
use raccordo_core::object::Kind;
use raccordo_core::pseudonym::token::Tag;
use raccordo_core::register::{Entry, Field, Identity, RecordKind};
use raccordo_node::app::matching::decide::{Decision, decide};
use raccordo_node::app::matching::list::{self, Query};
use raccordo_node::app::matching::{contact, evidence};
use raccordo_node::app::register::add::{self, NewCase};
use raccordo_node::app::share::{Order, share_about};

use attack::{Guess, Loot, plain_hmac};

use crate::bench::place::Rows;
use crate::bench::{ADMIN, sight};
use crate::many::{EQUIPE, HUB, Many, id};

const TOSCANA: usize = 0;
const UMBRIA: usize = 1;
const LAZIO: usize = 2;

fn entry(field: Field, parts: &[&str]) -> Entry {
    Entry::new(field, parts.iter().map(|part| (*part).to_owned()))
}

fn person(names: &[(&str, &str)], born: &str, others: Vec<Entry>) -> Identity {
    let names = names.iter().map(|(family, given)| entry(Field::Name, &[family, given]));
    let entries = names.chain([entry(Field::BirthDate, &[born])]).chain(others).collect();
    Identity { kind: RecordKind::Person, sole_trader: false, entries }
}

fn kamal() -> Identity {
    let others = vec![
        entry(Field::FiscalCode, &["RSSMRA85T10A562S"]),
        entry(Field::Phone, &["333 1234567"]),
        entry(Field::Address, &["Via Roma 1", "048017"]),
    ];
    person(&[("Hossain", "Md Kamal")], "1990-03-04", others)
}

fn kamal_otherwise() -> Identity {
    let passport = entry(Field::Document, &["passport", "AB1234567", "BD"]);
    person(&[("Hosen", "Kamal")], "1990-03-04", vec![passport])
}

fn works() -> Identity {
    let entries = vec![
        entry(Field::CompanyName, &["Tessitura Bisenzio S.r.l."]),
        entry(Field::VatNumber, &["00743110157"]),
        entry(Field::ReaNumber, &["PO 123456"]),
        entry(Field::Address, &["Via Roma 1", "048017"]),
    ];
    Identity { kind: RecordKind::Company, sole_trader: false, entries }
}

/// Some regions that look after their keys, two of which know the same worker.
struct World {
    many: Many,
    lineage: LineageId,
    /// Everything that Toscana and Umbria have shared alerts about, in normal forms.
    true_values: BTreeSet<Guess>,
    objects: Vec<ObjectId>,
    /// The same worker, here and there.
    records: [RecordId; 2],
}

impl World {
    async fn of(members: usize, rows: Rows) -> Self {
        let mut many = Many::founded_on(rows, members, members).await;
        many.keyed = (0..members).collect();
        many.run().await;
        let lineage = many.row(TOSCANA).await.lineage;
        let (mut true_values, mut objects, mut records) = (BTreeSet::new(), vec![], vec![]);
        for (member, kind, who) in [
            (TOSCANA, Kind::Case, kamal()),
            (UMBRIA, Kind::Case, kamal_otherwise()),
            (TOSCANA, Kind::Company, works()),
        ] {
            let record = add(&many, member, who).await;
            objects.push(share(&many, member, record, kind).await);
            true_values.extend(values(&many, member, record).await);
            records.push(record);
        }
        many.run().await;
        assert_eq!(matches(&many, UMBRIA).await.len(), 1);
        Self { many, lineage, true_values, objects, records: [records[0], records[1]] }
    }

    /// Every true value, and many others.
    fn dictionary(&self) -> Vec<Guess> {
        let like = |at: usize| {
            self.true_values.iter().map(move |(family, value)| (*family, format!("{value}{at}")))
        };
        self.true_values.iter().cloned().chain((0..3).flat_map(like)).collect()
    }

    /// All tags that were ever shown to anybody, by who shows them and to whom.
    async fn tags(&self) -> BTreeMap<(usize, usize), BTreeSet<Tag>> {
        let mut shown: BTreeMap<(usize, usize), BTreeSet<Tag>> = BTreeMap::new();
        let count = self.many.members(TOSCANA).await.len();
        for to in 0..count {
            let mut tx = self.many.node(to).store.read().await.unwrap();
            for object in &self.objects {
                for row in tx.received_tags(*object).await.unwrap() {
                    let from = (0..count).find(|from| id(*from) == row.peer).unwrap();
                    shown.entry((from, to)).or_default().insert(row.tag);
                }
            }
        }
        shown
    }

    /// What the hub has: its log and its database.
    async fn seen_by_hub(&self) -> Loot {
        let mut loot = Loot::new(self.lineage);
        loot.see(self.many.files(HUB));
        let log = self.log().await;
        assert!(log.len() > 20, "{}", log.len());
        log.into_iter().for_each(|payload| loot.see(payload));
        loot
    }

    async fn log(&self) -> Vec<Vec<u8>> {
        let group = self.many.row(TOSCANA).await.group;
        let mut tx = self.many.relay().store.read().await.unwrap();
        let rows = tx.log_after(group, Sequence(0), 10_000, u64::MAX >> 1).await.unwrap();
        rows.into_iter().map(|row| row.entry().payload).collect()
    }

    /// What members have that put everything together: their databases with their node keys,
    /// what the hub has, and every tag that was shown to anybody.
    async fn had_by(&self, members: &[usize]) -> Loot {
        let mut loot = self.seen_by_hub().await;
        for member in members {
            loot.see(self.many.files(*member));
            loot.steal(&self.many, *member).await;
        }
        for tag in self.tags().await.into_values().flatten() {
            loot.see(tag.as_bytes());
        }
        loot
    }

    /// Nothing is found; and everything would be, if tokens were keyed hashes under a key that
    /// every member has.
    fn assert_in_vain(&self, mut loot: Loot, whose: &str) {
        let dictionary = self.dictionary();
        assert_eq!(loot.test(&dictionary), BTreeSet::new(), "{whose}");
        let key = [9; 32];
        loot.know(key);
        for value in &self.true_values {
            loot.see(plain_hmac(&key, self.lineage, value));
        }
        assert_eq!(loot.test(&dictionary), self.true_values, "{whose}, keyed hashes");
    }
}

async fn add(many: &Many, member: usize, who: Identity) -> RecordId {
    let (node, operator) = (many.node(member), many.operator(member));
    let added = match who.kind {
        RecordKind::Person => add::add_case(node, operator, who, NewCase::default()).await,
        RecordKind::Company => add::add_company(node, operator, who, Default::default()).await,
    };
    added.unwrap().unwrap().record
}

async fn share(many: &Many, member: usize, record: RecordId, kind: Kind) -> ObjectId {
    let (node, operator) = (many.node(member), many.operator(member));
    let mut alerts = sight::samples(node, kind, 1);
    alerts[0].id = String::new();
    let order = Order { equipe: EQUIPE.into(), alerts, purpose: None, dry_run: false };
    let records = BTreeMap::from([(0, record)]);
    sight::ids(share_about(node, operator, order, &records).await.unwrap())[0]
}

async fn values(many: &Many, member: usize, record: RecordId) -> Vec<Guess> {
    let node = many.node(member);
    let mut tx = node.store.read().await.unwrap();
    let found = evidence(node, &mut *tx, record).await.unwrap();
    found.into_iter().map(|one| (one.family, one.value.reveal().clone())).collect()
}

async fn matches(many: &Many, member: usize) -> Vec<MatchId> {
    let query = Query { limit: 100, ..Query::default() };
    let (views, _) = list::list(many.node(member), many.operator(member), &query).await.unwrap();
    views.into_iter().map(|view| view.row.id).collect()
}

/// Of five members three make a token: whoever has less tests no guess, whatever else it has.
#[tokio::test]
async fn a_dictionary_of_all_true_values_finds_nothing_offline() {
    let world = World::of(5, Rows::Sqlite).await;
    assert!(world.true_values.len() >= 15, "{}", world.true_values.len());
    world.assert_in_vain(world.seen_by_hub().await, "the hub");

    // The database of who knows the values, without its node key; and that of another, with it.
    for member in [TOSCANA, UMBRIA, LAZIO] {
        let mut loot = Loot::new(world.lineage);
        loot.see(world.many.files(member));
        world.assert_in_vain(loot, "a thief");
    }
    world.assert_in_vain(world.had_by(&[LAZIO]).await, "a thief with the node key");

    world.assert_in_vain(world.had_by(&[LAZIO, 3]).await, "one member too few");
    // The attack is a real one: with one share more it finds everything.
    let loot = world.had_by(&[LAZIO, 3, 4]).await;
    assert_eq!(loot.test(&world.dictionary()), world.true_values);
}

#[tokio::test]
async fn third_members_cannot_link_alerts_of_two_others() {
    let world = World::of(3, Rows::Sqlite).await;
    // Both have tokens of the same worker, and so would be linked by them.
    let mut tokens = Vec::new();
    for (member, record) in [(TOSCANA, world.records[0]), (UMBRIA, world.records[1])] {
        let node = world.many.node(member);
        let mut tx = node.store.read().await.unwrap();
        let kept =
            raccordo_node::app::matching::tokens::kept(node, &mut *tx, world.lineage, record);
        let kept = kept.await.unwrap();
        let bytes = kept.iter().map(|kept| *kept.token.reveal());
        tokens.push(bytes.collect::<BTreeSet<_>>());
    }
    assert!(tokens[0].intersection(&tokens[1]).count() >= 2);
    // No tag that is shown to anybody is also shown to, or by, somebody else.
    let shown = world.tags().await;
    let ways: Vec<_> = [TOSCANA, UMBRIA]
        .into_iter()
        .flat_map(|from| [TOSCANA, UMBRIA, LAZIO].map(|to| (from, to)))
        .filter(|(from, to)| from != to)
        .collect();
    assert_eq!(shown.keys().copied().collect::<Vec<_>>(), ways);
    let all: usize = shown.values().map(BTreeSet::len).sum();
    let different: BTreeSet<&Tag> = shown.values().flatten().collect();
    assert_eq!(different.len(), all);
    for tag in &different {
        assert!(tokens.iter().all(|tokens| !tokens.contains(tag.as_bytes())));
    }
}

#[tokio::test]
async fn third_members_learn_nothing_of_a_match() {
    let mut world = World::of(3, Rows::Sqlite).await;
    let found = matches(&world.many, UMBRIA).await[0];
    assert_eq!(matches(&world.many, TOSCANA).await, [found]);
    for member in [TOSCANA, UMBRIA] {
        contact::set_phone(world.many.node(member), ADMIN, "Anna", "+39 055 1").await.unwrap();
    }
    let mut said = Vec::new();
    for (member, decision) in [
        (TOSCANA, Decision::Confirm),
        (UMBRIA, Decision::Confirm),
        (UMBRIA, Decision::Answer(Word::CallMe)),
        (TOSCANA, Decision::Answer(Word::AlreadyClosed)),
        (TOSCANA, Decision::Unlink),
    ] {
        let before = world.log().await.len();
        let (node, operator) = (world.many.node(member), world.many.operator(member));
        decide(node, operator, found, decision).await.unwrap();
        world.many.send(member).await.unwrap();
        let payloads = world.log().await.split_off(before);
        said.push(payloads.iter().map(Vec::len).collect::<Vec<_>>());
        world.many.run().await;
    }
    // What is said is of one size, whatever it is.
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(matches(&world.many, LAZIO).await, []);
    let audited = world.many.audited(world.many.node(LAZIO)).await;
    assert!(audited.iter().all(|action| !action.starts_with("match.")), "{audited:?}");
    // Not even the name of the match has come there, or to the hub.
    let has = |who: usize, bytes: &[u8]| {
        world.many.files(who).windows(bytes.len()).any(|window| window == bytes)
    };
    let name = found.0.0;
    assert_eq!([TOSCANA, LAZIO, HUB].map(|who| has(who, &name)), [true, false, false]);
}
