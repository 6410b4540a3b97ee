//! A message of a ceremony, in the log.

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::hublog::LogEntry;
use raccordo_core::pseudonym::ceremony::{Act, Taken};

use super::Applied;
use super::ceremony;
use crate::app::Node;
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::Done;
use crate::app::work::Work;

/// Takes a message; one of a ceremony that does not run has no effect.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn acted(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    bytes: &[u8],
) -> Done<Applied> {
    let Ok((run, act)) = Act::decode(bytes) else { return Ok(Err("key_act_malformed")) };
    ceremony::pass(node, work, entry.accepted_at).await?;
    let Some(mut running) = ceremony::running_of(node, work, run).await? else { return Ok(Ok(())) };
    let class = running.row.class;
    let said = (&entry.sender, entry.accepted_at);
    match running.take(node, work, said, (&act, bytes)).await? {
        Taken::Ignored(_) => return Ok(Ok(())),
        Taken::Dissent => {
            let detail = format!(
                "{} agreed to another key of {class} than the log shows here: compare the logs",
                entry.sender
            );
            let alarm = NewAlarm::new(AlarmCode::KeyDissent, detail);
            let alarm = alarm.about(&entry.sender).at(entry.sequence);
            alarms::raise_within(node, work, alarm).await?;
            return Ok(Ok(()));
        }
        Taken::Counted if matches!(act, Act::Agree(_)) => {
            alarms::end_within(node, work, Ending::Amends, |row| {
                row.code == AlarmCode::KeyDissent && row.member.as_ref() == Some(&entry.sender)
            })
            .await?;
        }
        // A fault counts: the ceremony goes on without its maker.
        Taken::Counted | Taken::Fault(_) => {}
    }
    ceremony::keep(node, work, running).await?;
    Ok(Ok(()))
}
