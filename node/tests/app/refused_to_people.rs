//! What administrators and operators are refused, and what is refused for them: cards,
//! codes, pacts, tokens, alerts, Welcomes.

use std::time::Duration;

use raccordo_core::alert::{Alert, FieldError, Reason};
use raccordo_core::crypto::Suite;
use raccordo_core::hublog::WelcomeItem;
use raccordo_core::id::ObjectId;
use raccordo_core::object::Kind;
use raccordo_core::operator::{Class, Role};
use raccordo_core::trust::card::{Card, SignedCard};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::trust::state::{TrustChange, TrustState};
use raccordo_core::wire;
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::app::fault::Fault;
use raccordo_node::app::hub::key_package_pool::fetch_tree;
use raccordo_node::app::hub::mailbox::read_mailbox;
use raccordo_node::app::join::join;
use raccordo_node::app::pacts::{self, Source};
use raccordo_node::app::share::{Order, share};
use raccordo_node::app::withdraw::withdraw;
use raccordo_node::app::{alerts, found, peers};
use raccordo_proto::alert::v1::alert::Body;

use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Rows, Toscana, Umbria, Who};

fn reason(fault: Fault) -> &'static str {
    fault.reason
}

/// The card of a node, changed and signed again.
fn reissued(bench: &Bench, who: Who, bend: impl FnOnce(&mut Card)) -> SignedCard {
    let identity = &bench.node(who).identity;
    let mut card = identity.card().card().clone();
    bend(&mut card);
    card.sign(&identity.key).unwrap()
}

#[tokio::test]
async fn cards() {
    let bench = Bench::strangers(Rows::Memory).await;
    let toscana = bench.node(Toscana);
    let text = bench.node(Umbria).identity.card().to_file();
    let tampered = text.replacen('A', "B", 1);
    assert_eq!(SignedCard::from_file(&tampered).unwrap_err().reason(), "bad_card");
    let check = async |card, expected| {
        let before = peers::list(toscana).await.unwrap().len();
        let added = peers::add(toscana, ADMIN, card).await;
        assert_eq!(added.map(drop).map_err(reason), Err(expected));
        assert_eq!(peers::list(toscana).await.unwrap().len(), before, "{expected}");
    };
    check(toscana.identity.card(), "own_card").await;
    let now = toscana.clock.now();
    let over = |card: &mut Card| {
        card.valid_from = raccordo_core::time::Instant(0);
        card.valid_until = now;
    };
    check(reissued(&bench, Umbria, over), "card_expired").await;
    let early = |card: &mut Card| card.valid_from = now.plus(Duration::from_secs(1));
    check(reissued(&bench, Umbria, early), "card_not_yet_valid").await;
    let newer = reissued(&bench, Umbria, |card| card.serial = 2);
    peers::add(toscana, ADMIN, newer.clone()).await.unwrap();
    check(bench.node(Umbria).identity.card(), "lower_serial").await;
    check(reissued(&bench, Umbria, |card| card.name = "other".into()), "lower_serial").await;
    let key = IdentityKey::from_seed(&[9; 32]);
    let mut card = newer.card().clone();
    (card.identity, card.serial) = (key.public(), 3);
    let prove = |seed: u8, key_use| {
        let secret = IdentityKey::from_seed(&[seed; 32]);
        ProvenKey::prove(&secret, key_use, &card.node, &key.public())
    };
    (card.tls_key, card.mls_key) = (prove(10, KeyUse::Tls), prove(11, KeyUse::Mls));
    check(card.sign(&key).unwrap(), "another_identity").await;
    peers::add(toscana, ADMIN, newer).await.unwrap();
}

#[tokio::test]
async fn phone_codes() {
    let bench = Bench::acquainted(Rows::Memory).await;
    let toscana = bench.node(Toscana);
    let umbria = Umbria.id();
    let other = peers::show(toscana, &Relay.id()).await.unwrap().code;
    peers::change(toscana, ADMIN, &umbria, TrustChange::Suspend, "t").await.unwrap();
    for heard in [other.as_str(), "", "abaco"] {
        let verified = peers::verify(toscana, ADMIN, &umbria, heard).await;
        assert_eq!(verified.map(drop).map_err(reason), Err("wrong_code"));
    }
    assert_eq!(peers::show(toscana, &umbria).await.unwrap().row.state, TrustState::Suspended);
    let unknown = peers::verify(toscana, ADMIN, &"lazio".parse().unwrap(), &other).await;
    assert_eq!(unknown.map(drop).map_err(reason), Err("no_such_peer"));
    peers::change(toscana, ADMIN, &umbria, TrustChange::Revoke, "t").await.unwrap();
    let code = peers::show(toscana, &umbria).await.unwrap().code;
    let again = peers::verify(toscana, ADMIN, &umbria, &code).await;
    assert_eq!(again.map(drop).map_err(reason), Err("revoked"));
}

