//! Notices of other members: what a node says in the log beside MLS, under its own key.

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::EnvelopeId;
use raccordo_core::quota::Quota;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::notice::{Notice, NoticeKind, SignedNotice};

use super::{Next, Stop};
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::Fault;
use crate::app::void::{self, Verdict};
use crate::app::work::Work;
use crate::app::{Node, notices, rejoin};

/// A notice of another member, whose leaf has its card.
pub(super) async fn notice(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
) -> Result<Next, Stop> {
    let facts = work.session().await?.facts();
    let view = facts.map_err(|cause| Fault::ours("group", cause))?.view;
    let leaf = view.leaves.iter().find(|(_, leaf)| leaf.node.as_ref() == Some(&entry.sender));
    let card = leaf.and_then(|(_, leaf)| leaf.card.as_deref()).map(SignedCard::decode_verified);
    let Some(Ok(card)) = card else { return Err(Stop::SetAside("not_a_member")) };
    let signed = SignedNotice::decode(&entry.payload).map_err(|_| Stop::SetAside("bad_notice"))?;
    signed
        .verify(work.row.group, entry.entry_id, card.card())
        .map_err(|_| Stop::SetAside("bad_notice"))?;
    if !in_time(signed.notice(), entry) {
        return Err(Stop::SetAside(Quota::NoticeDays.row().reason));
    }
    if !is_first(node, work, entry).await? {
        return Ok(Next::GoOn);
    }
    if signed.notice().kind == NoticeKind::RejoinRequest {
        return match rejoin::noted::requested(node, work, entry, &signed).await? {
            Ok(()) => Ok(Next::GoOn),
            Err(reason) => Err(Stop::SetAside(reason)),
        };
    }
    let notice = signed.notice();
    if notice.kind == NoticeKind::Void {
        match void::said(node, work, notice).await? {
            Verdict::Stranger => {}
            Verdict::Counted => return Ok(Next::GoOn),
            Verdict::GoesOn => return Ok(Next::Settled),
            Verdict::Lost => return Ok(Next::Lost),
        }
    }
    if notice.kind == NoticeKind::Revocation {
        return revocation(node, work, entry, notice).await;
    }
    let code = match notice.kind {
        NoticeKind::CannotProcess => AlarmCode::NoticeCannotProcess,
        NoticeKind::Leave => AlarmCode::NoticeLeave,
        NoticeKind::Void => AlarmCode::NoticeVoid,
        NoticeKind::RejoinRequest | NoticeKind::Revocation => return Ok(Next::GoOn),
    };
    let alarm = NewAlarm::new(code, words(entry, notice)).about(&entry.sender).at(entry.sequence);
    alarms::raise_within(node, work, alarm).await?;
    Ok(Next::GoOn)
}

/// A notice is of no epoch, so that nothing else ends its validity: whoever writes the log could
/// bring an old one again, once nobody knows its entry any more. Each is known longer than it
/// may be late.
fn in_time(notice: &Notice, entry: &LogEntry) -> bool {
    let (said, taken) = (notice.said_at, entry.accepted_at);
    said.since(taken).max(taken.since(said)) <= Quota::NoticeDays.span()
}

/// Whether a notice comes for the first time; a member says each in an entry of its own.
async fn is_first(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<bool, Stop> {
    let until = node.clock.now().max(entry.accepted_at).plus(Quota::SeenDays.span());
    let (lineage, id) = (work.row.lineage, EnvelopeId(entry.entry_id.0));
    Ok(work.tx()?.see_envelope(lineage, &entry.sender, id, until).await?)
}

fn words(entry: &LogEntry, notice: &Notice) -> String {
    let (kind, words) = (notice.kind.as_str(), notices::words(notice));
    format!("{} says {kind} at entry {}: {words}", entry.sender, entry.sequence)
}

/// How far a member trusts a peer now. It is that member's word, and so it ends with another
/// word of the same member about the same peer. Of whom is neither a member nor the hub here,
/// nobody needs to be told.
async fn revocation(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    notice: &Notice,
) -> Result<Next, Stop> {
    let Some((peer, state)) = notices::trust_told(notice) else { return Ok(Next::GoOn) };
    if state.counts_as_verified() {
        alarms::end_within(node, work, Ending::Verified, |row| {
            row.code == AlarmCode::NoticeRevocation
                && row.member.as_ref() == Some(&entry.sender)
                && row.peer.as_ref() == Some(&peer)
        })
        .await?;
        return Ok(Next::GoOn);
    }
    let lineage = work.row.lineage;
    let members = work.tx()?.members(lineage).await?;
    let concerned = work.row.hub == peer || members.iter().any(|member| member.node == peer);
    if concerned {
        let alarm = NewAlarm::new(AlarmCode::NoticeRevocation, words(entry, notice));
        let alarm = alarm.about(&entry.sender).speaking_of(&peer).at(entry.sequence);
        alarms::raise_within(node, work, alarm).await?;
    }
    Ok(Next::GoOn)
}
