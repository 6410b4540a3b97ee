//! What the visitor did: the own records of the audit, in words.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use raccordo_core::audit::AuditRecord;
use raccordo_core::number::bounded;
use serde::Deserialize;

use super::Desk;
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::words::Words;
use crate::app::{Node, activity};

/// Records on one page.
const PAGE: u32 = 50;

/// A record in words.
struct Done {
    number: u64,
    when: String,
    what: String,
    purpose: String,
    /// Where what it is about can be seen, and what the link is called.
    about: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct Page {
    frame: Frame,
    done: Vec<Done>,
    older: String,
}

/// Where a page begins.
#[derive(Default, Deserialize)]
pub(super) struct Place {
    before: Option<u64>,
}

/// The page.
pub(super) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Query(place): Query<Place>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let found =
        activity::own(&desk.node, &visitor.operator, place.before.and_then(bounded), PAGE).await;
    let (records, next) = found.map_err(|fault| Problem::new(words, fault))?;
    let done = records.iter().map(|record| said(&desk.node, words, record)).collect();
    let older = next.map(|place| format!("/activity?before={place}")).unwrap_or_default();
    let frame = Frame::new(&visitor, "activity", "/activity");
    Ok(rendered(&Page { frame, done, older }))
}

fn said(node: &Node, words: Words, record: &AuditRecord) -> Done {
    let event = &record.event;
    let detail = |name: &str| event.detail.get(name).map_or("", String::as_str);
    let key = format!("did-{}", event.action.replace(['.', '_'], "-"));
    let purpose = match detail("purpose") {
        "" => String::new(),
        code => node.lists.label("purpose", code, words.lang()),
    };
    Done {
        number: record.sequence,
        when: words.instant(event.at),
        what: words.maybe(&key).unwrap_or_else(|| words.with("did-other", &event.action)),
        purpose,
        about: about(record),
    }
}

/// Links to what a record is about; ids only, as the audit has them.
fn about(record: &AuditRecord) -> Vec<(String, String)> {
    let event = &record.event;
    let detail = |name: &str| event.detail.get(name).map_or("", String::as_str);
    let (part, ids): (_, Vec<&str>) = match event.action.as_str() {
        "alert.read" | "alert.withdraw" => ("alerts", vec![&event.subject]),
        "alert.list" | "alert.watch" | "alert.links" => {
            ("alerts", detail("ids").split_whitespace().collect())
        }
        "match.list" | "match.watch" | "match.read" => {
            ("matches", detail("ids").split_whitespace().collect())
        }
        "alert.share" => ("alerts", detail("objects").split_whitespace().collect()),
        "case.change" => ("register/cases", vec![&event.subject]),
        "record.add" | "record.read" if !detail("case").is_empty() => {
            ("register/cases", vec![detail("case")])
        }
        "record.add" | "record.read" | "record.erase" => {
            ("register/companies", vec![&event.subject])
        }
        action if action.starts_with("match.") => ("matches", vec![&event.subject]),
        _ => return Vec::new(),
    };
    let link = |id: &&str| (format!("/{part}/{id}"), id.get(..8).unwrap_or(id).to_owned());
    // Many shared at once are told by the list of alerts.
    ids.iter().take(3).map(link).collect()
}

#[cfg(test)]
mod tests {
    use raccordo_core::audit::{AuditEvent, AuditHead};
    use raccordo_core::time::Instant;

    use super::*;

    fn check(action: &str, detail: &[(&str, &str)], expected: &[&str]) {
        let key = format!("did-{}", action.replace(['.', '_'], "-"));
        assert!(Words::default().maybe(&key).is_some(), "{key}");
        let detail = detail.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let event = AuditEvent {
            at: Instant(0),
            actor: "operator/1".to_owned(),
            action: action.to_owned(),
            subject: "0190aaaa-1".to_owned(),
            detail: detail.collect(),
        };
        let record = AuditRecord::append(AuditHead::EMPTY, event);
        let paths: Vec<_> = about(&record).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, expected, "{action}");
    }

    #[test]
    fn what_people_do_has_words_and_leads_somewhere() {
        check("alert.read", &[], &["/alerts/0190aaaa-1"]);
        check("alert.withdraw", &[], &["/alerts/0190aaaa-1"]);
        for action in ["alert.list", "alert.watch", "alert.links"] {
            check(action, &[("ids", "a b c d")], &["/alerts/a", "/alerts/b", "/alerts/c"]);
        }
        for action in ["match.list", "match.watch", "match.read"] {
            check(action, &[("ids", "a")], &["/matches/a"]);
        }
        check("alert.map", &[("ids", "provinces")], &[]);
        check("alert.share", &[("objects", "a b c d")], &["/alerts/a", "/alerts/b", "/alerts/c"]);
        check("record.add", &[("case", "c")], &["/register/cases/c"]);
        check("record.read", &[("purpose", "x")], &["/register/companies/0190aaaa-1"]);
        check("record.erase", &[], &["/register/companies/0190aaaa-1"]);
        check("case.change", &[], &["/register/cases/0190aaaa-1"]);
        check("match.confirm", &[], &["/matches/0190aaaa-1"]);
        for action in ["match.deny", "match.unlink", "match.answer"] {
            check(action, &[], &["/matches/0190aaaa-1"]);
        }
        for action in [
            "register.find",
            "register.import",
            "stop.add",
            "stop.read",
            "stop.remove",
            "account.activate",
            "account.bind",
            "account.refuse",
            "account.sign_in",
            "account.sign_out",
        ] {
            check(action, &[], &[]);
        }
    }
}
