//! The sections of `raccordo.toml`, each with its defaults.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use raccordo_core::id::NodeId;
use raccordo_core::secret::Secret;
use serde::Deserialize;

use super::database::DatabaseUrl;
use super::{ConfigError, secret_line};
use crate::home::Home;
use crate::telemetry::{LogFormat, LogLevel};
use crate::transport::accept::AcceptLimits;
use crate::transport::address::HostPort;
use crate::transport::email::{EmailSettings, Encryption};
use crate::transport::limits::CallLimits;
use crate::transport::proxy::{Proxy, ProxyUrl};

/// `[node]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSection {
    /// Lower-case label, 1 to 63 bytes; required, and fixed once a card is out.
    pub id: NodeId,
    /// Name shown to people at other nodes. Default: the id.
    pub name: Option<String>,
    /// Code in the Italian index of public bodies (IPA). Default: none.
    pub ipa: Option<String>,
}

/// `[database]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSection {
    /// `sqlite` (a file in `data`), or `postgres://…` without a password. Default: `sqlite`.
    pub url: DatabaseUrl,
    /// File of mode 0600 with PostgreSQL's password. Default: none.
    pub password_file: Option<PathBuf>,
    /// Connections to PostgreSQL at once. Default: 8.
    pub connections: Connections,
}

/// A number of database connections, 8 unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Connections(pub NonZeroU32);

impl Default for Connections {
    fn default() -> Self {
        Self(const { NonZeroU32::new(8).unwrap() })
    }
}

/// Where the node key comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    /// A file of mode 0600.
    #[default]
    File,
    /// The systemd credential `raccordo-node-key`.
    Credential,
    /// Typed at each start.
    Passphrase,
}

/// `[key]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeySection {
    /// `file`, `credential` or `passphrase`. Default: `file`.
    pub source: KeySource,
    /// Path of the key file, outside `data`. Default: `node.key`.
    pub file: PathBuf,
}

impl Default for KeySection {
    fn default() -> Self {
        Self { source: KeySource::File, file: "node.key".into() }
    }
}

/// `[hub]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubSection {
    /// Whether this node carries équipes' logs. Default: false.
    pub enabled: bool,
    /// Address and port to listen on. Default: `0.0.0.0:7443`.
    pub listen: SocketAddr,
    /// `host:port` under which others reach it, put on the card; required when enabled.
    pub endpoint: Option<HostPort>,
    /// Messages that each member of an équipe may append to its log within a minute; more are
    /// refused until their turn. Default: 600.
    pub entries_per_minute: NonZeroU32,
    /// Bytes of one équipe's messages that are kept at once, of each member at most a quarter;
    /// when full, messages are refused until members confirm. Changes of membership and
    /// notices have room of their own. Default: 4 GiB.
    pub stored_bytes: NonZeroU64,
    /// Calls that each peer may make within a minute; further ones wait for their turn.
    /// Default: 6,000.
    pub calls_per_minute: NonZeroU32,
}

impl Default for HubSection {
    fn default() -> Self {
        Self {
            enabled: false,
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 7443)),
            endpoint: None,
            entries_per_minute: const { NonZeroU32::new(600).unwrap() },
            stored_bytes: const { NonZeroU64::new(4 << 30).unwrap() },
            calls_per_minute: const { NonZeroU32::new(6_000).unwrap() },
        }
    }
}

/// Who may call on a Unix socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SocketAccess {
    /// The user that runs the node (mode 0600).
    #[default]
    Owner,
    /// Also the group of that user (mode 0660).
    Group,
}

impl SocketAccess {
    /// Permission bits of the socket.
    pub fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o660,
        }
    }
}

/// `[casework]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaseworkSection {
    /// Whether `run/casework.sock` is served. Default: true.
    pub socket: bool,
    /// `owner` or `group`: who may call on the socket; each call needs a token besides.
    /// Default: `owner`.
    pub socket_access: SocketAccess,
    /// Address and port for the region's own systems, over TLS. Default: none.
    pub tls_listen: Option<SocketAddr>,
    /// Names and addresses in the listener's certificate. Default: `localhost`.
    pub tls_names: Vec<String>,
}

impl Default for CaseworkSection {
    fn default() -> Self {
        Self {
            socket: true,
            socket_access: SocketAccess::Owner,
            tls_listen: None,
            tls_names: vec!["localhost".into()],
        }
    }
}