#[tokio::test]
async fn pacts_that_are_not_signed() {
    let bench = Bench::acquainted(Rows::Memory).await;
    let toscana = bench.node(Toscana);
    let parties = [Toscana.id(), Umbria.id()];
    let draft = async |example| {
        let hub = Relay.id();
        pacts::draft(toscana, EQUIPE, &parties, &hub, example, "classical").await.unwrap()
    };
    let check = async |who, text: &str, expected| {
        let signed = pacts::sign(bench.node(who), ADMIN, Source::Toml(text.to_owned())).await;
        assert_eq!(signed.map(drop).map_err(reason), Err(expected));
    };
    check(Toscana, &draft(false).await, "pact_unfilled").await;
    check(Toscana, "equipe = 1", "pact_invalid").await;
    let good = draft(true).await;
    check(Umbria, &good, "not_the_chair").await;
    check(Toscana, &format!("{good}\nsurprise = 1\n"), "pact_invalid").await;
    pacts::sign(toscana, ADMIN, Source::Toml(good.clone())).await.unwrap();
    check(Toscana, &format!("{good}# other\n"), "pact_conflict").await;
    let junk = pacts::sign(toscana, ADMIN, Source::Proposal(b"junk".to_vec())).await;
    assert_eq!(junk.map(drop).map_err(reason), Err("bad_proposal"));
    let (_, proposal) = pacts::propose(toscana, ADMIN, EQUIPE, true).await.unwrap();
    let stranger = pacts::sign(bench.node(Relay), ADMIN, Source::Proposal(proposal.clone())).await;
    assert_eq!(stranger.map(drop).map_err(reason), Err("not_a_party"));
    let change = TrustChange::Suspend;
    peers::change(bench.node(Umbria), ADMIN, &Relay.id(), change, "t").await.unwrap();
    let untrusted = pacts::sign(bench.node(Umbria), ADMIN, Source::Proposal(proposal)).await;
    assert_eq!(untrusted.map(drop).map_err(reason), Err("party_not_verified"));
    assert_eq!(pacts::list(bench.node(Umbria)).await.unwrap().len(), 0);
}

#[tokio::test]
async fn tokens() {
    let bench = Bench::ready().await;
    let node = bench.node(Toscana);
    let added = directory::add_operator(node, ADMIN, "Bea", "PUA", "frontline").await.unwrap();
    let token = added.1.reveal().clone();
    let check = async |token: &str| {
        directory::authenticate(node, token).await.map(|operator| operator.id).map_err(reason)
    };
    assert_eq!(check(&token).await, Ok(added.0.id));
    for wrong in ["", "junk", &token[1..], &token.to_uppercase()] {
        assert_eq!(check(wrong).await, Err("wrong_token"), "{}", wrong.len());
    }
    directory::change_operator(node, ADMIN, "Bea", None, false).await.unwrap();
    assert_eq!(check(&token).await, Err("wrong_token"));
    let role = directory::add_operator(node, ADMIN, "Carla", "PUA", "chief").await;
    assert_eq!(role.map(drop).map_err(reason), Err("unknown_role"));
    let name = directory::add_operator(node, ADMIN, "Bea", "PUA", "auditor").await;
    assert_eq!(name.map(drop).map_err(reason), Err("name_taken"));
}

#[tokio::test]
async fn roles() {
    let mut bench = Bench::ready().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    let node = bench.node(Toscana);
    let auditor = Operator { role: Role::Auditor, ..bench.operator(Toscana).clone() };
    let employers =
        Operator { class: Class::EmployersAssociation, ..bench.operator(Toscana).clone() };
    let frontline = Operator { role: Role::Frontline, ..bench.operator(Toscana).clone() };
    let code = node.lists.list("withdrawal_reason").unwrap().entries()[0].code.clone();
    for (operator, may_share) in [(&auditor, false), (&employers, false), (&frontline, true)] {
        let alerts = bench.samples(Toscana, Kind::Case, 1);
        let order = Order { equipe: EQUIPE.into(), alerts, purpose: None, dry_run: true };
        assert_eq!(share(node, operator, order).await.is_ok(), may_share);
        assert_eq!(alerts::head(node, operator, objects[0]).await.is_ok(), may_share);
        let withdrawn = withdraw(node, operator, objects[0], &code).await;
        assert_eq!(withdrawn.map(drop).map_err(reason), Err("role_not_allowed"));
    }
    let unknown = withdraw(node, bench.operator(Toscana), objects[0], "because").await;
    assert_eq!(unknown.map(drop).map_err(reason), Err("unknown_reason"));
    assert_eq!(bench.seen(Toscana, objects[0]).await.row.state, "active");
}

