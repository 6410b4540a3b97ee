//! Alerts, matches and records of the audit, written straight into a node's database: shared
//! one by one they would take longer than anybody waits.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use raccordo_core::alert::{Alert, Body, example};
use raccordo_core::envelope::{self, Author, Envelope, Label, Share};
use raccordo_core::id::{Digest, EnvelopeId, LineageId, NodeId, ObjectId, RecordId, Sequence};
use raccordo_core::matching::life::MatchId;
use raccordo_core::object::Kind;
use raccordo_core::operator::Class;
use raccordo_core::time::Instant;
use raccordo_node::app::Node;
use raccordo_node::app::apply::{NewObject, end, object_row};
use raccordo_node::app::audit;
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::home::Home;
use raccordo_node::run;
use raccordo_node::store::matching::MatchRow;
use raccordo_node::store::object::ObjectRow;
use raccordo_node::store::register::RecordRow;

/// Rows of one transaction.
const BATCH: usize = 2_000;
/// Matches, each of a record of its own.
const MATCHES: usize = 1_000;
/// Records of the operator's in the audit.
const AUDITED: usize = 2_000;
/// One in so many alerts is withdrawn, is a company's, is an own one.
const WITHDRAWN: usize = 500;
const COMPANIES: usize = 8;
const OWN: usize = 3;

/// What can be opened.
pub(crate) struct Filled {
    /// A received alert.
    pub(crate) alert: String,
    /// A match of the operator's organisation.
    pub(crate) found: String,
}

/// Fills the database of a node that does not run.
///
/// # Errors
/// The node does not start in this process, or its store fails.
pub(crate) async fn fill(home: Home, peer: &NodeId, alerts: usize) -> anyhow::Result<Filled> {
    let running = run::start(home, None).await?;
    let filled = filled(&running.node, peer, alerts).await;
    ensure!(running.stop().await, "the node does not stop");
    filled
}

async fn filled(node: &Node, peer: &NodeId, alerts: usize) -> anyhow::Result<Filled> {
    let lineage = node.store.read().await?.equipes().await?.first().context("no équipe")?.lineage;
    let operator = directory::operators(node).await?.into_iter().next().context("no operator")?;
    let mut opened = None;
    let mut done = 0;
    while done < alerts {
        let count = BATCH.min(alerts - done);
        let mut rows = Vec::with_capacity(count);
        let cases = examples(node, Kind::Case, count);
        let companies = examples(node, Kind::Company, count);
        for (at, (case, company)) in (done..).zip(cases.into_iter().zip(companies)) {
            let (kind, alert) =
                if at % COMPANIES == 0 { (Kind::Company, company) } else { (Kind::Case, case) };
            let origin = if at % OWN == 0 { &node.identity.node } else { peer };
            let mut row = made(node, lineage, origin, kind, alert)?;
            if at % WITHDRAWN == 1 {
                end(node, &mut row, raccordo_core::object::State::Withdrawn, 2, "resolved");
            }
            if row.received_at.is_some() && row.state == "active" {
                opened = Some(row.object);
            }
            rows.push(row);
        }
        let mut tx = node.store.write().await?;
        tx.insert_objects(rows).await?;
        tx.commit().await?;
        done += count;
    }
    let found = matches(node, lineage, peer, &operator).await?;
    audited(node, &operator).await?;
    let alert = opened.context("no alert")?.to_string();
    Ok(Filled { alert, found: found.to_string() })
}

fn examples(node: &Node, kind: Kind, count: usize) -> Vec<Alert> {
    example(kind, count, &*node.entropy, node.clock.now(), &node.lists)
}

fn made(
    node: &Node,
    lineage: LineageId,
    origin: &NodeId,
    kind: Kind,
    alert: Alert,
) -> anyhow::Result<ObjectRow> {
    let now = node.clock.now();
    let share = Share {
        label: Label {
            purpose: "protection".to_owned(),
            recipient_classes: Class::ALL.iter().map(|class| class.as_str().to_owned()).collect(),
            expires_at: Instant(now.0 + 300 * 24 * 3_600_000),
            onward_sharing: false,
        },
        alert: Alert { id: String::new(), ..alert },
    };
    ensure!(matches!(share.alert.body, Some(Body::CaseAlert(_) | Body::CompanyAlert(_))));
    let object = ObjectId::random(&*node.entropy);
    let said = Envelope {
        id: EnvelopeId::random(&*node.entropy),
        lineage,
        number: 0,
        said_at: now.minus(Duration::from_secs(60)),
        author: None::<Author>,
        body: envelope::Body::ReadReceipt(Vec::new()),
    };
    let received_at = (*origin != node.identity.node).then_some(now);
    let new = NewObject {
        object,
        kind,
        origin: origin.clone(),
        envelope: &said,
        share: &share,
        received_at,
    };
    let row = object_row(node, lineage, new)?;
    Ok(ObjectRow { sequence: Sequence(1), ..row })
}

/// Half of them wait for a decision; the newest is returned.
async fn matches(
    node: &Node,
    lineage: LineageId,
    peer: &NodeId,
    operator: &Operator,
) -> anyhow::Result<MatchId> {
    let now = node.clock.now();
    let mut newest = None;
    let mut tx = node.store.write().await?;
    for number in 0..MATCHES {
        let record = RecordId::random(&*node.entropy);
        tx.insert_records(vec![RecordRow {
            record,
            position: 0,
            kind: "person".to_owned(),
            subject: "person".to_owned(),
            organisation: operator.organisation,
            state: "active".to_owned(),
            key_number: 1,
            wrapped_key: Vec::new(),
            sealed_codes: Vec::new(),
            added_at: now,
            changed_at: now,
        }])
        .await?;
        let id = MatchId(Digest::of(record.as_bytes()));
        let state = if number % 2 == 0 { "candidate" } else { "confirmed_here" };
        tx.insert_match(MatchRow {
            id,
            position: 0,
            lineage,
            counterpart: peer.clone(),
            record,
            ours: ObjectId::random(&*node.entropy),
            theirs: ObjectId::random(&*node.entropy),
            state: state.to_owned(),
            grade: "B".to_owned(),
            claimed: "B".to_owned(),
            seen: true,
            families: "name_birth phone".to_owned(),
            reasons: "phone:120 name:98".to_owned(),
            strength: 62,
            said_here: String::new(),
            said_there: String::new(),
            decided_by: None,
            sealed_contact: Vec::new(),
            found_at: now,
            changed_at: now,
        })
        .await?;
        newest = Some(id);
    }
    tx.commit().await?;
    newest.context("no match")
}

async fn audited(node: &Node, operator: &Operator) -> anyhow::Result<()> {
    let mut tx = node.store.write().await?;
    for _ in 0..AUDITED {
        let subject = ObjectId::random(&*node.entropy).to_string();
        audit::record(node, &mut *tx, operator.actor(), "alert.read", &subject, &[]).await?;
    }
    Ok(tx.commit().await?)
}
