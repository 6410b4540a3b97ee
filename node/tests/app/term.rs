//! The log goes on at another hub: handed over, lost, put back; nothing is lost or shown
//! twice.

use raccordo_node::app::doctor::doctor;
use raccordo_node::app::rejoin::approve;
use raccordo_node::app::signals::Topic;
use raccordo_node::store::memory::CrashPoint;

use crate::bench::ADMIN;
use crate::hubs::{EQUIPE, HUBS, Hubs, REGIONS, Weather, id};

const TOSCANA: &str = REGIONS[0];
const UMBRIA: &str = REGIONS[1];
const LAZIO: &str = REGIONS[2];
const RELAY: &str = HUBS[0];
const PONTE: &str = HUBS[1];
/// A story with more commits than this is not what it was.
const COMMITS_MAX: u64 = 100;

/// All three share, the log is handed over with alerts in flight, and all share again.
async fn hand_over(hubs: &mut Hubs) {
    let mut shared = Vec::new();
    for region in REGIONS {
        shared.extend(hubs.share(region, 2).await);
    }
    hubs.run().await;
    hubs.move_to(UMBRIA, PONTE, false).await.unwrap();
    hubs.run().await;
    hubs.sign(TOSCANA).await;
    hubs.run().await;
    shared.extend(hubs.share(LAZIO, 2).await);
    hubs.sign(LAZIO).await;
    hubs.run().await;
    assert_eq!(hubs.row(UMBRIA).await.hub, id(RELAY), "the next hub has not accepted yet");
    hubs.accept(PONTE).await;
    shared.extend(hubs.share(TOSCANA, 2).await);
    hubs.run().await;
    for region in REGIONS {
        shared.extend(hubs.share(region, 1).await);
    }
    hubs.run().await;
    hubs.assert_agreement(&REGIONS, PONTE).await;
    hubs.assert_shared(&REGIONS, &shared).await;
    assert_eq!(hubs.carried(RELAY).await.state, "moved");
    assert_eq!(hubs.carried(PONTE).await.term, 2);
}

#[tokio::test]
async fn a_hub_hands_its_log_over() {
    let mut hubs = Hubs::founded().await;
    hand_over(&mut hubs).await;
    let last = hubs.log(RELAY).await.last().cloned().unwrap();
    let first = hubs.log(PONTE).await.first().cloned().unwrap();
    assert!(first.sequence <= last.sequence, "what somebody may lack is there too");
    let copy = hubs.log(PONTE).await.into_iter().find(|row| row.sequence == last.sequence);
    assert_eq!(copy.unwrap().head, last.head, "verbatim");
    assert!(hubs.audited(PONTE).await.contains(&"hub.seeded".to_owned()));
    assert!(hubs.audited(LAZIO).await.contains(&"equipe.hub_moved".to_owned()));
}

#[tokio::test]
async fn calls_that_come_twice_change_nothing() {
    let mut hubs = Hubs::founded().await;
    hubs.weather = Weather::Repeats;
    hand_over(&mut hubs).await;
}

#[tokio::test]
async fn lost_answers_change_nothing() {
    let mut hubs = Hubs::founded().await;
    hubs.weather = Weather::LosesOneAnswerIn(3);
    hand_over(&mut hubs).await;
}

/// All sign a move and the next hub agrees; then one node crashes at each of its commits.
async fn check_crashes(name: &'static str, lost: bool) {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(LAZIO, 2).await;
    hubs.run().await;
    if lost {
        hubs.down.insert(RELAY);
        shared.extend(hubs.share(TOSCANA, 1).await);
    }
    hubs.move_to(UMBRIA, PONTE, lost).await.unwrap();
    hubs.run().await;
    hubs.sign(TOSCANA).await;
    hubs.sign(LAZIO).await;
    hubs.run().await;
    // What follows goes by itself.
    hubs.accept(PONTE).await;
    let before = hubs.disks();
    for commit in 1..COMMITS_MAX {
        let point =
            if commit % 2 == 0 { CrashPoint::BeforeCommit } else { CrashPoint::AfterCommit };
        hubs.disk(name).crash_after(commit, point);
        hubs.run().await;
        let mut all = shared.clone();
        all.extend(hubs.share(TOSCANA, 1).await);
        hubs.run().await;
        let ended = !hubs.clear_crash(name);
        hubs.assert_agreement(&REGIONS, PONTE).await;
        hubs.assert_shared(&REGIONS, &all).await;
        if ended {
            assert!(commit > 1, "nothing crashed");
            return;
        }
        hubs.put_back(&before).await;
    }
    panic!("not ended after {COMMITS_MAX} commits");
}

