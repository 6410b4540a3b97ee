//! The alert commands against a casework service that answers by the équipe's name.

#![allow(clippy::unwrap_used, reason = "clippy exempts test functions, not what they share")]

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use raccordo_proto::casework::v1::casework_service_server::{
    CaseworkService, CaseworkServiceServer,
};
use raccordo_proto::casework::v1::*;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, transport::Server};

type Answer<T> = Result<Response<T>, Status>;

/// What the service was asked to share, call by call.
#[derive(Clone, Default)]
struct Fake {
    calls: Arc<Mutex<Vec<ShareAlertsRequest>>>,
}

fn shared(id: &str, state: DeliveryState) -> SharedAlert {
    let delivery = Delivery { state: state.into(), ..Delivery::default() };
    let sequence = if state == DeliveryState::Queued { 0 } else { 7 };
    SharedAlert { id: id.to_owned(), delivery: Some(delivery), sequence, already_shared: false }
}

fn forbidden(index: u32) -> ShareAlertsResponse {
    let violation = FieldViolation {
        index,
        field: "caseAlert.comune".to_owned(),
        reason: "pact_forbids".to_owned(),
        message: "the pact allows the province only".to_owned(),
    };
    ShareAlertsResponse { violations: vec![violation], ..ShareAlertsResponse::default() }
}

#[tonic::async_trait]
impl CaseworkService for Fake {
    async fn share_alerts(
        &self,
        request: Request<ShareAlertsRequest>,
    ) -> Answer<ShareAlertsResponse> {
        if request.metadata().get("authorization").unwrap() != "Bearer secret" {
            return Err(Status::unauthenticated("wrong token"));
        }
        let request = request.into_inner();
        let mut calls = self.calls.lock().unwrap();
        calls.push(request.clone());
        match request.equipe.as_str() {
            "shaky" if calls.len() == 1 => return Err(Status::unavailable("restarting")),
            "strict" if calls.len() == 2 => return Ok(Response::new(forbidden(3))),
            "none" => {
                let mut status = Status::not_found("there is no équipe `none`");
                status.metadata_mut().insert("raccordo-reason", "no_such_equipe".parse().unwrap());
                return Err(status);
            }
            _ => {}
        }
        let stored = match request.dry_run {
            true => Vec::new(),
            false => request.alerts.iter().map(|a| shared(&a.id, DeliveryState::Queued)).collect(),
        };
        let recipients = vec!["umbria".to_owned()];
        Ok(Response::new(ShareAlertsResponse { shared: stored, violations: vec![], recipients }))
    }

    async fn await_delivery(
        &self,
        request: Request<AwaitDeliveryRequest>,
    ) -> Answer<AwaitDeliveryResponse> {
        let request = request.into_inner();
        if request.state() == DeliveryState::Delivered {
            return Err(Status::deadline_exceeded("not yet"));
        }
        let alerts = request.ids.iter().map(|id| shared(id, DeliveryState::Accepted)).collect();
        Ok(Response::new(AwaitDeliveryResponse { alerts }))
    }

    async fn list_alerts(&self, request: Request<ListAlertsRequest>) -> Answer<ListAlertsResponse> {
        let request = request.into_inner();
        let page: u32 = request.page_token.parse().unwrap_or(0);
        let record = AlertRecord {
            id: format!("alert-{page}"),
            kind: "case".to_owned(),
            origin: "umbria".to_owned(),
            equipe: request.equipe,
            state: request.state,
            ..AlertRecord::default()
        };
        let next_page_token = if page < 2 { (page + 1).to_string() } else { String::new() };
        Ok(Response::new(ListAlertsResponse { alerts: vec![record], next_page_token }))
    }

    async fn who_am_i(&self, _: Request<WhoAmIRequest>) -> Answer<WhoAmIResponse> {
        Err(Status::unimplemented(""))
    }

    async fn list_equipes(&self, _: Request<ListEquipesRequest>) -> Answer<ListEquipesResponse> {
        Err(Status::unimplemented(""))
    }

    async fn show_alert(&self, _: Request<ShowAlertRequest>) -> Answer<ShowAlertResponse> {
        Err(Status::unimplemented(""))
    }

    type WatchAlertsStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<WatchAlertsResponse, Status>> + Send>>;

    async fn watch_alerts(
        &self,
        _: Request<WatchAlertsRequest>,
    ) -> Answer<Self::WatchAlertsStream> {
        Err(Status::unimplemented(""))
    }

    async fn withdraw_alert(
        &self,
        _: Request<WithdrawAlertRequest>,
    ) -> Answer<WithdrawAlertResponse> {
        Err(Status::unimplemented(""))
    }
}

/// What a run of the program left behind.
struct Run {
    exit: i32,
    lines: Vec<serde_json::Value>,
    stderr: String,
    calls: Vec<ShareAlertsRequest>,
}

/// Runs `raccordo alert WORDS` with this input against a fresh service.
fn run(words: &str, input: &str) -> Run {
    let home = tempfile::tempdir().unwrap();
    let token = home.path().join("token");
    std::fs::write(&token, "secret\n").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::create_dir(home.path().join("run")).unwrap();
    let fake = Fake::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = {
        let _inside = runtime.enter();
        UnixListener::bind(home.path().join("run/casework.sock")).unwrap()
    };
    let service = Server::builder().add_service(CaseworkServiceServer::new(fake.clone()));
    runtime.spawn(service.serve_with_incoming(UnixListenerStream::new(listener)));
    let output = raccordo(home.path(), &token, words, input);
    let text = String::from_utf8(output.stdout).unwrap();
    let calls = fake.calls.lock().unwrap().clone();
    Run {
        exit: output.status.code().unwrap(),
        lines: text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        calls,
    }
}

