//! A hub that contradicts itself: noticed, named, held, and proven where it signed.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::envelope::{Body, CheckpointCopy, Echo};
use raccordo_core::hublog::{
    Checkpoint, EntryKind, Equivocation, LogEntry, SignedCheckpoint, head_after,
};
use raccordo_core::id::{Digest, EntryId, Epoch, Sequence};
use raccordo_core::object::Kind;
use raccordo_core::trust::state::TrustChange;
use raccordo_node::app::alarms::{self, NewAlarm};
use raccordo_node::app::delivery::State;
use raccordo_node::app::honesty::{self, PATIENCE};
use raccordo_node::app::hub::append::{Appended, Outcome, append};
use raccordo_node::app::peers;
use raccordo_node::app::receive::{Batch, Received, receive};
use raccordo_node::app::send;
use raccordo_node::app::status::Link;
use raccordo_node::app::update_keys::update_keys;
use raccordo_node::store::equipe::AlarmRow;

use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Toscana, Umbria, Who};
use crate::refused_by_members::{lie, own_lie};

/// A log that a hub signs as it likes.
struct Forged {
    after: Sequence,
    head: Digest,
    epoch: Epoch,
    entries: Vec<LogEntry>,
}

impl Forged {
    /// What Toscana has verified up to a place, and the true entries after it.
    async fn after(bench: &Bench, place: Sequence) -> Self {
        let (whole, head) = log(bench, place).await;
        let epoch = whole.first().map_or(bench.row(Toscana).await.epoch, |entry| entry.epoch);
        Self { after: place, head, epoch, entries: whole }
    }

    fn head(&self, bench: &Bench, group: raccordo_core::id::GroupId) -> SignedCheckpoint {
        let (mut head, mut epoch) = (self.head, self.epoch);
        for entry in &self.entries {
            head = head_after(head, entry.digest(group));
            epoch = if entry.kind == EntryKind::Commit { epoch.next() } else { epoch };
        }
        let sequence = Sequence(self.after.0 + self.entries.len() as u64);
        signed(bench, Checkpoint { group, sequence, head, epoch, hub: Relay.id(), term: 1 })
    }

    async fn batch(self, bench: &Bench) -> Batch {
        let group = bench.row(Toscana).await.group;
        let checkpoint = self.head(bench, group);
        Batch { group, entries: self.entries, checkpoint }
    }
}

fn signed(bench: &Bench, stated: Checkpoint) -> SignedCheckpoint {
    stated.sign(&bench.node(Relay).identity.key)
}

/// The true log after a place, and the head there.
async fn log(bench: &Bench, place: Sequence) -> (Vec<LogEntry>, Digest) {
    let group = bench.row(Toscana).await.group;
    let mut tx = bench.node(Relay).store.read().await.unwrap();
    let rows = tx.log_after(group, Sequence(0), 10_000, u64::MAX).await.unwrap();
    let head = rows.iter().find(|row| row.sequence == place).map_or(Digest::ZERO, |row| row.head);
    let later = rows.into_iter().filter(|row| row.sequence > place);
    let entry = |row: raccordo_node::store::hub::LogRow| LogEntry {
        sequence: row.sequence,
        epoch: row.epoch,
        kind: row.kind,
        sender: row.sender,
        entry_id: row.entry,
        accepted_at: row.accepted_at,
        payload: row.payload,
    };
    (later.map(entry).collect(), head)
}

/// An équipe in which something was said.
async fn spoken() -> Bench {
    let mut bench = Bench::ready().await;
    for _ in 0..3 {
        bench.share_samples(Toscana, Kind::Case, 1).await;
        bench.run().await;
    }
    bench.assert_agreement().await;
    bench
}

async fn alarm(bench: &Bench, who: Who) -> AlarmRow {
    let lineage = bench.lineage().await;
    let alarms = bench.node(who).store.read().await.unwrap().alarms(lineage).await.unwrap();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    alarms.into_iter().next().unwrap()
}

