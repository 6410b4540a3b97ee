//! Carries what the node has to say to the hubs, and what the hubs tell back.
//!
//! Decisions stand in steps that take the node and a link and do one thing:
//! [`outbox::step`], [`errands::step`], [`inbox::take`], [`inbox::confirm`]. Around them
//! run the tasks: for each hub one that follows it ([`subscriber`]) and one for its
//! errands, for each équipe one that sends; [`hubs`] starts and stops them as trust and
//! membership change.
//!
//! A use case is never dropped halfway: tasks are told to stop, and look for it between
//! steps. What the network interrupts is asked again.

pub mod backoff;
mod email_notices;
pub mod errands;
mod hubs;
pub mod inbox;
mod line;
pub mod link;
pub mod local_link;
pub mod outbox;
pub mod pins;
pub mod remote_link;
mod subscriber;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::backoff::Backoff;
pub use self::email_notices::EmailNotices;
pub use self::hubs::Dialling;
pub use self::trouble::Trouble;
use crate::app::clocks::Steady;
use crate::app::hub::trim::trim_old;
use crate::app::register::rotate;
use crate::app::{
    Node, audit_heads, expire, expiry, heartbeat, honesty, key_packages, pseudonym, sealing_proof,
};

/// How often what has expired is erased, and a hub trims what is too old.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// How often is looked whether heartbeats are due and entries overdue.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Starts all tasks; they end soon after `stop` is cancelled. With `notices` people are told by
/// e-mail.
pub fn start(
    node: &Arc<Node>,
    dialling: Dialling,
    notices: Option<EmailNotices>,
    stop: &CancellationToken,
) -> TaskTracker {
    let tasks = TaskTracker::new();
    let (identity, trusted) = (dialling.identity.clone(), dialling.trusted.clone());
    tasks.spawn(pins::run(node.clone(), identity, trusted, stop.clone()));
    tasks.spawn(expire_now_and_then(node.clone(), stop.clone()));
    tasks.spawn(look_at_logs(node.clone(), stop.clone()));
    if let Some(notices) = notices {
        tasks.spawn(email_notices::run(node.clone(), notices, stop.clone()));
    }
    tasks.spawn(hubs::run(node.clone(), dialling, stop.clone(), tasks.clone()));
    tasks.close();
    tasks
}

/// Says where this node stands where it was silent, and notices what a hub keeps back.
async fn look_at_logs(node: Arc<Node>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return,
        }
        if let Err(fault) = heartbeat::beat(&node).await {
            tracing::error!(reason = fault.reason, error = %fault, "cannot say where this node is");
        }
        if let Err(fault) = audit_heads::log(&node).await {
            tracing::error!(reason = fault.reason, error = %fault, "cannot log the audit's end");
        }
        if let Err(fault) = pseudonym::tend::wake_due(&node).await {
            tracing::error!(reason = fault.reason, error = %fault, "cannot look after the keys");
        }
        if let Err(fault) = expiry::tell(&node).await {
            tracing::error!(reason = fault.reason, error = %fault, "cannot see what expires");
        }
        if let Err(fault) = sealing_proof::challenge_due(&node).await {
            tracing::error!(reason = fault.reason, error = %fault, "cannot challenge the peers");
        }
        if let Err(fault) = honesty::watch(&node).await {
            tracing::error!(reason = fault.reason, error = %fault, "cannot look at the logs");
        }
    }
}

/// Only the node's clock decides what has expired; the timer only asks it. While it has
/// leapt ahead, nothing is erased.
async fn expire_now_and_then(node: Arc<Node>, stop: CancellationToken) {
    let began = std::time::Instant::now();
    let mut steady = Steady::begin(node.clock.now(), Duration::ZERO);
    loop {
        if steady.believes(&node.links.clocks, node.clock.now(), began.elapsed()) {
            erase(&node).await;
        } else {
            tracing::error!("the clock has leapt ahead, nothing is erased");
        }
        if let Err(fault) = rotate::where_due(&node).await {
            tracing::error!(reason = fault.reason, error = %fault, "cannot replace a wrapping key");
        }
        tokio::select! {
            () = tokio::time::sleep(EXPIRE_EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn erase(node: &Node) {
    if let Err(fault) = expire::expire(node).await {
        tracing::error!(reason = fault.reason, error = %fault, "cannot erase what expired");
    }
    if let Err(fault) = key_packages::forget_old(node).await {
        tracing::error!(reason = fault.reason, error = %fault, "cannot forget old keys");
    }
    if let Err(fault) = trim_old(node).await {
        tracing::error!(reason = fault.reason, error = %fault, "cannot trim what is old");
    }
}
