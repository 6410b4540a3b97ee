//! Imports many records, batch by batch. A batch and how far the file has come are one
//! transaction, so that an import that broke goes on where it was: no line twice, none lost.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use raccordo_core::alert::{Alert, FieldError, Reason};
use raccordo_core::id::{Digest, RecordId};
use raccordo_core::operator::Action;
use raccordo_core::register::{Identity, RecordKind, import_digest, record_of_line};

use super::add::{New, NewCase, Rows, fit, home, prepare, reference};
use super::{ERASED, keys};
use crate::app::Node;
use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::matching::wanted;
use crate::app::pack;
use crate::store::Tx;
use crate::store::register::ImportRow;

/// Most lines of one batch.
pub const LINES_MAX: usize = 500;

/// How far an import has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Up to this line all is stored or refused; 0 before the first.
    pub line: u64,
    /// Records that it added.
    pub added: u64,
    /// Lines whose record was there before, by its reference.
    pub known: u64,
    /// Lines that were refused.
    pub refused: u64,
}

/// One record of a file.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Who or what it is.
    pub identity: Identity,
    /// Of a company, in codes.
    pub codes: Alert,
    /// Of a person.
    pub case: Option<NewCase>,
}

/// A part of a file.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the file lists.
    pub kind: RecordKind,
    /// The client's digest of file and mapping.
    pub source: Digest,
    /// Its records, by line.
    pub lines: Vec<Line>,
    /// The last line of the file that this batch covers.
    pub until: u64,
    /// Lines that the client refused itself.
    pub refused: u64,
    /// Only check.
    pub dry_run: bool,
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The line.
    pub line: u64,
    /// What is wrong, without the value.
    pub error: FieldError,
}

/// How far the import of this file and mapping has come.
///
/// # Errors
/// `role_not_allowed`.
pub async fn progress(
    node: &Node,
    operator: &Operator,
    kind: RecordKind,
    source: &Digest,
) -> Done<Progress> {
    must(operator, kind)?;
    let mut tx = node.store.read().await?;
    let Some(index) = keys::index(node, &mut *tx).await? else { return Ok(Progress::default()) };
    let source = import_digest(&index, source);
    let row = tx.register_import(&source).await?;
    Ok(row.map_or_else(Progress::default, |row| come(&row)))
}

/// Stores a batch, except the lines that are refused or were stored before.
///
/// # Errors
/// `role_not_allowed`, `too_many`, `bad_lines`, `no_such_operator`.
pub async fn import(
    node: &Node,
    operator: &Operator,
    batch: Batch,
) -> Done<(Progress, Vec<Refused>)> {
    must(operator, batch.kind)?;
    in_order(&batch)?;
    let mut tx = node.store.write().await?;
    let keys = keys::held(node, &mut *tx).await?;
    let source = import_digest(&keys.index, &batch.source);
    let now = node.clock.now();
    let stored = tx.register_import(&source).await?.filter(|_| !batch.dry_run);
    let mut row = stored.unwrap_or_else(|| ImportRow {
        source,
        kind: batch.kind.as_str().to_owned(),
        operator: operator.id,
        line: 0,
        added: 0,
        known: 0,
        refused: 0,
        began_at: now,
        changed_at: now,
    });
    if batch.until <= row.line && !batch.dry_run {
        return Ok((come(&row), Vec::new()));
    }
    let after = row.line;
    let mut sorted = sort(node, operator, &mut *tx, &keys, after, &source, batch.lines).await?;
    row.line = batch.until;
    row.added = row.added.saturating_add(sorted.rows.records.len() as u64);
    row.known = row.known.saturating_add(sorted.known);
    row.refused = row.refused.saturating_add(sorted.refused_lines()).saturating_add(batch.refused);
    row.changed_at = now;
    let refused = std::mem::take(&mut sorted.refused);
    if batch.dry_run {
        return Ok((come(&row), refused));
    }
    let (lines, added) = (format!("{after}-{}", row.line), sorted.rows.records.len().to_string());
    let detail = [("added", added.as_str()), ("kind", row.kind.as_str()), ("lines", &lines)];
    let subject = source.to_string();
    record(node, &mut *tx, operator.actor(), "register.import", &subject, &detail).await?;
    let records: Vec<RecordId> = sorted.rows.records.iter().map(|row| row.record).collect();
    sorted.rows.insert(&mut *tx).await?;
    let woken = wanted::want(node, &mut *tx, &records).await?;
    let progress = come(&row);
    tx.put_register_import(row).await?;
    tx.commit().await?;
    woken.into_iter().for_each(|lineage| pack::wake(node, lineage));
    Ok((progress, refused))
}

