//! A crash before or after any commit of any node, while parties come and go: every change
//! comes into force once, at all alike, and nothing is lost.

use std::collections::BTreeSet;

use raccordo_core::id::ObjectId;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::update_keys::update_keys;
use raccordo_node::store::memory::CrashPoint;

use crate::bench::ADMIN;
use crate::many::{EQUIPE, Many, id};

const POINTS: [CrashPoint; 2] = [CrashPoint::BeforeCommit, CrashPoint::AfterCommit];
/// A story with more commits than this is not what it was.
const COMMITS_MAX: u64 = 300;

/// What everybody has shared before the story begins.
type Shared = BTreeSet<ObjectId>;

/// Tells a story again and again, with a crash of one node at each of its commits.
async fn check(parties: usize, count: usize, story: impl AsyncFn(&mut Many, &Shared)) {
    let mut many = Many::founded(parties, count).await;
    let mut shared = Shared::new();
    for member in 0..parties {
        shared.extend(many.share(member, 1).await);
    }
    many.run().await;
    let disks = many.disks();
    let mut all = 0;
    for victim in many.everybody() {
        let mut crashes = 0;
        for point in POINTS {
            for commits in 1..COMMITS_MAX {
                many.put_all_back(&disks).await;
                let life = many.life(victim);
                many.disk(victim).crash_after(commits, point);
                story(&mut many, &shared).await;
                if many.life(victim) == life {
                    break;
                }
                crashes += 1;
            }
        }
        // Who only reads one change has one commit.
        assert!(crashes >= 2, "{victim} crashed nowhere");
        all += crashes;
    }
    assert!(all > 6, "{all} crashes in all");
}

async fn begin(many: &mut Many, by: usize, wanted: Wanted) {
    let begin = async |node: &_| changes::begin(node, ADMIN, EQUIPE, wanted.clone(), "story").await;
    many.act(by, begin).await;
}

async fn sign(many: &mut Many, member: usize) {
    let named = || Source::Named(EQUIPE.into());
    many.act(member, async |node| pacts::sign(node, ADMIN, named()).await).await;
}

#[tokio::test]
async fn while_a_party_is_added() {
    check(2, 3, async |many, shared| {
        let parties = [0, 1, 2].map(id);
        let relay = "relay".parse().unwrap();
        let text = pacts::draft(many.node(1), EQUIPE, &parties, &relay, true, "").await.unwrap();
        many.act(1, async |node| pacts::sign(node, ADMIN, Source::Toml(text.clone())).await).await;
        many.act(1, async |node| pacts::propose(node, ADMIN, EQUIPE, false).await).await;
        many.run().await;
        sign(many, 0).await;
        sign(many, 2).await;
        many.run().await;
        many.assert_agreement(&[0, 1, 2]).await;
        for member in 0..3 {
            assert_eq!(many.seen(member).await, *shared, "{member}");
            assert_eq!(many.listed(member).await.len(), shared.len(), "{member}");
        }
    })
    .await;
}

#[tokio::test]
async fn while_a_party_is_removed() {
    check(3, 3, async |many, _| {
        begin(many, 0, Wanted::Remove(id(2))).await;
        many.run().await;
        sign(many, 1).await;
        many.run().await;
        many.assert_agreement(&[0, 1]).await;
        assert_eq!(many.row(2).await.state, "ended");
    })
    .await;
}

#[tokio::test]
async fn while_a_party_leaves() {
    check(3, 3, async |many, _| {
        begin(many, 2, Wanted::Leave).await;
        many.run().await;
        many.assert_agreement(&[0, 1]).await;
        assert_eq!(many.row(2).await.state, "ended");
    })
    .await;
}

#[tokio::test]
async fn while_a_party_is_suspended_and_returns() {
    check(2, 2, async |many, shared| {
        begin(many, 0, Wanted::Suspend(id(1))).await;
        many.run().await;
        assert_eq!(many.members(0).await, [id(0)]);
        assert_eq!(many.row(1).await.state, "ended");
        begin(many, 0, Wanted::Return(id(1))).await;
        many.run().await;
        sign(many, 1).await;
        many.run().await;
        many.assert_agreement(&[0, 1]).await;
        assert_eq!(many.seen(1).await, *shared);
    })
    .await;
}

#[tokio::test]
async fn while_keys_are_renewed() {
    check(2, 2, async |many, shared| {
        let before = many.row(0).await.epoch;
        many.act(1, async |node| update_keys(node, ADMIN, EQUIPE).await).await;
        many.run().await;
        many.assert_agreement(&[0, 1]).await;
        assert!(many.row(0).await.epoch > before);
        assert_eq!(many.seen(0).await, *shared);
    })
    .await;
}
