//! The whole transport on loopback: who gets in, who is cut off, what is told.

mod world;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use raccordo_core::secret::Secret;
use rustls::NamedGroup;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{AlertDescription, ClientConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request, Status, Streaming};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use self::world::{
    METADATA_BYTES, Manner, PATIENCE, WIDE, World, fresh_key, identity, local, node, proxy, serve,
    trusting, within,
};
use super::accept::{AcceptLimits, Gate};
use super::connect::{ConnectError, Stage, explain, is_transport};
use super::identity::{TlsIdentity, TlsKey};
use super::pin::{PeerVerifier, TrustedPins};
use super::stream::{ClientInfo, PeerInfo};

async fn call(channel: &Channel) -> Result<(), Status> {
    let request = HealthCheckRequest::default();
    HealthClient::new(channel.clone()).check(request).await.map(drop)
}

/// An open stream that has delivered its first message and waits for the next.
async fn watch(world: &World) -> Streaming<HealthCheckResponse> {
    let channel = world.route().channel().await.unwrap();
    let watching = HealthClient::new(channel).watch(HealthCheckRequest::default()).await;
    let mut stream = watching.unwrap().into_inner();
    stream.message().await.unwrap();
    stream
}

#[tokio::test]
async fn both_sides_agree_on_the_hybrid_group_and_know_each_other() {
    let world = World::start(WIDE).await;
    let dialled = world.route().dial().await.unwrap();
    assert_eq!(dialled.info().key_exchange, NamedGroup::X25519MLKEM768);
    assert_eq!(dialled.info().node, node("relay"));
    call(&world.route().channel().await.unwrap()).await.unwrap();
    let caller: PeerInfo = world.callers.recv().unwrap();
    assert_eq!(caller.key_exchange, NamedGroup::X25519MLKEM768);
    assert_eq!(caller.node, node("toscana"));
    assert_eq!(caller.pin, world.member.spki_digest());
}

#[tokio::test]
async fn an_unknown_key_is_told_so_until_it_is_trusted() {
    let world = World::start(WIDE).await;
    world.by_hub.revoke(world.member.spki_digest());
    let refused = world.route().channel().await.unwrap_err();
    assert!(matches!(refused, ConnectError::NotTrusted { .. }), "{refused}");
    world.by_hub.trust(world.member.spki_digest(), node("toscana"));
    call(&world.route().channel().await.unwrap()).await.unwrap();
}

fn without_certificate(trusted: TrustedPins, server: &str) -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(PeerVerifier::only(trusted, node(server), provider.clone()));
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(&[&TLS13]).unwrap().dangerous();
    let mut config = builder.with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

#[tokio::test]
async fn a_peer_without_a_certificate_is_refused() {
    let world = World::start(WIDE).await;
    let tls = TlsConnector::from(without_certificate(world.by_member.clone(), "relay"));
    let tcp = TcpStream::connect(world.address).await.unwrap();
    let name = ServerName::try_from("relay").unwrap();
    let error = tls.connect(name, tcp).await.unwrap().read_u8().await.unwrap_err();
    let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let expected = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
    assert_eq!(reason, Some(&expected));
}

#[tokio::test]
async fn another_server_key_counts_as_interception() {
    let world = World::start(WIDE).await;
    world.by_member.replace(&node("relay"), identity("relay").spki_digest());
    let error = world.route().channel().await.unwrap_err();
    let seen = world.hub.spki_digest();
    assert!(matches!(error, ConnectError::Intercepted { seen: s, .. } if s == seen), "{error}");
}

#[tokio::test]
async fn a_trusted_peer_cannot_answer_for_another() {
    let world = World::start(WIDE).await;
    world.by_member.trust(world.hub.spki_digest(), node("umbria"));
    let error = world.route().channel().await.unwrap_err();
    assert_eq!(error.reason(), "intercepted");
}

#[tokio::test]
async fn revoking_a_member_cuts_its_open_stream() {
    let world = World::start(WIDE).await;
    let mut stream = watch(&world).await;
    world.by_hub.revoke_node(&node("toscana"));
    within(stream.message()).await.unwrap_err();
    assert_eq!(world.route().channel().await.unwrap_err().reason(), "not_trusted");
}

#[tokio::test]
async fn revoking_a_hub_cuts_the_member_s_stream() {
    let world = World::start(WIDE).await;
    let mut stream = watch(&world).await;
    world.by_member.revoke_node(&node("relay"));
    assert!(is_transport(&within(stream.message()).await.unwrap_err()));
    assert_eq!(world.route().channel().await.unwrap_err().reason(), "intercepted");
}