/// Who may import no person may still import companies that are no sole traders.
fn must(operator: &Operator, kind: RecordKind) -> Done<()> {
    let sole_trader = false;
    let nobody = Identity { kind, sole_trader, entries: Vec::new() };
    operator.must(Action::ImportRecords(nobody.subject()))
}

fn in_order(batch: &Batch) -> Done<()> {
    if batch.lines.len() > LINES_MAX {
        return Err(Fault::usage("too_many", "import at most 500 lines in one call"));
    }
    let ascending = batch.lines.is_sorted_by(|one, other| one.line < other.line);
    let within = batch.lines.last().is_none_or(|last| last.line <= batch.until);
    let alike = batch.lines.iter().all(|line| line.identity.kind == batch.kind);
    if ascending && within && alike {
        return Ok(());
    }
    Err(Fault::usage("bad_lines", "lines ascend up to `until`, and are all of the import's kind"))
}

fn come(row: &ImportRow) -> Progress {
    Progress { line: row.line, added: row.added, known: row.known, refused: row.refused }
}

/// The lines of a batch, told apart.
#[derive(Default)]
struct Sorted {
    rows: Rows,
    known: u64,
    refused: Vec<Refused>,
}

impl Sorted {
    fn refuse(&mut self, line: u64, errors: Vec<FieldError>) {
        self.refused.extend(errors.into_iter().map(|error| Refused { line, error }));
    }

    fn refused_lines(&self) -> u64 {
        let mut lines: Vec<u64> = self.refused.iter().map(|refused| refused.line).collect();
        lines.dedup();
        lines.len() as u64
    }
}

async fn sort(
    node: &Node,
    operator: &Operator,
    tx: &mut dyn Tx,
    keys: &keys::Keys,
    after: u64,
    source: &Digest,
    lines: Vec<Line>,
) -> Done<Sorted> {
    let mut sorted = Sorted::default();
    let mut ready = BTreeMap::new();
    for Line { line, identity, codes, case } in lines {
        if line <= after {
            continue;
        }
        operator.must(Action::ImportRecords(identity.subject()))?;
        let coded = case.as_ref().map_or(&codes, |case| &case.codes);
        let checked = match fit(node, identity, case.as_ref(), coded) {
            Ok(checked) => checked,
            Err(errors) => {
                sorted.refuse(line, errors);
                continue;
            }
        };
        let home = home(node, tx, operator, case.as_ref()).await?;
        let named = reference(keys, home.organisation, &checked);
        let id = named.unwrap_or_else(|| record_of_line(&keys.index, source, line));
        match ready.entry(id) {
            Entry::Occupied(_) => sorted.known = sorted.known.saturating_add(1),
            Entry::Vacant(place) => {
                place.insert((line, home, New { checked, codes, case }));
            }
        }
    }
    let ids: Vec<RecordId> = ready.keys().copied().collect();
    for row in tx.records_among(&ids).await? {
        let Some((line, ..)) = ready.remove(&row.record) else { continue };
        if row.state == ERASED {
            sorted.refuse(line, vec![erased()]);
        } else {
            sorted.known = sorted.known.saturating_add(1);
        }
    }
    let mut by_line: Vec<_> = ready.into_iter().collect();
    by_line.sort_by_key(|(_, (line, ..))| *line);
    for (id, (_, home, new)) in by_line {
        prepare(node, keys, &home, id, new, &mut sorted.rows)?;
    }
    Ok(sorted)
}

fn erased() -> FieldError {
    FieldError {
        field: "reference".into(),
        reason: Reason::Contradiction,
        message: "the record of this reference was erased: it does not come back".into(),
    }
}
