//! Where the ceremony of a class stands: read again from what the log said, moved on by its
//! time, and ended with what it made.

use std::collections::BTreeSet;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::envelope::{Body, KeyRenewal};
use raccordo_core::id::{EntryId, NodeId};
use raccordo_core::pseudonym::ceremony::{Act, Ceremony, Failure, Phase, Taken};
use raccordo_core::pseudonym::key::{Class, KeyEpoch};
use raccordo_core::time::Instant;

use super::memory::Replay;
use super::{PHASE, keys, say};
use crate::app::Node;
use crate::app::alarms::{self, NewAlarm};
use crate::app::audit::{Actor, record};
use crate::app::fault::Done;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::keys::{ActRow, CeremonyRow, SharingRow};

/// States of a ceremony's row.
pub(super) mod states {
    /// Here, and not in the log yet.
    pub const PLANNED: &str = "planned";
    /// In the log.
    pub const RUNNING: &str = "running";
    /// What it made is in force.
    pub const DONE: &str = "done";
    /// It made nothing.
    pub const FAILED: &str = "failed";
    /// The members changed, or another plan was first.
    pub const OVERTAKEN: &str = "overtaken";
}

/// A ceremony in the log.
pub(super) struct Running {
    pub row: CeremonyRow,
    /// As the log has told it up to the newest entry.
    pub ceremony: Ceremony,
    /// As the acts alone have told it.
    replay: Replay,
}

/// The newest ceremony of a class, whatever became of it.
pub(super) async fn newest(work: &mut Work<'_>, class: Class) -> Done<Option<CeremonyRow>> {
    let lineage = work.row.lineage;
    let rows = work.tx()?.key_ceremonies(lineage).await?;
    Ok(rows.into_iter().find(|row| row.class == class))
}

/// The running ceremony of a class.
///
/// # Errors
/// Damaged rows.
pub(super) async fn running(
    node: &Node,
    work: &mut Work<'_>,
    class: Class,
) -> Done<Option<Running>> {
    let row = newest(work, class).await?.filter(|row| row.state == states::RUNNING);
    let Some(row) = row else { return Ok(None) };
    let heard = work.row.accepted_at;
    let said = work.tx()?.key_acts(row.lineage, row.class).await?;
    let replay = node.keys.replay(&row, &said)?;
    let ceremony = passed(&replay, heard);
    Ok(Some(Running { row, ceremony, replay }))
}

/// A ceremony as the log has told it up to the time that was `heard`.
///
/// # Errors
/// Damaged rows.
pub(super) async fn replayed(
    node: &Node,
    tx: &mut dyn Tx,
    row: &CeremonyRow,
    heard: Instant,
) -> Done<Ceremony> {
    let said = tx.key_acts(row.lineage, row.class).await?;
    Ok(passed(&node.keys.replay(row, &said)?, heard))
}

/// Phases that time has ended left no words.
fn passed(replay: &Replay, heard: Instant) -> Ceremony {
    let mut ceremony = replay.ceremony.clone();
    ceremony.pass(heard);
    ceremony
}

impl Running {
    /// Takes an act of the log; what counts is kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn take(
        &mut self,
        node: &Node,
        work: &mut Work<'_>,
        (sender, at): (&NodeId, Instant),
        (act, bytes): (&Act, &[u8]),
    ) -> Done<Taken> {
        let mut ceremony = self.replay.ceremony.clone();
        let taken = ceremony.apply(sender, at, act);
        if matches!(taken, Taken::Ignored(_) | Taken::Dissent) {
            return Ok(taken);
        }
        let Running { row, replay, .. } = self;
        replay.note(sender, at, bytes);
        replay.ceremony.clone_from(&ceremony);
        let said = ActRow {
            lineage: row.lineage,
            class: row.class,
            position: u32::try_from(replay.acts).unwrap_or(u32::MAX),
            sender: sender.clone(),
            at,
            act: bytes.to_vec(),
        };
        work.tx()?.insert_key_act(said).await?;
        node.keys.remember(row, replay);
        self.ceremony = ceremony;
        Ok(taken)
    }
}

/// The running ceremony of a name.
pub(super) async fn running_of(
    node: &Node,
    work: &mut Work<'_>,
    run: EntryId,
) -> Done<Option<Running>> {
    let lineage = work.row.lineage;
    let rows = work.tx()?.key_ceremonies(lineage).await?;
    let row = rows.iter().find(|row| row.run == run && row.state == states::RUNNING);
    match row {
        Some(row) => running(node, work, row.class).await,
        None => Ok(None),
    }
}

/// Lets the log's time pass in all running ceremonies: before anything else of an entry that
/// the log accepted at `at`, so that all members stand alike.
///
/// # Errors
/// The store's, or damaged rows.
pub(super) async fn pass(node: &Node, work: &mut Work<'_>, at: Instant) -> Done<()> {
    let lineage = work.row.lineage;
    for row in work.tx()?.key_ceremonies(lineage).await? {
        if row.state == states::RUNNING
            && row.until <= at
            && let Some(mut running) = running(node, work, row.class).await?
        {
            running.ceremony.pass(at);
            keep(node, work, running).await?;
        }
    }
    Ok(())
}

