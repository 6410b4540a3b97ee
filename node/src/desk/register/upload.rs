//! Files that were sent to be imported: kept in memory for the operator who sent them, until
//! they are in, and read batch by batch. They are on no disk; after a restart the same file is
//! sent again, and goes on where it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::id::{Digest, OperatorId};
use raccordo_core::register::RecordKind;
use raccordo_core::register::import::{Columns, Line, Row, Rows, lines, separator, windows_1252};
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;

use crate::app::Node;
use crate::app::directory::{Operator, operator_of};
use crate::app::fault::{Done, Fault, Whose};
use crate::app::register::add::NewCase;
use crate::app::register::import::{self, Batch, Progress, Refused};

/// Largest file, in bytes.
pub(in crate::desk) const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Lines that are stored together.
const BATCH_LINES: usize = 250;
/// A file that nobody looks after goes after so long.
const KEPT: Duration = Duration::from_secs(30 * 60);
/// Files of all operators together.
const FILES_MAX: usize = 16;

/// A part of a form (RFC 7578 §4).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'b> {
    pub name: &'b str,
    pub content: &'b [u8],
}

/// The parts of a form that carries a file; none if the bytes are no such form.
pub(super) fn parts<'b>(content_type: &str, body: &'b [u8]) -> Option<Vec<Part<'b>>> {
    let boundary = content_type.strip_prefix("multipart/form-data")?.split_once("boundary=")?.1;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(delimiter.get(2..)?.as_bytes())?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let head = find(rest, b"\r\n\r\n")?;
        let content = rest.get(head.saturating_add(4)..)?;
        let end = find(content, delimiter.as_bytes())?;
        let name = name(std::str::from_utf8(rest.get(..head)?).ok()?)?;
        parts.push(Part { name, content: content.get(..end)? });
        rest = content.get(end.saturating_add(delimiter.len())..)?;
    }
    Some(parts)
}

fn name(head: &str) -> Option<&str> {
    let is = |line: &&str| line.to_ascii_lowercase().starts_with("content-disposition:");
    let line = head.split("\r\n").find(is)?;
    line.split(';').find_map(|part| part.trim().strip_prefix("name=\"")?.strip_suffix('"'))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its columns are to be confirmed.
    Columns,
    /// It is being read.
    Running,
    /// All of it is in, or checked.
    Done,
    /// It stopped, for this reason; what is stored stays.
    Stopped(&'static str),
}

/// A file.
#[derive(Clone)]
pub(super) struct Upload {
    pub kind: RecordKind,
    pub header: Arc<Vec<Secret<String>>>,
    pub lines: Arc<Vec<Line>>,
    pub stage: Stage,
    /// Only checked, nothing stored.
    pub dry_run: bool,
    pub progress: Progress,
    /// Up to this line it was stored before.
    pub resumed_after: u64,
    pub refused: Vec<Refused>,
    digest: Digest,
    delimiter: u8,
    touched_at: Instant,
}

impl Upload {
    /// Reads a file.
    ///
    /// # Errors
    /// `empty_file`, `bad_csv`.
    pub(super) fn read(kind: RecordKind, bytes: &[u8], now: Instant) -> Done<Self> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Secret::new(text.to_owned()),
            // What is not UTF-8 comes from older spreadsheets.
            Err(_) => Secret::new(bytes.iter().map(|byte| windows_1252(*byte)).collect()),
        };
        let delimiter = separator(text.reveal().lines().next().unwrap_or_default().as_bytes());
        let mut lines = lines(text.reveal(), delimiter)
            .map_err(|bad| Fault::usage("bad_csv", bad.to_string()))?;
        if lines.len() < 2 {
            return Err(Fault::usage("empty_file", "the file has no line below its header"));
        }
        let header = lines.remove(0).values;
        Ok(Self {
            kind,
            header: Arc::new(header),
            lines: Arc::new(lines),
            stage: Stage::Columns,
            dry_run: false,
            progress: Progress::default(),
            resumed_after: 0,
            refused: Vec::new(),
            digest: Digest::of(bytes),
            delimiter,
            touched_at: now,
        })
    }

    /// The last line.
    pub(super) fn last(&self) -> u64 {
        self.lines.last().map_or(0, |line| line.line)
    }
}

/// The files of all operators.
#[derive(Clone, Default)]
pub(in crate::desk) struct Uploads(Arc<Mutex<BTreeMap<OperatorId, Upload>>>);

