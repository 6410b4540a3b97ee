//! Goes with the log to its next hub.

use raccordo_core::alarm::Ending;
use raccordo_core::hublog::{EntryKind, SignedCheckpoint};
use raccordo_core::id::{Digest, LineageId, NodeId, Sequence};
use raccordo_core::sending::Standing;
use raccordo_core::trust::proposal::Proposal;
use raccordo_core::trust::statement::{HubTerm, SignedStatement};

use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;
use crate::app::work::Work;
use crate::app::{Node, alarms, changes, rejoin};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::outbox::EntryState;
use crate::store::term::HubMoveRow;

/// What the next hub answers once it has the log.
const FOUNDED: &str = "founded";

/// A log's way to another hub.
#[derive(Clone, Debug)]
pub struct Moving {
    /// The statement that begins the term.
    pub statement: SignedStatement,
    /// The one before.
    pub previous: SignedStatement,
    /// What the next hub has answered.
    pub answer: String,
}

impl Moving {
    /// The term that begins.
    pub fn term(&self) -> &HubTerm {
        &self.statement.statement().hub
    }

    /// Whether the next hub has the log.
    pub fn is_founded(&self) -> bool {
        self.answer == FOUNDED
    }

    /// Whether the statement is in force here.
    ///
    /// # Errors
    /// A damaged row.
    pub fn in_force(&self, row: &EquipeRow) -> Done<bool> {
        Ok(changes::statement(row)?.digest() == self.statement.digest())
    }

    /// Whether this node stands at the last entry of the term before.
    ///
    /// # Errors
    /// A damaged row.
    pub fn at_the_end(&self, row: &EquipeRow) -> Done<bool> {
        match self.term().end_before() {
            Some(end) => Ok(end == (row.sequence, row.head) && !self.in_force(row)?),
            None => self.in_force(row),
        }
    }

    /// Whether the move's commit may be staged here now.
    ///
    /// # Errors
    /// A damaged row.
    pub fn may_commit(&self, row: &EquipeRow) -> Done<bool> {
        match self.term().is_planned() {
            true => Ok(self.answer == "accepted" || self.is_founded()),
            false => Ok(self.is_founded() && self.at_the_end(row)?),
        }
    }

    fn row(self, node: &Node, lineage: LineageId) -> HubMoveRow {
        HubMoveRow {
            lineage,
            statement: self.statement.encode(),
            previous: self.previous.encode(),
            answer: self.answer,
            changed_at: node.clock.now(),
        }
    }
}

/// The way of an équipe's log, if it is on one.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn moving(tx: &mut dyn Tx, lineage: LineageId) -> Done<Option<Moving>> {
    let Some(row) = tx.hub_move(lineage).await? else { return Ok(None) };
    let read = |bytes: &[u8]| {
        SignedStatement::decode(bytes).map_err(|cause| Fault::ours("statement_damaged", cause))
    };
    let (statement, previous) = (read(&row.statement)?, read(&row.previous)?);
    Ok(Some(Moving { statement, previous, answer: row.answer }))
}

/// Whether an équipe's log can be followed at its hub: not while that hub waits for it.
///
/// # Errors
/// As [`moving`].
pub async fn opened(tx: &mut dyn Tx, row: &EquipeRow) -> Done<bool> {
    let moving = moving(tx, row.lineage).await?;
    Ok(moving.is_none_or(|moving| moving.term().hub != row.hub || moving.is_founded()))
}

/// The term that follows the one in force, once all have signed it: what its hub signs of
/// the log counts from then on.
///
/// # Errors
/// As [`moving`].
pub async fn next_term(tx: &mut dyn Tx, row: &EquipeRow) -> Done<Option<HubTerm>> {
    let Some(moving) = moving(tx, row.lineage).await? else { return Ok(None) };
    Ok((!moving.in_force(row)?).then(|| moving.term().clone()))
}

