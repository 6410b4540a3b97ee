//! Every reading of bodies is in the audit before it is handed out: each call of operators'
//! systems, with the record that it leaves.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt as _;
use raccordo_core::audit::AuditRecord;
use raccordo_core::codes::Lang;
use raccordo_core::id::ObjectId;
use raccordo_core::object::Kind;
use raccordo_node::api::casework::{CaseworkCalls, MatchCalls, RegisterCalls};
use raccordo_node::app::account::session::Use;
use raccordo_node::app::alerts::{self, Listing, Place, Query};
use raccordo_node::app::{Node, directory};
use raccordo_proto::casework::v1::casework_service_server::CaseworkService as _;
use raccordo_proto::casework::v1::match_service_server::MatchService as _;
use raccordo_proto::casework::v1::register_service_server::RegisterService as _;
use raccordo_proto::casework::v1::*;
use tokio_util::sync::CancellationToken;
use tonic::Request;

use crate::bench::{ADMIN, Bench, EQUIPE, Toscana, Umbria};
use crate::many;
use crate::matching::stage::{Stage, TOSCANA};

const PROTOS: [&str; 3] = [
    include_str!("../../../proto/casework/v1/casework.proto"),
    include_str!("../../../proto/casework/v1/match.proto"),
    include_str!("../../../proto/casework/v1/register.proto"),
];

/// The calls that operators' systems have.
fn calls() -> BTreeSet<&'static str> {
    let lines = PROTOS.iter().flat_map(|proto| proto.lines());
    let names = lines.filter_map(|line| line.trim().strip_prefix("rpc ")?.split_once('('));
    names.map(|(name, _)| name).collect()
}

/// The records of the audit after a place.
async fn records(node: &Node, after: u64) -> Vec<AuditRecord> {
    node.store.read().await.unwrap().audit_after(after, 1_000).await.unwrap()
}

/// An operator's system, and what its calls leave.
struct System {
    node: Arc<Node>,
    casework: CaseworkCalls,
    matches: MatchCalls,
    register: RegisterCalls,
    token: String,
    called: BTreeSet<&'static str>,
    /// The newest record that was looked at.
    seen: u64,
}

macro_rules! call {
    ($system:ident, $calls:ident.$method:ident, $request:expr) => {
        $system.$calls.$method($system.request($request)).await.unwrap().into_inner()
    };
}

