//! Shares alerts: checked, permitted by role and pact, stored with the envelopes that carry
//! them, in one transaction. Durable here is `queued`; where the group may send already,
//! the same transaction encrypts.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::alert::{self, Alert, FieldError, Reason};
use raccordo_core::envelope::{Author, Body, Change, Envelope, Label, ObjectEvent, Share};
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, RecordId};
use raccordo_core::object::{self, Kind};
use raccordo_core::operator::Action;
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::pact::permits::ForbiddenBy;

use super::apply::{NewObject, object_row};
use super::audit::record;
use super::directory::Operator;
use super::fault::{Done, Fault};
use super::signals::Topic;
use super::work::Work;
use super::{Node, matching, pack};
use crate::store::object::ObjectRow;
use crate::store::outbox::EnvelopeRow;

/// Most alerts of one call.
pub const ALERTS_MAX: usize = 1_000;

/// What an operator asks to share.
#[derive(Clone, Debug)]
pub struct Order {
    /// Name of the équipe.
    pub equipe: String,
    /// The alerts, in order.
    pub alerts: Vec<Alert>,
    /// From the pact's purposes; the pact's first if none.
    pub purpose: Option<String>,
    /// Only check, and say who would receive.
    pub dry_run: bool,
}

/// One invalid field of one alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Place in the order, from 0.
    pub index: usize,
    /// What is wrong.
    pub error: FieldError,
}

/// What came of an order.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Row of each alert, and whether it had been shared before.
    pub objects: Vec<(ObjectRow, bool)>,
    /// Why nothing was stored.
    pub violations: Vec<Violation>,
    /// Who receives.
    pub recipients: Vec<NodeId>,
}

/// One alert that passed.
struct Ready {
    /// Its place in the order.
    index: usize,
    /// What it is about, of the own register.
    record: Option<RecordId>,
    object: ObjectId,
    /// The order names the object.
    named: bool,
    kind: Kind,
    share: Share,
}

/// Shares all alerts of an order, or none.
///
/// # Errors
/// `role_not_allowed`, `no_such_equipe`, `equipe_not_active`, `equipe_closed`, `too_many`,
/// `id_taken`.
pub async fn share(node: &Node, operator: &Operator, order: Order) -> Done<Shared> {
    share_about(node, operator, order, &BTreeMap::new()).await
}

/// Shares all alerts of an order, or none; some of them, by their place in the order, are
/// about records of the register. Which, nobody else learns.
///
/// # Errors
/// As [`share`]; `no_such_record`, `wrong_record`, `erased`.
pub async fn share_about(
    node: &Node,
    operator: &Operator,
    order: Order,
    records: &BTreeMap<usize, RecordId>,
) -> Done<Shared> {
    if order.alerts.is_empty() || order.alerts.len() > ALERTS_MAX {
        return Err(Fault::usage("too_many", "share 1 to 1000 alerts in one call"));
    }
    let lineage = find(node, &order.equipe).await?;
    let Some(mut work) = Work::begin(node, lineage).await? else { return Err(gone()) };
    // While the équipe goes over into another group, it waits here.
    let standing = Standing::parse(&work.row.state);
    let goes_over = standing == Some(Standing::Founding) && work.statement_version()? > 1;
    if !goes_over && !matches!(standing, Some(Standing::Active | Standing::Succeeding)) {
        let message = format!("the équipe is {} here", work.row.state);
        return Err(Fault::conflict("equipe_not_active", message).hint("see `raccordo doctor`"));
    }
    let now = node.clock.now();
    let pact = work.pact(node)?;
    let recipients = recipients(node, &mut work).await?;
    if recipients.is_empty() && work.statement()?.statement().unsuspended().count() < 2 {
        return Err(Fault::conflict("equipe_closed", "nobody else is in the équipe now")
            .hint("a suspended party returns with `raccordo equipe return`"));
    }
    let (mut ready, violations) = check(node, operator, &pact, &order, now)?;
    about(&mut work, operator, records, &mut ready).await?;
    if !violations.is_empty() || order.dry_run {
        return Ok(Shared { violations, recipients, objects: Vec::new() });
    }
    let known = known(node, &mut work, &ready).await?;
    let objects = store(node, operator, &mut work, ready, &known, now).await?;
    pack::pack_within(node, &mut work).await?;
    tracing::debug!(%lineage, step = "share_commits");
    work.commit().await?;
    tracing::debug!(%lineage, step = "shared");
    pack::wake(node, lineage);
    node.signals.wake(&Topic::Objects);
    Ok(Shared { objects, recipients, violations: Vec::new() })
}

