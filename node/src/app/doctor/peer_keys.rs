//! Keys of peers that are not what their cards say, or of which that is not known.

use super::{Finding, Node, Severity, finding};
use crate::app::peers::Peer;
use crate::app::sealing_proof::{is_overdue, is_proven};

/// What is to say of one peer.
pub(super) fn about(node: &Node, peer: &Peer) -> Vec<Finding> {
    let (id, mut findings) = (&peer.row.node, Vec::new());
    if !peer.row.refused.is_empty() {
        findings.push(finding(
            Severity::Problem,
            "peer_card_refused",
            format!("a newer card of {id} is not taken here: {}", peer.row.refused),
            "call its administrator: did they make this card? where a key is another node's, one \
             of the two is a copy or a thief; a good card ends this: raccordo trust rotate there",
            &format!("you and {id}, administrator"),
        ));
    }
    if is_overdue(&peer.row, peer.card.card(), node.clock.now()) {
        findings.push(finding(
            Severity::Warning,
            "sealing_key_not_proven",
            format!("{id} has not shown that it can open what is sealed to its card"),
            "its administrator looks whether its node runs, has verified this one, and reads the \
             hub that both use; if so, raccordo trust rotate there makes new keys",
            &format!("{id}, administrator"),
        ));
    }
    findings
}

/// Peers whose cards claim a sealing key that another one has shown to hold.
pub(super) fn copies(peers: &[Peer]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for holder in peers.iter().filter(|peer| is_proven(&peer.row, peer.card.card())) {
        let key = &holder.card.card().sealing_key;
        let copies = peers.iter().filter(|peer| {
            peer.row.node != holder.row.node && peer.card.card().sealing_key == *key
        });
        for copy in copies {
            let (id, by) = (&copy.row.node, &holder.row.node);
            findings.push(finding(
                Severity::Problem,
                "sealing_key_copied",
                format!("the card of {id} claims the sealing key that {by} holds"),
                &format!(
                    "call the administrator of {id}: until it is explained, raccordo trust \
                     suspend {id}"
                ),
                &format!("you and {id}, administrator"),
            ));
        }
    }
    findings
}
