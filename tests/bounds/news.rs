//! What a hub tells and answers: decoded as the courier decodes it, and taken as the courier takes
//! it. A hub that says what cannot be is not believed; this node's disk is not blamed for it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use prost::Message as _;
use raccordo_core::hublog::WelcomeItem;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId};
use raccordo_core::wire;
use raccordo_core::wire::hub::{Appended, Batch, Mail, News};
use raccordo_core::wire::seed::{Seed, Seeded};
use raccordo_node::app::fault::Whose;
use raccordo_node::app::hub::key_package_pool::{Claimed, Deposit};
use raccordo_node::app::hub::read_log::{LogAfter, read_log};
use raccordo_node::app::mail::Offer;
use raccordo_node::app::send::AppendCall;
use raccordo_node::courier::link::{Answered, Cursors, HubLink, LinkError};
use raccordo_node::courier::{Trouble, inbox, outbox};
use raccordo_node::store::hub::LogRow;
use raccordo_node::store::node::MailRow;
use raccordo_proto::hub::v1 as proto;
use raccordo_tests::sim::task::ready;

use crate::fields;
use crate::stage::{SPENT, Stage};

const PACKAGE: &str = "raccordo.hub.v1.";

/// Takes all of it at one member, which may end up held; the fields that were bent.
pub fn take_all(stage: &mut Stage) -> BTreeSet<String> {
    let mut bent = BTreeSet::new();
    stage.share_unread(SPENT);
    let batch = unread(stage);
    bent.extend(answers(stage));
    let welcome = wire::hub::encode_welcome(&welcome(stage, &batch));
    let mut news = vec![News::Mail(mail(&welcome))];
    for one in fields::bent(&format!("{PACKAGE}WelcomeItem"), &welcome) {
        news.push(News::Mail(mail(&one.bytes)));
        bent.insert(one.field);
    }
    for whole in [News::Mail(mail(&welcome)), News::Entries(batch.clone())] {
        let message = wire::hub::news_message(whole).encode_to_vec();
        for one in fields::bent(&format!("{PACKAGE}SubscribeResponse"), &message) {
            let message = proto::SubscribeResponse::decode(&*one.bytes).unwrap();
            // What cannot be read ends the subscription, and is read anew.
            news.extend(wire::hub::news(message));
            bent.insert(one.field);
        }
    }
    // The mailbox's cursor goes last: what is bent there hides what comes after.
    news.sort_by_key(|item| matches!(item, News::Mail(mail) if mail.sequence > 1 << 20));
    for item in &news {
        take(stage, item);
    }
    take(stage, &News::Entries(batch));
    bent
}

fn take(stage: &mut Stage, item: &News) {
    let (node, hub) = (stage.node(SPENT), stage.name_of_hub());
    let link = stage.world.link(SPENT).unwrap();
    let taken = ready(inbox::take(&node, &link, &hub, item)).unwrap();
    if let Err(Trouble::Here(fault)) = taken {
        let ours = matches!(fault.whose, Whose::Ours | Whose::Unavailable);
        assert!(!ours, "{item:?}: {fault:?}");
    }
}

/// What the member has not read yet.
fn unread(stage: &Stage) -> Batch {
    let row = stage.equipe(SPENT);
    let (hub, name) = (stage.hub(), stage.name(SPENT));
    match ready(read_log(&hub, &name, row.group, row.sequence)).unwrap().unwrap() {
        LogAfter::Batch(rows, checkpoint) => {
            let entries = rows.into_iter().map(LogRow::entry).collect();
            Batch { group: row.group, entries, checkpoint }
        }
        other => panic!("nothing is unread: {other:?}"),
    }
}

fn mail(payload: &[u8]) -> Mail {
    let sender = "relay".parse().unwrap();
    Mail { sequence: 1 << 20, sender, kind: "welcome".to_owned(), payload: payload.to_vec() }
}

fn welcome(stage: &Stage, batch: &Batch) -> WelcomeItem {
    let row = stage.equipe(SPENT);
    WelcomeItem {
        group: row.group,
        lineage: row.lineage,
        epoch: row.epoch,
        sequence: row.sequence,
        checkpoint: batch.checkpoint.clone(),
        welcome: vec![1; 40],
        accepted_at: row.accepted_at,
        earlier: Vec::new(),
    }
}

