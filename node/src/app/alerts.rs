//! Reads alerts as an operator may see them; opening one tells its origin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use raccordo_core::alert;
use raccordo_core::codes::Lang;
use raccordo_core::envelope::{Author, Share};
use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::object::{Form, Kind, State, Subject};
use raccordo_core::operator::{Action, may};

use super::apply::{open_author, open_share};
use super::audit::record;
use super::delivery::{self, Delivery};
use super::directory::Operator;
use super::fault::{Done, Fault};
use super::gists::{self, Gist};
use super::{Node, pack};
use crate::store::Tx;
use crate::store::object::{NewestFilter, ObjectFilter, ObjectRow};

/// An alert as this node holds it.
#[derive(Clone, Debug)]
pub struct AlertView {
    /// Its row.
    pub row: ObjectRow,
    /// Name of the équipe.
    pub equipe: String,
    /// Label and body; none once it has ended.
    pub share: Option<Share>,
    /// Who shared it.
    pub author: Option<Author>,
    /// How far it has come.
    pub delivery: Delivery,
}

/// Which alerts to list.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Name of the équipe.
    pub equipe: String,
    /// Only from this origin.
    pub origin: Option<NodeId>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only after this position.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
}

/// Lists alerts, oldest first; those that the operator may not read are left out. The
/// second value is the position to go on from, none at the end.
///
/// # Errors
/// `role_not_allowed`, `no_such_equipe`.
pub async fn list(
    node: &Node,
    operator: &Operator,
    query: &Query,
) -> Done<(Vec<AlertView>, Option<u64>)> {
    must_read_any(operator)?;
    let mut tx = node.store.read().await?;
    let equipe = tx.equipe_named(&query.equipe).await?.ok_or_else(no_such_equipe)?;
    let filter = ObjectFilter {
        lineage: Some(equipe.lineage),
        origin: query.origin.clone(),
        state: query.state.clone(),
        after_position: query.after,
        limit: query.limit,
    };
    let rows = tx.list_objects(&filter).await?;
    let more = rows.len() >= query.limit as usize;
    let next = rows.last().filter(|_| more).map(|row| row.position);
    let views = views(node, &mut *tx, operator, rows, &equipe.name).await?;
    Ok((views, next))
}

/// Which alerts to look at, the newest first, of every équipe.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Only of the équipe of this name.
    pub equipe: Option<String>,
    /// Only from this origin.
    pub origin: Option<NodeId>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those that say something of each of these.
    pub says: Vec<Said>,
    /// Only those of other nodes.
    pub received: bool,
    /// Only after this position.
    pub after: u64,
    /// Only before this position.
    pub before: Option<u64>,
    /// At most so many are found.
    pub limit: u32,
}

/// Codes by the field that may say them.
pub type Said = BTreeMap<&'static str, BTreeSet<String>>;

/// What each word of a text may mean: codes whose code, label or search words fit. Words of
/// one or two letters say nothing, unless there are no others.
pub fn said(node: &Node, lang: Lang, text: &str) -> Vec<Said> {
    let long: Vec<&str> = text.split_whitespace().filter(|word| word.len() > 2).collect();
    let words = if long.is_empty() { text.split_whitespace().collect() } else { long };
    words.into_iter().map(|word| meant(node, lang, word)).collect()
}

fn meant(node: &Node, lang: Lang, word: &str) -> Said {
    let mut said = Said::new();
    // Several fields take their codes from one list.
    let mut searched: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let fields = Kind::ALL.into_iter().flat_map(|kind| kind.declaration().fields);
    for field in fields {
        let (Form::Code(lists) | Form::Codes(lists, _)) = field.form else { continue };
        for list in lists.iter().filter_map(|name| node.lists.list(name)) {
            let found = searched.entry(&list.name).or_insert_with(|| {
                let found = list.search(word, lang, usize::MAX).into_iter();
                found.map(|code| code.code.clone()).collect()
            });
            if !found.is_empty() {
                said.entry(field.name).or_default().extend(found.iter().cloned());
            }
        }
    }
    said
}

fn says(gist: &Gist, said: &Said) -> bool {
    said.iter().any(|(field, codes)| gist.said(field).iter().any(|code| codes.contains(code)))
}

