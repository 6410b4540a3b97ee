//! Sends what an équipe has to say: packs, calls the hub, notes the answer, again and
//! again until nothing is left.

use raccordo_core::id::LineageId;
use raccordo_core::planted::{self, Bug};

use super::line::{Line, Up};
use super::link::{HubLink, LinkError};
use super::{Backoff, Trouble};
use crate::app::fault::{Done, Fault};
use crate::app::hub::append::{Appended, Handed};
use crate::app::send::{self, AppendCall};
use crate::app::signals::Topic;
use crate::app::status::Link;
use crate::app::work::Work;
use crate::app::{Node, matching, pack, pseudonym};
use crate::store::outbox::EntryState;
use crate::telemetry::{APPEND_SECONDS, ENTRIES_SENT};

/// Reason of a hub whose disk was put back: it is reached, and does not go on.
const HUB_BEHIND: &str = "hub_behind";

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing can be sent now.
    Idle,
    /// The hub has answered for so many entries.
    Settled(usize),
}

/// Hands the hub what is packed, or packs what is queued and hands that over, and notes the
/// hub's answer.
///
/// What the hub did not answer stays as it is and is handed over again byte for byte.
///
/// # Errors
/// The store's, or why the hub could not be asked.
pub async fn step(
    node: &Node,
    link: &dyn HubLink,
    lineage: LineageId,
) -> Result<Progress, Trouble> {
    if planted::is(Bug::SendBeforeStoring) {
        return unstored(node, link, lineage).await;
    }
    let Some(call) = next_call(node, lineage).await? else { return Ok(Progress::Idle) };
    tracing::debug!(%lineage, step = "append_sent");
    let (call, appended) = match link.append(&call).await {
        Ok(appended) => (call, appended),
        Err(full @ LinkError::Full { .. }) => {
            let change = send::next_change(node, lineage).await?;
            let change = change.filter(|change| change.entries != call.entries);
            let Some(change) = change else { return Err(full.into()) };
            let appended = link.append(&change).await?;
            (change, appended)
        }
        Err(error) => return Err(error.into()),
    };
    check(&call, &appended)?;
    tracing::debug!(%lineage, step = "append_answered");
    send::answered(node, lineage, &call, &appended).await?;
    tracing::debug!(%lineage, step = "append_settled");
    Ok(Progress::Settled(appended.outcomes.len()))
}

/// Hands the hub what is not yet stored.
async fn unstored(
    node: &Node,
    link: &dyn HubLink,
    lineage: LineageId,
) -> Result<Progress, Trouble> {
    if let Some(mut work) = Work::begin(node, lineage).await? {
        pack::pack_within(node, &mut work).await?;
        let (group, asked_at) = (work.row.group, work.row.sequence);
        let rows = work.tx()?.entries_in(lineage, EntryState::Pending, 1).await;
        let entries = rows.map_err(Fault::from)?.into_iter().map(|row| Handed {
            entry: row.entry,
            kind: row.kind,
            epoch: row.epoch,
            payload: row.payload,
            group_info: row.group_info,
            welcome: row.welcome,
        });
        let call = AppendCall { group, entries: entries.collect(), asked_at };
        if !call.entries.is_empty() {
            link.append(&call).await?;
        }
        work.commit().await?;
    }
    Ok(Progress::Idle)
}

/// What is packed goes first: whoever shared it has packed it already.
async fn next_call(node: &Node, lineage: LineageId) -> Done<Option<AppendCall>> {
    let packed = send::next_call(node, lineage).await?;
    if packed.is_some() {
        return Ok(packed);
    }
    pseudonym::tend(node, lineage).await?;
    while matching::tend(node, lineage).await? {}
    pack::pack(node, lineage).await?;
    send::next_call(node, lineage).await
}

/// An answer must be for the first entries of the call, in their order.
fn check(call: &AppendCall, appended: &Appended) -> Result<(), LinkError> {
    let asked = call.entries.iter().map(|handed| handed.entry);
    let answered = appended.outcomes.iter().map(|(entry, _)| *entry);
    let count = appended.outcomes.len();
    if count == 0 || count > call.entries.len() || !asked.take(count).eq(answered) {
        return Err(LinkError::bad_answer("the hub's answer is for other entries"));
    }
    Ok(())
}

/// Sends for one équipe until told to stop.
pub(super) async fn run(line: Line, lineage: LineageId) {
    let node = line.node.clone();
    // Before the first step, so that nothing queued meanwhile is missed.
    let mut queued = node.signals.listen(Topic::Outbox(lineage));
    let mut backoff = Backoff::for_connections();
    while line.up().await == Up::Yes {
        let began = std::time::Instant::now();
        match step(&node, &*line.link, lineage).await {
            Ok(Progress::Settled(count)) => {
                backoff.reset();
                metrics::counter!(ENTRIES_SENT.name).increment(count as u64);
                metrics::histogram!(APPEND_SECONDS.name).record(began.elapsed());
            }
            Ok(Progress::Idle) => {
                tracing::debug!(%lineage, step = "idle");
                backoff.reset();
                tokio::select! {
                    _ = queued.changed() => {}
                    () = line.stop.cancelled() => return,
                }
            }
            Err(trouble) => {
                trouble.log("sending", &line.hub);
                if trouble.reason() == HUB_BEHIND {
                    let (problem, reason) = (trouble.to_string(), HUB_BEHIND.to_owned());
                    let hint = trouble.hint().to_owned();
                    node.links.note(&line.hub, Link { connected: true, problem, hint, reason });
                }
                line.pause(backoff.next(&*node.entropy)).await;
            }
        }
    }
}
