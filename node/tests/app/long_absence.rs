//! A member that was away for many messages and epochs reads the log in batches, and has
//! everything once.

use raccordo_node::app::fault::Done;
use raccordo_node::app::hub::read_log::BATCH_ENTRIES_MAX;
use raccordo_node::app::update_keys::update_keys;

use crate::bench::ADMIN;
use crate::many::{EQUIPE, Many};

const EPOCHS: u64 = 25;
const ALERTS_OF_AN_EPOCH: usize = 30;

#[tokio::test]
async fn hundreds_of_messages_and_many_epochs_are_caught_up() -> Done<()> {
    let mut many = Many::founded(3, 3).await;
    for member in 0..3 {
        many.share(member, 1).await;
    }
    many.run().await;
    let before = many.row(2).await;
    many.away.insert(2);
    for epoch in 0..EPOCHS {
        // One by one, so that each is a message of its own.
        for _ in 0..ALERTS_OF_AN_EPOCH {
            many.share(0, 1).await;
            many.send(0).await?;
        }
        let by = usize::from(epoch % 2 == 1);
        update_keys(many.node(by), ADMIN, EQUIPE).await?;
        many.run().await;
    }
    let missed = many.row(0).await.sequence.0 - before.sequence.0;
    assert!(missed > u64::from(BATCH_ENTRIES_MAX), "{missed} entries are one batch");
    assert!(many.row(0).await.epoch.0 >= before.epoch.0 + EPOCHS);
    many.restart(2).await;
    many.away.clear();
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    let seen = many.seen(0).await;
    assert_eq!(seen.len(), 3 + ALERTS_OF_AN_EPOCH * usize::try_from(EPOCHS).unwrap());
    assert_eq!(many.seen(2).await, seen);
    assert_eq!(many.listed(2).await.len(), seen.len());
    Ok(())
}
