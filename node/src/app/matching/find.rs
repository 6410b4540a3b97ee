//! Where a peer's tags and those that this node expects of its own records agree.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::{NodeId, ObjectId, RecordId};
use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::fan_out::{CANDIDATES_MAX, cap, choose, weigh};
use raccordo_core::matching::life::{MatchId, Side, Step, apply};
use raccordo_core::normal::evidence::Family;
use raccordo_core::pseudonym::token::Tag;

use super::standing::{self, Evidence};
use super::{events, naming, tags};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::work::Work;

/// Objects of peers that are looked at when one record's tokens change.
const OBJECTS_MAX: usize = 200;

/// Looks for own records that agree with a peer's object, and tells the peer of the best.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn by_object(
    node: &Node,
    work: &mut Work<'_>,
    peer: &NodeId,
    object: ObjectId,
) -> Done<()> {
    let shown = shown(work, object).await?;
    let mut found = agreeing(work, peer, &shown).await?;
    let ranked = found.iter().map(|(record, evidence)| (evidence.grade, *record));
    for (_, record) in choose(ranked.collect::<Vec<_>>()) {
        let Some(evidence) = found.remove(&record) else { continue };
        tell(node, work, peer, Found { object, record, evidence, shown: &shown }).await?;
    }
    Ok(())
}

/// What a peer shows of an object.
pub(super) async fn shown(work: &mut Work<'_>, object: ObjectId) -> Done<Vec<Tag>> {
    let shown = work.tx()?.received_tags(object).await?;
    Ok(shown.into_iter().map(|row| row.tag).collect())
}

/// The own records that agree with what a peer shows, and what agrees.
async fn agreeing(
    work: &mut Work<'_>,
    peer: &NodeId,
    shown: &[Tag],
) -> Done<BTreeMap<RecordId, Evidence>> {
    let lineage = work.row.lineage;
    let rows = work.tx()?.own_tags_among(lineage, peer, shown).await?;
    let mut spread: BTreeMap<Tag, BTreeSet<RecordId>> = BTreeMap::new();
    for row in &rows {
        spread.entry(row.tag).or_default().insert(row.record);
    }
    let mut agreeing: BTreeMap<RecordId, Vec<(Family, usize)>> = BTreeMap::new();
    for row in rows {
        let records = spread.get(&row.tag).map_or(1, BTreeSet::len);
        if let Some(family) = Family::from_name(&row.family) {
            agreeing.entry(row.record).or_default().push((family, records));
        }
    }
    let weighed = agreeing.into_iter().filter_map(|(record, families)| {
        let weighed = weigh(families);
        if !weighed.muted.is_empty() {
            let muted: Vec<&str> = weighed.muted.iter().map(|family| family.name()).collect();
            tracing::info!(%peer, families = muted.join(" "), "values spread too wide to count");
        }
        let families = weighed.agreement.families().collect();
        Some((record, Evidence { grade: weighed.agreement.grade()?, families }))
    });
    Ok(weighed.collect())
}

/// What agrees between an own record and an object of a peer: what the peer shows of it, and what
/// it proves that it has beside. None where nothing does.
///
/// # Errors
/// The store's.
pub(super) async fn evidence(
    work: &mut Work<'_>,
    peer: &NodeId,
    (record, object): (RecordId, ObjectId),
    proven: &BTreeSet<Tag>,
) -> Done<Option<Evidence>> {
    let mut tags: BTreeSet<Tag> = shown(work, object).await?.into_iter().collect();
    tags.extend(proven);
    let tags: Vec<Tag> = tags.into_iter().collect();
    Ok(agreeing(work, peer, &tags).await?.remove(&record))
}

/// Looks for objects of peers that agree with an own record.
///
/// # Errors
/// As [`by_object`].
pub(super) async fn by_record(node: &Node, work: &mut Work<'_>, record: RecordId) -> Done<()> {
    let lineage = work.row.lineage;
    let mut expected: BTreeMap<NodeId, Vec<Tag>> = BTreeMap::new();
    for row in work.tx()?.own_tags(lineage, record).await? {
        expected.entry(row.peer).or_default().push(row.tag);
    }
    for (peer, tags) in expected {
        let tx = work.tx()?;
        let mut spread: BTreeMap<Tag, usize> = BTreeMap::new();
        for row in tx.own_tags_among(lineage, &peer, &tags).await? {
            let widest = Family::from_name(&row.family).map_or(0, cap);
            let count = spread.entry(row.tag).or_default();
            *count = count.saturating_add(1);
            if *count > widest {
                *count = usize::MAX;
            }
        }
        let narrow: Vec<Tag> = tags
            .into_iter()
            .filter(|tag| spread.get(tag).is_none_or(|count| *count < usize::MAX))
            .collect();
        let rows = tx.received_tags_among(lineage, &peer, &narrow).await?;
        let objects: BTreeSet<ObjectId> = rows.into_iter().map(|row| row.object).collect();
        for object in objects.into_iter().take(OBJECTS_MAX) {
            by_object(node, work, &peer, object).await?;
        }
    }
    Ok(())
}

struct Found<'f> {
    object: ObjectId,
    record: RecordId,
    evidence: Evidence,
    /// What the peer shows of the object.
    shown: &'f [Tag],
}

/// Shows people what agrees between a peer's object and an own record, and tells the peer, unless
/// it has been told as much.
async fn tell(node: &Node, work: &mut Work<'_>, peer: &NodeId, found: Found<'_>) -> Done<()> {
    let lineage = work.row.lineage;
    let Found { object: theirs, record, evidence, shown } = found;
    let tx = work.tx()?;
    let known = tx.matches_of_object(theirs).await?;
    let open = known.iter().filter(|row| standing::is_open(row)).count();
    let same = known.into_iter().find(|row| row.record == record && row.counterpart == *peer);
    if same.is_none() && open >= CANDIDATES_MAX {
        return Ok(());
    }
    let ours = match same {
        Some(mut row) => {
            if standing::show(&mut row, &evidence) {
                row.changed_at = node.clock.now();
                tx.update_match(&row).await?;
            }
            row.ours
        }
        None => naming::named(node, tx, lineage, record).await?,
    };
    let own = (&node.identity.node, ours);
    let Some(about) = MatchId::of(lineage, own, (peer, theirs)) else { return Ok(()) };
    let Evidence { grade, families } = evidence;
    let before = standing::expected(node, tx, lineage, about).await?;
    if apply(before.as_ref(), Side::Here, Step::Find(grade)).is_err() {
        return Ok(());
    }
    let tags = tags::proving(node, work, peer, record, shown).await?;
    let told = Told::Found { theirs, ours, grade, families, tags };
    events::say(node, work.tx()?, lineage, peer, Event { about, told }, None).await?;
    Ok(())
}