#[tokio::test]
async fn a_hub_with_a_new_key_answers_to_either_pin() {
    let world = World::start(WIDE).await;
    let (old, key) = (world.hub.spki_digest(), fresh_key("relay"));
    world.hub.renew(&key.pkcs8, &key.certificate).unwrap();
    world.route().channel().await.unwrap();
    world.by_member.replace(&node("relay"), world.hub.spki_digest());
    world.route().channel().await.unwrap();
    // Who trusts both is shown the new one.
    world.by_member.trust(old, node("relay"));
    let seen = world.route().dial().await.unwrap().info().pin;
    assert_eq!(seen, world.hub.spki_digest());
}

#[tokio::test]
async fn an_expired_card_is_known_as_such() {
    let world = World::start(WIDE).await;
    let mut stream = watch(&world).await;
    let member = BTreeMap::from([(world.member.spki_digest(), node("toscana"))]);
    world.by_hub.replace_all(&BTreeMap::new(), &member);
    within(stream.message()).await.unwrap_err();
    call(&world.route().channel().await.unwrap()).await.unwrap();
    assert!(world.callers.try_iter().last().unwrap().expired);
    // Nobody dials a hub whose own card has expired.
    let hub = BTreeMap::from([(world.hub.spki_digest(), node("relay"))]);
    world.by_member.replace_all(&BTreeMap::new(), &hub);
    assert_eq!(world.route().channel().await.unwrap_err().reason(), "intercepted");
}

#[tokio::test]
async fn a_member_with_a_new_key_is_let_in_by_either() {
    let world = World::start(WIDE).await;
    let key = fresh_key("toscana");
    world.member.renew(&key.pkcs8, &key.certificate).unwrap();
    let route = world.route();
    assert_eq!(route.channel().await.unwrap_err().reason(), "not_trusted");
    route.channel().await.unwrap();
    world.by_hub.replace(&node("toscana"), world.member.spki_digest());
    assert_eq!(route.channel().await.unwrap_err().reason(), "not_trusted");
    route.channel().await.unwrap();
}

/// Waits until the other side has ended the connection.
async fn ended(mut tcp: TcpStream) {
    match within(tcp.read(&mut [0; 64])).await {
        Ok(bytes) => assert_eq!(bytes, 0),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn silent_connections_lock_nobody_out() {
    let world = World::start(AcceptLimits { pending_handshakes: 2, ..WIDE }).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(world.address).await.unwrap());
    }
    ended(silent.remove(0)).await;
    call(&world.route().channel().await.unwrap()).await.unwrap();
    ended(silent.remove(0)).await;
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    let world = World::start(AcceptLimits { handshake: Duration::from_millis(20), ..WIDE }).await;
    ended(TcpStream::connect(world.address).await.unwrap()).await;
}