/// Notes a move that all have signed. Where the present hub is lost, this node turns to the
/// next one at once.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn note(node: &Node, lineage: LineageId) -> Done<()> {
    {
        let mut tx = node.store.read().await?;
        let Some(row) = tx.equipe(lineage).await? else { return Ok(()) };
        let known = moving(&mut *tx, lineage).await?;
        if due(node, &mut *tx, &row, known.as_ref()).await?.is_none() {
            drop(tx);
            return settle(node, &row, known).await;
        }
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let row = work.row.clone();
    let known = moving(work.tx()?, lineage).await?;
    let Some(proposal) = due(node, work.tx()?, &row, known.as_ref()).await? else {
        return Ok(());
    };
    let statement = proposal.statement.clone();
    let previous = changes::statement(&row)?;
    let moving = Moving { statement, previous, answer: String::new() };
    let term = moving.term().clone();
    let subject = lineage.to_string();
    let detail = [("hub", term.hub.as_str())];
    record(node, work.tx()?, Actor::Node, "equipe.hub_moving", &subject, &detail).await?;
    work.row.hub = moving.previous.statement().hub.hub.clone();
    if let Some(end) = term.end_before() {
        turn(node, &mut work, &term, end).await?;
    }
    work.tx()?.put_hub_move(moving.row(node, lineage)).await?;
    work.commit().await?;
    tracing::warn!(%lineage, hub = %term.hub, "the log moves to another hub");
    node.signals.wake(&Topic::Membership);
    node.signals.wake(&Topic::Errands(term.hub));
    Ok(())
}

/// The newest complete move that is not noted yet.
async fn due(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    known: Option<&Moving>,
) -> Done<Option<Proposal>> {
    if Standing::parse(&row.state) != Some(Standing::Active) {
        return Ok(None);
    }
    let now = changes::statement(row)?.digest();
    let pending = changes::of(node, tx, row).await?;
    let newest = pending.into_iter().map(|pending| pending.proposal).rfind(|proposal| {
        let follows = proposal.previous.as_ref().map(SignedStatement::digest) == Some(now);
        follows && proposal.moves().is_some() && proposal.missing().is_empty()
    });
    let taken = |proposal: &Proposal| {
        known.is_some_and(|known| {
            known.is_founded() || known.statement.digest() == proposal.statement.digest()
        })
    };
    Ok(newest.filter(|proposal| !taken(proposal)))
}

/// Turns from a lost hub to the next one: what that hub has placed after the last entry is
/// to be appended again, and nothing more is expected of it.
async fn turn(
    node: &Node,
    work: &mut Work<'_>,
    term: &HubTerm,
    end: (Sequence, Digest),
) -> Done<()> {
    let lineage = work.row.lineage;
    let here = (work.row.sequence, work.row.head);
    work.row.hub = term.hub.clone();
    hub_given_up(node, work.tx()?, lineage).await?;
    work.forget_alarms();
    alarms::end_of_absent(node, work).await?;
    if here.0 > end.0 || (here.0 == end.0 && here.1 != end.1) {
        let what = format!("the log goes on after entry {}, and this node was beyond it", end.0);
        work.row.state = Standing::NeedsRejoin.as_str().into();
        // What came after is in no log any more.
        (work.row.sequence, work.row.head) = end;
        alarms::raise_within(node, work, rejoin::needs_rejoin(&what)).await?;
    }
    Ok(work.tx()?.unplace_after(lineage, end.0).await?)
}

/// Ends what was held against a hub, and what it said of places ahead.
///
/// # Errors
/// The store's.
pub async fn hub_given_up(node: &Node, tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    for claim in tx.claims(lineage).await? {
        tx.delete_claim(lineage, &claim.teller).await?;
    }
    node.claims.forget(lineage);
    node.links.forget(lineage);
    send_refused_again(tx, lineage).await?;
    alarms::end_all(node, tx, lineage, Ending::HubTerm).await.map(drop)
}