/// Keeps where a ceremony stands; once it is over, also what it made.
///
/// # Errors
/// The store's.
pub(super) async fn keep(node: &Node, work: &mut Work<'_>, running: Running) -> Done<()> {
    let Running { mut row, ceremony, .. } = running;
    let (lineage, class) = (row.lineage, row.class);
    name_faults(node, work, &row, &ceremony).await?;
    row.until = ceremony.until();
    if ceremony.is_over() {
        row.until = ceremony.until().minus(ceremony.plan().phase());
        row.sealed_seed = Vec::new();
        work.tx()?.delete_key_acts(lineage, class).await?;
        node.keys.forget(&row);
    }
    match ceremony.phase() {
        Phase::Done => {
            put_in_force(node, work, &row, &ceremony).await?;
            row.state = states::DONE.into();
            row.failures = 0;
            row.failure = String::new();
        }
        Phase::Failed(failure) => {
            row.state = states::FAILED.into();
            row.failures = row.failures.saturating_add(1);
            row.failure = failure.to_string();
            failed(node, work, class, &ceremony, failure).await?;
        }
        Phase::Dealing | Phase::Reporting | Phase::Answering | Phase::Agreeing => {}
    }
    let tx = work.tx()?;
    tx.put_key_ceremony(row).await?;
    Ok(tx.hasten_key_duty(lineage).await?)
}

/// Ends a ceremony that the members' change, or a better plan, has overtaken.
///
/// # Errors
/// The store's.
pub(super) async fn overtake(work: &mut Work<'_>, mut row: CeremonyRow) -> Done<()> {
    let (lineage, class) = (row.lineage, row.class);
    row.state = states::OVERTAKEN.into();
    row.sealed_seed = Vec::new();
    let tx = work.tx()?;
    tx.delete_key_acts(lineage, class).await?;
    tx.put_key_ceremony(row).await?;
    Ok(tx.hasten_key_duty(lineage).await?)
}

async fn name_faults(
    node: &Node,
    work: &mut Work<'_>,
    row: &CeremonyRow,
    ceremony: &Ceremony,
) -> Done<()> {
    for (dealer, fault) in ceremony.faults() {
        let detail = format!("{}{dealer} {fault}", making(row.class));
        let alarm = NewAlarm::new(AlarmCode::KeyDealingBad, detail).about(dealer);
        alarms::raise_within(node, work, alarm).await?;
    }
    Ok(())
}

/// With what the words about a fault begin: it is amended where the same is done rightly.
fn making(class: Class) -> String {
    format!("making the key of {class}: ")
}

async fn put_in_force(
    node: &Node,
    work: &mut Work<'_>,
    row: &CeremonyRow,
    ceremony: &Ceremony,
) -> Done<()> {
    let Some(sharing) = ceremony.sharing() else { return Ok(()) };
    let (key, generation) = (sharing.key(), sharing.generation());
    let (lineage, class) = (key.lineage, key.class);
    let has_share = keys::keep_share(node, work, ceremony).await?;
    let before = keys::in_force(node, work.tx()?, lineage, class).await?.map(|(row, _)| row);
    let first = ceremony.plan().old().is_none() && key.epoch == KeyEpoch::FIRST;
    // What an administrator asked for has not come by sharing the same key anew.
    let asked = before.as_ref().is_some_and(|row| row.asked && row.key_epoch == key.epoch);
    // Who was there when there was no key has seen all requests.
    let seen_from = match &before {
        Some(before) => before.seen_from,
        None if first => Instant(0),
        None => row.began_at,
    };
    let detail = [
        ("class", class.name().to_owned()),
        ("key_epoch", key.epoch.to_string()),
        ("generation", generation.to_string()),
        ("threshold", sharing.threshold().to_string()),
        ("share", if has_share { "own" } else { "none" }.to_owned()),
    ];
    let detail = detail.each_ref().map(|(name, value)| (*name, value.as_str()));
    let tx = work.tx()?;
    record(node, tx, Actor::Node, "equipe.key", &lineage.to_string(), &detail).await?;
    tx.put_key_sharing(SharingRow {
        lineage,
        class,
        key_epoch: key.epoch,
        generation,
        sharing: sharing.encode(),
        since: row.until,
        seen_from,
        renewal: String::new(),
        asked,
        asked_by: BTreeSet::new(),
    })
    .await?;
    tx.retire_key_shares(lineage, class, key.epoch, generation).await?;
    alarms::end_all(node, tx, lineage, Ending::KeyMade).await?;
    let (good, same) = (ceremony.good_dealers(), making(class));
    alarms::end(node, tx, lineage, Ending::Amends, |row| {
        row.code == AlarmCode::KeyDealingBad
            && row.detail.starts_with(&same)
            && row.member.as_ref().is_some_and(|member| good.contains(member))
    })
    .await?;
    if asked {
        let renewal = KeyRenewal { class, key_epoch: key.epoch };
        say(node, work, Body::KeyRenewal(renewal), false).await?;
    }
    let tx = work.tx()?;
    if before.is_none_or(|before| before.key_epoch != key.epoch) {
        for request in tx.token_requests(lineage, class).await? {
            tx.delete_token_request(lineage, request.request).await?;
        }
        for state in ["asked", "made"] {
            tx.want_tokens_again(lineage, class, state).await?;
        }
    }
    tracing::info!(%lineage, %class, epoch = key.epoch.0, generation = generation.0, "key in force");
    Ok(())
}

async fn failed(
    node: &Node,
    work: &mut Work<'_>,
    class: Class,
    ceremony: &Ceremony,
    failure: Failure,
) -> Done<()> {
    let plan = ceremony.plan();
    let minutes = PHASE.as_secs() / 60;
    let detail = format!(
        "the key of {class} (epoch {}, sharing {}) was not made: {failure}, with {minutes} minutes \
         for each step; it is tried again when they are there",
        plan.key().epoch,
        plan.generation()
    );
    let alarm = NewAlarm::new(AlarmCode::KeyCeremonyFailed, detail);
    alarms::raise_within(node, work, alarm).await.map(drop)
}
