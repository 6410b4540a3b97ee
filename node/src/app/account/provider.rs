//! Signing in where the region's people already have an identity (OpenID Connect Core 1.0,
//! authorization code with PKCE, RFC 7636): the provider proves who somebody is, this node
//! decides what that operator may do.
//!
//! An operator is bound to one person there, by issuer and subject, with the link that the
//! administrator made; names and addresses that the provider tells count for nothing, since
//! people and administrators there may change them.
//!
//! Between leaving for the provider and coming back, what must fit is in a cookie that only
//! this node can read: nothing is stored for somebody who has not signed in.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use raccordo_core::account::{Address, Attempt, Person, SessionKey};
use raccordo_core::id::Digest;
use raccordo_core::time::Instant;
use serde::{Deserialize, Serialize};

use super::{activate, may_try, sign_in};
use crate::app::Node;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault, Whose};

/// How long somebody may take at the provider.
const AWAY_MAX: Duration = Duration::from_secs(10 * 60);
/// Context under which the cookie is sealed.
const SEAL: &str = "account-provider";

/// Where people prove who they are.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Makes an address to send somebody to.
    ///
    /// # Errors
    /// [`ProviderError::Away`].
    async fn begin(&self) -> Result<Begun, ProviderError>;

    /// Exchanges what somebody came back with against who it is, after all checks of OpenID
    /// Connect Core §3.1.3.7.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn finish(&self, code: &str, begun: &Pending) -> Result<Person, ProviderError>;
}

/// Why a provider is of no help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It cannot be reached, or its answer is none.
    #[error("the identity provider does not answer as it should: {0}")]
    Away(String),
    /// It answers, and what it says does not hold.
    #[error("what the identity provider says of this person does not hold: {0}")]
    Refused(String),
}

/// A way to the provider.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What must fit on the way back.
    pub pending: Pending,
}

/// What must fit on the way back. Secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    /// Against answers that another site asked for.
    pub state: String,
    /// Against tokens of another sign-in.
    pub nonce: String,
    /// Against codes that somebody else caught (RFC 7636 §4.1).
    pub verifier: String,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending([redacted])")
    }
}

/// What the cookie holds.
#[derive(Serialize, Deserialize)]
struct Trip {
    pending: Pending,
    aim: Aim,
    begun_at: i64,
}

/// What somebody goes to the provider for. Secret where it holds a link.
#[derive(Clone, Serialize, Deserialize)]
pub enum Aim {
    /// To sign in, and go on at this path.
    SignIn(String),
    /// To be bound to the operator of this link.
    Activate(String),
}

impl std::fmt::Debug for Aim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SignIn(next) => f.debug_tuple("SignIn").field(next).finish(),
            Self::Activate(_) => f.write_str("Activate([redacted])"),
        }
    }
}

/// Somebody leaves for the provider: the address, and the cookie to come back with.
///
/// # Errors
/// `bad_link`, `provider_away`; `too_many_attempts`: each is a call to the provider.
pub async fn leave(
    node: &Node,
    provider: &dyn Provider,
    aim: Aim,
    from: Address,
) -> Done<(String, String)> {
    if let Aim::Activate(link) = &aim {
        activate::look(node, link).await?;
    }
    must_be_free(node, from)?;
    let Begun { address, pending } = provider.begin().await.map_err(fault)?;
    let trip = Trip { pending, aim, begun_at: node.clock.now().0 };
    let text = serde_json::to_vec(&trip).map_err(|cause| Fault::ours("provider_trip", cause))?;
    Ok((address, URL_SAFE_NO_PAD.encode(node.seal(SEAL, &text)?)))
}

/// What somebody comes back with.
#[derive(Debug)]
pub struct Return {
    /// The cookie of [`leave`].
    pub cookie: String,
    /// The provider's one-time code.
    pub code: String,
    /// The state that went with it.
    pub state: String,
}

/// Somebody comes back: who it is, the key of the new session, and where to go on.
///
/// # Errors
/// `provider_trip` for an answer that this browser did not ask for, or too late;
/// `provider_away`, `provider_refused`; `unknown_person` for somebody who is no operator here;
/// `bad_link`, `person_taken` where an account is activated; `too_many_attempts`.
pub async fn come_back(
    node: &Node,
    provider: &dyn Provider,
    back: Return,
    from: Address,
    agent: Digest,
) -> Done<(Operator, SessionKey, String)> {
    let sealed = URL_SAFE_NO_PAD.decode(&back.cookie).map_err(|_| lost())?;
    let opened = node.open(SEAL, &sealed).map_err(|_| lost())?;
    let trip: Trip = serde_json::from_slice(opened.reveal()).map_err(|_| lost())?;
    let asked = Digest::of(trip.pending.state.as_bytes());
    let in_time = node.clock.now().since(Instant(trip.begun_at)) < AWAY_MAX;
    if asked != Digest::of(back.state.as_bytes()) || !in_time {
        return Err(lost());
    }
    must_be_free(node, from)?;
    let person = provider.finish(&back.code, &trip.pending).await.map_err(fault)?;
    let ((operator, key), next) = match trip.aim {
        Aim::SignIn(next) => (sign_in::proven(node, &person, agent).await?, next),
        Aim::Activate(link) => (activate::bind(node, &link, &person, agent).await?, "/".to_owned()),
    };
    // The way there and the way back.
    for _ in 0..2 {
        node.accounts.throttle().give_back(&Attempt::Provider(from));
    }
    Ok((operator, key, next))
}

fn must_be_free(node: &Node, from: Address) -> Done<()> {
    may_try(node, &Attempt::Provider(from)).then_some(()).ok_or_else(sign_in::too_many)
}

fn lost() -> Fault {
    let message = "this answer of the identity provider was not asked for here, or is too old";
    Fault::new(Whose::Refused, "provider_trip", message).hint("sign in again from the first page")
}

fn fault(error: ProviderError) -> Fault {
    let (whose, reason, hint) = match error {
        ProviderError::Away(_) => (
            Whose::Unavailable,
            "provider_away",
            "try again in a while; the administrator finds the cause in the log",
        ),
        ProviderError::Refused(_) => (
            Whose::Unauthenticated,
            "provider_refused",
            "sign in again; the administrator finds the cause in the log",
        ),
    };
    tracing::warn!(%error, reason, "identity provider");
    Fault::new(whose, reason, error.to_string()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_fit_is_not_shown() {
        let pending = Pending { state: "s3".into(), nonce: "n3".into(), verifier: "v3".into() };
        let shown = format!("{pending:?}");
        assert!(["s3", "n3", "v3"].iter().all(|secret| !shown.contains(secret)), "{shown}");
    }
}
