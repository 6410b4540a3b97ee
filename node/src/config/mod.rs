//! `raccordo.toml`: one struct per section, every key with its default.
//!
//! Unknown keys are refused, and an error shows its line. Paths that are relative start at
//! the node's directory. Secrets are never in this file, only the names of files that hold
//! them. The one overlay is the variable `RACCORDO_LOG`, in place of `[log] level`.

mod database;
mod initial;
mod sections;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use raccordo_core::secret::Secret;
use serde::Deserialize;

pub use self::database::{DatabaseUrl, DatabaseUrlError};
pub use self::initial::Initial;
pub use self::sections::{
    CaseworkSection, Connections, DatabaseSection, DeskSection, EmailSection, HubSection,
    KeySection, KeySource, LimitsSection, LogSection, MembershipSection, MetricsSection,
    NodeSection, OutboundSection, SocketAccess,
};
use crate::home::Home;
use crate::private_file::{self, PrivateFileError};
use crate::telemetry::LogLevel;

/// The variable that replaces `[log] level`.
pub const LOG_VARIABLE: &str = "RACCORDO_LOG";

/// Why the configuration cannot be used; always the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there.
    #[error("{path} is missing: run `raccordo init` first, or name another directory by --home")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is wrong; the text shows it with a mark below.
    #[error("{path}: {text}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, column, the line itself, a mark, and what is wrong.
        text: String,
    },
    /// Two keys do not go together.
    #[error("{path}: {text}")]
    Conflict {
        /// The file.
        path: PathBuf,
        /// Which, and what to do.
        text: &'static str,
    },
    /// `RACCORDO_LOG` is no log level.
    #[error("{LOG_VARIABLE}: {0}")]
    Variable(String),
    /// A file that a key names holds no usable secret.
    #[error("[{section}] {key}: {source}")]
    SecretFile {
        /// The section.
        section: &'static str,
        /// The key that names the file.
        key: &'static str,
        /// What is wrong with it.
        source: PrivateFileError,
    },
    /// A file that a key names holds no text.
    #[error("[{section}] {key}: the file holds no UTF-8 text")]
    SecretText {
        /// The section.
        section: &'static str,
        /// The key that names the file.
        key: &'static str,
    },
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who this node is.
    pub node: NodeSection,
    /// Where data is kept.
    #[serde(default)]
    pub database: DatabaseSection,
    /// What opens the vault.
    #[serde(default)]
    pub key: KeySection,
    /// Carrying the logs of équipes.
    #[serde(default)]
    pub hub: HubSection,
    /// Operators' systems.
    #[serde(default)]
    pub casework: CaseworkSection,
    /// Pages for people.
    #[serde(default)]
    pub desk: DeskSection,
    /// E-mail that there is something new.
    pub email: Option<EmailSection>,
    /// The way out.
    #[serde(default)]
    pub outbound: OutboundSection,
    /// Metrics and health.
    #[serde(default)]
    pub metrics: MetricsSection,
    /// Log lines.
    #[serde(default)]
    pub log: LogSection,
    /// Bounds of every TLS listener, and of the messages sent.
    #[serde(default)]
    pub limits: LimitsSection,
    /// What the node does by itself in its équipes.
    #[serde(default)]
    pub membership: MembershipSection,
}

