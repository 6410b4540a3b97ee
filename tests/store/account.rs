//! Rows of accounts, invitations and sessions.

use std::sync::Arc;

use raccordo_core::account::Session;
use raccordo_core::id::{Digest, OperatorId};
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::account::{AccountRow, InvitationRow, PersonRow};

use crate::sample::bytes;

fn operator(number: u32) -> anyhow::Result<OperatorId> {
    Ok(OperatorId::try_from(bytes(number).as_slice())?)
}

pub async fn written_and_replaced(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number: u32, hash: &str, used_step: u64| -> anyhow::Result<AccountRow> {
        Ok(AccountRow {
            operator: operator(number)?,
            password_hash: hash.to_owned(),
            sealed_seed: b"seed".to_vec(),
            used_step,
            activated_at: Instant(5),
        })
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.account(operator(1)?).await?, None);
    tx.put_account(row(1, "a", 7)?).await?;
    tx.put_account(row(2, "b", 0)?).await?;
    tx.put_account(row(1, "c", 8)?).await?;
    assert_eq!(tx.account(operator(1)?).await?, Some(row(1, "c", 8)?));
    assert_eq!(tx.account(operator(2)?).await?, Some(row(2, "b", 0)?));
    tx.delete_account(operator(1)?).await?;
    tx.delete_account(operator(3)?).await?;
    assert_eq!(tx.account(operator(1)?).await?, None);
    assert_eq!(tx.account(operator(2)?).await?, Some(row(2, "b", 0)?));
    Ok(())
}

pub async fn people_at_the_provider(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number: u32, person: &[u8]| -> anyhow::Result<PersonRow> {
        let (operator, sealed) = (operator(number)?, person.to_vec());
        Ok(PersonRow { operator, person: Digest::of(person), sealed, bound_at: Instant(5) })
    };
    let mut tx = store.write().await?;
    tx.put_provider_person(row(1, b"anna")?).await?;
    tx.put_provider_person(row(2, b"bruno")?).await?;
    tx.put_provider_person(row(1, b"carla")?).await?;
    assert_eq!(tx.provider_person(Digest::of(b"anna")).await?, None);
    assert_eq!(tx.provider_person(Digest::of(b"carla")).await?, Some(row(1, b"carla")?));
    tx.delete_provider_person(operator(1)?).await?;
    tx.delete_provider_person(operator(3)?).await?;
    assert_eq!(tx.provider_person(Digest::of(b"carla")).await?, None);
    assert_eq!(tx.provider_person(Digest::of(b"bruno")).await?, Some(row(2, b"bruno")?));
    Ok(())
}

pub async fn invitations(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number: u32, link: &[u8]| -> anyhow::Result<InvitationRow> {
        let (operator, digest) = (operator(number)?, Digest::of(link));
        Ok(InvitationRow { operator, digest, expires_at: Instant(9) })
    };
    let mut tx = store.write().await?;
    tx.put_invitation(row(1, b"first")?).await?;
    tx.put_invitation(row(2, b"other")?).await?;
    tx.put_invitation(row(1, b"second")?).await?;
    assert_eq!(tx.invitation(Digest::of(b"first")).await?, None);
    assert_eq!(tx.invitation(Digest::of(b"second")).await?, Some(row(1, b"second")?));
    tx.delete_invitation(operator(1)?).await?;
    tx.delete_invitation(operator(3)?).await?;
    assert_eq!(tx.invitation(Digest::of(b"second")).await?, None);
    assert_eq!(tx.invitation(Digest::of(b"other")).await?, Some(row(2, b"other")?));
    Ok(())
}

pub async fn sessions(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |key: &[u8], number: u32, begun: i64, seen: i64| -> anyhow::Result<Session> {
        Ok(Session {
            key: Digest::of(key),
            operator: operator(number)?,
            agent: Digest::of(b"agent"),
            begun_at: Instant(begun),
            seen_at: Instant(seen),
        })
    };
    let mut tx = store.write().await?;
    for session in [row(b"a", 1, 10, 10)?, row(b"b", 1, 20, 20)?, row(b"c", 2, 30, 30)?] {
        tx.put_session(session).await?;
    }
    tx.put_session(row(b"a", 1, 10, 15)?).await?;
    assert_eq!(tx.session(Digest::of(b"a")).await?, Some(row(b"a", 1, 10, 15)?));
    tx.delete_sessions_before(Instant(20)).await?;
    assert_eq!(tx.session(Digest::of(b"a")).await?, None);
    assert_eq!(tx.session(Digest::of(b"b")).await?, Some(row(b"b", 1, 20, 20)?));
    assert_eq!(tx.delete_sessions(operator(1)?).await?, 1);
    assert_eq!(tx.delete_sessions(operator(1)?).await?, 0);
    tx.delete_session(Digest::of(b"x")).await?;
    assert_eq!(tx.session(Digest::of(b"c")).await?, Some(row(b"c", 2, 30, 30)?));
    tx.delete_session(Digest::of(b"c")).await?;
    assert_eq!(tx.session(Digest::of(b"c")).await?, None);
    Ok(())
}
