//! Rows of envelopes and entries to be sent.

use std::sync::Arc;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{Epoch, Sequence};
use raccordo_core::time::Instant;
use raccordo_node::store::outbox::{EntryRow, EntryState, EnvelopeRow};
use raccordo_node::store::{Store, StoreError};

use crate::sample::{
    digest, entry, entry_id, envelope, envelope_id, equipe, lineage, object, object_id,
};
use crate::token::record_id;

/// Numbers of envelopes, from their queueing times.
fn numbers(rows: &[EnvelopeRow]) -> Vec<i64> {
    rows.iter().map(|row| row.queued_at.0 - 1_000).collect()
}

pub async fn queued_in_order(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    // Against the order of their ids, in chunks of every size.
    tx.queue_envelopes((0..90).rev().map(envelope).collect()).await?;
    tx.queue_envelopes(vec![EnvelopeRow { object: None, ..envelope(200) }]).await?;
    tx.queue_envelopes(Vec::new()).await?;
    tx.commit().await?;

    let mut tx = store.read().await?;
    let rows = tx.queued_envelopes(lineage(1), true, 100).await?;
    assert_eq!(numbers(&rows), (0..90).rev().chain([200]).collect::<Vec<i64>>());
    let positions: Vec<u64> = rows.iter().map(|row| row.position).collect();
    assert!(positions.is_sorted_by(|a, b| a < b));
    assert_eq!(rows[0], EnvelopeRow { position: positions[0], ..envelope(89) });
    assert_eq!(rows[90].object, None);
    assert_eq!(tx.queued_envelopes(lineage(1), true, 3).await?, rows[..3]);
    assert_eq!(tx.unaccepted_envelopes(lineage(1)).await?, 91);
    assert_eq!(tx.unaccepted_envelopes(lineage(2)).await?, 0);
    Ok(())
}

pub async fn case_bearing_waits(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let rows = (0..6).map(|n| EnvelopeRow { case_bearing: n % 2 == 0, ..envelope(n) });
    tx.queue_envelopes(rows.collect()).await?;
    assert_eq!(numbers(&tx.queued_envelopes(lineage(1), false, 2).await?), [1, 3]);
    assert_eq!(numbers(&tx.queued_envelopes(lineage(1), true, 3).await?), [0, 1, 2]);
    let again = tx.queue_envelopes(vec![envelope(3)]).await;
    assert!(matches!(again, Err(StoreError::Exists("envelope"))));
    Ok(())
}

pub async fn under_way(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let part = EnvelopeRow { object: envelope(1).object, ..envelope(4) };
    let of_node = EnvelopeRow { object: None, ..envelope(5) };
    tx.queue_envelopes(vec![envelope(2), envelope(1), part, of_node, envelope(9)]).await?;
    let before = |time: i64| Instant(1_000 + time);
    let one = lineage(1);
    let found = tx.objects_under_way(one, before(9), 9).await?;
    assert_eq!(found, [object_id(2), object_id(1)]);
    let found = tx.objects_under_way(one, before(10), 9).await?;
    assert_eq!(found, [object_id(2), object_id(1), object_id(9)]);
    assert_eq!(tx.objects_under_way(one, before(10), 1).await?, [object_id(2)]);
    assert_eq!(tx.objects_under_way(one, before(2), 9).await?, [object_id(1)]);
    assert_eq!(tx.objects_under_way(lineage(2), before(10), 9).await?, []);
    Ok(())
}

