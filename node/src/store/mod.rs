//! What the node keeps: rows, and the two traits through which use cases reach them.
//!
//! A use case opens one [`Tx`], reads and writes rows, and commits; dropping it rolls
//! back. The rows and their meaning are here, one file per table; how they are kept is
//! in `sql` (SQLite and PostgreSQL, one text) and `memory` (simulation). Every backend
//! passes the suite in `tests/store/`.

pub mod account;
pub mod ailment;
pub mod archive;
pub mod audit_head;
pub mod dialect;
pub mod directory;
pub mod draft;
pub mod email_notice;
pub mod equipe;
pub mod history;
pub mod honesty;
pub mod hub;
pub mod inbox;
pub mod keys;
pub mod ledger;
pub mod live;
pub mod matching;
pub mod membership;
pub mod memory;
pub mod mishap;
pub mod node;
pub mod object;
pub mod offer;
pub mod outbox;
pub mod pact;
pub mod peer;
pub mod register;
pub mod rejoin;
pub mod served;
pub mod sql;
pub mod statements;
pub mod successor;
pub mod term;
pub mod token;
pub mod token_request;
pub mod visit;
pub mod void;

use async_trait::async_trait;

use ailment::{Ailing, Ailment};
use archive::{Archive, Purpose};
use statements::Statements;

/// Why the store did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or cannot write: nothing was stored.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database cannot write, for a reason that people can end: nothing was stored.
    #[error("{ailment}: {cause}")]
    Ailing {
        /// What it is.
        ailment: Ailment,
        /// The database's own words, without values.
        cause: String,
    },
    /// A row with this key is there already.
    #[error("there is already such a row in {0}")]
    Exists(&'static str),
    /// The database was written by a newer version of this program.
    #[error(
        "the database has schema {found}, this program knows {known}: install the newer version again"
    )]
    Newer {
        /// Schema number found.
        found: i64,
        /// Newest schema number of this program.
        known: i64,
    },
    /// A value that was to be written does not fit its column: a number of more than 63 bits, a
    /// text with a zero byte, a key too long to be indexed. Whoever said it is at fault, not the
    /// database; the transaction can only be dropped.
    #[error("a value does not fit into {0}")]
    Unfit(&'static str),
    /// Another process has written meanwhile: nothing was stored, and what is in memory is read
    /// again.
    #[error("another process has written to {0} meanwhile")]
    Overtaken(&'static str),
    /// A row holds what no version of this program wrote.
    #[error("a row of {0} is damaged")]
    Damaged(&'static str),
    /// The simulation ended the process here.
    #[error("crashed")]
    Crashed,
}

/// Short for results of the store.
pub type Stored<T> = Result<T, StoreError>;

/// A database.
#[async_trait]
pub trait Store: Send + Sync {
    /// Opens a transaction that will write; others that write wait.
    async fn write(&self) -> Stored<Box<dyn Tx>>;

    /// Opens a transaction that only reads, from one consistent state.
    async fn read(&self) -> Stored<Box<dyn Tx>>;

    /// Opens a transaction over whole tables. A store in memory, which nothing outlives, has
    /// none.
    async fn archive(&self, purpose: Purpose) -> Stored<Box<dyn Archive>> {
        let _ = purpose;
        Err(StoreError::Unavailable("this store has no backups".to_owned()))
    }

    /// Rewrites what may still hold bytes that were erased, as far as the database lets it:
    /// SQLite's write-ahead log, PostgreSQL's table of wrapping keys. False where a reader stood
    /// in the way, and it is done another time.
    async fn sweep(&self) -> Stored<bool> {
        Ok(true)
    }

    /// What ails the database, as far as is known since something was last durable.
    fn ailing(&self) -> Option<Ailing> {
        None
    }

    /// Asks the database for nothing, to hear whether it answers: what is in memory does not tell.
    async fn ping(&self) -> Stored<()> {
        Ok(())
    }

    /// Writes something that changes nothing, durably: whether the database can.
    async fn probe(&self) -> Stored<()> {
        Ok(())
    }

    /// Statements that were run so far; none in memory.
    fn statements(&self) -> Statements {
        Statements::default()
    }

    /// `sqlite`, `postgres` or `memory`.
    fn kind(&self) -> &'static str;

    /// Number of the newest migration applied.
    async fn schema(&self) -> Stored<u32>;
}

/// A transaction: all tables' rows, and its end.
#[async_trait]
pub trait Tx:
    node::NodeRows
    + node::OwnRows
    + peer::PeerRows
    + directory::DirectoryRows
    + pact::PactRows
    + equipe::EquipeRows
    + ledger::LedgerRows
    + outbox::OutboxRows
    + inbox::InboxRows
    + honesty::HonestyRows
    + audit_head::AuditHeadRows
    + honesty::ClaimRows
    + object::ObjectRows
    + hub::HubRows
    + offer::OfferRows
    + served::ServedRows
    + history::HistoryRows
    + hub::CarriedRows
    + membership::MembershipRows
    + rejoin::RejoinRows
    + term::TermRows
    + term::HubMoveRows
    + void::VoidRows
    + successor::SuccessorRows
    + register::RegisterRows
    + account::AccountRows
    + email_notice::EmailNoticeRows
    + visit::VisitRows
    + draft::DraftRows
    + token::TokenRows
    + token::PairRows
    + matching::MatchRows
    + keys::KeyRows
    + token_request::TokenRequestRows
    + token_request::WantedRows
    + Send
{
    /// Makes everything durable.
    ///
    /// # Errors
    /// Also where an earlier call failed with anything but [`StoreError::Exists`], and the caller
    /// went on: nothing is stored then.
    async fn commit(self: Box<Self>) -> Stored<()>;
}
