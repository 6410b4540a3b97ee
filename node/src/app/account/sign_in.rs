//! Signs an operator in: name, password and one-time code against a new session.

use raccordo_core::account::{LIFE_MAX, Password, Seed, Session, SessionKey};
use raccordo_core::id::Digest;

use super::seed_context;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::directory::{self, Operator};
use crate::app::fault::{Done, Fault, Whose};
use crate::store::Tx;
use crate::store::account::AccountRow;

/// What was typed.
#[derive(Debug)]
pub struct Typed {
    /// The operator's name.
    pub name: String,
    /// The password.
    pub password: Password,
    /// The one-time code.
    pub code: String,
}

/// Signs in, or counts a wrong attempt. A session key that the browser had before is never
/// taken over: each sign-in makes its own.
///
/// # Errors
/// `wrong_sign_in`, the same whatever was wrong; `account_closed` for a while after several
/// wrong attempts.
pub async fn sign_in(node: &Node, typed: Typed, agent: Digest) -> Done<(Operator, SessionKey)> {
    let Typed { name, password, code } = typed;
    let known = find(node, name.trim()).await?;
    let now = node.clock.now();
    if known.as_ref().is_some_and(|(_, account)| account.guard.is_closed(now)) {
        return Err(closed());
    }
    // Slow on purpose, and so outside the transaction that writes.
    let hash = known.as_ref().map(|(_, account)| account.password_hash.as_str());
    let right = password.verify(hash);
    let Some((operator, account)) = known else { return Err(wrong()) };
    let mut tx = node.store.write().await?;
    // Another attempt may have come between.
    let Some(mut account) = tx.account(account.operator).await? else { return Err(wrong()) };
    if account.guard.is_closed(now) {
        return Err(closed());
    }
    let seed = node.open(&seed_context(operator.id), &account.sealed_seed)?;
    let seed = Seed::from_bytes(seed.reveal()).ok_or_else(|| Fault::ours("row_damaged", "seed"))?;
    let step = seed.take(&code, now, account.used_step).ok().filter(|_| right);
    let subject = operator.id.to_string();
    let actor = Actor::Operator(operator.id);
    let Some(step) = step else {
        account.guard = account.guard.after_wrong(now);
        record(node, &mut *tx, actor, "account.refuse", &subject, &[]).await?;
        tx.put_account(account).await?;
        tx.commit().await?;
        return Err(wrong());
    };
    account.used_step = step;
    account.guard = Default::default();
    tx.put_account(account).await?;
    let key = begin(node, &mut *tx, &operator, agent, "password").await?;
    tx.commit().await?;
    Ok((operator, key))
}

/// Signs in an operator whose name the identity provider has proven.
///
/// # Errors
/// `unknown_person` if it is no enabled operator's.
pub(super) async fn proven(node: &Node, name: &str, agent: Digest) -> Done<(Operator, SessionKey)> {
    let mut tx = node.store.write().await?;
    let Some(operator) = enabled(node, &mut *tx, name).await? else { return Err(unknown()) };
    let key = begin(node, &mut *tx, &operator, agent, "provider").await?;
    tx.commit().await?;
    Ok((operator, key))
}

/// A new session; sessions that are over for all are forgotten.
async fn begin(
    node: &Node,
    tx: &mut dyn Tx,
    operator: &Operator,
    agent: Digest,
    by: &str,
) -> Done<SessionKey> {
    let now = node.clock.now();
    let key = SessionKey::random(&*node.entropy);
    let (subject, actor) = (operator.id.to_string(), operator.actor());
    record(node, tx, actor, "account.sign_in", &subject, &[("by", by)]).await?;
    let (begun_at, seen_at) = (now, now);
    let session = Session { key: key.digest(), operator: operator.id, agent, begun_at, seen_at };
    tx.put_session(session).await?;
    tx.delete_sessions_before(now.minus(LIFE_MAX)).await?;
    Ok(key)
}

async fn find(node: &Node, name: &str) -> Done<Option<(Operator, AccountRow)>> {
    let mut tx = node.store.read().await?;
    let Some(operator) = enabled(node, &mut *tx, name).await? else { return Ok(None) };
    let account = tx.account(operator.id).await?;
    Ok(account.map(|account| (operator, account)))
}

async fn enabled(node: &Node, tx: &mut dyn Tx, name: &str) -> Done<Option<Operator>> {
    match directory::operator_named(node, tx, name).await {
        Ok(operator) => Ok(Some(operator).filter(|operator| operator.enabled)),
        Err(fault) if fault.whose == Whose::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn unknown() -> Fault {
    let message = "the identity provider knows this person, and this node has no such operator";
    Fault::new(Whose::Unauthenticated, "unknown_person", message)
        .hint("ask the administrator: `raccordo operator add`, with the name that it gives")
}

fn wrong() -> Fault {
    Fault::new(Whose::Unauthenticated, "wrong_sign_in", "name, password or code is not right")
        .hint("a code is used once; after a lost phone the administrator makes a new link")
}

fn closed() -> Fault {
    let message = "too many wrong attempts; this account is closed for some minutes";
    Fault::new(Whose::Exhausted, "account_closed", message)
        .hint("wait, then sign in; if it was not you, tell the administrator")
}
