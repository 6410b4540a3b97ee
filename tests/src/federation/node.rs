//! One node: its home, its process, and calls as its administrator.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use raccordo_node::config::Config;
use raccordo_node::home::Home;
use raccordo_node::store::sql::SqlStore;
use raccordo_proto::admin::v1::audit_service_client::AuditServiceClient;
use raccordo_proto::admin::v1::node_service_client::NodeServiceClient;
use raccordo_proto::admin::v1::{
    DoctorRequest, EquipeStatus, Finding, StatusRequest, StatusResponse, VerifyAuditRequest,
    VerifyAuditResponse,
};
use serde_json::Value;
use tokio::process::{Child, Command};
use tonic::transport::Channel;

use super::command::{self, Lines, Refusal};
use super::{Operator, socket, until};

/// Lines of a log that stand in the error of a process that ended.
const TAIL_LINES: usize = 12;

/// A node and its process, which is killed when this is dropped.
pub struct Node {
    id: String,
    home: Home,
    log: PathBuf,
    log_level: &'static str,
    /// A command that runs the daemon's, if any.
    wrapper: Vec<String>,
    namespace: Option<String>,
    fate: Option<Fate>,
    deaths: u32,
    process: Option<Child>,
}

/// The call of the kernel at which a process is killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Its name, as `strace` knows it, such as `fsync`.
    pub call: &'static str,
    /// Which one of a thread, from 1; it is not done any more. Without one they are counted.
    pub number: Option<u32>,
}

impl Node {
    /// A node below `directory`; nothing is made yet.
    ///
    /// # Errors
    /// The daemon is not built.
    pub fn new(directory: &Path, id: &str, log_level: &'static str) -> anyhow::Result<Self> {
        crate::programs::path("raccordod")?;
        Ok(Self {
            id: id.to_owned(),
            home: Home::new(directory.join(id)),
            log: directory.join(format!("{id}.log")),
            log_level,
            wrapper: Vec::new(),
            namespace: None,
            fate: None,
            deaths: 0,
            process: None,
        })
    }

    /// With its process in a network namespace.
    pub(super) fn within(self, namespace: String) -> Self {
        Self { namespace: Some(namespace), ..self }
    }

    /// Decides at which call of the kernel its next process is killed (SIGKILL), until it is
    /// revived. Needs `strace`.
    pub fn doom(&mut self, fate: Fate) {
        self.fate = Some(fate);
    }

    /// Takes back what [`Node::doom`] decided for its next start.
    pub fn spare(&mut self) {
        self.fate = None;
    }

    /// How many of the calls in question the busiest thread of its process has made: the
    /// kernel's tracer counts for each thread by itself.
    ///
    /// # Errors
    /// They are not counted.
    pub fn calls(&self) -> anyhow::Result<u32> {
        let text = std::fs::read_to_string(self.calls_file())?;
        let mut threads: BTreeMap<&str, u32> = BTreeMap::new();
        // A call that others interrupt takes two lines.
        for line in text.lines().filter(|line| !line.contains("resumed>")) {
            if let Some((thread, _)) = line.split_once(' ').filter(|(_, call)| call.contains('(')) {
                *threads.entry(thread).or_default() += 1;
            }
        }
        Ok(threads.into_values().max().unwrap_or_default())
    }

    fn calls_file(&self) -> PathBuf {
        self.home.path().with_extension("calls")
    }

    /// How often it had ended when it was to be revived.
    pub fn deaths(&self) -> u32 {
        self.deaths
    }