pub async fn packed_and_unpacked(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let some = |number| EnvelopeRow {
        object: envelope(number).object.filter(|_| number != 1),
        ..envelope(number)
    };
    tx.queue_envelopes((0..5).map(some).collect()).await?;
    let mut rows = tx.queued_envelopes(lineage(1), true, 3).await?;
    for row in &mut rows {
        row.entry = Some(entry_id(7));
        row.sealed = b"with number".to_vec();
    }
    tx.pack_envelopes(&rows).await?;
    assert_eq!(tx.envelopes_of(lineage(1), entry_id(7)).await?, rows);
    assert_eq!(tx.envelopes_of(lineage(2), entry_id(7)).await?, []);
    let of_node = tx.envelopes_of_node(lineage(1), entry_id(7)).await?;
    assert_eq!(of_node, [rows[1].clone()]);
    assert_eq!(tx.envelopes_of_node(lineage(2), entry_id(7)).await?, []);
    assert_eq!(numbers(&tx.queued_envelopes(lineage(1), true, 9).await?), [3, 4]);
    assert_eq!(tx.unaccepted_envelopes(lineage(1)).await?, 5);

    tx.unpack_envelopes(lineage(1), entry_id(7)).await?;
    assert_eq!(tx.envelopes_of(lineage(1), entry_id(7)).await?, []);
    let queued = tx.queued_envelopes(lineage(1), true, 9).await?;
    assert_eq!(numbers(&queued), [0, 1, 2, 3, 4]);
    assert_eq!(queued[0].sealed, b"with number");
    Ok(())
}

pub async fn blanked_with_their_record(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let record = |number| Some(record_id(number));
    let mut tx = store.write().await?;
    tx.insert_equipe(equipe(1, "pisa")).await?;
    tx.insert_equipe(equipe(2, "siena")).await?;
    let some = |number| EnvelopeRow { record: record(number % 2), ..envelope(number) };
    tx.queue_envelopes((0..4).map(some).collect()).await?;
    tx.queue_envelopes(vec![EnvelopeRow { lineage: lineage(2), record: record(1), ..envelope(9) }])
        .await?;
    let found = tx.envelopes_of_record(record_id(1)).await?;
    assert_eq!(numbers(&found), [1, 3, 9]);
    tx.blank_envelope(lineage(1), envelope_id(3), b"nothing".to_vec()).await?;
    tx.blank_envelope(lineage(2), envelope_id(3), b"of another".to_vec()).await?;
    let found = tx.envelopes_of_record(record_id(1)).await?;
    assert_eq!(numbers(&found), [1, 9]);
    let blanked = tx.envelope(lineage(1), envelope_id(3)).await?.map(|row| row.sealed);
    assert_eq!(blanked, Some(b"nothing".to_vec()));
    assert_eq!(tx.envelopes_of_record(record_id(0)).await?.len(), 2);
    Ok(())
}

pub async fn placed(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_objects((0..4).map(object).collect()).await?;
    tx.queue_envelopes((0..4).map(envelope).collect()).await?;
    let mut rows = tx.queued_envelopes(lineage(1), true, 2).await?;
    for row in &mut rows {
        row.entry = Some(entry_id(7));
    }
    tx.pack_envelopes(&rows).await?;
    let withdrawal =
        EnvelopeRow { entry: Some(entry_id(9)), object: Some(object_id(1)), ..envelope(9) };
    tx.queue_envelopes(vec![withdrawal]).await?;
    let refused = EntryRow { state: EntryState::Refused, ..entry(8) };
    tx.insert_entries(vec![entry(7), refused, entry(9)]).await?;
    let places = [(9, 43), (7, 40), (8, 41), (6, 42)];
    let places = places.map(|(number, place)| (entry_id(number), Sequence(place)));
    for _ in 0..2 {
        tx.entries_placed(lineage(2), &places).await?;
        tx.entries_placed(lineage(1), &[]).await?;
        tx.entries_placed(lineage(1), &places).await?;
    }
    let states = [(7, EntryState::Accepted, 40), (8, EntryState::Refused, 0)];
    for (number, state, sequence) in states {
        let row = tx.entry(lineage(1), entry_id(number)).await?;
        let row = row.map(|row| (row.state, row.sequence, row.payload));
        assert_eq!(row, Some((state, Sequence(sequence), entry(number).payload)), "{number}");
    }
    let placed = tx.envelopes_of(lineage(1), entry_id(7)).await?;
    assert!(placed.iter().all(|row| row.sequence == Sequence(40)));
    let mut sequences = Vec::new();
    for number in 0..4 {
        sequences.extend(tx.object(object_id(number)).await?.map(|row| row.sequence.0));
    }
    // The newest that is said of an object is what is to be delivered.
    assert_eq!(sequences, [40, 43, 0, 0]);
    let one = tx.envelope(lineage(1), envelope_id(1)).await?;
    assert_eq!(one.map(|row| row.sequence), Some(Sequence(40)));
    assert_eq!(tx.envelope(lineage(2), envelope_id(1)).await?, None);
    assert_eq!(tx.unaccepted_envelopes(lineage(1)).await?, 2);
    Ok(())
}

