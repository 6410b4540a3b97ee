//! Backups: the node as it can be made again on another machine, in one sealed file.
//!
//! - [`create`] reads one consistent state while the node runs
//! - [`restore`] writes it into an empty database, under another node key
//! - [`sealed`] knows what the vault seals, and under which context
//!
//! What comes back has no ratchets: the node stands in state `needs_rejoin` in each of its
//! équipes, encrypts nothing there, and asks the other parties to be added again.

pub mod create;
pub mod restore;
mod sealed;

use raccordo_core::backup::BackupError;

use super::fault::{Fault, Whose};

impl From<BackupError> for Fault {
    fn from(error: BackupError) -> Self {
        let hint = match &error {
            BackupError::ShortPassphrase => "six random words are easy to write and hard to guess",
            BackupError::Passphrase => "see which passphrase was noted for this backup",
            BackupError::NoBackup => "is it the right file?",
            BackupError::Newer(_) => "install the version that made it",
            BackupError::Derive(_) => "free some memory and try again",
            BackupError::Changed { .. }
            | BackupError::CutOff { .. }
            | BackupError::GoesOn { .. } => "use another copy of it, or an older backup",
            BackupError::Malformed(_) => "keep the file, and report this as a fault",
        };
        let whose = match &error {
            BackupError::Malformed(_) | BackupError::Derive(_) => Whose::Ours,
            _ => Whose::Usage,
        };
        Self::new(whose, error.reason(), error.to_string()).hint(hint)
    }
}
