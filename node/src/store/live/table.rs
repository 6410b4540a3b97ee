//! One table in memory: rows by key, of which a copy costs nothing until one of both writes.

use std::collections::BTreeSet;
use std::ops::{Bound, RangeBounds};

use rpds::RedBlackTreeMapSync;

use super::Storable;

/// A row that knows its key.
pub trait Row: Clone + PartialEq + Storable + Send + Sync + 'static {
    /// By what the table is ordered and its rows are found.
    type Key: Clone + Ord + Storable + Send + Sync + 'static;

    /// Its key.
    fn key(&self) -> Self::Key;
}

/// Rows by key. Clones share what neither has changed (a persistent red-black tree), so that a
/// transaction begins with a clone, and rolling back is dropping it.
#[derive(Clone, Debug)]
pub struct Table<K: Ord, V> {
    rows: RedBlackTreeMapSync<K, V>,
    /// Keys that were written or removed since [`Table::settle`].
    touched: BTreeSet<K>,
    /// Whether a change since then has written what no database holds.
    unfit: bool,
}

/// A table whose rows know their keys.
pub type RowTable<R> = Table<<R as Row>::Key, R>;

impl<K: Ord, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: RedBlackTreeMapSync::new_sync(), touched: BTreeSet::new(), unfit: false }
    }
}

impl<K: Clone + Ord + Storable, V: Clone + Storable> Table<K, V> {
    /// One row.
    pub fn row(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// All rows, by key.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    /// Rows of a range, by key; none where it ends before it begins.
    pub fn range<'t>(
        &'t self,
        range: impl RangeBounds<K> + 't,
    ) -> impl DoubleEndedIterator<Item = (&'t K, &'t V)> + 't {
        // A tree refuses such a range.
        (!is_reversed(&range)).then(|| self.rows.range(range)).into_iter().flatten()
    }

    /// Writes or replaces.
    pub fn put(&mut self, key: K, row: V) {
        self.unfit |= !(key.fits() && row.fits());
        self.touched.insert(key.clone());
        self.rows.insert_mut(key, row);
    }

    /// Puts a row that the database holds already: nothing is to be written.
    pub fn load(&mut self, key: K, row: V) {
        self.rows.insert_mut(key, row);
    }

    /// Removes what the database holds no row of.
    pub fn unload(&mut self, key: &K) {
        self.rows.remove_mut(key);
    }

    /// Whether a change since [`Table::settle`] has written what no database holds.
    pub fn is_unfit(&self) -> bool {
        self.unfit
    }

    /// Keys that were written or removed since [`Table::settle`], in order.
    pub fn touched(&self) -> impl Iterator<Item = &K> {
        self.touched.iter()
    }

    /// What was touched has been written.
    pub fn settle(&mut self) {
        self.touched.clear();
    }

    /// Writes; false, and nothing happens, where there is a row.
    pub fn add(&mut self, key: K, row: V) -> bool {
        let free = !self.rows.contains_key(&key);
        if free {
            self.put(key, row);
        }
        free
    }

    /// Changes a row in place, where there is one.
    pub fn change(&mut self, key: &K, change: impl FnOnce(&mut V)) -> bool {
        let Some(row) = self.rows.get_mut(key) else { return false };
        change(row);
        self.unfit |= !row.fits();
        self.touched.insert(key.clone());
        true
    }

    /// Changes all rows of a range that are chosen.
    pub fn change_where(
        &mut self,
        range: impl RangeBounds<K>,
        chosen: impl Fn(&V) -> bool,
        change: impl Fn(&mut V),
    ) {
        let rows = self.range(range).filter(|(_, row)| chosen(row));
        let keys: Vec<K> = rows.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.change(&key, &change);
        }
    }

    /// Removes a row, where there is one.
    pub fn remove(&mut self, key: &K) {
        if self.rows.remove_mut(key) {
            self.touched.insert(key.clone());
        }
    }

    /// Removes all rows of a range that are chosen.
    pub fn remove_where(&mut self, range: impl RangeBounds<K>, chosen: impl Fn(&K, &V) -> bool) {
        let rows = self.range(range).filter(|(key, row)| chosen(key, row));
        let keys: Vec<K> = rows.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.remove(&key);
        }
    }
}

