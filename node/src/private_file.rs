//! Files that hold a secret: only their owner may read them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use raccordo_core::secret::Secret;
use rustix::fs::OFlags;

/// Largest secret that is read, in bytes.
const BYTES_MAX: u64 = 4096;

/// Why a secret file is not used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// Others may read or change it (operator).
    #[error("{path} has mode {mode:04o}, so others may use it: run `chmod 0600 {path}`")]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody else (operator).
    #[error(
        "{path} belongs to uid {owner}, but this process runs as uid {user}: \
         run `chown {user} {path}`"
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The effective user.
        user: u32,
    },
    /// It is a link, a directory or a device (operator).
    #[error("{path} is not a regular file")]
    Kind {
        /// The path.
        path: PathBuf,
    },
    /// It is too large to be a secret (operator).
    #[error("{path} is larger than {BYTES_MAX} bytes: is it the right file?")]
    Size {
        /// The file.
        path: PathBuf,
    },
    /// Making it would overwrite what is there (operator).
    #[error("{path} exists already and is not overwritten")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file system failed, or the file is not there.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Reads a secret of at most 4096 bytes from a regular file with no rights for group and
/// others, owned by the effective user. A link is not followed.
///
/// # Errors
/// Every variant of [`PrivateFileError`] but `Exists`.
pub fn read(path: &Path) -> Result<Secret<Vec<u8>>, PrivateFileError> {
    let failed = |action| {
        let path = path.to_owned();
        move |source| PrivateFileError::Io { action, path, source }
    };
    // Checked on the open file, so that it cannot be changed for another in between. A pipe
    // must not block the start.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let opened = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(PrivateFileError::Kind { path: path.to_owned() });
        }
        opened => opened.map_err(failed("open"))?,
    };
    check(path, &file.metadata().map_err(failed("look at"))?)?;
    read_bounded(file, path).map_err(failed("read"))?
}

fn check(path: &Path, metadata: &fs::Metadata) -> Result<(), PrivateFileError> {
    let path = path.to_owned();
    if !metadata.is_file() {
        return Err(PrivateFileError::Kind { path });
    }
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(PrivateFileError::Owner { path, owner, user });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(PrivateFileError::Mode { path, mode });
    }
    Ok(())
}

/// Reads a small secret whose place is protected by other means, such as a systemd
/// credential, whose directory only the service may enter.
///
/// # Errors
/// [`PrivateFileError::Size`] or [`PrivateFileError::Io`].
pub fn read_trusted(path: &Path) -> Result<Secret<Vec<u8>>, PrivateFileError> {
    let failed = |source| PrivateFileError::Io { action: "read", path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let failed = |source| PrivateFileError::Io { action: "read", path: path.to_owned(), source };
    read_bounded(file, path).map_err(failed)?
}

fn read_bounded(file: File, path: &Path) -> io::Result<Result<Secret<Vec<u8>>, PrivateFileError>> {
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Vec::with_capacity(BYTES_MAX as usize + 1);
    let read = file.take(BYTES_MAX + 1).read_to_end(&mut bytes);
    let too_large = bytes.len() as u64 > BYTES_MAX;
    let bytes = Secret::new(bytes);
    read?;
    Ok(match too_large {
        true => Err(PrivateFileError::Size { path: path.to_owned() }),
        false => Ok(bytes),
    })
}

/// Makes a file of mode 0600 that holds `bytes`, durable when this returns.
///
/// # Errors
/// [`PrivateFileError::Exists`] if something is there; [`PrivateFileError::Io`], after which
/// no file is left.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), PrivateFileError> {
    let failed = |action| {
        let path = path.to_owned();
        move |source| PrivateFileError::Io { action, path, source }
    };
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(PrivateFileError::Exists { path: path.to_owned() });
        }
        opened => opened.map_err(failed("make"))?,
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let written = written.and_then(|()| sync_directory(path));
    if written.is_err() {
        // Half a key must not pass for one; the first error is the one to tell.
        let _ = fs::remove_file(path);
    }
    written.map_err(failed("write"))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn check_mode(mode: u32, good: bool) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        create(&path, b"word").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let read = read(&path);
        assert_eq!(read.is_ok(), good, "{mode:o} {read:?}");
        if let Err(error) = read {
            let text = error.to_string();
            assert!(text.contains(&format!("mode {mode:04o}")), "{text}");
            assert!(text.contains(&format!("chmod 0600 {}", path.display())), "{text}");
        }
    }

    #[test]
    fn modes() {
        check_mode(0o600, true);
        check_mode(0o400, true);
        check_mode(0o640, false);
        check_mode(0o604, false);
        check_mode(0o620, false);
    }

    #[test]
    fn a_new_file_is_closed_and_never_overwrites() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        create(&path, b"first").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(matches!(create(&path, b"second"), Err(PrivateFileError::Exists { .. })));
        assert_eq!(read(&path).unwrap().reveal(), b"first");
    }

    #[test]
    fn links_directories_and_large_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("secret"), directory.path().join("link"));
        create(&path, &[7; 4097]).unwrap();
        symlink(&path, &link).unwrap();
        assert!(matches!(read(&link), Err(PrivateFileError::Kind { .. })));
        assert!(matches!(read(directory.path()), Err(PrivateFileError::Kind { .. })));
        assert!(matches!(read(&path), Err(PrivateFileError::Size { .. })));
    }

    #[test]
    fn another_owner_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        create(&path, b"word").unwrap();
        // Only root can give a file away; for others the kernel forbids what is tested.
        if std::os::unix::fs::chown(&path, Some(65_534), None).is_ok() {
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("belongs to uid 65534"), "{error}");
        }
    }
}