/// One alarm that names the place, holds, and is in the audit.
async fn check(bench: &Bench, code: &str, named: &[&str]) {
    let alarm = alarm(bench, Umbria).await;
    assert_eq!(alarm.code.as_str(), code, "{}", alarm.detail);
    assert!(alarm.holds());
    for name in named {
        assert!(alarm.detail.contains(name), "{name} is not in {:?}", alarm.detail);
    }
    let held = bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.send(Umbria).await.unwrap();
    assert_eq!(bench.seen(Umbria, held[0]).await.delivery.state, State::Queued);
    let mut tx = bench.node(Umbria).store.read().await.unwrap();
    let records = tx.audit_after(0, 1_000).await.unwrap();
    let told = |record: &raccordo_core::audit::AuditRecord| {
        record.event.action == "equipe.alarm"
            && record.event.detail.get("code").is_some_and(|told| told == code)
    };
    assert_eq!(records.iter().filter(|record| told(record)).count(), 1);
}

/// Umbria's proof, read back from its file.
async fn proof(bench: &Bench) -> Equivocation {
    let files = honesty::export(bench.node(Umbria), ADMIN, EQUIPE).await.unwrap();
    Equivocation::from_file(&files[0]).unwrap()
}

async fn check_proven(bench: &Bench, place: Sequence) {
    let proven = proof(bench).await.judge().unwrap();
    assert_eq!((proven.hub, proven.sequence), (Relay.id(), place));
    assert_eq!(proven.identity, bench.node(Relay).identity.key.public());
}

async fn no_proof(bench: &Bench) {
    let none = honesty::export(bench.node(Umbria), ADMIN, EQUIPE).await;
    assert_eq!(none.unwrap_err().reason, "no_proof");
}

#[tokio::test]
async fn a_log_that_is_told_again_otherwise() {
    let mut bench = spoken().await;
    bench.restart(Umbria).await;
    let here = bench.row(Umbria).await.sequence;
    let mut forged = Forged::after(&bench, Sequence(here.0 - 3)).await;
    forged.entries[1].payload[0] ^= 1;
    let place = forged.entries[1].sequence;
    let batch = forged.batch(&bench).await;
    assert_eq!(receive(bench.node(Umbria), &batch).await, Ok(Received::Stopped));
    assert_eq!(bench.row(Umbria).await.sequence, here);
    check(&bench, "log_rewritten", &[&format!("entry {place}")]).await;
    assert!(proof(&bench).await.judge().unwrap().sequence >= place);
}

#[tokio::test]
async fn a_shorter_log_told_again_otherwise() {
    let bench = spoken().await;
    let here = bench.row(Umbria).await.sequence;
    let mut forged = Forged::after(&bench, Sequence(here.0 - 3)).await;
    forged.entries.truncate(1);
    forged.entries[0].entry_id = EntryId([9; 16]);
    let place = forged.entries[0].sequence;
    let batch = forged.batch(&bench).await;
    assert_eq!(receive(bench.node(Umbria), &batch).await, Ok(Received::Stopped));
    check(&bench, "log_rewritten", &[&format!("entry {place}")]).await;
    check_proven(&bench, place).await;
}

#[tokio::test]
async fn the_same_told_again_is_no_lie() {
    let bench = spoken().await;
    let here = bench.row(Umbria).await.sequence;
    let again = Forged::after(&bench, Sequence(here.0 - 3)).await.batch(&bench).await;
    assert_eq!(receive(bench.node(Umbria), &again).await, Ok(Received::At(here)));
    bench.assert_agreement().await;
}

/// What Toscana echoes of a place behind both, from where it stands.
fn echo_of(place: Sequence, head: Digest, before: &Echo) -> Echo {
    Echo { sequence: place, head, signature: None, ..before.clone() }
}