fn is_reversed<K: Ord>(range: &impl RangeBounds<K>) -> bool {
    match (range.start_bound(), range.end_bound()) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Excluded(start), Bound::Excluded(end)) => start >= end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end))
        | (Bound::Included(start), Bound::Excluded(end)) => start > end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(act: impl FnOnce(&mut Table<u8, &'static str>), after: &[(u8, &'static str)]) {
        let mut table = Table::default();
        table.put(1, "one");
        table.put(2, "two");
        let before = table.clone();
        act(&mut table);
        assert_eq!(table.rows().map(|(key, row)| (*key, *row)).collect::<Vec<_>>(), after);
        let untouched: Vec<_> = before.rows().map(|(key, row)| (*key, *row)).collect();
        assert_eq!(untouched, [(1, "one"), (2, "two")]);
    }

    #[test]
    fn a_clone_stays_as_it_was() {
        check(|table| table.put(3, "three"), &[(1, "one"), (2, "two"), (3, "three")]);
        check(|table| table.put(2, "zwei"), &[(1, "one"), (2, "zwei")]);
        check(|table| table.remove(&1), &[(2, "two")]);
        check(|table| assert!(!table.add(1, "uno")), &[(1, "one"), (2, "two")]);
        check(|table| assert!(table.change(&1, |row| *row = "uno")), &[(1, "uno"), (2, "two")]);
        check(|table| table.change_where(2.., |_| true, |row| *row = "x"), &[(1, "one"), (2, "x")]);
        check(|table| table.load(3, "three"), &[(1, "one"), (2, "two"), (3, "three")]);
        check(|table| table.remove_where(.., |_, row| *row == "two"), &[(1, "one")]);
    }

    #[test]
    fn what_no_database_holds_is_noted_until_it_is_taken_back() {
        let mut settled: Table<u64, &str> = Table::default();
        settled.put(1, "one");
        settled.settle();
        assert!(!settled.is_unfit());
        let writes: [fn(&mut Table<u64, &'static str>); 4] = [
            |table| table.put(1 << 63, "far"),
            |table| table.put(2, "a\0b"),
            |table| assert!(table.change(&1, |row| *row = "\0")),
            |table| table.change_where(.., |_| true, |row| *row = "\0"),
        ];
        for write in writes {
            let mut table = settled.clone();
            write(&mut table);
            table.put(3, "three");
            assert!(table.is_unfit());
            assert!(!settled.is_unfit());
        }
    }

    #[test]
    fn a_range_that_ends_before_it_begins_has_no_rows() {
        let mut table = Table::default();
        for number in 1..4_u8 {
            table.put(number, "row");
        }
        let count = |from, to| table.range((from, to)).count();
        assert_eq!(count(Bound::Included(3), Bound::Included(2)), 0);
        assert_eq!(count(Bound::Included(3), Bound::Excluded(2)), 0);
        assert_eq!(count(Bound::Excluded(2), Bound::Excluded(2)), 0);
        assert_eq!(count(Bound::Included(2), Bound::Excluded(2)), 0);
        assert_eq!(count(Bound::Included(2), Bound::Included(2)), 1);
        assert_eq!(count(Bound::Excluded(2), Bound::Unbounded), 1);
        table.remove_where((Bound::Included(3), Bound::Excluded(2)), |_, _| true);
        assert_eq!(table.rows().count(), 3);
    }

    #[test]
    fn what_is_touched_is_known_until_it_is_settled() {
        let mut table: Table<u8, &str> = Table::default();
        table.load(1, "one");
        table.put(2, "two");
        table.change(&1, |row| *row = "uno");
        table.remove(&3);
        assert_eq!(table.touched().copied().collect::<Vec<_>>(), [1, 2]);
        table.settle();
        assert_eq!(table.touched().count(), 0);
        table.remove(&2);
        assert_eq!(table.touched().copied().collect::<Vec<_>>(), [2]);
    }
}
