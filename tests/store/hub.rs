//! Rows of a hub.

use std::sync::Arc;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{Epoch, NodeId, Sequence};
use raccordo_core::time::Instant;
use raccordo_node::store::hub::{
    CarriedRow, LogBytes, LogRow, MailLoad, MailLoads, MailboxRow, PoolRow,
};
use raccordo_node::store::{Store, StoreError};

use crate::sample::{carried, digest, entry_id, group, item, key_package, lineage, logged, node};

pub async fn carried_rows(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert!(!tx.raise_carried(lineage(1)).await?);
    tx.insert_carried(carried(1, "pisa")).await?;
    tx.insert_carried(carried(2, "Lucca")).await?;
    let taken = tx.insert_carried(carried(1, "siena")).await;
    assert!(matches!(taken, Err(StoreError::Exists("carried"))));
    assert_eq!(tx.all_carried().await?, [carried(2, "Lucca"), carried(1, "pisa")]);
    assert_eq!(tx.carried(lineage(3)).await?, None);
    assert_eq!(tx.carried_group(group(2)).await?, Some(carried(2, "Lucca")));

    assert!(tx.raise_carried(lineage(1)).await?);
    let changed = CarriedRow {
        version: 99,
        state: "moved".to_owned(),
        begun: digest(27),
        cards: Vec::new(),
        group: group(8),
        epoch: Epoch(25),
        sequence: Sequence(26),
        accepted_at: Instant(28),
        term: 29,
        group_info: b"new".to_vec(),
        trimmed: Sequence(30),
        stored_bytes: 31,
        entries_per_minute_max: 32,
        stored_bytes_max: 33,
        succeeds: group(34),
        statement: b"newer".to_vec(),
        ..carried(1, "livorno")
    };
    tx.update_carried(&changed).await?;
    tx.commit().await?;
    let found = store.read().await?.carried(lineage(1)).await?;
    assert_eq!(found, Some(CarriedRow { version: 5, ..changed }));
    let mut tx = store.write().await?;
    for (number, expected) in [(34, true), (14, true), (35, false)] {
        assert_eq!(tx.has_successor(group(number)).await?, expected, "{number}");
    }
    tx.delete_carried(lineage(1)).await?;
    assert_eq!(tx.all_carried().await?, [carried(2, "Lucca")]);
    tx.insert_carried(carried(1, "pisa")).await?;
    Ok(())
}

pub async fn a_log_gets_another_id(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_log(&(1..=3).map(logged).collect::<Vec<_>>()).await?;
    let other = LogRow { group: group(3), ..logged(1) };
    tx.insert_log(std::slice::from_ref(&other)).await?;
    tx.rename_log(group(1), group(2)).await?;
    let renamed = |number| LogRow { group: group(2), ..logged(number) };
    let rows = tx.log_after(group(2), Sequence(0), 9, 1_000).await?;
    assert_eq!(rows, (1..=3).map(renamed).collect::<Vec<_>>());
    assert_eq!(tx.log_after(group(1), Sequence(0), 9, 1_000).await?, []);
    assert_eq!(tx.log_after(group(3), Sequence(0), 9, 1_000).await?, [other]);
    let toscana = node("toscana");
    assert_eq!(tx.log_by_entry(group(2), &toscana, entry_id(2)).await?, Some(renamed(2)));
    assert_eq!(tx.log_by_entry(group(1), &toscana, entry_id(2)).await?, None);
    // The first id is free again.
    tx.insert_log(&[logged(1)]).await?;
    Ok(())
}

pub async fn log_found(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_log(&(1..=50).map(logged).collect::<Vec<_>>()).await?;
    let other =
        LogRow { group: group(2), kind: EntryKind::Notice, payload: Vec::new(), ..logged(7) };
    tx.insert_log(std::slice::from_ref(&other)).await?;
    let toscana = node("toscana");
    let found = tx.log_by_entry(group(1), &toscana, entry_id(7)).await?;
    assert_eq!(found, Some(logged(7)));
    assert_eq!(tx.log_by_entry(group(2), &toscana, entry_id(7)).await?, Some(other));
    assert_eq!(tx.log_by_entry(group(1), &node("lazio"), entry_id(7)).await?, None);

    let asked: Vec<_> = (45..90).rev().map(entry_id).collect();
    let known = tx.log_among(group(1), &toscana, &asked).await?;
    let bare = |number| LogRow { payload: Vec::new(), ..logged(number) };
    assert_eq!(known, (45..=50).map(bare).collect::<Vec<_>>());
    assert_eq!(tx.log_among(group(1), &node("lazio"), &asked).await?, []);
    assert_eq!(tx.log_among(group(1), &toscana, &[]).await?, []);
    Ok(())
}