#[tokio::test]
async fn an_echo_of_a_place_behind() {
    let bench = spoken().await;
    let place = Sequence(bench.row(Umbria).await.sequence.0 - 2);
    let (_, head) = log(&bench, place).await;
    lie(&bench, |pack, _| pack.echo = echo_of(place, head, &pack.echo)).await;
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
    lie(&bench, |pack, _| pack.echo = echo_of(place, Digest([7; 32]), &pack.echo)).await;
    bench.fetch(Umbria).await.unwrap();
    let named = [format!("entry {place}"), head.to_string(), Digest([7; 32]).to_string()];
    check_flagged(&bench, &named.each_ref().map(String::as_str)).await;
    no_proof(&bench).await;
}

/// One member's word flags that member, holds nothing, and ends once it says what is so.
async fn check_flagged(bench: &Bench, named: &[&str]) {
    let flag = alarm(bench, Umbria).await;
    assert_eq!((flag.code, flag.holds()), (AlarmCode::EchoDisagrees, false));
    assert_eq!(flag.member, Some(Toscana.id()));
    for name in named {
        assert!(flag.detail.contains(name), "{name} is not in {:?}", flag.detail);
    }
    let sent = bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.send(Umbria).await.unwrap();
    assert_eq!(bench.seen(Umbria, sent[0]).await.delivery.state, State::Accepted);
    bench.fetch(Umbria).await.unwrap();
    // Of a place before the disagreement nothing follows.
    lie(bench, |pack, _| pack.echo = echo_of(Sequence(0), Digest::ZERO, &pack.echo)).await;
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, ["echo_disagrees"]);
    let here = bench.row(Umbria).await;
    lie(bench, |pack, _| pack.echo = echo_of(here.sequence, here.head, &pack.echo)).await;
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
}

/// Who is flagged is asked for what the hub has signed for it. An honest program answers; so the
/// flag ends without anybody's doing.
#[tokio::test]
async fn who_disagrees_is_asked_what_the_hub_signed_for_it() {
    let mut bench = spoken().await;
    let place = Sequence(bench.row(Umbria).await.sequence.0 - 2);
    bad_echo(&bench, place).await;
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, ["echo_disagrees"]);
    // Asked twice within a minute it answers once.
    bad_echo(&bench, place).await;
    bench.fetch(Umbria).await.unwrap();
    bench.send(Umbria).await.unwrap();
    bench.fetch(Toscana).await.unwrap();
    bench.send(Toscana).await.unwrap();
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
    bench.run().await;
    assert_eq!(bench.set_aside(Umbria).await, []);
}

/// A false word of Toscana that its own node knows for its entry.
async fn bad_echo(bench: &Bench, place: Sequence) {
    own_lie(bench, |pack, _| pack.echo = echo_of(place, Digest([7; 32]), &pack.echo)).await;
}

/// What it shows then may be another signature of the hub: that is two histories, and proven.
#[tokio::test]
async fn what_is_shown_on_request_proves_two_histories() {
    let bench = spoken().await;
    let row = bench.row(Umbria).await;
    let place = Sequence(row.sequence.0 - 2);
    lie(&bench, |pack, _| pack.echo = echo_of(place, Digest([7; 32]), &pack.echo)).await;
    let (hub, term) = (Relay.id(), 1);
    let (group, epoch, head) = (row.group, row.epoch, Digest([7; 32]));
    let stated = Checkpoint { group, sequence: place, head, epoch, hub, term };
    let copy = |signed: &SignedCheckpoint| CheckpointCopy {
        checkpoint: signed.bytes().to_vec(),
        signature: *signed.signature(),
    };
    // Signed by somebody else it says nothing.
    let forged = stated.clone().sign(&bench.node(Toscana).identity.key);
    let body = Body::CheckpointCopy(copy(&forged));
    let at = lie(&bench, |_, envelope| envelope.body = body).await;
    bench.fetch(Umbria).await.unwrap();
    // The echo that came with it agrees, which ends the flag.
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
    assert_eq!(bench.set_aside(Umbria).await, [(at, "bad_checkpoint".to_owned())]);
    let body = Body::CheckpointCopy(copy(&signed(&bench, stated)));
    lie(&bench, |_, envelope| envelope.body = body).await;
    bench.fetch(Umbria).await.unwrap();
    let alarms = bench.alarms(Umbria).await;
    assert!(alarms.contains(&"log_forked".to_owned()), "{alarms:?}");
    check_proven(&bench, place).await;
}

