//! The one commit that takes a leaf from a party that stays: its node asked for it.

use super::{Checked, leaf_at, refused, rule};
use crate::id::NodeId;
use crate::trust::commit::{CommitView, GroupView, LeafView};
use crate::trust::rejoin::CarriedRequest;
use crate::trust::statement::Statement;

/// A commit with authenticated data lets one node join again, and does nothing else: it
/// replaces the leaf that the node's own signed request names by the one that it brings.
/// Returns who joins again, if anybody does.
pub(super) fn check(
    before: &GroupView,
    statement: &Statement,
    commit: &CommitView,
) -> Checked<Option<NodeId>> {
    if commit.authenticated_data.is_empty() {
        return Ok(None);
    }
    let carried = CarriedRequest::decode(&commit.authenticated_data);
    let carried = carried.map_err(|_| refused("rejoin_request_bad"))?;
    let node = carried.sender();
    let party = statement.party(node).ok_or(refused("rejoin_of_no_party"))?;
    rule(carried.is_of(before.group, &party.identity), "rejoin_not_signed")?;
    rule(commit.statement_after == before.statement, "rejoin_with_statement")?;
    let ([removed], [added]) = (commit.removed.as_slice(), commit.added.as_slice()) else {
        return Err(refused("rejoin_not_alone"));
    };
    let replaced = leaf_at(before, *removed).ok_or(refused("removed_leaf_unknown"))?;
    let of_it = |leaf: &LeafView| leaf.node.as_ref() == Some(node);
    rule(of_it(replaced) && of_it(added), "rejoin_of_another_node")?;
    rule(commit.committer != *removed, "committer_removed")?;
    rule(carried.names(replaced, added), "rejoin_of_another_leaf")?;
    Ok(Some(node.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_reason, bring};
    use super::super::validate;
    use super::*;
    use crate::id::{Digest, EntryId, GroupId};
    use crate::time::Instant;
    use crate::trust::rejoin::{Asked, RejoinRequest};
    use crate::trust::sample::{self, node};

    /// The first of three lets the second join again, as `bend` has it.
    fn check_rejoin(bend: impl FnOnce(&mut Rejoin, &mut GroupView, &mut CommitView), reason: &str) {
        let all = [0, 1, 2];
        let mut group = sample::group(&sample::signed(sample::statement(3), &all));
        let mut commit = sample::commit(&group, 0);
        commit.removed = vec![1];
        let encryption_key = sample::encryption_key(5, 5);
        commit.added = vec![LeafView { encryption_key, ..sample::leaf(1, 1) }];
        let mut rejoin = Rejoin {
            group: group.group,
            sender: node(1),
            replaced: group.leaves[1].1.digest(),
            replacement: commit.added[0].digest(),
            signer: 1,
        };
        bend(&mut rejoin, &mut group, &mut commit);
        if commit.authenticated_data.is_empty() {
            commit.authenticated_data = rejoin.signed();
        }
        assert_reason(validate(&group, &commit), reason);
    }

    struct Rejoin {
        group: GroupId,
        sender: NodeId,
        replaced: Digest,
        replacement: Digest,
        signer: usize,
    }

    impl Rejoin {
        fn signed(&self) -> Vec<u8> {
            let (replaced, replacement) = (self.replaced, self.replacement);
            let request = RejoinRequest { replaced, replacement, key_package: vec![1] };
            let asked = Asked {
                group: self.group,
                sender: self.sender.clone(),
                entry: EntryId([1; 16]),
                said_at: Instant(1),
            };
            request.sign(asked, &sample::key(self.signer)).unwrap().encode()
        }
    }

    #[test]
    fn a_node_joins_again_as_it_asked_and_not_otherwise() {
        check_rejoin(|_, _, _| {}, "");
        check_rejoin(|it, _, _| it.signer = 0, "rejoin_not_signed");
        check_rejoin(|it, _, _| it.group.0[0] ^= 1, "rejoin_not_signed");
        check_rejoin(|it, _, _| it.sender = node(2), "rejoin_not_signed");
        check_rejoin(|it, _, _| it.sender = node(7), "rejoin_of_no_party");
        check_rejoin(|it, _, _| (it.sender, it.signer) = (node(2), 2), "rejoin_of_another_node");
        check_rejoin(|it, _, _| it.replaced.0[0] ^= 1, "rejoin_of_another_leaf");
        check_rejoin(|it, _, _| it.replacement.0[0] ^= 1, "rejoin_of_another_leaf");
        check_rejoin(|_, _, commit| commit.added.clear(), "rejoin_not_alone");
        check_rejoin(|_, _, commit| commit.removed.clear(), "rejoin_not_alone");
        check_rejoin(|_, _, commit| commit.removed.push(2), "rejoin_not_alone");
        check_rejoin(|_, _, commit| commit.removed = vec![2], "rejoin_of_another_node");
        check_rejoin(|_, _, commit| commit.committer = 1, "committer_removed");
        check_rejoin(
            |_, _, commit| bring(commit, |it| it.age_limit_ms += 1, &[0, 1, 2]),
            "rejoin_with_statement",
        );
    }

    #[test]
    fn a_request_serves_once() {
        // Replayed after it was followed: the leaf that it names is gone.
        let again = |_: &mut Rejoin, group: &mut GroupView, commit: &mut CommitView| {
            group.leaves[1].1 = commit.added[0].clone();
        };
        check_rejoin(again, "rejoin_of_another_leaf");
        // With an update of anybody beside it, and for nothing at all.
        check_rejoin(
            |_, _, commit| {
                commit.added.clear();
                commit.removed.clear();
            },
            "rejoin_not_alone",
        );
    }

    #[test]
    fn who_joins_again_is_who_it_was() {
        let identity = |it: &mut Rejoin, _: &mut GroupView, commit: &mut CommitView| {
            commit.added[0].card = Some(sample::card_by(1, 1, 9).encode());
            it.replacement = commit.added[0].digest();
        };
        check_rejoin(identity, "card_of_another_identity");
        let older = |it: &mut Rejoin, group: &mut GroupView, _: &mut CommitView| {
            group.leaves[1].1 = sample::leaf(1, 2);
            it.replaced = group.leaves[1].1.digest();
        };
        check_rejoin(older, "card_serial_lowered");
        let key = |it: &mut Rejoin, _: &mut GroupView, commit: &mut CommitView| {
            commit.added[0].signature_key = sample::leaf(2, 1).signature_key;
            it.replacement = commit.added[0].digest();
        };
        check_rejoin(key, "signature_key_not_unique");
    }
}