/// `[desk]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskSection {
    /// Address and port of the pages, unencrypted: for a web server on this machine that
    /// speaks TLS with the browsers. Default: none.
    pub listen: Option<SocketAddr>,
    /// Whether `listen` may be reached from other machines. Default: false.
    pub allow_remote: bool,
    /// Under which people open the desk, such as `https://raccordo.example.org`, for the links
    /// that activate accounts. Default: `http://` and the address above.
    pub address: Option<String>,
    /// Addresses of web servers on other machines that hand requests on: like one on this
    /// machine, they are believed when they say in `X-Forwarded-For` who asked. Default: none.
    pub proxies: Vec<IpAddr>,
    /// Whom to tell of a weakness, in `/.well-known/security.txt` (RFC 9116): `mailto:`,
    /// `https:` or `tel:`. Without any there is no such page. Default: none.
    pub security_contacts: Vec<String>,
    /// Where people may also sign in. Default: none.
    pub provider: Option<ProviderSection>,
}

impl DeskSection {
    /// Whether every contact is a URI of a kind that people can use, on one line.
    pub fn has_good_contacts(&self) -> bool {
        let good = |contact: &String| {
            let known = ["mailto:", "https://", "tel:"].iter().any(|it| contact.starts_with(it));
            known && contact.bytes().all(|byte| byte.is_ascii_graphic())
        };
        self.security_contacts.iter().all(good)
    }
}

/// `[desk.provider]`: the region's identity provider, over OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSection {
    /// Its address, such as `https://login.regione.example.it/realms/lavoro`, below which
    /// `.well-known/openid-configuration` is.
    pub issuer: String,
    /// As which this node is registered there, with the address
    /// `ADDRESS/sign-in/provider/done` to come back to.
    pub client_id: String,
    /// File of mode 0600 with the secret of that registration.
    pub client_secret_file: PathBuf,
    /// File of certificates (PEM) that vouch for it. Default: those that browsers trust.
    #[serde(default)]
    pub authorities_file: Option<PathBuf>,
}

impl ProviderSection {
    /// Whether calls to it are encrypted, or stay on this machine.
    pub fn is_safe(&self) -> bool {
        let plain = self.issuer.strip_prefix("http://");
        let here = plain.map(|rest| rest.split([':', '/']).next().unwrap_or_default());
        here.map_or(self.issuer.starts_with("https://"), |host| host == "127.0.0.1")
    }

    /// The secret of the registration.
    ///
    /// # Errors
    /// [`ConfigError::SecretFile`] or [`ConfigError::SecretText`].
    pub fn client_secret(&self, home: &Home) -> Result<Secret<String>, ConfigError> {
        let file = Some(self.client_secret_file.as_path());
        let read = secret_line(home, "desk.provider", "client_secret_file", file)?;
        Ok(read.unwrap_or_else(|| Secret::new(String::new())))
    }

    /// What the file of authorities holds.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`].
    pub fn authorities(&self, home: &Home) -> Result<Option<Vec<u8>>, ConfigError> {
        read(home, self.authorities_file.as_deref())
    }
}

/// `[email]`: the region's mail server, which takes the message that there is something new.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailSection {
    /// `host:port` of the server.
    pub server: HostPort,
    /// `starttls`, `tls`, or `none` for a server on this machine. Default: `starttls`.
    #[serde(default)]
    pub encryption: Encryption,
    /// As whom the node writes, such as `raccordo@example.org`.
    pub from: String,
    /// User at the server, if it asks for one. Default: none.
    #[serde(default)]
    pub user: Option<String>,
    /// File of mode 0600 with the user's password. Default: none.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// File of certificates (PEM) that vouch for the server. Default: those that browsers
    /// trust.
    #[serde(default)]
    pub authorities_file: Option<PathBuf>,
    /// Shortest time between two messages to one person, in minutes. Default: 60.
    #[serde(default = "hour")]
    pub every_minutes: u32,
}

fn hour() -> u32 {
    60
}

impl EmailSection {
    /// Whether messages to the server are encrypted, or stay on this machine.
    pub fn is_safe(&self) -> bool {
        self.encryption != Encryption::None || self.server.host == "127.0.0.1"
    }

    /// The server with its secrets, for calls of at most `patience`.
    ///
    /// # Errors
    /// [`ConfigError::SecretFile`], [`ConfigError::SecretText`] or [`ConfigError::Unreadable`].
    pub fn settings(&self, home: &Home, patience: Duration) -> Result<EmailSettings, ConfigError> {
        let password = secret_line(home, "email", "password_file", self.password_file.as_deref())?;
        Ok(EmailSettings {
            server: self.server.clone(),
            encryption: self.encryption,
            from: self.from.clone(),
            credentials: self.user.clone().zip(password),
            authorities: read(home, self.authorities_file.as_deref())?,
            patience,
        })
    }
}

/// What a file holds that is no secret.
fn read(home: &Home, file: Option<&Path>) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(file) = file else { return Ok(None) };
    let path = home.resolve(file);
    let read = std::fs::read(&path);
    read.map(Some).map_err(|source| ConfigError::Unreadable { path, source })
}

