//! What a hub is sent by who lies, errs or attacks: each told what it is, nothing stored.

use std::process::Stdio;

use anyhow::{Context as _, bail, ensure};
use raccordo_node::setup::Opened;
use raccordo_proto::hub::v1 as proto;
use raccordo_proto::hub::v1::EntryKind::{Application, Commit, Notice};
use raccordo_proto::hub::v1::appended::Outcome;
use raccordo_proto::hub::v1::subscribe_response::Item;
use raccordo_tests::federation::operator::reason;
use raccordo_tests::federation::raw::Raw;
use raccordo_tests::federation::{EQUIPE, Federation, RELAY, Setting, TOSCANA, UMBRIA, until};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::alerts::{examples, lines, listed, share};

/// A member's keys, its place in the group, and a connection to the hub.
struct Member {
    opened: Opened,
    raw: Raw,
    group: Vec<u8>,
    epoch: u64,
    sequence: u64,
}

impl Member {
    async fn of(world: &mut Federation, id: &str) -> anyhow::Result<Self> {
        world.node_mut(id)?.stop().await?;
        let opened = world.node(id)?.open().await?;
        let raw = Raw::of(&opened, &world.node(RELAY)?.card().await?).await?;
        let equipe = opened.store.read().await?.equipes().await?;
        let equipe = equipe.into_iter().next().context("no équipe")?;
        let (epoch, sequence) = (equipe.epoch.0, equipe.sequence.0);
        Ok(Self { opened, raw, group: equipe.group.as_bytes().to_vec(), epoch, sequence })
    }

    fn entry(&self, kind: proto::EntryKind, payload: Vec<u8>) -> proto::NewEntry {
        proto::NewEntry {
            entry_id: uuid::Uuid::new_v4().as_bytes().to_vec(),
            kind: kind.into(),
            epoch: self.epoch,
            payload,
            ..proto::NewEntry::default()
        }
    }

    async fn append(&self, entries: Vec<proto::NewEntry>) -> Result<Vec<Outcome>, Status> {
        self.append_to(&self.group, entries).await
    }

    async fn append_to(
        &self,
        group: &[u8],
        entries: Vec<proto::NewEntry>,
    ) -> Result<Vec<Outcome>, Status> {
        let message = proto::AppendRequest { group_id: group.to_vec(), entries };
        let answer = self.raw.client.clone().append(message).await?.into_inner();
        Ok(answer.outcomes.into_iter().filter_map(|one| one.outcome).collect())
    }

    /// What one entry is answered with, in a word.
    async fn told(&self, entry: proto::NewEntry) -> String {
        match self.append(vec![entry]).await {
            Ok(outcomes) => match outcomes.first() {
                Some(Outcome::Refused(reason)) => reason.clone(),
                Some(Outcome::StaleCurrentEpoch(epoch)) => format!("stale in {epoch}"),
                Some(Outcome::Placed(_)) => "placed".to_owned(),
                None => "nothing".to_owned(),
            },
            Err(status) => word(&status),
        }
    }
}

/// Code and stable reason.
fn word(status: &Status) -> String {
    format!("{:?} {}", status.code(), reason(status))
}

fn told<T>(answer: Result<T, Status>) -> String {
    answer.map_or_else(|status| word(&status), |_| "ok".to_owned())
}

/// What the hub keeps, and that it is the process that it was.
async fn kept(world: &Federation) -> anyhow::Result<(Option<u32>, Value)> {
    let relay = world.node(RELAY)?;
    Ok((relay.pid(), relay.first(&["hub", "list"]).await?))
}

/// Malformed and oversized frames, unknown kinds, the wrong group, a stale epoch, calls of
/// a wrong shape and size, by a member.
pub async fn bad_frames(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "1").await?).await?;
    let member = Member::of(&mut world, TOSCANA).await?;
    // Nobody else changes what the hub keeps.
    world.node_mut(UMBRIA)?.stop().await?;
    let before = kept(&world).await?;
    entries(&member).await?;
    calls(&member).await?;
    shapes(&member).await?;
    ensure!(kept(&world).await? == before, "the hub has stored something, or died");
    drop(member);
    // Nothing of it has harmed the group.
    world.node_mut(TOSCANA)?.start().await?;
    world.node_mut(UMBRIA)?.start().await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "2").await?).await?;
    crate::alerts::agree(&world).await
}

