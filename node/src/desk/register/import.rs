//! Importing a file: send it, say what its columns mean, watch it come in, and read which
//! lines were refused.

use askama::Template;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::operator::Action;
use raccordo_core::register::import::{Columns, Target, Unfit, tidied};
use raccordo_core::register::{Identity, RecordKind};

use super::upload::{self, Stage, Upload};
use super::{kind_of, label_of};
use crate::app::fault::{Done, Fault};
use crate::app::register::import::Refused;
use crate::desk::Desk;
use crate::desk::frame::Frame;
use crate::desk::gate::Visitor;
use crate::desk::inputs::{Choice, Filled, filled, first, reason_key};
use crate::desk::problem::{Problem, rendered};
use crate::desk::sent::Sent;
use crate::desk::words::Words;

/// Refused lines on the page; the report has all.
const SHOWN: usize = 50;

/// A column of the file.
struct Column {
    number: usize,
    header: String,
    choices: Vec<Choice>,
    /// Whether its name said what it is.
    known: bool,
}

/// A line that was refused, in words.
struct Wrong {
    line: u64,
    field: String,
    reason: String,
}

/// How far it has come, in words.
struct Come {
    running: bool,
    dry_run: bool,
    stopped: String,
    line: u64,
    last: u64,
    added: u64,
    known: u64,
    refused: u64,
    resumed_after: u64,
}

#[derive(Template)]
#[template(path = "register_import.html")]
struct Page {
    frame: Frame,
    kind: &'static str,
    people: bool,
    columns: Vec<Column>,
    error: String,
    come: Option<Come>,
    wrong: Vec<Wrong>,
    more: usize,
}

impl Page {
    /// Whether lines are being read: the page reads itself again until they are.
    fn running(&self) -> bool {
        self.come.as_ref().is_some_and(|come| come.running)
    }
}

/// The step that is next.
pub(in crate::desk) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let made = || {
        let kind = met(&visitor, &kind)?;
        let file = desk.uploads.of(visitor.operator.id, kind);
        Ok(shown(&visitor, kind, file.as_ref(), &Filled::new(), ""))
    };
    made().map_err(|fault| Problem::new(words, fault))
}

/// The kind of an address, for somebody who may import it.
fn met(visitor: &Visitor, kind: &str) -> Done<RecordKind> {
    let kind = kind_of(kind)?;
    let nobody = Identity { kind, sole_trader: false, entries: Vec::new() };
    visitor.operator.must(Action::ImportRecords(nobody.subject()))?;
    Ok(kind)
}

/// Takes the file.
pub(in crate::desk) async fn send(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done = || {
        let kind = met(&visitor, &kind)?;
        let body = body.map_err(|_| {
            Fault::usage("file_too_large", "a file to be imported has at most 8 MB")
        })?;
        let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let parts = upload::parts(content.unwrap_or_default(), &body)
            .ok_or_else(|| Fault::usage("bad_form", "the form carries no file"))?;
        let part = |name: &str| parts.iter().find(|part| part.name == name).map(|it| it.content);
        let token = part("form").and_then(|token| std::str::from_utf8(token).ok());
        visitor.must_be_of_form(token.unwrap_or_default())?;
        let file = part("file").unwrap_or_default();
        let now = desk.node.clock.now();
        match Upload::read(kind, file, now) {
            Ok(upload) => {
                desk.uploads.keep(visitor.operator.id, upload)?;
                let path = format!("/register/import/{}", kind.as_str());
                Ok(Redirect::to(&path).into_response())
            }
            Err(fault) => {
                let error = crate::desk::problem::what(words, &fault);
                Ok(shown(&visitor, kind, None, &Filled::new(), &error))
            }
        }
    };
    done().map_err(|fault| Problem::new(words, fault))
}