pub async fn log_after_bounds(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_log(&(1..=20).map(logged).collect::<Vec<_>>()).await?;
    for (after, limit, bytes, expected) in [
        (0, 100, 1_000, 1..=20),
        (0, 3, 1_000, 1..=3),
        (5, 100, 40, 6..=9),
        (5, 100, 49, 6..=9),
        (5, 2, 40, 6..=7),
        (5, 100, 0, 6..=6),
        (19, 100, 1_000, 20..=20),
    ] {
        let rows = tx.log_after(group(1), Sequence(after), limit, bytes).await?;
        let case = format!("after {after}, {limit} entries, {bytes} bytes");
        assert_eq!(rows, expected.map(logged).collect::<Vec<_>>(), "{case}");
    }
    assert_eq!(tx.log_after(group(1), Sequence(20), 9, 1_000).await?, []);
    assert_eq!(tx.log_after(group(1), Sequence(0), 0, 1_000).await?, []);
    assert_eq!(tx.log_after(group(2), Sequence(0), 9, 1_000).await?, []);
    let taken = tx.insert_log(&[LogRow { entry: entry_id(99), ..logged(20) }]).await;
    assert!(matches!(taken, Err(StoreError::Exists("log_entry"))));
    Ok(())
}

pub async fn log_trimmed(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_log(&(1..=9).map(logged).collect::<Vec<_>>()).await?;
    let lazio = LogRow { sender: node("lazio"), kind: EntryKind::Notice, ..logged(10) };
    tx.insert_log(&[lazio, LogRow { kind: EntryKind::Application, ..logged(11) }]).await?;
    let bytes = |sender: &str, kind, bytes| LogBytes { sender: node(sender), kind, bytes };
    let (commits, messages) = (EntryKind::Commit, EntryKind::Application);
    let kept = tx.log_kept(group(1)).await?;
    let of_lazio = bytes("lazio", EntryKind::Notice, 10);
    let others = [bytes("toscana", messages, 10), bytes("toscana", commits, 90)];
    assert_eq!(kept, [&[of_lazio.clone()][..], &others].concat());
    assert_eq!(tx.trim_log(group(1), Sequence(3)).await?, [bytes("toscana", commits, 30)]);
    assert_eq!(tx.trim_log(group(1), Sequence(3)).await?, []);
    assert_eq!(tx.trim_log(group(1), Sequence(5)).await?, [bytes("toscana", commits, 20)]);
    assert_eq!(tx.trim_log(group(2), Sequence(5)).await?, []);
    assert_eq!(tx.log_kept(group(2)).await?, []);
    let rows = tx.log_after(group(1), Sequence(4), 2, 1_000).await?;
    assert_eq!(rows, [LogRow { payload: Vec::new(), ..logged(5) }, logged(6)]);

    tx.delete_log_rows(group(1), Sequence(5)).await?;
    let rows = tx.log_after(group(1), Sequence(0), 1, 1_000).await?;
    assert_eq!(rows, [logged(6)]);
    assert_eq!(tx.log_by_entry(group(1), &node("toscana"), entry_id(5)).await?, None);
    // Its id is free again.
    tx.insert_log(&[LogRow { entry: entry_id(5), ..logged(12) }]).await?;
    Ok(())
}

pub async fn log_deleted(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for number in [1, 2] {
        tx.insert_log(&[LogRow { group: group(number), ..logged(1) }]).await?;
        tx.put_cursor(group(number), &node("lazio"), Sequence(1)).await?;
        tx.put_tree(group(number), Epoch(1), b"tree".to_vec(), Instant(9)).await?;
    }
    tx.delete_log(group(1)).await?;
    for (number, kept) in [(1, 0), (2, 1)] {
        assert_eq!(tx.log_after(group(number), Sequence(0), 9, 99).await?.len(), kept);
        assert_eq!(tx.cursors(group(number)).await?.len(), kept);
        assert_eq!(tx.tree(group(number), Epoch(1)).await?.iter().count(), kept);
    }
    tx.insert_log(&[logged(1)]).await?;
    Ok(())
}

