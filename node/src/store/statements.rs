//! How many statements a store has run, table by table: what a use case costs, whatever the
//! machine.

use std::collections::BTreeMap;
use std::fmt;

/// Statements so far, but for the beginning and the end of transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statements(BTreeMap<(&'static str, Access), u64>);

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It reads rows.
    Read,
    /// It writes rows, and may say which.
    Write,
}

impl Statements {
    /// Counts one.
    pub fn count(&mut self, table: &'static str, access: Access) {
        let count = self.0.entry((table, access)).or_default();
        *count = count.saturating_add(1);
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.values().fold(0, |total, count| total.saturating_add(*count))
    }

    /// Those that came after an earlier count.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |key| earlier.0.get(key).copied().unwrap_or_default();
        let later = self.0.iter().map(|(key, count)| (*key, count.saturating_sub(before(key))));
        Self(later.filter(|(_, count)| *count > 0).collect())
    }
}

impl fmt::Display for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} statements", self.total())?;
        for ((table, access), count) in &self.0 {
            let word = match access {
                Access::Read => "read",
                Access::Write => "write",
            };
            write!(f, "\n  {count} × {word} {table}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_later_is_told_table_by_table() {
        let mut statements = Statements::default();
        statements.count("peer", Access::Read);
        statements.count("audit", Access::Write);
        let before = statements.clone();
        statements.count("peer", Access::Read);
        statements.count("peer", Access::Write);
        statements.count("peer", Access::Write);
        let later = statements.since(&before);
        assert_eq!((statements.total(), later.total()), (5, 3));
        assert_eq!(later.to_string(), "3 statements\n  1 × read peer\n  2 × write peer");
        assert_eq!(statements.since(&statements).to_string(), "0 statements");
    }
}
