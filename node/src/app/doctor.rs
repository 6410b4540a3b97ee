//! The next missing step, and whose it is. Reads everything that an administrator would
//! look at, and says it in the order in which it has to be done.

mod hub_trouble;
mod keys;
mod moving;
mod peer_keys;
mod quotas;
mod rejoining;
mod stray;
mod succeeding;
mod tokens;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::NodeId;
use raccordo_core::sending::Standing;
use raccordo_core::trust::state::TrustState;

use super::expiry::{self, Expiring};
use super::fault::{Done, Whose};
use super::hub::accept::Equipe;
use super::pacts::{self, Standing as PactStanding};
use super::status::{EquipeStatus, status};
use super::{Node, changes, clocks, directory, heartbeat, hub, peers, storage};
use crate::store::equipe::AlarmRow;
pub use hub_trouble::TROUBLES;
pub use moving::next_of_move;

/// Alarms that are told with their step, as `key_lost` and `key_not_made`.
const KEYS: [AlarmCode; 2] = [AlarmCode::KeyLost, AlarmCode::KeyCeremonyFailed];

/// How urgent a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something is broken.
    Problem,
    /// Something will break.
    Warning,
    /// The next step of setting up.
    Next,
    /// As it should be.
    Ok,
}

impl Severity {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Warning => "warning",
            Self::Next => "next",
            Self::Ok => "ok",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How urgent.
    pub severity: Severity,
    /// Stable, snake case.
    pub code: String,
    /// What was found.
    pub message: String,
    /// What to do.
    pub step: String,
    /// `you`, or who must act.
    pub whose: String,
}

fn finding(severity: Severity, code: &str, message: String, step: &str, whose: &str) -> Finding {
    Finding { severity, code: code.into(), message, step: step.into(), whose: whose.into() }
}

fn yours(severity: Severity, code: &str, message: String, step: &str) -> Finding {
    finding(severity, code, message, step, "you")
}

/// All findings, most urgent first.
///
/// # Errors
/// The store's.
pub async fn doctor(node: &Node) -> Done<Vec<Finding>> {
    match look(node).await {
        Err(fault) if fault.whose == Whose::Unavailable => Ok(vec![storage::told(node, &fault)]),
        looked => looked,
    }
}

async fn look(node: &Node) -> Done<Vec<Finding>> {
    let mut findings = Vec::new();
    findings.extend(storage::finding(node));
    findings.extend(clocks::findings(node).await?);
    quotas::about(node, &mut findings);
    about_expiry(node, &mut findings).await?;
    about_peers(node, &mut findings).await?;
    let equipes = status(node).await?.equipes;
    about_pacts(node, &mut findings).await?;
    if node.hub.is_none() && findings.is_empty() && pacts::list(node).await?.is_empty() {
        findings.push(finding(
            Severity::Next,
            "no_pact",
            "no pact is here yet".into(),
            "the chair drafts it: raccordo pact draft; the others wait for its proposal",
            "the chair",
        ));
    }
    if node.hub.is_some() {
        about_carried(node, &mut findings).await?;
    }
    for equipe in &equipes {
        about_equipe(node, equipe, &mut findings)?;
        rejoining::about(node, equipe, &mut findings).await?;
        moving::about(node, equipe, &mut findings).await?;
        stray::about(node, equipe, &mut findings).await?;
        keys::about(node, equipe, &mut findings).await?;
        tokens::about(node, equipe, &mut findings).await?;
    }
    let active = equipes.iter().any(|equipe| equipe.row.state == Standing::Active.as_str());
    if active && directory::operators(node).await?.is_empty() {
        findings.push(yours(
            Severity::Next,
            "no_operator",
            "nobody can share or read alerts here yet".into(),
            "raccordo organisation add NAME --class CLASS, then raccordo operator add NAME \
             --organisation NAME --role ROLE --token-out FILE",
        ));
    }
    findings.sort_by_key(|finding| finding.severity);
    if findings.is_empty() {
        findings.push(yours(Severity::Ok, "ok", "nothing is missing".into(), "nothing to do"));
    }
    Ok(findings)
}

