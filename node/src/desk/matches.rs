//! Matches: what may be the same person or company elsewhere, in words; the decision; and,
//! once linked, whom to call.

use std::cmp::Reverse;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::matching::life::{MatchId, Word};
use raccordo_core::number::bounded;
use serde::{Deserialize, Serialize};

use super::Desk;
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::sent::Sent;
use super::words::Words;
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::matching::decide::{self, Decision};
use crate::app::matching::list::{self, Look, MatchRow, MatchStage, MatchView};

/// Matches on one page.
const PAGE: u32 = 50;

/// A match in words.
struct Shown {
    id: String,
    kind: String,
    equipe: String,
    counterpart: String,
    found: String,
    grade: String,
    /// What agrees, the strongest first, each with how rare it is here.
    reasons: Vec<String>,
    /// Whether this node has computed what agrees.
    seen: bool,
    state: String,
    /// What this node has decided, and the others do not know yet.
    coming: String,
    /// The record here, as its page is called.
    record: String,
    answer: String,
    contact: Option<Called>,
    may_decide: bool,
    linked: bool,
}

/// Whom to call.
struct Called {
    name: String,
    organisation: String,
    phone: String,
}

fn shown(words: Words, view: &MatchView) -> Shown {
    let row = &view.row;
    let state = row.state.as_str();
    let key = |prefix: &str, name: &str| format!("{prefix}-{}", name.replace('_', "-"));
    let answer = (!row.said_there.is_empty()).then(|| words.t(&key("word", &row.said_there)));
    let contact = view.contact.as_ref().map(|contact| Called {
        name: contact.name.reveal().clone(),
        organisation: contact.organisation.reveal().clone(),
        phone: contact.work_phone.reveal().clone(),
    });
    Shown {
        id: row.id.to_string(),
        kind: words.t(if view.kind == "company" { "match-company" } else { "match-person" }),
        equipe: view.equipe.clone(),
        counterpart: row.counterpart.to_string(),
        found: words.instant(row.found_at),
        grade: words.t(&key("grade", &row.grade.to_lowercase())),
        reasons: reasons(words, row),
        seen: row.seen,
        state: words.t(&key("match", state)),
        coming: view.coming.map(|state| words.t(&key("match", state))).unwrap_or_default(),
        record: row.record.to_string(),
        answer: answer.unwrap_or_default(),
        contact,
        may_decide: matches!(state, "candidate" | "confirmed_there"),
        linked: state == "linked",
    }
}

/// What agrees in words, the strongest first, each with how rare it is here; of what only the
/// counterpart says, the kinds that it names.
fn reasons(words: Words, row: &MatchRow) -> Vec<String> {
    let text = |prefix: &str, name: &str| {
        let key = format!("{prefix}-{}", name.replace('_', "-"));
        words.maybe(&key).unwrap_or_else(|| name.to_owned())
    };
    if row.reasons.is_empty() {
        return row.families.split_whitespace().map(|name| text("family", name)).collect();
    }
    let reason = |part: &str| {
        let (what, tenths) = part.split_once(':').unwrap_or((part, "0"));
        let what_agrees = text("reason", what);
        match what {
            "identifier" => what_agrees,
            _ => words.with(rarity(tenths.parse().unwrap_or_default()), what_agrees),
        }
    };
    row.reasons.split_whitespace().map(reason).collect()
}

/// How rare something is that is worth so many tenths of bits: 10 bits are one of a thousand.
fn rarity(tenths: i64) -> &'static str {
    match tenths {
        100.. => "rarity-one-of-a-thousand",
        60.. => "rarity-one-of-a-hundred",
        30.. => "rarity-one-of-ten",
        _ => "rarity-many",
    }
}

/// Which matches, and where a page of the list begins.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct Filters {
    #[serde(default)]
    stage: String,
    #[serde(default)]
    before: String,
}

impl Filters {
    fn stage(&self) -> MatchStage {
        match self.stage.as_str() {
            "undecided" => MatchStage::Undecided,
            "unanswered" => MatchStage::Unanswered,
            _ => MatchStage::Any,
        }
    }

    fn address(&self) -> String {
        format!("/matches?{}", serde_urlencoded::to_string(self).unwrap_or_default())
    }
}

#[derive(Template)]
#[template(path = "matches.html")]
struct ListPage {
    frame: Frame,
    filters: Filters,
    matches: Vec<Shown>,
    here: String,
    older: String,
}

