//! Cuts what a node says of its reading into receipts that always fit into a pack.

use std::mem;

use crate::envelope::{Receipt, SetAside};
use crate::id::Sequence;

/// The most that one receipt says was set aside. Each takes at most 240 bytes, so that a receipt
/// takes less than half of a pack.
pub const RECEIPT_SET_ASIDE_MAX: usize = 128;
/// Reason of an entry of which more could not be processed than a receipt tells of: it is
/// told as a whole.
pub const TOO_MANY_SET_ASIDE: &str = "too_many_set_aside";

/// The receipts for all up to a place, of which this was set aside, in the order of the log.
/// Each ends between two entries and covers what was set aside up to its end; the last covers
/// the place.
pub fn receipts(processed: Sequence, set_aside: Vec<SetAside>) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    let mut open: Vec<SetAside> = Vec::new();
    for entry in set_aside.chunk_by(|one, next| one.sequence == next.sequence) {
        let told = whole_if_many(entry);
        if open.len().saturating_add(told.len()) > RECEIPT_SET_ASIDE_MAX
            && let Some(last) = open.last()
        {
            let processed = last.sequence;
            receipts.push(Receipt { processed, set_aside: mem::take(&mut open) });
        }
        open.extend(told);
    }
    receipts.push(Receipt { processed, set_aside: open });
    receipts
}

/// What was set aside of one entry; the entry itself where that is too much.
fn whole_if_many(entry: &[SetAside]) -> Vec<SetAside> {
    match entry {
        [first, ..] if entry.len() > RECEIPT_SET_ASIDE_MAX => vec![SetAside {
            sequence: first.sequence,
            envelope: None,
            reason: TOO_MANY_SET_ASIDE.to_owned(),
        }],
        _ => entry.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{Body, Envelope, fits};
    use crate::id::{EnvelopeId, LineageId};
    use crate::reason::REASON_BYTES_MAX;
    use crate::time::Instant;
    use crate::wire;

    fn aside(sequence: u64, number: u32) -> SetAside {
        let mut id = [0xff; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        // As long as a reason may be.
        let (envelope, reason) = (Some(EnvelopeId(id)), "r".repeat(REASON_BYTES_MAX));
        SetAside { sequence: Sequence(sequence), envelope, reason }
    }

    /// So many envelopes of each of these entries.
    fn check(entries: &[(u64, u32)], expected: &[(u64, usize)]) -> Vec<Receipt> {
        let of = |(sequence, count): &(u64, u32)| {
            let sequence = *sequence;
            (0..*count).map(move |number| aside(sequence, number))
        };
        let set_aside = entries.iter().flat_map(of).collect();
        let receipts = receipts(Sequence(i64::MAX as u64), set_aside);
        let found: Vec<_> =
            receipts.iter().map(|it| (it.processed.0, it.set_aside.len())).collect();
        assert_eq!(found, expected);
        for receipt in &receipts {
            let envelope = Envelope {
                id: EnvelopeId([0xff; 16]),
                lineage: LineageId([0xff; 16]),
                number: u64::MAX,
                said_at: Instant(i64::MAX),
                author: None,
                body: Body::Receipt(receipt.clone()),
            };
            assert!(fits(wire::encode_envelope(&envelope).len()));
        }
        receipts
    }

    #[test]
    fn receipts_fit_and_end_between_entries() {
        let end = i64::MAX as u64;
        check(&[], &[(end, 0)]);
        check(&[(7, 128)], &[(end, 128)]);
        check(&[(7, 100), (8, 28), (9, 1)], &[(8, 128), (end, 1)]);
        check(&[(7, 100), (9, 100), (12, 100)], &[(7, 100), (9, 100), (end, 100)]);
        let large = end - 1;
        check(&[(large - 1, 128), (large, 128)], &[(large - 1, 128), (end, 128)]);
    }

    #[test]
    fn an_entry_with_too_much_is_told_as_a_whole() {
        let receipts = check(&[(7, 3_000), (8, 1)], &[(i64::MAX as u64, 2)]);
        let whole = &receipts[0].set_aside[0];
        assert_eq!((whole.sequence, whole.envelope), (Sequence(7), None));
        assert_eq!(whole.reason, TOO_MANY_SET_ASIDE);
    }
}
