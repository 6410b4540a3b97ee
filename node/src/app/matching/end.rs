//! The end of objects and records takes their tags and matches with it.

use std::collections::BTreeSet;

use raccordo_core::id::{LineageId, ObjectId, RecordId};
use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::life::State;

use super::{events, pairs, standing};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::pseudonym::forget_tokens;
use crate::store::Tx;

/// Forgets what was shown of an object, and its matches, at each node that sees its end.
///
/// # Errors
/// The store's.
pub async fn object_ended(tx: &mut dyn Tx, object: ObjectId) -> Done<()> {
    tx.delete_received_tags(object).await?;
    for row in tx.matches_of_object(object).await? {
        tx.delete_match(row.id).await?;
    }
    Ok(tx.delete_record_object(object).await?)
}

/// Ends the matches of a record that is erased, whose alerts have been withdrawn, and forgets
/// its tokens. Returns the équipes that have something to send.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn record_erased(
    node: &Node,
    tx: &mut dyn Tx,
    record: RecordId,
) -> Done<BTreeSet<LineageId>> {
    let mut told = BTreeSet::new();
    for row in tx.matches_of_record(record).await? {
        let end = match standing::read(&row)?.state {
            State::Linked => Some(Told::Unlinked),
            State::Candidate | State::ConfirmedBy(_) => Some(Told::Denied),
            State::Denied(_) | State::Unlinked(_) => None,
        };
        if let Some(end) = end {
            let event = Event { about: row.id, told: end };
            events::say(node, tx, row.lineage, &row.counterpart, event, None).await?;
            told.insert(row.lineage);
        }
        tx.delete_match(row.id).await?;
    }
    for row in tx.objects_of_record(record).await? {
        tx.delete_record_object(row.object).await?;
    }
    tx.forget_tokens(record).await?;
    pairs::forget_record(tx, record).await?;
    forget_tokens(node, tx, record).await?;
    Ok(told)
}
