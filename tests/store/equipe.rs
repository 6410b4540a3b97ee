//! Rows of équipes, members and alarms.

use std::sync::Arc;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::{Epoch, Sequence};
use raccordo_core::time::Instant;
use raccordo_node::store::equipe::{AlarmRow, EquipeRow, MemberRow};
use raccordo_node::store::{Store, StoreError};

use crate::sample::{digest, equipe, group, lineage, node};

pub async fn found_by_its_names(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let (one, two) = (equipe(1, "livorno"), equipe(2, "Arezzo"));
    let mut tx = store.write().await?;
    tx.insert_equipe(one.clone()).await?;
    tx.insert_equipe(two.clone()).await?;
    tx.commit().await?;
    let mut tx = store.read().await?;
    assert_eq!(tx.equipe(lineage(1)).await?.as_ref(), Some(&one));
    assert_eq!(tx.equipe_named("Arezzo").await?.as_ref(), Some(&two));
    assert_eq!(tx.equipe_of_group(group(2)).await?.as_ref(), Some(&two));
    assert_eq!(tx.equipes().await?, [two, one]);
    assert_eq!(tx.equipe(lineage(3)).await?, None);
    assert_eq!(tx.equipe_named("arezzo").await?, None);
    assert_eq!(tx.equipe_of_group(group(3)).await?, None);
    Ok(())
}

pub async fn update_keeps_version(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_equipe(equipe(1, "livorno")).await?;
    tx.insert_equipe(equipe(2, "arezzo")).await?;
    let changed = EquipeRow {
        lineage: lineage(1),
        name: "pisa".to_owned(),
        group: group(9),
        suite: 78,
        state: "quarantined".to_owned(),
        version: 99,
        statement: b"new statement".to_vec(),
        sealed_pact: b"new pact".to_vec(),
        hub: node("hub-2"),
        sequence: Sequence(21),
        head: digest(22),
        accepted_at: Instant(23),
        epoch: Epoch(24),
        authenticator: b"new authenticator".to_vec(),
        checkpoint: b"new checkpoint".to_vec(),
        checkpoint_signature: b"signature".to_vec(),
        next_number: 25,
        receipt_due: Sequence(26),
        receipt_sent: Sequence(27),
    };
    tx.update_equipe(&changed).await?;
    let kept = EquipeRow { version: 4, ..changed };
    assert_eq!(tx.equipe(lineage(1)).await?.as_ref(), Some(&kept));
    assert_eq!(tx.equipe(lineage(2)).await?, Some(equipe(2, "arezzo")));
    let one_document = EquipeRow { sealed_pact: b"newer pact".to_vec(), ..kept };
    tx.update_equipe(&one_document).await?;
    assert_eq!(tx.equipe(lineage(1)).await?, Some(one_document));
    Ok(())
}

pub async fn raised(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert!(!tx.raise_equipe(lineage(1)).await?);
    tx.insert_equipe(equipe(1, "livorno")).await?;
    assert!(tx.raise_equipe(lineage(1)).await?);
    assert!(tx.raise_equipe(lineage(1)).await?);
    assert_eq!(tx.equipe(lineage(1)).await?.map(|row| row.version), Some(6));
    Ok(())
}

pub async fn names_are_unique(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_equipe(equipe(1, "livorno")).await?;
    for taken in [equipe(1, "pisa"), equipe(2, "livorno")] {
        let refused = tx.insert_equipe(taken).await;
        assert!(matches!(refused, Err(StoreError::Exists("equipe"))));
    }
    assert_eq!(tx.equipes().await?, [equipe(1, "livorno")]);
    Ok(())
}

pub async fn members(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number, name: &str, delivered| MemberRow {
        lineage: lineage(number),
        node: node(name),
        delivered: Sequence(delivered),
        last_seen: Instant(5),
        last_number: 6,
    };
    let mut tx = store.write().await?;
    for (number, name) in [(1, "b1"), (1, "b-2"), (1, "gone"), (2, "c")] {
        tx.put_member(row(number, name, 0)).await?;
    }
    tx.put_member(row(1, "b1", 9)).await?;
    tx.delete_member(lineage(1), &node("gone")).await?;
    tx.delete_member(lineage(2), &node("b1")).await?;
    assert_eq!(tx.members(lineage(1)).await?, [row(1, "b-2", 0), row(1, "b1", 9)]);
    assert_eq!(tx.members(lineage(2)).await?, [row(2, "c", 0)]);
    Ok(())
}

pub async fn alarms(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |code, member: Option<&str>, detail: &str, at| AlarmRow {
        lineage: lineage(1),
        code,
        member: member.map(node),
        peer: member.map(|_| node("peer")),
        place: Sequence(at),
        detail: detail.to_owned(),
        raised_at: Instant(i64::try_from(at).unwrap()),
    };
    let (broken, echo) = (AlarmCode::LogBroken, AlarmCode::EchoDisagrees);
    let mut tx = store.write().await?;
    for raised in [
        row(broken, None, "one", 5),
        row(echo, Some("b"), "two", 3),
        row(echo, Some("a"), "two", 3),
        row(broken, None, "three", 9),
    ] {
        tx.put_alarm(raised).await?;
    }
    let again = AlarmRow { raised_at: Instant(5), ..row(broken, None, "three", 9) };
    let expected = [row(echo, Some("a"), "two", 3), row(echo, Some("b"), "two", 3), again];
    assert_eq!(tx.alarms(lineage(1)).await?, expected);
    assert_eq!(tx.alarms(lineage(2)).await?, []);
    tx.delete_alarm(&AlarmRow { peer: None, ..expected[0].clone() }).await?;
    assert_eq!(tx.alarms(lineage(1)).await?, expected);
    tx.delete_alarm(&expected[0]).await?;
    assert_eq!(tx.alarms(lineage(1)).await?, expected[1..]);
    Ok(())
}