/// What the hub signed for Toscana of a place.
fn signed_for(
    bench: &Bench,
    pack: &raccordo_core::envelope::PackHead,
    at: Sequence,
    head: Digest,
) -> Echo {
    let (group, epoch) = (pack.group, pack.epoch);
    let stated = Checkpoint { group, sequence: at, head, epoch, hub: Relay.id(), term: 1 };
    let signature = Some(*signed(bench, stated).signature());
    Echo { sequence: at, head, signature, ..pack.echo.clone() }
}

#[tokio::test]
async fn two_members_see_two_logs() {
    let bench = spoken().await;
    let place = Sequence(bench.row(Umbria).await.sequence.0 - 2);
    let other = Digest([7; 32]);
    lie(&bench, |pack, _| pack.echo = signed_for(&bench, pack, place, other)).await;
    bench.fetch(Umbria).await.unwrap();
    let named = [format!("entry {place}"), other.to_string()];
    check(&bench, "log_forked", &named.each_ref().map(String::as_str)).await;
    check_proven(&bench, place).await;
}

#[tokio::test]
async fn an_echo_of_a_place_ahead_is_kept_until_this_node_is_there() {
    let bench = spoken().await;
    let ahead = Sequence(bench.row(Umbria).await.sequence.0 + 2);
    lie(&bench, |pack, _| pack.echo = signed_for(&bench, pack, ahead, Digest([7; 32]))).await;
    bench.fetch(Umbria).await.unwrap();
    check(&bench, "log_withheld", &[&format!("entry {ahead}")]).await;
    no_proof(&bench).await;
    lie(&bench, |_, _| {}).await;
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await.len(), 2);
    check_proven(&bench, ahead).await;
}

#[tokio::test]
async fn an_echo_ahead_without_a_signature() {
    let bench = spoken().await;
    let ahead = Sequence(bench.row(Umbria).await.sequence.0 + 2);
    lie(&bench, |pack, _| pack.echo = echo_of(ahead, Digest([7; 32]), &pack.echo)).await;
    bench.fetch(Umbria).await.unwrap();
    check_flagged(&bench, &[&format!("entry {ahead}")]).await;
}

/// However far ahead a false echo is, the flag ends with the next true one; and the alarm that a
/// hub keeps something back does not wait for a place that never comes.
#[tokio::test]
async fn an_echo_of_a_place_that_never_comes() {
    let bench = spoken().await;
    lie(&bench, |pack, _| pack.echo = echo_of(Sequence(1 << 40), Digest([7; 32]), &pack.echo))
        .await;
    bench.fetch(Umbria).await.unwrap();
    check_flagged(&bench, &["entry 1099511627776"]).await;
    let lineage = bench.lineage().await;
    let mut tx = bench.node(Umbria).store.read().await.unwrap();
    assert_eq!(tx.claims(lineage).await.unwrap(), []);
}

/// Two members that say so are two flags, each of which ends by itself.
#[tokio::test]
async fn keys_that_another_member_has_otherwise() {
    let bench = spoken().await;
    lie(&bench, |pack, _| pack.echo.authenticator.reverse()).await;
    bench.fetch(Umbria).await.unwrap();
    check_flagged(&bench, &["authenticator"]).await;
}

/// Umbria has handed over an alert, and the hub answers with `bend`.
async fn answered(bend: impl FnOnce(&Bench, &mut Appended)) -> Bench {
    let bench = spoken().await;
    let lineage = bench.lineage().await;
    bench.share_samples(Umbria, Kind::Case, 1).await;
    let node = bench.node(Umbria);
    let call = send::next_call(node, lineage).await.unwrap().unwrap();
    let entries = call.entries.clone();
    let mut answer = append(bench.node(Relay), &Umbria.id(), call.group, entries).await.unwrap();
    bend(&bench, &mut answer);
    send::answered(node, lineage, &call, &answer).await.unwrap();
    bench
}