async fn entries(member: &Member) -> anyhow::Result<()> {
    let check = async |entry: proto::NewEntry, expected: &str| {
        let found = member.told(entry).await;
        ensure!(found == expected, "{found}, expected {expected}");
        Ok(())
    };
    let good = |payload| member.entry(Application, payload);
    check(good(Vec::new()), "malformed_frame").await?;
    check(good(b"no MLS message".to_vec()), "malformed_frame").await?;
    check(good(vec![0; 72 * 1024 + 1]), "frame_too_large").await?;
    check(member.entry(Commit, vec![0; 5 << 20]), "frame_too_large").await?;
    check(member.entry(Notice, vec![0; 16 * 1024 + 1]), "frame_too_large").await?;
    check(member.entry(Commit, vec![0; 100]), "malformed_frame").await?;
    check(member.entry(Notice, vec![0; 100]), "bad_notice").await?;
    let stale = format!("stale in {}", member.epoch);
    check(proto::NewEntry { epoch: member.epoch - 1, ..good(Vec::new()) }, &stale).await?;
    check(proto::NewEntry { epoch: member.epoch + 7, ..good(Vec::new()) }, &stale).await?;
    let beyond = proto::NewEntry { epoch: u64::MAX, ..good(Vec::new()) };
    check(beyond, "InvalidArgument malformed").await?;
    for kind in [0, 4, 77, -1, i32::MAX] {
        let entry = proto::NewEntry { kind, ..good(Vec::new()) };
        check(entry, "InvalidArgument malformed").await?;
    }
    for length in [0, 15, 17] {
        let entry = proto::NewEntry { entry_id: vec![1; length], ..good(Vec::new()) };
        check(entry, "InvalidArgument malformed").await?;
    }
    Ok(())
}

async fn calls(member: &Member) -> anyhow::Result<()> {
    let check = |found: String, expected: &str| {
        ensure!(found == expected, "{found}, expected {expected}");
        Ok(())
    };
    let one = || vec![member.entry(Application, b"x".to_vec())];
    check(told(member.append_to(&[9; 32], one()).await), "NotFound no_such_group")?;
    check(told(member.append_to(&[9; 31], one()).await), "InvalidArgument malformed")?;
    check(told(member.append(Vec::new()).await), "InvalidArgument bad_batch")?;
    let many = vec![member.entry(Application, Vec::new()); 65];
    check(told(member.append(many).await), "InvalidArgument bad_batch")?;
    let post = async |recipient: &str, kind: &str, bytes: usize| {
        let (recipient, kind) = (recipient.to_owned(), kind.to_owned());
        let item_id = uuid::Uuid::new_v4().as_bytes().to_vec();
        let message = proto::PostRequest { recipient, kind, item_id, payload: vec![1; bytes] };
        told(member.raw.client.clone().post(message).await)
    };
    check(post(UMBRIA, "letter", 1).await, "InvalidArgument unknown_kind")?;
    check(post(UMBRIA, "welcome", 1).await, "InvalidArgument unknown_kind")?;
    check(post(UMBRIA, "pact", 5 << 20).await, "InvalidArgument item_too_large")?;
    check(post("lazio", "pact", 1).await, "PermissionDenied no_such_peer")?;
    check(post("Lazio!", "pact", 1).await, "InvalidArgument malformed")?;
    let mut client = member.raw.client.clone();
    let junk = proto::DepositedKeyPackage { key_package: vec![1; 99], ..Default::default() };
    let deposit =
        |count| proto::DepositKeyPackagesRequest { key_packages: vec![junk.clone(); count] };
    let found = told(client.deposit_key_packages(deposit(1)).await);
    check(found, "InvalidArgument bad_key_package")?;
    let found = told(client.deposit_key_packages(deposit(21)).await);
    check(found, "InvalidArgument too_many")?;
    let offer = proto::OfferEquipeRequest::default();
    check(told(client.offer_equipe(offer).await), "InvalidArgument malformed")?;
    let statement = Some(raccordo_proto::trust::v1::SignedStatement::default());
    let offer = proto::OfferEquipeRequest { statement, ..Default::default() };
    check(told(client.offer_equipe(offer).await), "PermissionDenied bad_statement")?;
    let found = proto::FoundGroupRequest {
        group_id: member.group.clone(),
        lineage: vec![7; 16],
        group_info: vec![1; 99],
    };
    check(told(client.found_group(found).await), "NotFound no_such_equipe")?;
    let tree = proto::FetchTreeRequest { group_id: vec![9; 32], epoch: Some(1) };
    check(told(client.fetch_tree(tree).await), "NotFound no_such_tree")
}

