//! Keys for tokens: sharings, shares, ceremonies, and how much was asked of them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use raccordo_core::id::{EntryId, LineageId, NodeId};
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// When the node looks next at the keys and tokens of an équipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// By the node's clock; 0 is at once.
    pub due_at: Instant,
    /// Whether the node was in from the beginning, so that it knows when there was no key yet.
    pub founder: bool,
    /// When the members last changed, by the node's clock.
    pub changed_at: Instant,
}

/// The sharing of a key that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharingRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Whose key.
    pub class: Class,
    /// Which of the class's keys.
    pub key_epoch: KeyEpoch,
    /// Which of the key's sharings.
    pub generation: Generation,
    /// Canonical `key-sharing`; public.
    pub sharing: Vec<u8>,
    /// When it came into force, by the log.
    pub since: Instant,
    /// From when on the node saw all requests; 0 is from the beginning.
    pub seen_from: Instant,
    /// Why it does not stay: empty, `reshare`, `removal` or `lost`.
    pub renewal: String,
    /// Whether an administrator here has asked for another key.
    pub asked: bool,
    /// The members whose administrators have asked, as the log says.
    pub asked_by: BTreeSet<NodeId>,
}

/// This node's share of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Whose key.
    pub class: Class,
    /// Which of the class's keys.
    pub key_epoch: KeyEpoch,
    /// Which of the key's sharings.
    pub generation: Generation,
    /// Canonical `key-share`, sealed by the vault.
    pub sealed: Vec<u8>,
}

/// The newest ceremony of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeremonyRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Whose key.
    pub class: Class,
    /// Names the ceremony.
    pub run: EntryId,
    /// `planned` (here, and not in the log yet), `running`, `done`, `failed` or `overtaken`.
    pub state: String,
    /// Canonical `key-plan`.
    pub plan: Vec<u8>,
    /// Canonical `key-sharing` that is dealt anew; empty for a fresh key.
    pub old: Vec<u8>,
    /// When the plan was accepted by the log; of a planned one, when it was made here.
    pub began_at: Instant,
    /// When the present phase ends, or when the ceremony ended.
    pub until: Instant,
    /// What the own polynomial is made from, sealed by the vault; empty where this node does
    /// not deal.
    pub sealed_seed: Vec<u8>,
    /// The phase for which this node has said its part.
    pub posted: String,
    /// Ceremonies of the class that failed one after the other.
    pub failures: u32,
    /// Why it failed; empty otherwise.
    pub failure: String,
}

/// What was said in a running ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Whose key.
    pub class: Class,
    /// In the order of the log, from 1.
    pub position: u32,
    /// Who said it.
    pub sender: NodeId,
    /// When the log accepted it.
    pub at: Instant,
    /// Canonical `key-act`.
    pub act: Vec<u8>,
}

/// What a member has asked for on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// `YYYY-MM-DD`, UTC.
    pub day: String,
    /// Who asked.
    pub requester: NodeId,
    /// Of which key.
    pub class: Class,
    /// Tokens.
    pub used: u32,
    /// Requests that went over.
    pub refused: u32,
}

record! { DutyRow in "key_duty" {
    key { lineage: LineageId = "lineage" }
    due_at = "due_at_ms",
    founder = "founder",
    changed_at = "changed_at_ms",
} }
record! { SharingRow in "key_sharing" {
    key { lineage: LineageId = "lineage", class: Class = "class" }
    key_epoch = "key_epoch",
    generation = "generation",
    since = "since_ms",
    seen_from = "seen_from_ms",
    renewal = "renewal",
    asked = "asked",
    asked_by = "asked_by";
    heavy { sharing = "sharing" }
} }
record! { ShareRow in "key_share" {
    key {
        lineage: LineageId = "lineage",
        class: Class = "class",
        key_epoch: KeyEpoch = "key_epoch",
        generation: Generation = "generation",
    }
    sealed = "sealed",
} }
record! { CeremonyRow in "key_ceremony" {
    key { lineage: LineageId = "lineage", class: Class = "class" }
    run = "run",
    state = "state",
    began_at = "began_at_ms",
    until = "until_ms",
    posted = "posted",
    failures = "failures",
    failure = "failure";
    heavy { plan = "plan", old = "old", sealed_seed = "sealed_seed" }
} }
record! { ActRow in "key_act" {
    key { lineage: LineageId = "lineage", class: Class = "class", position: u32 = "position" }
    sender = "sender",
    at = "at_ms",
    act = "act",
} }
record! { BudgetRow in "budget_use" {
    key {
        lineage: LineageId = "lineage",
        day: String = "day",
        requester: NodeId = "requester",
        class: Class = "class",
    }
    used = "used",
    refused = "refused",
} }

/// Rows of keys.
#[async_trait]
pub trait KeyRows {
    /// When the node looks next at an équipe's keys.
    async fn key_duty(&mut self, lineage: LineageId) -> Stored<Option<DutyRow>>;
    /// Writes or replaces it.
    async fn put_key_duty(&mut self, row: DutyRow) -> Stored<()>;
    /// Makes it look at once, where there is such a row.
    async fn hasten_key_duty(&mut self, lineage: LineageId) -> Stored<()>;

    /// The sharings in force, by class.
    async fn key_sharings(&mut self, lineage: LineageId) -> Stored<Vec<SharingRow>>;
    /// Writes or replaces the one of a class.
    async fn put_key_sharing(&mut self, row: SharingRow) -> Stored<()>;

    /// Keeps a share; one that is there already is replaced.
    async fn put_key_share(&mut self, row: ShareRow) -> Stored<()>;
    /// The share of one sharing.
    async fn key_share(
        &mut self,
        lineage: LineageId,
        class: Class,
        key_epoch: KeyEpoch,
        generation: Generation,
    ) -> Stored<Option<ShareRow>>;
    /// Deletes all shares of a class but those of one sharing; returns how many.
    async fn retire_key_shares(
        &mut self,
        lineage: LineageId,
        class: Class,
        key_epoch: KeyEpoch,
        generation: Generation,
    ) -> Stored<u64>;

    /// The newest ceremonies, by class.
    async fn key_ceremonies(&mut self, lineage: LineageId) -> Stored<Vec<CeremonyRow>>;
    /// Writes or replaces the one of a class.
    async fn put_key_ceremony(&mut self, row: CeremonyRow) -> Stored<()>;
    /// Adds what was said; `Exists` where the place is taken.
    async fn insert_key_act(&mut self, row: ActRow) -> Stored<()>;
    /// What was said in the ceremony of a class, in order.
    async fn key_acts(&mut self, lineage: LineageId, class: Class) -> Stored<Vec<ActRow>>;
    /// Forgets it.
    async fn delete_key_acts(&mut self, lineage: LineageId, class: Class) -> Stored<()>;

    /// What was asked for on the newest day, by requester and class.
    async fn budget_uses(&mut self, lineage: LineageId) -> Stored<Vec<BudgetRow>>;
    /// Writes or replaces one row, and forgets other days.
    async fn put_budget_use(&mut self, row: BudgetRow) -> Stored<()>;

    /// Forgets all of the above of an équipe, but for the duty.
    async fn forget_keys(&mut self, lineage: LineageId) -> Stored<()>;
}
