//! More machines than nodes: copies of a disk, and backups that are restored elsewhere.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use raccordo_core::backup::{BackupKey, Costs};
use raccordo_core::secret::Secret;
use raccordo_node::app::backup::create::Backup;
use raccordo_node::app::hub::Limits;
use raccordo_node::home::Home;
use raccordo_node::key_file;
use raccordo_node::setup::{self, RestoreOptions};
use raccordo_node::store::sql::SqlStore;

use super::place::{Backend, Place};
use super::{ADMIN, Bench, Rows, Who};

/// Passphrase of every backup.
const PASSPHRASE: &str = "cinque parole a caso";

impl Bench {
    /// A node that nobody knows.
    pub async fn newcomer(&self, name: &str) -> Place {
        Place::new(&name.parse().unwrap(), Rows::Memory, Limits::default(), &self.clock).await
    }

    /// Another copy of a node's disk, and a process on it.
    pub async fn copied(&self, who: Who) -> Place {
        self.places[&who].copied(&self.clock).await
    }

    /// Lets another copy stand for a node; returns the one that stood there.
    pub fn exchange(&mut self, who: Who, place: Place) -> Place {
        self.places.insert(who, place).unwrap()
    }

    /// A backup of a node, as a file of its own.
    pub async fn backup(&self, who: Who, file: &Path) {
        let node = self.places[&who].node();
        let costs = Costs { memory_kib: 64, passes: 1 };
        let key = BackupKey::new(&*node.entropy, &Secret::new(PASSPHRASE.into()), costs).unwrap();
        let mut backup = Backup::begin(Arc::clone(node), ADMIN, &key).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(more) = backup.next().await.unwrap() {
            bytes.extend(more);
        }
        std::fs::write(file, bytes).unwrap();
    }

    /// A new machine on which a backup is restored.
    pub async fn restored(&self, who: Who, file: &Path) -> Place {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path().join("home"));
        let options = RestoreOptions {
            file: file.to_owned(),
            passphrase: Secret::new(PASSPHRASE.into()),
            home: home.path().to_owned(),
            database: None,
            hub_listen: None,
        };
        setup::restore(options).await.unwrap();
        let key = *key_file::read(&home.key()).unwrap().reveal();
        let url = format!("sqlite://{}", home.database().display());
        let store = Arc::new(SqlStore::open(&url, 2).await.unwrap());
        let backend = Backend::Sqlite(store, directory);
        let label = format!("{} restored {}", who.name(), file.display());
        Place::on(backend, key, Limits::default(), &self.clock, (&label, 2000)).await
    }
}

impl Bench {
    /// Puts everybody's clock back.
    pub fn put_clock_back(&self, span: Duration) {
        self.clock.put_back(span);
    }
}
