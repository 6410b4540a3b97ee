//! Rows of successors of groups.

use std::sync::Arc;

use raccordo_core::id::{Digest, GroupId, Sequence};
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::object::ObjectRow;
use raccordo_node::store::successor::SuccessorRow;

use crate::sample::{lineage, object, object_id};

fn successor(of: u8, old_group: u8) -> SuccessorRow {
    SuccessorRow {
        lineage: lineage(of),
        old_group: GroupId([old_group; 32]),
        signed: Digest([old_group; 32]),
        statement: Vec::new(),
        answer: String::new(),
        changed_at: Instant(3),
    }
}

pub async fn one_of_each_group(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let group = GroupId([1; 32]);
    assert_eq!(tx.successor(lineage(1), group).await?, None);
    for row in [successor(1, 1), successor(1, 2), successor(2, 1)] {
        tx.put_successor(row).await?;
    }
    let founded = SuccessorRow {
        statement: b"all".to_vec(),
        answer: "founded".into(),
        changed_at: Instant(4),
        ..successor(1, 1)
    };
    tx.put_successor(founded.clone()).await?;
    assert_eq!(tx.successor(lineage(1), group).await?, Some(founded));
    assert_eq!(tx.successor(lineage(1), GroupId([2; 32])).await?, Some(successor(1, 2)));
    assert_eq!(tx.successor(lineage(2), group).await?, Some(successor(2, 1)));
    Ok(())
}

pub async fn objects_beyond_its_beginning(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let placed =
        |number: u32, sequence: u64| ObjectRow { sequence: Sequence(sequence), ..object(number) };
    let elsewhere = ObjectRow { lineage: lineage(2), ..placed(4, 9) };
    tx.insert_objects(vec![placed(1, 0), placed(2, 5), placed(3, 9), elsewhere]).await?;
    tx.objects_placed_until(lineage(1), Sequence(5)).await?;
    for (number, expected) in [(1, 0), (2, 5), (3, 5), (4, 9)] {
        let found = tx.object(object_id(number)).await?.map(|row| row.sequence);
        assert_eq!(found, Some(Sequence(expected)), "{number}");
    }
    Ok(())
}
