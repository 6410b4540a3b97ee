//! What travels: sizes, and what can be read of a message without any key.

use openmls::framing::{ContentType, MlsMessageBodyIn, MlsMessageIn, ProtocolMessage, WireFormat};
use openmls::messages::group_info::VerifiableGroupInfo;
use tls_codec::DeserializeBytes as _;

use super::SessionError;
use crate::id::{Epoch, GroupId};

/// Bytes of an application message at most: 72 KiB, for 64 KiB of padded plaintext.
pub const MESSAGE_BYTES_MAX: usize = 72 * 1024;
/// Bytes of a commit, GroupInfo, Welcome or ratchet tree at most: 4 MiB.
pub const COMMIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The two kinds of MLS messages that an équipe's log carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A PrivateMessage with content type `application`.
    Application,
    /// A PublicMessage with content type `commit`.
    Commit,
}

/// What a message says of itself; unauthenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The group.
    pub group: GroupId,
    /// The epoch in which it was made.
    pub epoch: Epoch,
    /// Which of the two it is.
    pub kind: FrameKind,
}

/// Reads the header of a message of the log, without any key.
///
/// # Errors
/// [`SessionError::TooLarge`], [`SessionError::Malformed`],
/// [`SessionError::NotAdmissible`] for every other kind of MLS message.
pub fn peek(payload: &[u8]) -> Result<Header, SessionError> {
    frame(payload).map(|(header, _)| header)
}

/// Parses a message of the log and checks its size, wire format and content type, before
/// OpenMLS acts on it (DESIGN §4).
pub(crate) fn frame(payload: &[u8]) -> Result<(Header, ProtocolMessage), SessionError> {
    let message = parse(payload)?.try_into_protocol_message();
    let message = message.map_err(|_| SessionError::NotAdmissible)?;
    let kind = match (message.wire_format(), message.content_type()) {
        (WireFormat::PublicMessage, ContentType::Commit) => FrameKind::Commit,
        (WireFormat::PrivateMessage, ContentType::Application) => FrameKind::Application,
        _ => return Err(SessionError::NotAdmissible),
    };
    if kind == FrameKind::Application && payload.len() > MESSAGE_BYTES_MAX {
        return Err(SessionError::TooLarge);
    }
    let group = group_id(message.group_id()).ok_or(SessionError::WrongGroup)?;
    Ok((Header { group, epoch: Epoch(message.epoch().as_u64()), kind }, message))
}

/// Parses a GroupInfo, not yet verified.
pub(crate) fn group_info(bytes: &[u8]) -> Result<VerifiableGroupInfo, SessionError> {
    match parse(bytes)?.extract() {
        MlsMessageBodyIn::GroupInfo(info) => Ok(info),
        _ => Err(SessionError::Malformed),
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Result<MlsMessageIn, SessionError> {
    if bytes.len() > COMMIT_BYTES_MAX {
        return Err(SessionError::TooLarge);
    }
    MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| SessionError::Malformed)
}

pub(crate) fn group_id(id: &openmls::group::GroupId) -> Option<GroupId> {
    GroupId::try_from(id.as_slice()).ok()
}

pub(crate) fn mls_group_id(id: &GroupId) -> openmls::group::GroupId {
    openmls::group::GroupId::from_slice(id.as_bytes())
}