fn restate(bench: &Bench, answer: &mut Appended, bend: impl FnOnce(&mut Checkpoint)) {
    let mut stated = answer.checkpoint.clone().unwrap().checkpoint().clone();
    bend(&mut stated);
    answer.checkpoint = Some(signed(bench, stated));
}

#[tokio::test]
async fn a_log_that_ends_before_what_was_delivered() {
    let bench = answered(|bench, answer| {
        restate(bench, answer, |stated| stated.sequence = Sequence(stated.sequence.0 - 2));
    })
    .await;
    let alarms = bench.alarms(Umbria).await;
    assert_eq!(alarms, ["log_forked", "log_truncated"]);
    assert!(proof(&bench).await.judge().is_ok());
}

#[tokio::test]
async fn an_answer_of_another_log_than_the_one_delivered() {
    let bench = answered(|bench, answer| {
        restate(bench, answer, |stated| stated.head = Digest([7; 32]));
    })
    .await;
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
    let place = bench.row(Umbria).await.sequence.next();
    bench.fetch(Umbria).await.unwrap();
    check(&bench, "log_forked", &[&format!("entry {place}")]).await;
    check_proven(&bench, place).await;
}

#[tokio::test]
async fn an_own_entry_that_stands_elsewhere() {
    let bench = answered(|_, answer| {
        let Outcome::Placed { sequence, .. } = &mut answer.outcomes[0].1 else { panic!() };
        *sequence = Sequence(sequence.0 + 3);
    })
    .await;
    bench.fetch(Umbria).await.unwrap();
    check(&bench, "log_reordered", &["acknowledged"]).await;
}

#[tokio::test]
async fn another_entry_where_an_own_one_was_acknowledged() {
    let bench = answered(|_, _| {}).await;
    let here = bench.row(Umbria).await.sequence;
    let mut forged = Forged::after(&bench, here).await;
    let mut other = forged.entries[0].clone();
    other.sender = Toscana.id();
    other.entry_id = EntryId([9; 16]);
    forged.entries = vec![other];
    let batch = forged.batch(&bench).await;
    receive(bench.node(Umbria), &batch).await.unwrap();
    let alarms = bench.alarms(Umbria).await;
    assert!(alarms.contains(&"log_reordered".to_owned()), "{alarms:?}");
    assert!(alarms.contains(&"log_forked".to_owned()), "{alarms:?}");
    check_proven(&bench, here.next()).await;
}

