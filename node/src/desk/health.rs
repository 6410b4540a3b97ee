//! For administrators: how the node stands, whom it trusts, and what waits. Counts and states,
//! never a case. What can be changed is changed on the command line.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use raccordo_core::operator::Action;

use super::Desk;
use super::equipe::{Alarm, explained, trust_key};
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::words::Words;
use crate::app::expiry::Expiring;
use crate::app::fault::Done;
use crate::app::status::{self, EquipeStatus};
use crate::app::{Node, peers};

/// An équipe's queues.
struct Queues {
    name: String,
    open: bool,
    sending: String,
    hub: String,
    connected: bool,
    problem: String,
    outbox: u64,
    lag: u64,
    set_aside: u64,
    /// Records whose tokens are still to come.
    tokens: u64,
    alarms: Vec<Alarm>,
}

/// A peer.
struct Peer {
    id: String,
    name: String,
    trust: String,
    good: bool,
    until: String,
}

#[derive(Template)]
#[template(path = "node.html")]
struct Page {
    frame: Frame,
    node: String,
    ready: bool,
    schema: u32,
    uptime: String,
    alarms: Vec<Alarm>,
    expires: Vec<(String, String, u64)>,
    equipes: Vec<Queues>,
    peers: Vec<Peer>,
}

/// The page.
pub(super) async fn page(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Problem> {
    let words = visitor.words;
    made(&desk.node, &visitor).await.map_err(|fault| Problem::new(words, fault))
}

async fn made(node: &Node, visitor: &Visitor) -> Done<Response> {
    visitor.operator.must(Action::ManageTrust)?;
    let words = visitor.words;
    let told = status::at_any_time(node).await?;
    let peers = peers::list(node).await?;
    let peer = |peer: &peers::Peer| {
        let state = peer.shown_state();
        Peer {
            id: peer.row.node.to_string(),
            name: peer.card.card().name.clone(),
            trust: words.t(trust_key(state)),
            good: matches!(state, "verified" | "vouched"),
            until: words.instant(peer.card.card().valid_until),
        }
    };
    let expires = told.expires.iter();
    let expires = expires.map(|it| (named(words, it), words.instant(it.at), it.days)).collect();
    Ok(rendered(&Page {
        frame: Frame::new(visitor, "node", "/node"),
        node: node.identity.node.to_string(),
        ready: told.ready,
        schema: told.schema,
        uptime: hours(told.uptime_s),
        alarms: told.alarms.iter().map(|alarm| explained(words, alarm)).collect(),
        expires,
        equipes: told.equipes.iter().map(|equipe| queues(words, equipe)).collect(),
        peers: peers.iter().map(peer).collect(),
    }))
}

/// What expires, in words.
fn named(words: Words, one: &Expiring) -> String {
    match (&one.peer, one.what.strip_prefix("équipe ")) {
        (Some(peer), _) => words.with("expiring-peer", peer),
        (None, Some(equipe)) => words.with("expiring-pact", equipe),
        (None, None) => words.t("expiring-own"),
    }
}

fn queues(words: Words, equipe: &EquipeStatus) -> Queues {
    let keys = equipe.keys.iter();
    Queues {
        name: equipe.row.name.clone(),
        open: equipe.sending == "open",
        sending: equipe.sending.clone(),
        hub: equipe.row.hub.to_string(),
        connected: equipe.link.connected,
        problem: equipe.link.told(),
        outbox: equipe.outbox,
        lag: equipe.lag,
        set_aside: equipe.set_aside,
        tokens: keys.map(|key| key.wanted.saturating_add(key.asked)).sum(),
        alarms: equipe.alarms.iter().map(|it| explained(words, it.code.as_str())).collect(),
    }
}

/// Seconds as `49:07`, hours and minutes.
fn hours(seconds: u64) -> String {
    let minutes = seconds / 60;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_minutes() {
        assert_eq!(hours(0), "0:00");
        assert_eq!(hours(3_599), "0:59");
        assert_eq!(hours(176_820), "49:07");
    }
}
