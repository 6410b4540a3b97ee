//! How the node's database is, in words for administrators.

use super::Node;
use super::doctor::{Finding, Severity};
use super::fault::Fault;

/// The node's alarm while its database cannot do its work.
pub fn alarm(node: &Node) -> Option<String> {
    let ailing = node.store.ailing()?;
    Some(format!("{}: {}", ailing.ailment.reason(), ailing.ailment))
}

/// The same with the next step.
pub fn finding(node: &Node) -> Option<Finding> {
    let ailing = node.store.ailing()?;
    Some(Finding {
        severity: Severity::Problem,
        code: ailing.ailment.reason().into(),
        message: format!("{}, so nothing new is acknowledged: {}", ailing.ailment, ailing.cause),
        step: ailing.ailment.step().into(),
        whose: "you".into(),
    })
}

/// What can be said where nothing can be read.
pub fn told(node: &Node, fault: &Fault) -> Finding {
    finding(node).unwrap_or_else(|| Finding {
        severity: Severity::Problem,
        code: fault.reason.into(),
        message: fault.message.clone(),
        step: fault.hint.clone(),
        whose: "you".into(),
    })
}
