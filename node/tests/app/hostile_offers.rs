//! Offers at a hub: an équipe that is carried is touched by none of them, and only what follows
//! from the statement in force is shown to the hub's administrator.

use raccordo_core::id::{Digest, Sequence};
use raccordo_core::trust::statement::{HubTerm, Party, SignedStatement, Statement};
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::hub::accept::{self, Decision, Equipe};
use raccordo_node::app::hub::offer::{Offer, WAITING, offer};
use raccordo_node::app::hub::seed::seed;
use raccordo_node::app::{changes, mail, pacts, term};
use raccordo_node::store::hub::{CarriedRow, LogRow};
use raccordo_node::store::offer::OfferRow;

use crate::bench::ADMIN;
use crate::hubs::{EQUIPE, HUBS, Hubs, REGIONS, id};

const TOSCANA: &str = REGIONS[0];
const UMBRIA: &str = REGIONS[1];
const LAZIO: &str = REGIONS[2];
const RELAY: &str = HUBS[0];
const PONTE: &str = HUBS[1];

/// Everything that a hub has of the équipe: row, log, and what waits.
async fn kept(hubs: &Hubs, hub: &str) -> (CarriedRow, Vec<LogRow>, Vec<OfferRow>) {
    let carried = CarriedRow { version: 0, ..hubs.carried(hub).await };
    let offers = hubs.node(hub).store.read().await.unwrap().all_offers().await.unwrap();
    (carried, hubs.log(hub).await, offers)
}

/// Steps of `doctor` about équipes to accept.
async fn to_accept(hubs: &Hubs, hub: &str) -> Vec<String> {
    let found = doctor(hubs.node(hub)).await.unwrap();
    let open = found.into_iter().filter(|finding| finding.code == "equipe_to_accept");
    open.map(|finding| finding.step).collect()
}

fn party(hubs: &Hubs, name: &str) -> Party {
    let identity = hubs.node(name).identity.key.public();
    Party { node: id(name), identity, card_floor: 1, suspended_by: None, ratified: false }
}

fn signed(hubs: &Hubs, statement: Statement, signers: &[&str]) -> SignedStatement {
    let mut signed = SignedStatement::new(statement).unwrap();
    for name in signers {
        signed.sign(None, &id(name), &hubs.node(name).identity.key).unwrap();
    }
    signed
}

/// What nodes who are no members sign: an équipe of the same lineage in which they are alone.
fn usurped(hubs: &Hubs, known: &Statement, names: &[&str]) -> Statement {
    let parties = names.iter().map(|name| party(hubs, name)).collect();
    Statement { parties, chair: id(names[0]), ..known.clone() }
}

/// A later term of that, `version` and `term` far ahead.
fn far_ahead(hubs: &Hubs, known: &Statement) -> Offer {
    let mut before = usurped(hubs, known, &[LAZIO]);
    before.version = 899;
    before.previous = Digest([1; 32]);
    before.hub.term = 899;
    let after = Statement {
        version: 900,
        previous: before.digest(),
        hub: HubTerm { term: 900, first_sequence: Sequence(9), ..before.hub.clone() },
        ..before.clone()
    };
    Offer {
        statement: signed(hubs, after, &[LAZIO]),
        earlier: vec![signed(hubs, before, &[LAZIO])],
        cards: vec![hubs.node(LAZIO).identity.card()],
    }
}

/// The same right after the statement in force.
fn next(hubs: &Hubs, known: &SignedStatement) -> Offer {
    let before = known.statement();
    let hub = HubTerm { term: 2, first_sequence: Sequence(9), ..before.hub.clone() };
    let after = usurped(hubs, before, &[LAZIO]);
    let version = before.version + 1;
    let after = Statement { version, previous: known.digest(), hub, ..after };
    Offer {
        statement: signed(hubs, after, &[LAZIO]),
        earlier: vec![known.clone()],
        cards: vec![hubs.node(LAZIO).identity.card()],
    }
}

