//! Joins an équipe by a Welcome: only one whose pact this node has signed, and whose
//! statement is the signed one.

mod refused;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::hublog::{WelcomeItem, clock};
use raccordo_core::id::{Epoch, LineageId, NodeId, Sequence};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::sending::Standing;
use raccordo_core::session::{Invitation, Joining, Session, SessionError};
use raccordo_core::trust::proposal::Proposal;
use raccordo_core::trust::statement::{Party, SignedStatement};
use raccordo_core::trust::statement_chain::follows;
use raccordo_core::trust::validator::validate_view;
use raccordo_core::wire;

pub use self::refused::{note_no_tree, note_refused, note_unreadable};
use super::audit::{Actor, record};
use super::fault::{Done, Fault, Whose};
use super::found::{NewEquipe, new_row};
use super::receive_mail::skip;
use super::replay::{self, Recipient};
use super::signals::Topic;
use super::work::{Work, open_ledger};
use super::{
    Node, alarms, changes, consents, history, identity, pack, pacts, pseudonym, rejoin, roster,
    succeed,
};
use crate::store::Tx;
use crate::store::equipe::{EquipeRow, MemberRow};
use crate::store::history::Keeper;

/// Reason why one was refused: it is for a key package that is not here.
const UNKNOWN_KEY_PACKAGE: &str = "unknown_key_package";
/// Alarms of whom the hub shows nothing of the log from where it stands. Where the node was
/// removed and added again meanwhile, only the Welcome says so: the hub may have trimmed the
/// commit that removed it.
const CUT_OFF: [AlarmCode; 2] = [AlarmCode::HubRemoved, AlarmCode::HubTrimmed];

