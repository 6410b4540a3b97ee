//! What a hub refuses: each with its stable reason, and nothing stored.

use raccordo_core::crypto::Suite;
use raccordo_core::entropy::draw;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{Digest, EntryId, Epoch, GroupId, ItemId};
use raccordo_core::object::Kind;
use raccordo_core::session::{Change, Session};
use raccordo_core::trust::statement::SignedStatement;
use raccordo_node::app::fault::Fault;
use raccordo_node::app::found::{self, Step};
use raccordo_node::app::hub::append::{Handed, Outcome, append};
use raccordo_node::app::hub::found_group::found_group;
use raccordo_node::app::hub::key_package_pool::{claim, fetch_tree};
use raccordo_node::app::hub::mailbox::{post, read_mailbox};
use raccordo_node::app::hub::offer::{Offer, offer};
use raccordo_node::app::{mail, pacts, send};
use raccordo_node::store::hub::MailLoads;

use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Rows, Toscana, Umbria, Who};

/// A good message of Toscana that the hub does not have yet.
async fn message(bench: &mut Bench) -> Handed {
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    waiting(bench, Toscana).await
}

async fn waiting(bench: &Bench, who: Who) -> Handed {
    let call = send::next_call(bench.node(who), bench.lineage().await).await.unwrap().unwrap();
    call.entries[0].clone()
}

/// Where the log stands at the hub.
async fn log(bench: &Bench) -> (u64, Digest, u64) {
    let mut tx = bench.node(Relay).store.read().await.unwrap();
    let row = tx.carried(bench.lineage().await).await.unwrap().unwrap();
    (row.sequence.0, row.head, row.stored_bytes)
}

async fn check(bench: &Bench, who: Who, handed: Handed, expected: &str) {
    let before = log(bench).await;
    let found = match bench.hand(who, handed).await {
        Outcome::Refused(reason) => reason,
        Outcome::Stale { .. } => "stale_epoch".to_owned(),
        Outcome::Placed { .. } => "placed".to_owned(),
    };
    assert_eq!(found, expected);
    assert_eq!(log(bench).await, before, "{expected}");
}

#[tokio::test]
async fn bad_messages() {
    let mut bench = Bench::ready().await;
    let good = message(&mut bench).await;
    let bent = |bend: fn(&mut Handed)| {
        let mut handed = good.clone();
        handed.entry = EntryId(draw(&*bench.node(Toscana).entropy));
        bend(&mut handed);
        handed
    };
    for (bend, reason) in [
        ((|it| it.epoch = Epoch(0)) as fn(&mut Handed), "stale_epoch"),
        (|it| it.epoch = it.epoch.next(), "stale_epoch"),
        (|it| it.payload = vec![0; 72 * 1024 + 1], "frame_too_large"),
        (|it| it.payload.clear(), "malformed_frame"),
        (|it| it.payload.push(0), "malformed_frame"),
        (|it| it.kind = EntryKind::Commit, "not_admissible"),
    ] {
        check(&bench, Toscana, bent(bend), reason).await;
    }
    let notice = check(&bench, Toscana, bent(|it| it.kind = EntryKind::Notice), "bad_notice");
    notice.await;
}

#[tokio::test]
async fn bad_commits() {
    let mut bench = Bench::ready().await;
    bench.restart(Toscana).await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    let good = waiting(&bench, Toscana).await;
    assert_eq!(good.kind, EntryKind::Commit);
    let before = Handed { group_info: Vec::new(), ..good.clone() };
    check(&bench, Toscana, before, "malformed_frame").await;
    let mut info = good.group_info.clone();
    *info.last_mut().unwrap() ^= 1;
    check(&bench, Toscana, Handed { group_info: info, ..good.clone() }, "bad_group_info").await;
    check(&bench, Umbria, good.clone(), "wrong_sender").await;
    let as_message = Handed { kind: EntryKind::Application, ..good.clone() };
    check(&bench, Toscana, as_message, "not_admissible").await;
    let mut changed = good.clone();
    let middle = changed.payload.len() / 2;
    changed.payload[middle] ^= 1;
    let answer = bench.hand(Toscana, changed).await;
    assert!(matches!(answer, Outcome::Refused(_)), "{answer:?}");
    // None of it has harmed the group.
    bench.run().await;
    bench.assert_agreement().await;
}

