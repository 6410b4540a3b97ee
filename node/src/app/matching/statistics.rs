//! How frequent values are among the own records, and how many records there are: what bits are
//! computed from. Counted of the newest records, and anew when the register has grown.

use std::sync::Arc;

use raccordo_core::evidence::frequency::Frequencies;
use raccordo_core::evidence::record::Subject;
use raccordo_core::id::RecordId;
use raccordo_core::matching::shown::RegisterSize;
use raccordo_core::register::RecordKind;

use super::evidence;
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::register::ERASED;
use crate::store::Tx;
use crate::store::register::RegisterFilter;

/// Records that are read at once.
const PAGE: u32 = 500;
/// The most records of a kind whose values are counted, the newest ones: no value counts as rarer
/// than one of a thousand, so that more would say little more, and take long.
const COUNTED_MAX: usize = 2_048;
/// A register that has grown by so many and an eighth is counted anew.
const GROWN_MIN: u32 = 16;

/// What was counted.
pub struct Statistics {
    people: Counted,
    companies: Counted,
    /// The newest record then, by position.
    newest: u64,
    records: u32,
}

#[derive(Default)]
struct Counted {
    frequencies: Frequencies,
    records: u32,
}

impl Statistics {
    fn of(&self, subject: &Subject) -> &Counted {
        match subject {
            Subject::Person(_) => &self.people,
            Subject::Company { .. } => &self.companies,
        }
    }

    /// How frequent values are among records of the kind.
    pub(super) fn frequencies(&self, subject: &Subject) -> &Frequencies {
        &self.of(subject).frequencies
    }

    /// How many records of the kind there are.
    pub(super) fn records(&self, subject: &Subject) -> u32 {
        self.of(subject).records
    }

    /// The same as other nodes are told it.
    pub(super) fn size(&self, subject: &Subject) -> RegisterSize {
        RegisterSize::of(self.records(subject))
    }
}

/// What was counted last, or now where the register has grown since.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn current(node: &Node, tx: &mut dyn Tx) -> Done<Arc<Statistics>> {
    if let Some(known) = node.matching.statistics() {
        let limit = GROWN_MIN.saturating_add(known.records / 8);
        let after = known.newest;
        let grown = RegisterFilter { after_position: after, limit, ..RegisterFilter::default() };
        let came = tx.list_records(&grown).await?.len();
        if u32::try_from(came).unwrap_or(u32::MAX) < limit {
            return Ok(known);
        }
    }
    let counted = Arc::new(count(node, tx).await?);
    node.matching.counted(Arc::clone(&counted));
    Ok(counted)
}

async fn count(node: &Node, tx: &mut dyn Tx) -> Done<Statistics> {
    let (mut people, mut companies): (Vec<RecordId>, Vec<RecordId>) = Default::default();
    let mut filter = RegisterFilter { limit: PAGE, ..RegisterFilter::default() };
    loop {
        let rows = tx.list_records(&filter).await?;
        for row in rows.iter().filter(|row| row.state != ERASED) {
            match RecordKind::parse(&row.kind) {
                Some(RecordKind::Company) => companies.push(row.record),
                _ => people.push(row.record),
            }
        }
        filter.after_position = rows.last().map_or(filter.after_position, |row| row.position);
        if rows.len() < PAGE as usize {
            break;
        }
    }
    let records = u32::try_from(people.len().saturating_add(companies.len()));
    Ok(Statistics {
        people: counted(node, tx, &people).await?,
        companies: counted(node, tx, &companies).await?,
        newest: filter.after_position,
        records: records.unwrap_or(u32::MAX),
    })
}

async fn counted(node: &Node, tx: &mut dyn Tx, records: &[RecordId]) -> Done<Counted> {
    let mut counted =
        Counted { records: u32::try_from(records.len()).unwrap_or(u32::MAX), ..Counted::default() };
    for record in records.iter().rev().take(COUNTED_MAX) {
        if let Some(subject) = evidence::known(node, tx, *record).await? {
            subject.count(&mut counted.frequencies);
        }
    }
    Ok(counted)
}
