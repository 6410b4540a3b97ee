//! One équipe: who is in it, how sending stands, and what is wrong.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use raccordo_core::operator::Action;

use super::Desk;
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::words::Words;
use crate::app::fault::Done;
use crate::app::status::{self, MemberStatus};
use crate::app::{Node, status::EquipeStatus};

/// A member in words.
struct Member {
    id: String,
    own: bool,
    trust: String,
    good: bool,
    seen: String,
    silent: bool,
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
    alarms: Vec<String>,
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
    let page = Page {
        frame: Frame::new(visitor, "equipes", format!("/equipes/{name}")),
        name: row.name,
        hub: row.hub.to_string(),
        connected: link.connected,
        open: sending == "open",
        waiting: outbox,
        members,
        alarms: alarms.iter().map(|alarm| explained(words, alarm)).collect(),
    };
    Ok(rendered(&page))
}

fn said(words: Words, member: &MemberStatus) -> Member {
    let trust = match member.trust {
        "self" => "trust-self",
        "verified" => "trust-verified",
        "vouched" => "trust-vouched",
        "suspended" => "trust-suspended",
        "revoked" => "trust-revoked",
        _ => "trust-unknown",
    };
    let heard = member.last_seen.0 > 0;
    Member {
        id: member.node.to_string(),
        own: member.trust == "self",
        trust: words.t(trust),
        good: matches!(member.trust, "self" | "verified" | "vouched"),
        seen: if heard { words.instant(member.last_seen) } else { words.t("never") },
        silent: member.silent,
    }
}

/// An alarm in plain words where there are some, else its code for the administrator.
fn explained(words: Words, alarm: &str) -> String {
    let code = alarm.split(':').next().unwrap_or_default();
    words
        .maybe(&format!("alarm-{}", code.replace('_', "-")))
        .unwrap_or_else(|| words.with("alarm-other", code))
}
