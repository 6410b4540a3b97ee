//! What a member refuses of its hub and of another member.

use raccordo_core::alert::{self, Alert};
use raccordo_core::envelope::{
    Body, Change, Echo, Envelope, Label, ObjectEvent, PackHead, Receipt, SetAside, Share, pad,
};
use raccordo_core::hublog::{Checkpoint, EntryKind};
use raccordo_core::id::{Digest, EntryId, EnvelopeId, Epoch, LineageId, ObjectId, Sequence};
use raccordo_core::object::Kind;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::wire;
use raccordo_node::app::delivery::State;
use raccordo_node::app::hub::append::{Handed, Outcome};
use raccordo_node::app::pack::queued_row;
use raccordo_node::app::receive::{Batch, Received, receive};
use raccordo_node::app::work::Work;
use raccordo_node::store::object::{ObjectReports, ObjectRow};
use raccordo_node::store::outbox::EntryRow;

use crate::bench::{Bench, Relay, Toscana, Umbria, sight};

/// A batch of three messages for Umbria.
async fn batch(bench: &mut Bench) -> Batch {
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    for _ in 0..3 {
        bench.share_samples(Toscana, Kind::Case, 1).await;
    }
    bench.send(Toscana).await.unwrap();
    let batch = bench.batch(Umbria, bench.lineage().await).await.unwrap().unwrap();
    assert!(batch.entries.len() >= 3);
    batch
}

fn signed(batch: &Batch, key: &IdentityKey, bend: impl FnOnce(&mut Checkpoint)) -> Batch {
    let mut checkpoint = batch.checkpoint.checkpoint().clone();
    bend(&mut checkpoint);
    Batch { checkpoint: checkpoint.sign(key), ..batch.clone() }
}

/// Nothing is taken and the alarm holds; the good batch is still read afterwards, and ends it,
/// but for what the hub has signed.
async fn check(bench: &mut Bench, good: &Batch, bent: Batch, alarm: &str, signed: bool) {
    let before = bench.row(Umbria).await;
    assert_eq!(receive(bench.node(Umbria), &bent).await, Ok(Received::Stopped), "{alarm}");
    assert_eq!(bench.row(Umbria).await, before);
    assert_eq!(bench.alarms(Umbria).await, [alarm]);
    assert_eq!(bench.set_aside(Umbria).await, []);
    let held = bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.send(Umbria).await.unwrap();
    assert_eq!(bench.seen(Umbria, held[0]).await.delivery.state, State::Queued);
    bench.run().await;
    let last = good.entries.last().unwrap().sequence;
    assert!(bench.row(Umbria).await.sequence >= last);
    let after: &[&str] = if signed { &["log_forked"] } else { &[] };
    assert_eq!(bench.alarms(Umbria).await, after);
    // What the hub has signed of a place ahead is held against it once the log is there: the
    // alert that waited may be what stands at that place.
    let ahead = bent_ahead(&bent, good);
    let state = bench.seen(Umbria, held[0]).await.delivery.state;
    assert_eq!(state, if signed && !ahead { State::Queued } else { State::Delivered });
}

/// Whether a checkpoint is of a place behind the end of the good batch.
fn bent_ahead(bent: &Batch, good: &Batch) -> bool {
    bent.checkpoint.checkpoint().sequence > good.checkpoint.checkpoint().sequence
}

async fn check_bent(bend: impl FnOnce(&Bench, &Batch) -> Batch, alarm: &str, signed: bool) {
    let mut bench = Bench::ready().await;
    let good = batch(&mut bench).await;
    let bent = bend(&bench, &good);
    check(&mut bench, &good, bent, alarm, signed).await;
}

async fn check_entries(bend: impl FnOnce(&mut Batch), alarm: &str) {
    let bent = |_: &Bench, good: &Batch| {
        let mut bent = good.clone();
        bend(&mut bent);
        bent
    };
    check_bent(bent, alarm, false).await;
}

#[tokio::test]
async fn a_log_that_is_not_what_the_hub_signed() {
    check_entries(|it| drop(it.entries.remove(1)), "log_broken").await;
    check_entries(|it| it.entries[1].epoch = Epoch(0), "log_broken").await;
    check_entries(|it| it.entries.last_mut().unwrap().payload.push(0), "checkpoint_bad").await;
    check_entries(|it| it.entries[0].payload[9] ^= 1, "checkpoint_bad").await;
    check_entries(|it| it.entries[0].sender = Umbria.id(), "checkpoint_bad").await;
    check_entries(|it| drop(it.entries.pop()), "checkpoint_bad").await;
}

