//! Where a peer's tags and those that this node expects of its own records agree.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::{NodeId, ObjectId, RecordId};
use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::fan_out::{CANDIDATES_MAX, cap, choose, weigh};
use raccordo_core::matching::grade::Grade;
use raccordo_core::matching::life::{MatchId, Side, Step, apply};
use raccordo_core::normal::evidence::Family;
use raccordo_core::pseudonym::token::Tag;

use super::{events, naming, standing};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::work::Work;

/// Objects of peers that are looked at when one record's tokens change.
const OBJECTS_MAX: usize = 200;

/// What agrees between an object and a record: families, each with how many records have
/// the value.
type Agreeing = BTreeMap<RecordId, Vec<(Family, usize)>>;

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
    let agreeing = agreeing(work, peer, object).await?;
    let weighed = agreeing.into_iter().filter_map(|(record, families)| {
        let weighed = weigh(families);
        if !weighed.muted.is_empty() {
            let muted: Vec<&str> = weighed.muted.iter().map(|family| family.name()).collect();
            tracing::info!(%peer, families = muted.join(" "), "values spread too wide to count");
        }
        let grade = weighed.agreement.grade()?;
        Some((record, (grade, weighed.agreement.families().collect::<BTreeSet<_>>())))
    });
    let weighed: BTreeMap<RecordId, (Grade, BTreeSet<Family>)> = weighed.collect();
    let ranked = weighed.iter().map(|(record, (grade, _))| (*grade, *record));
    for (grade, record) in choose(ranked) {
        let families = weighed.get(&record).map(|(_, families)| families.clone());
        let found = Found { object, record, grade, families: families.unwrap_or_default() };
        tell(node, work, peer, found).await?;
    }
    Ok(())
}

async fn agreeing(work: &mut Work<'_>, peer: &NodeId, object: ObjectId) -> Done<Agreeing> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    let shown = tx.received_tags(object).await?;
    let shown: Vec<Tag> = shown.into_iter().map(|row| row.tag).collect();
    let rows = tx.own_tags_among(lineage, peer, &shown).await?;
    let mut spread: BTreeMap<Tag, BTreeSet<RecordId>> = BTreeMap::new();
    for row in &rows {
        spread.entry(row.tag).or_default().insert(row.record);
    }
    let mut agreeing = Agreeing::new();
    for row in rows {
        let records = spread.get(&row.tag).map_or(1, BTreeSet::len);
        if let Some(family) = Family::from_name(&row.family) {
            agreeing.entry(row.record).or_default().push((family, records));
        }
    }
    Ok(agreeing)
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

struct Found {
    object: ObjectId,
    record: RecordId,
    grade: Grade,
    families: BTreeSet<Family>,
}

/// Tells the peer that its object agrees with an own record, unless it has been told as much.
async fn tell(node: &Node, work: &mut Work<'_>, peer: &NodeId, found: Found) -> Done<()> {
    let lineage = work.row.lineage;
    let Found { object: theirs, record, grade, families } = found;
    let tx = work.tx()?;
    let known = tx.matches_of_object(theirs).await?;
    let same = known.iter().find(|row| row.record == record && row.counterpart == *peer);
    let open = known.iter().filter(|row| standing::is_open(row)).count();
    if same.is_none() && open >= CANDIDATES_MAX {
        return Ok(());
    }
    let ours = match same {
        Some(row) => row.ours,
        None => naming::named(node, tx, lineage, record).await?,
    };
    let own = (&node.identity.node, ours);
    let Some(about) = MatchId::of(lineage, own, (peer, theirs)) else { return Ok(()) };
    let told = Told::Found { theirs, ours, grade, families };
    let before = standing::expected(node, tx, lineage, about).await?;
    if apply(before.as_ref(), Side::Here, Step::Find(grade)).is_err() {
        return Ok(());
    }
    events::say(node, tx, lineage, peer, Event { about, told }, None).await?;
    Ok(())
}
