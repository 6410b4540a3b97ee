//! Rows of commits that may have to be undone.

use std::collections::BTreeSet;
use std::sync::Arc;

use raccordo_core::id::{Digest, Epoch, GroupId, Sequence};
use raccordo_core::trust::void::Votes;
use raccordo_node::store::Store;
use raccordo_node::store::void::{StrayRow, UnfollowedRow};

use crate::sample::{lineage, node};

fn votes() -> Votes {
    let needed = BTreeSet::from([node("umbria"), node("lazio")]);
    Votes::none(Sequence(9), Digest([3; 32]), needed)
}

pub async fn groups_before_a_commit(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let group = GroupId([1; 32]);
    let row = UnfollowedRow {
        group,
        committer: node("toscana"),
        epoch: Epoch(4),
        statement: b"before".to_vec(),
        group_info: b"info".to_vec(),
        tree: b"tree".to_vec(),
        votes: votes(),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.unfollowed(group).await?, None);
    tx.put_unfollowed(row.clone()).await?;
    assert_eq!(tx.unfollowed(group).await?, Some(row.clone()));
    let mut later = row;
    later.votes.said.insert(node("lazio"));
    (later.epoch, later.tree) = (Epoch(5), Vec::new());
    tx.put_unfollowed(later.clone()).await?;
    assert_eq!(tx.unfollowed(group).await?, Some(later));
    assert_eq!(tx.unfollowed(GroupId([2; 32])).await?, None);
    tx.delete_unfollowed(group).await?;
    assert_eq!(tx.unfollowed(group).await?, None);
    Ok(())
}

pub async fn stray_commits(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = StrayRow {
        lineage: lineage(1),
        committer: node("toscana"),
        epoch: Epoch(4),
        log_epoch: Epoch(5),
        asked: false,
        followed_by: None,
        votes: votes(),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.stray(lineage(1)).await?, None);
    tx.put_stray(row.clone()).await?;
    assert_eq!(tx.stray(lineage(1)).await?, Some(row.clone()));
    let mut later = row;
    (later.asked, later.followed_by, later.log_epoch) = (true, Some(node("lazio")), Epoch(6));
    later.votes.said = later.votes.needed.clone();
    tx.put_stray(later.clone()).await?;
    assert_eq!(tx.stray(lineage(1)).await?, Some(later));
    assert_eq!(tx.stray(lineage(2)).await?, None);
    tx.delete_stray(lineage(1)).await?;
    assert_eq!(tx.stray(lineage(1)).await?, None);
    Ok(())
}
