//! Rows of organisations and operators.

use std::sync::Arc;

use raccordo_core::id::{OperatorId, OrganisationId};
use raccordo_core::time::Instant;
use raccordo_node::store::directory::{OperatorRow, OrganisationRow};
use raccordo_node::store::{Store, StoreError};

use crate::sample::bytes;

pub async fn organisations(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number: u32, name: &str| -> anyhow::Result<OrganisationRow> {
        Ok(OrganisationRow {
            organisation: OrganisationId::try_from(bytes(number).as_slice())?,
            name: name.to_owned(),
            class: "inspectorate".to_owned(),
            created_at: Instant(4),
        })
    };
    let mut tx = store.write().await?;
    for (number, name) in [(1, "b"), (2, "à"), (3, "Z"), (4, "a")] {
        tx.insert_organisation(row(number, name)?).await?;
    }
    for taken in [row(5, "b")?, row(1, "c")?] {
        let refused = tx.insert_organisation(taken).await;
        assert!(matches!(refused, Err(StoreError::Exists("organisation"))));
    }
    assert_eq!(tx.organisations().await?, [row(3, "Z")?, row(4, "a")?, row(1, "b")?, row(2, "à")?]);
    Ok(())
}

pub async fn operators(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number: u32, name: &[u8], token: &[u8]| -> anyhow::Result<OperatorRow> {
        Ok(OperatorRow {
            operator: OperatorId::try_from(bytes(number).as_slice())?,
            organisation: OrganisationId::try_from(bytes(7).as_slice())?,
            sealed_name: b"sealed".to_vec(),
            name_index: name.to_vec(),
            role: "operator".to_owned(),
            token_lookup: token.to_vec(),
            token_hash: "$argon2id$".to_owned(),
            enabled: true,
            created_at: Instant(1),
        })
    };
    let mut tx = store.write().await?;
    tx.insert_operator(row(9, b"n9", b"t9")?).await?;
    tx.insert_operator(row(3, b"n3", b"t3")?).await?;
    let taken = tx.insert_operator(row(4, b"n9", b"t4")?).await;
    assert!(matches!(taken, Err(StoreError::Exists("operator"))));
    tx.insert_operator(row(5, b"n5", b"t5")?).await?;

    let third = row(3, b"n3", b"t3")?;
    tx.update_operator(third.operator, "administrator", false).await?;
    let third = OperatorRow { role: "administrator".to_owned(), enabled: false, ..third };
    let all = [row(9, b"n9", b"t9")?, third.clone(), row(5, b"n5", b"t5")?];
    assert_eq!(tx.operators().await?, all);
    assert_eq!(tx.operator_by_token(b"t3").await?, Some(third));
    assert_eq!(tx.operator_by_token(b"t").await?, None);
    Ok(())
}
