//! Each call of the table, well formed, and what its caller hears.

use std::collections::BTreeSet;

use futures::FutureExt as _;
use raccordo_core::callers::{Caller, HUB, Row};
use raccordo_core::crypto::Suite;
use raccordo_core::id::NodeId;
use raccordo_core::session::key_package;
use raccordo_core::wire;
use raccordo_node::app::hub::key_package_pool::LIFETIME;
use raccordo_proto::hub::v1 as proto;
use raccordo_proto::hub::v1::hub_service_client::HubServiceClient;
use raccordo_proto::hub::v1::subscribe_response::Item;
use tokio_stream::iter;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1 as reflection;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1alpha;
use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient as AlphaClient;
use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest as AlphaRequest;

use super::stage::{OTHER_MEMBER, Stage};
use crate::many;

/// Answered calls beside a subscription after which nothing more comes of it.
const QUIET: usize = 100;
const SUITE: Suite = Suite::Classical;

/// What was got in a few words, or the refusal.
type Heard = Result<String, Status>;

/// What a caller hears, as the table writes it.
pub async fn call(stage: &Stage, caller: Caller, channel: &Channel, row: &Row) -> String {
    let heard = match row.service {
        HUB => Box::pin(Calls::new(stage, caller, channel).hub(row.method, row.about)).await,
        service => open(service, row.method, channel).await,
    };
    heard.unwrap_or_else(|status| {
        let reason = status.metadata().get("raccordo-reason");
        let reason = reason.map_or("", |reason| reason.to_str().unwrap());
        format!("{} `{reason}`", name_of(status.code()))
    })
}

/// As gRPC writes it.
fn name_of(code: Code) -> String {
    match code {
        Code::PermissionDenied => "PERMISSION_DENIED".into(),
        Code::NotFound => "NOT_FOUND".into(),
        Code::FailedPrecondition => "FAILED_PRECONDITION".into(),
        Code::InvalidArgument => "INVALID_ARGUMENT".into(),
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED".into(),
        other => format!("{other:?}"),
    }
}

fn ok<T>(answer: Result<T, Status>) -> Heard {
    answer.map(|_| "ok".into())
}

/// The names of all services that a listener says it has.
pub async fn services(channel: &Channel) -> BTreeSet<String> {
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let asked = reflection::ServerReflectionRequest { host: String::new(), message_request };
    let mut client = ServerReflectionClient::new(channel.clone());
    let mut answers = client.server_reflection_info(iter([asked])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = answer else { panic!("no list") };
    listed.service.into_iter().map(|service| service.name).collect()
}

/// What every gRPC server of its kind has.
async fn open(service: &str, method: &str, channel: &Channel) -> Heard {
    let health = HealthCheckRequest { service: HUB.to_owned() };
    match (service, method) {
        ("grpc.health.v1.Health", "Check") => {
            ok(HealthClient::new(channel.clone()).check(health).await)
        }
        ("grpc.health.v1.Health", "Watch") => {
            let mut watched = HealthClient::new(channel.clone()).watch(health).await?.into_inner();
            ok(watched.message().await.map(Option::unwrap))
        }
        ("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo") => {
            let listed = services(channel).await;
            assert!(listed.contains(HUB), "{listed:?}");
            Ok("ok".into())
        }
        ("grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo") => {
            let message_request = Some(AlphaRequest::ListServices(String::new()));
            let asked = v1alpha::ServerReflectionRequest { host: String::new(), message_request };
            let mut client = AlphaClient::new(channel.clone());
            let mut answers = client.server_reflection_info(iter([asked])).await?.into_inner();
            ok(answers.message().await.map(Option::unwrap))
        }
        _ => panic!("{service}/{method} is not known here"),
    }
}

/// The calls of one caller.
struct Calls<'s> {
    stage: &'s Stage,
    caller: Caller,
    channel: &'s Channel,
    client: HubServiceClient<Channel>,
}

impl<'s> Calls<'s> {
    fn new(stage: &'s Stage, caller: Caller, channel: &'s Channel) -> Self {
        let client = HubServiceClient::new(channel.clone());
        Self { stage, caller, channel, client }
    }

    async fn hub(mut self, method: &str, about: &str) -> Heard {
        let carried = &self.stage.carried;
        let (group_id, lineage) =
            (carried.group.as_bytes().to_vec(), carried.lineage.as_bytes().to_vec());
        let (other, peer) = (many::id(OTHER_MEMBER), many::id(5));
        match (method, about) {
            ("Append", _) => self.append(group_id).await,
            ("Subscribe", _) => self.subscribe(group_id).await,
            ("Confirm", _) => self.confirm(group_id).await,
            ("OfferEquipe", "the équipe again") => {
                let asked = wire::offer::offer_message(&self.stage.founding);
                ok(self.client.offer_equipe(asked).await)
            }
            ("OfferEquipe", "a new équipe, which it chairs") => {
                let asked = wire::offer::offer_message(&self.stage.new_equipe(self.caller));
                ok(self.client.offer_equipe(asked).await)
            }
            ("FoundGroup", _) => {
                let asked = proto::FoundGroupRequest { group_id, lineage, group_info: vec![1] };
                ok(self.client.found_group(asked).await)
            }
            ("SeedGroup", _) => {
                let head_after = vec![0; 32];
                let asked =
                    proto::SeedGroupRequest { group_id, lineage, head_after, ..Default::default() };
                ok(self.client.seed_group(asked).await)
            }
            ("DepositKeyPackages", _) => self.deposit().await,
            ("ClaimKeyPackages", _) => {
                let (ciphersuite, parties) = (SUITE.number().into(), vec![other.to_string()]);
                let asked = proto::ClaimKeyPackagesRequest { lineage, ciphersuite, parties };
                ok(self.client.claim_key_packages(asked).await)
            }
            ("FetchTree", _) => {
                let asked = proto::FetchTreeRequest { group_id, epoch: None };
                ok(self.client.fetch_tree(asked).await)
            }
            ("Post", "a pact, to a party of the équipe") => {
                self.post(&other, "pact", vec![1]).await
            }
            ("Post", "a pact, to another peer") => self.post(&peer, "pact", vec![1]).await,
            ("Post", "a sealing challenge, to a party of the équipe") => {
                self.post(&other, "sealing_challenge", vec![1]).await
            }
            ("Post", "its new card, to the hub") => {
                let card = self.stage.new_card(self.caller).encode();
                let hub = self.stage.relay().identity.node.clone();
                self.post(&hub, "card", card).await
            }
            _ => panic!("{method}, {about}: nobody has written how it is called"),
        }
    }

