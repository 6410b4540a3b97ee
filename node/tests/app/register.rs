//! People, companies and cases of one node: kept, found, shown, erased, imported.

use std::time::Duration;

use raccordo_core::alert::{Alert, CaseAlert, Reason};
use raccordo_core::id::{CaseId, Digest, RecordId};
use raccordo_core::operator::{Class, Role};
use raccordo_core::register::{Entry, Field, Identity, RecordKind};
use raccordo_node::app::Node;
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::app::fault::{Done, Fault};
use raccordo_node::app::register::add::{self, Added, NewCase};
use raccordo_node::app::register::change::{Change, change};
use raccordo_node::app::register::import::{Batch, Line, Progress, import, progress};
use raccordo_node::app::register::list::{self, Query};
use raccordo_node::app::register::{erase, find, rotate, show};
use raccordo_node::store::memory::MemoryStore;
use raccordo_proto::alert::v1::alert::Body;

use crate::bench::{ADMIN, Bench, Rows, Toscana};

fn entry(field: Field, parts: &[&str]) -> Entry {
    Entry::new(field, parts.iter().map(|part| (*part).to_owned()))
}

fn person(entries: Vec<Entry>) -> Identity {
    Identity { kind: RecordKind::Person, sole_trader: false, entries }
}

fn company(sole_trader: bool, name: &str) -> Identity {
    let entries = vec![entry(Field::CompanyName, &[name])];
    Identity { kind: RecordKind::Company, sole_trader, entries }
}

fn rossi() -> Identity {
    person(vec![
        entry(Field::Name, &["Rossi", "Mario"]),
        entry(Field::Name, &["Mariolino", ""]),
        entry(Field::BirthDate, &["1985-03-02"]),
        entry(Field::Phone, &["+39 055 123456"]),
    ])
}

fn named(name: &str) -> Identity {
    person(vec![entry(Field::Name, &[name])])
}

async fn add(node: &Node, operator: &Operator, person: Identity) -> Added {
    add::add_case(node, operator, person, NewCase::default()).await.unwrap().unwrap()
}

fn reason<T>(done: Done<T>) -> &'static str {
    done.map(drop).map_err(|fault: Fault| fault.reason).err().unwrap_or("done")
}

async fn actions(node: &Node) -> Vec<String> {
    let mut tx = node.store.read().await.unwrap();
    let records = tx.audit_after(0, 10_000).await.unwrap();
    records.into_iter().map(|record| record.event.action).collect()
}

async fn cases(node: &Node, operator: &Operator) -> Vec<CaseId> {
    let query = Query { limit: 1_000, ..Query::default() };
    let (cases, next) = list::cases(node, operator, &query).await.unwrap();
    assert_eq!(next, None);
    cases.into_iter().map(|case| case.row.case).collect()
}

/// A node, and its case manager Anna.
struct Stage {
    bench: Bench,
    anna: Operator,
}

impl Stage {
    async fn on(rows: Rows) -> Self {
        let bench = Bench::strangers(rows).await;
        let node = bench.node(Toscana);
        directory::add_organisation(node, ADMIN, "PUA", "access_point").await.unwrap();
        let added = directory::add_operator(node, ADMIN, "Anna", "PUA", "case_manager").await;
        let (anna, _) = added.unwrap();
        Self { bench, anna }
    }

    async fn ready() -> Self {
        Self::on(Rows::Memory).await
    }

    /// Each story on memory and on SQLite.
    async fn both() -> [Self; 2] {
        [Self::ready().await, Self::on(Rows::Sqlite).await]
    }

    fn parts(&self) -> (&Node, &Operator) {
        (self.bench.node(Toscana), &self.anna)
    }

    fn disk(&self) -> &MemoryStore {
        self.bench.disk(Toscana)
    }
}

