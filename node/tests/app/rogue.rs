//! A rogue administrator, and a rogue hub with it, try to bring a ghost in or to put the
//! others out: an honest hub refuses every commit, honest members do, and each has it in
//! its audit.

use raccordo_core::crypto::Suite;
use raccordo_core::hublog::{Chain, Checkpoint, EntryKind, LogEntry};
use raccordo_core::id::EntryId;
use raccordo_core::session::{Change, key_package, read_key_package};
use raccordo_core::trust::commit::LeafView;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::rejoin::{Asked, RejoinRequest};
use raccordo_core::trust::statement::{Party, SignedStatement, Statement};
use raccordo_core::trust::step::Wish;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::hub::append::{Handed, Outcome, append};
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::receive::{Batch, receive};
use raccordo_node::app::work::Work;

use crate::bench::ADMIN;
use crate::many::{EQUIPE, Many, id};

/// Four parties, of whom the first is rogue, and a fifth node that is none.
const ROGUE: usize = 0;
const GHOST: usize = 4;

fn key(many: &Many, member: usize) -> &IdentityKey {
    &many.node(member).identity.key
}

async fn statement(many: &Many) -> SignedStatement {
    changes::statement(&many.row(ROGUE).await).unwrap()
}

/// The next statement, bent and signed by these.
async fn next(
    many: &Many,
    signers: &[usize],
    bend: impl FnOnce(&mut Statement),
) -> SignedStatement {
    let before = statement(many).await;
    let mut after = before.statement().clone();
    after.version += 1;
    after.previous = before.digest();
    bend(&mut after);
    after.parties.sort_by(|one, other| one.node.cmp(&other.node));
    signed(many, after, signers)
}

fn signed(many: &Many, statement: Statement, signers: &[usize]) -> SignedStatement {
    let bytes = statement.canonical();
    let sign = |member: &usize| (id(*member), key(many, *member).sign(&bytes));
    SignedStatement::parse(&bytes, signers.iter().map(sign).collect()).unwrap()
}

fn ghost(many: &Many) -> Party {
    Party {
        node: id(GHOST),
        identity: key(many, GHOST).public(),
        card_floor: 1,
        suspended_by: None,
        ratified: false,
    }
}

fn ghost_package(many: &Many) -> Vec<u8> {
    package_of(many, GHOST)
}

fn package_of(many: &Many, member: usize) -> Vec<u8> {
    let node = many.node(member);
    key_package(&node.crypto, &node.identity.leaf(), Suite::Classical, false).unwrap().message
}

async fn leaf_of(many: &Many, member: usize) -> u32 {
    view_of(many, member).await.0
}

async fn view_of(many: &Many, member: usize) -> (u32, LeafView) {
    let node = many.node(ROGUE);
    let lineage = many.row(ROGUE).await.lineage;
    let mut work = Work::begin(node, lineage).await.unwrap().unwrap();
    let view = work.session().await.unwrap().facts().unwrap().view;
    let found = view.leaves.iter().find(|(_, leaf)| leaf.node.as_ref() == Some(&id(member)));
    found.unwrap().clone()
}

/// A commit that the rogue's node would never make; the node itself forgets it.
async fn forge(many: &Many, change: Change) -> Handed {
    let node = many.node(ROGUE);
    let row = many.row(ROGUE).await;
    let mut work = Work::begin(node, row.lineage).await.unwrap().unwrap();
    let staged = work.session().await.unwrap().stage(&node.identity.leaf(), &change).unwrap();
    Handed {
        entry: EntryId::random(&*node.entropy),
        kind: EntryKind::Commit,
        epoch: row.epoch,
        payload: staged.commit,
        group_info: staged.group_info,
        welcome: staged.welcome.unwrap_or_default(),
    }
}

