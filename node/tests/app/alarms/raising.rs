//! How each alarm is raised at the observer.

use std::time::Duration;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::audit::{AuditHead, SignedAuditHead};
use raccordo_core::envelope::{Body, Envelope, PackHead, pad};
use raccordo_core::hublog::{Checkpoint, EntryKind, LogEntry, SignedCheckpoint, WelcomeItem};
use raccordo_core::id::{Digest, EntryId, EnvelopeId, Epoch, LineageId, Sequence};
use raccordo_core::trust::card::Card;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::notice::NoticeKind;
use raccordo_core::trust::state::TrustChange;
use raccordo_core::wire;
use raccordo_core::wire::hub::Mail;
use raccordo_node::app::hub::append::{Appended, Handed, Outcome, append};
use raccordo_node::app::hub::mailbox::read_mailbox;
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::receive::{Batch, Received, receive};
use raccordo_node::app::rejoin::request;
use raccordo_node::app::status::Link;
use raccordo_node::app::update_keys::update_keys;
use raccordo_node::app::work::Work;
use raccordo_node::app::{
    audit_chain, honesty, notices, pack, peers, receive_mail, send, successor,
};
use raccordo_node::store::Store as _;
use raccordo_node::store::outbox::EntryRow;

use super::{CULPRIT, OBSERVER, OTHER, RELAY, Stage};
use crate::bench::ADMIN;
use crate::hubs::{EQUIPE, REGIONS, id};

const HOUR: Duration = Duration::from_secs(3600);

