//! One table in memory, which can be put back as it was.

use std::collections::BTreeMap;
use std::ops::RangeBounds;
use std::sync::Arc;

use super::storable::Storable;

/// Rows by key. Clones share the rows until one of them writes.
#[derive(Clone, Debug)]
pub(super) struct Table<K, V> {
    rows: Arc<BTreeMap<K, V>>,
    /// What stood there before each change since the last commit, oldest first.
    undo: Vec<(K, Option<V>)>,
    /// Whether a change since then has written what no database holds.
    unfit: bool,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: Arc::default(), undo: Vec::new(), unfit: false }
    }
}

impl<K: Clone + Ord + Storable, V: Clone + Storable> Table<K, V> {
    /// One row.
    pub(super) fn row(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// All rows, by key.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    /// Rows of a range, by key.
    pub(super) fn range(
        &self,
        range: impl RangeBounds<K>,
    ) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(range)
    }

    /// Writes or replaces.
    pub(super) fn put(&mut self, key: K, row: V) {
        self.unfit |= !(key.fits() && row.fits());
        let before = Arc::make_mut(&mut self.rows).insert(key.clone(), row);
        self.undo.push((key, before));
    }

    /// Writes; false, and nothing happens, where there is a row.
    pub(super) fn add(&mut self, key: K, row: V) -> bool {
        let free = !self.rows.contains_key(&key);
        if free {
            self.put(key, row);
        }
        free
    }

    /// Changes a row in place, where there is one.
    pub(super) fn change(&mut self, key: &K, change: impl FnOnce(&mut V)) -> bool {
        let Some(row) = Arc::make_mut(&mut self.rows).get_mut(key) else {
            return false;
        };
        self.undo.push((key.clone(), Some(row.clone())));
        change(row);
        self.unfit |= !row.fits();
        true
    }

    /// Changes all rows of a range that are chosen.
    pub(super) fn change_where(
        &mut self,
        range: impl RangeBounds<K>,
        chosen: impl Fn(&V) -> bool,
        change: impl Fn(&mut V),
    ) {
        if !self.rows.range((range.start_bound(), range.end_bound())).any(|(_, row)| chosen(row)) {
            return;
        }
        for (key, row) in Arc::make_mut(&mut self.rows).range_mut(range) {
            if chosen(row) {
                self.undo.push((key.clone(), Some(row.clone())));
                change(row);
                self.unfit |= !row.fits();
            }
        }
    }

    /// Removes a row, where there is one.
    pub(super) fn remove(&mut self, key: &K) {
        if let Some(row) = Arc::make_mut(&mut self.rows).remove(key) {
            self.undo.push((key.clone(), Some(row)));
        }
    }

    /// Removes all rows of a range that are chosen.
    pub(super) fn remove_where(
        &mut self,
        range: impl RangeBounds<K>,
        chosen: impl Fn(&K, &V) -> bool,
    ) {
        let chosen = self.rows.range(range).filter(|(key, row)| chosen(key, row));
        let keys: Vec<K> = chosen.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.remove(&key);
        }
    }

    /// Whether a change since the last commit has written what no database holds.
    pub(super) fn is_unfit(&self) -> bool {
        self.unfit
    }

    /// Takes back all changes since the last commit.
    pub(super) fn roll_back(&mut self) {
        self.unfit = false;
        if self.undo.is_empty() {
            return;
        }
        let rows = Arc::make_mut(&mut self.rows);
        for (key, before) in self.undo.drain(..).rev() {
            match before {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
    }

    /// Makes all changes final.
    pub(super) fn settle(&mut self) {
        self.undo.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(act: impl FnOnce(&mut Table<u8, &'static str>), after: &[(u8, &'static str)]) {
        let mut table = Table::default();
        table.put(1, "one");
        table.put(2, "two");
        table.settle();
        let before = table.clone();
        act(&mut table);
        assert_eq!(table.rows().map(|(key, row)| (*key, *row)).collect::<Vec<_>>(), after);
        assert_eq!(before.rows, Arc::new(BTreeMap::from([(1, "one"), (2, "two")])));
        table.roll_back();
        assert_eq!(table.rows, before.rows);
    }

    #[test]
    fn changes_are_taken_back() {
        check(|table| table.put(3, "three"), &[(1, "one"), (2, "two"), (3, "three")]);
        check(|table| table.put(2, "zwei"), &[(1, "one"), (2, "zwei")]);
        check(|table| table.remove(&1), &[(2, "two")]);
        check(|table| assert!(!table.add(1, "uno")), &[(1, "one"), (2, "two")]);
        check(|table| assert!(table.change(&1, |row| *row = "uno")), &[(1, "uno"), (2, "two")]);
        check(|table| table.change_where(2.., |_| true, |row| *row = "x"), &[(1, "one"), (2, "x")]);
        check(|table| table.remove_where(.., |_, row| *row == "two"), &[(1, "one")]);
    }

    #[test]
    fn what_no_database_holds_is_noted_until_it_is_taken_back() {
        let mut table: Table<u64, &str> = Table::default();
        table.put(1, "one");
        assert!(!table.is_unfit());
        let writes: [fn(&mut Table<u64, &'static str>); 4] = [
            |table| table.put(1 << 63, "far"),
            |table| table.put(2, "a\0b"),
            |table| assert!(table.change(&1, |row| *row = "\0")),
            |table| table.change_where(.., |_| true, |row| *row = "\0"),
        ];
        for write in writes {
            table.settle();
            write(&mut table);
            table.put(3, "three");
            assert!(table.is_unfit());
            table.roll_back();
            assert!(!table.is_unfit());
        }
    }

    #[test]
    fn several_changes_of_a_row_are_taken_back_in_turn() {
        check(
            |table| {
                table.remove(&1);
                table.put(1, "again");
                table.put(1, "and again");
            },
            &[(1, "and again"), (2, "two")],
        );
    }
}