impl Uploads {
    /// Keeps a file, in place of an earlier one of the same operator that is not being read.
    ///
    /// # Errors
    /// `import_running`, `too_many_files`.
    pub(super) fn keep(&self, operator: OperatorId, upload: Upload) -> Done<()> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = upload.touched_at;
        files.retain(|_, file| file.stage == Stage::Running || now.since(file.touched_at) < KEPT);
        if files.get(&operator).is_some_and(|file| file.stage == Stage::Running) {
            return Err(Fault::conflict("import_running", "an import of yours is running"));
        }
        if files.len() >= FILES_MAX && !files.contains_key(&operator) {
            return Err(Fault::new(
                Whose::Exhausted,
                "too_many_files",
                "many files are being imported: try again later",
            ));
        }
        files.insert(operator, upload);
        Ok(())
    }

    /// That of an operator and kind.
    pub(super) fn of(&self, operator: OperatorId, kind: RecordKind) -> Option<Upload> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(&operator).filter(|file| file.kind == kind).cloned()
    }

    /// Forgets it, unless it is being read.
    pub(super) fn forget(&self, operator: OperatorId) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.get(&operator).is_some_and(|file| file.stage != Stage::Running) {
            files.remove(&operator);
        }
    }

    fn change(&self, operator: OperatorId, change: impl FnOnce(&mut Upload)) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get_mut(&operator) {
            change(file);
        }
    }

    /// Begins to read a file as these columns say.
    ///
    /// # Errors
    /// `no_file`, `import_running`, `role_not_allowed`.
    pub(super) async fn begin(
        &self,
        node: Arc<Node>,
        operator: &Operator,
        kind: RecordKind,
        columns: Columns,
        dry_run: bool,
    ) -> Done<()> {
        let upload = self.of(operator.id, kind).ok_or_else(no_file)?;
        let delimiter = char::from(upload.delimiter).to_string();
        let source = columns.source(kind, &upload.digest, &["desk", &delimiter]);
        let before = import::progress(&node, operator, kind, &source).await?;
        let before = if dry_run { Progress::default() } else { before };
        let mut busy = false;
        self.change(operator.id, |file| {
            busy = file.stage == Stage::Running;
            if !busy {
                (file.stage, file.dry_run, file.refused) = (Stage::Running, dry_run, Vec::new());
                (file.progress, file.resumed_after) = (before, before.line);
            }
        });
        if busy {
            return Err(Fault::conflict("import_running", "an import of yours is running"));
        }
        let reading =
            Reading { node, uploads: self.clone(), operator: operator.id, upload, source };
        tokio::spawn(reading.all(columns, dry_run, before.line));
        Ok(())
    }
}

pub(super) fn no_file() -> Fault {
    Fault::conflict("no_file", "the file is no longer here: send it again")
}

/// A file that is being read.
struct Reading {
    node: Arc<Node>,
    uploads: Uploads,
    operator: OperatorId,
    upload: Upload,
    source: Digest,
}

impl Reading {
    async fn all(self, columns: Columns, dry_run: bool, stored: u64) {
        let stage = match self.batches(&columns, dry_run, stored).await {
            Ok(()) => Stage::Done,
            Err(fault) => {
                tracing::info!(reason = fault.reason, "import stopped");
                Stage::Stopped(fault.reason)
            }
        };
        let now = self.node.clock.now();
        self.uploads.change(self.operator, |file| {
            (file.stage, file.touched_at) = (stage, now);
            // What identifies stays no longer than it is needed.
            if stage == Stage::Done && !file.dry_run {
                file.lines = Arc::new(file.lines.last().cloned().map(blank).into_iter().collect());
            }
        });
    }

