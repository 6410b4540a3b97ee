//! Alarms about keys and tokens: of many members the second is at fault, and the first is told.

use std::time::Duration;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::envelope::{Body, TokenAnswer, TokenRequest};
use raccordo_core::id::{Digest, TokenRequestId};
use raccordo_core::pseudonym::ceremony::{Act, Plan};
use raccordo_core::pseudonym::dealing;
use raccordo_core::pseudonym::evaluation::{BATCH_MAX, Evaluation};
use raccordo_core::pseudonym::key::{Class, Generation};
use raccordo_core::pseudonym::renewal::REPLACE_AFTER;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::secret::Secret;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::pseudonym::PHASE;
use raccordo_node::app::pseudonym::rekey::rekey;
use raccordo_node::app::status;

use crate::bench::ADMIN;
use crate::keys::{ceremonies, lose_since, say};
use crate::many::{EQUIPE, Many, id};
use crate::tokens::{guesses, person, want};

const OBSERVER: usize = 0;
const CULPRIT: usize = 1;
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn stands(many: &Many, code: AlarmCode) -> bool {
    let lineage = many.row(OBSERVER).await.lineage;
    let mut tx = many.node(OBSERVER).store.read().await.unwrap();
    let alarms = tx.alarms(lineage).await.unwrap();
    let named = code.names_member().then(|| id(CULPRIT));
    alarms.iter().any(|alarm| alarm.code == code && alarm.member == named)
}

/// One row of the table.
pub async fn check(code: AlarmCode) {
    for ending in code.rule().ends {
        let mut many = raised(code).await;
        assert!(stands(&many, code).await, "{code} is not raised");
        let told = status::equipe(many.node(OBSERVER), EQUIPE).await.unwrap();
        assert_eq!((told.sending.as_str(), code.rule().holds), ("open", false), "{code}");
        end(&mut many, code, *ending).await;
        assert!(!stands(&many, code).await, "{code} is not ended by {ending:?}");
        let audited = many.audited(many.node(OBSERVER)).await;
        assert!(audited.contains(&"equipe.alarm_ended".to_owned()), "{code} {ending:?}");
    }
}

async fn phases(many: &mut Many, count: usize) {
    for _ in 0..count {
        many.run().await;
        many.pass(PHASE);
    }
    many.run().await;
}

async fn raised(code: AlarmCode) -> Many {
    match code {
        AlarmCode::KeyCeremonyFailed => {
            let mut many = Many::founded(2, 2).await;
            many.keyed = [0, 1].into();
            many.away.insert(CULPRIT);
            phases(&mut many, 4).await;
            many
        }
        AlarmCode::KeyLost => {
            let mut many = Many::keyed(2, 2).await;
            let earlier = many.disk(CULPRIT).snapshot();
            lose_since(&mut many, CULPRIT, &earlier).await;
            many.pass(PHASE);
            many.run().await;
            many
        }
        AlarmCode::KeyDealingBad => dealt_badly().await,
        AlarmCode::KeyDissent => agreed_to_another().await,
        AlarmCode::EvaluationBad => evaluated_badly().await,
        AlarmCode::TokenBudgetExceeded => {
            let mut many = Many::keyed(3, 3).await;
            for _ in 0..10 {
                let request = TokenRequestId::random(&*many.node(CULPRIT).entropy);
                let asked = TokenRequest { request, ..guesses(&many, CULPRIT, BATCH_MAX) };
                say(&many, CULPRIT, Body::TokenRequest(asked)).await;
            }
            many.run().await;
            many
        }
        code => panic!("{code} is not about keys"),
    }
}

/// What the culprit deals to others does not open.
async fn dealt_badly() -> Many {
    let mut many = Many::founded(3, 3).await;
    many.keyed = [0, 2].into();
    many.run().await;
    let rows = ceremonies(&many, CULPRIT).await;
    let row = rows.iter().find(|row| row.class == Class::Company && row.state == "running");
    let plan = Plan::read(&row.unwrap().plan, None).unwrap();
    let node = many.node(CULPRIT);
    let key = |member| many.node(member).identity.card().card().sealing_key.clone();
    let keys = (0..3).map(|member| (id(member), key(member))).collect();
    let seed = Secret::new([7; 32]);
    let dealt = dealing::deal(&*node.entropy, &seed, &plan, &id(CULPRIT), None, &keys);
    let mut dealing = dealt.unwrap();
    for letter in dealing.sealed.values_mut() {
        letter.reverse();
    }
    say(&many, CULPRIT, Body::KeyAct(Act::Deal(dealing).encode(plan.run()))).await;
    phases(&mut many, 5).await;
    many
}

