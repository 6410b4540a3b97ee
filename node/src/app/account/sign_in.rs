//! Signs an operator in: name, password and one-time code against a new session.

use raccordo_core::account::{Password, Seed, Session, SessionKey};
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
    let key = SessionKey::random(&*node.entropy);
    record(node, &mut *tx, actor, "account.sign_in", &subject, &[]).await?;
    tx.put_account(account).await?;
    let (begun_at, seen_at) = (now, now);
    let session = Session { key: key.digest(), operator: operator.id, agent, begun_at, seen_at };
    tx.put_session(session).await?;
    tx.delete_sessions_before(now.minus(raccordo_core::account::LIFE_MAX)).await?;
    tx.commit().await?;
    Ok((operator, key))
}

async fn find(node: &Node, name: &str) -> Done<Option<(Operator, AccountRow)>> {
    let mut tx = node.store.read().await?;
    let operator = match directory::operator_named(node, &mut *tx, name).await {
        Ok(operator) if operator.enabled => operator,
        Ok(_) => return Ok(None),
        Err(fault) if fault.whose == Whose::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let account = account_of(&mut *tx, &operator).await?;
    Ok(account.map(|account| (operator, account)))
}

async fn account_of(tx: &mut dyn Tx, operator: &Operator) -> Done<Option<AccountRow>> {
    Ok(tx.account(operator.id).await?)
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
