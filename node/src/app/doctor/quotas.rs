//! Peers that take more than their share.

use super::{Finding, Severity, finding};
use crate::app::Node;

/// Names each peer that has reached a quota within the last day.
pub(super) fn about(node: &Node, findings: &mut Vec<Finding>) {
    for (peer, quota, count) in node.quotas.recent(node.clock.now()) {
        let row = quota.row();
        let most = row.unit.words(count.number);
        let message = format!(
            "{peer} reached the quota {quota} {} times since {}: at most {most} are allowed: {}",
            count.times, count.first, row.bounds
        );
        let step = format!(
            "ask its administrator what its node does; if it goes on: raccordo trust suspend {peer}"
        );
        let whose = format!("{peer}, administrator");
        findings.push(finding(Severity::Warning, "peer_over_quota", message, &step, &whose));
    }
}
