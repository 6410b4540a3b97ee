//! What every command knows: the home, the operator, and where to write.

use std::path::{Path, PathBuf};

use tonic::transport::Channel;

use crate::client::{self, Operator, Socket};
use crate::failure::Failure;
use crate::output::Output;

/// The global options of one run.
#[derive(Clone, Debug)]
pub struct Context {
    /// `--home` or `RACCORDO_HOME`.
    pub home: Option<PathBuf>,
    /// `--operator` or `RACCORDO_OPERATOR`.
    pub operator: Option<PathBuf>,
    /// Where to write.
    pub out: Output,
}

impl Context {
    /// The node's home.
    ///
    /// # Errors
    /// None is named.
    pub fn home(&self) -> Result<&Path, Failure> {
        self.home.as_deref().ok_or_else(|| {
            Failure::usage("home_missing", "which node?")
                .hint("name its home: --home DIR, or RACCORDO_HOME=DIR")
        })
    }

    /// Under which people open the node's desk.
    ///
    /// # Errors
    /// No home is named, or the node has no desk.
    pub fn desk_url(&self) -> Result<String, Failure> {
        let path = self.home()?.join("run/desk.url");
        match std::fs::read_to_string(path) {
            Ok(url) => Ok(url.trim().to_owned()),
            Err(_) => Err(Failure::usage("no_desk", "this node serves no desk")
                .hint("set [desk] listen in raccordo.toml, and start the node again")),
        }
    }

    /// A connection for administrators.
    ///
    /// # Errors
    /// No home is named, or the node does not answer.
    pub async fn admin(&self) -> Result<Channel, Failure> {
        client::connect(self.home()?, Socket::Admin).await
    }

    /// A connection for operators, and the operator.
    ///
    /// # Errors
    /// No home or token file is named, the file is unfit, or the node does not answer.
    pub async fn casework(&self) -> Result<(Channel, Operator), Failure> {
        let home = self.home()?;
        let operator = Operator::read(self.operator.as_deref())?;
        Ok((client::connect(home, Socket::Casework).await?, operator))
    }
}
