//! What the hub's administrator decides: which équipes it carries, and how much of each.

use raccordo_core::id::{ItemId, NodeId};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::trust::statement::SignedStatement;

use super::MAIL_LIFETIME;
use super::offer::{
    ACCEPTED, REFUSED, WAITING, drop_copies, offered_statement, still_goes_on, supersede,
};
use super::read_log::statement_of;
use super::rights;
use crate::app::audit::{Actor, record};
use crate::app::changes::DIGEST_DIGITS;
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;
use crate::app::{Node, history};
use crate::store::Tx;
use crate::store::history::Keeper;
use crate::store::hub::{CarriedRow, MailboxRow};
use crate::store::offer::OfferRow;

/// What an administrator may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Carry what is offered.
    Accept,
    /// Do not carry what is offered; the chair is told.
    Refuse,
    /// Carry it no longer, and delete its log.
    Evict,
    /// Other limits; 0 leaves one as it is.
    Limit {
        /// Entries per minute and member.
        entries_per_minute_max: u32,
        /// Bytes of payload kept.
        stored_bytes_max: u64,
    },
}

/// State in which an offer is listed that follows no more from what is carried.
pub const OVERTAKEN: &str = "overtaken";

/// An équipe as the administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Equipe {
    /// Offered, or accepted and not founded yet.
    Offered(OfferRow),
    /// Carried.
    Carried(CarriedRow),
}

impl Equipe {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Offered(row) => &row.name,
            Self::Carried(row) => &row.name,
        }
    }

    /// `waiting`, `accepted`, `refused` or `overtaken` of an offer; else as it is carried.
    pub fn state(&self) -> &str {
        match self {
            Self::Offered(row) => &row.state,
            Self::Carried(row) => &row.state,
        }
    }

    /// The statement that is offered, or in force.
    ///
    /// # Errors
    /// A damaged row.
    pub fn statement(&self) -> Done<SignedStatement> {
        match self {
            Self::Offered(row) => offered_statement(row),
            Self::Carried(row) => statement_of(row),
        }
    }

    /// Who offered it.
    pub fn offered_by(&self) -> Option<&NodeId> {
        match self {
            Self::Offered(row) => Some(&row.offered_by),
            Self::Carried(_) => None,
        }
    }
}

/// Decides about an équipe, named by name or lineage, or about an offer, named by its
/// statement's digest.
///
/// # Errors
/// `not_a_hub`, `no_such_equipe`, `ambiguous_name`, `wrong_state` when the decision does not fit
/// the state, `does_not_follow` of an offer that has been overtaken, `identity_conflict`.
pub async fn decide(node: &Node, actor: Actor, named: &str, decision: Decision) -> Done<Equipe> {
    if node.hub.is_none() {
        return Err(not_a_hub());
    }
    let mut tx = node.store.write().await?;
    match decision {
        Decision::Accept => accept(node, tx, actor, named).await,
        Decision::Refuse => {
            let mut row = find_offer(&mut *tx, named).await?;
            let subject = row.lineage.to_string();
            record(node, &mut *tx, actor, "hub.refuse", &subject, &[]).await?;
            if row.state == ACCEPTED {
                drop_copies(&mut *tx, row.lineage).await?;
            }
            row.state = REFUSED.into();
            tx.put_offer(row.clone()).await?;
            rights::follow(&mut *tx, row.lineage).await?;
            tx.commit().await?;
            node.signals.wake(&Topic::Trust);
            Ok(Equipe::Offered(row))
        }
        Decision::Evict => evict(node, tx, actor, named).await,
        Decision::Limit { entries_per_minute_max, stored_bytes_max } => {
            let mut row = find_carried(&mut *tx, named).await?;
            record(node, &mut *tx, actor, "hub.limit", &row.lineage.to_string(), &[]).await?;
            if entries_per_minute_max > 0 {
                row.entries_per_minute_max = entries_per_minute_max;
            }
            if stored_bytes_max > 0 {
                row.stored_bytes_max = stored_bytes_max;
            }
            tx.update_carried(&row).await?;
            tx.commit().await?;
            Ok(Equipe::Carried(row))
        }
    }
}

async fn accept(node: &Node, mut tx: Box<dyn Tx>, actor: Actor, named: &str) -> Done<Equipe> {
    let mut row = find_offer(&mut *tx, named).await?;
    if let Some(carried) = tx.carried(row.lineage).await? {
        still_goes_on(&carried, &row)?;
    }
    let offered = offered_statement(&row)?;
    if let Some(id) = rights::conflict(node, &mut *tx, offered.statement()).await? {
        return Err(rights::conflict_fault(&id)
            .hint("call both: one of the keys is not its; what should not be here goes: `raccordo hub evict`, `raccordo hub refuse`"));
    }
    if row.state != ACCEPTED {
        supersede(&mut *tx, row.lineage).await?;
    }
    let (subject, statement) = (row.lineage.to_string(), row.digest.to_string());
    let detail = [("statement", statement.as_str())];
    record(node, &mut *tx, actor, "hub.accept", &subject, &detail).await?;
    row.state = ACCEPTED.into();
    tx.put_offer(row.clone()).await?;
    rights::follow(&mut *tx, row.lineage).await?;
    let chair = offered.statement().chair.clone();
    tx.insert_mailbox(MailboxRow {
        recipient: chair.clone(),
        sequence: 0,
        item: ItemId::random(&*node.entropy),
        sender: node.identity.node.clone(),
        kind: "equipe_accepted".into(),
        payload: row.lineage.as_bytes().to_vec(),
        expires_at: node.clock.now().plus(MAIL_LIFETIME),
    })
    .await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Mailbox(chair));
    node.signals.wake(&Topic::Trust);
    Ok(Equipe::Offered(row))
}

