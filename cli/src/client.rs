//! Connections to the node's Unix sockets, and who the caller is.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use raccordo_core::secret::Secret;
use tokio::net::UnixStream;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint, Uri};

use crate::failure::{EXIT_REFUSED, EXIT_UNREACHABLE, Failure};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call may take where its command says nothing else.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer: a page of alerts with room to spare.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;

/// One of the node's two sockets.
#[derive(Clone, Copy, Debug)]
pub enum Socket {
    /// Administrators.
    Admin,
    /// Operators.
    Casework,
}

/// Connects to a running node.
///
/// # Errors
/// The socket is missing or does not answer within 5 s (exit code 5), or this user may not
/// use it (exit code 3).
pub async fn connect(home: &Path, socket: Socket) -> Result<Channel, Failure> {
    let name = match socket {
        Socket::Admin => "admin.sock",
        Socket::Casework => "casework.sock",
    };
    let path = home.join("run").join(name);
    // Connected here, because the transport would hide why it cannot.
    let first = match tokio::time::timeout(CONNECT_TIMEOUT, UnixStream::connect(&path)).await {
        Ok(Ok(stream)) => Mutex::new(Some(stream)),
        Ok(Err(error)) => return Err(unreachable(home, &path, error.kind())),
        Err(_) => return Err(unreachable(home, &path, ErrorKind::TimedOut)),
    };
    let dial = tower::service_fn(move |_: Uri| {
        let first = first.lock().ok().and_then(|mut first| first.take());
        let path = path.clone();
        async move {
            match first {
                Some(stream) => Ok(TokioIo::new(stream)),
                None => UnixStream::connect(path).await.map(TokioIo::new),
            }
        }
    });
    Endpoint::from_static("http://localhost")
        .connect_timeout(CONNECT_TIMEOUT)
        .connect_with_connector(dial)
        .await
        .map_err(|error| {
            Failure::new(EXIT_UNREACHABLE, "not_answering", format!("the node: {error}"))
                .hint("the node may be starting or stopping: raccordo wait-ready")
        })
}

fn unreachable(home: &Path, path: &Path, kind: ErrorKind) -> Failure {
    let (home, path) = (home.display(), path.display());
    let failure = |code, message| Failure::new(EXIT_UNREACHABLE, code, message);
    let start = format!("is raccordod running? start it with: raccordod --home {home}");
    match kind {
        ErrorKind::NotFound => {
            failure("not_running", format!("no node answers at {path}")).hint(start)
        }
        ErrorKind::ConnectionRefused => {
            failure("not_running", format!("the node at {path} has stopped")).hint(start)
        }
        ErrorKind::PermissionDenied => {
            let message = format!("this user may not use {path}");
            Failure::new(EXIT_REFUSED, "socket_refused", message)
                .hint("run the command as root or as the user that runs raccordod")
        }
        ErrorKind::TimedOut => failure("not_answering", format!("{path} does not answer"))
            .hint("the node's log says what it is doing"),
        ErrorKind::InvalidInput => {
            Failure::usage("home_too_long", format!("{path} is too long for a socket"))
                .hint("choose a home with a path of less than 80 bytes")
        }
        _ => failure("not_running", format!("cannot connect to {path}: {kind}")).hint(start),
    }
}

/// A call that ends after the usual time.
pub fn call<T>(message: T) -> Request<T> {
    call_within(message, CALL_TIMEOUT)
}

/// A call that ends after the given time.
pub fn call_within<T>(message: T, limit: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limit);
    request
}

/// The operator on whose behalf casework calls are made.
#[derive(Clone)]
pub struct Operator {
    authorization: MetadataValue<Ascii>,
}

impl Operator {
    /// Reads the token file, which nobody but its owner may read.
    ///
    /// # Errors
    /// No file is named, it cannot be read, others may read it, or it holds no token.
    pub fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let path = file.ok_or_else(|| {
            Failure::usage("operator_missing", "this command acts as an operator")
                .hint("name the token file: --operator TOKENFILE, or RACCORDO_OPERATOR=TOKENFILE")
        })?;
        let failed = |error| Failure::file("read the token file", path, &error);
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            let message = format!("others can read the token file {}", path.display());
            return Err(Failure::usage("token_file_open", message)
                .hint(format!("chmod 600 {}", path.display())));
        }
        let token = Secret::new(fs::read_to_string(path).map_err(failed)?);
        Self::of(token.reveal().trim()).ok_or_else(|| {
            Failure::usage("bad_token_file", format!("{} holds no token", path.display()))
                .hint("make a new one: raccordo operator add NAME … --token-out FILE")
        })
    }

    fn of(token: &str) -> Option<Self> {
        if token.is_empty() || token.contains(char::is_whitespace) {
            return None;
        }
        let bearer = Secret::new(format!("Bearer {token}"));
        let mut authorization: MetadataValue<Ascii> = bearer.reveal().parse().ok()?;
        authorization.set_sensitive(true);
        Some(Self { authorization })
    }

    /// A call as this operator.
    pub fn call<T>(&self, message: T) -> Request<T> {
        self.call_within(message, CALL_TIMEOUT)
    }

    /// A call as this operator that ends after the given time.
    pub fn call_within<T>(&self, message: T, limit: Duration) -> Request<T> {
        let mut request = call_within(message, limit);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::path::PathBuf;

    use super::*;
    use crate::failure::EXIT_USAGE;

    fn token_file(folder: &tempfile::TempDir, text: &str, mode: u32) -> PathBuf {
        let path = folder.path().join("token");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn tokens_are_read_and_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let path = token_file(&folder, "secret-token\n", 0o600);
        let request = Operator::read(Some(&path)).unwrap().call(());
        let value = request.metadata().get("authorization").unwrap();
        assert_eq!(value.to_str().unwrap(), "Bearer secret-token");
        assert!(!format!("{value:?}").contains("secret-token"));
    }

    #[test]
    fn open_empty_and_missing_files_are_refused() {
        let check = |path: Option<&Path>, code: &str| {
            let failure = Operator::read(path).err().unwrap();
            assert_eq!((failure.code.as_str(), failure.exit), (code, EXIT_USAGE));
            assert!(failure.hint.is_some());
        };
        let folder = tempfile::tempdir().unwrap();
        check(None, "operator_missing");
        check(Some(&folder.path().join("none")), "no_such_file");
        check(Some(&token_file(&folder, "secret\n", 0o640)), "token_file_open");
        check(Some(&token_file(&folder, "secret\n", 0o604)), "token_file_open");
        check(Some(&token_file(&folder, "\n", 0o600)), "bad_token_file");
        check(Some(&token_file(&folder, "two words\n", 0o600)), "bad_token_file");
    }

    #[tokio::test]
    async fn a_missing_socket_is_a_node_that_does_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let failure = connect(folder.path(), Socket::Admin).await.err().unwrap();
        assert_eq!((failure.code.as_str(), failure.exit), ("not_running", EXIT_UNREACHABLE));
        let start = format!("start it with: raccordod --home {}", folder.path().display());
        assert!(failure.hint.unwrap().ends_with(&start));
    }
}