/// Raises it, so that `ending` can end it.
pub async fn raise(stage: &mut Stage, code: AlarmCode, ending: Ending) {
    match code {
        AlarmCode::LogForked => forked(stage).await,
        AlarmCode::LogRewritten => rewritten(stage).await,
        AlarmCode::LogTruncated => {
            answered(stage, |stage, answer| {
                let mut stated = answer.checkpoint.clone().unwrap().checkpoint().clone();
                stated.sequence = Sequence(stated.sequence.0 - 2);
                answer.checkpoint = Some(signed(stage, stated));
            })
            .await;
        }
        AlarmCode::LogReordered => {
            answered(stage, |_, answer| {
                let Outcome::Placed { sequence, .. } = &mut answer.outcomes[0].1 else { panic!() };
                *sequence = Sequence(sequence.0 + 3);
            })
            .await;
            stage.observe().await;
        }
        AlarmCode::LogWithheld => withheld(stage).await,
        AlarmCode::LogBroken => {
            let mut batch = batch(stage).await;
            batch.entries.remove(1);
            refuse(stage, &batch).await;
        }
        AlarmCode::CheckpointBad => {
            let mut batch = batch(stage).await;
            let stranger = IdentityKey::from_seed(&[9; 32]);
            batch.checkpoint = batch.checkpoint.checkpoint().clone().sign(&stranger);
            refuse(stage, &batch).await;
        }
        AlarmCode::SenderWrong => {
            let payload = encrypted(stage, CULPRIT, |_, _| {}).await;
            hand(stage, OTHER, payload).await;
            stage.observe().await;
        }
        AlarmCode::HubClockAhead => ahead(stage, async |_| {}).await,
        AlarmCode::OwnClockBehind => {
            ahead(stage, async |stage| {
                audit_chain::note_export(stage.hubs.node(OBSERVER), ADMIN).await.unwrap();
            })
            .await;
        }
        AlarmCode::EchoDisagrees => {
            settle(stage).await;
            lie(stage, |head, _| head.echo.head = Digest([7; 32])).await;
            stage.observe().await;
        }
        AlarmCode::EntryReplayed => {
            settle(stage).await;
            let payload = encrypted(stage, CULPRIT, |_, _| {}).await;
            queue(stage, vec![payload.clone(), payload]).await;
            stage.observe().await;
        }
        AlarmCode::OwnEntryUnknown => doubled(stage, OBSERVER).await,
        AlarmCode::NeedsRejoin => {
            doubled(stage, OBSERVER).await;
            request::ask(stage.hubs.node(OBSERVER), ADMIN, EQUIPE).await.unwrap();
        }
        AlarmCode::CommitUnprocessable => strayed(stage).await,
        AlarmCode::WelcomeRefused => welcome_refused(stage).await,
        AlarmCode::PactUnknown => pact_unknown(stage).await,
        AlarmCode::EntryRefused => {
            settle(stage).await;
            answered(stage, |_, answer| {
                answer.outcomes[0].1 = Outcome::Refused("not_admissible".into());
                answer.checkpoint = None;
            })
            .await;
        }
        AlarmCode::HubRemoved => stage.hubs.end_log(OBSERVER, "removed").await,
        AlarmCode::HubUnknownGroup => stage.hubs.end_log(OBSERVER, "no_such_thing").await,
        AlarmCode::HubTrimmed => stage.hubs.end_log(OBSERVER, "trimmed").await,
        AlarmCode::CardForked => card_forked(stage).await,
        AlarmCode::NoticeCannotProcess if ending == Ending::Void => {
            strayed(stage).await;
            stage.hubs.turn(CULPRIT, RELAY).await;
            stage.observe().await;
        }
        AlarmCode::NoticeCannotProcess => say(stage, NoticeKind::CannotProcess, "entry 1").await,
        AlarmCode::NoticeRejoinRequest => {
            doubled(stage, CULPRIT).await;
            request::ask(stage.hubs.node(CULPRIT), ADMIN, EQUIPE).await.unwrap();
            stage.hubs.turn(CULPRIT, RELAY).await;
            stage.observe().await;
        }
        AlarmCode::NoticeRevocation => {
            let culprit = stage.hubs.node(CULPRIT);
            let suspend = TrustChange::Suspend;
            peers::change(culprit, ADMIN, &id(OTHER), suspend, "story").await.unwrap();
            stage.hubs.turn(CULPRIT, RELAY).await;
            stage.observe().await;
        }
        AlarmCode::NoticeLeave => say(stage, NoticeKind::Leave, "").await,
        AlarmCode::NoticeVoid => say(stage, NoticeKind::Void, "entry 1").await,
        AlarmCode::AuditWentBack => {
            let lineage = stage.hubs.row(CULPRIT).await.lineage;
            for sequence in [1_005, 1_004] {
                lie(stage, |_, said| said.push(audit_head(stage, lineage, sequence))).await;
            }
            stage.observe().await;
        }
        AlarmCode::HeartbeatOverdue => stage.hubs.pass(HOUR),
        AlarmCode::KeyCeremonyFailed
        | AlarmCode::KeyLost
        | AlarmCode::KeyDealingBad
        | AlarmCode::KeyDissent
        | AlarmCode::EvaluationBad
        | AlarmCode::TokenBudgetExceeded => panic!("{code} has a stage of its own"),
    }
}

/// Who has written in this run needs no commit first: what the observer says from now on begins
/// no epoch, and who has not read it can go on writing.
async fn settle(stage: &mut Stage) {
    stage.hubs.share(OBSERVER, 1).await;
    stage.hubs.run().await;
}

fn signed(stage: &Stage, stated: Checkpoint) -> SignedCheckpoint {
    stated.sign(&stage.hubs.node(RELAY).identity.key)
}

/// A pack that a node would never make, encrypted by it.
async fn encrypted(
    stage: &Stage,
    who: &str,
    bend: impl FnOnce(&mut PackHead, &mut Vec<Envelope>),
) -> Vec<u8> {
    let node = stage.hubs.node(who);
    let row = stage.hubs.row(who).await;
    let echo = raccordo_core::envelope::Echo {
        sequence: row.sequence,
        head: row.head,
        authenticator: row.authenticator,
        signature: None,
    };
    let (group, epoch, sender) = (row.group, row.epoch, id(who));
    let mut head = PackHead { group, epoch, sender, echo, statement_version: 1 };
    let mut envelopes = Vec::new();
    bend(&mut head, &mut envelopes);
    let envelopes: Vec<_> = envelopes.iter().map(wire::encode_envelope).collect();
    let pack = pad(&wire::encode_pack(&head, &envelopes)).unwrap();
    let mut work = Work::begin(node, row.lineage).await.unwrap().unwrap();
    let leaf = work.leaf().await.unwrap();
    let payload = work.session().await.unwrap().encrypt(&leaf, &pack).unwrap();
    work.commit().await.unwrap();
    payload
}

