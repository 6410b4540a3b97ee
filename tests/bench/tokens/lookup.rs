//! One tag, looked up among many that a peer has shown.

use std::time::Instant;

use raccordo_core::entropy::{SeededEntropy, draw};
use raccordo_core::id::{LineageId, NodeId, ObjectId};
use raccordo_core::pseudonym::token::Tag;
use raccordo_node::store::Store as _;
use raccordo_node::store::sql::SqlStore;
use raccordo_node::store::token::ReceivedTagRow;
use raccordo_tests::postgres;
use serde::Serialize;

use crate::measure::{Samples, Spread};

/// Rows of one transaction.
const BATCH: usize = 20_000;
/// Tags of one object.
const OF_OBJECT: usize = 12;
/// How many are looked up.
const LOOKUPS: usize = 2_000;
const CONNECTIONS: u32 = 2;

/// What one lookup takes, on the wall.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Lookup {
    pub(crate) database: &'static str,
    pub(crate) stored: usize,
    /// Of a tag that is there.
    pub(crate) hit: Spread,
    /// Of one that is not.
    pub(crate) miss: Spread,
    /// How fast they were stored.
    pub(crate) stored_per_s: f64,
}

/// Measures on a file.
///
/// # Errors
/// The disk's.
pub(crate) async fn on_sqlite(stored: usize) -> anyhow::Result<Lookup> {
    let directory = tempfile::tempdir()?;
    let url = format!("sqlite://{}/bench.db", directory.path().display());
    on(&url, "SQLite", stored).await
}

/// Measures on a server of its own.
///
/// # Errors
/// The server's.
pub(crate) async fn on_postgres(stored: usize) -> anyhow::Result<Lookup> {
    on(&postgres::database()?, "PostgreSQL", stored).await
}

async fn on(url: &str, database: &'static str, stored: usize) -> anyhow::Result<Lookup> {
    let store = SqlStore::open(url, CONNECTIONS).await?;
    let (lineage, peer): (LineageId, NodeId) = (LineageId([1; 16]), "umbria".parse()?);
    let entropy = SeededEntropy::labelled("lookup");
    let (mut done, mut some) = (0, Vec::new());
    let begin = Instant::now();
    while done < stored {
        let count = BATCH.min(stored - done);
        let mut rows = Vec::with_capacity(count);
        let mut object = ObjectId::random(&entropy);
        for at in 0..count {
            if at % OF_OBJECT == 0 {
                object = ObjectId::random(&entropy);
            }
            let tag = Tag(draw(&entropy));
            let (peer, facts, register) = (peer.clone(), 170, 16);
            rows.push(ReceivedTagRow { lineage, peer, tag, object, facts, register });
        }
        let step = (stored / LOOKUPS).max(1);
        some.extend(
            rows.iter()
                .enumerate()
                .filter(|(at, _)| (done + at) % step == 0)
                .map(|(_, row)| row.tag),
        );
        let mut tx = store.write().await?;
        tx.put_received_tags(&rows).await?;
        tx.commit().await?;
        done += count;
    }
    let stored_per_s = stored as f64 / begin.elapsed().as_secs_f64();
    let (mut hit, mut miss) = (Samples::default(), Samples::default());
    let mut tx = store.read().await?;
    for tag in some.into_iter().take(LOOKUPS) {
        for (samples, tag, expected) in [(&mut hit, tag, 1), (&mut miss, Tag(draw(&entropy)), 0)] {
            let begin = Instant::now();
            let found = tx.received_tags_among(lineage, &peer, &[tag]).await?;
            samples.add(begin.elapsed());
            anyhow::ensure!(found.len() == expected, "{} tags were found", found.len());
        }
    }
    drop(tx);
    store.close().await;
    Ok(Lookup { database, stored, hit: hit.spread(), miss: miss.spread(), stored_per_s })
}
