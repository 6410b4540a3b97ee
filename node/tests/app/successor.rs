//! An équipe goes on in another group: nothing is lost, nothing comes twice, and a node signs
//! one successor only.

use raccordo_core::crypto::Suite;
use raccordo_core::id::{GroupId, LineageId};
use raccordo_core::ledger::LedgerScope;
use raccordo_node::app::changes;
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::fault::Done;
use raccordo_node::app::rejoin::request;
use raccordo_node::app::succeed::{self, Wanted};
use raccordo_node::store::Store as _;
use raccordo_node::store::memory::CrashPoint;
use raccordo_node::store::token::PairRow;

use crate::bench::ADMIN;
use crate::hubs::{EQUIPE, HUBS, Hubs, REGIONS, Weather, id};

const TOSCANA: &str = REGIONS[0];
const UMBRIA: &str = REGIONS[1];
const LAZIO: &str = REGIONS[2];
const RELAY: &str = HUBS[0];
const PONTE: &str = HUBS[1];
/// A story with more commits than this is not what it was.
const COMMITS_MAX: u64 = 100;

async fn begin(hubs: &Hubs, name: &str, wanted: Wanted) -> Done<()> {
    succeed::begin(hubs.node(name), ADMIN, EQUIPE, wanted, "").await.map(drop)
}

/// One begins, the others sign.
async fn agree(hubs: &mut Hubs, first: &str, others: &[&str], wanted: Wanted) {
    begin(hubs, first, wanted).await.unwrap();
    hubs.run().await;
    for name in others {
        hubs.sign(name).await;
        hubs.run().await;
    }
}

async fn group(hubs: &Hubs, name: &str) -> (LineageId, GroupId) {
    let row = hubs.row(name).await;
    (row.lineage, row.group)
}

/// Codes of what `doctor` says.
async fn told(hubs: &Hubs, name: &str) -> Vec<String> {
    let found = doctor(hubs.node(name)).await.unwrap();
    found.into_iter().map(|finding| finding.code).collect()
}

/// All share, the équipe goes over with alerts in flight, and all share again.
async fn go_over(hubs: &mut Hubs) {
    let mut shared = Vec::new();
    for region in REGIONS {
        shared.extend(hubs.share(region, 2).await);
    }
    hubs.run().await;
    let (lineage, old) = group(hubs, TOSCANA).await;
    begin(hubs, UMBRIA, Wanted::default()).await.unwrap();
    hubs.run().await;
    hubs.sign(TOSCANA).await;
    shared.extend(hubs.share(LAZIO, 2).await);
    hubs.run().await;
    // Until all have signed, the group goes on.
    assert_eq!(group(hubs, LAZIO).await, (lineage, old));
    hubs.assert_shared(&REGIONS, &shared).await;
    hubs.sign(LAZIO).await;
    for region in REGIONS {
        shared.extend(hubs.share(region, 1).await);
    }
    hubs.run().await;
    for region in REGIONS {
        shared.extend(hubs.share(region, 1).await);
    }
    hubs.run().await;
    hubs.assert_agreement(&REGIONS, RELAY).await;
    hubs.assert_shared(&REGIONS, &shared).await;
    assert_ne!(group(hubs, TOSCANA).await, (lineage, old));
    for region in REGIONS {
        let mut tx = hubs.node(region).store.read().await.unwrap();
        let scope = LedgerScope::Group(old).to_string();
        assert!(tx.ledger(&scope).await.unwrap().is_empty(), "{region} keeps secrets");
    }
}

#[tokio::test]
async fn an_equipe_goes_on_in_another_group() {
    let mut hubs = Hubs::founded().await;
    let before = hubs.carried(RELAY).await;
    go_over(&mut hubs).await;
    let after = hubs.carried(RELAY).await;
    assert_eq!((after.lineage, after.term), (before.lineage, before.term + 1));
    let audited = hubs.audited(LAZIO).await;
    let signed = audited.iter().position(|action| action == "equipe.successor_signed").unwrap();
    let entered = audited.iter().position(|action| action == "equipe.succeeded").unwrap();
    assert!(signed < entered);
    let statement = changes::statement(&hubs.row(UMBRIA).await).unwrap();
    let begins = statement.statement().hub.first_sequence;
    assert_eq!(hubs.log(RELAY).await.first().map(|row| row.sequence), Some(begins));
    assert!(begins > before.sequence, "the log goes on where it was");
    let told = told(&hubs, TOSCANA).await;
    assert!(!told.iter().any(|code| code.starts_with("successor")), "{told:?}");
}

#[tokio::test]
async fn calls_that_come_twice_change_nothing() {
    let mut hubs = Hubs::founded().await;
    hubs.weather = Weather::Repeats;
    go_over(&mut hubs).await;
}

