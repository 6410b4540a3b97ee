//! The node's directory: what lies where, with which modes, and that one process has it.
//!
//! ```text
//! DIR/raccordo.toml          configuration
//! DIR/node.key               node key, unless a credential or passphrase is used
//! DIR/data/                  database, lock file: the only place written while running
//! DIR/run/admin.sock         administrators
//! DIR/run/casework.sock      operators' systems on this machine
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

/// Mode of every directory that this module makes.
const DIRECTORY_MODE: u32 = 0o700;

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process has the data directory (operator).
    #[error(
        "{path} is in use by another process{holder}\n\
         one process owns a data directory: stop that one first, or use another --home"
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// ` (pid N)`, or nothing if it cannot be told.
        holder: String,
    },
    /// Others than the owner may enter or change it (operator).
    #[error("{path} has mode {mode:04o}, which lets others in: run `chmod {wanted:04o} {path}`")]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits it should have.
        wanted: u32,
    },
    /// It belongs to somebody else (operator).
    #[error("{path} belongs to uid {owner}, but this process runs as uid {user}")]
    Owner {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The effective user.
        user: u32,
    },
    /// The file system failed.
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

/// The paths of one node; making one touches no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The layout below `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.0.join("raccordo.toml")
    }

    /// Where `init` puts the node key: beside `data`, so that a copy of the database has none.
    pub fn key(&self) -> PathBuf {
        self.0.join("node.key")
    }

    /// What the node writes.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// The embedded database.
    pub fn database(&self) -> PathBuf {
        self.data().join("raccordo.db")
    }

    /// Sockets.
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// The administrators' socket.
    pub fn admin_socket(&self) -> PathBuf {
        self.run().join("admin.sock")
    }

    /// The operators' socket.
    pub fn casework_socket(&self) -> PathBuf {
        self.run().join("casework.sock")
    }

    /// A path of the configuration: relative ones start at the directory.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.0.join(path)
    }

    /// Makes what is missing of the directories, each with mode 0700, and checks the rest.
    ///
    /// `data` must be closed to group and others. `run` and the directory itself may be
    /// opened for passing through (0755), so that a group can reach a socket; what lies in
    /// them has modes of its own.
    ///
    /// # Errors
    /// [`HomeError::Open`], [`HomeError::Owner`] or [`HomeError::Io`].
    pub fn prepare(&self) -> Result<(), HomeError> {
        for (path, allowed) in [(self.0.clone(), 0o755), (self.data(), 0o700), (self.run(), 0o755)]
        {
            make_directory(&path)?;
            check_directory(&path, allowed)?;
        }
        Ok(())
    }

    /// Takes the data directory for this process until the lock is dropped.
    ///
    /// # Errors
    /// [`HomeError::InUse`] while another process has it; [`HomeError::Io`].
    pub fn lock(&self) -> Result<HomeLock, HomeError> {
        let path = self.data().join("lock");
        let failed = |action| {
            let path = path.clone();
            move |source| HomeError::Io { action, path, source }
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(failed("open"))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(HomeError::InUse { path: self.data(), holder: holder(&mut file) });
            }
            Err(errno) => return Err(failed("lock")(errno.into())),
        }
        let mut note = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        note().map_err(failed("write"))?;
        Ok(HomeLock { _file: file })
    }
}

/// Keeps other processes out of the data directory while it lives.
///
/// The lock belongs to the open file (`flock(2)`), so that the end of the process, however
/// it comes, frees it; the file stays.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(20).read_to_string(&mut text);
    match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(pid) => format!(" (pid {pid})"),
        None => String::new(),
    }
}

fn make_directory(path: &Path) -> Result<(), HomeError> {
    let made = DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path);
    made.map_err(|source| HomeError::Io { action: "make", path: path.to_owned(), source })
}

fn check_directory(path: &Path, allowed: u32) -> Result<(), HomeError> {
    let found = fs::metadata(path);
    let metadata = found.map_err(|source| {
        let path = path.to_owned();
        HomeError::Io { action: "look at", path, source }
    })?;
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(HomeError::Owner { path: path.to_owned(), owner, user });
    }
    let mode = metadata.mode() & 0o777;
    if mode & !allowed != 0 {
        let wanted = mode & allowed;
        return Err(HomeError::Open { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fresh() -> (tempfile::TempDir, Home) {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path().join("node"));
        home.prepare().unwrap();
        (directory, home)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn made_directories_are_closed() {
        let (_keep, home) = fresh();
        for path in [home.path().to_owned(), home.data(), home.run()] {
            assert_eq!(mode(&path), 0o700, "{}", path.display());
        }
        home.prepare().unwrap();
    }

    #[test]
    fn a_second_holder_is_kept_out_and_told_who_has_it() {
        let (_keep, home) = fresh();
        let lock = home.lock().unwrap();
        let error = home.lock().unwrap_err().to_string();
        assert!(error.contains(&format!("(pid {})", std::process::id())), "{error}");
        drop(lock);
        home.lock().unwrap();
    }

    fn check_mode(directory: fn(&Home) -> PathBuf, mode: u32, good: bool) {
        let (_keep, home) = fresh();
        let path = directory(&home);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let checked = home.prepare();
        assert_eq!(checked.is_ok(), good, "{mode:o} {checked:?}");
    }

    #[test]
    fn open_directories_are_refused() {
        check_mode(Home::data, 0o700, true);
        check_mode(Home::data, 0o750, false);
        check_mode(Home::run, 0o755, true);
        check_mode(Home::run, 0o770, false);
    }

    #[test]
    fn the_refusal_names_the_command() {
        let (_keep, home) = fresh();
        fs::set_permissions(home.data(), fs::Permissions::from_mode(0o755)).unwrap();
        let error = home.prepare().unwrap_err().to_string();
        assert!(error.contains(&format!("chmod 0700 {}", home.data().display())), "{error}");
    }

    #[test]
    fn relative_paths_start_at_home() {
        let home = Home::new("/var/lib/raccordo");
        assert_eq!(home.resolve(Path::new("node.key")), home.key());
        assert_eq!(home.resolve(Path::new("/etc/key")), Path::new("/etc/key"));
    }
}
