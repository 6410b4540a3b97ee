//! `raccordo case import` and `raccordo company import`.

mod columns;
mod row;
mod table;

use std::cmp::Ordering;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use raccordo_core::codes::CodeLists;
use raccordo_core::register::RecordKind;
use raccordo_core::register::import::{Columns, Rows};
use raccordo_proto::casework::v1::register_service_client::RegisterServiceClient;
use raccordo_proto::casework::v1::{
    ImportLine, ImportProgress, ImportRecordsRequest, ImportRecordsResponse, RefusedLine,
    ShowImportRequest,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use crate::client::Operator;
use crate::commands::present;
use crate::context::Context;
use crate::failure::{Failure, Violation};
use crate::files::PrivateFile;
use crate::output::Output;
use table::{Encoding, Table, glance};

/// Lines in one call, which are stored together.
const BATCH_LINES: usize = 250;
/// Bytes in one call, well below what the node takes.
const BATCH_BYTES: usize = 1 << 20;
/// How often one call is tried.
const ATTEMPTS: u32 = 5;
/// No attempt starts later than this after the first.
const RETRY_LIMIT: Duration = Duration::from_secs(60);
/// Pause before the second attempt; doubled before each further one.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// Refused lines that are told on the terminal.
const TOLD: u64 = 20;

/// Long help of `case import`.
pub(super) const CASE_HELP: &str = "Import cases with their people from a CSV file, one a line, into the node's own register.\n\nThe first line names the columns, in Italian or English: cognome, nome, alias, data di nascita, codice fiscale, telefono, passaporto, permesso di soggiorno, indirizzo, comune, datore di lavoro, numero pratica, stato, operatore, and the fields of a case alert, by code or label. --map and --mapping say what other columns mean. Several values of a cell stand apart by |. A number of your own (numero pratica) makes sure that nobody is imported twice from several files.\n\nA line that is refused is reported with its number, field and reason, never with a value; the others are stored. An import that broke goes on where it was when the same command is run again: no line twice, none lost.";
/// Long help of `company import`.
pub(super) const COMPANY_HELP: &str = "Import companies from a CSV file, one a line, into the node's own register.\n\nThe first line names the columns, in Italian or English: ragione sociale, partita iva, codice fiscale, rea, indirizzo, comune, telefono, ditta individuale, riferimento, and the fields of a company alert, by code or label. --map and --mapping say what other columns mean. Several values of a cell stand apart by |.\n\nA line that is refused is reported with its number, field and reason, never with a value; the others are stored. An import that broke goes on where it was when the same command is run again: no line twice, none lost.";

/// Options of `import`.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// The CSV file
    file: PathBuf,
    /// What a column means, by its name or number; - leaves it out
    #[arg(long, value_name = "COLUMN=FIELD")]
    map: Vec<String>,
    /// The same for many columns, as TOML: a table [columns]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// How the file writes its letters
    #[arg(long, value_enum, default_value_t)]
    encoding: Encoding,
    /// What separates columns, if not what the first line suggests: , ; or tab
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// New file for all refused lines, as JSON Lines
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Check every line; store nothing
    #[arg(long)]
    dry_run: bool,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "," => Ok(b','),
        ";" => Ok(b';'),
        "tab" | "\t" => Ok(b'\t'),
        _ => Err("a separator is one of , ; tab".to_owned()),
    }
}

#[derive(Serialize)]
struct DoneView {
    import: &'static str,
    dry_run: bool,
    resumed_after: u64,
    added: u64,
    known: u64,
    refused: u64,
}

