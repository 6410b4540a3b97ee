//! Makes a new node: all of it, or nothing.
//!
//! The node's rows in the database are the last step and make it a node. Whatever stops the
//! process before leaves files that the next `init` takes up; an error before it removes
//! what this run has made.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use raccordo_core::id::NodeId;
use raccordo_core::secret::Secret;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::vault::Vault;

use super::{SetupError, node_key, open_store, passphrase};
use crate::app::fault::Whose;
use crate::app::init::{self, NewNode, NewTls};
use crate::clock::SystemClock;
use crate::config::{Config, DatabaseUrl, Initial, KeySource};
use crate::entropy::SystemEntropy;
use crate::home::Home;
use crate::key_file::{self, NodeKey};
use crate::private_file;
use crate::store::Store;
use crate::transport::address::HostPort;
use crate::transport::identity::TlsKey;

/// File with the database's password, beside the configuration.
pub(super) const PASSWORD_FILE: &str = "database.password";

/// What a new node is told, as it was typed.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The home directory, which must not hold a node yet.
    pub home: PathBuf,
    /// Node id: a lower-case DNS-like label.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Code in the index of public administrations.
    pub ipa: Option<String>,
    /// `sqlite`, or a `postgres://` address; a password in it goes into a file of its own.
    pub database: Option<Secret<String>>,
    /// Address on which the node's hub listens.
    pub hub_listen: Option<String>,
    /// `host:port` under which others reach the hub.
    pub hub_endpoint: Option<String>,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitReport {
    /// The node.
    pub node: NodeId,
    /// Its home.
    pub home: PathBuf,
    /// The card file's text.
    pub card: String,
    /// The key file that must be kept safe and apart from the database; none if the key
    /// comes from elsewhere.
    pub key_file: Option<PathBuf>,
}

/// Makes a node.
///
/// # Errors
/// [`SetupError::Option`], [`SetupError::Initialised`], [`SetupError::OtherNode`], and what
/// directory, key or database have to say.
pub async fn init(options: InitOptions) -> Result<InitReport, SetupError> {
    let (initial, password) = initial(&options)?;
    let path = std::path::absolute(&options.home);
    let path = path.map_err(|source| SetupError::Write { path: options.home, source })?;
    let home = Home::new(path);
    let mut made = Made::default();
    made.note_directories(&home);
    let finished = steps(&home, &initial, password.as_ref(), &mut made).await;
    if finished.is_err() {
        made.remove();
    }
    finished
}

async fn steps(
    home: &Home,
    initial: &Initial,
    password: Option<&Secret<String>>,
    made: &mut Made,
) -> Result<InitReport, SetupError> {
    home.prepare()?;
    // Before the configuration is looked at: two at once must not take turns.
    let _lock = home.lock()?;
    let config = configuration(home, initial, password, made)?;
    let store = open_store(home, &config).await?;
    if let Some(row) = store.read().await?.node().await? {
        return Err(already(home, row.node, &initial.id));
    }
    let entropy = SystemEntropy::open()?;
    let key = new_key(home, &config, &entropy, made)?;
    let vault = Vault::new(&key);
    let signing = IdentityKey::random(&entropy);
    let tls = TlsKey::for_peers(&config.node.id, &signing)?;
    let new = NewNode {
        node: config.node.id.clone(),
        name: config.display_name().to_owned(),
        ipa_code: config.node.ipa.clone(),
        hub_endpoint: config.hub.endpoint.as_ref().map(ToString::to_string),
    };
    let TlsKey { pkcs8, certificate } = tls;
    let tls = NewTls { signing, key: pkcs8.reveal().clone(), certificate };
    let card = init::init(&store, &vault, &entropy, &SystemClock, new, tls).await;
    // A commit whose answer was lost may have made the node: its files must stay then.
    if !card.as_ref().is_err_and(|fault| fault.whose == Whose::Usage) {
        made.keep();
    }
    let card = card?;
    store.close().await;
    let key_file = (config.key.source == KeySource::File).then(|| home.resolve(&config.key.file));
    let (node, home) = (config.node.id, home.path().to_owned());
    Ok(InitReport { node, home, card: card.to_file(), key_file })
}

