//! Calls to the region's identity provider (OpenID Connect Discovery and Core 1.0).
//!
//! Its description and keys are read anew for each sign-in, so that new keys need nothing
//! from anybody.

use std::io::Cursor;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, TokenResponse as _,
};
use raccordo_core::secret::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Longest subject, in bytes (OpenID Connect Core 1.0 §2).
const SUBJECT_BYTES_MAX: usize = 255;

/// A provider and this node's account at it.
pub struct ProviderSettings {
    /// Its address, as its description repeats it.
    pub issuer: String,
    /// As which this node is registered there.
    pub client_id: String,
    /// What proves it.
    pub client_secret: Secret<String>,
    /// Authorities of its certificate, as PEM; without them those that browsers trust.
    pub authorities: Option<Vec<u8>>,
    /// Where it sends people back to.
    pub back: String,
    /// Longest time for one call.
    pub patience: Duration,
}

/// Why there is no provider.
#[derive(Debug, thiserror::Error)]
pub enum ProviderSettingsError {
    /// An address is none.
    #[error("{0} is no address")]
    Address(String),
    /// The file of authorities holds none.
    #[error("there is no certificate (PEM) in the file of authorities")]
    Authorities,
    /// TLS cannot be set up.
    #[error("TLS towards the identity provider: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why a call did not end well; whose fault it is, is in the variant.
#[derive(Debug, thiserror::Error)]
pub enum ProviderCallError {
    /// It cannot be reached, or its answer is none.
    #[error("{0}")]
    Away(String),
    /// It answers, and what it says does not hold.
    #[error("{0}")]
    Refused(String),
}

type Http = HttpClient<HttpsConnector<HttpConnector>, Full<Cursor<Vec<u8>>>>;
type Ready = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An address to send somebody to, and what must fit on the way back.
pub struct Way {
    /// Where the browser goes.
    pub address: String,
    /// The state (RFC 6749 §10.12).
    pub state: String,
    /// The nonce of the token.
    pub nonce: String,
    /// The verifier of the code (RFC 7636 §4.1).
    pub verifier: String,
}

/// A client of one provider.
pub struct OpenIdProvider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    back: RedirectUrl,
    caller: Caller,
}

impl OpenIdProvider {
    /// Calls nobody yet.
    ///
    /// # Errors
    /// [`ProviderSettingsError`].
    pub fn new(settings: ProviderSettings) -> Result<Self, ProviderSettingsError> {
        let address = |text: &str| ProviderSettingsError::Address(text.to_owned());
        let issuer = settings.issuer;
        Ok(Self {
            issuer: IssuerUrl::new(issuer.clone()).map_err(|_| address(&issuer))?,
            client_id: ClientId::new(settings.client_id),
            client_secret: ClientSecret::new(settings.client_secret.reveal().clone()),
            back: RedirectUrl::new(settings.back.clone()).map_err(|_| address(&settings.back))?,
            caller: Caller {
                http: client(settings.authorities.as_deref(), issuer.starts_with("http://"))?,
                patience: settings.patience,
            },
        })
    }

    /// Makes a way to it.
    ///
    /// # Errors
    /// [`ProviderCallError::Away`].
    pub async fn begin(&self) -> Result<Way, ProviderCallError> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let ready = self.ready().await?;
        let (address, state, nonce) = ready
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge)
            .url();
        Ok(Way {
            address: address.to_string(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Exchanges a code against issuer and subject of its token.
    ///
    /// # Errors
    /// [`ProviderCallError`].
    pub async fn finish(
        &self,
        code: &str,
        nonce: &str,
        verifier: &str,
    ) -> Result<(String, Secret<String>), ProviderCallError> {
        let refused = |cause: String| ProviderCallError::Refused(cause);
        let ready = self.ready().await?;
        let answer = ready
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| ProviderCallError::Away("it names no token endpoint".into()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&self.caller)
            .await
            .map_err(|cause| match cause {
                openidconnect::RequestTokenError::ServerResponse(said) => {
                    refused(format!("it refuses the code: {}", said.error()))
                }
                other => ProviderCallError::Away(other.to_string()),
            })?;
        let token = answer.id_token().ok_or_else(|| refused("it sends no ID token".into()))?;
        let keys = ready.id_token_verifier();
        let nonce = Nonce::new(nonce.to_owned());
        let claims = token.claims(&keys, &nonce).map_err(|cause| refused(cause.to_string()))?;
        if let Some(expected) = claims.access_token_hash() {
            let made = token
                .signing_alg()
                .map_err(|cause| cause.to_string())
                .and_then(|algorithm| {
                    Ok((algorithm, token.signing_key(&keys).map_err(|cause| cause.to_string())?))
                })
                .and_then(|(algorithm, key)| {
                    AccessTokenHash::from_token(answer.access_token(), algorithm, key)
                        .map_err(|cause| cause.to_string())
                });
            if made.map_err(refused)? != *expected {
                return Err(refused("the access token is of another answer".into()));
            }
        }
        let subject = claims.subject().to_string();
        if !(1..=SUBJECT_BYTES_MAX).contains(&subject.len()) {
            return Err(refused("its token names nobody".into()));
        }
        Ok((claims.issuer().to_string(), Secret::new(subject)))
    }

    async fn ready(&self) -> Result<Ready, ProviderCallError> {
        let described = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.caller)
            .await
            .map_err(|cause| ProviderCallError::Away(cause.to_string()))?;
        let (id, secret) = (self.client_id.clone(), Some(self.client_secret.clone()));
        Ok(CoreClient::from_provider_metadata(described, id, secret)
            .set_redirect_uri(self.back.clone()))
    }
}

/// Makes the calls.
struct Caller {
    http: Http,
    patience: Duration,
}

impl<'c> AsyncHttpClient<'c> for Caller {
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, CallError>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        let request = request.map(|body| Full::new(Cursor::new(body)));
        let answered = async {
            let answer = self.http.request(request).await.map_err(|cause| chain(&cause))?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|cause| cause.to_string())?.to_bytes().to_vec();
            Ok(Response::from_parts(parts, body))
        };
        Box::pin(async {
            let answered = tokio::time::timeout(self.patience, answered).await;
            answered.map_err(|_| CallError("it does not answer in time".into()))?.map_err(CallError)
        })
    }
}

/// A call that brought nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct CallError(String);

/// An error with its causes: the first alone says too little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Unencrypted calls only where the provider itself is on this machine.
fn client(authorities: Option<&[u8]>, plain: bool) -> Result<Http, ProviderSettingsError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = match authorities {
        None => builder.with_provider_and_webpki_roots(provider)?,
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
            if roots.is_empty() {
                return Err(ProviderSettingsError::Authorities);
            }
            let config = ClientConfig::builder_with_provider(Arc::new(provider))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
            builder.with_tls_config(config)
        }
    };
    let builder = if plain { builder.https_or_http() } else { builder.https_only() };
    let connector = builder.enable_http1().build();
    Ok(HttpClient::builder(TokioExecutor::new()).build(connector))
}
