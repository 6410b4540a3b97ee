//! Appends to a group's log: the place where order is made.
//!
//! Compare-and-set on the epoch for commits and messages alike; a repeated entry id is
//! answered with its first place; a commit is judged by the same validator that the
//! members run, and accepted only with a GroupInfo that agrees (DESIGN §4).

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::hubgroup::HubGroup;
use raccordo_core::hublog::{
    EntryKind, LogState, NewEntry, PlaceError, SignedCheckpoint, WelcomeItem,
};
use raccordo_core::id::{Digest, EntryId, GroupId, NodeId, Sequence};
use raccordo_core::ledger::{LedgerChange, LedgerScope};
use raccordo_core::planted::{self, Bug};
use raccordo_core::quota::Quota;
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::commit::{CommitView, LeafView};
use raccordo_core::trust::notice::SignedNotice;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::validator::validate;
pub use raccordo_core::wire::hub::{Appended, Handed, Outcome};

use super::read_log::{checkpoint_at, statement_of};
use super::room::{Kept, Share};
use super::void::{self, Before};
use super::{Hub, WELCOME_LIFETIME, own_item, restored, rights};
use crate::app::audit::{Actor, record_refusal};
use crate::app::fault::{Done, Fault, Whose};
use crate::app::signals::Topic;
use crate::app::work::{measured_commit, open_ledger, write_ledger};
use crate::app::{Node, history, key_holders, successor};
use crate::store::Tx;
use crate::store::history::Keeper;
use crate::store::hub::{CarriedRow, LogRow, MailboxRow};
use crate::store::void::UnfollowedRow;
use crate::telemetry::{ENTRIES_APPENDED, ENTRIES_REFUSED};

/// Most entries of one call.
pub const ENTRIES_MAX: usize = Quota::EntriesOfCall.count();

type Outcomes = Vec<(EntryId, Outcome)>;

/// Whether an entry is looked at.
enum Admits {
    Yes,
    /// Not this one, whenever it comes.
    Never(Outcome),
    /// There is no room for it now.
    NotNow(Fault),
}

/// One call under way.
struct Call<'c> {
    node: &'c Node,
    caller: &'c NodeId,
    public: Option<HubGroup>,
    /// The group before a commit that nobody else has followed.
    unfollowed: Option<UnfollowedRow>,
    tx: &'c mut dyn Tx,
    row: CarriedRow,
    log: LogState,
    placed: Vec<LogRow>,
    hub: &'c Hub,
    kept: Kept,
    mail: BTreeSet<NodeId>,
    /// Whether other parties are served now.
    parties_changed: bool,
    now: Instant,
}

/// Appends in order; after the first entry that is not accepted the rest is not looked at.
///
/// # Errors
/// `not_a_hub`, `no_such_group`, `not_a_member`, `bad_batch`, and the store's; `rate_limited`,
/// `log_full` and `member_log_full` where there is no room for the first entry. Then nothing
/// was stored.
pub async fn append(
    node: &Node,
    caller: &NodeId,
    group: GroupId,
    entries: Vec<Handed>,
) -> Done<Appended> {
    let Some(hub) = &node.hub else { return Err(super::accept::not_a_hub()) };
    if entries.is_empty() {
        return Err(Fault::usage("bad_batch", "a call appends 1 to 64 entries"));
    }
    if entries.len() > ENTRIES_MAX {
        return Err(node.at_quota(caller, Quota::EntriesOfCall, Whose::Usage));
    }
    tracing::debug!(%group, step = "hub_append");
    let mut slot = hub.lock(group).await;
    let mut tx = node.store.write().await?;
    let count_all = |fault: &Fault| count_refused(fault.reason, entries.len());
    let row = admitted(&mut *tx, caller, group, &entries).await.inspect_err(count_all)?;
    let kept = Kept::of(hub, &mut *tx, &row).await?;
    let log = LogState {
        group,
        hub: node.identity.node.clone(),
        term: row.term,
        sequence: row.sequence,
        head: row.head,
        epoch: row.epoch,
        last_accepted_at: row.accepted_at,
    };
    let unfollowed = if slot.followed { None } else { tx.unfollowed(group).await? };
    slot.followed = false;
    let now = node.clock.now();
    let mut call = Call {
        node,
        caller,
        // Back only once all is durable: what is dropped before that, by an error or with
        // its caller, must not leave a group that is ahead of the disk.
        public: slot.group.take(),
        unfollowed,
        tx: &mut *tx,
        row,
        log,
        placed: Vec::new(),
        hub,
        kept,
        mail: BTreeSet::new(),
        parties_changed: false,
        now,
    };
    let entries_count = entries.len();
    let outcomes = match call.all(entries).await? {
        Ok(outcomes) => outcomes,
        Err(fault) => {
            // Nothing was looked at: the group is as it was.
            slot.group = call.public;
            count_refused(fault.reason, entries_count);
            return Err(fault);
        }
    };
    let Call { row, placed, mail, mut public, unfollowed, parties_changed, kept, .. } = call;
    if planted::is(Bug::GroupAheadOfDisk) {
        slot.group = public.take();
    }
    let checkpoint = finish(node, &mut *tx, &row, &placed).await?;
    if parties_changed {
        rights::follow(&mut *tx, row.lineage).await?;
    }
    measured_commit(tx).await?;
    if !planted::is(Bug::GroupAheadOfDisk) {
        slot.group = public;
    }
    slot.followed = unfollowed.is_none();
    kept.remember(hub, &row);
    if placed.iter().any(|row| row.kind == EntryKind::Commit) {
        node.signals.wake(&Topic::Trust);
    }
    tracing::debug!(%group, step = "hub_append_durable");
    if !placed.is_empty() {
        node.signals.wake(&Topic::Log(group));
    }
    count(&placed, &outcomes);
    mail.into_iter().for_each(|recipient| node.signals.wake(&Topic::Mailbox(recipient)));
    Ok(Appended { outcomes, checkpoint })
}

