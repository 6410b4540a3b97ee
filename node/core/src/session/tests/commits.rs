//! Own commits are settled by the log; what a commit does is seen alike by all before it
//! is merged; the GroupInfo rule.

use super::lab::keys;
use super::*;
use crate::hubgroup::HubGroup;
use crate::trust::key_check;

#[test]
fn own_commit_is_merged_when_the_log_returns_it() {
    both(|suite| {
        let mut lab = Lab::found(suite, "own", &["toscana", "umbria"]);
        let staged = lab.node("umbria").stage(&update());
        assert!(lab.node("umbria").facts().pending, "after a reload");
        lab.send("umbria", b"while a commit is pending");
        lab.send("toscana", b"to it");
        let at_hub = lab.append("umbria", &staged).unwrap();
        let got = lab.node("umbria").process(&staged.commit).unwrap();
        let Processed::OwnCommitMerged { commit, view } = got else { panic!("{got:?}") };
        assert_eq!((commit, view.epoch), (at_hub, lab.epoch()));
        lab.node("toscana").process(&staged.commit).unwrap();
        lab.agree();
        assert!(!lab.node("umbria").facts().pending);
    });
}

#[test]
fn the_losing_commit_is_void_and_another_can_be_made() {
    both(|suite| {
        let mut lab = Lab::found(suite, "lost", &["toscana", "umbria", "marche"]);
        let loser = lab.node("umbria").stage(&update());
        let winner = lab.node("toscana").stage(&update());
        lab.append("toscana", &winner).unwrap();
        refused_by_hub(lab.append("umbria", &loser), "wrong_epoch");
        let got = lab.node("umbria").process(&winner.commit).unwrap();
        assert!(matches!(got, Processed::CommitMerged { dropped_own_pending: true, .. }));
        lab.deliver(&winner.commit, &["umbria"]);
        assert!(!lab.node("umbria").facts().pending);
        refused(lab.node("umbria").process(&loser.commit), "wrong_epoch");
        lab.commit("umbria", &update(), &[]);
    });
}

#[test]
fn a_second_commit_is_refused_while_one_is_pending() {
    let mut lab = Lab::found(Suite::Classical, "second", &["toscana", "umbria"]);
    let first = lab.node("umbria").stage(&update());
    let mut session = lab.node("umbria").load().unwrap();
    let second = session.stage(&keys("umbria", 1), &update());
    assert_eq!(second, Err(SessionError::AlreadyPending));
    assert!(session.take_changes().unwrap().is_empty(), "the session stays usable");
    lab.append("umbria", &first).unwrap();
    lab.deliver(&first.commit, &[]);
    lab.agree();
}

#[test]
fn hub_and_receiver_read_the_same_before_merging() {
    both(|suite| {
        let mut lab = Lab::found(suite, "views", &["toscana", "umbria", "marche"]);
        lab.enrol("lazio");
        let add = vec![lab.node("lazio").key_package(suite, false)];
        let remove = vec![lab.index("umbria")];
        let authenticated_data = b"request".to_vec();
        let change = Change { add, remove, authenticated_data, ..statement(b"statement 3") };
        let staged = lab.node("marche").stage(&change);
        let before = lab.hub_group().view().unwrap();
        let at_hub = lab.append("marche", &staged).unwrap();
        let seen = std::sync::Mutex::new(None);
        let got = lab.node("toscana").transact(|session, _| {
            session.process(&staged.commit, &|group, commit| {
                *seen.lock().unwrap() = Some((group.clone(), commit.clone()));
                Ok(())
            })
        });
        assert_eq!(seen.into_inner().unwrap(), Some((before, at_hub.clone())));
        assert!(matches!(got.unwrap(), Processed::CommitMerged { removed_self: false, .. }));
        assert_eq!(at_hub.committer, 2);
        assert_eq!(at_hub.statement_after.as_deref(), Some(&b"statement 3"[..]));
        assert_eq!(at_hub.added[0].card.as_deref(), Some(&b"card of lazio, serial 1"[..]));
        assert_eq!(at_hub.removed, [1]);
        assert_eq!(at_hub.authenticated_data, b"request");
        assert!(at_hub.context_exact && at_hub.foreign_proposal.is_none());
        let path = at_hub.path_leaf.unwrap();
        assert!(path.extensions_exact && path.lifetime_unbounded);
        let got = lab.node("umbria").process(&staged.commit).unwrap();
        assert!(matches!(got, Processed::CommitMerged { removed_self: true, .. }));
        let late = lab.node("umbria").transact(|session, keys| session.encrypt(keys, b"x"));
        assert_eq!(late, Err(SessionError::Removed));
    });
}

