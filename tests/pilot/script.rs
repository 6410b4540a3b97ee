//! A shell script in a process group of its own, of which nothing is left afterwards.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// A script for bash.
pub(crate) struct Script<'s> {
    /// Its lines.
    pub(crate) text: String,
    /// Where it runs, and where its outputs are kept beside what it makes.
    pub(crate) directory: &'s Path,
    /// Comes first in `PATH`.
    pub(crate) programs: &'s Path,
    /// Set besides.
    pub(crate) variables: &'s [(&'s str, String)],
}

/// How a script ended.
pub(crate) struct Ended {
    /// Whether with 0, and in time.
    pub(crate) success: bool,
    /// What it and its programs printed.
    pub(crate) stdout: String,
    /// The same for standard error.
    pub(crate) stderr: String,
}

/// Ends a process group at once.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        let group = format!("-{}", self.0);
        // Whoever has ended by itself needs no signal.
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    }
}

impl Script<'_> {
    /// Runs it, for at most `patience`.
    pub(crate) fn run(&self, patience: Duration) -> Ended {
        let outputs = tempfile::tempdir().unwrap();
        let [stdout, stderr] = ["stdout", "stderr"].map(|name| outputs.path().join(name));
        let path = std::env::var("PATH").unwrap_or_default();
        // Files instead of pipes: who reads a pipe waits for daemons that hold its other end.
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(&self.text).current_dir(self.directory).process_group(0);
        bash.env("PATH", format!("{}:{path}", self.programs.display()));
        bash.env_remove("RACCORDO_HOME").env_remove("RACCORDO_OPERATOR");
        bash.envs(self.variables.iter().map(|(name, value)| (name, value)));
        bash.stdin(Stdio::null());
        bash.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let child = bash.spawn().unwrap();
        let group = Group(child.id());
        let ended = wait(child, patience);
        drop(group);
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let mut stderr = read(&stderr);
        if ended.is_none() {
            stderr.push_str(&format!("\nnot done after {} s", patience.as_secs()));
        }
        Ended { success: ended == Some(true), stdout: read(&stdout), stderr }
    }
}

/// Whether it ended well; none when it did not end in time.
fn wait(mut child: Child, patience: Duration) -> Option<bool> {
    let (sender, receiver) = mpsc::channel::<io::Result<bool>>();
    thread::spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = sender.send(child.wait().map(|status| status.success()));
    });
    match receiver.recv_timeout(patience) {
        Ok(ended) => Some(ended.unwrap()),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
    }
}