#[tokio::test]
async fn lost_answers_change_nothing() {
    let mut hubs = Hubs::founded().await;
    hubs.weather = Weather::LosesOneAnswerIn(3);
    go_over(&mut hubs).await;
}

/// An équipe goes over twice: the second successor follows the first one.
#[tokio::test]
async fn a_successor_has_a_successor() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(LAZIO, 1).await;
    for first in [LAZIO, TOSCANA] {
        let others: Vec<&str> = REGIONS.into_iter().filter(|name| *name != first).collect();
        agree(&mut hubs, first, &others, Wanted::default()).await;
        shared.extend(hubs.share(UMBRIA, 1).await);
        hubs.run().await;
    }
    assert_eq!(hubs.carried(RELAY).await.term, 3);
    hubs.assert_agreement(&REGIONS, RELAY).await;
    hubs.assert_shared(&REGIONS, &shared).await;
}

/// All but one have signed; the last signs, and one node crashes at each of its commits.
async fn check_crashes(name: &'static str) {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(UMBRIA, 2).await;
    agree(&mut hubs, UMBRIA, &[TOSCANA], Wanted::default()).await;
    shared.extend(hubs.share(TOSCANA, 1).await);
    let before = hubs.disks();
    for commit in 1..COMMITS_MAX {
        let point =
            if commit % 2 == 0 { CrashPoint::BeforeCommit } else { CrashPoint::AfterCommit };
        hubs.sign(LAZIO).await;
        hubs.disk(name).crash_after(commit, point);
        hubs.run().await;
        let mut all = shared.clone();
        all.extend(hubs.share(TOSCANA, 1).await);
        hubs.run().await;
        let ended = !hubs.clear_crash(name);
        hubs.assert_agreement(&REGIONS, RELAY).await;
        hubs.assert_shared(&REGIONS, &all).await;
        assert_eq!(hubs.carried(RELAY).await.term, 2);
        if ended {
            assert!(commit > 1, "nothing crashed");
            return;
        }
        hubs.put_back(&before).await;
    }
    panic!("not ended after {COMMITS_MAX} commits");
}

#[tokio::test]
async fn crashes_of_the_chair() {
    check_crashes(TOSCANA).await;
}

#[tokio::test]
async fn crashes_of_who_follows() {
    check_crashes(LAZIO).await;
}

#[tokio::test]
async fn crashes_of_the_hub() {
    check_crashes(RELAY).await;
}

#[tokio::test]
async fn who_was_away_follows() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(LAZIO, 1).await;
    agree(&mut hubs, UMBRIA, &[LAZIO], Wanted::default()).await;
    hubs.down.insert(LAZIO);
    // Read by all but one; it has what it said itself in its outbox.
    shared.extend(hubs.share(TOSCANA, 1).await);
    hubs.run().await;
    hubs.sign(TOSCANA).await;
    hubs.run().await;
    shared.extend(hubs.share(UMBRIA, 2).await);
    hubs.run().await;
    hubs.assert_shared(&[TOSCANA, UMBRIA], &shared).await;
    shared.extend(hubs.share(LAZIO, 1).await);
    let (_, old) = group(&hubs, LAZIO).await;
    assert_ne!(group(&hubs, TOSCANA).await.1, old);

    hubs.down.clear();
    hubs.run().await;
    hubs.assert_agreement(&REGIONS, RELAY).await;
    hubs.assert_shared(&REGIONS, &shared).await;
}

#[tokio::test]
async fn one_successor_is_signed_and_no_other() {
    let mut hubs = Hubs::founded().await;
    begin(&hubs, UMBRIA, Wanted::default()).await.unwrap();
    hubs.run().await;
    hubs.sign(TOSCANA).await;
    // Repeated, the same is sent again, though the log has grown.
    hubs.share(TOSCANA, 1).await;
    hubs.run().await;
    begin(&hubs, UMBRIA, Wanted::default()).await.unwrap();
    let of = async |hubs: &Hubs, name: &str| changes::list(hubs.node(name)).await.unwrap().len();
    assert_eq!(of(&hubs, UMBRIA).await, 1);
    // Another one is neither begun nor signed.
    let without = Wanted { without: vec![id(LAZIO)], ..Wanted::default() };
    for name in [UMBRIA, TOSCANA] {
        let refused = begin(&hubs, name, without.clone()).await.unwrap_err();
        assert_eq!(refused.reason, "signed_another_successor");
    }
    begin(&hubs, LAZIO, Wanted { suite: Some(Suite::Hybrid), ..Wanted::default() }).await.unwrap();
    hubs.run().await;
    let other = changes::list(hubs.node(LAZIO)).await.unwrap();
    let other = other.into_iter().find(|pending| pending.row.begun_here).unwrap();
    let refused = hubs.try_sign_change(TOSCANA, other.row.statement).await.unwrap_err();
    assert_eq!(refused.reason, "signed_another_successor");
    let turn = doctor(hubs.node(LAZIO)).await.unwrap();
    assert!(turn.iter().any(|found| found.code == "change_to_sign"), "{turn:?}");
}