/// Calls that are no good messages, or too large for any.
async fn shapes(member: &Member) -> anyhow::Result<()> {
    let call = async |method: &'static str| {
        let mut grpc = tonic::client::Grpc::new(member.raw.channel.clone());
        grpc.ready().await?;
        // Field 1 is a number here, and bytes at the hub.
        let wrong = proto::DepositKeyPackagesResponse { single_use: 5 };
        let codec = ProstCodec::<_, proto::AppendResponse>::default();
        let answer = grpc.unary(Request::new(wrong), PathAndQuery::from_static(method), codec);
        Ok::<_, anyhow::Error>(answer.await.map(drop))
    };
    let unreadable = call("/raccordo.hub.v1.HubService/Append").await?;
    ensure!(unreadable.is_err_and(|status| status.code() == Code::Internal), "it was read");
    let unknown = call("/raccordo.hub.v1.HubService/Erase").await?;
    ensure!(unknown.is_err_and(|status| status.code() == Code::Unimplemented), "it was known");

    let huge = vec![member.entry(Commit, vec![0; 17 << 20])];
    let huge = member.append(huge).await;
    ensure!(huge.as_ref().is_err_and(|status| status.code() == Code::OutOfRange), "{huge:?}");

    let mut request = Request::new(proto::ConfirmRequest::default());
    request.metadata_mut().insert("large", "x".repeat(5000).parse()?);
    let large = told(member.raw.client.clone().confirm(request).await);
    ensure!(large == "ResourceExhausted metadata_too_large", "{large}");
    Ok(())
}

/// A repeated entry id gets the first answer, whatever its bytes; another member's message
/// handed in again is set aside, and whoever did it is quarantined.
pub async fn replays(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "1").await?).await?;
    share(&world, UMBRIA, &examples(&world, "case", 1, "2").await?).await?;
    let member = Member::of(&mut world, UMBRIA).await?;
    let sent = examples(&world, "case", 1, "3").await?;
    let wait = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "accepted"];
    world.node(TOSCANA)?.run_with(&wait, Some(&lines(&sent)?)).await?;
    let theirs = read_log(&member, member.sequence + 1).await?;
    let message = |entry: &proto::LogEntry| entry.kind() == Application;
    let theirs = theirs.into_iter().rfind(message).context("no message")?;
    ensure!(theirs.sender == TOSCANA, "{theirs:?}");

    let again =
        proto::NewEntry { epoch: theirs.epoch, ..member.entry(Application, theirs.payload) };
    let first = member.append(vec![again.clone()]).await?;
    ensure!(matches!(first[..], [Outcome::Placed(_)]), "{first:?}");
    let id = again.entry_id.clone();
    let other = proto::NewEntry { payload: b"other".to_vec(), epoch: 0, ..again };
    ensure!(member.append(vec![other]).await? == first, "answered otherwise");
    let last = world.node(RELAY)?.first(&["hub", "list"]).await?;
    let last = last["sequence"].as_u64().context("no sequence")?;
    let stored = read_log(&member, last).await?;
    let stored = stored.iter().filter(|entry| entry.entry_id == id).count();
    ensure!(stored == 1, "stored {stored} times");

    let toscana = world.node(TOSCANA)?;
    until("the replay to be set aside", async || {
        Ok((toscana.equipe().await?.set_aside == 1).then_some(()))
    })
    .await?;
    ensure!(listed(&world, TOSCANA).await?.len() == 3, "another number of alerts");
    drop(member);
    world.node_mut(UMBRIA)?.start().await?;
    // What stands in its name is another member's message: it did not make it.
    until("umbria to see what was said in its name", async || {
        let equipe = world.node(UMBRIA)?.equipe().await?;
        let alarm = equipe.alarms.iter().any(|alarm| alarm.starts_with("sender_wrong"));
        Ok((alarm && equipe.sending.starts_with("held")).then_some(()))
    })
    .await
}

/// The entries of the log after a member's cursor, to one with this number or the end of
/// the batch that holds it.
async fn read_log(member: &Member, last: u64) -> anyhow::Result<Vec<proto::LogEntry>> {
    let cursor = proto::Cursor { group_id: member.group.clone(), sequence: member.sequence };
    let message = proto::SubscribeRequest {
        groups: vec![cursor],
        mailbox_cursor: 0,
        checkpoints: Vec::new(),
    };
    let mut stream = member.raw.client.clone().subscribe(message).await?.into_inner();
    let mut found = Vec::new();
    while let Some(item) = stream.message().await? {
        if let Some(Item::Entries(batch)) = item.item {
            found.extend(batch.entries);
        }
        if found.last().is_some_and(|entry| entry.sequence >= last) {
            return Ok(found);
        }
    }
    bail!("the subscription ended")
}

