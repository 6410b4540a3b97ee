//! Stop values: what many records share, and what is therefore no evidence at this node.

mod touched;

use raccordo_core::id::Digest;
use raccordo_core::normal::stop_list::{Stop, StopList};
use raccordo_core::normal::{company_number, phone};
use raccordo_core::operator::Action;
use raccordo_core::secret::Secret;

use crate::app::audit::record;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::register::keys;
use crate::app::{Node, pack};
use crate::store::Tx;
use crate::store::matching::StopValueRow;

/// Most stop values of one call.
pub const VALUES_MAX: usize = 1_000;
/// Purpose of the digest by which a stop value is found.
const INDEX: &str = "stop-value";

/// Context under which a stop value is sealed.
pub(in crate::app) fn context(digest: &Digest) -> String {
    format!("stop-value/{digest}")
}

/// A stop value as operators see it.
#[derive(Clone, Debug)]
pub struct StopValue {
    /// Its row.
    pub row: StopValueRow,
    /// The normalised value.
    pub value: Secret<String>,
}

/// What came of an addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Values that are new.
    pub added: u32,
    /// Values that were there.
    pub known: u32,
}

/// The stop list.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn list(node: &Node, tx: &mut dyn Tx) -> Done<StopList> {
    let mut stops = StopList::default();
    for row in tx.stop_values().await? {
        let kind = Stop::from_name(&row.kind);
        let kind = kind.ok_or_else(|| Fault::ours("row_damaged", "kind of a stop value"))?;
        stops.add(kind, &open(node, &row)?);
    }
    Ok(stops)
}

fn open(node: &Node, row: &StopValueRow) -> Done<Secret<String>> {
    let value = node.open(&context(&row.digest), &row.sealed)?;
    Ok(Secret::new(String::from_utf8_lossy(value.reveal()).into_owned()))
}

/// Adds values of one kind. The tokens of records that have one of them are made anew without.
///
/// # Errors
/// `role_not_allowed`, `unknown_kind`, `too_many`, `bad_value` with the place of the first
/// that has no normal form.
pub async fn add(
    node: &Node,
    operator: &Operator,
    kind: &str,
    values: &[Secret<String>],
) -> Done<Added> {
    operator.must(Action::ManageStops)?;
    let kind = kind_of(kind)?;
    if values.is_empty() || values.len() > VALUES_MAX {
        return Err(Fault::usage("too_many", "give 1 to 1000 values in one call"));
    }
    let mut normals = Vec::new();
    for (place, value) in values.iter().enumerate() {
        normals.push(normal(node, kind, value.reveal()).ok_or_else(|| bad_value(kind, place))?);
    }
    let mut touched = touched::Touched::by(kind, &normals);
    touched.look(node, &mut *node.store.read().await?).await?;
    let mut tx = node.store.write().await?;
    let index = keys::held(node, &mut *tx).await?.index;
    let mut added = Added::default();
    for value in normals {
        let digest = digest(&index, kind, &value);
        let row = StopValueRow {
            digest,
            kind: kind.name().to_owned(),
            sealed: node.seal(&context(&digest), value.reveal().as_bytes())?,
            added_by: operator.id,
            added_at: node.clock.now(),
        };
        match tx.put_stop_value(row).await? {
            true => added.added = added.added.saturating_add(1),
            false => added.known = added.known.saturating_add(1),
        }
    }
    let count = added.added.to_string();
    let detail = [("added", count.as_str())];
    record(node, &mut *tx, operator.actor(), "stop.add", kind.name(), &detail).await?;
    // Those that came meanwhile.
    touched.look(node, &mut *tx).await?;
    let woken = touched.want(node, &mut *tx).await?;
    tx.commit().await?;
    woken.into_iter().for_each(|lineage| pack::wake(node, lineage));
    Ok(added)
}

/// All stop values, oldest first.
///
/// # Errors
/// `role_not_allowed`.
pub async fn all(node: &Node, operator: &Operator) -> Done<Vec<StopValue>> {
    operator.must(Action::ManageStops)?;
    let mut tx = node.store.write().await?;
    record(node, &mut *tx, operator.actor(), "stop.read", "stop_value", &[]).await?;
    let rows = tx.stop_values().await?;
    tx.commit().await?;
    rows.into_iter().map(|row| Ok(StopValue { value: open(node, &row)?, row })).collect()
}

/// Takes a stop value off the list, named by its digest. The tokens of records that have it
/// are made anew.
///
/// # Errors
/// `role_not_allowed`, `no_such_stop_value`.
pub async fn remove(node: &Node, operator: &Operator, digest: &Digest) -> Done<()> {
    operator.must(Action::ManageStops)?;
    let missing = || {
        Fault::not_found("no_such_stop_value", "there is no such stop value here")
            .hint("see `raccordo stop list`")
    };
    let mut tx = node.store.read().await?;
    let row = tx.stop_values().await?.into_iter().find(|row| row.digest == *digest);
    let row = row.ok_or_else(missing)?;
    let mut touched = touched::Touched::by(kind_of(&row.kind)?, &[open(node, &row)?]);
    touched.look(node, &mut *tx).await?;
    drop(tx);
    let mut tx = node.store.write().await?;
    if !tx.delete_stop_value(digest).await? {
        return Err(missing());
    }
    record(node, &mut *tx, operator.actor(), "stop.remove", &digest.to_string(), &[]).await?;
    touched.look(node, &mut *tx).await?;
    let woken = touched.want(node, &mut *tx).await?;
    tx.commit().await?;
    woken.into_iter().for_each(|lineage| pack::wake(node, lineage));
    Ok(())
}

fn digest(index: &raccordo_core::vault::Vault, kind: Stop, value: &Secret<String>) -> Digest {
    let named = Secret::new(format!("{}|{}", kind.name(), value.reveal()));
    Digest(index.index(INDEX, named.reveal().as_bytes()))
}

fn kind_of(kind: &str) -> Done<Stop> {
    Stop::from_name(kind).ok_or_else(|| {
        Fault::usage("unknown_kind", "this is no kind of stop value")
            .hint("phone, place or company")
    })
}

fn bad_value(kind: Stop, place: usize) -> Fault {
    let line = place.saturating_add(1);
    let message = format!("value {line} is no {}", kind.name());
    Fault::usage("bad_value", message).hint("nothing was added; correct it and try again")
}

/// The form in which evidence is made of a value.
fn normal(node: &Node, kind: Stop, value: &str) -> Option<Secret<String>> {
    let comuni = node.matching.comuni(node);
    match kind {
        Stop::Phone => phone::e164(value).ok(),
        Stop::Place => comuni.code(value).or_else(|| comuni.named(value)).map(Secret::new),
        Stop::Company => {
            company_number::partita_iva(value).or_else(|_| company_number::rea(value)).ok()
        }
    }
}