/// An entry with a payload of its own.
fn made(number: u32) -> EntryRow {
    let payload_digest = digest(50 + u8::try_from(number).unwrap());
    EntryRow { payload_digest, ..entry(number) }
}

pub async fn forgotten_once_delivered(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for (number, sequence) in [(0, 3), (1, 4), (2, 5), (3, 0)] {
        let entry_id = entry_id(number);
        let row = EnvelopeRow { entry: Some(entry_id), ..envelope(number) };
        tx.queue_envelopes(vec![row]).await?;
        tx.insert_entries(vec![made(number)]).await?;
        if sequence > 0 {
            tx.entries_placed(lineage(1), &[(entry_id, Sequence(sequence))]).await?;
        }
    }
    tx.forget_delivered(lineage(2), Sequence(9)).await?;
    tx.forget_delivered(lineage(1), Sequence(4)).await?;
    for (number, kept) in [(0, false), (1, false), (2, true), (3, true)] {
        assert_eq!(tx.entry(lineage(1), entry_id(number)).await?.is_some(), kept, "{number}");
        let envelopes = tx.envelopes_of(lineage(1), entry_id(number)).await?;
        assert_eq!(!envelopes.is_empty(), kept, "{number}");
    }
    // That it was made here is known, of which epoch too.
    let (gone, kept) = (made(0), made(2));
    for row in [&gone, &kept] {
        assert!(tx.has_made(lineage(1), row.payload_digest).await?);
        assert!(!tx.has_made(lineage(2), row.payload_digest).await?);
    }
    assert!(!tx.has_made(lineage(1), digest(99)).await?);
    tx.forget_made(lineage(1), gone.epoch).await?;
    assert!(tx.has_made(lineage(1), gone.payload_digest).await?);
    tx.forget_made(lineage(1), gone.epoch.next()).await?;
    assert!(!tx.has_made(lineage(1), gone.payload_digest).await?);
    // What was forgotten may come again.
    tx.queue_envelopes(vec![envelope(0)]).await?;
    tx.insert_entries(vec![entry(0)]).await?;
    assert_eq!(numbers(&tx.queued_envelopes(lineage(1), true, 9).await?), [0]);
    Ok(())
}

pub async fn entries_in_order(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_entries((0..41).rev().map(entry).collect()).await?;
    let again = tx.insert_entries(vec![entry(3)]).await;
    assert!(matches!(again, Err(StoreError::Exists("entry"))));
    let rows = tx.entries_in(lineage(1), EntryState::Pending, 100).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.entry).collect();
    assert_eq!(ids, (0..41).rev().map(entry_id).collect::<Vec<_>>());
    assert_eq!(rows[0], EntryRow { position: rows[0].position, ..entry(40) });
    assert_eq!(tx.entries_in(lineage(1), EntryState::Pending, 2).await?, rows[..2]);
    assert_eq!(tx.entries_in(lineage(1), EntryState::Stale, 2).await?, []);
    assert_eq!(tx.entry(lineage(1), entry_id(40)).await?.as_ref(), rows.first());
    assert_eq!(tx.entry(lineage(2), entry_id(40)).await?, None);
    tx.delete_entry(lineage(1), entry_id(40)).await?;
    tx.delete_entry(lineage(1), entry_id(40)).await?;
    assert_eq!(tx.entry(lineage(1), entry_id(40)).await?, None);
    Ok(())
}