/// Puts messages into the culprit's outbox, as its own, and sends them.
async fn queue(stage: &Stage, payloads: Vec<Vec<u8>>) {
    let node = stage.hubs.node(CULPRIT);
    let row = stage.hubs.row(CULPRIT).await;
    let entry = |payload| {
        let entry = EntryId::random(&*node.entropy);
        EntryRow::pending(&row, node.boot, EntryKind::Application, entry, payload)
    };
    let mut work = Work::begin(node, row.lineage).await.unwrap().unwrap();
    let rows = payloads.into_iter().map(entry).collect();
    work.tx().unwrap().insert_entries(rows).await.unwrap();
    work.commit().await.unwrap();
    stage.hubs.send(CULPRIT, RELAY).await;
}

/// The culprit sends a pack that its node would never make.
pub async fn lie(stage: &Stage, bend: impl FnOnce(&mut PackHead, &mut Vec<Envelope>)) {
    let payload = encrypted(stage, CULPRIT, bend).await;
    queue(stage, vec![payload]).await;
}

/// Hands a message to the hub in a node's name, past that node.
async fn hand(stage: &Stage, who: &str, payload: Vec<u8>) {
    let row = stage.hubs.row(who).await;
    let handed = Handed {
        entry: EntryId::random(&*stage.hubs.node(who).entropy),
        kind: EntryKind::Application,
        epoch: row.epoch,
        payload,
        group_info: Vec::new(),
        welcome: Vec::new(),
    };
    let answer = append(stage.hubs.node(RELAY), &id(who), row.group, vec![handed]).await.unwrap();
    assert!(matches!(answer.outcomes[0].1, Outcome::Placed { .. }));
}

/// A copy of a node has spoken, and the node sees it.
pub async fn doubled(stage: &Stage, who: &'static str) {
    // The hub takes nothing of an epoch that is over.
    let mut newest = stage.hubs.row(who).await.epoch;
    for name in REGIONS {
        newest = newest.max(stage.hubs.row(name).await.epoch);
    }
    if stage.hubs.row(who).await.epoch < newest {
        stage.hubs.turn(who, RELAY).await;
    }
    let payload = encrypted(stage, who, |_, _| {}).await;
    hand(stage, who, payload).await;
    stage.hubs.turn(who, RELAY).await;
    assert_eq!(stage.hubs.row(who).await.state, "quarantined");
}

async fn forked(stage: &Stage) {
    let place = Sequence(stage.hubs.row(CULPRIT).await.sequence.0 - 2);
    lie(stage, |head, _| {
        let (group, epoch, other) = (head.group, head.epoch, Digest([7; 32]));
        let (hub, term) = (id(RELAY), 1);
        let stated = Checkpoint { group, sequence: place, head: other, epoch, hub, term };
        let signature = Some(*signed(stage, stated).signature());
        (head.echo.sequence, head.echo.head, head.echo.signature) = (place, other, signature);
    })
    .await;
    stage.observe().await;
}

/// What the hub keeps after a place.
async fn log_after(stage: &Stage, place: Sequence) -> Vec<LogEntry> {
    let rows = stage.hubs.log(RELAY).await;
    rows.into_iter().filter(|row| row.sequence > place).map(|row| row.entry()).collect()
}

async fn signed_end(stage: &Stage) -> SignedCheckpoint {
    let carried = stage.hubs.carried(RELAY).await;
    let (group, sequence, head) = (carried.group, carried.sequence, carried.head);
    let epoch = stage.hubs.row(OTHER).await.epoch;
    signed(stage, Checkpoint { group, sequence, head, epoch, hub: id(RELAY), term: 1 })
}

/// Three messages that the observer has not read.
async fn batch(stage: &Stage) -> Batch {
    let row = stage.hubs.row(OBSERVER).await;
    for _ in 0..3 {
        lie(stage, |_, _| {}).await;
    }
    let entries = log_after(stage, row.sequence).await;
    assert_eq!(entries.len(), 3);
    Batch { group: row.group, entries, checkpoint: signed_end(stage).await }
}