#[tokio::test]
async fn crashes_of_whoever_moves_the_log() {
    check_crashes(UMBRIA, false).await;
}

#[tokio::test]
async fn crashes_of_the_hub_that_hands_over() {
    check_crashes(RELAY, false).await;
}

#[tokio::test]
async fn crashes_of_the_next_hub() {
    check_crashes(PONTE, false).await;
}

#[tokio::test]
async fn crashes_while_a_lost_hub_is_followed() {
    check_crashes(UMBRIA, true).await;
}

#[tokio::test]
async fn crashes_of_the_hub_that_follows_a_lost_one() {
    check_crashes(PONTE, true).await;
}

/// The relay burns with alerts in all states: read by all, by some, by nobody, not sent.
async fn lose(hubs: &mut Hubs) {
    let mut shared = hubs.share(TOSCANA, 2).await;
    hubs.run().await;
    hubs.down.insert(LAZIO);
    shared.extend(hubs.share(UMBRIA, 2).await);
    hubs.run().await;
    hubs.down.clear();
    shared.extend(hubs.share(LAZIO, 1).await);
    hubs.send(LAZIO, RELAY).await;
    hubs.down.insert(RELAY);
    for region in REGIONS {
        shared.extend(hubs.share(region, 1).await);
    }
    hubs.run().await;
    assert!(hubs.row(LAZIO).await.sequence < hubs.row(UMBRIA).await.sequence);

    // Begun where the log is shorter, it is not signed where it is longer.
    hubs.move_to(LAZIO, PONTE, true).await.unwrap();
    hubs.run().await;
    let refused = hubs.try_sign(UMBRIA).await.unwrap_err();
    assert_eq!(refused.reason, "longer_log_here");
    hubs.move_to(UMBRIA, PONTE, true).await.unwrap();
    hubs.run().await;
    for region in [TOSCANA, LAZIO] {
        hubs.sign_move(region, UMBRIA).await;
    }
    hubs.run().await;
    hubs.accept(PONTE).await;
    hubs.run().await;
    for region in REGIONS {
        shared.extend(hubs.share(region, 1).await);
    }
    hubs.run().await;
    hubs.assert_agreement(&REGIONS, PONTE).await;
    hubs.assert_shared(&REGIONS, &shared).await;
}

#[tokio::test]
async fn a_lost_hub_is_followed_from_the_longest_log() {
    let mut hubs = Hubs::founded().await;
    lose(&mut hubs).await;
    // The relay comes back from the dead: nobody listens.
    hubs.down.clear();
    hubs.share(TOSCANA, 1).await;
    hubs.run().await;
    hubs.assert_agreement(&REGIONS, PONTE).await;
}

#[tokio::test]
async fn a_lost_hub_and_lost_answers() {
    let mut hubs = Hubs::founded().await;
    hubs.weather = Weather::LosesOneAnswerIn(4);
    lose(&mut hubs).await;
}