    /// Starts again if its process has ended; whether it had.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub async fn revive(&mut self) -> anyhow::Result<bool> {
        let ended = match &mut self.process {
            Some(process) => process.try_wait()?.is_some(),
            None => true,
        };
        if ended {
            (self.process, self.fate) = (None, None);
            self.deaths += 1;
            self.start().await?;
        }
        Ok(ended)
    }

    /// Stops its process in the middle of whatever it does (SIGSTOP).
    ///
    /// # Errors
    /// It does not run.
    pub async fn freeze(&self) -> anyhow::Result<()> {
        self.signal("-STOP").await
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// It does not run.
    pub async fn thaw(&self) -> anyhow::Result<()> {
        self.signal("-CONT").await
    }

    async fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let pid = self.pid().context("it does not run")?.to_string();
        let told = Command::new("kill").arg(signal).arg(pid).status().await?;
        if !told.success() {
            bail!("{} takes no {signal}: {told}", self.id);
        }
        Ok(())
    }

    /// Where it lives.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The file with all that its processes said on standard error.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().and_then(Child::id)
    }

    /// A daemon of this home, not started yet; its standard error is appended to the log.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn daemon(&self) -> anyhow::Result<Command> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        // Ends with this process, even if that is killed.
        let mut words: Vec<String> = self.wrapper.clone();
        if let Some(namespace) = &self.namespace {
            words.extend(["ip", "netns", "exec", namespace].map(str::to_owned));
        }
        words.extend(["setpriv", "--pdeathsig=KILL", "--"].map(str::to_owned));
        if let Some(Fate { call, number }) = &self.fate {
            // The process stays the one that was started; strace is a child of it.
            words.extend(["strace", "-D", "-f", "-qq", "-o"].map(str::to_owned));
            words.push(self.calls_file().to_string_lossy().into_owned());
            words.extend(["-e".into(), "signal=none".into(), "-e".into(), format!("trace={call}")]);
            if let Some(number) = number {
                words.extend(["-e".into(), format!("inject={call}:signal=KILL:when={number}")]);
            }
        }
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command.arg(crate::programs::path("raccordod")?);
        command.arg("--home").arg(self.home.path());
        command.env("RACCORDO_LOG", self.log_level).env_remove("NOTIFY_SOCKET");
        if self.fate.is_some() {
            // Calls are counted thread by thread, and there are few: one thread makes them all.
            command.env("TOKIO_WORKER_THREADS", "1");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        Ok(command)
    }

    /// From the next start on, this command runs the daemon: it is given the daemon's
    /// command line and must end in executing it.
    pub fn run_by(&mut self, wrapper: &[&str]) {
        self.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Starts the daemon and waits until it is ready.
    ///
    /// # Errors
    /// It ends instead; with the end of its log.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        if self.process.is_some() {
            bail!("{} runs already", self.id);
        }
        self.process = Some(self.daemon()?.spawn().context("raccordod does not start")?);
        let ready = until("the node to be ready", async || {
            if let Some(status) = self.process.as_mut().map(Child::try_wait).transpose()?.flatten()
            {
                return Ok(Some(Err(status)));
            }
            Ok(self.status().await?.ready.then_some(Ok(())))
        });
        if let Err(status) = ready.await? {
            self.process = None;
            bail!("{} ended at its start: {status}\n{}", self.id, self.tail()?);
        }
        Ok(())
    }

    /// Runs a daemon that is expected not to start; returns how it ended and what it said.
    ///
    /// # Errors
    /// It does not end.
    pub async fn start_in_vain(&self) -> anyhow::Result<(Option<i32>, String)> {
        let mut daemon = self.daemon()?;
        let done = daemon.stderr(Stdio::piped()).stdin(Stdio::null()).output();
        let done = tokio::time::timeout(super::PATIENCE, done).await;
        let done = done.with_context(|| format!("{} runs, and should not", self.id))??;
        Ok((done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned()))
    }

    /// Ends the daemon at once, as a power cut would end it (SIGKILL).
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("it does not run")?;
        process.start_kill()?;
        process.wait().await?;
        Ok(())
    }

    /// Ends the daemon as [`Node::kill`] does, at a moment that the caller has drawn.
    ///
    /// # Errors
    /// As [`Node::kill`].
    pub async fn kill_within(&mut self, moment: Duration) -> anyhow::Result<()> {
        tokio::time::sleep(moment).await;
        self.kill().await
    }

    /// The database of a node that does not run, for looking at what it left behind.
    ///
    /// # Errors
    /// The configuration or the database cannot be read.
    pub async fn store(&self) -> anyhow::Result<SqlStore> {
        Ok(SqlStore::connect(&self.database_url()?, 1).await?)
    }

    /// Where its database is.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub fn database_url(&self) -> anyhow::Result<String> {
        let config = Config::load(&self.home)?;
        Ok(match config.database.url.postgres(None) {
            Some(url) => url.reveal().clone(),
            None => format!("sqlite://{}", self.home.database().display()),
        })
    }

    /// Ends the daemon politely (SIGTERM).
    ///
    /// # Errors
    /// It does not run, does not end, or ends with an error.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.signal("-TERM").await?;
        let mut process = self.process.take().context("it does not run")?;
        let ended = tokio::time::timeout(super::PATIENCE, process.wait()).await;
        let status: ExitStatus = ended.context("it does not stop")??;
        if !status.success() {
            bail!("{} stopped with {status}\n{}", self.id, self.tail()?);
        }
        Ok(())
    }

    /// Stops and starts it.
    ///
    /// # Errors
    /// As [`Node::stop`] and [`Node::start`].
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        self.start().await
    }

    pub(super) fn tail(&self) -> anyhow::Result<String> {
        let text = String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned();
        let mut lines: Vec<&str> = text.lines().rev().take(TAIL_LINES).collect();
        lines.reverse();
        Ok(lines.join("\n"))
    }

    /// Runs `raccordo` on this node.
    ///
    /// # Errors
    /// A [`Refusal`], or why the program does not run.
    pub async fn run(&self, args: &[&str]) -> anyhow::Result<Lines> {
        self.run_with(args, None).await
    }

    /// Runs `raccordo` with standard input.
    ///
    /// # Errors
    /// As [`Node::run`].
    pub async fn run_with(&self, args: &[&str], input: Option<&str>) -> anyhow::Result<Lines> {
        let ran = command::run(self.home.path(), &self.token_file(), args, input).await;
        ran.with_context(|| format!("at {}", self.id))
    }

    /// The first value that a command prints.
    ///
    /// # Errors
    /// As [`Node::run`]; also when it prints nothing.
    pub async fn first(&self, args: &[&str]) -> anyhow::Result<Value> {
        let lines = self.run(args).await?;
        let first = lines.into_iter().next();
        first.with_context(|| format!("raccordo {} printed nothing", args.join(" ")))
    }

    /// Runs a command that is expected to be refused.
    ///
    /// # Errors
    /// It is not.
    pub async fn refused(&self, args: &[&str]) -> anyhow::Result<Refusal> {
        match self.run(args).await {
            Ok(lines) => bail!("raccordo {} did it: {lines:?}", args.join(" ")),
            Err(error) => error.downcast::<Refusal>(),
        }
    }

    /// The token file of its case manager.
    pub fn token_file(&self) -> PathBuf {
        self.home.path().with_extension("token")
    }

    /// Its case manager.
    ///
    /// # Errors
    /// There is no token file yet.
    pub fn operator(&self) -> anyhow::Result<Operator> {
        Operator::new(self.home.casework_socket(), &self.token_file())
    }

    async fn admin(&self) -> anyhow::Result<Channel> {
        Ok(socket::connect(&self.home.admin_socket()).await?)
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// It does not run, or does not answer.
    pub async fn status(&self) -> anyhow::Result<StatusResponse> {
        let mut client = NodeServiceClient::new(self.admin().await?);
        Ok(client.status(StatusRequest {}).await?.into_inner())
    }

    /// What it says of its only équipe.
    ///
    /// # Errors
    /// As [`Node::status`]; also when it has none.
    pub async fn equipe(&self) -> anyhow::Result<EquipeStatus> {
        let equipe = self.status().await?.equipes.into_iter().next();
        equipe.with_context(|| format!("{} is in no équipe", self.id))
    }

    /// Has it verify its audit chain.
    ///
    /// # Errors
    /// The chain is broken, or the node does not answer.
    pub async fn verify_audit(&self) -> anyhow::Result<VerifyAuditResponse> {
        let mut client = AuditServiceClient::new(self.admin().await?);
        let verified = client.verify_audit(VerifyAuditRequest::default()).await;
        Ok(verified.with_context(|| format!("the audit chain of {}", self.id))?.into_inner())
    }

    /// What `doctor` finds, most urgent first.
    ///
    /// # Errors
    /// It does not run, or does not answer.
    pub async fn findings(&self) -> anyhow::Result<Vec<Finding>> {
        let mut client = NodeServiceClient::new(self.admin().await?);
        Ok(client.doctor(DoctorRequest {}).await?.into_inner().findings)
    }
}
