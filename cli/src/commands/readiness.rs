//! `raccordo wait-ready`, `status` and `doctor`.

use std::time::Duration;

use clap::Args;
use raccordo_proto::admin::v1::node_service_client::NodeServiceClient;
use raccordo_proto::admin::v1::{DoctorRequest, Expiring, Finding, StatusRequest, StatusResponse};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::equipe::EquipeView;
use crate::client::call;
use crate::context::Context;
use crate::duration;
use crate::failure::{EXIT_CONFLICT, EXIT_UNREACHABLE, Failure};
use crate::output::{Output, Tone};

/// What ends sooner is shown to people.
const SOON_DAYS: u64 = 30;

const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Options of `raccordo wait-ready`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  raccordod --home node & raccordo --home node wait-ready --timeout 10s"
)]
pub struct WaitReadyArgs {
    /// How long to wait
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = duration::parse)]
    timeout: Duration,
}

/// Options of `raccordo status`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  raccordo status --json | jq .equipes[].sequence")]
pub struct StatusArgs {}

/// Options of `raccordo doctor`.
#[derive(Args, Clone, Debug)]
#[command(
    long_about = "Tell the next missing steps, most urgent first, each with whose turn it is. Exits 6 if there is a problem.",
    after_help = "Example:\n  raccordo doctor"
)]
pub struct DoctorArgs {}

#[derive(Debug, Serialize)]
struct StatusView {
    node: String,
    version: String,
    schema: u32,
    ready: bool,
    database: String,
    uptime_s: u64,
    equipes: Vec<EquipeView>,
    alarms: Vec<String>,
    expires: Vec<ExpiringView>,
}

/// Something whose time comes.
#[derive(Debug, Serialize)]
struct ExpiringView {
    what: String,
    expires: String,
    days: u64,
}

impl From<Expiring> for ExpiringView {
    fn from(Expiring { what, expires_ms, days }: Expiring) -> Self {
        Self { what, expires: raccordo_core::time::Instant(expires_ms).to_string(), days }
    }
}

