//! Looking for somebody by what identifies them: with a purpose, and in the audit first.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use raccordo_core::alert::FieldError;
use raccordo_core::register::{Identity, RecordKind};

use super::form::{self, Group};
use super::list::{Line, case_line, company_line, may_with};
use super::{kind_of, label, purposes};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::register::find::{self, Found};
use crate::desk::Desk;
use crate::desk::frame::Frame;
use crate::desk::gate::Visitor;
use crate::desk::inputs::{Choice, Filled, filled, first};
use crate::desk::problem::{Problem, rendered};
use crate::desk::sent::Sent;
use crate::desk::words::Words;
use raccordo_core::operator::Action;

#[derive(Template)]
#[template(path = "register_find.html")]
struct Page {
    frame: Frame,
    kind: &'static str,
    people: bool,
    may_add: bool,
    groups: Vec<Group>,
    purposes: Vec<Choice>,
    found: Option<Vec<Hit>>,
}

/// Somebody who has some of the values.
struct Hit {
    /// Which values agree.
    fields: String,
    lines: Vec<Line>,
}

/// The form.
pub(in crate::desk) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let made = || {
        let kind = kind_of(&kind)?;
        let nobody = Identity { kind, sole_trader: false, entries: Vec::new() };
        visitor.operator.must(Action::ReadRecord(nobody.subject()))?;
        Ok(shown(&desk.node, &visitor, kind, &Filled::new(), &[], None))
    };
    made().map_err(|fault| Problem::new(words, fault))
}

/// What was found.
pub(in crate::desk) async fn find(
    State(desk): State<Desk>,
    Path(kind): Path<String>,
    Sent { visitor, fields: pairs }: Sent<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done: Done<Response> = async {
        let kind = kind_of(&kind)?;
        let filled = filled(pairs);
        let sought = form::identity(&desk.node, kind, &filled);
        let why = first(&filled, "purpose");
        Ok(match find::find(&desk.node, &visitor.operator, sought, why).await? {
            Ok(found) => {
                let hits = found.iter().map(|one| hit(&desk.node, words, kind, one)).collect();
                shown(&desk.node, &visitor, kind, &filled, &[], Some(hits))
            }
            Err(errors) => shown(&desk.node, &visitor, kind, &filled, &errors, None),
        })
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}

fn hit(node: &Node, words: Words, kind: RecordKind, found: &Found) -> Hit {
    let fields = found.fields.iter().map(|field| label(words, *field)).collect::<Vec<_>>();
    let lines = match kind {
        RecordKind::Person => found.cases.iter().map(|case| case_line(node, words, case)).collect(),
        RecordKind::Company => vec![company_line(words, &found.summary)],
    };
    Hit { fields: fields.join(", "), lines }
}

fn shown(
    node: &Node,
    visitor: &Visitor,
    kind: RecordKind,
    filled: &Filled,
    errors: &[FieldError],
    found: Option<Vec<Hit>>,
) -> Response {
    let words = visitor.words;
    rendered(&Page {
        frame: Frame::new(visitor, "register", format!("/register/find/{}", kind.as_str())),
        kind: kind.as_str(),
        people: kind == RecordKind::Person,
        may_add: may_with(&visitor.operator, kind, Action::AddRecord),
        groups: form::groups(node, words, &form::sought(kind), filled, errors, None),
        purposes: purposes(node, words),
        found,
    })
}
