//! Who joins under a later statement than it signed sees that the one follows from the other;
//! what a removed party and a hub make up together is joined by nobody.

use raccordo_core::crypto::Suite;
use raccordo_core::hublog::{Checkpoint, WelcomeItem};
use raccordo_core::id::{Digest, Epoch, Sequence};
use raccordo_core::session::{Change, Session};
use raccordo_core::trust::statement::{SignedStatement, Statement};
use raccordo_node::app::join::join;
use raccordo_node::app::{changes, found, history, pacts};
use raccordo_node::store::history::Keeper;

use crate::bench::ADMIN;
use crate::bench::place::Rows;
use crate::hubs::{EQUIPE, HUBS, Hubs, REGIONS, id};
use crate::many::{self, Many};

const TOSCANA: &str = REGIONS[0];
const UMBRIA: &str = REGIONS[1];
const LAZIO: &str = REGIONS[2];
const RELAY: &str = HUBS[0];

/// Toscana and Lazio are in; Umbria has signed, has its key packages at the hub and is away.
async fn without_umbria() -> Hubs {
    let mut hubs = Hubs::signed(&REGIONS).await;
    hubs.run().await;
    hubs.accept(RELAY).await;
    hubs.run().await;
    hubs.down.insert(UMBRIA);
    found::create(hubs.node(TOSCANA), ADMIN, EQUIPE).await.unwrap();
    hubs.run().await;
    assert_eq!(hubs.row(LAZIO).await.state, "active");
    hubs
}

/// A group under `statement`, of Lazio and Umbria alone, as Lazio makes it; and the Welcome to
/// it as the hub would hand it out, with its own signature.
async fn made_up(
    hubs: &Hubs,
    statement: &SignedStatement,
    earlier: Vec<SignedStatement>,
) -> (WelcomeItem, Vec<u8>) {
    let (lazio, relay) = (hubs.node(LAZIO), hubs.node(RELAY));
    let group = statement.statement().group_id();
    let leaf = lazio.identity.leaf();
    let suite = Suite::Classical;
    let founded = Session::found(&lazio.crypto, &leaf, group, suite, &statement.encode());
    let (mut session, _) = founded.unwrap();
    let mut tx = relay.store.read().await.unwrap();
    let pool = tx.pool(&id(UMBRIA), suite.number(), relay.clock.now()).await.unwrap();
    let add = vec![pool[0].key_package.clone()];
    let staged = session.stage(&leaf, &Change { add, ..Change::default() }).unwrap();
    session.process(&staged.commit, &|_, _| Ok(())).unwrap();
    let tree = session.public_state(&leaf).unwrap().tree;
    let checkpoint = Checkpoint {
        group,
        sequence: Sequence(9),
        head: Digest([7; 32]),
        epoch: Epoch(1),
        hub: id(RELAY),
        term: statement.statement().hub.term,
    };
    let item = WelcomeItem {
        group,
        lineage: statement.statement().lineage,
        epoch: Epoch(1),
        sequence: Sequence(9),
        checkpoint: checkpoint.sign(&relay.identity.key),
        welcome: staged.welcome.unwrap(),
        accepted_at: relay.clock.now(),
        earlier,
    };
    (item, tree)
}

#[tokio::test]
async fn a_statement_of_a_removed_party_is_not_joined() {
    let hubs = without_umbria().await;
    let standing = pacts::list(hubs.node(UMBRIA)).await.unwrap().remove(0);
    let first = standing.proposal.statement.clone();
    // Lazio was removed since, and signs alone that it and Umbria go on.
    let alone = |version: u64, previous: Digest| {
        let mut after = Statement { version, previous, ..first.statement().clone() };
        after.parties.retain(|party| party.node != id(TOSCANA));
        after.chair = id(LAZIO);
        let mut signed = SignedStatement::new(after).unwrap();
        signed.sign(None, &id(LAZIO), &hubs.node(LAZIO).identity.key).unwrap();
        signed
    };
    let far = alone(9, Digest([1; 32]));
    let next = alone(2, first.digest());
    for (statement, earlier) in [
        (far.clone(), vec![]),
        (far, vec![first.clone()]),
        (next.clone(), vec![]),
        (next, vec![first.clone()]),
    ] {
        let (item, tree) = made_up(&hubs, &statement, earlier).await;
        let joined = join(hubs.node(UMBRIA), &id(RELAY), 1, &item, &tree).await;
        let fault = joined.unwrap_err();
        assert_eq!(fault.reason, "bad_welcome");
        assert!(fault.message.ends_with("not of a signed statement"), "{}", fault.message);
    }
    // The same made with the statement that Umbria has signed is one that it would join.
    let (item, tree) = made_up(&hubs, &first, vec![]).await;
    join(hubs.node(UMBRIA), &id(RELAY), 1, &item, &tree).await.unwrap();
}

#[tokio::test]
async fn a_later_statement_is_joined_where_it_follows() {
    let mut many = Many::proposed(Rows::Memory, 4, 4).await;
    for member in 1..4 {
        many.sign(member).await;
    }
    // The signature of the fourth comes, and no key packages.
    many.post(3).await;
    many.away.insert(3);
    many.found().await;
    // The commit of the change waits for whom it has to add, and adds it.
    let leaver = many.node(1);
    changes::begin(leaver, ADMIN, many::EQUIPE, changes::Wanted::Leave, "").await.unwrap();
    many.run().await;
    many.away.clear();
    many.run().await;
    many.assert_agreement(&[0, 2, 3]).await;
    let version = changes::statement(&many.row(3).await).unwrap().statement().version;
    assert_eq!(version, 2);
    // It can show the way that the hub has shown it.
    let now = changes::statement(&many.row(3).await).unwrap();
    let mut tx = many.node(3).store.read().await.unwrap();
    let steps = history::before(&mut *tx, Keeper::Member, &now).await.unwrap();
    let versions: Vec<u64> = steps.iter().map(|step| step.statement().version).collect();
    assert_eq!(versions, [1]);
}
