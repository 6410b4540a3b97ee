//! A hub at the other end of a connection.

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::wire::hub::{Appended, News};
use raccordo_core::wire::seed::{Seed, Seeded};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::link::{Answered, Cursors, Feed, HubLink, LinkError};
use crate::app::hub::key_package_pool::{Claimed, Deposit, Given};
use crate::app::mail::Offer;
use crate::app::send::AppendCall;
use crate::store::node::MailRow;
use crate::transport::hub_link::{CALL_PATIENCE, CallError, Called, HubClient};

/// Cursors of one confirmation.
const CURSORS_MAX: usize = 256;

/// Calls a hub over the network.
pub struct RemoteLink {
    client: HubClient,
    stop: CancellationToken,
}

impl RemoteLink {
    /// Calls end when `stop` is cancelled: what was not answered is asked again later.
    pub fn new(client: HubClient, stop: CancellationToken) -> Self {
        Self { client, stop }
    }

    async fn call<T>(&self, called: impl Future<Output = Called<T>>) -> Answered<T> {
        tokio::select! {
            called = called => Ok(called?),
            () = self.stop.cancelled() => Err(later("stopping", "this node is stopping", "")),
            // The hub is told the same deadline; this is for one that does not keep it.
            () = tokio::time::sleep(CALL_PATIENCE + Duration::from_secs(5)) => {
                Err(later("timed_out", "the hub did not answer", "the node tries again by itself"))
            }
        }
    }
}

fn later(reason: &str, message: impl Into<String>, hint: impl Into<String>) -> LinkError {
    LinkError::Later { reason: reason.into(), message: message.into(), hint: hint.into() }
}

impl From<CallError> for LinkError {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Connect(cause) => later(cause.reason(), message, cause.hint()),
            CallError::Broken(_) => later("broken", message, "the node connects again by itself"),
            CallError::Unreadable(_) => Self::bad_answer(message),
            CallError::Answer { code, reason, .. } if is_final(code) => {
                Self::Refused { reason, message }
            }
            CallError::Answer { code: Code::ResourceExhausted, reason, .. }
                if !reason.is_empty() =>
            {
                Self::Full { reason, message }
            }
            CallError::Answer { code: Code::DeadlineExceeded | Code::Cancelled, .. } => {
                later("timed_out", message, "the node tries again by itself")
            }
            CallError::Answer { reason, .. } => {
                let reason = if reason.is_empty() { "hub_fault" } else { reason.as_str() };
                later(reason, message, "ask the hub's administrator if it persists")
            }
        }
    }
}

/// Whether a hub that answers so has judged the call.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
    )
}

#[async_trait]
impl HubLink for RemoteLink {
    async fn append(&self, call: &AppendCall) -> Answered<Appended> {
        self.call(self.client.append(call.group, &call.entries)).await
    }

    async fn confirm(&self, processed: &Cursors) -> Answered<()> {
        let none: &[(GroupId, Sequence)] = &[];
        let first = processed.groups.is_empty().then_some(none);
        for groups in processed.groups.chunks(CURSORS_MAX).chain(first) {
            self.call(self.client.confirm(groups, processed.mailbox)).await?;
        }
        Ok(())
    }

    async fn offer(&self, offer: &Offer) -> Answered<String> {
        self.call(self.client.offer(offer)).await
    }

    async fn found_group(
        &self,
        lineage: LineageId,
        group: GroupId,
        group_info: &[u8],
    ) -> Answered<()> {
        self.call(self.client.found_group(lineage, group, group_info)).await
    }

    async fn deposit(&self, deposits: &[Deposit]) -> Answered<()> {
        let deposit =
            |it: &Deposit| (it.key_package.clone(), it.last_resort, it.expires_at, it.replaces);
        let deposits: Vec<_> = deposits.iter().map(deposit).collect();
        self.call(self.client.deposit(&deposits)).await
    }

    async fn claim(&self, lineage: LineageId, suite: u16, parties: &[NodeId]) -> Answered<Claimed> {
        let (given, missing) = self.call(self.client.claim(lineage, suite, parties)).await?;
        let given = given.into_iter();
        let given =
            given.map(|(party, key_package, expires_at)| Given { party, key_package, expires_at });
        Ok(Claimed { key_packages: given.collect(), missing })
    }

    async fn fetch_tree(&self, group: GroupId, epoch: Option<Epoch>) -> Answered<Vec<u8>> {
        self.call(self.client.fetch_tree(group, epoch)).await
    }

    async fn seed(&self, page: Seed) -> Answered<Seeded> {
        self.call(self.client.seed(page)).await
    }

    async fn post(&self, mail: &MailRow) -> Answered<()> {
        self.call(self.client.post(&mail.recipient, mail.item, &mail.kind, &mail.payload)).await
    }
}

#[async_trait]
impl Feed for RemoteLink {
    async fn subscribe(&self, from: &Cursors) -> Answered<BoxStream<'static, Answered<News>>> {
        let news =
            self.call(self.client.subscribe(&from.groups, &from.checkpoints, from.mailbox)).await?;
        Ok(news.map(|news| Ok(news?)).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: Code, reason: &str, expected: (bool, &str)) {
        let (reason, message) = (reason.to_owned(), "m".to_owned());
        let error = LinkError::from(CallError::Answer { code, reason, message });
        let refused = matches!(error, LinkError::Refused { .. });
        assert_eq!((refused, error.reason()), expected);
        let full = matches!(error, LinkError::Full { .. });
        assert_eq!(full, code == Code::ResourceExhausted);
    }

    #[test]
    fn judgements_are_told_from_what_may_pass() {
        check(Code::PermissionDenied, "not_a_member", (true, "not_a_member"));
        check(Code::FailedPrecondition, "already_founded", (true, "already_founded"));
        check(Code::InvalidArgument, "malformed", (true, "malformed"));
        check(Code::ResourceExhausted, "rate_limited", (false, "rate_limited"));
        check(Code::Unavailable, "store_unavailable", (false, "store_unavailable"));
        check(Code::DeadlineExceeded, "", (false, "timed_out"));
        check(Code::Internal, "", (false, "hub_fault"));
    }
}
