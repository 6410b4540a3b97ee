//! Records that wait for tokens longer than a day's budget lasts: until when.

use std::time::Duration;

use jiff::civil::Date;
use raccordo_core::pseudonym::key::Class;
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::{Finding, Severity, finding};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::status::EquipeStatus;
use crate::app::work::open_pact;

const DAY: Duration = Duration::from_secs(86_400);

/// Tokens that a record has on the average, measured (`deploy/docs/matching.md`).
fn tokens_usual(class: Class) -> u64 {
    match class {
        Class::PersonStrong => 3,
        Class::PersonWeak => 12,
        Class::Company => 4,
    }
}

/// The day on which so many records that wait will have their tokens; none where a day's budget
/// is enough.
fn done_by(now: Instant, waiting: u64, class: Class, per_day: u32) -> Option<Date> {
    let days = waiting.saturating_mul(tokens_usual(class)).div_ceil(u64::from(per_day.max(1)));
    // Beyond a lifetime the day does not matter.
    let days = u32::try_from(days).unwrap_or(u32::MAX).min(36_500);
    (days > 1).then(|| now.plus(DAY.saturating_mul(days)).date())
}

/// Findings about one équipe.
///
/// # Errors
/// The store's, or a damaged pact.
pub(super) async fn about(
    node: &Node,
    equipe: &EquipeStatus,
    findings: &mut Vec<Finding>,
) -> Done<()> {
    let row = &equipe.row;
    if Standing::parse(&row.state) != Some(Standing::Active) {
        return Ok(());
    }
    let budget = open_pact(node, row)?.terms().budget.clone();
    let (mut tx, now) = (node.store.read().await?, node.clock.now());
    for class in Class::ALL {
        let waiting = tx.count_wanted_tokens(row.lineage, class, "wanted").await?;
        let per_day = budget.per_day(class);
        let Some(day) = done_by(now, waiting, class, per_day) else { continue };
        findings.push(finding(
            Severity::Next,
            "tokens_take_days",
            format!(
                "{}: {waiting} records wait for tokens of {class}, the newest first; at \
                 {per_day} a day all have them by about {day}",
                row.name
            ),
            "nothing, they are made by themselves; a new pact may allow more a day",
            "the parties, if it takes too long",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_told_where_a_budget_is_not_enough() {
        let now = Instant(0);
        let check = |waiting, class, per_day, expected: Option<&str>| {
            let day = done_by(now, waiting, class, per_day).map(|day| day.to_string());
            assert_eq!(day.as_deref(), expected, "{waiting} {class} {per_day}");
        };
        check(0, Class::PersonWeak, 600, None);
        check(50, Class::PersonWeak, 600, None);
        check(51, Class::PersonWeak, 600, Some("1970-01-03"));
        check(50_000, Class::PersonWeak, 600, Some("1972-09-27"));
        check(200, Class::Company, 200, Some("1970-01-05"));
        check(u64::MAX, Class::PersonStrong, 0, Some("2069-12-07"));
    }
}