impl Config {
    /// Reads `raccordo.toml` of a node, and `RACCORDO_LOG`.
    ///
    /// # Errors
    /// Every variant of [`ConfigError`] but those of secret files.
    pub fn load(home: &Home) -> Result<Self, ConfigError> {
        let path = home.config();
        let text = fs::read_to_string(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing { path: path.clone() },
            _ => ConfigError::Unreadable { path: path.clone(), source },
        })?;
        let level = std::env::var(LOG_VARIABLE).ok();
        Self::parse(&text, &path)?.with_log_level(level.as_deref())
    }

    /// Parses the text of a file; `path` is only for errors.
    ///
    /// # Errors
    /// [`ConfigError::Line`] or [`ConfigError::Conflict`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let path = || path.to_owned();
        let parsed = toml::from_str::<Self>(text).map_err(|error| {
            let text = error.to_string().trim_end().to_owned();
            ConfigError::Line { path: path(), text }
        })?;
        match parsed.conflict() {
            Some(text) => Err(ConfigError::Conflict { path: path(), text }),
            None => Ok(parsed),
        }
    }

    /// Takes the level of `RACCORDO_LOG` if it is set.
    ///
    /// # Errors
    /// [`ConfigError::Variable`].
    pub fn with_log_level(mut self, level: Option<&str>) -> Result<Self, ConfigError> {
        if let Some(text) = level.filter(|text| !text.is_empty()) {
            let level = text.parse::<LogLevel>();
            self.log.level = level.map_err(|error| ConfigError::Variable(error.to_string()))?;
        }
        Ok(self)
    }

    /// The name shown to people: the id where none is set.
    pub fn display_name(&self) -> &str {
        self.node.name.as_deref().unwrap_or(self.node.id.as_str())
    }

    /// PostgreSQL's password, if a file is named.
    ///
    /// # Errors
    /// [`ConfigError::SecretFile`] or [`ConfigError::SecretText`].
    pub fn database_password(&self, home: &Home) -> Result<Option<Secret<String>>, ConfigError> {
        let file = self.database.password_file.as_deref();
        secret_line(home, "database", "password_file", file)
    }

    fn conflict(&self) -> Option<&'static str> {
        if self.hub.enabled && self.hub.endpoint.is_none() {
            return Some(
                "[hub] enabled = true needs endpoint = \"host:port\", \
                 under which the other nodes reach this one",
            );
        }
        let remote = self.metrics.listen.is_some_and(|listen| !listen.ip().is_loopback());
        if remote && !self.metrics.allow_remote {
            return Some(
                "[metrics] listen is open to other machines: use 127.0.0.1, \
                 or set allow_remote = true",
            );
        }
        let remote = self.desk.listen.is_some_and(|listen| !listen.ip().is_loopback());
        if remote && !self.desk.allow_remote {
            return Some(
                "[desk] listen is open to other machines without encryption: use 127.0.0.1 \
                 behind a web server that speaks TLS, or set allow_remote = true",
            );
        }
        if !self.desk.has_good_contacts() {
            return Some(
                "[desk] security_contacts are URIs such as \"mailto:security@example.org\" or \
                 \"https://example.org/security\"",
            );
        }
        if self.desk.provider.as_ref().is_some_and(|provider| !provider.is_safe()) {
            return Some(
                "[desk.provider] issuer must begin with https:// (http:// only for 127.0.0.1)",
            );
        }
        if self.email.as_ref().is_some_and(|email| !email.is_safe()) {
            return Some("[email] encryption = \"none\" is only for a server on 127.0.0.1");
        }
        if self.email.as_ref().is_some_and(|it| it.user.is_some() != it.password_file.is_some()) {
            return Some("[email] user and password_file go together");
        }
        if self.outbound.proxy.is_none() && self.outbound.proxy_credentials_file.is_some() {
            return Some("[outbound] proxy_credentials_file is set, but proxy is not");
        }
        if self.key.source == KeySource::File && is_in_data(&self.key.file) {
            return Some(
                "[key] file lies in data, where a copy of the database would take it along: \
                 move it out",
            );
        }
        None
    }
}

fn is_in_data(file: &Path) -> bool {
    file.is_relative() && file.components().any(|part| part.as_os_str() == "data")
}

