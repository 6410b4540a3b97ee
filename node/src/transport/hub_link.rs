//! Calls to a hub over one channel, in plain values: the client's half of `hub/v1`.

use std::fmt;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use raccordo_core::hublog::SignedCheckpoint;
use raccordo_core::id::{Epoch, GroupId, ItemId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;
use raccordo_core::wire::WireError;
use raccordo_core::wire::hub::{self, Appended, Handed, News};
use raccordo_core::wire::offer::{Offer, offer_message};
use raccordo_core::wire::seed::{self, Seed, Seeded};
use raccordo_proto::hub::v1 as proto;
use raccordo_proto::hub::v1::hub_service_client::HubServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tower::Layer as _;

use super::calls::{AnswersBounded, BoundedAnswers};
use super::connect::{ConnectError, explain, is_transport};
use super::limits::HUB_MESSAGE_BYTES_MAX;

/// Longest that a hub may take for one answer.
pub const CALL_PATIENCE: Duration = Duration::from_secs(30);

/// Why a call failed.
#[derive(Clone, Debug)]
pub enum CallError {
    /// The connection could not be made.
    Connect(ConnectError),
    /// The connection broke, or the hub took too long.
    Broken(String),
    /// The hub answered with a status.
    Answer {
        /// gRPC code.
        code: Code,
        /// Stable reason; empty where the hub gave none.
        reason: String,
        /// The hub's sentence.
        message: String,
    },
    /// The hub's answer cannot be read.
    Unreadable(WireError),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Broken(text) => write!(f, "the connection broke: {text}"),
            Self::Answer { message, .. } => f.write_str(message),
            Self::Unreadable(error) => write!(f, "the hub's answer cannot be read: {error}"),
        }
    }
}

impl std::error::Error for CallError {}

impl From<WireError> for CallError {
    fn from(error: WireError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        if let Some(error) = explain(&status) {
            return Self::Connect(error.clone());
        }
        let message = status.message().to_owned();
        if is_transport(&status) {
            return Self::Broken(message);
        }
        let reason = status.metadata().get("raccordo-reason");
        let reason = reason.and_then(|reason| reason.to_str().ok()).unwrap_or_default().to_owned();
        Self::Answer { code: status.code(), reason, message }
    }
}

/// Short for answers.
pub type Called<T> = Result<T, CallError>;

/// A hub at the other end of a channel.
#[derive(Clone)]
pub struct HubClient {
    client: HubServiceClient<AnswersBounded<Channel>>,
}

impl HubClient {
    /// Speaks over a channel of [`super::connect::Route`].
    pub fn new(channel: Channel) -> Self {
        let client = HubServiceClient::new(BoundedAnswers.layer(channel))
            .max_decoding_message_size(HUB_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(HUB_MESSAGE_BYTES_MAX);
        Self { client }
    }

    /// Appends entries to a group's log.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn append(&self, group: GroupId, entries: &[Handed]) -> Called<Appended> {
        let message = proto::AppendRequest {
            group_id: group.as_bytes().to_vec(),
            entries: entries.iter().map(hub::new_entry_message).collect(),
        };
        let answer = self.client.clone().append(timed(message)).await?;
        Ok(hub::appended(answer.into_inner())?)
    }

