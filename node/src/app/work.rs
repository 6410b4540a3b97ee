//! One équipe under work: its lock, its transaction, its row and its live MLS session.
//!
//! One actor per group in a process (DESIGN §5): the lock is held from before the
//! transaction begins until after it ends. Whatever does not reach [`Work::commit`]
//! is rolled back, and the live session is dropped with it, so that memory never runs
//! ahead of the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as Plain, PoisonError};

use raccordo_core::hublog::{LogEntry, Stretch};
use raccordo_core::id::{Digest, LineageId, Sequence};
use raccordo_core::ledger::{LedgerChange, LedgerRow as OpenRow, LedgerScope};
use raccordo_core::planted::{self, Bug};
use raccordo_core::session::{Facts, LeafKeys, Session};
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::statement::SignedStatement;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::fault::{Done, Fault};
use super::signals::Topic;
use super::{Node, history, honesty, term};
use crate::store::equipe::{AlarmRow, EquipeRow};
use crate::store::history::Keeper;
use crate::store::ledger::LedgerRow;
use crate::store::{StoreError, Tx};
use crate::telemetry::COMMIT_SECONDS;

/// What a process keeps in memory of one équipe.
#[derive(Default)]
pub struct Slot {
    /// The live group, in step with the disk; none until it is loaded.
    session: Option<Session>,
    /// Whether an own commit staged in this run of the process is in the log: only then
    /// may anything be encrypted.
    pub fresh: bool,
    /// Serial of the own card that was last found in the leaf, where it was the newest.
    leaf_serial: Option<u64>,
    /// The pact, read once.
    pact: Option<Arc<Pact>>,
    /// The statement last read: its digest and version.
    statement_version: Option<(Digest, u64)>,
}

/// The équipes that this process owns.
#[derive(Default)]
pub struct Slots {
    slots: Plain<BTreeMap<LineageId, Arc<Mutex<Slot>>>>,
}

impl Slots {
    /// Serial of the own card in the leaf, if it is known to be the newest one of its time.
    pub async fn leaf_serial(&self, lineage: LineageId) -> Option<u64> {
        self.lock(lineage).await.leaf_serial
    }

    async fn lock(&self, lineage: LineageId) -> OwnedMutexGuard<Slot> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(lineage).or_default())
        };
        slot.lock_owned().await
    }
}

/// An équipe under work.
pub struct Work<'n> {
    node: &'n Node,
    slot: OwnedMutexGuard<Slot>,
    tx: Option<Box<dyn Tx>>,
    touched: bool,
    /// Entries that this transaction has passed; kept by `commit`.
    pub passed: Stretch,
    /// The same entries, verbatim; kept by `commit`.
    pub entries: Vec<LogEntry>,
    /// The place before it that was last looked up, with its head.
    pub looked_up: Option<(Sequence, Digest)>,
    /// Alarms that stand, once they were asked for.
    alarms: Option<Vec<AlarmRow>>,
    durable: bool,
    /// Whether cards or trust change with it: who follows them is woken then.
    pub trust_moved: bool,
    /// How much of the message that is being applied was set aside.
    pub set_aside: usize,
    /// The statement in force that is in the history; empty where none is.
    noted_statement: Vec<u8>,
    /// The équipe's row; written back by `commit`.
    pub row: EquipeRow,
}

impl<'n> Work<'n> {
    fn over(node: &'n Node, slot: OwnedMutexGuard<Slot>, tx: Box<dyn Tx>, row: EquipeRow) -> Self {
        let passed = Stretch::after(row.sequence, row.head);
        let tx = Some(tx);
        Self {
            node,
            slot,
            tx,
            touched: false,
            passed,
            entries: Vec::new(),
            set_aside: 0,
            looked_up: None,
            alarms: None,
            durable: false,
            trust_moved: false,
            noted_statement: row.statement.clone(),
            row,
        }
    }