#[tokio::test]
async fn entries_that_are_kept_back() {
    let bench = answered(|_, _| {}).await;
    let node = bench.node(Umbria);
    let connected = Link { connected: true, ..Link::default() };
    node.links.note(&Relay.id(), connected);
    bench.pass(PATIENCE / 2);
    honesty::watch(node).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
    bench.pass(PATIENCE);
    honesty::watch(node).await.unwrap();
    honesty::watch(node).await.unwrap();
    let place = bench.row(Umbria).await.sequence.next();
    check(&bench, "log_withheld", &[&format!("entry {place}")]).await;
    bench.fetch(Umbria).await.unwrap();
    honesty::watch(node).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_own_entry_that_is_kept_back_beyond_a_restart() {
    let mut bench = answered(|_, _| {}).await;
    bench.restart(Umbria).await;
    let node = bench.node(Umbria);
    node.links.note(&Relay.id(), Link { connected: true, ..Link::default() });
    honesty::watch(node).await.unwrap();
    bench.pass(PATIENCE);
    honesty::watch(node).await.unwrap();
    let place = bench.row(Umbria).await.sequence.next();
    check(&bench, "log_withheld", &[&format!("at entry {place}")]).await;
    bench.fetch(Umbria).await.unwrap();
    honesty::watch(node).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_end_of_the_epoch_that_is_kept_back_beyond_a_restart() {
    let mut bench = spoken().await;
    let lineage = bench.lineage().await;
    // Both renew their keys, and Toscana is first.
    for who in [Toscana, Umbria] {
        update_keys(bench.node(who), ADMIN, EQUIPE).await.unwrap();
        bench.append_once(who, lineage).await.unwrap();
    }
    let epoch = bench.row(Umbria).await.epoch;
    bench.restart(Umbria).await;
    let node = bench.node(Umbria);
    node.links.note(&Relay.id(), Link { connected: true, ..Link::default() });
    honesty::watch(node).await.unwrap();
    bench.pass(PATIENCE);
    honesty::watch(node).await.unwrap();
    check(&bench, "log_withheld", &[&format!("epoch {epoch}")]).await;
    bench.fetch(Umbria).await.unwrap();
    honesty::watch(node).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
}

/// As after a Welcome: the hub spoke of a place that this node has not read, and is beyond.
#[tokio::test]
async fn what_a_node_is_beyond_is_not_kept_back() {
    let bench = spoken().await;
    let (node, lineage, row) = (bench.node(Umbria), bench.lineage().await, bench.row(Umbria).await);
    let signature = row.checkpoint_signature.as_slice().try_into().unwrap();
    let said = SignedCheckpoint::parse(&row.checkpoint, signature).unwrap();
    node.claims.keep(lineage, &said, node.clock.now());
    node.links.note(&Relay.id(), Link { connected: true, ..Link::default() });
    bench.pass(PATIENCE * 2);
    honesty::watch(node).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
}

/// What a hub has trimmed is an alarm already; nobody is accused twice.
#[tokio::test]
async fn a_hub_that_says_why_nothing_comes_keeps_nothing_back() {
    let bench = answered(|_, _| {}).await;
    let node = bench.node(Umbria);
    node.links.note(&Relay.id(), Link { connected: true, ..Link::default() });
    let lineage = bench.lineage().await;
    let alarm = NewAlarm::new(AlarmCode::HubTrimmed, "");
    let mut tx = node.store.write().await.unwrap();
    alarms::raise(node, &mut *tx, lineage, alarm).await.unwrap();
    tx.commit().await.unwrap();
    honesty::watch(node).await.unwrap();
    bench.pass(PATIENCE * 2);
    honesty::watch(node).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, ["hub_trimmed"]);
}

#[tokio::test]
async fn a_hub_that_is_away_keeps_nothing_back() {
    let bench = answered(|_, _| {}).await;
    bench.pass(PATIENCE * 3);
    honesty::watch(bench.node(Umbria)).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
}

/// One more entry, as the hub puts it into the log.
async fn added(bench: &Bench, of: impl Fn(&LogEntry) -> bool, bend: impl FnOnce(&mut LogEntry)) {
    let here = bench.row(Umbria).await.sequence;
    let (whole, _) = log(bench, Sequence(0)).await;
    let mut entry = whole.into_iter().rfind(|entry| of(entry)).unwrap();
    let row = bench.row(Umbria).await;
    (entry.sequence, entry.epoch, entry.accepted_at) = (here.next(), row.epoch, row.accepted_at);
    bend(&mut entry);
    let forged = Forged { after: here, head: row.head, epoch: row.epoch, entries: vec![entry] };
    let batch = forged.batch(bench).await;
    receive(bench.node(Umbria), &batch).await.unwrap();
}

#[tokio::test]
async fn a_message_that_is_repeated() {
    let bench = spoken().await;
    let of =
        |entry: &LogEntry| entry.kind == EntryKind::Application && entry.sender == Toscana.id();
    let place = bench.row(Umbria).await.sequence.next();
    added(&bench, of, |_| {}).await;
    let flag = alarm(&bench, Umbria).await;
    assert_eq!((flag.code, flag.holds()), (AlarmCode::EntryReplayed, false));
    assert_eq!((flag.member, flag.place), (Some(Toscana.id()), place));
    assert_eq!(bench.set_aside(Umbria).await, [(place, "secret_reused".to_owned())]);
}

/// What this node itself has said, the hub shows again under another id: it is no copy's.
#[tokio::test]
async fn an_own_message_that_is_repeated() {
    let bench = own_message().await;
    let of = |entry: &LogEntry| entry.kind == EntryKind::Application && entry.sender == Umbria.id();
    let place = bench.row(Umbria).await.sequence.next();
    added(&bench, of, |entry| entry.entry_id = EntryId([9; 16])).await;
    assert_eq!(bench.row(Umbria).await.state, "active");
    check(&bench, "log_reordered", &[&format!("entry {place}")]).await;
    assert_eq!(bench.set_aside(Umbria).await, [(place, "entry_replayed".to_owned())]);
}

/// The newest that Umbria has said is delivered and forgotten.
async fn own_message() -> Bench {
    let mut bench = spoken().await;
    bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench
}

#[tokio::test]
async fn an_own_notice_that_is_repeated() {
    let mut bench = spoken().await;
    let suspend = TrustChange::Suspend;
    peers::change(bench.node(Umbria), ADMIN, &Toscana.id(), suspend, "").await.unwrap();
    bench.run().await;
    bench.verify(Umbria, Toscana).await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    // In another epoch, and long forgotten.
    update_keys(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    bench.run().await;
    let of = |entry: &LogEntry| entry.kind == EntryKind::Notice && entry.sender == Umbria.id();
    added(&bench, of, |_| {}).await;
    assert_eq!(bench.row(Umbria).await.state, "active");
    assert!(bench.alarms(Umbria).await.contains(&"log_reordered".to_owned()));
}

/// What the hub puts into the log in this node's name and this node's keys have not made does
/// not make the node doubt itself.
#[tokio::test]
async fn an_entry_in_this_node_s_name_that_it_did_not_make() {
    let noise: fn(&mut LogEntry) = |entry| {
        entry.entry_id = EntryId([9; 16]);
        entry.payload = vec![7; 200];
    };
    let of_another: fn(&mut LogEntry) = |entry| entry.sender = Umbria.id();
    let no_notice: fn(&mut LogEntry) = |entry| {
        entry.entry_id = EntryId([9; 16]);
        entry.kind = EntryKind::Notice;
        entry.payload = vec![7; 200];
    };
    for (by, bend) in [(Umbria, noise), (Toscana, of_another), (Umbria, no_notice)] {
        let mut bench = own_message().await;
        bench.share_samples(Toscana, Kind::Case, 1).await;
        bench.send(Toscana).await.unwrap();
        let of = |entry: &LogEntry| entry.kind == EntryKind::Application && entry.sender == by.id();
        let place = bench.row(Umbria).await.sequence.next();
        added(&bench, of, bend).await;
        assert_eq!(bench.row(Umbria).await.state, "active", "{by:?}");
        assert_eq!(bench.set_aside(Umbria).await, [(place, "sender_mismatch".to_owned())]);
        check(&bench, "sender_wrong", &[&format!("entry {place}")]).await;
        bench.restart(Umbria).await;
    }
}

#[tokio::test]
async fn a_commit_that_is_repeated() {
    let bench = spoken().await;
    let place = bench.row(Umbria).await.sequence.next();
    let of = |entry: &LogEntry| entry.kind == EntryKind::Commit && entry.sender == Toscana.id();
    added(&bench, of, |_| {}).await;
    check(&bench, "commit_unprocessable", &[&format!("entry {place}")]).await;
}

#[tokio::test]
async fn a_message_under_another_name() {
    let mut bench = spoken().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.send(Toscana).await.unwrap();
    let here = bench.row(Umbria).await.sequence;
    let mut forged = Forged::after(&bench, here).await;
    forged.entries.truncate(1);
    forged.entries[0].sender = Relay.id();
    let batch = forged.batch(&bench).await;
    receive(bench.node(Umbria), &batch).await.unwrap();
    check(&bench, "sender_wrong", &[&format!("entry {}", here.next())]).await;
    bench.restart(Umbria).await;
}
