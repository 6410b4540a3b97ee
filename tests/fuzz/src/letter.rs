//! What is sealed to one node: letters, events of matches, and the plaintext in them.

use raccordo_core::envelope::{Body, Envelope};
use raccordo_core::id::{Digest, EnvelopeId};
use raccordo_core::letter::{self, Route};
use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::letter as match_letter;
use raccordo_core::matching::life::MatchId;
use raccordo_core::sealing::SealingKey;
use std::sync::LazyLock;

use super::{choice, fixture};

static KEY: LazyLock<SealingKey> = LazyLock::new(|| fixture::sealing(0));

fn routed<T>(with: impl FnOnce(Route<'_>) -> T) -> T {
    let (sender, recipient) = (fixture::node(1), fixture::node(0));
    with(Route { lineage: fixture::LINEAGE, sender: &sender, recipient: &recipient })
}

/// A byte for the kind, then what another member calls a letter.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = choice(data) else { return false };
    match kind % 2 {
        0 => routed(|route| letter::open(&KEY, route, bytes)).is_ok(),
        _ => routed(|route| match_letter::open(&KEY, route, bytes)).is_ok_and(|it| it.is_some()),
    }
}

pub fn examples() -> Vec<Vec<u8>> {
    let envelope = Envelope {
        id: EnvelopeId([1; 16]),
        lineage: fixture::LINEAGE,
        number: 1,
        said_at: fixture::NOW,
        author: None,
        body: Body::ReadReceipt(Vec::new()),
    };
    let entropy = fixture::entropy("letter");
    let event = Event { about: MatchId(Digest([7; 32])), told: Told::Denied };
    let sealed = routed(|route| letter::seal(&entropy, route, KEY.public(), &envelope)).unwrap();
    let told = routed(|route| match_letter::seal(&entropy, route, KEY.public(), &event)).unwrap();
    vec![[vec![0], sealed.letter].concat(), [vec![1], told].concat()]
}
