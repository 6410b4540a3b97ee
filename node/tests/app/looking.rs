//! What somebody looks at before and after sharing: how many people are alike, words in alerts,
//! pictures, the own activity.

use std::collections::BTreeSet;

use raccordo_core::alert::{Alert, Body, CaseAlert};
use raccordo_core::codes::Lang;
use raccordo_core::id::ObjectId;
use raccordo_core::object::Kind;
use raccordo_core::operator::{Class, Role};
use raccordo_core::register::{Entry, Field, Identity, RecordKind};
use raccordo_node::app::account::session::Use;
use raccordo_node::app::directory::Operator;
use raccordo_node::app::likeness::{Alike, alike};
use raccordo_node::app::pictures::{Cell, SMALL_CELL, links, provinces};
use raccordo_node::app::register::add::{self, NewCase};
use raccordo_node::app::register::erase;
use raccordo_node::app::{activity, alerts, share, withdraw};

use crate::bench::{Bench, EQUIPE, Toscana, Umbria};

fn codes(province: &str, month: &str) -> Alert {
    let (province, month) = (province.to_owned(), month.to_owned());
    let case = CaseAlert { province, month, ..CaseAlert::default() };
    Alert { body: Some(Body::CaseAlert(case)), ..Alert::default() }
}

async fn add(bench: &Bench, name: &str, codes: Alert) -> add::Added {
    let entries = vec![Entry::new(Field::Name, [name.to_owned()])];
    let person = Identity { kind: RecordKind::Person, sole_trader: false, entries };
    let case = NewCase { codes, ..NewCase::default() };
    let (node, operator) = (bench.node(Toscana), bench.operator(Toscana));
    add::add_case(node, operator, person, case).await.unwrap().unwrap()
}

async fn like(bench: &Bench, alert: &Alert) -> Alike {
    let (node, operator) = (bench.node(Toscana), bench.operator(Toscana));
    alike(node, operator, EQUIPE, Kind::Case, alert).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_rare_combination_is_told_and_what_would_help() {
    let bench = Bench::ready().await;
    for number in 0..12 {
        let month = if number < 2 { "2026-03" } else { "2026-04" };
        add(&bench, &format!("Canarino {number}"), codes("048", month)).await;
    }
    let common = like(&bench, &codes("048", "2026-04")).await;
    assert_eq!((common.people, common.threshold), (10, 10));
    let rare = like(&bench, &codes("048", "2026-03")).await;
    assert_eq!((rare.people, rare.without), (2, vec!["month"]));
    assert_eq!(rare.fields, ["month", "province"]);
    let nobody = like(&bench, &codes("100", "2026-03")).await;
    assert_eq!((nobody.people, nobody.without), (0, vec![]));
    // A comune lies in its province.
    let comune = CaseAlert { comune: "048017".to_owned(), ..CaseAlert::default() };
    let comune = Alert { body: Some(Body::CaseAlert(comune)), ..Alert::default() };
    assert_eq!(like(&bench, &comune).await.people, 0);
    for number in 0..10 {
        add(&bench, &format!("Merlo {number}"), comune.clone()).await;
    }
    assert_eq!(like(&bench, &comune).await.people, 10);
    let unread = Operator { class: Class::EmployersAssociation, ..bench.operator(Toscana).clone() };
    let refused = alike(bench.node(Toscana), &unread, EQUIPE, Kind::Case, &comune).await;
    assert_eq!(refused.map(drop).map_err(|fault| fault.reason), Err("role_not_allowed"));
}

#[tokio::test]
async fn an_erased_person_counts_no_more() {
    let bench = Bench::ready().await;
    let added = add(&bench, "Canarino", codes("048", "2026-03")).await;
    assert_eq!(like(&bench, &codes("048", "2026-03")).await.people, 1);
    let secretary = Operator { role: Role::Secretariat, ..bench.operator(Toscana).clone() };
    let case = added.case.unwrap();
    erase::person_of(bench.node(Toscana), &secretary, case).await.unwrap();
    assert_eq!(like(&bench, &codes("048", "2026-03")).await.people, 0);
}

#[tokio::test]
async fn a_record_that_no_match_names_has_no_object_before() {
    let bench = Bench::ready().await;
    let record = add(&bench, "Canarino", Alert::default()).await.record;
    let (node, operator) = (bench.node(Toscana), bench.operator(Toscana));
    let named = share::named_before(node, operator, EQUIPE, record, Kind::Case).await;
    assert_eq!(named.unwrap(), None);
    let wrong = share::named_before(node, operator, EQUIPE, record, Kind::Company).await;
    assert_eq!(wrong.map_err(|fault| fault.reason), Err("wrong_record"));
}

fn province(alert: &Alert) -> &str {
    match &alert.body {
        Some(Body::CaseAlert(case)) => &case.province,
        Some(Body::CompanyAlert(company)) => &company.province,
        None => "",
    }
}

#[tokio::test]
async fn words_find_alerts_by_the_labels_of_their_codes() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 60).await;
    bench.run().await;
    let (node, operator) = (bench.node(Umbria), bench.operator(Umbria));
    let all = bench.listed(Umbria).await;
    let shares = || all.iter().filter_map(|view| Some((view.row.object, view.share.as_ref()?)));
    let code = shares().map(|(_, share)| province(&share.alert)).find(|it| !it.is_empty()).unwrap();
    let label = node.lists.label("province", code, Lang::It);
    let expected: BTreeSet<ObjectId> =
        shares().filter(|(_, share)| province(&share.alert) == code).map(|(id, _)| id).collect();
    let found = async |text: &str, limit: u32| {
        let says = alerts::said(node, Lang::It, text);
        let search = alerts::Search { says, limit, ..alerts::Search::default() };
        let (views, next) = alerts::newest(node, operator, &search).await.unwrap();
        (views.into_iter().map(|view| view.row.object).collect::<BTreeSet<_>>(), next)
    };
    let (some, next) = found(&label, 100).await;
    assert!(some.is_superset(&expected) && next.is_none(), "{label}");
    assert!(some.len() < all.len());
    let (none, _) = found(&format!("{label} parolachenonesiste"), 100).await;
    assert!(none.is_empty());
    // However small the steps, what is there is found.
    let (first, _) = found(&label, 1).await;
    assert!(!first.is_empty());
}