pub async fn cursors_never_go_back(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for (name, sequence) in [("b1", 5), ("b-2", 7), ("gone", 1), ("b1", 4), ("b-2", 8)] {
        tx.put_cursor(group(1), &node(name), Sequence(sequence)).await?;
    }
    tx.delete_cursor(group(1), &node("gone")).await?;
    let expected = [(node("b-2"), Sequence(8)), (node("b1"), Sequence(5))];
    assert_eq!(tx.cursors(group(1)).await?, expected);
    assert_eq!(tx.cursors(group(2)).await?, []);
    Ok(())
}

pub async fn trees(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.put_tree(group(1), Epoch(1), b"one".to_vec(), Instant(10)).await?;
    tx.put_tree(group(1), Epoch(1), b"two".to_vec(), Instant(20)).await?;
    tx.delete_expired_at_hub(Instant(10)).await?;
    assert_eq!(tx.tree(group(1), Epoch(1)).await?, Some(b"two".to_vec()));
    assert_eq!(tx.tree(group(1), Epoch(2)).await?, None);
    for epoch in 2..=5 {
        tx.put_tree(group(1), Epoch(epoch), b"more".to_vec(), Instant(20)).await?;
    }
    tx.put_tree(group(2), Epoch(1), b"other".to_vec(), Instant(20)).await?;
    tx.limit_trees(group(1), 2).await?;
    for (epoch, kept) in [(1, false), (3, false), (4, true), (5, true)] {
        assert_eq!(tx.tree(group(1), Epoch(epoch)).await?.is_some(), kept, "{epoch}");
    }
    assert_eq!(tx.tree(group(2), Epoch(1)).await?, Some(b"other".to_vec()));
    Ok(())
}

pub async fn mailboxes(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let lazio = node("lazio");
    let mut tx = store.write().await?;
    for (number, recipient) in [(9, "lazio"), (8, "umbria"), (7, "lazio"), (6, "lazio")] {
        assert!(tx.insert_mailbox(item(number, recipient)).await?);
    }
    assert!(!tx.insert_mailbox(item(9, "lazio")).await?);
    assert!(!tx.insert_mailbox(item(9, "umbria")).await?);
    assert!(tx.insert_mailbox(MailboxRow { sender: node("umbria"), ..item(9, "lazio") }).await?);

    let rows = tx.mailbox_after(&lazio, 0, Instant(0), 9, 99).await?;
    let places: Vec<u64> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!((places[0], places.is_sorted_by(|a, b| a < b)), (1, true));
    assert_eq!(rows[0], MailboxRow { sequence: 1, ..item(9, "lazio") });
    assert_eq!(tx.mailbox_after(&lazio, places[0], Instant(0), 2, 99).await?, rows[1..3]);
    assert_eq!(tx.mailbox_after(&lazio, 0, Instant(1_000), 9, 99).await?, []);
    for (bytes, count) in [(0, 1), (7, 1), (8, 2), (11, 2), (12, 3)] {
        let page = tx.mailbox_after(&lazio, 0, Instant(0), 9, bytes).await?;
        assert_eq!(page, rows[..count], "{bytes} bytes");
    }
    tx.delete_mailbox(&lazio, places[2]).await?;
    assert_eq!(tx.mailbox_after(&lazio, 0, Instant(0), 9, 99).await?, rows[3..]);
    tx.delete_mailbox_item(&node("umbria"), rows[3].item).await?;
    assert_eq!(tx.mailbox_after(&lazio, 0, Instant(0), 9, 99).await?, []);
    assert_eq!(tx.mailbox_after(&node("umbria"), 0, Instant(0), 9, 99).await?.len(), 1);
    Ok(())
}

