//! Logs, metrics and health: what administrators see of a running node.
//!
//! What may be logged. Field names: `node`, `peer`, `hub`, `equipe`, `lineage`, `group`,
//! `epoch`, `sequence`, `entry`, `envelope`, `object`, `operation`, `operator` (opaque ids),
//! `kind`, `state`, `stage`, `step`, `listener`, `address`, `cause`, `reason`, `error`, `count`,
//! `bytes`, `elapsed_ms`. Never: names of people and companies, codes of an alert, tokens,
//! tags, keys, bodies, comments, metadata of calls. Secret types redact their `Debug`; spans
//! name their fields (`skip_all`), so that no argument comes along by itself. Messages are in
//! lower case, without a full stop, and hold no values.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use raccordo_core::text::escaped;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

/// Why logs or metrics cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log level is none (operator).
    #[error("`{text}` is no log level or filter: write `info`, or `info,raccordo_node=debug`")]
    Level {
        /// What was given.
        text: String,
        /// Where it is wrong.
        source: ParseError,
    },
    /// Logs were set up before in this process (ourselves).
    #[error(transparent)]
    Logs(#[from] TryInitError),
    /// Metrics were set up before in this process (ourselves).
    #[error(transparent)]
    Metrics(#[from] BuildError),
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, fields at its top level.
    #[default]
    Json,
    /// For people at a terminal.
    Text,
}

/// Which lines are logged: a level, or `tracing`'s list of target and level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogLevel(String);

impl FromStr for LogLevel {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        let unreadable = |source| TelemetryError::Level { text: text.to_owned(), source };
        EnvFilter::builder().parse(text).map_err(unreadable)?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for LogLevel {
    type Error = TelemetryError;

    fn try_from(text: String) -> Result<Self, TelemetryError> {
        text.parse()
    }
}

impl From<LogLevel> for String {
    fn from(level: LogLevel) -> Self {
        level.0
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sends this process's log lines to stderr.
///
/// # Errors
/// [`TelemetryError::Logs`] when called twice; [`TelemetryError::Level`].
pub fn start_logs(level: &LogLevel, format: LogFormat) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let text = level.0.as_str();
    let unreadable = |source| TelemetryError::Level { text: text.to_owned(), source };
    let filter = EnvFilter::builder().parse(text).map_err(unreadable)?;
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| OneLine(io::stderr()));
    match format {
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init()?,
        LogFormat::Text => lines.with_ansi(false).finish().try_init()?,
    }
    Ok(())
}

/// Writes each event as one line, in which what a peer wrote neither steers a terminal nor
/// begins another line. An event comes in one piece.
struct OneLine<W>(W);

impl<W: io::Write> io::Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = escaped(text.strip_suffix('\n').unwrap_or(&text));
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A metric: its name with unit, and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// As Prometheus shows it.
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

macro_rules! metrics_table {
    ($($Const:ident = $kind:ident $name:literal, $description:literal;)*) => {
        $(
            #[doc = $description]
            pub const $Const: Metric =
                Metric { name: $name, description: $description, kind: Kind::$kind };
        )*

        /// Every metric of the node.
        pub const METRICS: &[Metric] = &[$($Const),*];
    };
}

metrics_table! {
    CONNECTIONS_OPEN = Gauge "raccordo_connections_open",
        "Connections open now, by listener.";
    CONNECTIONS_REFUSED = Counter "raccordo_connections_refused_total",
        "Connections turned away, by listener and cause.";
    HUB_CONNECTED = Gauge "raccordo_hub_connected",
        "1 while the subscription to a hub stands, by hub.";
    DIALS_FAILED = Counter "raccordo_dials_failed_total",
        "Connections to a hub that failed, by hub and reason.";
    ENTRIES_APPENDED = Counter "raccordo_entries_appended_total",
        "Entries that this hub took into a log, by kind.";
    ENTRIES_REFUSED = Counter "raccordo_entries_refused_total",
        "Entries that this hub refused, by reason.";
    QUOTA_REACHED = Counter "raccordo_quota_reached_total",
        "Times that a peer reached a quota here, by quota.";
    ENTRIES_SENT = Counter "raccordo_entries_sent_total",
        "Own entries for which a hub has answered.";
    ENTRIES_PROCESSED = Counter "raccordo_entries_processed_total",
        "Entries of all logs that this member has taken, or set aside.";
    ENVELOPES_SET_ASIDE = Counter "raccordo_envelopes_set_aside_total",
        "Envelopes that could not be processed, and entries of which none could be read, by reason.";
    OUTBOX_WAITING = Gauge "raccordo_outbox_waiting",
        "Envelopes that are durable here and not yet at the hub, by équipe.";
    ALARMS_RAISED = Gauge "raccordo_alarms_raised",
        "Alarms that stand now, by équipe.";
    MEMBERS_SILENT = Gauge "raccordo_members_silent",
        "Members of whom three heartbeats are overdue, by équipe.";
    EXPIRES_DAYS = Gauge "raccordo_expires_days",
        "Whole days until a card or an équipe expires, by what it is.";
    TOKENS_ASKED = Counter "raccordo_tokens_asked_total",
        "Tokens that this node has asked for, by class; a repetition counts again.";
    TOKENS_MADE = Counter "raccordo_tokens_made_total",
        "Tokens that this node was given, by class.";
    TOKENS_EVALUATED = Counter "raccordo_tokens_evaluated_total",
        "Elements to which this node has applied its share, by class.";
    TOKENS_REFUSED = Counter "raccordo_tokens_refused_total",
        "Tokens that members asked for beyond their budget, by class.";
    STORAGE_FAILING = Gauge "raccordo_storage_failing",
        "1 while the database cannot do its work, by reason.";
    STORAGE_FAILURES = Counter "raccordo_storage_failures_total",
        "Statements and commits that failed for the disk or the database, by reason.";
    COMMIT_SECONDS = Histogram "raccordo_database_commit_seconds",
        "Time of a durable commit of an équipe's or a log's transaction, in seconds.";
    APPEND_SECONDS = Histogram "raccordo_append_seconds",
        "Time from handing entries to the hub until its answer, in seconds.";
}

/// Upper bounds of the histograms' buckets, in seconds.
const SECONDS: &[f64] =
    &[0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Starts to collect this process's metrics; no listener is opened.
///
/// # Errors
/// [`TelemetryError::Metrics`] when called twice.
pub fn start_metrics() -> Result<PrometheusHandle, TelemetryError> {
    let handle = PrometheusBuilder::new().set_buckets(SECONDS)?.install_recorder()?;
    describe();
    Ok(handle)
}

fn describe() {
    for metric in METRICS {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.description),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.description),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.description),
        }
    }
}

