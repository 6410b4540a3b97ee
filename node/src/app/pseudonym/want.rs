//! Records of which an équipe is to have tokens.

use raccordo_core::id::{LineageId, RecordId};
use raccordo_core::pseudonym::key::Class;
use raccordo_core::time::Instant;

use super::ask::records_of;
use crate::app::Node;
use crate::app::fault::Done;
use crate::store::Tx;
use crate::store::token_request::WantedRow;

/// Wants tokens of a record, also where it has some: `at` is when it was last changed, and the
/// newest is served first. The caller wakes the équipe's sender after its commit.
///
/// # Errors
/// The store's.
pub async fn want_tokens(
    tx: &mut dyn Tx,
    lineage: LineageId,
    record: RecordId,
    classes: &[Class],
    at: Instant,
) -> Done<()> {
    let state = || "wanted".to_owned();
    let row = |class: &Class| WantedRow { lineage, class: *class, record, state: state(), at };
    let rows: Vec<WantedRow> = classes.iter().map(row).collect();
    tx.want_tokens(&rows).await?;
    Ok(tx.hasten_key_duty(lineage).await?)
}

/// Forgets a record that is erased, in all équipes. Requests that ask for it alone end; of
/// others its values go with its key.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn forget_tokens(node: &Node, tx: &mut dyn Tx, record: RecordId) -> Done<()> {
    tx.forget_wanted_tokens(record).await?;
    for equipe in tx.equipes().await? {
        for class in Class::ALL {
            for request in tx.token_requests(equipe.lineage, class).await? {
                if records_of(node, &request)?.iter().all(|of| *of == record) {
                    tx.delete_token_request(equipe.lineage, request.request).await?;
                }
            }
        }
    }
    Ok(())
}
