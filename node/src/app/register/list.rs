//! Lists cases and companies without what identifies them.

use std::collections::BTreeMap;

use raccordo_core::id::{CaseId, OperatorId, OrganisationId, RecordId};
use raccordo_core::object::Subject;
use raccordo_core::operator::{Action, Reach, reach};
use raccordo_core::register::RecordKind;
use raccordo_core::secret::Secret;

use super::{case_met, meets, no_such_record, reading};
use crate::app::Node;
use crate::app::directory::{self, Operator};
use crate::app::fault::Done;
use crate::store::Tx;
use crate::store::register::{CaseRow, RecordRow, RegisterFilter};

/// A case as a list shows it.
#[derive(Clone, Debug)]
pub struct CaseSummary {
    /// Its row.
    pub row: CaseRow,
    /// Name of the organisation.
    pub organisation: String,
    /// Name of the operator who answers for it.
    pub manager: Secret<String>,
}

/// A record as a list shows it.
#[derive(Clone, Debug)]
pub struct RecordSummary {
    /// Its row.
    pub row: RecordRow,
    /// Name of the organisation.
    pub organisation: String,
}

/// Which to list.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only in this state.
    pub state: Option<String>,
    /// Only after this position.
    pub after: u64,
    /// At most so many, from 1.
    pub limit: u32,
}

/// Cases that the operator meets, in the order of adding; the second value is the position to
/// go on from, none at the end.
///
/// # Errors
/// `role_not_allowed`.
pub async fn cases(
    node: &Node,
    operator: &Operator,
    query: &Query,
) -> Done<(Vec<CaseSummary>, Option<u64>)> {
    operator.must(Action::ReadRecord(Subject::Person))?;
    let mut tx = node.store.read().await?;
    let rows = tx.list_cases(&filter(operator, query, None)).await?;
    let more = rows.len() >= query.limit as usize;
    let next = rows.last().filter(|_| more).map(|row| row.position);
    let names = Names::read(node, &mut *tx).await?;
    Ok((rows.into_iter().map(|row| names.case(row)).collect(), next))
}

/// Companies that the operator meets, in the order of adding; as [`cases`].
///
/// # Errors
/// `role_not_allowed`.
pub async fn companies(
    node: &Node,
    operator: &Operator,
    query: &Query,
) -> Done<(Vec<RecordSummary>, Option<u64>)> {
    operator.must(Action::ReadRecord(Subject::Company))?;
    let mut tx = node.store.read().await?;
    let rows = tx.list_records(&filter(operator, query, Some("company"))).await?;
    let more = rows.len() >= query.limit as usize;
    let next = rows.last().filter(|_| more).map(|row| row.position);
    let names = Names::read(node, &mut *tx).await?;
    // Sole traders are people, whom some classes do not meet.
    let met = rows.into_iter().filter(|row| meets(operator, row, reading));
    Ok((met.map(|row| names.record(row)).collect(), next))
}

/// One case that the operator meets.
///
/// # Errors
/// `role_not_allowed`, `no_such_case`.
pub async fn case(node: &Node, operator: &Operator, id: CaseId) -> Done<CaseSummary> {
    let mut tx = node.store.read().await?;
    let (case, _) = case_met(&mut *tx, operator, id, reading).await?;
    Ok(Names::read(node, &mut *tx).await?.case(case))
}

/// One company that the operator meets.
///
/// # Errors
/// `role_not_allowed`, `no_such_record`.
pub async fn company(node: &Node, operator: &Operator, id: RecordId) -> Done<RecordSummary> {
    let mut tx = node.store.read().await?;
    let row = tx.register_record(id).await?.ok_or_else(no_such_record)?;
    operator.must(reading(&row))?;
    if !meets(operator, &row, reading) || row.kind != RecordKind::Company.as_str() {
        return Err(no_such_record());
    }
    Ok(Names::read(node, &mut *tx).await?.record(row))
}

fn filter(operator: &Operator, query: &Query, kind: Option<&str>) -> RegisterFilter {
    let near = reach(operator.role) == Reach::Organisation;
    RegisterFilter {
        organisation: near.then_some(operator.organisation),
        state: query.state.clone(),
        kind: kind.map(str::to_owned),
        after_position: query.after,
        limit: query.limit,
    }
}

/// Names of organisations and operators.
pub(super) struct Names {
    organisations: BTreeMap<OrganisationId, String>,
    operators: BTreeMap<OperatorId, Secret<String>>,
}

impl Names {
    /// Reads them.
    pub(super) async fn read(node: &Node, tx: &mut dyn Tx) -> Done<Self> {
        let organisations = tx.organisations().await?;
        let mut operators = BTreeMap::new();
        for row in tx.operators().await? {
            let name = node.open(&directory::name_context(row.operator), &row.sealed_name)?;
            let name = String::from_utf8_lossy(name.reveal()).into_owned();
            operators.insert(row.operator, Secret::new(name));
        }
        let organisations = organisations.into_iter().map(|row| (row.organisation, row.name));
        Ok(Self { organisations: organisations.collect(), operators })
    }

    /// With the names that belong to it.
    pub(super) fn case(&self, row: CaseRow) -> CaseSummary {
        let manager = self.operators.get(&row.manager).cloned();
        CaseSummary {
            organisation: self.organisation(row.organisation),
            manager: manager.unwrap_or_else(|| Secret::new(String::new())),
            row,
        }
    }

    /// With the name that belongs to it.
    pub(super) fn record(&self, row: RecordRow) -> RecordSummary {
        RecordSummary { organisation: self.organisation(row.organisation), row }
    }

    fn organisation(&self, id: OrganisationId) -> String {
        self.organisations.get(&id).cloned().unwrap_or_default()
    }
}