/// Whether the node can do its work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// What keeps it from working, stable words with a colon and details; empty when ready.
    pub reasons: Vec<String>,
}

impl HealthReport {
    /// Whether nothing keeps it from working.
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// `GET /metrics`, `/healthz` (the process answers), `/readyz` (the node can work; else 503
/// and why).
pub fn router(
    health: impl Fn() -> HealthReport + Send + Sync + 'static,
    metrics: PrometheusHandle,
) -> Router {
    let health = Arc::new(health);
    let readiness = move || {
        let health = health.clone();
        async move { ready(&health()) }
    };
    let exposition = move || {
        let metrics = metrics.clone();
        async move {
            // Moves what was recorded into its buckets, so that they stay small.
            metrics.run_upkeep();
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
        }
    };
    Router::new()
        .route("/metrics", get(exposition))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
}

fn ready(report: &HealthReport) -> (StatusCode, Json<serde_json::Value>) {
    let status = match report.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = serde_json::json!({ "ready": report.is_ready(), "reasons": report.reasons });
    (status, Json(body))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use futures::StreamExt;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn an_event_stays_one_line() {
        use io::Write;
        let mut written = Vec::new();
        let event = "{\"reason\":\"a\u{1b}[2J\u{202e}b\"}\n";
        OneLine(&mut written).write_all(event.as_bytes()).unwrap();
        OneLine(&mut written).write_all(b"level=INFO name=a\nlevel=ERROR forged\n").unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "{\"reason\":\"a\\u001b[2J\\u202eb\"}\nlevel=INFO name=a\\u000alevel=ERROR forged\n"
        );
    }

    async fn fetched(reasons: &[&str], path: &str) -> (u16, String) {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::counter!(CONNECTIONS_REFUSED.name, "cause" => "evicted").increment(3);
        });
        let reasons: Vec<String> = reasons.iter().map(|&reason| reason.to_owned()).collect();
        let router = router(move || HealthReport { reasons: reasons.clone() }, handle);
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let mut chunks = answer.into_body().into_data_stream();
        let mut text = String::new();
        while let Some(chunk) = chunks.next().await {
            text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
        (status, text)
    }

    #[tokio::test]
    async fn readiness_tells_why_not() {
        let (status, body) = fetched(&[], "/readyz").await;
        assert_eq!((status, body.as_str()), (200, r#"{"ready":true,"reasons":[]}"#));
        let (status, body) = fetched(&["database: disk full"], "/readyz").await;
        assert_eq!(status, 503);
        assert!(body.contains("disk full"), "{body}");
    }

    #[tokio::test]
    async fn a_node_that_is_not_ready_still_lives() {
        assert_eq!(fetched(&["database: disk full"], "/healthz").await.0, 200);
    }

    #[tokio::test]
    async fn metrics_come_with_their_description() {
        let (status, body) = fetched(&[], "/metrics").await;
        assert_eq!(status, 200);
        assert!(
            body.contains(r#"raccordo_connections_refused_total{cause="evicted"} 3"#),
            "{body}"
        );
        assert!(body.contains(CONNECTIONS_REFUSED.description), "{body}");
    }

    #[test]
    fn metric_names_are_unique_and_follow_prometheus() {
        let names: std::collections::BTreeSet<_> = METRICS.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            assert!(metric.name.starts_with("raccordo_"), "{}", metric.name);
            let total = metric.name.ends_with("_total");
            assert_eq!(total, metric.kind == Kind::Counter, "{}", metric.name);
            let seconds = metric.name.ends_with("_seconds");
            assert_eq!(seconds, metric.kind == Kind::Histogram, "{}", metric.name);
        }
    }

    fn check_level(text: &str, good: bool) {
        assert_eq!(text.parse::<LogLevel>().is_ok(), good, "{text:?}");
    }

    #[test]
    fn levels() {
        check_level("info", true);
        check_level("warn,raccordo_node=debug", true);
        check_level("info=loud", false);
    }
}
