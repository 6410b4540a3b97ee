//! Live state: the tables that every step of an équipe reads, kept in memory.
//!
//! A step of an équipe needs its row, members, alarms, keys and outbox each time, and each
//! time they are what the step before has written. So they are read from the database once,
//! scope by scope, and after that a transaction finds them here. It works on a clone of the
//! tables, which costs nothing (they share what neither changes); its commit writes to the
//! database what it has touched, each table with one statement where the rows are few, and
//! then puts its clone in the place of what was there. Dropping it rolls back.
//!
//! The rows' use cases (`live/rows/`) are written once, over [`LiveAccess`], and serve the
//! store in memory and the two databases alike. What a table is in SQL stands beside its row
//! (`record!`), once.

mod outbox;
mod rows;
mod storable;
mod table;
mod view;

use async_trait::async_trait;
use raccordo_core::audit::AuditRecord;
use raccordo_core::id::{GroupId, ItemId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::time::Instant;

pub use self::outbox::OutboxPlaces;
pub use self::storable::Storable;
pub use self::table::{Row, RowTable, Table};
pub use self::view::{Scopes, View};

use super::equipe::{AlarmRow, EquipeRow, MemberRow};
use super::honesty::ClaimRow;
use super::hub::CarriedRow;
use super::keys::{ActRow, BudgetRow, CeremonyRow, DutyRow, ShareRow, SharingRow};
use super::membership::{ProposalRow, ReplayRow};
use super::node::OwnKeyPackageRow;
use super::outbox::{EntryRow, EnvelopeRow, MadeEntryRow};
use super::pact::PactRow;
use super::peer::{FormerCardRow, PeerRow};
use super::rejoin::RejoinRow;
use super::sql::record::record;
use super::successor::SuccessorRow;
use super::term::HubMoveRow;
use super::token::PairRow;
use super::token_request::{AnswerRow, RequestRow};
use super::void::{StrayRow, UnfollowedRow};
use super::{StoreError, Stored};

/// Which rows are loaded together, and put down together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Of the node itself; all équipes' own rows among them, since they are sought by name.
    Node,
    /// Of one équipe of which this node is a member.
    Equipe(LineageId),
    /// Of one log that this node carries as a hub.
    Log(GroupId),
}

/// Calls a macro with the tables that are live: for each scope the field's name and its row.
macro_rules! with_live_tables {
    ($macro:ident) => {
        $macro! {
            node {
                counter: CounterRow,
                secret: SecretRow,
                own_card: OwnCardRow,
                mailbox_cursor: MailboxCursorRow,
                mail: QueuedMailRow,
                own_key_package: OwnKeyPackageRow,
                peer: PeerRow,
                former_card: FormerCardRow,
                pact: PactRow,
            }
            equipe {
                member: MemberRow,
                alarm: AlarmRow,
                rejoin_request: RejoinRow,
                envelope: EnvelopeRow,
                entry: EntryRow,
                made_entry: MadeEntryRow,
                claim: ClaimRow,
                hub_move: HubMoveRow,
                successor: SuccessorRow,
                stray: StrayRow,
                proposal: ProposalRow,
                replay: ReplayRow,
                key_update: KeyUpdateRow,
                key_duty: DutyRow,
                key_sharing: SharingRow,
                key_share: ShareRow,
                key_ceremony: CeremonyRow,
                key_act: ActRow,
                budget_use: BudgetRow,
                token_request: RequestRow,
                token_answer: AnswerRow,
                pair_secret: PairRow,
            }
            log {
                log_cursor: LogCursorRow,
                log_leaver: LogLeaverRow,
                unfollowed: UnfollowedRow,
            }
        }
    };
}
pub(super) use with_live_tables;