async fn about_expiry(node: &Node, findings: &mut Vec<Finding>) -> Done<()> {
    for expiring in expiry::all(node).await? {
        let Some(stage) = expiring.stage() else { continue };
        let Expiring { what, at, days, peer } = expiring;
        if peer.is_some() && at <= node.clock.now() {
            // Told as a card that is not valid now.
            continue;
        }
        let (code, step, whose) = match peer {
            Some(peer) => (
                "peer_card_expires",
                "its administrator makes a new card, which comes by itself: raccordo trust rotate",
                format!("{peer}, administrator"),
            ),
            None if what == "own card" && at <= node.clock.now() => (
                "own_card_expired",
                "raccordo trust rotate; then send the card, and call each peer's administrator: \
                 they add it, and you compare the words again",
                "you".to_owned(),
            ),
            None if what == "own card" => (
                "own_card_expires",
                "raccordo trust rotate before then: made later it needs phone calls",
                "you".to_owned(),
            ),
            None => (
                "equipe_expires",
                "agree with the other parties on a renewal: then nothing is shared any more",
                "the chair".to_owned(),
            ),
        };
        let severity = if stage == 1 { Severity::Problem } else { Severity::Warning };
        let message = format!("{what}: expires at {at}, in {days} days");
        findings.push(finding(severity, code, message, step, &whose));
    }
    Ok(())
}

async fn about_peers(node: &Node, findings: &mut Vec<Finding>) -> Done<()> {
    let peers = peers::list(node).await?;
    if peers.is_empty() {
        findings.push(yours(
            Severity::Next,
            "no_peer",
            "no other node is known here".into(),
            "exchange cards: raccordo trust export --out FILE, send it; raccordo trust add FILE",
        ));
    }
    findings.extend(peer_keys::copies(&peers));
    for peer in peers {
        let id = &peer.row.node;
        if peer.row.state == TrustState::Introduced {
            let vouched: Vec<&str> = peer.vouched_by.iter().map(NodeId::as_str).collect();
            let message = match vouched.as_slice() {
                [] => format!("{id} is introduced, not verified"),
                by => format!("{id} is vouched for by {}, not verified", by.join(", ")),
            };
            findings.push(finding(
                Severity::Next,
                "peer_not_verified",
                message,
                &format!(
                    "read each other by phone the 12 words that raccordo trust show {id} shows, then \
                     raccordo trust verify {id}"
                ),
                "you and the peer's administrator",
            ));
        }
        if peer.card.valid_at(node.clock.now()).is_err() {
            findings.push(finding(
                Severity::Problem,
                "peer_card_expired",
                format!("the card of {id} is not valid now"),
                "its administrator runs raccordo trust rotate; made after the end, its card is added \
                 here with raccordo trust add FILE and verified by phone again",
                &format!("{id}, administrator"),
            ));
        }
        findings.extend(peer_keys::about(node, &peer));
        let link = node.links.of(id);
        let verified = peer.row.state.counts_as_verified();
        if verified && peer.card.card().hub_endpoint.is_some() && !link.connected {
            findings.push(hub_trouble::finding(id, &link));
        }
    }
    Ok(())
}

async fn about_pacts(node: &Node, findings: &mut Vec<Finding>) -> Done<()> {
    for standing in pacts::list(node).await? {
        if !standing.active {
            about_welcome(node, &standing, findings).await?;
        }
        if !standing.active
            && let Some(finding) = next_of_pact(node, &standing)
        {
            findings.push(finding);
        }
    }
    let mut changes = changes::list(node).await?;
    // A successor that all have signed is told with its équipe.
    changes.retain(|it| it.proposal.succeeds().is_none() || !it.proposal.missing().is_empty());
    findings.extend(changes.iter().map(|pending| next_of_change(node, pending)));
    Ok(())
}

async fn about_welcome(
    node: &Node,
    standing: &PactStanding,
    findings: &mut Vec<Finding>,
) -> Done<()> {
    let terms = standing.proposal.pact.terms();
    let alarms = node.store.read().await?.alarms(terms.lineage).await?;
    for alarm in alarms.iter().filter(|alarm| alarm.code == AlarmCode::WelcomeRefused) {
        findings.push(finding(
            Severity::Problem,
            "welcome_refused",
            format!("{}: this node does not join: {}", terms.equipe, alarm.detail),
            "where it is for a key package that is not here: another party removes this node \
             and adds it again; else ask the chair and the hub, and compare versions",
            &format!("{}, administrator", terms.chair),
        ));
    }
    Ok(())
}