#[tokio::test]
async fn a_person_is_kept_found_shown_and_erased() {
    for stage in Stage::both().await {
        let (node, anna) = stage.parts();
        let codes = CaseAlert { gender: "Masculine".into(), ..CaseAlert::default() };
        let codes = Alert { body: Some(Body::CaseAlert(codes)), ..Alert::default() };
        let case = NewCase { state: Some("reported".into()), manager: None, codes: codes.clone() };
        let added = add::add_case(node, anna, rossi(), case).await.unwrap().unwrap();
        let id = added.case.unwrap();
        add(node, anna, named("Bianchi")).await;

        let seen = show::case(node, anna, id, "protection").await.unwrap();
        assert_eq!(seen.record.entries, rossi().entries);
        assert_eq!((seen.codes, seen.summary.row.state.as_str()), (codes, "reported"));
        assert_eq!(seen.summary.manager, anna.name);

        let found = async |entries: Vec<Entry>| {
            let found = find::find(node, anna, person(entries), "identification").await;
            let found = found.unwrap().unwrap();
            found.into_iter().map(|it| (it.summary.row.record, it.fields)).collect::<Vec<_>>()
        };
        let phone = entry(Field::Phone, &["39055/123456"]);
        let name = entry(Field::Name, &["mario", "ROSSI"]);
        let both = found(vec![phone.clone(), name.clone()]).await;
        assert_eq!(both, [(added.record, vec![Field::Phone, Field::Name])]);
        assert_eq!(found(vec![entry(Field::Name, &["mariolino", ""])]).await.len(), 1);
        assert_eq!(found(vec![entry(Field::Name, &["Verdi", ""])]).await, []);

        assert_eq!(erase::person_of(node, anna, id).await.unwrap(), added.record);
        let gone = show::case(node, anna, id, "protection").await.unwrap();
        assert_eq!((gone.record.entries, gone.summary.row.state.as_str()), (vec![], "erased"));
        assert_eq!(gone.codes, Alert::default());
        assert_eq!(found(vec![phone, name]).await, []);
        erase::person_of(node, anna, id).await.unwrap();
        assert_eq!(cases(node, anna).await.len(), 2);
    }
}

#[tokio::test]
async fn reading_is_in_the_audit_before_it_happens() {
    let stage = Stage::ready().await;
    let (node, anna) = stage.parts();
    let id = add(node, anna, rossi()).await.case.unwrap();
    let before = actions(node).await.len();
    assert_eq!(reason(show::case(node, anna, id, "curiosity").await), "unknown_purpose");
    assert_eq!(reason(find::find(node, anna, rossi(), "").await), "unknown_purpose");
    assert_eq!(actions(node).await.len(), before);
    show::case(node, anna, id, "outreach").await.unwrap();
    find::find(node, anna, rossi(), "identification").await.unwrap().unwrap();
    cases(node, anna).await;
    assert_eq!(actions(node).await[before..], ["record.read", "register.find"]);
    let mut tx = node.store.read().await.unwrap();
    let records = tx.audit_after(0, 1_000).await.unwrap();
    let told = format!("{records:?}");
    assert!(told.contains("outreach") && told.contains("phone"), "{told}");
    for value in ["Rossi", "Mario", "1985", "055"] {
        assert!(!told.contains(value), "{value}: {told}");
    }
}

/// Where the audit cannot be written, nothing is read.
#[tokio::test]
async fn without_audit_nothing_is_shown() {
    let stage = Stage::ready().await;
    let (node, anna) = stage.parts();
    let id = add(node, anna, rossi()).await.case.unwrap();
    stage.disk().crash_after(1, raccordo_node::store::memory::CrashPoint::BeforeCommit);
    assert_eq!(reason(show::case(node, anna, id, "protection").await), "crashed");
}

