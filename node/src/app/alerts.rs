//! Reads alerts as an operator may see them; opening one tells its origin. What they say is
//! handed out only once the reading is in the audit ([`reading`]); what nobody is shown has no
//! more than a [`AlertHead`].

mod search;

use std::collections::BTreeSet;

use raccordo_core::alert;
use raccordo_core::envelope::{Author, Share};
use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::object::{Kind, Subject};
use raccordo_core::operator::{Action, may};

pub(super) use self::search::count_newest;
pub use self::search::{Said, Search, newest, said, said_by_all};
use super::account::session::Use;
use super::apply::{open_author, open_share};
use super::audit::record;
use super::delivery::{self, Delivery};
use super::directory::Operator;
use super::fault::{Done, Fault};
use super::gists::Gist;
use super::reading::{self, Item, Reading};
use super::{Node, pack};
use crate::store::Tx;
pub use crate::store::object::ObjectRow as AlertRow;
use crate::store::object::{ObjectFilter, ObjectRow};

/// Alerts opened at once: none of them is small by nature.
const STEP: u32 = 100;
/// An alert without what it says.
#[derive(Clone, Debug)]
pub struct AlertHead {
    /// Its row.
    pub row: ObjectRow,
    /// Name of the équipe.
    pub equipe: String,
    /// How far it has come.
    pub delivery: Delivery,
}

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

/// What becomes of an alert of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is handed out.
    Shown,
    /// It is left out.
    LeftOut,
    /// There is no room for it: it begins the next page.
    Full,
}

/// How alerts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// A page.
    Page,
    /// A batch of changes that a watcher is told of.
    Watch,
}

/// Lists alerts, oldest first; those that the operator may not read are left out. Each goes to
/// `place`, which hands it out only after this has returned: then the page is in the audit. The
/// answer is the position to go on from, none at the end.
///
/// # Errors
/// `role_not_allowed`, `no_such_equipe`.
pub async fn list(
    node: &Node,
    operator: &Operator,
    query: &Query,
    listing: Listing,
    mut place: impl FnMut(AlertView) -> Place + Send,
) -> Done<Option<u64>> {
    must_read_any(operator)?;
    let mut tx = node.store.read().await?;
    let equipe = tx.equipe_named(&query.equipe).await?.ok_or_else(no_such_equipe)?;
    let mut page = Page { room: query.limit, after: query.after, shown: Vec::new() };
    let next = loop {
        let limit = page.room.min(STEP);
        let filter = ObjectFilter {
            lineage: Some(equipe.lineage),
            origin: query.origin.clone(),
            state: query.state.clone(),
            after_position: page.after,
            limit,
        };
        let rows = tx.list_objects(&filter).await?;
        let more = rows.len() >= limit as usize;
        let last = rows.last().map(|row| row.position);
        let views = views(node, &mut *tx, operator, rows, &equipe.name).await?;
        if !page.fill(views, &mut place) {
            break Some(page.after);
        }
        page.after = last.unwrap_or(page.after);
        if !more || page.room == 0 {
            break last.filter(|_| more);
        }
    };
    drop(tx);
    let action = match listing {
        Listing::Page => "alert.list",
        Listing::Watch => "alert.watch",
    };
    let asked = vec![
        ("from", query.origin.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("state", query.state.clone().unwrap_or_default()),
    ];
    let subject = equipe.lineage.to_string();
    let reading =
        Reading { action, subject: &subject, asked, items: page.shown, used: Use::Person };
    reading::note(node, operator, reading).await?;
    Ok(next)
}

/// A page that is being filled.
struct Page {
    room: u32,
    /// Position of the newest alert that was looked at.
    after: u64,
    /// Bodies that are handed out.
    shown: Vec<Item>,
}

impl Page {
    /// Places alerts; false where one does not fit any more.
    fn fill(&mut self, views: Vec<AlertView>, place: &mut impl FnMut(AlertView) -> Place) -> bool {
        for view in views {
            let (position, item) = (view.row.position, item(&view));
            match place(view) {
                Place::Full => return false,
                Place::LeftOut => {}
                Place::Shown => {
                    self.room = self.room.saturating_sub(1);
                    self.shown.extend(item);
                }
            }
            self.after = position;
        }
        true
    }
}

/// As the audit names it; nothing of a tombstone, which says nothing.
fn item(view: &AlertView) -> Option<Item> {
    view.share.as_ref()?;
    Some(Item { id: view.row.object.to_string(), version: view.row.version })
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

/// Alerts that the operator may read, without what they say.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn heads(
    node: &Node,
    tx: &mut dyn Tx,
    operator: &Operator,
    rows: Vec<ObjectRow>,
    equipe: &str,
) -> Done<Vec<AlertHead>> {
    Ok(views(node, tx, operator, rows, equipe).await?.into_iter().map(AlertHead::from).collect())
}

impl From<AlertView> for AlertHead {
    fn from(view: AlertView) -> Self {
        let AlertView { row, equipe, delivery, .. } = view;
        Self { row, equipe, delivery }
    }
}

/// The newest state of one alert, without what it says.
///
/// # Errors
/// `no_such_alert`, `role_not_allowed`.
pub async fn head(node: &Node, operator: &Operator, id: ObjectId) -> Done<AlertHead> {
    one(node, operator, id).await.map(AlertHead::from)
}

async fn one(node: &Node, operator: &Operator, id: ObjectId) -> Done<AlertView> {
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