/// Joins, for the first time or after the end of an earlier membership; a Welcome of an
/// équipe of which this node is a member already only moves the mailbox's cursor.
///
/// # Errors
/// `pact_not_signed`, `bad_welcome`, `unknown_key_package`: the sender's or the hub's fault; the caller skips the
/// item. Else the store's.
pub async fn join(
    node: &Node,
    hub: &NodeId,
    mailbox: u64,
    item: &WelcomeItem,
    tree: &[u8],
) -> Done<()> {
    let (signed_here, known, succeeds, invitation) = {
        let mut tx = node.store.read().await?;
        let known = tx.equipe(item.lineage).await?;
        let removed = is_cut_off(&mut *tx, item.lineage).await?;
        let succeeds = match &known {
            Some(row) => succeed::leads(node, &mut *tx, row, item.group).await?,
            None => None,
        };
        let leaves = removed || succeeds.is_some();
        if known.as_ref().is_some_and(|row| !leaves && !may_return(row)) {
            drop(tx);
            let ahead = |row: &EquipeRow| row.group == item.group && item.sequence > row.sequence;
            if known.as_ref().is_some_and(ahead) {
                keep(node, item).await?;
            }
            return skip(node, hub, mailbox).await;
        }
        if known.as_ref().is_some_and(|row| has_been(row, item)) {
            return Err(bad("its place in the log is one where this node has been"));
        }
        let signed_here = signed_here(node, &mut *tx, item.lineage, known.as_ref()).await?;
        let group_rows = match &known {
            Some(row) if row.group == item.group => {
                open_ledger(node, &mut *tx, &LedgerScope::Group(item.group)).await?
            }
            _ => Vec::new(),
        };
        let device_rows = open_ledger(node, &mut *tx, &LedgerScope::Device).await?;
        let (group, welcome) = (item.group, item.welcome.as_slice());
        let invitation = Invitation { group, welcome, tree, device_rows, group_rows };
        (signed_here, known, succeeds, invitation)
    };
    let Joining { session, view } =
        Session::join(&node.crypto, &node.identity.leaves(), invitation).map_err(|cause| {
            match cause {
                SessionError::UnknownKeyPackage => unknown_key_package(),
                cause => bad(cause.reason()),
            }
        })?;
    validate_view(&view).map_err(|refused| bad(refused.0))?;
    let statement = view.statement.clone().unwrap_or_default();
    let signed = SignedStatement::decode(&statement).map_err(|cause| bad(&cause.to_string()))?;
    // What this node has followed as a member is as good as what it signed.
    let followed = known.as_ref().map(changes::statement).transpose()?;
    let agreed = |proposal: &Proposal| agreed(node, proposal, followed.as_ref(), item, &signed);
    let proposal = signed_here.into_iter().find(agreed);
    let proposal = proposal.ok_or_else(|| bad("the group is not of a signed statement"))?;
    let same =
        view.ciphersuite == proposal.pact.terms().ciphersuite.number() && view.epoch == item.epoch;
    if !same {
        return Err(bad("the group is not of the signed statement"));
    }
    let term = &signed.statement().hub;
    if term.hub != *hub {
        return Err(bad("another hub keeps the équipe's log"));
    }
    item.checkpoint.verify(&term.identity).map_err(|cause| bad(&cause.to_string()))?;
    let checkpoint = item.checkpoint.checkpoint();
    let place = (checkpoint.group, checkpoint.sequence, checkpoint.epoch);
    let hub_now = (&checkpoint.hub, checkpoint.term);
    if place != (item.group, item.sequence, item.epoch) || hub_now != (&term.hub, term.term) {
        return Err(bad("the checkpoint is of another place"));
    }
    let mut row = new_row(
        node,
        item.lineage,
        item.group,
        NewEquipe {
            name: proposal.pact.terms().equipe.clone(),
            suite: view.ciphersuite,
            standing: Standing::Active,
            statement,
            pact_text: proposal.pact.text().to_owned(),
            hub: hub.clone(),
        },
    )?;
    row.sequence = item.sequence;
    row.head = checkpoint.head;
    // A hub's clock that is ahead carries no newcomer with it: what follows waits, as at everybody.
    row.accepted_at = item.accepted_at.min(node.clock.now().plus(clock::AHEAD_MAX));
    row.checkpoint = item.checkpoint.bytes().to_vec();
    row.checkpoint_signature = item.checkpoint.signature().to_vec();
    // The others learn by a receipt that this node has joined.
    row.receipt_due = item.sequence;
    row.receipt_sent = Sequence(0);
    let again = known.is_some();
    let lost = known.as_ref().is_some_and(|row| row.state == Standing::NeedsRejoin.as_str());
    let missed = known.as_ref().is_some_and(|known| has_missed(known, item));
    if let Some(known) = &known {
        // Running numbers go on, so that nobody takes a new envelope for an old one.
        row.next_number = known.next_number;
    }
    let mut work = match again {
        true => Work::renew(node, row, session).await?,
        false => Work::create(node, row, session).await?,
    };
    if again {
        forget_before(&mut work).await?;
        match (known.as_ref(), &succeeds) {
            (Some(known), Some(successor)) => {
                succeed::enter(node, &mut work, known, successor).await?;
            }
            _ => pseudonym::follow::begin_anew(work.tx()?, item.lineage).await?,
        }
        let mut kept = proposal.clone();
        if kept.statement.digest() == signed.digest() {
            kept.statement = signed.clone();
        }
        pacts::keep(node, work.tx()?, &kept).await?;
        let row = work.row.clone();
        changes::drop_overtaken(node, work.tx()?, &row).await?;
    } else {
        Box::pin(go_on_with(node, &mut work, &proposal)).await?;
    }
    for step in &item.earlier {
        history::note(work.tx()?, Keeper::Member, &step.encode()).await?;
    }
    if lost && succeeds.is_none() {
        rejoin::returned(node, &mut work).await?;
    }
    // The first commit adds those with whom the équipe begins.
    let founder = !again && item.epoch == Epoch(1);
    pseudonym::follow::entered(node, &mut work, founder).await?;
    let before = work.tx()?.members(item.lineage).await?;
    roster::follow_group(&mut work).await?;
    if again {
        owe(node, &mut work, &before, missed).await?;
    }
    // Who committed is there: the chair, which alone adds members.
    let joined_at = work.row.accepted_at;
    roster::hear(&mut work, &signed.statement().chair, joined_at).await?;
    let tx = work.tx()?;
    tx.put_mailbox_cursor(hub, mailbox).await?;
    alarms::end_all(node, tx, item.lineage, Ending::Join).await?;
    record(node, tx, Actor::Node, "equipe.joined", &item.lineage.to_string(), &[]).await?;
    work.commit().await?;
    node.signals.wake(&Topic::Membership);
    pack::wake(node, item.lineage);
    Ok(())
}

