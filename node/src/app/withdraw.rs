//! Withdraws an own alert: its body is erased here at once and at every member when the
//! event arrives; a tombstone without content stays.

use raccordo_core::alert;
use raccordo_core::envelope::{Body, Change, ObjectEvent};
use raccordo_core::id::ObjectId;
use raccordo_core::object::{self, Applied, Event, Refusal, Subject};
use raccordo_core::operator::Action;

use super::alerts::no_such_alert;
use super::apply::{end, open_share, standing};
use super::audit::record;
use super::directory::Operator;
use super::fault::{Done, Fault};
use super::share::{author, envelope, rows_for};
use super::signals::Topic;
use super::work::Work;
use super::{Node, matching, pack};
use crate::store::object::ObjectRow;

/// Withdraws with a reason from the list `withdrawal_reason`.
///
/// # Errors
/// `no_such_alert`, `unknown_reason`, `not_origin`, `already_ended`, `role_not_allowed`.
pub async fn withdraw(
    node: &Node,
    operator: &Operator,
    id: ObjectId,
    reason: &str,
) -> Done<ObjectRow> {
    if node.lists.lookup("withdrawal_reason", reason).is_none() {
        return Err(Fault::usage("unknown_reason", "this is no reason of withdrawal")
            .hint("see `raccordo codes list withdrawal_reason`"));
    }
    let known = node.store.read().await?.object(id).await?;
    let lineage = known.ok_or_else(no_such_alert)?.lineage;
    let Some(mut work) = Work::begin(node, lineage).await? else { return Err(no_such_alert()) };
    let mut row = work.tx()?.object(id).await?.ok_or_else(no_such_alert)?;
    let now = node.clock.now();
    let share = open_share(node, &row)?;
    let subject = share.as_ref().map_or(Subject::Person, |share| alert::subject(&share.alert));
    operator.must(Action::WithdrawAlert(subject))?;
    let event = Event {
        sender: node.identity.node.clone(),
        author: Some((operator.role, operator.class)),
        version: row.version + 1,
        change: object::Change::Withdraw,
    };
    let decided = object::apply(Some(&standing(&row, subject)?), &event, now);
    let next = match decided {
        Ok(Applied::Changed(next)) => next,
        Ok(Applied::Already) => return Ok(row),
        Err(refusal @ (Refusal::NotOrigin | Refusal::Author)) => {
            return Err(Fault::refused(refusal.reason(), refusal.to_string())
                .hint(format!("ask {} to withdraw it", row.origin)));
        }
        Err(refusal) => return Err(Fault::conflict(refusal.reason(), refusal.to_string())),
    };
    end(node, &mut row, next.state, next.version, reason);
    let change = Change::Withdrawal { reason: reason.to_owned() };
    let body = Body::ObjectEvent(ObjectEvent { object: id, version: next.version, change });
    let envelope = envelope(node, lineage, author(operator), now, body);
    let rows = rows_for(node, &envelope, Some(id))?;
    let tx = work.tx()?;
    let detail = [("reason", reason)];
    record(node, tx, operator.actor(), "alert.withdraw", &id.to_string(), &detail).await?;
    tx.update_object(&row).await?;
    matching::end::object_ended(tx, id).await?;
    tx.queue_envelopes(rows).await?;
    pack::pack_within(node, &mut work).await?;
    work.commit().await?;
    pack::wake(node, lineage);
    node.signals.wake(&Topic::Objects);
    Ok(row)
}
