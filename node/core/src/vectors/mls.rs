//! Key packages and the founding of a group, as MLS has them on the wire.

use serde_json::json;

use super::Vectors;
use super::trust::card;
use crate::crypto::{Crypto, Suite};
use crate::id::{Digest, GroupId};
use crate::secret::Secret;
use crate::session::{LeafKeys, Session, key_package};
use crate::trust::statement::SignedStatement;

pub(super) fn add(all: &mut Vectors) {
    let signed = card("toscana", 1);
    let seed = Secret::new([3; 32]);
    let keys = LeafKeys::new(super::node("toscana"), &seed, signed.encode());
    let crypto = Crypto::new(std::sync::Arc::new(super::entropy()));
    for suite in [Suite::Hybrid, Suite::Classical] {
        for last_resort in [false, true] {
            let made = key_package(&crypto, &keys, suite, last_resort).unwrap();
            all.mls.push(json!({
                "mls": "key package",
                "suite": suite.number(),
                "last_resort": last_resort,
                "message": hex::encode(&made.message),
                "reference": hex::encode(&made.hash_ref),
                "node id": "toscana",
                "signed-card": hex::encode(signed.encode()),
            }));
        }
        let statement = statement(all);
        let group = statement.statement().group_id();
        let id = GroupId(group.0);
        let founded = Session::found(&crypto, &keys, id, suite, &statement.encode());
        let (_, info) = founded.unwrap();
        all.mls.push(json!({
            "mls": "founding",
            "suite": suite.number(),
            "message": hex::encode(info),
            "group id": Digest(group.0).to_string(),
            "signed-statement": hex::encode(statement.encode()),
        }));
    }
}

/// The first one that was made.
fn statement(all: &Vectors) -> SignedStatement {
    let made = all.canonical.iter().find(|made| made["type"] == "signed-statement").unwrap();
    let bytes = hex::decode(made["canonical"].as_str().unwrap()).unwrap();
    SignedStatement::decode(&bytes).unwrap()
}