/// The list.
pub(super) async fn list(
    State(desk): State<Desk>,
    visitor: Visitor,
    Query(filters): Query<Filters>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let made = async {
        let before = filters.before.parse().ok().and_then(bounded);
        let look = Look { stage: filters.stage(), before, limit: PAGE, used: visitor.used };
        let (mut views, next) = list::newest(&desk.node, &visitor.operator, look).await?;
        if filters.stage() == MatchStage::Undecided {
            // Whoever is asked is asked first what is most probable.
            views.sort_by_key(|view| Reverse((view.row.seen, view.row.strength)));
        }
        let frame = Frame::new(&visitor, "matches", "/matches");
        let matches = views.iter().map(|view| shown(words, view)).collect();
        let here = filters.address();
        let older = next.map(|place| Filters { before: place.to_string(), ..filters.clone() });
        let older = older.map(|older| older.address()).unwrap_or_default();
        Ok(rendered(&ListPage { frame, filters, matches, here, older }))
    };
    made.await.map_err(|fault| Problem::new(words, fault))
}

#[derive(Template)]
#[template(path = "match.html")]
struct OnePage {
    frame: Frame,
    one: Shown,
    answers: Vec<(&'static str, String)>,
}

/// One match.
pub(super) async fn show(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    opened(&desk.node, &visitor, &id).await.map_err(|fault| Problem::new(words, fault))
}

async fn opened(node: &Node, visitor: &Visitor, id: &str) -> Done<Response> {
    let words = visitor.words;
    let view = list::show(node, &visitor.operator, match_id(id)?, visitor.used).await?;
    let answers = Word::ALL
        .map(|word| (word.name(), words.t(&format!("word-{}", word.name().replace('_', "-")))));
    let frame = Frame::new(visitor, "matches", format!("/matches/{id}"));
    Ok(rendered(&OnePage { frame, one: shown(words, &view), answers: answers.to_vec() }))
}

/// What is decided.
#[derive(Deserialize)]
pub(super) struct Decided {
    #[serde(default)]
    decision: String,
}

/// Decides one.
pub(super) async fn decide(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Sent { visitor, fields: decided }: Sent<Decided>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done = async {
        let decision = match decided.decision.as_str() {
            "confirm" => Decision::Confirm,
            "deny" => Decision::Deny,
            "unlink" => Decision::Unlink,
            word => Decision::Answer(Word::from_name(word).ok_or_else(no_decision)?),
        };
        let id = match_id(&id)?;
        decide::decide(&desk.node, &visitor.operator, id, decision).await?;
        Ok(Redirect::to(&format!("/matches/{id}")).into_response())
    };
    done.await.map_err(|fault| Problem::new(words, fault))
}

fn no_decision() -> Fault {
    Fault::usage("no_decision", "the form names no decision")
}

fn match_id(text: &str) -> Done<MatchId> {
    let none = || Fault::not_found("no_such_match", "there is no such match here");
    Ok(MatchId(text.parse().map_err(|_| none())?))
}

#[cfg(test)]
mod tests {
    use raccordo_core::evidence::family::Family;

    use super::*;

    #[test]
    fn families_and_words_have_texts() {
        let check = |prefix: &str, name: &str| {
            let key = format!("{prefix}-{}", name.replace('_', "-"));
            assert!(Words::default().maybe(&key).is_some(), "{key}");
        };
        for family in Family::ALL {
            check("family", family.name());
        }
        for word in Word::ALL {
            check("word", word.name());
        }
        for grade in ["a", "b", "c"] {
            check("grade", grade);
        }
        let all = ["identifier", "phone", "number", "name", "year", "day", "group", "place"];
        all.into_iter().for_each(|reason| check("reason", reason));
        for tenths in [-10, 0, 30, 60, 100, 300] {
            let told = Words::default().with(rarity(tenths), "phone".to_owned());
            assert!(told.contains("phone") && !told.contains("rarity"), "{told}");
        }
    }

    #[test]
    fn reasons_are_words_with_how_rare_they_are() {
        assert_eq!(rarity(152), "rarity-one-of-a-thousand");
        assert_eq!(rarity(59), "rarity-one-of-ten");
        let texts = ["phone:120", "day:15"].map(|part| {
            let (what, tenths) = part.split_once(':').unwrap();
            let words = Words::default();
            words.with(rarity(tenths.parse().unwrap()), words.t(&format!("reason-{what}")))
        });
        assert!(texts.iter().all(|text| !text.contains("reason-")), "{texts:?}");
        assert_ne!(texts[0], texts[1]);
    }
}
