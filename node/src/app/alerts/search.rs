//! The newest alerts, and those that say something: for people, and for counting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use raccordo_core::codes::Lang;
use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::object::{Form, Kind, State};

use super::{AlertView, item, may_see, must_read_any, no_such_equipe, views};
use crate::app::Node;
use crate::app::account::session::Use;
use crate::app::directory::Operator;
use crate::app::fault::Done;
use crate::app::gists::{self, Gist};
use crate::app::reading::{self, Reading};
use crate::store::Tx;
use crate::store::object::{NewestFilter, ObjectRow};

/// Codes of one field that a record of the audit names.
const CODES_NAMED: usize = 20;

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
    /// Whether a person asks, or a page that reads itself again.
    pub used: Use,
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
/// ones alone, of the newest [`LOOK_MAX`](gists::LOOK_MAX) before the position. The
/// second value is the position to go on from, none at the end. The page is in the audit.
///
/// # Errors
/// `role_not_allowed`, `no_such_equipe`.
pub async fn newest(
    node: &Node,
    operator: &Operator,
    search: &Search,
) -> Done<(Vec<AlertView>, Option<u64>)> {
    let found = found(node, operator, search).await?;
    let asked = vec![
        ("equipe", search.equipe.clone().unwrap_or_default()),
        ("from", search.origin.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("state", search.state.clone().unwrap_or_default()),
        ("kind", search.kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default()),
        ("codes", search.says.iter().map(codes).collect::<Vec<_>>().join(" & ")),
    ];
    let reading = Reading {
        action: "alert.list",
        subject: node.identity.node.as_str(),
        asked,
        items: found.0.iter().filter_map(item).collect(),
        used: search.used,
    };
    reading::note(node, operator, reading).await?;
    Ok(found)
}

/// How many of the newest alerts fit, up to the limit, and whether there are more; nobody is
/// shown any.
///
/// # Errors
/// As [`newest`].
pub(in crate::app) async fn count_newest(
    node: &Node,
    operator: &Operator,
    search: &Search,
) -> Done<(usize, bool)> {
    let (views, next) = found(node, operator, search).await?;
    Ok((views.len(), next.is_some()))
}

/// What a word was taken for, never the word itself: it may be a name.
fn codes(said: &Said) -> String {
    let fields = said.iter().map(|(field, codes)| {
        let some: Vec<&str> = codes.iter().take(CODES_NAMED).map(String::as_str).collect();
        let rest = codes.len().saturating_sub(CODES_NAMED);
        let more = if rest > 0 { format!("+{rest}") } else { String::new() };
        format!("{field}:{}{more}", some.join(","))
    });
    let fields: Vec<String> = fields.collect();
    if fields.is_empty() { "none".to_owned() } else { fields.join(" ") }
}

async fn found(
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
