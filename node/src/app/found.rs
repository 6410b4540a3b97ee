//! Founds an équipe, as its chair: epoch 0 here, then at the hub, then the other parties.

use std::collections::BTreeMap;

use raccordo_core::id::{Digest, Epoch, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::sending::Standing;
use raccordo_core::session::{Session, read_key_package};
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::validator::validate_leaf;

use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::hub::key_package_pool::Given;
use super::signals::Topic;
use super::work::{Work, pact_context};
use super::{
    Node, changes, enact, key_packages, pack, pacts, pseudonym, rejoin, replay, roster, rotate,
    succeed, term, update_keys,
};
use crate::store::equipe::EquipeRow;

/// What the courier has to do at the hub for an équipe of which this node is chair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Upload epoch 0.
    Upload {
        /// The group.
        group: GroupId,
        /// GroupInfo with tree.
        group_info: Vec<u8>,
    },
    /// Hand the log over to its next hub, page by page: [`term::seed::page`].
    Seed,
    /// Claim a key package of each of these, then [`invite`].
    Claim {
        /// Parties without a leaf.
        parties: Vec<NodeId>,
        /// MLS ciphersuite number.
        suite: u16,
    },
}

/// Founds the group here; the courier does the rest.
///
/// # Errors
/// `no_such_pact`, `not_the_chair`, `signatures_missing`, `hub_not_accepted`,
/// `already_created`.
pub async fn create(node: &Node, actor: Actor, equipe: &str) -> Done<LineageId> {
    let standing = pacts::named(node, equipe).await?;
    let proposal = standing.proposal;
    let statement = &proposal.statement;
    if proposal.previous.is_some() {
        return Err(Fault::conflict("already_created", "the équipe exists already")
            .hint("its members add this node once all have signed"));
    }
    if proposal.pact.terms().chair != node.identity.node {
        let message = format!("the chair, {}, creates the équipe", proposal.pact.terms().chair);
        return Err(Fault::refused("not_the_chair", message));
    }
    if standing.active {
        return Err(Fault::conflict("already_created", "the équipe is here already")
            .hint("see `raccordo equipe show`"));
    }
    let missing: Vec<String> = proposal.missing().iter().map(ToString::to_string).collect();
    if !missing.is_empty() {
        let message = format!("not signed yet by {}", missing.join(", "));
        return Err(Fault::conflict("signatures_missing", message)
            .hint("they sign with `raccordo pact sign`"));
    }
    if standing.row.hub_answer != "accepted" {
        let hub = &proposal.pact.terms().hub;
        let message = match standing.row.hub_answer.as_str() {
            "" => format!("the hub {hub} has not been reached with the offer yet"),
            "refused" => format!("the hub {hub} refused the équipe"),
            _ => format!("the hub {hub} has not accepted the équipe yet"),
        };
        return Err(Fault::conflict("hub_not_accepted", message).hint(format!(
            "its administrator: `raccordo hub accept {}`",
            proposal.pact.terms().equipe
        )));
    }
    let group = statement.statement().group_id();
    let (session, group_info) = Session::found(
        &node.crypto,
        &node.identity.leaf(),
        group,
        proposal.pact.terms().ciphersuite,
        &statement.encode(),
    )
    .map_err(|cause| Fault::ours("not_founded", cause))?;
    let lineage = proposal.pact.terms().lineage;
    let text = proposal.pact.text();
    let row = new_row(
        node,
        lineage,
        group,
        NewEquipe {
            name: proposal.pact.terms().equipe.clone(),
            suite: proposal.pact.terms().ciphersuite.number(),
            standing: Standing::Founding,
            statement: statement.encode(),
            pact_text: text.to_owned(),
            hub: proposal.pact.terms().hub.clone(),
        },
    )?;
    let mut work = Work::create(node, row, session).await?;
    roster::follow_group(&mut work).await?;
    pseudonym::follow::entered(node, &mut work, true).await?;
    let sealed = node.seal(&secret(lineage), &group_info)?;
    let tx = work.tx()?;
    tx.put_secret(&secret(lineage), sealed).await?;
    record(node, tx, actor, "equipe.create", &lineage.to_string(), &[]).await?;
    work.commit().await?;
    node.signals.wake(&Topic::Errands(proposal.pact.terms().hub.clone()));
    Ok(lineage)
}

/// What a new équipe's row is made from.
pub struct NewEquipe {
    /// Its name.
    pub name: String,
    /// MLS ciphersuite number.
    pub suite: u16,
    /// Where this node stands.
    pub standing: Standing,
    /// Container `signed-statement`.
    pub statement: Vec<u8>,
    /// The pact's TOML.
    pub pact_text: String,
    /// Hub of the term.
    pub hub: NodeId,
}

/// The row of an équipe at the beginning of its log.
///
/// # Errors
/// Never in practice: see [`Node::seal`].
pub fn new_row(node: &Node, lineage: LineageId, group: GroupId, new: NewEquipe) -> Done<EquipeRow> {
    let pact = pact_context(lineage);
    Ok(EquipeRow {
        lineage,
        name: new.name,
        group,
        suite: new.suite,
        state: new.standing.as_str().into(),
        version: 0,
        statement: new.statement,
        sealed_pact: node.seal(&pact, new.pact_text.as_bytes())?,
        hub: new.hub,
        sequence: Sequence(0),
        head: Digest::ZERO,
        accepted_at: Instant(0),
        epoch: Epoch(0),
        authenticator: Vec::new(),
        checkpoint: Vec::new(),
        checkpoint_signature: Vec::new(),
        next_number: 1,
        receipt_due: Sequence(0),
        receipt_sent: Sequence(0),
    })
}

