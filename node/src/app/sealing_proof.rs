//! Whether peers hold the sealing keys of their cards: this node seals a number to each that
//! is verified, and answers the numbers that peers seal to it. Both go through mailboxes; what
//! is lost is asked for again the next day.

use std::time::Duration;

use raccordo_core::canonical::Writer;
use raccordo_core::id::{Digest, ItemId, NodeId};
use raccordo_core::secret::Secret;
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;
use raccordo_core::trust::card::Card;
use raccordo_core::trust::sealing_challenge::{self, Named};
use raccordo_core::trust::state::TrustState;

use super::Node;
use super::audit::{Actor, record};
use super::fault::Done;
use super::peers::read_card;
use super::signals::Topic;
use crate::store::Tx;
use crate::store::node::MailRow;
use crate::store::peer::PeerRow;

/// Kind of the posts that carry a challenge.
pub const CHALLENGE_KIND: &str = "sealing_challenge";
/// Kind of the posts that carry an answer.
pub const ANSWER_KIND: &str = "sealing_answer";

/// A challenge without an answer is repeated after this.
const AGAIN_AFTER: Duration = Duration::from_secs(24 * 3600);
/// And sooner where the peer has just shown that it is there.
const SOON_AFTER: Duration = Duration::from_secs(600);
/// Posts of one hub among which an answer to the same peer is looked for.
const WAITING_MAX: u32 = 256;

/// Whether a peer has shown that it holds the sealing key of its card.
pub fn is_proven(row: &PeerRow, card: &Card) -> bool {
    row.opened_key == Some(card.sealing_key_digest())
}

/// Challenges a peer that is verified and has not opened a challenge to its present sealing
/// key; notes when. Returns the hubs that have a post to carry.
///
/// # Errors
/// The store's.
pub async fn challenge(node: &Node, tx: &mut dyn Tx, row: &mut PeerRow) -> Done<Vec<NodeId>> {
    let card = read_card(row)?;
    let card = card.card();
    if !row.state.counts_as_verified() || is_proven(row, card) {
        return Ok(Vec::new());
    }
    let own = node.identity.key.public();
    let (me, peer) = ((&node.identity.node, &own), (&card.node, &card.identity));
    let number = number(node, card);
    let letter = sealing_challenge::challenge(&*node.entropy, me, peer, &card.sealing_key, &number);
    let Ok(letter) = letter else { return Ok(Vec::new()) };
    let hubs = meeting_places(node, tx, card).await?;
    for hub in &hubs {
        post(node, tx, hub, &card.node, CHALLENGE_KIND, letter.clone()).await?;
    }
    if !hubs.is_empty() {
        row.challenged_at = node.clock.now();
    }
    Ok(hubs)
}

/// Challenges those who have not answered for a day, and those whom this node could not reach
/// by any hub before.
///
/// # Errors
/// The store's.
pub async fn challenge_due(node: &Node) -> Done<()> {
    let due = |row: &PeerRow| node.clock.now() >= row.challenged_at.plus(AGAIN_AFTER);
    let mut waiting = false;
    for row in node.store.read().await?.peers().await? {
        let unproven = !is_proven(&row, read_card(&row)?.card());
        waiting |= row.state.counts_as_verified() && unproven && due(&row);
    }
    if !waiting {
        return Ok(());
    }
    let mut tx = node.store.write().await?;
    let mut hubs = Vec::new();
    for mut row in tx.peers().await? {
        if due(&row) {
            let asked = challenge(node, &mut *tx, &mut row).await?;
            if !asked.is_empty() {
                tx.put_peer(row).await?;
                hubs.extend(asked);
            }
        }
    }
    tx.commit().await?;
    wake(node, hubs);
    Ok(())
}

/// Wakes those who post.
pub fn wake(node: &Node, hubs: impl IntoIterator<Item = NodeId>) {
    hubs.into_iter().for_each(|hub| node.signals.wake(&Topic::Errands(hub)));
}

/// Answers a peer's challenge, through the hub that brought it. What does not open is not for
/// this node, or of a peer that has another card of it: the peer asks again.
///
/// # Errors
/// The store's.
pub async fn answer(
    node: &Node,
    tx: &mut dyn Tx,
    hub: &NodeId,
    challenger: &NodeId,
    letter: &[u8],
) -> Done<()> {
    let Some(mut row) = tx.peer(challenger).await? else { return Ok(()) };
    if row.state == TrustState::Revoked {
        return Ok(());
    }
    let card = read_card(&row)?;
    let own = node.identity.key.public();
    let me: Named<'_> = (&node.identity.node, &own);
    let peer: Named<'_> = (&row.node, &card.card().identity);
    let open = |info: &[u8], aad: &[u8], letter: &[u8]| node.identity.unseal(info, aad, letter);
    let Ok(answer) = sealing_challenge::answer(&open, peer, me, letter) else {
        tracing::warn!(peer = %challenger, "a challenge does not open");
        return Ok(());
    };
    // However many challenges come, one answer waits.
    let waiting = tx.mail_for(hub, WAITING_MAX).await?;
    let known = |mail: &MailRow| mail.recipient == *challenger && mail.kind == ANSWER_KIND;
    if !waiting.iter().any(known) {
        post(node, tx, hub, challenger, ANSWER_KIND, answer.as_bytes().to_vec()).await?;
    }
    if node.clock.now() >= row.challenged_at.plus(SOON_AFTER) {
        let hubs = challenge(node, tx, &mut row).await?;
        if !hubs.is_empty() {
            tx.put_peer(row).await?;
            wake(node, hubs);
        }
    }
    Ok(())
}