#[tokio::test]
async fn who_is_no_member_replaces_nothing() {
    let members = [TOSCANA, UMBRIA];
    let mut hubs = Hubs::of(&members).await;
    let mut shared = hubs.share(TOSCANA, 3).await;
    hubs.run().await;
    let in_force = changes::statement(&hubs.row(TOSCANA).await).unwrap();
    let before = kept(&hubs, RELAY).await;
    assert!(before.1.len() > 3);

    let unconnected = far_ahead(&hubs, in_force.statement());
    let alone = Offer { earlier: Vec::new(), ..unconnected.clone() };
    let mut gap = unconnected.clone();
    gap.earlier.insert(0, in_force.clone());
    let following = next(&hubs, &in_force);
    let unshown = Offer { earlier: Vec::new(), ..following.clone() };
    let first = usurped(&hubs, in_force.statement(), &[LAZIO, PONTE]);
    let first = Offer {
        statement: signed(&hubs, first, &[LAZIO, PONTE]),
        earlier: Vec::new(),
        cards: [LAZIO, PONTE].map(|name| hubs.node(name).identity.card()).to_vec(),
    };
    for (offered, expected) in [
        (unconnected, "does_not_follow"),
        (alone, "bad_statement"),
        (gap, "bad_statement"),
        (following, "bad_statement"),
        (unshown, "bad_statement"),
        (first, "change_overtaken"),
    ] {
        let answer = offer(hubs.node(RELAY), &id(LAZIO), offered).await;
        assert_eq!(answer.unwrap_err().reason, expected);
        assert_eq!(kept(&hubs, RELAY).await, before, "{expected}");
    }
    let elsewhere = far_ahead(&hubs, in_force.statement());
    let answer = offer(hubs.node(PONTE), &id(LAZIO), elsewhere).await;
    assert_eq!(answer.unwrap_err().reason, "not_this_hub");
    assert_eq!(to_accept(&hubs, RELAY).await, Vec::<String>::new());
    let accepted = accept::decide(hubs.node(RELAY), ADMIN, EQUIPE, Decision::Accept).await;
    assert_eq!(accepted.unwrap_err().reason, "wrong_state");

    shared.extend(hubs.share(UMBRIA, 1).await);
    hubs.run().await;
    hubs.assert_agreement(&members, RELAY).await;
    hubs.assert_shared(&members, &shared).await;
}

/// All sign that the hub is lost and is to go on from what they hold.
async fn begin_anew(hubs: &mut Hubs) {
    hubs.move_to(TOSCANA, RELAY, true).await.unwrap();
    hubs.run().await;
    hubs.sign(UMBRIA).await;
    hubs.sign(LAZIO).await;
    hubs.run().await;
}

#[tokio::test]
async fn a_term_that_follows_waits_beside_what_is_carried() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(TOSCANA, 2).await;
    hubs.run().await;
    let (carried, log, offers) = kept(&hubs, RELAY).await;
    assert_eq!(offers, []);
    begin_anew(&mut hubs).await;
    let (now, same, offers) = kept(&hubs, RELAY).await;
    assert_eq!((&now, &same), (&carried, &log));
    assert_eq!(offers.len(), 1);
    assert_eq!(offers[0].state, WAITING);
    assert_eq!(to_accept(&hubs, RELAY).await.len(), 1);
    hubs.accept(RELAY).await;

    // A party that hands over something else takes nothing away, and stands in nobody's way.
    let lineage = carried.lineage;
    let good = term::seed::page(hubs.node(UMBRIA), lineage, None).await.unwrap().unwrap();
    assert!(good.state.is_some() && !good.entries.is_empty(), "one page is all of it");
    let mut bent = good.clone();
    bent.entries[0].payload.push(0);
    let mut half = good.clone();
    half.entries.truncate(1);
    half.state = None;
    let stranger = seed(hubs.node(RELAY), &id(PONTE), good.clone()).await;
    assert_eq!(stranger.unwrap_err().reason, "not_a_party");
    let refused = seed(hubs.node(RELAY), &id(UMBRIA), bent.clone()).await;
    assert_eq!(refused.unwrap_err().reason, "seed_bad");
    let copies = async |hubs: &Hubs| {
        let mut tx = hubs.node(RELAY).store.read().await.unwrap();
        tx.log_copies(lineage).await.unwrap().len()
    };
    assert_eq!(copies(&hubs).await, 0, "nothing is left of it");
    let begun = seed(hubs.node(RELAY), &id(UMBRIA), half).await.unwrap();
    assert!(!begun.founded);
    assert_eq!(copies(&hubs).await, 1);
    let (now, same, _) = kept(&hubs, RELAY).await;
    assert_eq!((&now, &same), (&carried, &log));

    hubs.run().await;
    let (now, _, offers) = kept(&hubs, RELAY).await;
    assert_eq!((now.term, now.begun == carried.begun), (2, false));
    assert_eq!((offers, copies(&hubs).await), (Vec::new(), 0));
    shared.extend(hubs.share(LAZIO, 1).await);
    hubs.run().await;
    hubs.assert_agreement(&REGIONS, RELAY).await;
    hubs.assert_shared(&REGIONS, &shared).await;
}

