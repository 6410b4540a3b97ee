//! The listeners as a client sees them, over connections inside this process.

mod lab;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{Digest, EntryId, Epoch, GroupId, ItemId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;
use raccordo_proto::admin::v1::directory_service_client::DirectoryServiceClient;
use raccordo_proto::admin::v1::node_service_client::NodeServiceClient;
use raccordo_proto::admin::v1::{
    AddOperatorRequest, AddOrganisationRequest, DisableOperatorRequest, SetOperatorRoleRequest,
    StatusRequest,
};
use raccordo_proto::casework::v1::WhoAmIRequest;
use raccordo_proto::casework::v1::casework_service_client::CaseworkServiceClient;
use raccordo_proto::hub::v1::hub_service_client::HubServiceClient;
use raccordo_proto::hub::v1::subscribe_response::Item;
use raccordo_proto::hub::v1::{
    AppendRequest, Cursor, PostRequest, SubscribeRequest, SubscribeResponse,
};
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::app::signals::Topic;
use crate::store::hub::{CarriedRow, LogRow, MailboxRow};
use crate::transport::unix::AllowedUids;
use lab::{Lab, own_user, within};

fn reason(status: &Status) -> &str {
    status.metadata().get("raccordo-reason").unwrap().to_str().unwrap()
}

async fn reflected(channel: Channel, ask: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let mut client = ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(futures::stream::iter([request])).await.unwrap();
    answers.into_inner().message().await.unwrap().unwrap().message_response.unwrap()
}

async fn check_listener(channel: Channel, own: &[&str]) {
    let ask = MessageRequest::ListServices(String::new());
    let MessageResponse::ListServicesResponse(listed) = reflected(channel.clone(), ask).await
    else {
        panic!("not a list")
    };
    let mut listed: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    listed.sort();
    let always = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    let expected: Vec<_> = always.iter().chain(own).map(|name| (*name).to_owned()).collect();
    assert_eq!(listed, expected);
    for name in expected {
        let ask = MessageRequest::FileContainingSymbol(name.clone());
        let answer = reflected(channel.clone(), ask).await;
        assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{name}");
    }
    let mut health = HealthClient::new(channel);
    for service in own {
        let request = HealthCheckRequest { service: (*service).to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
}

#[tokio::test]
async fn listeners_list_what_they_serve() {
    let lab = Lab::new().await;
    within(check_listener(lab.hub().await, &["raccordo.hub.v1.HubService"])).await;
    let casework = [
        "raccordo.casework.v1.CaseworkService",
        "raccordo.casework.v1.MatchService",
        "raccordo.casework.v1.RegisterService",
    ];
    within(check_listener(lab.casework().await, &casework)).await;
    let admin = [
        "raccordo.admin.v1.AuditService",
        "raccordo.admin.v1.BackupService",
        "raccordo.admin.v1.DirectoryService",
        "raccordo.admin.v1.EquipeService",
        "raccordo.admin.v1.HubAdminService",
        "raccordo.admin.v1.KeyService",
        "raccordo.admin.v1.NodeService",
        "raccordo.admin.v1.PactService",
        "raccordo.admin.v1.RejoinService",
        "raccordo.admin.v1.TrustService",
    ];
    within(check_listener(lab.admin(AllowedUids::of([own_user()])).await, &admin)).await;
}

#[tokio::test]
async fn administrators_are_known_by_their_user() {
    let lab = Lab::new().await;
    let mut own = NodeServiceClient::new(lab.admin(AllowedUids::of([own_user()])).await);
    let status = within(own.status(StatusRequest {})).await.unwrap().into_inner();
    assert_eq!((status.node.as_str(), status.ready), ("relay", true));
    let mut other = NodeServiceClient::new(lab.admin(AllowedUids::of([own_user() + 1])).await);
    let refused = within(other.status(StatusRequest {})).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(reason(&refused), "not_an_administrator");
}

#[tokio::test]
async fn an_expired_card_delivers_a_new_one_and_nothing_else() {
    let lab = Lab::new().await;
    let mut client = HubServiceClient::new(lab.hub_to(true).await);
    let refused = within(client.append(AppendRequest::default())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::PermissionDenied, "card_expired"));
    let hint = refused.metadata().get("raccordo-hint").unwrap().to_str().unwrap();
    assert!(hint.contains("trust rotate"), "{hint}");
    let asked = SubscribeRequest { groups: Vec::new(), mailbox_cursor: 0, checkpoints: Vec::new() };
    let mut items = within(client.subscribe(asked)).await.unwrap().into_inner();
    let first = within(items.message()).await.unwrap().unwrap();
    assert!(matches!(first.item, Some(Item::KeepAlive(_))), "{first:?}");
    let post = |kind: &str| PostRequest {
        recipient: "relay".into(),
        item_id: vec![1; 16],
        kind: kind.into(),
        payload: vec![1],
    };
    let refused = within(client.post(post("pact"))).await.unwrap_err();
    assert_eq!(reason(&refused), "card_expired");
    // Nobody knows toscana here; what counts is that it was let through.
    let refused = within(client.post(post("card"))).await.unwrap_err();
    assert_eq!(reason(&refused), "not_a_party");
}

#[tokio::test]
async fn metadata_is_bounded() {
    let lab = Lab::new().await;
    let mut client = CaseworkServiceClient::new(lab.casework().await);
    let mut request = Request::new(WhoAmIRequest {});
    request.metadata_mut().insert("large", "x".repeat(5_000).parse().unwrap());
    let refused = within(client.who_am_i(request)).await.unwrap_err();
    assert_eq!(reason(&refused), "metadata_too_large");
}

fn as_operator(token: &str) -> Request<WhoAmIRequest> {
    let mut request = Request::new(WhoAmIRequest {});
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

#[tokio::test]
async fn a_changed_operator_is_another_at_once() {
    let lab = Lab::new().await;
    let admin = lab.admin(AllowedUids::of([own_user()])).await;
    let mut directory = DirectoryServiceClient::new(admin);
    let organisation = AddOrganisationRequest { name: "PUA".into(), class: "access_point".into() };
    within(directory.add_organisation(organisation)).await.unwrap();
    let added = AddOperatorRequest {
        name: "Anna".into(),
        organisation: "PUA".into(),
        role: "frontline".into(),
    };
    let token = within(directory.add_operator(added)).await.unwrap().into_inner().token;
    let mut casework = CaseworkServiceClient::new(lab.casework().await);

    let nobody = within(casework.who_am_i(WhoAmIRequest {})).await.unwrap_err();
    assert_eq!((nobody.code(), reason(&nobody)), (Code::Unauthenticated, "wrong_token"));
    for _ in 0..2 {
        let told = within(casework.who_am_i(as_operator(&token))).await.unwrap().into_inner();
        assert_eq!((told.name.as_str(), told.role.as_str()), ("Anna", "frontline"));
        assert_eq!((told.organisation_class.as_str(), &*told.node_id), ("access_point", "relay"));
    }
    let role = SetOperatorRoleRequest { operator: "Anna".into(), role: "coordinator".into() };
    within(directory.set_operator_role(role)).await.unwrap();
    let told = within(casework.who_am_i(as_operator(&token))).await.unwrap().into_inner();
    assert_eq!(told.role, "coordinator");
    let disabled = DisableOperatorRequest { operator: "Anna".into() };
    within(directory.disable_operator(disabled)).await.unwrap();
    let refused = within(casework.who_am_i(as_operator(&token))).await.unwrap_err();
    assert_eq!(reason(&refused), "wrong_token");
}

async fn next(items: &mut Streaming<SubscribeResponse>) -> Item {
    within(items.message()).await.unwrap().unwrap().item.unwrap()
}

async fn deliver(lab: &Lab, item: u8) {
    let toscana: NodeId = "toscana".parse().unwrap();
    let mut tx = lab.node.store.write().await.unwrap();
    let row = MailboxRow {
        recipient: toscana.clone(),
        sequence: 0,
        item: ItemId([item; 16]),
        sender: "umbria".parse().unwrap(),
        kind: "pact".into(),
        payload: vec![item],
        expires_at: Instant(i64::MAX),
    };
    tx.insert_mailbox(row).await.unwrap();
    tx.commit().await.unwrap();
    lab.node.signals.wake(&Topic::Mailbox(toscana));
}

#[tokio::test]
async fn a_subscriber_hears_what_comes() {
    let lab = Lab::new().await;
    deliver(&lab, 1).await;
    let mut client = HubServiceClient::new(lab.hub().await);
    let groups = vec![Cursor { group_id: vec![4; 32], sequence: 0 }];
    let asked = SubscribeRequest { groups, mailbox_cursor: 0, checkpoints: Vec::new() };
    let mut items = within(client.subscribe(asked)).await.unwrap().into_inner();
    assert!(matches!(next(&mut items).await, Item::KeepAlive(_)));
    let Item::Mailbox(first) = next(&mut items).await else { panic!("not the mailbox") };
    assert_eq!((first.payload.as_slice(), first.sender.as_str()), (&[1][..], "umbria"));
    let Item::GroupEnded(ended) = next(&mut items).await else { panic!("not the end") };
    assert_eq!((ended.group_id, ended.reason.as_str()), (vec![4; 32], "unknown_group"));

    deliver(&lab, 2).await;
    let Item::Mailbox(second) = next(&mut items).await else { panic!("not the mailbox") };
    assert_eq!(second.payload, [2]);
    assert!(second.sequence > first.sequence);

    lab.stop.cancel();
    let stopped = within(items.message()).await.unwrap_err();
    assert_eq!((stopped.code(), reason(&stopped)), (Code::Unavailable, "stopping"));
}

async fn found(lab: &Lab, group: GroupId) {
    let mut tx = lab.node.store.write().await.unwrap();
    let row = CarriedRow {
        lineage: LineageId([group.0[0]; 16]),
        name: group.to_string(),
        state: "founded".into(),
        version: 0,
        statement: Vec::new(),
        cards: Vec::new(),
        group,
        epoch: Epoch(0),
        sequence: Sequence(0),
        head: Digest::ZERO,
        accepted_at: Instant(0),
        term: 1,
        begun: Digest::ZERO,
        group_info: Vec::new(),
        trimmed: Sequence(0),
        stored_bytes: 0,
        entries_per_minute_max: 0,
        stored_bytes_max: 0,
        succeeds: GroupId([0; 32]),
    };
    tx.insert_carried(row).await.unwrap();
    tx.put_cursor(group, &"toscana".parse().unwrap(), Sequence(0)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn append(lab: &Lab, group: GroupId, sequence: u64) {
    let mut tx = lab.node.store.write().await.unwrap();
    let row = LogRow {
        group,
        sequence: Sequence(sequence),
        epoch: Epoch(0),
        kind: EntryKind::Application,
        sender: "umbria".parse().unwrap(),
        entry: EntryId([u8::try_from(sequence).unwrap(); 16]),
        accepted_at: Instant(1),
        payload: vec![7],
        digest: Digest([8; 32]),
        head: Digest([9; 32]),
    };
    tx.insert_log(&[row]).await.unwrap();
    tx.commit().await.unwrap();
    lab.node.signals.wake(&Topic::Log(group));
}

#[tokio::test]
async fn logs_are_followed_each_from_its_cursor() {
    let lab = Lab::new().await;
    let groups = [GroupId([1; 32]), GroupId([2; 32]), GroupId([3; 32])];
    for group in groups {
        found(&lab, group).await;
        append(&lab, group, 1).await;
    }
    let mut client = HubServiceClient::new(lab.hub().await);
    let cursor = |group: GroupId| Cursor { group_id: group.0.to_vec(), sequence: 1 };
    let asked = SubscribeRequest {
        groups: groups.map(cursor).to_vec(),
        mailbox_cursor: 0,
        checkpoints: Vec::new(),
    };
    let mut items = within(client.subscribe(asked)).await.unwrap().into_inner();
    assert!(matches!(next(&mut items).await, Item::KeepAlive(_)));
    for (place, sequence) in [(1, 2), (0, 2), (2, 2), (1, 3), (1, 4), (0, 3)] {
        append(&lab, groups[place], sequence).await;
        let Item::Entries(batch) = next(&mut items).await else { panic!("no entries") };
        assert_eq!(batch.group_id, groups[place].0);
        let sequences: Vec<_> = batch.entries.iter().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, [sequence]);
        assert!(batch.checkpoint.is_some());
    }
}

#[tokio::test]
async fn malformed_calls_are_told_as_such() {
    let lab = Lab::new().await;
    let mut client = HubServiceClient::new(lab.hub().await);
    let asked = AppendRequest { group_id: vec![1; 31], entries: Vec::new() };
    let refused = within(client.append(asked)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::InvalidArgument, "malformed"));
}
