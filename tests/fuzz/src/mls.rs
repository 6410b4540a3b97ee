//! MLS messages as they come from outside, before any group is known: frames, key packages,
//! trees, and the groups that a hub is asked to carry.

use raccordo_core::crypto::{Crypto, Suite};
use raccordo_core::hubgroup::HubGroup;
use raccordo_core::session::{leaves_in_tree, peek, read_key_package};
use raccordo_core::trust::validator::{validate_founding, validate_leaf, validate_view};
use std::sync::{Arc, LazyLock};

use super::group::Lab;
use super::{choice, fixture};

static CRYPTO: LazyLock<Arc<Crypto>> =
    LazyLock::new(|| Crypto::new(Arc::new(fixture::entropy("mls"))));

/// A byte for the kind, then the message.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = choice(data) else { return false };
    match kind % 5 {
        0 => peek(bytes).is_ok(),
        1 => read_key_package(&CRYPTO, bytes).is_ok_and(|package| {
            let _ = validate_leaf(&package.leaf);
            true
        }),
        2 => leaves_in_tree(bytes, &fixture::node(1)).is_ok(),
        3 => HubGroup::found(&CRYPTO, bytes).is_ok_and(|(group, view)| {
            let _ = validate_founding(&view);
            assert!(group.tree().is_ok());
            true
        }),
        _ => adopted(bytes),
    }
}

/// Two bytes for the length of the GroupInfo, then that and the tree.
fn adopted(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk() else { return false };
    let length = usize::from(u16::from_be_bytes(*length));
    let Some((info, tree)) = rest.split_at_checked(length) else { return false };
    HubGroup::adopt(&CRYPTO, info, tree).is_ok_and(|(_, view)| {
        let _ = validate_view(&view);
        true
    })
}

pub fn examples() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for suite in [Suite::Classical, Suite::Hybrid] {
        let lab = Lab::found(suite);
        let with = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
        let length = (lab.info.len() as u16).to_be_bytes();
        let both = [&length, &lab.info[..], &lab.tree].concat();
        all.extend([
            with(0, &lab.message),
            with(0, &lab.commit),
            with(1, &lab.package),
            with(2, &lab.tree),
            with(3, &lab.founding),
            with(4, &both),
        ]);
    }
    all
}
