//! Every quota of the table is driven to its bound, and what the table says happens at it.
//!
//! The list below names each quota once: one without a test does not compile.

mod calls;
mod key_packages;
mod letters;
mod log;
mod mail;
mod members;
mod offers;

use std::fmt::Debug;

use raccordo_core::id::NodeId;
use raccordo_core::quota::{Pace, Quota};
use raccordo_core::trust::state::TrustChange;
use raccordo_node::app::fault::Done;
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::{Node, doctor, peers};
use raccordo_node::transport::calls::CallNumbers;

use crate::bench::place::Place;
use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Rows, Toscana};

macro_rules! walk {
    ($($quota:ident => $check:path;)*) => {
        const _: fn(Quota) = |quota| match quota {
            $(Quota::$quota => {})*
        };

        #[expect(non_snake_case, reason = "named as the quotas")]
        mod reached {
            use super::*;

            $(#[tokio::test]
            async fn $quota() {
                $check(Quota::$quota).await;
            })*
        }
    };
}

walk! {
    CallPace => calls::too_fast;
    CallsOfPeer => calls::too_many_of_peer;
    CallsWaiting => calls::too_many_wait;
    BytesOfPeer => calls::too_many_bytes_of_peer;
    BytesOfPeers => calls::too_many_bytes_of_peers;
    HubMessageBytes => calls::large_hub_message;
    HubMessageElements => calls::many_hub_elements;
    RequestSeconds => calls::too_slow;
    SubscriptionsOfPeer => calls::too_many_subscriptions;
    CallsOfClient => calls::too_many_of_client;
    StreamsOfClient => calls::too_many_streams;
    BytesOfClient => calls::too_many_bytes_of_client;
    BytesOfClients => calls::too_many_bytes_of_clients;
    CallMessageBytes => calls::large_call_message;
    CallMessageElements => calls::many_call_elements;
    EntriesOfCall => log::too_many_in_a_call;
    MessageBytes => log::large_message;
    CommitBytes => log::large_commit;
    GroupInfoBytes => log::large_group_info;
    NoticeBytes => log::large_notice;
    EntriesOfMember => log::too_many_messages;
    CommitsOfMember => log::too_many_commits;
    NoticesOfMember => log::too_many_notices;
    LogBytesOfEquipe => log::full_of_all;
    LogShareOfMember => log::full_of_one;
    ReservedBytesOfMember => log::reserve_of_one;
    TreesOfEquipe => log::too_many_trees;
    LogRowDays => log::too_old;
    AuditedRefusals => log::audited_too_often;
    OfferBytes => offers::too_large;
    OffersOfPeer => offers::too_many_of_one;
    OfferBytesOfPeer => offers::too_many_bytes_of_one;
    OffersAtHub => offers::too_many_of_all;
    OfferBytesAtHub => offers::too_many_bytes_of_all;
    OfferDays => offers::too_old;
    ClaimParties => key_packages::too_many_parties;
    ClaimsOfPeer => key_packages::claimed_too_often;
    AskedOfOwner => key_packages::asked_too_often;
    KeyPackagesMade => key_packages::made_too_often;
    KeyPackageBytes => key_packages::too_large;
    KeyPackagesOfOwner => key_packages::too_many;
    KeyPackagesOfSuspended => key_packages::too_many_of_suspended;
    PostBytes => mail::too_large;
    PostsToMailbox => mail::too_many_to_one;
    PostedBytesToMailbox => mail::too_many_bytes_to_one;
    PostsOfSender => mail::too_many_to_all;
    PostedBytesOfSender => mail::too_many_bytes_to_all;
    MailboxItems => mail::too_many_from_all;
    MailboxBytes => mail::too_many_bytes_from_all;
    MailDays => mail::too_old;
    ProposalsOfPeer => letters::too_many_proposals;
    ProposalsPosted => letters::proposed_too_often;
    ProposalDays => letters::unsigned_too_long;
    CardsOfPeer => letters::too_many_cards;
    NoticeDays => letters::notice_too_old;
    TagsMadeAnew => letters::shown_anew_too_often;
    HalvesSent => letters::half_sent_too_often;
    SetAsideOfEntry => members::too_many_of_a_message;
    SetAsideOfMember => members::too_many_of_a_member;
    WholesOfMember => members::too_many_incomplete;
    WholeBytesOfMember => members::too_many_bytes_incomplete;
    WholeDays => members::incomplete_too_long;
    SeenDays => members::seen_long_ago;
}

/// The relay, and peers that it has verified.
struct Crowd {
    bench: Bench,
    peers: Vec<Place>,
    /// A node that the relay does not know.
    puppet: Place,
}

impl Crowd {
    async fn of(count: usize) -> Self {
        let bench = Bench::acquainted(Rows::Memory).await;
        let mut peers = Vec::new();
        for number in 0..count {
            let place = bench.newcomer(&format!("peer-{number}")).await;
            let card = place.node().identity.card();
            let id = card.card().node.clone();
            peers::add(bench.node(Relay), ADMIN, card).await.unwrap();
            peers::change(bench.node(Relay), ADMIN, &id, TrustChange::Verify, "").await.unwrap();
            peers.push(place);
        }
        let puppet = bench.newcomer("puppet").await;
        Self { bench, peers, puppet }
    }

    fn relay(&self) -> &Node {
        self.bench.node(Relay)
    }

    fn peer(&self, number: usize) -> &Node {
        self.peers[number].node()
    }

    fn puppet(&self) -> &Node {
        self.puppet.node()
    }

    fn id(&self, number: usize) -> &NodeId {
        &self.peer(number).identity.node
    }
}

/// A refusal for the reason that the table names; the administrator is told of the peer.
#[track_caller]
fn assert_refused<T: Debug>(answer: Done<T>, quota: Quota) {
    assert_eq!(answer.unwrap_err().reason, quota.row().reason, "{quota}");
}

/// What `doctor` says of a quota that is configured is what is configured.
#[tokio::test]
async fn numbers_are_told_as_they_are_configured() {
    let bench = Bench::ready().await;
    let few = Decision::Limit { entries_per_minute_max: 7, stored_bytes_max: 0 };
    accept::decide(bench.node(Relay), ADMIN, EQUIPE, few).await.unwrap();
    log::send_until_refused(&bench, Toscana).await;
    let told = about_quotas(bench.node(Relay)).await;
    assert!(told.iter().any(|it| it.contains(": at most 7 in a minute are allowed")), "{told:?}");
    let calls = CallNumbers::for_peers(Pace::per_minute(11));
    assert_eq!(calls.of(Quota::CallPace), 11);
    assert_eq!(calls.of(Quota::CallsWaiting), Quota::CallsWaiting.number());
}

async fn about_quotas(node: &Node) -> Vec<String> {
    let findings = doctor::doctor(node).await.unwrap();
    let about = findings.into_iter().filter(|it| it.code == "peer_over_quota");
    about.map(|it| it.message).collect()
}

/// `doctor` names the peer and the quota.
async fn assert_named(node: &Node, peer: &NodeId, quota: Quota) {
    let words = format!("{peer} reached the quota {quota} ");
    let told = about_quotas(node).await;
    assert!(told.iter().any(|message| message.starts_with(&words)), "{quota}");
}