async fn refuse(stage: &Stage, batch: &Batch) {
    let taken = receive(stage.hubs.node(OBSERVER), batch).await;
    assert_eq!(taken, Ok(Received::Stopped));
}

/// What the observer has read comes again, and one of it is another: the hub itself keeps nothing
/// that all have.
async fn rewritten(stage: &Stage) {
    let mut batch = batch(stage).await;
    stage.observe().await;
    batch.entries[0].payload[0] ^= 1;
    refuse(stage, &batch).await;
}

/// The observer has handed something over, and the hub answers with `bend`.
async fn answered(stage: &mut Stage, bend: impl FnOnce(&Stage, &mut Appended)) {
    stage.hubs.share(OBSERVER, 1).await;
    let node = stage.hubs.node(OBSERVER);
    let lineage = stage.hubs.row(OBSERVER).await.lineage;
    pack::pack(node, lineage).await.unwrap();
    let call = send::next_call(node, lineage).await.unwrap().unwrap();
    let (relay, entries) = (stage.hubs.node(RELAY), call.entries.clone());
    let mut answer = append(relay, &id(OBSERVER), call.group, entries).await.unwrap();
    bend(stage, &mut answer);
    send::answered(node, lineage, &call, &answer).await.unwrap();
}

async fn withheld(stage: &mut Stage) {
    answered(stage, |_, _| {}).await;
    let node = stage.hubs.node(OBSERVER);
    node.links.note(&id(RELAY), Link { connected: true, ..Link::default() });
    honesty::watch(node).await.unwrap();
    stage.hubs.pass(honesty::PATIENCE);
    honesty::watch(node).await.unwrap();
}

/// The hub's clock was ahead when it took an entry; it is not any more.
async fn ahead(stage: &Stage, meanwhile: impl AsyncFnOnce(&Stage)) {
    stage.hubs.pass(HOUR * 2);
    lie(stage, |_, _| {}).await;
    meanwhile(stage).await;
    stage.hubs.put_clock_back(HOUR * 2);
    let before = stage.hubs.row(OBSERVER).await.sequence;
    stage.observe().await;
    assert_eq!(stage.hubs.row(OBSERVER).await.sequence, before, "the cursor waits");
}

/// A change of the chair that neither of the others can process; their disks are whole again.
async fn strayed(stage: &mut Stage) {
    let mut lost = Vec::new();
    for name in [CULPRIT, OBSERVER] {
        let row = stage.hubs.row(name).await;
        let scope = raccordo_core::ledger::LedgerScope::Group(row.group).to_string();
        let mut tx = stage.hubs.disk(name).write().await.unwrap();
        let rows = tx.ledger(&scope).await.unwrap();
        let keys: Vec<_> = rows.into_iter().filter(|row| row.kind == "epoch_key_pairs").collect();
        for row in &keys {
            tx.delete_ledger(&scope, &row.kind, &row.key).await.unwrap();
        }
        tx.commit().await.unwrap();
        lost.push((name, keys));
        stage.hubs.restart(name).await;
    }
    update_keys(stage.hubs.node(OTHER), ADMIN, EQUIPE).await.unwrap();
    stage.hubs.turn(OTHER, RELAY).await;
    for (name, keys) in lost {
        stage.hubs.turn(name, RELAY).await;
        let mut tx = stage.hubs.disk(name).write().await.unwrap();
        tx.put_ledger(&keys).await.unwrap();
        tx.commit().await.unwrap();
        stage.hubs.restart(name).await;
    }
}