/// Begins to read the file, or forgets it.
pub(in crate::desk) async fn begin(
    State(desk): State<Desk>,
    Path(kind): Path<String>,
    Sent { visitor, fields: pairs }: Sent<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done: Done<Response> = async {
        let kind = met(&visitor, &kind)?;
        let filled = filled(pairs);
        let step = first(&filled, "step");
        let here = format!("/register/import/{}", kind.as_str());
        if step == "forget" {
            desk.uploads.forget(visitor.operator.id);
            return Ok(Redirect::to(&here).into_response());
        }
        let mut file = desk.uploads.of(visitor.operator.id, kind).ok_or_else(upload::no_file)?;
        let target = |place: usize| {
            let name = first(&filled, &format!("column.{place}"));
            Target::parse(kind, name).unwrap_or(Target::Ignored)
        };
        match Columns::of((0..file.header.len()).map(target).collect()) {
            Ok(columns) => {
                let node = desk.node.clone();
                let dry_run = step == "check";
                desk.uploads.begin(node, &visitor.operator, kind, columns, dry_run).await?;
                Ok(Redirect::to(&here).into_response())
            }
            Err(unfit) => {
                let error = unfit_said(words, &unfit);
                file.stage = Stage::Columns;
                Ok(shown(&visitor, kind, Some(&file), &filled, &error))
            }
        }
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}

fn unfit_said(words: Words, unfit: &Unfit) -> String {
    match unfit {
        Unfit::Twice(name) => words.with("import-twice", label_of(words, name)),
        Unfit::Nobody | Unfit::Unknown(_) | Unfit::NoSuchColumn => words.t("import-nobody"),
    }
}

/// All refused lines, as a file: numbers, fields and reasons, never a value.
pub(in crate::desk) async fn report(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done = || {
        let kind = met(&visitor, &kind)?;
        let file = desk.uploads.of(visitor.operator.id, kind).ok_or_else(upload::no_file)?;
        let mut text =
            format!("{};{};{}\r\n", words.t("line"), words.t("field"), words.t("reason"));
        for refused in &file.refused {
            let Wrong { line, field, reason } = wrong(words, refused);
            text.push_str(&format!("{line};{field};{reason}\r\n"));
        }
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"raccordo-import.csv\""),
        ];
        Ok((headers, text).into_response())
    };
    done().map_err(|fault| Problem::new(words, fault))
}

fn wrong(words: Words, refused: &Refused) -> Wrong {
    let Refused { line, error } = refused;
    let own = format!("error-{}", error.field.replace('_', "-"));
    let reason = words.maybe(&own).unwrap_or_else(|| words.t(reason_key(error.reason.as_str())));
    Wrong { line: *line, field: label_of(words, &error.field), reason }
}

fn shown(
    visitor: &Visitor,
    kind: RecordKind,
    file: Option<&Upload>,
    filled: &Filled,
    error: &str,
) -> Response {
    let words = visitor.words;
    let asks = file.filter(|file| file.stage == Stage::Columns || file.dry_run_is_done());
    let columns = asks.map(|file| columns(words, kind, file, filled)).unwrap_or_default();
    let refused = file.map(|file| file.refused.as_slice()).unwrap_or_default();
    rendered(&Page {
        frame: Frame::new(visitor, "register", format!("/register/import/{}", kind.as_str())),
        kind: kind.as_str(),
        people: kind == RecordKind::Person,
        columns,
        error: error.to_owned(),
        come: file.filter(|file| file.stage != Stage::Columns).map(|file| come(words, file)),
        wrong: refused.iter().take(SHOWN).map(|refused| wrong(words, refused)).collect(),
        more: refused.len().saturating_sub(SHOWN),
    })
}

impl Upload {
    /// Checked as a whole: it can be stored now.
    fn dry_run_is_done(&self) -> bool {
        self.dry_run && self.stage == Stage::Done
    }
}

fn come(words: Words, file: &Upload) -> Come {
    let stopped = match file.stage {
        Stage::Stopped(reason) => words
            .maybe(&format!("fault-{}", reason.replace('_', "-")))
            .unwrap_or_else(|| words.t("import-stopped")),
        _ => String::new(),
    };
    Come {
        running: file.stage == Stage::Running,
        dry_run: file.dry_run,
        stopped,
        line: file.progress.line,
        last: file.last(),
        added: file.progress.added,
        known: file.progress.known,
        refused: file.progress.refused,
        resumed_after: file.resumed_after,
    }
}

fn columns(words: Words, kind: RecordKind, file: &Upload, filled: &Filled) -> Vec<Column> {
    let column = |(place, header): (usize, &raccordo_core::secret::Secret<String>)| {
        let guess = Target::guess(kind, tidied(header.reveal()));
        let typed = first(filled, &format!("column.{place}"));
        let chosen = match typed {
            "" => guess.as_ref().map_or("-", Target::name),
            typed => typed,
        };
        let choice = |name: &'static str| Choice {
            code: name.to_owned(),
            label: label_of(words, name),
            chosen: name == chosen,
        };
        Column {
            number: place,
            header: match tidied(header.reveal()) {
                "" => words.with("column-numbered", place.saturating_add(1)),
                name => name.to_owned(),
            },
            choices: Target::names(kind).into_iter().map(choice).collect(),
            known: guess.is_some(),
        }
    };
    file.header.iter().enumerate().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name() {
        for kind in RecordKind::ALL {
            for name in Target::names(kind) {
                assert_ne!(label_of(Words::default(), name), name);
            }
        }
    }
}
