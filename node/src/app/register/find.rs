//! Finds records by values that they hold: in the audit first, with its purpose.

use std::collections::BTreeMap;

use raccordo_core::alert::FieldError;
use raccordo_core::id::RecordId;
use raccordo_core::operator::Action;
use raccordo_core::register::{Field, Identity, digest, tidy};

use super::list::{CaseSummary, Names, RecordSummary};
use super::{ERASED, keys, meets, purpose, reading};
use crate::app::Node;
use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};

/// Records that one value finds, at most.
const FOUND_MAX: u32 = 100;

/// A record that has some of the values.
#[derive(Clone, Debug)]
pub struct Found {
    /// What the list shows of it.
    pub summary: RecordSummary,
    /// Its cases.
    pub cases: Vec<CaseSummary>,
    /// Which fields agree.
    pub fields: Vec<Field>,
}

/// Finds records that have at least one of these values, those with the most first.
///
/// # Errors
/// `role_not_allowed`, `unknown_purpose`, `nothing_sought`.
pub async fn find(
    node: &Node,
    operator: &Operator,
    sought: Identity,
    why: &str,
) -> Done<Result<Vec<Found>, Vec<FieldError>>> {
    operator.must(Action::ReadRecord(sought.subject()))?;
    purpose(node, why)?;
    let sought = match tidy(&node.lists, sought) {
        Ok(sought) => sought,
        Err(errors) => return Ok(Err(errors)),
    };
    if sought.entries.is_empty() {
        return Err(Fault::usage("nothing_sought", "give at least one value to look for"));
    }
    let mut fields: Vec<&str> = sought.entries.iter().map(|entry| entry.field.as_str()).collect();
    fields.sort_unstable();
    fields.dedup();
    let fields = fields.join(" ");
    let detail = [("fields", fields.as_str()), ("purpose", why)];
    let mut tx = node.store.write().await?;
    let kind = sought.kind.as_str();
    record(node, &mut *tx, operator.actor(), "register.find", kind, &detail).await?;
    tx.commit().await?;
    matching(node, operator, &sought).await.map(Ok)
}

async fn matching(node: &Node, operator: &Operator, sought: &Identity) -> Done<Vec<Found>> {
    let mut tx = node.store.read().await?;
    let Some(index) = keys::index(node, &mut *tx).await? else { return Ok(Vec::new()) };
    let mut agreeing: BTreeMap<RecordId, Vec<Field>> = BTreeMap::new();
    for entry in &sought.entries {
        let Some(digest) = digest(&index, entry) else { continue };
        for id in tx.records_with(&digest, FOUND_MAX).await? {
            let fields = agreeing.entry(id).or_default();
            if !fields.contains(&entry.field) {
                fields.push(entry.field);
            }
        }
    }
    let names = Names::read(node, &mut *tx).await?;
    let ids: Vec<RecordId> = agreeing.keys().copied().collect();
    let mut found = Vec::new();
    for row in tx.records_among(&ids).await? {
        let kind = row.kind == sought.kind.as_str();
        if !kind || row.state == ERASED || !meets(operator, &row, reading) {
            continue;
        }
        let cases = tx.cases_of(row.record).await?;
        let fields = agreeing.remove(&row.record).unwrap_or_default();
        let cases = cases.into_iter().map(|case| names.case(case)).collect();
        found.push(Found { summary: names.record(row), cases, fields });
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.fields.len()));
    Ok(found)
}
