//! Rows of the node itself.

use std::sync::Arc;

use raccordo_core::audit::{AuditEvent, AuditHead, AuditRecord, verify};
use raccordo_core::id::{BootId, ItemId};
use raccordo_core::time::Instant;
use raccordo_node::store::node::{MailRow, NodeRow, OwnKeyPackageRow};
use raccordo_node::store::{Store, StoreError};

use crate::sample::node;

pub async fn written_once(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert_eq!(tx.node().await?, None);
    let row = NodeRow { node: node("toscana"), vault_check: vec![0, 255], created_at: Instant(-5) };
    tx.insert_node(row.clone()).await?;
    let other = NodeRow { node: node("lazio"), ..row.clone() };
    assert!(matches!(tx.insert_node(other).await, Err(StoreError::Exists("node"))));
    tx.commit().await?;
    assert_eq!(store.read().await?.node().await?, Some(row));
    Ok(())
}

pub async fn secrets(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert_eq!(tx.secret("mls").await?, None);
    tx.put_secret("mls", b"first".to_vec()).await?;
    tx.put_secret("mls", b"second".to_vec()).await?;
    tx.put_secret("tls_key", Vec::new()).await?;
    assert_eq!(tx.secret("mls").await?, Some(b"second".to_vec()));
    assert_eq!(tx.secret("tls_key").await?, Some(Vec::new()));
    Ok(())
}

pub async fn own_cards(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert_eq!(tx.own_card().await?, None);
    for serial in [2, 10, 9] {
        tx.insert_own_card(serial, format!("card {serial}").into_bytes()).await?;
    }
    assert_eq!(tx.own_card().await?, Some(b"card 10".to_vec()));
    let all = tx.own_cards().await?;
    assert_eq!(all.last(), Some(&b"card 10".to_vec()));
    assert!(all.len() > 1 && all.is_sorted_by_key(|card| card.len()), "{all:?}");
    let again = tx.insert_own_card(10, b"other".to_vec()).await;
    assert!(matches!(again, Err(StoreError::Exists("own_card"))));
    Ok(())
}

pub async fn audit_chain(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut head = AuditHead::EMPTY;
    let mut records = Vec::new();
    let mut tx = store.write().await?;
    assert_eq!(tx.audit_newest().await?, None);
    for number in 1..=5 {
        let quoted = format!("perché \"{number}\" \\ \u{1}");
        let event = AuditEvent {
            at: Instant(number),
            actor: "system".to_owned(),
            action: "object_shared".to_owned(),
            subject: format!("object {number}"),
            detail: [("a".to_owned(), quoted), ("b".to_owned(), String::new())].into(),
        };
        let record = AuditRecord::append(head, event);
        tx.audit_append(&record).await?;
        head = record.head();
        records.push(record);
    }
    let again = tx.audit_append(&records[4]).await;
    assert!(matches!(again, Err(StoreError::Exists("audit"))));
    tx.commit().await?;

    let mut tx = store.read().await?;
    assert_eq!(tx.audit_newest().await?.as_ref(), records.last());
    let all = tx.audit_after(0, 100).await?;
    assert!(verify(AuditHead::EMPTY, &all).is_ok_and(|end| end == head));
    assert_eq!(tx.audit_after(2, 2).await?, records[2..4]);
    assert_eq!(tx.audit_after(5, 2).await?, []);
    let newest = [records[3].clone(), records[2].clone()];
    assert_eq!(tx.audit_of("system", 5, 2).await?, newest);
    assert_eq!(tx.audit_of("system", 1, 2).await?, []);
    assert_eq!(tx.audit_of("somebody", 9, 2).await?, []);
    Ok(())
}

pub async fn mailbox_cursors(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let (one, two) = (node("hub-1"), node("hub-2"));
    let mut tx = store.write().await?;
    assert_eq!(tx.mailbox_cursor(&one).await?, 0);
    tx.put_mailbox_cursor(&one, 7).await?;
    tx.put_mailbox_cursor(&one, 9).await?;
    assert_eq!((tx.mailbox_cursor(&one).await?, tx.mailbox_cursor(&two).await?), (9, 0));
    Ok(())
}

pub async fn mail(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let post = |number: u8, hub: &str| MailRow {
        item: ItemId([number; 16]),
        hub: node(hub),
        recipient: node("lazio"),
        kind: "pact".to_owned(),
        payload: vec![number],
    };
    let mut tx = store.write().await?;
    // Queued against the order of their ids.
    for (number, hub) in [(9, "hub-1"), (5, "hub-2"), (3, "hub-1"), (1, "hub-1")] {
        tx.insert_mail(post(number, hub)).await?;
    }
    let again = tx.insert_mail(post(9, "hub-2")).await;
    assert!(matches!(again, Err(StoreError::Exists("mail"))));
    let hub = node("hub-1");
    assert_eq!(tx.mail_for(&hub, 2).await?, [post(9, "hub-1"), post(3, "hub-1")]);
    tx.delete_mail(ItemId([3; 16])).await?;
    tx.delete_mail(ItemId([3; 16])).await?;
    assert_eq!(tx.mail_for(&hub, 9).await?, [post(9, "hub-1"), post(1, "hub-1")]);
    Ok(())
}

pub async fn own_key_packages(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let hub = node("hub-1");
    let row = |reference: &[u8], at| OwnKeyPackageRow {
        reference: reference.to_vec(),
        hub: hub.clone(),
        suite: 77,
        card_serial: 6,
        last_resort: at == 2,
        created_at: Instant(at),
        undelivered: Some(b"message".to_vec()),
    };
    let mut tx = store.write().await?;
    for (reference, at) in [(b"a", 3), (b"b", 1), (b"c", 2)] {
        tx.insert_own_key_package(row(reference, at)).await?;
    }
    let elsewhere = OwnKeyPackageRow { hub: node("hub-2"), ..row(b"d", 0) };
    tx.insert_own_key_package(elsewhere).await?;
    tx.own_key_package_delivered(b"c").await?;
    tx.delete_own_key_package(b"a").await?;
    let delivered = OwnKeyPackageRow { undelivered: None, ..row(b"c", 2) };
    assert_eq!(tx.all_own_key_packages().await?.len(), 3);
    assert_eq!(tx.own_key_packages(&hub).await?, [row(b"b", 1), delivered]);
    Ok(())
}

pub async fn boots(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_boot(BootId([1; 16]), Instant(1)).await?;
    tx.insert_boot(BootId([2; 16]), Instant(1)).await?;
    let again = tx.insert_boot(BootId([1; 16]), Instant(2)).await;
    assert!(matches!(again, Err(StoreError::Exists("boot"))));
    Ok(())
}
