//! A node in memory, for the tests of what stands around the use cases.

use std::sync::Arc;

use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::Crypto;
use raccordo_core::entropy::{Entropy, SeededEntropy};
use raccordo_core::id::BootId;
use raccordo_core::secret::Secret;
use raccordo_core::time::{Clock, Instant};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::vault::Vault;

use super::hub::Hub;
use super::init::{NewNode, NewTls, init};
use super::{Node, identity};
use crate::store::memory::MemoryStore;

/// A clock that stands still.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant(1_790_000_000_000)
    }
}

/// A new node of this id, reached by others where an endpoint is given, and then a hub.
pub(crate) async fn node(id: &str, hub_endpoint: Option<&str>) -> Arc<Node> {
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::labelled(id));
    let store = MemoryStore::new();
    let vault = Vault::new(&Secret::new([7; 32]));
    let new = NewNode {
        node: id.parse().unwrap(),
        name: id.to_owned(),
        ipa_code: None,
        hub_endpoint: hub_endpoint.map(str::to_owned),
    };
    let tls =
        NewTls { signing: IdentityKey::random(&*entropy), key: vec![1], certificate: vec![2] };
    init(&store, &vault, &*entropy, &Still, new, tls).await.unwrap();
    Arc::new(Node {
        envelopes_per_message_max: usize::MAX,
        identity: identity::load(&store, &vault).await.unwrap(),
        store: Arc::new(store),
        vault,
        crypto: Crypto::new(entropy.clone()),
        boot: BootId::random(&*entropy),
        entropy,
        clock: Arc::new(Still),
        lists: CodeLists::builtin(),
        started_at: Still.now(),
        claims: Default::default(),
        voice: Default::default(),
        matching: Default::default(),
        keys: Default::default(),
        gists: Default::default(),
        told: Default::default(),
        quotas: Default::default(),
        accounts: Default::default(),
        reading: Default::default(),
        slots: Default::default(),
        signals: Default::default(),
        hub: hub_endpoint.map(|_| Hub::new(Default::default())),
        rhythm: Default::default(),
        links: Default::default(),
    })
}
