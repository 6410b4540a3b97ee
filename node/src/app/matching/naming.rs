//! Which own objects are about which records. Nothing of it leaves this node.

use raccordo_core::id::{LineageId, ObjectId, RecordId};
use raccordo_core::object::Kind;
use raccordo_core::operator::Action;
use raccordo_core::register::{RecordKind, subject_of};

use crate::app::Node;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::register::{ERASED, meets, no_such_record};
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::matching::RecordObjectRow;

use super::{pairs, tags, wanted};

/// Passes if the operator may share an alert of this kind about this record.
///
/// # Errors
/// `no_such_record`, `role_not_allowed`, `wrong_record`, `erased`.
pub async fn check(tx: &mut dyn Tx, operator: &Operator, record: RecordId, kind: Kind) -> Done<()> {
    let row = tx.register_record(record).await?.ok_or_else(no_such_record)?;
    let reading = Action::ReadRecord(subject_of(&row.subject));
    operator.must(reading)?;
    if !meets(operator, &row, |_| reading) {
        return Err(no_such_record());
    }
    if row.state == ERASED {
        return Err(erased());
    }
    let fits = match RecordKind::parse(&row.kind) {
        Some(RecordKind::Person) => kind == Kind::Case,
        Some(RecordKind::Company) => kind == Kind::Company,
        None => false,
    };
    if fits {
        return Ok(());
    }
    let message = format!("an alert of kind {} is not about a {}", kind.as_str(), row.kind);
    Err(Fault::usage("wrong_record", message)
        .hint("a case alert is about a person, a company alert about a company"))
}

fn erased() -> Fault {
    Fault::conflict("erased", "this record was erased")
}

/// The object that names a record to other nodes before it is shared, if there is one: sharing
/// the record under it lets a match go on.
///
/// # Errors
/// The store's.
pub async fn reserved(
    tx: &mut dyn Tx,
    lineage: LineageId,
    record: RecordId,
) -> Done<Option<ObjectId>> {
    let rows = tx.objects_of_record(record).await?;
    let free = rows.into_iter().find(|row| row.lineage == lineage && !row.shared);
    Ok(free.map(|row| row.object))
}

/// The object that names a record to another node: a shared one, or a random one that only
/// matches know.
///
/// # Errors
/// The store's.
pub(super) async fn named(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    record: RecordId,
) -> Done<ObjectId> {
    let rows = tx.objects_of_record(record).await?;
    let here = || rows.iter().filter(|row| row.lineage == lineage);
    if let Some(row) = here().find(|row| row.shared).or_else(|| here().next()) {
        return Ok(row.object);
    }
    let object = ObjectId::random(&*node.entropy);
    tx.put_record_object(RecordObjectRow { object, lineage, record, shared: false }).await?;
    Ok(object)
}

/// Notes that an own object is about a record, and shows its tags where there are tokens.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn shared(
    node: &Node,
    work: &mut Work<'_>,
    object: ObjectId,
    record: RecordId,
) -> Done<()> {
    let (lineage, tx) = (work.row.lineage, work.tx()?);
    // Asked after the hold: nobody erases it before this transaction ends.
    tx.hold_register().await?;
    if tx.register_record(record).await?.is_none_or(|row| row.state == ERASED) {
        return Err(erased());
    }
    tx.put_record_object(RecordObjectRow { object, lineage, record, shared: true }).await?;
    let tokens = super::tokens::kept(node, work.tx()?, lineage, record).await?;
    if tokens.is_empty() {
        return wanted::want_in(node, work.tx()?, lineage, &[record]).await;
    }
    let pairs = pairs::ready(node, work).await?;
    tags::publish(node, work, record, &[object], (&tokens, &pairs)).await
}
