//! What one member says to another: Toscana is hostile, Umbria goes on.

use raccordo_core::envelope::{
    Body, CHUNK_PART_BYTES_MAX, CHUNKS_MAX, Change, Chunk, Envelope, Label, ObjectEvent, Share,
};
use raccordo_core::id::{EnvelopeId, ObjectId, Sequence};
use raccordo_core::object::Kind;
use raccordo_core::quota::Quota;
use raccordo_core::time::Instant;
use raccordo_core::wire;
use raccordo_node::app::delivery::State;
use raccordo_node::app::expire;
use raccordo_node::store::inbox::SetAsideRow;

use super::assert_named;
use crate::bench::{Bench, Toscana, Umbria, sight};
use crate::refused_by_members::{empty, own_lie, own_lies};

/// An envelope of which nothing but its id can be read.
fn unreadable(bench: &Bench) -> Vec<u8> {
    let id = EnvelopeId::random(&*bench.node(Toscana).entropy);
    [&[0x0a, 16][..], &id.0[..]].concat()
}

fn unreadables(bench: &Bench, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|_| unreadable(bench)).collect()
}

async fn set_aside(bench: &Bench) -> Vec<SetAsideRow> {
    let lineage = bench.lineage().await;
    let mut tx = bench.node(Umbria).store.read().await.unwrap();
    tx.set_aside_after(lineage, Sequence(0)).await.unwrap()
}

/// What Umbria says arrives.
async fn assert_goes_on(bench: &mut Bench) {
    let shared = bench.share_samples(Umbria, Kind::Case, 1).await[0];
    bench.run().await;
    assert_eq!(bench.seen(Umbria, shared).await.delivery.state, State::Delivered);
    let row = bench.row(Umbria).await;
    assert!(row.receipt_sent >= row.receipt_due);
}

pub async fn too_many_of_a_message(quota: Quota) {
    let mut bench = Bench::ready().await;
    own_lies(&bench, &unreadables(&bench, quota.count())).await;
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(set_aside(&bench).await.len(), quota.count());
    // As many as a pack holds.
    own_lies(&bench, &unreadables(&bench, 3_000)).await;
    bench.fetch(Umbria).await.unwrap();
    let rows = set_aside(&bench).await;
    assert_eq!(rows.len(), quota.count() + 1);
    let whole = rows.last().unwrap();
    assert_eq!((whole.envelope, whole.reason.as_str()), (None, quota.row().reason));
    assert_eq!(whole.sequence, bench.row(Umbria).await.sequence);
    assert_named(bench.node(Umbria), &Toscana.id(), quota).await;
    assert_goes_on(&mut bench).await;
}

pub async fn too_many_of_a_member(quota: Quota) {
    let mut bench = Bench::ready().await;
    let each = Quota::SetAsideOfEntry.count();
    for _ in 0..=quota.count() / each {
        own_lies(&bench, &unreadables(&bench, each)).await;
    }
    bench.fetch(Umbria).await.unwrap();
    let rows = set_aside(&bench).await;
    assert_eq!(rows.len(), quota.count());
    assert_eq!(rows.last().unwrap().sequence, bench.row(Umbria).await.sequence);
    assert_named(bench.node(Umbria), &Toscana.id(), quota).await;
    // All of it is told, in as many receipts as it takes.
    assert_goes_on(&mut bench).await;
}

/// A part of an envelope that never comes.
async fn part(bench: &Bench, whole: u8, index: u32, bytes: usize) -> Vec<u8> {
    let (whole, count) = (EnvelopeId([whole; 16]), u32::try_from(CHUNKS_MAX).unwrap());
    let chunk = Chunk { whole, index, count, part: vec![7; bytes] };
    wire::encode_envelope(&Envelope { body: Body::Chunk(chunk), ..empty(bench).await })
}

async fn wholes(bench: &Bench) -> Vec<EnvelopeId> {
    let lineage = bench.lineage().await;
    let mut tx = bench.node(Umbria).store.read().await.unwrap();
    let rows = tx.wholes(lineage, &Toscana.id()).await.unwrap();
    rows.into_iter().map(|row| row.whole).collect()
}

