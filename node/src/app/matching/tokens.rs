//! Finished tokens of own records: kept under the key of their record, with which they go, and
//! turned into tags.

use std::collections::BTreeSet;

use raccordo_core::evidence::family::{Family, Mark};
use raccordo_core::id::{Digest, LineageId, RecordId};
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::pseudonym::token::{TOKEN_BYTES, Token};
use raccordo_core::secret::Secret;
use raccordo_core::vault::RecordKey;

use super::{pairs, tags};
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::register::keys;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::token::TokenRow;

/// Context under which a token is sealed, by the key of its record.
fn context(record: RecordId, lookup: Digest) -> String {
    format!("token/{record}/{lookup}")
}

/// A token as it was kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Which key made it.
    pub key: KeyId,
    /// What it was made of.
    pub family: Family,
    /// Which piece of evidence of the record it was made of.
    pub mark: Mark,
    /// The token.
    pub token: Token,
}

/// A token that was just finished.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it was made of.
    pub family: Family,
    /// Of which piece of evidence.
    pub mark: Mark,
    /// The token.
    pub token: Token,
}

/// Takes the finished tokens of a record under one key; they replace all earlier ones of the
/// same class. Repeated, it changes nothing.
///
/// # Errors
/// The store's, or a wrong node key.
pub async fn tokens_made(
    node: &Node,
    work: &mut Work<'_>,
    record: RecordId,
    key: KeyId,
    tokens: Vec<NewToken>,
) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    let index = keys::held(node, tx).await?.index;
    // Asked after the hold: nobody erases it before this transaction ends.
    let known = tx.register_record(record).await?;
    let of_record = match known.filter(|_| key.lineage == lineage) {
        Some(row) => keys::of_record(node, tx, &row).await?,
        None => None,
    };
    // Erased while its tokens were made.
    let Some(of_record) = of_record else { return Ok(()) };
    let mut rows = Vec::new();
    for NewToken { family, mark, token } in tokens {
        let lookup = Digest(index.index("token", token.reveal()));
        let marked = Secret::new([&token.reveal()[..], &mark].concat());
        rows.push(TokenRow {
            record,
            lineage,
            class: key.class.name().to_owned(),
            lookup,
            key_epoch: key.epoch.0,
            family: family.name().to_owned(),
            sealed: of_record
                .seal(&*node.entropy, &context(record, lookup), marked.reveal())
                .map_err(|cause| Fault::ours("vault", cause))?,
        });
    }
    let before = tx.tokens_of(lineage, record).await?;
    let same = |one: &&TokenRow| one.class == key.class.name() && one.key_epoch == key.epoch.0;
    let lookups = |rows: &mut dyn Iterator<Item = &TokenRow>| -> BTreeSet<Digest> {
        rows.map(|row| row.lookup).collect()
    };
    let (old, new) = (lookups(&mut before.iter().filter(same)), lookups(&mut rows.iter()));
    if old == new && !new.is_empty() {
        return Ok(());
    }
    tx.delete_tokens(record, lineage, key.class.name()).await?;
    tx.put_tokens(&rows).await?;
    pairs::offer(node, work).await?;
    tags::retag(node, work, record).await
}

/// A record's tokens in an équipe.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn kept(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    record: RecordId,
) -> Done<Vec<Kept>> {
    let rows = tx.tokens_of(lineage, record).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let damaged = || Fault::ours("row_damaged", "tokens of no record");
    let known = tx.register_record(record).await?.ok_or_else(damaged)?;
    let key = keys::of_record(node, tx, &known).await?.ok_or_else(damaged)?;
    rows.iter().map(|row| open(&key, row)).collect()
}

fn open(key: &RecordKey, row: &TokenRow) -> Done<Kept> {
    let damaged = || Fault::ours("row_damaged", "a token");
    let bytes = key.open(&context(row.record, row.lookup), &row.sealed);
    let bytes = bytes.map_err(|cause| Fault::ours("vault", cause))?;
    let (token, mark) = bytes.reveal().split_at_checked(TOKEN_BYTES).ok_or_else(damaged)?;
    let class = Class::from_name(&row.class).ok_or_else(damaged)?;
    Ok(Kept {
        key: KeyId { lineage: row.lineage, class, epoch: KeyEpoch(row.key_epoch) },
        family: Family::from_name(&row.family).ok_or_else(damaged)?,
        mark: mark.try_into().map_err(|_| damaged())?,
        token: Token::from_bytes(token.try_into().map_err(|_| damaged())?),
    })
}
