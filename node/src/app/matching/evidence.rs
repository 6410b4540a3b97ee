//! What a record is known by, in normal forms.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use raccordo_core::alert::Body;
use raccordo_core::evidence::family::Evidence;
use raccordo_core::evidence::record::Subject;
use raccordo_core::id::{LineageId, NodeId, RecordId};
use raccordo_core::normal::comune::Comuni;
use raccordo_core::quota::{Buckets, Quota};
use raccordo_core::register::{
    Entry, RecordKind, codes_context, entry_context, open_codes, open_entry,
};
use raccordo_core::vault::RecordKey;

use super::statistics::Statistics;
use super::stops;
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::register::{ERASED, keys};
use crate::store::Tx;

/// What matching keeps in memory, made when it is first needed.
#[derive(Default)]
pub struct Memory {
    comuni: OnceLock<Comuni>,
    /// Équipes of which tokens were asked for before.
    begun: Mutex<BTreeSet<LineageId>>,
    /// How often all was shown anew because of a peer.
    shown_anew: Mutex<Buckets<(LineageId, NodeId)>>,
    /// How often a peer was sent the own half.
    answered: Mutex<Buckets<(LineageId, NodeId)>>,
    /// How frequent values are in the register, as they were counted last.
    statistics: Mutex<Option<Arc<Statistics>>>,
}

impl Memory {
    /// The comuni of the node's code list.
    pub(super) fn comuni(&self, node: &Node) -> &Comuni {
        self.comuni.get_or_init(|| Comuni::new(&node.lists))
    }

    /// Whether tokens were asked for in an équipe, as far as is remembered.
    pub(super) fn has_begun(&self, lineage: LineageId) -> bool {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).contains(&lineage)
    }

    /// What was counted of the register last.
    pub(super) fn statistics(&self) -> Option<Arc<Statistics>> {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers what was counted.
    pub(super) fn counted(&self, statistics: Arc<Statistics>) {
        *self.statistics.lock().unwrap_or_else(PoisonError::into_inner) = Some(statistics);
    }

    /// Remembers that tokens were asked for in an équipe.
    pub(super) fn begun(&self, lineage: LineageId) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).insert(lineage);
    }

    /// Whether all may be shown anew because of a peer, now.
    pub(super) fn may_show_anew(&self, node: &Node, lineage: LineageId, peer: &NodeId) -> bool {
        let buckets = self.shown_anew.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, pace) = ((lineage, peer.clone()), Quota::TagsMadeAnew.pace());
        buckets.wait(&key, pace, node.clock.now()).is_zero()
    }

    /// Counts that all is shown anew because of a peer.
    pub(super) fn count_shown_anew(&self, node: &Node, lineage: LineageId, peer: &NodeId) {
        let mut buckets = self.shown_anew.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, pace) = ((lineage, peer.clone()), Quota::TagsMadeAnew.pace());
        buckets.take(key, 1, pace, node.clock.now());
    }

    /// Whether a peer that has another half of this node's, or none, is sent it once more;
    /// counts it if so.
    pub(super) fn may_answer(&self, node: &Node, lineage: LineageId, peer: &NodeId) -> bool {
        let mut buckets = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, pace) = ((lineage, peer.clone()), Quota::HalvesSent.pace());
        buckets.take(key, 1, pace, node.clock.now()) > 0
    }
}

/// The evidence of a record, all families; none once it is erased.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn evidence(node: &Node, tx: &mut dyn Tx, record: RecordId) -> Done<Vec<Evidence>> {
    let Some(known) = known(node, tx, record).await? else { return Ok(Vec::new()) };
    let stops = stops::list(node, tx).await?;
    Ok(known.evidence(&stops))
}

/// Opens a record; none once it is erased.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn known(node: &Node, tx: &mut dyn Tx, record: RecordId) -> Done<Option<Subject>> {
    let Some(row) = tx.register_record(record).await? else { return Ok(None) };
    let Some(key) = keys::of_record(node, tx, &row).await? else { return Ok(None) };
    let kind = RecordKind::parse(&row.kind);
    let kind = kind.ok_or_else(|| Fault::ours("row_damaged", "kind of a record"))?;
    let mut entries: Vec<Entry> = Vec::new();
    for field in tx.record_fields(record).await? {
        let entry = open_entry(&key, &entry_context(record, field.place), &field.sealed);
        entries.push(entry.map_err(|cause| Fault::ours("vault", cause))?);
    }
    let citizenships = match kind {
        RecordKind::Person => citizenships(tx, record, &key).await?,
        RecordKind::Company => Vec::new(),
    };
    let comuni = node.matching.comuni(node);
    Ok(Some(Subject::of_record(kind, &entries, citizenships, comuni)))
}

/// The countries of which the cases of a person say that it is a citizen; parts of the world are
/// none.
async fn citizenships(tx: &mut dyn Tx, record: RecordId, key: &RecordKey) -> Done<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for case in tx.cases_of(record).await? {
        if case.state == ERASED || case.sealed_codes.is_empty() {
            continue;
        }
        let codes = open_codes(key, &codes_context(&case.case.to_string()), &case.sealed_codes);
        let codes = codes.map_err(|cause| Fault::ours("vault", cause))?;
        let Some(Body::CaseAlert(case)) = codes.body else { continue };
        let country = |code: &String| code.bytes().all(|byte| byte.is_ascii_uppercase());
        found.extend(case.citizenship.into_iter().filter(country));
    }
    Ok(found)
}
