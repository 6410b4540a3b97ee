//! Sessions: who has signed in, and their end.

use raccordo_core::account::SessionKey;
use raccordo_core::id::Digest;

use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::directory::{self, Operator};
use crate::app::fault::Done;

/// Who asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Use {
    /// A person, which keeps the session alive.
    #[default]
    Person,
    /// A page that reads itself again: an empty chair keeps no session alive.
    Background,
}

/// Who a browser's key belongs to; nobody if there is no such session, if it is over, or if
/// the operator is disabled. Role and organisation are read each time, so that a change
/// counts at once.
///
/// # Errors
/// The store's.
pub async fn resume(
    node: &Node,
    key: &SessionKey,
    agent: &Digest,
    used: Use,
) -> Done<Option<Operator>> {
    let now = node.clock.now();
    let (operator, session) = {
        let mut tx = node.store.read().await?;
        let Some(session) = tx.session(key.digest()).await? else { return Ok(None) };
        let operator = directory::operator_of(node, &mut *tx, session.operator).await?;
        (operator.filter(|operator| operator.enabled), session)
    };
    let over = operator.is_none() || session.end(agent, now).is_some();
    if over || (used == Use::Person && session.is_to_be_noted(now)) {
        let mut tx = node.store.write().await?;
        // It may have been ended meanwhile, and must not come back.
        if tx.session(session.key).await?.is_none() {
            return Ok(None);
        }
        if over {
            tx.delete_session(session.key).await?;
        } else {
            tx.put_session(raccordo_core::account::Session { seen_at: now, ..session }).await?;
        }
        tx.commit().await?;
    }
    Ok(operator.filter(|_| !over))
}

/// Ends one session.
///
/// # Errors
/// The store's.
pub async fn sign_out(node: &Node, operator: &Operator, key: &SessionKey) -> Done<()> {
    let mut tx = node.store.write().await?;
    let subject = operator.id.to_string();
    record(node, &mut *tx, operator.actor(), "account.sign_out", &subject, &[]).await?;
    tx.delete_session(key.digest()).await?;
    Ok(tx.commit().await?)
}

/// Ends all sessions of an operator; how many there were.
///
/// # Errors
/// `no_such_operator`.
pub async fn sign_out_everywhere(node: &Node, actor: Actor, named: &str) -> Done<(Operator, u64)> {
    let mut tx = node.store.write().await?;
    let operator = directory::operator_named(node, &mut *tx, named).await?;
    let subject = operator.id.to_string();
    record(node, &mut *tx, actor, "operator.sign_out", &subject, &[]).await?;
    let ended = tx.delete_sessions(operator.id).await?;
    tx.commit().await?;
    Ok((operator, ended))
}
