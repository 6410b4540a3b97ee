//! Who calls: the operator behind a token.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use raccordo_core::id::Digest;
use raccordo_core::operator::Token;
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;
use tonic::metadata::MetadataMap;

use crate::app::Node;
use crate::app::directory::{self, Operator};
use crate::app::fault::{Done, Fault, Whose};
use crate::store::directory::OperatorRow;

/// How long a token that was right is not hashed again, as long as its row stays the same.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Most tokens remembered at once.
const REMEMBERED_MAX: usize = 1024;

/// The token of `authorization: Bearer TOKEN` (RFC 6750 §2.1).
///
/// # Errors
/// `wrong_token` for a missing or malformed one, as for one that is not accepted.
pub fn bearer(metadata: &MetadataMap) -> Done<Secret<String>> {
    let value = metadata.get("authorization").and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).ok_or_else(no_token)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(no_token());
    }
    Ok(Secret::new(token.trim().to_owned()))
}

fn no_token() -> Fault {
    Fault::new(Whose::Unauthenticated, "wrong_token", "the call carries no operator token")
        .hint("send metadata `authorization: Bearer TOKEN`, with the line of the token file")
}

/// Operators whose tokens were right a moment ago.
#[derive(Default)]
pub struct Callers {
    /// By SHA-256 of the token's text.
    seen: Mutex<BTreeMap<Digest, Seen>>,
}

struct Seen {
    until: Instant,
    row: OperatorRow,
    operator: Operator,
}

impl Callers {
    /// The operator behind a token. The row is read each time, so that another role or a
    /// disabled token counts at once; only the hashing is spared.
    ///
    /// # Errors
    /// `wrong_token`.
    pub async fn operator(&self, node: &Node, token: &Secret<String>) -> Done<Operator> {
        let key = Digest::of(token.reveal().as_bytes());
        let now = node.clock.now();
        let row = row(node, token).await?;
        if let Some(operator) = row.as_ref().and_then(|row| self.recall(key, row, now)) {
            return Ok(operator);
        }
        let operator = directory::authenticate(node, token.reveal()).await?;
        if let Some(row) = row {
            let until = now.plus(REMEMBERED);
            self.remember(key, Seen { until, row, operator: operator.clone() }, now);
        }
        Ok(operator)
    }

    fn recall(&self, key: Digest, row: &OperatorRow, now: Instant) -> Option<Operator> {
        let seen = self.lock();
        let known = seen.get(&key).filter(|known| known.until > now && known.row == *row)?;
        row.enabled.then(|| known.operator.clone())
    }

    fn remember(&self, key: Digest, known: Seen, now: Instant) {
        let mut seen = self.lock();
        seen.retain(|_, known| known.until > now);
        if seen.len() < REMEMBERED_MAX {
            seen.insert(key, known);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn row(node: &Node, token: &Secret<String>) -> Done<Option<OperatorRow>> {
    let Ok(token) = token.reveal().parse::<Token>() else { return Ok(None) };
    Ok(node.store.read().await?.operator_by_token(&token.lookup().0).await?)
}

#[cfg(test)]
mod tests {
    use raccordo_core::id::{OperatorId, OrganisationId};
    use raccordo_core::operator::{Class, Role};

    use super::*;

    #[test]
    fn bearer_tokens_are_read() {
        let check = |value: Option<&str>, expected: Option<&str>| {
            let mut metadata = MetadataMap::new();
            if let Some(value) = value {
                metadata.insert("authorization", value.parse().unwrap());
            }
            let read = bearer(&metadata);
            assert_eq!(read.as_ref().ok().map(|token| token.reveal().as_str()), expected);
            if let Err(fault) = read {
                assert_eq!((fault.whose, fault.reason), (Whose::Unauthenticated, "wrong_token"));
            }
        };
        check(Some("Bearer rcd_abc"), Some("rcd_abc"));
        check(Some("bearer  rcd_abc "), Some("rcd_abc"));
        check(Some("Basic rcd_abc"), None);
        check(Some("Bearer"), None);
        check(Some("Bearer  "), None);
        check(Some("rcd_abc"), None);
        check(None, None);
    }

    fn row(role: &str, enabled: bool) -> OperatorRow {
        OperatorRow {
            operator: OperatorId::try_from([1; 16].as_slice()).unwrap(),
            organisation: OrganisationId::try_from([2; 16].as_slice()).unwrap(),
            sealed_name: vec![3],
            name_index: vec![4],
            role: role.into(),
            token_lookup: vec![5],
            token_hash: "hash".into(),
            enabled,
            created_at: Instant(0),
        }
    }

    fn operator(row: &OperatorRow) -> Operator {
        Operator {
            id: row.operator,
            name: Secret::new("Anna".into()),
            role: Role::Frontline,
            organisation: row.organisation,
            organisation_name: "PUA".into(),
            class: Class::AccessPoint,
            enabled: row.enabled,
        }
    }

    #[test]
    fn a_verdict_holds_for_the_same_row_and_a_minute() {
        let callers = Callers::default();
        let key = Digest::of(b"token");
        let kept = row("frontline", true);
        let until = Instant(0).plus(REMEMBERED);
        let seen = Seen { until, row: kept.clone(), operator: operator(&kept) };
        callers.remember(key, seen, Instant(0));
        let check = |key, row, at, known: bool| {
            assert_eq!(callers.recall(key, &row, Instant(at)).is_some(), known);
        };
        check(key, row("frontline", true), 59_999, true);
        check(key, row("frontline", true), 60_000, false);
        check(key, row("coordinator", true), 1, false);
        check(key, row("frontline", false), 1, false);
        check(key, OperatorRow { token_hash: "other".into(), ..kept }, 1, false);
        check(Digest::of(b"other"), row("frontline", true), 1, false);
    }

    #[test]
    fn memory_is_bounded() {
        let callers = Callers::default();
        let kept = row("frontline", true);
        let seen = |until| Seen { until, row: kept.clone(), operator: operator(&kept) };
        for number in 0..2 * REMEMBERED_MAX {
            callers.remember(Digest::of(&number.to_be_bytes()), seen(Instant(9)), Instant(0));
        }
        assert_eq!(callers.lock().len(), REMEMBERED_MAX);
        callers.remember(Digest::of(b"later"), seen(Instant(99)), Instant(9));
        assert_eq!(callers.lock().len(), 1);
    }
}
