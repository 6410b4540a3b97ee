//! The file of a backup: how it is sealed, cut into frames, and what stands in them.
//!
//! Format 1. Numbers are big-endian.
//!
//! ```text
//! file    = header ‖ frame* ‖ last frame
//! header  = "raccordo-backup\n" (16 bytes) ‖ format (2) ‖ memory in KiB (4) ‖ passes (4)
//!           ‖ salt (16) ‖ check (16)
//! frame   = kind (1: 0, or 1 for the last) ‖ length of what follows (4) ‖ sealed part
//! ```
//!
//! The key is Argon2id (RFC 9106, version 1.3, 4 lanes, 32 bytes) of the passphrase under
//! the salt, which is new for every file; `check` tells a wrong passphrase. A part is
//! sealed with XChaCha20-Poly1305 under that key; the nonce is 16 zero bytes and the
//! frame's number (8, from 0), and header and kind are authenticated with it. So frames
//! cannot be changed, left out, exchanged or cut off without being told.
//!
//! The parts, put together, are records; see [`records`].

pub mod frames;
pub mod records;

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::entropy::{Entropy, draw};
use crate::secret::Secret;

/// The newest format.
pub const FORMAT: u16 = 1;
/// Bytes of a header.
pub const HEADER_BYTES: usize = 58;
/// Fewest characters of a passphrase.
pub const PASSPHRASE_CHARACTERS_MIN: usize = 12;

const MAGIC: &[u8; 16] = b"raccordo-backup\n";
const CHECK_BYTES: usize = 16;
const LANES: u32 = 4;
/// A header may not make its reader take more memory (KiB) or time than this.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;

/// Why a backup cannot be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// Operator: this is another file.
    #[error("this is no backup of a Raccordo node")]
    NoBackup,
    /// Operator: it was made by a newer program.
    #[error("the backup has format {0}, and this program knows {FORMAT}")]
    Newer(u16),
    /// Operator: the passphrase is another.
    #[error("the passphrase is not the one of this backup")]
    Passphrase,
    /// Operator: the passphrase can be guessed.
    #[error("a passphrase has at least {PASSPHRASE_CHARACTERS_MIN} characters")]
    ShortPassphrase,
    /// The file was changed, or its disk is damaged.
    #[error("the backup was changed or is damaged at byte {at}")]
    Changed {
        /// Where the frame begins.
        at: u64,
    },
    /// The file ends too early.
    #[error("the backup is cut off at byte {at}")]
    CutOff {
        /// Its length.
        at: u64,
    },
    /// Something follows the last frame.
    #[error("the backup goes on after its end at byte {at}")]
    GoesOn {
        /// Where it should end.
        at: u64,
    },
    /// Ourselves, or who made the backup: it was sealed rightly, and means nothing.
    #[error("the backup holds what no version of this program wrote: {0}")]
    Malformed(&'static str),
    /// The machine: no memory for the key.
    #[error("the key cannot be derived from the passphrase: {0}")]
    Derive(String),
}

impl BackupError {
    /// The stable reason, snake case.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoBackup => "no_backup",
            Self::Newer(_) => "backup_newer",
            Self::Passphrase => "wrong_passphrase",
            Self::ShortPassphrase => "short_passphrase",
            Self::Changed { .. } => "backup_changed",
            Self::CutOff { .. } => "backup_cut_off",
            Self::GoesOn { .. } => "backup_goes_on",
            Self::Malformed(_) => "backup_malformed",
            Self::Derive(_) => "key_not_derived",
        }
    }
}

/// What Argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Costs {
    /// RFC 9106 §4, second recommended option: 64 MiB, 3 passes.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3 };
}

/// The key of one backup, and the header that goes with it.
pub struct BackupKey {
    key: Secret<[u8; 32]>,
    header: [u8; HEADER_BYTES],
}

impl std::fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BackupKey([secret])")
    }
}

impl BackupKey {
    /// The key of a new backup. Takes a good part of a second.
    ///
    /// # Errors
    /// [`BackupError::ShortPassphrase`], [`BackupError::Derive`].
    pub fn new(
        entropy: &dyn Entropy,
        passphrase: &Secret<String>,
        costs: Costs,
    ) -> Result<Self, BackupError> {
        if passphrase.reveal().chars().count() < PASSPHRASE_CHARACTERS_MIN {
            return Err(BackupError::ShortPassphrase);
        }
        let salt: [u8; 16] = draw(entropy);
        let key = derive(passphrase, &salt, costs)?;
        let mut header = [0; HEADER_BYTES];
        let (memory, passes) = (costs.memory_kib.to_be_bytes(), costs.passes.to_be_bytes());
        let parts: [&[u8]; 6] =
            [MAGIC, &FORMAT.to_be_bytes(), &memory, &passes, &salt, &check(&key)];
        for (to, from) in header.iter_mut().zip(parts.concat()) {
            *to = from;
        }
        Ok(Self { key, header })
    }