/// Nothing is left of it: should the parties come back, they offer it anew.
async fn evict(node: &Node, mut tx: Box<dyn Tx>, actor: Actor, named: &str) -> Done<Equipe> {
    let row = find_carried(&mut *tx, named).await?;
    record(node, &mut *tx, actor, "hub.evict", &row.lineage.to_string(), &[]).await?;
    tx.delete_log(row.group).await?;
    tx.delete_ledger_scope(&LedgerScope::Hub(row.group).to_string()).await?;
    history::forget(&mut *tx, Keeper::Hub, row.lineage).await?;
    tx.delete_carried(row.lineage).await?;
    rights::follow(&mut *tx, row.lineage).await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Trust);
    // Subscribers of an evicted équipe learn at once that it has ended.
    node.signals.wake(&Topic::Log(row.group));
    Ok(Equipe::Carried(CarriedRow { state: "evicted".into(), ..row }))
}

/// The offer that an administrator names: one that was refused only where no other has the name.
async fn find_offer(tx: &mut dyn Tx, named: &str) -> Done<OfferRow> {
    let of_it = |row: &OfferRow| {
        row.name == named
            || row.lineage.to_string() == named
            || named.len() >= DIGEST_DIGITS && row.digest.to_string().starts_with(named)
    };
    let offers = tx.all_offers().await?;
    let carried = tx.all_carried().await?;
    let named_offers: Vec<OfferRow> = offers.into_iter().filter(of_it).collect();
    for states in [&[WAITING, ACCEPTED][..], &[REFUSED]] {
        let mut found = named_offers.iter().filter(|row| states.contains(&row.state.as_str()));
        let Some(row) = found.next() else { continue };
        if found.next().is_some() {
            return Err(ambiguous());
        }
        tx.raise_carried(row.lineage).await?;
        tx.raise_offers(row.lineage).await?;
        let now = tx.offers(row.lineage).await?;
        return now.into_iter().find(|now| now.digest == row.digest).ok_or_else(nothing_offered);
    }
    let is_carried = |row: &CarriedRow| row.name == named || row.lineage.to_string() == named;
    if let Some(row) = carried.iter().find(|row| is_carried(row)) {
        let message = format!("the équipe is {} here: this decision does not fit", row.state);
        return Err(Fault::conflict("wrong_state", message).hint("see `raccordo hub list`"));
    }
    Err(nothing_offered())
}

async fn find_carried(tx: &mut dyn Tx, named: &str) -> Done<CarriedRow> {
    let all = tx.all_carried().await?;
    let mut found =
        all.into_iter().filter(|row| row.name == named || row.lineage.to_string() == named);
    let row = match (found.next(), found.next()) {
        (Some(row), None) => row,
        (Some(_), Some(_)) => return Err(ambiguous()),
        (None, _) => {
            return match find_offer(tx, named).await {
                Ok(row) => {
                    let message = format!("the équipe is {} here, and not founded", row.state);
                    Err(Fault::conflict("wrong_state", message)
                        .hint("an offer is declined with `raccordo hub refuse`"))
                }
                Err(fault) => Err(fault),
            };
        }
    };
    tx.raise_carried(row.lineage).await?;
    tx.carried(row.lineage).await?.ok_or_else(nothing_offered)
}

fn ambiguous() -> Fault {
    Fault::conflict("ambiguous_name", "several équipes have this name").hint(
        "name the offer by the first digits of its statement, or the équipe by its lineage: \
         `raccordo hub list --json`",
    )
}

fn nothing_offered() -> Fault {
    Fault::not_found("no_such_equipe", "no such équipe was offered here")
        .hint("see `raccordo hub list`; the chair offers it once all parties have signed")
}

/// All équipes that are carried here, and all offers; an offer that follows no more from what
/// is carried is `overtaken`.
///
/// # Errors
/// `not_a_hub`; a damaged row.
pub async fn list(node: &Node) -> Done<Vec<Equipe>> {
    if node.hub.is_none() {
        return Err(not_a_hub());
    }
    let mut tx = node.store.read().await?;
    let carried = tx.all_carried().await?;
    let mut listed = Vec::new();
    for mut row in tx.all_offers().await? {
        let here = carried.iter().find(|carried| carried.lineage == row.lineage);
        if here.is_some_and(|here| still_goes_on(here, &row).is_err()) {
            row.state = OVERTAKEN.into();
        }
        listed.push(Equipe::Offered(row));
    }
    listed.extend(carried.into_iter().map(Equipe::Carried));
    listed.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(listed)
}

/// The fault of asking a node that is no hub.
pub fn not_a_hub() -> Fault {
    Fault::conflict("not_a_hub", "this node is no hub")
        .hint("enable [hub] in raccordo.toml and restart it")
}
