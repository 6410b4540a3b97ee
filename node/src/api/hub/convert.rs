//! Between messages of `hub/v1` and what the use cases take and give. A message that cannot
//! be read is its sender's fault, reason `malformed`.

use raccordo_core::hublog::SignedCheckpoint;
use raccordo_core::id::{Epoch, GroupId, IdError, NodeId, Sequence};
use raccordo_core::wire::offer::Offer;
use raccordo_core::wire::seed::Seed;
use raccordo_core::wire::{self, WireError};
use raccordo_proto::hub::v1 as proto;

use crate::app::fault::{Done, Fault};
use crate::app::hub::append::Handed;
use crate::app::hub::key_package_pool::{Claimed, Deposit};

/// Most groups of one subscription or confirmation.
const CURSORS_MAX: usize = 256;
/// Most key packages of one deposit.
const DEPOSITS_MAX: usize = 20;

fn malformed(field: &str) -> Fault {
    Fault::usage("malformed", format!("the field {field} is missing or malformed"))
}

fn unreadable(cause: WireError) -> Fault {
    Fault::usage("malformed", cause.to_string())
}

/// An id of fixed length.
pub fn bytes<'b, Id>(bytes: &'b [u8], field: &str) -> Done<Id>
where
    Id: TryFrom<&'b [u8], Error = IdError>,
{
    Id::try_from(bytes).map_err(|_| malformed(field))
}

/// A node's id.
pub fn node_id(text: &str, field: &str) -> Done<NodeId> {
    text.parse().map_err(|_| malformed(field))
}

/// An MLS ciphersuite's number, two bytes (RFC 9420 §17.1).
pub fn suite(number: u32) -> Done<u16> {
    u16::try_from(number).map_err(|_| malformed("ciphersuite"))
}

/// Cursors of a subscription or confirmation.
pub fn cursors(cursors: &[proto::Cursor]) -> Done<Vec<(GroupId, Sequence)>> {
    if cursors.len() > CURSORS_MAX {
        return Err(Fault::usage("too_many", "a call names at most 256 groups"));
    }
    wire::hub::cursors(cursors).map_err(unreadable)
}

/// The newest processed item of the caller's mailbox.
pub fn mailbox_cursor(number: u64) -> Done<u64> {
    wire::hub::mailbox_cursor(number).map_err(unreadable)
}

/// The epoch of the tree that is asked for; none for the present one.
pub fn tree_epoch(number: Option<u64>) -> Done<Option<Epoch>> {
    number.map(wire::hub::tree_epoch).transpose().map_err(unreadable)
}

/// A hub's signatures that a subscriber shows.
pub fn checkpoints(checkpoints: &[proto::Checkpoint]) -> Done<Vec<SignedCheckpoint>> {
    if checkpoints.len() > CURSORS_MAX {
        return Err(Fault::usage("too_many", "a call shows at most 256 checkpoints"));
    }
    let read = |checkpoint| wire::hub::checkpoint(checkpoint).map_err(|_| malformed("checkpoints"));
    checkpoints.iter().map(read).collect()
}

/// A page of a log.
pub fn seed(page: proto::SeedGroupRequest) -> Done<Seed> {
    wire::seed::seed(page).map_err(unreadable)
}

/// An entry as a member hands it in.
pub fn handed(entry: proto::NewEntry) -> Done<Handed> {
    wire::hub::new_entry(entry).map_err(unreadable)
}

/// The parties of a claim; how many they may be is looked at where the claimant is known.
pub fn parties(named: &[String]) -> Done<Vec<NodeId>> {
    named.iter().map(|party| node_id(party, "parties")).collect()
}

/// An offer; what does not verify is refused by its own reason.
pub fn offer(asked: &proto::OfferEquipeRequest) -> Done<Offer> {
    if asked.statement.is_none() {
        return Err(malformed("statement"));
    }
    wire::offer::offer(asked).map_err(|cause| match cause {
        WireError::Field("card") => Fault::refused("bad_card", cause.to_string()),
        cause => Fault::refused("bad_statement", cause.to_string()),
    })
}