    async fn batches(&self, columns: &Columns, dry_run: bool, stored: u64) -> Done<()> {
        let mut rows = Rows::new(self.upload.kind, self.node.lists.clone());
        let lines = Arc::clone(&self.upload.lines);
        for some in lines.chunks(BATCH_LINES) {
            let until = some.last().map_or(0, |line| line.line);
            if until <= stored {
                continue;
            }
            // Role and organisation are read anew: a change counts at once.
            let mut tx = self.node.store.read().await?;
            let operator = operator_of(&self.node, &mut *tx, self.operator).await?;
            drop(tx);
            let operator = operator.filter(|operator| operator.enabled).ok_or_else(|| {
                Fault::refused("operator_disabled", "the operator may not work here any more")
            })?;
            let (batch, own) = self.batch(&mut rows, columns, some, dry_run, stored);
            let batch = Batch { until, refused: own.len() as u64, ..batch };
            let (come, others) = import::import(&self.node, &operator, batch).await?;
            self.uploads.change(self.operator, |file| {
                file.progress = if dry_run { sum(file.progress, come) } else { come };
                file.refused.extend(own);
                file.refused.extend(others);
                file.refused.sort_by_key(|refused| refused.line);
            });
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn batch(
        &self,
        rows: &mut Rows,
        columns: &Columns,
        some: &[Line],
        dry_run: bool,
        stored: u64,
    ) -> (Batch, Vec<Refused>) {
        let (mut lines, mut refused) = (Vec::new(), Vec::new());
        for Line { line, values } in some.iter().filter(|line| line.line > stored) {
            match rows.read(columns, values) {
                Ok(None) => {}
                Ok(Some(row)) => lines.push(imported(*line, row)),
                Err(error) => refused.push(Refused { line: *line, error }),
            }
        }
        let kind = self.upload.kind;
        (Batch { kind, source: self.source, lines, until: 0, refused: 0, dry_run }, refused)
    }
}

fn imported(line: u64, row: Row) -> import::Line {
    let Row { identity, codes, state, manager } = row;
    match identity.kind {
        RecordKind::Person => {
            let case = Some(NewCase { state, manager, codes });
            import::Line { line, identity, codes: Default::default(), case }
        }
        RecordKind::Company => import::Line { line, identity, codes, case: None },
    }
}

fn blank(line: Line) -> Line {
    Line { values: Vec::new(), ..line }
}

/// Batches that are only checked come one by one.
fn sum(before: Progress, batch: Progress) -> Progress {
    Progress {
        line: batch.line,
        added: before.added.saturating_add(batch.added),
        known: before.known.saturating_add(batch.known),
        refused: before.refused.saturating_add(batch.refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=xYz";

    #[test]
    fn forms_with_a_file() {
        let body =
            b"--xYz\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\nabc\r\n--xYz\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
            Content-Type: text/csv\r\n\r\nNome\r\nAda\r\n\r\n--xYz--\r\n";
        let parts = parts(TYPE, body).unwrap();
        assert_eq!(parts[0], Part { name: "form", content: b"abc" });
        assert_eq!(parts[1], Part { name: "file", content: b"Nome\r\nAda\r\n" });
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn what_is_no_such_form() {
        let check = |kind: &str, body: &[u8]| assert_eq!(parts(kind, body), None, "{kind}");
        check("application/json", b"--xYz--");
        check("multipart/form-data", b"--xYz--");
        check("multipart/form-data; boundary=", b"----");
        check(TYPE, b"");
        check(TYPE, b"--xYz\r\n");
        check(TYPE, b"--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end");
        check(TYPE, b"--xYz\r\nX: y\r\n\r\nno name\r\n--xYz--");
        assert_eq!(parts("multipart/form-data; boundary=\"xYz\"", b"--xYz--"), Some(Vec::new()));
    }

    #[test]
    fn older_spreadsheets_are_read() {
        let read = |bytes: &[u8]| Upload::read(RecordKind::Person, bytes, Instant(0));
        let upload = read(b"Cognome;Citt\xe0\nCanarino;x\n").unwrap();
        assert_eq!(upload.header.get(1).map(|it| it.reveal().as_str()), Some("Città"));
        assert_eq!(upload.last(), 2);
        assert_eq!(read(b"Cognome\n").err().map(|fault| fault.reason), Some("empty_file"));
        assert_eq!(read(b"").err().map(|fault| fault.reason), Some("empty_file"));
    }

    #[test]
    fn one_file_each_for_a_while() {
        let uploads = Uploads::default();
        let anna = OperatorId::try_from([1; 16].as_slice()).unwrap();
        let upload = |at| Upload::read(RecordKind::Person, b"a\nb\n", Instant(at)).unwrap();
        uploads.keep(anna, upload(0)).unwrap();
        assert!(uploads.of(anna, RecordKind::Person).is_some());
        assert!(uploads.of(anna, RecordKind::Company).is_none());
        let ugo = OperatorId::try_from([2; 16].as_slice()).unwrap();
        uploads.keep(ugo, upload(31 * 60_000)).unwrap();
        assert!(uploads.of(anna, RecordKind::Person).is_none(), "too old");
        uploads.change(ugo, |file| file.stage = Stage::Running);
        uploads.forget(ugo);
        assert!(uploads.of(ugo, RecordKind::Person).is_some());
        let again = uploads.keep(ugo, upload(32 * 60_000));
        assert_eq!(again.err().map(|fault| fault.reason), Some("import_running"));
    }
}
