//! The audit trail: an append-only chain in which each record holds the hash of the one
//! before (DESIGN §10). Opaque ids only.
//!
//! Canonical bytes of type `audit`: sequence (from 1), at (ms), actor, action, subject,
//! detail (a list of records of key and value, ascending by key), hash of the record
//! before (32; zero before the first). A record's hash is SHA-256 of these bytes.

mod head;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use head::{HeadConflict, SignedAuditHead, conflicts, goes_back};

use crate::canonical::Writer;
use crate::id::{Digest, IdError};
use crate::time::{Instant, InstantError};

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When it happened.
    pub at: Instant,
    /// Who did it: an operator's or peer's opaque id, or `system`.
    pub actor: String,
    /// What was done, in snake case, such as `card_imported`.
    pub action: String,
    /// To what: an opaque id.
    pub subject: String,
    /// More, by name; opaque ids, codes and counts only.
    pub detail: BTreeMap<String, String>,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its place, from 1, without gaps.
    pub sequence: u64,
    /// What happened.
    pub event: AuditEvent,
    /// Hash of the record before; [`Digest::ZERO`] for the first.
    pub previous: Digest,
    /// Hash of this record.
    pub hash: Digest,
}

/// Where a chain ends, and where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// Place of the newest record; 0 where there is none.
    pub sequence: u64,
    /// Its hash.
    pub hash: Digest,
}

impl AuditHead {
    /// Before the first record.
    pub const EMPTY: Self = Self { sequence: 0, hash: Digest::ZERO };
}

/// The chain does not hold: a record was changed, removed, added or moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit chain is broken at record {sequence}")]
pub struct ChainBroken {
    /// Place of the first record that does not fit.
    pub sequence: u64,
}

/// Why a line is not an audit record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is not JSON of the right shape.
    #[error("not an audit record: {0}")]
    Json(String),
    /// The time is malformed.
    #[error("the time in the audit record is malformed: {0}")]
    Time(InstantError),
    /// A hash is malformed.
    #[error("a hash in the audit record is malformed: {0}")]
    Hash(#[from] IdError),
}

impl AuditRecord {
    /// The next record after `head`.
    pub fn append(head: AuditHead, event: AuditEvent) -> Self {
        let sequence = head.sequence.saturating_add(1);
        let previous = head.hash;
        let hash = hash(sequence, &event, previous);
        Self { sequence, event, previous, hash }
    }

    /// The chain's end after this record.
    pub fn head(&self) -> AuditHead {
        AuditHead { sequence: self.sequence, hash: self.hash }
    }

    /// One line of JSON, without the line feed; hashes in hex, time as
    /// RFC 3339 to the millisecond.
    ///
    /// # Errors
    /// [`LineError::Json`], which no record causes.
    pub fn to_line(&self) -> Result<String, LineError> {
        serde_json::to_string(&Line::from(self)).map_err(|e| LineError::Json(e.to_string()))
    }

    /// Reads what [`AuditRecord::to_line`] wrote; [`verify`] tells whether it is true.
    ///
    /// # Errors
    /// [`LineError`].
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        let line: Line = serde_json::from_str(line).map_err(|e| LineError::Json(e.to_string()))?;
        let Line { sequence, at, actor, action, subject, detail, previous, hash } = line;
        let at = at.parse().map_err(LineError::Time)?;
        let event = AuditEvent { at, actor, action, subject, detail };
        Ok(Self { sequence, event, previous: previous.parse()?, hash: hash.parse()? })
    }
}

/// Verifies a run of records from `head` on, and returns where it ends.
///
/// # Errors
/// [`ChainBroken`] at the first record that does not follow from the one before.
pub fn verify<'a>(
    head: AuditHead,
    records: impl IntoIterator<Item = &'a AuditRecord>,
) -> Result<AuditHead, ChainBroken> {
    records.into_iter().try_fold(head, |head, record| {
        let expected = AuditRecord::append(head, record.event.clone());
        let sequence = expected.sequence;
        if expected == *record { Ok(record.head()) } else { Err(ChainBroken { sequence }) }
    })
}

