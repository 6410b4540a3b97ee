//! Joins an équipe by a Welcome: only one whose pact this node has signed, and whose
//! statement is the signed one.

use raccordo_core::hublog::WelcomeItem;
use raccordo_core::id::{NodeId, Sequence};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::sending::Standing;
use raccordo_core::session::{Invitation, Joining, Session};
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::validator::validate_view;

use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::found::{NewEquipe, new_row};
use super::honesty::{self, Suspicion};
use super::receive_mail::skip;
use super::signals::Topic;
use super::work::{Work, open_ledger};
use super::{Node, pack, pacts, roster};

/// Joins; a Welcome of an équipe that is here already only moves the mailbox's cursor.
///
/// # Errors
/// `pact_not_signed`, `bad_welcome`: the sender's or the hub's fault; the caller skips the
/// item. Else the store's.
pub async fn join(
    node: &Node,
    hub: &NodeId,
    mailbox: u64,
    item: &WelcomeItem,
    tree: &[u8],
) -> Done<()> {
    let unsigned = || Fault::refused("pact_not_signed", "a Welcome to an équipe not signed here");
    let (proposal, device) = {
        let mut tx = node.store.read().await?;
        if tx.equipe(item.lineage).await?.is_some() {
            drop(tx);
            return skip(node, hub, mailbox).await;
        }
        let row = tx.pact(item.lineage).await?.ok_or_else(unsigned)?;
        (pacts::open(node, &row)?, open_ledger(node, &mut *tx, &LedgerScope::Device).await?)
    };
    if !proposal.signed_by().contains(&node.identity.node) || proposal.pact.terms().hub != *hub {
        return Err(unsigned());
    }
    let invitation = Invitation {
        group: item.group,
        welcome: &item.welcome,
        tree,
        device_rows: device,
        group_rows: Vec::new(),
    };
    let Joining { session, view } = Session::join(&node.crypto, &node.identity.leaf, invitation)
        .map_err(|cause| bad(cause.reason()))?;
    validate_view(&view).map_err(|refused| bad(&refused.0))?;
    let statement = view.statement.clone().unwrap_or_default();
    let signed = SignedStatement::decode(&statement).map_err(|cause| bad(&cause.to_string()))?;
    let same = signed.digest() == proposal.statement.digest()
        && view.ciphersuite == proposal.pact.terms().ciphersuite.number()
        && view.epoch == item.epoch;
    if !same {
        return Err(bad("the group is not of the signed statement"));
    }
    let term = &signed.statement().hub;
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
    row.accepted_at = item.accepted_at;
    row.checkpoint = item.checkpoint.bytes().to_vec();
    row.checkpoint_signature = item.checkpoint.signature().to_vec();
    // The others learn by a receipt that this node has joined.
    row.receipt_due = item.sequence;
    row.receipt_sent = Sequence(0);
    let mut work = Work::create(node, row, session).await?;
    roster::follow_group(&mut work).await?;
    // Who committed is there: the chair, which alone adds members.
    roster::hear(&mut work, &signed.statement().chair, item.accepted_at).await?;
    let tx = work.tx()?;
    tx.put_mailbox_cursor(hub, mailbox).await?;
    tx.delete_alarm(item.lineage, "welcome_refused").await?;
    record(node, tx, Actor::Node, "equipe.joined", &item.lineage.to_string(), &[]).await?;
    work.commit().await?;
    node.signals.wake(&Topic::Membership);
    pack::wake(node, item.lineage);
    Ok(())
}

/// Notes that a Welcome of an équipe whose pact is here was refused.
///
/// # Errors
/// The store's.
pub async fn note_refused(node: &Node, item: &WelcomeItem, cause: &Fault) -> Done<()> {
    let lineage = item.lineage;
    let mut tx = node.store.write().await?;
    if tx.pact(lineage).await?.is_none() {
        return Ok(());
    }
    let detail = format!("entry {}, epoch {}: {}", item.sequence, item.epoch, cause.message);
    let suspicion = Suspicion { code: "welcome_refused", detail };
    honesty::raise(node, &mut *tx, lineage, suspicion).await?;
    tx.commit().await?;
    Ok(())
}

fn bad(cause: &str) -> Fault {
    Fault::refused("bad_welcome", format!("the Welcome is refused: {cause}"))
}
