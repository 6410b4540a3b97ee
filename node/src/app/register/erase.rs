//! Destroys a record: its key, its values, what finds it, and what its cases say. A row with
//! id, organisation and times stays, so that no import brings it back.

use raccordo_core::id::{CaseId, RecordId};
use raccordo_core::operator::Action;
use raccordo_core::register::{RecordKind, subject_of};

use super::{ERASED, case_met, meets, no_such_record, sweep};
use crate::app::Node;
use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::Done;
use crate::app::matching::end::record_erased;
use crate::app::pack;
use crate::store::register::RecordRow;

fn erasing(row: &RecordRow) -> Action {
    Action::EraseRecord(subject_of(&row.subject))
}

/// Erases the person of a case, with all cases of that person.
///
/// # Errors
/// `role_not_allowed`, `no_such_case`.
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
/// `role_not_allowed`, `no_such_record`.
pub async fn company(node: &Node, operator: &Operator, id: RecordId) -> Done<()> {
    let row = node.store.read().await?.register_record(id).await?;
    if row.is_none_or(|row| row.kind != RecordKind::Company.as_str()) {
        return Err(no_such_record());
    }
    erase(node, operator, id).await
}

/// Erases a record; one that is erased already stays so.
async fn erase(node: &Node, operator: &Operator, id: RecordId) -> Done<()> {
    let mut tx = node.store.write().await?;
    tx.hold_register().await?;
    let row = tx.register_record(id).await?.ok_or_else(no_such_record)?;
    operator.must(erasing(&row))?;
    if !meets(operator, &row, erasing) {
        return Err(no_such_record());
    }
    if row.state == ERASED {
        return Ok(());
    }
    record(node, &mut *tx, operator.actor(), "record.erase", &id.to_string(), &[]).await?;
    let told = record_erased(node, &mut *tx, id).await?;
    tx.erase_record(id, node.clock.now()).await?;
    tx.commit().await?;
    told.into_iter().for_each(|lineage| pack::wake(node, lineage));
    sweep(node).await;
    Ok(())
}
