//! Public state told by a member, the hub that takes it over, and commits given up.

use super::*;
use crate::crypto::Crypto;
use crate::entropy::SeededEntropy;
use crate::hubgroup::HubGroup;
use std::sync::Arc;

#[test]
fn a_new_hub_goes_on_from_what_a_member_tells() {
    both(|suite| {
        let mut lab = Lab::found(suite, "adopt", &["toscana", "umbria", "lazio"]);
        lab.commit("umbria", &update(), &[]);
        let umbria = lab.node("umbria").clone();
        let told = umbria.load().unwrap().public_state(&umbria.keys).unwrap();
        let crypto = Crypto::new(Arc::new(SeededEntropy::labelled("next hub")));
        let (mut next, view) = HubGroup::adopt(&crypto, &told.group_info, &told.tree).unwrap();
        assert_eq!(view, umbria.facts().view);
        assert_eq!(next.tree().unwrap(), lab.hub_group().tree().unwrap());

        // It judges the next commit as the hub before would have, also of a tree that changes.
        let keep: Vec<_> = next.take_changes().unwrap();
        assert!(!keep.is_empty());
        let staged = lab.node("toscana").stage(&statement(b"statement 3"));
        let applied = next.apply_commit(
            &"toscana".parse().unwrap(),
            &staged.commit,
            &staged.group_info,
            &|_, _| Ok(()),
        );
        assert_eq!(applied.unwrap().statement_after.as_deref(), Some(&b"statement 3"[..]));
        assert_eq!(next.epoch(), view.epoch.next());
    });
}

#[test]
fn what_is_not_the_group_is_not_adopted() {
    let mut lab = Lab::found(Suite::Classical, "adopt bent", &["toscana", "umbria"]);
    let toscana = lab.node("toscana").clone();
    let told = toscana.load().unwrap().public_state(&toscana.keys).unwrap();
    let before = lab.hub_group().tree().unwrap();
    lab.commit("umbria", &update(), &[]);
    let after = lab.hub_group().tree().unwrap();
    let check = |info: &[u8], tree: &[u8], reason: &str| {
        let adopted = HubGroup::adopt(&toscana.crypto, info, tree);
        assert_eq!(adopted.map(drop).map_err(|error| error.reason()), Err(reason));
    };
    assert!(HubGroup::adopt(&toscana.crypto, &told.group_info, &before).is_ok());
    check(&told.group_info, &after, "bad_group");
    check(&bent(&told.group_info, 3), &before, "bad_group");
    check(&told.group_info, &[], "malformed_frame");
    check(&[], &before, "malformed_frame");
}

#[test]
fn a_commit_that_is_given_up_leaves_the_group_as_it_was() {
    let mut lab = Lab::found(Suite::Classical, "give up", &["toscana", "umbria"]);
    let before = lab.node("umbria").facts();
    lab.node("umbria").stage(&statement(b"statement 3"));
    let pending = lab.node("umbria").load().unwrap().pending_statement();
    assert_eq!(pending.as_deref(), Some(&b"statement 3"[..]));
    lab.node("umbria").transact(|session, _| session.drop_pending()).unwrap();
    let session = lab.node("umbria").load().unwrap();
    assert_eq!((session.pending_statement(), session.facts().unwrap()), (None, before));
    lab.commit("toscana", &update(), &[]);
    lab.commit("umbria", &update(), &[]);
}

#[test]
fn a_commit_is_read_without_being_opened() {
    both(|suite| {
        let mut lab = Lab::found(suite, "read", &["toscana", "umbria", "lazio"]);
        let before = lab.node("umbria").facts();
        let remove = Change { remove: vec![2], ..statement(b"statement 3") };
        let staged = lab.node("toscana").stage(&remove);
        let session = lab.node("umbria").load().unwrap();
        let read = session.read_commit(&staged.commit).unwrap();
        assert_eq!((read.committer, read.removed.as_slice()), (0, &[2][..]));
        // Also one that cannot be processed here: its last byte is of the membership tag.
        assert_eq!(session.read_commit(&bent(&staged.commit, 1)).unwrap(), read);
        assert!(lab.node("umbria").process(&bent(&staged.commit, 1)).is_err());
        assert_eq!(session.facts().unwrap(), before);
        let message = lab.node("toscana").encrypt(b"text");
        let error = lab.node("umbria").load().unwrap().read_commit(&message).unwrap_err();
        assert_eq!(error.reason(), "not_admissible");
        let hub = lab.append("toscana", &staged).unwrap();
        assert_eq!(hub, read);
    });
}
