//! The three questions with which people begin their day: what is new, what waits for me,
//! what is late. Each answered as far as the operator's role, class and organisation allow.

mod late;

use raccordo_core::account::{IDLE_MAX, Marks};
use raccordo_core::object::Kind;
use raccordo_core::time::Instant;

use super::directory::Operator;
use super::fault::Done;
use super::matching::waiting::{Waiting, found_after, waiting};
use super::{Node, alerts, draft};
use crate::store::visit::VisitRow;

pub use late::{LATE_AFTER, Late, LateAlerts, Silent, Why};

/// New alerts are counted up to this.
pub const NEW_MAX: u32 = 50;

/// What came since the operator was here before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct New {
    /// When the visit before this one ended; none at the first.
    pub since: Option<Instant>,
    /// Positions of objects beyond which they are new.
    pub after: u64,
    /// Alerts of other nodes, up to [`NEW_MAX`].
    pub alerts: usize,
    /// Whether there are more of them.
    pub more: bool,
    /// Matches.
    pub matches: u64,
}

/// What waits for the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Of matches.
    pub matches: Waiting,
    /// Own drafts, with the time of their last change.
    pub drafts: Vec<(Kind, Instant)>,
}

/// All three answers.
#[derive(Clone, Debug)]
pub struct Today {
    /// What is new.
    pub new: New,
    /// What waits.
    pub waits: Waits,
    /// What is late.
    pub late: Late,
}

/// Answers them.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn look(node: &Node, operator: &Operator) -> Done<Today> {
    Ok(Today {
        new: news(node, operator).await?,
        waits: waits(node, operator).await?,
        late: late::look(node, operator).await?,
    })
}

async fn news(node: &Node, operator: &Operator) -> Done<New> {
    let row = node.store.read().await?.visit(operator.id).await?;
    let (known, left_at) =
        row.map_or((Marks::default(), Instant(0)), |row| (row.known, row.left_at));
    let mut new = New {
        since: (left_at > Instant(0)).then_some(left_at),
        after: known.objects,
        ..New::default()
    };
    if alerts::may_read_any(operator) {
        let search = alerts::Search {
            received: true,
            after: known.objects,
            limit: NEW_MAX,
            ..alerts::Search::default()
        };
        (new.alerts, new.more) = alerts::count_newest(node, operator, &search).await?;
    }
    let mut tx = node.store.read().await?;
    new.matches = found_after(&mut *tx, operator, known.matches).await?;
    Ok(new)
}

async fn waits(node: &Node, operator: &Operator) -> Done<Waits> {
    let matches = waiting(node, &mut *node.store.read().await?, operator).await?;
    let mut drafts = Vec::new();
    if draft::may_write(operator) {
        for kind in Kind::ALL {
            let kept = draft::kept(node, operator, kind).await?;
            drafts.extend(kept.map(|draft| (kind, draft.changed_at)));
        }
    }
    Ok(Waits { matches, drafts })
}

/// Notes that the operator is at the desk. A visit ends when nobody has used it for as long as
/// a session may be idle; what came later is new at the next one. Nothing is written where
/// nothing has changed.
///
/// # Errors
/// The store's.
pub async fn visited(node: &Node, operator: &Operator) -> Done<()> {
    let now = node.clock.now();
    let (row, newest) = {
        let mut tx = node.store.read().await?;
        (tx.visit(operator.id).await?, tx.newest_marks().await?)
    };
    let next = visit(row, newest, operator.id, now);
    if row == Some(next) {
        return Ok(());
    }
    let mut tx = node.store.write().await?;
    tx.put_visit(next).await?;
    Ok(tx.commit().await?)
}

/// Times are noted no finer than this, so that not every page writes.
const NOTED_S: u64 = 60;

fn visit(
    row: Option<VisitRow>,
    newest: Marks,
    operator: raccordo_core::id::OperatorId,
    now: Instant,
) -> VisitRow {
    let Some(row) = row else {
        // At the first visit nothing is new: it was all there before.
        return VisitRow {
            operator,
            known: newest,
            left_at: Instant(0),
            met: newest,
            seen_at: now,
        };
    };
    let away = now.since(row.seen_at);
    if away >= IDLE_MAX {
        let (known, left_at) = (row.met, row.seen_at);
        return VisitRow { operator, known, left_at, met: newest, seen_at: now };
    }
    let seen_at = if away.as_secs() >= NOTED_S { now } else { row.seen_at };
    VisitRow { met: newest, seen_at, ..row }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(minutes_away: i64, newest: u64, known: u64, left: i64) {
        let operator = raccordo_core::id::OperatorId(uuid::Uuid::from_u128(1));
        let marks = |objects| Marks { objects, matches: 0 };
        let minutes = |at: i64| Instant(at * 60_000);
        let row = VisitRow {
            operator,
            known: marks(3),
            left_at: minutes(1),
            met: marks(5),
            seen_at: minutes(100),
        };
        let next = visit(Some(row), marks(newest), operator, minutes(100 + minutes_away));
        assert_eq!((next.known, next.left_at), (marks(known), minutes(left)), "{minutes_away}");
        assert_eq!((next.met, next.seen_at), (marks(newest), minutes(100 + minutes_away)));
    }

    #[test]
    fn what_came_after_the_last_visit_is_new() {
        check(1, 5, 3, 1);
        check(14, 9, 3, 1);
        check(15, 9, 5, 100);
        check(3_000, 5, 5, 100);
    }

    #[test]
    fn nothing_is_written_while_nothing_changes() {
        let operator = raccordo_core::id::OperatorId(uuid::Uuid::from_u128(1));
        let first = visit(None, Marks { objects: 7, matches: 2 }, operator, Instant(9));
        assert_eq!((first.known, first.left_at), (first.met, Instant(0)));
        assert_eq!(visit(Some(first), first.met, operator, Instant(59_000)), first);
    }
}
