//! The log goes on at another hub: handed over, lost, put back; nothing is lost or shown
//! twice.

use raccordo_node::store::memory::CrashPoint;

use crate::hubs::{HUBS, Hubs, REGIONS, Weather, id};

const TOSCANA: &str = REGIONS[0];
const UMBRIA: &str = REGIONS[1];
const LAZIO: &str = REGIONS[2];
const RELAY: &str = HUBS[0];
const PONTE: &str = HUBS[1];

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
