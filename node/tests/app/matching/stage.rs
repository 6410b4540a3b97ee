//! Three regions, with tokens that an unsplit key would make.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use raccordo_core::alert::{Alert, Body as AlertBody, CaseAlert};
use raccordo_core::entropy::draw;
use raccordo_core::envelope::{Body, Envelope};
use raccordo_core::id::{CaseId, EnvelopeId, ObjectId, RecordId, Sequence};
use raccordo_core::letter::Route;
use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::letter;
use raccordo_core::matching::life::MatchId;
use raccordo_core::matching::shown::PairHalf;
use raccordo_core::object::Kind;
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::pseudonym::token::{Tag, Token};
use raccordo_core::register::{Entry, Field, Identity, RecordKind};
use raccordo_core::secret::Secret;
use raccordo_core::trust::state::TrustChange;
use raccordo_core::vault::Vault;
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::app::expire::expire;
use raccordo_node::app::fault::Done;
use raccordo_node::app::matching::decide::{Decision, decide};
use raccordo_node::app::matching::list::{self, MatchView, Query};
use raccordo_node::app::matching::{NewToken, contact, events, evidence, tokens_made};
use raccordo_node::app::register::add::{self, NewCase};
use raccordo_node::app::register::list as register;
use raccordo_node::app::share::{Order, share_about};
use raccordo_node::app::work::Work;
use raccordo_node::app::{Node, pack, peers};
use raccordo_node::store::memory::Snapshot;

use crate::bench::{ADMIN, sight};
use crate::keys::{lose_since, say};
use crate::many::{EQUIPE, Many, id};

pub const TOSCANA: usize = 0;
pub const UMBRIA: usize = 1;
pub const LAZIO: usize = 2;
const ALL: [usize; 3] = [TOSCANA, UMBRIA, LAZIO];

fn entry(field: Field, parts: &[&str]) -> Entry {
    Entry::new(field, parts.iter().map(|part| (*part).to_owned()))
}

pub fn person(family: &str, given: &str, born: &str, phone: &str) -> Identity {
    let mut entries = vec![entry(Field::Name, &[family, given]), entry(Field::BirthDate, &[born])];
    if !phone.is_empty() {
        entries.push(entry(Field::Phone, &[phone]));
    }
    Identity { kind: RecordKind::Person, sole_trader: false, entries }
}

pub fn kamal() -> Identity {
    person("Hossain", "Md Kamal", "1990-03-04", "")
}

/// The same, as another office heard it, with day and month exchanged.
pub fn kamal_otherwise() -> Identity {
    person("Kamal Hosen", "", "1990-04-03", "055 123456")
}

pub fn company(name: &str) -> Identity {
    let entries = vec![
        entry(Field::CompanyName, &[name]),
        entry(Field::VatNumber, &["00743110157"]),
        entry(Field::Address, &["Via Roma 1", "048017"]),
    ];
    Identity { kind: RecordKind::Company, sole_trader: false, entries }
}

/// Three members, each with an operator who has a phone.
pub struct Stage {
    many: Many,
}

impl Stage {
    pub async fn of_three() -> Self {
        let many = Many::founded(3, 3).await;
        for member in ALL {
            let phone = format!("+39 055 {member}");
            contact::set_phone(many.node(member), ADMIN, "Anna", &phone).await.unwrap();
        }
        Self { many }
    }

    /// The same person, shared by Toscana and found at Umbria.
    pub async fn matched() -> Self {
        let mut stage = Self::of_three().await;
        let at_toscana = stage.add(TOSCANA, kamal()).await;
        stage.add(UMBRIA, kamal_otherwise()).await;
        stage.share(TOSCANA, at_toscana, Kind::Case).await;
        stage.run().await;
        assert_eq!(stage.states().await, ["candidate", "candidate"]);
        stage
    }

    pub fn node(&self, member: usize) -> &Node {
        self.many.node(member)
    }

    pub fn shared_node(&self, member: usize) -> Arc<Node> {
        self.many.shared_node(member)
    }

    pub fn operator(&self, member: usize) -> &Operator {
        self.many.operator(member)
    }

    /// Another operator, of another organisation.
    pub async fn employ(&mut self, member: usize, class: &str, role: &str) -> Operator {
        let (node, name) = (self.node(member), format!("{class} {role}"));
        directory::add_organisation(node, ADMIN, &name, class).await.unwrap();
        let added = directory::add_operator(node, ADMIN, &name, &name, role).await;
        added.unwrap().0
    }

    pub async fn forget_phone(&self, member: usize) {
        self.set_phone(member, "").await;
    }

    pub async fn set_phone(&self, member: usize, phone: &str) {
        contact::set_phone(self.node(member), ADMIN, "Anna", phone).await.unwrap();
    }

    /// Toscana and Umbria have confirmed the match, and each knows whom to call.
    pub async fn linked() -> Self {
        let mut stage = Self::matched().await;
        let id = stage.only(TOSCANA).await.row.id;
        for member in [TOSCANA, UMBRIA] {
            stage.decide(member, id, Decision::Confirm).await.unwrap();
        }
        stage.run().await;
        assert_eq!(stage.states().await, ["linked", "linked"]);
        stage
    }