pub async fn entry_updated(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_entries(vec![entry(1), entry(2)]).await?;
    let changed = EntryRow {
        position: 99,
        kind: EntryKind::Notice,
        epoch: Epoch(8),
        payload: Vec::new(),
        payload_digest: digest(9),
        state: EntryState::Refused,
        sequence: Sequence(10),
        reason: "too_large".to_owned(),
        ..entry(1)
    };
    tx.update_entry(&changed).await?;
    let found = tx.entry(lineage(1), entry_id(1)).await?;
    let position = found.as_ref().map_or(0, |row| row.position);
    assert_ne!(position, 99);
    assert_eq!(found, Some(EntryRow { position, kind: EntryKind::Application, ..changed }));
    let other = tx.entry(lineage(1), entry_id(2)).await?;
    assert_eq!(other.map(|row| row.payload), Some(b"payload 2".to_vec()));
    Ok(())
}

pub async fn pending_commit(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let commit = EntryRow { kind: EntryKind::Commit, ..entry(2) };
    tx.insert_entries(vec![entry(1)]).await?;
    assert_eq!(tx.pending_commit(lineage(1)).await?, None);
    tx.insert_entries(vec![commit.clone()]).await?;
    let found = tx.pending_commit(lineage(1)).await?;
    assert_eq!(found.map(|row| row.entry), Some(commit.entry));
    assert_eq!(tx.pending_commit(lineage(2)).await?, None);
    let notice = EntryRow { kind: EntryKind::Notice, ..entry(3) };
    let stale = EntryRow { state: EntryState::Stale, kind: EntryKind::Notice, ..entry(4) };
    tx.insert_entries(vec![notice.clone(), stale]).await?;
    for (most, expected) in [(1, vec![commit.entry]), (9, vec![commit.entry, notice.entry])] {
        let changes = tx.pending_changes(lineage(1), most).await?;
        assert_eq!(changes.iter().map(|row| row.entry).collect::<Vec<_>>(), expected);
    }
    for (state, pending) in
        [(EntryState::Stale, true), (EntryState::Accepted, false), (EntryState::Refused, false)]
    {
        tx.update_entry(&EntryRow { state, ..commit.clone() }).await?;
        assert_eq!(tx.pending_commit(lineage(1)).await?.is_some(), pending, "{state:?}");
    }
    Ok(())
}

pub async fn stale_entries(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let rows = vec![
        EntryRow { epoch: Epoch(4), ..entry(1) },
        EntryRow { epoch: Epoch(5), ..entry(2) },
        EntryRow { kind: EntryKind::Commit, epoch: Epoch(4), ..entry(3) },
        EntryRow { state: EntryState::Accepted, epoch: Epoch(4), ..entry(4) },
        EntryRow { lineage: lineage(2), epoch: Epoch(4), ..entry(5) },
    ];
    tx.insert_entries(rows).await?;
    tx.entries_stale_before(lineage(1), Epoch(5)).await?;
    let stale = tx.entries_in(lineage(1), EntryState::Stale, 9).await?;
    let stale: Vec<_> = stale.iter().map(|row| (row.entry, row.payload.as_slice())).collect();
    assert_eq!(stale, [(entry_id(1), b"".as_slice())]);
    assert_eq!(tx.entries_in(lineage(1), EntryState::Pending, 9).await?.len(), 2);
    assert_eq!(tx.entries_in(lineage(2), EntryState::Pending, 9).await?.len(), 1);
    Ok(())
}

pub async fn positions_apart(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let of = |number, id| EnvelopeRow { lineage: lineage(number), ..envelope(id) };
    tx.queue_envelopes(vec![of(1, 1), of(2, 2), of(1, 3), of(2, 1)]).await?;
    for number in [1, 2] {
        let rows = tx.queued_envelopes(lineage(number), true, 9).await?;
        assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), [1, 2]);
    }
    let first = tx.queued_envelopes(lineage(2), true, 1).await?;
    assert_eq!(first.first().map(|row| row.envelope), Some(envelope_id(2)));
    Ok(())
}
