//! Why a node does not run.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::api::serve::DescriptorError;
use crate::setup::SetupError;
use crate::telemetry::TelemetryError;
use crate::transport::email::EmailError;
use crate::transport::identity::IdentityError;
use crate::transport::provider::ProviderSettingsError;
use crate::transport::unix::SocketError;

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its home cannot be opened.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Logs or metrics cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// An address cannot be listened on (operator).
    #[error("cannot listen on {address} for [{section}]: {source}")]
    Listen {
        /// The section of the configuration.
        section: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The identity provider cannot be used as it is configured (operator).
    #[error("[desk.provider] {0}")]
    Provider(#[from] ProviderSettingsError),
    /// The mail server cannot be used as it is configured (operator).
    #[error("[email] {0}")]
    Email(#[from] EmailError),
    /// A Unix socket cannot be made (operator).
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Where a listener was found cannot be written down (machine).
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// TLS cannot be set up (ourselves).
    #[error(transparent)]
    Tls(#[from] IdentityError),
    /// Reflection cannot be set up (ourselves).
    #[error(transparent)]
    Descriptors(#[from] DescriptorError),
    /// Threads or signals cannot be had (machine).
    #[error("the operating system gives no threads or signals: {0}")]
    Runtime(io::Error),
    /// A listener ended by itself (machine); the log has why.
    #[error("a listener has failed; see the log")]
    ListenerFailed,
}

impl RunError {
    /// The next step; empty where the sentence names it already.
    pub fn hint(&self) -> String {
        match self {
            Self::Setup(error) => error.hint(),
            Self::Listen { source, .. } => match source.kind() {
                io::ErrorKind::AddrInUse => {
                    "another program listens there: stop it, or configure another port".into()
                }
                io::ErrorKind::PermissionDenied => "choose a port from 1024 on".into(),
                _ => "the address must be one of this machine's".into(),
            },
            _ => String::new(),
        }
    }

    /// How the process ends: 1 ours, 2 configuration, 5 the database cannot be reached, 6 in
    /// conflict with another process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Setup(error) => error.exit_code(),
            Self::Listen { .. } | Self::Provider(_) | Self::Email(_) => 2,
            Self::Socket(SocketError::InUse { .. }) => 6,
            Self::Socket(_) => 2,
            Self::Telemetry(TelemetryError::Level { .. }) => 2,
            Self::Telemetry(_)
            | Self::Write { .. }
            | Self::Tls(_)
            | Self::Descriptors(_)
            | Self::Runtime(_)
            | Self::ListenerFailed => 1,
        }
    }
}