pub async fn mail_loads(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let (pisa, lucca) = (node("pisa"), node("lucca"));
    let mut tx = store.write().await?;
    let from = |number, sender: &NodeId, recipient: &str, kind: &str| MailboxRow {
        sender: sender.clone(),
        kind: kind.to_owned(),
        ..item(number, recipient)
    };
    for row in [
        from(1, &pisa, "lazio", "pact"),
        from(2, &pisa, "lazio", "card"),
        from(3, &pisa, "umbria", "pact"),
        from(4, &lucca, "lazio", "card"),
        // What the hub itself says counts for nobody.
        from(5, &pisa, "lazio", "welcome"),
        from(6, &lucca, "lazio", "key_packages_wanted"),
    ] {
        tx.insert_mailbox(row).await?;
    }
    let load = |items: u64| MailLoad { items, bytes: 4 * items };
    for (sender, recipient, of_both, of_sender, of_recipient) in [
        (&pisa, "lazio", 2, 3, 3),
        (&pisa, "umbria", 1, 3, 1),
        (&lucca, "umbria", 0, 1, 1),
        (&node("siena"), "molise", 0, 0, 0),
    ] {
        let loads = MailLoads {
            of_both: load(of_both),
            of_sender: load(of_sender),
            of_recipient: load(of_recipient),
        };
        assert_eq!(tx.mail_loads(sender, &node(recipient)).await?, loads, "{sender} {recipient}");
    }
    Ok(())
}

pub async fn mailbox_places_never_return(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let lazio = node("lazio");
    let mut tx = store.write().await?;
    tx.insert_mailbox(item(1, "lazio")).await?;
    tx.delete_mailbox(&lazio, u64::from(u32::MAX)).await?;
    tx.insert_mailbox(item(2, "lazio")).await?;
    let rows = tx.mailbox_after(&lazio, 1, Instant(0), 9, 99).await?;
    assert_eq!(rows, [MailboxRow { sequence: 2, ..item(2, "lazio") }]);
    Ok(())
}

pub async fn pool_order(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let toscana = node("toscana");
    let mut tx = store.write().await?;
    let last = PoolRow { last_resort: true, ..key_package(b"last") };
    let late = PoolRow { deposited_at: Instant(5), ..key_package(b"a") };
    let early = PoolRow { deposited_at: Instant(4), ..key_package(b"b") };
    for row in [&last, &late, &early] {
        assert!(tx.insert_pool(row.clone()).await?);
        assert!(!tx.insert_pool(row.clone()).await?);
    }
    tx.insert_pool(PoolRow { suite: 1, ..key_package(b"other suite") }).await?;
    tx.insert_pool(PoolRow { owner: node("lazio"), ..key_package(b"b") }).await?;
    tx.insert_pool(PoolRow { expires_at: Instant(50), ..key_package(b"old") }).await?;
    let pool = tx.pool(&toscana, 77, Instant(50)).await?;
    assert_eq!(pool, [early.clone(), late, last.clone()]);
    tx.delete_pool(&toscana, b"a").await?;
    assert_eq!(tx.pool(&toscana, 77, Instant(50)).await?, [early.clone(), last.clone()]);
    // What was given out does not come again.
    tx.give_pool(&toscana, b"b").await?;
    assert!(!tx.insert_pool(early).await?);
    assert_eq!(tx.pool(&toscana, 77, Instant(50)).await?, [last]);
    assert_eq!(tx.pool(&node("lazio"), 77, Instant(50)).await?.len(), 1);
    Ok(())
}

pub async fn expiry(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for (number, at) in [(1, 10), (2, 11)] {
        let expires_at = Instant(at);
        tx.insert_mailbox(MailboxRow { expires_at, ..item(number, "lazio") }).await?;
        tx.insert_pool(PoolRow { expires_at, ..key_package(&[1, at.try_into()?]) }).await?;
        tx.put_tree(group(1), Epoch(u64::from(number)), Vec::new(), expires_at).await?;
    }
    tx.delete_expired_at_hub(Instant(10)).await?;
    assert_eq!(tx.mailbox_after(&node("lazio"), 0, Instant(0), 9, 99).await?.len(), 1);
    let pool = tx.pool(&node("toscana"), 77, Instant(0)).await?;
    assert_eq!(pool.iter().map(|row| row.expires_at).collect::<Vec<_>>(), [Instant(11)]);
    assert_eq!(tx.tree(group(1), Epoch(1)).await?, None);
    assert_eq!(tx.tree(group(1), Epoch(2)).await?, Some(Vec::new()));
    Ok(())
}
