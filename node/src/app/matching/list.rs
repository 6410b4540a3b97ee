//! Shows matches to the people who answer for the records; what is handed out is in the audit
//! before ([`reading`]).

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::{LineageId, ObjectId, RecordId};
use raccordo_core::matching::event::Contact;
use raccordo_core::matching::life::MatchId;
use raccordo_core::object::Subject;
use raccordo_core::operator::{Action, Reach, may, reach};
use raccordo_core::register::subject_of;

use super::{contact, events, standing};
use crate::app::Node;
use crate::app::account::session::Use;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::reading::{self, Item, Reading};
use crate::app::register::meets;
use crate::store::Tx;
use crate::store::matching::MatchFilter;
pub use crate::store::matching::{MatchRow, MatchStage};
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
/// the position to go on from, none at the end. The page is in the audit.
///
/// # Errors
/// `role_not_allowed`, `no_such_equipe`.
pub async fn list(
    node: &Node,
    operator: &Operator,
    query: &Query,
) -> Done<(Vec<MatchView>, Option<u64>)> {
    let (views, next) = watched(node, operator, query).await?;
    let asked = vec![
        ("equipe", query.equipe.clone().unwrap_or_default()),
        ("state", query.state.clone().unwrap_or_default()),
    ];
    note(node, operator, "match.list", asked, &views, Use::Person).await?;
    Ok((views, next))
}

/// Puts matches that are handed out into the audit.
///
/// # Errors
/// The store's; then nothing may be shown.
async fn note(
    node: &Node,
    operator: &Operator,
    action: &'static str,
    asked: Vec<(&'static str, String)>,
    views: &[MatchView],
    used: Use,
) -> Done<()> {
    let subject = node.identity.node.as_str();
    let items = views.iter().map(item).collect();
    reading::note(node, operator, Reading { action, subject, asked, items, used }).await
}

fn item(view: &MatchView) -> Item {
    let version = u64::try_from(view.row.changed_at.0).unwrap_or_default();
    Item { id: view.row.id.to_string(), version }
}

/// Puts what a watcher is told of matches into the audit.
///
/// # Errors
/// The store's; then it may not be told.
pub async fn note_watched(node: &Node, operator: &Operator, views: &[MatchView]) -> Done<()> {
    note(node, operator, "match.watch", Vec::new(), views, Use::Person).await
}

/// As [`list`], for a watcher, who is told of what is new alone: that is noted by
/// [`note_watched`].
///
/// # Errors
/// As [`list`].
pub async fn watched(
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
    let (mut rows, mut after) = (Vec::new(), query.after);
    let next = loop {
        let page = tx.list_matches(after, PAGE).await?;
        let ended = page.len() < PAGE as usize;
        let records = records(&mut *tx, &page).await?;
        let fits = |row: &MatchRow| {
            lineage.is_none_or(|lineage| row.lineage == lineage)
                && query.state.as_ref().is_none_or(|state| row.state.starts_with(state.as_str()))
                && records.get(&row.record).is_some_and(|record| met(operator, record))
        };
        let free = (query.limit as usize).saturating_sub(rows.len());
        after = page.last().map_or(after, |row| row.position);
        rows.extend(page.into_iter().filter(fits).take(free));
        if rows.len() >= query.limit as usize {
            break rows.last().map(|row| row.position);
        }
        if ended {
            break None;
        }
    };
    Ok((views(node, &mut *tx, rows).await?, next))
}

/// Which to look at, the newest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// How far they are.
    pub stage: MatchStage,
    /// Only before this position.
    pub before: Option<u64>,
    /// At most so many, from 1.
    pub limit: u32,
    /// Whether a person asks, or a page that reads itself again.
    pub used: Use,
}