fn hash(sequence: u64, event: &AuditEvent, previous: Digest) -> Digest {
    let detail = event.detail.iter();
    let detail = detail.map(|(key, value)| Writer::record().text(key).text(value).finish());
    Writer::new("audit")
        .integer(sequence)
        .instant(event.at)
        .text(&event.actor)
        .text(&event.action)
        .text(&event.subject)
        .list(detail)
        .bytes(previous.as_bytes())
        .digest()
}

/// A record as a line of JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sequence: u64,
    at: String,
    actor: String,
    action: String,
    subject: String,
    detail: BTreeMap<String, String>,
    previous: String,
    hash: String,
}

impl From<&AuditRecord> for Line {
    fn from(record: &AuditRecord) -> Self {
        let AuditEvent { at, actor, action, subject, detail } = record.event.clone();
        let at = at.to_string();
        let (previous, hash) = (record.previous.to_string(), record.hash.to_string());
        let sequence = record.sequence;
        Self { sequence, at, actor, action, subject, detail, previous, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str) -> AuditEvent {
        AuditEvent {
            at: Instant(1_790_000_000_123),
            actor: "operator 7".into(),
            action: action.into(),
            subject: "umbria".into(),
            detail: [("serial".to_owned(), "2".to_owned())].into(),
        }
    }

    fn chain() -> Vec<AuditRecord> {
        let mut head = AuditHead::EMPTY;
        ["card_imported", "card_verified", "pact_signed"]
            .map(|action| {
                let record = AuditRecord::append(head, event(action));
                head = record.head();
                record
            })
            .to_vec()
    }

    fn check(records: &[AuditRecord], broken_at: Option<u64>) {
        let broken = verify(AuditHead::EMPTY, records).err().map(|broken| broken.sequence);
        assert_eq!(broken, broken_at);
    }

    #[test]
    fn an_untouched_chain_holds() {
        check(&[], None);
        check(&chain(), None);
        let chain = chain();
        assert_eq!(verify(chain[0].head(), &chain[1..]), Ok(chain[2].head()));
    }

    #[test]
    fn every_change_is_found_where_it_is() {
        let changes: [fn(&mut AuditRecord); 8] = [
            |record| record.sequence += 1,
            |record| record.event.at = Instant(0),
            |record| record.event.actor.push('x'),
            |record| record.event.action.push('x'),
            |record| record.event.subject.push('x'),
            |record| record.event.detail.clear(),
            |record| record.previous = Digest::ZERO,
            |record| record.hash = Digest::ZERO,
        ];
        for change in changes {
            let mut chain = chain();
            change(&mut chain[1]);
            check(&chain, Some(2));
        }
    }

    #[test]
    fn removed_moved_and_forged_records_are_found() {
        let whole = chain();
        check(&whole[1..], Some(1));
        check(&[whole[0].clone(), whole[2].clone()], Some(2));
        check(&[whole[1].clone(), whole[0].clone()], Some(1));
        let forged = AuditRecord::append(whole[0].head(), event("nothing"));
        check(&[whole[0].clone(), forged, whole[2].clone()], Some(3));
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let mut moved = event("ab");
        moved.actor = "operator 7a".into();
        moved.action = "b".into();
        let (one, other) = (
            AuditRecord::append(AuditHead::EMPTY, event("ab")),
            AuditRecord::append(AuditHead::EMPTY, moved),
        );
        assert_ne!(one.hash, other.hash);
    }

    #[test]
    fn lines_read_what_they_write() {
        for record in chain() {
            let line = record.to_line().unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(AuditRecord::from_line(&line), Ok(record));
        }
        assert!(matches!(AuditRecord::from_line("{}"), Err(LineError::Json(_))));
        let line = chain()[0].to_line().unwrap().replace("\"hash\":\"", "\"hash\":\"z");
        assert!(matches!(AuditRecord::from_line(&line), Err(LineError::Hash(_))));
        let line = chain()[0].to_line().unwrap().replace("2026-", "x");
        assert!(matches!(AuditRecord::from_line(&line), Err(LineError::Time(_))));
    }
}
