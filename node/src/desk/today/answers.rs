//! The three answers in words, each line with its count and where it leads.

use raccordo_core::object::{Kind, Subject};
use raccordo_core::operator::{Action, may};

use crate::app::alerts::AlertHead;
use crate::app::expiry::Expiring;
use crate::app::today::{LateAlerts, Silent, Today, Why};
use crate::desk::alerts::{kind_name, when};
use crate::desk::gate::Visitor;
use crate::desk::words::Words;

/// Late alerts that are named one by one.
const NAMED: usize = 3;

/// What is answered to one question.
pub(super) struct Answer {
    /// Also the text that is its heading.
    pub id: &'static str,
    /// Since when; may be empty.
    pub intro: String,
    /// What is said where there are no lines.
    pub nothing: String,
    pub lines: Vec<Said>,
    /// Whether somebody should hurry.
    pub late: bool,
}

/// One line of an answer.
#[derive(Default)]
pub(super) struct Said {
    pub text: String,
    /// Where it leads; empty where it leads nowhere.
    pub path: String,
    pub why: String,
    /// What it is about, each with its page.
    pub which: Vec<(String, String)>,
    /// How many more; may be empty.
    pub more: String,
}

/// All that the visitor may see of the day.
pub(super) fn answers(visitor: &Visitor, today: &Today) -> Vec<Answer> {
    let operator = &visitor.operator;
    let any = |action: fn(Subject) -> Action| {
        let may = |subject| may(operator.role, operator.class, action(subject));
        may(Subject::Person) || may(Subject::Company)
    };
    let mut answers = Vec::new();
    if any(Action::ReadAlert) || any(Action::ReadMatch) {
        answers.push(new(visitor.words, today));
    }
    if any(Action::ShareAlert) || any(Action::DecideMatch) {
        answers.push(waits(visitor.words, today));
    }
    answers.push(late(visitor.words, today));
    answers
}

fn new(words: Words, today: &Today) -> Answer {
    let new = &today.new;
    let mut lines = Vec::new();
    if new.alerts > 0 {
        let key = if new.more { "new-alerts-more" } else { "new-alerts" };
        let (text, path) = (words.count(key, new.alerts), "/alerts".to_owned());
        lines.push(Said { text, path, ..Said::default() });
    }
    if new.matches > 0 {
        let text = words.count("new-matches", count(new.matches));
        lines.push(Said { text, path: "/matches".to_owned(), ..Said::default() });
    }
    let since = new.since.map(|since| words.with("new-since", words.instant(since)));
    let first = since.is_none();
    let nothing = words.t(if first { "new-first" } else { "new-nothing" });
    Answer { id: "new", intro: since.unwrap_or_default(), nothing, lines, late: false }
}

fn waits(words: Words, today: &Today) -> Answer {
    let mut lines = Vec::new();
    let matches = today.waits.matches;
    for (number, key, stage) in [
        (matches.undecided, "waits-undecided", "undecided"),
        (matches.unanswered, "waits-unanswered", "unanswered"),
    ] {
        if number > 0 {
            let (text, path) = (words.count(key, count(number)), format!("/matches?stage={stage}"));
            lines.push(Said { text, path, ..Said::default() });
        }
    }
    for (kind, changed_at) in &today.waits.drafts {
        let key = if *kind == Kind::Case { "waits-draft-case" } else { "waits-draft-company" };
        let why = words.with("waits-draft-kept", words.instant(*changed_at));
        lines.push(Said {
            text: words.t(key),
            path: format!("/share/{kind}"),
            why,
            ..Said::default()
        });
    }
    let (intro, nothing) = (String::new(), words.t("waits-nothing"));
    Answer { id: "waits", intro, nothing, lines, late: false }
}

fn late(words: Words, today: &Today) -> Answer {
    let late = &today.late;
    let mut lines: Vec<Said> = late.alerts.iter().map(|one| late_alerts(words, one)).collect();
    lines.extend(late.silent.iter().map(|one| silent(words, one)));
    lines.extend(late.expires.iter().map(|one| expires(words, one)));
    let (intro, nothing) = (String::new(), words.t("late-nothing"));
    Answer { id: "late", intro, nothing, late: !lines.is_empty(), lines }
}

fn late_alerts(words: Words, one: &LateAlerts) -> Said {
    let number = one.alerts.len();
    let equipe = one.equipe.as_str();
    let missing =
        |key: &str| words.count(&format!("{key}{}", if one.more { "-more" } else { "" }), number);
    let (text, why) = match &one.why {
        Why::Held => (missing("late-queued"), words.with("late-held", equipe)),
        Why::HubAway(hub) => (missing("late-queued"), words.with("late-hub", hub)),
        Why::Sending => (missing("late-queued"), words.t("late-sending")),
        Why::Missing(member, true) => (missing("late-missing"), words.with("late-silent", member)),
        Why::Missing(member, false) => (missing("late-missing"), words.with("late-slow", member)),
        Why::Refused(member) => (missing("late-refused"), words.with("late-unread", member)),
    };
    let name = |head: &AlertHead| {
        let name = format!("{}, {}", kind_name(words, &head.row), when(words, &head.row));
        (format!("/alerts/{}", head.row.object), name)
    };
    let rest = number.saturating_sub(NAMED);
    Said {
        text,
        path: format!("/equipes/{}", encoded(equipe)),
        why,
        which: one.alerts.iter().take(NAMED).map(name).collect(),
        more: if rest > 0 { words.count("late-others", rest) } else { String::new() },
    }
}

fn silent(words: Words, one: &Silent) -> Said {
    Said {
        text: words.both("member-silent", &one.node, words.instant(one.last_seen)),
        path: format!("/equipes/{}", encoded(&one.equipe)),
        why: words.t("member-silent-why"),
        ..Said::default()
    }
}

fn expires(words: Words, one: &Expiring) -> Said {
    let at = words.instant(one.at);
    let over = one.days == 0;
    if let Some(peer) = &one.peer {
        let (text, why) = (words.both("expires-peer", peer, at), words.t("expires-peer-why"));
        return Said { text, path: "/node".to_owned(), why, ..Said::default() };
    }
    match one.what.strip_prefix("équipe ") {
        Some(equipe) => {
            let text =
                words.both(if over { "expires-pact-now" } else { "expires-pact" }, equipe, at);
            let path = format!("/equipes/{}", encoded(equipe));
            Said { text, path, why: words.t("expires-pact-why"), ..Said::default() }
        }
        None => {
            let text = words.with(if over { "expires-own-now" } else { "expires-own" }, at);
            Said { text, why: words.t("expires-own-why"), ..Said::default() }
        }
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A name as a part of an address (RFC 3986 §2.1).
fn encoded(name: &str) -> String {
    let pair = serde_urlencoded::to_string([("", name)]).unwrap_or_default();
    pair.trim_start_matches('=').replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_addresses() {
        assert_eq!(encoded("Toscana è Umbria/2"), "Toscana%20%C3%A8%20Umbria%2F2");
        assert_eq!(encoded("a+b"), "a%2Bb");
    }
}