/// Imports a file.
///
/// # Errors
/// The file cannot be read or understood, the operator may not import, or the node does not
/// answer for a minute: what was stored is stored, and the same command goes on.
pub(super) async fn run(
    kind: RecordKind,
    args: ImportArgs,
    context: &Context,
) -> Result<(), Failure> {
    let look = glance(&args.file, args.encoding, args.delimiter)?;
    let mut table = Table::open(&args.file, args.encoding, look.delimiter)?;
    let header = table.next()?.ok_or_else(|| {
        Failure::usage("empty_file", "the file is empty").hint("its first line names the columns")
    })?;
    let columns = columns::decide(kind, &header.values, args.mapping.as_deref(), &args.map)?;
    let separator = char::from(look.delimiter).to_string();
    let source = columns.source(kind, &look.digest, &[args.encoding.name(), &separator]);
    let report = args.report.as_deref().map(|path| PrivateFile::create(path, false)).transpose()?;
    let (channel, operator) = context.casework().await?;
    let mut import = Import {
        client: RegisterServiceClient::new(channel),
        operator,
        kind,
        source: source.0.to_vec(),
        dry_run: args.dry_run,
        stored: 0,
        sum: ImportProgress::default(),
        refusals: Refusals { lines: 0, report: Vec::new(), out: context.out },
        bar: progress(look.length, args.dry_run, context),
    };
    let done = import.all(&mut table, &columns).await;
    import.bar.finish_and_clear();
    if let Some(file) = report {
        file.write(&import.refusals.report)?;
    }
    done.map_err(|failure| import.partly(failure))?;
    import.finish()
}

struct Import {
    client: RegisterServiceClient<Channel>,
    operator: Operator,
    kind: RecordKind,
    source: Vec<u8>,
    dry_run: bool,
    /// Up to this line all was stored by an earlier run.
    stored: u64,
    /// What was added and known, by earlier runs too; of a dry run, what would be.
    sum: ImportProgress,
    refusals: Refusals,
    bar: ProgressBar,
}

/// What waits to be sent.
#[derive(Default)]
struct Batch {
    lines: Vec<ImportLine>,
    bytes: usize,
    refused: u64,
    until: u64,
}

impl Import {
    /// Reads and sends everything.
    async fn all(&mut self, table: &mut Table, columns: &Columns) -> Result<(), Failure> {
        let asked =
            ShowImportRequest { kind: self.kind.as_str().to_owned(), source: self.source.clone() };
        let call = self.operator.call(asked);
        let before = present(self.client.show_import(call).await?.into_inner().progress)?;
        // A dry run looks at all lines, whatever is stored.
        if !self.dry_run {
            self.stored = before.line;
            self.sum = before;
        }
        let mut rows = Rows::new(self.kind, CodeLists::builtin());
        let mut batch = Batch::default();
        while let Some(record) = table.next()? {
            let line = record.line;
            // What is stored already is checked again, so that the report is whole, and
            // is in no batch with what is not.
            if batch.until <= self.stored && line > self.stored && batch.until > 0 {
                self.send(&mut batch, table).await?;
            }
            batch.until = line;
            match rows.read(columns, &record.values) {
                Ok(None) => {}
                Ok(Some(read)) => {
                    let bytes = record.values.iter().map(|value| value.reveal().len());
                    batch.bytes += bytes.sum::<usize>();
                    batch.lines.push(ImportLine { line, record: Some(row::record(read)) });
                }
                Err(error) => {
                    batch.refused += 1;
                    self.refusals.note(&[row::violation(line, error)])?;
                }
            }
            if batch.lines.len() >= BATCH_LINES || batch.bytes >= BATCH_BYTES {
                self.send(&mut batch, table).await?;
            }
        }
        if batch.until > 0 {
            self.send(&mut batch, table).await?;
        }
        Ok(())
    }

    async fn send(&mut self, batch: &mut Batch, table: &Table) -> Result<(), Failure> {
        let Batch { lines, refused, until, .. } = std::mem::take(batch);
        let again = until <= self.stored;
        let request = ImportRecordsRequest {
            kind: self.kind.as_str().to_owned(),
            source: self.source.clone(),
            lines,
            until,
            refused,
            dry_run: self.dry_run || again,
        };
        let answer = self.patiently(request).await?;
        let violations: Vec<Violation> = answer.refused.into_iter().map(violation).collect();
        for line in violations.chunk_by(|one, other| one.line == other.line) {
            self.refusals.note(line)?;
        }
        let come = present(answer.progress)?;
        if self.dry_run {
            self.sum.added += come.added;
            self.sum.known += come.known;
        } else if !again {
            self.sum = come;
        }
        self.bar.set_position(table.offset());
        Ok(())
    }