    /// Follows logs and mailbox from cursors; no deadline.
    ///
    /// # Errors
    /// [`CallError`], also as the last item of the stream.
    pub async fn subscribe(
        &self,
        groups: &[(GroupId, Sequence)],
        checkpoints: &[SignedCheckpoint],
        mailbox_cursor: u64,
    ) -> Called<BoxStream<'static, Called<News>>> {
        let groups = hub::cursor_messages(groups);
        let checkpoints = checkpoints.iter().map(hub::checkpoint_message).collect();
        let message = proto::SubscribeRequest { groups, mailbox_cursor, checkpoints };
        let stream = self.client.clone().subscribe(message).await?.into_inner();
        Ok(stream.map(|item| Ok(hub::news(item?)?)).boxed())
    }

    /// Tells what is durably processed.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn confirm(&self, groups: &[(GroupId, Sequence)], mailbox_cursor: u64) -> Called<()> {
        let groups = hub::cursor_messages(groups);
        let message = proto::ConfirmRequest { groups, mailbox_cursor };
        self.client.clone().confirm(timed(message)).await?;
        Ok(())
    }

    /// Offers an équipe; answers with its state at the hub.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn offer(&self, offer: &Offer) -> Called<String> {
        let message = offer_message(offer);
        Ok(hub::state(self.client.clone().offer_equipe(timed(message)).await?.into_inner().state)?)
    }

    /// Uploads epoch 0: GroupInfo with tree.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn found_group(
        &self,
        lineage: LineageId,
        group: GroupId,
        group_info: &[u8],
    ) -> Called<()> {
        let message = proto::FoundGroupRequest {
            group_id: group.as_bytes().to_vec(),
            lineage: lineage.as_bytes().to_vec(),
            group_info: group_info.to_vec(),
        };
        self.client.clone().found_group(timed(message)).await?;
        Ok(())
    }

    /// Adds key packages to this node's pool: each with whether it is a last resort, its
    /// expiry, and whether all before it go.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn deposit(&self, key_packages: &[(Vec<u8>, bool, Instant, bool)]) -> Called<()> {
        type Deposited = (Vec<u8>, bool, Instant, bool);
        let message = |(key_package, last_resort, expires_at, replaces): &Deposited| {
            proto::DepositedKeyPackage {
                key_package: key_package.clone(),
                last_resort: *last_resort,
                expires_at_ms: expires_at.0,
                replaces: *replaces,
            }
        };
        let key_packages = key_packages.iter().map(message).collect();
        let message = proto::DepositKeyPackagesRequest { key_packages };
        self.client.clone().deposit_key_packages(timed(message)).await?;
        Ok(())
    }

    /// Takes one key package of each party: those given out with their ends, and who has none.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn claim(
        &self,
        lineage: LineageId,
        suite: u16,
        parties: &[NodeId],
    ) -> Called<(Vec<(NodeId, Vec<u8>, Instant)>, Vec<NodeId>)> {
        let message = proto::ClaimKeyPackagesRequest {
            lineage: lineage.as_bytes().to_vec(),
            ciphersuite: suite.into(),
            parties: parties.iter().map(ToString::to_string).collect(),
        };
        let answer = self.client.clone().claim_key_packages(timed(message)).await?.into_inner();
        let mut claimed = Vec::new();
        for one in answer.key_packages {
            let party = hub::node_id(&one.party, "party")?;
            claimed.push((party, one.key_package, hub::expiry(one.expires_at_ms)?));
        }
        let missing = answer.missing.iter().map(|party| hub::node_id(party, "missing"));
        Ok((claimed, missing.collect::<Result<_, _>>()?))
    }

    /// The tree of a group at an epoch, or the present one.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn fetch_tree(&self, group: GroupId, epoch: Option<Epoch>) -> Called<Vec<u8>> {
        let group_id = group.as_bytes().to_vec();
        let message = proto::FetchTreeRequest { group_id, epoch: epoch.map(|epoch| epoch.0) };
        Ok(self.client.clone().fetch_tree(timed(message)).await?.into_inner().ratchet_tree)
    }

    /// Hands over a page of a log.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn seed(&self, page: Seed) -> Called<Seeded> {
        let message = timed(seed::seed_message(page));
        Ok(seed::seeded(&self.client.clone().seed_group(message).await?.into_inner())?)
    }

    /// Leaves an item in a peer's mailbox.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post(
        &self,
        recipient: &NodeId,
        item: ItemId,
        kind: &str,
        payload: &[u8],
    ) -> Called<()> {
        let message = proto::PostRequest {
            recipient: recipient.to_string(),
            item_id: item.as_bytes().to_vec(),
            kind: kind.to_owned(),
            payload: payload.to_vec(),
        };
        self.client.clone().post(timed(message)).await?;
        Ok(())
    }
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_PATIENCE);
    request
}

#[cfg(test)]
mod tests {
    use super::super::limits::refusal;
    use super::*;

    #[test]
    fn an_answer_keeps_code_reason_and_sentence() {
        let status = refusal(Status::permission_denied("not yours"), "not_a_member");
        let CallError::Answer { code, reason, message } = CallError::from(status) else {
            panic!("not an answer");
        };
        assert_eq!(code, Code::PermissionDenied);
        assert_eq!((reason.as_str(), message.as_str()), ("not_a_member", "not yours"));
    }

    #[test]
    fn what_this_side_made_is_no_answer() {
        let connect = ConnectError::NotTrusted { node: "relay".parse().unwrap() };
        let status = Status::from_error(Box::new(connect));
        assert!(matches!(
            CallError::from(status),
            CallError::Connect(ConnectError::NotTrusted { .. })
        ));
        let broken = Status::from_error(Box::new(std::io::Error::other("reset")));
        assert!(matches!(CallError::from(broken), CallError::Broken(_)));
    }
}
