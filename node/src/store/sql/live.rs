//! The live state of a database: what is loaded, how a scope is read, and how what was changed
//! is written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::{Shared, SqlTx};
use crate::store::Stored;
use crate::store::equipe::{AlarmRow, MemberRow};
use crate::store::honesty::ClaimRow;
use crate::store::keys::{ActRow, BudgetRow, CeremonyRow, DutyRow, ShareRow, SharingRow};
use crate::store::live::{
    CounterRow, KeyUpdateRow, LiveTables, LogCursorRow, LogLeaverRow, MailboxCursorRow, OwnCardRow,
    QueuedMailRow, Row as _, Scope, Scopes, SecretRow, View, with_live_tables,
};
use crate::store::membership::{ProposalRow, ReplayRow};
use crate::store::node::OwnKeyPackageRow;
use crate::store::outbox::{EntryRow, EnvelopeRow, MadeEntryRow};
use crate::store::pact::PactRow;
use crate::store::peer::{FormerCardRow, PeerRow};
use crate::store::rejoin::RejoinRow;
use crate::store::successor::SuccessorRow;
use crate::store::term::HubMoveRow;
use crate::store::token::PairRow;
use crate::store::token_request::{AnswerRow, RequestRow};
use crate::store::void::{StrayRow, UnfollowedRow};

/// What is loaded of the database, as it was last committed.
#[derive(Default)]
pub(super) struct Live(Mutex<Loaded>);

#[derive(Default)]
struct Loaded {
    scopes: Scopes,
    /// Raised by every commit, at its beginning: what was read before it is not the newest.
    commits: u64,
    /// Commits that have begun and not ended.
    doubts: u32,
    /// Of a simulated process: what another one has loaded is not known to it.
    life: u64,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, Loaded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that is loaded now, and the number of commits so far; costs nothing.
    pub(super) fn scopes(&self, life: u64) -> (Scopes, u64) {
        let mut loaded = self.lock();
        if loaded.life != life {
            loaded.scopes = Scopes::default();
            loaded.life = life;
        }
        (loaded.scopes.clone(), loaded.commits)
    }

    /// Keeps a scope as a transaction has found it, unless there was a commit since it began,
    /// which it may have seen or not.
    pub(super) fn load(&self, scope: Scope, tables: Arc<LiveTables>, commits: u64) {
        let mut loaded = self.lock();
        if loaded.commits == commits && loaded.doubts == 0 {
            loaded.scopes.insert_mut(scope, tables);
        }
    }
}

/// While it lasts, nobody knows what the database holds; where it ends without an answer, the
/// live state is read anew.
pub(super) struct Doubt {
    shared: Arc<Shared>,
    answered: Option<View>,
    /// Of the writer; passed on when all is known again.
    turn: Option<OwnedMutexGuard<()>>,
}

impl Doubt {
    /// Begins.
    pub(super) fn begin(shared: Arc<Shared>) -> Self {
        let mut loaded = shared.live.lock();
        loaded.commits = loaded.commits.saturating_add(1);
        loaded.doubts = loaded.doubts.saturating_add(1);
        drop(loaded);
        Self { shared, answered: None, turn: None }
    }

    /// Holds the turn to its end.
    pub(super) fn take_turn(&mut self, turn: Option<OwnedMutexGuard<()>>) {
        self.turn = turn;
    }

    /// The database has made everything durable: what was changed is the live state now.
    pub(super) fn end(mut self, view: View) {
        self.answered = Some(view);
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        let mut loaded = self.shared.live.lock();
        loaded.doubts = loaded.doubts.saturating_sub(1);
        match self.answered.take() {
            Some(view) => view.publish(&mut loaded.scopes),
            None => loaded.scopes = Scopes::default(),
        }
    }
}

macro_rules! scopes {
    (
        node { $($node:ident: $NodeRow:ty,)* }
        equipe { $($equipe:ident: $EquipeRow:ty,)* }
        log { $($log:ident: $LogRow:ty,)* }
    ) => {
        impl SqlTx {
            /// Reads a scope.
            pub(super) async fn load_scope(&mut self, scope: Scope) -> Stored<LiveTables> {
                let mut tables = LiveTables::default();
                match scope {
                    Scope::Node => {
                        $(for row in self.load_rows::<$NodeRow>(None).await? {
                            tables.$node.load(row.key(), row);
                        })*
                        for row in self.load_equipes().await? {
                            tables.equipe.load(row.key(), row);
                        }
                        for row in self.load_carried().await? {
                            tables.carried.load(row.key(), row);
                        }
                        tables.audit_newest = self.newest_audit_record().await?;
                    }
                    Scope::Equipe(lineage) => {
                        $(for row in self
                            .load_rows::<$EquipeRow>(Some(lineage.as_bytes()))
                            .await?
                        {
                            tables.$equipe.load(row.key(), row);
                        })*
                        tables.load_places();
                        for object in self.unreported_reads(lineage).await? {
                            tables.unreported_reads.load(object, ());
                        }
                        tables.may_have_tokens = self.has_tokens(lineage).await?;
                        tables.newest_kept = self.newest_kept(lineage).await?;
                        tables.newest_set_aside = self.newest_set_aside(lineage).await?;
                    }
                    Scope::Log(group) => {
                        $(for row in self
                            .load_rows::<$LogRow>(Some(group.as_bytes()))
                            .await?
                        {
                            tables.$log.load(row.key(), row);
                        })*
                    }
                }
                Ok(tables)
            }

            /// Writes what a scope's tables have become.
            pub(super) async fn write_scope(
                &mut self,
                before: &LiveTables,
                now: &LiveTables,
            ) -> Stored<()> {
                // First the rows that carry the fence: who finds another writer there has
                // written nothing.
                self.write_equipes(&before.equipe, &now.equipe).await?;
                self.write_carried(&before.carried, &now.carried).await?;
                $(self.write_touched(&before.$node, &now.$node).await?;)*
                $(self.write_touched(&before.$equipe, &now.$equipe).await?;)*
                $(self.write_touched(&before.$log, &now.$log).await?;)*
                Ok(())
            }
        }
    };
}
with_live_tables!(scopes);