/// The object under which an alert about a record is best shared: the one that names the
/// record to other nodes already, from a match. None where there is none.
///
/// # Errors
/// `no_such_equipe`, `no_such_record`, `role_not_allowed`, `wrong_record`, `erased`.
pub async fn named_before(
    node: &Node,
    operator: &Operator,
    equipe: &str,
    record: RecordId,
    kind: Kind,
) -> Done<Option<ObjectId>> {
    let lineage = find(node, equipe).await?;
    let mut tx = node.store.read().await?;
    matching::naming::check(&mut *tx, operator, record, kind).await?;
    matching::naming::reserved(&mut *tx, lineage, record).await
}

async fn find(node: &Node, equipe: &str) -> Done<LineageId> {
    let row = node.store.read().await?.equipe_named(equipe).await?;
    row.map(|row| row.lineage).ok_or_else(gone)
}

fn gone() -> Fault {
    Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
        .hint("see `raccordo equipe list`")
}

async fn recipients(node: &Node, work: &mut Work<'_>) -> Done<Vec<NodeId>> {
    let lineage = work.row.lineage;
    let members = work.tx()?.members(lineage).await?;
    let others = members.into_iter().map(|member| member.node);
    Ok(others.filter(|member| *member != node.identity.node).collect())
}

fn check(
    node: &Node,
    operator: &Operator,
    pact: &Pact,
    order: &Order,
    now: Instant,
) -> Done<(Vec<Ready>, Vec<Violation>)> {
    let mut ready = Vec::new();
    let mut violations = Vec::new();
    let mut ids = BTreeSet::new();
    for (index, alert) in order.alerts.iter().enumerate() {
        let checked = match alert::check(&node.lists, alert, now) {
            Ok(checked) => checked,
            Err(errors) => {
                violations.extend(errors.into_iter().map(|error| Violation { index, error }));
                continue;
            }
        };
        operator.must(Action::ShareAlert(checked.subject()))?;
        let label = label(pact, &checked, order.purpose.as_deref(), now)?;
        if let Err(forbidden) = alert::permit(pact, checked.alert(), &label, now) {
            violations.push(Violation { index, error: forbidden_field(&checked, &forbidden) });
            continue;
        }
        let named = checked.id().is_some();
        let object = checked.id().unwrap_or_else(|| ObjectId::random(&*node.entropy));
        if !ids.insert(object) {
            return Err(Fault::usage("id_repeated", "an id stands twice in one call"));
        }
        let kind = checked.kind();
        let alert = Alert { id: String::new(), ..checked.into_alert() };
        let share = Share { label, alert };
        ready.push(Ready { index, record: None, object, named, kind, share });
    }
    Ok((ready, violations))
}

fn label(
    pact: &Pact,
    checked: &alert::CheckedAlert,
    purpose: Option<&str>,
    now: Instant,
) -> Done<Label> {
    let purpose = match purpose {
        None => pact.terms().purposes.first().cloned().unwrap_or_default(),
        Some(named) if pact.terms().purposes.iter().any(|purpose| purpose == named) => {
            named.to_owned()
        }
        Some(_) => {
            return Err(Fault::refused("pact_forbids", "the pact names no such purpose")
                .hint("see `raccordo equipe show`"));
        }
    };
    let kind = checked.kind();
    let terms = pact.terms();
    let expires_at = checked.expires_at();
    Ok(Label {
        purpose,
        recipient_classes: terms.kind(kind).recipient_classes.to_vec(),
        expires_at: expires_at.unwrap_or_else(|| terms.default_expiry(kind, now)),
        onward_sharing: terms.onward_sharing,
    })
}

/// The field that a clause forbids, with what to do.
fn forbidden_field(checked: &alert::CheckedAlert, forbidden: &ForbiddenBy) -> FieldError {
    let declaration = checked.kind().declaration();
    let named = forbidden.value.as_deref().and_then(|name| checked.kind().field(name));
    let field = named.map_or_else(|| declaration.body.to_owned(), |f| declaration.path(f.name));
    let clause = &forbidden.clause;
    let message =
        format!("the pact does not allow this (clause {clause}): leave it out, or coarser");
    FieldError { field, reason: Reason::PactForbids, message }
}

