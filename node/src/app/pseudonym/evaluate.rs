//! A request for tokens in the log: counted by everybody, and answered by those holders whose
//! part it is.

use std::collections::BTreeMap;

use raccordo_core::envelope::{Body, TokenAnswer, TokenRequest};
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{Digest, NodeId};
use raccordo_core::pseudonym::budget::{Charge, Ticket, may_evaluate};
use raccordo_core::pseudonym::evaluation::{EvaluationError, evaluate};
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::time::Instant;

use super::{Applied, budget, ceremony, finish, keys, say};
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::store::keys::SharingRow;
use crate::store::token_request::AnswerRow;
use crate::telemetry::TOKENS_EVALUATED;

/// Holders that answer the first time beyond those that are needed: one may be away.
const SPARE: usize = 1;

/// Takes a request, of another or this node's own.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn requested(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    request: &TokenRequest,
) -> Done<Applied> {
    let at = entry.accepted_at;
    ceremony::pass(node, work, at).await?;
    let ticket = Ticket {
        requester: entry.sender.clone(),
        class: request.class,
        count: u32::try_from(request.blinded.len()).unwrap_or(u32::MAX),
        accepted_at: at,
    };
    let own = entry.sender == node.identity.node;
    if own {
        accepted(work, request, at).await?;
    }
    if let Charge::Over { .. } = budget::charge(node, work, &ticket).await? {
        return Ok(Ok(()));
    }
    let lineage = work.row.lineage;
    let known = keys::in_force(node, work.tx()?, lineage, request.class).await?;
    let known = known.filter(|(_, sharing)| sharing.key().epoch == request.key_epoch);
    let Some((row, sharing)) = known else { return Ok(Ok(())) };
    if !own && !is_mine(node, &row, &sharing, &ticket, request) {
        return Ok(Ok(()));
    }
    if !own && !is_trusted(work, &ticket.requester).await? {
        tracing::warn!(%lineage, requester = %ticket.requester, "a request of a member that is not verified here is not answered");
        return Ok(Ok(()));
    }
    let Some(share) = keys::share(node, work, &sharing).await? else { return Ok(Ok(())) };
    let evaluation = match evaluate(&*node.entropy, &share, &request.blinded) {
        Ok(evaluation) => evaluation.encode(),
        Err(EvaluationError::Count | EvaluationError::Element(_)) => {
            return Ok(Err("token_request_malformed"));
        }
        Err(cause @ EvaluationError::Share) => return Err(Fault::ours("key_share_damaged", cause)),
    };
    metrics::counter!(TOKENS_EVALUATED.name, "class" => request.class.name())
        .increment(u64::from(ticket.count));
    let (request, generation) = (request.request, sharing.generation());
    if own {
        let member = node.identity.node.clone();
        let answer = AnswerRow { lineage, request, member, generation, evaluation };
        finish::keep(node, work, answer).await?;
    } else {
        let answer = TokenAnswer { request, generation, evaluation };
        say(node, work, Body::TokenAnswer(answer), false).await?;
    }
    Ok(Ok(()))
}

/// Whether this node lets a member test values: only one that is verified here. Others may
/// answer it; what it asked for counts against its budget all the same.
async fn is_trusted(work: &mut Work<'_>, requester: &NodeId) -> Done<bool> {
    let peer = work.tx()?.peer(requester).await?;
    Ok(peer.is_some_and(|row| row.state.counts_as_verified()))
}

/// From now on the requester waits for answers.
async fn accepted(work: &mut Work<'_>, request: &TokenRequest, at: Instant) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    if let Some(mut row) = tx.token_request(lineage, request.request).await? {
        row.accepted_at = at;
        tx.put_token_request(row).await?;
        tx.hasten_key_duty(lineage).await?;
    }
    Ok(())
}

/// Whether this node answers another's request.
fn is_mine(
    node: &Node,
    row: &SharingRow,
    sharing: &Sharing,
    ticket: &Ticket,
    request: &TokenRequest,
) -> bool {
    let joined = (row.seen_from > Instant(0)).then_some(row.seen_from);
    if let Err(abstention) = may_evaluate(ticket, node.clock.now(), joined) {
        tracing::debug!(lineage = %row.lineage, %abstention, "a request is left to others");
        return false;
    }
    request.attempt > 0 || is_called(sharing, &ticket.requester, request, &node.identity.node)
}

/// The first time only as many holders answer as are needed, and a spare one; the request's
/// id decides who, so that all are called alike.
fn is_called(sharing: &Sharing, requester: &NodeId, request: &TokenRequest, me: &NodeId) -> bool {
    let own = usize::from(sharing.is_holder(requester));
    let needed = usize::from(sharing.threshold()).saturating_sub(own).saturating_add(SPARE);
    let lot = |node: &NodeId| {
        Digest::of(&[request.request.as_bytes(), node.as_str().as_bytes()].concat())
    };
    let others = sharing.holders().filter(|node| *node != requester);
    let lots: BTreeMap<Digest, &NodeId> = others.map(|node| (lot(node), node)).collect();
    lots.into_values().take(needed).any(|node| node == me)
}
