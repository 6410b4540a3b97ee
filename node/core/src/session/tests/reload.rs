//! Ledger and restart: nothing of a failed step is stored, batches write once, clones are
//! told, one seed gives the same bytes.

use super::lab::{Lab, keys};
use super::*;
use crate::entropy::SeededEntropy;

#[test]
fn a_spoiled_session_refuses_all_work() {
    let mut lab = Lab::found(Suite::Classical, "spoiled", &["toscana", "umbria"]);
    let entry = lab.node("umbria").encrypt(b"alert");
    let keys = keys("toscana", 1);
    let mut session = lab.node("toscana").load().unwrap();
    session.process(&entry, &|_, _| Ok(())).unwrap();
    assert!(session.process(&entry, &|_, _| Ok(())).is_err());
    assert_eq!(session.take_changes(), Err(SessionError::Spoiled));
    assert_eq!(session.encrypt(&keys, b"x"), Err(SessionError::Spoiled));
    assert_eq!(session.stage(&keys, &update()), Err(SessionError::Spoiled));
    assert_eq!(session.facts().err(), Some(SessionError::Spoiled));
    lab.node("toscana").process(&entry).unwrap();
}

#[test]
fn a_batch_of_messages_writes_the_secrets_once() {
    both(|suite| {
        let mut lab = Lab::found(suite, "batch", &["toscana", "umbria"]);
        let mut entries = Vec::new();
        let mut session = lab.node("umbria").load().unwrap();
        let keys = keys("umbria", 1);
        for number in 0..10_u8 {
            entries.push(session.encrypt(&keys, &[number]).unwrap());
        }
        let changes = session.take_changes().unwrap();
        assert_eq!(changes.len(), 1);
        lab.node("umbria").disk.write(changes);
        assert!(session.take_changes().unwrap().is_empty());
        let got = lab.node("toscana").transact(|session, _| {
            entries.iter().map(|entry| session.process(entry, &|_, _| Ok(()))).collect()
        });
        let got: Vec<_> = got.unwrap();
        let last = Processed::Message {
            from: "umbria".parse().unwrap(),
            leaf: 1,
            epoch: Epoch(1),
            plaintext: vec![9],
        };
        assert_eq!(got.last(), Some(&last));
        // After the reload both ratchets go on where they were.
        refused(lab.node("toscana").process(&entries[9]), "secret_reused");
        lab.send("umbria", b"the next");
    });
}

#[test]
fn a_commit_within_a_batch_is_stored_with_it() {
    let mut lab = Lab::found(Suite::Classical, "mixed", &["toscana", "umbria"]);
    let before = lab.node("umbria").encrypt(b"before");
    let staged = lab.node("umbria").stage(&update());
    lab.append("umbria", &staged).unwrap();
    lab.node("umbria").process(&staged.commit).unwrap();
    let after = lab.node("umbria").encrypt(b"after");
    let batch = [&before, &staged.commit, &after];
    let got = lab.node("toscana").transact(|session, _| {
        batch
            .iter()
            .map(|entry| session.process(entry, &|_, _| Ok(())))
            .collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(got.unwrap().len(), 3);
    lab.agree();
    refused(lab.node("toscana").process(&after), "secret_reused");
    lab.send("toscana", b"answer");
}

#[test]
fn a_message_and_a_staged_commit_are_stored_together() {
    let mut lab = Lab::found(Suite::Classical, "together", &["toscana", "umbria"]);
    let both = lab.node("umbria").transact(|session, keys| {
        let entry = session.encrypt(keys, b"first")?;
        Ok((entry, session.stage(keys, &update())?))
    });
    let (entry, staged) = both.unwrap();
    lab.node("toscana").process(&entry).unwrap();
    lab.send("umbria", b"the next generation, not the first again");
    lab.append("umbria", &staged).unwrap();
    lab.deliver(&staged.commit, &[]);
    lab.agree();
}

/// A second process with the same rows and keys, but randomness of its own.
fn clone_of(node: &Node) -> Node {
    let crypto = Crypto::new(Arc::new(SeededEntropy::labelled("the clone's own")));
    Node { crypto, ..node.clone() }
}

#[test]
fn a_clone_is_told_by_its_commit_and_its_message() {
    both(|suite| {
        let mut lab = Lab::found(suite, "clone", &["toscana", "umbria"]);
        let mut clone = clone_of(lab.node("umbria"));
        let message = clone.encrypt(b"from the clone");
        assert_eq!(lab.node("umbria").process(&message), Ok(Processed::OwnMessage));
        let commit = clone.stage(&update()).commit;
        refused(lab.node("umbria").process(&commit), "own_commit_mismatch");
        lab.node("umbria").stage(&update());
        refused(lab.node("umbria").process(&commit), "own_commit_mismatch");
    });
}

#[test]
fn after_a_fresh_epoch_a_clone_is_stale() {
    let mut lab = Lab::found(Suite::Classical, "fresh", &["toscana", "umbria"]);
    let mut clone = clone_of(lab.node("umbria"));
    lab.commit("umbria", &update(), &[]);
    let staged = clone.stage(&update());
    refused_by_hub(lab.append("umbria", &staged), "wrong_epoch");
    refused(lab.node("toscana").process(&clone.encrypt(b"stale")), "wrong_epoch");
}

#[test]
fn load_finds_nothing_in_no_rows_and_tells_torn_ones() {
    let mut lab = Lab::found(Suite::Classical, "rows", &["toscana", "umbria"]);
    let node = lab.node("toscana");
    assert!(Session::load(&node.crypto, node.id, []).unwrap().is_none());
    let mut rows = node.disk.rows(LedgerScope::Group(node.id));
    for row in &mut rows {
        row.value = crate::secret::Secret::new(vec![0xff]);
    }
    let torn = Session::load(&node.crypto, node.id, rows).unwrap_err();
    assert_eq!(torn.reason(), "bad_store");
}

/// Founding, messages, update, rotation, race, removal, rejoin.
fn story(suite: Suite, run: &'static str) -> Vec<Vec<u8>> {
    let mut lab = Lab::found(suite, run, &["toscana", "umbria", "marche", "lazio"]);
    lab.send("umbria", b"an alert");
    lab.commit("lazio", &update(), &[]);
    lab.commit("umbria", &Change { leaf: Some(keys("umbria", 2)), ..update() }, &[]);
    lab.node("umbria").keys = keys("umbria", 2);
    lab.node("marche").stage(&update());
    lab.commit("toscana", &update(), &[]);
    let remove = vec![lab.index("marche")];
    lab.commit("toscana", &Change { remove, ..statement(b"without marche") }, &[]);
    let add = vec![lab.node("lazio").key_package(suite, false)];
    let remove = vec![lab.index("lazio")];
    lab.commit("umbria", &Change { add, remove, ..update() }, &["lazio"]);
    lab.send("lazio", b"back");
    lab.wire
}

#[test]
fn one_seed_gives_the_same_bytes() {
    both(|suite| {
        let first = story(suite, "seed a");
        assert!(first == story(suite, "seed a"), "the same bytes");
        let other = story(suite, "seed b");
        assert_eq!(first.len(), other.len());
        assert!(first.iter().zip(&other).all(|(a, b)| a != b && a.len() == b.len()));
    });
}