/// A commit that adds is taken with its Welcome alone: who is added could never come in else.
#[tokio::test]
async fn welcomes_that_are_for_nobody() {
    let bench = Bench::agreed(Rows::Memory, Suite::Classical).await;
    found::create(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    let lineage = bench.lineage().await;
    let toscana = bench.node(Toscana);
    let group = bench.row(Toscana).await.group;
    let (_, step) = found::steps(toscana, &Relay.id()).await.unwrap().pop_first().unwrap();
    let Step::Upload { group_info, .. } = step else { panic!("{step:?}") };
    let relay = bench.node(Relay);
    found_group(relay, &Toscana.id(), lineage, group, group_info).await.unwrap();
    found::uploaded(toscana, lineage).await.unwrap();
    let claimed = claim(relay, &Toscana.id(), lineage, 3, &[Umbria.id()]).await.unwrap();
    let other = claim(relay, &Toscana.id(), lineage, 3, &[Umbria.id()]).await.unwrap();
    found::invite(toscana, lineage, claimed.key_packages).await.unwrap();
    let good = waiting(&bench, Toscana).await;
    assert!(good.kind == EntryKind::Commit && !good.welcome.is_empty());
    // A Welcome of the same group to another key package of Umbria.
    let leaf = toscana.identity.leaf();
    let statement = bench.row(Toscana).await.statement;
    let founded = Session::found(&toscana.crypto, &leaf, group, Suite::Classical, &statement);
    let add = vec![other.key_packages[0].key_package.clone()];
    let staged = founded.unwrap().0.stage(&leaf, &Change { add, ..Change::default() }).unwrap();
    let mut cut = good.welcome.clone();
    cut.truncate(cut.len() / 2);
    for welcome in [vec![], vec![7; 300], cut, good.payload.clone(), staged.welcome.unwrap()] {
        let bent = Handed { welcome, ..good.clone() };
        check(&bench, Toscana, bent, "bad_welcome").await;
    }
    let mail = read_mailbox(relay, &Umbria.id(), 0).await.unwrap();
    assert!(mail.iter().all(|row| row.kind != "welcome"));
    let mut bench = bench;
    bench.run().await;
    bench.assert_agreement().await;
    // Who adds nobody brings none.
    let mut bench = Bench::ready().await;
    bench.restart(Toscana).await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    let update = waiting(&bench, Toscana).await;
    assert_eq!(update.kind, EntryKind::Commit);
    let bent = Handed { welcome: good.welcome, ..update };
    check(&bench, Toscana, bent, "bad_welcome").await;
}

#[tokio::test]
async fn a_repeated_entry_id_gets_the_old_answer_whatever_its_bytes() {
    let mut bench = Bench::ready().await;
    let good = message(&mut bench).await;
    let first = bench.hand(Toscana, good.clone()).await;
    let after = log(&bench).await;
    let other = Handed { payload: b"other".to_vec(), epoch: Epoch(0), ..good };
    assert_eq!(bench.hand(Toscana, other).await, first);
    assert_eq!(log(&bench).await, after);
    bench.run().await;
    bench.assert_agreement().await;
}

#[tokio::test]
async fn strangers_to_a_group() {
    let mut bench = Bench::ready().await;
    let good = message(&mut bench).await;
    let (relay, group) = (bench.node(Relay), bench.row(Toscana).await.group);
    let lineage = bench.lineage().await;
    let reason = |fault: Fault| fault.reason;
    let stranger = "lazio".parse().unwrap();
    let handed = vec![good];
    let by = append(relay, &stranger, group, handed.clone()).await;
    assert_eq!(by.map_err(reason), Err("not_a_member"));
    let to = append(relay, &Toscana.id(), GroupId([9; 32]), handed.clone()).await;
    assert_eq!(to.map_err(reason), Err("no_such_group"));
    let at = append(bench.node(Umbria), &Toscana.id(), group, handed.clone()).await;
    assert_eq!(at.map_err(reason), Err("not_a_hub"));
    let none = append(relay, &Toscana.id(), group, Vec::new()).await;
    assert_eq!(none.map_err(reason), Err("bad_batch"));
    let many = append(relay, &Toscana.id(), group, vec![handed[0].clone(); 65]).await;
    assert_eq!(many.map_err(reason), Err("bad_batch"));
    let claimed = claim(relay, &stranger, lineage, 3, &[Umbria.id()]).await;
    assert_eq!(claimed.map(drop).map_err(reason), Err("not_a_party"));
    let tree = fetch_tree(relay, &stranger, group, Some(Epoch(1))).await;
    assert_eq!(tree.map_err(reason), Err("not_a_party"));
    let tree = fetch_tree(relay, &Umbria.id(), group, Some(Epoch(99))).await;
    assert_eq!(tree.map_err(reason), Err("no_such_tree"));
    let info = found_group(relay, &Umbria.id(), lineage, group, Vec::new()).await;
    assert_eq!(info.map_err(reason), Err("not_the_chair"));
    let other = GroupId([9; 32]);
    let info = found_group(relay, &Toscana.id(), lineage, other, Vec::new()).await;
    assert_eq!(info.map_err(reason), Err("already_founded"));
}

#[tokio::test]
async fn posts_that_are_not_carried() {
    let bench = Bench::acquainted(Rows::Memory).await;
    let relay = bench.node(Relay);
    let item = ItemId([1; 16]);
    let (toscana, umbria) = (Toscana.id(), Umbria.id());
    for (recipient, kind, bytes, expected) in [
        ("umbria", "letter", 1, "unknown_kind"),
        ("umbria", "pact", (256 << 10) + 1, "item_too_large"),
        ("lazio", "pact", 1, "no_such_peer"),
    ] {
        let recipient = recipient.parse().unwrap();
        let posted = post(relay, &toscana, &recipient, item, kind, vec![0; bytes]).await;
        assert_eq!(posted.unwrap_err().reason, expected);
    }
    let mut tx = relay.store.read().await.unwrap();
    assert_eq!(tx.mail_loads(&toscana, &umbria).await.unwrap(), MailLoads::default());
}

#[tokio::test]
async fn offers_that_are_not_taken() {
    let mut bench = Bench::acquainted(Rows::Memory).await;
    bench.sign_and_propose(Suite::Classical).await;
    bench.run().await;
    let offered = pacts::list(bench.node(Toscana)).await.unwrap();
    let half = offered[0].proposal.clone();
    let source = pacts::Source::Named(EQUIPE.into());
    pacts::sign(bench.node(Umbria), ADMIN, source).await.unwrap();
    bench.post(Umbria).await.unwrap();
    bench.read_mail(Toscana).await.unwrap();
    let good = mail::offers(bench.node(Toscana), &Relay.id()).await.unwrap().remove(0);
    let relay = bench.node(Relay);
    let (toscana, umbria) = (Toscana.id(), Umbria.id());
    let check = async |hub, caller, statement: &SignedStatement, cards: &[_], expected| {
        let (statement, cards) = (statement.clone(), cards.to_vec());
        let offered = Offer { statement, earlier: Vec::new(), cards };
        let taken = offer(bench.node(hub), caller, offered).await;
        assert_eq!(taken.unwrap_err().reason, expected);
    };
    let (statement, cards) = (&good.statement.clone(), &good.cards.clone());
    check(Relay, &toscana, &half.statement, cards, "bad_statement").await;
    check(Umbria, &toscana, statement, cards, "not_a_hub").await;
    check(Relay, &umbria, statement, cards, "not_the_chair").await;
    check(Relay, &toscana, statement, &cards[..1], "bad_card").await;
    let foreign = [cards[0].clone(), cards[1].clone(), relay.identity.card()];
    check(Relay, &toscana, statement, &foreign, "bad_card").await;
    let mut body = statement.statement().clone();
    body.equipe_name = "other".to_owned();
    let signatures = statement.signatures().clone();
    let tampered = SignedStatement::parse(&body.canonical(), signatures).unwrap();
    check(Relay, &toscana, &tampered, cards, "bad_statement").await;
    let twice = [cards[0].clone(), cards[1].clone(), cards[1].clone()];
    check(Relay, &toscana, statement, &twice, "bad_card").await;
    assert_eq!(relay.store.read().await.unwrap().all_offers().await.unwrap(), []);
    assert_eq!(offer(relay, &toscana, good).await.unwrap(), "waiting");
    assert_eq!(relay.store.read().await.unwrap().all_carried().await.unwrap(), []);
}