/// A database that holds a node: this home's own, or another's.
fn already(home: &Home, found: NodeId, wanted: &NodeId) -> SetupError {
    match found == *wanted {
        true => SetupError::Initialised { home: home.path().to_owned(), node: found },
        false => SetupError::OtherNode { found, wanted: wanted.clone() },
    }
}

pub(super) fn option<T, E: std::fmt::Display>(
    name: &'static str,
    parsed: Result<T, E>,
) -> Result<T, SetupError> {
    parsed.map_err(|error| SetupError::Option { name, problem: error.to_string() })
}

fn initial(options: &InitOptions) -> Result<(Initial, Option<Secret<String>>), SetupError> {
    let InitOptions { id, name, ipa, database, hub_listen, hub_endpoint, .. } = options;
    let url = database.as_ref().map_or("sqlite", |url| url.reveal().as_str());
    let (database, password) = option("database", DatabaseUrl::split(url))?;
    let hub = match (hub_listen, hub_endpoint) {
        (None, None) => None,
        (Some(listen), Some(endpoint)) => Some((
            option("hub-listen", listen.parse::<SocketAddr>())?,
            option("hub-endpoint", endpoint.parse::<HostPort>())?,
        )),
        _ => {
            let problem = "a hub needs both --hub-listen and --hub-endpoint".to_owned();
            return Err(SetupError::Option { name: "hub-listen", problem });
        }
    };
    let initial = Initial {
        id: option("id", id.parse())?,
        name: name.clone(),
        ipa: ipa.clone(),
        database,
        database_password_file: password.as_ref().map(|_| PASSWORD_FILE.into()),
        hub,
    };
    Ok((initial, password))
}

/// The configuration that is there, of an `init` that was stopped or written by hand; else
/// a new one.
pub(super) fn configuration(
    home: &Home,
    initial: &Initial,
    password: Option<&Secret<String>>,
    made: &mut Made,
) -> Result<Config, SetupError> {
    let path = home.config();
    if path.exists() {
        let config = Config::load(home)?;
        return match config.node.id == initial.id {
            true => Ok(config),
            false => Err(SetupError::Option {
                name: "id",
                problem: format!(
                    "{} names the node {}: give that id, or remove the file",
                    path.display(),
                    config.node.id
                ),
            }),
        };
    }
    if let Some(password) = password {
        let path = home.resolve(Path::new(PASSWORD_FILE));
        if !path.exists() {
            made.file(&path);
            private_file::create(&path, password.reveal().as_bytes())?;
        }
    }
    made.file(&path);
    write(&path, &initial.text()).map_err(|source| SetupError::Write { path, source })?;
    Ok(Config::load(home)?)
}

/// Under another name first, so that half a file is never read.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = fs::File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

pub(super) fn new_key(
    home: &Home,
    config: &Config,
    entropy: &SystemEntropy,
    made: &mut Made,
) -> Result<NodeKey, SetupError> {
    match config.key.source {
        KeySource::File => {
            let path = home.resolve(&config.key.file);
            if path.exists() {
                // Of an `init` that was stopped, or brought by the operator.
                return Ok(key_file::read(&path)?);
            }
            made.file(&path);
            Ok(key_file::create(&path, entropy)?)
        }
        KeySource::Passphrase if !passphrase::exists(home)? => {
            made.file(&passphrase::params_file(home));
            passphrase::ask_new(home, entropy)
        }
        KeySource::Passphrase | KeySource::Credential => node_key(home, config),
    }
}

