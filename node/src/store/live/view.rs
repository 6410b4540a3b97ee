//! What one transaction sees of the live state, and what it changes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use super::{LiveTables, Scope};

/// The live tables of all scopes that are loaded.
pub type Scopes = RedBlackTreeMapSync<Scope, Arc<LiveTables>>;

/// The live state as it was when a transaction began, under the transaction's own changes.
#[derive(Clone, Debug, Default)]
pub struct View {
    committed: Scopes,
    changed: BTreeMap<Scope, LiveTables>,
}

impl View {
    /// Over what is committed.
    pub fn over(committed: Scopes) -> Self {
        Self { committed, changed: BTreeMap::new() }
    }

    /// Whether a scope is loaded.
    pub fn has(&self, scope: Scope) -> bool {
        self.committed.get(&scope).is_some()
    }

    /// Whether anything may have been changed.
    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The table, if any, in which a change has written what no database holds.
    pub fn unfit(&self) -> Option<&'static str> {
        self.changed.values().find_map(LiveTables::unfit)
    }

    /// Takes what the database holds of a scope.
    pub fn load(&mut self, scope: Scope, tables: Arc<LiveTables>) {
        self.committed.insert_mut(scope, tables);
    }

    /// Looks at a scope; none where it is not loaded.
    pub fn tables(&self, scope: Scope) -> Option<&LiveTables> {
        let committed = || self.committed.get(&scope).map(|tables| &**tables);
        self.changed.get(&scope).or_else(committed)
    }

    /// A scope, to be changed; none where it is not loaded.
    pub fn tables_mut(&mut self, scope: Scope) -> Option<&mut LiveTables> {
        if !self.changed.contains_key(&scope) {
            let tables = LiveTables::clone(self.committed.get(&scope)?);
            self.changed.insert(scope, tables);
        }
        self.changed.get_mut(&scope)
    }

    /// Scopes that were changed: as they were, and as they are.
    pub fn changes(&self) -> impl Iterator<Item = (&Arc<LiveTables>, &LiveTables)> {
        let before = |(scope, now)| Some((self.committed.get(scope)?, now));
        self.changed.iter().filter_map(before)
    }

    /// Puts what was changed in the place of what was committed.
    pub fn settle(&mut self) {
        for (scope, mut tables) in std::mem::take(&mut self.changed) {
            tables.settle();
            self.committed.insert_mut(scope, Arc::new(tables));
        }
    }

    /// Puts what was changed into the scopes that a store holds, after it is durable there.
    pub fn publish(self, scopes: &mut Scopes) {
        for (scope, mut tables) in self.changed {
            tables.settle();
            scopes.insert_mut(scope, Arc::new(tables));
        }
    }
}
