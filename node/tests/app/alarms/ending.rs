//! What ends alarms.

use std::time::Duration;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::id::Digest;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::rejoin::{approve, request};
use raccordo_node::app::void::ask::ask;
use raccordo_node::app::{honesty, pacts, peers, succeed};

use super::{CULPRIT, OBSERVER, OTHER, PONTE, RELAY, Stage, raising};
use crate::bench::ADMIN;
use crate::hubs::{EQUIPE, id};

/// Lets it happen.
pub async fn end(stage: &mut Stage, code: AlarmCode, ending: Ending) {
    match ending {
        Ending::LogGoesOn => {
            stage.hubs.pass(Duration::from_secs(2 * 3600));
            stage.hubs.share(OTHER, 1).await;
            stage.hubs.run().await;
        }
        Ending::NothingWithheld => {
            stage.hubs.run().await;
            honesty::watch(stage.hubs.node(OBSERVER)).await.unwrap();
        }
        Ending::HubTerm => another_hub(stage).await,
        Ending::Successor => another_group(stage).await,
        Ending::Join => join_again(stage).await,
        Ending::Membership => {
            stage.hubs.down.insert(CULPRIT);
            let (node, gone) = (stage.hubs.node(OTHER), Wanted::Suspend(id(CULPRIT)));
            changes::begin(node, ADMIN, EQUIPE, gone, "story").await.unwrap();
            stage.hubs.run().await;
        }
        Ending::MemberReturns => {
            raising::doubled(stage, CULPRIT).await;
            request::ask(stage.hubs.node(CULPRIT), ADMIN, EQUIPE).await.unwrap();
            stage.hubs.run().await;
            approve::approve(stage.hubs.node(OTHER), ADMIN, EQUIPE, &id(CULPRIT)).await.unwrap();
            stage.hubs.run().await;
        }
        Ending::MemberSpeaks => {
            stage.hubs.share(CULPRIT, 1).await;
            stage.hubs.run().await;
        }
        Ending::Amends => amends(stage, code).await,
        Ending::Void => hold_for_void(stage, code).await,
        Ending::Request => {
            // The chair reads the request before its administrator approves it.
            stage.hubs.turn(OTHER, RELAY).await;
            approve::approve(stage.hubs.node(OTHER), ADMIN, EQUIPE, &id(CULPRIT)).await.unwrap();
            stage.hubs.run().await;
        }
        Ending::Pact => {
            pacts::propose(stage.hubs.node(CULPRIT), ADMIN, EQUIPE, false).await.unwrap();
            stage.hubs.run().await;
        }
        Ending::Verified => verify(stage, code).await,
        Ending::KeyMade => panic!("{code} is about no key"),
    }
}

async fn another_hub(stage: &mut Stage) {
    stage.hubs.down.insert(RELAY);
    stage.hubs.move_to(OBSERVER, PONTE, true).await.unwrap();
    stage.hubs.run().await;
    for name in [OTHER, CULPRIT] {
        stage.hubs.sign(name).await;
        stage.hubs.run().await;
    }
    stage.hubs.accept(PONTE).await;
    stage.hubs.run().await;
    assert_eq!(stage.hubs.row(OBSERVER).await.hub, id(PONTE));
}

async fn another_group(stage: &mut Stage) {
    stage.hubs.down.insert(RELAY);
    let before = stage.hubs.row(OBSERVER).await.group;
    let wanted = succeed::Wanted { to: Some(id(PONTE)), ..succeed::Wanted::default() };
    succeed::begin(stage.hubs.node(OBSERVER), ADMIN, EQUIPE, wanted, "").await.unwrap();
    stage.hubs.run().await;
    for name in [OTHER, CULPRIT] {
        stage.hubs.sign(name).await;
        stage.hubs.run().await;
    }
    stage.hubs.accept(PONTE).await;
    stage.hubs.run().await;
    assert_ne!(stage.hubs.row(OBSERVER).await.group, before);
}

/// The observer has lost its state, or gives it up, and is let in again.
async fn join_again(stage: &mut Stage) {
    stage.hubs.down.insert(CULPRIT);
    let asked = request::ask(stage.hubs.node(OBSERVER), ADMIN, EQUIPE).await;
    if asked.is_err() {
        raising::doubled(stage, OBSERVER).await;
        request::ask(stage.hubs.node(OBSERVER), ADMIN, EQUIPE).await.unwrap();
    }
    stage.hubs.run().await;
    approve::approve(stage.hubs.node(OTHER), ADMIN, EQUIPE, &id(OBSERVER)).await.unwrap();
    stage.hubs.run().await;
    assert_eq!(stage.hubs.row(OBSERVER).await.state, "active");
}

async fn amends(stage: &mut Stage, code: AlarmCode) {
    assert_eq!(code, AlarmCode::EchoDisagrees);
    // Another false word is no amends.
    raising::lie(stage, |head, _| head.echo.head = Digest([8; 32])).await;
    stage.observe().await;
    assert!(stage.stands(code).await);
    raising::lie(stage, |_, _| {}).await;
    stage.observe().await;
}

/// The others hold the chair's change for void; one that nobody can process is made, where there
/// is none.
async fn hold_for_void(stage: &mut Stage, code: AlarmCode) {
    if code == AlarmCode::NoticeVoid {
        raising::raise(stage, AlarmCode::CommitUnprocessable, Ending::Void).await;
    }
    stage.hubs.turn(CULPRIT, RELAY).await;
    for name in [OBSERVER, CULPRIT] {
        ask(stage.hubs.node(name), ADMIN, EQUIPE).await.unwrap();
    }
    stage.hubs.run().await;
}

async fn verify(stage: &mut Stage, code: AlarmCode) {
    let (by, of) = match code {
        AlarmCode::CardForked => (OBSERVER, CULPRIT),
        _ => (CULPRIT, OTHER),
    };
    let shown = peers::show(stage.hubs.node(of), &id(by)).await.unwrap();
    peers::verify(stage.hubs.node(by), ADMIN, &id(of), &shown.code).await.unwrap();
    stage.hubs.run().await;
}