fn count(placed: &[LogRow], outcomes: &[(EntryId, Outcome)]) {
    for row in placed {
        metrics::counter!(ENTRIES_APPENDED.name, "kind" => row.kind.as_str()).increment(1);
    }
    match outcomes.last() {
        Some((_, Outcome::Stale { .. })) => count_refused("stale", 1),
        Some((_, Outcome::Refused(reason))) => count_refused(reason, 1),
        Some((_, Outcome::Placed { .. })) | None => {}
    }
}

fn count_refused(reason: &str, entries: usize) {
    metrics::counter!(ENTRIES_REFUSED.name, "reason" => reason.to_owned())
        .increment(entries as u64);
}

async fn admitted(
    tx: &mut dyn Tx,
    caller: &NodeId,
    group: GroupId,
    entries: &[Handed],
) -> Done<CarriedRow> {
    let none = || {
        Fault::not_found("no_such_group", "this group is not carried here")
            .hint("the hub's administrator sees `raccordo hub list`")
    };
    let Some(found) = tx.carried_group(group).await? else { return Err(none()) };
    tx.raise_carried(found.lineage).await?;
    // Meanwhile it may go on in another group.
    let row = tx.carried(found.lineage).await?.filter(|row| row.group == group);
    let row = row.ok_or_else(none)?;
    match row.state.as_str() {
        "founded" => {}
        "seeded" if entries.iter().all(|handed| handed.kind == EntryKind::Commit) => {}
        "seeded" => return Err(term_not_begun()),
        MOVED => return Err(moved(&row)?),
        restored::BEHIND => return Err(restored::behind()),
        _ => return Err(none()),
    }
    let members = tx.cursors(group).await?;
    if !members.iter().any(|(member, _)| member == caller) {
        return Err(Fault::refused("not_a_member", "the caller is no member of this group"));
    }
    Ok(row)
}

/// State of an équipe that has gone on to another hub.
pub const MOVED: &str = "moved";

fn moved(row: &CarriedRow) -> Done<Fault> {
    let hub = statement_of(row)?.statement().hub.hub.clone();
    Ok(Fault::conflict("moved", format!("{hub} keeps this équipe's log now")))
}

fn term_not_begun() -> Fault {
    let message = "the first entry of this hub's term is the commit of its statement";
    Fault::new(Whose::Unavailable, "term_not_begun", message).hint("the node tries again by itself")
}

async fn finish(
    node: &Node,
    tx: &mut dyn Tx,
    row: &CarriedRow,
    placed: &[LogRow],
) -> Done<Option<SignedCheckpoint>> {
    if let Some(last) = placed.last() {
        tx.insert_log(placed).await?;
        tx.update_carried(row).await?;
        return Ok(Some(checkpoint_at(node, row, last)));
    }
    let before = Sequence(row.sequence.0.saturating_sub(1));
    let newest = tx.log_after(row.group, before, 1, 0).await?;
    Ok(newest.last().map(|last| checkpoint_at(node, row, last)))
}