#[tokio::test]
async fn what_cannot_follow() {
    let hubs = Hubs::founded().await;
    let refusal =
        async |wanted: Wanted| begin(&hubs, UMBRIA, wanted).await.map_err(|fault| fault.reason);
    let to = |hub: &str| Wanted { to: Some(id(hub)), ..Wanted::default() };
    let without = |names: &[&str]| Wanted {
        without: names.iter().map(|name| id(name)).collect(),
        ..Wanted::default()
    };
    assert_eq!(refusal(to(LAZIO)).await, Err("hub_without_endpoint"));
    assert_eq!(refusal(without(&["ponte"])).await, Err("not_a_party"));
    assert_eq!(refusal(without(&[TOSCANA, LAZIO])).await, Err("nobody_left"));
    let unknown = succeed::begin(hubs.node(UMBRIA), ADMIN, "else", Wanted::default(), "").await;
    assert_eq!(unknown.unwrap_err().reason, "no_such_equipe");
}

#[tokio::test]
async fn a_party_that_cannot_sign_is_left_out() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(LAZIO, 1).await;
    hubs.run().await;
    hubs.down.insert(LAZIO);
    // The chair goes; the next one founds the successor.
    let without = vec![id(LAZIO)];
    agree(&mut hubs, UMBRIA, &[TOSCANA], Wanted { without, ..Wanted::default() }).await;
    shared.extend(hubs.share(UMBRIA, 1).await);
    hubs.run().await;
    hubs.assert_agreement(&[TOSCANA, UMBRIA], RELAY).await;
    hubs.assert_shared(&[TOSCANA, UMBRIA], &shared).await;
}

#[tokio::test]
async fn the_chair_is_left_out() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(TOSCANA, 1).await;
    hubs.run().await;
    hubs.down.insert(TOSCANA);
    let without = vec![id(TOSCANA)];
    agree(&mut hubs, UMBRIA, &[LAZIO], Wanted { without, ..Wanted::default() }).await;
    shared.extend(hubs.share(LAZIO, 1).await);
    hubs.run().await;
    hubs.assert_agreement(&[UMBRIA, LAZIO], RELAY).await;
    hubs.assert_shared(&[UMBRIA, LAZIO], &shared).await;
}

#[tokio::test]
async fn with_another_ciphersuite_at_another_hub() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(LAZIO, 1).await;
    hubs.run().await;
    let classical = hubs.row(UMBRIA).await.suite;
    let wanted = Wanted { to: Some(id(PONTE)), suite: Some(Suite::Hybrid), without: Vec::new() };
    agree(&mut hubs, LAZIO, &[TOSCANA, UMBRIA], wanted).await;
    assert!(told(&hubs, TOSCANA).await.contains(&"hub_to_accept".to_owned()));
    assert!(told(&hubs, UMBRIA).await.contains(&"successor_awaited".to_owned()));
    assert_eq!(hubs.row(UMBRIA).await.state, "succeeding");
    shared.extend(hubs.share(UMBRIA, 1).await);
    hubs.accept(PONTE).await;
    hubs.run().await;
    shared.extend(hubs.share(TOSCANA, 1).await);
    hubs.run().await;
    let row = hubs.row(UMBRIA).await;
    assert_eq!((row.suite, classical), (Suite::Hybrid.number(), Suite::Classical.number()));
    hubs.assert_agreement(&REGIONS, PONTE).await;
    hubs.assert_shared(&REGIONS, &shared).await;
}

/// An administrator sees that a node's state is lost, and gives it up.
async fn gives_up(hubs: &Hubs, name: &str) {
    request::ask(hubs.node(name), ADMIN, EQUIPE).await.unwrap();
    assert_eq!(hubs.row(name).await.state, "needs_rejoin");
    assert!(told(hubs, name).await.contains(&"needs_rejoin".to_owned()));
}