#[test]
fn the_validator_judges_every_commit() {
    let mut lab = Lab::found(Suite::Classical, "judged", &["toscana", "umbria"]);
    let staged = lab.node("umbria").stage(&statement(b"coup"));
    let refuse = |_: &GroupView, commit: &CommitView| match commit.statement_after.as_deref() {
        Some(b"coup") => Err(CommitRefused("not_signed")),
        _ => Ok(()),
    };
    let mut hub = lab.hub_group();
    let umbria = "umbria".parse().unwrap();
    let at_hub = hub.apply_commit(&umbria, &staged.commit, &staged.group_info, &refuse);
    refused_by_hub(at_hub, "not_signed");
    assert_eq!(hub.take_changes(), Err(SessionError::Spoiled));
    for name in ["toscana", "umbria"] {
        let before = lab.node(name).disk.clone();
        let outcome = lab.node(name).transact(|s, _| s.process(&staged.commit, &refuse));
        assert_eq!(outcome, Err(SessionError::Refused(CommitRefused("not_signed"))));
        assert_eq!(lab.node(name).disk, before);
    }
}

/// OpenMLS lets it pass, and so the hub would hand it on: no member below the parent node could
/// follow, and whoever commits next could not seal to it.
#[test]
fn keys_of_parent_nodes_are_shown_to_the_validator() {
    both(|suite| {
        let mut lab = Lab::found(suite, "path", &["toscana", "umbria", "marche", "lazio"]);
        let view = lab.commit("umbria", &update(), &[]);
        // A leaf's parent, and the root.
        assert_eq!(view.path_keys.len(), 2);
        assert!(view.path_keys.iter().all(|key| key_check::hpke(suite, key).is_ok()));
        let tree = lab.hub_group().tree().unwrap();
        for key in &view.path_keys {
            assert!(tree.windows(key.len()).any(|part| part == key), "the key in the tree");
        }
        let bad = vec![0; view.path_keys[0].len()];
        let mut cheating = Lab::found(suite, "false", &["toscana", "umbria"]);
        cheating.node("umbria").crypto.false_keys.lock().unwrap().push(bad.clone());
        let staged = cheating.node("umbria").stage(&update());
        let judge = |_: &GroupView, commit: &CommitView| match commit.path_keys == [bad.clone()] {
            true => Err(CommitRefused("path_key_weak")),
            false => Ok(()),
        };
        let (mut hub, umbria) = (cheating.hub_group(), "umbria".parse().unwrap());
        let at_hub = hub.apply_commit(&umbria, &staged.commit, &staged.group_info, &judge);
        refused_by_hub(at_hub, "path_key_weak");
        let shown = cheating.append("umbria", &staged).unwrap();
        assert_eq!(shown.path_keys, [bad]);
        assert!(cheating.node("toscana").process(&staged.commit).is_err(), "who is below it");
        // Nor is such a group taken over.
        let (crypto, tree) =
            (&cheating.node("toscana").crypto.clone(), cheating.hub_group().tree());
        let adopted = HubGroup::adopt(crypto, &staged.group_info, &tree.unwrap());
        assert_eq!(adopted.map(drop).unwrap_err().reason(), "bad_group");
    });
}

#[test]
fn a_new_key_and_card_are_in_force_after_the_log_returned_them() {
    both(|suite| {
        let mut lab = Lab::found(suite, "rotation", &["toscana", "umbria"]);
        let new = keys("umbria", 2);
        let change = Change { leaf: Some(new.clone()), ..statement(b"floor 2") };
        let staged = lab.node("umbria").stage(&change);
        lab.send("umbria", b"still under the old key");
        let leaf = lab.append("umbria", &staged).unwrap().path_leaf.unwrap();
        assert_eq!(leaf.card.as_ref(), Some(&new.card));
        assert_eq!(leaf.signature_key, new.public());
        lab.deliver(&staged.commit, &[]);
        let stale = lab.node("umbria").encrypt(b"signed with the old key");
        refused(lab.node("toscana").process(&stale), "bad_signature");
        lab.node("umbria").keys = new;
        lab.send("umbria", b"signed with the new key");
        lab.commit("umbria", &update(), &[]);
        // The same key under a newer card.
        let card = b"card of umbria, serial 3".to_vec();
        let mut renewed = keys("umbria", 2);
        renewed.card.clone_from(&card);
        let view = lab.commit("umbria", &Change { leaf: Some(renewed), ..update() }, &[]);
        assert_eq!(view.path_leaf.unwrap().card, Some(card));
    });
}

