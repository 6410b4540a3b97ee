//! Erases what has expired, and forgets what nobody needs any more.

use raccordo_core::planted::{self, Bug};
use raccordo_core::quota::Quota;

use super::Node;
use super::apply::end;
use super::audit::{Actor, record};
use super::fault::Done;
use super::hub::rights::CONFLICT_LIFETIME;
use super::matching::end::object_ended;
use super::pacts;
use super::signals::Topic;

/// Objects that one transaction expires.
const PAGE: u32 = 200;

/// Expires objects whose time has come; returns how many.
///
/// # Errors
/// The store's.
pub async fn expire(node: &Node) -> Done<usize> {
    let now = node.clock.now();
    let mut total = 0;
    if planted::is(Bug::ExpiryForgotten) {
        return Ok(0);
    }
    loop {
        let mut tx = node.store.write().await?;
        let rows = tx.objects_expired(now, PAGE).await?;
        let count = rows.len();
        for mut row in rows {
            let version = row.version;
            end(node, &mut row, raccordo_core::object::State::Expired, version, "");
            record(node, &mut *tx, Actor::Node, "object.expire", &row.object.to_string(), &[])
                .await?;
            tx.update_object(&row).await?;
            object_ended(&mut *tx, row.object).await?;
        }
        if total == 0 {
            tx.forget_seen(now).await?;
            // What overstays is told with the log; this is for équipes whose log stands still.
            tx.forget_chunks(now.minus(Quota::WholeDays.span())).await?;
            tx.delete_expired_at_hub(now).await?;
            tx.forget_identity_conflicts(now.minus(CONFLICT_LIFETIME)).await?;
            pacts::forget_unsigned(node, &mut *tx).await?;
            tx.delete_offers_before(now.minus(Quota::OfferDays.span())).await?;
        }
        tx.commit().await?;
        total += count;
        if count < PAGE as usize {
            if total > 0 {
                node.signals.wake(&Topic::Objects);
            }
            return Ok(total);
        }
    }
}
