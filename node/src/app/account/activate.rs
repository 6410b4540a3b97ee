//! Activates an account by its link: the operator chooses a password and shows that the
//! authenticator has the seed.

use raccordo_core::account::{Guard, Invitation, Password, Seed};

use super::seed_context;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::directory::{self, Operator};
use crate::app::fault::{Done, Fault, Whose};
use crate::store::Tx;
use crate::store::account::AccountRow;

/// Purpose of the keyed digest that becomes the seed.
const SEED: &str = "account-seed";

/// What the operator is shown before the account is there.
#[derive(Clone, Debug)]
pub struct Activation {
    /// Who is invited.
    pub operator: Operator,
    /// What the authenticator is to know: the same for the same link, and stored only when
    /// the account is activated.
    pub seed: Seed,
}

/// What a link is for.
///
/// # Errors
/// `bad_link`.
pub async fn look(node: &Node, link: &str) -> Done<Activation> {
    let mut tx = node.store.read().await?;
    let link = Invitation::parse(link).ok_or_else(bad_link)?;
    invited(node, &mut *tx, &link).await
}

/// Uses the link: the account is there, or has a new password and a new seed, and all
/// sessions of the operator end.
///
/// # Errors
/// `bad_link`, the reasons of [`raccordo_core::account::PasswordError`], `wrong_code`.
pub async fn activate(node: &Node, link: &str, password: String, code: &str) -> Done<Operator> {
    let link = Invitation::parse(link).ok_or_else(bad_link)?;
    let mut tx = node.store.write().await?;
    let Activation { operator, seed } = invited(node, &mut *tx, &link).await?;
    let password = Password::chosen(password, operator.name.reveal())
        .map_err(|cause| Fault::usage(cause.reason(), cause.to_string()))?;
    let now = node.clock.now();
    let used_step =
        seed.take(code, now, 0).map_err(|cause| Fault::usage("wrong_code", cause.to_string()))?;
    let password_hash =
        password.hash(&*node.entropy).map_err(|cause| Fault::ours("password_hash", cause))?;
    let sealed_seed = node.seal(&seed_context(operator.id), seed.reveal())?;
    let subject = operator.id.to_string();
    let actor = Actor::Operator(operator.id);
    record(node, &mut *tx, actor, "account.activate", &subject, &[]).await?;
    tx.put_account(AccountRow {
        operator: operator.id,
        password_hash,
        sealed_seed,
        used_step,
        guard: Guard::default(),
        activated_at: now,
    })
    .await?;
    tx.delete_invitation(operator.id).await?;
    tx.delete_sessions(operator.id).await?;
    tx.commit().await?;
    Ok(operator)
}

async fn invited(node: &Node, tx: &mut dyn Tx, link: &Invitation) -> Done<Activation> {
    let row = tx.invitation(link.digest()).await?;
    let row = row.filter(|row| node.clock.now() < row.expires_at).ok_or_else(bad_link)?;
    let operator = directory::operator_of(node, tx, row.operator).await?;
    let operator = operator.filter(|operator| operator.enabled).ok_or_else(bad_link)?;
    let derived = node.vault.index(SEED, link.bytes().reveal());
    let seed = Seed::from_bytes(&derived).ok_or_else(|| Fault::ours("seed", "too short"))?;
    Ok(Activation { operator, seed })
}

/// The same for a link that is unknown, used, too old, or of a disabled operator.
fn bad_link() -> Fault {
    Fault::new(Whose::NotFound, "bad_link", "this link does not work, or no longer")
        .hint("ask the administrator for a new one: `raccordo operator invite`")
}
