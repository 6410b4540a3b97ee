//! The commented `raccordo.toml` that `raccordo init` writes.

use std::net::SocketAddr;
use std::path::PathBuf;

use raccordo_core::id::NodeId;

use super::database::DatabaseUrl;
use crate::transport::address::HostPort;

/// What `init` was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initial {
    /// The node's id.
    pub id: NodeId,
    /// Its name for people.
    pub name: String,
    /// Its IPA code, if any.
    pub ipa: Option<String>,
    /// Its database.
    pub database: DatabaseUrl,
    /// The file with the database's password, if any.
    pub database_password_file: Option<PathBuf>,
    /// Where it listens as a hub, and its endpoint for others; none if it is no hub.
    pub hub: Option<(SocketAddr, HostPort)>,
}

impl Initial {
    /// The text of the file: what was told, and every other key with its default in a comment.
    pub fn text(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let line = |key: &str, value: Option<String>, otherwise: &str| match value {
            Some(value) => format!("{key} = {value}"),
            None => otherwise.to_owned(),
        };
        let database = (self.database != DatabaseUrl::Sqlite).then(|| self.database.to_string());
        let password = self.database_password_file.as_ref();
        let (listen, endpoint) = match &self.hub {
            Some((listen, endpoint)) => (Some(listen.to_string()), Some(endpoint.to_string())),
            None => (None, None),
        };
        let told = [
            ("@id@", format!("id = {}", quoted(self.id.as_str()))),
            ("@name@", format!("name = {}", quoted(&self.name))),
            (
                "@ipa@",
                line("ipa", self.ipa.as_deref().map(quoted), "# Example: ipa = \"r_toscan\""),
            ),
            ("@url@", line("url", database.as_deref().map(quoted), "#url = \"sqlite\"")),
            (
                "@password_file@",
                line(
                    "password_file",
                    password.map(|path| quoted(&path.to_string_lossy())),
                    "# Example: password_file = \"database.password\"",
                ),
            ),
            (
                "@enabled@",
                line("enabled", self.hub.as_ref().map(|_| "true".into()), "#enabled = false"),
            ),
            (
                "@listen@",
                line("listen", listen.as_deref().map(quoted), "#listen = \"0.0.0.0:7443\""),
            ),
            (
                "@endpoint@",
                line(
                    "endpoint",
                    endpoint.as_deref().map(quoted),
                    "# Example: endpoint = \"hub.example.org:7443\"",
                ),
            ),
        ];
        let mut text = String::with_capacity(TEMPLATE.len());
        for row in TEMPLATE.lines() {
            let filled = told.iter().find(|(mark, _)| row == *mark);
            text.push_str(filled.map_or(row, |(_, line)| line));
            text.push('\n');
        }
        text
    }
}

/// A mark on a line of its own stands for what was told. A line that starts with `#` and a
/// key shows that key's default; tests compare it with the code.
const TEMPLATE: &str = r#"# Raccordo node configuration.
#
# A line like `#key = value` shows the default: remove the `#` to change it. Unknown keys
# are refused. Relative paths start at this file's directory. Changes take effect at the
# next start. Secrets are never written here, only names of files (mode 0600, owned by the
# user that runs the node).

[node]
# Lower-case label, known to all peers; never change it once the card is out.
@id@
# Name that people at other nodes see.
@name@
# Code in the Italian index of public bodies. Default: none.
@ipa@

[database]
# "sqlite" (a file in data/), or "postgres://user@host:port/database" without password.
@url@
# File with PostgreSQL's password. Default: none.
@password_file@
# Connections to PostgreSQL at once; SQLite needs no setting.
#connections = 8

[key]
# What opens the vault: "file", "credential" (systemd, raccordo-node-key), or "passphrase"
# (asked at each start).
#source = "file"
# The key file, for source = "file". Keep it out of data/ and out of the backups of data/.
#file = "node.key"

[hub]
# Whether this node carries the logs of équipes for others. It needs a reachable address.
@enabled@
# Address and port to listen on.
@listen@
# host:port under which others reach it; it is put on the card. Default: none.
@endpoint@
# Messages that each member of an équipe may append to its log within a minute; more are
# refused until their turn.
#entries_per_minute = 600
# Bytes of one équipe's messages kept at once, of each member at most a quarter; when full,
# messages are refused until members have confirmed what they processed. Changes of
# membership and notices have room of their own.
#stored_bytes = 4294967296
# Calls that each peer may make within a minute; further ones wait for their turn.
#calls_per_minute = 6000

[casework]
# Whether operators' systems on this machine may call on run/casework.sock.
#socket = true
# Who may open the socket: "owner" (mode 0600) or "group" (0660). A call needs an
# operator's token besides.
#socket_access = "owner"
# Address and port for systems on other machines, over TLS. Default: none.
# Example: tls_listen = "10.0.0.7:7444"
# Names and addresses that the listener's certificate carries.
#tls_names = ["localhost"]

