//! Requests against any quorum, against liars, and against the vectors of RFC 9497.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;
use voprf::VoprfServer;

use super::*;
use crate::entropy::SeededEntropy;
use crate::id::LineageId;
use crate::pseudonym::evaluation::evaluate;
use crate::pseudonym::key::{Class, KeyEpoch};
use crate::pseudonym::share::KeyShare;
use crate::pseudonym::share::tests::{key, nodes, random, shared, split};

const VALUES: [(&str, &str); 3] =
    [("codice_fiscale", "RSSMRA85T10A562S"), ("phone", "+393331234567"), ("rea", "FI-123456")];

fn entropy() -> SeededEntropy {
    SeededEntropy::labelled("request")
}

fn request() -> Request {
    Request::blind(&entropy(), key(), VALUES).unwrap()
}

fn answers(
    request: &Request,
    sharing: &Sharing,
    shares: &BTreeMap<NodeId, KeyShare>,
    who: &[usize],
) -> Vec<Answer> {
    let nodes = nodes(shares.len());
    let answer = |place: &usize| {
        let evaluation = evaluate(&entropy(), &shares[&nodes[*place]], &request.blinded());
        request.check(sharing, &nodes[*place], &evaluation.unwrap()).unwrap()
    };
    who.iter().map(answer).collect()
}