#[tokio::test]
async fn who_may_do_what() {
    let stage = Stage::ready().await;
    let (node, anna) = stage.parts();
    let anna = anna.clone();
    directory::add_organisation(node, ADMIN, "Rete", "third_sector").await.unwrap();
    let (far, _) =
        directory::add_operator(node, ADMIN, "Carla", "Rete", "case_manager").await.unwrap();
    let case = add(node, &anna, rossi()).await.case.unwrap();
    let firm = add::add_company(node, &anna, company(false, "Alfa"), Alert::default()).await;
    let firm = firm.unwrap().unwrap().record;
    let trader = add::add_company(node, &anna, company(true, "Beta"), Alert::default()).await;
    let trader = trader.unwrap().unwrap().record;
    let as_role = |role| Operator { role, ..anna.clone() };
    let why = "protection";

    // Another organisation's people are not there, whatever is asked of them.
    assert_eq!(reason(show::case(node, &far, case, why).await), "no_such_case");
    assert_eq!(reason(show::company(node, &far, firm, why).await), "no_such_record");
    assert_eq!(reason(erase::person_of(node, &far, case).await), "no_such_case");
    assert_eq!(reason(change(node, &far, case, Change::default()).await), "no_such_case");
    assert_eq!(cases(node, &far).await, []);
    assert!(find::find(node, &far, rossi(), why).await.unwrap().unwrap().is_empty());
    // The secretariat works for the region.
    let secretariat = Operator { role: Role::Secretariat, ..far.clone() };
    assert_eq!(cases(node, &secretariat).await, [case]);
    show::case(node, &secretariat, case, why).await.unwrap();

    for role in [Role::Auditor, Role::Administrator] {
        let nobody = as_role(role);
        assert_eq!(reason(show::case(node, &nobody, case, why).await), "role_not_allowed");
        assert_eq!(reason(find::find(node, &nobody, rossi(), why).await), "role_not_allowed");
        let query = Query { limit: 9, ..Query::default() };
        assert_eq!(reason(list::cases(node, &nobody, &query).await), "role_not_allowed");
        let added = add::add_case(node, &nobody, rossi(), NewCase::default()).await;
        assert_eq!(reason(added), "role_not_allowed");
    }
    let frontline = as_role(Role::Frontline);
    assert_eq!(reason(erase::person_of(node, &frontline, case).await), "role_not_allowed");
    let source = Digest([1; 32]);
    let asked = progress(node, &frontline, RecordKind::Person, &source).await;
    assert_eq!(reason(asked), "role_not_allowed");
    // Inspectorates meet companies, and no people.
    let inspector = Operator { class: Class::LabourInspectorate, ..anna.clone() };
    assert_eq!(reason(show::case(node, &inspector, case, why).await), "role_not_allowed");
    assert_eq!(reason(show::company(node, &inspector, trader, why).await), "role_not_allowed");
    show::company(node, &inspector, firm, why).await.unwrap();
    let query = Query { limit: 9, ..Query::default() };
    let (seen, _) = list::companies(node, &inspector, &query).await.unwrap();
    assert_eq!(seen.iter().map(|it| it.row.record).collect::<Vec<_>>(), [firm]);
    let police = Operator { class: Class::Police, ..anna };
    assert_eq!(reason(show::company(node, &police, firm, why).await), "role_not_allowed");
}

