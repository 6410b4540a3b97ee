//! Rows of the ledger.

use std::sync::Arc;

use raccordo_node::store::ledger::LedgerRow;
use raccordo_node::store::{Store, Stored, Tx};

fn row(scope: &str, kind: &str, key: u16, sealed: &str) -> LedgerRow {
    let (scope, kind) = (scope.to_owned(), kind.to_owned());
    LedgerRow { scope, kind, key: key.to_be_bytes().to_vec(), sealed: sealed.into() }
}

async fn sorted(tx: &mut dyn Tx, scope: &str) -> Stored<Vec<LedgerRow>> {
    let mut rows = tx.ledger(scope).await?;
    rows.sort_by(|a, b| (&a.kind, &a.key).cmp(&(&b.kind, &b.key)));
    Ok(rows)
}

pub async fn scopes_apart(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let group = [row("group/ab", "epoch", 1, "a"), row("group/ab", "tree", 1, "b")];
    tx.put_ledger(&group).await?;
    tx.put_ledger(&[row("group/abc", "epoch", 1, "c"), row("device", "key", 1, "d")]).await?;
    assert_eq!(sorted(&mut *tx, "group/ab").await?, group);
    assert_eq!(sorted(&mut *tx, "group").await?, []);

    tx.delete_ledger("group/ab", "tree", &1_u16.to_be_bytes()).await?;
    tx.delete_ledger("group/ab", "nothing", b"").await?;
    assert_eq!(sorted(&mut *tx, "group/ab").await?, group[..1]);
    tx.delete_ledger_scope("group/ab").await?;
    assert_eq!(sorted(&mut *tx, "group/ab").await?, []);
    assert_eq!(sorted(&mut *tx, "group/abc").await?, [row("group/abc", "epoch", 1, "c")]);
    assert_eq!(sorted(&mut *tx, "device").await?, [row("device", "key", 1, "d")]);
    Ok(())
}

pub async fn many_rows(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let rows = |sealed| (0..83).map(|key| row("device", "key", key, sealed)).collect::<Vec<_>>();
    tx.put_ledger(&[]).await?;
    tx.put_ledger(&rows("old")).await?;
    // The last of two in one call counts.
    let twice = [vec![row("device", "key", 5, "older")], rows("new")].concat();
    tx.put_ledger(&twice).await?;
    assert_eq!(sorted(&mut *tx, "device").await?, rows("new"));
    Ok(())
}
