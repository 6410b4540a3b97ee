//! A PostgreSQL server for tests: one per test process, on a Unix socket alone.
//!
//! `RACCORDO_TEST_POSTGRES` names a server to use instead, as a URL without a database,
//! such as `postgres:///?host=/run/postgresql&user=postgres`; its user may create databases.

use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail};

/// User and group `nobody`, as which the server runs when the tests run as root, since
/// PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// What tells the watching shell to stop the server: that the test process is gone, and
/// with it the other end of its standard input.
const WATCH: &str = r#"trap "" INT TERM HUP
read -r _
"$1/pg_ctl" stop --silent --mode=immediate --pgdata="$2/data"
rm -rf "$2""#;

/// A server on which databases can be made.
pub struct Server {
    /// URL without a database name.
    url: String,
    psql: PathBuf,
    own: Option<Own>,
}

/// What the tests started themselves; it ends when this is dropped.
struct Own {
    programs: PathBuf,
    directory: PathBuf,
    options: String,
    _watch: Child,
}

/// Makes a new empty database and returns its URL.
///
/// # Errors
/// Says what to install when there is no server, and what the server said.
pub fn database() -> anyhow::Result<String> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(|| Server::shared().map_err(|error| format!("{error:#}")));
    let server = server.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    server.database(&format!("raccordo_test_{}_{number}", std::process::id()))
}

/// Runs a statement in a database of [`database`].
///
/// # Errors
/// What the server said.
pub fn run_in(database: &str, statement: &str) -> anyhow::Result<()> {
    let psql = match std::env::var_os("RACCORDO_TEST_POSTGRES") {
        Some(_) => PathBuf::from("psql"),
        None => programs().context("there is no PostgreSQL")?.join("psql"),
    };
    let mut psql = Command::new(psql);
    psql.args(["--no-psqlrc", "--quiet", "--command", statement]);
    run(psql.arg(database)).map(drop)
}

impl Server {
    /// The one that is named, or else one that is started.
    fn shared() -> anyhow::Result<Self> {
        match std::env::var("RACCORDO_TEST_POSTGRES") {
            Ok(url) => Ok(Self { url, psql: PathBuf::from("psql"), own: None }),
            Err(_) => Self::start(),
        }
    }

    /// Makes a new empty database and returns its URL.
    ///
    /// # Errors
    /// What the server said.
    pub fn database(&self, name: &str) -> anyhow::Result<String> {
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        let mut psql = Command::new(&self.psql);
        psql.args(["--no-psqlrc", "--quiet", "--command", &create]);
        run(psql.arg(with_database(&self.url, "postgres")))?;
        Ok(with_database(&self.url, name))
    }

    /// Starts one.
    ///
    /// # Errors
    /// Says what to install when there is no server, and what the server said.
    pub fn start() -> anyhow::Result<Self> {
        let programs = programs().context(
            "the tests need a PostgreSQL server: install `postgresql` \
             (Debian: apt-get install -y postgresql), or name one in RACCORDO_TEST_POSTGRES",
        )?;
        // Sockets have short paths: not below a long target directory.
        let directory = tempfile::Builder::new().prefix("raccordo-pg-").tempdir_in("/tmp")?.keep();
        if is_root()? {
            chown(&directory, Some(NOBODY), Some(NOBODY))?;
        }
        let watch = watch(&programs, &directory)?;
        let data = directory.join("data");
        run(as_server(&programs.join("initdb"))?
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"])
            .args(["--locale=C.UTF-8", "--pgdata"])
            .arg(&data))?;
        // Tests look at what is stored, not at what outlives a power cut.
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off \
             -c max_connections=300 -c shared_buffers=64MB",
            directory.display()
        );
        let url = format!("postgres:///?host={}&user=postgres", directory.display());
        let psql = programs.join("psql");
        let own = Own { programs, directory, options, _watch: watch };
        own.start()?;
        Ok(Self { url, psql, own: Some(own) })
    }

    /// Ends the server as a crash does, without a word to its clients (immediate mode).
    ///
    /// # Errors
    /// It was not started here.
    pub fn crash(&self) -> anyhow::Result<()> {
        self.own()?.stop()
    }

    /// Starts it again.
    ///
    /// # Errors
    /// What the server said.
    pub fn recover(&self) -> anyhow::Result<()> {
        self.own()?.start()
    }

    fn own(&self) -> anyhow::Result<&Own> {
        self.own.as_ref().context("this server was not started by the tests")
    }
}

impl Own {
    fn control(&self, command: &[&str]) -> anyhow::Result<()> {
        let data = self.directory.join("data");
        let mut control = as_server(&self.programs.join("pg_ctl"))?;
        run(control.args(command).args(["--wait", "--silent", "--pgdata"]).arg(data))
    }

    fn start(&self) -> anyhow::Result<()> {
        let log = self.directory.join("log").display().to_string();
        self.control(&["start", "--options", &self.options, "--log", &log])
    }

    fn stop(&self) -> anyhow::Result<()> {
        self.control(&["stop", "--mode=immediate"])
    }
}

/// The newest installed server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = versions.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let newest = versions.filter_map(|path| version(&path).map(|number| (number, path))).max()?;
    let programs = newest.1.join("bin");
    programs.join("postgres").exists().then_some(programs)
}

fn is_root() -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").map(|status| status.uid() == 0)
}

fn as_server(program: &Path) -> io::Result<Command> {
    let mut command = Command::new("setpriv");
    if is_root()? {
        let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
        command.args([&user, &group, "--clear-groups", "--"]).arg(program);
    } else {
        command = Command::new(program);
    }
    command.current_dir("/");
    Ok(command)
}

fn watch(programs: &Path, directory: &Path) -> io::Result<Child> {
    let mut shell = as_server(Path::new("/bin/sh"))?;
    shell.args(["-c", WATCH, "watch"]).arg(programs).arg(directory);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_owned();
    command.stdin(Stdio::null());
    let Output { status, stderr, .. } =
        command.output().with_context(|| format!("cannot run {}", program.display()))?;
    if !status.success() {
        bail!("{command:?} failed ({status}): {}", String::from_utf8_lossy(&stderr).trim());
    }
    Ok(())
}

/// `postgres://HOST/?QUERY` with a database.
fn with_database(url: &str, name: &str) -> String {
    let (server, query) = url.split_once('?').unwrap_or((url, ""));
    let server = server.strip_suffix('/').unwrap_or(server);
    format!("{server}/{name}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &str, database: &str) {
        assert_eq!(with_database(server, "a"), database);
    }

    #[test]
    fn urls_of_databases() {
        check("postgres:///?host=/run&user=b", "postgres:///a?host=/run&user=b");
        check("postgres://b@host", "postgres://b@host/a?");
        check(
            "postgres://b@host:5433/?sslmode=require",
            "postgres://b@host:5433/a?sslmode=require",
        );
    }
}