/// Both of two have lost their state, and nobody is left who could approve a return.
#[tokio::test]
async fn two_without_state_go_on() {
    let both = [TOSCANA, UMBRIA];
    let mut hubs = Hubs::of(&both).await;
    let mut shared = hubs.share(TOSCANA, 2).await;
    hubs.run().await;
    let earlier: Vec<_> = both.iter().map(|name| hubs.disk(name).snapshot()).collect();
    for region in both {
        shared.extend(hubs.share(region, 1).await);
    }
    hubs.run().await;
    for (name, disk) in both.into_iter().zip(&earlier) {
        hubs.put_disk_back(name, disk).await;
    }
    hubs.run().await;
    for name in both {
        gives_up(&hubs, name).await;
    }
    hubs.run().await;
    // What each had shared since is at the other one no more either, and in no outbox.
    let kept = &shared[..2];
    agree(&mut hubs, UMBRIA, &[TOSCANA], Wanted::default()).await;
    let mut all = kept.to_vec();
    for region in both {
        all.extend(hubs.share(region, 1).await);
    }
    hubs.run().await;
    hubs.assert_agreement(&both, RELAY).await;
    hubs.assert_shared(&both, &all).await;
}

/// One of two has lost its state: what it had shared and not lost is at both, once.
#[tokio::test]
async fn who_lost_its_state_is_told_again() {
    let both = [TOSCANA, UMBRIA];
    let mut hubs = Hubs::of(&both).await;
    let earlier = hubs.disk(UMBRIA).snapshot();
    let mut shared = hubs.share(TOSCANA, 3).await;
    hubs.run().await;
    let lost = hubs.share(UMBRIA, 1).await;
    hubs.run().await;
    hubs.put_disk_back(UMBRIA, &earlier).await;
    hubs.run().await;
    gives_up(&hubs, UMBRIA).await;
    hubs.run().await;
    let lineage = hubs.row(TOSCANA).await.lineage;
    let mut tx = hubs.disk(TOSCANA).write().await.unwrap();
    let seen = PairRow {
        lineage,
        peer: id(UMBRIA),
        sealed_own: Vec::new(),
        sealed_theirs: Vec::new(),
        tagged_until: None,
        tagged: true,
    };
    tx.put_pair(seen).await.unwrap();
    tx.commit().await.unwrap();
    agree(&mut hubs, TOSCANA, &[UMBRIA], Wanted::default()).await;
    // What Umbria was shown of records may be lost too: all is to be shown again.
    let pairs = hubs.disk(TOSCANA).read().await.unwrap().pairs(lineage).await.unwrap();
    let tagged: Vec<_> = pairs.iter().map(|pair| (pair.peer.clone(), pair.tagged)).collect();
    assert_eq!(tagged, [(id(UMBRIA), false)]);
    shared.extend(hubs.share(UMBRIA, 1).await);
    hubs.run().await;
    let (one, other) = (hubs.row(TOSCANA).await, hubs.row(UMBRIA).await);
    assert_eq!((one.sequence, one.head, one.group), (other.sequence, other.head, other.group));
    // Of two shares one is gone: an administrator asks for new keys.
    assert_eq!(hubs.alarms(TOSCANA).await, ["key_lost"]);
    assert_eq!(hubs.alarms(UMBRIA).await, Vec::<String>::new());
    hubs.assert_shared(&[UMBRIA], &shared).await;
    shared.extend(lost);
    hubs.assert_shared(&[TOSCANA], &shared).await;
}

#[tokio::test]
async fn another_statement_comes_first() {
    let mut hubs = Hubs::founded().await;
    agree(&mut hubs, UMBRIA, &[TOSCANA], Wanted::default()).await;
    hubs.sign(LAZIO).await;
    let (lineage, old) = group(&hubs, LAZIO).await;
    succeed::note(hubs.node(LAZIO), lineage).await.unwrap();
    assert_eq!(hubs.row(LAZIO).await.state, "succeeding");
    // Before anybody hears of it, another party goes.
    hubs.down.insert(LAZIO);
    changes::begin(hubs.node(UMBRIA), ADMIN, EQUIPE, changes::Wanted::Leave, "").await.unwrap();
    hubs.run().await;
    hubs.down.clear();
    hubs.run().await;
    let left = [TOSCANA, LAZIO];
    for name in left {
        let row = hubs.row(name).await;
        assert_eq!((row.state.as_str(), row.group), ("active", old), "{name}");
    }
    let mut shared = hubs.share(LAZIO, 1).await;
    hubs.run().await;
    hubs.assert_agreement(&left, RELAY).await;
    // What can follow no more stands in nobody's way.
    agree(&mut hubs, LAZIO, &[TOSCANA], Wanted::default()).await;
    shared.extend(hubs.share(TOSCANA, 1).await);
    hubs.run().await;
    hubs.assert_agreement(&left, RELAY).await;
    hubs.assert_shared(&left, &shared).await;
    assert_ne!(group(&hubs, TOSCANA).await.1, old);
}