#[tokio::test]
async fn what_follows_no_more_is_not_advised() {
    let mut hubs = Hubs::founded().await;
    let in_force = changes::statement(&hubs.row(TOSCANA).await).unwrap();
    let Offer { statement, earlier, cards } = far_ahead(&hubs, in_force.statement());
    let row = OfferRow {
        lineage: statement.statement().lineage,
        digest: statement.digest(),
        name: EQUIPE.into(),
        state: WAITING.into(),
        offered_by: id(LAZIO),
        offered_at: hubs.node(RELAY).clock.now(),
        statement: statement.encode(),
        earlier: earlier.iter().map(SignedStatement::encode).collect(),
        cards: cards.iter().map(|card| card.encode()).collect(),
    };
    let mut tx = hubs.node(RELAY).store.write().await.unwrap();
    tx.put_offer(row).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(to_accept(&hubs, RELAY).await, Vec::<String>::new());
    let listed = accept::list(hubs.node(RELAY)).await.unwrap();
    let states: Vec<&str> = listed.iter().map(Equipe::state).collect();
    assert_eq!(states, ["overtaken", "founded"]);
    let accepted = accept::decide(hubs.node(RELAY), ADMIN, EQUIPE, Decision::Accept).await;
    assert_eq!(accepted.unwrap_err().reason, "does_not_follow");
    accept::decide(hubs.node(RELAY), ADMIN, EQUIPE, Decision::Refuse).await.unwrap();
    hubs.share(TOSCANA, 1).await;
    hubs.run().await;
    hubs.assert_agreement(&REGIONS, RELAY).await;
}

#[tokio::test]
async fn a_log_comes_back_over_the_statements_between() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(TOSCANA, 2).await;
    hubs.run().await;
    hubs.move_to(UMBRIA, PONTE, false).await.unwrap();
    hubs.run().await;
    hubs.sign(TOSCANA).await;
    hubs.sign(LAZIO).await;
    hubs.run().await;
    hubs.accept(PONTE).await;
    hubs.run().await;
    changes::begin(hubs.node(LAZIO), ADMIN, EQUIPE, changes::Wanted::Leave, "").await.unwrap();
    hubs.run().await;
    let left = [TOSCANA, UMBRIA];
    let before = kept(&hubs, RELAY).await;
    assert_eq!(before.0.state, "moved");

    hubs.move_to(TOSCANA, RELAY, false).await.unwrap();
    hubs.run().await;
    hubs.down.insert(RELAY);
    hubs.sign(UMBRIA).await;
    hubs.run().await;
    hubs.down.clear();
    let offered = mail::offers(hubs.node(TOSCANA), &id(RELAY)).await.unwrap().remove(0);
    assert!(offered.earlier.len() >= 3);
    let mut unconnected = offered.clone();
    unconnected.earlier.drain(..offered.earlier.len() - 1);
    let refused = offer(hubs.node(RELAY), &id(TOSCANA), unconnected).await;
    assert_eq!(refused.unwrap_err().reason, "does_not_follow");
    // Whoever left is no party of it, and cannot offer it.
    let refused = offer(hubs.node(RELAY), &id(LAZIO), offered).await;
    assert_eq!(refused.unwrap_err().reason, "not_a_party");
    assert_eq!(kept(&hubs, RELAY).await, before);

    hubs.run().await;
    hubs.accept(RELAY).await;
    hubs.run().await;
    shared.extend(hubs.share(UMBRIA, 1).await);
    hubs.run().await;
    hubs.assert_agreement(&left, RELAY).await;
    hubs.assert_shared(&left, &shared).await;
    assert_eq!(hubs.carried(RELAY).await.term, 3);
}

