//! Whose a key is: at one node, each key belongs to one node alone.
//!
//! Identity, TLS and MLS keys are proven by the card, so that who claims one has it, and two
//! nodes with one key are one node, or a thief and its victim. A sealing key signs nothing:
//! anybody can copy it from a card. It counts as held by whoever has opened a challenge
//! ([`super::sealing_challenge`]), so that a copy keeps nobody out.

use crate::id::{Digest, NodeId};
use crate::trust::card::Card;
use crate::trust::keys::PublicKey;
use crate::trust::possession::KeyUse;

/// A card that is known here, as far as its keys are concerned.
#[derive(Clone, Debug)]
pub struct HeldKeys {
    /// Whose it is.
    pub node: NodeId,
    /// Identity, TLS and MLS key.
    signing: [PublicKey; 3],
    /// The sealing key, where the node has opened a challenge to it.
    sealing: Option<Digest>,
}

impl HeldKeys {
    /// The keys of a card; `opened` is the digest of the sealing key to which its node has
    /// opened a challenge, if it has.
    pub fn of(card: &Card, opened: Option<Digest>) -> Self {
        let sealing = opened.filter(|opened| *opened == card.sealing_key_digest());
        Self { node: card.node.clone(), signing: card.signing_keys(), sealing }
    }
}

/// A key of a card that another node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyConflict {
    /// What the card claims it for.
    pub key_use: KeyUse,
    /// Who holds it.
    pub holder: NodeId,
}

/// The first key of a card that belongs to another node, whatever that one uses it for.
pub fn conflict<'a>(
    card: &Card,
    known: impl IntoIterator<Item = &'a HeldKeys>,
) -> Option<KeyConflict> {
    let uses = [KeyUse::Identity, KeyUse::Tls, KeyUse::Mls];
    let sealing = card.sealing_key_digest();
    known.into_iter().filter(|held| held.node != card.node).find_map(|held| {
        let mut claimed = uses.into_iter().zip(card.signing_keys());
        let taken = claimed.find(|(_, key)| held.signing.contains(key)).map(|(key_use, _)| key_use);
        let taken = taken.or((held.sealing == Some(sealing)).then_some(KeyUse::Sealing));
        taken.map(|key_use| KeyConflict { key_use, holder: held.node.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::possession::ProvenKey;
    use crate::trust::sample;

    fn other(bend: impl FnOnce(&mut Card, &Card)) -> Option<KeyUse> {
        let held = sample::card(1, 1).card().clone();
        let mut card = sample::card(2, 1).card().clone();
        bend(&mut card, &held);
        let opened = Some(held.sealing_key_digest());
        let found = conflict(&card, &[HeldKeys::of(&held, opened)]);
        assert!(found.iter().all(|found| found.holder == held.node));
        found.map(|found| found.key_use)
    }

    #[test]
    fn a_key_of_another_node_is_found_whatever_it_is_used_for() {
        assert_eq!(other(|_, _| {}), None);
        assert_eq!(other(|card, held| card.identity = held.identity), Some(KeyUse::Identity));
        assert_eq!(other(|card, held| card.tls_key = held.tls_key), Some(KeyUse::Tls));
        assert_eq!(other(|card, held| card.mls_key = held.mls_key), Some(KeyUse::Mls));
        assert_eq!(other(|card, held| card.mls_key = held.tls_key), Some(KeyUse::Mls));
        let identity = |card: &mut Card, held: &Card| {
            card.tls_key = ProvenKey { key: held.identity, ..held.tls_key };
        };
        assert_eq!(other(identity), Some(KeyUse::Tls));
        let sealing = |card: &mut Card, held: &Card| card.sealing_key = held.sealing_key.clone();
        assert_eq!(other(sealing), Some(KeyUse::Sealing));
    }

    #[test]
    fn own_keys_are_kept_and_a_copied_sealing_key_keeps_nobody_out() {
        let (old, new) = (sample::card(1, 1), sample::card(1, 2));
        let held = HeldKeys::of(old.card(), Some(old.card().sealing_key_digest()));
        assert_eq!(conflict(new.card(), std::slice::from_ref(&held)), None);
        assert_eq!(conflict(old.card(), &[held]), None);
        // Who has only copied it has opened no challenge, or one to a key that it had before.
        let mut copy = sample::card(2, 1).card().clone();
        let before = copy.sealing_key_digest();
        copy.sealing_key = old.card().sealing_key.clone();
        for opened in [None, Some(before)] {
            assert_eq!(conflict(old.card(), &[HeldKeys::of(&copy, opened)]), None);
        }
    }
}