/// The first and only line of a secret file, without its end.
fn secret_line(
    home: &Home,
    section: &'static str,
    key: &'static str,
    file: Option<&Path>,
) -> Result<Option<Secret<String>>, ConfigError> {
    let Some(file) = file else {
        return Ok(None);
    };
    let read = private_file::read(&home.resolve(file));
    let bytes = read.map_err(|source| ConfigError::SecretFile { section, key, source })?;
    match std::str::from_utf8(bytes.reveal()) {
        Ok(text) => Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))),
        Err(_) => Err(ConfigError::SecretText { section, key }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(rest: &str) -> Result<Config, ConfigError> {
        let text = format!("[node]\nid = \"toscana\"\n{rest}");
        Config::parse(&text, Path::new("raccordo.toml"))
    }

    fn check_refused(rest: &str, expected: &[&str]) {
        let error = parsed(rest).unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "{part:?} is not in\n{error}");
        }
    }

    #[test]
    fn an_id_is_enough() {
        let config = parsed("").unwrap();
        assert_eq!(config.display_name(), "toscana");
        assert_eq!(config.database.url, DatabaseUrl::Sqlite);
        assert!(config.casework.socket && !config.hub.enabled && config.metrics.listen.is_none());
    }

    #[test]
    fn an_unknown_key_shows_its_line() {
        check_refused(
            "[hub]\nlisten = \"0.0.0.0:1\"\nendpiont = \"a:1\"\n",
            &["raccordo.toml", "line 5", "endpiont = \"a:1\"", "^^^", "unknown field", "endpoint"],
        );
        check_refused("[hbu]\n", &["line 3", "[hbu]", "unknown field"]);
    }

    #[test]
    fn a_wrong_value_shows_its_line() {
        check_refused("[outbound]\nproxy = \"https://p:1\"\n", &["line 4", "plain HTTP proxies"]);
        check_refused("[limits]\nconnections = 0\n", &["line 4", "connections = 0", "nonzero"]);
        check_refused("[log]\nlevel = \"info=loud\"\n", &["line 4", "info=loud"]);
        check_refused("[database]\nurl = \"mysql://x\"\n", &["line 4", "postgres://"]);
        check_refused("[key]\nsource = \"tpm\"\n", &["line 4", "credential"]);
    }

    #[test]
    fn a_missing_id_is_told() {
        let error = Config::parse("", Path::new("raccordo.toml")).unwrap_err().to_string();
        assert!(error.contains("node"), "{error}");
    }

    #[test]
    fn keys_that_do_not_go_together() {
        check_refused("[hub]\nenabled = true\n", &["endpoint"]);
        check_refused("[metrics]\nlisten = \"0.0.0.0:9\"\n", &["allow_remote"]);
        let provider = |issuer: &str| {
            format!(
                "[desk.provider]\nissuer = \"{issuer}\"\nclient_id = \"r\"\n\
                 client_secret_file = \"s\"\n"
            )
        };
        for unsafe_one in ["http://login.example.org", "http://127.0.0.1.example.org", "ftp://x"] {
            check_refused(&provider(unsafe_one), &["https://"]);
        }
        for good in ["https://login.example.org/realms/x", "http://127.0.0.1:8080"] {
            parsed(&provider(good)).unwrap();
        }
        let email = |server: &str, rest: &str| {
            format!("[email]\nserver = \"{server}\"\nfrom = \"r@example.org\"\n{rest}")
        };
        check_refused(&email("mail.example.org:25", "encryption = \"none\"\n"), &["127.0.0.1"]);
        check_refused(&email("mail.example.org:25", "user = \"r\"\n"), &["go together"]);
        parsed(&email("127.0.0.1:25", "encryption = \"none\"\n")).unwrap();
        parsed(&email("mail.example.org:587", "")).unwrap();
        check_refused("[desk]\nlisten = \"0.0.0.0:9\"\n", &["behind a web server"]);
        for wrong in ["security@example.org", "http://example.org", "mailto:a@b\\nExpires: x"] {
            let contacts = format!("[desk]\nsecurity_contacts = [\"{wrong}\"]\n");
            check_refused(&contacts, &["security_contacts"]);
        }
        parsed("[desk]\nsecurity_contacts = [\"mailto:s@example.org\", \"tel:+39-055-1\"]\n")
            .unwrap();
        check_refused("[desk]\nproxies = [\"web.example.org\"]\n", &["line 4", "IP address"]);
        parsed("[desk]\nproxies = [\"10.0.0.5\", \"2001:db8::5\"]\n").unwrap();
        check_refused("[outbound]\nproxy_credentials_file = \"p\"\n", &["proxy is not"]);
        check_refused("[key]\nfile = \"data/node.key\"\n", &["move it out"]);
        parsed("[metrics]\nlisten = \"127.0.0.1:9\"\n").unwrap();
        parsed("[metrics]\nlisten = \"0.0.0.0:9\"\nallow_remote = true\n").unwrap();
        parsed("[hub]\nenabled = true\nendpoint = \"hub.example.org:7443\"\n").unwrap();
    }

    #[test]
    fn the_variable_replaces_the_level() {
        let level = |variable| {
            let config = parsed("[log]\nlevel = \"warn\"\n").unwrap();
            config.with_log_level(variable).map(|config| config.log.level.to_string())
        };
        assert_eq!(level(None).unwrap(), "warn");
        assert_eq!(level(Some("")).unwrap(), "warn");
        assert_eq!(level(Some("debug")).unwrap(), "debug");
        assert!(level(Some("info=loud")).is_err());
    }

    #[test]
    fn a_missing_file_names_init() {
        let directory = tempfile::tempdir().unwrap();
        let error = Config::load(&Home::new(directory.path())).unwrap_err().to_string();
        assert!(error.contains("raccordo init"), "{error}");
    }

    #[test]
    fn secrets_come_from_closed_files() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let config = parsed("[outbound]\nproxy = \"p:1\"\nproxy_credentials_file = \"p\"\n");
        let outbound = config.unwrap().outbound;
        assert!(matches!(outbound.proxy(&home), Err(ConfigError::SecretFile { .. })));
        private_file::create(&directory.path().join("p"), b"me:word\n").unwrap();
        let credentials = outbound.proxy(&home).unwrap().unwrap().credentials.unwrap();
        assert_eq!(credentials.reveal(), "me:word");
    }
}