/// The oldest was set aside for the reason of the table.
async fn assert_first_gone(bench: &Bench, quota: Quota) {
    let rows = set_aside(bench).await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.envelope, Some(EnvelopeId([1; 16])));
    assert_eq!(row.reason, quota.row().reason);
    assert!(!wholes(bench).await.contains(&EnvelopeId([1; 16])));
}

pub async fn too_many_incomplete(quota: Quota) {
    let mut bench = Bench::ready().await;
    let most = u8::try_from(quota.count()).unwrap();
    for whole in 1..=most {
        own_lies(&bench, &[part(&bench, whole, 0, 9).await]).await;
    }
    bench.fetch(Umbria).await.unwrap();
    assert_eq!((wholes(&bench).await.len(), set_aside(&bench).await), (quota.count(), vec![]));
    own_lies(&bench, &[part(&bench, most + 1, 0, 9).await]).await;
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(wholes(&bench).await.len(), quota.count());
    assert_first_gone(&bench, quota).await;
    assert_named(bench.node(Umbria), &Toscana.id(), quota).await;
    assert_goes_on(&mut bench).await;
}

pub async fn too_many_bytes_incomplete(quota: Quota) {
    let mut bench = Bench::ready().await;
    // All parts of each but the last; the one that goes beyond is the first that goes.
    let parts = u32::try_from(CHUNKS_MAX).unwrap() - 1;
    let whole = u64::from(parts) * CHUNK_PART_BYTES_MAX as u64;
    let most = u8::try_from(quota.number() / whole).unwrap();
    for number in 1..=most + 1 {
        for index in 0..parts {
            own_lies(&bench, &[part(&bench, number, index, CHUNK_PART_BYTES_MAX).await]).await;
        }
    }
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(wholes(&bench).await.len(), usize::from(most));
    assert_first_gone(&bench, quota).await;
    assert_named(bench.node(Umbria), &Toscana.id(), quota).await;
    assert_goes_on(&mut bench).await;
}

pub async fn incomplete_too_long(quota: Quota) {
    let mut bench = Bench::ready().await;
    own_lies(&bench, &[part(&bench, 1, 0, 9).await]).await;
    bench.run().await;
    bench.pass(quota.span());
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    assert_first_gone(&bench, quota).await;
    assert_goes_on(&mut bench).await;
    // What overstays in a log that stands still goes all the same.
    own_lies(&bench, &[part(&bench, 2, 0, 9).await]).await;
    bench.run().await;
    bench.pass(2 * quota.span());
    expire::expire(bench.node(Umbria)).await.unwrap();
    assert_eq!(wholes(&bench).await, []);
}

pub async fn seen_long_ago(quota: Quota) {
    let bench = Bench::ready().await;
    let alert = sight::samples(bench.node(Toscana), Kind::Case, 1).remove(0);
    let label = Label {
        purpose: "none".to_owned(),
        recipient_classes: Vec::new(),
        expires_at: bench.node(Toscana).clock.now().plus(100 * quota.span()),
        onward_sharing: false,
    };
    let event = ObjectEvent {
        object: ObjectId::random(&*bench.node(Toscana).entropy),
        version: 1,
        change: Change::Share(Share { label, alert }),
    };
    let id = EnvelopeId([1; 16]);
    own_lie(&bench, |_, it| {
        it.id = id;
        it.body = Body::ObjectEvent(event);
    })
    .await;
    bench.fetch(Umbria).await.unwrap();
    let lineage = bench.lineage().await;
    for (after, expected) in [(quota.span() / 2, false), (quota.span() / 2, true)] {
        bench.pass(after);
        let umbria = bench.node(Umbria);
        expire::expire(umbria).await.unwrap();
        let mut tx = umbria.store.write().await.unwrap();
        let first = tx.see_envelope(lineage, &Toscana.id(), id, Instant(i64::MAX)).await;
        assert_eq!(first.unwrap(), expected);
    }
}