impl System {
    async fn new(node: Arc<Node>) -> Self {
        // Who may do everything that these calls do.
        let added = directory::add_operator(&node, ADMIN, "Berta", "PUA", "secretariat").await;
        let token = added.unwrap().1.reveal().clone();
        let stop = CancellationToken::new();
        let seen = records(&node, 0).await.last().map_or(0, |record| record.sequence);
        Self {
            casework: CaseworkCalls::new(node.clone(), stop.clone()),
            matches: MatchCalls::new(node.clone(), stop),
            register: RegisterCalls::new(node.clone()),
            node,
            token,
            called: BTreeSet::new(),
            seen,
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let bearer = format!("Bearer {}", self.token).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    /// Passes over what the node has recorded of its own work.
    async fn pass(&mut self) {
        let new = records(&self.node, self.seen).await;
        self.seen = new.last().map_or(self.seen, |record| record.sequence);
    }

    /// A call has left these records, and the last of them names these ids.
    async fn left(&mut self, call: &'static str, actions: &[&str], ids: &[&str]) {
        self.called.insert(call);
        let new = records(&self.node, self.seen).await;
        self.seen = new.last().map_or(self.seen, |record| record.sequence);
        let found: Vec<&str> = new.iter().map(|record| record.event.action.as_str()).collect();
        assert_eq!(found, actions, "{call}");
        let named: Vec<&str> = new
            .last()
            .map(|record| &record.event)
            .map(|event| event.detail.get("ids").unwrap_or(&event.subject))
            .map(|named| named.split(' ').collect())
            .unwrap_or_default();
        for id in ids {
            assert!(named.contains(id), "{call} names {named:?}, not {id}");
        }
    }
}

/// What the next message of a stream is.
async fn first<T>(stream: impl futures::Stream<Item = Result<T, tonic::Status>>) -> T {
    let mut stream = std::pin::pin!(stream);
    stream.next().await.unwrap().unwrap()
}

#[tokio::test]
async fn every_call_of_operators_systems_is_known_to_the_audit() {
    let mut stage = Stage::matched().await;
    let found = stage.only(TOSCANA).await;
    let (alert, id) = (found.row.ours.to_string(), found.row.id.to_string());
    let mut system = System::new(stage.shared_node(TOSCANA)).await;
    alerts(&mut system, &alert).await;
    matches(&mut system, &id).await;
    stage.run().await;
    system.pass().await;
    people(&mut system).await;
    companies(&mut system).await;
    assert_eq!(system.called, calls());
}

async fn alerts(system: &mut System, alert: &str) {
    let equipe = many::EQUIPE.to_owned();
    call!(system, casework.who_am_i, WhoAmIRequest {});
    system.left("WhoAmI", &[], &[]).await;
    call!(system, casework.list_equipes, ListEquipesRequest {});
    system.left("ListEquipes", &[], &[]).await;
    let list = ListAlertsRequest { equipe: equipe.clone(), ..Default::default() };
    let listed = call!(system, casework.list_alerts, list);
    assert!(listed.alerts[0].body.is_some());
    system.left("ListAlerts", &["alert.list"], &[alert]).await;
    let show = ShowAlertRequest { id: alert.to_owned() };
    assert!(call!(system, casework.show_alert, show).alert.unwrap().body.is_some());
    system.left("ShowAlert", &["alert.read"], &[alert]).await;
    let watch = WatchAlertsRequest { equipe: equipe.clone(), include_existing: true };
    let told = first(call!(system, casework.watch_alerts, watch.clone())).await;
    assert!(told.alert.unwrap().body.is_some());
    system.left("WatchAlerts", &["alert.watch"], &[alert]).await;
    // Who waits for changes alone has been told nothing yet.
    drop(call!(
        system,
        casework.watch_alerts,
        WatchAlertsRequest { include_existing: false, ..watch }
    ));
    system.left("WatchAlerts", &[], &[]).await;
    let state = DeliveryState::Queued.into();
    let wait = AwaitDeliveryRequest { ids: vec![alert.to_owned()], state };
    call!(system, casework.await_delivery, wait);
    system.left("AwaitDelivery", &[], &[]).await;

    let body = listed.alerts[0].body.clone().unwrap();
    let own = raccordo_proto::alert::v1::Alert { id: uuid::Uuid::new_v4().to_string(), ..body };
    let share = ShareAlertsRequest { equipe, alerts: vec![own.clone()], ..Default::default() };
    let shared = call!(system, casework.share_alerts, share.clone());
    assert_eq!(shared.violations, []);
    system.left("ShareAlerts", &["alert.share"], &[]).await;
    // Shared already: nothing of it is told but how far it has come.
    assert!(call!(system, casework.share_alerts, share).shared[0].already_shared);
    system.left("ShareAlerts", &[], &[]).await;
    let withdraw = WithdrawAlertRequest { id: own.id.clone(), reason: "error".into() };
    assert!(call!(system, casework.withdraw_alert, withdraw).alert.unwrap().body.is_none());
    system.left("WithdrawAlert", &["alert.withdraw"], &[&own.id]).await;
}

async fn matches(system: &mut System, id: &str) {
    let id_of = || id.to_owned();
    assert_eq!(call!(system, matches.list_matches, ListMatchesRequest::default()).matches.len(), 1);
    system.left("ListMatches", &["match.list"], &[id]).await;
    call!(system, matches.get_match, GetMatchRequest { id: id_of() });
    system.left("GetMatch", &["match.read"], &[id]).await;
    let watch = WatchMatchesRequest { equipe: String::new(), include_existing: true };
    assert!(first(call!(system, matches.watch_matches, watch)).await.r#match.is_some());
    system.left("WatchMatches", &["match.watch"], &[id]).await;
    call!(system, matches.confirm_match, ConfirmMatchRequest { id: id_of() });
    system.left("ConfirmMatch", &["match.confirm"], &[id]).await;
    // What was decided already is shown again.
    call!(system, matches.confirm_match, ConfirmMatchRequest { id: id_of() });
    system.left("ConfirmMatch", &["match.read"], &[id]).await;
    call!(system, matches.deny_match, DenyMatchRequest { id: id_of() });
    system.left("DenyMatch", &["match.deny"], &[id]).await;
    // Not linked: refused, and nothing is shown.
    let unlink = system.request(UnlinkMatchRequest { id: id_of() });
    assert!(system.matches.unlink_match(unlink).await.is_err());
    system.left("UnlinkMatch", &[], &[]).await;
    let answer = system.request(AnswerMatchRequest { id: id_of(), word: "call_me".into() });
    assert!(system.matches.answer_match(answer).await.is_err());
    system.left("AnswerMatch", &[], &[]).await;
    let values = vec!["+39 055 123456".to_owned()];
    call!(system, matches.add_stop_values, AddStopValuesRequest { kind: "phone".into(), values });
    system.left("AddStopValues", &["stop.add"], &[]).await;
    let stops = call!(system, matches.list_stop_values, ListStopValuesRequest {}).values;
    system.left("ListStopValues", &["stop.read"], &[]).await;
    call!(system, matches.remove_stop_value, RemoveStopValueRequest { id: stops[0].id.clone() });
    system.left("RemoveStopValue", &["stop.remove"], &[]).await;
}

fn someone(family: &str) -> Person {
    let name = PersonName { family: family.into(), given: String::new() };
    Person { names: vec![name], ..Default::default() }
}

async fn people(system: &mut System) {
    let purpose = || "protection".to_owned();
    let add = AddCaseRequest { person: Some(someone("Canarino")), ..Default::default() };
    let added = call!(system, register.add_case, add);
    system.left("AddCase", &["record.add"], &[]).await;
    call!(system, register.list_cases, ListCasesRequest::default());
    // Without names and codes: who there is cannot be seen from it.
    system.left("ListCases", &[], &[]).await;
    let find = FindCasesRequest { person: Some(someone("Canarino")), purpose: purpose() };
    assert_eq!(call!(system, register.find_cases, find).people.len(), 1);
    system.left("FindCases", &["register.find"], &[]).await;
    call!(system, register.show_case, ShowCaseRequest { id: added.id.clone(), purpose: purpose() });
    system.left("ShowCase", &["record.read"], &[]).await;
    let state = "accompanied".to_owned();
    let change = ChangeCaseRequest { id: added.id.clone(), state, ..Default::default() };
    call!(system, register.change_case, change);
    system.left("ChangeCase", &["case.change"], &[]).await;
    call!(system, register.erase_case, EraseCaseRequest { id: added.id });
    system.left("EraseCase", &["record.erase"], &[]).await;
    let (kind, source) = ("person".to_owned(), vec![7; 32]);
    let show = ShowImportRequest { kind: kind.clone(), source: source.clone() };
    call!(system, register.show_import, show);
    system.left("ShowImport", &[], &[]).await;
    let import = ImportRecordsRequest { kind, source, until: 1, ..Default::default() };
    call!(system, register.import_records, import);
    system.left("ImportRecords", &["register.import"], &[]).await;
}

async fn companies(system: &mut System) {
    let purpose = || "protection".to_owned();
    let named = || Company { names: vec!["Canarino srl".into()], ..Default::default() };
    let add = AddCompanyRequest { company: Some(named()), ..Default::default() };
    let added = call!(system, register.add_company, add);
    system.left("AddCompany", &["record.add"], &[]).await;
    call!(system, register.list_companies, ListCompaniesRequest::default());
    system.left("ListCompanies", &[], &[]).await;
    let find = FindCompaniesRequest { company: Some(named()), purpose: purpose() };
    assert_eq!(call!(system, register.find_companies, find).companies.len(), 1);
    system.left("FindCompanies", &["register.find"], &[]).await;
    let show = ShowCompanyRequest { id: added.id.clone(), purpose: purpose() };
    call!(system, register.show_company, show);
    system.left("ShowCompany", &["record.read"], &[&added.id]).await;
    call!(system, register.erase_company, EraseCompanyRequest { id: added.id.clone() });
    system.left("EraseCompany", &["record.erase"], &[&added.id]).await;
}

/// A page, however many steps it takes, is one record with all that it shows and what was asked.
#[tokio::test]
async fn a_page_is_one_record() {
    let mut bench = Bench::ready().await;
    let shared = bench.share_samples(Toscana, Kind::Case, 130).await;
    bench.run().await;
    let (node, operator) = (bench.node(Umbria), bench.operator(Umbria));
    let before = records(node, 0).await.last().unwrap().sequence;
    let query = Query {
        equipe: EQUIPE.into(),
        origin: Some(Toscana.id()),
        state: Some("active".into()),
        limit: 120,
        ..Query::default()
    };
    let mut shown: Vec<ObjectId> = Vec::new();
    let mut place = |view: alerts::AlertView| {
        // Every third is left out, and nobody has read it.
        if view.row.position.is_multiple_of(3) {
            return Place::LeftOut;
        }
        shown.push(view.row.object);
        Place::Shown
    };
    alerts::list(node, operator, &query, Listing::Page, &mut place).await.unwrap();
    let new = records(node, before).await;
    let [record] = new.as_slice() else { panic!("{new:?}") };
    let event = &record.event;
    assert_eq!((event.action.as_str(), &*event.detail["from"]), ("alert.list", "toscana"));
    assert_eq!(event.detail["state"], "active");
    let named: Vec<ObjectId> =
        event.detail["ids"].split(' ').map(|id| id.parse().unwrap()).collect();
    assert_eq!((named.len(), &named), (shown.len(), &shown));
    assert!(shown.iter().all(|object| shared.contains(object)));
}

/// What people look at on pages is in the audit, with codes for words, never the words.
#[tokio::test]
async fn searches_and_pages_that_read_themselves_again() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 3).await;
    bench.run().await;
    let (node, operator) = (bench.node(Umbria), bench.operator(Umbria));
    let listed = bench.listed(Umbria).await;
    let body = serde_json::to_value(&listed[0].share.as_ref().unwrap().alert).unwrap();
    let province = body["caseAlert"]["province"].as_str().unwrap();
    let label = node.lists.label("province", province, Lang::It);
    let search = |text: &str, used| alerts::Search {
        says: alerts::said(node, Lang::It, text),
        limit: 50,
        used,
        ..Default::default()
    };
    let mut before = records(node, 0).await.last().unwrap().sequence;
    let mut new = async |search: alerts::Search| {
        alerts::newest(node, operator, &search).await.unwrap();
        let new = records(node, before).await;
        before = new.last().map_or(before, |record| record.sequence);
        new.into_iter().map(|record| record.event).collect::<Vec<_>>()
    };
    let events = new(search("", Use::Person)).await;
    assert_eq!(events[0].detail["ids"].split(' ').count(), 3);
    // The same page reads itself again: nothing that is not in the audit.
    assert_eq!(new(search("", Use::Background)).await, []);
    // A person who opens it again is recorded again.
    assert_eq!(new(search("", Use::Person)).await.len(), 1);
    let events = new(search(&label, Use::Person)).await;
    let codes = &events[0].detail["codes"];
    assert!(codes.contains(&format!("province:{province}")), "{codes}");
    assert!(!format!("{events:?}").contains(&label), "{events:?}");
    // What fits nothing shows nothing.
    assert_eq!(new(search("Canarinetti", Use::Person)).await, []);
}

#[test]
fn the_calls_are_read_from_the_protos() {
    assert!(calls().len() > 25 && calls().contains("WatchMatches"), "{:?}", calls());
}