/// As a rogue hub serves it to a member.
async fn served(many: &Many, to: usize, handed: &Handed) -> Batch {
    let row = many.row(to).await;
    let mut chain = Chain {
        group: row.group,
        sequence: row.sequence,
        head: row.head,
        epoch: row.epoch,
        last_accepted_at: row.accepted_at,
    };
    let entry = LogEntry {
        sequence: row.sequence.next(),
        epoch: row.epoch,
        kind: EntryKind::Commit,
        sender: id(ROGUE),
        entry_id: handed.entry,
        accepted_at: row.accepted_at,
        payload: handed.payload.clone(),
    };
    chain.verify_next(&entry).unwrap();
    let relay = many.relay();
    let checkpoint = Checkpoint {
        group: row.group,
        sequence: entry.sequence,
        head: chain.head,
        epoch: row.epoch.next(),
        hub: relay.identity.node.clone(),
        term: 1,
    };
    let checkpoint = checkpoint.sign(&relay.identity.key);
    Batch { group: row.group, entries: vec![entry], checkpoint }
}

async fn check(many: &mut Many, what: &str, change: Change, reason: &str) {
    let before = many.row(1).await;
    let members = many.members(1).await;
    let handed = forge(many, change).await;

    // An honest hub.
    let group = before.group;
    let answer = append(many.relay(), &id(ROGUE), group, vec![handed.clone()]).await.unwrap();
    assert_eq!(answer.outcomes[0].1, Outcome::Refused(reason.to_owned()), "{what}");
    let audited = many.audited_details(many.relay(), "hub.commit_refused").await;
    let newest = audited.last().unwrap_or_else(|| panic!("{what}"));
    assert_eq!(newest.get("reason").map(String::as_str), Some(reason), "{what}");
    assert_eq!(newest.get("by").map(String::as_str), Some("toscana"), "{what}");

    // Honest members, where the hub is in it too.
    for member in 1..4 {
        let disk = many.disk(member).snapshot();
        let batch = served(many, member, &handed).await;
        receive(many.node(member), &batch).await.unwrap();
        let row = many.row(member).await;
        assert_eq!((row.epoch, &row.statement), (before.epoch, &before.statement), "{what}");
        assert_eq!(many.members(member).await, members, "{what}");
        assert_eq!(many.alarms(member).await, ["commit_unprocessable"], "{what}");
        let audited = many.audited_details(many.node(member), "equipe.commit_refused").await;
        let detail = audited.last().unwrap_or_else(|| panic!("{what}"));
        assert_eq!(detail.get("by").map(String::as_str), Some("toscana"), "{what}");
        assert_eq!(detail.get("reason").map(String::as_str), Some(reason), "{what}");
        many.put_back(member, &disk).await;
    }
}

fn with(statement: &SignedStatement) -> Change {
    Change { statement: Some(statement.encode()), ..Change::default() }
}

#[tokio::test]
async fn no_ghost_comes_in() {
    let mut many = Many::founded(4, 5).await;
    let add = vec![ghost_package(&many)];
    let alone = Change { add: add.clone(), ..Change::default() };
    check(&mut many, "added without a statement", alone, "leaf_of_no_party").await;
    for signers in [&[][..], &[ROGUE], &[GHOST], &[ROGUE, GHOST], &[0, 1, 4], &[0, 1, 2, 3]] {
        let party = ghost(&many);
        let after = next(&many, signers, |it| it.parties.push(party)).await;
        let change = Change { add: add.clone(), ..with(&after) };
        check(&mut many, &format!("signed by {signers:?}"), change, "signatures_missing").await;
    }
    // Signed by the others, each with the ghost's key.
    let party = ghost(&many);
    let after = next(&many, &[ROGUE, GHOST], |it| it.parties.push(party)).await;
    let mut signatures = after.signatures().clone();
    for member in 1..4 {
        signatures.insert(id(member), key(&many, GHOST).sign(after.bytes()));
    }
    let forged = SignedStatement::parse(after.bytes(), signatures).unwrap();
    let change = Change { add: add.clone(), ..with(&forged) };
    check(&mut many, "forged signatures", change, "signature_bad").await;
    // In the place of another: its name, the ghost's key.
    let identity = key(&many, GHOST).public();
    let swapped = next(&many, &[ROGUE, GHOST], |it| it.parties[1].identity = identity).await;
    check(&mut many, "another's identity", with(&swapped), "identity_changed").await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2, 3]).await;
}