/// `[outbound]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundSection {
    /// HTTP proxy for all outbound connections, by CONNECT. Default: none.
    pub proxy: Option<ProxyUrl>,
    /// File of mode 0600 with `user:password` for the proxy. Default: none.
    pub proxy_credentials_file: Option<PathBuf>,
    /// Seconds that a connection may take in all. Default: 20.
    pub connect_timeout_s: NonZeroU32,
}

impl Default for OutboundSection {
    fn default() -> Self {
        let connect_timeout_s = const { NonZeroU32::new(20).unwrap() };
        Self { proxy: None, proxy_credentials_file: None, connect_timeout_s }
    }
}

impl OutboundSection {
    /// Longest time until a connection stands.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_s.get().into())
    }

    /// The proxy with its credentials, if one is set.
    ///
    /// # Errors
    /// [`ConfigError::SecretFile`] or [`ConfigError::SecretText`].
    pub fn proxy(&self, home: &Home) -> Result<Option<Proxy>, ConfigError> {
        let Some(url) = self.proxy.clone() else {
            return Ok(None);
        };
        let file = self.proxy_credentials_file.as_deref();
        let credentials = secret_line(home, "outbound", "proxy_credentials_file", file)?;
        Ok(Some(Proxy { url, credentials }))
    }
}

/// `[metrics]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsSection {
    /// Address and port of `/metrics`, `/healthz`, `/readyz`, unencrypted. Default: none.
    pub listen: Option<SocketAddr>,
    /// Whether `listen` may be reached from other machines. Default: false.
    pub allow_remote: bool,
}

/// `[log]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a list by module. Default: `info`.
    pub level: LogLevel,
    /// `json` or `text`. Default: `json`.
    pub format: LogFormat,
}

/// `[membership]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MembershipSection {
    /// Days after which this node renews the keys of its leaf in an équipe. Default: 7.
    pub key_update_days: NonZeroU32,
    /// Days after which a member that says nothing is called silent. Default: 3.
    pub silent_after_days: NonZeroU32,
}

impl Default for MembershipSection {
    fn default() -> Self {
        Self {
            key_update_days: const { NonZeroU32::new(7).unwrap() },
            silent_after_days: const { NonZeroU32::new(3).unwrap() },
        }
    }
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// Connections at once on one listener, also of pages and metrics. Default: 1024.
    pub connections: NonZeroUsize,
    /// Of these from one peer, or from one address where clients show no key. Default: 16.
    pub connections_per_peer: NonZeroUsize,
    /// TLS handshakes under way at once, and connections that have asked for no page yet; one
    /// more ends the oldest. Default: 128.
    pub pending_handshakes: NonZeroUsize,
    /// Seconds that a handshake may take, and the headers of a request for a page. Default: 10.
    pub handshake_timeout_s: NonZeroU32,
    /// Calls and streams open at once on one connection. Default: 256.
    pub streams_per_connection: NonZeroU32,
    /// Bytes of names and values in a call's metadata. Default: 4096.
    pub metadata_bytes: NonZeroUsize,
    /// Envelopes (alerts, withdrawals, receipts) that one MLS message carries under backlog;
    /// 0: as many as fit. 1 makes every alert a message of its own, which costs about ten
    /// times the work, and is for measuring. Default: 0.
    pub envelopes_per_message: usize,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            connections: const { NonZeroUsize::new(1024).unwrap() },
            connections_per_peer: const { NonZeroUsize::new(16).unwrap() },
            pending_handshakes: const { NonZeroUsize::new(128).unwrap() },
            handshake_timeout_s: const { NonZeroU32::new(10).unwrap() },
            streams_per_connection: const { NonZeroU32::new(256).unwrap() },
            metadata_bytes: const { NonZeroUsize::new(4096).unwrap() },
            envelopes_per_message: 0,
        }
    }
}

impl LimitsSection {
    /// Most envelopes of one MLS message.
    pub fn envelopes_per_message_max(&self) -> usize {
        match self.envelopes_per_message {
            0 => usize::MAX,
            most => most,
        }
    }

    /// What a listener allows its callers.
    pub fn calls(&self) -> CallLimits {
        CallLimits {
            streams: self.streams_per_connection.get(),
            metadata_bytes: self.metadata_bytes.get(),
        }
    }

    /// What a gate allows.
    pub fn accept(&self) -> AcceptLimits {
        AcceptLimits {
            handshake: Duration::from_secs(self.handshake_timeout_s.get().into()),
            pending_handshakes: self.pending_handshakes.get(),
            connections: self.connections.get(),
            connections_per_peer: self.connections_per_peer.get(),
        }
    }
}
