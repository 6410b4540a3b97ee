//! Shows matches to the people who answer for the records.

use raccordo_core::id::LineageId;
use raccordo_core::matching::event::Contact;
use raccordo_core::matching::life::MatchId;
use raccordo_core::object::Subject;
use raccordo_core::operator::{Action, may};
use raccordo_core::register::subject_of;

use super::{contact, standing};
use crate::app::Node;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::register::meets;
use crate::store::Tx;
use crate::store::matching::MatchRow;
use crate::store::register::RecordRow;

/// Rows that one step of a list reads.
const PAGE: u32 = 500;

/// A match as operators see it.
#[derive(Clone, Debug)]
pub struct MatchView {
    /// Its row.
    pub row: MatchRow,
    /// Name of the équipe.
    pub equipe: String,
    /// `person` or `company`.
    pub kind: String,
    /// What this node has said of it, and the log has not shown yet, would bring it here.
    pub coming: Option<&'static str>,
    /// Whether the counterpart's object was shared; else it only names a record there.
    pub shared: bool,
    /// Who the other manager is; none unless linked.
    pub contact: Option<Contact>,
}

/// Which to list.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only of this équipe.
    pub equipe: Option<String>,
    /// Only in this state; of `confirmed`, `denied` and `unlinked` those of both sides.
    pub state: Option<String>,
    /// Only after this position.
    pub after: u64,
    /// At most so many, from 1.
    pub limit: u32,
}

/// No such match, or none that this operator may see.
pub(super) fn no_such_match() -> Fault {
    Fault::not_found("no_such_match", "there is no such match here")
        .hint("see `raccordo match list`")
}

fn met(operator: &Operator, record: &RecordRow) -> bool {
    meets(operator, record, |row| Action::ReadMatch(subject_of(&row.subject)))
}

/// Matches of records that the operator meets, in the order of finding; the second value is
/// the position to go on from, none at the end.
///
/// # Errors
/// `role_not_allowed`, `no_such_equipe`.
pub async fn list(
    node: &Node,
    operator: &Operator,
    query: &Query,
) -> Done<(Vec<MatchView>, Option<u64>)> {
    if !may(operator.role, operator.class, Action::ReadMatch(Subject::Company)) {
        operator.must(Action::ReadMatch(Subject::Person))?;
    }
    let mut tx = node.store.read().await?;
    let lineage = match &query.equipe {
        Some(name) => Some(named(&mut *tx, name).await?),
        None => None,
    };
    let (mut views, mut after) = (Vec::new(), query.after);
    loop {
        let rows = tx.list_matches(after, PAGE).await?;
        let ended = rows.len() < PAGE as usize;
        for row in rows {
            after = row.position;
            let fits = lineage.is_none_or(|lineage| row.lineage == lineage)
                && query.state.as_ref().is_none_or(|state| row.state.starts_with(state.as_str()));
            let record = tx.register_record(row.record).await?.filter(|_| fits);
            if record.is_some_and(|record| met(operator, &record)) {
                views.push(view(node, &mut *tx, row).await?);
            }
            if views.len() >= query.limit as usize {
                return Ok((views, Some(after)));
            }
        }
        if ended {
            return Ok((views, None));
        }
    }
}

async fn named(tx: &mut dyn Tx, name: &str) -> Done<LineageId> {
    let row = tx.equipe_named(name).await?;
    row.map(|row| row.lineage).ok_or_else(|| {
        Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
            .hint("see `raccordo equipe list`")
    })
}

/// Shows one match.
///
/// # Errors
/// `no_such_match`, `role_not_allowed`.
pub async fn show(node: &Node, operator: &Operator, id: MatchId) -> Done<MatchView> {
    let mut tx = node.store.read().await?;
    let row = tx.found_match(id).await?.ok_or_else(no_such_match)?;
    let record = tx.register_record(row.record).await?.ok_or_else(no_such_match)?;
    operator.must(Action::ReadMatch(subject_of(&record.subject)))?;
    if !met(operator, &record) {
        return Err(no_such_match());
    }
    view(node, &mut *tx, row).await
}

/// A row with what belongs to it.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn view(node: &Node, tx: &mut dyn Tx, row: MatchRow) -> Done<MatchView> {
    let equipe = tx.equipe(row.lineage).await?.map(|equipe| equipe.name).unwrap_or_default();
    let kind = tx.register_record(row.record).await?.map(|record| record.kind);
    let expected = standing::expected(node, tx, row.lineage, row.id).await?;
    let coming = expected.map(|found| found.state.code());
    Ok(MatchView {
        equipe,
        kind: kind.unwrap_or_default(),
        coming: coming.filter(|coming| *coming != row.state),
        shared: tx.object(row.theirs).await?.is_some(),
        contact: contact::open(node, &row)?,
        row,
    })
}
