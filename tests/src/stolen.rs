//! What a thief reads who has a node's database and its node key: every value of every table,
//! as it is, and opened with every key that can be reached from the node key.
//!
//! Nothing here knows which column is sealed, by which key or for which place: tables and
//! columns come from the database itself, and a sealed value is decrypted by its key alone,
//! without the context that its tag is over. A new table is searched as soon as it is there.

use std::collections::BTreeSet;

use anyhow::Context as _;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use memchr::memmem::Finder;
use sha2::Sha256;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};

/// A sealed value is version (1), nonce (24), ciphertext, tag (16).
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + TAG_BYTES;
const KEY_BYTES: usize = 32;
/// Canonical bytes begin so; what is sealed may hold them, and in them what is sealed again.
const CANONICAL: &[u8] = b"raccordo/v1/";

/// One value of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The value; of text and numbers as text.
    pub bytes: Vec<u8>,
}

/// Reads every value of every table of a database.
///
/// # Errors
/// It cannot be read.
pub async fn cells(url: &str) -> anyhow::Result<Vec<Cell>> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    let postgres = url.starts_with("postgres");
    let columns = match postgres {
        true => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), \
             CAST(CASE WHEN udt_name IN ('bytea', 'blob') THEN 1 ELSE 0 END AS BIGINT) \
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
        false => {
            "SELECT t.name, c.name, CASE WHEN c.type = 'BLOB' THEN 1 ELSE 0 END \
             FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'"
        }
    };
    let mut cells = Vec::new();
    for column in connection.fetch_all(columns).await? {
        let (table, name): (String, String) = (column.try_get(0)?, column.try_get(1)?);
        let value = match (postgres, column.try_get::<i64, _>(2)? == 1) {
            (true, true) => format!("CAST(\"{name}\" AS BYTEA)"),
            (true, false) => format!("convert_to(CAST(\"{name}\" AS TEXT), 'UTF8')"),
            (false, _) => format!("CAST(\"{name}\" AS BLOB)"),
        };
        let query = format!("SELECT {value} FROM \"{table}\" WHERE \"{name}\" IS NOT NULL");
        for row in connection.fetch_all(AssertSqlSafe(query)).await? {
            let bytes = row.try_get(0).with_context(|| format!("{table}.{name}"))?;
            cells.push(Cell { table: table.clone(), column: name.clone(), bytes });
        }
    }
    connection.close().await?;
    Ok(cells)
}

/// Who has the database and the node key.
pub struct Thief {
    /// Keys of the vault, then all that they open, then all that these open.
    keys: Vec<[u8; KEY_BYTES]>,
    cells: Vec<Cell>,
}

impl Thief {
    /// Steals both. The node key is hexadecimal, as its file holds it.
    ///
    /// # Errors
    /// The database cannot be read, or the key is none.
    pub async fn of(url: &str, node_key: &str) -> anyhow::Result<Self> {
        let node_key = hex::decode(node_key.trim()).context("no node key")?;
        let cells = cells(url).await?;
        let mut keys = BTreeSet::new();
        for purpose in ["values", "records"] {
            let mut key = [0; KEY_BYTES];
            let info = format!("raccordo/v1/vault/{purpose}");
            let derived = Hkdf::<Sha256>::new(None, &node_key).expand(info.as_bytes(), &mut key);
            derived.map_err(|_| anyhow::anyhow!("no key of this length"))?;
            keys.insert(key);
        }
        // Wrapping keys and those of the node and of objects; then those of records.
        for round in 0..2 {
            let wrapped = cells.iter().filter(|cell| {
                cell.bytes.len() == KEY_BYTES + OVERHEAD_BYTES
                    && (round == 0 || cell.column.contains("key"))
            });
            let opened: Vec<[u8; KEY_BYTES]> = wrapped
                .flat_map(|cell| keys.iter().filter_map(|key| decrypted(key, &cell.bytes)))
                .filter_map(|bytes| bytes.try_into().ok())
                .collect();
            keys.extend(opened);
        }
        Ok(Self { keys: keys.into_iter().collect(), cells })
    }

    /// Where these stand, whatever their case: `table.column needle`.
    pub fn find(&self, needles: &[&str]) -> BTreeSet<String> {
        let needles: Vec<(Finder<'_>, &str)> = needles
            .iter()
            .map(|needle| (Finder::new(&needle.to_ascii_lowercase()).into_owned(), *needle))
            .collect();
        let mut found = BTreeSet::new();
        for cell in &self.cells {
            let mut look = |bytes: &[u8]| {
                let bytes = bytes.to_ascii_lowercase();
                let there = needles.iter().filter(|(needle, _)| needle.find(&bytes).is_some());
                found.extend(
                    there.map(|(_, needle)| format!("{}.{} {needle}", cell.table, cell.column)),
                );
            };
            look(&cell.bytes);
            for key in &self.keys {
                let Some(opened) = decrypted(key, &cell.bytes) else { break };
                look(&opened);
                if opened.starts_with(CANONICAL) {
                    self.inside(&opened).for_each(|inner| look(&inner));
                }
            }
        }
        found
    }

    /// What is sealed inside of something opened, wherever it begins there.
    fn inside<'t>(&'t self, opened: &'t [u8]) -> impl Iterator<Item = Vec<u8>> + 't {
        let places = opened.iter().enumerate().filter(|(_, byte)| **byte == VERSION);
        let rests = places.filter_map(|(place, _)| opened.get(place..));
        rests.flat_map(|rest| self.keys.iter().filter_map(|key| decrypted(key, rest)))
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Tables that hold a value with these bytes, as they are.
    pub fn tables_with(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let needle = Finder::new(bytes);
        let holds = |cell: &&Cell| needle.find(&cell.bytes).is_some();
        self.cells.iter().filter(holds).map(|cell| cell.table.as_str()).collect()
    }
}

/// What a value is under a key, right or wrong; `None` for what cannot be sealed. The cipher is a
/// stream: encrypting the ciphertext again gives the plaintext.
fn decrypted(key: &[u8; KEY_BYTES], sealed: &[u8]) -> Option<Vec<u8>> {
    let (version, rest) = sealed.split_first()?;
    let (nonce, rest) = rest.split_at_checked(NONCE_BYTES)?;
    let length = rest.len().checked_sub(TAG_BYTES)?;
    if *version != VERSION {
        return None;
    }
    let cipher = XChaCha20Poly1305::new(key.into());
    let mut plain = cipher.encrypt(XNonce::from_slice(nonce), rest.get(..length)?).ok()?;
    plain.truncate(length);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use raccordo_core::entropy::SeededEntropy;
    use raccordo_core::secret::Secret;
    use raccordo_core::vault::Vault;

    use super::*;

    #[test]
    fn what_the_vault_seals_is_read_without_its_context() {
        let entropy = SeededEntropy::labelled("stolen");
        let vault = Vault::new(&Secret::new([7; 32]));
        let sealed = vault.seal(&entropy, "some/context", b"Canarino").unwrap();
        let mut key = [0; 32];
        let info = b"raccordo/v1/vault/values";
        Hkdf::<Sha256>::new(None, &[7; 32]).expand(info, &mut key).unwrap();
        assert_eq!(decrypted(&key, &sealed).unwrap(), b"Canarino");
        assert_ne!(decrypted(&[1; 32], &sealed).unwrap(), b"Canarino");
        assert_eq!(decrypted(&key, b"short"), None);
    }
}