#[tokio::test]
async fn whoever_offers_a_lineage_first_does_not_have_it() {
    let members = [TOSCANA, UMBRIA];
    let mut hubs = Hubs::signed(&members).await;
    let standing = pacts::list(hubs.node(TOSCANA)).await.unwrap().remove(0);
    let known = standing.proposal.statement.statement().clone();
    let first = usurped(&hubs, &known, &[LAZIO, PONTE]);
    let usurping = Offer {
        statement: signed(&hubs, first, &[LAZIO, PONTE]),
        earlier: Vec::new(),
        cards: [LAZIO, PONTE].map(|name| hubs.node(name).identity.card()).to_vec(),
    };
    assert_eq!(offer(hubs.node(RELAY), &id(LAZIO), usurping.clone()).await.unwrap(), WAITING);
    hubs.run().await;
    let steps = to_accept(&hubs, RELAY).await;
    let (theirs, ours) = (changes::short(usurping.digest()), changes::short(known.digest()));
    assert_eq!(steps.len(), 2);
    assert!(steps.iter().any(|step| step.contains(&ours)), "{steps:?}");
    assert!(steps.iter().any(|step| step.contains(&theirs)), "{steps:?}");
    let decide = async |hubs: &Hubs, named: &str, decision| {
        let decided = accept::decide(hubs.node(RELAY), ADMIN, named, decision).await;
        decided.map(|equipe| equipe.state().to_owned()).map_err(|fault| fault.reason)
    };
    assert_eq!(decide(&hubs, EQUIPE, Decision::Accept).await, Err("ambiguous_name"));
    assert_eq!(decide(&hubs, &ours[..11], Decision::Accept).await, Err("no_such_equipe"));
    assert_eq!(decide(&hubs, &ours, Decision::Accept).await, Ok("accepted".to_owned()));
    assert_eq!(decide(&hubs, &theirs, Decision::Refuse).await, Ok("refused".to_owned()));
    hubs.found(&members).await;
    let shared = hubs.share(TOSCANA, 1).await;
    hubs.run().await;
    hubs.assert_agreement(&members, RELAY).await;
    hubs.assert_shared(&members, &shared).await;
    // What is carried now, it does not follow.
    let again = offer(hubs.node(RELAY), &id(LAZIO), usurping).await;
    assert_eq!(again.unwrap_err().reason, "change_overtaken");
}

/// Evicted, an équipe is offered anew: nothing is left that it would have to follow.
#[tokio::test]
async fn after_an_eviction_nothing_is_left() {
    let mut hubs = Hubs::founded().await;
    hubs.share(TOSCANA, 1).await;
    hubs.run().await;
    let group = hubs.carried(RELAY).await.group;
    let evicted = accept::decide(hubs.node(RELAY), ADMIN, EQUIPE, Decision::Evict).await;
    assert_eq!(evicted.unwrap().state(), "evicted");
    let mut tx = hubs.node(RELAY).store.read().await.unwrap();
    assert_eq!(tx.all_carried().await.unwrap(), []);
    assert_eq!(tx.log_after(group, Sequence(0), 9, 999).await.unwrap(), []);
    assert_eq!(tx.cursors(group).await.unwrap(), []);
    drop(tx);
    let again = accept::decide(hubs.node(RELAY), ADMIN, EQUIPE, Decision::Evict).await;
    assert_eq!(again.unwrap_err().reason, "no_such_equipe");
    begin_anew(&mut hubs).await;
    hubs.accept(RELAY).await;
    hubs.run().await;
    hubs.share(UMBRIA, 1).await;
    hubs.run().await;
    assert_eq!(hubs.carried(RELAY).await.term, 2);
    for region in REGIONS {
        assert_eq!(hubs.row(region).await.sequence, hubs.carried(RELAY).await.sequence);
    }
}
