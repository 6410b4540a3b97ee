//! Who the managers of a linked match are: told once both have confirmed, and to each other
//! alone.

use std::collections::BTreeSet;

use raccordo_core::id::{LineageId, NodeId, OperatorId};
use raccordo_core::matching::event::{CONTACT_BYTES_MAX, Contact, Event, Told};
use raccordo_core::matching::life::{MatchId, Side};
use raccordo_core::secret::Secret;
use raccordo_core::text::is_line;

use super::{events, standing};
use crate::app::audit::{Actor, record};
use crate::app::directory;
use crate::app::fault::{Done, Fault};
use crate::app::register::ERASED;
use crate::app::{Node, pack};
use crate::store::Tx;
use crate::store::matching::MatchRow;

/// Matches that are read at once.
const PAGE: u32 = 500;

/// Context under which the counterpart's manager is sealed.
pub(in crate::app) fn context(id: MatchId) -> String {
    format!("match-contact/{id}")
}

/// Context under which an operator's phone is sealed.
pub(in crate::app) fn phone_context(operator: OperatorId) -> String {
    format!("operator-phone/{operator}")
}

/// Keeps an operator's phone at work; an empty one forgets it. The counterparts of matches that
/// are linked are told who answers for them now.
///
/// # Errors
/// `no_such_operator`, `bad_phone`.
pub async fn set_phone(node: &Node, actor: Actor, named: &str, phone: &str) -> Done<OperatorId> {
    let phone = phone.trim();
    if !phone.is_empty() && !is_line(phone, CONTACT_BYTES_MAX) {
        return Err(Fault::usage("bad_phone", "a phone has up to 200 bytes on one line"));
    }
    let index = node.vault.index(directory::NAME_INDEX, named.as_bytes()).to_vec();
    let mut tx = node.store.write().await?;
    let rows = tx.operators().await?;
    let found = rows
        .into_iter()
        .find(|row| row.name_index == index || row.operator.to_string() == named)
        .ok_or_else(|| {
            Fault::not_found("no_such_operator", "there is no such operator here")
                .hint("see `raccordo operator list`")
        })?;
    let id = found.operator;
    let sealed = match phone {
        "" => None,
        phone => Some(node.seal(&phone_context(id), phone.as_bytes())?),
    };
    record(node, &mut *tx, actor, "operator.phone", &id.to_string(), &[]).await?;
    let before = told(node, &mut *tx).await?;
    tx.put_operator_phone(id, sealed).await?;
    let mut woken = BTreeSet::new();
    for (row, contact) in told(node, &mut *tx).await? {
        let known = before.iter().any(|(other, told)| other.id == row.id && *told == contact);
        if contact.is_some() && !known {
            send(node, &mut *tx, &row).await?;
            woken.insert(row.lineage);
        }
    }
    tx.commit().await?;
    woken.into_iter().for_each(|lineage| pack::wake(node, lineage));
    Ok(id)
}

/// The matches that are linked, each with who answers for it here.
async fn told(node: &Node, tx: &mut dyn Tx) -> Done<Vec<(MatchRow, Option<Contact>)>> {
    let (mut told, mut after) = (Vec::new(), 0);
    loop {
        let rows = tx.list_matches(after, PAGE).await?;
        let ended = rows.len() < PAGE as usize;
        for row in rows {
            after = row.position;
            if standing::read(&row)?.shows_contacts() {
                let contact = own(node, tx, &row, row.decided_by).await?;
                told.push((row, contact));
            }
        }
        if ended {
            return Ok(told);
        }
    }
}

/// Who is told to the counterpart, once linked: the manager of the record's newest case, or
/// who has decided, whoever has a phone. None without one.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn own(
    node: &Node,
    tx: &mut dyn Tx,
    row: &MatchRow,
    decider: Option<OperatorId>,
) -> Done<Option<Contact>> {
    let cases = tx.cases_of(row.record).await?;
    let manager = cases.iter().rev().find(|case| case.state != ERASED).map(|case| case.manager);
    for operator in [manager, decider].into_iter().flatten() {
        if let Some(contact) = of(node, tx, operator).await? {
            return Ok(Some(contact));
        }
    }
    Ok(None)
}

async fn of(node: &Node, tx: &mut dyn Tx, operator: OperatorId) -> Done<Option<Contact>> {
    let Some(sealed) = tx.operator_phone(operator).await? else { return Ok(None) };
    let phone = node.open(&phone_context(operator), &sealed)?;
    let rows = tx.operators().await?;
    let Some(row) = rows.into_iter().find(|row| row.operator == operator && row.enabled) else {
        return Ok(None);
    };
    let name = node.open(&directory::name_context(operator), &row.sealed_name)?;
    let organisations = tx.organisations().await?;
    let home = organisations.into_iter().find(|home| home.organisation == row.organisation);
    let text = |bytes: &[u8]| Secret::new(String::from_utf8_lossy(bytes).into_owned());
    Ok(Some(Contact {
        name: text(name.reveal()),
        organisation: Secret::new(home.map(|home| home.name).unwrap_or_default()),
        work_phone: text(phone.reveal()),
    }))
}

/// Tells the counterpart of a match that is linked who answers for it here.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn send(node: &Node, tx: &mut dyn Tx, row: &MatchRow) -> Done<()> {
    let Some(contact) = own(node, tx, row, row.decided_by).await? else {
        tracing::warn!(id = %row.id, "a linked match has no manager with a phone here");
        return Ok(());
    };
    let subject = row.id.to_string();
    let detail = [("to", row.counterpart.as_str())];
    record(node, tx, Actor::Node, "match.contact", &subject, &detail).await?;
    let event = Event { about: row.id, told: Told::Contact(contact) };
    events::say(node, tx, row.lineage, &row.counterpart, event, None).await?;
    Ok(())
}

/// Tells a counterpart again who answers for what is linked with it.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn send_again(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    peer: &NodeId,
) -> Done<()> {
    for (row, contact) in told(node, tx).await? {
        if row.lineage == lineage && row.counterpart == *peer && contact.is_some() {
            send(node, tx, &row).await?;
        }
    }
    Ok(())
}

/// Keeps who the counterpart's manager is, where the match is linked.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn take(
    node: &Node,
    tx: &mut dyn Tx,
    known: Option<MatchRow>,
    side: Side,
    told: &Contact,
) -> Done<()> {
    let Some(mut row) = known.filter(|_| side == Side::There) else { return Ok(()) };
    if !standing::read(&row)?.shows_contacts() {
        return Ok(());
    }
    let event = Event { about: row.id, told: Told::Contact(told.clone()) };
    let bytes = event.encode().map_err(|cause| Fault::ours("not_sealed", cause))?;
    row.sealed_contact = node.seal(&context(row.id), bytes.reveal())?;
    row.changed_at = node.clock.now();
    Ok(tx.update_match(&row).await?)
}

/// Who the counterpart's manager is, as it was kept.
///
/// # Errors
/// A wrong node key, or a damaged row.
pub(super) fn open(node: &Node, row: &MatchRow) -> Done<Option<Contact>> {
    if row.sealed_contact.is_empty() {
        return Ok(None);
    }
    let bytes = node.open(&context(row.id), &row.sealed_contact)?;
    match Event::decode(bytes.reveal()).map(|event| event.told) {
        Ok(Told::Contact(contact)) => Ok(Some(contact)),
        _ => Err(Fault::ours("row_damaged", "the contact of a match")),
    }
}
