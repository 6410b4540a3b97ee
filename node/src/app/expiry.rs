//! What expires soon: cards and équipes, told 30, 14, 7 and 1 days ahead.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::fault::Done;
use super::work::open_pact;
use super::{Node, peers};
use crate::telemetry::EXPIRES_DAYS;

/// Days ahead of which is told.
const AHEAD: [u64; 4] = [1, 7, 14, 30];
const DAY_S: u64 = 24 * 3600;

/// Something whose time comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// `own card`, `card of ID` or `équipe NAME`.
    pub what: String,
    /// First instant at which it is over.
    pub at: Instant,
    /// Whole days left; 0 when it is over or on its last day.
    pub days: u64,
    /// Whose turn it is: nobody's but this node's where it is none.
    pub peer: Option<raccordo_core::id::NodeId>,
}

impl Expiring {
    fn new(what: String, at: Instant, now: Instant) -> Self {
        Self { what, at, days: at.since(now).as_secs() / DAY_S, peer: None }
    }

    /// The nearest of 30, 14, 7 and 1 days that is reached; none while it is far.
    pub fn stage(&self) -> Option<u64> {
        AHEAD.into_iter().find(|ahead| self.days < *ahead)
    }
}

/// Everything of this node that expires: own card, cards of verified peers, équipes.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn all(node: &Node) -> Done<Vec<Expiring>> {
    let now = node.clock.now();
    let own = node.identity.card().card().valid_until;
    let mut found = vec![Expiring::new("own card".to_owned(), own, now)];
    let mut tx = node.store.read().await?;
    for row in tx.peers().await? {
        if row.state.counts_as_verified() {
            let until = peers::read_card(&row)?.card().valid_until;
            let expiring = Expiring::new(format!("card of {}", row.node), until, now);
            found.push(Expiring { peer: Some(row.node), ..expiring });
        }
    }
    for row in tx.equipes().await? {
        if Standing::parse(&row.state) != Some(Standing::Active) {
            continue;
        }
        let last = open_pact(node, &row)?.terms().expiry();
        if let Some(over) = last.and_then(|last| last.tomorrow().ok()) {
            found.push(Expiring::new(format!("équipe {}", row.name), Instant::start_of(over), now));
        }
    }
    Ok(found)
}

/// What has been logged in this process.
#[derive(Default)]
pub struct Told(Mutex<BTreeMap<String, u64>>);

/// Measures what expires, and logs each stage once.
///
/// # Errors
/// The store's.
pub async fn tell(node: &Node) -> Done<()> {
    for expiring in all(node).await? {
        let Expiring { what, at, days, .. } = &expiring;
        metrics::gauge!(EXPIRES_DAYS.name, "what" => what.clone()).set(*days as f64);
        let Some(stage) = expiring.stage() else { continue };
        let before = {
            let mut told = node.told.0.lock().unwrap_or_else(PoisonError::into_inner);
            told.insert(what.clone(), stage)
        };
        if before != Some(stage) {
            tracing::warn!(kind = what, %at, count = days, "expires soon");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_ahead_in_four_stages() {
        let check = |days: i64, stage| {
            let (now, at) = (Instant(0), Instant(days * 24 * 3_600_000));
            assert_eq!(Expiring::new("own card".into(), at, now).stage(), stage, "{days}");
        };
        for (days, stage) in
            [(31, None), (30, None), (29, Some(30)), (14, Some(30)), (13, Some(14))]
        {
            check(days, stage);
        }
        for (days, stage) in [(6, Some(7)), (1, Some(7)), (0, Some(1)), (-9, Some(1))] {
            check(days, stage);
        }
    }
}
