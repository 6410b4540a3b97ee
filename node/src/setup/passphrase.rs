//! The node key from a passphrase, asked for at the terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use dialoguer::console::Term;
use raccordo_core::entropy::Entropy;
use raccordo_core::secret::Secret;

use super::SetupError;
use crate::home::Home;
use crate::key_file::{NodeKey, PassphraseParams};
use crate::private_file::{self, PrivateFileError};

/// Where salt and costs lie: no secret, but the key is lost with them.
pub(super) fn params_file(home: &Home) -> PathBuf {
    home.path().join("node.passphrase")
}

/// Asks for the passphrase of a node that is there.
///
/// # Errors
/// No terminal, no parameters, a passphrase that is too short.
pub(super) fn ask(home: &Home) -> Result<NodeKey, SetupError> {
    let params = read(&params_file(home))?;
    Ok(params.derive(&typed("Passphrase of the node key: ")?)?)
}

/// Asks twice for the passphrase of a new node, and writes its parameters.
///
/// # Errors
/// As [`ask`]; two different answers.
pub(super) fn ask_new(home: &Home, entropy: &dyn Entropy) -> Result<NodeKey, SetupError> {
    let params = PassphraseParams::new(entropy);
    let first = typed("New passphrase of the node key: ")?;
    let again = typed("The same again: ")?;
    if first.reveal() != again.reveal() {
        return Err(SetupError::Passphrase("the two passphrases differ"));
    }
    let key = params.derive(&first)?;
    let PassphraseParams { salt, memory_kib, passes } = params;
    let line = format!("{} {memory_kib} {passes}\n", hex::encode(salt));
    private_file::create(&params_file(home), line.as_bytes())?;
    Ok(key)
}

fn read(path: &Path) -> Result<PassphraseParams, SetupError> {
    let bytes = private_file::read(path)?;
    let damaged = || SetupError::Passphrase("node.passphrase is damaged: restore it from backup");
    parse(bytes.reveal()).ok_or_else(damaged)
}

/// Salt in hex, KiB of memory, passes.
fn parse(bytes: &[u8]) -> Option<PassphraseParams> {
    let mut words = std::str::from_utf8(bytes).ok()?.split_whitespace();
    let mut salt = [0; 16];
    hex::decode_to_slice(words.next()?, &mut salt).ok()?;
    let memory_kib = words.next()?.parse().ok()?;
    let passes = words.next()?.parse().ok()?;
    words.next().is_none().then_some(PassphraseParams { salt, memory_kib, passes })
}

fn typed(question: &str) -> Result<Secret<String>, SetupError> {
    if !std::io::stdin().is_terminal() {
        return Err(SetupError::NoTerminal);
    }
    let terminal = Term::stderr();
    let unanswered = |_| SetupError::NoTerminal;
    terminal.write_str(question).map_err(unanswered)?;
    terminal.read_secure_line().map(Secret::new).map_err(unanswered)
}

/// Reports whether the parameters are there already; they are kept.
pub(super) fn exists(home: &Home) -> Result<bool, PrivateFileError> {
    let path = params_file(home);
    path.try_exists().map_err(|source| PrivateFileError::Io { action: "look at", path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_one_line() {
        let params = parse(b"000102030405060708090a0b0c0d0e0f 65536 3\n").unwrap();
        assert_eq!((params.salt[15], params.memory_kib, params.passes), (15, 65_536, 3));
        for damaged in ["", "00 1 2", "000102030405060708090a0b0c0d0e0f 1", "zz 1 2 3"] {
            assert!(parse(damaged.as_bytes()).is_none(), "{damaged}");
        }
    }
}
