//! Fresh databases.

use std::path::Path;
use std::sync::Arc;

use raccordo_node::store::Store;
use raccordo_node::store::memory::MemoryStore;
use raccordo_node::store::sql::SqlStore;
use tempfile::TempDir;

const CONNECTIONS: u32 = 4;

/// A store, and what must outlive it.
pub struct Backend {
    pub store: Arc<dyn Store>,
    _directory: Option<TempDir>,
}

pub async fn memory() -> anyhow::Result<Backend> {
    Ok(Backend { store: Arc::new(MemoryStore::new()), _directory: None })
}

pub async fn sqlite() -> anyhow::Result<Backend> {
    let directory = tempfile::tempdir()?;
    let store = SqlStore::open(&sqlite_url(directory.path()), CONNECTIONS).await?;
    Ok(Backend { store: Arc::new(store), _directory: Some(directory) })
}

pub async fn postgres() -> anyhow::Result<Backend> {
    let url = raccordo_tests::postgres::database()?;
    let store = SqlStore::open(&url, CONNECTIONS).await?;
    Ok(Backend { store: Arc::new(store), _directory: None })
}

pub fn sqlite_url(directory: &Path) -> String {
    format!("sqlite://{}/node.db", directory.display())
}
