//! Signs an operator in: name, password and one-time code against a new session.
//!
//! Whatever is wrong, the answer is the same, and so is the work: also for a name that nobody
//! has, the database is asked, a password is hashed and a code is compared. Nothing is written
//! before the answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use raccordo_core::account::{
    Address, Attempt, Device, LIFE_MAX, Password, Person, Seed, Session, SessionKey,
};
use raccordo_core::id::{Digest, OperatorId};
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;

use super::hash_pool::Lane;
use super::{may_try, person_index, seed_context};
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::directory::{self, Operator};
use crate::app::fault::{Done, Fault, Whose};
use crate::store::Tx;
use crate::store::account::AccountRow;

/// Purpose of the keyed digest of a name that was typed.
const NAME: &str = "sign-in-name";
/// Purpose of the MAC of a browser's mark.
const DEVICE: &str = "desk-device";
/// Purpose of the seed with which a code is compared where there is no account.
const NOBODY: &str = "account-nobody";

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

/// Where it was typed.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Where the request comes from.
    pub address: Address,
    /// Of what the browser says of itself.
    pub agent: Digest,
    /// The cookie of [`Device`]s; empty where there is none.
    pub devices: Secret<String>,
}

/// Somebody who is in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub operator: Operator,
    /// The key of the session.
    pub key: SessionKey,
    /// The cookie of [`Device`]s to keep.
    pub devices: Secret<String>,
}

/// Wrong attempts that are not in the audit yet, by operator.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<OperatorId, u32>>);

impl Refusals {
    fn add(&self, operator: OperatorId) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(operator).or_default();
        *count = count.saturating_add(1);
    }

    fn take(&self) -> BTreeMap<OperatorId, u32> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_back(&self, refusals: BTreeMap<OperatorId, u32>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (operator, count) in refusals {
            let sum = waiting.entry(operator).or_default();
            *sum = sum.saturating_add(count);
        }
    }
}

/// Signs in. A session key that the browser had before is never taken over: each sign-in makes
/// its own.
///
/// # Errors
/// `wrong_sign_in`, the same whatever was wrong; `too_many_attempts` where one more is not looked
/// at for a while, also if it were right; `busy`.
pub async fn sign_in(node: &Arc<Node>, typed: Typed, browser: &Browser) -> Done<SignedIn> {
    let Typed { name, password, code } = typed;
    let now = node.clock.now();
    let known = find(node, name.trim()).await?;
    let device = known.as_ref().and_then(|(_, account)| device(node, browser, account, now));
    let named = Digest(node.vault.index(NAME, name.trim().as_bytes()));
    let attempt = match &device {
        Some(device) => Attempt::Known(device.key()),
        None => Attempt::Stranger(browser.address, named),
    };
    if !may_try(node, &attempt) {
        return Err(too_many());
    }
    let hash = known.as_ref().map(|(_, account)| account.password_hash.clone());
    let lane = if device.is_some() { Lane::Known } else { Lane::Stranger };
    let right = node.accounts.hashes.run(lane, move || password.verify(hash.as_deref()));
    // An attempt that is not looked at does not count.
    let right = right.await.inspect_err(|_| node.accounts.throttle().give_back(&attempt))?;
    let step = step(node, known.as_ref().map(|(_, account)| account), &code, now)?;
    let (Some((operator, account)), Some(step), true) = (known.clone(), step, right) else {
        if let Some((operator, _)) = known {
            node.accounts.refusals.add(operator.id);
            // After the answer: how long it takes would tell that there is such a name.
            tokio::spawn(note_refusals(node.clone()));
        }
        return Err(wrong());
    };
    let mut tx = node.store.write().await?;
    // Another attempt with the same code, or a new password, may have come between.
    let present = tx.account(operator.id).await?;
    let same = present.is_some_and(|present| {
        present.password_hash == account.password_hash && present.used_step < step
    });
    if !same {
        return Err(wrong());
    }
    let device = device
        .map_or_else(|| Device::new(&*node.entropy, operator.id, now), |device| device.again(now));
    let mac = node.vault.index(DEVICE, &device.claim(account.activated_at));
    let devices = device.in_cookie(&mac, browser.devices.reveal());
    tx.put_account(AccountRow { used_step: step, ..account }).await?;
    let key = begin(node, &mut *tx, &operator, browser.agent, "password").await?;
    tx.commit().await?;
    node.accounts.throttle().give_back(&attempt);
    Ok(SignedIn { operator, key, devices })
}