    /// Locks an équipe and opens a transaction on it; none when it is not here.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn begin(node: &'n Node, lineage: LineageId) -> Done<Option<Self>> {
        let slot = node.slots.lock(lineage).await;
        let mut tx = node.store.write().await?;
        if !tx.raise_equipe(lineage).await? {
            return Ok(None);
        }
        let Some(row) = tx.equipe(lineage).await? else { return Ok(None) };
        Ok(Some(Self::over(node, slot, tx, row)))
    }

    /// Locks an équipe that is about to be made, with the session that begins it.
    ///
    /// # Errors
    /// Whatever the store says; `Exists` when the équipe is here already.
    pub async fn create(node: &'n Node, row: EquipeRow, session: Session) -> Done<Self> {
        let mut slot = node.slots.lock(row.lineage).await;
        let mut tx = node.store.write().await?;
        tx.insert_equipe(row.clone()).await?;
        tx.put_key_update(row.lineage, node.clock.now()).await?;
        slot.session = Some(session);
        slot.fresh = false;
        let mut work = Self::over(node, slot, tx, row);
        work.noted_statement.clear();
        work.touched = true;
        Ok(work)
    }

    /// Locks an équipe whose membership has ended, and begins it again with a new session.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn renew(node: &'n Node, row: EquipeRow, session: Session) -> Done<Self> {
        let mut slot = node.slots.lock(row.lineage).await;
        let mut tx = node.store.write().await?;
        tx.raise_equipe(row.lineage).await?;
        tx.put_key_update(row.lineage, node.clock.now()).await?;
        honesty::begin_anew(&mut *tx, row.lineage).await?;
        tx.forget_kept(row.lineage, honesty::LAST).await?;
        tx.delete_hub_move(row.lineage).await?;
        tx.delete_stray(row.lineage).await?;
        *slot = Slot { session: Some(session), ..Slot::default() };
        let mut work = Self::over(node, slot, tx, row);
        work.noted_statement.clear();
        work.touched = true;
        Ok(work)
    }

    /// The transaction.
    ///
    /// # Errors
    /// Only after `commit`, which consumes the work: never in practice.
    pub fn tx(&mut self) -> Done<&mut dyn Tx> {
        match &mut self.tx {
            Some(tx) => Ok(tx.as_mut()),
            None => Err(Fault::ours("work_ended", "the transaction has ended")),
        }
    }

    /// Alarms that stand, as this transaction has last read them.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn alarms(&mut self) -> Done<Vec<AlarmRow>> {
        if let Some(alarms) = &self.alarms {
            return Ok(alarms.clone());
        }
        let lineage = self.row.lineage;
        let alarms = self.tx()?.alarms(lineage).await?;
        self.alarms = Some(alarms.clone());
        Ok(alarms)
    }

    /// One was raised or ended: they are read anew.
    pub fn forget_alarms(&mut self) {
        self.alarms = None;
    }

    /// Whether an own commit of this run is in the log.
    pub fn fresh(&self) -> bool {
        self.slot.fresh
    }

    /// Notes that an own commit of this run is in the log. Undone if the work is dropped
    /// before its commit, since then the merge was rolled back too.
    pub fn set_fresh(&mut self) {
        self.slot.fresh = true;
    }

    /// Own commits of this run count no longer: the next message waits for another one.
    pub fn set_stale(&mut self) {
        self.slot.fresh = false;
    }

    /// The statement in force.
    ///
    /// # Errors
    /// A damaged row.
    pub fn statement(&self) -> Done<SignedStatement> {
        SignedStatement::decode(&self.row.statement)
            .map_err(|cause| Fault::ours("statement_damaged", cause))
    }

    /// Version of the statement in force.
    ///
    /// # Errors
    /// A damaged row.
    pub fn statement_version(&mut self) -> Done<u64> {
        if let Some((digest, version)) = self.slot.statement_version
            && digest == Digest::of(&self.row.statement)
        {
            return Ok(version);
        }
        let version = self.statement()?.statement().version;
        self.slot.statement_version = Some((Digest::of(&self.row.statement), version));
        Ok(version)
    }

    /// The équipe's pact.
    ///
    /// # Errors
    /// A wrong node key or a damaged row.
    pub fn pact(&mut self, node: &Node) -> Done<Arc<Pact>> {
        if let Some(pact) = &self.slot.pact {
            return Ok(Arc::clone(pact));
        }
        let pact = Arc::new(open_pact(node, &self.row)?);
        self.slot.pact = Some(Arc::clone(&pact));
        Ok(pact)
    }

    /// Puts another pact in force.
    ///
    /// # Errors
    /// Never in practice: see [`Node::seal`].
    pub fn set_pact(&mut self, node: &Node, pact: Pact) -> Done<()> {
        let context = pact_context(self.row.lineage);
        self.row.sealed_pact = node.seal(&context, pact.text().as_bytes())?;
        self.slot.pact = Some(Arc::new(pact));
        self.touched = true;
        Ok(())
    }

    /// Whether the group holds an own commit that it has neither merged nor dropped: also
    /// one that the hub has answered already, in whatever way. No other can be staged then.
    ///
    /// # Errors
    /// As [`Work::session`].
    pub async fn holds_commit(&mut self) -> Done<bool> {
        Ok(self.loaded().await?.pending())
    }

    /// What the group shows. Only read, so that a refusal that rests on it costs nothing.
    ///
    /// # Errors
    /// As [`Work::session`].
    pub async fn facts(&mut self) -> Done<Facts> {
        self.loaded().await?.facts().map_err(|cause| Fault::ours("group", cause))
    }

    /// The live group, loaded if it is not.
    ///
    /// # Errors
    /// The store's, a wrong node key, or a damaged ledger.
    pub async fn session(&mut self) -> Done<&mut Session> {
        self.touched = true;
        self.loaded().await
    }

    /// The keys with which this node signs in the group now: those of the card in its leaf,
    /// which may be older than its newest one.
    ///
    /// # Errors
    /// As [`Work::session`]; a key that is not here.
    pub async fn leaf(&mut self) -> Done<LeafKeys> {
        let identity = &self.node.identity;
        let own = self.loaded().await?.own_leaf();
        let own = own.map_err(|cause| Fault::ours("group", cause))?;
        let keys = identity.leaf_of(&own.signature_key);
        keys.ok_or_else(|| Fault::ours("leaf_key_missing", "the leaf's key is of no own card"))
    }

    /// Whether the leaf has this node's newest card.
    ///
    /// # Errors
    /// As [`Work::session`].
    pub async fn leaf_is_newest(&mut self) -> Done<bool> {
        let newest = self.node.identity.newest();
        let own = self.loaded().await?.own_leaf();
        let own = own.map_err(|cause| Fault::ours("group", cause))?;
        let same = own.card.as_ref() == Some(&newest.leaf.card);
        self.slot.leaf_serial = same.then(|| newest.card.card().serial);
        Ok(same)
    }

    async fn loaded(&mut self) -> Done<&mut Session> {
        if self.slot.session.is_none() {
            let scope = LedgerScope::Group(self.row.group);
            let rows = open_ledger(self.node, self.tx()?, &scope).await?;
            let loaded = Session::load(&self.node.crypto, self.row.group, rows)
                .map_err(|cause| Fault::ours("group_not_loaded", cause))?;
            self.slot.session = loaded;
        }
        self.slot
            .session
            .as_mut()
            .ok_or_else(|| Fault::ours("group_missing", "the ledger holds no such group"))
    }

    /// Writes the row and what MLS changed, and makes all of it durable.
    ///
    /// # Errors
    /// Whatever the store says; then nothing was stored.
    pub async fn commit(mut self) -> Done<()> {
        let mut changes = match &mut self.slot.session {
            Some(session) => {
                session.take_changes().map_err(|cause| Fault::ours("ledger", cause))?
            }
            None => Vec::new(),
        };
        if planted::is(Bug::ForgetFlush) {
            changes.clear();
        }
        let row = self.row.clone();
        let node = self.node;
        let (passed, entries) = (self.passed.clone(), std::mem::take(&mut self.entries));
        let statement_is_new = self.noted_statement != row.statement;
        let tx = self.tx()?;
        if statement_is_new {
            history::note(tx, Keeper::Member, &row.statement).await?;
        }
        honesty::keep(tx, row.lineage, &passed).await?;
        term::keep::keep(tx, row.lineage, entries).await?;
        write_ledger(node, tx, changes).await?;
        tx.update_equipe(&row).await?;
        if let Some(tx) = self.tx.take() {
            measured_commit(tx).await?;
        }
        self.durable = true;
        if self.trust_moved {
            node.signals.wake(&Topic::Trust);
        }
        Ok(())
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if self.touched && !self.durable && !planted::is(Bug::SessionKept) {
            // Rolled back, or nobody knows: what MLS did in memory must not stay. A lost
            // `fresh` costs one more commit, never a reused key.
            self.slot.session = None;
            self.slot.pact = None;
            self.slot.fresh = false;
        }
    }
}

