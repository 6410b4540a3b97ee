//! A node's keys in the hands of a test, which says to a hub what no node would say.

use std::time::Duration;

use anyhow::Context as _;
use raccordo_core::id::NodeId;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_node::entropy::SystemEntropy;
use raccordo_node::setup::Opened;
use raccordo_node::transport::connect::{ConnectError, Route};
use raccordo_node::transport::identity::{TlsIdentity, TlsKey};
use raccordo_node::transport::pin::TrustedPins;
use raccordo_proto::hub::v1::hub_service_client::HubServiceClient;
use tonic::transport::Channel;

use super::Node;

/// Longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(20);
/// Messages as large as a test likes.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// A connection to a hub without a node behind it.
pub struct Raw {
    /// The connection.
    pub channel: Channel,
    /// Calls with good messages of any size.
    pub client: HubServiceClient<Channel>,
}

impl Raw {
    /// Speaks as a node that does not run; its home stays locked while `opened` lives.
    ///
    /// # Errors
    /// The hub does not take the node's key.
    pub async fn of(opened: &Opened, hub: &SignedCard) -> Result<Self, ConnectError> {
        Self::dial(&opened.tls, hub).await
    }

    /// Speaks with a key that nobody knows.
    ///
    /// # Errors
    /// The hub's refusal, as a node would tell it.
    pub async fn stranger(hub: &SignedCard) -> anyhow::Result<Result<Self, ConnectError>> {
        let key = TlsKey::for_peers(
            &"nobody".parse::<NodeId>()?,
            &IdentityKey::random(&SystemEntropy::open()?),
        )?;
        let identity = TlsIdentity::from_parts(&key.pkcs8, &key.certificate)?;
        Ok(Self::dial(&identity, hub).await)
    }

    async fn dial(identity: &TlsIdentity, hub: &SignedCard) -> Result<Self, ConnectError> {
        let card = hub.card();
        let trusted = TrustedPins::new();
        trusted.trust(card.tls_pin(), card.node.clone());
        let unusable = |error: String| ConnectError::Broken {
            source: std::sync::Arc::new(std::io::Error::other(error)),
        };
        let endpoint = card.hub_endpoint.clone().unwrap_or_default();
        let endpoint = endpoint.parse().map_err(|_| unusable(format!("no hub at {endpoint}")))?;
        let route = Route::new(identity, trusted, card.node.clone(), endpoint, None, PATIENCE);
        let channel = route.map_err(|error| unusable(error.to_string()))?.channel().await?;
        let client = HubServiceClient::new(channel.clone())
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
            .max_decoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { channel, client })
    }
}

impl Node {
    /// Opens the home of a node that does not run: its keys and its store.
    ///
    /// # Errors
    /// It runs, or the home is damaged.
    pub async fn open(&self) -> anyhow::Result<Opened> {
        let opened = raccordo_node::setup::open(self.home().clone()).await;
        opened.with_context(|| format!("{} cannot be opened", self.home().path().display()))
    }

    /// Its newest card.
    ///
    /// # Errors
    /// The home is damaged.
    pub async fn card(&self) -> anyhow::Result<SignedCard> {
        let file = raccordo_node::setup::export_card(self.home()).await?;
        Ok(SignedCard::from_file(&file)?)
    }
}
