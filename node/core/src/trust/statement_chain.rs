//! Statements one after the other: whether a later one follows from one that is known, each
//! step signed as its change needs.
//!
//! A hub takes the offer of a later term only so, and a newcomer a statement that is newer than
//! the one it signed: whoever was removed signs later statements of its own, and nothing else
//! shows that they follow from nothing.

use crate::id::Digest;
use crate::trust::commit::CommitRefused;
use crate::trust::statement::SignedStatement;
use crate::trust::validator::validate_step;

/// Most statements that are kept and sent of one lineage, the newest ones.
pub const STEPS_MAX: usize = 64;
/// About the most bytes of them, as containers.
pub const STEPS_BYTES_MAX: usize = 1 << 20;

/// Judges whether `last` follows from `known` by way of `earlier`: statements oldest first, of
/// which those up to `known` are passed over.
///
/// # Errors
/// `statement_unconnected` where `known` is neither among them nor the one before `last`; else
/// the first rule that a step breaks, as [`validate_step`], or `signatures_missing`.
pub fn follows(
    known: &SignedStatement,
    earlier: &[SignedStatement],
    last: &SignedStatement,
) -> Result<(), CommitRefused> {
    let from = known.digest();
    let place = earlier.iter().rposition(|statement| statement.digest() == from);
    let steps = match place {
        Some(place) => earlier.get(place.saturating_add(1)..).unwrap_or_default(),
        None if last.statement().previous == from => &[],
        None => return Err(CommitRefused("statement_unconnected")),
    };
    walk(known, steps, last)
}

/// Judges whether `earlier`, oldest first, lead to `last` step by step.
///
/// # Errors
/// The first rule that a step breaks, as [`follows`].
pub fn leads(earlier: &[SignedStatement], last: &SignedStatement) -> Result<(), CommitRefused> {
    match earlier.split_first() {
        Some((first, steps)) => walk(first, steps, last),
        None => Ok(()),
    }
}

fn walk(
    first: &SignedStatement,
    steps: &[SignedStatement],
    last: &SignedStatement,
) -> Result<(), CommitRefused> {
    let mut before = first;
    for after in steps.iter().chain([last]) {
        let change = validate_step(before, after)?;
        let signers = after.signatures().keys().cloned().collect();
        if !change.is_signed(before.statement(), after.statement(), &signers) {
            return Err(CommitRefused("signatures_missing"));
        }
        before = after;
    }
    Ok(())
}

/// Of statements oldest first, the newest that are sent together.
pub fn newest(mut statements: Vec<SignedStatement>) -> Vec<SignedStatement> {
    let mut bytes = 0_usize;
    let fitting = statements.iter().rev().take(STEPS_MAX).take_while(|statement| {
        bytes = bytes.saturating_add(statement.encode().len());
        bytes <= STEPS_BYTES_MAX
    });
    let kept = fitting.count();
    statements.split_off(statements.len().saturating_sub(kept))
}

/// The digest of the statement before another, where it is the last of these.
pub fn ends_before(earlier: &[SignedStatement], last: &SignedStatement) -> bool {
    earlier.last().map(SignedStatement::digest) == Some(last.statement().previous)
        || earlier.is_empty() && last.statement().previous == Digest::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::sample::{self, node};
    use crate::trust::statement::Statement;

    /// Four statements of three parties: all sign; the third goes by itself; the second is
    /// suspended by the first; all who are left renew.
    fn four() -> Vec<SignedStatement> {
        let first = sample::statement(3);
        let mut second = sample::next(&first);
        second.parties.truncate(2);
        let mut third = sample::next(&second);
        third.parties[1].suspended_by = Some(node(0));
        let mut fourth = sample::next(&third);
        fourth.parties[1].suspended_by = None;
        vec![
            sample::signed(first, &[0, 1, 2]),
            sample::signed(second, &[2]),
            sample::signed(third, &[0]),
            sample::signed(fourth, &[0, 1]),
        ]
    }

    fn reason(outcome: Result<(), CommitRefused>) -> &'static str {
        outcome.map_or_else(|refused| refused.0, |()| "")
    }

    #[test]
    fn a_chain_of_signed_steps_leads_from_any_of_them() {
        let all = four();
        let last = &all[3];
        for known in &all[..3] {
            assert_eq!(reason(follows(known, &all[..3], last)), "");
        }
        // The statement right before needs nothing between.
        assert_eq!(reason(follows(&all[2], &[], last)), "");
        assert_eq!(reason(leads(&all[..3], last)), "");
        assert_eq!(reason(leads(&[], last)), "");
    }

    #[test]
    fn what_does_not_lead_there_is_refused() {
        let all = four();
        let last = &all[3];
        assert_eq!(reason(follows(&all[0], &all[1..3], last)), "statement_unconnected");
        assert_eq!(reason(follows(&all[0], &[], last)), "statement_unconnected");
        let gap = [all[0].clone(), all[2].clone()];
        assert_eq!(reason(follows(&all[0], &gap, last)), "version_not_next");
        assert_eq!(reason(leads(&gap, last)), "version_not_next");
        // Whoever was removed signs a later statement in which it is alone.
        let alone = |before: &Statement| {
            let mut after = sample::next(before);
            after.parties = vec![sample::party(2)];
            after.chair = node(2);
            after
        };
        let forged = sample::signed(alone(all[0].statement()), &[2]);
        assert_eq!(reason(follows(&all[0], &[], &forged)), "signatures_missing");
        let after_removal = sample::signed(alone(all[1].statement()), &[2]);
        assert_eq!(reason(follows(&all[0], &all[..2], &after_removal)), "signatures_missing");
        let mut far = alone(all[0].statement());
        far.version = 900;
        far.hub.term = 900;
        let far = sample::signed(far, &[2]);
        assert_eq!(reason(follows(&all[0], &[], &far)), "version_not_next");
    }

    #[test]
    fn the_newest_are_sent() {
        let many = vec![four().remove(1); STEPS_MAX + 5];
        assert_eq!(newest(many).len(), STEPS_MAX);
        let large = sample::statement(1_000);
        let large = vec![sample::signed(large, &[0]); 20];
        let kept = newest(large);
        let bytes: usize = kept.iter().map(|statement| statement.encode().len()).sum();
        assert!((1..20).contains(&kept.len()) && bytes <= STEPS_BYTES_MAX, "{bytes}");
        assert_eq!(newest(Vec::new()), []);
    }

    #[test]
    fn the_last_of_the_earlier_is_the_one_before() {
        let all = four();
        assert!(ends_before(&all[..3], &all[3]));
        assert!(!ends_before(&all[..2], &all[3]));
        assert!(!ends_before(&[], &all[3]));
        assert!(ends_before(&[], &all[0]));
    }
}
