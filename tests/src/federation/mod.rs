//! A federation of real processes: nodes that run `raccordod` in homes of their own, driven
//! by `raccordo` as people would. Everything ends and disappears when it is dropped.
//!
//! - [`Federation`]: the homes of relay, toscana and umbria, and the whole ceremony
//! - [`node`]: one node: its process, its command line, its administrators' calls
//! - [`operator`]: calls of an operator, on the casework socket
//! - [`raw`]: a node's keys in the hands of a test
//! - [`until`]: waiting for what other processes do

mod ceremony;
pub mod command;
pub mod node;
pub mod operator;
pub mod raw;
mod socket;
mod until;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::Context as _;
use tempfile::TempDir;

pub use self::node::Node;
pub use self::operator::Operator;
pub use self::until::{PATIENCE, pause, until};

/// Name of the équipe.
pub const EQUIPE: &str = "toscana-umbria";
/// The hub, which is no member.
pub const RELAY: &str = "relay";
/// The chair.
pub const TOSCANA: &str = "toscana";
/// The other member.
pub const UMBRIA: &str = "umbria";
/// The three nodes.
pub const NODES: [&str; 3] = [RELAY, TOSCANA, UMBRIA];
/// The members.
pub const MEMBERS: [&str; 2] = [TOSCANA, UMBRIA];

/// Where it is set in the environment, the homes stay, to be looked at.
const KEEP: &str = "RACCORDO_TEST_KEEP";

/// What a node stores in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// The embedded one.
    Sqlite,
    /// A database of its own on the tests' server.
    Postgres,
}

/// Cryptography of the équipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Safe also against quantum computers.
    Hybrid,
    /// Elliptic curves alone.
    Classical,
}

/// What a federation is made of.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Of every node.
    pub database: Database,
    /// Of the équipe.
    pub suite: Suite,
    /// What the nodes log, as in `RACCORDO_LOG`.
    pub log: &'static str,
}

impl Setting {
    /// The hybrid suite and the usual log.
    pub fn on(database: Database) -> Self {
        Self { database, suite: Suite::Hybrid, log: "info" }
    }

    /// With elliptic curves alone.
    pub fn classical(self) -> Self {
        Self { suite: Suite::Classical, ..self }
    }

    /// With another log level.
    pub fn log(self, log: &'static str) -> Self {
        Self { log, ..self }
    }
}

/// Nodes by id, below one temporary directory.
pub struct Federation {
    // Before the directory, so that the processes end before their homes go.
    nodes: BTreeMap<String, Node>,
    setting: Setting,
    directory: TempDir,
}

impl Federation {
    /// No node yet.
    ///
    /// # Errors
    /// There is no room for a directory.
    pub fn empty(setting: Setting) -> anyhow::Result<Self> {
        // Sockets have short paths: not below a long target directory.
        let keep = std::env::var_os(KEEP).is_some();
        let mut directory = tempfile::Builder::new();
        let directory =
            directory.prefix("raccordo-e2e-").disable_cleanup(keep).tempdir_in("/tmp")?;
        Ok(Self { nodes: BTreeMap::new(), setting, directory })
    }

    /// Three nodes that run and know nobody.
    ///
    /// # Errors
    /// A program that is missing or fails; the message has the end of its log.
    pub async fn open(setting: Setting) -> anyhow::Result<Self> {
        let mut federation = Self::empty(setting)?;
        federation.add_hub(RELAY).await?;
        for member in MEMBERS {
            federation.add(member).await?;
        }
        Ok(federation)
    }

    /// The same, with trust, pact, équipe and operators: ready to share alerts.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn founded(setting: Setting) -> anyhow::Result<Self> {
        let federation = Self::open(setting).await?;
        federation.introduce_all().await?;
        federation.agree().await?;
        federation.create().await?;
        for member in MEMBERS {
            federation.staff(member).await?;
        }
        Ok(federation)
    }

    /// Makes and starts one more node.
    ///
    /// # Errors
    /// As [`Federation::open`].
    pub async fn add(&mut self, id: &str) -> anyhow::Result<()> {
        self.begin(id, &[]).await
    }

    /// Makes and starts one more hub.
    ///
    /// # Errors
    /// As [`Federation::open`].
    pub async fn add_hub(&mut self, id: &str) -> anyhow::Result<()> {
        let address = free_address()?.to_string();
        self.begin(id, &["--hub-listen", &address, "--hub-endpoint", &address]).await
    }

    /// Makes a hub that does not run: somebody else serves with its keys.
    ///
    /// # Errors
    /// As [`Federation::open`].
    pub async fn add_idle_hub(&mut self, id: &str) -> anyhow::Result<()> {
        let address = free_address()?.to_string();
        let options = ["--hub-listen", &address, "--hub-endpoint", &address];
        let node = self.made(id, &options).await?;
        self.nodes.insert(id.to_owned(), node);
        Ok(())
    }

    async fn begin(&mut self, id: &str, options: &[&str]) -> anyhow::Result<()> {
        let mut node = self.made(id, options).await?;
        node.start().await?;
        self.nodes.insert(id.to_owned(), node);
        Ok(())
    }

    async fn made(&self, id: &str, options: &[&str]) -> anyhow::Result<Node> {
        let node = Node::new(self.directory.path(), id, self.setting.log)?;
        let database = match self.setting.database {
            Database::Sqlite => "sqlite".to_owned(),
            Database::Postgres => crate::postgres::database()?,
        };
        let name = format!("Regione {id}");
        let init = ["init", "--id", id, "--name", &name, "--database", &database];
        node.run(&[&init[..], options].concat()).await?;
        Ok(node)
    }

    /// One node.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn node(&self, id: &str) -> anyhow::Result<&Node> {
        self.nodes.get(id).with_context(|| format!("there is no node {id}"))
    }

    /// One node, for starting and ending it.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn node_mut(&mut self, id: &str) -> anyhow::Result<&mut Node> {
        self.nodes.get_mut(id).with_context(|| format!("there is no node {id}"))
    }

    /// The case manager of a member.
    ///
    /// # Errors
    /// There is no such node, or it has no operator yet.
    pub fn operator(&self, id: &str) -> anyhow::Result<Operator> {
        self.node(id)?.operator()
    }

    /// What every node says of itself, for the message of a story that failed.
    pub async fn told(&self) -> String {
        let mut told = format!("below {}\n", self.directory.path().display());
        for (id, node) in &self.nodes {
            let status = match node.status().await {
                Ok(status) => format!("{:#?}", status.equipes),
                Err(error) => format!("{error:#}"),
            };
            let tail = node.tail().unwrap_or_else(|error| format!("{error:#}"));
            told += &format!("{id}: {status}\nits log ends:\n{tail}\n");
        }
        told
    }

    /// A file beside the homes.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// A loopback address that nobody uses, and that nobody takes while its node is stopped:
/// outgoing connections of this machine start at 127.0.0.1.
fn free_address() -> anyhow::Result<SocketAddr> {
    let [a, b, c, ..] = *uuid::Uuid::new_v4().as_bytes();
    let host = Ipv4Addr::new(127, a.max(1), b, c.clamp(1, 254));
    let listener = TcpListener::bind((host, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}
