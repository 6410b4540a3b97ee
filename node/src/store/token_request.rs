//! Records that wait for tokens, and the requests that are to bring them.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId, RecordId, TokenRequestId};
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// A record of which an équipe is to have tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Of which class.
    pub class: Class,
    /// The record.
    pub record: RecordId,
    /// `wanted`, `asked` or `made`.
    pub state: String,
    /// When the record was last changed.
    pub at: Instant,
}

/// An own request whose tokens are not made yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Names it.
    pub request: TokenRequestId,
    /// Whose key.
    pub class: Class,
    /// Which of the class's keys.
    pub key_epoch: KeyEpoch,
    /// How many elements.
    pub elements: u32,
    /// Records and families, sealed by the vault; inputs and blinds in it, each under the key of
    /// its record.
    pub sealed: Vec<u8>,
    /// How often it was asked.
    pub attempts: u32,
    /// When it was queued last.
    pub asked_at: Instant,
    /// When the log accepted that; 0 before.
    pub accepted_at: Instant,
}

/// A member's answer to an own request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Which request.
    pub request: TokenRequestId,
    /// Who answered.
    pub member: NodeId,
    /// With a share of which sharing.
    pub generation: Generation,
    /// Canonical `key-evaluation`.
    pub evaluation: Vec<u8>,
}

record! { RequestRow in "token_request" {
    key { lineage: LineageId = "lineage", request: TokenRequestId = "request" }
    class = "class",
    key_epoch = "key_epoch",
    elements = "elements",
    attempts = "attempts",
    asked_at = "asked_at_ms",
    accepted_at = "accepted_at_ms";
    heavy { sealed = "sealed" }
} }
record! { AnswerRow in "token_answer" {
    key {
        lineage: LineageId = "lineage",
        request: TokenRequestId = "request",
        member: NodeId = "member",
    }
    generation = "generation",
    evaluation = "evaluation",
} }

/// Rows of what waits for tokens.
#[async_trait]
pub trait TokenRequestRows {
    /// Writes or replaces a request.
    async fn put_token_request(&mut self, row: RequestRow) -> Stored<()>;
    /// One request.
    async fn token_request(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<Option<RequestRow>>;
    /// All of a class, in the order of asking.
    async fn token_requests(&mut self, lineage: LineageId, class: Class)
    -> Stored<Vec<RequestRow>>;
    /// Deletes a request with its answers.
    async fn delete_token_request(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<()>;

    /// Keeps an answer; a newer one of the same member takes its place.
    async fn put_token_answer(&mut self, row: AnswerRow) -> Stored<()>;
    /// The answers to a request, by member.
    async fn token_answers(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<Vec<AnswerRow>>;
    /// Forgets one member's answer.
    async fn delete_token_answer(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
        member: &NodeId,
    ) -> Stored<()>;
}

/// Rows of records that wait for tokens.
#[async_trait]
pub trait WantedRows {
    /// Wants tokens of records, also where they were made before.
    async fn want_tokens(&mut self, rows: &[WantedRow]) -> Stored<()>;
    /// Records that wait, newest first, at most `limit`.
    async fn wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        limit: u32,
    ) -> Stored<Vec<WantedRow>>;
    /// How many records are in a state.
    async fn count_wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        state: &str,
    ) -> Stored<u64>;
    /// Puts records of one state into another.
    async fn turn_wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        records: &[RecordId],
        states: (&str, &str),
    ) -> Stored<()>;
    /// Wants tokens of all records of a state anew.
    async fn want_tokens_again(
        &mut self,
        lineage: LineageId,
        class: Class,
        state: &str,
    ) -> Stored<()>;
    /// Forgets a record.
    async fn forget_wanted_tokens(&mut self, record: RecordId) -> Stored<()>;
}