/// The next step of a change of an équipe that exists.
pub fn next_of_change(node: &Node, pending: &changes::Pending) -> Finding {
    let (me, name) = (&node.identity.node, &pending.equipe);
    let (missing, words) = (pending.proposal.missing(), pending.proposal.words());
    let id = changes::short(pending.row.statement);
    let message = format!("{name}: {words}");
    if missing.contains(me) {
        let step = format!("read it and sign: raccordo pact sign {id}");
        return yours(Severity::Next, "change_to_sign", message, &step);
    }
    if missing.is_empty() {
        let step = match pending.proposal.succeeds() {
            Some(_) => "the équipe goes on in another group by itself once the hub is reached",
            None => "it is committed by itself once the hub is reached",
        };
        return yours(Severity::Next, "change_complete", message, step);
    }
    let names: Vec<&str> = missing.iter().map(NodeId::as_str).collect();
    let whose = format!("{}, administrator", names.join(", "));
    let step = format!("they sign; raccordo pact propose {id} sends it to them again");
    finding(Severity::Next, "change_unsigned", message, &step, &whose)
}

/// The next step of a pact that is no équipe yet.
pub fn next_of_pact(node: &Node, standing: &PactStanding) -> Option<Finding> {
    let proposal = &standing.proposal;
    let (me, name) = (&node.identity.node, &proposal.pact.terms().equipe);
    let (chair, hub) = (&proposal.pact.terms().chair, &proposal.pact.terms().hub);
    let missing = proposal.missing();
    let next = |code, message, step: String, whose: &str| {
        Some(finding(Severity::Next, code, message, &step, whose))
    };
    if missing.contains(me) {
        let step = format!("read it and sign: raccordo pact sign {name}");
        return next("pact_to_sign", format!("the pact {name} waits for this node"), step, "you");
    }
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(NodeId::as_str).collect();
        let names = names.join(", ");
        let (whose, step) = match chair == me {
            true => (
                format!("you, then {names}, administrator"),
                format!("raccordo pact propose {name} sends it to them, or again; then they sign"),
            ),
            false => (format!("{names}, administrator"), "they sign".to_owned()),
        };
        return next(
            "pact_unsigned",
            format!("the pact {name} is not signed by all"),
            step,
            &whose,
        );
    }
    if proposal.previous.is_some() {
        let step = "its members add this node by themselves".to_owned();
        let whose = format!("{chair}, administrator");
        return next("equipe_to_join", format!("{name} is signed by all"), step, &whose);
    }
    if chair != me {
        let whose = format!("{chair}, administrator");
        let step = format!("raccordo equipe create {name}");
        return next("equipe_not_created", format!("{name} is signed by all"), step, &whose);
    }
    match standing.row.hub_answer.as_str() {
        "accepted" => {
            let step = format!("raccordo equipe create {name} --wait");
            next("equipe_to_create", format!("{name} is signed and accepted"), step, "you")
        }
        "refused" => {
            let step = "talk to its administrator, or draft a pact with another hub".to_owned();
            next("hub_refused", format!("{hub} does not carry {name}"), step, "you")
        }
        _ => {
            let step = format!("raccordo hub accept {name}");
            let whose = format!("{hub}, administrator");
            next("hub_to_accept", format!("{name} waits for its hub"), step, &whose)
        }
    }
}

/// An alarm, with whether it holds cases, what ends it and where to read what to do.
fn of_alarm(equipe: &str, alarm: &AlarmRow) -> Finding {
    let rule = alarm.code.rule();
    let (severity, held) = match rule.holds {
        true => (Severity::Problem, "cases are held here until one of these"),
        false => (Severity::Warning, "nothing is held; it ends by one of these"),
    };
    let step =
        format!("{held}: {}; what to do: operating.md, Alarms, `{}`", rule.endings(), alarm.code);
    yours(severity, "alarm", format!("{equipe}: {}", alarm.words()), &step)
}

