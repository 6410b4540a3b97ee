//! Key packages, Welcomes, rejoin by Remove and Add.

use super::lab::keys;
use super::*;
use crate::hubgroup::HubGroup;

#[test]
fn key_packages_show_their_leaf() {
    both(|suite| {
        let mut node = Node::new("lazio", "package", GroupId([7; 32]));
        for last_resort in [false, true] {
            let message = node.key_package(suite, last_resort);
            let view = read_key_package(&node.crypto, &message).unwrap();
            assert_eq!((view.suite, view.last_resort), (suite, last_resort));
            assert_eq!(view.leaf.node, Some(node.keys.node.clone()));
            assert_eq!(view.leaf.signature_key, node.keys.public());
            assert_eq!(view.leaf.card, Some(node.keys.card.clone()));
            for from_end in [1, 100, message.len() / 2] {
                assert!(read_key_package(&node.crypto, &bent(&message, from_end)).is_err());
            }
        }
    });
}

#[test]
fn key_packages_unlike_ours_are_refused() {
    use openmls::framing::MlsMessageOut;
    use openmls::prelude::{Capabilities, KeyPackage, KeyPackageBuilder, Lifetime};

    let node = Node::new("lazio", "unlike", GroupId([7; 32]));
    let suite = Suite::Classical;
    let check = |change: fn(KeyPackageBuilder) -> KeyPackageBuilder, fit: bool| {
        let ledger = Ledger::from_rows(LedgerScope::Device, []).unwrap();
        let provider = Provider { crypto: Arc::clone(&node.crypto), ledger };
        let ours = KeyPackage::builder()
            .key_package_lifetime(view::unbounded())
            .leaf_node_capabilities(view::capabilities(suite))
            .leaf_node_extensions(view::leaf_extensions(b"card").unwrap());
        let made = change(ours).build(suite.mls(), &provider, &node.keys, node.keys.credential());
        let message = MlsMessageOut::from(made.unwrap().into_key_package()).to_bytes().unwrap();
        let read = read_key_package(&node.crypto, &message);
        assert_eq!(read.err().map(|error| error.reason()), (!fit).then_some("bad_key_package"));
    };
    check(|ours| ours, true);
    check(|ours| ours.key_package_lifetime(Lifetime::new(3600)), false);
    check(|ours| ours.key_package_lifetime(Lifetime::init(0, 1)), false);
    check(|ours| ours.leaf_node_extensions(openmls::prelude::Extensions::empty()), false);
    check(|ours| ours.leaf_node_capabilities(Capabilities::default()), false);
}

#[test]
fn joining_uses_the_key_package_up_unless_it_is_the_last_resort() {
    for last_resort in [false, true] {
        let mut lab = Lab::found(Suite::Classical, "used", &["toscana", "umbria"]);
        lab.enrol("lazio");
        let add = vec![lab.node("lazio").key_package(Suite::Classical, last_resort)];
        lab.commit("toscana", &Change { add, ..update() }, &["lazio"]);
        let kept = lab.node("lazio").disk.rows(LedgerScope::Device).len();
        assert_eq!(kept, usize::from(last_resort));
        lab.send("lazio", b"hello");
        lab.send("toscana", b"welcome");
    }
}

#[test]
fn group_info_and_welcome_hold_no_tree() {
    let mut lab = Lab::found(Suite::Hybrid, "lean", &["toscana", "umbria", "marche"]);
    lab.enrol("lazio");
    let add = vec![lab.node("lazio").key_package(Suite::Hybrid, false)];
    let staged = lab.node("toscana").stage(&Change { add, ..update() });
    let tree = lab.hub_group().tree().unwrap();
    let info = group_info(&staged.group_info).unwrap();
    assert!(info.extensions().ratchet_tree().is_none());
    assert!(staged.welcome.unwrap().len() < tree.len() / 2);
}

#[test]
fn unfit_invitations_are_refused() {
    let mut lab = Lab::found(Suite::Classical, "unfit", &["toscana", "umbria"]);
    lab.enrol("lazio");
    let add = vec![lab.node("lazio").key_package(Suite::Classical, false)];
    let before_tree = lab.hub_group().tree().unwrap();
    let staged = lab.node("toscana").stage(&Change { add, ..update() });
    lab.append("toscana", &staged).unwrap();
    let (welcome, tree) = (staged.welcome.unwrap(), lab.hub_group().tree().unwrap());
    let lazio = lab.node("lazio");
    let check = |node: &Node, welcome: &[u8], tree: &[u8], reason: &str| {
        let mut node = node.clone();
        assert_eq!(node.join(welcome, tree).unwrap_err().reason(), reason);
    };
    check(lazio, &welcome, &before_tree, "bad_welcome");
    check(lazio, &welcome, b"?", "malformed_frame");
    check(lazio, &staged.commit, &tree, "malformed_frame");
    check(lazio, &bent(&welcome, 20), &tree, "bad_welcome");
    check(&Node { id: GroupId([8; 32]), ..lazio.clone() }, &welcome, &tree, "wrong_group");
    check(&Node { keys: keys("lazio", 2), ..lazio.clone() }, &welcome, &tree, "bad_welcome");
    check(
        &Node { disk: Default::default(), ..lazio.clone() },
        &welcome,
        &tree,
        "unknown_key_package",
    );
    lazio.join(&welcome, &tree).unwrap();
}

#[test]
fn a_node_rejoins_by_remove_and_add() {
    both(|suite| {
        for lost in [true, false] {
            let mut lab = Lab::found(suite, "rejoin", &["toscana", "umbria"]);
            lab.send("umbria", b"before");
            let thief = lab.node("umbria").clone();
            if lost {
                lab.node("umbria").disk = Default::default();
            }
            let add = vec![lab.node("umbria").key_package(suite, false)];
            let remove = vec![lab.index("umbria")];
            let view = lab.commit("toscana", &Change { add, remove, ..update() }, &["umbria"]);
            assert_eq!(view.added[0].signature_key, thief.keys.public());
            lab.send("umbria", b"after, from the rejoined node");
            lab.commit("umbria", &update(), &[]);
            lab.send("toscana", b"after, to it");
            // The old state opens nothing of it, and none of its rows is left.
            let mut thief = thief;
            assert!(thief.process(lab.wire.last().unwrap()).is_err());
            let scope = LedgerScope::Group(lab.id);
            let rows = lab.node("umbria").disk.rows(scope);
            let pairs = rows.iter().filter(|row| row.kind == "epoch_key_pairs").count();
            assert_eq!(pairs, 1, "only the key pairs of this epoch");
        }
    });
}

#[test]
fn only_the_founding_of_a_group_as_ours_is_opened() {
    let node = Node::new("toscana", "founding", GroupId([7; 32]));
    let (mut session, info) =
        Session::found(&node.crypto, &node.keys, node.id, Suite::Hybrid, b"s").unwrap();
    let (hub, view) = HubGroup::found(&node.crypto, &info).unwrap();
    assert_eq!((hub.epoch(), view), (Epoch(0), session.facts().unwrap().view));
    let check = |info: &[u8], reason: &str| {
        assert_eq!(HubGroup::found(&node.crypto, info).unwrap_err().reason(), reason);
    };
    check(&bent(&info, 3), "bad_group");
    check(b"?", "malformed_frame");
    let staged = session.stage(&node.keys, &update()).unwrap();
    check(&staged.group_info, "bad_group");
    session.process(&staged.commit, &|_, _| Ok(())).unwrap();
    let later = session.group.export_group_info(&*node.crypto, &node.keys, true);
    check(&later.unwrap().to_bytes().unwrap(), "bad_group");
}