fn unsplit(secret: Scalar) -> Vec<Token> {
    let server = VoprfServer::<Ristretto255>::new_with_key(secret.as_bytes()).unwrap();
    let output = |(family, value): &(&str, &str)| server.evaluate(&key().input(family, value));
    VALUES.iter().map(|value| Token::of_output(&output(value).unwrap()).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_quorum_makes_the_token_of_an_unsplit_server(
        count in 2_usize..8, seed in any::<u64>(), order in any::<u64>(),
    ) {
        let secret = random(&SeededEntropy::labelled(&seed.to_string()));
        let threshold = super::super::sharing::threshold(count);
        let (sharing, shares) = split(secret, count, threshold);
        let request = request();
        let mut who: Vec<usize> = (0..count).collect();
        who.rotate_left(usize::try_from(order % count as u64).unwrap());
        who.truncate(usize::from(threshold));
        let answers = answers(&request, &sharing, &shares, &who);
        prop_assert_eq!(request.finish(&sharing, &answers).unwrap(), unsplit(secret));
    }
}

#[test]
fn more_answers_than_needed_change_nothing() {
    let (sharing, shares) = shared(3, 2);
    let request = request();
    let all = answers(&request, &sharing, &shares, &[2, 0, 1, 0]);
    let two = answers(&request, &sharing, &shares, &[0, 1]);
    let tokens = request.finish(&sharing, &all).unwrap();
    assert_eq!(request.finish(&sharing, &two).unwrap(), tokens);
}

#[test]
fn fewer_than_the_threshold_make_nothing() {
    let (sharing, shares) = shared(4, 3);
    let request = request();
    let twice = answers(&request, &sharing, &shares, &[0, 1, 1, 0]);
    let refused = request.finish(&sharing, &twice);
    assert_eq!(refused, Err(CombineError::TooFew { have: 2, need: 3 }));
    assert!(request.finish(&sharing, &[]).is_err());
}

fn lies(change: impl Fn(&mut Evaluation), expected: Fault) {
    let (sharing, shares) = shared(3, 2);
    let request = request();
    let liar = &nodes(3)[1];
    let mut evaluation = evaluate(&entropy(), &shares[liar], &request.blinded()).unwrap();
    change(&mut evaluation);
    let refusal = request.check(&sharing, liar, &evaluation).unwrap_err();
    assert_eq!(refusal, Refusal { member: liar.clone(), fault: expected });
    assert!(refusal.to_string().starts_with("node-002 "), "{refusal}");
}

#[test]
fn a_lying_member_is_named() {
    lies(|answer| answer.elements.reverse(), Fault::Proof);
    lies(|answer| answer.elements[0] = answer.elements[1], Fault::Proof);
    lies(|answer| answer.elements.truncate(2), Fault::Count);
    lies(|answer| answer.elements.push(answer.elements[0]), Fault::Count);
    lies(|answer| answer.elements[2] = [0; 32], Fault::Element);
    lies(|answer| answer.elements[2] = [0xff; 32], Fault::Element);
    lies(|answer| answer.proof[0] ^= 1, Fault::Proof);
    lies(|answer| answer.proof[32] ^= 1, Fault::Proof);
    lies(|answer| answer.proof = [0xff; 64], Fault::Element);
    lies(|answer| answer.proof = [0; 64], Fault::Element);
}

#[test]
fn the_answer_of_another_share_is_a_lie() {
    let (sharing, shares) = shared(3, 2);
    let (request, nodes) = (request(), nodes(4));
    let check = |by: &NodeId, said: &NodeId| {
        let evaluation = evaluate(&entropy(), &shares[by], &request.blinded()).unwrap();
        request.check(&sharing, said, &evaluation).map(drop).map_err(|refusal| refusal.fault)
    };
    assert_eq!(check(&nodes[0], &nodes[0]), Ok(()));
    assert_eq!(check(&nodes[1], &nodes[0]), Err(Fault::Proof));
    assert_eq!(check(&nodes[0], &nodes[3]), Err(Fault::NoHolder));
}

#[test]
fn answers_to_another_request_or_key_are_refused() {
    let (sharing, shares) = shared(2, 2);
    let node = &nodes(1)[0];
    let request = request();
    let other = Request::blind(&SeededEntropy::labelled("other"), key(), VALUES).unwrap();
    let evaluation = evaluate(&entropy(), &shares[node], &other.blinded()).unwrap();
    let refused = request.check(&sharing, node, &evaluation).unwrap_err();
    assert_eq!(refused.fault, Fault::Proof);
    let later = Request::blind(&entropy(), key().successor(), VALUES).unwrap();
    let evaluation = evaluate(&entropy(), &shares[node], &later.blinded()).unwrap();
    assert_eq!(later.check(&sharing, node, &evaluation).unwrap_err().fault, Fault::NoHolder);
}

#[test]
fn answers_under_two_sharings_do_not_mix() {
    let (sharing, shares) = shared(2, 2);
    let request = request();
    let mut answers = answers(&request, &sharing, &shares, &[0, 1]);
    answers[1].generation = answers[1].generation.next();
    assert_eq!(request.finish(&sharing, &answers), Err(CombineError::Mixed));
}

#[test]
fn blinds_hide_what_is_asked() {
    let one = request().blinded();
    let other = Request::blind(&SeededEntropy::labelled("other"), key(), VALUES).unwrap();
    assert!(one.iter().all(|element| !other.blinded().contains(element)));
    // Two equal values in one request cannot be told to be equal.
    let twins = [VALUES[0]; 2];
    let twins = Request::blind(&entropy(), key(), twins).unwrap().blinded();
    assert_ne!(twins[0], twins[1]);
    assert_eq!(format!("{:?}", request()).matches("RSSMRA").count(), 0);
}

#[test]
fn a_request_survives_a_restart() {
    let (sharing, shares) = shared(3, 2);
    let request = request();
    let before = answers(&request, &sharing, &shares, &[2]);
    let kept = || request.blinded().into_iter().zip(request.secrets().into_iter().map(Some));
    let again = Request::restore(key(), kept()).unwrap();
    assert_eq!(again.blinded(), request.blinded());
    let after = answers(&again, &sharing, &shares, &[0]);
    let both = [before, after].concat();
    assert_eq!(again.finish(&sharing, &both), request.finish(&sharing, &both));
    let bytes = request.secrets().remove(0);
    let element = request.blinded()[0];
    for cut in 0..bytes.reveal().len() {
        let cut = Secret::new(bytes.reveal()[..cut].to_vec());
        assert!(Request::restore(key(), [(element, Some(cut))]).is_err());
    }
}

#[test]
fn a_value_that_was_erased_has_no_token_and_the_others_have_theirs() {
    let (sharing, shares) = shared(3, 2);
    let request = request();
    let answers = answers(&request, &sharing, &shares, &[0, 2]);
    let tokens = request.finish(&sharing, &answers).unwrap();
    for erased in 0..request.count() {
        let secrets = request.secrets().into_iter().enumerate();
        let secrets = secrets.map(|(place, secret)| (place != erased).then_some(secret));
        let kept = request.blinded().into_iter().zip(secrets);
        let left = Request::restore(key(), kept).unwrap();
        assert_eq!(left.blinded(), request.blinded());
        // The proofs of answers that came before and after hold.
        let after = self::answers(&left, &sharing, &shares, &[0, 2]);
        for answers in [&answers, &after] {
            let mut expected = tokens.clone();
            expected.remove(erased);
            assert_eq!(left.finish(&sharing, answers).unwrap(), expected);
        }
        let known: Vec<usize> = (0..request.count()).filter(|place| left.known()[*place]).collect();
        assert_eq!(known.len(), request.count() - 1);
        assert!(!known.contains(&erased));
    }
}

#[test]
fn values_have_a_size() {
    let check = |values: Vec<(&str, &str)>, expected: RequestError| {
        assert_eq!(Request::blind(&entropy(), key(), values).err(), Some(expected));
    };
    check(vec![], RequestError::Count);
    check(vec![("rea", "FI-1"), ("rea", "")], RequestError::Value(1));
    let long = "x".repeat(VALUE_BYTES_MAX + 1);
    check(vec![("rea", &long)], RequestError::Value(0));
    check(vec![("rea", "FI-1"); BATCH_MAX + 1], RequestError::Count);
}

/// RFC 9497 appendix A.1.2: ristretto255-SHA512, VOPRF mode.
const SECRET: &str = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909";
const PUBLIC: &str = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";
const INPUTS: [&str; 2] = ["00", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"];
const BLIND: &str = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706";
const BLIND_2: &str = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e";
const PROOF_COIN: &str = BLIND_2;
const PROOF_COIN_BATCH: &str = "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c";
const OUTPUTS: [&str; 2] = [
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d\
     a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
    "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60\
     356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
];

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

/// Gives scalars one after the other, as the wide bytes that scalars are reduced from.
struct Scripted {
    scalars: Vec<[u8; 32]>,
    given: AtomicUsize,
}

impl Scripted {
    fn new(scalars: &[&str]) -> Self {
        let scalars = scalars.iter().map(|hex| bytes(hex)).collect();
        Self { scalars, given: AtomicUsize::new(0) }
    }
}

impl Entropy for Scripted {
    fn fill(&self, out: &mut [u8]) {
        assert_eq!(out.len(), 64);
        let place = self.given.fetch_add(1, Ordering::Relaxed);
        out[..32].copy_from_slice(&self.scalars[place]);
        out[32..].fill(0);
    }

    fn coins(&self, _: [u8; 32]) -> [u8; 32] {
        unreachable!("nothing is sealed")
    }
}

fn vector(
    inputs: &[usize],
    blinds: &[&str],
    blinded: &[&str],
    coin: &str,
    evaluated: &[&str],
    proof: &str,
) {
    let secret = Scalar::from_canonical_bytes(bytes(SECRET)).unwrap();
    let node = nodes(1).remove(0);
    // The vector's server holds the whole key; no sharing of ours allows that, so the share
    // is used without one, and the outputs are those of two holders below.
    let share = KeyShare::new(key(), Generation::FIRST, &secret);
    let raw = inputs.iter().map(|input| hex::decode(INPUTS[*input]).unwrap()).collect();
    let request = Request::of_inputs(&Scripted::new(blinds), key(), raw).unwrap();
    assert_eq!(request.blinded(), blinded.iter().map(|hex| bytes(hex)).collect::<Vec<_>>());
    let evaluation = evaluate(&Scripted::new(&[coin]), &share, &request.blinded()).unwrap();
    let elements: Vec<[u8; 32]> = evaluated.iter().map(|hex| bytes(hex)).collect();
    assert_eq!(evaluation, Evaluation { elements, proof: bytes(proof) });

    let (sharing, shares) = split(secret, 2, 2);
    assert_eq!(hex::encode(sharing.public_key()), PUBLIC);
    let answers = answers(&request, &sharing, &shares, &[0, 1]);
    let tokens = request.finish(&sharing, &answers).unwrap();
    let expected: Vec<_> = inputs
        .iter()
        .map(|input| Token::of_output(&hex::decode(OUTPUTS[*input]).unwrap()).unwrap())
        .collect();
    assert_eq!(tokens, expected);
    assert!(request.check(&sharing, &node, &evaluation).is_err());
}

#[test]
fn rfc_9497_a_1_2_1() {
    vector(
        &[0],
        &[BLIND],
        &["863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"],
        PROOF_COIN,
        &["aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"],
        "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06\
         6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
    );
}

#[test]
fn rfc_9497_a_1_2_2() {
    vector(
        &[1],
        &[BLIND],
        &["cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c"],
        PROOF_COIN,
        &["60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468"],
        "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a\
         67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
    );
}

#[test]
fn rfc_9497_a_1_2_3() {
    vector(
        &[0, 1],
        &[BLIND, BLIND_2],
        &[
            "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
            "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
        ],
        PROOF_COIN_BATCH,
        &[
            "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
            "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
        ],
        "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a\
         5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
    );
}

#[test]
fn the_key_is_part_of_every_input() {
    let (sharing, shares) = shared(2, 2);
    let token = |key: KeyId| {
        let request = Request::blind(&entropy(), key, [VALUES[0]]).unwrap();
        let answer = |node: &NodeId| {
            let evaluation = evaluate(&entropy(), &shares[node], &request.blinded()).unwrap();
            let (place, _) = sharing.holder(node).unwrap();
            let points = evaluation.elements.iter().filter_map(group::element).collect();
            let generation = sharing.generation();
            Answer { member: node.clone(), place, key, generation, points }
        };
        let answers: Vec<Answer> = nodes(2).iter().map(answer).collect();
        request.finish(&sharing, &answers).unwrap().remove(0)
    };
    let base = token(key());
    assert_ne!(base, token(key().successor()));
    assert_ne!(base, token(KeyId { class: Class::Company, ..key() }));
    assert_ne!(base, token(KeyId { lineage: LineageId([8; 16]), ..key() }));
    assert_eq!(base, token(KeyId { epoch: KeyEpoch::FIRST, ..key() }));
}