async fn about_carried(node: &Node, findings: &mut Vec<Finding>) -> Done<()> {
    for row in node.store.read().await?.identity_conflicts().await? {
        findings.push(yours(
            Severity::Problem,
            "identity_conflict",
            format!(
                "{} named {} with another identity key than this hub knows (équipe {})",
                row.claimed_by, row.node, row.lineage
            ),
            &format!(
                "it was refused; call the administrators of {} and {}: one of the two keys is \
                 not {1}'s",
                row.claimed_by, row.node
            ),
        ));
    }
    let listed = hub::accept::list(node).await?;
    let names = |name: &str| {
        let open = |it: &&Equipe| matches!(it.state(), "waiting" | "accepted");
        listed.iter().filter(open).filter(|it| it.name() == name).count()
    };
    for equipe in &listed {
        match equipe {
            Equipe::Carried(row) => findings.extend(moving::about_carried(row)),
            // What follows no more from what is carried is `overtaken`.
            Equipe::Offered(row) if row.state == "waiting" => {
                let digest = changes::short(row.digest);
                let named = if names(&row.name) == 1 { &row.name } else { &digest };
                let step = format!("raccordo hub accept {named} (or hub refuse)");
                let statement = equipe.statement()?;
                let parties = statement.statement().parties.iter().map(|it| it.node.as_str());
                let message = format!(
                    "the équipe {} asks this hub to carry it: offered by {}, parties {}",
                    row.name,
                    row.offered_by,
                    parties.collect::<Vec<_>>().join(", ")
                );
                findings.push(yours(Severity::Next, "equipe_to_accept", message, &step));
            }
            Equipe::Offered(_) => {}
        }
    }
    Ok(())
}

fn about_equipe(node: &Node, equipe: &EquipeStatus, findings: &mut Vec<Finding>) -> Done<()> {
    let name = &equipe.row.name;
    if Standing::parse(&equipe.row.state) == Some(Standing::Ended) {
        findings.push(yours(
            Severity::Warning,
            "equipe_ended",
            format!("{name}: {}", equipe.sending),
            "nothing more comes; to return, agree with the other administrators",
        ));
        return Ok(());
    }
    let alarms = equipe.alarms.iter().filter(|alarm| !KEYS.contains(&alarm.code));
    findings.extend(alarms.map(|alarm| of_alarm(name, alarm)));
    let now = changes::statement(&equipe.row).ok();
    for member in &equipe.members {
        let id = &member.node;
        let suspended = now.as_ref().is_some_and(|now| !now.statement().may_have_leaf(id));
        if suspended {
            findings.push(yours(
                Severity::Next,
                "member_suspended",
                format!("{id} is suspended in {name}"),
                &format!(
                    "agree with the others: raccordo equipe ratify {name} {id}, or return, or remove"
                ),
            ));
        } else if !member.joined && *id != node.identity.node {
            findings.push(finding(
                Severity::Next,
                "member_not_joined",
                format!("{id} has not joined {name} yet"),
                "its node must run and reach the hub; it joins by itself",
                &format!("{id}, administrator"),
            ));
        }
        if !member.silent
            && member.joined
            && heartbeat::is_overdue(node, &equipe.row, member.last_seen)?
        {
            findings.push(finding(
                Severity::Warning,
                AlarmCode::HeartbeatOverdue.as_str(),
                format!("nothing was heard of {id} in {name} since {}", member.last_seen),
                "its node may be stopped or cut off, or the hub keeps back what it says",
                &format!("{id}, administrator"),
            ));
        }
        if member.silent {
            findings.push(finding(
                Severity::Warning,
                "member_silent",
                format!("{id} has said nothing in {name} since {}", member.last_seen),
                "its node must run and reach the hub",
                &format!("{id}, administrator"),
            ));
        }
        if !matches!(member.trust, "self" | "verified" | "introduced") {
            findings.push(yours(
                Severity::Problem,
                "member_not_trusted",
                format!("{id} of {name} is {} here: cases are held", member.trust),
                "verify it again, or agree with the others on its suspension",
            ));
        }
    }
    if equipe.set_aside > 0 {
        findings.push(yours(
            Severity::Warning,
            "set_aside",
            format!("{name}: {} entries could not be processed", equipe.set_aside),
            "their senders were told; the log names sequence and reason",
        ));
    }
    Ok(())
}
