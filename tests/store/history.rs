//! Rows of statements that were in force.

use std::sync::Arc;

use raccordo_node::store::Store;
use raccordo_node::store::history::Keeper;

use crate::sample::lineage;

pub async fn ascending_and_cut_back(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let one = lineage(1);
    for keeper in [Keeper::Member, Keeper::Hub] {
        for version in [3, 1, 2, 4_u8] {
            let statement = vec![version];
            tx.put_past_statement(keeper, one, version.into(), statement).await?;
        }
        // What came after the third was undone with it.
        tx.put_past_statement(keeper, one, 3, vec![33]).await?;
    }
    tx.put_past_statement(Keeper::Hub, lineage(2), 1, vec![9]).await?;
    for version in [4, 5] {
        tx.put_past_statement(Keeper::Hub, one, version, vec![version.try_into()?]).await?;
    }
    let all = tx.past_statements(Keeper::Hub, one, 99, 9).await?;
    assert_eq!(all, [[5], [4], [33], [2], [1]]);
    assert_eq!(tx.past_statements(Keeper::Hub, one, 5, 1).await?, [[4]]);
    assert_eq!(tx.past_statements(Keeper::Hub, one, 3, 9).await?, [[2], [1]]);
    tx.forget_past_statements(Keeper::Hub, one, 5).await?;
    assert_eq!(tx.past_statements(Keeper::Hub, one, 99, 9).await?, [[5]]);
    assert_eq!(tx.past_statements(Keeper::Hub, lineage(2), 99, 9).await?, [[9]]);
    assert_eq!(tx.past_statements(Keeper::Member, one, 99, 9).await?, [[33], [2], [1]]);
    Ok(())
}