#[tokio::test]
async fn a_case_has_one_manager_who_can() {
    let stage = Stage::ready().await;
    let (node, anna) = stage.parts();
    let home = &anna.organisation_name;
    directory::add_organisation(node, ADMIN, "Rete", "third_sector").await.unwrap();
    for (name, home, role) in [
        ("Bea", home.as_str(), "frontline"),
        ("Dino", home.as_str(), "auditor"),
        ("Carla", "Rete", "case_manager"),
    ] {
        directory::add_operator(node, ADMIN, name, home, role).await.unwrap();
    }
    let with = |name: &str| NewCase { manager: Some(name.into()), ..NewCase::default() };
    let add = async |by: &Operator, name| {
        add::add_case(node, by, rossi(), with(name)).await.map(|added| added.unwrap())
    };
    assert_eq!(reason(add(anna, "Nobody").await), "no_such_operator");
    assert_eq!(reason(add(anna, "Dino").await), "unfit_manager");
    assert_eq!(reason(add(anna, "Carla").await), "other_organisation");
    let id = add(anna, "Bea").await.unwrap().case.unwrap();
    let view = show::case(node, anna, id, "protection").await.unwrap();
    assert_eq!(view.summary.manager.reveal(), "Bea");

    let to = |name: &str| Change { manager: Some(name.into()), state: None };
    assert_eq!(reason(change(node, anna, id, to("Carla")).await), "other_organisation");
    let state = Change { state: Some("closed".into()), manager: Some(anna.id.to_string()) };
    let changed = change(node, anna, id, state).await.unwrap().unwrap();
    assert_eq!((changed.row.state.as_str(), changed.manager), ("closed", anna.name.clone()));
    let unknown = Change { state: Some("lost".into()), manager: None };
    let errors = change(node, anna, id, unknown).await.unwrap().unwrap_err();
    assert_eq!(errors[0].reason, Reason::UnknownCode);
    // The secretariat gives a new case to another organisation, whose it is.
    let secretariat = Operator { role: Role::Secretariat, ..anna.clone() };
    let far = add(&secretariat, "Carla").await.unwrap().case.unwrap();
    assert_eq!(reason(show::case(node, anna, far, "protection").await), "no_such_case");
}

#[tokio::test]
async fn a_reference_makes_a_record_once() {
    let stage = Stage::on(Rows::Sqlite).await;
    let (node, anna) = stage.parts();
    let filed =
        |name: &str| person(vec![entry(Field::Reference, &["FI/7"]), entry(Field::Name, &[name])]);
    let first = add(node, anna, filed("Rossi")).await;
    let again = add(node, anna, filed("Bianchi")).await;
    assert_eq!(again, Added { known: true, ..first });
    let another = add::add_case_of(node, anna, first.record, NewCase::default()).await;
    assert_ne!(another.unwrap().unwrap().case, first.case);
    assert_eq!(cases(node, anna).await.len(), 2);
    erase::person_of(node, anna, first.case.unwrap()).await.unwrap();
    let back = add::add_case(node, anna, filed("Rossi"), NewCase::default()).await;
    assert_eq!(reason(back), "erased");
    let another = add::add_case_of(node, anna, first.record, NewCase::default()).await;
    assert_eq!(reason(another), "erased");
}

#[tokio::test]
async fn what_is_invalid_is_not_stored() {
    let stage = Stage::ready().await;
    let (node, anna) = stage.parts();
    let bad = person(vec![entry(Field::BirthDate, &["yesterday"])]);
    let case = NewCase { state: Some("lost".into()), ..NewCase::default() };
    let errors = add::add_case(node, anna, bad, case).await.unwrap().unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["birth_date", "state"]);
    assert_eq!(cases(node, anna).await, []);
    let nothing = find::find(node, anna, person(Vec::new()), "protection").await;
    assert_eq!(reason(nothing), "nothing_sought");
}

#[tokio::test]
async fn an_erasure_is_completed_by_a_new_wrapping_key() {
    for stage in Stage::both().await {
        let (node, anna) = stage.parts();
        let kept = add(node, anna, rossi()).await.case.unwrap();
        let gone = add(node, anna, named("Bianchi")).await.case.unwrap();
        stage.bench.pass(rotate::ROTATE_AFTER);
        assert!(!rotate::where_due(node).await.unwrap());
        erase::person_of(node, anna, gone).await.unwrap();
        let keys = async || node.store.read().await.unwrap().wrapping_keys().await.unwrap();
        let old = keys().await;
        assert!(rotate::where_due(node).await.unwrap());
        let new = keys().await;
        assert_eq!((old.len(), new.len()), (1, 1));
        assert_eq!((old[0].number, new[0].number), (1, 2));
        let seen = show::case(node, anna, kept, "protection").await.unwrap();
        assert_eq!(seen.record.entries, rossi().entries);
        assert!(!rotate::where_due(node).await.unwrap());
        // A second erasure on the same day waits for the next.
        erase::person_of(node, anna, kept).await.unwrap();
        assert!(!rotate::where_due(node).await.unwrap());
        stage.bench.pass(rotate::ROTATE_AFTER + Duration::from_millis(1));
        assert!(rotate::where_due(node).await.unwrap());
        assert_eq!(keys().await[0].number, 3);
    }
}