/// The hub says that the observer is no member, and gives it a Welcome that is none.
async fn welcome_refused(stage: &Stage) {
    stage.hubs.end_log(OBSERVER, "removed").await;
    let row = stage.hubs.row(OBSERVER).await;
    let checkpoint = signed_end(stage).await;
    let item = WelcomeItem {
        group: row.group,
        lineage: row.lineage,
        // The hub keeps trees of epochs that somebody has joined in.
        epoch: Epoch(1),
        sequence: row.sequence.next(),
        checkpoint,
        welcome: b"no Welcome".to_vec(),
        accepted_at: row.accepted_at,
        earlier: Vec::new(),
    };
    let cursor = {
        let mut tx = stage.hubs.node(OBSERVER).store.read().await.unwrap();
        tx.mailbox_cursor(&id(RELAY)).await.unwrap()
    };
    let mail = Mail {
        sequence: cursor + 1,
        sender: id(RELAY),
        kind: "welcome".into(),
        payload: wire::hub::encode_welcome(&item),
    };
    stage.hubs.take_mail(OBSERVER, mail).await;
    // The relay has given this place to nothing: what it brings next stands there.
    let mut tx = stage.hubs.disk(OBSERVER).write().await.unwrap();
    tx.put_mailbox_cursor(&id(RELAY), cursor).await.unwrap();
    tx.commit().await.unwrap();
}

/// All agree on a later pact, and the observer's disk is one of before it heard of it.
async fn pact_unknown(stage: &mut Stage) {
    let chair = stage.hubs.node(OTHER);
    let parties = REGIONS.map(id);
    let earlier = stage.hubs.disk(OBSERVER).snapshot();
    let text = pacts::draft(chair, EQUIPE, &parties, &id(RELAY), true, "").await.unwrap();
    // The same text again would be the pact that is in force.
    assert!(text.contains("retention_days = 180"));
    let text = text.replace("retention_days = 180", "retention_days = 30");
    pacts::sign(chair, ADMIN, Source::Toml(text)).await.unwrap();
    pacts::propose(chair, ADMIN, EQUIPE, false).await.unwrap();
    stage.hubs.run().await;
    stage.hubs.sign(OBSERVER).await;
    stage.hubs.turn(OBSERVER, RELAY).await;
    stage.hubs.put_disk_back(OBSERVER, &earlier).await;
    stage.hubs.down.insert(OBSERVER);
    stage.hubs.sign(CULPRIT).await;
    stage.hubs.run().await;
    stage.hubs.down.clear();
    // Mail does not lie at the hub for ever.
    let mail = read_mailbox(stage.hubs.node(RELAY), &id(OBSERVER), 0).await.unwrap();
    if let Some(last) = mail.last() {
        let observer = stage.hubs.node(OBSERVER);
        receive_mail::skip(observer, &id(RELAY), last.sequence).await.unwrap();
    }
    stage.observe().await;
}

async fn card_forked(stage: &Stage) {
    let culprit = stage.hubs.node(CULPRIT);
    let card = culprit.identity.card();
    let other = Card { name: "Other".into(), ..card.card().clone() };
    let other = other.sign(&culprit.identity.key).unwrap();
    let observer = stage.hubs.node(OBSERVER);
    let mut tx = observer.store.write().await.unwrap();
    successor::take(observer, &mut *tx, &other).await.unwrap();
    tx.commit().await.unwrap();
}

/// The culprit says something beside MLS.
async fn say(stage: &Stage, kind: NoticeKind, detail: &str) {
    let node = stage.hubs.node(CULPRIT);
    let row = stage.hubs.row(CULPRIT).await;
    let mut work = Work::begin(node, row.lineage).await.unwrap().unwrap();
    notices::say(node, work.tx().unwrap(), &row, kind, detail.into()).await.unwrap();
    work.commit().await.unwrap();
    stage.hubs.send(CULPRIT, RELAY).await;
    stage.observe().await;
}

/// Where the culprit says that its audit chain ends.
fn audit_head(stage: &Stage, lineage: LineageId, sequence: u64) -> Envelope {
    let node = stage.hubs.node(CULPRIT);
    let head = AuditHead { sequence, hash: Digest([7; 32]) };
    let now = node.clock.now();
    let signed = SignedAuditHead::sign(id(CULPRIT), head, now, &node.identity.key);
    Envelope {
        id: EnvelopeId::random(&*node.entropy),
        lineage,
        number: 1,
        said_at: now,
        author: None,
        body: Body::AuditHead(signed),
    }
}