impl Call<'_> {
    /// The outcomes of the entries that were looked at; or why there is no room for the first.
    async fn all(&mut self, entries: Vec<Handed>) -> Done<Result<Outcomes, Fault>> {
        let ids: Vec<EntryId> = entries.iter().map(|handed| handed.entry).collect();
        let known = self.tx.log_among(self.row.group, self.caller, &ids).await?;
        let mut known: BTreeMap<EntryId, (Sequence, Digest)> =
            known.into_iter().map(|row| (row.entry, (row.sequence, row.digest))).collect();
        if planted::is(Bug::ForgetDedupe) {
            known.clear();
        }
        let mut outcomes = Vec::new();
        for handed in entries {
            let id = handed.entry;
            let outcome = match known.get(&id) {
                Some(&(sequence, digest)) => Outcome::Placed { sequence, digest },
                None => match self.admits(&handed) {
                    Admits::Yes => self.one(handed).await?,
                    Admits::Never(outcome) => outcome,
                    Admits::NotNow(fault) if outcomes.is_empty() => return Ok(Err(fault)),
                    // What there was room for is stored; the caller comes again with the rest.
                    Admits::NotNow(_) => break,
                },
            };
            if let Outcome::Placed { sequence, digest } = outcome {
                known.insert(id, (sequence, digest));
                outcomes.push((id, outcome));
                if self.row.state == MOVED {
                    break;
                }
                continue;
            }
            outcomes.push((id, outcome));
            break;
        }
        Ok(Ok(outcomes))
    }

    async fn one(&mut self, handed: Handed) -> Done<Outcome> {
        match handed.kind {
            EntryKind::Application => self.message(handed).await,
            EntryKind::Commit => self.commit(handed).await,
            EntryKind::Notice => self.notice(handed).await,
        }
    }

    async fn message(&mut self, handed: Handed) -> Done<Outcome> {
        let epoch = self.row.epoch;
        match self.group().await?.check_message(&handed.payload) {
            Ok(header) if header.epoch == epoch || planted::is(Bug::SkipEpochCheck) => {
                self.followed().await?;
                Ok(self.place(handed))
            }
            Ok(_) => Ok(Outcome::Refused("wrong_epoch".into())),
            Err(cause) => Ok(Outcome::Refused(cause.reason().into())),
        }
    }

    /// Whether an entry is in time, of bounded size, and there is room for it: decided before
    /// anything is read of it.
    fn admits(&self, handed: &Handed) -> Admits {
        match self.log.admits(&new_entry(handed)) {
            Ok(()) => {}
            Err(PlaceError::Stale { current, .. }) => {
                return Admits::Never(Outcome::Stale { current });
            }
            Err(PlaceError::TooLarge { .. }) => {
                return self.too_large(match handed.kind {
                    EntryKind::Application => Quota::MessageBytes,
                    EntryKind::Commit => Quota::CommitBytes,
                    EntryKind::Notice => Quota::NoticeBytes,
                });
            }
        }
        if handed.welcome.len() > Quota::CommitBytes.count() {
            return self.too_large(Quota::CommitBytes);
        }
        if handed.group_info.len() > Quota::GroupInfoBytes.count() {
            return self.too_large(Quota::GroupInfoBytes);
        }
        let share = Share::of(self.hub, &self.row);
        let room = self.kept.check(share, self.caller, handed);
        let room =
            room.and_then(|()| self.hub.take_pace(&self.row, self.caller, handed.kind, self.now));
        match room {
            Ok(()) => Admits::Yes,
            Err((quota, number)) => {
                let whose = Whose::Exhausted;
                Admits::NotNow(self.node.at_number(self.caller, quota, number, whose))
            }
        }
    }

    /// Refuses an entry for ever, and notes whose it was.
    fn too_large(&self, quota: Quota) -> Admits {
        self.node.quotas.note(self.caller, quota, self.now);
        Admits::Never(Outcome::Refused(quota.row().reason.to_owned()))
    }

    async fn notice(&mut self, handed: Handed) -> Done<Outcome> {
        let view = self.group().await?.view();
        let view = view.map_err(|cause| Fault::ours("group", cause))?;
        let caller = self.caller;
        let leaf = view.leaves.iter().find(|(_, leaf)| leaf.node.as_ref() == Some(caller));
        let card = leaf.and_then(|(_, leaf)| leaf.card.as_deref());
        let Some(Ok(card)) = card.map(SignedCard::decode_verified) else {
            return Ok(Outcome::Refused("not_a_member".into()));
        };
        let group = self.row.group;
        let signed = SignedNotice::decode(&handed.payload);
        let verify =
            |notice: SignedNotice| notice.verify(group, handed.entry, card.card()).map(|()| notice);
        match signed.and_then(verify) {
            Ok(notice) => {
                let outcome = self.place(handed);
                self.said(&notice).await?;
                Ok(outcome)
            }
            Err(cause) => Ok(Outcome::Refused(cause.reason().into())),
        }
    }

    /// What a member says of a commit may undo it.
    async fn said(&mut self, notice: &SignedNotice) -> Done<()> {
        let Some(mut kept) = self.unfollowed.take() else { return Ok(()) };
        let notice = notice.notice();
        match void::said(self.node, self.tx, &mut self.row, &mut kept, notice).await? {
            Some(public) => {
                self.public = Some(public);
                self.parties_changed = true;
                self.log.epoch = self.row.epoch;
            }
            None => self.unfollowed = Some(kept),
        }
        Ok(())
    }

    /// Whoever goes on after another's commit has followed it.
    async fn followed(&mut self) -> Done<()> {
        let caller = self.caller;
        if self.unfollowed.take_if(|kept| kept.committer != *caller).is_some() {
            self.tx.delete_unfollowed(self.row.group).await?;
        }
        Ok(())
    }

    /// Keeps the group before a commit that was placed. Of several by one member without
    /// anybody else's between them, before the first.
    async fn keep(&mut self, before: Before, commit: &CommitView, at: &Outcome) -> Done<()> {
        let Outcome::Placed { sequence, digest } = *at else { return Ok(()) };
        self.followed().await?;
        if self.unfollowed.is_some() {
            return Ok(());
        }
        let kept = before.beside(&self.row, commit, self.caller, (sequence, digest));
        if kept.votes.can_pass() {
            self.tx.put_unfollowed(kept.clone()).await?;
            self.unfollowed = Some(kept);
        }
        Ok(())
    }

    async fn commit(&mut self, handed: Handed) -> Done<Outcome> {
        let caller = self.caller.clone();
        self.group().await?;
        let before = match &self.public {
            Some(group) if self.row.state == "founded" => Some(Before::of(group, &self.row)?),
            _ => None,
        };
        let applied = self.group().await?.apply_commit(
            &caller,
            &handed.payload,
            &handed.group_info,
            &|before, commit| validate(before, commit).map(drop),
        );
        let group = self.group().await?;
        let applied = applied.and_then(|view| group.check_welcome(&handed.welcome).map(|()| view));
        let view = match applied {
            Ok(view) => view,
            Err(cause) => {
                self.public = None;
                let reason = cause.reason();
                let (tx, lineage) = (&mut *self.tx, self.row.lineage.to_string());
                let detail = [("by", caller.as_str()), ("reason", reason)];
                let action = "hub.commit_refused";
                record_refusal(self.node, tx, &caller, action, &lineage, &detail).await?;
                return Ok(Outcome::Refused(reason.to_owned()));
            }
        };
        let after = view.statement_after.clone().unwrap_or_default();
        if after != self.row.statement
            && let Some(reason) = self.identity_conflict(&after).await?
        {
            self.public = None;
            return Ok(Outcome::Refused(reason.into()));
        }
        match self.term_after(&after)? {
            Some(state) => self.row.state = state.into(),
            None if self.row.state == "seeded" => return Err(term_not_begun()),
            None => {
                self.public = None;
                return Ok(Outcome::Refused("hub_term_elsewhere".into()));
            }
        }
        let outcome = self.merged(handed, view.clone()).await?;
        // A log that has gone to another hub does not come back.
        if let Some(before) = before.filter(|_| self.row.state == "founded") {
            self.keep(before, &view, &outcome).await?;
        }
        Ok(outcome)
    }

    /// Why a statement that a commit brings is not taken at this hub: it gives a node id another
    /// identity key than the id has here. Members of the équipe cannot know that.
    async fn identity_conflict(&mut self, statement: &[u8]) -> Done<Option<&'static str>> {
        let damaged = |cause| Fault::ours("statement_damaged", cause);
        let after = SignedStatement::decode(statement).map_err(damaged)?;
        let found = rights::conflict(self.node, self.tx, after.statement()).await?;
        let Some(id) = found else { return Ok(None) };
        let claimed = (self.caller, self.row.lineage);
        rights::note_conflict(self.node, self.tx, &id, claimed).await?;
        Ok(Some(rights::CONFLICT))
    }

    /// The state in which a commit leaves the équipe here: it may begin this hub's own term
    /// with the accepted statement, or hand over to another; none for one that may not.
    fn term_after(&self, statement: &[u8]) -> Done<Option<&'static str>> {
        let damaged = |cause| Fault::ours("statement_damaged", cause);
        let after = SignedStatement::decode(statement).map_err(damaged)?;
        let term = &after.statement().hub;
        let begins = after.digest() == statement_of(&self.row)?.digest();
        Ok(match self.row.state.as_str() {
            "seeded" => begins.then_some("founded"),
            _ if term.term == self.row.term => Some("founded"),
            _ => term.is_planned().then_some(MOVED),
        })
    }

    /// Follows an accepted commit: members, statement, tree and Welcome for newcomers.
    async fn merged(&mut self, handed: Handed, view: CommitView) -> Done<Outcome> {
        let (changes, tree, roster, statement_now) = self.after_merge().await?;
        write_ledger(self.node, self.tx, changes).await?;
        let Handed { group_info, welcome, .. } = handed.clone();
        let outcome = self.place(handed);
        self.row.epoch = view.epoch_after;
        self.log.epoch = view.epoch_after;
        self.row.group_info = group_info;
        if let Some(statement) = statement_now.filter(|now| *now != self.row.statement) {
            history::note(self.tx, Keeper::Hub, &statement).await?;
            self.row.statement = statement;
            self.parties_changed = true;
        }
        let sequence = self.row.sequence;
        self.note_cards(&view).await?;
        let roster: BTreeSet<NodeId> =
            roster.into_iter().filter_map(|(_, leaf)| leaf.node).collect();
        for (member, _) in self.tx.cursors(self.row.group).await? {
            if !roster.contains(&member) {
                self.tx.delete_cursor(self.row.group, &member).await?;
                self.tx.put_leaver(self.row.group, &member, Some(sequence)).await?;
            }
        }
        let added: BTreeSet<NodeId> = view.added.into_iter().filter_map(|leaf| leaf.node).collect();
        if !added.is_empty() {
            let expires_at = self.now.plus(WELCOME_LIFETIME);
            self.tx.put_tree(self.row.group, self.row.epoch, tree, expires_at).await?;
            self.tx.limit_trees(self.row.group, Quota::TreesOfEquipe.count()).await?;
            let payload = self.welcome_item(welcome, &added).await?;
            for newcomer in added {
                self.tx.put_cursor(self.row.group, &newcomer, sequence).await?;
                self.tx.put_leaver(self.row.group, &newcomer, None).await?;
                self.invite(newcomer, payload.clone(), expires_at).await?;
            }
        }
        Ok(outcome)
    }

    /// Keeps the newest card of every leaf, so that newcomers may connect. Those of leavers
    /// stay: they may come and hear that they are none any more.
    async fn note_cards(&mut self, commit: &CommitView) -> Done<()> {
        let leaves = commit.added.iter().chain(&commit.path_leaf);
        for card in leaves.filter_map(|leaf| leaf.card.as_ref()) {
            if self.row.cards.contains(card) {
                continue;
            }
            let Ok(newer) = SignedCard::decode_verified(card) else { continue };
            let held = key_holders::check(self.node, self.tx, newer.card()).await?;
            if let Err(refused) = held {
                // Its group has it; here its keys would stand for two nodes.
                let (node, action) = (self.node, "hub.card_refused");
                key_holders::note(node, self.tx, Actor::Node, action, newer.card(), &refused)
                    .await?;
                continue;
            }
            let place = self.row.cards.iter().position(|known| {
                SignedCard::decode_verified(known)
                    .is_ok_and(|known| known.card().node == newer.card().node)
            });
            match place.and_then(|place| self.row.cards.get_mut(place)) {
                Some(kept) => {
                    let former = SignedCard::decode_verified(kept)
                        .map_err(|cause| Fault::ours("card_damaged", cause))?;
                    if newer.succeeds(former.card()).is_ok() {
                        kept.clone_from(card);
                        successor::keep_former(self.node, self.tx, &former).await?;
                    }
                }
                None => {
                    self.row.cards.push(card.clone());
                    self.parties_changed = true;
                }
            }
            successor::take(self.node, self.tx, &newer).await?;
            super::cards::drop_pool(self.node, self.tx, &newer).await?;
        }
        Ok(())
    }

    async fn after_merge(
        &mut self,
    ) -> Done<(Vec<LedgerChange>, Vec<u8>, Vec<(u32, LeafView)>, Option<Vec<u8>>)> {
        let group = self.group().await?;
        let fault = |cause: &dyn std::fmt::Display| Fault::ours("group", cause);
        let view = group.view().map_err(|cause| fault(&cause))?;
        let tree = group.tree().map_err(|cause| fault(&cause))?;
        let changes = group.take_changes().map_err(|cause| fault(&cause))?;
        Ok((changes, tree, view.leaves, view.statement))
    }

    async fn welcome_item(&mut self, welcome: Vec<u8>, added: &BTreeSet<NodeId>) -> Done<Vec<u8>> {
        let statement = statement_of(&self.row)?;
        let earlier = history::since_listed(self.tx, Keeper::Hub, &statement, added).await?;
        let last = self.placed.last();
        let last = last.ok_or_else(|| Fault::ours("nothing_placed", "a Welcome without commit"))?;
        Ok(raccordo_core::wire::hub::encode_welcome(&WelcomeItem {
            group: self.row.group,
            lineage: self.row.lineage,
            epoch: self.row.epoch,
            sequence: last.sequence,
            checkpoint: checkpoint_at(self.node, &self.row, last),
            welcome,
            accepted_at: last.accepted_at,
            earlier,
        }))
    }

    async fn invite(
        &mut self,
        recipient: NodeId,
        payload: Vec<u8>,
        expires_at: Instant,
    ) -> Done<()> {
        // Of several Welcomes to one group the newest counts.
        let item = own_item("welcome", &recipient, self.row.group.as_bytes());
        let sender = self.node.identity.node.clone();
        self.tx.delete_mailbox_item(&sender, item).await?;
        self.tx
            .insert_mailbox(MailboxRow {
                recipient: recipient.clone(),
                sequence: 0,
                item,
                sender,
                kind: "welcome".into(),
                payload,
                expires_at,
            })
            .await?;
        self.mail.insert(recipient);
        Ok(())
    }

    fn place(&mut self, handed: Handed) -> Outcome {
        let placed = match self.log.place(self.caller, &new_entry(&handed), self.now) {
            Ok(placed) => placed,
            Err(refused) => return Outcome::Refused(refused.reason().into()),
        };
        let (sequence, digest) = (placed.sequence, placed.digest);
        self.row.sequence = sequence;
        self.row.head = placed.head;
        self.row.accepted_at = placed.accepted_at;
        let bytes = handed.payload.len() as u64;
        self.row.stored_bytes = self.row.stored_bytes.saturating_add(bytes);
        self.kept.add(self.caller, handed.kind, bytes);
        self.placed.push(LogRow {
            group: self.row.group,
            sequence,
            epoch: placed.epoch,
            kind: handed.kind,
            sender: self.caller.clone(),
            entry: handed.entry,
            accepted_at: placed.accepted_at,
            payload: handed.payload,
            digest,
            head: placed.head,
        });
        Outcome::Placed { sequence, digest }
    }

    async fn group(&mut self) -> Done<&mut HubGroup> {
        if self.public.is_none() {
            let scope = LedgerScope::Hub(self.row.group);
            let rows = open_ledger(self.node, self.tx, &scope).await?;
            self.public = HubGroup::load(&self.node.crypto, self.row.group, rows)
                .map_err(|cause| Fault::ours("group_not_loaded", cause))?;
        }
        let missing = || Fault::ours("group_missing", "the ledger holds no such group");
        self.public.as_mut().ok_or_else(missing)
    }
}

fn new_entry(handed: &Handed) -> NewEntry<'_> {
    NewEntry {
        entry_id: handed.entry,
        kind: handed.kind,
        epoch: handed.epoch,
        payload: &handed.payload,
    }
}
