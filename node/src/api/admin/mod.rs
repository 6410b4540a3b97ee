//! What administrators ask of their node, on its Unix socket: counts and states, never
//! bodies. One file for each service; the caller is known by its user on this machine.

mod audit;
mod backup;
mod directory;
mod equipe;
mod hub;
mod keys;
mod node;
mod pact;
mod rejoin;
mod trust;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tonic::Request;

use crate::app::Node;
use crate::app::audit::Actor;
use crate::app::fault::{Done, Fault, Whose};
use crate::transport::unix::caller_uid;

/// All services of `raccordo.admin.v1`; a clone is another handle to the same node.
#[derive(Clone)]
pub struct AdminCalls {
    node: Arc<Node>,
    stop: CancellationToken,
}

impl AdminCalls {
    /// Serves until `stop` is cancelled, which ends what is still streaming.
    pub fn new(node: Arc<Node>, stop: CancellationToken) -> Self {
        Self { node, stop }
    }
}

/// Who calls, and what.
fn administrator<T>(request: Request<T>) -> Done<(Actor, T)> {
    let uid = caller_uid(&request).ok_or_else(|| {
        let message = "the caller's user cannot be told";
        Fault::new(Whose::Unauthenticated, "not_an_administrator", message)
            .hint("call on the node's Unix socket")
    })?;
    Ok((Actor::Administrator(uid), request.into_inner()))
}

/// A count as the wire has it.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_without_user_is_nobody() {
        let fault = administrator(Request::new(())).unwrap_err();
        assert_eq!((fault.whose, fault.reason), (Whose::Unauthenticated, "not_an_administrator"));
    }
}
