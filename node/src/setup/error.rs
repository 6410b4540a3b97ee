//! Why a home cannot be made or opened.

use std::io;
use std::path::PathBuf;

use raccordo_core::backup::BackupError;
use raccordo_core::id::NodeId;

use crate::app::fault::{Fault, UNFIT, Whose};
use crate::config::ConfigError;
use crate::entropy::NoEntropy;
use crate::home::HomeError;
use crate::key_file::KeyError;
use crate::private_file::PrivateFileError;
use crate::store::StoreError;
use crate::transport::identity::IdentityError;

/// Why a home cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An option is wrong (operator).
    #[error("--{name}: {problem}")]
    Option {
        /// The option without its dashes.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There is a node already (operator).
    #[error("the database of {home} holds the node {node} already")]
    Initialised {
        /// The home.
        home: PathBuf,
        /// The node in it.
        node: NodeId,
    },
    /// There is no node yet (operator).
    #[error("{home} holds no node")]
    NotInitialised {
        /// The home.
        home: PathBuf,
    },
    /// Configuration and database are of two nodes (operator).
    #[error("the database holds the node {found}, not {wanted}")]
    OtherNode {
        /// Whose the database is.
        found: NodeId,
        /// Who was named.
        wanted: NodeId,
    },
    /// A file cannot be written (operator, machine).
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read (operator, machine).
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A backup cannot be used.
    #[error(transparent)]
    Backup(BackupError),
    /// A passphrase is needed, and nobody can be asked (operator).
    #[error("the node key comes from a passphrase, and there is no terminal to ask for it")]
    NoTerminal,
    /// The passphrase cannot be used (operator).
    #[error("{0}")]
    Passphrase(&'static str),
    /// The stored card does not verify (store).
    #[error("the node's card is damaged: {0}")]
    Card(String),
    /// The directory cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no node key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A secret file cannot be used.
    #[error(transparent)]
    PrivateFile(#[from] PrivateFileError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A use case refuses.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The TLS key cannot be made or used.
    #[error(transparent)]
    Tls(#[from] IdentityError),
    /// The machine gives no random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

impl SetupError {
    /// A stable word for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Option { .. } => "bad_option",
            Self::Initialised { .. } => "already_initialised",
            Self::NotInitialised { .. } => "not_initialised",
            Self::OtherNode { .. } => "other_node",
            Self::Write { .. } => "cannot_write",
            Self::Read { .. } => "cannot_read",
            Self::Backup(error) => error.reason(),
            Self::NoTerminal => "no_terminal",
            Self::Passphrase(_) => "bad_passphrase",
            Self::Card(_) => "card_damaged",
            Self::Home(HomeError::InUse { .. }) => "in_use",
            Self::Home(_) => "bad_home",
            Self::Config(_) => "bad_config",
            Self::Key(_) => "bad_node_key",
            Self::PrivateFile(_) => "bad_secret_file",
            Self::Store(StoreError::Newer { .. }) => "schema_newer",
            Self::Store(StoreError::Ailing { ailment, .. }) => ailment.reason(),
            Self::Store(StoreError::Unfit(_)) => UNFIT,
            Self::Store(_) => "store_unavailable",
            Self::Fault(fault) => fault.reason,
            Self::Tls(_) => "bad_tls_key",
            Self::Entropy(_) => "no_entropy",
        }
    }

    /// The next step; empty where the sentence names it already.
    pub fn hint(&self) -> String {
        match self {
            Self::Initialised { .. } => {
                "use another --home, or run this node with `raccordod`; raccordo.toml or a node \
                 key that was lost comes back from a backup"
                    .into()
            }
            Self::NotInitialised { .. } => {
                "run `raccordo init` first, or name another --home".into()
            }
            Self::OtherNode { .. } => {
                "put back the raccordo.toml and the node key that belong to this database, or \
                 name another database"
                    .into()
            }
            Self::Write { .. } => "check that the disk has space and the directory is yours".into(),
            Self::NoTerminal => {
                "start it at a terminal, or set [key] source to \"file\" or \"credential\"".into()
            }
            Self::Read { .. } => "check the path, its owner and its mode".into(),
            Self::Backup(error) => Fault::from(error.clone()).hint,
            Self::Card(_) => "restore the newest backup".into(),
            Self::Store(StoreError::Unavailable(_)) => {
                "check [database] in raccordo.toml, and that the database runs".into()
            }
            Self::Store(StoreError::Ailing { ailment, .. }) => ailment.step().into(),
            Self::Fault(fault) => fault.hint.clone(),
            _ => String::new(),
        }
    }

    /// How a process ends that met it: 1 ours, 2 usage or configuration, 5 the database
    /// cannot be reached, 6 in conflict with what is there.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Initialised { .. } | Self::OtherNode { .. } => 6,
            Self::Home(HomeError::InUse { .. }) => 6,
            Self::Store(
                StoreError::Unavailable(_) | StoreError::Ailing { .. } | StoreError::Crashed,
            ) => 5,
            Self::Backup(BackupError::Malformed(_) | BackupError::Derive(_))
            | Self::Card(_)
            | Self::Tls(_)
            | Self::Entropy(_)
            | Self::Store(StoreError::Damaged(_)) => 1,
            Self::Fault(fault) => match fault.whose {
                Whose::Usage | Whose::NotFound => 2,
                Whose::Unauthenticated | Whose::Refused => 3,
                Whose::Conflict => 6,
                Whose::Exhausted | Whose::Unavailable => 5,
                Whose::Ours => 1,
            },
            _ => 2,
        }
    }
}
