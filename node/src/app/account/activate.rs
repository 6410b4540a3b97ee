//! Activates an account by its link: the operator chooses a password and shows that the
//! authenticator has the seed, or is bound to a person at the region's identity provider. One of
//! the two opens the account from then on, and not the other.

use raccordo_core::account::{Invitation, Password, Person, Seed, SessionKey};
use raccordo_core::id::Digest;

use super::hash_pool::Lane;
use super::{person_context, person_index, seed_context, sign_in};
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::directory::{self, Operator};
use crate::app::fault::{Done, Fault, Whose};
use crate::store::Tx;
use crate::store::account::{AccountRow, PersonRow};

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
    let Activation { operator, seed } =
        invited(node, &mut *node.store.read().await?, &link).await?;
    let password = Password::chosen(password, operator.name.reveal())
        .map_err(|cause| Fault::usage(cause.reason(), cause.to_string()))?;
    let now = node.clock.now();
    let used_step =
        seed.take(code, now, 0).map_err(|cause| Fault::usage("wrong_code", cause.to_string()))?;
    let entropy = node.entropy.clone();
    let password_hash = node.accounts.hashes.run(Lane::Known, move || password.hash(&*entropy));
    let password_hash =
        password_hash.await?.map_err(|cause| Fault::ours("password_hash", cause))?;
    let mut tx = node.store.write().await?;
    // It may have been used, or made again, meanwhile.
    invited(node, &mut *tx, &link).await?;
    let sealed_seed = node.seal(&seed_context(operator.id), seed.reveal())?;
    let subject = operator.id.to_string();
    let actor = Actor::Operator(operator.id);
    record(node, &mut *tx, actor, "account.activate", &subject, &[]).await?;
    tx.put_account(AccountRow {
        operator: operator.id,
        password_hash,
        sealed_seed,
        used_step,
        activated_at: now,
    })
    .await?;
    tx.delete_provider_person(operator.id).await?;
    tx.delete_invitation(operator.id).await?;
    tx.delete_sessions(operator.id).await?;
    tx.commit().await?;
    Ok(operator)
}

/// Uses the link: the operator is this person at the identity provider from now on, has no
/// password any more, and is signed in.
///
/// # Errors
/// `bad_link`; `person_taken` for a person who is another operator here.
pub(super) async fn bind(
    node: &Node,
    link: &str,
    person: &Person,
    agent: Digest,
) -> Done<(Operator, SessionKey)> {
    let link = Invitation::parse(link).ok_or_else(bad_link)?;
    let mut tx = node.store.write().await?;
    let Activation { operator, .. } = invited(node, &mut *tx, &link).await?;
    let index = person_index(node, person);
    let other = tx.provider_person(index).await?;
    if other.is_some_and(|other| other.operator != operator.id) {
        let message = "this person of the identity provider is another operator here";
        return Err(Fault::conflict("person_taken", message)
            .hint("sign in at the provider as yourself; else tell the administrator"));
    }
    let subject = operator.id.to_string();
    let actor = Actor::Operator(operator.id);
    record(node, &mut *tx, actor, "account.bind", &subject, &[]).await?;
    tx.put_provider_person(PersonRow {
        operator: operator.id,
        person: index,
        sealed: node.seal(&person_context(operator.id), person.bytes().reveal())?,
        bound_at: node.clock.now(),
    })
    .await?;
    tx.delete_account(operator.id).await?;
    tx.delete_invitation(operator.id).await?;
    tx.delete_sessions(operator.id).await?;
    let key = sign_in::begin(node, &mut *tx, &operator, agent, "provider").await?;
    tx.commit().await?;
    Ok((operator, key))
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