#[test]
fn the_hub_refuses_a_group_info_of_another_commit() {
    both(|suite| {
        let mut lab = Lab::found(suite, "info", &["toscana", "umbria"]);
        let other = lab.node("toscana").stage(&update());
        let staged = lab.node("umbria").stage(&update());
        for group_info in [other.group_info, lab.wire[0].clone(), bent(&staged.group_info, 10)] {
            let swapped = Staged { group_info, ..staged.clone() };
            refused_by_hub(lab.append("umbria", &swapped), "bad_group_info");
        }
        let torn = Staged { group_info: vec![1, 2], ..staged.clone() };
        refused_by_hub(lab.append("umbria", &torn), "malformed_frame");
        lab.append("umbria", &staged).unwrap();
    });
}

#[test]
fn the_hub_refuses_a_group_info_with_a_tree() {
    let mut lab = Lab::found(Suite::Classical, "fat", &["toscana", "umbria"]);
    let mut ahead = lab.node("umbria").clone();
    let staged = ahead.stage(&update());
    ahead.process(&staged.commit).unwrap();
    let (session, keys) = (ahead.load().unwrap(), &ahead.keys);
    for (with_tree, reason) in [(true, Some("bad_group_info")), (false, None)] {
        let info = session.group.export_group_info(&*session.provider.crypto, keys, with_tree);
        let group_info = info.unwrap().to_bytes().unwrap();
        let outcome = lab.append("umbria", &Staged { group_info, ..staged.clone() });
        assert_eq!(outcome.err().map(|error| error.reason()), reason);
    }
}

/// A commit ends in signature<V> (2 + 64), confirmation_tag<V> (1 + 32) and
/// membership_tag<V> (1 + 32). The hub cannot compute either tag.
#[test]
fn a_false_confirmation_tag_is_caught() {
    both(|suite| {
        let mut lab = Lab::found(suite, "tag", &["toscana", "umbria"]);
        let staged = lab.node("umbria").stage(&update());
        let false_tag = Staged { commit: bent(&staged.commit, 38), ..staged.clone() };
        refused_by_hub(lab.append("umbria", &false_tag), "bad_group_info");
        refused(lab.node("toscana").process(&false_tag.commit), "bad_signature");
        let forged = Staged { commit: bent(&staged.commit, 76), ..staged.clone() };
        refused_by_hub(lab.append("umbria", &forged), "bad_signature");
        lab.append("umbria", &staged).unwrap();
    });
}

#[test]
fn the_hub_refuses_a_commit_that_another_node_hands_in() {
    let mut lab = Lab::found(Suite::Classical, "sender", &["toscana", "umbria"]);
    let staged = lab.node("umbria").stage(&update());
    refused_by_hub(lab.append("toscana", &staged), "wrong_sender");
    lab.append("umbria", &staged).unwrap();
}

#[test]
fn impossible_changes_are_told() {
    let mut lab = Lab::found(Suite::Classical, "impossible", &["toscana", "umbria"]);
    let check = |lab: &mut Lab, change: Change, reason: &str| {
        let outcome = lab.node("toscana").transact(|session, keys| session.stage(keys, &change));
        assert_eq!(outcome.unwrap_err().reason(), reason);
    };
    check(&mut lab, Change { remove: vec![0], ..update() }, "bad_change");
    check(&mut lab, Change { remove: vec![9], ..update() }, "bad_change");
    check(&mut lab, Change { add: vec![b"?".to_vec()], ..update() }, "malformed_frame");
    let again = lab.node("umbria").key_package(Suite::Classical, false);
    check(&mut lab, Change { add: vec![again], ..update() }, "bad_change");
    let foreign = lab.node("umbria").key_package(Suite::Hybrid, false);
    check(&mut lab, Change { add: vec![foreign], ..update() }, "bad_change");
}
