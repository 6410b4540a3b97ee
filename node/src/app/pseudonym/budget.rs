//! How much each member has asked for today, as the log tells it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::pseudonym::budget::{Charge, Meter, Ticket};
use raccordo_core::pseudonym::key::Class;
use raccordo_core::time::Instant;

use crate::app::Node;
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::keys::BudgetRow;
use crate::telemetry::TOKENS_REFUSED;

/// Counts a request of the log; who goes over is named to the people of every member.
///
/// # Errors
/// The store's, or a damaged row.
pub(super) async fn charge(node: &Node, work: &mut Work<'_>, ticket: &Ticket) -> Done<Charge> {
    let lineage = work.row.lineage;
    let pact = work.pact(node)?;
    let mut meter = meter(work.tx()?, lineage).await?;
    let charge = meter.charge(&pact.terms().budget, ticket);
    for (day, requester, class, used, refused) in meter.rows() {
        if (requester, class) == (&ticket.requester, ticket.class) {
            let (day, requester) = (day.to_string(), requester.clone());
            let row = BudgetRow { lineage, day, requester, class, used, refused };
            work.tx()?.put_budget_use(row).await?;
        }
    }
    if let Charge::Over { limit, used, alarm: told } = charge {
        metrics::counter!(TOKENS_REFUSED.name, "class" => ticket.class.name())
            .increment(u64::from(ticket.count));
        if told {
            let Ticket { requester, class, count, .. } = ticket;
            let detail = format!(
                "{requester} asked for {count} tokens of {class} after {used}, and the pact \
                 allows {limit} in a day: nobody answers; ask its administrator why"
            );
            let alarm = NewAlarm::new(AlarmCode::TokenBudgetExceeded, detail).about(requester);
            alarms::raise_within(node, work, alarm).await?;
        }
    }
    // On another day it keeps within what the pact allows.
    let mut today = meter.rows().filter(|(_, requester, ..)| *requester == &ticket.requester);
    if today.all(|(.., refused)| refused == 0) {
        alarms::end_within(node, work, Ending::Amends, |row| {
            row.code == AlarmCode::TokenBudgetExceeded
                && row.member.as_ref() == Some(&ticket.requester)
        })
        .await?;
    }
    Ok(charge)
}

/// What was asked for on the newest day of the log.
///
/// # Errors
/// The store's, or a damaged row.
pub(super) async fn meter(tx: &mut dyn Tx, lineage: LineageId) -> Done<Meter> {
    let rows = tx.budget_uses(lineage).await?;
    let read = |row: BudgetRow| {
        let day: Date =
            row.day.parse().map_err(|_| Fault::ours("row_damaged", "day of a budget"))?;
        Ok((day, row.requester, row.class, row.used, row.refused))
    };
    Ok(Meter::from_rows(rows.into_iter().map(read).collect::<Done<Vec<_>>>()?))
}

/// What a member used today, by class.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn used(
    tx: &mut dyn Tx,
    lineage: LineageId,
    member: &NodeId,
    now: Instant,
) -> Done<BTreeMap<Class, u32>> {
    let meter = meter(tx, lineage).await?;
    Ok(Class::ALL.into_iter().map(|class| (class, meter.used(member, class, now))).collect())
}
