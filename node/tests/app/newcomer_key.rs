//! Fewer old holders than the threshold tell a newcomer of a key that they have made among
//! themselves.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::{EntryId, NodeId};
use raccordo_core::pseudonym::ceremony::{Act, Ceremony, Duty, Plan, Rules};
use raccordo_core::pseudonym::dealing;
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch, KeyId};
use raccordo_core::pseudonym::share::KeyShare;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;
use raccordo_node::app::pseudonym::PHASE;
use raccordo_node::store::keys::ShareRow;

use crate::keys::{keys_of, public_keys};
use crate::many::{Many, id};
use crate::membership::propose;

/// Two of five, of whom three make a token.
const LIARS: [usize; 2] = [3, 4];
const NEWCOMER: usize = 5;
const CLASS: Class = Class::Company;

/// A key that the liars alone have.
async fn made_up(many: &Many) -> (Sharing, BTreeMap<NodeId, KeyShare>) {
    let lineage = many.row(0).await.lineage;
    let key = KeyId { lineage, class: CLASS, epoch: KeyEpoch::FIRST };
    let holders: BTreeSet<NodeId> = LIARS.map(id).into();
    let rules = Rules { key, holders: &holders, threshold: 2, current: None };
    let plan = Plan::founding(EntryId([9; 16]), rules, PHASE).unwrap();
    let card = |member: usize| many.node(member).identity.card().card().sealing_key.clone();
    let keys = LIARS.map(|liar| (id(liar), card(liar))).into();
    let mut ceremony = Ceremony::begin(plan, Instant(0));
    while !ceremony.is_over() {
        for liar in LIARS {
            let (node, me, plan) = (many.node(liar), id(liar), ceremony.plan());
            let act = match ceremony.duty(&me) {
                Some(Duty::Deal) => {
                    let seed = Secret::new([9; 32]);
                    let dealt = dealing::deal(&*node.entropy, &seed, plan, &me, None, &keys);
                    Act::Deal(dealt.unwrap())
                }
                Some(Duty::Report) => Act::Report { accused: BTreeSet::new(), newcomer: true },
                Some(Duty::Agree) => Act::Agree(ceremony.agreement().unwrap()),
                Some(Duty::Answer(_)) | None => continue,
            };
            ceremony.apply(&me, Instant(0), &act);
        }
    }
    let share = |liar: usize| {
        let sets = many.node(liar).identity.all();
        let keys: Vec<_> = sets.iter().map(|set| &set.sealing).collect();
        (id(liar), ceremony.share(&id(liar), &keys).unwrap())
    };
    (ceremony.sharing().unwrap().clone(), LIARS.map(share).into())
}

/// The liars' nodes take it for the one in force.
async fn lie(many: &Many) {
    let (sharing, shares) = made_up(many).await;
    let lineage = many.row(0).await.lineage;
    let (key_epoch, generation) = (KeyEpoch::FIRST, Generation::FIRST);
    let context = format!("key-share/{lineage}/{CLASS}/{key_epoch}/{generation}");
    for liar in LIARS {
        let node = many.node(liar);
        let mut tx = node.store.write().await.unwrap();
        let rows = tx.key_sharings(lineage).await.unwrap();
        let mut row = rows.into_iter().find(|row| row.class == CLASS).unwrap();
        row.sharing = sharing.encode();
        tx.put_key_sharing(row).await.unwrap();
        let share = shares[&id(liar)].encode();
        let sealed = many.vault(liar).seal(&*node.entropy, &context, share.reveal()).unwrap();
        let row = ShareRow { lineage, class: CLASS, key_epoch, generation, sealed };
        tx.put_key_share(row).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_newcomer_does_not_take_a_key_from_fewer_old_holders_than_the_threshold() {
    let mut many = Many::keyed(5, 6).await;
    let before = public_keys(&many, 0).await;
    lie(&many).await;
    // The others are slow, so that the newcomer hears of the liars' key first.
    many.keyed = [LIARS[0], LIARS[1], NEWCOMER].into();
    propose(&many, 0, &[0, 1, 2, 3, 4, NEWCOMER]).await;
    many.run().await;
    for party in 1..=NEWCOMER {
        many.sign(party).await;
    }
    many.run().await;
    assert!(many.members(NEWCOMER).await.len() == 6);
    for _ in 0..8 {
        many.pass(PHASE);
        many.run().await;
    }
    // They spoke, and it listened.
    let heard = many.alarms(NEWCOMER).await;
    assert!(heard.contains(&"key_ceremony_failed".to_owned()), "{heard:?}");
    let taken = keys_of(&many, NEWCOMER, CLASS).await;
    assert_eq!(taken.key_epoch, 0, "{taken:?}");
    // The others go on with the key that they have.
    for member in [0, 1, 2] {
        assert_eq!(public_keys(&many, member).await, before);
    }
}
