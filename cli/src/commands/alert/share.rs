//! `raccordo alert share`.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use raccordo_proto::casework::v1::casework_service_client::CaseworkServiceClient;
use raccordo_proto::casework::v1::{
    FieldViolation, ShareAlertsRequest, ShareAlertsResponse, SharedAlert,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;
use uuid::Uuid;

use super::check::empty;
use super::input::{AlertReader, Numbered};
use super::view::SharedView;
use super::wait::{self, Goal};
use crate::client::Operator;
use crate::context::Context;
use crate::duration;
use crate::failure::{EXIT_REFUSED, EXIT_USAGE, Failure, Violation};

/// Alerts in one call, which are stored together or not at all.
const BATCH: usize = 200;
/// How often one call is tried.
const ATTEMPTS: u32 = 5;
/// No attempt starts later than this after the first.
const RETRY_LIMIT: Duration = Duration::from_secs(60);
/// Pause before the second attempt; doubled before each further one.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Options of `raccordo alert share`.
#[derive(Args, Clone, Debug)]
pub struct ShareArgs {
    /// The équipe's name
    #[arg(long, value_name = "NAME")]
    equipe: String,
    /// JSON, or JSON Lines; - for standard input
    file: PathBuf,
    /// One of the pact's purposes, instead of its first
    #[arg(long)]
    purpose: Option<String>,
    /// The record of the own register that the alert is about; nobody else learns it. For
    /// many alerts, write "record" into each line
    #[arg(long, value_name = "ID")]
    record: Option<String>,
    /// Wait until the hub, or every member, has the alerts
    #[arg(long, value_enum)]
    wait: Option<Goal>,
    /// How long to wait
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = duration::parse)]
    timeout: Duration,
    /// Check, and print who would receive the alerts; share nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct DryRunView {
    dry_run: bool,
    alerts: u64,
    recipients: BTreeSet<String>,
}

/// Shares the alerts of a file, batch by batch.
///
/// # Errors
/// The input is invalid, the node refuses or does not answer, or the wait ends too early.
pub async fn run(args: ShareArgs, context: &Context) -> Result<(), Failure> {
    let mut alerts = AlertReader::open(&args.file)?;
    // Read first: what is wrong in the first batch needs no node.
    let first = alerts.batch(BATCH)?;
    if first.is_empty() {
        return Err(empty());
    }
    let (channel, operator) = context.casework().await?;
    let bar = progress(&args.file, context, first.len() == BATCH);
    let client = CaseworkServiceClient::new(channel);
    let (recipients, shared) = (BTreeSet::new(), Vec::new());
    let mut sharing =
        Sharing { client, operator, args: &args, context, recipients, shared, done: 0 };
    let sent = sharing.all(first, &mut alerts, &bar).await;
    bar.finish_and_clear();
    let waited = match (&sent, args.wait) {
        (Ok(()), Some(goal)) if !args.dry_run => {
            let Sharing { client, operator, shared, .. } = &mut sharing;
            wait::until(client, operator, goal, args.timeout, shared).await
        }
        _ => Ok(()),
    };
    // Ids come before any failure, so that nothing that was shared is lost from sight.
    sharing.print_waiting()?;
    sent.map_err(|failure| sharing.partly(failure))?;
    waited?;
    sharing.finish()
}

struct Sharing<'a> {
    client: CaseworkServiceClient<Channel>,
    operator: Operator,
    args: &'a ShareArgs,
    context: &'a Context,
    recipients: BTreeSet<String>,
    /// What is printed when the wait is over.
    shared: Vec<SharedAlert>,
    done: u64,
}