#[tokio::test]
async fn a_checkpoint_that_is_forged() {
    let stranger = IdentityKey::from_seed(&[9; 32]);
    check_bent(|_, good| signed(good, &stranger, |_| {}), "checkpoint_bad", false).await;
    for (bend, contradicts) in [
        ((|it| it.head = Digest([1; 32])) as fn(&mut Checkpoint), true),
        (|it| it.term += 1, false),
        (|it| it.hub = Toscana.id(), false),
        (|it| it.epoch = it.epoch.next(), false),
        (|it| it.sequence = it.sequence.next(), true),
    ] {
        let bent =
            |bench: &Bench, good: &Batch| signed(good, &bench.node(Relay).identity.key, bend);
        check_bent(bent, "checkpoint_bad", contradicts).await;
    }
}

#[tokio::test]
async fn a_batch_that_begins_later_is_asked_for_again() {
    let mut bench = Bench::ready().await;
    let mut late = batch(&mut bench).await;
    late.entries.remove(0);
    let at = bench.row(Umbria).await.sequence;
    assert_eq!(receive(bench.node(Umbria), &late).await, Ok(Received::Gap(at)));
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_repeated_batch_changes_nothing() {
    let mut bench = Bench::ready().await;
    let good = batch(&mut bench).await;
    bench.fetch(Umbria).await.unwrap();
    let before = bench.row(Umbria).await;
    let again = receive(bench.node(Umbria), &good).await;
    assert_eq!(again, Ok(Received::At(before.sequence)));
    assert_eq!(bench.row(Umbria).await, before);
    bench.run().await;
    bench.assert_agreement().await;
}

/// A pack that Toscana's node would never make, in its outbox and so in the log, as its own.
pub async fn own_lie(bench: &Bench, bend: impl FnOnce(&mut PackHead, &mut Envelope)) {
    queue_lie(bench, encrypted(bench, bend).await).await;
}

/// The same of these encoded envelopes.
pub async fn own_lies(bench: &Bench, envelopes: &[Vec<u8>]) {
    let head = head(bench).await;
    queue_lie(bench, encrypted_pack(bench, &head, envelopes).await).await;
}

async fn queue_lie(bench: &Bench, payload: Vec<u8>) {
    let node = bench.node(Toscana);
    let row = bench.row(Toscana).await;
    let entry = EntryId::random(&*node.entropy);
    let entry = EntryRow::pending(&row, node.boot, EntryKind::Application, entry, payload);
    let mut work = Work::begin(node, row.lineage).await.unwrap().unwrap();
    work.tx().unwrap().insert_entries(vec![entry]).await.unwrap();
    work.commit().await.unwrap();
    bench.send(Toscana).await.unwrap();
}

/// A pack that Toscana's node would never make, in the log; that node knows nothing of it.
pub async fn lie(bench: &Bench, bend: impl FnOnce(&mut PackHead, &mut Envelope)) -> Sequence {
    let node = bench.node(Toscana);
    let payload = encrypted(bench, bend).await;
    let handed = Handed {
        entry: EntryId::random(&*node.entropy),
        kind: EntryKind::Application,
        epoch: bench.row(Toscana).await.epoch,
        payload,
        group_info: Vec::new(),
        welcome: Vec::new(),
    };
    match bench.hand(Toscana, handed).await {
        Outcome::Placed { sequence, .. } => sequence,
        other => panic!("{other:?}"),
    }
}

async fn encrypted(bench: &Bench, bend: impl FnOnce(&mut PackHead, &mut Envelope)) -> Vec<u8> {
    let mut head = head(bench).await;
    let mut envelope = empty(bench).await;
    bend(&mut head, &mut envelope);
    encrypted_pack(bench, &head, &[wire::encode_envelope(&envelope)]).await
}

async fn head(bench: &Bench) -> PackHead {
    let row = bench.row(Toscana).await;
    PackHead {
        group: row.group,
        epoch: row.epoch,
        sender: Toscana.id(),
        echo: Echo {
            sequence: row.sequence,
            head: row.head,
            authenticator: row.authenticator,
            signature: None,
        },
        statement_version: 1,
    }
}

/// An envelope of Toscana that says nothing.
pub async fn empty(bench: &Bench) -> Envelope {
    let node = bench.node(Toscana);
    Envelope {
        id: EnvelopeId::random(&*node.entropy),
        lineage: bench.row(Toscana).await.lineage,
        number: 1,
        said_at: node.clock.now(),
        author: None,
        body: Body::ReadReceipt(Vec::<ObjectId>::new()),
    }
}

async fn encrypted_pack(bench: &Bench, head: &PackHead, envelopes: &[Vec<u8>]) -> Vec<u8> {
    let node = bench.node(Toscana);
    let pack = pad(&wire::encode_pack(head, envelopes)).unwrap();
    let mut work = Work::begin(node, bench.row(Toscana).await.lineage).await.unwrap().unwrap();
    let session = work.session().await.unwrap();
    let payload = session.encrypt(&node.identity.leaf(), &pack).unwrap();
    work.commit().await.unwrap();
    payload
}

async fn check_lie(
    bend: impl FnOnce(&mut PackHead, &mut Envelope),
    aside: &[&str],
    alarm: &[&str],
) {
    let bench = Bench::ready().await;
    let sequence = lie(&bench, bend).await;
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(bench.row(Umbria).await.sequence, sequence);
    let expected: Vec<_> = aside.iter().map(|reason| (sequence, (*reason).to_owned())).collect();
    assert_eq!(bench.set_aside(Umbria).await, expected);
    assert_eq!(bench.alarms(Umbria).await, alarm);
}

#[tokio::test]
async fn a_member_that_lies_about_itself() {
    check_lie(|_, _| {}, &[], &[]).await;
    check_lie(|head, _| head.sender = Umbria.id(), &["pack_mismatch"], &[]).await;
    check_lie(|head, _| head.epoch = Epoch(0), &["pack_mismatch"], &[]).await;
    check_lie(|head, _| head.group.0[0] ^= 1, &["pack_mismatch"], &[]).await;
    check_lie(|_, it| it.lineage = LineageId([9; 16]), &["lineage_mismatch"], &[]).await;
    check_lie(|_, it| it.number = 0, &["bad_field"], &[]).await;
    check_lie(|head, _| head.echo.head = Digest([1; 32]), &[], &["echo_disagrees"]).await;
    check_lie(|head, _| head.echo.authenticator = vec![1], &[], &["echo_disagrees"]).await;
}

#[tokio::test]
async fn an_own_entry_that_is_unknown_means_a_clone() {
    let bench = Bench::ready().await;
    lie(&bench, |_, _| {}).await;
    bench.fetch(Toscana).await.unwrap();
    assert_eq!(bench.row(Toscana).await.state, "quarantined");
    assert_eq!(bench.alarms(Toscana).await, ["own_entry_unknown"]);
}

/// What Toscana reports of objects and envelopes, as it stands in Umbria's rows.
async fn reported(bench: &Bench, row: ObjectRow) -> ObjectReports {
    let mut tx = bench.node(Umbria).store.read().await.unwrap();
    tx.object_reports(&[row]).await.unwrap().remove(0)
}

#[tokio::test]
async fn reports_of_what_is_not_known_here_make_no_rows() {
    let mut bench = Bench::ready().await;
    let own = bench.share_samples(Umbria, Kind::Case, 1).await[0];
    let theirs = bench.share_samples(Toscana, Kind::Case, 1).await[0];
    bench.run().await;
    let mut tx = bench.node(Umbria).store.read().await.unwrap();
    let own = tx.object(own).await.unwrap().unwrap();
    let theirs = tx.object(theirs).await.unwrap().unwrap();
    drop(tx);
    let entropy = &bench.node(Toscana).entropy;
    let unknown = ObjectRow {
        object: ObjectId::random(&**entropy),
        envelope: EnvelopeId::random(&**entropy),
        ..own.clone()
    };
    let said = [&own, &theirs, &unknown];
    let read = Envelope {
        body: Body::ReadReceipt(said.map(|row| row.object).to_vec()),
        ..empty(&bench).await
    };
    let aside = said.map(|row| SetAside {
        sequence: own.sequence,
        envelope: Some(row.envelope),
        reason: "some_reason".to_owned(),
    });
    let receipt = Receipt { processed: own.sequence, set_aside: aside.to_vec() };
    let receipt = Envelope { body: Body::Receipt(receipt), ..empty(&bench).await };
    own_lies(&bench, &[wire::encode_envelope(&read), wire::encode_envelope(&receipt)]).await;
    bench.fetch(Umbria).await.unwrap();
    let refusals = vec![(Toscana.id(), "some_reason".to_owned())];
    let expected = ObjectReports { read: vec![Toscana.id()], refusals };
    assert_eq!(reported(&bench, own).await, expected);
    let nothing = ObjectReports { read: Vec::new(), refusals: Vec::new() };
    assert_eq!(reported(&bench, theirs).await, nothing);
    assert_eq!(reported(&bench, unknown).await, nothing);
    assert_eq!(bench.set_aside(Umbria).await, []);
}

#[tokio::test]
async fn a_message_refused_as_a_whole_is_told_of_each_of_its_objects() {
    let mut bench = Bench::ready().await;
    let first = bench.share_samples(Umbria, Kind::Case, 1).await[0];
    bench.run().await;
    let objects = bench.share_samples(Umbria, Kind::Case, 2).await;
    bench.send(Umbria).await.unwrap();
    bench.fetch(Umbria).await.unwrap();
    let sequence = bench.row(Umbria).await.sequence;
    let aside = SetAside { sequence, envelope: None, reason: "too_many_set_aside".to_owned() };
    let receipt = Receipt { processed: sequence, set_aside: vec![aside.clone(), aside] };
    own_lie(&bench, |_, it| it.body = Body::Receipt(receipt)).await;
    bench.fetch(Umbria).await.unwrap();
    for object in objects {
        let delivery = bench.seen(Umbria, object).await.delivery;
        assert_eq!(delivery.refusals, [(Toscana.id(), "too_many_set_aside".to_owned())]);
    }
    assert_eq!(bench.seen(Umbria, first).await.delivery.refusals, []);
}

#[tokio::test]
async fn an_own_envelope_that_fits_no_pack_stops_nothing() {
    let mut bench = Bench::ready().await;
    let aside = |number: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let (envelope, reason) = (Some(EnvelopeId(id)), "bad_field".to_owned());
        SetAside { sequence: Sequence(1), envelope, reason }
    };
    let set_aside = (0..3_000).map(aside).collect();
    let receipt = Receipt { processed: Sequence(1), set_aside };
    let large = Envelope { body: Body::Receipt(receipt), ..empty(&bench).await };
    let node = bench.node(Toscana);
    let row = queued_row(node, &large, None, false).unwrap();
    let mut work = Work::begin(node, large.lineage).await.unwrap().unwrap();
    work.tx().unwrap().queue_envelopes(vec![row]).await.unwrap();
    work.commit().await.unwrap();
    let shared = bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench.assert_arrived(Toscana, &shared).await;
    bench.assert_agreement().await;
}

