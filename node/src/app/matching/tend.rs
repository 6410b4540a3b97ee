//! What matching owes an équipe: halves for new members, tags for whom they changed.

use raccordo_core::id::LineageId;
use raccordo_core::quota::Quota;
use raccordo_core::sending::Standing;

use super::{contact, pairs, tags, wanted};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::peers::card_if_verified;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::token::PairRow;

/// Records that one transaction tags.
const RECORDS_MAX: u32 = 50;

/// Does some of what is owed; whether there is more. Does nothing where there are no
/// records.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn tend(node: &Node, lineage: LineageId) -> Done<bool> {
    if !owes(node, lineage).await? {
        return Ok(false);
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(false) };
    if Standing::parse(&work.row.state) != Some(Standing::Active) {
        return Ok(false);
    }
    let mut moved = wanted::begin(node, work.tx()?, lineage).await?;
    if !work.tx()?.records_with_tokens(lineage, None, 1).await?.is_empty() {
        moved |= pairs::offer(node, &mut work).await?;
    }
    let mut more = false;
    if let Some(mut row) = behind(node, work.tx()?, lineage).await? {
        let after = row.tagged_until;
        if after.is_none() {
            node.matching.count_shown_anew(node, lineage, &row.peer);
        }
        let records = work.tx()?.records_with_tokens(lineage, after, RECORDS_MAX).await?;
        row.tagged = records.len() < RECORDS_MAX as usize;
        // Nothing is kept of where it ended, which may be a record that is erased later.
        row.tagged_until = records.last().copied().or(after).filter(|_| !row.tagged);
        for record in records {
            tags::retag(node, &mut work, record).await?;
        }
        if row.tagged {
            contact::send_again(node, work.tx()?, lineage, &row.peer).await?;
        }
        work.tx()?.put_pair(row).await?;
        (moved, more) = (true, true);
    }
    if moved {
        work.commit().await?;
    }
    Ok(more)
}

/// A peer that is verified, and for whom not all records have been tagged. Where it has had all
/// shown anew too often of late, it waits, and the others do not.
async fn behind(node: &Node, tx: &mut dyn Tx, lineage: LineageId) -> Done<Option<PairRow>> {
    for row in tx.pairs(lineage).await? {
        let is_behind = !row.tagged && !row.sealed_own.is_empty() && !row.sealed_theirs.is_empty();
        if !is_behind || card_if_verified(node, tx, &row.peer).await?.is_none() {
            continue;
        }
        if row.tagged_until.is_some() || node.matching.may_show_anew(node, lineage, &row.peer) {
            return Ok(Some(row));
        }
        node.quotas.note(&row.peer, Quota::TagsMadeAnew, node.clock.now());
    }
    Ok(None)
}

async fn owes(node: &Node, lineage: LineageId) -> Done<bool> {
    let mut tx = node.store.read().await?;
    if !node.matching.has_begun(lineage) && tx.has_records().await? {
        return Ok(true);
    }
    if !tx.may_have_tokens(lineage).await? {
        return Ok(false);
    }
    let pairs = tx.pairs(lineage).await?;
    let offered =
        |node: &_| pairs.iter().any(|row| row.peer == *node && !row.sealed_own.is_empty());
    let members = tx.members(lineage).await?;
    let mut others = members.into_iter().filter(|member| member.node != node.identity.node);
    let unoffered = others.any(|member| !offered(&member.node));
    Ok(unoffered || behind(node, &mut *tx, lineage).await?.is_some())
}