    async fn append(&mut self, group_id: Vec<u8>) -> Heard {
        let entries = vec![self.stage.message.clone()];
        let answer = self.client.append(proto::AppendRequest { group_id, entries }).await?;
        let outcome = answer.into_inner().outcomes.remove(0).outcome.unwrap();
        Ok(match outcome {
            proto::appended::Outcome::Placed(_) => "placed".into(),
            other => format!("{other:?}"),
        })
    }

    /// From the beginning of what is kept.
    async fn subscribe(&mut self, group_id: Vec<u8>) -> Heard {
        let sequence = self.stage.trimmed().await.0;
        let groups = vec![proto::Cursor { group_id, sequence }];
        let asked = proto::SubscribeRequest { groups, ..Default::default() };
        let mut items = self.client.subscribe(asked).await?.into_inner();
        let (mut mail, mut entries, mut ended) = (false, false, None);
        for item in self.all(&mut items).await? {
            match item {
                Item::Mailbox(_) => mail = true,
                Item::Entries(_) => entries = true,
                Item::GroupEnded(end) => ended = Some(end.reason),
                Item::KeepAlive(_) => {}
            }
        }
        Ok(match (mail, entries, ended) {
            (false, false, None) => "signs of life".into(),
            (true, true, None) => "mail, log".into(),
            (true, false, Some(reason)) => format!("mail; of the log `{reason}`"),
            (true, true, Some(reason)) => format!("mail; the log until then, then `{reason}`"),
            other => format!("{other:?}"),
        })
    }

    /// What comes until nothing more does while others are answered.
    async fn all(
        &self,
        items: &mut Streaming<proto::SubscribeResponse>,
    ) -> Result<Vec<Item>, Status> {
        let mut found = Vec::new();
        let mut quiet = 0;
        while quiet < QUIET {
            match items.message().now_or_never() {
                Some(item) => {
                    let item = item?.expect("the subscription ended");
                    found.extend(item.item);
                    quiet = 0;
                }
                None => {
                    open("grpc.health.v1.Health", "Check", self.channel).await?;
                    quiet += 1;
                }
            }
        }
        Ok(found)
    }

    /// All that there is.
    async fn confirm(&mut self, group_id: Vec<u8>) -> Heard {
        let before = self.stage.cursor(self.caller).await;
        let waiting = self.stage.mail(self.caller).await;
        let mailbox_cursor = waiting.last().expect("mail").sequence;
        let groups = vec![proto::Cursor { group_id, sequence: self.stage.carried.sequence.0 }];
        self.client.confirm(proto::ConfirmRequest { groups, mailbox_cursor }).await?;
        assert_eq!(self.stage.mail(self.caller).await, []);
        let moved = self.stage.cursor(self.caller).await != before;
        Ok(if moved { "of mailbox and log" } else { "of its mailbox" }.into())
    }

    /// Two key packages of its own; how many are kept.
    async fn deposit(&mut self) -> Heard {
        let node = self.stage.node(self.caller);
        let (leaf, now) = (node.identity.leaf(), self.stage.relay().clock.now());
        let made = [(); 2].map(|()| key_package(&node.crypto, &leaf, SUITE, false).unwrap());
        let deposited = |key_package: &[u8]| proto::DepositedKeyPackage {
            key_package: key_package.to_vec(),
            expires_at_ms: now.plus(LIFETIME).0,
            ..Default::default()
        };
        let key_packages = made.iter().map(|made| deposited(&made.message)).collect();
        let asked = proto::DepositKeyPackagesRequest { key_packages };
        self.client.deposit_key_packages(asked).await?;
        let mut tx = self.stage.relay().store.read().await.unwrap();
        let pool = tx.pool(&node.identity.node, SUITE.number(), now).await.unwrap();
        let kept = made.iter().filter(|made| pool.iter().any(|it| it.reference == made.hash_ref));
        Ok(match kept.count() {
            2 => "ok".into(),
            1 if pool.len() == 1 => "ok, one is kept".into(),
            kept => format!("{kept} of {}", pool.len()),
        })
    }

    async fn post(&mut self, recipient: &NodeId, kind: &str, payload: Vec<u8>) -> Heard {
        let asked = proto::PostRequest {
            recipient: recipient.to_string(),
            item_id: self.stage.item().0.to_vec(),
            kind: kind.to_owned(),
            payload,
        };
        ok(self.client.post(asked).await)
    }
}
