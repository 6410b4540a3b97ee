//! What holders of shares could make without asking anybody: the attack that the threshold
//! defends against, for the tests of privacy and for whoever wants to check them.

use std::collections::BTreeMap;

use curve25519_dalek::scalar::Scalar;
use voprf::{Ristretto255, VoprfServer};
use zeroize::Zeroizing;

use super::group::{self, Place};
use super::share::KeyShare;
use super::sharing::Sharing;
use super::token::Token;
use crate::id::NodeId;

/// The token that some shares of a sharing make of a value among themselves: the true one
/// where there are as many as its threshold, and one of another key where there are fewer.
/// None without a share of this sharing.
pub fn collude(
    sharing: &Sharing,
    shares: &BTreeMap<NodeId, KeyShare>,
    family: &str,
    value: &str,
) -> Option<Token> {
    let held = shares.iter().filter(|(node, share)| share.check(sharing, node).is_ok());
    let held = held.filter_map(|(node, share)| Some((sharing.holder(node)?.0, share)));
    let (places, shares): (Vec<Place>, Vec<&KeyShare>) = held.unzip();
    if places.is_empty() {
        return None;
    }
    let weights = group::weights(&places, 0)?;
    let parts = weights.iter().zip(shares).map(|(weight, share)| weight * *share.scalar());
    let key = Zeroizing::new(parts.sum::<Scalar>());
    let server = VoprfServer::<Ristretto255>::new_with_key(key.as_bytes()).ok()?;
    let output = server.evaluate(&sharing.key().input(family, value)).ok()?;
    Token::of_output(&output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::{Entropy, SeededEntropy};
    use crate::pseudonym::evaluation::{Evaluation, evaluate};
    use crate::pseudonym::group::Coins;
    use crate::pseudonym::request::Request;
    use crate::pseudonym::share::tests::{key, nodes, shared};
    use curve25519_dalek::ristretto::RistrettoPoint;
    use voprf::VoprfClient;

    const VALUES: [(&str, &str); 3] =
        [("codice_fiscale", "RSSMRA85T10A562S"), ("phone", "+393331234567"), ("rea", "FI-123456")];

    /// The scalar one, as the wide bytes that it is reduced from.
    struct One;

    impl Entropy for One {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0);
            out[0] = 1;
        }

        fn coins(&self, _: [u8; 32]) -> [u8; 32] {
            unreachable!("nothing is sealed")
        }
    }

    fn of(shares: &BTreeMap<NodeId, KeyShare>, count: usize) -> BTreeMap<NodeId, KeyShare> {
        shares.iter().take(count).map(|(node, share)| (node.clone(), share.clone())).collect()
    }

    /// A value's request, all answers to it, and its token.
    fn asked(
        sharing: &Sharing,
        shares: &BTreeMap<NodeId, KeyShare>,
        (family, value): (&str, &str),
    ) -> (Request, Vec<Evaluation>, Token) {
        let entropy = SeededEntropy::labelled(value);
        let request = Request::blind(&entropy, key(), [(family, value)]).unwrap();
        let evaluate = |share| evaluate(&entropy, share, &request.blinded()).unwrap();
        let said: Vec<Evaluation> = shares.values().map(evaluate).collect();
        let members = nodes(shares.len());
        let answers = members.iter().zip(&said);
        let answers = answers.map(|(node, said)| request.check(sharing, node, said).unwrap());
        let answers: Vec<_> = answers.collect();
        let token = request.finish(sharing, &answers).unwrap().remove(0);
        (request, said, token)
    }

    #[test]
    fn as_many_as_the_threshold_make_every_token_and_fewer_make_none() {
        let (sharing, shares) = shared(5, 3);
        for value in VALUES {
            let (_, _, token) = asked(&sharing, &shares, value);
            for count in 0..=5 {
                let made = collude(&sharing, &of(&shares, count), value.0, value.1);
                assert_eq!(made.is_some(), count > 0, "{count}");
                assert_eq!(made.as_ref() == Some(&token), count >= 3, "{count}");
            }
        }
    }

    #[test]
    fn shares_of_another_sharing_are_worth_nothing() {
        let (sharing, _) = shared(3, 2);
        let (_, others) = shared(3, 3);
        let made = collude(&sharing, &others, VALUES[0].0, VALUES[0].1);
        assert!(made.is_none());
    }

    /// Everything that `count` holders can compute of a guess, in the form of what travels.
    fn images(
        sharing: &Sharing,
        shares: &BTreeMap<NodeId, KeyShare>,
        count: usize,
        (family, value): (&str, &str),
    ) -> Vec<[u8; 32]> {
        let input = sharing.key().input(family, value);
        // Blinded by one, the element of the value itself.
        let plain = VoprfClient::<Ristretto255>::blind(&input, &mut Coins(&One)).unwrap();
        let plain: [u8; 32] = plain.message.serialize().into();
        let point = group::element(&plain).unwrap();
        let held = of(shares, count);
        let powers = held.values().map(|share| point * *share.scalar());
        let powers: Vec<RistrettoPoint> = powers.collect();
        let places: Vec<Place> = held.keys().map(|node| sharing.holder(node).unwrap().0).collect();
        let sum = group::sum(&group::weights(&places, 0).unwrap(), &powers);
        let all = powers.into_iter().chain([sum]).map(|point| point.compress().to_bytes());
        [plain].into_iter().chain(all).collect()
    }

    #[test]
    fn requests_and_answers_in_the_log_tell_nothing_of_their_values() {
        let (sharing, shares) = shared(5, 3);
        for value in VALUES {
            let (request, said, _) = asked(&sharing, &shares, value);
            let mut seen: Vec<[u8; 32]> = request.blinded();
            seen.extend(said.iter().flat_map(|evaluation| evaluation.elements.clone()));
            // All five together see no more in them than one does.
            for count in 1..=5 {
                for guess in VALUES {
                    let images = images(&sharing, &shares, count, guess);
                    assert!(images.iter().all(|image| !seen.contains(image)), "{count}");
                }
            }
        }
    }

    #[test]
    fn without_a_blind_the_same_look_finds_the_value() {
        let (sharing, shares) = shared(5, 3);
        let seen = images(&sharing, &shares, 1, VALUES[0]);
        let found =
            |guess| images(&sharing, &shares, 1, guess).iter().any(|one| seen.contains(one));
        assert_eq!(VALUES.map(found), [true, false, false]);
    }
}
