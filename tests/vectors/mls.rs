//! What MLS puts on the wire: key packages, the founding of a group, a commit that adds with all
//! that goes with it, and a message.

use std::sync::Arc;

use raccordo_core::crypto::{Crypto, Suite};
use raccordo_core::envelope::pad;
use raccordo_core::id::{Digest, GroupId, NodeId};
use raccordo_core::secret::Secret;
use raccordo_core::session::{Change, LeafKeys, Session, key_package};
use raccordo_core::trust::statement::SignedStatement;
use serde_json::json;

use super::Vectors;
use super::trust::{card, key};

pub(super) fn add(all: &mut Vectors) {
    let crypto = Crypto::new(Arc::new(super::entropy()));
    let toscana = leaf_keys("toscana", 1);
    for suite in [Suite::Hybrid, Suite::Classical] {
        for last_resort in [false, true] {
            let made = key_package(&crypto, &toscana, suite, last_resort).unwrap();
            all.mls.push(json!({
                "mls": "key package",
                "suite": suite.number(),
                "last_resort": last_resort,
                "message": hex::encode(&made.message),
                "reference": hex::encode(&made.hash_ref),
                "node id": "toscana",
                "signed-card": hex::encode(&toscana.card),
            }));
        }
        let statement = statement(all);
        let id = GroupId(statement.statement().group_id().0);
        let founded = Session::found(&crypto, &toscana, id, suite, &statement.encode());
        let (session, info) = founded.unwrap();
        all.mls.push(json!({
            "mls": "founding",
            "suite": suite.number(),
            "message": hex::encode(&info),
            "group id": Digest(id.0).to_string(),
            "signed-statement": hex::encode(statement.encode()),
        }));
        adding(all, &crypto, (session, &toscana, info), suite);
    }
}

/// The chair adds the other party, and says something.
fn adding(
    all: &mut Vectors,
    crypto: &Arc<Crypto>,
    (mut session, chair, founding): (Session, &LeafKeys, Vec<u8>),
    suite: Suite,
) {
    let package = key_package(crypto, &leaf_keys("umbria", 11), suite, false).unwrap();
    let change = Change { add: vec![package.message.clone()], ..Change::default() };
    let staged = session.stage(chair, &change).unwrap();
    session.process(&staged.commit, &|_, _| Ok(())).unwrap();
    let plaintext = pad(b"an encoded Pack").unwrap();
    let message = session.encrypt(chair, &plaintext).unwrap();
    all.mls.push(json!({
        "mls": "adding",
        "suite": suite.number(),
        "group id": Digest(session.id().0).to_string(),
        "founding": hex::encode(founding),
        "committer's MLS key": key(3).public().to_string(),
        "key package": hex::encode(package.message),
        "commit": hex::encode(staged.commit),
        "group info": hex::encode(staged.group_info),
        "welcome": hex::encode(staged.welcome.unwrap()),
        "plaintext": hex::encode(plaintext),
        "message": hex::encode(message),
    }));
}

/// The seed of the MLS key is two above that of the identity key.
fn leaf_keys(name: &str, seed: u8) -> LeafKeys {
    let node: NodeId = super::node(name);
    LeafKeys::new(node, &Secret::new([seed + 2; 32]), card(name, seed).encode())
}

/// The first one that was made.
fn statement(all: &Vectors) -> SignedStatement {
    let made = all.canonical.iter().find(|made| made["type"] == "signed-statement").unwrap();
    let bytes = hex::decode(made["canonical"].as_str().unwrap()).unwrap();
    SignedStatement::decode(&bytes).unwrap()
}
