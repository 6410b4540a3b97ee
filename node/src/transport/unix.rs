//! Sockets on this machine: made with their mode, and asked who calls.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::UnixListener;
use tonic::service::Interceptor;
use tonic::transport::server::UdsConnectInfo;
use tonic::{Request, Status};

use super::limits::refusal;

/// Longest path of a Unix socket on Linux, in bytes (unix(7): 108 with the closing zero).
const PATH_BYTES_MAX: usize = 107;

/// Why a socket cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The operating system takes no path of this length (operator).
    #[error(
        "{path} is too long for a socket: at most {PATH_BYTES_MAX} bytes; use a shorter --home"
    )]
    TooLong {
        /// The path.
        path: PathBuf,
    },
    /// A process answers on it (operator).
    #[error("another process listens on {path}: stop it first")]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// Something that is no socket lies there (operator).
    #[error("{path} exists and is not a socket: move it away")]
    Occupied {
        /// The path.
        path: PathBuf,
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

/// Listens at `path` with permission bits `mode`, such as 0600 or 0660; a socket that a
/// stopped process left behind is replaced.
///
/// The socket gets its mode under another name and is then moved into place, so that nobody
/// can call on it before.
///
/// # Errors
/// Every variant of [`SocketError`].
pub fn bind(path: &Path, mode: u32) -> Result<UnixListener, SocketError> {
    let fresh = path.with_extension("new");
    if fresh.as_os_str().len() > PATH_BYTES_MAX || path.as_os_str().len() > PATH_BYTES_MAX {
        return Err(SocketError::TooLong { path: path.to_owned() });
    }
    check_free(path)?;
    let failed = |action| {
        let path = path.to_owned();
        move |source| SocketError::Io { action, path, source }
    };
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("clear the way for")(error));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&fresh).map_err(failed("make"))?;
    fs::set_permissions(&fresh, Permissions::from_mode(mode)).map_err(failed("set the mode of"))?;
    fs::rename(&fresh, path).map_err(failed("put in place"))?;
    Ok(listener)
}

/// Nothing is there, or a socket on which nobody answers.
fn check_free(path: &Path) -> Result<(), SocketError> {
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            let path = path.to_owned();
            return Err(SocketError::Io { action: "look at", path, source });
        }
    };
    if !kind.is_socket() {
        return Err(SocketError::Occupied { path: path.to_owned() });
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(SocketError::InUse { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

/// Lets only calls of these users through; root is named like any other.
#[derive(Clone, Debug)]
pub struct AllowedUids(Arc<[u32]>);

impl AllowedUids {
    /// The user that runs this process, and root: the administrators.
    pub fn administrators() -> Self {
        Self::of([0, rustix::process::geteuid().as_raw()])
    }

    /// Exactly these.
    pub fn of(uids: impl IntoIterator<Item = u32>) -> Self {
        Self(uids.into_iter().collect())
    }
}

impl Interceptor for AllowedUids {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        match caller_uid(&request) {
            Some(uid) if self.0.contains(&uid) => Ok(request),
            Some(uid) => {
                let text = format!("uid {uid} may not call here: use root or the node's own user");
                Err(refusal(Status::permission_denied(text), "not_an_administrator"))
            }
            None => {
                let text = "the caller's user cannot be told: call on the Unix socket";
                Err(refusal(Status::permission_denied(text), "not_an_administrator"))
            }
        }
    }
}

/// The user that called, as the operating system tells it (`SO_PEERCRED`, unix(7)).
pub fn caller_uid<T>(request: &Request<T>) -> Option<u32> {
    let info = request.extensions().get::<UdsConnectInfo>()?;
    info.peer_cred.map(|credentials| credentials.uid())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use tonic::transport::server::Connected;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn a_socket_has_its_mode_and_replaces_a_stale_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        drop(bind(&path, 0o600).unwrap());
        assert_eq!(mode(&path), 0o600);
        let _listener = bind(&path, 0o660).unwrap();
        assert_eq!(mode(&path), 0o660);
        UnixStream::connect(&path).unwrap();
        let names = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(names, 1);
    }

    #[tokio::test]
    async fn a_live_socket_and_other_files_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let _listener = bind(&path, 0o600).unwrap();
        assert!(matches!(bind(&path, 0o600), Err(SocketError::InUse { .. })));
        let file = directory.path().join("file.sock");
        fs::write(&file, "kept").unwrap();
        assert!(matches!(bind(&file, 0o600), Err(SocketError::Occupied { .. })));
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }

    #[tokio::test]
    async fn a_long_path_is_told_as_such() {
        let path = PathBuf::from("/tmp").join("x".repeat(108));
        assert!(matches!(bind(&path, 0o600), Err(SocketError::TooLong { .. })));
    }

    async fn called_from(path: &Path) -> Request<()> {
        let listener = bind(path, 0o600).unwrap();
        let _client = tokio::net::UnixStream::connect(path).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let mut request = Request::new(());
        request.extensions_mut().insert(server.connect_info());
        request
    }

    #[tokio::test]
    async fn only_the_named_users_pass() {
        let directory = tempfile::tempdir().unwrap();
        let own = rustix::process::geteuid().as_raw();
        let request = called_from(&directory.path().join("own.sock")).await;
        assert_eq!(caller_uid(&request), Some(own));
        let request = AllowedUids::administrators().call(request).unwrap();
        let refused = AllowedUids::of([own + 1]).call(request).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::PermissionDenied);
        assert_eq!(refused.metadata().get("raccordo-reason").unwrap(), "not_an_administrator");
    }

    #[test]
    fn a_call_from_elsewhere_is_refused() {
        assert!(AllowedUids::administrators().call(Request::new(())).is_err());
    }
}