fn raccordo(home: &Path, token: &Path, words: &str, input: &str) -> std::process::Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_raccordo"))
        .args(["--home".as_ref(), home, "--operator".as_ref(), token])
        .arg("alert")
        .args(words.split(' '))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A program that ended early did not read it all.
    drop(feeder.join());
    output
}

fn many(count: usize) -> String {
    "{\"caseAlert\":{\"severity\":\"high\"}}\n".repeat(count)
}

#[test]
fn one_alert() {
    let run = run("share --equipe tu -", "{\n  \"caseAlert\": {}\n}");
    assert_eq!(run.exit, 0, "{}", run.stderr);
    assert_eq!(run.stderr, "raccordo: 1 alert for umbria: stored here and queued\n");
    let id = &run.calls[0].alerts[0].id;
    assert_eq!(run.lines, [serde_json::json!({"id": id, "state": "queued"})]);
    assert_eq!(id.len(), 36);
}

#[test]
fn many_alerts_go_in_batches_with_ids_of_their_own() {
    let run = run("share --equipe tu - --json", &many(450));
    assert_eq!((run.exit, run.lines.len()), (0, 450), "{}", run.stderr);
    assert_eq!(run.stderr, "");
    let sizes: Vec<usize> = run.calls.iter().map(|call| call.alerts.len()).collect();
    assert_eq!(sizes, [200, 200, 50]);
    let ids: BTreeMap<&str, ()> =
        run.calls.iter().flat_map(|call| &call.alerts).map(|a| (a.id.as_str(), ())).collect();
    assert_eq!(ids.len(), 450);
}

#[test]
fn a_retry_repeats_the_ids() {
    let run = run("share --equipe shaky -", &many(2));
    assert_eq!((run.exit, run.lines.len(), run.calls.len()), (0, 2, 2), "{}", run.stderr);
    assert_eq!(run.calls[0], run.calls[1]);
}

#[test]
fn an_invalid_line_stops_its_batch() {
    let input = format!("{}{{\"caseAlert\":{{\"nome\":\"Mario\"}}}}\n", many(210));
    let run = run("share --equipe tu -", &input);
    assert_eq!((run.exit, run.lines.len(), run.calls.len()), (2, 200, 1));
    assert!(run.stderr.starts_with("raccordo: the first 200 alerts were shared; then: line 211: "));
    assert!(run.stderr.contains("`nome`") && !run.stderr.contains("Mario"), "{}", run.stderr);
    assert!(run.stderr.contains("can be shared again safely"), "{}", run.stderr);
}

#[test]
fn nothing_is_sent_when_the_first_batch_is_invalid() {
    let run = run("share --equipe tu - --json", &format!("{}nonsense", many(3)));
    assert_eq!((run.exit, run.calls.len(), run.lines.len()), (2, 0, 1));
    assert_eq!(run.lines[0]["error"]["code"], "invalid_json");
    assert_eq!(run.stderr, "");
}

#[test]
fn the_pact_s_refusal_names_the_line() {
    let run = run("share --equipe strict - --json", &many(300));
    assert_eq!((run.exit, run.lines.len()), (3, 201));
    let error = &run.lines[200]["error"];
    assert_eq!(error["code"], "pact_forbids");
    assert_eq!(error["violations"][0]["line"], 204);
}

#[test]
fn waiting_tells_the_newest_state() {
    let run = run("share --equipe tu - --wait accepted --json", &many(1));
    assert_eq!(run.exit, 0, "{}", run.stderr);
    assert_eq!(run.lines[0]["state"], "accepted");
    assert_eq!(run.lines[0]["sequence"], 7);
}

#[test]
fn waiting_in_vain_loses_no_id() {
    let run = run("share --equipe tu - --wait delivered --timeout 1s", &many(2));
    assert_eq!((run.exit, run.lines.len()), (5, 2), "{}", run.stderr);
    assert_eq!(run.lines[1]["state"], "accepted");
    assert!(run.stderr.contains("2 of 2 alerts are not delivered yet"), "{}", run.stderr);
}

#[test]
fn a_dry_run_shows_the_recipients() {
    let run = run("share --equipe tu - --dry-run --json", &many(2));
    let expected = serde_json::json!({"dry_run": true, "alerts": 2, "recipients": ["umbria"]});
    assert_eq!((run.exit, run.lines.as_slice()), (0, [expected].as_slice()), "{}", run.stderr);
    assert!(run.calls[0].dry_run);
}

#[test]
fn the_node_s_reason_comes_through() {
    let run = run("share --equipe none - --json", &many(1));
    assert_eq!((run.exit, run.calls.len()), (4, 1));
    assert_eq!(run.lines[0]["error"]["code"], "no_such_equipe");
}

#[test]
fn lists_follow_the_pages() {
    let run = run("list --equipe tu --state active --json", "");
    let ids: Vec<_> = run.lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!((run.exit, ids.as_slice()), (0, ["alert-0", "alert-1", "alert-2"].as_slice()));
    assert_eq!(run.lines[0]["state"], "active");
}
