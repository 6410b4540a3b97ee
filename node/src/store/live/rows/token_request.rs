//! Rows of requests for tokens, and of the secrets of pairs.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId, TokenRequestId};
use raccordo_core::pseudonym::key::Class;

use super::all;
use crate::store::Stored;
use crate::store::live::{LiveAccess, Scope};
use crate::store::token::{PairRow, PairRows};
use crate::store::token_request::{AnswerRow, RequestRow, TokenRequestRows};

#[async_trait]
impl<T: LiveAccess> TokenRequestRows for T {
    async fn put_token_request(&mut self, row: RequestRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.token_request.put((row.lineage, row.request), row)
        })
        .await
    }

    async fn token_request(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<Option<RequestRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        Ok(tables.token_request.row(&(lineage, request)).cloned())
    }

    async fn token_requests(
        &mut self,
        lineage: LineageId,
        class: Class,
    ) -> Stored<Vec<RequestRow>> {
        let mut rows = all(&self.live(Scope::Equipe(lineage)).await?.token_request);
        rows.retain(|row| row.class == class);
        rows.sort_by_key(|row| (row.asked_at, row.request));
        Ok(rows)
    }

    async fn delete_token_request(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.token_answer.remove_where(.., |_, row| row.request == request);
            tables.token_request.remove(&(lineage, request));
        })
        .await
    }

    async fn put_token_answer(&mut self, row: AnswerRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.token_answer.put((row.lineage, row.request, row.member.clone()), row)
        })
        .await
    }

    async fn token_answers(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<Vec<AnswerRow>> {
        let mut rows = all(&self.live(Scope::Equipe(lineage)).await?.token_answer);
        rows.retain(|row| row.request == request);
        Ok(rows)
    }

    async fn delete_token_answer(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
        member: &NodeId,
    ) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.token_answer.remove(&(lineage, request, member.clone()))
        })
        .await
    }
}

#[async_trait]
impl<T: LiveAccess> PairRows for T {
    async fn pairs(&mut self, lineage: LineageId) -> Stored<Vec<PairRow>> {
        Ok(all(&self.live(Scope::Equipe(lineage)).await?.pair_secret))
    }

    async fn put_pair(&mut self, row: PairRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.pair_secret.put((row.lineage, row.peer.clone()), row)
        })
        .await
    }
}