impl From<StatusResponse> for StatusView {
    fn from(status: StatusResponse) -> Self {
        Self {
            node: status.node,
            version: status.version,
            schema: status.schema,
            ready: status.ready,
            database: status.database,
            uptime_s: status.uptime_s,
            equipes: status.equipes.into_iter().map(EquipeView::from).collect(),
            alarms: status.alarms,
            expires: status.expires.into_iter().map(ExpiringView::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct ReadyView {
    ready: bool,
    node: String,
}

#[derive(Serialize)]
struct FindingView {
    severity: String,
    code: String,
    message: String,
    step: String,
    whose: String,
}

impl From<Finding> for FindingView {
    fn from(Finding { severity, code, message, step, whose }: Finding) -> Self {
        Self { severity, code, message, step, whose }
    }
}

/// Asks until the node says that it is ready.
///
/// # Errors
/// It is not ready in time, or refuses this user.
pub async fn wait_ready(args: WaitReadyArgs, context: &Context) -> Result<(), Failure> {
    context.home()?;
    let deadline = Instant::now() + args.timeout;
    loop {
        let last = match tokio::time::timeout_at(deadline, ask_status(context)).await {
            Ok(Ok(status)) if status.ready => {
                let view = ReadyView { ready: true, node: status.node };
                return context.out.record(&view, |view| format!("{} is ready", view.node));
            }
            Ok(Ok(_)) => None,
            Ok(Err(failure)) if failure.is_passing() => Some(failure),
            Ok(Err(failure)) => return Err(failure),
            Err(_) => None,
        };
        if Instant::now() + POLL_INTERVAL > deadline {
            let waited = format!("not ready after {}", duration::show(args.timeout));
            return Err(last.map(|failure| failure.context(&waited)).unwrap_or_else(|| {
                Failure::new(EXIT_UNREACHABLE, "not_ready", format!("the node is {waited}"))
                    .hint("its log says what it is doing; give it more time with --timeout")
            }));
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// Shows the node's state.
///
/// # Errors
/// The node does not answer.
pub async fn status(_: StatusArgs, context: &Context) -> Result<(), Failure> {
    let view = StatusView::from(ask_status(context).await?);
    context.out.record(&view, |view| describe(view, &context.out))
}

/// Tells what is missing; the answer is the exit code.
///
/// # Errors
/// The node does not answer.
pub async fn doctor(_: DoctorArgs, context: &Context) -> Result<u8, Failure> {
    let mut client = NodeServiceClient::new(context.admin().await?);
    let findings = client.doctor(call(DoctorRequest {})).await?.into_inner().findings;
    let views: Vec<FindingView> = findings.into_iter().map(FindingView::from).collect();
    if context.out.is_json() {
        context.out.object(&serde_json::json!({ "findings": views }))?;
    } else {
        if views.is_empty() {
            context.out.note("nothing is missing");
        }
        for view in &views {
            context.out.text(&diagnosis(view, &context.out))?;
        }
    }
    let ill = views.iter().any(|view| view.severity == "problem");
    Ok(if ill { EXIT_CONFLICT } else { 0 })
}

async fn ask_status(context: &Context) -> Result<StatusResponse, Failure> {
    let mut client = NodeServiceClient::new(context.admin().await?);
    Ok(client.status(call(StatusRequest {})).await?.into_inner())
}

fn diagnosis(view: &FindingView, out: &Output) -> String {
    let mark = match view.severity.as_str() {
        "ok" => "✓",
        "next" => "→",
        "warning" => "!",
        _ => "✗",
    };
    let mut text = format!("{} {}", out.paint(mark, Tone::of(&view.severity)), view.message);
    if view.severity != "ok" && !view.step.is_empty() {
        let whose = match view.whose.as_str() {
            "" | "you" => "you".to_owned(),
            other => other.to_owned(),
        };
        text.push_str(&format!("\n  {whose}: {}", view.step));
    }
    text
}

fn describe(view: &StatusView, out: &Output) -> String {
    let ready = match view.ready {
        true => out.paint("ready", Tone::Good),
        false => out.paint("not ready", Tone::Bad),
    };
    let StatusView { node, version, database, schema, .. } = view;
    let uptime = span(view.uptime_s);
    let mut text =
        format!("{node}  {ready}  version {version}, {database} (schema {schema}), up {uptime}\n");
    text.push_str(&alarms(&view.alarms, out));
    for soon in view.expires.iter().filter(|soon| soon.days < SOON_DAYS) {
        let ExpiringView { what, expires, days } = soon;
        let mark = out.paint("expires:", Tone::of("warning"));
        text.push_str(&format!("{mark} {what}, in {days} days, at {expires}\n"));
    }
    for equipe in &view.equipes {
        text.push('\n');
        text.push_str(&equipe.describe(out));
    }
    text
}

/// One line per alarm.
pub fn alarms(alarms: &[String], out: &Output) -> String {
    alarms.iter().map(|alarm| format!("{} {alarm}\n", out.paint("alarm:", Tone::Bad))).collect()
}

/// Seconds in the two largest units.
fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use raccordo_proto::admin::v1::{EquipeStatus, HubStatus, MemberStatus};

    use super::*;

    fn sample() -> StatusResponse {
        let member = |id: &str, trust: &str, last_seen_ms| MemberStatus {
            id: id.to_owned(),
            trust: trust.to_owned(),
            delivered_sequence: 6,
            last_seen_ms,
            joined: true,
            silent: last_seen_ms == 0,
        };
        let equipe = EquipeStatus {
            name: "tu".to_owned(),
            lineage: "0a".to_owned(),
            group_id: "0b".to_owned(),
            epoch: 2,
            authenticator: "0c".to_owned(),
            sequence: 7,
            head: "0d".to_owned(),
            statement_version: 1,
            members: vec![
                member("toscana", "self", 1_790_000_000_123),
                member("umbria", "verified", 0),
            ],
            hub: Some(HubStatus {
                id: "relay".to_owned(),
                term: 1,
                connected: true,
                lag: 0,
                problem: String::new(),
            }),
            outbox: 0,
            set_aside: 0,
            sending: "open".to_owned(),
            next: String::new(),
            keys: vec![],
            alarms: vec![],
            state: "active".to_owned(),
        };
        StatusResponse {
            node: "toscana".to_owned(),
            version: "0.1.0".to_owned(),
            schema: 1,
            ready: true,
            database: "sqlite".to_owned(),
            uptime_s: 3_700,
            equipes: vec![equipe],
            alarms: vec!["disk nearly full".to_owned()],
            expires: vec![Expiring {
                what: "own card".to_owned(),
                expires_ms: 1_790_000_000_000,
                days: 13,
            }],
        }
    }

    #[test]
    fn status_has_the_contract_s_shape() {
        assert_eq!(
            serde_json::to_value(StatusView::from(sample())).unwrap(),
            serde_json::json!({
                "node": "toscana", "version": "0.1.0", "schema": 1, "ready": true,
                "database": "sqlite", "uptime_s": 3700,
                "equipes": [{
                    "name": "tu", "lineage": "0a", "group_id": "0b", "epoch": 2,
                    "authenticator": "0c", "sequence": 7, "head": "0d", "statement_version": 1,
                    "members": [
                        {"id": "toscana", "trust": "self", "delivered_sequence": 6,
                         "last_seen": "2026-09-21T14:13:20.123Z", "silent": false},
                        {"id": "umbria", "trust": "verified", "delivered_sequence": 6,
                         "last_seen": null, "silent": true}
                    ],
                    "hub": {"id": "relay", "term": 1, "connected": true, "lag": 0},
                    "outbox": 0, "set_aside": 0, "sending": "open", "alarms": [],
                    "keys": []
                }],
                "alarms": ["disk nearly full"],
                "expires": [
                    { "what": "own card", "expires": "2026-09-21T14:13:20Z", "days": 13 }
                ]
            })
        );
    }

    #[test]
    fn status_reads_well() {
        let text = describe(&StatusView::from(sample()), &Output::new(true));
        assert!(text.starts_with(
            "toscana  ready  version 0.1.0, sqlite (schema 1), up 1h 1m\nalarm: disk nearly full\n"
        ));
        assert!(text.contains("umbria   verified"));
        assert!(text.contains("\nhead 0d…, authenticator 0c…\n"), "{text}");
    }

    #[test]
    fn findings_say_whose_turn_it_is() {
        let finding = FindingView {
            severity: "next".to_owned(),
            code: "peer_not_verified".to_owned(),
            message: "umbria is not verified".to_owned(),
            step: "raccordo trust verify umbria".to_owned(),
            whose: "you".to_owned(),
        };
        assert_eq!(
            diagnosis(&finding, &Output::new(true)),
            "→ umbria is not verified\n  you: raccordo trust verify umbria"
        );
    }
}