    /// How many entries of a member stand in the log.
    pub async fn entries(&self, member: usize) -> usize {
        let group = self.many.row(member).await.group;
        let mut tx = self.many.relay().store.read().await.unwrap();
        let rows = tx.log_after(group, Sequence(0), 10_000, u64::MAX >> 1).await.unwrap();
        rows.into_iter().filter(|row| row.sender == id(member)).count()
    }

    /// The phone of the counterpart's manager.
    pub async fn phone_at(&self, member: usize) -> Option<String> {
        let contact = self.only(member).await.contact;
        contact.map(|contact| contact.work_phone.reveal().clone())
    }

    /// The disk of a member as it is, as a backup has it.
    pub fn disk(&self, member: usize) -> Snapshot {
        self.many.disk(member).snapshot()
    }

    /// A member's disk is an earlier one: it joins again.
    pub async fn restore(&mut self, member: usize, earlier: &Snapshot) {
        lose_since(&mut self.many, member, earlier).await;
    }

    /// A member does not trust another any more, or again.
    pub async fn trust(&self, member: usize, peer: usize, change: TrustChange) {
        let peer = id(peer);
        peers::change(self.node(member), ADMIN, &peer, change, "story").await.unwrap();
    }

    /// Adds a person whose case names a citizenship, with its tokens.
    pub async fn add_citizen(&mut self, member: usize, who: Identity, country: &str) -> RecordId {
        let body = CaseAlert { citizenship: vec![country.to_owned()], ..CaseAlert::default() };
        let codes = Alert { body: Some(AlertBody::CaseAlert(body)), ..Alert::default() };
        let case = NewCase { codes, ..NewCase::default() };
        let (node, operator) = (self.node(member), self.operator(member));
        let added = add::add_case(node, operator, who, case).await.unwrap().unwrap();
        self.tokens(member, added.record).await;
        added.record
    }

    /// Adds a record, with its tokens.
    pub async fn add(&mut self, member: usize, who: Identity) -> RecordId {
        let (node, operator) = (self.node(member), self.operator(member));
        let added = match who.kind {
            RecordKind::Person => add::add_case(node, operator, who, NewCase::default()).await,
            RecordKind::Company => add::add_company(node, operator, who, Default::default()).await,
        };
        let record = added.unwrap().unwrap().record;
        self.tokens(member, record).await;
        record
    }

    /// Makes a record's tokens with the key that nobody has.
    pub async fn tokens(&mut self, member: usize, record: RecordId) {
        let node = self.node(member);
        let lineage = self.many.row(member).await.lineage;
        let key = Vault::new(&Secret::new([77; 32]));
        let mut work = Work::begin(node, lineage).await.unwrap().unwrap();
        let found = evidence(node, work.tx().unwrap(), record).await.unwrap();
        for class in Class::ALL {
            let of_class = found.iter().filter(|one| one.family.class() == class);
            let tokens = of_class.map(|one| {
                let purpose = format!("{lineage}/{class}/{}", one.family);
                let output = key.index(&purpose, one.value.reveal().as_bytes());
                let token = Token::from_bytes(*output.first_chunk().unwrap());
                NewToken { family: one.family, mark: one.mark(), token }
            });
            let id = KeyId { lineage, class, epoch: KeyEpoch(1) };
            let tokens: Vec<_> = tokens.collect();
            if !tokens.is_empty() {
                tokens_made(node, &mut work, record, id, tokens).await.unwrap();
            }
        }
        work.commit().await.unwrap();
        pack::wake(node, lineage);
    }

    /// Shares an alert about a record.
    pub async fn share(&mut self, member: usize, record: RecordId, kind: Kind) -> ObjectId {
        let (node, operator) = (self.node(member), self.operator(member));
        let mut alerts = sight::samples(node, kind, 1);
        alerts[0].id = String::new();
        let order = Order { equipe: EQUIPE.into(), alerts, purpose: None, dry_run: false };
        let records = BTreeMap::from([(0, record)]);
        let shared = share_about(node, operator, order, &records).await.unwrap();
        sight::ids(shared)[0]
    }

    /// A member's program says something of a match to another that it has not found.
    pub async fn lie(&self, member: usize, to: usize, ours: ObjectId, told: Told) {
        let lineage = self.many.row(member).await.lineage;
        let (Told::Found { theirs, .. } | Told::Stands { theirs, .. }) = &told else {
            panic!("{told:?}")
        };
        let (sender, recipient) = (id(member), id(to));
        let about = MatchId::of(lineage, (&sender, ours), (&recipient, *theirs)).unwrap();
        let route = Route { lineage, sender: &sender, recipient: &recipient };
        let (node, card) = (self.node(member), self.node(to).identity.card());
        let event = Event { about, told };
        let key = &card.card().sealing_key;
        let letter = letter::seal(&*node.entropy, route, key, &event).unwrap();
        say(&self.many, member, Body::MatchEvent(letter)).await;
    }

