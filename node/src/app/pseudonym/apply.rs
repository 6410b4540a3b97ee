//! What the log says of keys and tokens, this node's own words among it: who evaluates and
//! who asks must see the same in the same order.

use raccordo_core::envelope::{Body, Envelope};
use raccordo_core::hublog::LogEntry;

use super::{Applied, act, evaluate, finish, plan, rekey};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::work::Work;

/// Whether a body is about keys or tokens.
pub fn concerns(body: &Body) -> bool {
    matches!(
        body,
        Body::KeyPlan(_)
            | Body::KeyAct(_)
            | Body::KeyRenewal(_)
            | Body::TokenRequest(_)
            | Body::TokenAnswer(_)
    )
}

/// Applies a body that [`concerns`] keys or tokens, from any member or this node itself.
///
/// # Errors
/// The store's, or damaged rows. What the sender did wrong is told as a reason.
pub async fn apply(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    envelope: &Envelope,
) -> Done<Applied> {
    match &envelope.body {
        Body::KeyPlan(body) => plan::planned(node, work, entry, body).await,
        Body::KeyAct(bytes) => act::acted(node, work, entry, bytes).await,
        Body::KeyRenewal(renewal) => rekey::count_request(node, work, entry, *renewal).await,
        Body::TokenRequest(request) => evaluate::requested(node, work, entry, request).await,
        Body::TokenAnswer(answer) => finish::answered(node, work, entry, answer).await,
        Body::ObjectEvent(_)
        | Body::Receipt(_)
        | Body::ReadReceipt(_)
        | Body::Chunk(_)
        | Body::Sealed(_)
        | Body::Tags(_)
        | Body::MatchEvent(_)
        | Body::PairHalf(_)
        | Body::CheckpointRequest(_)
        | Body::CheckpointCopy(_)
        | Body::AuditHead(_) => Ok(Ok(())),
    }
}