/// Key packages as their owner hands them in.
pub fn deposits(asked: proto::DepositKeyPackagesRequest) -> Done<Vec<Deposit>> {
    if asked.key_packages.len() > DEPOSITS_MAX {
        return Err(Fault::usage("too_many", "a call deposits at most 20 key packages"));
    }
    let deposit = |deposited: proto::DepositedKeyPackage| {
        Ok(Deposit {
            key_package: deposited.key_package,
            last_resort: deposited.last_resort,
            expires_at: wire::hub::expiry(deposited.expires_at_ms).map_err(unreadable)?,
            replaces: deposited.replaces,
        })
    };
    asked.key_packages.into_iter().map(deposit).collect()
}

/// Key packages that were claimed.
pub fn claim_response(claimed: Claimed) -> proto::ClaimKeyPackagesResponse {
    let key_packages = claimed.key_packages.into_iter().map(|given| proto::ClaimedKeyPackage {
        party: given.party.to_string(),
        key_package: given.key_package,
        expires_at_ms: given.expires_at.0,
    });
    proto::ClaimKeyPackagesResponse {
        key_packages: key_packages.collect(),
        missing: claimed.missing.iter().map(NodeId::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_entry_is_usage() {
        let fault = handed(proto::NewEntry::default()).unwrap_err();
        assert_eq!(fault.reason, "malformed");
        assert!(fault.message.contains("entry_id"), "{}", fault.message);
    }

    #[test]
    fn cursors_are_bounded_and_whole() {
        let cursor = |len| proto::Cursor { group_id: vec![7; len], sequence: 5 };
        assert_eq!(cursors(&[cursor(32)]), Ok(vec![(GroupId([7; 32]), Sequence(5))]));
        assert_eq!(cursors(&[cursor(31)]).unwrap_err().reason, "malformed");
        assert_eq!(cursors(&vec![cursor(32); CURSORS_MAX + 1]).unwrap_err().reason, "too_many");
        let beyond = proto::Cursor { sequence: 1 << 63, ..cursor(32) };
        let fault = cursors(&[beyond]).unwrap_err();
        assert_eq!((fault.reason, fault.message.contains("sequence")), ("malformed", true));
    }

    #[test]
    fn numbers_of_calls_are_bounded() {
        assert_eq!(mailbox_cursor(7), Ok(7));
        assert_eq!(mailbox_cursor(1 << 53).unwrap_err().reason, "malformed");
        assert_eq!(tree_epoch(None), Ok(None));
        assert_eq!(tree_epoch(Some(7)), Ok(Some(Epoch(7))));
        assert_eq!(tree_epoch(Some(u64::MAX)).unwrap_err().reason, "malformed");
        let deposit = |expires_at_ms| proto::DepositKeyPackagesRequest {
            key_packages: vec![proto::DepositedKeyPackage { expires_at_ms, ..Default::default() }],
        };
        assert!(deposits(deposit(1_790_000_000_000)).is_ok());
        for expires_at_ms in [i64::MIN, -1, i64::MAX] {
            assert_eq!(deposits(deposit(expires_at_ms)).unwrap_err().reason, "malformed");
        }
    }

    #[test]
    fn suites_have_two_bytes() {
        assert_eq!(suite(0xffff), Ok(0xffff));
        assert_eq!(suite(0x1_0000).unwrap_err().reason, "malformed");
    }

    #[test]
    fn an_offer_without_statement_is_malformed() {
        let fault = offer(&proto::OfferEquipeRequest::default()).unwrap_err();
        assert_eq!(fault.reason, "malformed");
        let statement = Some(raccordo_proto::trust::v1::SignedStatement::default());
        let asked = proto::OfferEquipeRequest { statement, ..Default::default() };
        assert_eq!(offer(&asked).unwrap_err().reason, "bad_statement");
    }
}
