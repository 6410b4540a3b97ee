//! Rows of who wants to be told by e-mail.

use std::sync::Arc;

use raccordo_core::account::{Marks, Session};
use raccordo_core::id::{Digest, OperatorId};
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::email_notice::EmailNoticeRow;

use crate::sample::bytes;

fn operator(number: u32) -> anyhow::Result<OperatorId> {
    Ok(OperatorId::try_from(bytes(number).as_slice())?)
}

pub async fn wishes(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number: u32, objects: u64| -> anyhow::Result<EmailNoticeRow> {
        Ok(EmailNoticeRow {
            operator: operator(number)?,
            sealed_address: b"sealed".to_vec(),
            known: Marks { objects, matches: 2 },
            told_at: Instant(7),
        })
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.email_notices().await?, []);
    tx.put_email_notice(row(1, 5)?).await?;
    tx.put_email_notice(row(2, 6)?).await?;
    tx.put_email_notice(row(1, 8)?).await?;
    assert_eq!(tx.email_notice(operator(1)?).await?, Some(row(1, 8)?));
    assert_eq!(tx.email_notices().await?.len(), 2);
    tx.delete_email_notice(operator(1)?).await?;
    tx.delete_email_notice(operator(3)?).await?;
    assert_eq!(tx.email_notice(operator(1)?).await?, None);
    assert_eq!(tx.email_notices().await?, [row(2, 6)?]);
    Ok(())
}

pub async fn seen(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let session = |key: &[u8], number: u32, seen: i64| -> anyhow::Result<Session> {
        Ok(Session {
            key: Digest::of(key),
            operator: operator(number)?,
            agent: Digest::of(b"agent"),
            begun_at: Instant(1),
            seen_at: Instant(seen),
        })
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.seen_at(operator(1)?).await?, None);
    tx.put_session(session(b"a", 1, 40)?).await?;
    tx.put_session(session(b"b", 1, 60)?).await?;
    tx.put_session(session(b"c", 2, 90)?).await?;
    tx.put_session(session(b"d", 1, 50)?).await?;
    assert_eq!(tx.seen_at(operator(1)?).await?, Some(Instant(60)));
    tx.delete_session(Digest::of(b"b")).await?;
    assert_eq!(tx.seen_at(operator(1)?).await?, Some(Instant(50)));
    Ok(())
}
