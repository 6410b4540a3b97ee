//! Keys for tokens and what is asked of them (DESIGN §7): made and shared anew by ceremonies
//! in the équipe's log, asked within budgets that every member counts from it.
//!
//! What the members must agree on follows from the order of the log and its `accepted_at`
//! alone; the node's own clock says when it speaks, and how fresh a request is.
//!
//! - from the log: [`apply`] to [`plan`], [`act`], [`evaluate`] and [`finish`]; [`follow`]
//!   after commits
//! - what falls due: [`tend`] proposes plans ([`propose`]), does the node's part ([`duty`]),
//!   asks for tokens ([`ask`])
//! - what all of them use: [`ceremony`] (where one stands), [`keys`] (sharings and shares),
//!   [`memory`] (what was read before), [`budget`]
//! - from inside the node: [`want`]; from administrators: [`rekey`], [`show`]

pub mod act;
pub mod apply;
pub mod ask;
pub mod budget;
mod ceremony;
pub mod duty;
pub mod evaluate;
pub mod finish;
pub mod follow;
mod keys;
mod memory;
pub mod plan;
pub mod propose;
pub mod rekey;
pub mod show;
pub mod tend;
pub mod want;

use std::time::Duration;

use raccordo_core::envelope::{Body, Envelope, chunks, fits};
use raccordo_core::id::{EnvelopeId, LineageId};
use raccordo_core::wire;

use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::work::Work;
use super::{Node, pack};
use crate::store::Tx;
use crate::store::equipe::AlarmRow;
pub use memory::Memory;
pub use tend::{heard, tend};
pub use want::{forget_tokens, want_tokens};

/// How long each phase of a ceremony waits for those who are away.
pub const PHASE: Duration = Duration::from_secs(15 * 60);

/// What happens to a message of the log: applied or without effect, or set aside for a reason.
type Applied = Result<(), &'static str>;

/// Codes of alarms.
mod alarms {
    /// A ceremony made nothing; it is tried again.
    pub const FAILED: &str = "key_ceremony_failed";
    /// Members that cheated in a ceremony, or are broken.
    pub const CHEAT: &str = "key_dealing_bad";
    /// A member saw another ceremony than this node.
    pub const DISSENT: &str = "key_dissent";
    /// Too few members have a share of the key.
    pub const LOST: &str = "key_lost";
    /// A member answered a request with what its share does not make of it.
    pub const LIAR: &str = "evaluation_bad";
    /// A member asked for more tokens than the pact allows.
    pub const BUDGET: &str = "token_budget_exceeded";
}

/// Bytes that the running number adds to a queued envelope.
const NUMBER_BYTES_MAX: usize = 11;

/// Queues what the node says in an équipe; in parts where it fits no pack.
async fn say(node: &Node, work: &mut Work<'_>, body: Body, case_bearing: bool) -> Done<()> {
    let lineage = work.row.lineage;
    let envelope = Envelope {
        id: EnvelopeId::random(&*node.entropy),
        lineage,
        number: 0,
        said_at: node.clock.now(),
        author: None,
        body,
    };
    let bytes = wire::encode_envelope(&envelope);
    let mut rows = Vec::new();
    if fits(bytes.len().saturating_add(NUMBER_BYTES_MAX)) {
        rows.push(pack::queued_row(node, &envelope, None, case_bearing)?);
    } else {
        let parts = chunks(envelope.id, &bytes);
        for part in parts.map_err(|cause| Fault::ours("key_message_too_large", cause))? {
            let (id, body) = (EnvelopeId::random(&*node.entropy), Body::Chunk(part));
            let part = Envelope { id, body, ..envelope.clone() };
            rows.push(pack::queued_row(node, &part, None, case_bearing)?);
        }
    }
    Ok(work.tx()?.queue_envelopes(rows).await?)
}

/// Raises an alarm that holds nothing, and records it; once for the same words.
async fn alarm(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    code: &'static str,
    detail: String,
) -> Done<()> {
    let known = tx.alarms(lineage).await?;
    if known.iter().any(|alarm| alarm.code == code && alarm.detail == detail) {
        return Ok(());
    }
    let told = [("code", code), ("detail", detail.as_str())];
    record(node, tx, Actor::Node, "equipe.alarm", &lineage.to_string(), &told).await?;
    tracing::warn!(%lineage, reason = code, detail, "alarm about keys or tokens");
    let (code, raised_at) = (code.to_owned(), node.clock.now());
    Ok(tx.put_alarm(AlarmRow { lineage, code, detail, holds: false, raised_at }).await?)
}
