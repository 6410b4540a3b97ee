//! Calls to a hub: each request with one number bent, through the gRPC service. What is refused is
//! refused as the caller's.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use prost::Message;
use raccordo_core::id::{Digest, ItemId};
use raccordo_core::trust::validator::CIPHERSUITES;
use raccordo_node::api::hub::HubCalls;
use raccordo_node::api::status::REASON;
use raccordo_node::transport::stream::{NamedGroup, PeerInfo};
use raccordo_proto::hub::v1 as proto;
use raccordo_proto::hub::v1::hub_service_server::HubService as _;
use raccordo_tests::sim::task::ready;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};

use crate::fields;
use crate::stage::{BENDER, Stage};

const SERVICE: &str = "raccordo.hub.v1.HubService";

/// How long a subscriber waits for its second item.
const PATIENCE: Duration = Duration::from_millis(50);

/// Makes all calls; the fields that were bent.
pub fn take_all(stage: &mut Stage) -> BTreeSet<String> {
    let mut bent = BTreeSet::new();
    for (method, input) in fields::methods(SERVICE) {
        let whole = sample(stage, &method);
        let answer = call(stage, BENDER, &method, &whole);
        judge(&method, "as it is", answer);
        for one in fields::bent(&input, &whole) {
            let answer = call(stage, BENDER, &method, &one.bytes);
            judge(&method, &format!("{} = {}", one.field, one.number), answer);
            bent.insert(one.field);
        }
        stage.goes_on(&method);
    }
    bent
}

/// Nothing but what the caller has done is told.
pub fn judge(method: &str, what: &str, answer: Result<(), Status>) {
    let Err(status) = answer else { return };
    let theirs = !matches!(
        status.code(),
        Code::Internal | Code::Unavailable | Code::Unknown | Code::DataLoss | Code::Unimplemented
    );
    assert!(theirs, "{method} with {what}: {status:?}");
    let reason = status.metadata().get(REASON).map(|reason| reason.to_str().unwrap());
    let named = reason.is_some_and(|reason| is_named(method, reason));
    assert!(named, "{method} with {what}: the proto does not name {reason:?}: {status:?}");
}

/// Whether the proto names a reason at a call, or as one of every call.
fn is_named(method: &str, reason: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/hub/v1/hub.proto");
    let proto = std::fs::read_to_string(path).unwrap();
    let (before, _) = proto.split_once(&format!("  rpc {method}(")).unwrap();
    let comment = before.lines().rev().take_while(|line| line.trim_start().starts_with("//"));
    let comment: Vec<&str> = comment.collect();
    let (_, every) = proto.split_once("\n// Of every call:\n").unwrap();
    let (every, _) = every.split_once("\n//\n").unwrap();
    let words = |line: &&str| {
        let other = |letter: char| !(letter.is_ascii_lowercase() || letter == '_');
        line.split(other).any(|word| word == reason)
    };
    comment.iter().any(words) || every.lines().any(|line| words(&line))
}

/// Calls as a member.
pub fn call(stage: &Stage, place: usize, method: &str, request: &[u8]) -> Result<(), Status> {
    let calls = HubCalls::new(stage.hub(), CancellationToken::new());
    let info = PeerInfo {
        node: stage.name(place),
        pin: Digest([9; 32]),
        expired: false,
        key_exchange: NamedGroup::X25519MLKEM768,
        address: ([127, 0, 0, 1], 1).into(),
    };
    fn of<T: Message + Default>(bytes: &[u8], info: PeerInfo) -> Request<T> {
        let mut request = Request::new(T::decode(bytes).unwrap());
        request.extensions_mut().insert(info);
        request
    }
    let called = ready(async {
        match method {
            "Append" => calls.append(of(request, info)).await.map(drop),
            "Subscribe" => {
                let mut items = calls.subscribe(of(request, info)).await?.into_inner();
                // The first is a sign of life; what follows is read from the store.
                for _ in 0..2 {
                    let item = tokio::time::timeout(PATIENCE, items.next()).await;
                    item.ok().flatten().transpose()?;
                }
                Ok(())
            }
            "Confirm" => calls.confirm(of(request, info)).await.map(drop),
            "OfferEquipe" => calls.offer_equipe(of(request, info)).await.map(drop),
            "FoundGroup" => calls.found_group(of(request, info)).await.map(drop),
            "SeedGroup" => calls.seed_group(of(request, info)).await.map(drop),
            "DepositKeyPackages" => calls.deposit_key_packages(of(request, info)).await.map(drop),
            "ClaimKeyPackages" => calls.claim_key_packages(of(request, info)).await.map(drop),
            "FetchTree" => calls.fetch_tree(of(request, info)).await.map(drop),
            "Post" => calls.post(of(request, info)).await.map(drop),
            other => panic!("the call {other} is not made here: add it"),
        }
    });
    called.unwrap()
}