impl Sharing<'_> {
    async fn all(
        &mut self,
        first: Vec<Numbered>,
        alerts: &mut AlertReader,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        let mut batch = first;
        while !batch.is_empty() {
            self.one(batch).await?;
            bar.set_position(alerts.offset());
            batch = alerts.batch(BATCH)?;
        }
        Ok(())
    }

    /// Shares one batch.
    async fn one(&mut self, batch: Vec<Numbered>) -> Result<(), Failure> {
        let lines: Vec<u64> = batch.iter().map(|item| item.line).collect();
        let batch = self.about(batch)?;
        let records = (0..)
            .zip(&batch)
            .filter_map(|(place, item)| item.record.clone().map(|record| (place, record)));
        let request = ShareAlertsRequest {
            equipe: self.args.equipe.clone(),
            records: records.collect(),
            alerts: batch.into_iter().map(with_id).collect(),
            purpose: self.args.purpose.clone().unwrap_or_default(),
            dry_run: self.args.dry_run,
        };
        let answer = self.send(request).await?;
        if !answer.violations.is_empty() {
            return Err(refused(answer.violations, &lines));
        }
        self.recipients.extend(answer.recipients);
        self.done += lines.len() as u64;
        if self.args.dry_run {
            return Ok(());
        }
        if answer.shared.len() != lines.len() {
            let message = format!("{} alerts sent, {} answered", lines.len(), answer.shared.len());
            return Err(Failure::internal(message).hint("see: raccordo alert list"));
        }
        match self.args.wait {
            Some(_) => self.shared.extend(answer.shared),
            None => print(&answer.shared, self.context)?,
        }
        Ok(())
    }

    /// The alerts with the record that the call names.
    fn about(&self, mut batch: Vec<Numbered>) -> Result<Vec<Numbered>, Failure> {
        let Some(record) = &self.args.record else { return Ok(batch) };
        match batch.as_mut_slice() {
            [only] if self.done == 0 => only.record = Some(record.clone()),
            _ => {
                let message = "--record is for one alert, and there are more";
                return Err(Failure::usage("record_for_many", message)
                    .hint("write \"record\" into each line instead"));
            }
        }
        Ok(batch)
    }

    /// Tries a call again while the node cannot be reached: every alert has an id, and one
    /// that is stored already is not stored again. Without ids, which the node gives to
    /// alerts about records, it is tried once.
    async fn send(&mut self, request: ShareAlertsRequest) -> Result<ShareAlertsResponse, Failure> {
        let start = Instant::now();
        let mut pause = RETRY_PAUSE;
        for attempt in 1.. {
            let call = self.operator.call(request.clone());
            let failure = match self.client.share_alerts(call).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => Failure::from(status),
            };
            let named = request.alerts.iter().all(|alert| !alert.id.is_empty());
            let again = named && attempt < ATTEMPTS && start.elapsed() + pause < RETRY_LIMIT;
            if !failure.is_passing() || !again {
                return Err(failure);
            }
            sleep(pause).await;
            pause *= 2;
        }
        Err(Failure::internal("no attempt was made"))
    }

    fn print_waiting(&mut self) -> Result<(), Failure> {
        print(&std::mem::take(&mut self.shared), self.context)
    }

    /// A failure after which some of the input is shared already.
    fn partly(&self, failure: Failure) -> Failure {
        if self.done == 0 || self.args.dry_run {
            return failure;
        }
        let done = format!("the first {} alerts were shared; then", self.done);
        let next = "share the rest; lines that carry their own \"id\" can be shared again safely";
        let hint = match &failure.hint {
            Some(hint) => format!("{hint}; then {next}"),
            None => next.to_owned(),
        };
        failure.context(&done).hint(hint)
    }

    fn finish(self) -> Result<(), Failure> {
        let Self { recipients, done, context, args, .. } = self;
        if args.dry_run {
            let view = DryRunView { dry_run: true, alerts: done, recipients };
            return context.out.record(&view, |view| {
                view.recipients.iter().map(|id| format!("{id}\n")).collect()
            });
        }
        let names: Vec<String> = recipients.into_iter().collect();
        let to = match names.is_empty() {
            true => String::new(),
            false => format!(" for {}", names.join(", ")),
        };
        let state = match args.wait {
            Some(goal) => goal.word(),
            None => "stored here and queued",
        };
        let noun = if done == 1 { "alert" } else { "alerts" };
        context.out.note(&format!("{done} {noun}{to}: {state}"));
        Ok(())
    }
}

/// An alert without an id gets its own, so that a repeated call cannot double it.
fn with_id(item: Numbered) -> raccordo_proto::alert::v1::Alert {
    let mut alert = item.alert;
    // The node knows by which id others know the record.
    if alert.id.is_empty() && item.record.is_none() {
        alert.id = Uuid::new_v4().to_string();
    }
    alert
}

fn print(shared: &[SharedAlert], context: &Context) -> Result<(), Failure> {
    shared.iter().try_for_each(|shared| context.out.object(&SharedView::from(shared)))
}

/// What the node found invalid, with the lines of the input.
fn refused(violations: Vec<FieldViolation>, lines: &[u64]) -> Failure {
    let by_pact = violations.iter().all(|violation| violation.reason == "pact_forbids");
    let (exit, code) = match by_pact {
        true => (EXIT_REFUSED, "pact_forbids"),
        false => (EXIT_USAGE, "invalid_alert"),
    };
    let violations: Vec<Violation> = violations
        .into_iter()
        .map(|violation| Violation {
            line: lines.get(violation.index as usize).copied().unwrap_or(0),
            field: violation.field,
            reason: violation.reason,
            message: violation.message,
        })
        .collect();
    let bad: BTreeSet<u64> = violations.iter().map(|violation| violation.line).collect();
    let message =
        format!("{} of {} alerts are invalid; none of them was shared", bad.len(), lines.len());
    Failure::new(exit, code, message)
        .violations(violations)
        .hint("check before sharing: raccordo alert check FILE, raccordo alert share --dry-run")
}

/// A bar for many alerts on a terminal whose standard output goes elsewhere.
fn progress(file: &Path, context: &Context, many: bool) -> ProgressBar {
    let seen = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
    if !many || !seen || context.out.is_json() {
        return ProgressBar::hidden();
    }
    let length = std::fs::metadata(file).ok().map(|file| file.len());
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = match length {
        Some(_) => "raccordo: sharing {bar:30} {bytes} of {total_bytes}, {eta} left",
        None => "raccordo: sharing {spinner} {bytes}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use raccordo_proto::alert::v1::Alert;

    use super::*;

    #[test]
    fn ids_are_kept_or_made() {
        let made = with_id(Numbered { line: 1, alert: Alert::default(), record: None });
        assert!(made.id.parse::<Uuid>().is_ok());
        let alert = Alert { id: "own".to_owned(), ..Alert::default() };
        assert_eq!(with_id(Numbered { line: 1, alert, record: None }).id, "own");
    }

    fn violation(index: u32, reason: &str) -> FieldViolation {
        FieldViolation {
            index,
            field: "caseAlert.comune".to_owned(),
            reason: reason.to_owned(),
            message: "no".to_owned(),
        }
    }

    #[test]
    fn violations_name_the_lines_of_the_input() {
        let found = vec![violation(1, "unknown_code"), violation(1, "pact_forbids")];
        let failure = refused(found, &[201, 205]);
        assert_eq!((failure.exit, failure.code.as_str()), (EXIT_USAGE, "invalid_alert"));
        assert_eq!(failure.violations[0].line, 205);
        assert!(failure.message.starts_with("1 of 2 alerts"), "{}", failure.message);
    }

    #[test]
    fn the_pact_s_no_is_a_refusal() {
        let failure = refused(vec![violation(0, "pact_forbids")], &[1]);
        assert_eq!((failure.exit, failure.code.as_str()), (EXIT_REFUSED, "pact_forbids"));
    }
}