/// What one hub refused for ever, the next one is asked to take.
async fn send_refused_again(tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    for refused in tx.entries_in(lineage, EntryState::Refused, u32::MAX).await? {
        if refused.kind == EntryKind::Application {
            tx.unpack_envelopes(lineage, refused.entry).await?;
            tx.delete_entry(lineage, refused.entry).await?;
        }
    }
    Ok(())
}

/// At the end that the statement names, an own commit that waits is not in the log, and
/// never will be: all have signed so.
async fn settle(node: &Node, row: &EquipeRow, known: Option<Moving>) -> Done<()> {
    let Some(known) = known.filter(|known| !known.term().is_planned()) else { return Ok(()) };
    if Standing::parse(&row.state) != Some(Standing::Active) || !known.at_the_end(row)? {
        return Ok(());
    }
    let lineage = row.lineage;
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    if !known.at_the_end(&work.row)? || !work.holds_commit().await? {
        return Ok(());
    }
    let after = work.session().await?.pending_statement();
    let ours = after.and_then(|after| SignedStatement::decode(&after).ok());
    if ours.is_some_and(|ours| ours.digest() == known.statement.digest()) {
        return Ok(());
    }
    work.session().await?.drop_pending().map_err(|cause| Fault::ours("group", cause))?;
    while let Some(commit) = work.tx()?.pending_commit(lineage).await? {
        work.tx()?.delete_entry(lineage, commit.entry).await?;
    }
    work.commit().await
}

/// The statement of a new term is in force: the log has come to its next hub, or is on its
/// way there.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn in_force(
    node: &Node,
    work: &mut Work<'_>,
    before: &SignedStatement,
    now: &SignedStatement,
) -> Done<()> {
    let term = &now.statement().hub;
    if before.statement().hub == *term {
        return Ok(());
    }
    let lineage = work.row.lineage;
    let known = moving(work.tx()?, lineage).await?;
    let answer = known.filter(|known| known.statement.digest() == now.digest());
    let answer = answer.map(|known| known.answer).unwrap_or_default();
    let (statement, previous) = (now.clone(), before.clone());
    let moving = Moving { statement, previous, answer };
    let subject = lineage.to_string();
    let number = term.term.to_string();
    let detail = [("hub", term.hub.as_str()), ("term", number.as_str())];
    record(node, work.tx()?, Actor::Node, "equipe.hub_moved", &subject, &detail).await?;
    hub_given_up(node, work.tx()?, lineage).await?;
    work.row.hub = term.hub.clone();
    match moving.is_founded() {
        true => work.tx()?.delete_hub_move(lineage).await?,
        false => work.tx()?.put_hub_move(moving.row(node, lineage)).await?,
    }
    node.signals.wake(&Topic::Membership);
    node.signals.wake(&Topic::Errands(term.hub.clone()));
    Ok(())
}

/// Notes what the next hub has answered; whether there was a move to it.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn answered(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    hub: &NodeId,
    answer: &str,
) -> Done<bool> {
    if !tx.raise_equipe(lineage).await? {
        return Ok(false);
    }
    let (Some(row), Some(mut known)) = (tx.equipe(lineage).await?, moving(tx, lineage).await?)
    else {
        return Ok(false);
    };
    if known.term().hub != *hub || known.answer == answer {
        return Ok(false);
    }
    known.answer = answer.to_owned();
    match known.is_founded() && known.in_force(&row)? {
        true => tx.delete_hub_move(lineage).await?,
        false => tx.put_hub_move(known.row(node, lineage)).await?,
    }
    Ok(true)
}

/// The checkpoint that stands in a row, if there is one.
///
/// # Errors
/// A damaged row.
pub fn checkpoint_of(row: &EquipeRow) -> Done<Option<SignedCheckpoint>> {
    if row.checkpoint.is_empty() {
        return Ok(None);
    }
    let damaged = || Fault::ours("row_damaged", "the checkpoint of an équipe");
    let signature = row.checkpoint_signature.as_slice().try_into().map_err(|_| damaged())?;
    SignedCheckpoint::parse(&row.checkpoint, signature).map(Some).map_err(|_| damaged())
}
