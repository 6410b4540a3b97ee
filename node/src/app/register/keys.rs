//! The register's keys: one wraps the keys of records, one makes digests.
//!
//! The wrapping key is of its own, not the node key's, so that it can be replaced and destroyed.
//! The index key is of its own, so that a node restored under another node key still finds.

use std::collections::BTreeMap;

use raccordo_core::entropy::draw;
use raccordo_core::id::RecordId;
use raccordo_core::secret::Secret;
use raccordo_core::vault::{RecordKey, Vault};

use super::sealing;
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::identity;
use crate::store::Tx;
use crate::store::register::{RecordRow, WrappingKeyRow};

/// Name of the index key among the node's sealed secrets: 32 bytes.
const INDEX: &str = "register_index";

/// What a writer of the register works with.
pub struct Keys {
    /// Number of the newest wrapping key.
    pub number: u64,
    /// That key.
    pub wrapping: RecordKey,
    /// Makes digests.
    pub index: Vault,
}

/// Under what name the vault wraps a wrapping key.
pub(in crate::app) fn wrapping_context(number: u64) -> String {
    format!("wrapping-key/{number}")
}

/// The keys for writing, made where there are none yet. Other writers wait until this
/// transaction ends: none wraps under a key that is being replaced.
///
/// # Errors
/// The store's, or a wrong node key.
pub async fn held(node: &Node, tx: &mut dyn Tx) -> Done<Keys> {
    tx.hold_register().await?;
    let newest = match tx.wrapping_keys().await?.pop() {
        Some(row) => row,
        None => fresh(node, tx, 1).await?,
    };
    let number = newest.number;
    let wrapping = open(node, &newest)?;
    let index = match index(node, tx).await? {
        Some(index) => index,
        None => new_index(node, tx).await?,
    };
    Ok(Keys { number, wrapping, index })
}

/// Makes the wrapping key of a number.
///
/// # Errors
/// The store's.
pub(super) async fn fresh(node: &Node, tx: &mut dyn Tx, number: u64) -> Done<WrappingKeyRow> {
    let key = node.vault.new_record_key(&*node.entropy);
    let wrapped = node.vault.wrap(&*node.entropy, &wrapping_context(number), &key);
    let row =
        WrappingKeyRow { number, wrapped: wrapped.map_err(sealing)?, made_at: node.clock.now() };
    tx.insert_wrapping_key(row.clone()).await?;
    Ok(row)
}

fn open(node: &Node, row: &WrappingKeyRow) -> Done<RecordKey> {
    node.vault.unwrap(&wrapping_context(row.number), &row.wrapped).map_err(sealing)
}

async fn new_index(node: &Node, tx: &mut dyn Tx) -> Done<Vault> {
    let key = Secret::new(draw::<32>(&*node.entropy));
    let sealed = node.seal(&identity::context(INDEX), key.reveal())?;
    tx.put_secret(INDEX, sealed).await?;
    Ok(Vault::new(&key))
}

/// What makes digests; none before the first record.
///
/// # Errors
/// The store's, or a wrong node key.
pub async fn index(node: &Node, tx: &mut dyn Tx) -> Done<Option<Vault>> {
    let Some(sealed) = tx.secret(INDEX).await? else { return Ok(None) };
    let opened = node.open(&identity::context(INDEX), &sealed)?;
    let key = <[u8; 32]>::try_from(opened.reveal().as_slice());
    let key = key.map_err(|_| Fault::ours("secret_damaged", "the index key is not 32 bytes"))?;
    Ok(Some(Vault::new(&Secret::new(key))))
}

/// Wraps a record's key under the newest wrapping key.
///
/// # Errors
/// Never, for a key.
pub(super) fn wrap(node: &Node, keys: &Keys, record: RecordId, key: &RecordKey) -> Done<Vec<u8>> {
    let bytes = key.bytes().reveal();
    keys.wrapping.seal(&*node.entropy, &context(record), bytes).map_err(sealing)
}

/// A record's key; none once it is erased.
///
/// # Errors
/// The store's, a wrong node key, or a wrapping key that is missing.
pub async fn of_record(node: &Node, tx: &mut dyn Tx, row: &RecordRow) -> Done<Option<RecordKey>> {
    if row.wrapped_key.is_empty() {
        return Ok(None);
    }
    let rows = tx.wrapping_keys().await?;
    let wrapping = rows.iter().find(|wrapping| wrapping.number == row.key_number);
    let wrapping = wrapping.ok_or_else(|| Fault::ours("row_damaged", "a wrapping key is gone"))?;
    unwrap(&open(node, wrapping)?, row).map(Some)
}

/// All wrapping keys, opened once for many records.
pub struct Ring(BTreeMap<u64, RecordKey>);

impl Ring {
    /// Opens them.
    ///
    /// # Errors
    /// The store's, or a wrong node key.
    pub async fn open(node: &Node, tx: &mut dyn Tx) -> Done<Self> {
        let rows = tx.wrapping_keys().await?;
        let keys = rows.iter().map(|row| Ok((row.number, open(node, row)?)));
        Ok(Self(keys.collect::<Done<_>>()?))
    }

    /// The key of a record; none once it is erased.
    ///
    /// # Errors
    /// A damaged row.
    pub fn of(&self, row: &RecordRow) -> Done<Option<RecordKey>> {
        if row.wrapped_key.is_empty() {
            return Ok(None);
        }
        let wrapping = self.0.get(&row.key_number);
        let wrapping =
            wrapping.ok_or_else(|| Fault::ours("row_damaged", "a wrapping key is gone"))?;
        unwrap(wrapping, row).map(Some)
    }
}

fn unwrap(wrapping: &RecordKey, row: &RecordRow) -> Done<RecordKey> {
    let opened = wrapping.open(&context(row.record), &row.wrapped_key).map_err(sealing)?;
    let key = <[u8; 32]>::try_from(opened.reveal().as_slice());
    let key = key.map_err(|_| Fault::ours("row_damaged", "a record's key is not 32 bytes"))?;
    Ok(RecordKey::new(Secret::new(key)))
}

fn context(record: RecordId) -> String {
    format!("register-key/{record}")
}
