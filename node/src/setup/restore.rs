//! Makes a node again from a backup: in an empty home, on a database of either kind, with a
//! node key of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use raccordo_core::backup::BackupError;
use raccordo_core::id::NodeId;
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;
use raccordo_core::trust::card::{Card, SignedCard};
use raccordo_core::vault::Vault;

use super::backup_file::{BackupFile, BackupReport, verify_backup};
use super::init::{Made, PASSWORD_FILE, configuration, new_key, option};
use super::{SetupError, store_url};
use crate::app::backup::restore::{Restoration, make_node};
use crate::app::fault::Whose;
use crate::clock::SystemClock;
use crate::config::{Config, DatabaseUrl, Initial, KeySource};
use crate::entropy::SystemEntropy;
use crate::home::Home;
use crate::store::Store;
use crate::store::sql::SqlStore;

/// What a restoration is told.
#[derive(Clone, Debug)]
pub struct RestoreOptions {
    /// The backup.
    pub file: PathBuf,
    /// Its passphrase.
    pub passphrase: Secret<String>,
    /// The home directory, which must not hold a node yet. A `raccordo.toml` and a node key
    /// that are there already are used.
    pub home: PathBuf,
    /// `sqlite`, or a `postgres://` address; a password in it goes into a file of its own.
    pub database: Option<Secret<String>>,
    /// Address on which the node's hub listens, where its card names an endpoint.
    pub hub_listen: Option<String>,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    /// The node.
    pub node: NodeId,
    /// Its home.
    pub home: PathBuf,
    /// When the backup was made.
    pub made_at: Instant,
    /// The key file that must be kept safe; none if the key comes from elsewhere.
    pub key_file: Option<PathBuf>,
    /// Names of the équipes that it asks to rejoin once it runs.
    pub rejoins: Vec<String>,
    /// The endpoint of a hub that the card names and that this home does not run.
    pub hub_missing: Option<String>,
}

/// Makes a node from a backup, all of it or nothing. The whole file is verified first.
///
/// # Errors
/// [`SetupError::Backup`], [`SetupError::Initialised`], [`SetupError::Option`], and what
/// directory, key or database have to say.
pub async fn restore(options: RestoreOptions) -> Result<RestoreReport, SetupError> {
    let report = verify_backup(&options.file, &options.passphrase)?;
    let card = card_of(&report)?;
    let (initial, password) = initial(&options, card.card())?;
    let path = std::path::absolute(&options.home);
    let path = path.map_err(|source| SetupError::Write { path: options.home.clone(), source })?;
    let home = Home::new(path);
    let mut made = Made::default();
    made.note_directories(&home);
    let steps = Steps { home: &home, options: &options, report: &report, card: card.card() };
    let finished = steps.run(&initial, password.as_ref(), &mut made).await;
    if finished.is_err() {
        made.remove();
    }
    finished
}

struct Steps<'s> {
    home: &'s Home,
    options: &'s RestoreOptions,
    report: &'s BackupReport,
    card: &'s Card,
}

impl Steps<'_> {
    async fn run(
        &self,
        initial: &Initial,
        password: Option<&Secret<String>>,
        made: &mut Made,
    ) -> Result<RestoreReport, SetupError> {
        let home = self.home;
        home.prepare()?;
        let _lock = home.lock()?;
        let config = configuration(home, initial, password, made)?;
        let store = self.empty_store(&config).await?;
        let entropy = SystemEntropy::open()?;
        let vault = Vault::new(&new_key(home, &config, &entropy, made)?);
        let mut restoration = Restoration::begin(&store, &vault, &entropy).await?;
        let mut file = BackupFile::open(&self.options.file, &self.options.passphrase)?;
        while let Some(records) = file.next()? {
            for record in records {
                restoration.take(record).await?;
            }
        }
        restoration.finish().await?;
        store.migrate().await?;
        let node = make_node(&store, &vault, &SystemClock, &self.report.manifest).await;
        // A commit whose answer was lost may have made the node: its files must stay then.
        if !node.as_ref().is_err_and(|fault| fault.whose == Whose::Conflict) {
            made.keep();
        }
        node?;
        let rejoins = rejoins(&store).await?;
        store.close().await;
        Ok(self.told(&config, rejoins))
    }

    /// A database without a node, at the schema of the backup.
    async fn empty_store(&self, config: &Config) -> Result<SqlStore, SetupError> {
        let store = SqlStore::connect(&store_url(self.home, config)?, 2).await?;
        let wanted = self.report.manifest.schema;
        let found = store.schema().await?;
        if found > 0
            && let Some(row) = store.read().await?.node().await?
        {
            return Err(SetupError::Initialised {
                home: self.home.path().to_owned(),
                node: row.node,
            });
        }
        if found > wanted {
            let problem = "the database has been used: give an empty one".to_owned();
            return Err(SetupError::Option { name: "database", problem });
        }
        store.migrate_to(wanted.into()).await?;
        Ok(store)
    }

    fn told(&self, config: &Config, rejoins: Vec<String>) -> RestoreReport {
        let endpoint = self.card.hub_endpoint.clone();
        let key_file =
            (config.key.source == KeySource::File).then(|| self.home.resolve(&config.key.file));
        RestoreReport {
            node: self.report.manifest.node.clone(),
            home: self.home.path().to_owned(),
            made_at: self.report.manifest.made_at(),
            key_file,
            rejoins,
            hub_missing: endpoint.filter(|_| !config.hub.enabled),
        }
    }
}

async fn rejoins(store: &SqlStore) -> Result<Vec<String>, SetupError> {
    let equipes = store.read().await?.equipes().await?;
    let asks = equipes.into_iter().filter(|row| row.state == "needs_rejoin");
    Ok(asks.map(|row| row.name).collect())
}

fn card_of(report: &BackupReport) -> Result<SignedCard, SetupError> {
    let malformed = || SetupError::Backup(BackupError::Malformed("the node's card"));
    let container = hex::decode(&report.manifest.card).map_err(|_| malformed())?;
    SignedCard::decode(&container).map_err(|_| malformed())
}

/// The configuration of a home that has none: what the card says, and the options.
fn initial(
    options: &RestoreOptions,
    card: &Card,
) -> Result<(Initial, Option<Secret<String>>), SetupError> {
    let url = options.database.as_ref().map_or("sqlite", |url| url.reveal().as_str());
    let (database, password) = option("database", DatabaseUrl::split(url))?;
    let hub = match (&options.hub_listen, &card.hub_endpoint) {
        (None, _) => None,
        (Some(listen), Some(endpoint)) => Some((
            option("hub-listen", listen.parse::<SocketAddr>())?,
            option("hub-listen", endpoint.parse())?,
        )),
        (Some(_), None) => {
            let problem = "the node of this backup runs no hub".to_owned();
            return Err(SetupError::Option { name: "hub-listen", problem });
        }
    };
    let initial = Initial {
        id: card.node.clone(),
        name: card.name.clone(),
        ipa: card.ipa_code.clone(),
        database,
        database_password_file: password.as_ref().map(|_| PASSWORD_FILE.into()),
        hub,
    };
    Ok((initial, password))
}
