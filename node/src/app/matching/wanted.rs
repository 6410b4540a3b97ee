//! Which records are to have tokens, and in which équipes.

use std::collections::BTreeSet;

use raccordo_core::id::{LineageId, RecordId};
use raccordo_core::pseudonym::key::Class;
use raccordo_core::register::RecordKind;
use raccordo_core::sending::Standing;

use crate::app::Node;
use crate::app::fault::Done;
use crate::app::pseudonym::want_tokens;
use crate::app::register::ERASED;
use crate::store::Tx;
use crate::store::register::{RecordRow, RegisterFilter};

/// Records that are read at once.
const PAGE: u32 = 500;

/// Wants tokens of records that were added or changed, in every équipe that is active here.
/// The caller wakes the équipes that are returned, after its commit.
///
/// # Errors
/// The store's.
pub async fn want(node: &Node, tx: &mut dyn Tx, records: &[RecordId]) -> Done<BTreeSet<LineageId>> {
    let mut woken = BTreeSet::new();
    for equipe in tx.equipes().await? {
        if Standing::parse(&equipe.state) == Some(Standing::Active) && !records.is_empty() {
            want_in(node, tx, equipe.lineage, records).await?;
            woken.insert(equipe.lineage);
        }
    }
    Ok(woken)
}

/// The same in one équipe.
///
/// # Errors
/// The store's.
pub async fn want_in(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    records: &[RecordId],
) -> Done<()> {
    begin(node, tx, lineage).await?;
    for mut row in tx.records_among(records).await? {
        row.changed_at = node.clock.now();
        want_one(tx, lineage, &row).await?;
    }
    Ok(())
}

/// Wants tokens of all records, where an équipe has never been asked for any: the records of
/// a node are older than its membership. Whether it did.
///
/// # Errors
/// The store's.
pub(super) async fn begin(node: &Node, tx: &mut dyn Tx, lineage: LineageId) -> Done<bool> {
    if node.matching.has_begun(lineage) {
        return Ok(false);
    }
    for class in [Class::PersonStrong, Class::Company] {
        for state in ["wanted", "asked", "made"] {
            if tx.count_wanted_tokens(lineage, class, state).await? > 0 {
                // Only what is durable is remembered: this transaction may still fail.
                node.matching.begun(lineage);
                return Ok(false);
            }
        }
    }
    let mut filter = RegisterFilter { limit: PAGE, ..RegisterFilter::default() };
    let mut any = false;
    loop {
        let rows = tx.list_records(&filter).await?;
        for row in rows.iter().filter(|row| row.state != ERASED) {
            want_one(tx, lineage, row).await?;
            any = true;
        }
        filter.after_position = rows.last().map_or(0, |row| row.position);
        if rows.len() < PAGE as usize {
            return Ok(any);
        }
    }
}

/// Wants tokens of single classes of records, in every équipe that is active here. The caller wakes the équipes that are returned, after its commit.
///
/// # Errors
/// The store's.
pub(super) async fn want_class(
    node: &Node,
    tx: &mut dyn Tx,
    records: &[(RecordId, Class)],
) -> Done<BTreeSet<LineageId>> {
    let (mut woken, now) = (BTreeSet::new(), node.clock.now());
    for equipe in tx.equipes().await? {
        if Standing::parse(&equipe.state) == Some(Standing::Active) && !records.is_empty() {
            begin(node, tx, equipe.lineage).await?;
            for (record, class) in records {
                want_tokens(tx, equipe.lineage, *record, &[*class], now).await?;
            }
            woken.insert(equipe.lineage);
        }
    }
    Ok(woken)
}

async fn want_one(tx: &mut dyn Tx, lineage: LineageId, row: &RecordRow) -> Done<()> {
    let classes: &[Class] = match RecordKind::parse(&row.kind) {
        // A sole trader is known by a codice fiscale too.
        Some(RecordKind::Company) if row.subject == "person" => {
            &[Class::PersonStrong, Class::Company]
        }
        Some(RecordKind::Company) => &[Class::Company],
        _ => &[Class::PersonStrong, Class::PersonWeak],
    };
    want_tokens(tx, lineage, row.record, classes, row.changed_at).await
}