/// What is to be done at a hub: for the équipes whose chair's work this node does, and for
/// changes that it is to commit. What needs nothing of the hub is done on the way.
///
/// # Errors
/// The store's.
pub async fn steps(node: &Node, hub: &NodeId) -> Done<BTreeMap<LineageId, Step>> {
    let equipes = node.store.read().await?.equipes().await?;
    for row in &equipes {
        term::note(node, row.lineage).await?;
        succeed::note(node, row.lineage).await?;
        succeed::found(node, row.lineage, hub).await?;
    }
    let equipes = node.store.read().await?.equipes().await?;
    for row in equipes.iter().filter(|row| row.hub == *hub) {
        rejoin::approve::stage(node, row.lineage).await?;
        enact::enact(node, row.lineage).await?;
        rotate::follow(node, row.lineage).await?;
        update_keys::when_old(node, row.lineage).await?;
        while replay::step(node, row.lineage).await? {}
    }
    let mut tx = node.store.read().await?;
    let mut steps = BTreeMap::new();
    for row in tx.equipes().await? {
        if term::seed::due(&mut *tx, &row, hub).await? {
            steps.insert(row.lineage, Step::Seed);
            continue;
        }
        if row.hub != *hub {
            continue;
        }
        let due = enact::due(node, &mut *tx, &row).await?;
        let statement = due.map_or_else(|| changes::statement(&row), |due| Ok(due.statement))?;
        let committer = statement.digest() != changes::statement(&row)?.digest();
        let statement = statement.statement();
        let members = tx.members(row.lineage).await?;
        let steward = enact::steward(&members, statement) == Some(&node.identity.node);
        if !steward && !committer {
            continue;
        }
        match Standing::parse(&row.state) {
            Some(Standing::Founding) => {
                let name = secret(row.lineage);
                let sealed = tx.secret(&name).await?.unwrap_or_default();
                let group_info = node.open(&name, &sealed)?;
                let group_info = group_info.reveal().clone();
                steps.insert(row.lineage, Step::Upload { group: row.group, group_info });
            }
            Some(Standing::Active) => {
                let parties = enact::absent(&mut *tx, row.lineage, statement).await?;
                let pending = tx.pending_commit(row.lineage).await?.is_some();
                if !parties.is_empty() && !pending {
                    steps.insert(row.lineage, Step::Claim { parties, suite: row.suite });
                }
            }
            _ => {}
        }
    }
    Ok(steps)
}

/// The hub has epoch 0: from now on the log decides.
///
/// # Errors
/// The store's.
pub async fn uploaded(node: &Node, lineage: LineageId) -> Done<()> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    if Standing::parse(&work.row.state) == Some(Standing::Founding) {
        work.row.state = Standing::Active.as_str().into();
        work.commit().await?;
        node.signals.wake(&Topic::Membership);
    }
    Ok(())
}

/// Stages the commit that adds parties whose key packages were claimed.
///
/// # Errors
/// The store's. Key packages that are not what they should be are left out, with a line
/// in the log.
pub async fn invite(node: &Node, lineage: LineageId, claimed: Vec<Given>) -> Done<()> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    if work.holds_commit().await? {
        return Ok(());
    }
    let members = work.tx()?.members(lineage).await?;
    let due = enact::ready(node, &mut work).await?;
    let statement = match &due {
        Some(due) => due.statement.clone(),
        None => work.statement()?,
    };
    let mut add = Vec::new();
    for Given { party, key_package, expires_at } in claimed {
        if members.iter().any(|member| member.node == party) {
            continue;
        }
        let known_serial = work.tx()?.peer(&party).await?.map(|peer| peer.card_serial);
        let read = read_key_package(&node.crypto, &key_package);
        let known = statement.statement().party(&party).map(|party| party.identity);
        let now = node.clock.now();
        let is_party = |card: SignedCard| {
            let current = known_serial.is_none_or(|serial| card.card().serial >= serial);
            Some(card.card().identity) == known && current && card.valid_at(now).is_ok()
        };
        let good = read.is_ok_and(|read| {
            read.leaf.node.as_ref() == Some(&party)
                && read.suite.number() == work.row.suite
                && key_packages::lives(expires_at, now)
                && statement.statement().may_have_leaf(&party)
                && validate_leaf(&read.leaf).is_ok_and(is_party)
        });
        if good {
            add.push(key_package);
        } else {
            tracing::warn!(%lineage, %party, "a claimed key package is not its party's, or too old");
        }
    }
    if add.is_empty() {
        return Ok(());
    }
    let commit = enact::commit(&mut work, due.as_ref(), add).await?;
    pack::stage(node, &mut work, commit).await?;
    work.commit().await?;
    pack::wake(node, lineage);
    Ok(())
}

/// Name and context of the GroupInfo that founds a group.
pub(super) fn secret(lineage: LineageId) -> String {
    format!("founding/{lineage}")
}
