//! Opens a record: in the audit first, with its purpose.

use raccordo_core::alert::Alert;
use raccordo_core::id::{CaseId, RecordId};
use raccordo_core::register::{Entry, codes_context, entry_context, open_codes, open_entry};
use raccordo_core::vault::RecordKey;

use super::list::{CaseSummary, Names, RecordSummary};
use super::{case_met, keys, meets, no_such_record, purpose, reading, sealing};
use crate::app::Node;
use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::Done;
use crate::store::Tx;
use crate::store::register::RecordRow;

/// A record with what identifies it.
#[derive(Clone, Debug)]
pub struct RecordView {
    /// What the list shows of it.
    pub summary: RecordSummary,
    /// The values; none once it is erased.
    pub entries: Vec<Entry>,
    /// Of a company, in codes.
    pub codes: Alert,
}

/// A case with its person.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// What the list shows of it.
    pub summary: CaseSummary,
    /// What is said in codes.
    pub codes: Alert,
    /// The person.
    pub record: RecordView,
}

/// Opens a case and its person.
///
/// # Errors
/// `role_not_allowed`, `no_such_case`, `unknown_purpose`.
pub async fn case(node: &Node, operator: &Operator, id: CaseId, why: &str) -> Done<CaseView> {
    purpose(node, why)?;
    let mut tx = node.store.write().await?;
    let (case, row) = case_met(&mut *tx, operator, id, reading).await?;
    let detail = [("case", id.to_string()), ("purpose", why.to_owned())];
    let detail = detail.each_ref().map(|(key, value)| (*key, value.as_str()));
    record(node, &mut *tx, operator.actor(), "record.read", &row.record.to_string(), &detail)
        .await?;
    tx.commit().await?;
    let mut tx = node.store.read().await?;
    let key = keys::of_record(node, &mut *tx, &row).await?;
    let codes = codes(key.as_ref(), &id.to_string(), &case.sealed_codes)?;
    let names = Names::read(node, &mut *tx).await?;
    let record = opened(&mut *tx, &names, row, key).await?;
    Ok(CaseView { summary: names.case(case), codes, record })
}

/// Opens a company.
///
/// # Errors
/// `role_not_allowed`, `no_such_record`, `unknown_purpose`.
pub async fn company(
    node: &Node,
    operator: &Operator,
    id: RecordId,
    why: &str,
) -> Done<RecordView> {
    purpose(node, why)?;
    let mut tx = node.store.write().await?;
    let row = tx.register_record(id).await?.ok_or_else(no_such_record)?;
    operator.must(reading(&row))?;
    if !meets(operator, &row, reading) || row.kind != "company" {
        return Err(no_such_record());
    }
    record(node, &mut *tx, operator.actor(), "record.read", &id.to_string(), &[("purpose", why)])
        .await?;
    tx.commit().await?;
    let mut tx = node.store.read().await?;
    let key = keys::of_record(node, &mut *tx, &row).await?;
    let names = Names::read(node, &mut *tx).await?;
    opened(&mut *tx, &names, row, key).await
}

async fn opened(
    tx: &mut dyn Tx,
    names: &Names,
    row: RecordRow,
    key: Option<RecordKey>,
) -> Done<RecordView> {
    let mut entries = Vec::new();
    if let Some(key) = &key {
        for field in tx.record_fields(row.record).await? {
            let context = entry_context(row.record, field.place);
            entries.push(open_entry(key, &context, &field.sealed).map_err(sealing)?);
        }
    }
    let codes = codes(key.as_ref(), &row.record.to_string(), &row.sealed_codes)?;
    Ok(RecordView { summary: names.record(row), entries, codes })
}

fn codes(key: Option<&RecordKey>, id: &str, sealed: &[u8]) -> Done<Alert> {
    match key {
        Some(key) if !sealed.is_empty() => {
            open_codes(key, &codes_context(id), sealed).map_err(sealing)
        }
        _ => Ok(Alert::default()),
    }
}