#[tokio::test]
async fn no_minority_puts_the_others_out() {
    let mut many = Many::founded(4, 5).await;
    let leaves = [leaf_of(&many, 1).await, leaf_of(&many, 2).await, leaf_of(&many, 3).await];
    let alone = Change { remove: vec![leaves[1]], ..Change::default() };
    check(&mut many, "removed without a statement", alone, "removed_party_stays").await;
    let drop_one = |it: &mut Statement| it.parties.retain(|party| party.node != id(2));
    for signers in [&[][..], &[ROGUE], &[0, 1], &[0, 3]] {
        let after = next(&many, signers, drop_one).await;
        let change = Change { remove: vec![leaves[1]], ..with(&after) };
        check(&mut many, &format!("one, by {signers:?}"), change, "signatures_missing").await;
    }
    let keep_two = |it: &mut Statement| {
        it.parties.retain(|party| party.node == id(0) || party.node == id(1));
        it.chair = id(0);
    };
    let after = next(&many, &[0, 1], keep_two).await;
    let change = Change { remove: leaves[1..].to_vec(), ..with(&after) };
    check(&mut many, "half by half", change, "signatures_missing").await;
    // A stranger's signature is none.
    let after = next(&many, &[ROGUE, GHOST], drop_one).await;
    check(&mut many, "with a stranger's", with(&after), "signature_bad").await;
    // Its leaf gone, its name still there; and the other way round.
    let after = next(&many, &[0, 1, 3], drop_one).await;
    check(&mut many, "the leaf stays", with(&after), "leaf_of_no_party").await;
    // Suspending two at once, or in another's name.
    let by_another = next(&many, &[ROGUE], |it| {
        for party in it.parties.iter_mut().filter(|party| party.node == id(2)) {
            party.suspended_by = Some(id(1));
        }
    });
    let by_another = by_another.await;
    let change = Change { remove: vec![leaves[1]], ..with(&by_another) };
    check(&mut many, "suspended in another's name", change, "signatures_missing").await;
    let ratified = next(&many, &[ROGUE], |it| {
        for party in it.parties.iter_mut().filter(|party| party.node == id(2)) {
            party.suspended_by = Some(id(0));
            party.ratified = true;
        }
    });
    let ratified = ratified.await;
    let change = Change { remove: vec![leaves[1]], ..with(&ratified) };
    check(&mut many, "ratified at once", change, "signatures_missing").await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2, 3]).await;
}

/// A commit that puts another leaf in a member's place, as if that had asked for it with
/// this key package and this signature.
async fn return_of(many: &Many, member: usize, package: Vec<u8>, signer: usize) -> Change {
    let (leaf, view) = view_of(many, member).await;
    let replacement = read_key_package(&many.node(ROGUE).crypto, &package).unwrap().leaf.digest();
    let request =
        RejoinRequest { replaced: view.digest(), replacement, key_package: package.clone() };
    let asked = Asked {
        group: many.row(ROGUE).await.group,
        sender: id(member),
        entry: EntryId::random(&*many.node(ROGUE).entropy),
        said_at: many.node(ROGUE).clock.now(),
    };
    let signed = request.sign(asked, key(many, signer)).unwrap();
    Change {
        add: vec![package],
        remove: vec![leaf],
        authenticated_data: signed.encode(),
        ..Change::default()
    }
}