#[tokio::test]
async fn who_went_on_with_a_hub_that_was_given_up_joins_again() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(LAZIO, 1).await;
    hubs.run().await;
    hubs.down.insert(RELAY);
    hubs.move_to(UMBRIA, PONTE, true).await.unwrap();
    hubs.run().await;
    hubs.sign(TOSCANA).await;
    hubs.run().await;
    // The relay was only away, and Toscana goes on there before the last one has signed.
    hubs.down = [UMBRIA, LAZIO].into();
    shared.extend(hubs.share(TOSCANA, 2).await);
    hubs.run().await;
    hubs.down = [RELAY].into();
    hubs.sign(LAZIO).await;
    hubs.run().await;
    hubs.accept(PONTE).await;
    hubs.run().await;
    assert_eq!(hubs.row(TOSCANA).await.state, "needs_rejoin");
    approve::approve(hubs.node(UMBRIA), ADMIN, EQUIPE, &id(TOSCANA)).await.unwrap();
    hubs.run().await;
    shared.extend(hubs.share(TOSCANA, 1).await);
    hubs.run().await;
    hubs.assert_agreement(&REGIONS, PONTE).await;
    hubs.assert_shared(&REGIONS, &shared).await;
}

#[tokio::test]
async fn a_hub_that_was_put_back_stops_and_goes_on_under_a_new_term() {
    let mut hubs = Hubs::founded().await;
    let mut shared = hubs.share(TOSCANA, 2).await;
    hubs.run().await;
    let earlier = hubs.disk(RELAY).snapshot();
    for region in REGIONS {
        shared.extend(hubs.share(region, 1).await);
    }
    hubs.run().await;
    hubs.put_disk_back(RELAY, &earlier).await;
    shared.extend(hubs.share(LAZIO, 1).await);
    hubs.run().await;
    let behind = hubs.carried(RELAY).await;
    assert_eq!(behind.state, "behind");
    assert!(behind.sequence < hubs.row(TOSCANA).await.sequence);
    assert!(hubs.audited(RELAY).await.contains(&"hub.behind".to_owned()));
    let found = doctor(hubs.node(RELAY)).await.unwrap();
    assert!(found.iter().any(|found| found.code == "hub_behind"), "{found:?}");

    hubs.move_to(TOSCANA, RELAY, true).await.unwrap();
    hubs.run().await;
    hubs.sign(UMBRIA).await;
    hubs.sign(LAZIO).await;
    hubs.run().await;
    hubs.accept(RELAY).await;
    hubs.run().await;
    shared.extend(hubs.share(UMBRIA, 1).await);
    hubs.run().await;
    assert_eq!(hubs.carried(RELAY).await.term, 2);
    hubs.assert_agreement(&REGIONS, RELAY).await;
    hubs.assert_shared(&REGIONS, &shared).await;
}

#[tokio::test]
async fn what_cannot_be_moved() {
    let mut hubs = Hubs::founded().await;
    let refusal = async |hubs: &Hubs, to, lost| {
        hubs.move_to(UMBRIA, to, lost).await.map_err(|fault| fault.reason)
    };
    assert_eq!(refusal(&hubs, RELAY, false).await, Err("same_hub"));
    assert_eq!(refusal(&hubs, LAZIO, false).await, Err("hub_without_endpoint"));
    // One signature moves nothing, and a hub that was not asked takes nothing.
    hubs.move_to(UMBRIA, PONTE, false).await.unwrap();
    hubs.run().await;
    assert_eq!(hubs.row(UMBRIA).await.hub, id(RELAY));
    assert!(hubs.node(PONTE).store.read().await.unwrap().all_carried().await.unwrap().is_empty());
    let found = doctor(hubs.node(LAZIO)).await.unwrap();
    let turn = found.iter().find(|found| found.code == "change_to_sign").unwrap();
    assert!(turn.message.ends_with("moves the log to ponte"), "{turn:?}");
}

/// Without it, the change would be committed up to a minute later.
#[tokio::test]
async fn the_answer_of_the_next_hub_is_heard_at_this_one() {
    let mut hubs = Hubs::founded().await;
    hubs.move_to(UMBRIA, PONTE, false).await.unwrap();
    hubs.run().await;
    hubs.sign(TOSCANA).await;
    hubs.sign(LAZIO).await;
    hubs.run().await;
    hubs.accept(PONTE).await;
    let errands = hubs.node(UMBRIA).signals.listen(Topic::Errands(id(RELAY)));
    hubs.turn(UMBRIA, PONTE).await;
    assert!(errands.has_changed().unwrap());
}