    /// Tries a call again while the node cannot be reached: what is stored already is not
    /// stored again.
    async fn patiently(
        &mut self,
        request: ImportRecordsRequest,
    ) -> Result<ImportRecordsResponse, Failure> {
        let start = Instant::now();
        let mut pause = RETRY_PAUSE;
        for attempt in 1.. {
            let call = self.operator.call(request.clone());
            let failure = match self.client.import_records(call).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => Failure::from(status),
            };
            let again = attempt < ATTEMPTS && start.elapsed() + pause < RETRY_LIMIT;
            if !failure.is_passing() || !again {
                return Err(failure);
            }
            sleep(pause).await;
            pause *= 2;
        }
        Err(Failure::internal("no attempt was made"))
    }

    /// A failure after which some of the file is stored already.
    fn partly(&self, failure: Failure) -> Failure {
        if self.dry_run || self.sum.line == 0 {
            return failure;
        }
        let next = "run the same command again: it goes on where it was";
        let hint = match &failure.hint {
            Some(hint) => format!("{hint}; then {next}"),
            None => next.to_owned(),
        };
        failure.context(&format!("stored up to line {}; then", self.sum.line)).hint(hint)
    }

    fn finish(&self) -> Result<(), Failure> {
        let Self { kind, dry_run, stored, sum, refusals, .. } = self;
        let view = DoneView {
            import: "done",
            dry_run: *dry_run,
            resumed_after: *stored,
            added: sum.added,
            known: sum.known,
            refused: refusals.lines,
        };
        refusals.out.record(&view, |view| {
            let what = match kind {
                RecordKind::Person => "cases",
                RecordKind::Company => "companies",
            };
            let verb = if view.dry_run { "would be added" } else { "added" };
            let resumed = match view.resumed_after {
                0 => String::new(),
                line => format!("; went on after line {line}"),
            };
            let DoneView { added, known, refused, .. } = view;
            format!("{added} {what} {verb}, {known} known before, {refused} lines refused{resumed}")
        })
    }
}

fn violation(line: RefusedLine) -> Violation {
    let RefusedLine { line, field, reason, message } = line;
    Violation { line, field, reason, message }
}

/// Lines that were refused: counted, told, and kept for the report.
struct Refusals {
    lines: u64,
    report: Vec<u8>,
    out: Output,
}

impl Refusals {
    /// Notes what is wrong with one line.
    fn note(&mut self, violations: &[Violation]) -> Result<(), Failure> {
        self.lines += 1;
        for violation in violations {
            let encoded = serde_json::to_vec(violation);
            let encoded = encoded
                .map_err(|error| Failure::internal(format!("cannot write the report: {error}")))?;
            self.report.extend(encoded);
            self.report.push(b'\n');
            if self.out.is_json() {
                self.out.object(violation)?;
                continue;
            }
            let Violation { line, field, reason, message } = violation;
            match self.lines.cmp(&TOLD) {
                Ordering::Less => {
                    self.out.note(&format!("line {line}: {field}: {message} ({reason})"));
                }
                Ordering::Equal => {
                    self.out.note("and others; --report FILE keeps all of them");
                }
                Ordering::Greater => {}
            }
        }
        Ok(())
    }
}

/// A bar for people at a terminal.
fn progress(length: u64, dry_run: bool, context: &Context) -> ProgressBar {
    if context.out.is_json() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    let template = match dry_run {
        true => "raccordo: checking {bar:30} {bytes} of {total_bytes}, {eta} left",
        false => "raccordo: importing {bar:30} {bytes} of {total_bytes}, {eta} left",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators() {
        let check = |text, expected: Option<u8>| assert_eq!(delimiter(text).ok(), expected);
        check(",", Some(b','));
        check(";", Some(b';'));
        check("tab", Some(b'\t'));
        check("|", None);
    }

    #[test]
    fn refused_lines_are_counted_once_and_all_reported() {
        let mut refusals = Refusals { lines: 0, report: Vec::new(), out: Output::new(false) };
        let violation = |line, field: &str| Violation {
            line,
            field: field.to_owned(),
            reason: "malformed".to_owned(),
            message: "no".to_owned(),
        };
        refusals.note(&[violation(2, "phone"), violation(2, "name")]).unwrap();
        for line in 3..40 {
            refusals.note(&[violation(line, "phone")]).unwrap();
        }
        assert_eq!(refusals.lines, 38);
        let report = String::from_utf8(refusals.report).unwrap();
        assert_eq!(report.lines().count(), 39);
        assert!(
            report.starts_with(r#"{"line":2,"field":"phone","reason":"malformed""#),
            "{report}"
        );
    }
}