macro_rules! declare {
    (
        node { $($node:ident: $NodeRow:ty,)* }
        equipe { $($equipe:ident: $EquipeRow:ty,)* }
        log { $($log:ident: $LogRow:ty,)* }
    ) => {
        /// All live tables, and what is derived from rows that are not.
        #[derive(Clone, Debug, Default)]
        pub struct LiveTables {
            $(#[allow(missing_docs, reason = "named as its table")] pub $node: RowTable<$NodeRow>,)*
            $(#[allow(missing_docs, reason = "named as its table")] pub $equipe: RowTable<$EquipeRow>,)*
            $(#[allow(missing_docs, reason = "named as its table")] pub $log: RowTable<$LogRow>,)*
            /// Kept in two tables of the database: what changes with every step, and documents.
            pub equipe: RowTable<EquipeRow>,
            /// As `equipe`.
            pub carried: RowTable<CarriedRow>,
            /// The newest record of the audit; the others are not live.
            pub audit_newest: Option<AuditRecord>,
            /// Objects of an équipe that were read here, and of which the origin has not been told.
            pub unreported_reads: Table<ObjectId, ()>,
            /// Place of the newest entry that an équipe keeps for other hubs, and the bytes up to
            /// it; the entries are not live.
            pub newest_kept: Option<(Sequence, u64)>,
            /// Newest place of an équipe at which something was set aside.
            pub newest_set_aside: Sequence,
            /// Whether records may have tokens in an équipe; the tokens are not live.
            pub may_have_tokens: bool,
            /// Where the outbox's rows are, for every question that is asked of it.
            pub places: OutboxPlaces,
        }

        impl LiveTables {
            /// The table, if any, in which a change has written what no database holds.
            pub fn unfit(&self) -> Option<&'static str> {
                $(if self.$node.is_unfit() {
                    return Some(stringify!($node));
                })*
                $(if self.$equipe.is_unfit() {
                    return Some(stringify!($equipe));
                })*
                $(if self.$log.is_unfit() {
                    return Some(stringify!($log));
                })*
                if self.equipe.is_unfit() {
                    return Some("equipe");
                }
                self.carried.is_unfit().then_some("carried")
            }

            /// What was touched has been written.
            pub fn settle(&mut self) {
                $(self.$node.settle();)*
                $(self.$equipe.settle();)*
                $(self.$log.settle();)*
                self.equipe.settle();
                self.carried.settle();
            }
        }
    };
}
with_live_tables!(declare);

impl LiveTables {
    /// Takes the next number of a counter.
    pub fn next_number(&mut self, counter: &'static str) -> u64 {
        self.take_numbers(counter, 1)
    }

    /// The newest number that a counter gave out; 0 before the first.
    pub fn newest_number(&self, counter: &str) -> u64 {
        self.counter.row(&(counter.to_owned(),)).map_or(0, |row| row.value)
    }

    /// Takes `count` numbers of a counter; the first of them.
    pub fn take_numbers(&mut self, counter: &'static str, count: u64) -> u64 {
        let key = (counter.to_owned(),);
        let newest = self.counter.row(&key).map_or(0, |row| row.value);
        let value = newest.saturating_add(count);
        self.counter.put(key, CounterRow { name: counter.to_owned(), value });
        newest.saturating_add(1)
    }
}

/// A transaction over live tables.
#[async_trait]
pub trait LiveAccess: Send {
    /// The tables, with a scope loaded.
    ///
    /// # Errors
    /// The database's, where the scope is to be read first.
    async fn live(&mut self, scope: Scope) -> Stored<&LiveTables>;

    /// The same, to be changed.
    ///
    /// # Errors
    /// As [`LiveAccess::live`]; a transaction that only reads.
    async fn live_mut(&mut self, scope: Scope) -> Stored<&mut LiveTables>;

    /// Changes the tables; what no database holds is refused at once, and the whole transaction
    /// with it.
    ///
    /// # Errors
    /// As [`LiveAccess::live_mut`]; the change's own; [`StoreError::Unfit`].
    fn change_live<T: Send>(
        &mut self,
        scope: Scope,
        change: impl FnOnce(&mut LiveTables) -> Stored<T> + Send,
    ) -> impl Future<Output = Stored<T>> + Send {
        async move {
            let tables = self.live_mut(scope).await?;
            let changed = change(tables)?;
            tables.unfit().map_or(Ok(changed), |table| Err(StoreError::Unfit(table)))
        }
    }

    /// Makes a change that cannot fail by itself.
    ///
    /// # Errors
    /// As [`LiveAccess::change_live`].
    fn alter_live<T: Send>(
        &mut self,
        scope: Scope,
        change: impl FnOnce(&mut LiveTables) -> T + Send,
    ) -> impl Future<Output = Stored<T>> + Send {
        self.change_live(scope, |tables| Ok(change(tables)))
    }
}

/// The newest number that a counter gave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterRow {
    /// The counter.
    pub name: String,
    /// Its newest number.
    pub value: u64,
}

/// A secret of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRow {
    /// What it is.
    pub name: String,
    /// Sealed by the vault.
    pub sealed: Vec<u8>,
}

/// A card of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCardRow {
    /// Its serial.
    pub serial: u64,
    /// Container `signed-card`.
    pub signed_card: Vec<u8>,
}

/// How far the mailbox at a hub was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxCursorRow {
    /// The hub.
    pub hub: NodeId,
    /// The newest item that was read.
    pub sequence: u64,
}

/// Mail with its place in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMailRow {
    /// Order of queueing.
    pub position: u64,
    /// Key of deduplication at the hub.
    pub item: ItemId,
    /// Hub that carries it.
    pub hub: NodeId,
    /// Who receives it.
    pub recipient: NodeId,
    /// What the hub's mailbox takes: see `MailboxItem.kind` in `hub.proto`.
    pub kind: String,
    /// Sealed to the recipient; a card is public.
    pub payload: Vec<u8>,
}

/// When the own keys of a group were last renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUpdateRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// When.
    pub at: Instant,
}

/// How far a member has confirmed a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogCursorRow {
    /// The log's group.
    pub group: GroupId,
    /// The member.
    pub node: NodeId,
    /// Everything up to here.
    pub sequence: Sequence,
}

/// A member that was removed and may still read up to its removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLeaverRow {
    /// The log's group.
    pub group: GroupId,
    /// The former member.
    pub node: NodeId,
    /// Place of the commit that removed it.
    pub removed_at: Sequence,
}

record! { CounterRow in "counter" { key { name: String = "name" } value = "value" } }
record! { SecretRow in "secret" { key { name: String = "name" } sealed = "sealed" } }
record! { OwnCardRow in "own_card" { key { serial: u64 = "serial" } signed_card = "signed_card" } }
record! { MailboxCursorRow in "mailbox_cursor" {
    key { hub: NodeId = "hub" }
    sequence = "sequence"
} }
record! { QueuedMailRow in "mail" {
    key { position: u64 = "position" }
    item = "item",
    hub = "hub",
    recipient = "recipient",
    kind = "kind",
    payload = "payload",
} }
record! { KeyUpdateRow in "key_update" { key { lineage: LineageId = "lineage" } at = "at_ms" } }
record! { LogCursorRow in "log_cursor" {
    key { group: GroupId = "group_id", node: NodeId = "node" }
    sequence = "sequence"
} }
record! { LogLeaverRow in "log_leaver" {
    key { group: GroupId = "group_id", node: NodeId = "node" }
    removed_at = "removed_at"
} }
