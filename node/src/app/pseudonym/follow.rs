//! What a change of the members means for keys: a ceremony among the old ones has no end, the
//! key is shared anew among the new ones, and after a removal it is replaced.

use std::collections::BTreeSet;

use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::pseudonym::key::Class;
use raccordo_core::pseudonym::renewal::Reason;
use raccordo_core::time::Instant;
use raccordo_core::trust::commit::CommitView;
use raccordo_core::trust::statement::SignedStatement;

use super::ceremony::{self, states};
use super::{keys, propose};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::keys::DutyRow;

/// The members and the statement before a commit.
pub struct Before {
    members: BTreeSet<NodeId>,
    statement: SignedStatement,
}

/// Notes who was in, before the rows follow a commit.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn before(work: &mut Work<'_>) -> Done<Before> {
    let (lineage, statement) = (work.row.lineage, work.statement()?);
    Ok(Before { members: keys::members(work.tx()?, lineage).await?, statement })
}

/// Follows a commit that was merged, with the rows in step.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn committed(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    commit: &CommitView,
    before: &Before,
) -> Done<()> {
    if commit.added.is_empty() && commit.removed.is_empty() {
        return Ok(());
    }
    ceremony::pass(node, work, entry.accepted_at).await?;
    let (lineage, now) = (work.row.lineage, work.statement()?);
    overtake_all(work).await?;
    let added = commit.added.iter().filter_map(|leaf| leaf.node.as_ref());
    let came_back = added.filter(|node| before.members.contains(*node));
    let came_back: BTreeSet<NodeId> = came_back.cloned().collect();
    let removal = is_removal(&before.statement, &now);
    if removal || !came_back.is_empty() {
        renew(node, work, removal, &came_back).await?;
    }
    let tx = work.tx()?;
    let founder = tx.key_duty(lineage).await?.is_some_and(|duty| duty.founder);
    begin(node, tx, lineage, founder).await
}

/// A ceremony among the members before has no end.
async fn overtake_all(work: &mut Work<'_>) -> Done<()> {
    let lineage = work.row.lineage;
    for row in work.tx()?.key_ceremonies(lineage).await? {
        if row.state == states::RUNNING {
            ceremony::overtake(work, row).await?;
        }
    }
    Ok(())
}

/// Every key is to be shared anew, or replaced, after these came back without their shares.
async fn renew(
    node: &Node,
    work: &mut Work<'_>,
    removal: bool,
    came_back: &BTreeSet<NodeId>,
) -> Done<()> {
    let lineage = work.row.lineage;
    for mut row in work.tx()?.key_sharings(lineage).await? {
        if row.renewal == Reason::Removal.name() {
            continue;
        }
        let sharing = node.keys.sharing(&row.sharing)?;
        // Each of them gave its share up with its state.
        let left = sharing.holders().filter(|holder| !came_back.contains(holder)).count();
        let is_lost = !removal && left < usize::from(sharing.threshold());
        let reason = match (removal, is_lost) {
            (true, _) => Reason::Removal,
            (false, true) => Reason::Lost,
            (false, false) => Reason::Returned,
        };
        if reason == Reason::Lost {
            propose::lost(node, work, row.class, &sharing, left).await?;
        }
        row.renewal = reason.name().to_owned();
        work.tx()?.put_key_sharing(row).await?;
    }
    Ok(())
}

/// The équipe goes on in another group, and this node has kept its shares. Whoever has lost
/// its own need not have said so: the keys are shared anew. What was asked in the group before
/// is asked again; what was counted there counts.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn succeeded(node: &Node, work: &mut Work<'_>, lost: &BTreeSet<NodeId>) -> Done<()> {
    let lineage = work.row.lineage;
    overtake_all(work).await?;
    let removal = {
        let before = work.tx()?.members(lineage).await?;
        let now = work.statement()?;
        let stays = |node: &NodeId| now.statement().may_have_leaf(node);
        before.iter().any(|member| !stays(&member.node))
    };
    renew(node, work, removal, lost).await?;
    ask_again(work.tx()?, lineage).await
}