/// A verified peer that is no member; a key that nobody knows; none; and noise.
pub async fn strangers(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    world.add("marche").await?;
    world.export_card("marche").await?;
    world.introduce("marche", RELAY).await?;
    world.introduce(RELAY, "marche").await?;
    world.verify("marche", RELAY).await?;
    world.verify(RELAY, "marche").await?;
    let member = Member::of(&mut world, TOSCANA).await?;
    for other in ["marche", UMBRIA] {
        world.node_mut(other)?.stop().await?;
    }
    let marche = world.node("marche")?.open().await?;
    let relay = world.node(RELAY)?.card().await?;
    let before = kept(&world).await?;

    not_a_member(&Raw::of(&marche, &relay).await?, &member).await?;
    match Raw::stranger(&relay).await? {
        Err(error) => ensure!(error.reason() == "not_trusted", "{error}"),
        Ok(_) => bail!("an unknown key was let in"),
    }
    let address = relay.card().hub_endpoint.clone().context("no endpoint")?;
    without_certificate(&address).await?;
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 4096], &[0xff; 70_000]] {
        let mut tcp = TcpStream::connect(&address).await?;
        // The hub may have closed already; it must not answer as to a peer.
        let _ = tcp.write_all(noise).await;
        let mut answer = Vec::new();
        let _ = tcp.read_to_end(&mut answer).await;
        ensure!(answer.len() < 64, "answered noise with {} bytes", answer.len());
    }
    ensure!(kept(&world).await? == before, "the hub has stored something, or died");
    drop(member);
    world.node_mut(TOSCANA)?.start().await?;
    world.node_mut(UMBRIA)?.start().await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "1").await?).await
}

async fn not_a_member(raw: &Raw, member: &Member) -> anyhow::Result<()> {
    let mut client = raw.client.clone();
    let entries = vec![member.entry(Application, b"x".to_vec())];
    let append = proto::AppendRequest { group_id: member.group.clone(), entries };
    let refused = told(client.append(append).await);
    ensure!(refused == "PermissionDenied not_a_member", "{refused}");
    let (group_id, epoch) = (member.group.clone(), Some(member.epoch));
    let tree = proto::FetchTreeRequest { group_id, epoch };
    let refused = told(client.fetch_tree(tree).await);
    ensure!(refused == "PermissionDenied not_a_party", "{refused}");
    let lineage = member.opened.store.read().await?.equipes().await?;
    let lineage = lineage.first().context("no équipe")?.lineage.as_bytes().to_vec();
    let parties = vec![UMBRIA.to_owned()];
    let claim = proto::ClaimKeyPackagesRequest { lineage, ciphersuite: 1, parties };
    let refused = told(client.claim_key_packages(claim).await);
    ensure!(refused == "PermissionDenied not_a_party", "{refused}");
    let cursor = proto::Cursor { group_id: member.group.clone(), sequence: 0 };
    let message = proto::SubscribeRequest {
        groups: vec![cursor],
        mailbox_cursor: 0,
        checkpoints: Vec::new(),
    };
    let mut stream = client.subscribe(message).await?.into_inner();
    while let Some(item) = stream.message().await? {
        match item.item {
            Some(Item::KeepAlive(_)) => {}
            // Verified peers challenge each other to show their sealing keys; that is no word of
            // the group.
            Some(Item::Mailbox(item))
                if ["sealing_challenge", "sealing_answer"].contains(&item.kind.as_str()) => {}
            Some(Item::GroupEnded(ended)) if ended.reason == "removed" => return Ok(()),
            Some(Item::Mailbox(item)) => bail!("a stranger to the group gets a {}", item.kind),
            Some(Item::GroupEnded(ended)) => bail!("the group has ended: {}", ended.reason),
            // What it holds is not printed.
            Some(_) => bail!("a stranger to the group is told something of it"),
            None => bail!("a stranger to the group is told nothing"),
        }
    }
    bail!("the subscription ended")
}

/// A client of another make, which shows no certificate.
const BARE_CLIENT: &str = "
import socket, ssl, sys
host, port = sys.argv[1].rsplit(':', 1)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.set_alpn_protocols(['h2'])
with context.wrap_socket(socket.create_connection((host, int(port)), 20)) as tls:
    print(tls.version())
    try:
        print(tls.recv(9))
    except ssl.SSLError as error:
        print(error.reason)
";

async fn without_certificate(address: &str) -> anyhow::Result<()> {
    let python = std::env::var("RACCORDO_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut client = Command::new(python);
    client.args(["-c", BARE_CLIENT, address]).stdin(Stdio::null());
    let done = client.output().await.context("python3 does not start")?;
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let right = told.starts_with("TLSv1.3") && told.contains("CERTIFICATE_REQUIRED");
    ensure!(right, "{told} {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
