//! Makes a node's home, and opens it: directory, lock, key, database, identity.

mod backup_file;
mod error;
mod init;
mod passphrase;
mod restore;

use std::path::Path;
use std::sync::Arc;

use raccordo_core::entropy::Entropy;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::vault::Vault;

pub use self::backup_file::{BackupReport, read_passphrase, verify_backup};
pub use self::error::SetupError;
pub use self::init::{InitOptions, InitReport, init};
pub use self::restore::{RestoreOptions, RestoreReport, restore};
use crate::app::identity::{self, Identity};
use crate::config::{Config, DatabaseUrl, KeySource};
use crate::entropy::SystemEntropy;
use crate::home::{Home, HomeLock};
use crate::key_file::{self, NodeKey};
use crate::store::Store;
use crate::store::sql::SqlStore;
use crate::transport::identity::TlsIdentity;

/// Connections that read SQLite at once.
const SQLITE_READERS: u32 = 4;

/// A node's home, opened by this process alone.
pub struct Opened {
    /// Where it lies.
    pub home: Home,
    /// What its operator configured.
    pub config: Config,
    /// Keeps other processes out.
    pub lock: HomeLock,
    /// Its database.
    pub store: Arc<dyn Store>,
    /// Opened with the node key.
    pub vault: Vault,
    /// Who it is.
    pub identity: Identity,
    /// Its TLS key.
    pub tls: TlsIdentity,
    /// The machine's randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Opens a node's home for running it.
///
/// # Errors
/// Every variant of [`SetupError`] but those of options.
pub async fn open(home: Home) -> Result<Opened, SetupError> {
    let config = Config::load(&home)?;
    home.prepare()?;
    let lock = home.lock()?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::open()?);
    if config.database.url == DatabaseUrl::Sqlite && !home.database().exists() {
        return Err(SetupError::NotInitialised { home: home.path().to_owned() });
    }
    let vault = Vault::new(&node_key(&home, &config)?);
    let store = open_store(&home, &config).await?;
    store.check().await?;
    let store: Arc<dyn Store> = Arc::new(store);
    let identity = identity::load(&*store, &vault).await?;
    if identity.node != config.node.id {
        let (found, wanted) = (identity.node, config.node.id);
        return Err(SetupError::OtherNode { found, wanted });
    }
    let tls = tls_identity(&identity)?;
    Ok(Opened { home, config, lock, store, vault, identity, tls, entropy })
}

/// The TLS keys of all own cards.
fn tls_identity(identity: &Identity) -> Result<TlsIdentity, SetupError> {
    let mut sets = identity.all();
    let oldest = sets.pop().unwrap_or_else(|| identity.newest());
    let tls = TlsIdentity::from_parts(&oldest.tls_key, &oldest.tls_certificate)?;
    for set in sets.iter().rev() {
        tls.renew(&set.tls_key, &set.tls_certificate)?;
    }
    Ok(tls)
}

/// The node's newest card as a card file; works beside a running node.
///
/// # Errors
/// [`SetupError::NotInitialised`], and what keeps configuration or database from being read.
pub async fn export_card(home: &Home) -> Result<String, SetupError> {
    let config = Config::load(home)?;
    let none = || SetupError::NotInitialised { home: home.path().to_owned() };
    if config.database.url == DatabaseUrl::Sqlite && !home.database().exists() {
        return Err(none());
    }
    let store = SqlStore::connect(&store_url(home, &config)?, 1).await?;
    let card = store.read().await?.own_card().await?.ok_or_else(none)?;
    let card = SignedCard::decode(&card).map_err(|error| SetupError::Card(error.to_string()))?;
    store.close().await;
    Ok(card.to_file())
}

async fn open_store(home: &Home, config: &Config) -> Result<SqlStore, SetupError> {
    let connections = match config.database.url {
        DatabaseUrl::Sqlite => SQLITE_READERS,
        DatabaseUrl::Postgres(_) => config.database.connections.0.get(),
    };
    Ok(SqlStore::open(&store_url(home, config)?, connections).await?)
}

fn store_url(home: &Home, config: &Config) -> Result<String, SetupError> {
    let password = config.database_password(home)?;
    Ok(match config.database.url.postgres(password.as_ref()) {
        Some(url) => url.reveal().clone(),
        None => sqlite_url(&home.database()),
    })
}

/// In a URL these three characters would end or change the path (RFC 3986 §2.2).
fn sqlite_url(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite://{path}")
}

/// The key that opens the vault, from where the configuration says.
fn node_key(home: &Home, config: &Config) -> Result<NodeKey, SetupError> {
    match config.key.source {
        KeySource::File => Ok(key_file::read(&home.resolve(&config.key.file))?),
        KeySource::Credential => {
            let directory = std::env::var_os("CREDENTIALS_DIRECTORY");
            Ok(key_file::read_credential(directory.as_deref().map(Path::new))?)
        }
        KeySource::Passphrase => passphrase::ask(home),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_a_path_in_a_url() {
        let url = sqlite_url(Path::new("/srv/a b#c?d%e/raccordo.db"));
        assert_eq!(url, "sqlite:///srv/a b%23c%3Fd%25e/raccordo.db");
    }
}
