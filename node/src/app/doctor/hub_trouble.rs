//! What to do while a hub is not reached, and who does it.

use raccordo_core::id::NodeId;

use super::{Finding, Severity};
use crate::app::status::Link;

/// Who mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mender {
    /// This node's administrator.
    You,
    /// The hub's.
    Hub,
    /// Both together.
    Both,
}

impl Mender {
    fn at(self, hub: &NodeId) -> String {
        match self {
            Self::You => "you".to_owned(),
            Self::Hub => format!("{hub}, administrator"),
            Self::Both => format!("you and {hub}, administrator"),
        }
    }
}

/// The next step for each reason of a connection that cannot be made.
pub const TROUBLES: &[(&str, &str, Mender)] = &[
    ("dns", "check the host name on the hub's card, and this machine's DNS", Mender::You),
    (
        "refused",
        "nobody listens there: the hub is stopped, or its card has an old address",
        Mender::Hub,
    ),
    ("unreachable", "check this machine's network and routes", Mender::You),
    (
        "timed_out",
        "a firewall drops the packets: this node must be let out to the hub, or use \
         [outbound] proxy in raccordo.toml, and the hub's firewall must let it in",
        Mender::Both,
    ),
    ("proxy_unreachable", "check [outbound] proxy in raccordo.toml", Mender::You),
    (
        "proxy_refused",
        "after 407 set [outbound] proxy_credentials_file in raccordo.toml; after 502 to 504 the \
         proxy does not reach the hub; else ask who runs the proxy to allow CONNECT to the hub",
        Mender::You,
    ),
    (
        "intercepted",
        "a firewall that opens TLS must let this host through unopened; or the hub has a new \
         key: then ask for its new card by phone, and raccordo trust add FILE",
        Mender::Both,
    ),
    (
        "not_trusted",
        "the hub has to add this node's card and verify it: raccordo trust add, then \
         raccordo trust verify",
        Mender::Hub,
    ),
    (
        "not_a_node",
        "something else answers there: check host and port on the hub's card",
        Mender::Both,
    ),
    (
        "closed",
        "the hub restarts, or is at its limit of connections: wait, then ask its administrator",
        Mender::Hub,
    ),
    ("broken", "the node keeps trying: check the network if it stays", Mender::You),
];

/// What an administrator is told of a hub that is not connected.
pub(super) fn finding(hub: &NodeId, link: &Link) -> Finding {
    let known = TROUBLES.iter().find(|(reason, ..)| *reason == link.reason);
    let (code, step, mender) = match known {
        Some((reason, step, mender)) => (*reason, *step, *mender),
        None if !link.hint.is_empty() => ("not_connected", link.hint.as_str(), Mender::You),
        None => (
            "not_connected",
            "the node keeps trying: wait a moment, and read its log if it stays",
            Mender::You,
        ),
    };
    let message = match link.problem.as_str() {
        "" => format!("not connected to the hub {hub} yet"),
        problem => format!("not connected to the hub {hub}: {problem}"),
    };
    Finding {
        severity: Severity::Problem,
        code: format!("hub_{code}"),
        message,
        step: step.to_owned(),
        whose: mender.at(hub),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::transport::connect::REASONS;

    fn told(reason: &str) -> Finding {
        let link = Link { reason: reason.into(), problem: "why".into(), ..Link::default() };
        finding(&"relay".parse().unwrap(), &link)
    }

    #[test]
    fn every_reason_has_a_finding_of_its_own() {
        let mut steps = BTreeSet::new();
        for reason in REASONS {
            let told = told(reason);
            assert_eq!(told.code, format!("hub_{reason}"));
            assert!(steps.insert(told.step), "{reason}");
        }
        assert_eq!(TROUBLES.len(), REASONS.len());
    }

    #[test]
    fn what_a_hub_answers_is_no_code() {
        assert_eq!(told("anything").code, "hub_not_connected");
        assert!(told("anything").message.ends_with("relay: why"));
        assert_eq!(told("not_trusted").whose, "relay, administrator");
    }
}
