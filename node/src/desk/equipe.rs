//! One équipe: who is in it, how sending stands, what the pact says, and what is wrong, each
//! in plain words.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use raccordo_core::object::Kind;
use raccordo_core::operator::Action;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::pact::terms::KindTerms;

use super::Desk;
use super::alerts::{label_key, purpose};
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::words::Words;
use crate::app::fault::Done;
use crate::app::status::{self, EquipeStatus, MemberStatus};
use crate::app::{Node, pact_in_force};

/// A member in words.
struct Member {
    id: String,
    own: bool,
    trust: String,
    good: bool,
    seen: String,
    silent: bool,
}

/// Something that is wrong, in words.
pub(super) struct Alarm {
    /// What happened.
    pub what: String,
    /// Whether anything was lost.
    pub lost: String,
    /// What to do.
    pub next: String,
    /// For the administrator.
    pub code: String,
}

/// A party of the pact.
struct Party {
    name: String,
    id: String,
    part: String,
}

/// What the pact says.
struct Agreed {
    parties: Vec<Party>,
    facts: Vec<(String, String)>,
    kinds: Vec<(String, Vec<(String, String)>)>,
}

#[derive(Template)]
#[template(path = "equipe.html")]
struct Page {
    frame: Frame,
    name: String,
    hub: String,
    connected: bool,
    open: bool,
    waiting: u64,
    members: Vec<Member>,
    alarms: Vec<Alarm>,
    pact: Agreed,
}

/// The page.
pub(super) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    made(&desk.node, &visitor, &name).await.map_err(|fault| Problem::new(words, fault))
}

async fn made(node: &Node, visitor: &Visitor, name: &str) -> Done<Response> {
    visitor.operator.must(Action::ListEquipes)?;
    let told = status::equipe(node, name).await?;
    let words = visitor.words;
    let members = told.members.iter().map(|member| said(words, member)).collect();
    let EquipeStatus { row, link, sending, outbox, alarms, .. } = told;
    let pact = pact_in_force::named(node, &row.name).await?;
    let page = Page {
        frame: Frame::new(visitor, "today", format!("/equipes/{name}")),
        name: row.name,
        hub: row.hub.to_string(),
        connected: link.connected,
        open: sending == "open",
        waiting: outbox,
        members,
        alarms: alarms.iter().map(|it| explained(words, it.code.as_str())).collect(),
        pact: agreed(node, words, &pact),
    };
    Ok(rendered(&page))
}

fn said(words: Words, member: &MemberStatus) -> Member {
    let heard = member.last_seen.0 > 0;
    Member {
        id: member.node.to_string(),
        own: member.trust == "self",
        trust: words.t(trust_key(member.trust)),
        good: matches!(member.trust, "self" | "verified" | "vouched"),
        seen: if heard { words.instant(member.last_seen) } else { words.t("never") },
        silent: member.silent,
    }
}

/// The text that names a state of trust.
pub(super) fn trust_key(trust: &str) -> &'static str {
    match trust {
        "self" => "trust-self",
        "verified" => "trust-verified",
        "vouched" => "trust-vouched",
        "suspended" => "trust-suspended",
        "revoked" => "trust-revoked",
        _ => "trust-unknown",
    }
}

/// An alarm `code: detail` in plain words where there are some, else its code for the
/// administrator. The detail is for the administrator, and stays in `status`.
pub(super) fn explained(words: Words, alarm: &str) -> Alarm {
    let code = alarm.split(':').next().unwrap_or_default();
    let key = format!("alarm-{}", code.replace('_', "-"));
    let own = |part: &str, general: &str| {
        words.maybe(&format!("{key}-{part}")).unwrap_or_else(|| words.t(general))
    };
    Alarm {
        what: words.maybe(&key).unwrap_or_else(|| words.with("alarm-other", code)),
        lost: own("lost", "alarm-lost-nothing"),
        next: own("next", "alarm-next"),
        code: code.to_owned(),
    }
}

fn agreed(node: &Node, words: Words, pact: &Pact) -> Agreed {
    let terms = pact.terms();
    let purposes = terms.purposes.iter().map(|it| purpose(node, words, it));
    let yes_no = |set: bool| words.t(if set { "yes" } else { "no" });
    let parties = terms.party.iter().map(|party| Party {
        name: party.name.clone(),
        id: party.id.to_string(),
        part: match party.id == terms.chair {
            true => format!("{} ({})", party.art26_role, words.t("chair")),
            false => party.art26_role.clone(),
        },
    });
    let facts = [
        ("pact-purposes", purposes.collect::<Vec<_>>().join(" · ")),
        ("pact-basis", terms.legal_basis.clone()),
        ("pact-dpia", terms.dpia_reference.clone()),
        ("pact-review", words.date(&terms.review_date)),
        ("pact-expiry", words.date(&terms.expiry_date)),
        ("pact-k", terms.threshold_k.to_string()),
        ("pact-onward", yes_no(terms.onward_sharing)),
    ];
    let facts = facts.into_iter().map(|(key, value)| (words.t(key), value));
    let kinds = Kind::ALL.into_iter().map(|kind| {
        let name = if kind == Kind::Case { "pact-people" } else { "pact-companies" };
        (words.t(name), kind_said(node, words, kind, &terms.kind(kind)))
    });
    Agreed { parties: parties.collect(), facts: facts.collect(), kinds: kinds.collect() }
}

fn kind_said(
    node: &Node,
    words: Words,
    kind: Kind,
    terms: &KindTerms<'_>,
) -> Vec<(String, String)> {
    if !terms.allowed {
        return vec![(words.t("pact-shared"), words.t("no"))];
    }
    let label = |name: &str| words.maybe(&label_key(name)).unwrap_or_else(|| name.to_owned());
    let allowed = |name: &str| terms.fields.iter().any(|field| field == name);
    let list = |wanted: bool| {
        let fields = kind.shareable().filter(|field| allowed(field.name) == wanted);
        fields.map(|field| label(field.name)).collect::<Vec<_>>().join(", ")
    };
    let classes = terms.recipient_classes.iter();
    let classes = classes.map(|class| node.lists.label("organisation_class", class, words.lang()));
    let place = format!("precision-{}", terms.place_precision);
    let mut said = vec![
        ("pact-fields", list(true)),
        ("pact-never", list(false)),
        ("pact-place", words.t(&place)),
    ];
    if let Some(citizenship) = terms.citizenship_precision {
        let key = format!("precision-{}", citizenship.to_string().replace('_', "-"));
        said.push(("pact-citizenship", words.t(&key)));
    }
    said.push(("pact-days", terms.retention_days.to_string()));
    said.push(("pact-readers", classes.collect::<Vec<_>>().join(", ")));
    let said = said.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(key, value)| (words.t(key), value)).collect()
}

#[cfg(test)]
mod tests {
    use raccordo_core::alarm::AlarmCode;

    use super::*;

    #[test]
    fn every_alarm_is_explained() {
        for code in AlarmCode::ALL {
            let key = format!("alarm-{}", code.as_str().replace('_', "-"));
            assert!(Words::default().maybe(&key).is_some(), "{key}");
        }
    }

    #[test]
    fn an_alarm_says_what_was_lost_and_what_to_do() {
        let words = Words::default();
        let trimmed = explained(words, "hub_trimmed: entries 1 to 7");
        assert_eq!(trimmed.code, "hub_trimmed");
        assert_ne!(trimmed.lost, explained(words, "log_broken: x").lost);
        let unknown = explained(words, "brand_new: x");
        assert!(unknown.what.contains("brand_new") && !unknown.next.is_empty());
    }
}
