//! Every call of the hub's listener by every kind of caller, over TLS: what each hears is what
//! `raccordo_core::callers` says, and a new call has no row until somebody has decided.

mod calls;
mod stage;

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use raccordo_core::callers::{CALLS, Caller};
use raccordo_core::crypto::Suite;
use raccordo_core::id::{ItemId, NodeId};
use raccordo_node::app::changes::Wanted;
use raccordo_node::app::hub::mailbox::post;
use raccordo_node::store::hub::PoolRow;

use self::stage::Stage;
use crate::many::{self, Many};
use crate::membership::begin;

/// Service and method.
type Named = (String, String);

/// The methods of these services, as their descriptors have them.
fn methods(services: &BTreeSet<String>) -> BTreeSet<Named> {
    let sets = [
        raccordo_proto::DESCRIPTORS,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let mut found = BTreeSet::new();
    for file in sets.map(|set| FileDescriptorSet::decode(set).unwrap().file).concat() {
        for service in &file.service {
            let name = format!("{}.{}", file.package(), service.name());
            let methods = service.method.iter().filter(|_| services.contains(&name));
            found.extend(methods.map(|method| (name.clone(), method.name().to_owned())));
        }
    }
    found
}

#[tokio::test]
async fn every_call_is_answered_as_the_table_says() {
    let stage = Stage::set().await;
    let member = stage.dial(Caller::Member).await.unwrap();
    let served = methods(&calls::services(&member).await);
    let table = CALLS.iter().map(|row| (row.service.to_owned(), row.method.to_owned()));
    assert_eq!(served, table.collect(), "what the listener serves, and what has a row");
    let mut wrong = Vec::new();
    for caller in Caller::ALL {
        let channel = match stage.dial(caller).await {
            Ok(channel) => channel,
            Err(error) => {
                assert_eq!(error.reason(), "not_trusted", "{caller:?}: {error}");
                let answers = CALLS.iter().map(|row| row.answer(caller).words());
                assert!(answers.into_iter().all(|answer| answer == "no connection"), "{caller:?}");
                continue;
            }
        };
        for row in CALLS {
            let expected = row.answer(caller).words();
            let heard = calls::call(&stage, caller, &channel, row).await;
            if heard != expected {
                wrong.push(format!("{} {} by {caller:?}: {heard}", row.method, row.about));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Key packages of a node in the pool of the relay.
async fn pool(many: &Many, owner: &NodeId) -> Vec<PoolRow> {
    let (relay, suite) = (many.relay(), Suite::Classical.number());
    relay.store.read().await.unwrap().pool(owner, suite, relay.clock.now()).await.unwrap()
}

/// Known at the hub by its équipe alone, a suspended party may do what its return takes, and
/// nothing besides; with that it returns.
#[tokio::test]
async fn a_suspended_party_does_what_its_return_takes() {
    let mut many = Many::founded(3, 4).await;
    let (first, third, fourth) = (many::id(0), many::id(2), many::id(3));
    many.know_by_equipe_alone(2).await;
    begin(&many, 1, Wanted::Suspend(third.clone())).await;
    many.run().await;
    let mut number = 0;
    let mut posted = async |recipient: &NodeId, kind| {
        number += 1;
        let item = ItemId([number; 16]);
        let answer = post(many.relay(), &third, recipient, item, kind, vec![1]).await;
        answer.map_err(|fault| fault.reason)
    };
    assert_eq!(posted(&fourth, "pact").await, Err("not_a_party"));
    assert_eq!(posted(&fourth, "card").await, Err("not_a_party"));
    assert_eq!(posted(&first, "sealing_challenge").await, Err("not_a_party"));
    assert_eq!(posted(&first, "sealing_answer").await, Err("not_a_party"));
    assert_eq!(posted(&first, "pact").await, Ok(()));
    // What it had deposited before is used up: it is asked for more.
    let mut tx = many.relay().store.write().await.unwrap();
    for row in pool(&many, &third).await {
        tx.delete_pool(&third, &row.reference).await.unwrap();
    }
    tx.commit().await.unwrap();
    begin(&many, 0, Wanted::Return(third.clone())).await;
    many.run().await;
    many.sign(2).await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    many.share(2, 1).await;
    many.run().await;
    assert_eq!(many.listed(1).await.len(), 1);
}
