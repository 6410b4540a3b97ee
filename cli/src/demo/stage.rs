//! The stage: a directory with three homes, the daemons, and calls of this program.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::failure::{EXIT_INTERNAL, Failure};

/// How long a daemon may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Directory, programs and daemons.
pub struct Stage {
    dir: PathBuf,
    keep: bool,
    raccordo: PathBuf,
    raccordod: PathBuf,
    daemons: Vec<(String, Child)>,
}

impl Stage {
    /// Prepares the directory and finds the programs.
    ///
    /// # Errors
    /// A directory that is not empty, or no `raccordod` beside this program.
    pub fn new(keep: Option<PathBuf>) -> Result<Self, Failure> {
        let raccordo = std::env::current_exe()
            .map_err(|error| Failure::internal(format!("cannot find this program: {error}")))?;
        let raccordod = raccordo.with_file_name("raccordod");
        if !raccordod.is_file() {
            let message = format!("there is no raccordod at {}", raccordod.display());
            return Err(Failure::new(EXIT_INTERNAL, "no_daemon", message)
                .hint("build both programs: cargo build --release"));
        }
        let kept = keep.is_some();
        let dir = keep.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("raccordo-demo-{}", std::process::id()))
        });
        fs::create_dir_all(&dir).map_err(|error| Failure::file("make", &dir, &error))?;
        let mut entries = fs::read_dir(&dir).map_err(|e| Failure::file("read", &dir, &e))?;
        if entries.next().is_some() {
            let message = format!("{} is not empty", dir.display());
            return Err(Failure::usage("not_empty", message).hint("give a new directory"));
        }
        let dir = dir.canonicalize().map_err(|error| Failure::file("find", &dir, &error))?;
        Ok(Self { dir, keep: kept, raccordo, raccordod, daemons: Vec::new() })
    }

    /// A file or folder of the stage.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A loopback address that nobody uses now.
    ///
    /// # Errors
    /// When the machine has no free port.
    pub fn free_address(&self) -> Result<String, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0");
        let address = listener.and_then(|listener| listener.local_addr());
        address
            .map(|address| address.to_string())
            .map_err(|error| Failure::internal(format!("no free port: {error}")))
    }

    /// Starts a node's daemon; its log goes to `NODE.log`.
    ///
    /// # Errors
    /// When the program does not start.
    pub fn start(&mut self, node: &str) -> Result<(), Failure> {
        let log = self.path(&format!("{node}.log"));
        let log = fs::File::create(&log).map_err(|error| Failure::file("write", &log, &error))?;
        let child = Command::new(&self.raccordod)
            .arg("--home")
            .arg(self.path(node))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::internal(format!("raccordod does not start: {error}")))?;
        self.daemons.push((node.to_owned(), child));
        Ok(())
    }

    /// The process id of a daemon.
    pub fn pid(&self, node: &str) -> Option<u32> {
        self.daemons.iter().find(|(name, _)| name == node).and_then(|(_, child)| child.id())
    }

    /// Runs `raccordo --json --home NODE ARGS` and reads its lines.
    ///
    /// # Errors
    /// The failure that the command tells.
    pub async fn call(&self, node: &str, args: &[&str]) -> Result<Vec<Value>, Failure> {
        self.call_with(node, args, None).await
    }

    /// As [`Stage::call`], with standard input.
    ///
    /// # Errors
    /// As [`Stage::call`].
    pub async fn call_with(
        &self,
        node: &str,
        args: &[&str],
        input: Option<&str>,
    ) -> Result<Vec<Value>, Failure> {
        let broken = |error: std::io::Error| Failure::internal(format!("cannot run: {error}"));
        let mut child = Command::new(&self.raccordo)
            .arg("--json")
            .arg("--home")
            .arg(self.path(node))
            .args(args)
            .env("RACCORDO_OPERATOR", self.path(&format!("{node}.token")))
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(broken)?;
        let writer = child.stdin.take().zip(input.map(str::to_owned));
        let write = async {
            if let Some((mut stdin, input)) = writer {
                // The command tells by itself when it did not read all.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let (done, ()) = tokio::join!(child.wait_with_output(), write);
        let done = done.map_err(broken)?;
        let lines: Vec<Value> = String::from_utf8_lossy(&done.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if done.status.success() {
            return Ok(lines);
        }
        Err(self.failed(node, args, &lines, &String::from_utf8_lossy(&done.stderr)))
    }

    fn failed(&self, node: &str, args: &[&str], lines: &[Value], stderr: &str) -> Failure {
        let told = lines.last().and_then(|line| line.get("error"));
        let word = |key: &str| {
            told.and_then(|error| error.get(key)).and_then(Value::as_str).unwrap_or_default()
        };
        let message = format!("{node}: raccordo {}: {}", args.join(" "), word("message"));
        let code = if word("code").is_empty() { "step_failed" } else { word("code") };
        let stderr = stderr.trim();
        Failure::new(EXIT_INTERNAL, code, message).hint(format!(
            "{}{}see {}",
            word("hint"),
            if stderr.is_empty() { "; ".to_owned() } else { format!("; {stderr}; ") },
            self.path(&format!("{node}.log")).display()
        ))
    }

    /// Ends all daemons, politely first.
    pub async fn stop(&mut self) {
        for (_, child) in &self.daemons {
            if let Some(pid) = child.id() {
                let pid = pid.to_string();
                // Whoever is gone already needs no signal.
                let _ = Command::new("kill").arg(pid).stderr(Stdio::null()).status().await;
            }
        }
        for (_, child) in &mut self.daemons {
            if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
        self.daemons.clear();
    }

    /// Whether the directory is kept.
    pub fn keeps(&self) -> bool {
        self.keep
    }

    /// The directory, if it is kept.
    pub fn kept(&self) -> Option<&Path> {
        self.keep.then_some(self.dir.as_path())
    }

    /// Removes the directory unless it is kept; a failed demo leaves it for looking.
    pub fn close(&self, succeeded: bool) {
        if self.keep || !succeeded {
            return;
        }
        // What cannot be removed from the temporary directory does no harm there.
        let _ = fs::remove_dir_all(&self.dir);
    }

    /// How often any of the needles stands in the files of a node.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn count_in_files(&self, node: &str, needles: &[Vec<u8>]) -> Result<usize, Failure> {
        let mut count = 0;
        for file in files_below(&self.path(node))? {
            let bytes = fs::read(&file).map_err(|error| Failure::file("read", &file, &error))?;
            let stands = |needle: &&Vec<u8>| memchr::memmem::find(&bytes, needle).is_some();
            count += needles.iter().filter(stands).count();
        }
        Ok(count)
    }
}

fn files_below(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let failed = |error: std::io::Error| Failure::file("read", dir, &error);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}
