//! The node's own register: people and companies with the values that identify them, and
//! cases (DESIGN §9).
//!
//! Every call is made as an operator, whose role, class and organisation decide. What reads
//! an identifying value is in the audit, with its purpose, before the value is opened.
//!
//! - in: [`add`], [`import`]
//! - out: [`list`] shows no identifying value, [`show`] and [`find`] do; [`change`] of a case
//! - gone: [`erase`], which [`rotate`] makes complete; keys: [`keys`]

pub mod add;
pub mod change;
pub mod erase;
pub mod find;
pub mod import;
pub mod keys;
pub mod list;
pub mod rotate;
pub mod show;

use raccordo_core::operator::{Action, Reach, may, reach};
use raccordo_core::register::subject_of;

use super::Node;
use super::directory::{NAME_INDEX, Operator};
use super::fault::{Done, Fault};
use crate::store::Tx;
use crate::store::directory::OperatorRow;
use crate::store::register::{CaseRow, RecordRow};

/// State of a record, and of its cases, whose content is gone.
pub const ERASED: &str = "erased";

/// Whether an operator may do this to a record: role and class allow it, and the record is of
/// the operator's organisation, or the role reaches further.
pub(in crate::app) fn meets(
    operator: &Operator,
    row: &RecordRow,
    action: impl Fn(&RecordRow) -> Action,
) -> bool {
    let near = row.organisation == operator.organisation || reach(operator.role) == Reach::Node;
    near && may(operator.role, operator.class, action(row))
}

fn reading(row: &RecordRow) -> Action {
    Action::ReadRecord(subject_of(&row.subject))
}

/// The purpose of reading, from the list `purpose`.
fn purpose(node: &Node, code: &str) -> Done<()> {
    if node.lists.lookup("purpose", code).is_some() {
        return Ok(());
    }
    Err(Fault::usage("unknown_purpose", "reading identifying values needs a purpose")
        .hint("name one of `raccordo codes list purpose`"))
}

/// A case with its record, as far as the operator meets them.
async fn case_met(
    tx: &mut dyn Tx,
    operator: &Operator,
    id: raccordo_core::id::CaseId,
    action: impl Fn(&RecordRow) -> Action,
) -> Done<(CaseRow, RecordRow)> {
    let case = tx.register_case(id).await?.ok_or_else(no_such_case)?;
    let record = tx.register_record(case.record).await?.ok_or_else(no_such_case)?;
    operator.must(action(&record))?;
    if !meets(operator, &record, action) {
        return Err(no_such_case());
    }
    Ok((case, record))
}

/// No such case, or none that this operator may see.
fn no_such_case() -> Fault {
    Fault::not_found("no_such_case", "there is no such case here").hint("see `raccordo case list`")
}

/// No such record, or none that this operator may see.
pub(in crate::app) fn no_such_record() -> Fault {
    Fault::not_found("no_such_record", "there is no such record here")
        .hint("see `raccordo case list` and `raccordo company list`")
}

/// The operator of a name or id who may answer for cases.
async fn manager(node: &Node, tx: &mut dyn Tx, by: &Operator, named: &str) -> Done<OperatorRow> {
    let index = node.vault.index(NAME_INDEX, named.as_bytes()).to_vec();
    let rows = tx.operators().await?;
    let found = rows
        .into_iter()
        .find(|row| row.name_index == index || row.operator.to_string() == named)
        .filter(|row| row.enabled)
        .ok_or_else(|| {
            Fault::not_found("no_such_operator", "there is no such operator here")
                .hint("the administrator sees them: `raccordo operator list`")
        })?;
    if found.organisation != by.organisation && reach(by.role) != Reach::Node {
        let message = "a case stays with an operator of your own organisation";
        return Err(Fault::refused("other_organisation", message)
            .hint("the secretariat gives cases to other organisations"));
    }
    let organisations = tx.organisations().await?;
    let home = organisations.into_iter().find(|home| home.organisation == found.organisation);
    let class = home.and_then(|home| home.class.parse().ok());
    let action = Action::ReadRecord(raccordo_core::object::Subject::Person);
    let fit =
        class.zip(found.role.parse().ok()).is_some_and(|(class, role)| may(role, class, action));
    if !fit {
        let message = "this operator's role or organisation may not read cases";
        return Err(Fault::refused("unfit_manager", message)
            .hint("name a case manager, or ask the administrator: `raccordo operator role`"));
    }
    Ok(found)
}

/// What was erased must not stay in the database's files either. Where a reader stands in the
/// way, the next erasure or rotation does it.
async fn sweep(node: &Node) {
    match node.store.sweep().await {
        Ok(true) => {}
        Ok(false) => tracing::info!("a reader keeps erased pages for a while"),
        Err(error) => tracing::warn!(%error, "erased pages are not rewritten yet"),
    }
}

fn sealing(cause: impl std::fmt::Display) -> Fault {
    Fault::ours("vault", cause)
}
