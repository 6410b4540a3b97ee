//! Bounds: how much is looked at and opened of what one object of a peer agrees with. What many
//! records have says little by its weight alone (`crate::evidence::frequency`); this keeps the work
//! bounded, whatever a peer shows.

/// The most open candidates of one alert; the weakest are left out.
pub const CANDIDATES_MAX: usize = 20;

/// With how many records of this node one value may agree and still be looked at.
pub const SPREAD_MAX: usize = 400;

/// The most records that are weighed beside one object: those with which most values agree.
pub const WEIGHED_MAX: usize = 200;

/// The candidates of one alert that are opened: the best [`CANDIDATES_MAX`], of equal strength
/// the first by key, so that it is the same whenever it is computed.
pub fn choose<S: Ord, K: Ord>(candidates: impl IntoIterator<Item = (S, K)>) -> Vec<(S, K)> {
    let mut candidates: Vec<(S, K)> = candidates.into_iter().collect();
    candidates.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    candidates.truncate(CANDIDATES_MAX);
    candidates
}

#[cfg(test)]
mod tests {
    use super::super::grade::Grade;
    use super::*;

    #[test]
    fn the_best_candidates_are_opened() {
        let weak = (0..30).map(|key| (Grade::C, key));
        let chosen = choose(weak.chain([(Grade::A, 77), (Grade::B, 76), (Grade::A, 75)]));
        assert_eq!(chosen.len(), CANDIDATES_MAX);
        let keys: Vec<i32> = chosen.iter().map(|(_, key)| *key).take(5).collect();
        assert_eq!(keys, [75, 77, 76, 0, 1]);
    }
}
