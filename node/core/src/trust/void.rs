//! Void commits: a hub has taken one that nobody but its maker can process (DESIGN §6).
//!
//! It is void once every member that would remain after it, except its maker, and at least
//! two of them, have said so in the log. The epoch before it then goes on.

use std::collections::BTreeSet;

use super::commit::{CommitView, GroupView};
use super::notice::{Notice, NoticeKind};
use crate::id::{Digest, NodeId, Sequence};

/// Fewest members that can make a commit void.
pub const VOTERS_MIN: usize = 2;

/// Who has to hold a commit for void: the members that it leaves where they are, except its
/// maker. `before` is the group before the commit.
pub fn voters(before: &GroupView, commit: &CommitView) -> BTreeSet<NodeId> {
    let stays = |index: &u32| *index != commit.committer && !commit.removed.contains(index);
    let leaves = before.leaves.iter().filter(|(index, _)| stays(index));
    leaves.filter_map(|(_, leaf)| leaf.node.clone()).collect()
}

/// What is said about one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Votes {
    /// Its place.
    pub sequence: Sequence,
    /// SHA-256 of its canonical entry.
    pub entry: Digest,
    /// Who has to hold it for void.
    pub needed: BTreeSet<NodeId>,
    /// Who does.
    pub said: BTreeSet<NodeId>,
}

impl Votes {
    /// Nobody has said anything yet.
    pub fn none(sequence: Sequence, entry: Digest, needed: BTreeSet<NodeId>) -> Self {
        Self { sequence, entry, needed, said: BTreeSet::new() }
    }

    /// What a notice about this commit names, as its detail: `entry SEQUENCE DIGEST`, the
    /// digest in lower-case hex.
    pub fn detail(&self) -> String {
        format!("entry {} {}", self.sequence, self.entry)
    }

    /// Counts a notice whose signature is verified; whether it is new and about this commit.
    pub fn count(&mut self, notice: &Notice) -> bool {
        let about = notice.kind == NoticeKind::Void && notice.detail == self.detail().as_bytes();
        let counts = about && self.needed.contains(&notice.sender);
        counts && self.said.insert(notice.sender.clone())
    }

    /// Whether enough members are left to decide.
    pub fn can_pass(&self) -> bool {
        self.needed.len() >= VOTERS_MIN
    }

    /// Whether the commit is void.
    pub fn have_passed(&self) -> bool {
        self.can_pass() && self.needed.is_subset(&self.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EntryId, GroupId};
    use crate::time::Instant;
    use crate::trust::sample::{self, node};

    fn nodes(numbers: &[usize]) -> BTreeSet<NodeId> {
        numbers.iter().map(|number| node(*number)).collect()
    }

    fn notice(by: usize, kind: NoticeKind, detail: &str) -> Notice {
        Notice {
            group: GroupId([1; 32]),
            sender: node(by),
            entry: EntryId([2; 16]),
            kind,
            said_at: Instant(7),
            detail: detail.as_bytes().to_vec(),
        }
    }

    /// `said` hold a commit for void that `needed` can make so.
    fn check(needed: &[usize], said: &[usize], counted: usize, passed: bool) {
        let mut votes = Votes::none(Sequence(9), Digest([3; 32]), nodes(needed));
        let detail = votes.detail();
        let count = said.iter().filter(|by| votes.count(&notice(**by, NoticeKind::Void, &detail)));
        assert_eq!(count.count(), counted);
        assert_eq!(votes.have_passed(), passed, "{votes:?}");
    }

    #[test]
    fn all_who_remain_decide_and_at_least_two() {
        check(&[1, 2], &[], 0, false);
        check(&[1, 2], &[1], 1, false);
        check(&[1, 2], &[1, 1, 1], 1, false);
        check(&[1, 2], &[1, 2], 2, true);
        check(&[1, 2], &[0, 1, 3], 1, false);
        check(&[1, 2, 3], &[3, 2], 2, false);
        check(&[1], &[1], 1, false);
        check(&[], &[], 0, false);
    }

    #[test]
    fn only_what_names_the_commit_counts() {
        let mut votes = Votes::none(Sequence(9), Digest([3; 32]), nodes(&[1, 2]));
        let detail = votes.detail();
        assert!(detail.starts_with("entry 9 0303"), "{detail}");
        for (kind, detail) in [
            (NoticeKind::CannotProcess, detail.as_str()),
            (NoticeKind::Void, "entry 9"),
            (NoticeKind::Void, ""),
            (NoticeKind::Void, &detail.replace("entry 9", "entry 8")),
            (NoticeKind::Void, &detail.replace("03", "04")),
        ] {
            assert!(!votes.count(&notice(1, kind, detail)), "{kind} {detail}");
        }
        assert!(votes.count(&notice(1, NoticeKind::Void, &detail)));
    }

    #[test]
    fn who_is_removed_or_comes_in_does_not_decide() {
        let group = sample::group(&sample::signed(sample::statement(4), &[0, 1, 2, 3]));
        let mut commit = sample::commit(&group, 0);
        assert_eq!(voters(&group, &commit), nodes(&[1, 2, 3]));
        commit.removed = vec![3];
        commit.added = vec![sample::leaf(5, 1)];
        assert_eq!(voters(&group, &commit), nodes(&[1, 2]));
        // Whoever joins again has lost what it would decide by.
        commit.added = vec![sample::leaf(3, 1)];
        assert_eq!(voters(&group, &commit), nodes(&[1, 2]));
    }
}
