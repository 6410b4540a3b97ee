//! Opens the listeners, each as configured, and serves them until told to stop.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use metrics_exporter_prometheus::PrometheusHandle;
use raccordo_core::id::Digest;
use tokio::net::TcpListener;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::provider::Remote;
use super::{Health, RunError};
use crate::api::serve::{admin_router, casework_router, hub_router};
use crate::app::Node;
use crate::app::account::provider::Provider;
use crate::app::fault::Done;
use crate::app::identity::{context, open};
use crate::config::Config;
use crate::desk;
use crate::home::Home;
use crate::setup::SetupError;
use crate::telemetry;
use crate::transport::accept::Gate;
use crate::transport::identity::{TlsIdentity, TlsKey};
use crate::transport::pages::{self, PageLimits};
use crate::transport::pin::TrustedPins;
use crate::transport::provider::{OpenIdProvider, ProviderSettings};
use crate::transport::unix::{AllowedUids, bind};

/// Longest time for a whole request of a page to come: the largest file over a slow line.
const PAGE_REQUEST_MAX: Duration = Duration::from_secs(120);

/// Where a node listens; what is not enabled is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Nodes, also in `run/hub.addr`.
    pub hub: Option<SocketAddr>,
    /// Operators' systems on other machines, also in `run/casework.addr`.
    pub casework: Option<SocketAddr>,
    /// Pages, also in `run/desk.addr`; how people open them is in `run/desk.url`.
    pub desk: Option<SocketAddr>,
    /// Metrics and health, also in `run/metrics.addr`.
    pub metrics: Option<SocketAddr>,
}

/// What the listeners are made of.
pub(super) struct Listeners<'r> {
    pub(super) home: &'r Home,
    pub(super) config: &'r Config,
    pub(super) node: &'r Arc<Node>,
    pub(super) tls: &'r TlsIdentity,
    pub(super) trusted: &'r TrustedPins,
    pub(super) stop: &'r CancellationToken,
    pub(super) servers: &'r TaskTracker,
}