#[tokio::test]
async fn alerts_that_are_not_shared() {
    let mut bench = Bench::ready().await;
    let check = async |bench: &Bench, bend: fn(&mut Alert), field: &str, expected| {
        let mut alerts = bench.samples(Toscana, Kind::Company, 2);
        bend(&mut alerts[1]);
        let shared = bench.share(Toscana, alerts).await.unwrap();
        assert!(shared.objects.is_empty());
        let found: Vec<_> = shared.violations.into_iter().map(|it| (it.index, it.error)).collect();
        let [(1, FieldError { field: at, reason, .. })] = found.as_slice() else {
            panic!("{field}: {found:?}");
        };
        assert_eq!((at.as_str(), *reason), (field, expected));
        assert_eq!(bench.listed(Toscana).await.len(), 0);
    };
    fn company(alert: &mut Alert) -> &mut raccordo_core::alert::CompanyAlert {
        match &mut alert.body {
            Some(Body::CompanyAlert(company)) => company,
            _ => panic!("no company"),
        }
    }
    let sector = |alert: &mut Alert| company(alert).sector = "99.99.99".into();
    check(&bench, sector, "companyAlert.sector", Reason::UnknownCode).await;
    let role = |alert: &mut Alert| company(alert).role.clear();
    check(&bench, role, "companyAlert.role", Reason::Missing).await;
    let late = |alert: &mut Alert| alert.expires_on = "2036-01-01".into();
    check(&bench, late, "companyAlert", Reason::PactForbids).await;
    let reasons =
        async |bench: &Bench, who, alerts| bench.share(who, alerts).await.map(drop).map_err(reason);
    let mut twice = bench.samples(Toscana, Kind::Case, 2);
    twice[1].id = twice[0].id.clone();
    assert_eq!(reasons(&bench, Toscana, twice).await, Err("id_repeated"));
    assert_eq!(reasons(&bench, Toscana, Vec::new()).await, Err("too_many"));
    let of_umbria = bench.samples(Umbria, Kind::Case, 1);
    assert_eq!(reasons(&bench, Umbria, of_umbria.clone()).await, Ok(()));
    bench.run().await;
    assert_eq!(reasons(&bench, Toscana, of_umbria).await, Err("id_taken"));
    let order = Order {
        equipe: EQUIPE.into(),
        alerts: bench.samples(Toscana, Kind::Case, 1),
        purpose: Some("other".into()),
        dry_run: false,
    };
    let purpose = share(bench.node(Toscana), bench.operator(Toscana), order.clone()).await;
    assert_eq!(purpose.map(drop).map_err(reason), Err("pact_forbids"));
    let elsewhere = Order { equipe: "Nowhere".into(), purpose: None, ..order };
    let elsewhere = share(bench.node(Toscana), bench.operator(Toscana), elsewhere).await;
    assert_eq!(elsewhere.map(drop).map_err(reason), Err("no_such_equipe"));
    let missing = ObjectId::random(&*bench.node(Toscana).entropy);
    let opened = alerts::open(bench.node(Toscana), bench.operator(Toscana), missing).await;
    assert_eq!(opened.map(drop).map_err(reason), Err("no_such_alert"));
    assert_eq!(bench.listed(Toscana).await.len(), 1);
}

#[tokio::test]
async fn welcomes() {
    let mut bench = Bench::agreed(Rows::Memory, Suite::Classical).await;
    found::create(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    for _ in 0..4 {
        bench.turn(Toscana).await.unwrap();
    }
    let mail = read_mailbox(bench.node(Relay), &Umbria.id(), 0).await.unwrap();
    let row = mail.into_iter().find(|row| row.kind == "welcome").unwrap();
    let good = wire::hub::decode_welcome(&row.payload).unwrap();
    let relay = bench.node(Relay);
    let tree = fetch_tree(relay, &Umbria.id(), good.group, Some(good.epoch)).await.unwrap();
    let check = async |who, hub: Who, item: &WelcomeItem, tree: &[u8], expected| {
        let joined = join(bench.node(who), &hub.id(), row.sequence, item, tree).await;
        assert_eq!(joined.map_err(reason), Err(expected));
        let mut tx = bench.node(who).store.read().await.unwrap();
        assert_eq!(tx.equipes().await.unwrap().len(), 0);
    };
    check(Relay, Relay, &good, &tree, "pact_not_signed").await;
    check(Umbria, Toscana, &good, &tree, "bad_welcome").await;
    check(Umbria, Relay, &good, &tree[1..], "bad_welcome").await;
    let mut bent = good.clone();
    bent.welcome.truncate(100);
    check(Umbria, Relay, &bent, &tree, "bad_welcome").await;
    let stated = good.checkpoint.checkpoint().clone();
    let stranger = IdentityKey::from_seed(&[9; 32]);
    let forged = WelcomeItem { checkpoint: stated.clone().sign(&stranger), ..good.clone() };
    check(Umbria, Relay, &forged, &tree, "bad_welcome").await;
    for place in 0..3 {
        let mut other = stated.clone();
        match place {
            0 => other.sequence = other.sequence.next(),
            1 => other.epoch = other.epoch.next(),
            _ => other.term += 1,
        }
        let checkpoint = other.sign(&relay.identity.key);
        let item = WelcomeItem { checkpoint, ..good.clone() };
        check(Umbria, Relay, &item, &tree, "bad_welcome").await;
    }
    bench.run().await;
    bench.assert_agreement().await;
}
