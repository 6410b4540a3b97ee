//! Organisations and operators: added by the administrator, known by their tokens.

use raccordo_core::id::{OperatorId, OrganisationId};
use raccordo_core::operator::{Action, Class, Role, Token, may};
use raccordo_core::secret::Secret;
use raccordo_core::text::is_line;

use super::Node;
use super::account::hash_pool::Lane;
use super::audit::{Actor, record};
use super::fault::{Done, Fault, Whose};
use crate::store::Tx;
use crate::store::directory::{OperatorRow, OrganisationRow};

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// An operator who has shown a token.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Opaque id.
    pub id: OperatorId,
    /// The name, shown to its own people only.
    pub name: Secret<String>,
    /// What the operator may do.
    pub role: Role,
    /// Opaque id of the organisation.
    pub organisation: OrganisationId,
    /// Its name.
    pub organisation_name: String,
    /// Its class, which limits what the operator sees.
    pub class: Class,
    /// Whether the token is accepted.
    pub enabled: bool,
}

impl Operator {
    /// As an audit record names the operator.
    pub fn actor(&self) -> Actor {
        Actor::Operator(self.id)
    }

    /// Passes if role and class allow the action.
    ///
    /// # Errors
    /// `role_not_allowed`.
    pub fn must(&self, action: Action) -> Done<()> {
        if may(self.role, self.class, action) {
            return Ok(());
        }
        let (role, class) = (self.role.as_str(), self.class.as_str());
        let message = format!("a {role} of an organisation of class {class} may not do this");
        Err(Fault::refused("role_not_allowed", message)
            .hint("ask the administrator, if your work needs it: `raccordo operator role`"))
    }
}

/// Adds an organisation.
///
/// # Errors
/// `unknown_class`, `name_taken`, `bad_name`.
pub async fn add_organisation(
    node: &Node,
    actor: Actor,
    name: &str,
    class: &str,
) -> Done<OrganisationRow> {
    let name = checked_name(name)?;
    let class: Class = class.parse().map_err(|_| {
        Fault::usage("unknown_class", "this is no organisation class")
            .hint("see `raccordo codes list organisation_class`")
    })?;
    let row = OrganisationRow {
        organisation: OrganisationId::random(&*node.entropy),
        name,
        class: class.as_str().to_owned(),
        created_at: node.clock.now(),
    };
    let mut tx = node.store.write().await?;
    let subject = row.organisation.to_string();
    record(node, &mut *tx, actor, "organisation.add", &subject, &[("class", &row.class)]).await?;
    tx.insert_organisation(row.clone()).await.map_err(|error| taken(error, "organisation"))?;
    tx.commit().await?;
    Ok(row)
}

/// All organisations with the number of their operators.
///
/// # Errors
/// The store's.
pub async fn organisations(node: &Node) -> Done<Vec<(OrganisationRow, usize)>> {
    let mut tx = node.store.read().await?;
    let operators = tx.operators().await?;
    let rows = tx.organisations().await?;
    let count = |row: &OrganisationRow| {
        operators.iter().filter(|operator| operator.organisation == row.organisation).count()
    };
    Ok(rows.into_iter().map(|row| (row.clone(), count(&row))).collect())
}

/// Adds an operator; the token is in the answer and nowhere else.
///
/// # Errors
/// `no_such_organisation`, `unknown_role`, `name_taken`, `bad_name`.
pub async fn add_operator(
    node: &Node,
    actor: Actor,
    name: &str,
    organisation: &str,
    role: &str,
) -> Done<(Operator, Secret<String>)> {
    let name = checked_name(name)?;
    let role = operator_role(role)?;
    let token = Token::random(&*node.entropy);
    let (hashed, entropy) = (token.clone(), node.entropy.clone());
    let token_hash = node.accounts.hashes.run(Lane::Known, move || hashed.hash(&*entropy)).await?;
    let token_hash = token_hash.map_err(|cause| Fault::ours("token_hash", cause))?;
    let mut tx = node.store.write().await?;
    let organisations = tx.organisations().await?;
    let home = organisations
        .into_iter()
        .find(|row| row.name == organisation || row.organisation.to_string() == organisation)
        .ok_or_else(|| {
            Fault::not_found("no_such_organisation", "there is no such organisation here")
                .hint("see `raccordo organisation list`")
        })?;
    let id = OperatorId::random(&*node.entropy);
    let row = OperatorRow {
        operator: id,
        organisation: home.organisation,
        sealed_name: node.seal(&name_context(id), name.as_bytes())?,
        name_index: node.vault.index(NAME_INDEX, name.as_bytes()).to_vec(),
        role: role.as_str().to_owned(),
        token_lookup: token.lookup().0.to_vec(),
        token_hash,
        enabled: true,
        created_at: node.clock.now(),
    };
    let detail = [("role", role.as_str())];
    record(node, &mut *tx, actor, "operator.add", &id.to_string(), &detail).await?;
    tx.insert_operator(row.clone()).await.map_err(|error| taken(error, "operator"))?;
    let operator = open(node, &mut *tx, row).await?;
    tx.commit().await?;
    Ok((operator, token.text()))
}

/// All operators.
///
/// # Errors
/// The store's.
pub async fn operators(node: &Node) -> Done<Vec<Operator>> {
    let mut tx = node.store.read().await?;
    let mut operators = Vec::new();
    for row in tx.operators().await? {
        operators.push(open(node, &mut *tx, row).await?);
    }
    Ok(operators)
}