/// The process ends before and after each commit of a rotation: nothing is lost, and the next
/// start ends what was begun.
#[tokio::test]
async fn a_rotation_survives_crashes() {
    use raccordo_node::store::memory::CrashPoint::{AfterCommit, BeforeCommit};
    for (commits, point) in [1, 2, 3, 4, 5].map(|n| [(n, BeforeCommit), (n, AfterCommit)]).concat()
    {
        let stage = Stage::ready().await;
        let (node, anna) = stage.parts();
        let lines = (1..=450).map(|line| self::line(line, named(&format!("N{line}")))).collect();
        import(node, anna, batch(lines, 450)).await.unwrap();
        let ids = cases(node, anna).await;
        erase::person_of(node, anna, ids[0]).await.unwrap();
        stage.bench.pass(rotate::ROTATE_AFTER);
        stage.disk().crash_after(commits, point);
        assert_eq!(reason(rotate::where_due(node).await), "crashed", "{commits} {point:?}");
        stage.disk().recover();
        let ended = rotate::where_due(node).await.unwrap();
        assert_eq!(ended, !(commits == 5 && point == AfterCommit));
        let rows = node.store.read().await.unwrap().wrapping_keys().await.unwrap();
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2]);
        for id in [ids[1], ids[200], ids[449]] {
            let seen = show::case(node, anna, id, "protection").await.unwrap();
            assert_eq!(seen.record.entries.len(), 1);
        }
    }
}

fn line(line: u64, identity: Identity) -> Line {
    Line { line, identity, codes: Alert::default(), case: Some(NewCase::default()) }
}

fn batch(lines: Vec<Line>, until: u64) -> Batch {
    let (kind, source) = (RecordKind::Person, Digest([7; 32]));
    Batch { kind, source, lines, until, refused: 0, dry_run: false }
}

fn people(lines: std::ops::RangeInclusive<u64>) -> Vec<Line> {
    lines.map(|number| line(number, named(&format!("Persona {number}")))).collect()
}

#[tokio::test]
async fn an_import_goes_on_where_it_was() {
    for stage in Stage::both().await {
        let (node, anna) = stage.parts();
        let source = Digest([7; 32]);
        let come = async || progress(node, anna, RecordKind::Person, &source).await.unwrap();
        assert_eq!(come().await, Progress::default());
        let (first, _) = import(node, anna, batch(people(2..=51), 51)).await.unwrap();
        assert_eq!(first, Progress { line: 51, added: 50, known: 0, refused: 0 });
        // Again, with the answer lost; and with lines of the next part.
        for (lines, until) in [(people(2..=51), 51), (people(2..=61), 61), (people(40..=61), 61)] {
            import(node, anna, batch(lines, until)).await.unwrap();
        }
        assert_eq!(come().await, Progress { line: 61, added: 60, known: 0, refused: 0 });
        assert_eq!(cases(node, anna).await.len(), 60);
        // Another file with the same people is another import.
        let other = Batch { source: Digest([8; 32]), ..batch(people(2..=3), 3) };
        import(node, anna, other).await.unwrap();
        assert_eq!(cases(node, anna).await.len(), 62);
    }
}