/// A whole request of a call.
fn sample(stage: &Stage, method: &str) -> Vec<u8> {
    let row = stage.equipe(BENDER);
    let (group_id, lineage) = (row.group.as_bytes().to_vec(), row.lineage.as_bytes().to_vec());
    let cursor = proto::Cursor { group_id: group_id.clone(), sequence: row.sequence.0 };
    match method {
        "Append" => {
            let entry = proto::NewEntry {
                entry_id: vec![8; 16],
                kind: proto::EntryKind::Application.into(),
                epoch: row.epoch.0,
                payload: vec![7; 100],
                ..Default::default()
            };
            proto::AppendRequest { group_id, entries: vec![entry] }.encode_to_vec()
        }
        "Subscribe" => {
            let groups = vec![cursor];
            proto::SubscribeRequest { groups, mailbox_cursor: 0, checkpoints: Vec::new() }
                .encode_to_vec()
        }
        "Confirm" => {
            proto::ConfirmRequest { groups: vec![cursor], mailbox_cursor: 0 }.encode_to_vec()
        }
        "OfferEquipe" => proto::OfferEquipeRequest::default().encode_to_vec(),
        "FoundGroup" => {
            proto::FoundGroupRequest { group_id, lineage, group_info: vec![1] }.encode_to_vec()
        }
        "SeedGroup" => seed(stage, group_id, lineage).encode_to_vec(),
        "DepositKeyPackages" => deposit(stage).encode_to_vec(),
        "ClaimKeyPackages" => proto::ClaimKeyPackagesRequest {
            lineage,
            ciphersuite: CIPHERSUITES[0].into(),
            parties: vec![stage.name(0).to_string()],
        }
        .encode_to_vec(),
        "FetchTree" => proto::FetchTreeRequest { group_id, epoch: None }.encode_to_vec(),
        "Post" => proto::PostRequest {
            recipient: stage.name(0).to_string(),
            item_id: ItemId::random(&stage.entropy).as_bytes().to_vec(),
            kind: "sealing_challenge".to_owned(),
            payload: vec![1; 9],
        }
        .encode_to_vec(),
        other => panic!("there is no request of {other} here: add one"),
    }
}

fn seed(stage: &Stage, group_id: Vec<u8>, lineage: Vec<u8>) -> proto::SeedGroupRequest {
    let entry = proto::LogEntry {
        sequence: 1,
        epoch: 0,
        kind: proto::EntryKind::Application.into(),
        sender: stage.name(0).to_string(),
        entry_id: vec![3; 16],
        accepted_at_ms: stage.hub().clock.now().0,
        payload: vec![7],
    };
    let statement = stage.equipe(BENDER).statement;
    let statement = raccordo_core::trust::statement::SignedStatement::decode(&statement).unwrap();
    let state = proto::SeedState {
        group_info: vec![1],
        ratchet_tree: vec![1],
        previous: Some(raccordo_core::wire::trust::statement_message(&statement)),
        checkpoint: None,
        accepted_at_ms: stage.hub().clock.now().0,
    };
    proto::SeedGroupRequest {
        group_id,
        lineage,
        after: 0,
        head_after: vec![0; 32],
        entries: vec![entry],
        state: Some(state),
    }
}

/// What the member has deposited, once more.
fn deposit(stage: &Stage) -> proto::DepositKeyPackagesRequest {
    let (hub, owner) = (stage.hub(), stage.name(BENDER));
    let mut tx = ready(hub.store.read()).unwrap().unwrap();
    let pools =
        CIPHERSUITES.map(|suite| ready(tx.pool(&owner, suite, hub.clock.now())).unwrap().unwrap());
    let row = pools.into_iter().flatten().next().expect("the member has deposited some");
    let deposited = proto::DepositedKeyPackage {
        key_package: row.key_package,
        last_resort: row.last_resort,
        expires_at_ms: row.expires_at.0,
        replaces: false,
    };
    proto::DepositKeyPackagesRequest { key_packages: vec![deposited] }
}
