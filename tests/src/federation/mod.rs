//! A federation of real processes: nodes that run `raccordod` in homes of their own, driven
//! by `raccordo` as people would. Everything ends and disappears when it is dropped.
//!
//! - [`Federation`]: the homes of relay, toscana and umbria, and the whole ceremony
//! - [`network`]: namespaces and wires that can be cut
//! - [`node`]: one node: its process, its command line, its administrators' calls
//! - [`operator`]: calls of an operator, on the casework socket
//! - [`raw`]: a node's keys in the hands of a test
//! - [`until`]: waiting for what other processes do

mod ceremony;
pub mod command;
pub mod network;
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

use crate::postgres::Server;

pub use self::network::Network;
pub use self::node::{Fate, Node};
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

/// Where a hub listens that has a network namespace for itself.
const HUB_PORT: u16 = 7443;
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
    /// Tokens of each class that a member may ask for in a day; none for the draft's.
    pub budget: Option<u32>,
}

impl Setting {
    /// The hybrid suite and the usual log.
    pub fn on(database: Database) -> Self {
        Self { database, suite: Suite::Hybrid, log: "info", budget: None }
    }

    /// With another budget of tokens.
    pub fn with_budget(self, tokens: u32) -> Self {
        Self { budget: Some(tokens), ..self }
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
    network: Option<Network>,
    server: Option<Server>,
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
        let (network, server) = (None, None);
        Ok(Self { nodes: BTreeMap::new(), network, server, setting, directory })
    }

    /// Ready to share alerts, in a network of its own.
    ///
    /// # Errors
    /// As [`Federation::founded`]; also without root.
    pub async fn apart(setting: Setting) -> anyhow::Result<Self> {
        let federation = Self { network: Some(Network::new()?), ..Self::empty(setting)? };
        federation.peopled().await?.found().await
    }

    /// Ready to share alerts, on a PostgreSQL server of its own.
    ///
    /// # Errors
    /// As [`Federation::founded`].
    pub async fn on_own_server(setting: Setting) -> anyhow::Result<Self> {
        let federation = Self { server: Some(Server::start()?), ..Self::empty(setting)? };
        federation.peopled().await?.found().await
    }

    /// The server of [`Federation::on_own_server`].
    ///
    /// # Errors
    /// It has none.
    pub fn server(&self) -> anyhow::Result<&Server> {
        self.server.as_ref().context("the federation has no server of its own")
    }

    /// The network of [`Federation::apart`].
    ///
    /// # Errors
    /// It has none.
    pub fn network(&self) -> anyhow::Result<&Network> {
        self.network.as_ref().context("the federation has no network of its own")
    }

    /// Three nodes that run and know nobody.
    ///
    /// # Errors
    /// A program that is missing or fails; the message has the end of its log.
    pub async fn open(setting: Setting) -> anyhow::Result<Self> {
        Self::empty(setting)?.peopled().await
    }

    async fn peopled(mut self) -> anyhow::Result<Self> {
        self.add_hub(RELAY).await?;
        for member in MEMBERS {
            self.add(member).await?;
        }
        Ok(self)
    }

    /// The same, with trust, pact, équipe and operators: ready to share alerts.
    ///
    /// # Errors
    /// The first step that fails.
    pub async fn founded(setting: Setting) -> anyhow::Result<Self> {
        Self::open(setting).await?.found().await
    }

    async fn found(self) -> anyhow::Result<Self> {
        self.introduce_all().await?;
        self.agree().await?;
        self.create().await?;
        for member in MEMBERS {
            self.staff(member).await?;
        }
        Ok(self)
    }

    /// Makes and starts one more node.
    ///
    /// # Errors
    /// As [`Federation::open`].
    pub async fn add(&mut self, id: &str) -> anyhow::Result<()> {
        self.join(id)?;
        self.begin(id, &[]).await
    }

    /// Joins the network, if there is one of its own; where a hub may listen there.
    fn join(&mut self, id: &str) -> anyhow::Result<Option<SocketAddr>> {
        let Some(network) = &mut self.network else { return Ok(None) };
        Ok(Some((network.join(id)?, HUB_PORT).into()))
    }

    /// Makes and starts one more hub.
    ///
    /// # Errors
    /// As [`Federation::open`].
    pub async fn add_hub(&mut self, id: &str) -> anyhow::Result<()> {
        let address = match self.join(id)? {
            Some(address) => address.to_string(),
            None => free_address()?.to_string(),
        };
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
        let mut node = Node::new(self.directory.path(), id, self.setting.log)?;
        if let Some(network) = &self.network {
            node = node.within(network.namespace(id));
        }
        let database = match (self.setting.database, &self.server) {
            (Database::Sqlite, _) => "sqlite".to_owned(),
            (Database::Postgres, None) => crate::postgres::database()?,
            (Database::Postgres, Some(server)) => server.database(id)?,
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
