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

use raccordo_core::envelope::{Body, Envelope};
use raccordo_core::id::EnvelopeId;

use super::fault::{Done, Fault};
use super::work::Work;
use super::{Node, pack};
pub use memory::Memory;
pub use tend::{heard, tend};
pub use want::{forget_tokens, want_tokens};

/// How long each phase of a ceremony waits for those who are away.
pub const PHASE: Duration = Duration::from_secs(15 * 60);

/// What happens to a message of the log: applied or without effect, or set aside for a reason.
type Applied = Result<(), &'static str>;

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
    let rows = pack::rows_for(node, &envelope, None, case_bearing)?;
    let rows = rows.map_err(|cause| Fault::ours("key_message_too_large", cause))?;
    Ok(work.tx()?.queue_envelopes(rows).await?)
}