/// Makes a transaction durable, and measures the time that it takes.
///
/// # Errors
/// Whatever the store says; then nothing was stored.
pub async fn measured_commit(tx: Box<dyn Tx>) -> Result<(), StoreError> {
    let began = std::time::Instant::now();
    tx.commit().await?;
    metrics::histogram!(COMMIT_SECONDS.name).record(began.elapsed());
    Ok(())
}

/// Opens the pact of an équipe.
///
/// # Errors
/// A wrong node key or a damaged row.
pub fn open_pact(node: &Node, row: &EquipeRow) -> Done<Pact> {
    let text = node.open(&pact_context(row.lineage), &row.sealed_pact)?;
    let text = String::from_utf8_lossy(text.reveal()).into_owned();
    Pact::parse(&text).map_err(|cause| Fault::ours("pact_damaged", cause))
}

/// Context under which an équipe's pact is sealed.
pub fn pact_context(lineage: LineageId) -> String {
    format!("pact/{lineage}")
}

/// Reads and opens the rows of one scope.
///
/// # Errors
/// The store's, or a wrong node key.
pub async fn open_ledger(node: &Node, tx: &mut dyn Tx, scope: &LedgerScope) -> Done<Vec<OpenRow>> {
    let rows = tx.ledger(&scope.to_string()).await?;
    rows.into_iter()
        .map(|row| {
            let value = node.open(&context(&row.scope, &row.kind, &row.key), &row.sealed)?;
            Ok(OpenRow { kind: row.kind, key: row.key, value })
        })
        .collect()
}

/// Seals and writes what MLS changed.
///
/// # Errors
/// Whatever the store says.
pub async fn write_ledger(node: &Node, tx: &mut dyn Tx, changes: Vec<LedgerChange>) -> Done<()> {
    let mut puts = Vec::new();
    for change in changes {
        match change {
            LedgerChange::Put { scope, kind, key, value } => {
                let scope = scope.to_string();
                let context = context(&scope, kind, &key);
                let sealed = node.seal(&context, value.reveal())?;
                puts.push(LedgerRow { scope, kind: kind.to_owned(), key, sealed });
            }
            LedgerChange::Delete { scope, kind, key } => {
                tx.delete_ledger(&scope.to_string(), kind, &key).await?;
            }
        }
    }
    if !puts.is_empty() {
        tx.put_ledger(&puts).await?;
    }
    Ok(())
}

fn context(scope: &str, kind: &str, key: &[u8]) -> String {
    format!("ledger/{scope}/{kind}/{}", hex::encode(key))
}
