//! A small identity provider (OpenID Connect Core 1.0, code flow with PKCE) on this machine:
//! it knows one person, asks nothing, and may be told to lie.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use openidconnect::core::{
    CoreEdDsaPrivateSigningKey, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    Audience, EmptyAdditionalClaims, EndUserUsername, IssuerUrl, JsonWebKeyId, Nonce,
    PrivateSigningKey as _, StandardClaims, SubjectIdentifier,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// As which nodes are registered.
pub const CLIENT: &str = "raccordo";
/// The secret of that registration.
pub const CLIENT_SECRET: &str = "known to two";
/// Ed25519 private keys in PKCS #8 (RFC 8410 §7) begin so.
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// What a token says that it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Signed with a key that the provider has not published.
    Key,
    /// For another sign-in.
    Nonce,
    /// For another client.
    Audience,
    /// From another provider.
    Issuer,
    /// Over.
    Age,
    /// It does not say who.
    Nobody,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Key, Self::Nonce, Self::Audience, Self::Issuer, Self::Age, Self::Nobody];
}

/// A provider that runs until it is dropped.
pub struct IdentityProvider {
    address: String,
    state: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    address: String,
    /// Subject and user name.
    person: Mutex<(String, String)>,
    lie: Mutex<Option<Lie>>,
    codes: Mutex<BTreeMap<String, Asked>>,
}

/// What went with a code.
#[derive(Clone, Deserialize)]
struct Asked {
    client_id: String,
    redirect_uri: String,
    state: String,
    nonce: String,
    code_challenge: String,
}

impl IdentityProvider {
    /// Starts one that knows a person by this subject and user name, on a port that the system
    /// chooses.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(subject: &str, name: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Shared {
            address: address.clone(),
            person: Mutex::new((subject.to_owned(), name.to_owned())),
            lie: Mutex::new(None),
            codes: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(state.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, state, task })
    }

    /// The lines of `[desk.provider]`, with the secret in a file.
    pub fn section(&self, secret_file: &str) -> String {
        let Self { address, .. } = self;
        format!(
            "[desk.provider]\nissuer = \"{address}\"\nclient_id = \"{CLIENT}\"\n\
             client_secret_file = \"{secret_file}\"\n"
        )
    }

    /// Has it know another person, or the same by another user name.
    pub fn knows(&self, subject: &str, name: &str) {
        *lock(&self.state.person) = (subject.to_owned(), name.to_owned());
    }

    /// Has it lie from now on, or no more.
    pub fn lies(&self, lie: Option<Lie>) {
        *lock(&self.state.lie) = lie;
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn describe(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let address = &shared.address;
    Json(json!({
        "issuer": address,
        "authorization_endpoint": format!("{address}/authorize"),
        "token_endpoint": format!("{address}/token"),
        "jwks_uri": format!("{address}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn keys() -> Result<Json<Value>, StatusCode> {
    let public = key(1).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.as_verification_key();
    Ok(Json(json!({"keys": [public]})))
}

/// Nobody is asked anything: whoever comes is the person.
async fn authorize(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Redirect {
    let mut codes = lock(&shared.codes);
    let code = format!("code-{}", codes.len());
    let pairs = [("code", &*code), ("state", &*asked.state)];
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    let address = format!("{}?{query}", asked.redirect_uri);
    codes.insert(code, asked);
    Redirect::to(&address)
}

#[derive(Deserialize)]
struct Exchange {
    code: String,
    code_verifier: String,
    redirect_uri: String,
}

async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(exchange): Form<Exchange>,
) -> Response {
    let refused = (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})));
    let pair = BASE64_STANDARD.encode(format!("{CLIENT}:{}", CLIENT_SECRET.replace(' ', "+")));
    let authorization = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let asked = lock(&shared.codes).get(&exchange.code).cloned();
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&exchange.code_verifier));
    let asked = asked.filter(|asked| {
        asked.code_challenge == challenge
            && asked.redirect_uri == exchange.redirect_uri
            && asked.client_id == CLIENT
            && authorization == Some(&*format!("Basic {pair}"))
    });
    // A code is used once.
    let Some(asked) = asked else { return refused.into_response() };
    if let Some(used) = lock(&shared.codes).get_mut(&exchange.code) {
        used.code_challenge.clear();
    }
    let lie = *lock(&shared.lie);
    match id_token(&shared, &asked, lie) {
        Ok(token) => {
            let answer = json!({"access_token": "a", "token_type": "Bearer", "id_token": token});
            Json(answer).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn id_token(shared: &Shared, asked: &Asked, lie: Option<Lie>) -> anyhow::Result<CoreIdToken> {
    let or = |wrong: Lie, right: &str, other: &str| {
        if lie == Some(wrong) { other.to_owned() } else { right.to_owned() }
    };
    let now = std::time::SystemTime::now();
    let over = std::time::Duration::from_secs(3_600);
    let (from, to) =
        if lie == Some(Lie::Age) { (now - 2 * over, now - over) } else { (now, now + over) };
    let (subject, name) = lock(&shared.person).clone();
    let subject = SubjectIdentifier::new(or(Lie::Nobody, &subject, ""));
    let standard =
        StandardClaims::new(subject).set_preferred_username(Some(EndUserUsername::new(name)));
    let claims = CoreIdTokenClaims::new(
        IssuerUrl::new(or(Lie::Issuer, &shared.address, "http://127.0.0.1:9"))?,
        vec![Audience::new(or(Lie::Audience, CLIENT, "another"))],
        to.into(),
        from.into(),
        standard,
        EmptyAdditionalClaims {},
    )
    .set_nonce(Some(Nonce::new(or(Lie::Nonce, &asked.nonce, "another"))));
    let key = key(if lie == Some(Lie::Key) { 2 } else { 1 })?;
    Ok(CoreIdToken::new(claims, &key, CoreJwsSigningAlgorithm::EdDsa, None, None)?)
}

fn key(seed: u8) -> anyhow::Result<CoreEdDsaPrivateSigningKey> {
    let der = [&PKCS8[..], &[seed; 32]].concat();
    let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    let pem = format!("{begin}\n{}\n{end}\n", BASE64_STANDARD.encode(der));
    let id = Some(JsonWebKeyId::new("key".to_owned()));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, id)
        .map_err(anyhow::Error::msg)
        .context("the provider's key")
}
