//! How the keys of an équipe stand, for people: no values and no shares.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::NodeId;
use raccordo_core::pseudonym::ceremony::Phase;
use raccordo_core::pseudonym::key::Class;
use raccordo_core::time::Instant;

use super::ceremony::{replayed, states};
use super::{budget, keys, rekey};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::work::open_pact;
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::keys::CeremonyRow;

/// The key of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// Whose.
    pub class: Class,
    /// Which of the class's keys; 0 before the first.
    pub key_epoch: u64,
    /// Which of the key's sharings; 0 before the first.
    pub generation: u64,
    /// How many holders must answer.
    pub threshold: u16,
    /// Who holds a share.
    pub holders: Vec<NodeId>,
    /// Whether this node does.
    pub own_share: bool,
    /// Since when it is in force, by the log.
    pub since: Instant,
    /// `reshare` or `removal` while it is to be shared anew or replaced, `lost` where only an
    /// administrator replaces it; else empty.
    pub renewal: String,
    /// Whether an administrator here has asked for another key.
    pub renewal_asked: bool,
    /// The members whose administrators have asked, as the log says.
    pub asked_by: BTreeSet<NodeId>,
    /// How many have to ask.
    pub asked_needed: usize,
    /// The newest ceremony.
    pub ceremony: Option<CeremonyStatus>,
    /// Tokens that this node may ask for in a day.
    pub limit: u32,
    /// Tokens that it has asked for today.
    pub used: u32,
    /// Records whose tokens have not been asked for.
    pub wanted: u64,
    /// Records whose tokens are on their way.
    pub asked: u64,
}

/// A ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeremonyStatus {
    /// `planned`, `running`, `done`, `failed` or `overtaken`.
    pub state: String,
    /// `dealing`, `reporting`, `answering` or `agreeing`; empty unless it runs.
    pub phase: &'static str,
    /// Until when the phase waits; when it ended where it is over.
    pub until: Instant,
    /// For whom the phase waits.
    pub missing: Vec<NodeId>,
    /// Who cheated or is broken, and how.
    pub faults: BTreeMap<NodeId, &'static str>,
    /// Why it failed; else empty.
    pub failure: String,
}

/// The keys of an équipe, by name or lineage.
///
/// # Errors
/// `no_such_equipe`.
pub async fn show(node: &Node, equipe: &str) -> Done<Vec<KeyStatus>> {
    let lineage = rekey::named(node, equipe).await?;
    let mut tx = node.store.read().await?;
    match tx.equipe(lineage).await? {
        Some(row) => of(node, &mut *tx, &row).await,
        None => Ok(Vec::new()),
    }
}

/// The keys of an équipe.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn of(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<Vec<KeyStatus>> {
    let (lineage, now) = (row.lineage, node.clock.now());
    let limits = open_pact(node, row)?.terms().budget.clone();
    let used = budget::used(tx, lineage, &node.identity.node, now).await?;
    let ceremonies = tx.key_ceremonies(lineage).await?;
    let members = keys::members(tx, lineage).await?;
    let mut shown = Vec::new();
    for class in Class::ALL {
        let known = keys::in_force(node, tx, lineage, class).await?;
        let newest = ceremonies.iter().find(|row| row.class == class);
        let ceremony = match newest {
            Some(known) => Some(ceremony(node, tx, known, row.accepted_at).await?),
            None => None,
        };
        let mut status = KeyStatus {
            class,
            key_epoch: 0,
            generation: 0,
            threshold: 0,
            holders: Vec::new(),
            own_share: false,
            since: Instant(0),
            renewal: String::new(),
            renewal_asked: false,
            asked_by: BTreeSet::new(),
            asked_needed: 0,
            ceremony,
            limit: limits.per_day(class),
            used: used.get(&class).copied().unwrap_or_default(),
            wanted: tx.count_wanted_tokens(lineage, class, "wanted").await?,
            asked: tx.count_wanted_tokens(lineage, class, "asked").await?,
        };
        if let Some((row, sharing)) = known {
            let share = tx.key_share(lineage, class, row.key_epoch, row.generation).await?;
            status.key_epoch = row.key_epoch.0;
            status.generation = row.generation.0;
            status.threshold = sharing.threshold();
            status.holders = sharing.holders().cloned().collect();
            status.own_share = share.is_some();
            status.since = row.since;
            let known = keys::facts(&row, &sharing, &members)?;
            let enough = known.replaced_from().is_some();
            status.asked_needed = if enough { 1 } else { known.needed() };
            status.renewal_asked = row.asked;
            status.renewal = row.renewal;
            status.asked_by = row.asked_by;
        }
        shown.push(status);
    }
    Ok(shown)
}

async fn ceremony(
    node: &Node,
    tx: &mut dyn Tx,
    row: &CeremonyRow,
    heard: Instant,
) -> Done<CeremonyStatus> {
    let mut status = CeremonyStatus {
        state: row.state.clone(),
        phase: "",
        until: row.until,
        missing: Vec::new(),
        faults: BTreeMap::new(),
        failure: row.failure.clone(),
    };
    if row.state == states::RUNNING {
        let ceremony = replayed(node, tx, row, heard).await?;
        status.phase = match ceremony.phase() {
            Phase::Dealing => "dealing",
            Phase::Reporting => "reporting",
            Phase::Answering => "answering",
            Phase::Agreeing => "agreeing",
            Phase::Done | Phase::Failed(_) => "",
        };
        status.missing = ceremony.missing().into_iter().collect();
        let faults = ceremony.faults().iter();
        status.faults = faults.map(|(node, fault)| (node.clone(), fault.reason())).collect();
    }
    Ok(status)
}