impl Listeners<'_> {
    /// Opens them all; the Unix sockets last, since whoever waits for the node waits for them.
    pub(super) async fn start(
        &self,
        metrics: Option<PrometheusHandle>,
        health: Health,
    ) -> Result<Addresses, RunError> {
        let addresses = Addresses {
            hub: self.hub().await?,
            casework: self.casework_tls().await?,
            desk: self.desk().await?,
            metrics: self.metrics(metrics, health).await?,
        };
        self.casework_socket().await?;
        self.admin().await?;
        Ok(addresses)
    }

    async fn hub(&self) -> Result<Option<SocketAddr>, RunError> {
        if !self.config.hub.enabled {
            return self.closed("hub");
        }
        let (listener, address) = self.listen("hub", self.config.hub.listen).await?;
        let limits = self.config.limits.accept();
        let gate = Gate::for_peers("hub", self.tls, self.trusted.clone(), limits)?;
        let incoming = gate.accept(listener, self.stop.clone());
        let router =
            hub_router(self.node.clone(), self.config.limits.calls(), self.stop.clone()).await?;
        let stopped = self.stop.clone().cancelled_owned();
        self.serve("hub", router.serve_with_incoming_shutdown(incoming, stopped));
        Ok(Some(address))
    }

    async fn admin(&self) -> Result<(), RunError> {
        let incoming = UnixListenerStream::new(bind(&self.home.admin_socket(), 0o600)?);
        let users = AllowedUids::administrators();
        let router =
            admin_router(self.node.clone(), users, self.config.limits.calls(), self.stop.clone())
                .await?;
        let stopped = self.stop.clone().cancelled_owned();
        self.serve("admin", router.serve_with_incoming_shutdown(incoming, stopped));
        Ok(())
    }

    async fn casework_socket(&self) -> Result<(), RunError> {
        if !self.config.casework.socket {
            return Ok(());
        }
        let mode = self.config.casework.socket_access.mode();
        let incoming = UnixListenerStream::new(bind(&self.home.casework_socket(), mode)?);
        let router =
            casework_router(self.node.clone(), self.config.limits.calls(), self.stop.clone())
                .await?;
        let stopped = self.stop.clone().cancelled_owned();
        self.serve("casework", router.serve_with_incoming_shutdown(incoming, stopped));
        Ok(())
    }

    async fn casework_tls(&self) -> Result<Option<SocketAddr>, RunError> {
        let Some(address) = self.config.casework.tls_listen else {
            return self.closed("casework");
        };
        let (listener, address) = self.listen("casework", address).await?;
        let identity = self.casework_identity().await?;
        let gate = Gate::for_clients("casework", &identity, self.config.limits.accept())?;
        let incoming = gate.accept(listener, self.stop.clone());
        let router =
            casework_router(self.node.clone(), self.config.limits.calls(), self.stop.clone())
                .await?;
        let stopped = self.stop.clone().cancelled_owned();
        self.serve("casework_tls", router.serve_with_incoming_shutdown(incoming, stopped));
        Ok(Some(address))
    }

    /// The key and certificate for operators' systems, made at the first start with these
    /// names. The certificate lies in `run/casework.pem`, for them to trust.
    async fn casework_identity(&self) -> Result<TlsIdentity, RunError> {
        let names = &self.config.casework.tls_names;
        let tag = hex::encode(Digest::of(names.join("\n").as_bytes()).as_bytes());
        let kept = self.kept_casework_key(&tag).await.map_err(SetupError::from)?;
        let key = match kept {
            Some(key) => key,
            None => {
                let key = TlsKey::for_clients(names.clone())?;
                self.keep_casework_key(&tag, &key).await.map_err(SetupError::from)?;
                key
            }
        };
        let identity = TlsIdentity::from_parts(&key.pkcs8, &key.certificate)?;
        self.write("casework.pem", &pem(&key.certificate))?;
        Ok(identity)
    }

    async fn kept_casework_key(&self, tag: &str) -> Done<Option<TlsKey>> {
        let mut tx = self.node.store.read().await?;
        let [key, certificate] = secret_names(tag);
        if tx.secret(&key).await?.is_none() {
            return Ok(None);
        }
        let pkcs8 = open(&mut *tx, &self.node.vault, &key).await?;
        let certificate = open(&mut *tx, &self.node.vault, &certificate).await?.reveal().clone();
        Ok(Some(TlsKey { pkcs8, certificate }))
    }

    async fn keep_casework_key(&self, tag: &str, made: &TlsKey) -> Done<()> {
        let [key, certificate] = secret_names(tag);
        let sealed_key = self.node.seal(&context(&key), made.pkcs8.reveal())?;
        let sealed_certificate = self.node.seal(&context(&certificate), &made.certificate)?;
        let mut tx = self.node.store.write().await?;
        tx.put_secret(&key, sealed_key).await?;
        tx.put_secret(&certificate, sealed_certificate).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn desk(&self) -> Result<Option<SocketAddr>, RunError> {
        let Some(address) = self.config.desk.listen else {
            return self.closed("desk");
        };
        let (listener, address) = self.listen("desk", address).await?;
        let url = self.desk_url(address);
        self.write("desk.url", &format!("{url}\n"))?;
        let section = &self.config.desk;
        let settings = desk::Settings {
            provider: self.provider(&url)?,
            email: self.config.email.is_some(),
            url,
            proxies: section.proxies.clone(),
            security_contacts: section.security_contacts.clone(),
        };
        let router = desk::router(self.node.clone(), self.stop.clone(), settings);
        self.serve_pages("desk", listener, router);
        Ok(Some(address))
    }

    fn serve_pages(&self, name: &'static str, listener: TcpListener, router: Router) {
        let accept = self.config.limits.accept();
        let limits = PageLimits { accept, request: PAGE_REQUEST_MAX };
        self.serve(name, pages::serve(name, listener, router, limits, self.stop.clone()));
    }

    /// Under which people open the desk, without a slash at the end.
    pub(super) fn desk_url(&self, address: SocketAddr) -> String {
        let told = self.config.desk.address.as_deref().map(|told| told.trim_end_matches('/'));
        told.map_or_else(|| format!("http://{address}"), str::to_owned)
    }

    /// Where people may also sign in, who come back to this desk.
    fn provider(&self, desk: &str) -> Result<Option<Arc<dyn Provider>>, RunError> {
        let Some(section) = &self.config.desk.provider else { return Ok(None) };
        let settings = ProviderSettings {
            issuer: section.issuer.clone(),
            client_id: section.client_id.clone(),
            client_secret: section.client_secret(self.home).map_err(SetupError::from)?,
            authorities: section.authorities(self.home).map_err(SetupError::from)?,
            back: format!("{desk}/sign-in/provider/done"),
            patience: self.config.outbound.patience(),
        };
        Ok(Some(Arc::new(Remote(OpenIdProvider::new(settings)?))))
    }

    async fn metrics(
        &self,
        handle: Option<PrometheusHandle>,
        health: Health,
    ) -> Result<Option<SocketAddr>, RunError> {
        let (Some(address), Some(handle)) = (self.config.metrics.listen, handle) else {
            return self.closed("metrics");
        };
        let (listener, address) = self.listen("metrics", address).await?;
        let router = telemetry::router(move || health.report(), handle);
        self.serve_pages("metrics", listener, router);
        Ok(Some(address))
    }

    /// Listens, and writes down the port that was found where 0 was asked for.
    async fn listen(
        &self,
        section: &'static str,
        address: SocketAddr,
    ) -> Result<(TcpListener, SocketAddr), RunError> {
        let failed = |source| RunError::Listen { section, address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let found = listener.local_addr().map_err(failed)?;
        self.write(&format!("{section}.addr"), &format!("{found}\n"))?;
        tracing::info!(listener = section, address = %found, "listening");
        Ok((listener, found))
    }

    /// Nothing listens: what an earlier start wrote down is removed.
    fn closed(&self, section: &'static str) -> Result<Option<SocketAddr>, RunError> {
        let path = self.home.run().join(format!("{section}.addr"));
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(RunError::Write { path, source })
            }
            _ => Ok(None),
        }
    }

    /// Puts a file into `run`, whole or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), RunError> {
        let path: PathBuf = self.home.run().join(name);
        let fresh = self.home.run().join(format!("{name}.new"));
        let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, &path));
        written.map_err(|source| RunError::Write { path, source })
    }

    /// Serves until told to stop; a listener that fails before stops the node.
    fn serve<S, E>(&self, listener: &'static str, serving: S)
    where
        S: IntoFuture<Output = Result<(), E>>,
        S::IntoFuture: Send + 'static,
        E: std::error::Error + 'static,
    {
        let stop = self.stop.clone();
        let serving = serving.into_future();
        self.servers.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(listener, %error, "the listener failed");
            }
            stop.cancel();
        });
    }
}

fn secret_names(tag: &str) -> [String; 2] {
    [format!("casework_tls_key/{tag}"), format!("casework_tls_certificate/{tag}")]
}

/// RFC 7468 §5.1.
fn pem(certificate: &[u8]) -> String {
    let encoded = STANDARD.encode(certificate);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (place, letter) in encoded.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}
