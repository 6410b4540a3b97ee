//! Destroys a record: its alerts are withdrawn at every member, then go its key, its values, what
//! finds it, what its cases say, its tokens and drafts about it. A row with id, organisation and
//! times stays, so that no import brings it back.
//!
//! What was kept of it elsewhere lies under its own key, and goes with it, or is taken out here:
//! nothing of it is left under the node key (`tests/e2e/erasure.rs` looks for it with all keys).

use std::collections::BTreeSet;

use raccordo_core::id::{CaseId, LineageId, ObjectId, RecordId};
use raccordo_core::object::State;
use raccordo_core::operator::Action;
use raccordo_core::register::{RecordKind, subject_of};

use super::{ERASED, case_met, meets, no_such_record, sweep};
use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::matching::end::record_erased;
use crate::app::matching::events;
use crate::app::work::Work;
use crate::app::{Node, draft, pack, withdraw};
use crate::store::Tx;
use crate::store::register::RecordRow;

/// The code of the list `withdrawal_reason` under which alerts of an erased record end.
const REASON: &str = "erased";
/// How often is looked again for what others shared or said meanwhile.
const ROUNDS_MAX: usize = 8;

fn erasing(row: &RecordRow) -> Action {
    Action::EraseRecord(subject_of(&row.subject))
}

/// Erases the person of a case, with all cases of that person.
///
/// # Errors
/// `role_not_allowed`, `no_such_case`, `record_in_use`.
pub async fn person_of(node: &Node, operator: &Operator, case: CaseId) -> Done<RecordId> {
    let mut tx = node.store.read().await?;
    let (case, _) = case_met(&mut *tx, operator, case, erasing).await?;
    drop(tx);
    erase(node, operator, case.record).await?;
    Ok(case.record)
}

/// Erases a company.
///
/// # Errors
/// `role_not_allowed`, `no_such_record`, `record_in_use`.
pub async fn company(node: &Node, operator: &Operator, id: RecordId) -> Done<()> {
    let row = node.store.read().await?.register_record(id).await?;
    if row.is_none_or(|row| row.kind != RecordKind::Company.as_str()) {
        return Err(no_such_record());
    }
    erase(node, operator, id).await
}

/// Erases a record; one that is erased already stays so. Each step may be the last before a
/// crash: the next erasure goes on.
async fn erase(node: &Node, operator: &Operator, id: RecordId) -> Done<()> {
    if is_erased(&mut *node.store.read().await?, operator, id).await? {
        return Ok(());
    }
    for _ in 0..ROUNDS_MAX {
        let (alerts, said) = left(node, &mut *node.store.read().await?, id).await?;
        for object in alerts {
            match withdraw::withdraw(node, operator, object, REASON).await {
                Err(fault) if fault.reason != "already_ended" => return Err(fault),
                _ => {}
            }
        }
        for lineage in said {
            blank(node, lineage, id).await?;
        }
        if destroy(node, operator, id).await? {
            sweep(node).await;
            return Ok(());
        }
    }
    let message = "others share or send something about this record at this moment";
    Err(Fault::conflict("record_in_use", message).hint("erase it again"))
}

/// Whether it is erased already.
///
/// # Errors
/// `role_not_allowed`, `no_such_record`.
async fn is_erased(tx: &mut dyn Tx, operator: &Operator, id: RecordId) -> Done<bool> {
    let row = tx.register_record(id).await?.ok_or_else(no_such_record)?;
    operator.must(erasing(&row))?;
    if !meets(operator, &row, erasing) {
        return Err(no_such_record());
    }
    Ok(row.state == ERASED)
}

/// Alerts about a record that stand, and équipes to which something about it is on its way.
async fn left(
    node: &Node,
    tx: &mut dyn Tx,
    id: RecordId,
) -> Done<(Vec<ObjectId>, BTreeSet<LineageId>)> {
    let objects: Vec<ObjectId> =
        tx.objects_of_record(id).await?.into_iter().map(|row| row.object).collect();
    let stands = |row: &crate::store::object::ObjectRow| {
        row.origin == node.identity.node && row.state == State::Active.as_str()
    };
    let alerts = tx.objects_among(&objects).await?.into_iter().filter(stands);
    let alerts = alerts.map(|row| row.object).collect();
    let said = tx.envelopes_of_record(id).await?.into_iter().map(|row| row.lineage).collect();
    Ok((alerts, said))
}

/// Takes what is said of a record out of what an équipe is still to get, or may have to get again.
async fn blank(node: &Node, lineage: LineageId, id: RecordId) -> Done<()> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let tx = work.tx()?;
    for row in tx.envelopes_of_record(id).await? {
        if row.lineage == lineage {
            tx.blank_envelope(lineage, row.envelope, pack::blank(node, &row)?).await?;
            events::take_back(node, tx, row.envelope).await?;
        }
    }
    work.commit().await?;
    pack::wake(node, lineage);
    Ok(())
}

/// Destroys the record; false where something about it was shared or said meanwhile.
async fn destroy(node: &Node, operator: &Operator, id: RecordId) -> Done<bool> {
    let mut tx = node.store.write().await?;
    tx.hold_register().await?;
    if is_erased(&mut *tx, operator, id).await? {
        return Ok(true);
    }
    let (alerts, said) = left(node, &mut *tx, id).await?;
    if !alerts.is_empty() || !said.is_empty() {
        return Ok(false);
    }
    record(node, &mut *tx, operator.actor(), "record.erase", &id.to_string(), &[]).await?;
    let told = record_erased(node, &mut *tx, id).await?;
    draft::forget_record(node, &mut *tx, id).await?;
    tx.erase_record(id, node.clock.now()).await?;
    tx.commit().await?;
    told.into_iter().for_each(|lineage| pack::wake(node, lineage));
    Ok(true)
}
