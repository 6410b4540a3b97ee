//! What follows from a commit that was merged: rows in step with the group, a new statement
//! with its pact in force, changes that it overtook dropped, newcomers told what was before.

use std::collections::BTreeSet;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::id::{LineageId, NodeId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::statement::SignedStatement;

use super::alarms::{self, NewAlarm};
use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::pacts;
use super::replay::{self, Recipient};
use super::successor::{self, Taken};
use super::work::Work;
use super::{Node, changes, pack, roster, succeed, term, vouching};

/// Follows the group after the commit at a place of the log.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn follow(node: &Node, work: &mut Work<'_>, at: Sequence) -> Done<()> {
    let lineage = work.row.lineage;
    let (before, agreed) = (work.statement()?, work.pact(node)?);
    let present = work.tx()?.members(lineage).await?;
    let present: BTreeSet<NodeId> = present.into_iter().map(|member| member.node).collect();
    roster::follow_group(work).await?;
    let now = work.statement()?;
    if now.digest() != before.digest() {
        in_force(node, work, &before, &now).await?;
    }
    follow_cards(node, work).await?;
    work.forget_alarms();
    alarms::end_of_absent(node, work).await?;
    for member in work.tx()?.members(lineage).await? {
        if present.contains(&member.node) || member.node == node.identity.node {
            continue;
        }
        // Who was removed stands in the pact still, until that is renewed.
        let known = before.statement().party(&member.node).is_some();
        let known = known || agreed.has_party(&member.node);
        let was = if known { Recipient::Rejoined } else { Recipient::Newcomer };
        if !planted::is(Bug::ReplayForgotten) {
            replay::begin(work, &member.node, was, at).await?;
        }
    }
    Ok(())
}

/// Takes the cards that the leaves bring: so they come to whoever was away.
async fn follow_cards(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let facts = work.session().await?.facts();
    let view = facts.map_err(|cause| Fault::ours("group", cause))?.view;
    for (_, leaf) in view.leaves {
        let Some(card) = leaf.card.as_deref() else { continue };
        // The validator has verified its signature.
        let Ok(card) = SignedCard::decode_verified(card) else { continue };
        let tx = work.tx()?;
        let known = tx.peer(&card.card().node).await?.map(|row| row.signed_card);
        if known.as_ref() == Some(&card.encode()) {
            continue;
        }
        if known.is_none() {
            vouching::introduce(node, tx, &card).await?;
            continue;
        }
        let taken = successor::take(node, tx, &card).await?;
        if !matches!(taken, Taken::Known | Taken::Stranger) {
            work.trust_moved = true;
        }
    }
    Ok(())
}

/// A new statement is in force: signed and judged before it came here.
async fn in_force(
    node: &Node,
    work: &mut Work<'_>,
    before: &SignedStatement,
    now: &SignedStatement,
) -> Done<()> {
    let row = work.row.clone();
    let (old, new) = (before.statement(), now.statement());
    let signers: Vec<&str> = now.signatures().keys().map(NodeId::as_str).collect();
    let (version, signers) = (new.version.to_string(), signers.join(" "));
    let detail = [("signed_by", signers.as_str()), ("version", &version)];
    let subject = row.lineage.to_string();
    let tx = work.tx()?;
    tx.raise_pact(row.lineage).await?;
    if !planted::is(Bug::StatementNotAudited) {
        record(node, tx, Actor::Node, "equipe.statement", &subject, &detail).await?;
    }
    let pending = changes::of(node, tx, &row).await?;
    let mut agreed = pending.into_iter().find(|pending| pending.row.statement == now.digest());
    if let Some(agreed) = &mut agreed {
        // Not all signatures may have come here before it was committed.
        agreed.proposal.statement = now.clone();
    }
    let me = &node.identity.node;
    // The pact of an équipe is one that this node signed: by it, it may join again.
    if let Some(agreed) = &agreed
        && agreed.proposal.signed_by().contains(me)
    {
        pacts::keep(node, tx, &agreed.proposal).await?;
    }
    match agreed {
        _ if old.pact == new.pact => {}
        Some(agreed) => {
            alarms::end_all(node, work.tx()?, row.lineage, Ending::Pact).await?;
            if !planted::is(Bug::OldPactKept) {
                work.set_pact(node, agreed.proposal.pact)?;
            }
        }
        None => pact_unknown(node, work).await?,
    }
    term::in_force(node, work, before, now).await?;
    let row = work.row.clone();
    changes::drop_overtaken(node, work.tx()?, &row).await?;
    succeed::overtaken(node, work).await
}

