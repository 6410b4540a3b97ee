//! What a node of a bench shows: its rows, and what its operator sees.

use raccordo_core::alert::{Alert, example};
use raccordo_core::id::{ObjectId, Sequence};
use raccordo_core::object::Kind;
use raccordo_node::app::Node;
use raccordo_node::app::alerts::{self, AlertHead, AlertView, Listing, Place, Query};
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::app::fault::Done;
use raccordo_node::app::share::{Order, Shared, share};
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::outbox::{EntryRow, EntryState};

use super::ADMIN;

/// A new operator who may do everything that operators may.
pub async fn employ(node: &Node) -> Operator {
    directory::add_organisation(node, ADMIN, "PUA", "access_point").await.unwrap();
    let added = directory::add_operator(node, ADMIN, "Anna", "PUA", "coordinator").await;
    added.unwrap().0
}

/// The équipe at a node, if it knows one.
pub async fn known(node: &Node) -> Done<Option<EquipeRow>> {
    Ok(node.store.read().await?.equipes().await?.into_iter().next())
}

/// The équipe at a member.
pub async fn row(node: &Node) -> EquipeRow {
    known(node).await.unwrap().unwrap()
}

/// A member's entries in a state.
pub async fn entries(node: &Node, state: EntryState) -> Vec<EntryRow> {
    let lineage = row(node).await.lineage;
    node.store.read().await.unwrap().entries_in(lineage, state, 10_000).await.unwrap()
}

/// Codes of the alarms at a member.
pub async fn alarms(node: &Node) -> Vec<String> {
    let lineage = row(node).await.lineage;
    let alarms = node.store.read().await.unwrap().alarms(lineage).await.unwrap();
    alarms.into_iter().map(|alarm| alarm.code.to_string()).collect()
}

/// What a member has set aside: place and reason.
pub async fn set_aside(node: &Node) -> Vec<(Sequence, String)> {
    let lineage = row(node).await.lineage;
    let mut tx = node.store.read().await.unwrap();
    let rows = tx.set_aside_after(lineage, Sequence(0)).await.unwrap();
    rows.into_iter().map(|row| (row.sequence, row.reason)).collect()
}

/// Nothing waits, is broken or was set aside at a member.
pub async fn assert_settled(node: &Node) {
    let (name, lineage) = (&node.identity.node, row(node).await.lineage);
    assert_eq!(alarms(node).await, Vec::<String>::new(), "{name}");
    assert_eq!(set_aside(node).await, Vec::new(), "{name}");
    let mut tx = node.store.read().await.unwrap();
    assert_eq!(tx.unaccepted_envelopes(lineage).await.unwrap(), 0, "{name}");
}

/// Two members stand at one place and agree on everything.
pub fn assert_same(one: &EquipeRow, other: &EquipeRow, name: &str) {
    assert_eq!((one.sequence, one.head), (other.sequence, other.head), "{name}");
    assert_eq!(one.epoch, other.epoch, "{name}");
    assert_eq!(one.authenticator, other.authenticator, "{name}");
    assert_eq!(one.statement, other.statement, "{name}");
}

/// Synthetic alerts, each with an id of its own, so that sharing can be repeated.
pub fn samples(node: &Node, kind: Kind, count: usize) -> Vec<Alert> {
    let made = example(kind, count, &*node.entropy, node.clock.now(), &node.lists);
    let with_id = |alert| Alert { id: ObjectId::random(&*node.entropy).to_string(), ..alert };
    made.into_iter().map(with_id).collect()
}

/// An operator shares alerts.
pub async fn share_all(
    node: &Node,
    operator: &Operator,
    equipe: &str,
    alerts: Vec<Alert>,
) -> Done<Shared> {
    let order = Order { equipe: equipe.into(), alerts, purpose: None, dry_run: false };
    share(node, operator, order).await
}

/// Ids of what was shared without an objection.
pub fn ids(shared: Shared) -> Vec<ObjectId> {
    assert_eq!(shared.violations, Vec::new());
    shared.objects.into_iter().map(|(row, _)| row.object).collect()
}

/// Everything that an operator sees of an équipe, in order.
pub async fn listed(node: &Node, operator: &Operator, equipe: &str) -> Vec<AlertView> {
    let mut all = Vec::new();
    let mut after = Some(0);
    while let Some(position) = after {
        let query =
            Query { equipe: equipe.into(), after: position, limit: 100, ..Query::default() };
        let shown = |view| {
            all.push(view);
            Place::Shown
        };
        after = alerts::list(node, operator, &query, Listing::Page, shown).await.unwrap();
    }
    all
}

/// One alert without what it says.
pub async fn head(node: &Node, operator: &Operator, object: ObjectId) -> AlertHead {
    alerts::head(node, operator, object).await.unwrap()
}
