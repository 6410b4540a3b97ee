//! Where the node key comes from: 32 bytes that open the vault.
//!
//! It lies outside the data directory, so that a copy of the database does not hold it. Three
//! sources: a systemd credential, a file of mode 0600, or a passphrase that somebody types.

use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use raccordo_core::entropy::{Entropy, draw};
use raccordo_core::secret::Secret;

use crate::private_file::{self, PrivateFileError};

/// Name of the systemd credential that holds the key.
pub const CREDENTIAL: &str = "raccordo-node-key";

/// Bytes of the key.
pub const KEY_BYTES: usize = 32;

/// Fewest characters of a passphrase.
pub const PASSPHRASE_CHARACTERS_MIN: usize = 12;

/// The node key: 32 secret bytes.
pub type NodeKey = Secret<[u8; KEY_BYTES]>;

/// Why there is no node key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is not there, open to others, or cannot be read (operator).
    #[error("the node key cannot be used: {0}")]
    File(#[from] PrivateFileError),
    /// The file holds something else (operator).
    #[error("{path} holds no node key: expected 32 bytes, or 64 hex digits on one line")]
    Content {
        /// The file.
        path: PathBuf,
    },
    /// The service was started without the credential (operator).
    #[error(
        "no credential directory: start under systemd with \
         `LoadCredential={CREDENTIAL}:…`, or set [key] source = \"file\""
    )]
    NoCredentials,
    /// The passphrase is too short to resist guessing (operator).
    #[error("a passphrase has at least {PASSPHRASE_CHARACTERS_MIN} characters")]
    ShortPassphrase,
    /// The key cannot be derived, for want of memory (ourselves).
    #[error("cannot derive the node key from the passphrase: {0}")]
    Derive(argon2::Error),
}

/// Makes a key file of mode 0600: 64 hex digits and a line end, durable when this returns.
///
/// # Errors
/// [`KeyError::File`], also when a file is there already: it is never overwritten.
pub fn create(path: &Path, entropy: &dyn Entropy) -> Result<NodeKey, KeyError> {
    let key = Secret::new(draw(entropy));
    let mut line = hex::encode(key.reveal());
    line.push('\n');
    let line = Secret::new(line);
    private_file::create(path, line.reveal().as_bytes())?;
    Ok(key)
}

/// Reads the key from a file that only the effective user may read.
///
/// # Errors
/// [`KeyError::File`] names mode or owner and the command that mends them;
/// [`KeyError::Content`].
pub fn read(path: &Path) -> Result<NodeKey, KeyError> {
    decode(&private_file::read(path)?, path)
}

/// Reads the key from the systemd credential `raccordo-node-key`.
///
/// `directory` is what systemd passes as `CREDENTIALS_DIRECTORY`; it guards the directory
/// itself, and files in it may have mode 0440 (systemd.exec(5)).
///
/// # Errors
/// [`KeyError::NoCredentials`] without a directory; else as [`read`].
pub fn read_credential(directory: Option<&Path>) -> Result<NodeKey, KeyError> {
    let path = directory.ok_or(KeyError::NoCredentials)?.join(CREDENTIAL);
    decode(&private_file::read_trusted(&path)?, &path)
}

/// 32 raw bytes, or 64 hex digits with white space around them.
fn decode(bytes: &Secret<Vec<u8>>, path: &Path) -> Result<NodeKey, KeyError> {
    let mut key = [0; KEY_BYTES];
    if let Ok(raw) = <[u8; KEY_BYTES]>::try_from(bytes.reveal().as_slice()) {
        return Ok(Secret::new(raw));
    }
    match hex::decode_to_slice(bytes.reveal().trim_ascii(), &mut key) {
        Ok(()) => Ok(Secret::new(key)),
        Err(_) => Err(KeyError::Content { path: path.to_owned() }),
    }
}

/// How a passphrase becomes the key; stored in the database, not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseParams {
    /// 16 random bytes.
    pub salt: [u8; 16],
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl PassphraseParams {
    /// RFC 9106 §4, second recommended option: 64 MiB, 3 passes, 4 lanes.
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self { salt: draw(entropy), memory_kib: 64 * 1024, passes: 3 }
    }

    /// Argon2id, version 1.3, 4 lanes. Takes a good part of a second.
    ///
    /// A wrong passphrase gives another key; the vault notices when it opens nothing.
    ///
    /// # Errors
    /// [`KeyError::ShortPassphrase`]; [`KeyError::Derive`] for parameters out of range.
    pub fn derive(&self, passphrase: &Secret<String>) -> Result<NodeKey, KeyError> {
        if passphrase.reveal().chars().count() < PASSPHRASE_CHARACTERS_MIN {
            return Err(KeyError::ShortPassphrase);
        }
        let params = Params::new(self.memory_kib, self.passes, 4, Some(KEY_BYTES));
        let params = params.map_err(KeyError::Derive)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = [0; KEY_BYTES];
        let password = passphrase.reveal().as_bytes();
        argon.hash_password_into(password, &self.salt, &mut key).map_err(KeyError::Derive)?;
        Ok(Secret::new(key))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use raccordo_core::entropy::SeededEntropy;

    use super::*;

    fn check_content(content: &[u8], good: bool) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.key");
        private_file::create(&path, content).unwrap();
        let read = read(&path);
        assert_eq!(read.is_ok(), good, "{content:?} {read:?}");
    }

    #[test]
    fn contents() {
        check_content(&[7; 32], true);
        check_content("0a".repeat(32).as_bytes(), true);
        check_content(format!("{}\n", "0A".repeat(32)).as_bytes(), true);
        check_content("0a".repeat(31).as_bytes(), false);
        check_content("0x".repeat(32).as_bytes(), false);
        check_content(b"", false);
    }

    #[test]
    fn a_created_key_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.key");
        let entropy = SeededEntropy::labelled("key");
        let made = create(&path, &entropy).unwrap();
        assert!(read(&path).unwrap() == made);
        assert!(create(&path, &entropy).is_err());
        assert!(read(&path).unwrap() == made);
    }

    #[test]
    fn a_credential_needs_no_mode_of_its_own() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(CREDENTIAL);
        fs::write(&path, [7; 32]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        assert!(read_credential(Some(directory.path())).is_ok());
        assert!(matches!(read_credential(None), Err(KeyError::NoCredentials)));
    }

    fn derived(passphrase: &str, salt: u8) -> [u8; 32] {
        let params = PassphraseParams { salt: [salt; 16], memory_kib: 64, passes: 1 };
        *params.derive(&Secret::new(passphrase.to_owned())).unwrap().reveal()
    }

    #[test]
    fn passphrase_and_salt_both_count() {
        let first = derived("cinque parole a caso", 1);
        assert_eq!(first, derived("cinque parole a caso", 1));
        assert_ne!(first, derived("cinque parole a casa", 1));
        assert_ne!(first, derived("cinque parole a caso", 2));
    }

    #[test]
    fn short_passphrases_are_refused() {
        let params = PassphraseParams { salt: [1; 16], memory_kib: 64, passes: 1 };
        let derived = params.derive(&Secret::new("parola".into()));
        assert!(matches!(derived, Err(KeyError::ShortPassphrase)));
    }

    #[test]
    fn stored_parameters_follow_rfc_9106() {
        let params = PassphraseParams::new(&SeededEntropy::labelled("salt"));
        assert_eq!((params.memory_kib, params.passes), (65_536, 3));
    }
}
