//! The routers of the three listeners: their services, health, reflection and limits.

use std::sync::Arc;

use raccordo_core::quota::Quota;
use raccordo_proto::DESCRIPTORS;
use raccordo_proto::admin::v1::audit_service_server::AuditServiceServer;
use raccordo_proto::admin::v1::backup_service_server::BackupServiceServer;
use raccordo_proto::admin::v1::directory_service_server::DirectoryServiceServer;
use raccordo_proto::admin::v1::equipe_service_server::EquipeServiceServer;
use raccordo_proto::admin::v1::hub_admin_service_server::HubAdminServiceServer;
use raccordo_proto::admin::v1::key_service_server::KeyServiceServer;
use raccordo_proto::admin::v1::node_service_server::NodeServiceServer;
use raccordo_proto::admin::v1::pact_service_server::PactServiceServer;
use raccordo_proto::admin::v1::rejoin_service_server::RejoinServiceServer;
use raccordo_proto::admin::v1::trust_service_server::TrustServiceServer;
use raccordo_proto::casework::v1::casework_service_server::CaseworkServiceServer;
use raccordo_proto::casework::v1::match_service_server::MatchServiceServer;
use raccordo_proto::casework::v1::register_service_server::RegisterServiceServer;
use raccordo_proto::hub::v1::hub_service_server::HubServiceServer;
use tokio_util::sync::CancellationToken;
use tonic::service::{Interceptor, InterceptorLayer, Routes, RoutesBuilder};
use tonic::transport::server::Router;
use tonic::{Request, Status};
use tonic_health::ServingStatus;
use tonic_health::server::health_reporter;
use tower::layer::util::{Identity, Stack};

use super::admin::AdminCalls;
use super::casework::{CaseworkCalls, MatchCalls, RegisterCalls};
use super::hub::HubCalls;
use super::to_the_end::ToTheEnd;
use crate::app::Node;
use crate::transport::calls::{CallNumbers, CallQuotas, Note};
use crate::transport::limits::{
    CALL_MESSAGE_BYTES_MAX, CallLimits, HUB_MESSAGE_BYTES_MAX, MetadataLimit, server,
};
use crate::transport::stream::PeerInfo;
use crate::transport::unix::AllowedUids;

const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";
const REFLECTION_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";

/// A listener's services behind its [`Door`], for `serve_with_incoming_shutdown`.
pub type Services =
    Router<Stack<ToTheEnd, Stack<CallQuotas, Stack<InterceptorLayer<Door>, Identity>>>>;

/// The descriptors compiled into this program do not decode: our own fault.
#[derive(Debug, thiserror::Error)]
#[error("reflection cannot be served: {0}")]
pub struct DescriptorError(#[from] tonic_reflection::server::Error);

/// What every call passes before its service sees it.
#[derive(Clone, Debug)]
pub struct Door {
    metadata: MetadataLimit,
    /// None where the service itself knows its callers.
    users: Option<AllowedUids>,
}

impl Interceptor for Door {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let request = self.metadata.call(request)?;
        match &mut self.users {
            Some(users) => users.call(request),
            None => Ok(request),
        }
    }
}

