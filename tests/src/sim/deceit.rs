//! A member that says what is not so: of the log, of others, of itself. Nothing of it stops the
//! others, and what it is told of ends as the table of alarms says.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::audit::{AuditHead, SignedAuditHead};
use raccordo_core::envelope::{Body, Echo, PackHead, pad};
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{Digest, EntryId, NodeId, Sequence};
use raccordo_core::sending::{Gate, gate};
use raccordo_core::trust::notice::NoticeKind;
use raccordo_core::wire;
use raccordo_node::app::fault::{Done, Fault};
use raccordo_node::app::work::Work;
use raccordo_node::app::{Node, notices, pack};
use raccordo_node::store::equipe::AlarmRow;
use raccordo_node::store::outbox::{EntryRow, EntryState};

use super::parties::answered;
use super::task::ready;
use super::world::World;
use super::{Checked, Violation};

/// Members that deceive in one run.
const DECEIVERS_MAX: usize = 2;
/// Entries of one look.
const MANY: u32 = 1_000;

/// What is said that is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deceit {
    /// Another head of a place behind.
    HeadBehind,
    /// A head of a place that the log has not reached.
    HeadAhead,
    /// Other keys of the epoch.
    Keys,
    /// A message once more.
    Replay,
    /// That another member is revoked.
    Distrust,
    /// That an entry cannot be processed.
    CannotProcess,
    /// That a change is void.
    Void,
    /// That it leaves.
    Leaves,
    /// That its audit chain is shorter than it said before.
    Audit,
}

impl Deceit {
    const ALL: [Self; 9] = [
        Self::HeadBehind,
        Self::HeadAhead,
        Self::Keys,
        Self::Replay,
        Self::Distrust,
        Self::CannotProcess,
        Self::Void,
        Self::Leaves,
        Self::Audit,
    ];
}

/// Alarms that a member alone can bring about by what it says.
const OF_DECEIT: [AlarmCode; 7] = [
    AlarmCode::EchoDisagrees,
    AlarmCode::EntryReplayed,
    AlarmCode::NoticeRevocation,
    AlarmCode::NoticeCannotProcess,
    AlarmCode::NoticeVoid,
    AlarmCode::NoticeLeave,
    AlarmCode::AuditWentBack,
];

/// Those of them that end once their member says what is so.
const ENDED_BY_TRUTH: [AlarmCode; 3] =
    [AlarmCode::EchoDisagrees, AlarmCode::NoticeCannotProcess, AlarmCode::NoticeVoid];

/// Whether an alarm is about what one of these has said that was not so.
pub fn is_of(alarm: &AlarmRow, deceivers: &[NodeId]) -> bool {
    OF_DECEIT.contains(&alarm.code)
        && alarm.member.as_ref().is_some_and(|member| deceivers.contains(member))
}

/// The pack of a member with a false echo; or with a false word of its audit.
async fn false_pack(node: &Node, work: &mut Work<'_>, deceit: Deceit) -> Done<Vec<u8>> {
    let row = work.row.clone();
    let mut echo = Echo {
        sequence: row.sequence,
        head: row.head,
        authenticator: row.authenticator.clone(),
        signature: None,
    };
    match deceit {
        Deceit::HeadBehind => {
            echo.sequence = Sequence(row.sequence.0.saturating_sub(1).max(1));
            echo.head = Digest([66; 32]);
        }
        Deceit::HeadAhead => {
            echo.sequence = Sequence(row.sequence.0.saturating_add(1_000));
            echo.head = Digest([66; 32]);
        }
        _ => echo.authenticator.reverse(),
    }
    let head = PackHead {
        group: row.group,
        epoch: row.epoch,
        sender: node.identity.node.clone(),
        echo,
        statement_version: work.statement_version()?,
    };
    let none: [&[u8]; 0] = [];
    let plaintext =
        pad(&wire::encode_pack(&head, &none)).map_err(|cause| Fault::ours("pack", cause))?;
    let leaf = work.leaf().await?;
    let session = work.session().await?;
    session.encrypt(&leaf, &plaintext).map_err(|cause| Fault::ours("not_encrypted", cause))
}

/// A message of the present epoch that is in the log already.
async fn said_before(work: &mut Work<'_>) -> Done<Option<Vec<u8>>> {
    let (lineage, epoch) = (work.row.lineage, work.row.epoch);
    let said = work.tx()?.entries_in(lineage, EntryState::Accepted, MANY).await?;
    let mut said = said.into_iter().filter(|entry| {
        entry.kind == EntryKind::Application && entry.epoch == epoch && !entry.payload.is_empty()
    });
    Ok(said.next().map(|entry| entry.payload))
}

