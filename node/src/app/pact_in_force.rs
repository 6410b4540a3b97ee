//! The pact of an équipe as its members agreed on it, for reading.

use raccordo_core::trust::pact::Pact;

use super::Node;
use super::fault::{Done, Fault};
use super::work::open_pact;

/// The pact in force of the équipe of this name.
///
/// # Errors
/// `no_such_equipe`.
pub async fn named(node: &Node, equipe: &str) -> Done<Pact> {
    let row = node.store.read().await?.equipe_named(equipe).await?.ok_or_else(|| {
        Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
            .hint("see `raccordo equipe list`")
    })?;
    open_pact(node, &row)
}
