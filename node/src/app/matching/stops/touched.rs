//! Records of which evidence comes or goes with stop values.

use std::collections::BTreeSet;

use raccordo_core::evidence::family::Evidence;
use raccordo_core::id::{LineageId, RecordId};
use raccordo_core::normal::stop_list::{Stop, StopList};
use raccordo_core::pseudonym::key::Class;
use raccordo_core::secret::Secret;

use super::super::{evidence, wanted};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::register::ERASED;
use crate::store::Tx;
use crate::store::register::RegisterFilter;

/// Records that are read at once.
const PAGE: u32 = 500;

/// Records that have some values.
pub(super) struct Touched {
    values: StopList,
    /// Newest record that was looked at, by position.
    after: u64,
    found: Vec<(RecordId, Class)>,
}

impl Touched {
    /// By values of one kind.
    pub(super) fn by(kind: Stop, values: &[Secret<String>]) -> Self {
        let mut all = StopList::default();
        values.iter().for_each(|value| all.add(kind, value));
        Self { values: all, after: 0, found: Vec::new() }
    }

    /// Looks at the records that came after those that were looked at before.
    ///
    /// # Errors
    /// The store's, a wrong node key, or damaged rows.
    pub(super) async fn look(&mut self, node: &Node, tx: &mut dyn Tx) -> Done<()> {
        loop {
            let filter = RegisterFilter {
                limit: PAGE,
                after_position: self.after,
                ..RegisterFilter::default()
            };
            let rows = tx.list_records(&filter).await?;
            for row in &rows {
                self.after = row.position;
                if row.state == ERASED {
                    continue;
                }
                let Some(known) = evidence::known(node, tx, row.record).await? else { continue };
                let all = known.evidence(&StopList::default());
                let left = known.evidence(&self.values);
                let touched = |class: &Class| !of(*class, &all).eq(of(*class, &left));
                let classes = Class::ALL.into_iter().filter(touched);
                self.found.extend(classes.map(|class| (row.record, class)));
            }
            if rows.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// Wants the tokens that are touched anew; the équipes are to be woken after the commit.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn want(&self, node: &Node, tx: &mut dyn Tx) -> Done<BTreeSet<LineageId>> {
        wanted::want_class(node, tx, &self.found).await
    }
}

fn of(class: Class, evidence: &[Evidence]) -> impl Iterator<Item = &Evidence> {
    evidence.iter().filter(move |one| one.family.class() == class)
}
