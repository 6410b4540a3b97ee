//! Statements with many rows or many keys, in a few fixed sizes, so that each is prepared
//! once: about as fast as PostgreSQL's `unnest`, and one text for both databases.

use std::fmt::Write as _;
use std::sync::Arc;

/// Rows of the multi-row statements, largest first.
const SIZES: [usize; 3] = [32, 8, 1];

/// Keys of a statement that looks up many.
pub(super) const KEYS: usize = 32;

/// An insert, or an update from values, of 32, 8 or 1 rows.
pub(super) struct Bulk {
    texts: [(usize, Arc<str>); 3],
}

impl Bulk {
    /// `before` ends before `VALUES`, `after` is what follows the values.
    pub(super) fn new(before: &str, columns: usize, after: &str) -> Self {
        let text = |rows: usize| {
            let row = |row: usize| format!("({})", markers(row.saturating_mul(columns), columns));
            let values: Vec<String> = (0..rows).map(row).collect();
            format!("{before} VALUES {} {after}", values.join(", "))
        };
        Self { texts: SIZES.map(|rows| (rows, text(rows).into())) }
    }

    /// Sizes and texts, largest first.
    pub(super) fn texts(&self) -> &[(usize, Arc<str>)] {
        &self.texts
    }
}

/// A select of those of [`KEYS`] keys that exist, after `before` other parameters.
pub(super) fn among(select: &'static str, before: usize) -> Arc<str> {
    format!("{select} IN ({})", markers(before, KEYS)).into()
}

/// The chunk's keys, repeated so that they fill the statement.
pub(super) fn filled<K: Copy>(chunk: &[K]) -> impl Iterator<Item = K> + '_ {
    chunk.iter().copied().cycle().take(KEYS)
}

fn markers(before: usize, count: usize) -> String {
    let mut text = String::new();
    for marker in 1..=count {
        let separator = if marker == 1 { "" } else { ", " };
        let _ = write!(text, "{separator}${}", before.saturating_add(marker));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_run_through_all_rows() {
        let bulk = Bulk::new("INSERT INTO pair (a, b)", 2, "ON CONFLICT DO NOTHING");
        let texts: Vec<_> = bulk.texts().iter().map(|(rows, text)| (*rows, &**text)).collect();
        assert_eq!(
            texts.last(),
            Some(&(1, "INSERT INTO pair (a, b) VALUES ($1, $2) ON CONFLICT DO NOTHING"))
        );
        assert!(texts.iter().any(|(rows, text)| *rows == 8 && text.contains("($15, $16)")));
        assert!(texts.iter().any(|(rows, text)| *rows == 32 && text.contains("($63, $64)")));
    }

    #[test]
    fn keys_fill_the_statement() {
        assert!(among("SELECT a FROM pair WHERE b = $1 AND a", 1).ends_with("$33)"));
        assert_eq!(filled(&[1, 2, 3]).count(), KEYS);
    }
}