#[tokio::test]
async fn one_peer_has_so_many_connections() {
    let world = World::start(AcceptLimits { connections_per_peer: 1, ..WIDE }).await;
    let held = world.route().dial().await.unwrap();
    let error = world.route().dial().await.err().unwrap();
    assert!(matches!(error, ConnectError::Closed), "{error}");
    drop(held);
    within(async {
        while world.route().dial().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn large_metadata_is_refused_with_a_reason() {
    let world = World::start(WIDE).await;
    let channel = world.route().channel().await.unwrap();
    let mut request = Request::new(HealthCheckRequest::default());
    request.metadata_mut().insert("x-large", "x".repeat(METADATA_BYTES).parse().unwrap());
    let status = HealthClient::new(channel).check(request).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.metadata().get("raccordo-reason").unwrap(), "metadata_too_large");
    assert!(!is_transport(&status));
}

#[tokio::test]
async fn a_proxy_passes_the_tunnel_on() {
    let world = World::start(WIDE).await;
    let tunnel = proxy(Manner::Tunnel { wanted: "CONNECT 127.0.0.1:" }).await;
    call(&world.through(tunnel).channel().await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_proxy_gets_the_credentials_it_wants() {
    let world = World::start(WIDE).await;
    let wanted = "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n";
    let mut closed = proxy(Manner::Tunnel { wanted }).await;
    let error = world.through(closed.clone()).channel().await.unwrap_err();
    assert!(matches!(error, ConnectError::Proxy { status: 407, .. }), "{error}");
    assert!(error.hint().contains("proxy_credentials_file"));
    closed.credentials = Some(Secret::new("Aladdin:open sesame".into()));
    call(&world.through(closed).channel().await.unwrap()).await.unwrap();
}

async fn check_proxy(manner: Manner, reason: &str) -> ConnectError {
    let world = World::start(WIDE).await;
    let error = world.through(proxy(manner).await).channel().await.unwrap_err();
    assert_eq!(error.reason(), reason, "{error}");
    error
}

#[tokio::test]
async fn what_a_proxy_answers_is_told() {
    let error = check_proxy(Manner::Refuse(502), "proxy_refused").await;
    assert!(error.to_string().contains("502") && error.hint().contains("cannot reach"));
    check_proxy(Manner::Refuse(403), "proxy_refused").await;
}

#[tokio::test]
async fn a_proxy_that_opens_tls_is_found_out() {
    let middle = identity("middle");
    let tls = middle.open_server().unwrap();
    let error = check_proxy(Manner::Intercept(tls), "intercepted").await;
    assert!(error.to_string().contains(&middle.spki_digest().to_string()), "{error}");
}

/// An address on which nobody listens.
async fn closed_port() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_from_a_peer_that_is_not() {
    let world = World::start(WIDE).await;
    let gone = local(closed_port().await);
    let mut absent = proxy(Manner::Silent).await;
    absent.url.0 = gone.clone();
    let error = world.through(absent).channel().await.unwrap_err();
    assert_eq!(error.reason(), "proxy_unreachable");
    let error = world.route_by(None, gone, PATIENCE).channel().await.unwrap_err();
    assert_eq!(error.reason(), "refused");
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    let world = World::start(WIDE).await;
    // A label of 64 letters is in no DNS, and no server is asked for it (RFC 1035 §2.3.4).
    let server = format!("{}.invalid:1", "x".repeat(64)).parse().unwrap();
    let error = world.route_by(None, server, PATIENCE).channel().await.unwrap_err();
    assert_eq!(error.reason(), "dns", "{error}");
}

async fn check_timed_out(route: super::connect::Route, expected: Stage) {
    let error = route.channel().await.unwrap_err();
    let met = matches!(error, ConnectError::TimedOut { stage, .. } if stage == expected);
    assert!(met, "{error}");
}

#[tokio::test]
async fn a_time_out_names_what_was_waited_for() {
    let world = World::start(WIDE).await;
    let short = Duration::from_millis(50);
    let silent = proxy(Manner::Silent).await;
    let server = local(world.address);
    check_timed_out(world.route_by(Some(silent), server, short), Stage::Proxy).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = local(listener.local_addr().unwrap());
    check_timed_out(world.route_by(None, server, short), Stage::Tls).await;
}

#[tokio::test]
async fn what_is_not_a_node_is_told() {
    let world = World::start(WIDE).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = local(listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        ended(tcp).await;
    });
    let error = world.route_by(None, server, PATIENCE).channel().await.unwrap_err();
    assert_eq!(error.reason(), "not_a_node", "{error}");
}

#[tokio::test]
async fn a_status_tells_why_its_channel_could_not_connect() {
    let world = World::start(WIDE).await;
    let gone = local(closed_port().await);
    let status = call(&world.route_by(None, gone, PATIENCE).lazy_channel()).await.unwrap_err();
    assert_eq!(explain(&status).map(ConnectError::reason), Some("refused"));
    assert!(is_transport(&status));
}

#[tokio::test]
async fn clients_without_a_key_pin_the_listener_s() {
    let key = TlsKey::for_clients(vec!["localhost".into()]).unwrap();
    let own = TlsIdentity::from_parts(&key.pkcs8, &key.certificate).unwrap();
    let gate = Gate::for_clients("casework", &own, WIDE).unwrap();
    let (address, callers) = serve(gate).await;
    let trusted = trusting(&[("toscana", own.spki_digest())]);
    let tls = TlsConnector::from(without_certificate(trusted, "toscana"));
    let connector = tower::service_fn(move |_: Uri| {
        let tls = tls.clone();
        async move {
            let tcp = TcpStream::connect(address).await?;
            tls.connect(ServerName::try_from("localhost").unwrap(), tcp).await.map(TokioIo::new)
        }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    call(&endpoint.connect_with_connector(connector).await.unwrap()).await.unwrap();
    let caller: ClientInfo = callers.recv().unwrap();
    assert_eq!(caller.address.ip(), address.ip());
}