/// What nodes call; to be served on connections that carry [`PeerInfo`].
///
/// `stop` ends what still streams, so that a graceful shutdown comes to an end.
///
/// # Errors
/// [`DescriptorError`].
pub async fn hub_router(
    node: Arc<Node>,
    limits: CallLimits,
    stop: CancellationToken,
) -> Result<Services, DescriptorError> {
    let pace = node.hub.as_ref().map_or(Quota::CallPace.pace(), |hub| hub.limits.calls);
    let numbers = CallNumbers::for_peers(pace);
    let quotas = CallQuotas::new(numbers, note_at(node.clone(), numbers));
    let hub = HubServiceServer::new(HubCalls::new(node, stop))
        .max_decoding_message_size(HUB_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(HUB_MESSAGE_BYTES_MAX);
    let mut services = Listed::default();
    services.add(hub);
    services.behind(limits, None, quotas).await
}

/// What administrators call; to be served on their Unix socket. Only `users` pass.
///
/// # Errors
/// As [`hub_router`].
pub async fn admin_router(
    node: Arc<Node>,
    users: AllowedUids,
    limits: CallLimits,
    stop: CancellationToken,
) -> Result<Services, DescriptorError> {
    let numbers = CallNumbers::for_clients();
    let quotas = CallQuotas::new(numbers, note_at(node.clone(), numbers));
    let calls = AdminCalls::new(node, stop);
    let mut services = Listed::default();
    macro_rules! add {
        ($($Server:ident)*) => {$(
            services.add(
                $Server::new(calls.clone()).max_decoding_message_size(CALL_MESSAGE_BYTES_MAX),
            );
        )*};
    }
    add!(NodeServiceServer TrustServiceServer PactServiceServer EquipeServiceServer);
    add!(HubAdminServiceServer DirectoryServiceServer AuditServiceServer);
    add!(BackupServiceServer RejoinServiceServer KeyServiceServer);
    services.behind(limits, Some(users), quotas).await
}

/// What operators' systems call; to be served on a Unix socket and over TLS.
///
/// # Errors
/// As [`hub_router`].
pub async fn casework_router(
    node: Arc<Node>,
    limits: CallLimits,
    stop: CancellationToken,
) -> Result<Services, DescriptorError> {
    let numbers = CallNumbers::for_clients();
    let quotas = CallQuotas::new(numbers, note_at(node.clone(), numbers));
    let register = RegisterServiceServer::new(RegisterCalls::new(node.clone()))
        .max_decoding_message_size(CALL_MESSAGE_BYTES_MAX);
    let matches = MatchServiceServer::new(MatchCalls::new(node.clone(), stop.clone()))
        .max_decoding_message_size(CALL_MESSAGE_BYTES_MAX);
    let casework = CaseworkServiceServer::new(CaseworkCalls::new(node, stop))
        .max_decoding_message_size(CALL_MESSAGE_BYTES_MAX);
    let mut services = Listed::default();
    services.add(casework);
    services.add(matches);
    services.add(register);
    services.behind(limits, None, quotas).await
}

/// Has a listener tell the node which peers reach a quota, with the number that it has there.
fn note_at(node: Arc<Node>, numbers: CallNumbers) -> Note {
    Arc::new(move |peer, quota| {
        let number = numbers.of(quota);
        node.quotas.note_number(&peer.node, quota, number, node.clock.now());
    })
}

/// Services and their names, which health and reflection tell.
#[derive(Default)]
struct Listed {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
}

impl Listed {
    fn add<S>(&mut self, service: S)
    where
        S: tower::Service<http::Request<tonic::body::Body>, Error = std::convert::Infallible>
            + tonic::server::NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(service);
    }

    async fn behind(
        mut self,
        limits: CallLimits,
        users: Option<AllowedUids>,
        quotas: CallQuotas,
    ) -> Result<Services, DescriptorError> {
        let (reporter, health) = health_reporter();
        for name in &self.names {
            reporter.set_service_status(name, ServingStatus::Serving).await;
        }
        self.names.extend([HEALTH, REFLECTION, REFLECTION_ALPHA]);
        let reflection = reflection_of(&self.names).build_v1()?;
        let reflection_alpha = reflection_of(&self.names).build_v1alpha()?;
        self.routes.add_service(health).add_service(reflection).add_service(reflection_alpha);
        let door = Door { metadata: MetadataLimit(limits.metadata_bytes), users };
        let routes: Routes = self.routes.routes();
        let server = server(limits.streams).trace_fn(span);
        let layers = server.layer(InterceptorLayer::new(door)).layer(quotas).layer(ToTheEnd);
        Ok({ layers }.add_routes(routes))
    }
}

/// Reflection that lists these services and knows all their types.
fn reflection_of<'d>(names: &[&str]) -> tonic_reflection::server::Builder<'d> {
    let files = [
        DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    // Each version would add only itself.
    let builder = tonic_reflection::server::Builder::configure().include_reflection_service(false);
    let builder = files
        .into_iter()
        .fold(builder, |builder, file| builder.register_encoded_file_descriptor_set(file));
    names.iter().fold(builder, |builder, name| builder.with_service_name(*name))
}

/// The span of a call: its method, and the node at the other end.
fn span(request: &http::Request<()>) -> tracing::Span {
    let peer = request.extensions().get::<PeerInfo>().map(|info| &info.node);
    let method = request.uri().path();
    tracing::info_span!("call", method, peer = peer.map(tracing::field::display))
}