/// Answers to calls.
fn answers(stage: &mut Stage) -> BTreeSet<String> {
    let mut bent = BTreeSet::new();
    let placed =
        proto::appended::Outcome::Placed(proto::Placed { sequence: 1, digest: vec![2; 32] });
    let appended = |entry: &[u8]| proto::AppendResponse {
        outcomes: vec![proto::Appended { entry_id: entry.to_vec(), outcome: Some(placed.clone()) }],
        checkpoint: None,
    };
    let entry = stage.pending_entry(SPENT);
    for one in fields::bent(&format!("{PACKAGE}AppendResponse"), &appended(&entry).encode_to_vec())
    {
        let message = proto::AppendResponse::decode(&*one.bytes).unwrap();
        let answer = wire::hub::appended(message).ok();
        let link = Answering(answer);
        let (node, lineage) = (stage.node(SPENT), stage.lineage());
        if let Err(Trouble::Here(fault)) = ready(outbox::step(&node, &link, lineage)).unwrap() {
            let ours = matches!(fault.whose, Whose::Ours | Whose::Unavailable);
            assert!(!ours, "{} = {}: {fault:?}", one.field, one.number);
        }
        bent.insert(one.field);
    }
    let given =
        proto::ClaimedKeyPackage { party: "umbria".into(), key_package: vec![1], expires_at_ms: 1 };
    let claimed =
        proto::ClaimKeyPackagesResponse { key_packages: vec![given], missing: Vec::new() };
    for one in fields::bent(&format!("{PACKAGE}ClaimKeyPackagesResponse"), &claimed.encode_to_vec())
    {
        let message = proto::ClaimKeyPackagesResponse::decode(&*one.bytes).unwrap();
        let expiry = wire::hub::expiry(message.key_packages[0].expires_at_ms);
        assert!(
            expiry.is_err()
                || expiry.is_ok_and(|at| raccordo_core::number::instant(at.0).is_some())
        );
        bent.insert(one.field);
    }
    let seeded = proto::SeedGroupResponse { state: "copying".into(), sequence: 1 };
    for one in fields::bent(&format!("{PACKAGE}SeedGroupResponse"), &seeded.encode_to_vec()) {
        let message = proto::SeedGroupResponse::decode(&*one.bytes).unwrap();
        let fits = raccordo_core::number::bounded(message.sequence).is_some();
        assert_eq!(wire::seed::seeded(&message).is_ok(), fits, "{}", one.number);
        bent.insert(one.field);
    }
    // Read by nobody: the owner asks what it has by itself.
    let single = proto::DepositKeyPackagesResponse { single_use: 1 }.encode_to_vec();
    let single = fields::bent(&format!("{PACKAGE}DepositKeyPackagesResponse"), &single);
    bent.extend(single.into_iter().map(|one| one.field));
    bent
}

/// A hub that answers an append so.
struct Answering(Option<Appended>);

fn no_answer<T>() -> Answered<T> {
    Err(LinkError::bad_answer("bent"))
}

#[async_trait]
impl HubLink for Answering {
    async fn append(&self, call: &AppendCall) -> Answered<Appended> {
        let mut appended = self.0.clone().map_or_else(no_answer, Ok)?;
        let ids = call.entries.iter().map(|handed| handed.entry);
        for ((id, _), entry) in appended.outcomes.iter_mut().zip(ids) {
            *id = entry;
        }
        Ok(appended)
    }

    async fn confirm(&self, _: &Cursors) -> Answered<()> {
        no_answer()
    }

    async fn offer(&self, _: &Offer) -> Answered<String> {
        no_answer()
    }

    async fn found_group(&self, _: LineageId, _: GroupId, _: &[u8]) -> Answered<()> {
        no_answer()
    }

    async fn deposit(&self, _: &[Deposit]) -> Answered<()> {
        no_answer()
    }

    async fn claim(&self, _: LineageId, _: u16, _: &[NodeId]) -> Answered<Claimed> {
        no_answer()
    }

    async fn fetch_tree(&self, _: GroupId, _: Option<Epoch>) -> Answered<Vec<u8>> {
        no_answer()
    }

    async fn seed(&self, _: Seed) -> Answered<Seeded> {
        no_answer()
    }

    async fn post(&self, _: &MailRow) -> Answered<()> {
        no_answer()
    }
}