/// The parties agreed on a pact that never came here: nothing is shared under an old one.
async fn pact_unknown(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let detail = "the parties agreed on a pact that this node does not have";
    let alarm = NewAlarm::new(AlarmCode::PactUnknown, detail);
    alarms::raise_within(node, work, alarm).await.map(drop)
}

/// Puts the pact in force that the parties have agreed on, where it has come after all.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn adopt_pact(node: &Node, lineage: LineageId) -> Done<()> {
    let unknown = {
        let mut tx = node.store.read().await?;
        alarms::stands(&mut *tx, lineage, AlarmCode::PactUnknown).await?
    };
    if !unknown {
        return Ok(());
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let Some(known) = work.tx()?.pact(lineage).await? else { return Ok(()) };
    let pact = pacts::open(node, &known)?.pact;
    if work.statement()?.statement().pact != pact.digest() {
        return Ok(());
    }
    work.set_pact(node, pact)?;
    alarms::end_all(node, work.tx()?, lineage, Ending::Pact).await?;
    work.commit().await?;
    pack::wake(node, lineage);
    Ok(())
}

/// Why this node is a member no longer, in words: the statement says so.
///
/// # Errors
/// [`Fault`] for a damaged row.
pub fn why_ended(me: &NodeId, statement: &[u8]) -> Result<String, Fault> {
    let signed = SignedStatement::decode(statement)
        .map_err(|cause| Fault::ours("statement_damaged", cause))?;
    if let Some(party) = signed.statement().party(me) {
        return Ok(match &party.suspended_by {
            Some(by) => format!("suspended by {by}"),
            None => "over".to_owned(),
        });
    }
    if signed.signatures().contains_key(me) {
        return Ok("left".to_owned());
    }
    let signers: Vec<&str> = signed.signatures().keys().map(NodeId::as_str).collect();
    Ok(format!("removed by {}", signers.join(", ")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use raccordo_core::id::{Digest, LineageId};
    use raccordo_core::trust::keys::IdentityKey;
    use raccordo_core::trust::statement::{HubTerm, Party, Statement};

    use super::*;

    fn check(bend: impl FnOnce(&mut Statement), signer: &str, expected: &str) {
        let key = IdentityKey::from_seed(&[1; 32]);
        let party = |node: &str, seed: u8| Party {
            node: node.parse().unwrap(),
            identity: IdentityKey::from_seed(&[seed; 32]).public(),
            card_floor: 1,
            suspended_by: None,
            ratified: false,
        };
        let mut statement = Statement {
            lineage: LineageId([1; 16]),
            version: 2,
            previous: Digest([2; 32]),
            pact: Digest([3; 32]),
            parties: vec![party("lazio", 1), party("toscana", 2), party("umbria", 3)],
            chair: "lazio".parse().unwrap(),
            hub: HubTerm {
                hub: "relay".parse().unwrap(),
                identity: IdentityKey::from_seed(&[9; 32]).public(),
                endpoint: "relay.example:1".into(),
                term: 1,
                first_sequence: Sequence(1),
                head_before: Digest::ZERO,
            },
            age_limit_ms: 1,
            rules_version: 1,
            equipe_name: "tu".into(),
            succeeds: None,
        };
        bend(&mut statement);
        let bytes = statement.canonical();
        let signatures = BTreeMap::from([(signer.parse().unwrap(), key.sign(&bytes))]);
        let signed = SignedStatement::parse(&bytes, signatures).unwrap();
        let me = "umbria".parse().unwrap();
        assert_eq!(why_ended(&me, &signed.encode()), Ok(expected.to_owned()));
    }

    #[test]
    fn the_statement_says_why() {
        let suspend = |it: &mut Statement| it.parties[2].suspended_by = "lazio".parse().ok();
        check(suspend, "lazio", "suspended by lazio");
        check(|it| drop(it.parties.pop()), "umbria", "left");
        check(|it| drop(it.parties.pop()), "lazio", "removed by lazio");
    }
}
