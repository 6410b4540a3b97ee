//! Posts to mailboxes at a hub.

use raccordo_core::entropy::draw;
use raccordo_core::id::{ItemId, NodeId};
use raccordo_core::quota::Quota;
use raccordo_node::app::expire;
use raccordo_node::app::fault::Done;
use raccordo_node::app::hub::mailbox::{post, read_mailbox};

use super::{Crowd, assert_named, assert_refused};
use crate::bench::{Toscana, Umbria};

/// As large as an item may be.
const LARGE: usize = Quota::PostBytes.count();

async fn send(crowd: &Crowd, from: &NodeId, to: &NodeId, bytes: usize) -> Done<()> {
    let item = ItemId(draw(&*crowd.relay().entropy));
    post(crowd.relay(), from, to, item, "pact", vec![7; bytes]).await
}

async fn fill(crowd: &Crowd, from: &NodeId, to: &NodeId, bytes: usize, items: usize) {
    for _ in 0..items {
        send(crowd, from, to, bytes).await.unwrap();
    }
}

/// Items that the recipient may read.
async fn waiting(crowd: &Crowd, whose: &NodeId) -> usize {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = read_mailbox(crowd.relay(), whose, after).await.unwrap();
        let Some(last) = page.last() else { return count };
        after = last.sequence;
        count += page.len();
    }
}

pub async fn too_large(quota: Quota) {
    let crowd = Crowd::of(0).await;
    send(&crowd, &Toscana.id(), &Umbria.id(), quota.count()).await.unwrap();
    assert_refused(send(&crowd, &Toscana.id(), &Umbria.id(), quota.count() + 1).await, quota);
    assert_named(crowd.relay(), &Toscana.id(), quota).await;
}

pub async fn too_many_to_one(quota: Quota) {
    let crowd = Crowd::of(2).await;
    fill(&crowd, crowd.id(0), &Umbria.id(), 1, quota.count()).await;
    assert_refused(send(&crowd, crowd.id(0), &Umbria.id(), 1).await, quota);
    assert_named(crowd.relay(), crowd.id(0), quota).await;
    // Others write to the same mailbox, and the sender to others.
    send(&crowd, &Toscana.id(), &Umbria.id(), 1).await.unwrap();
    send(&crowd, crowd.id(0), crowd.id(1), 1).await.unwrap();
    assert_eq!(waiting(&crowd, &Umbria.id()).await, quota.count() + 1);
}

pub async fn too_many_bytes_to_one(quota: Quota) {
    let crowd = Crowd::of(1).await;
    fill(&crowd, crowd.id(0), &Umbria.id(), LARGE, quota.count() / LARGE).await;
    assert_refused(send(&crowd, crowd.id(0), &Umbria.id(), 1).await, quota);
    send(&crowd, &Toscana.id(), &Umbria.id(), LARGE).await.unwrap();
}

pub async fn too_many_to_all(quota: Quota) {
    let each = Quota::PostsToMailbox.count();
    let recipients = quota.count() / each;
    let crowd = Crowd::of(recipients).await;
    for place in 0..recipients {
        fill(&crowd, &Toscana.id(), crowd.id(place), 1, each).await;
    }
    assert_refused(send(&crowd, &Toscana.id(), &Umbria.id(), 1).await, quota);
    send(&crowd, crowd.id(0), &Umbria.id(), 1).await.unwrap();
}

pub async fn too_many_bytes_to_all(quota: Quota) {
    let each = Quota::PostedBytesToMailbox.count();
    let recipients = quota.count() / each;
    let crowd = Crowd::of(recipients).await;
    for place in 0..recipients {
        fill(&crowd, &Toscana.id(), crowd.id(place), LARGE, each / LARGE).await;
    }
    assert_refused(send(&crowd, &Toscana.id(), &Umbria.id(), 1).await, quota);
    send(&crowd, crowd.id(0), &Umbria.id(), 1).await.unwrap();
}

pub async fn too_many_from_all(quota: Quota) {
    let each = Quota::PostsToMailbox.count();
    let senders = quota.count() / each;
    let crowd = Crowd::of(senders).await;
    for place in 0..senders {
        fill(&crowd, crowd.id(place), &Umbria.id(), 1, each).await;
    }
    assert_refused(send(&crowd, &Toscana.id(), &Umbria.id(), 1).await, quota);
    send(&crowd, &Toscana.id(), crowd.id(0), 1).await.unwrap();
}

pub async fn too_many_bytes_from_all(quota: Quota) {
    let each = Quota::PostedBytesToMailbox.count();
    let senders = quota.count() / each;
    let crowd = Crowd::of(senders).await;
    for place in 0..senders {
        fill(&crowd, crowd.id(place), &Umbria.id(), LARGE, each / LARGE).await;
    }
    assert_refused(send(&crowd, &Toscana.id(), &Umbria.id(), 1).await, quota);
    // What is read at once is bounded too.
    let page = read_mailbox(crowd.relay(), &Umbria.id(), 0).await.unwrap();
    assert_eq!(page.len(), (1 << 20) / LARGE);
}

pub async fn too_old(quota: Quota) {
    let crowd = Crowd::of(0).await;
    fill(&crowd, &Toscana.id(), &Umbria.id(), 1, Quota::PostsToMailbox.count()).await;
    crowd.bench.pass(quota.span());
    assert_eq!(waiting(&crowd, &Umbria.id()).await, 0);
    expire::expire(crowd.relay()).await.unwrap();
    send(&crowd, &Toscana.id(), &Umbria.id(), 1).await.unwrap();
    assert_eq!(waiting(&crowd, &Umbria.id()).await, 1);
}