    /// A member's program sends another a half of their secret that it has just made up.
    pub async fn send_half(&self, member: usize, to: usize) {
        let lineage = self.many.row(member).await.lineage;
        let (sender, recipient) = (id(member), id(to));
        let route = Route { lineage, sender: &sender, recipient: &recipient };
        let (node, card) = (self.node(member), self.node(to).identity.card());
        let half = Secret::new(draw(&*node.entropy));
        let inner = Envelope {
            id: EnvelopeId::random(&*node.entropy),
            lineage,
            number: 0,
            said_at: node.clock.now(),
            author: None,
            body: Body::PairHalf(PairHalf { half, heard: None }),
        };
        let key = &card.card().sealing_key;
        let sealed = raccordo_core::letter::seal(&*node.entropy, route, key, &inner).unwrap();
        say(&self.many, member, Body::Sealed(sealed)).await;
    }

    /// The tags under which a member would know a record of its own among what another shows.
    pub async fn expected(&self, member: usize, record: RecordId, of: usize) -> BTreeSet<Tag> {
        let lineage = self.many.row(member).await.lineage;
        let mut tx = self.node(member).store.read().await.unwrap();
        let rows = tx.own_tags(lineage, record).await.unwrap();
        rows.into_iter().filter(|row| row.peer == id(of)).map(|row| row.tag).collect()
    }

    /// A member reads and sends, and nobody else.
    pub async fn turn(&mut self, member: usize) {
        while self.many.turn(member).await.unwrap() {}
    }

    pub fn pass(&self, span: Duration) {
        self.many.pass(span);
    }

    /// What a member was shown of an object.
    pub async fn tags_at(&self, member: usize, object: ObjectId) -> BTreeSet<Tag> {
        let mut tx = self.node(member).store.read().await.unwrap();
        let rows = tx.received_tags(object).await.unwrap();
        rows.into_iter().map(|row| row.tag).collect()
    }

    pub async fn run(&mut self) {
        self.many.run().await;
    }

    /// The same, with each process started again before each of its turns.
    pub async fn run_with_restarts(&mut self) {
        for _ in 0..12 {
            for member in ALL {
                self.many.restart(member).await;
                self.many.turn(member).await.unwrap();
            }
        }
        self.run().await;
    }

    pub async fn matches(&self, member: usize) -> Vec<MatchView> {
        let query = Query { limit: 100, ..Query::default() };
        let (views, next) =
            list::list(self.node(member), self.operator(member), &query).await.unwrap();
        assert_eq!(next, None);
        views
    }

    pub async fn only(&self, member: usize) -> MatchView {
        let mut views = self.matches(member).await;
        assert_eq!(views.len(), 1, "{views:?}");
        views.remove(0)
    }

    /// States at Toscana and Umbria; nothing where there are no matches. Lazio has none.
    pub async fn states(&self) -> Vec<String> {
        assert!(self.matches(LAZIO).await.is_empty());
        let mut states = Vec::new();
        for member in [TOSCANA, UMBRIA] {
            states.extend(self.matches(member).await.into_iter().map(|view| view.row.state));
        }
        states
    }

    pub async fn decide(&self, member: usize, id: MatchId, decision: Decision) -> Done<MatchView> {
        decide(self.node(member), self.operator(member), id, decision).await
    }

    pub async fn case(&self, member: usize) -> CaseId {
        let query = register::Query { limit: 10, ..Default::default() };
        let (cases, _) =
            register::cases(self.node(member), self.operator(member), &query).await.unwrap();
        cases[0].row.case
    }

    /// The case of a record.
    pub async fn case_of(&self, member: usize, record: RecordId) -> CaseId {
        let query = register::Query { limit: 10, ..Default::default() };
        let listed = register::cases(self.node(member), self.operator(member), &query).await;
        let (cases, _) = listed.unwrap();
        cases.iter().find(|case| case.row.record == record).unwrap().row.case
    }

    /// Sends what a member has to say, without reading.
    pub async fn send(&self, member: usize) {
        self.many.send(member).await.unwrap();
    }

    pub async fn received_tags(&self, member: usize, object: ObjectId) -> usize {
        let mut tx = self.node(member).store.read().await.unwrap();
        tx.received_tags(object).await.unwrap().len()
    }

    /// Lets all alerts expire.
    pub async fn expire_all(&self) {
        self.many.pass(Duration::from_secs(3_000 * 24 * 3_600));
        for member in ALL {
            assert!(expire(self.node(member)).await.unwrap() > 0);
        }
    }

    /// What a member says of matches that the log has not shown.
    pub async fn own_events(&self, member: usize) -> Vec<Told> {
        let lineage = self.many.row(member).await.lineage;
        let node = self.node(member);
        let mut tx = node.store.read().await.unwrap();
        let events = events::waiting(node, &mut *tx, lineage).await.unwrap();
        events.into_iter().map(|event| event.told).collect()
    }

    /// Nothing waits or was set aside, and nobody has an own event that the log never showed.
    pub async fn settled(&self) {
        self.many.assert_agreement(&ALL).await;
        for member in ALL {
            let lineage = self.many.row(member).await.lineage;
            let mut tx = self.node(member).store.read().await.unwrap();
            assert_eq!(tx.match_events(lineage).await.unwrap(), []);
        }
    }
}
