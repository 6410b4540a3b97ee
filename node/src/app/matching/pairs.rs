//! What this node and each peer share: a secret of a half of each, made when the first of the
//! two has tokens. Neither alone chooses it, and no third member can compute it.

use raccordo_core::entropy::draw;
use raccordo_core::envelope::{Body, Envelope};
use raccordo_core::id::{Digest, EnvelopeId, LineageId, NodeId, RecordId};
use raccordo_core::letter::{self, Route};
use raccordo_core::matching::shown::PairHalf;
use raccordo_core::pseudonym::token::{Contribution, PairSecret};
use raccordo_core::quota::Quota;
use raccordo_core::secret::Secret;

use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::peers::card_if_verified;
use crate::app::share::rows_for;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::token::PairRow;

/// Context under which a half is sealed, `own` or `theirs`.
pub(in crate::app) fn context(lineage: LineageId, peer: &str, half: &str) -> String {
    format!("pair/{lineage}/{peer}/{half}")
}

/// A peer with whom this node shares a secret.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The peer.
    pub(super) peer: NodeId,
    /// What both know.
    pub(super) secret: PairSecret,
}

/// The other members of the équipe.
///
/// # Errors
/// The store's.
pub(super) async fn others(node: &Node, work: &mut Work<'_>) -> Done<Vec<NodeId>> {
    let lineage = work.row.lineage;
    let members = work.tx()?.members(lineage).await?;
    let others = members.into_iter().map(|member| member.node);
    Ok(others.filter(|member| *member != node.identity.node).collect())
}

/// Makes and sends this node's half to every member that has none. Who is not verified here
/// waits. Whether anything was sent.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn offer(node: &Node, work: &mut Work<'_>) -> Done<bool> {
    let lineage = work.row.lineage;
    let known = work.tx()?.pairs(lineage).await?;
    let mut sent = false;
    for peer in others(node, work).await? {
        let row = known.iter().find(|row| row.peer == peer);
        if row.is_some_and(|row| !row.sealed_own.is_empty()) {
            continue;
        }
        let row = row.cloned().unwrap_or_else(|| blank(lineage, &peer));
        sent |= send(node, work.tx()?, row).await?;
    }
    Ok(sent)
}

fn blank(lineage: LineageId, peer: &NodeId) -> PairRow {
    PairRow {
        lineage,
        peer: peer.clone(),
        sealed_own: Vec::new(),
        sealed_theirs: Vec::new(),
        tagged_until: None,
        tagged: false,
    }
}

/// Sends the own half, made where there is none yet; false where the peer is not verified.
async fn send(node: &Node, tx: &mut dyn Tx, mut row: PairRow) -> Done<bool> {
    let Some(card) = card_if_verified(node, tx, &row.peer).await? else { return Ok(false) };
    let own = match half(node, &row, "own", &row.sealed_own)? {
        Some(own) => own,
        None => Secret::new(draw(&*node.entropy)),
    };
    let theirs = half(node, &row, "theirs", &row.sealed_theirs)?;
    if row.sealed_own.is_empty() {
        row.sealed_own =
            node.seal(&context(row.lineage, row.peer.as_str(), "own"), own.reveal())?;
    }
    let heard = theirs.map(|theirs| Digest::of(theirs.reveal()));
    let inner = spoken(node, row.lineage, Body::PairHalf(PairHalf { half: own, heard }));
    let sender = &node.identity.node;
    let route = Route { lineage: row.lineage, sender, recipient: &row.peer };
    let letter = letter::seal(&*node.entropy, route, &card.card().sealing_key, &inner)
        .map_err(|cause| Fault::ours("not_sealed", cause))?;
    let envelope = spoken(node, row.lineage, Body::Sealed(letter));
    tx.queue_envelopes(rows_for(node, &envelope, None)?).await?;
    tx.put_pair(row).await?;
    Ok(true)
}