# Pages for people. They sign in with an account of their own: raccordo operator invite NAME.
[desk]
# Address and port, unencrypted: for a web server on this machine that speaks TLS with the
# browsers. Default: none.
# Example: listen = "127.0.0.1:8080"
# Whether the address above may be one that other machines reach.
#allow_remote = false
# Under which people open it, for links. Default: http:// and the address above.
# Example: address = "https://raccordo.example.org"
# Web servers on other machines that hand requests on and say who asked; one on this machine
# needs no name. Default: none.
# Example: proxies = ["10.0.0.5"]
# Whom to tell of a weakness, in /.well-known/security.txt. Default: none.
# Example: security_contacts = ["mailto:security@example.org"]
# People may also sign in at an identity provider (OpenID Connect); deploy/docs/desk.md.
# Default: none.
# Example: [desk.provider]
# Example: issuer = "https://login.example.org/realms/region"
# Example: client_id = "raccordo"
# Example: client_secret_file = "provider.secret"
# Example: authorities_file = "provider.pem"

# The region's mail server takes a message that there is something new, for operators who ask
# for it at the desk; it says nothing else. Default: none.
# Example: [email]
# Example: server = "smtp.example.org:587"
# Example: from = "raccordo@example.org"
# How the way to the server is encrypted: "starttls", "tls", or "none" on this machine.
# Example: encryption = "starttls"
# Example: user = "raccordo"
# Example: password_file = "email.password"
# Example: authorities_file = "email.pem"
# Shortest time between two messages to one person, in minutes.
# Example: every_minutes = 60

[outbound]
# HTTP proxy (CONNECT) for all outbound connections. Default: none.
# Example: proxy = "http://proxy.example.org:3128"
# File with user:password for the proxy. Default: none.
# Example: proxy_credentials_file = "proxy.credentials"
# Seconds that a connection may take in all: name, TCP, proxy, TLS, first answer.
#connect_timeout_s = 20

[metrics]
# Address and port of /metrics, /healthz and /readyz, unencrypted. Default: none.
# Example: listen = "127.0.0.1:9464"
# Whether the address above may be one that other machines reach.
#allow_remote = false

[log]
# "error", "warn", "info", "debug", "trace", or by module: "info,raccordo_node=debug".
# The variable RACCORDO_LOG goes before it.
#level = "info"
# "json" (one object a line) or "text".
#format = "json"

# What this node does by itself in its équipes.
[membership]
# Days after which it renews its keys in an équipe: older stolen ones read nothing then.
#key_update_days = 7
# Days after which a member that says nothing is called silent by status and doctor.
#silent_after_days = 3

# Bounds of every TLS listener, and of the messages sent.
[limits]
# Connections at once; more are closed.
#connections = 1024
# Of these from one peer (hub), or from one address (casework).
#connections_per_peer = 16
# TLS handshakes under way at once; one more ends the oldest of them.
#pending_handshakes = 128
# Seconds that a handshake may take.
#handshake_timeout_s = 10
# Calls and streams open at once on one connection; more wait.
#streams_per_connection = 256
# Bytes of names and values in a call's metadata; more are refused.
#metadata_bytes = 4096
# Envelopes in one MLS message under backlog; 0: as many as fit. 1 is for measuring.
#envelopes_per_message = 0
"#;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn initial() -> Initial {
        Initial {
            id: "toscana".parse().unwrap(),
            name: "Toscana".into(),
            ipa: None,
            database: DatabaseUrl::Sqlite,
            database_password_file: None,
            hub: None,
        }
    }

    fn parsed(text: &str) -> Config {
        Config::parse(text, Path::new("raccordo.toml")).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Key of a line that shows a default: `#key = value`.
    fn default_line(line: &str) -> Option<&str> {
        let line = line.strip_prefix('#')?;
        line.starts_with(|first: char| first.is_ascii_lowercase()).then_some(line)
    }

    #[test]
    fn commented_defaults_are_those_of_the_code() {
        let text = initial().text();
        let uncommented: Vec<_> =
            text.lines().map(|line| default_line(line).unwrap_or(line)).collect();
        assert_eq!(parsed(&uncommented.join("\n")), parsed(&text));
        let defaults = text.lines().filter_map(default_line).count();
        assert_eq!(defaults, 26);
    }

    #[test]
    fn examples_are_keys_that_are_known() {
        let text = initial().text();
        let shown: Vec<_> =
            text.lines().map(|line| line.strip_prefix("# Example: ").unwrap_or(line)).collect();
        let config = parsed(&shown.join("\n"));
        assert!(config.outbound.proxy.is_some() && config.casework.tls_listen.is_some());
    }

    #[test]
    fn what_was_told_is_there() {
        let told = Initial {
            name: "Regione \"Toscana\"\nè".into(),
            ipa: Some("r_toscan".into()),
            database: "postgres://node@db/raccordo".parse().unwrap(),
            database_password_file: Some("database.password".into()),
            hub: Some(("10.0.0.7:1".parse().unwrap(), "hub.example.org:2".parse().unwrap())),
            ..initial()
        };
        let config = parsed(&told.text());
        assert_eq!(config.display_name(), told.name);
        assert_eq!(config.node.ipa, told.ipa);
        assert_eq!(config.database.url, told.database);
        assert_eq!(config.database.password_file, told.database_password_file);
        assert!(config.hub.enabled);
        assert_eq!((config.hub.listen, config.hub.endpoint.unwrap()), told.hub.unwrap());
    }
}