#[tokio::test]
async fn an_import_survives_crashes() {
    use raccordo_node::store::memory::CrashPoint::{AfterCommit, BeforeCommit};
    for (commits, point) in [1, 2, 3].map(|n| [(n, BeforeCommit), (n, AfterCommit)]).concat() {
        let stage = Stage::ready().await;
        let (node, anna) = stage.parts();
        stage.disk().crash_after(commits, point);
        let mut crashes = 0;
        loop {
            let at = match progress(node, anna, RecordKind::Person, &Digest([7; 32])).await {
                Ok(at) => at.line,
                Err(_) => {
                    stage.disk().recover();
                    crashes += 1;
                    continue;
                }
            };
            if at >= 40 {
                break;
            }
            drop(import(node, anna, batch(people(at + 1..=at + 10), at + 10)).await);
        }
        assert_eq!(crashes, 1, "{commits} {point:?}");
        let mut names = Vec::new();
        for id in cases(node, anna).await {
            let view = show::case(node, anna, id, "protection").await.unwrap();
            names.push(view.record.entries[0].part(0).to_owned());
        }
        let expected: Vec<_> = (1..=40).map(|number| format!("Persona {number}")).collect();
        assert_eq!(names, expected, "{commits} {point:?}");
    }
}

#[tokio::test]
async fn refused_lines_are_named_and_the_others_stored() {
    let stage = Stage::ready().await;
    let (node, anna) = stage.parts();
    let filed = |number: &str| {
        person(vec![entry(Field::Reference, &[number]), entry(Field::Name, &["Rossi"])])
    };
    let lines = vec![
        line(2, named("Rossi")),
        line(3, person(vec![entry(Field::BirthDate, &["never"])])),
        line(5, filed("1")),
        line(6, filed("1")),
    ];
    let dry = Batch { dry_run: true, ..batch(lines.clone(), 6) };
    for (asked, stored) in [(dry.clone(), 0), (dry, 0), (batch(lines.clone(), 6), 2)] {
        let (come, refused) = import(node, anna, asked).await.unwrap();
        assert_eq!(come, Progress { line: 6, added: 2, known: 1, refused: 1 });
        assert_eq!((refused[0].line, refused[0].error.field.as_str()), (3, "birth_date"));
        assert_eq!(cases(node, anna).await.len(), stored);
    }
    // What was erased does not come back by a file.
    let source = Digest([9; 32]);
    let id = cases(node, anna).await[1];
    erase::person_of(node, anna, id).await.unwrap();
    let (come, refused) =
        import(node, anna, Batch { source, ..batch(lines[2..].to_vec(), 6) }).await.unwrap();
    assert_eq!((come.added, come.refused), (0, 1));
    assert_eq!(refused[0].error.field, "reference");

    let unordered = vec![line(4, named("a")), line(3, named("b"))];
    assert_eq!(reason(import(node, anna, batch(unordered, 9)).await), "bad_lines");
    assert_eq!(reason(import(node, anna, batch(people(1..=9), 8)).await), "bad_lines");
    assert_eq!(reason(import(node, anna, batch(people(1..=501), 501)).await), "too_many");
    let mixed = Line { identity: company(false, "Alfa"), case: None, ..line(9, named("x")) };
    assert_eq!(reason(import(node, anna, batch(vec![mixed], 9)).await), "bad_lines");
}

#[tokio::test]
async fn an_id_is_the_same_whenever_it_is_imported() {
    let ids = async || -> Vec<RecordId> {
        let stage = Stage::ready().await;
        let (node, anna) = stage.parts();
        import(node, anna, batch(people(2..=4), 4)).await.unwrap();
        let query = Query { limit: 9, ..Query::default() };
        let (cases, _) = list::cases(node, anna, &query).await.unwrap();
        cases.into_iter().map(|case| case.row.record).collect()
    };
    let first = ids().await;
    assert_eq!(first.len(), 3);
    assert_eq!(first, ids().await);
}
