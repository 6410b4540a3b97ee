//! What is signed or sealed, and comes by the mailbox or with an offer: cards, pacts, statements.
//! The numbers in it are bent, and what bears them is signed anew by all whose keys it needs: so
//! that nothing but the numbers is wrong.

use prost::Message as _;
use raccordo_core::canonical::Writer;
use raccordo_core::id::ItemId;
use raccordo_core::sealing;
use raccordo_node::app::pacts;
use raccordo_proto::hub::v1::{OfferEquipeRequest, PostRequest};
use raccordo_proto::trust::v1 as proto;
use raccordo_tests::sim::task::ready;

use crate::calls::{call, judge};
use crate::canonical;
use crate::stage::{BENDER, STRANGER, Stage};

/// Items that are posted before the recipient reads them: below what may wait.
const POSTS: usize = 16;

/// Sends all of it.
pub fn take_all(stage: &mut Stage) {
    offers(stage);
    let proposals = proposals(stage);
    post_all(stage, BENDER, "pact", &proposals);
    let cards = cards(stage);
    post_all(stage, STRANGER, "card", &cards);
}

fn post_all(stage: &mut Stage, sender: usize, kind: &str, payloads: &[(String, Vec<u8>)]) {
    for part in payloads.chunks(POSTS) {
        for (what, payload) in part {
            let request = PostRequest {
                recipient: stage.name(0).to_string(),
                item_id: ItemId::random(&stage.entropy).as_bytes().to_vec(),
                kind: kind.to_owned(),
                payload: payload.clone(),
            };
            judge("Post", what, call(stage, sender, "Post", &request.encode_to_vec()));
        }
        stage.read(0);
    }
    stage.settle(kind);
}

/// Cards of a peer that is no member, signed by it.
fn cards(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    let node = stage.node(STRANGER);
    let bent = canonical::bent(node.identity.card().bytes()).into_iter();
    let sign = |(what, bytes): (String, Vec<u8>)| {
        let signature = node.identity.key.sign(&bytes);
        let container = Writer::new("signed-card").bytes(&bytes).bytes(&signature);
        (what, container.finish())
    };
    bent.map(sign).collect()
}

/// The pact of the équipe as it was proposed, as a message.
fn proposal(stage: &Stage) -> proto::PactProposal {
    let node = stage.node(BENDER);
    let mut tx = ready(node.store.read()).unwrap().unwrap();
    let row = ready(tx.pact(stage.lineage())).unwrap().unwrap().expect("a pact");
    let proposal = pacts::open(&node, &row).unwrap();
    proto::PactProposal::decode(&*raccordo_core::wire::trust::encode_proposal(&proposal)).unwrap()
}

/// Statements with bent numbers, signed by all parties.
fn statements(
    stage: &Stage,
    stated: &proto::SignedStatement,
) -> Vec<(String, proto::SignedStatement)> {
    let keys = (0..stage.world.members.len()).map(|place| stage.node(place));
    let keys: Vec<_> = keys.collect();
    let sign = |(what, bytes): (String, Vec<u8>)| {
        let signers = stated.signatures.iter().map(|signed| {
            let node = keys.iter().find(|node| node.identity.node.as_str() == signed.node_id);
            let signature = node.expect("a party").identity.key.sign(&bytes).to_vec();
            proto::PartySignature { node_id: signed.node_id.clone(), signature }
        });
        let signatures = signers.collect();
        (what, proto::SignedStatement { statement: bytes, signatures })
    };
    canonical::bent(&stated.statement).into_iter().map(sign).collect()
}

/// Sealed proposals with bent numbers in the statement or in the text of the pact.
fn proposals(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    let whole = proposal(stage);
    let mut bent = Vec::new();
    for (what, statement) in statements(stage, whole.statement.as_ref().unwrap()) {
        bent.push((what, proto::PactProposal { statement: Some(statement), ..whole.clone() }));
    }
    let mut reader = raccordo_core::canonical::Reader::new("pact", &whole.pact).unwrap();
    for (what, text) in canonical::bent_toml(reader.text("text").unwrap()) {
        let pact = Writer::new("pact").text(&text).finish();
        bent.push((what, proto::PactProposal { pact, ..whole.clone() }));
    }
    let recipient = stage.node(0).identity.card();
    let (info, aad) = (b"raccordo/v1/sealed-pact", stage.name(0));
    let seal = |(what, proposal): (String, proto::PactProposal)| {
        let key = &recipient.card().sealing_key;
        let plaintext = proposal.encode_to_vec();
        let letter = sealing::seal(&stage.entropy, key, info, aad.as_str().as_bytes(), &plaintext);
        (what, letter.unwrap())
    };
    bent.into_iter().map(seal).collect()
}

/// Offers of the équipe with bent numbers in the statement, or in a card.
fn offers(stage: &mut Stage) {
    let whole = proposal(stage);
    let request = |statement: proto::SignedStatement, cards: Vec<proto::Card>| {
        OfferEquipeRequest { statement: Some(statement), cards, earlier: Vec::new() }
            .encode_to_vec()
    };
    let stated = whole.statement.clone().unwrap();
    for (what, statement) in statements(stage, &stated) {
        let request = request(statement, whole.cards.clone());
        judge("OfferEquipe", &what, call(stage, 0, "OfferEquipe", &request));
    }
    let (first, others) = whole.cards.split_first().unwrap();
    let keys = (0..stage.world.members.len()).map(|place| stage.node(place));
    let keys: Vec<_> = keys.chain([stage.hub()]).collect();
    let owner = keys.iter().find(|node| node.identity.card().bytes() == first.card);
    let owner = owner.expect("a card of a node");
    for (what, card) in canonical::bent(&first.card) {
        let signature = owner.identity.key.sign(&card).to_vec();
        let cards = [&[proto::Card { card, signature }], others].concat();
        let request = request(stated.clone(), cards);
        judge("OfferEquipe", &what, call(stage, 0, "OfferEquipe", &request));
    }
    stage.goes_on("offers");
}