/// What this node had asked it asks again.
async fn ask_again(tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    for class in Class::ALL {
        for request in tx.token_requests(lineage, class).await? {
            tx.delete_token_request(lineage, request.request).await?;
        }
        tx.want_tokens_again(lineage, class, "asked").await?;
    }
    Ok(())
}

/// Whether a party was removed or suspended by others: it may use what it has against them.
fn is_removal(before: &SignedStatement, now: &SignedStatement) -> bool {
    let gone = before.statement().unsuspended().filter(|party| {
        let still = now.statement().unsuspended().any(|other| other.node == party.node);
        let signed = now.signatures().contains_key(&party.node);
        let left = signed && now.statement().party(&party.node).is_none();
        !still && !left
    });
    gone.count() > 0
}

/// This node has founded an équipe, or joined one. `founder` is who was in when there was
/// nobody before.
///
/// # Errors
/// The store's.
pub async fn entered(node: &Node, work: &mut Work<'_>, founder: bool) -> Done<()> {
    let lineage = work.row.lineage;
    begin(node, work.tx()?, lineage, founder).await
}

/// This node is in again, and has not seen what was said meanwhile: keys come to it anew, and
/// what it had asked it asks again.
///
/// # Errors
/// The store's.
pub async fn begin_anew(tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    tx.forget_keys(lineage).await?;
    ask_again(tx, lineage).await
}

async fn begin(node: &Node, tx: &mut dyn Tx, lineage: LineageId, founder: bool) -> Done<()> {
    let (due_at, changed_at) = (Instant(0), node.clock.now());
    Ok(tx.put_key_duty(DutyRow { lineage, due_at, founder, changed_at }).await?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use raccordo_core::id::{Digest, Sequence};
    use raccordo_core::trust::keys::IdentityKey;
    use raccordo_core::trust::statement::{HubTerm, Party, Statement};

    use super::*;

    fn statement(parties: &[(&str, bool)], signers: &[&str]) -> SignedStatement {
        // Each node its own key, the hub too.
        let key = |node: &str| IdentityKey::from_seed(&Digest::of(node.as_bytes()).0);
        let party = |(node, suspended): &(&str, bool)| Party {
            node: node.parse().unwrap(),
            identity: key(node).public(),
            card_floor: 1,
            suspended_by: suspended.then(|| "lazio".parse().unwrap()),
            ratified: false,
        };
        let statement = Statement {
            lineage: LineageId([1; 16]),
            version: 2,
            previous: Digest([2; 32]),
            pact: Digest([3; 32]),
            parties: parties.iter().map(party).collect(),
            chair: "lazio".parse().unwrap(),
            hub: HubTerm {
                hub: "relay".parse().unwrap(),
                identity: key("relay").public(),
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
        let bytes = statement.canonical();
        let signatures = signers.iter().map(|node| (node.parse().unwrap(), key(node).sign(&bytes)));
        let signatures: BTreeMap<_, _> = signatures.collect();
        SignedStatement::parse(&bytes, signatures).unwrap()
    }

    fn check(now: &[(&str, bool)], signers: &[&str], expected: bool) {
        let all = [("lazio", false), ("toscana", false), ("umbria", false)];
        let removal = is_removal(&statement(&all, &["lazio"]), &statement(now, signers));
        assert_eq!(removal, expected, "{now:?}");
    }

    #[test]
    fn who_leaves_is_trusted_and_who_is_removed_is_not() {
        check(&[("lazio", false), ("toscana", false)], &["umbria"], false);
        check(&[("lazio", false), ("toscana", false)], &["lazio", "toscana"], true);
        check(&[("lazio", false), ("toscana", false), ("umbria", true)], &["lazio"], true);
        let more = [("lazio", false), ("marche", false), ("toscana", false), ("umbria", false)];
        check(&more, &["lazio"], false);
    }
}
