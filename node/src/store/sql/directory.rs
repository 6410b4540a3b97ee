//! Rows of organisations and operators.

use async_trait::async_trait;
use raccordo_core::id::OperatorId;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::directory::{DirectoryRows, OperatorRow, OrganisationRow};

macro_rules! operator_columns {
    () => {
        "operator, organisation, sealed_name, name_index, role, token_lookup, token_hash, \
         enabled, created_at_ms"
    };
}

const INSERT_ORGANISATION: &str = "INSERT INTO organisation (organisation, name, class, created_at_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const ORGANISATIONS: &str = "SELECT organisation, name, class, created_at_ms FROM organisation";
const INSERT_OPERATOR: &str = concat!(
    "INSERT INTO operator (position, ",
    operator_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"
);
const OPERATORS: &str = concat!("SELECT ", operator_columns!(), " FROM operator ORDER BY position");
const BY_TOKEN: &str = concat!(
    "SELECT ",
    operator_columns!(),
    " FROM operator WHERE token_lookup = $1 ORDER BY position LIMIT 1"
);
const UPDATE_OPERATOR: &str = "UPDATE operator SET role = $2, enabled = $3 WHERE operator = $1";

#[async_trait]
impl DirectoryRows for SqlTx {
    async fn insert_organisation(&mut self, row: OrganisationRow) -> Stored<()> {
        let insert = sql("organisation", INSERT_ORGANISATION)
            .bytes(row.organisation.as_bytes())
            .text(row.name)
            .text(row.class)
            .instant(row.created_at);
        self.insert(insert).await
    }

    async fn organisations(&mut self) -> Stored<Vec<OrganisationRow>> {
        let read = |row: &mut Columns<'_>| {
            let (organisation, name, class) = (row.id()?, row.text()?, row.text()?);
            Ok(OrganisationRow { organisation, name, class, created_at: row.instant()? })
        };
        let mut rows = self.all(sql("organisation", ORGANISATIONS), read).await?;
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rows)
    }

    async fn insert_operator(&mut self, row: OperatorRow) -> Stored<()> {
        let insert = sql("operator", INSERT_OPERATOR)
            .integer(self.take_numbers("operator", 1).await?)
            .bytes(row.operator.as_bytes())
            .bytes(row.organisation.as_bytes())
            .bytes(row.sealed_name)
            .bytes(row.name_index)
            .text(row.role)
            .bytes(row.token_lookup)
            .text(row.token_hash)
            .flag(row.enabled)
            .instant(row.created_at);
        self.insert(insert).await
    }

    async fn operators(&mut self) -> Stored<Vec<OperatorRow>> {
        self.all(sql("operator", OPERATORS), operator).await
    }

    async fn operator_by_token(&mut self, lookup: &[u8]) -> Stored<Option<OperatorRow>> {
        self.one(sql("operator", BY_TOKEN).bytes(lookup), operator).await
    }

    async fn update_operator(
        &mut self,
        operator: OperatorId,
        role: &str,
        enabled: bool,
    ) -> Stored<()> {
        let update = sql("operator", UPDATE_OPERATOR).bytes(operator.as_bytes()).text(role);
        self.execute(update.flag(enabled)).await.map(drop)
    }
}

fn operator(row: &mut Columns<'_>) -> Stored<OperatorRow> {
    Ok(OperatorRow {
        operator: row.id()?,
        organisation: row.id()?,
        sealed_name: row.bytes()?,
        name_index: row.bytes()?,
        role: row.text()?,
        token_lookup: row.bytes()?,
        token_hash: row.text()?,
        enabled: row.flag()?,
        created_at: row.instant()?,
    })
}
