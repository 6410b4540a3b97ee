//! Keys for tokens: what members post while one is made, what they answer, and what is done
//! with points that any member may choose.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use raccordo_core::id::{Digest, EntryId, NodeId};
use raccordo_core::pseudonym::ceremony::{Act, Ceremony, Duty, Plan, Rules};
use raccordo_core::pseudonym::dealing::deal;
use raccordo_core::pseudonym::evaluation::{Evaluation, evaluate};
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::pseudonym::request::Request;
use raccordo_core::pseudonym::share::KeyShare;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;

use super::{choice, fixture};

const RUN: EntryId = EntryId([8; 16]);

fn holders() -> BTreeSet<NodeId> {
    (0..3).map(fixture::node).collect()
}

fn key() -> KeyId {
    KeyId { lineage: fixture::LINEAGE, class: Class::Company, epoch: KeyEpoch::FIRST }
}

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let holders = holders();
    let rules = Rules { key: key(), holders: &holders, threshold: 2, current: None };
    Plan::founding(RUN, rules, Duration::from_secs(3_600)).unwrap()
});

/// Deriving one takes as long as all the rest.
static SEALING: LazyLock<[SealingKey; 3]> = LazyLock::new(|| [0, 1, 2].map(fixture::sealing));

fn dealing(number: usize) -> Act {
    let keys: BTreeMap<_, _> = (0..3)
        .map(|number| (fixture::node(number), fixture::sealing(number).public().to_vec()))
        .collect();
    let (node, entropy) = (fixture::node(number), fixture::entropy("deal"));
    let seed = Secret::new(Digest::of(node.as_str().as_bytes()).0);
    Act::Deal(deal(&entropy, &seed, &PLAN, &node, None, &keys).unwrap())
}

/// An honest ceremony: everything that was posted, and what came of it.
struct Made {
    acts: Vec<(usize, Act)>,
    sharing: Sharing,
    shares: Vec<KeyShare>,
    request: Request,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let mut ceremony = Ceremony::begin(PLAN.clone(), fixture::NOW);
    let mut acts = Vec::new();
    while !ceremony.is_over() {
        for number in 0..3 {
            let node = fixture::node(number);
            let act = match ceremony.duty(&node) {
                Some(Duty::Deal) => dealing(number),
                Some(Duty::Report) => Act::Report { accused: BTreeSet::new(), newcomer: true },
                Some(Duty::Agree) => Act::Agree(ceremony.agreement().unwrap()),
                Some(Duty::Answer(_)) => panic!("nobody is accused"),
                None => continue,
            };
            ceremony.apply(&node, fixture::NOW, &act);
            acts.push((number, act));
        }
    }
    let share = |number| ceremony.share(&fixture::node(number), &[&fixture::sealing(number)]);
    let entropy = fixture::entropy("request");
    Made {
        shares: (0..3).map(|number| share(number).unwrap()).collect(),
        sharing: ceremony.sharing().unwrap().clone(),
        request: Request::blind(&entropy, key(), [("vat", "00743110157"), ("rea", "FI1")]).unwrap(),
        acts,
    }
});

/// A byte for what it is, then its bytes.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = choice(data) else { return false };
    match kind % 4 {
        0 => sharing(bytes),
        1 => ceremony(bytes),
        2 => answered(bytes),
        _ => asked(bytes),
    }
}

fn sharing(bytes: &[u8]) -> bool {
    let Ok(read) = Sharing::decode(bytes) else { return false };
    assert_eq!(read.encode(), bytes);
    assert!(usize::from(read.threshold()) <= read.holders().count() && read.threshold() >= 2);
    true
}

/// A member and the length of what it posts (two bytes), again and again; a byte above 5 lets
/// time pass.
fn ceremony(mut bytes: &[u8]) -> bool {
    let mut ceremony = Ceremony::begin(PLAN.clone(), fixture::NOW);
    let mut at = fixture::NOW;
    while let Some((who, rest)) = bytes.split_first() {
        if *who > 5 {
            at = at.plus(Duration::from_secs(u64::from(*who) * 60));
            ceremony.pass(at);
            bytes = rest;
            continue;
        }
        let Some((length, rest)) = rest.split_first_chunk() else { break };
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((act, rest)) = rest.split_at_checked(length) else { break };
        bytes = rest;
        let Ok((run, act)) = Act::decode(act) else { continue };
        if run != RUN {
            continue;
        }
        let node = fixture::node(usize::from(*who) % 4);
        ceremony.apply(&node, at, &act);
        let before = ceremony.agreement();
        ceremony.apply(&node, at, &act);
        assert_eq!(ceremony.agreement(), before, "a repeated message changes nothing");
    }
    let _ = (ceremony.missing(), ceremony.faults().len(), ceremony.until());
    for number in 0..3 {
        let (node, key) = (fixture::node(number), &SEALING[number]);
        let _ = ceremony.duty(&node);
        if let Ok(share) = ceremony.share(&node, &[key]) {
            let sharing = ceremony.sharing().expect("who has a share has a sharing");
            assert_eq!(share.check(sharing, &node), Ok(()));
        }
    }
    ceremony.sharing().is_some()
}

/// What a holder answers to a request of ours: only what its share made is taken.
fn answered(bytes: &[u8]) -> bool {
    let Ok(evaluation) = Evaluation::decode(bytes) else { return false };
    let made = &*MADE;
    let mut taken = Vec::new();
    for number in 0..3 {
        let node = fixture::node(number);
        if let Ok(answer) = made.request.check(&made.sharing, &node, &evaluation) {
            let honest =
                evaluate(&fixture::entropy("x"), &made.shares[number], &made.request.blinded());
            assert_eq!(honest.unwrap().elements, evaluation.elements, "another share's answer");
            taken.push(answer);
        }
    }
    assert!(taken.len() <= 1, "one answer of several holders");
    assert!(made.request.finish(&made.sharing, &taken).is_err(), "one share makes no token");
    !taken.is_empty()
}

/// Points that somebody wants evaluated.
fn asked(bytes: &[u8]) -> bool {
    let (elements, _) = bytes.as_chunks::<32>();
    if elements.len() > 8 {
        return false;
    }
    let answer = evaluate(&fixture::entropy("y"), &MADE.shares[0], elements);
    answer.is_ok_and(|answer| answer.elements.len() == elements.len())
}

pub fn examples() -> Vec<Vec<u8>> {
    let with = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    let post = |(who, act): &(usize, Act)| {
        let act = act.encode(RUN);
        [&[*who as u8], &(act.len() as u16).to_be_bytes()[..], &act].concat()
    };
    let made = &*MADE;
    let blinded = made.request.blinded();
    let answer = evaluate(&fixture::entropy("z"), &made.shares[1], &blinded).unwrap();
    vec![
        with(0, &made.sharing.encode()),
        with(1, &made.acts.iter().flat_map(post).collect::<Vec<u8>>()),
        with(2, &answer.encode()),
        with(3, &blinded.concat()),
    ]
}