#[tokio::test]
async fn pictures_show_what_may_be_read_and_no_small_count() {
    let mut bench = Bench::ready().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 80).await;
    bench.run().await;
    let (node, operator) = (bench.node(Umbria), bench.operator(Umbria));
    let gone = withdraw::withdraw(
        bench.node(Toscana),
        bench.operator(Toscana),
        objects[0],
        "consent_withdrawn",
    );
    gone.await.unwrap();
    bench.send(Toscana).await.unwrap();
    let seen = provinces(node, operator, Use::Person).await.unwrap();
    let listed = bench.listed(Umbria).await;
    for (code, cell) in &seen.cells {
        let shares = listed.iter().filter_map(|view| view.share.as_ref());
        let count = shares.filter(|share| province(&share.alert) == code).count();
        let expected = if count < SMALL_CELL { Cell::Few } else { Cell::Count(count) };
        assert_eq!(*cell, expected, "{code}");
    }
    assert!(!seen.cells.is_empty() && !seen.more);
    // Who may read no person sees none of these cases.
    let union = Operator { class: Class::EmployersAssociation, ..operator.clone() };
    assert!(provinces(node, &union, Use::Person).await.unwrap().cells.is_empty());
    let admin = Operator { role: Role::Administrator, ..operator.clone() };
    let pictures = [
        provinces(node, &admin, Use::Person).await.map(drop),
        links(node, &admin, Use::Person).await.map(drop),
    ];
    for refused in pictures {
        assert_eq!(refused.map_err(|fault| fault.reason), Err("role_not_allowed"));
    }
}

#[tokio::test]
async fn everybody_reads_the_own_records_of_the_audit() {
    let bench = Bench::ready().await;
    let (node, operator) = (bench.node(Toscana), bench.operator(Toscana));
    for number in 0..5 {
        add(&bench, &format!("Canarino {number}"), Alert::default()).await;
    }
    let (newest, next) = activity::own(node, operator, None, 3).await.unwrap();
    assert!(newest.iter().all(|record| record.event.action == "record.add"));
    let (older, end) = activity::own(node, operator, next, 3).await.unwrap();
    assert_eq!((newest.len(), older.len(), end), (3, 2, None));
    let nobody =
        Operator { id: raccordo_core::id::OperatorId::random(&*node.entropy), ..operator.clone() };
    assert!(activity::own(node, &nobody, None, 3).await.unwrap().0.is_empty());
}