/// Keeps a Welcome that has overtaken the log: this node was removed and added again, and
/// has read of neither yet.
async fn keep(node: &Node, item: &WelcomeItem) -> Done<()> {
    let name = kept_name(item.lineage);
    let sealed = node.seal(&identity::context(&name), &wire::hub::encode_welcome(item))?;
    let mut tx = node.store.write().await?;
    tx.put_secret(&name, sealed).await?;
    tx.commit().await?;
    Ok(())
}

/// A Welcome that was kept at a hub until this node has read that it was removed, with where
/// the mailbox stands.
///
/// # Errors
/// The store's, or a wrong node key.
pub async fn kept(node: &Node, hub: &NodeId) -> Done<Option<(u64, WelcomeItem)>> {
    let mut tx = node.store.read().await?;
    for row in tx.equipes().await? {
        let name = kept_name(row.lineage);
        let Some(sealed) = tx.secret(&name).await?.filter(|_| row.hub == *hub) else { continue };
        let encoded = node.open(&identity::context(&name), &sealed)?;
        let told = is_cut_off(&mut *tx, row.lineage).await?;
        // Nothing is left of one that was entered.
        let item = wire::hub::decode_welcome(encoded.reveal());
        if let (Ok(item), true) = (item, told || may_return(&row)) {
            return Ok(Some((tx.mailbox_cursor(hub).await?, item)));
        }
    }
    Ok(None)
}

/// Forgets a Welcome that was kept.
///
/// # Errors
/// The store's.
pub async fn forget_kept(node: &Node, lineage: LineageId) -> Done<()> {
    let name = kept_name(lineage);
    let nothing = node.seal(&identity::context(&name), &[])?;
    let mut tx = node.store.write().await?;
    tx.put_secret(&name, nothing).await?;
    tx.commit().await?;
    Ok(())
}

fn kept_name(lineage: LineageId) -> String {
    format!("welcome/{lineage}")
}

/// Whether the hub has said that it shows this node nothing from where it stands.
///
/// # Errors
/// The store's.
pub async fn is_cut_off(tx: &mut dyn Tx, lineage: LineageId) -> Done<bool> {
    let alarms = tx.alarms(lineage).await?;
    Ok(alarms.iter().any(|alarm| CUT_OFF.contains(&alarm.code)))
}

/// Whether a membership is over, or waits to begin anew.
fn may_return(row: &EquipeRow) -> bool {
    matches!(Standing::parse(&row.state), Some(Standing::Ended | Standing::NeedsRejoin))
}

/// Whether this node was a member at the place of a Welcome. The commit that let it join again
/// may have removed it, too.
fn has_been(row: &EquipeRow, item: &WelcomeItem) -> bool {
    let ended = row.state == Standing::Ended.as_str();
    let passed = item.sequence < row.sequence || item.sequence == row.sequence && !ended;
    row.group == item.group && passed
}

/// Whether more commits came while this node was away than the one that removed it, where
/// one did, and the one that added it.
fn has_missed(known: &EquipeRow, item: &WelcomeItem) -> bool {
    let removed = known.state == Standing::Ended.as_str();
    let own = if removed { 2 } else { 1 };
    known.group != item.group || item.epoch.0 > known.epoch.0.saturating_add(own)
}