/// What this run has made, newest last.
#[derive(Default)]
pub(super) struct Made {
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    /// Notes which directories and database files are not there yet.
    pub(super) fn note_directories(&mut self, home: &Home) {
        let parts = [home.path().to_owned(), home.data(), home.run()];
        self.directories.extend(parts.into_iter().filter(|path| !path.exists()));
        let database = home.database();
        if !database.exists() {
            let beside = ["-wal", "-shm"].map(|end| {
                let mut name = database.clone().into_os_string();
                name.push(end);
                PathBuf::from(name)
            });
            self.files.extend(beside);
            self.files.push(database);
        }
        if !home.data().exists() {
            self.files.push(home.data().join("lock"));
        }
    }

    fn file(&mut self, path: &Path) {
        self.files.push(path.to_owned());
    }

    pub(super) fn keep(&mut self) {
        *self = Self::default();
    }

    pub(super) fn remove(&self) {
        // What cannot be removed is taken up by the next `init`; the first error counts.
        for file in self.files.iter().rev() {
            let _ = fs::remove_file(file);
        }
        for directory in self.directories.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{export_card, open};
    use super::*;

    fn options(home: &Path) -> InitOptions {
        InitOptions {
            home: home.to_owned(),
            id: "toscana".into(),
            name: "Regione Toscana".into(),
            ipa: Some("r_toscan".into()),
            database: None,
            hub_listen: None,
            hub_endpoint: None,
        }
    }

    #[tokio::test]
    async fn a_new_node_opens_and_shows_its_card() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("toscana");
        let report = init(options(&home)).await.unwrap();
        assert_eq!(report.node.as_str(), "toscana");
        assert_eq!(export_card(&Home::new(&home)).await.unwrap(), report.card);
        let opened = open(Home::new(&home)).await.unwrap();
        assert_eq!(opened.identity.card().to_file(), report.card);
        assert_eq!(opened.tls.spki_digest(), opened.identity.card().card().tls_pin());
    }

    #[tokio::test]
    async fn a_second_init_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let report = init(options(directory.path())).await.unwrap();
        let error = init(options(directory.path())).await.unwrap_err();
        assert!(matches!(error, SetupError::Initialised { .. }), "{error}");
        assert_eq!(error.exit_code(), 6);
        assert_eq!(export_card(&Home::new(directory.path())).await.unwrap(), report.card);
    }

    #[tokio::test]
    async fn an_error_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("toscana");
        let name = "x".repeat(1000);
        let error = init(InitOptions { name, ..options(&home) }).await.unwrap_err();
        assert_eq!((error.exit_code(), home.exists()), (2, false), "{error}");
        let wrong: [fn(&mut InitOptions); 4] = [
            |options| options.id = "Toscana!".into(),
            |options| options.database = Some(Secret::new("mysql://x".into())),
            |options| options.hub_listen = Some("127.0.0.1:0".into()),
            |options| options.hub_endpoint = Some("relay:0".into()),
        ];
        for change in wrong {
            let mut options = options(&home);
            change(&mut options);
            let error = init(options).await.unwrap_err();
            assert!(matches!(error, SetupError::Option { .. }), "{error}");
            assert!(!home.exists());
        }
    }

    #[tokio::test]
    async fn an_init_that_was_stopped_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        home.prepare().unwrap();
        fs::write(home.config(), initial(&options(home.path())).unwrap().0.text()).unwrap();
        key_file::create(&home.key(), &SystemEntropy::open().unwrap()).unwrap();
        let key = fs::read(home.key()).unwrap();
        init(options(home.path())).await.unwrap();
        assert_eq!(fs::read(home.key()).unwrap(), key);
        open(home).await.unwrap();
    }

    #[tokio::test]
    async fn a_configuration_of_another_node_is_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let other = InitOptions { id: "umbria".into(), ..options(directory.path()) };
        fs::write(Home::new(directory.path()).config(), initial(&other).unwrap().0.text()).unwrap();
        let error = init(options(directory.path())).await.unwrap_err();
        assert!(error.to_string().contains("umbria"), "{error}");
    }
}
