//! Who has signed, and joins after the others.

use raccordo_node::app::hub::key_package_pool;
use raccordo_node::app::{changes, key_packages, status};

use crate::bench::place::Rows;
use crate::many::{Many, id};
use crate::membership::{agree, propose};
use crate::returning::remove;

#[tokio::test]
async fn who_is_asked_for_a_later_change_before_it_has_joined_joins_by_what_it_signed() {
    let mut many = Many::proposed(Rows::Memory, 3, 3).await;
    many.sign(1).await;
    // Its signature comes, and no key packages.
    many.sign(2).await;
    many.post(2).await;
    many.away.insert(2);
    many.found().await;
    assert_eq!(many.members(0).await.len(), 2);
    // Mailed to all parties, and in force only once the third has signed it, too.
    propose(&many, 1, &[0, 1, 2]).await;
    many.run().await;
    many.sign(0).await;
    many.run().await;
    many.away.clear();
    many.run().await;
    assert_eq!(many.members(0).await.len(), 3);
    assert_eq!(many.row(2).await.state, "active");
    assert_eq!(many.alarms(2).await, Vec::<String>::new());
    let version = async |many: &Many| {
        status::status(many.node(2)).await.unwrap().equipes[0].statement_version
    };
    assert_eq!(version(&many).await, 1);
    // The change has not been lost.
    assert_eq!(changes::list(many.node(2)).await.unwrap().len(), 1);
    many.sign(2).await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    assert_eq!(version(&many).await, 2);
}

/// The hub has taken the key packages, and its answer was lost: they go to it once more.
#[tokio::test]
async fn a_key_package_that_was_given_out_is_given_to_nobody_else() {
    let mut many = Many::proposed(Rows::Memory, 3, 3).await;
    many.sign(1).await;
    many.sign(2).await;
    many.post(2).await;
    let hub = many.relay().identity.node.clone();
    let waiting = key_packages::to_deposit(many.node(2), &hub).await.unwrap();
    let (references, deposits): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
    key_package_pool::deposit(many.relay(), &id(2), deposits.clone()).await.unwrap();
    many.away.insert(2);
    many.found().await;
    assert_eq!(many.members(0).await.len(), 3);
    key_package_pool::deposit(many.relay(), &id(2), deposits).await.unwrap();
    many.away.clear();
    // It says again what the hub has not confirmed, but for what was used.
    many.read_mail(2).await;
    let again = key_packages::to_deposit(many.node(2), &hub).await.unwrap();
    assert_eq!(again.len(), references.len() - 1);
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    // Each time it is added by another one.
    for _ in 0..references.len() {
        remove(&mut many, 2).await;
        agree(&mut many, 0, &[0, 1, 2]).await;
        many.assert_agreement(&[0, 1, 2]).await;
        assert_eq!(many.alarms(2).await, Vec::<String>::new());
    }
}