/// The culprit agrees to what nobody else has seen, while a third member is waited for.
async fn agreed_to_another() -> Many {
    let mut many = Many::founded(3, 3).await;
    many.keyed = [0, 1].into();
    many.away.insert(2);
    for _ in 0..8 {
        many.run().await;
        let rows = ceremonies(&many, CULPRIT).await;
        let agreeing = |row: &&_| -> bool {
            let row: &raccordo_node::store::keys::CeremonyRow = row;
            row.state == "running" && row.posted == "agreeing"
        };
        if let Some(row) = rows.iter().find(agreeing) {
            let plan = Plan::read(&row.plan, None).unwrap();
            let act = Act::Agree(Digest([66; 32])).encode(plan.run());
            say(&many, CULPRIT, Body::KeyAct(act)).await;
            many.run().await;
            return many;
        }
        many.pass(PHASE);
    }
    panic!("nobody was asked to agree");
}

/// The culprit answers with an element of the group that its share does not make.
async fn evaluated_badly() -> Many {
    let mut many = Many::keyed(3, 3).await;
    let record = person(&many, OBSERVER, "Rossi", "+39 333 1234567").await;
    want(&many, OBSERVER, record).await;
    many.away = [1, 2].into();
    many.run().await;
    let (request, generation, evaluation) = {
        let lineage = many.row(OBSERVER).await.lineage;
        let mut tx = many.node(OBSERVER).store.read().await.unwrap();
        let asked = tx.token_requests(lineage, Class::PersonStrong).await.unwrap();
        let sharing = tx.key_sharings(lineage).await.unwrap().remove(0).sharing;
        let element = Sharing::decode(&sharing).unwrap().public_key();
        let elements = vec![element; usize::try_from(asked[0].elements).unwrap()];
        let evaluation = Evaluation { elements, proof: [1; 64] }.encode();
        (asked[0].request, Generation::FIRST, evaluation)
    };
    let answer = TokenAnswer { request, generation, evaluation };
    say(&many, CULPRIT, Body::TokenAnswer(answer)).await;
    many.run().await;
    many
}

async fn end(many: &mut Many, code: AlarmCode, ending: Ending) {
    match ending {
        Ending::Membership => {
            // The third has the log as it is, and so has not been away.
            many.away = [CULPRIT].into();
            many.run().await;
            assert!(stands(many, code).await, "{code} ends without {ending:?}");
            let (node, gone) = (many.node(2), Wanted::Suspend(id(CULPRIT)));
            changes::begin(node, ADMIN, EQUIPE, gone, "story").await.unwrap();
            many.run().await;
        }
        Ending::KeyMade => {
            many.away.clear();
            if code == AlarmCode::KeyLost {
                rekey(many.node(OBSERVER), ADMIN, EQUIPE).await.unwrap();
                many.pass(REPLACE_AFTER * 2);
            }
            for _ in 0..3 {
                many.run().await;
                many.pass(PHASE * 2);
            }
            many.run().await;
        }
        Ending::Amends => amends(many, code).await,
        ending => panic!("{code} is not ended by {ending:?}"),
    }
}

async fn amends(many: &mut Many, code: AlarmCode) {
    many.keyed = [0, 1, 2].into();
    many.away.clear();
    match code {
        AlarmCode::KeyDealingBad | AlarmCode::KeyDissent => {
            many.run().await;
            many.pass(REPLACE_AFTER);
            for member in [OBSERVER, 2] {
                rekey(many.node(member), ADMIN, EQUIPE).await.unwrap();
            }
            phases(many, 5).await;
        }
        AlarmCode::EvaluationBad => {
            many.away.insert(2);
            let record = person(many, OBSERVER, "Bianchi", "+39 333 7654321").await;
            want(many, OBSERVER, record).await;
            many.run().await;
        }
        _ => {
            many.pass(DAY);
            let record = person(many, CULPRIT, "Rossi", "+39 333 1234567").await;
            want(many, CULPRIT, record).await;
            many.run().await;
        }
    }
}
