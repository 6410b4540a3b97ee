//! Which records are to have tokens, and in which équipes.

use std::collections::BTreeSet;

use raccordo_core::id::{LineageId, RecordId};
use raccordo_core::pseudonym::key::Class;
use raccordo_core::register::RecordKind;
use raccordo_core::sending::Standing;

use crate::app::Node;
use crate::app::fault::Done;
use crate::app::pseudonym::want_tokens;
use crate::store::Tx;

/// Wants tokens of records that were added or changed, in every équipe that is active here.
/// The caller wakes the équipes that are returned, after its commit.
///
/// # Errors
/// The store's.
pub async fn want(node: &Node, tx: &mut dyn Tx, records: &[RecordId]) -> Done<BTreeSet<LineageId>> {
    let mut woken = BTreeSet::new();
    for equipe in tx.equipes().await? {
        if Standing::parse(&equipe.state) == Some(Standing::Active) {
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
    for row in tx.records_among(records).await? {
        let classes: &[Class] = match RecordKind::parse(&row.kind) {
            // A sole trader is known by a codice fiscale too.
            Some(RecordKind::Company) if row.subject == "person" => {
                &[Class::PersonStrong, Class::Company]
            }
            Some(RecordKind::Company) => &[Class::Company],
            _ => &[Class::PersonStrong, Class::PersonWeak],
        };
        want_tokens(tx, lineage, row.record, classes, node.clock.now()).await?;
    }
    Ok(())
}
