//! What travels between nodes and hubs, as messages of `hub/v1`.

use prost::Message;
use raccordo_proto::hub::v1 as proto;

use super::WireError;
use crate::hublog::{SignedCheckpoint, WelcomeItem};
use crate::id::{Epoch, GroupId, LineageId, Sequence};
use crate::time::Instant;

/// A checkpoint as a message.
pub fn checkpoint_message(checkpoint: &SignedCheckpoint) -> proto::Checkpoint {
    proto::Checkpoint {
        checkpoint: checkpoint.bytes().to_vec(),
        signature: checkpoint.signature().to_vec(),
    }
}

/// Reads a checkpoint; its signature is checked by whoever knows the hub.
///
/// # Errors
/// [`WireError::Field`].
pub fn checkpoint(message: &proto::Checkpoint) -> Result<SignedCheckpoint, WireError> {
    let field = WireError::Field("checkpoint");
    let signature = message.signature.as_slice().try_into().map_err(|_| field.clone())?;
    SignedCheckpoint::parse(&message.checkpoint, signature).map_err(|_| field)
}

/// Encodes a Welcome item.
pub fn encode_welcome(item: &WelcomeItem) -> Vec<u8> {
    proto::WelcomeItem {
        group_id: item.group.0.to_vec(),
        lineage: item.lineage.0.to_vec(),
        epoch: item.epoch.0,
        sequence: item.sequence.0,
        checkpoint: Some(checkpoint_message(&item.checkpoint)),
        welcome: item.welcome.clone(),
        accepted_at_ms: item.accepted_at.0,
    }
    .encode_to_vec()
}

/// Reads a Welcome item.
///
/// # Errors
/// [`WireError`].
pub fn decode_welcome(bytes: &[u8]) -> Result<WelcomeItem, WireError> {
    let message = proto::WelcomeItem::decode(bytes)?;
    let checkpoint = message.checkpoint.as_ref().ok_or(WireError::Field("checkpoint"))?;
    Ok(WelcomeItem {
        group: GroupId::try_from(message.group_id.as_slice())
            .map_err(|_| WireError::Field("group_id"))?,
        lineage: LineageId::try_from(message.lineage.as_slice())
            .map_err(|_| WireError::Field("lineage"))?,
        epoch: Epoch(message.epoch),
        sequence: Sequence(message.sequence),
        checkpoint: self::checkpoint(checkpoint)?,
        welcome: message.welcome,
        accepted_at: Instant(message.accepted_at_ms),
    })
}