    /// The key of the backup that begins with this header.
    ///
    /// # Errors
    /// [`BackupError::NoBackup`], [`BackupError::Newer`], [`BackupError::Passphrase`],
    /// [`BackupError::Malformed`], [`BackupError::Derive`].
    pub fn open(
        header: &[u8; HEADER_BYTES],
        passphrase: &Secret<String>,
    ) -> Result<Self, BackupError> {
        let mut rest = header.as_slice();
        if take::<16>(&mut rest)? != *MAGIC {
            return Err(BackupError::NoBackup);
        }
        let format = u16::from_be_bytes(take(&mut rest)?);
        if format != FORMAT {
            return Err(BackupError::Newer(format));
        }
        let costs = Costs {
            memory_kib: u32::from_be_bytes(take(&mut rest)?),
            passes: u32::from_be_bytes(take(&mut rest)?),
        };
        if costs.memory_kib > MEMORY_KIB_MAX || costs.passes > PASSES_MAX {
            return Err(BackupError::Malformed("the costs of its key"));
        }
        let salt = take(&mut rest)?;
        let key = derive(passphrase, &salt, costs)?;
        let known: [u8; CHECK_BYTES] = take(&mut rest)?;
        if !bool::from(check(&key).ct_eq(&known)) {
            return Err(BackupError::Passphrase);
        }
        Ok(Self { key, header: *header })
    }

    /// What the file begins with.
    pub fn header(&self) -> &[u8; HEADER_BYTES] {
        &self.header
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BackupError> {
    let (first, after) = rest.split_first_chunk().ok_or(BackupError::NoBackup)?;
    *rest = after;
    Ok(*first)
}

fn derive(
    passphrase: &Secret<String>,
    salt: &[u8; 16],
    costs: Costs,
) -> Result<Secret<[u8; 32]>, BackupError> {
    let failed = |cause: argon2::Error| BackupError::Derive(cause.to_string());
    let params = Params::new(costs.memory_kib, costs.passes, LANES, Some(32)).map_err(failed)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = [0; 32];
    let password = passphrase.reveal().as_bytes();
    argon.hash_password_into(password, salt, &mut key).map_err(failed)?;
    Ok(Secret::new(key))
}

/// Tells a wrong passphrase, and opens nothing.
fn check(key: &Secret<[u8; 32]>) -> [u8; CHECK_BYTES] {
    let mut out = [0; CHECK_BYTES];
    let expanded =
        Hkdf::<Sha256>::new(None, key.reveal()).expand(b"raccordo/v1/backup/check", &mut out);
    debug_assert!(expanded.is_ok(), "16 bytes are less than HKDF's limit");
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    pub(crate) const CHEAP: Costs = Costs { memory_kib: 64, passes: 1 };

    pub(crate) fn passphrase(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    pub(crate) fn key(label: &str) -> BackupKey {
        let entropy = SeededEntropy::labelled(label);
        BackupKey::new(&entropy, &passphrase("cinque parole a caso"), CHEAP).unwrap()
    }

    #[test]
    fn only_its_passphrase_opens_a_header() {
        let made = key("one");
        let opened = BackupKey::open(made.header(), &passphrase("cinque parole a caso")).unwrap();
        assert_eq!(opened.key.reveal(), made.key.reveal());
        let other = BackupKey::open(made.header(), &passphrase("cinque parole a casa"));
        assert_eq!(other.unwrap_err(), BackupError::Passphrase);
        assert_ne!(key("two").header(), made.header());
    }

    #[test]
    fn strange_headers_are_told() {
        let check = |at: usize, value: u8, expected: BackupError| {
            let mut header = *key("one").header();
            header[at] = value;
            let opened = BackupKey::open(&header, &passphrase("cinque parole a caso"));
            assert_eq!(opened.unwrap_err(), expected);
        };
        check(0, b'R', BackupError::NoBackup);
        check(17, 2, BackupError::Newer(2));
        check(18, 1, BackupError::Malformed("the costs of its key"));
        check(25, 17, BackupError::Malformed("the costs of its key"));
        check(30, 7, BackupError::Passphrase);
        check(57, 7, BackupError::Passphrase);
    }

    #[test]
    fn short_passphrases_make_no_backup() {
        let made = BackupKey::new(&SeededEntropy::labelled("x"), &passphrase("parola"), CHEAP);
        assert_eq!(made.unwrap_err(), BackupError::ShortPassphrase);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", key("one")), "BackupKey([secret])");
    }
}
