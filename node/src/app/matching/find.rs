//! Where a peer's tags and those that this node expects of its own records agree.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::{NodeId, ObjectId, RecordId};
use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::fan_out::{CANDIDATES_MAX, SPREAD_MAX, WEIGHED_MAX, choose};
use raccordo_core::matching::life::{MatchId, Side, Step, apply};
use raccordo_core::matching::shown::{Background, RegisterSize};
use raccordo_core::pseudonym::token::Tag;

use super::standing::{self, Evidence};
use super::weighing::{self, Beside};
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
    let mut found = agreeing(node, work, peer, &shown).await?;
    let ranked = found.iter().map(|(record, it)| ((it.grade, it.strength), *record));
    for (_, record) in choose(ranked.collect::<Vec<_>>()) {
        let Some(evidence) = found.remove(&record) else { continue };
        tell(node, work, peer, Found { record, evidence, shown: &shown }).await?;
    }
    Ok(())
}

/// What a peer shows of an object.
pub(super) struct ShownObject {
    object: ObjectId,
    /// Each tag with what the peer knows at all of its record, masked; nothing of tags that were
    /// proved in a letter.
    tags: BTreeMap<Tag, Option<u8>>,
    register: RegisterSize,
    /// What a letter says in clear.
    background: Option<Background>,
}

impl ShownObject {
    /// The tags.
    pub(super) fn tags(&self) -> BTreeSet<Tag> {
        self.tags.keys().copied().collect()
    }
}

/// What a peer shows of an object.
///
/// # Errors
/// The store's.
pub(super) async fn shown(work: &mut Work<'_>, object: ObjectId) -> Done<ShownObject> {
    let rows = work.tx()?.received_tags(object).await?;
    let exponent = rows.iter().map(|row| row.register).max().unwrap_or_default();
    let register = RegisterSize::of_exponent(exponent).unwrap_or(RegisterSize::of(u32::MAX));
    let tags = rows.into_iter().map(|row| (row.tag, Some(row.facts))).collect();
    Ok(ShownObject { object, tags, register, background: None })
}

/// The own records that agree with what a peer shows, and what agrees.
async fn agreeing(
    node: &Node,
    work: &mut Work<'_>,
    peer: &NodeId,
    shown: &ShownObject,
) -> Done<BTreeMap<RecordId, Evidence>> {
    let lineage = work.row.lineage;
    let tags: Vec<Tag> = shown.tags.keys().copied().collect();
    let rows = work.tx()?.own_tags_among(lineage, peer, &tags).await?;
    let mut spread: BTreeMap<Tag, BTreeSet<RecordId>> = BTreeMap::new();
    for row in &rows {
        spread.entry(row.tag).or_default().insert(row.record);
    }
    let wide = |tag: &Tag| spread.get(tag).is_some_and(|records| records.len() > SPREAD_MAX);
    let muted: BTreeSet<&str> =
        rows.iter().filter(|row| wide(&row.tag)).map(|row| row.family.as_str()).collect();
    if !muted.is_empty() {
        let families: Vec<&str> = muted.into_iter().collect();
        tracing::info!(%peer, families = families.join(" "), "values spread too wide to count");
    }
    let mut agreeing: BTreeMap<RecordId, BTreeSet<Tag>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !wide(&row.tag)) {
        agreeing.entry(row.record).or_default().insert(row.tag);
    }
    if agreeing.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut most: Vec<(RecordId, BTreeSet<Tag>)> = agreeing.into_iter().collect();
    most.sort_by_key(|(record, tags)| (std::cmp::Reverse(tags.len()), *record));
    most.truncate(WEIGHED_MAX);
    let beside = Beside {
        object: shown.object,
        tags: &shown.tags,
        register: shown.background.map_or(shown.register, |told| told.register),
        facts: shown.background.map(|told| told.facts),
    };
    weighing::weigh(node, work, peer, &most, &beside).await
}

/// What agrees between an own record and an object of a peer: what the peer shows of it, and what
/// it proves that it has beside. None where nothing does.
///
/// # Errors
/// The store's.
pub(super) async fn evidence(
    node: &Node,
    work: &mut Work<'_>,
    peer: &NodeId,
    (record, object): (RecordId, ObjectId),
    proven: Option<(&BTreeSet<Tag>, Background)>,
) -> Done<Option<Evidence>> {
    let mut shown = shown(work, object).await?;
    if let Some((tags, background)) = proven {
        shown.background = Some(background);
        for tag in tags {
            shown.tags.entry(*tag).or_default();
        }
    }
    Ok(agreeing(node, work, peer, &shown).await?.remove(&record))
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
            let count = spread.entry(row.tag).or_default();
            *count = count.saturating_add(1);
        }
        let narrow: Vec<Tag> = tags
            .into_iter()
            .filter(|tag| spread.get(tag).is_none_or(|count| *count <= SPREAD_MAX))
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
    record: RecordId,
    evidence: Evidence,
    /// What the peer shows of the object.
    shown: &'f ShownObject,
}

/// Shows people what agrees between a peer's object and an own record, and tells the peer, unless
/// it has been told as much.
async fn tell(node: &Node, work: &mut Work<'_>, peer: &NodeId, found: Found<'_>) -> Done<()> {
    let lineage = work.row.lineage;
    let Found { record, evidence, shown } = found;
    let theirs = shown.object;
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
    let Evidence { grade, families, .. } = evidence;
    let before = standing::expected(node, tx, lineage, about).await?;
    if apply(before.as_ref(), Side::Here, Step::Find(grade)).is_err() {
        return Ok(());
    }
    let Some(background) = tags::background(node, work, record).await? else { return Ok(()) };
    let tags = tags::proving(node, work, peer, record, &shown.tags()).await?;
    let told = Told::Found { theirs, ours, grade, families, tags, background };
    events::say(node, work.tx()?, lineage, peer, Event { about, told }, None).await?;
    Ok(())
}
