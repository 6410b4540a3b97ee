//! Telling people by e-mail that there is something new: never what, and only who asked for it.

use std::time::Duration;

use raccordo_core::account::{EmailNotice, Marks, email_notice};
use raccordo_core::id::OperatorId;
use raccordo_core::object::Subject;
use raccordo_core::operator::Action;
use raccordo_core::secret::Secret;

use crate::app::Node;
use crate::app::audit::record;
use crate::app::directory::{self, Operator};
use crate::app::fault::{Done, Fault};
use crate::store::Tx;
use crate::store::email_notice::EmailNoticeRow;
use crate::store::object::ObjectFilter;

/// The longest address, in bytes (RFC 5321 §4.5.3.1.3).
const ADDRESS_BYTES_MAX: usize = 254;
/// Rows read at once when looking for what is new.
const PAGE: u32 = 200;

/// Context under which an operator's address is sealed.
pub(crate) fn address_context(operator: OperatorId) -> String {
    format!("email-notice-address/{operator}")
}

/// Where an operator is told; `None` if it did not ask for it.
///
/// # Errors
/// The store's.
pub async fn address(node: &Node, operator: &Operator) -> Done<Option<Secret<String>>> {
    let mut tx = node.store.read().await?;
    let Some(row) = tx.email_notice(operator.id).await? else { return Ok(None) };
    Ok(Some(opened(node, &row)?))
}

/// Has an operator told at an address from now on; an empty one ends it.
///
/// # Errors
/// `bad_address`.
pub async fn choose(node: &Node, operator: &Operator, address: &str) -> Done<()> {
    let address = address.trim();
    if !address.is_empty() && !is_address(address) {
        return Err(Fault::usage("bad_address", "this is no e-mail address"));
    }
    let mut tx = node.store.write().await?;
    let subject = operator.id.to_string();
    let wish = if address.is_empty() { "off" } else { "on" };
    record(node, &mut *tx, operator.actor(), "account.email_notice", &subject, &[("wish", wish)])
        .await?;
    if address.is_empty() {
        tx.delete_email_notice(operator.id).await?;
    } else {
        let sealed_address = node.seal(&address_context(operator.id), address.as_bytes())?;
        let (known, _) = look(node, &mut *tx, Marks::default()).await?;
        let told_at = node.clock.now();
        tx.put_email_notice(EmailNoticeRow {
            operator: operator.id,
            sealed_address,
            known,
            told_at,
        })
        .await?;
    }
    Ok(tx.commit().await?)
}

/// Somebody to be told.
#[derive(Debug)]
pub struct Due {
    /// Where.
    pub address: Secret<String>,
    row: EmailNoticeRow,
}

/// Who is to be told now, at most one notice within `every` each.
///
/// # Errors
/// The store's.
pub async fn due(node: &Node, every: Duration) -> Done<Vec<Due>> {
    let now = node.clock.now();
    let (mut due, mut moved) = (Vec::new(), Vec::new());
    let mut tx = node.store.read().await?;
    for row in tx.email_notices().await? {
        let operator = directory::operator_of(node, &mut *tx, row.operator).await?;
        if !operator.is_some_and(|operator| operator.enabled && may_read(&operator)) {
            continue;
        }
        let (marks, is_new) = look(node, &mut *tx, row.known).await?;
        let seen_at = tx.seen_at(row.operator).await?;
        let what = email_notice(is_new, row.told_at, seen_at, every, now);
        let has_moved = marks != row.known;
        let row = EmailNoticeRow { known: marks, ..row };
        match what {
            EmailNotice::Tell => due.push(Due { address: opened(node, &row)?, row }),
            EmailNotice::None if has_moved => moved.push(row),
            EmailNotice::None | EmailNotice::Wait => {}
        }
    }
    drop(tx);
    for row in moved {
        keep(node, row).await?;
    }
    Ok(due)
}

/// Notes that somebody was told: after the mail server has taken it, so that a crash between
/// tells twice, and never not at all.
///
/// # Errors
/// The store's.
pub async fn told(node: &Node, due: Due) -> Done<()> {
    keep(node, EmailNoticeRow { told_at: node.clock.now(), ..due.row }).await
}

/// Moves the marks, unless the wish has changed meanwhile.
async fn keep(node: &Node, row: EmailNoticeRow) -> Done<()> {
    let mut tx = node.store.write().await?;
    let now = tx.email_notice(row.operator).await?;
    if now.is_some_and(|now| now.sealed_address == row.sealed_address) {
        tx.put_email_notice(row).await?;
    }
    Ok(tx.commit().await?)
}

/// Looks at what came after the marks: up to where there is something, and whether something
/// of it is another node's.
async fn look(node: &Node, tx: &mut dyn Tx, known: Marks) -> Done<(Marks, bool)> {
    let Marks { mut objects, mut matches } = known;
    let mut is_new = false;
    loop {
        let after_position = objects;
        let filter = ObjectFilter { after_position, limit: PAGE, ..Default::default() };
        let rows = tx.list_objects(&filter).await?;
        is_new |= rows.iter().any(|row| row.origin != node.identity.node);
        let Some(last) = rows.last() else { break };
        objects = last.position;
    }
    loop {
        let rows = tx.list_matches(matches, PAGE).await?;
        let Some(last) = rows.last() else { break };
        (matches, is_new) = (last.position, true);
    }
    Ok((Marks { objects, matches }, is_new))
}

fn may_read(operator: &Operator) -> bool {
    let subjects = [Subject::Person, Subject::Company];
    subjects.into_iter().any(|subject| operator.must(Action::ReadAlert(subject)).is_ok())
}

fn opened(node: &Node, row: &EmailNoticeRow) -> Done<Secret<String>> {
    let bytes = node.open(&address_context(row.operator), &row.sealed_address)?;
    let text = String::from_utf8(bytes.reveal().clone());
    text.map(Secret::new).map_err(|_| Fault::ours("row_damaged", "notice"))
}

/// Whether a text may be an address: the mail server knows better.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= ADDRESS_BYTES_MAX
        && parts.is_some_and(|(person, place)| {
            !person.is_empty() && !place.is_empty() && !place.contains('@')
        })
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,;:()\"\\".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check = |text: &str, is: bool| assert_eq!(is_address(text), is, "{text}");
        check("anna@example.org", true);
        check("a.n+n-a@mail.example.org", true);
        check("anna", false);
        check("@example.org", false);
        check("anna@", false);
        check("anna@a@b", false);
        check("anna@example.org\r\nBcc: x@y", false);
        check("Anna <anna@example.org>", false);
        check("anna@example.org,other@example.org", false);
        check(&format!("{}@example.org", "a".repeat(250)), false);
    }
}