/// Signs in the operator who is this person at the identity provider.
///
/// # Errors
/// `unknown_person` if it is no enabled operator.
pub(super) async fn proven(
    node: &Node,
    person: &Person,
    agent: Digest,
) -> Done<(Operator, SessionKey)> {
    let mut tx = node.store.write().await?;
    let known = tx.provider_person(person_index(node, person)).await?.ok_or_else(unknown)?;
    let operator = directory::operator_of(node, &mut *tx, known.operator).await?;
    let operator = operator.filter(|operator| operator.enabled).ok_or_else(unknown)?;
    let key = begin(node, &mut *tx, &operator, agent, "provider").await?;
    tx.commit().await?;
    Ok((operator, key))
}

/// Writes the wrong attempts that wait into the audit, one record for each operator.
pub async fn note_refusals(node: Arc<Node>) {
    let waiting = node.accounts.refusals.take();
    if waiting.is_empty() {
        return;
    }
    if let Err(fault) = note(&node, &waiting).await {
        tracing::warn!(error = %fault, "wrong attempts are not in the audit yet");
        node.accounts.refusals.put_back(waiting);
    }
}

async fn note(node: &Node, waiting: &BTreeMap<OperatorId, u32>) -> Done<()> {
    let mut tx = node.store.write().await?;
    for (operator, count) in waiting {
        let (subject, count) = (operator.to_string(), count.to_string());
        let detail = [("attempts", count.as_str())];
        let actor = Actor::Operator(*operator);
        record(node, &mut *tx, actor, "account.refuse", &subject, &detail).await?;
    }
    Ok(tx.commit().await?)
}

/// A new session; sessions that are over for all are forgotten.
pub(super) async fn begin(
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

/// The enabled operator of a name with its account. The database is asked the same where there
/// is none.
async fn find(node: &Node, name: &str) -> Done<Option<(Operator, AccountRow)>> {
    let mut tx = node.store.read().await?;
    let operator = directory::operator_of_name(node, &mut *tx, name).await?;
    let id = operator.as_ref().map_or_else(|| OperatorId::random(&*node.entropy), |it| it.id);
    let account = tx.account(id).await?;
    Ok(operator.filter(|operator| operator.enabled).zip(account))
}

/// The browser's mark of this operator, if it is this node's and not too old.
fn device(node: &Node, browser: &Browser, account: &AccountRow, now: Instant) -> Option<Device> {
    let marks = Device::of_cookie(browser.devices.reveal()).into_iter();
    let mut own = marks.filter(|(device, _)| device.operator == account.operator);
    let known = own.find(|(device, mac)| {
        let made = node.vault.index(DEVICE, &device.claim(account.activated_at));
        // Digests of both, so that the time it takes says nothing of the MAC.
        device.is_fresh(now) && Digest::of(&made) == Digest::of(mac)
    });
    known.map(|(device, _)| device)
}

/// The step of a right code; of nobody's account a code is compared with a seed that nobody has.
fn step(node: &Node, account: Option<&AccountRow>, code: &str, now: Instant) -> Done<Option<u64>> {
    let damaged = || Fault::ours("row_damaged", "seed");
    let (seed, used) = match account {
        Some(account) => {
            let seed = node.open(&seed_context(account.operator), &account.sealed_seed)?;
            (Seed::from_bytes(seed.reveal()).ok_or_else(damaged)?, account.used_step)
        }
        None => (Seed::from_bytes(&node.vault.index(NOBODY, b"")).ok_or_else(damaged)?, u64::MAX),
    };
    Ok(seed.take(code, now, used).ok())
}

fn unknown() -> Fault {
    let message = "the identity provider knows this person, and no operator here is that person";
    Fault::new(Whose::Unauthenticated, "unknown_person", message).hint(
        "ask the administrator for a link (`raccordo operator invite`), and open it before you \
         sign in",
    )
}

fn wrong() -> Fault {
    Fault::new(Whose::Unauthenticated, "wrong_sign_in", "name, password or code is not right")
        .hint("a code is used once; after a lost phone the administrator makes a new link")
}

pub(super) fn too_many() -> Fault {
    let message = "too many wrong attempts at this name or from this address";
    Fault::new(Whose::Exhausted, "too_many_attempts", message)
        .hint("wait some minutes, or use a browser in which you have signed in before")
}
