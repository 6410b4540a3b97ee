//! Makes the link by which an operator activates an account, or sets a new password.

use raccordo_core::account::{Invitation, LINK_LIFE};
use raccordo_core::secret::Secret;

use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::directory::{self, Operator};
use crate::app::fault::{Done, Fault};
use crate::store::account::InvitationRow;

/// Makes a link in place of an earlier one; what stands in it is in the answer and nowhere
/// else. An account that there is stays usable until the link is used.
///
/// # Errors
/// `no_such_operator`, `operator_disabled`.
pub async fn invite(node: &Node, actor: Actor, named: &str) -> Done<(Operator, Secret<String>)> {
    let link = Invitation::random(&*node.entropy);
    let mut tx = node.store.write().await?;
    let operator = directory::operator_named(node, &mut *tx, named).await?;
    if !operator.enabled {
        return Err(Fault::conflict("operator_disabled", "this operator is disabled")
            .hint("add the operator again under another name: `raccordo operator add`"));
    }
    let subject = operator.id.to_string();
    record(node, &mut *tx, actor, "operator.invite", &subject, &[]).await?;
    let expires_at = node.clock.now().plus(LINK_LIFE);
    let row = InvitationRow { operator: operator.id, digest: link.digest(), expires_at };
    tx.put_invitation(row).await?;
    tx.commit().await?;
    Ok((operator, link.text()))
}