/// Puts it into the outbox; whether there was an occasion.
async fn say(node: &Node, work: &mut Work<'_>, deceit: Deceit, other: &NodeId) -> Done<bool> {
    let row = work.row.clone();
    let notice = match deceit {
        Deceit::Distrust => Some((NoticeKind::Revocation, format!("{other} revoked"))),
        Deceit::CannotProcess => Some((NoticeKind::CannotProcess, "entry 1: no reason".into())),
        Deceit::Void => Some((NoticeKind::Void, "entry 1".into())),
        Deceit::Leaves => Some((NoticeKind::Leave, String::new())),
        _ => None,
    };
    if let Some((kind, detail)) = notice {
        notices::say(node, work.tx()?, &row, kind, detail).await?;
        return Ok(true);
    }
    let payload = match deceit {
        Deceit::Audit => {
            let head = AuditHead { sequence: 1, hash: Digest([66; 32]) };
            let (me, key) = (node.identity.node.clone(), &node.identity.key);
            let signed = SignedAuditHead::sign(me, head, node.clock.now(), key);
            pack::queue(node, work, Body::AuditHead(signed)).await?;
            return Ok(true);
        }
        Deceit::Replay => match said_before(work).await? {
            Some(payload) => payload,
            None => return Ok(false),
        },
        _ => false_pack(node, work, deceit).await?,
    };
    let entry = EntryId::random(&*node.entropy);
    let row = EntryRow::pending(&row, node.boot, EntryKind::Application, entry, payload);
    work.tx()?.insert_entries(vec![row]).await?;
    Ok(true)
}

impl World {
    /// A member deceives the others, where there is an occasion.
    ///
    /// # Errors
    /// What the use cases must not answer.
    pub fn deceive(&mut self, place: usize) -> Checked<String> {
        let (Some(node), Some(lineage)) = (self.node(place), self.lineage) else {
            return Ok("down".into());
        };
        let me = node.identity.node.clone();
        let may = self.deceivers.contains(&me) || self.deceivers.len() < DECEIVERS_MAX;
        let others = self.rolls.members();
        let others: Vec<NodeId> = others.into_iter().filter(|other| *other != me).collect();
        let other = self.dice.pick(&others).cloned();
        let (true, Some(other)) = (may && self.rolls.is_member(&me), other) else {
            return Ok("is honest".into());
        };
        let deceit = self.dice.pick(&Deceit::ALL).copied().unwrap_or(Deceit::HeadBehind);
        let said = ready(async {
            let Some(mut work) = Work::begin(&node, lineage).await? else { return Ok(false) };
            let now = pack::circumstances(&node, &mut work).await?;
            if !matches!(gate(&now), Gate::Open | Gate::HeldForCases(_)) {
                return Ok(false);
            }
            let said = say(&node, &mut work, deceit, &other).await?;
            if said {
                work.commit().await?;
            }
            Ok::<_, Fault>(said)
        })?;
        // Also whose call fails: it may have crashed after its commit.
        self.deceivers.insert(me);
        match answered(said)? {
            Ok(true) => {
                self.counts.count("deceits");
                Ok(format!("{deceit:?}"))
            }
            Ok(false) => Ok("no occasion".into()),
            Err(reason) => Ok(reason.into()),
        }
    }

    /// What members can be told of each other has ended where the truth was told since, or with
    /// the membership; and nobody is held by what one member said.
    ///
    /// # Errors
    /// An alarm that did not end, or one that holds.
    pub fn check_alarms(&self) -> Checked {
        for place in self.machines() {
            let Some(machine) = self.members.get(place) else { continue };
            if !self.rolls.is_member(&machine.name) {
                continue;
            }
            let (me, lied_to) = (machine.name.clone(), self.was_lied() && self.is_victim(place));
            let mut tx = ready(machine.disk.store().read())??;
            for row in ready(tx.equipes())?? {
                let proven = !ready(tx.proofs(row.lineage))??.is_empty()
                    || !ready(tx.claims(row.lineage))??.is_empty();
                for alarm in ready(tx.alarms(row.lineage))?? {
                    if !lied_to {
                        self.check_alarm(&me, &alarm, proven)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn check_alarm(&self, me: &NodeId, alarm: &AlarmRow, proven: bool) -> Checked {
        let words = alarm.words();
        // Who has seen the victim's log of a hub that lies has the hub's signatures of both.
        let documented = self.was_lied() && proven;
        if alarm.holds() && !documented {
            return Err(Violation(format!("{me} is held for ever: {words}")));
        }
        let named = [&alarm.member, &alarm.peer].into_iter().flatten();
        let is_there = |node: &NodeId| self.rolls.is_member(node) || *node == self.hub.name;
        if let Some(gone) = named.into_iter().find(|node| !is_there(node)) {
            return Err(Violation(format!("{gone} has gone, and {me} is told of it: {words}")));
        }
        if ENDED_BY_TRUTH.contains(&alarm.code) && !self.was_lied() {
            return Err(Violation(format!("at {me} it does not end: {words}")));
        }
        Ok(())
    }
}