/// The newest alerts; those that the operator may not read are left out. With words, active
/// ones alone, of the newest [`LOOK_MAX`](super::gists::LOOK_MAX) before the position. The
/// second value is the position to go on from, none at the end.
///
/// # Errors
/// `role_not_allowed`, `no_such_equipe`.
pub async fn newest(
    node: &Node,
    operator: &Operator,
    search: &Search,
) -> Done<(Vec<AlertView>, Option<u64>)> {
    must_read_any(operator)?;
    let mut tx = node.store.read().await?;
    let equipes = tx.equipes().await?;
    let lineage = match &search.equipe {
        None => None,
        Some(name) => {
            let named = equipes.iter().find(|row| row.name == *name);
            Some(named.map(|row| row.lineage).ok_or_else(no_such_equipe)?)
        }
    };
    let filter = NewestFilter {
        lineage,
        origin: search.origin.clone(),
        not_origin: search.received.then(|| node.identity.node.clone()),
        state: search.state.clone(),
        kind: search.kind.map(|kind| kind.as_str().to_owned()),
        after_position: search.after,
        before_position: search.before,
        limit: search.limit,
    };
    let (rows, next) = if search.says.is_empty() {
        let rows = tx.newest_objects(&filter).await?;
        let more = rows.len() >= search.limit as usize;
        let next = rows.last().filter(|_| more).map(|row| row.position);
        (rows, next)
    } else {
        sought(node, &mut *tx, operator, filter, &search.says).await?
    };
    let mut views = views(node, &mut *tx, operator, rows, "").await?;
    for view in &mut views {
        let home = equipes.iter().find(|row| row.lineage == view.row.lineage);
        view.equipe = home.map(|row| row.name.clone()).unwrap_or_default();
    }
    Ok((views, next))
}

/// Active alerts that say all of this, however rare they are; what has ended says nothing.
async fn sought(
    node: &Node,
    tx: &mut dyn Tx,
    operator: &Operator,
    filter: NewestFilter,
    said: &[Said],
) -> Done<(Vec<ObjectRow>, Option<u64>)> {
    if filter.state.as_deref().is_some_and(|state| state != State::Active.as_str()) {
        return Ok((Vec::new(), None));
    }
    let limit = filter.limit as usize;
    let all = NewestFilter { limit: gists::LOOK_MAX, ..filter };
    let (gists, older) = gists::newest(node, tx, &all).await?;
    let fits = |gist: &&Arc<Gist>| {
        may_see(node, operator, gist) && said.iter().all(|said| says(gist, said))
    };
    let found: Vec<&Arc<Gist>> = gists.iter().filter(fits).take(limit).collect();
    let full = found.len() >= limit;
    let next = found.last().filter(|_| full).map(|gist| gist.position).or(older);
    let ids: Vec<ObjectId> = found.iter().map(|gist| gist.object).collect();
    let mut rows = tx.objects_among(&ids).await?;
    rows.reverse();
    Ok((rows, next))
}

/// What the newest active alerts say that the operator may read, for counting; the second
/// value tells whether older ones were left out.
///
/// # Errors
/// `role_not_allowed`.
pub async fn said_by_all(node: &Node, operator: &Operator) -> Done<(Vec<Arc<Gist>>, bool)> {
    must_read_any(operator)?;
    let mut tx = node.store.read().await?;
    let filter = NewestFilter { limit: gists::LOOK_MAX, ..NewestFilter::default() };
    let (mut gists, older) = gists::newest(node, &mut *tx, &filter).await?;
    gists.retain(|gist| may_see(node, operator, gist));
    Ok((gists, older.is_some()))
}

/// Names of the équipes, and of the nodes that share in them, to choose from.
///
/// # Errors
/// The store's.
pub async fn places(node: &Node) -> Done<(Vec<String>, BTreeSet<NodeId>)> {
    let mut tx = node.store.read().await?;
    let (mut names, mut nodes) = (Vec::new(), BTreeSet::new());
    for equipe in tx.equipes().await? {
        nodes.extend(tx.members(equipe.lineage).await?.into_iter().map(|member| member.node));
        names.push(equipe.name);
    }
    Ok((names, nodes))
}

/// Whether the operator may read alerts about anybody.
pub(super) fn may_read_any(operator: &Operator) -> bool {
    must_read_any(operator).is_ok()
}

