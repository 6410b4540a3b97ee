//! Ceremonies and sharings that were read before. The rows decide: what is remembered counts
//! only for the same bytes, and spares checking their commitments again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use raccordo_core::canonical::Writer;
use raccordo_core::id::{Digest, LineageId, NodeId};
use raccordo_core::pseudonym::ceremony::{Act, Ceremony, Plan};
use raccordo_core::pseudonym::key::Class;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::time::Instant;

use crate::app::fault::{Done, Fault};
use crate::store::keys::{ActRow, CeremonyRow};

/// Sharings that are remembered: of each class of many équipes the one in force, and the one
/// before it.
const SHARINGS_MAX: usize = 64;

/// What a node remembers of keys.
#[derive(Default)]
pub struct Memory {
    replays: Mutex<BTreeMap<(LineageId, Class), Replay>>,
    /// By the digest of their bytes.
    sharings: Mutex<BTreeMap<Digest, Sharing>>,
}

/// A ceremony as its first acts told it.
#[derive(Clone)]
pub(super) struct Replay {
    /// Chains the beginning and all acts.
    chain: Digest,
    /// How many acts.
    pub acts: usize,
    /// Where it stands after them.
    pub ceremony: Ceremony,
}

impl Replay {
    /// One to which nothing was said yet.
    fn begin(row: &CeremonyRow, plan: Plan) -> Self {
        Self { chain: beginning(row), acts: 0, ceremony: Ceremony::begin(plan, row.began_at) }
    }

    /// Adds an act that was applied to the ceremony.
    pub fn note(&mut self, sender: &NodeId, at: Instant, act: &[u8]) {
        self.chain = after(self.chain, sender, at, act);
        self.acts = self.acts.saturating_add(1);
    }

    /// Whether these rows begin with what was told.
    fn begins(&self, row: &CeremonyRow, said: &[ActRow]) -> bool {
        let heard = said.get(..self.acts);
        let chained = |chain, one: &ActRow| after(chain, &one.sender, one.at, &one.act);
        let chain = heard.map(|heard| heard.iter().fold(beginning(row), chained));
        chain == Some(self.chain)
    }
}

fn beginning(row: &CeremonyRow) -> Digest {
    Writer::record().bytes(&row.plan).bytes(&row.old).instant(row.began_at).digest()
}

fn after(chain: Digest, sender: &NodeId, at: Instant, act: &[u8]) -> Digest {
    let writer = Writer::record().bytes(chain.as_bytes()).text(sender.as_str());
    writer.instant(at).bytes(act).digest()
}

impl Memory {
    /// A sharing as it is kept.
    ///
    /// # Errors
    /// Damaged bytes.
    pub(super) fn sharing(&self, bytes: &[u8]) -> Done<Sharing> {
        let digest = Digest::of(bytes);
        if let Some(known) = lock(&self.sharings).get(&digest) {
            return Ok(known.clone());
        }
        let read =
            Sharing::decode(bytes).map_err(|cause| Fault::ours("key_sharing_damaged", cause))?;
        let mut known = lock(&self.sharings);
        if known.len() >= SHARINGS_MAX {
            known.clear();
        }
        known.insert(digest, read.clone());
        Ok(read)
    }

    /// A ceremony as all acts told it.
    ///
    /// # Errors
    /// Damaged rows.
    pub(super) fn replay(&self, row: &CeremonyRow, said: &[ActRow]) -> Done<Replay> {
        let known = lock(&self.replays).get(&(row.lineage, row.class)).cloned();
        let known = known.filter(|known| known.begins(row, said));
        let mut replay = match known {
            Some(known) => known,
            None => Replay::begin(row, self.plan(row)?),
        };
        let new = said.get(replay.acts..).unwrap_or_default();
        for one in new {
            let (_, act) = Act::decode(&one.act).map_err(|cause| damaged(&cause))?;
            replay.ceremony.apply(&one.sender, one.at, &act);
            replay.note(&one.sender, one.at, &one.act);
        }
        if !new.is_empty() {
            self.remember(row, &replay);
        }
        Ok(replay)
    }

    fn plan(&self, row: &CeremonyRow) -> Done<Plan> {
        let old = (!row.old.is_empty()).then(|| self.sharing(&row.old)).transpose()?;
        Plan::read(&row.plan, old.as_ref()).map_err(|cause| damaged(&cause))
    }

    /// Remembers where a ceremony stands.
    pub(super) fn remember(&self, row: &CeremonyRow, replay: &Replay) {
        lock(&self.replays).insert((row.lineage, row.class), replay.clone());
    }

    /// Forgets a ceremony that is over.
    pub(super) fn forget(&self, row: &CeremonyRow) {
        lock(&self.replays).remove(&(row.lineage, row.class));
    }
}

fn damaged(cause: &dyn std::fmt::Display) -> Fault {
    Fault::ours("key_ceremony_damaged", cause)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