/// An envelope in which the node itself speaks.
pub(super) fn spoken(node: &Node, lineage: LineageId, body: Body) -> Envelope {
    Envelope {
        id: EnvelopeId::random(&*node.entropy),
        lineage,
        number: 0,
        said_at: node.clock.now(),
        author: None,
        body,
    }
}

fn half(node: &Node, row: &PairRow, whose: &str, sealed: &[u8]) -> Done<Option<Contribution>> {
    if sealed.is_empty() {
        return Ok(None);
    }
    let bytes = node.open(&context(row.lineage, row.peer.as_str(), whose), sealed)?;
    let bytes = <[u8; 32]>::try_from(bytes.reveal().as_slice());
    let bytes = bytes.map_err(|_| Fault::ours("row_damaged", "a half of a pair's secret"))?;
    Ok(Some(Secret::new(bytes)))
}

/// Takes a member's half. A new one makes a new secret: all tags are made again. The own half
/// goes back where the member has another, or none.
///
/// # Errors
/// The store's, or a wrong node key.
pub async fn received(
    node: &Node,
    work: &mut Work<'_>,
    from: &NodeId,
    told: &PairHalf,
) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    let known = tx.pairs(lineage).await?.into_iter().find(|row| row.peer == *from);
    let mut row = known.unwrap_or_else(|| blank(lineage, from));
    if half(node, &row, "theirs", &row.sealed_theirs)?.as_ref() != Some(&told.half) {
        let context = context(lineage, from.as_str(), "theirs");
        row.sealed_theirs = node.seal(&context, told.half.reveal())?;
        row.tagged_until = None;
        row.tagged = false;
        tx.put_pair(row.clone()).await?;
    }
    let own = half(node, &row, "own", &row.sealed_own)?;
    let heard = own.map(|own| Digest::of(own.reveal()));
    if heard.is_none() || heard != told.heard {
        if node.matching.may_answer(node, lineage, from) {
            send(node, tx, row).await?;
        } else {
            node.quotas.note(from, Quota::HalvesSent, node.clock.now());
        }
    }
    Ok(())
}

/// Takes an erased record's id from where tagging stands: who is behind begins anew there.
///
/// # Errors
/// The store's.
pub(super) async fn forget_record(tx: &mut dyn Tx, record: RecordId) -> Done<()> {
    for equipe in tx.equipes().await? {
        for mut row in tx.pairs(equipe.lineage).await? {
            if row.tagged_until == Some(record) {
                row.tagged_until = None;
                tx.put_pair(row).await?;
            }
        }
    }
    Ok(())
}

/// Has all records shown again to a peer, and looked for among what it shows.
///
/// # Errors
/// The store's.
pub(super) async fn look_again(tx: &mut dyn Tx, lineage: LineageId, peer: &NodeId) -> Done<()> {
    let known = tx.pairs(lineage).await?.into_iter().find(|row| row.peer == *peer);
    if let Some(mut row) = known.filter(|row| row.tagged) {
        row.tagged_until = None;
        row.tagged = false;
        tx.put_pair(row).await?;
    }
    Ok(())
}

/// The members with whom this node shares a secret.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn ready(node: &Node, work: &mut Work<'_>) -> Done<Vec<Pair>> {
    let lineage = work.row.lineage;
    let others = others(node, work).await?;
    let mut pairs = Vec::new();
    for row in work.tx()?.pairs(lineage).await? {
        let own = half(node, &row, "own", &row.sealed_own)?;
        let theirs = half(node, &row, "theirs", &row.sealed_theirs)?;
        let (Some(own), Some(theirs)) = (own, theirs) else { continue };
        let secret = PairSecret::derive((&node.identity.node, &own), (&row.peer, &theirs));
        if let Some(secret) = secret.filter(|_| others.contains(&row.peer)) {
            pairs.push(Pair { peer: row.peer, secret });
        }
    }
    Ok(pairs)
}