#[tokio::test]
async fn nobody_is_exchanged_under_the_name_of_a_return() {
    let mut many = Many::founded(4, 5).await;
    // Its own key package, which it left at the hub for another group, and no request.
    let (leaf, own) = (leaf_of(&many, 2).await, package_of(&many, 2));
    let unasked = Change { add: vec![own.clone()], remove: vec![leaf], ..Change::default() };
    check(&mut many, "unasked", unasked, "rejoin_not_asked_for").await;
    let forged = return_of(&many, 2, own.clone(), ROGUE).await;
    check(&mut many, "asked for by the rogue", forged, "rejoin_not_signed").await;
    let forged = return_of(&many, 2, own.clone(), GHOST).await;
    check(&mut many, "asked for by the ghost", forged, "rejoin_not_signed").await;
    // The ghost's leaf, even with the member's true signature.
    let package = ghost_package(&many);
    let exchanged = return_of(&many, 2, package.clone(), 2).await;
    check(&mut many, "the ghost's leaf", exchanged, "rejoin_of_another_node").await;
    let request = return_of(&many, 2, own.clone(), 2).await;
    let exchanged = Change { add: vec![package.clone()], ..request.clone() };
    check(&mut many, "another leaf than was asked for", exchanged, "rejoin_of_another_node").await;
    let both = Change { add: vec![own, package], ..request.clone() };
    check(&mut many, "a ghost beside a true return", both, "rejoin_not_alone").await;
    let more = leaf_of(&many, 3).await;
    let both = Change { remove: vec![request.remove[0], more], ..request };
    check(&mut many, "one more is removed", both, "rejoin_not_alone").await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2, 3]).await;
}

#[tokio::test]
async fn nothing_old_or_unsigned_comes_into_force_again() {
    let mut many = Many::founded(4, 5).await;
    let first = statement(&many).await;
    // A removal that all have signed, and that another change overtook.
    let overtaken = Wish::Drop(id(3)).after(&first).unwrap();
    let overtaken = signed(&many, overtaken, &[0, 1, 2, 3]);
    let parties = [0, 1, 2, 3].map(id);
    let relay = "relay".parse().unwrap();
    let text = pacts::draft(many.node(1), EQUIPE, &parties, &relay, true, "").await.unwrap();
    let text = text.replace("threshold_k = 10", "threshold_k = 20");
    pacts::sign(many.node(1), ADMIN, Source::Toml(text)).await.unwrap();
    pacts::propose(many.node(1), ADMIN, EQUIPE, false).await.unwrap();
    many.run().await;
    for member in [0, 2, 3] {
        many.sign(member).await;
    }
    many.run().await;
    many.assert_agreement(&[0, 1, 2, 3]).await;
    let leaf = leaf_of(&many, 3).await;
    check(&mut many, "the first again", with(&first), "version_not_next").await;
    let change = Change { remove: vec![leaf], ..with(&overtaken) };
    check(&mut many, "an overtaken removal", change, "version_not_next").await;
    // The same signatures under the next number.
    let mut renumbered = overtaken.statement().clone();
    renumbered.version += 1;
    let all = renumbered.canonical();
    let renumbered = SignedStatement::parse(&all, overtaken.signatures().clone()).unwrap();
    let change = Change { remove: vec![leaf], ..with(&renumbered) };
    check(&mut many, "renumbered", change, "previous_statement_wrong").await;
    let unsigned = next(&many, &[], |it| it.age_limit_ms += 1).await;
    check(&mut many, "unsigned terms", with(&unsigned), "signatures_missing").await;
    let moved = next(&many, &[ROGUE], |it| {
        (it.hub.hub, it.hub.identity) = (id(ROGUE), key(&many, ROGUE).public());
        it.hub.term += 1;
    });
    let moved = moved.await;
    check(&mut many, "the hub moved alone", with(&moved), "signatures_missing").await;
}

#[tokio::test]
async fn a_rogue_cannot_begin_what_the_others_would_not_sign() {
    let mut many = Many::founded(3, 4).await;
    // One's own wish goes nowhere without the others.
    changes::begin(many.node(0), ADMIN, EQUIPE, Wanted::Remove(id(2)), "story").await.unwrap();
    many.run().await;
    many.pass(std::time::Duration::from_secs(7200));
    many.run().await;
    for member in 0..3 {
        assert_eq!(many.members(member).await.len(), 3);
    }
    assert_eq!(many.row(2).await.state, "active");
}