/// Passes if the operator may read alerts about anybody.
fn must_read_any(operator: &Operator) -> Done<()> {
    let sees_any = [Subject::Person, Subject::Company]
        .into_iter()
        .any(|subject| may(operator.role, operator.class, Action::ReadAlert(subject)));
    if sees_any { Ok(()) } else { operator.must(Action::ReadAlert(Subject::Company)) }
}

fn no_such_equipe() -> Fault {
    Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
        .hint("see `raccordo equipe list`")
}

pub(super) async fn views(
    node: &Node,
    tx: &mut dyn Tx,
    operator: &Operator,
    rows: Vec<ObjectRow>,
    equipe: &str,
) -> Done<Vec<AlertView>> {
    let deliveries = delivery::of(node, tx, &rows).await?;
    let mut views = Vec::with_capacity(rows.len());
    for (row, delivery) in rows.into_iter().zip(deliveries) {
        let share = open_share(node, &row)?;
        if !readable(node, operator, &row, share.as_ref()) {
            continue;
        }
        let author = open_author(node, &row)?;
        views.push(AlertView { row, equipe: equipe.to_owned(), share, author, delivery });
    }
    Ok(views)
}

/// Role and class allow it, and where it was received its label names the class: what the
/// pact does not allow is shown by none (DESIGN §8).
fn readable(node: &Node, operator: &Operator, row: &ObjectRow, share: Option<&Share>) -> bool {
    let classes = share.map(|share| share.label.recipient_classes.as_slice());
    allowed(node, operator, &row.origin, subject(row, share), classes)
}

fn may_see(node: &Node, operator: &Operator, gist: &Gist) -> bool {
    allowed(node, operator, &gist.origin, gist.subject, Some(&gist.classes))
}

fn allowed(
    node: &Node,
    operator: &Operator,
    origin: &NodeId,
    subject: Subject,
    classes: Option<&[String]>,
) -> bool {
    let received = *origin != node.identity.node;
    let class = operator.class.as_str();
    let labelled = classes.is_none_or(|classes| classes.iter().any(|recipient| recipient == class));
    may(operator.role, operator.class, Action::ReadAlert(subject)) && (!received || labelled)
}

/// Of whom an object speaks; a tombstone counts as what its kind usually is.
fn subject(row: &ObjectRow, share: Option<&Share>) -> Subject {
    match share {
        Some(share) => alert::subject(&share.alert),
        None if row.kind == Kind::Company.as_str() => Subject::Company,
        None => Subject::Person,
    }
}

/// The newest state of one alert, without counting as reading.
///
/// # Errors
/// `no_such_alert`, `role_not_allowed`.
pub async fn one(node: &Node, operator: &Operator, id: ObjectId) -> Done<AlertView> {
    let mut tx = node.store.read().await?;
    let row = tx.object(id).await?.ok_or_else(no_such_alert)?;
    let equipe = tx.equipe(row.lineage).await?.map(|row| row.name).unwrap_or_default();
    let subject = subject(&row, open_share(node, &row)?.as_ref());
    operator.must(Action::ReadAlert(subject))?;
    // One whose label leaves the operator's class out is not there for the operator.
    let views = views(node, &mut *tx, operator, vec![row], &equipe).await?;
    views.into_iter().next().ok_or_else(no_such_alert)
}

/// Opens one alert: audited, and its origin is told that it was read.
///
/// # Errors
/// `no_such_alert`, `role_not_allowed`.
pub async fn open(node: &Node, operator: &Operator, id: ObjectId) -> Done<AlertView> {
    let view = one(node, operator, id).await?;
    let lineage = view.row.lineage;
    let mut tx = node.store.write().await?;
    record(node, &mut *tx, operator.actor(), "alert.read", &id.to_string(), &[]).await?;
    let received = view.row.origin != node.identity.node;
    if received {
        tx.note_read(lineage, id).await?;
    }
    tx.commit().await?;
    if received {
        pack::wake(node, lineage);
    }
    Ok(view)
}

/// No such alert, or none that this operator may see.
pub(super) fn no_such_alert() -> Fault {
    Fault::not_found("no_such_alert", "there is no such alert here")
        .hint("see `raccordo alert list --equipe NAME`")
}