/// Notes which records the alerts are about. A record that other nodes know already by an
/// object, from a match, is shared as that object.
async fn about(
    work: &mut Work<'_>,
    operator: &Operator,
    records: &BTreeMap<usize, RecordId>,
    ready: &mut [Ready],
) -> Done<()> {
    let lineage = work.row.lineage;
    let mut used = BTreeSet::new();
    for alert in ready {
        let Some(record) = records.get(&alert.index) else { continue };
        matching::naming::check(work.tx()?, operator, *record, alert.kind).await?;
        alert.record = Some(*record);
        if let Some(object) = matching::naming::reserved(work.tx()?, lineage, *record).await?
            && !alert.named
            && used.insert(object)
        {
            alert.object = object;
        }
    }
    Ok(())
}

/// Alerts of this order that were shared before.
async fn known(node: &Node, work: &mut Work<'_>, ready: &[Ready]) -> Done<Vec<ObjectRow>> {
    let ids: Vec<ObjectId> = ready.iter().map(|ready| ready.object).collect();
    let known = work.tx()?.objects_among(&ids).await?;
    let lineage = work.row.lineage;
    let foreign = |row: &ObjectRow| row.origin != node.identity.node || row.lineage != lineage;
    if known.iter().any(foreign) {
        return Err(Fault::conflict("id_taken", "an id belongs to another object")
            .hint("leave `id` out, and the node chooses one"));
    }
    Ok(known)
}

async fn store(
    node: &Node,
    operator: &Operator,
    work: &mut Work<'_>,
    ready: Vec<Ready>,
    known: &[ObjectRow],
    now: Instant,
) -> Done<Vec<(ObjectRow, bool)>> {
    let mut answer = Vec::new();
    let mut rows = Vec::new();
    let mut envelopes = Vec::new();
    let mut about = Vec::new();
    for Ready { object, kind, share, record, .. } in ready {
        if let Some(row) = known.iter().find(|row| row.object == object) {
            answer.push((row.clone(), true));
            continue;
        }
        let author = author(operator);
        let change = object::Change::Share {
            kind,
            subject: alert::subject(&share.alert),
            expires_at: share.label.expires_at,
        };
        let sender = node.identity.node.clone();
        let by = Some((operator.role, operator.class));
        let event = object::Event { sender: sender.clone(), author: by, version: 1, change };
        object::apply(None, &event, now)
            .map_err(|refusal| Fault::refused(refusal.reason(), refusal.to_string()))?;
        let body = Body::ObjectEvent(ObjectEvent {
            object,
            version: 1,
            change: Change::Share(share.clone()),
        });
        let envelope = envelope(node, work.row.lineage, author, now, body);
        let new = NewObject {
            object,
            kind,
            origin: sender,
            envelope: &envelope,
            share: &share,
            received_at: None,
        };
        let row = object_row(node, work.row.lineage, new)?;
        let told = rows_for(node, &envelope, Some(object))?.into_iter();
        envelopes.extend(told.map(|row| EnvelopeRow { record, ..row }));
        answer.push((row.clone(), false));
        rows.push(row);
        about.extend(record.map(|record| (object, record)));
    }
    let ids: Vec<String> = rows.iter().map(|row| row.object.to_string()).collect();
    let lineage = work.row.lineage.to_string();
    let tx = work.tx()?;
    if !ids.is_empty() {
        let detail = [("objects", ids.join(" "))];
        let detail = detail.each_ref().map(|(key, value)| (*key, value.as_str()));
        record(node, tx, operator.actor(), "alert.share", &lineage, &detail).await?;
    }
    tx.insert_objects(rows).await?;
    tx.queue_envelopes(envelopes).await?;
    for (object, record) in about {
        matching::naming::shared(node, work, object, record).await?;
    }
    Ok(answer)
}

/// The operator behind an envelope, by opaque id.
pub fn author(operator: &Operator) -> Author {
    Author {
        operator: operator.id,
        role: operator.role.as_str().to_owned(),
        organisation: operator.organisation,
        organisation_class: operator.class.as_str().to_owned(),
    }
}

/// A new envelope, not yet numbered.
pub fn envelope(
    node: &Node,
    lineage: LineageId,
    author: Author,
    said_at: Instant,
    body: Body,
) -> Envelope {
    let id = EnvelopeId::random(&*node.entropy);
    Envelope { id, lineage, number: 0, said_at, author: Some(author), body }
}

/// The rows that carry an envelope: one, or one for each part when it fits no pack.
///
/// # Errors
/// `alert_too_large` beyond 64 parts.
pub fn rows_for(
    node: &Node,
    envelope: &Envelope,
    object: Option<ObjectId>,
) -> Done<Vec<EnvelopeRow>> {
    let rows = pack::rows_for(node, envelope, object, true)?;
    rows.map_err(|cause| Fault::usage("alert_too_large", cause.to_string()))
}