/// Matches of records that the operator meets, the newest first; the second value is the
/// position to go on from, none at the end. The page is in the audit.
///
/// # Errors
/// `role_not_allowed`.
pub async fn newest(
    node: &Node,
    operator: &Operator,
    look: Look,
) -> Done<(Vec<MatchView>, Option<u64>)> {
    let filter = filter(operator, Action::ReadMatch);
    if !filter.people && !filter.companies {
        operator.must(Action::ReadMatch(Subject::Person))?;
    }
    let Look { stage, before, limit, used } = look;
    let filter = MatchFilter { stage, before_position: before, limit, ..filter };
    let mut tx = node.store.read().await?;
    let rows = tx.newest_matches(&filter).await?;
    let more = rows.len() >= limit as usize;
    let next = rows.last().filter(|_| more).map(|row| row.position);
    let views = views(node, &mut *tx, rows).await?;
    drop(tx);
    let stage = match stage {
        MatchStage::Any => "",
        MatchStage::Undecided => "undecided",
        MatchStage::Unanswered => "unanswered",
    };
    let asked = vec![("stage", stage.to_owned())];
    note(node, operator, "match.list", asked, &views, used).await?;
    Ok((views, next))
}

/// Matches of which the operator may do this: role, class and organisation decide.
pub(super) fn filter(operator: &Operator, action: fn(Subject) -> Action) -> MatchFilter {
    let may = |subject| may(operator.role, operator.class, action(subject));
    let near = reach(operator.role) == Reach::Organisation;
    MatchFilter {
        organisation: near.then_some(operator.organisation),
        people: may(Subject::Person),
        companies: may(Subject::Company),
        ..MatchFilter::default()
    }
}

async fn records(tx: &mut dyn Tx, rows: &[MatchRow]) -> Done<BTreeMap<RecordId, RecordRow>> {
    let ids: BTreeSet<RecordId> = rows.iter().map(|row| row.record).collect();
    let ids: Vec<RecordId> = ids.into_iter().collect();
    let found = tx.records_among(&ids).await?;
    Ok(found.into_iter().map(|record| (record.record, record)).collect())
}

async fn named(tx: &mut dyn Tx, name: &str) -> Done<LineageId> {
    let row = tx.equipe_named(name).await?;
    row.map(|row| row.lineage).ok_or_else(|| {
        Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
            .hint("see `raccordo equipe list`")
    })
}

/// Shows one match, which is in the audit before.
///
/// # Errors
/// `no_such_match`, `role_not_allowed`.
pub async fn show(node: &Node, operator: &Operator, id: MatchId, used: Use) -> Done<MatchView> {
    let mut tx = node.store.read().await?;
    let row = tx.found_match(id).await?.ok_or_else(no_such_match)?;
    let record = tx.register_record(row.record).await?.ok_or_else(no_such_match)?;
    operator.must(Action::ReadMatch(subject_of(&record.subject)))?;
    if !met(operator, &record) {
        return Err(no_such_match());
    }
    let view = view(node, &mut *tx, row).await?;
    drop(tx);
    note(node, operator, "match.read", Vec::new(), std::slice::from_ref(&view), used).await?;
    Ok(view)
}

/// A row with what belongs to it.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn view(node: &Node, tx: &mut dyn Tx, row: MatchRow) -> Done<MatchView> {
    let views = views(node, tx, vec![row]).await?;
    views.into_iter().next().ok_or_else(no_such_match)
}

/// Rows with what belongs to them.
async fn views(node: &Node, tx: &mut dyn Tx, rows: Vec<MatchRow>) -> Done<Vec<MatchView>> {
    let records = records(tx, &rows).await?;
    let theirs: Vec<ObjectId> = rows.iter().map(|row| row.theirs).collect();
    let shared = tx.objects_among(&theirs).await?;
    let shared: BTreeSet<ObjectId> = shared.into_iter().map(|object| object.object).collect();
    let lineages: BTreeSet<LineageId> = rows.iter().map(|row| row.lineage).collect();
    let mut homes = BTreeMap::new();
    for lineage in lineages {
        let name = tx.equipe(lineage).await?.map(|equipe| equipe.name).unwrap_or_default();
        homes.insert(lineage, (name, events::waiting(node, tx, lineage).await?));
    }
    let view = |row: MatchRow| -> Done<MatchView> {
        let (equipe, waiting) = homes.get(&row.lineage).cloned().unwrap_or_default();
        let expected = standing::after(Some(standing::read(&row)?), row.id, &waiting);
        let coming = expected.map(|found| found.state.code());
        Ok(MatchView {
            equipe,
            kind: records.get(&row.record).map(|it| it.kind.clone()).unwrap_or_default(),
            coming: coming.filter(|coming| *coming != row.state),
            shared: shared.contains(&row.theirs),
            contact: contact::open(node, &row)?,
            row,
        })
    };
    rows.into_iter().map(view).collect()
}