/// Whoever came while this node was away has nothing of it, and where it missed commits, any
/// other may have lost its state and joined again: they are told what was shared before.
async fn owe(node: &Node, work: &mut Work<'_>, before: &[MemberRow], missed: bool) -> Done<()> {
    let (lineage, joined_at) = (work.row.lineage, work.row.sequence);
    for member in work.tx()?.members(lineage).await? {
        let known = !missed && before.iter().any(|known| known.node == member.node);
        if !known && member.node != node.identity.node {
            replay::begin(work, &member.node, Recipient::Rejoined, joined_at).await?;
        }
    }
    Ok(())
}

/// What this node has signed of an équipe: its consent to join.
async fn signed_here(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    known: Option<&EquipeRow>,
) -> Done<Vec<Proposal>> {
    let mut proposals = Vec::new();
    if let Some(row) = tx.pact(lineage).await? {
        proposals.push(pacts::open(node, &row)?);
    }
    proposals.extend(consents::of(node, tx, lineage).await?);
    if let Some(row) = known {
        let pending = changes::of(node, tx, row).await?;
        proposals.extend(pending.into_iter().map(|pending| pending.proposal));
    }
    proposals.retain(|proposal| proposal.signed_by().contains(&node.identity.node));
    if proposals.is_empty() {
        let message = "a Welcome to an équipe not signed here";
        return Err(Fault::refused("pact_not_signed", message));
    }
    Ok(proposals)
}

/// The pact by which this node joined; a later one that has come meanwhile is a change that
/// waits, where it follows.
async fn go_on_with(node: &Node, work: &mut Work<'_>, joined_by: &Proposal) -> Done<()> {
    let row = work.row.clone();
    let tx = work.tx()?;
    consents::forget(node, tx, row.lineage).await?;
    let Some(known) = tx.pact(row.lineage).await? else { return Ok(()) };
    let later = pacts::open(node, &known)?;
    if later.statement.digest() == joined_by.statement.digest() {
        return Ok(());
    }
    pacts::keep(node, tx, joined_by).await?;
    let others = later.signed_by().into_iter().find(|signer| *signer != node.identity.node);
    let Some(sender) = others else { return Ok(()) };
    match changes::receive(node, tx, &row, &sender, later).await {
        Err(fault) if matches!(fault.whose, Whose::Ours | Whose::Unavailable) => Err(fault),
        // It has been overtaken.
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What an earlier membership left behind: an own commit that can never be settled now.
async fn forget_before(work: &mut Work<'_>) -> Done<()> {
    let (lineage, epoch) = (work.row.lineage, work.row.epoch);
    let tx = work.tx()?;
    while let Some(commit) = tx.pending_commit(lineage).await? {
        tx.delete_entry(lineage, commit.entry).await?;
    }
    Ok(tx.entries_stale_before(lineage, epoch).await?)
}

/// Whether a group's statement is the one that this node signed, or follows it under the
/// same pact without anyone whom this node did not sign for: step by step, as the hub shows,
/// since whoever was removed can sign a later statement too.
fn agreed(
    node: &Node,
    proposal: &Proposal,
    followed: Option<&SignedStatement>,
    item: &WelcomeItem,
    found: &SignedStatement,
) -> bool {
    if found.digest() == proposal.statement.digest() {
        return true;
    }
    let leads = |known: &SignedStatement| {
        known.digest() == found.digest() || follows(known, &item.earlier, found).is_ok()
    };
    let (ours, theirs) = (proposal.statement.statement(), found.statement());
    let known = |party: &Party| {
        ours.party(&party.node).is_some_and(|known| known.identity == party.identity)
    };
    (theirs.lineage, theirs.pact) == (ours.lineage, ours.pact)
        && theirs.version > ours.version
        && theirs.may_have_leaf(&node.identity.node)
        && theirs.parties.iter().all(known)
        && (leads(&proposal.statement) || followed.is_some_and(leads))
}

fn unknown_key_package() -> Fault {
    Fault::refused(
        UNKNOWN_KEY_PACKAGE,
        "the Welcome is for a key package that this node has no more, as after a disk was put \
         back or copied; new ones go to the hub",
    )
}

fn bad(cause: &str) -> Fault {
    Fault::refused("bad_welcome", format!("the Welcome is refused: {cause}"))
}