/// The operator of an id.
///
/// # Errors
/// The store's.
pub async fn operator_of(node: &Node, tx: &mut dyn Tx, id: OperatorId) -> Done<Option<Operator>> {
    let row = tx.operators().await?.into_iter().find(|row| row.operator == id);
    match row {
        Some(row) => Ok(Some(open(node, tx, row).await?)),
        None => Ok(None),
    }
}

/// The operator of exactly this name, whom nobody finds by the id. The database is asked the
/// same where there is none.
///
/// # Errors
/// The store's.
pub(super) async fn operator_of_name(
    node: &Node,
    tx: &mut dyn Tx,
    name: &str,
) -> Done<Option<Operator>> {
    let index = node.vault.index(NAME_INDEX, name.as_bytes()).to_vec();
    let row = tx.operators().await?.into_iter().find(|row| row.name_index == index);
    match row {
        Some(row) => Ok(Some(open(node, tx, row).await?)),
        None => {
            tx.organisations().await?;
            Ok(None)
        }
    }
}

/// The operator of a name, or of an id as text.
///
/// # Errors
/// `no_such_operator`.
pub(super) async fn operator_named(node: &Node, tx: &mut dyn Tx, named: &str) -> Done<Operator> {
    let row = row_named(node, tx, named).await?;
    open(node, tx, row).await
}

async fn row_named(node: &Node, tx: &mut dyn Tx, named: &str) -> Done<OperatorRow> {
    let index = node.vault.index(NAME_INDEX, named.as_bytes()).to_vec();
    let rows = tx.operators().await?;
    rows.into_iter()
        .find(|row| row.name_index == index || row.operator.to_string() == named)
        .ok_or_else(|| {
            Fault::not_found("no_such_operator", "there is no such operator here")
                .hint("see `raccordo operator list`")
        })
}

/// Gives an operator, named by name or id, another role, or disables its token.
///
/// # Errors
/// `no_such_operator`, `unknown_role`.
pub async fn change_operator(
    node: &Node,
    actor: Actor,
    named: &str,
    role: Option<&str>,
    enabled: bool,
) -> Done<Operator> {
    let role = role.map(operator_role).transpose()?;
    let mut tx = node.store.write().await?;
    let mut row = row_named(node, &mut *tx, named).await?;
    if let Some(role) = role {
        row.role = role.as_str().to_owned();
    }
    row.enabled = enabled && row.enabled;
    let action = if enabled { "operator.role" } else { "operator.disable" };
    let subject = row.operator.to_string();
    record(node, &mut *tx, actor, action, &subject, &[("role", &row.role)]).await?;
    tx.update_operator(row.operator, &row.role, row.enabled).await?;
    let operator = open(node, &mut *tx, row).await?;
    tx.commit().await?;
    Ok(operator)
}

/// Who shows this token.
///
/// # Errors
/// `wrong_token`, the same for one that is unknown, malformed or disabled.
pub async fn authenticate(node: &Node, token: &str) -> Done<Operator> {
    let wrong = || {
        Fault::new(Whose::Unauthenticated, "wrong_token", "this operator token is not accepted")
            .hint("give the token file that the administrator made: --operator FILE")
    };
    let token: Token = token.trim().parse().map_err(|_| wrong())?;
    let row = node.store.read().await?.operator_by_token(&token.lookup().0).await?;
    let row = row.ok_or_else(wrong)?;
    let hash = row.token_hash.clone();
    let right = node.accounts.hashes.run(Lane::Known, move || token.verify(&hash)).await?;
    if !row.enabled || !right {
        return Err(wrong());
    }
    open(node, &mut *node.store.read().await?, row).await
}

async fn open(node: &Node, tx: &mut dyn Tx, row: OperatorRow) -> Done<Operator> {
    let name = node.open(&name_context(row.operator), &row.sealed_name)?;
    let organisations = tx.organisations().await?;
    let home = organisations
        .into_iter()
        .find(|home| home.organisation == row.organisation)
        .ok_or_else(|| Fault::ours("row_damaged", "operator without organisation"))?;
    let damaged = |_| Fault::ours("row_damaged", "role or class");
    Ok(Operator {
        id: row.operator,
        name: Secret::new(String::from_utf8_lossy(name.reveal()).into_owned()),
        role: row.role.parse().map_err(damaged)?,
        organisation: home.organisation,
        class: home.class.parse().map_err(damaged)?,
        organisation_name: home.name,
        enabled: row.enabled,
    })
}

fn operator_role(text: &str) -> Done<Role> {
    text.parse().map_err(|_| {
        Fault::usage("unknown_role", "this is no role of an operator")
            .hint("frontline, case_manager, secretariat, coordinator, auditor or administrator")
    })
}

fn checked_name(name: &str) -> Done<String> {
    let name = name.trim();
    let good = is_line(name, NAME_BYTES_MAX);
    good.then(|| name.to_owned()).ok_or_else(|| {
        let message = "a name has 1 to 200 bytes on one line, without invisible characters";
        Fault::usage("bad_name", message)
    })
}

/// Purpose of the keyed digest by which an operator is found.
pub(super) const NAME_INDEX: &str = "operator-name";

/// Context under which an operator's name is sealed.
pub(super) fn name_context(operator: OperatorId) -> String {
    format!("operator-name/{operator}")
}

fn taken(error: crate::store::StoreError, what: &str) -> Fault {
    match error {
        crate::store::StoreError::Exists(_) => {
            Fault::conflict("name_taken", format!("there is an {what} with this name"))
                .hint(format!("see `raccordo {what} list`; choose another name"))
        }
        other => other.into(),
    }
}