/// Takes an answer. Another peer with the same sealing key has copied it: whoever opened the
/// challenge has it.
///
/// # Errors
/// The store's.
pub async fn answered(node: &Node, tx: &mut dyn Tx, peer: &NodeId, answer: &[u8]) -> Done<()> {
    let Some(row) = tx.peer(peer).await? else { return Ok(()) };
    let card = read_card(&row)?;
    let card = card.card();
    let own = node.identity.key.public();
    let (me, other) = ((&node.identity.node, &own), (&row.node, &card.identity));
    let expected = sealing_challenge::expected(me, other, &number(node, card));
    if is_proven(&row, card) || Digest::try_from(answer) != Ok(expected) {
        return Ok(());
    }
    let serial = card.serial.to_string();
    let detail = [("serial", serial.as_str())];
    record(node, tx, Actor::Node, "trust.sealing_key_proven", peer.as_str(), &detail).await?;
    for copy in copies(tx, card).await? {
        let detail = [("holder", peer.as_str()), ("key", "sealing")];
        record(node, tx, Actor::Node, "trust.key_copied", copy.as_str(), &detail).await?;
        tracing::error!(peer = %copy, holder = %peer, "a card claims another node's sealing key");
    }
    tx.put_peer(PeerRow { opened_key: Some(card.sealing_key_digest()), ..row }).await?;
    Ok(())
}

/// Other peers whose cards name the same sealing key.
async fn copies(tx: &mut dyn Tx, card: &Card) -> Done<Vec<NodeId>> {
    let mut copies = Vec::new();
    for row in tx.peers().await? {
        let other = read_card(&row)?;
        if other.card().node != card.node && other.card().sealing_key == card.sealing_key {
            copies.push(row.node);
        }
    }
    Ok(copies)
}

/// The number of a challenge: the same until the peer has another sealing key, so that an
/// answer counts however late it comes, and nothing is kept of it.
fn number(node: &Node, card: &Card) -> Secret<[u8; 32]> {
    let about = Writer::record()
        .text(card.node.as_str())
        .bytes(card.identity.as_bytes())
        .bytes(card.sealing_key_digest().as_bytes());
    Secret::new(node.vault.index(CHALLENGE_KIND, &about.finish()))
}

/// The hubs at which this node and a peer both read their mailboxes, as far as is known here:
/// the peer's own, this node's own, else all that this node uses.
async fn meeting_places(node: &Node, tx: &mut dyn Tx, card: &Card) -> Done<Vec<NodeId>> {
    if card.hub_endpoint.is_some() {
        return Ok(vec![card.node.clone()]);
    }
    if node.hub.is_some() {
        return Ok(vec![node.identity.node.clone()]);
    }
    let mut hubs = Vec::new();
    for row in tx.peers().await? {
        let runs_one = read_card(&row)?.card().hub_endpoint.is_some();
        if row.state.counts_as_verified() && runs_one {
            hubs.push(row.node);
        }
    }
    for equipe in tx.equipes().await? {
        let ended = Standing::parse(&equipe.state) == Some(Standing::Ended);
        if !ended && !hubs.contains(&equipe.hub) {
            hubs.push(equipe.hub);
        }
    }
    Ok(hubs)
}

async fn post(
    node: &Node,
    tx: &mut dyn Tx,
    hub: &NodeId,
    recipient: &NodeId,
    kind: &str,
    payload: Vec<u8>,
) -> Done<()> {
    let (hub, recipient) = (hub.clone(), recipient.clone());
    let item = ItemId::random(&*node.entropy);
    tx.insert_mail(MailRow { item, hub, recipient, kind: kind.into(), payload }).await?;
    Ok(())
}

/// After this a peer that is verified and has answered no challenge is told of.
const SILENT_AFTER: Duration = Duration::from_secs(2 * 24 * 3600);

/// Whether a peer has been asked for so long that an administrator should know: since it was
/// verified, and since it made its card.
pub fn is_overdue(row: &PeerRow, card: &Card, now: Instant) -> bool {
    let made = card.valid_from.plus(super::init::CLOCKS_DIFFER);
    let since = row.changed_at.max(made);
    row.state.counts_as_verified() && !is_proven(row, card) && now >= since.plus(SILENT_AFTER)
}
