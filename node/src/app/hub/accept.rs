//! What the hub's administrator decides: which équipes it carries, and how much of each.

use raccordo_core::id::ItemId;
use raccordo_core::trust::statement::SignedStatement;

use super::MAIL_LIFETIME;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;
use crate::store::Tx;
use crate::store::hub::{CarriedRow, MailboxRow};

/// What an administrator may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Carry it.
    Accept,
    /// Do not carry it; the chair is told.
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

/// Decides about an équipe, named by name or lineage.
///
/// # Errors
/// `not_a_hub`, `no_such_equipe`, `conflict` when the decision does not fit the state.
pub async fn decide(
    node: &Node,
    actor: Actor,
    equipe: &str,
    decision: Decision,
) -> Done<CarriedRow> {
    if node.hub.is_none() {
        return Err(not_a_hub());
    }
    let mut tx = node.store.write().await?;
    let named = find(&mut *tx, equipe).await?;
    tx.raise_carried(named.lineage).await?;
    let mut row = tx.carried(named.lineage).await?.unwrap_or(named);
    let action = apply(&mut row, decision)?;
    record(node, &mut *tx, actor, action, &row.lineage.to_string(), &[]).await?;
    if decision == Decision::Evict {
        tx.delete_log(row.group).await?;
        tx.delete_ledger_scope(&raccordo_core::ledger::LedgerScope::Hub(row.group).to_string())
            .await?;
    }
    if decision == Decision::Accept {
        let statement = SignedStatement::decode(&row.statement)
            .map_err(|cause| Fault::ours("statement_damaged", cause))?;
        let chair = statement.statement().chair.clone();
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
        node.signals.wake(&Topic::Mailbox(chair));
    }
    tx.update_carried(&row).await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Trust);
    // Subscribers of an evicted équipe learn at once that it has ended.
    node.signals.wake(&Topic::Log(row.group));
    Ok(row)
}

fn apply(row: &mut CarriedRow, decision: Decision) -> Done<&'static str> {
    let (state, action) = match (decision, row.state.as_str()) {
        (Decision::Accept, "waiting" | "refused" | "accepted") => ("accepted", "hub.accept"),
        (Decision::Refuse, "waiting" | "accepted" | "refused") => ("refused", "hub.refuse"),
        (Decision::Evict, "founded" | "seeded" | "moved" | "behind" | "evicted") => {
            ("evicted", "hub.evict")
        }
        (Decision::Limit { entries_per_minute_max, stored_bytes_max }, _) => {
            if entries_per_minute_max > 0 {
                row.entries_per_minute_max = entries_per_minute_max;
            }
            if stored_bytes_max > 0 {
                row.stored_bytes_max = stored_bytes_max;
            }
            return Ok("hub.limit");
        }
        (_, state) => {
            let message = format!("the équipe is {state} here: this decision does not fit");
            return Err(Fault::conflict("wrong_state", message).hint("see `raccordo hub list`"));
        }
    };
    row.state = state.into();
    Ok(action)
}

async fn find(tx: &mut dyn Tx, equipe: &str) -> Done<CarriedRow> {
    let all = tx.all_carried().await?;
    let mut found =
        all.into_iter().filter(|row| row.name == equipe || row.lineage.to_string() == equipe);
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row),
        (Some(_), Some(_)) => {
            Err(Fault::conflict("ambiguous_name", "several équipes have this name")
                .hint("name it by its lineage: `raccordo hub list --json`"))
        }
        (None, _) => Err(Fault::not_found("no_such_equipe", "no such équipe was offered here")
            .hint("see `raccordo hub list`; the chair offers it once all parties have signed")),
    }
}

/// All équipes that were offered here.
///
/// # Errors
/// `not_a_hub`.
pub async fn list(node: &Node) -> Done<Vec<CarriedRow>> {
    if node.hub.is_none() {
        return Err(not_a_hub());
    }
    Ok(node.store.read().await?.all_carried().await?)
}

/// The fault of asking a node that is no hub.
pub fn not_a_hub() -> Fault {
    Fault::conflict("not_a_hub", "this node is no hub")
        .hint("enable [hub] in raccordo.toml and restart it")
}
