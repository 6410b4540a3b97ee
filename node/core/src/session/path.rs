//! The keys that a commit puts into parent nodes. Of a path OpenMLS shows the leaf alone, so
//! the rest is read from the bytes, after OpenMLS has verified them.
//!
//! Refused are keys that nobody could use. That the committer's key is one of which nobody has
//! the private part shows only to who decrypts the path secret below it (RFC 9420 §12.4.2):
//! such a commit those members cannot process, and it is void by their word.

use openmls::group::PublicGroup;
use openmls::treesync::LeafNode;
use tls_codec::{DeserializeBytes as _, Serialize as _, VLBytes};

use super::SessionError;
use crate::crypto::Suite;
use crate::trust::key_check;

/// Protocol version and wire format before the message (RFC 9420 §6).
const MESSAGE_HEADER: usize = 4;
/// An epoch.
const EPOCH: usize = 8;
/// A sender that is a member: its type, and its leaf.
const MEMBER: usize = 5;
/// A content type, or whether an optional follows.
const TAG: usize = 1;

/// HPKE public keys of the parent nodes of a commit's path, from the leaf upwards (RFC 9420
/// §6.1, §7.6 and §12.4); none where it has no path. `commit` is a PublicMessage of a member,
/// and `leaf` the path's, as OpenMLS has read it.
pub(super) fn keys(commit: &[u8], leaf: Option<&LeafNode>) -> Result<Vec<Vec<u8>>, SessionError> {
    let Some(leaf) = leaf else { return Ok(Vec::new()) };
    let leaf = leaf.tls_serialize_detached().map_err(SessionError::internal)?;
    let (_group, rest) = vector(after(commit, MESSAGE_HEADER)?)?;
    let (_authenticated_data, rest) = vector(after(rest, EPOCH + MEMBER)?)?;
    let (_proposals, rest) = vector(after(rest, TAG)?)?;
    let path = after(rest, TAG)?.strip_prefix(leaf.as_slice()).ok_or(SessionError::Malformed)?;
    let (nodes, _) = vector(path)?;
    let mut rest = nodes.as_slice();
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (key, secrets) = vector(rest)?;
        keys.push(key.as_slice().to_vec());
        rest = vector(secrets)?.1;
    }
    Ok(keys)
}

fn after(bytes: &[u8], count: usize) -> Result<&[u8], SessionError> {
    bytes.get(count..).ok_or(SessionError::Malformed)
}

/// A vector with its length in front (RFC 9420 §2.1.2), and what follows it.
fn vector(bytes: &[u8]) -> Result<(VLBytes, &[u8]), SessionError> {
    VLBytes::tls_deserialize_bytes(bytes).map_err(|_| SessionError::Malformed)
}

/// Whether members can seal to every parent node of a tree that was not followed commit by
/// commit. A parent node begins with its key (RFC 9420 §7.1).
pub(crate) fn are_parents_usable(group: &PublicGroup) -> bool {
    let Some(suite) = Suite::from_number(u16::from(group.ciphersuite())) else { return false };
    group.treesync().full_parents().all(|(_, parent)| {
        let parent = parent.tls_serialize_detached().unwrap_or_default();
        vector(&parent).is_ok_and(|(key, _)| key_check::hpke(suite, key.as_slice()).is_ok())
    })
}
