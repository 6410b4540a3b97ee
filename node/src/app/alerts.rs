//! Reads alerts as an operator may see them; opening one tells its origin.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::alert;
use raccordo_core::codes::Lang;
use raccordo_core::envelope::{Author, Share};
use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::object::{Form, Kind, State, Subject};
use raccordo_core::operator::{Action, may};
use serde_json::Value;

use super::apply::{open_author, open_share};
use super::audit::record;
use super::delivery::{self, Delivery};
use super::directory::Operator;
use super::fault::{Done, Fault};
use super::{Node, pack};
use crate::store::Tx;
use crate::store::object::{NewestFilter, ObjectFilter, ObjectRow};

/// Alerts that one search for words looks at, at most; the rest is another page.
const LOOKED_MAX: usize = 2_000;
/// Alerts that are read in one step where many are.
const BODIES_PAGE: u32 = 500;

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
    let fields = Kind::ALL.into_iter().flat_map(|kind| kind.declaration().fields);
    for field in fields {
        let (Form::Code(lists) | Form::Codes(lists, _)) = field.form else { continue };
        let lists = lists.iter().filter_map(|name| node.lists.list(name));
        let found = lists.flat_map(|list| list.search(word, lang, usize::MAX));
        said.entry(field.name).or_default().extend(found.map(|code| code.code.clone()));
    }
    said
}

fn says(share: Option<&Share>, said: &Said) -> bool {
    let body = share.and_then(|share| serde_json::to_value(&share.alert).ok()).unwrap_or_default();
    let mut bodies = Kind::ALL.iter().filter_map(|kind| body.get(kind.declaration().body));
    bodies.any(|body| {
        said.iter().any(|(field, codes)| match body.get(*field) {
            Some(Value::String(code)) => codes.contains(code),
            Some(Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).any(|code| codes.contains(code))
            }
            _ => false,
        })
    })
}

/// The newest alerts; those that the operator may not read are left out. The second value is
/// the position to go on from, none at the end.
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
    let mut filter = NewestFilter {
        lineage,
        origin: search.origin.clone(),
        state: search.state.clone(),
        kind: search.kind.map(|kind| kind.as_str().to_owned()),
        before_position: search.before,
        limit: search.limit,
    };
    let (mut views, mut looked) = (Vec::new(), 0_usize);
    // Without words one step is all; with words a page must come, however rare they are.
    let next = loop {
        let rows = tx.newest_objects(&filter).await?;
        let more = rows.len() >= search.limit as usize;
        looked = looked.saturating_add(rows.len());
        let next = rows.last().filter(|_| more).map(|row| row.position);
        filter.before_position = next;
        let mut some = self::views(node, &mut *tx, operator, rows, "").await?;
        some.retain(|view| search.says.iter().all(|said| says(view.share.as_ref(), said)));
        views.extend(some);
        let enough = views.len() >= search.limit as usize || looked >= LOOKED_MAX;
        if next.is_none() || enough || search.says.is_empty() {
            break next;
        }
    };
    for view in &mut views {
        let home = equipes.iter().find(|row| row.lineage == view.row.lineage);
        view.equipe = home.map(|row| row.name.clone()).unwrap_or_default();
    }
    Ok((views, next))
}

/// The newest active alerts that the operator may read, at most so many, for counting; the
/// second value tells whether older ones were left out.
///
/// # Errors
/// `role_not_allowed`.
pub async fn bodies(
    node: &Node,
    operator: &Operator,
    most: usize,
) -> Done<(Vec<(ObjectRow, Share)>, bool)> {
    must_read_any(operator)?;
    let mut tx = node.store.read().await?;
    let state = Some(State::Active.as_str().to_owned());
    let mut filter = NewestFilter { state, limit: BODIES_PAGE, ..NewestFilter::default() };
    let mut found = Vec::new();
    loop {
        let rows = tx.newest_objects(&filter).await?;
        let more = rows.len() >= BODIES_PAGE as usize;
        filter.before_position = rows.last().map(|row| row.position);
        for row in rows {
            let share = open_share(node, &row)?;
            if readable(node, operator, &row, share.as_ref())
                && let Some(share) = share
            {
                found.push((row, share));
            }
        }
        if !more || found.len() >= most {
            found.truncate(most);
            return Ok((found, more));
        }
    }
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

async fn views(
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
    let action = Action::ReadAlert(subject(row, share));
    let received = row.origin != node.identity.node;
    let class = operator.class.as_str();
    let labelled = share.is_none_or(|share| {
        share.label.recipient_classes.iter().any(|recipient| recipient == class)
    });
    may(operator.role, operator.class, action) && (!received || labelled)
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
