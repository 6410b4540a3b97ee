//! Changes a case: its state, or who answers for it.

use raccordo_core::alert::{FieldError, Reason};
use raccordo_core::id::CaseId;
use raccordo_core::operator::Action;
use raccordo_core::register::subject_of;

use super::list::{CaseSummary, Names};
use super::{ERASED, case_met, manager};
use crate::app::Node;
use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::store::register::RecordRow;

/// What is to change; what is none stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// From the list `case_state`.
    pub state: Option<String>,
    /// Name or id of an operator of the organisation that keeps the case.
    pub manager: Option<String>,
}

/// Changes a case.
///
/// # Errors
/// `role_not_allowed`, `no_such_case`, `no_such_operator`, `other_organisation`,
/// `unfit_manager`, `erased`.
pub async fn change(
    node: &Node,
    operator: &Operator,
    id: CaseId,
    change: Change,
) -> Done<Result<CaseSummary, Vec<FieldError>>> {
    let state = change.state.as_ref();
    if state.is_some_and(|state| node.lists.lookup("case_state", state).is_none()) {
        let message = "not in the list `case_state`".to_owned();
        let error = FieldError { field: "state".into(), reason: Reason::UnknownCode, message };
        return Ok(Err(vec![error]));
    }
    let action = |row: &RecordRow| Action::AddRecord(subject_of(&row.subject));
    let mut tx = node.store.write().await?;
    tx.hold_register().await?;
    let (mut case, _) = case_met(&mut *tx, operator, id, action).await?;
    if case.state == ERASED {
        return Err(Fault::conflict("erased", "this case was erased"));
    }
    if let Some(named) = &change.manager {
        let found = manager(node, &mut *tx, operator, named).await?;
        if found.organisation != case.organisation {
            let message = "the case is kept by another organisation than this operator's";
            return Err(Fault::refused("other_organisation", message)
                .hint("a handover between organisations is a referral"));
        }
        case.manager = found.operator;
    }
    case.state = change.state.unwrap_or(case.state);
    case.changed_at = node.clock.now();
    let manager = case.manager.to_string();
    let detail = [("manager", manager.as_str()), ("state", &case.state)];
    record(node, &mut *tx, operator.actor(), "case.change", &id.to_string(), &detail).await?;
    tx.update_case(&case).await?;
    let names = Names::read(node, &mut *tx).await?;
    tx.commit().await?;
    Ok(Ok(names.case(case)))
}
