//! Proposals of pacts, as they come sealed through a hub or as a file.

use raccordo_core::trust::proposal::Proposal;
use raccordo_core::wire::trust::{decode_kept_proposal, decode_proposal, encode_proposal};

use super::fixture;

/// The message.
pub fn run(data: &[u8]) -> bool {
    if let Ok(kept) = decode_kept_proposal(data) {
        asked(&kept);
    }
    let Ok(proposal) = decode_proposal(data) else { return false };
    let written = encode_proposal(&proposal);
    let again = decode_proposal(&written).expect("what was read is read again");
    assert_eq!(encode_proposal(&again), written);
    let mut merged = proposal.clone();
    assert!(!merged.merge(&again).expect("the same pact"), "nothing is new");
    asked(&proposal);
    true
}

fn asked(proposal: &Proposal) {
    let _ = (proposal.signed_by(), proposal.missing(), proposal.may_be_complete());
    let _ = (proposal.change(), proposal.moves(), proposal.succeeds(), proposal.hub());
    let _ = (proposal.words(), proposal.newcomers());
}

pub fn examples() -> Vec<Vec<u8>> {
    let first = Proposal::new(fixture::pact().clone(), fixture::cards().clone()).unwrap();
    let mut signed = first.clone();
    signed.sign(&fixture::node(1), &fixture::identity(1)).unwrap();
    let before = fixture::founding().clone();
    let mut after = fixture::next(before.statement());
    after.parties.pop();
    let leaving = fixture::pact()
        .redraft(&[(fixture::node(0), String::new()), (fixture::node(1), String::new())], true);
    let pact = raccordo_core::trust::pact::Pact::parse(&leaving).unwrap();
    after.pact = pact.digest();
    let next = Proposal::next(pact, before, after, fixture::cards().clone());
    let all = [Some(first), Some(signed), next.ok()];
    all.iter().flatten().map(encode_proposal).collect()
}