/// Its sender can mend what it is told of, and nothing that it said comes back or into a log.
#[tokio::test]
async fn a_refusal_names_the_field_and_its_rule_or_the_clause() {
    let check = async |bend: fn(&mut Alert), expected: &str| {
        let mut bench = Bench::ready().await;
        let object = bench.share_samples(Toscana, Kind::Case, 1).await[0];
        let node = bench.node(Toscana);
        // Another object of Toscana's, of which a lie is all that goes out.
        let known = node.store.read().await.unwrap().object(object).await.unwrap().unwrap();
        let (object, envelope) =
            (ObjectId::random(&*node.entropy), EnvelopeId::random(&*node.entropy));
        let row = ObjectRow { object, envelope, ..known };
        let mut tx = node.store.write().await.unwrap();
        tx.insert_objects(vec![row.clone()]).await.unwrap();
        tx.commit().await.unwrap();
        let mut alert = sight::samples(node, Kind::Case, 1).remove(0);
        bend(&mut alert);
        let label = Label {
            purpose: "kamal_hossain".to_owned(),
            recipient_classes: Vec::new(),
            expires_at: row.expires_at,
            onward_sharing: false,
        };
        let change = Change::Share(Share { label, alert });
        let event = ObjectEvent { object, version: 1, change };
        own_lie(&bench, |_, it| {
            it.id = envelope;
            it.body = Body::ObjectEvent(event);
        })
        .await;
        bench.run().await;
        let mut tx = bench.node(Toscana).store.read().await.unwrap();
        let reports = tx.object_reports(&[row]).await.unwrap().remove(0);
        assert_eq!(reports.refusals, [(Umbria.id(), expected.to_owned())]);
        let reasons = bench.set_aside(Umbria).await.into_iter().map(|(_, reason)| reason);
        assert_eq!(reasons.collect::<Vec<_>>(), [expected]);
    };
    check(|_| {}, "pact_forbids:purposes").await;
    let bend = |bent: &mut Alert| {
        let Some(alert::Body::CaseAlert(case)) = &mut bent.body else { panic!() };
        case.age_band = "Kamal Hossain".to_owned();
    };
    check(bend, "invalid_alert:caseAlert.ageBand:malformed").await;
}
