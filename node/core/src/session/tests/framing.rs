//! What is refused before OpenMLS acts on it, and what it refuses itself.

use openmls::group::{MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroupJoinConfig};
use openmls::prelude::LeafNodeIndex;

use super::*;

#[test]
fn headers_are_readable_without_keys() {
    let mut lab = Lab::found(Suite::Classical, "peek", &["toscana", "umbria"]);
    let entry = lab.node("umbria").encrypt(b"alert");
    let staged = lab.node("umbria").stage(&update());
    let header = Header { group: lab.id, epoch: Epoch(1), kind: FrameKind::Application };
    assert_eq!(peek(&entry), Ok(header));
    assert_eq!(peek(&staged.commit), Ok(Header { kind: FrameKind::Commit, ..header }));
    let check = |bytes: &[u8], error: SessionError| assert_eq!(peek(bytes), Err(error));
    check(&staged.group_info, SessionError::NotAdmissible);
    check(&[], SessionError::Malformed);
    check(&entry[..entry.len() - 1], SessionError::Malformed);
    check(&[&entry[..], &[0]].concat(), SessionError::Malformed);
    check(&vec![0; COMMIT_BYTES_MAX + 1], SessionError::TooLarge);
}

#[test]
fn sizes_are_capped() {
    let mut lab = Lab::found(Suite::Classical, "sizes", &["toscana", "umbria"]);
    lab.send("umbria", &[7; 64 * 1024]);
    let large = vec![7; MESSAGE_BYTES_MAX];
    let outcome = lab.node("umbria").transact(|session, keys| session.encrypt(keys, &large));
    assert_eq!(outcome, Err(SessionError::TooLarge));
    lab.send("umbria", b"goes on");
}

/// A commit as PrivateMessage, which the mixed wire format policies would merge.
fn private_commit(lab: &mut Lab) -> Vec<u8> {
    let made = lab.node("umbria").transact(|session, keys| {
        let config = MlsGroupJoinConfig::builder();
        let config = config.wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY).build();
        session.group.set_configuration(&session.provider.ledger, &config).unwrap();
        Ok(session.stage(keys, &update()).unwrap().commit)
    });
    made.unwrap()
}

/// The content type follows version (2), wire format (2), group id (1 + 32), epoch (8).
const CONTENT_TYPE_AT: usize = 2 + 2 + 1 + 32 + 8;

#[test]
fn encrypted_commits_are_refused() {
    both(|suite| {
        let mut lab = Lab::found(suite, "private", &["toscana", "umbria"]);
        let mut commit = private_commit(&mut lab);
        refused(lab.node("toscana").process(&commit), "not_admissible");
        let at_hub = lab.hub_group().check_message(&commit).unwrap_err();
        assert_eq!(at_hub.reason(), "not_admissible");
        // A lie about the content type passes the hub, and does not decrypt.
        assert_eq!(commit[CONTENT_TYPE_AT], 3);
        commit[CONTENT_TYPE_AT] = 1;
        assert!(lab.hub_group().check_message(&commit).is_ok());
        refused(lab.node("toscana").process(&commit), "undecryptable");
    });
}

#[test]
fn standalone_proposals_are_refused() {
    let mut lab = Lab::found(Suite::Classical, "proposal", &["toscana", "umbria", "marche"]);
    let proposal = lab.node("umbria").transact(|session, keys| {
        let index = LeafNodeIndex::new(0);
        let made = session.group.propose_remove_member(&session.provider, keys, index);
        Ok(made.unwrap().0.to_bytes().unwrap())
    });
    let proposal = proposal.unwrap();
    refused(lab.node("toscana").process(&proposal), "not_admissible");
    let staged = Staged { commit: proposal, group_info: Vec::new(), welcome: None };
    refused_by_hub(lab.append("umbria", &staged), "not_admissible");
}

#[test]
fn a_commit_is_no_message_and_a_message_no_commit() {
    let mut lab = Lab::found(Suite::Classical, "kinds", &["toscana", "umbria"]);
    let message = lab.node("umbria").encrypt(b"alert");
    let staged = lab.node("umbria").stage(&update());
    let error = lab.hub_group().check_message(&staged.commit).unwrap_err();
    assert_eq!(error.reason(), "not_admissible");
    let swapped = Staged { commit: message, ..staged };
    refused_by_hub(lab.append("umbria", &swapped), "not_admissible");
}

#[test]
fn another_group_is_refused() {
    let mut lab = Lab::found(Suite::Classical, "group", &["toscana", "umbria"]);
    let other = GroupId([8; 32]);
    let node = Node::new("lazio", "group", other);
    let founded = Session::found(&node.crypto, &node.keys, other, Suite::Classical, b"s");
    let mut session = founded.unwrap().0;
    let entry = session.encrypt(&node.keys, b"alert").unwrap();
    let staged = session.stage(&node.keys, &update()).unwrap();
    refused(lab.node("toscana").process(&entry), "wrong_group");
    refused(lab.node("toscana").process(&staged.commit), "wrong_group");
    assert_eq!(lab.hub_group().check_message(&entry).unwrap_err().reason(), "wrong_group");
    refused_by_hub(lab.append("umbria", &staged), "wrong_group");
}

#[test]
fn changed_bytes_never_pass() {
    both(|suite| {
        let mut lab = Lab::found(suite, "bent", &["toscana", "umbria"]);
        let entry = lab.node("umbria").encrypt(b"alert");
        for from_end in [1, 40, entry.len() - CONTENT_TYPE_AT - 3] {
            let before = lab.node("toscana").disk.clone();
            assert!(lab.node("toscana").process(&bent(&entry, from_end)).is_err());
            assert_eq!(lab.node("toscana").disk, before);
        }
        assert!(lab.node("toscana").process(&entry).is_ok(), "the true message still opens");
    });
}

#[test]
fn the_same_entry_twice_is_refused() {
    both(|suite| {
        let mut lab = Lab::found(suite, "twice", &["toscana", "umbria"]);
        let entry = lab.node("umbria").encrypt(b"alert");
        lab.node("toscana").process(&entry).unwrap();
        let before = lab.node("toscana").disk.clone();
        refused(lab.node("toscana").process(&entry), "secret_reused");
        assert_eq!(lab.node("toscana").disk, before);
        // Also before anything was stored in between.
        let next = lab.node("umbria").encrypt(b"alert");
        let twice = lab.node("toscana").transact(|session, _| {
            session.process(&next, &|_, _| Ok(()))?;
            session.process(&next, &|_, _| Ok(()))
        });
        refused(twice, "secret_reused");
        let staged = lab.node("umbria").stage(&update());
        lab.append("umbria", &staged).unwrap();
        lab.deliver(&staged.commit, &[]);
        refused(lab.node("toscana").process(&staged.commit), "wrong_epoch");
        refused(lab.node("toscana").process(&next), "wrong_epoch");
        refused_by_hub(lab.append("umbria", &staged), "wrong_epoch");
    });
}
