//! Tags: what this node shows each peer of its objects, and expects of each peer.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::envelope::Body;
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{NodeId, ObjectId, RecordId};
use raccordo_core::matching::event::EVENT_TAGS_MAX;
use raccordo_core::matching::shown::{Background, Shown, ShownTag, TAGS_MAX, Tags};
use raccordo_core::object::State;
use raccordo_core::pseudonym::key::KeyId;
use raccordo_core::pseudonym::token::{Tag, TagKey};

use super::pairs::{self, Pair};
use super::tokens::{self, Kept};
use super::{evidence, find, statistics, stops};
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::share::rows_for;
use crate::app::work::Work;
use crate::store::outbox::EnvelopeRow;
use crate::store::token::{OwnTagRow, ReceivedTagRow};

/// Makes anew all that is shown and expected of a record, and looks for matches.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn retag(node: &Node, work: &mut Work<'_>, record: RecordId) -> Done<()> {
    let lineage = work.row.lineage;
    let tokens = tokens::kept(node, work.tx()?, lineage, record).await?;
    let pairs = pairs::ready(node, work).await?;
    let mut rows = Vec::new();
    for pair in &pairs {
        for (kept, tag, _) in tagged(pair, &pair.peer, &node.identity.node, &tokens)? {
            rows.push(OwnTagRow {
                lineage,
                peer: pair.peer.clone(),
                tag,
                record,
                class: kept.key.class.name().to_owned(),
                family: kept.family.name().to_owned(),
            });
        }
    }
    let tx = work.tx()?;
    tx.delete_own_tags(lineage, record).await?;
    tx.put_own_tags(&rows).await?;
    let objects = tx.objects_of_record(record).await?;
    let shared = objects.iter().filter(|row| row.shared && row.lineage == lineage);
    let shared: Vec<ObjectId> = shared.map(|row| row.object).collect();
    publish(node, work, record, &shared, (&tokens, &pairs)).await?;
    find::by_record(node, work, record).await
}

/// Shows the members the tags of own objects about a record that are active.
///
/// # Errors
/// The store's.
pub(super) async fn publish(
    node: &Node,
    work: &mut Work<'_>,
    record: RecordId,
    objects: &[ObjectId],
    (tokens, pairs): (&[Kept], &[Pair]),
) -> Done<()> {
    if pairs.is_empty() || objects.is_empty() {
        return Ok(());
    }
    // Erased meanwhile.
    let Some(background) = background(node, work, record).await? else { return Ok(()) };
    let (lineage, own) = (work.row.lineage, &node.identity.node);
    for object in objects {
        let known = work.tx()?.object(*object).await?;
        let active = |row: &crate::store::object::ObjectRow| {
            row.origin == *own && row.lineage == lineage && row.state == State::Active.as_str()
        };
        if !known.as_ref().is_some_and(active) {
            continue;
        }
        let mut shown = Vec::new();
        for pair in pairs {
            let mut tags: BTreeMap<Tag, u8> = BTreeMap::new();
            for (kept, tag, key) in tagged(pair, own, &pair.peer, tokens)? {
                let mask = key.mask(object, &kept.token).ok_or_else(refused)?;
                tags.insert(tag, background.facts.byte() ^ mask);
            }
            let tags = tags.into_iter().take(TAGS_MAX);
            let tags = tags.map(|(tag, facts)| ShownTag { tag, facts }).collect();
            shown.push(Shown { receiver: pair.peer.clone(), tags });
        }
        let tags = Tags { object: *object, register: background.register, shown };
        let envelope = pairs::spoken(node, lineage, Body::Tags(tags));
        let told = rows_for(node, &envelope, None)?.into_iter();
        let told = told.map(|row| EnvelopeRow { record: Some(record), ..row }).collect();
        work.tx()?.queue_envelopes(told).await?;
    }
    Ok(())
}

/// What other nodes are told of an own record beside its tags; none once it is erased.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn background(
    node: &Node,
    work: &mut Work<'_>,
    record: RecordId,
) -> Done<Option<Background>> {
    let tx = work.tx()?;
    let Some(subject) = evidence::known(node, tx, record).await? else { return Ok(None) };
    let facts = subject.facts(&stops::list(node, tx).await?);
    let register = statistics::current(node, tx).await?.size(&subject);
    Ok(Some(Background { facts, register }))
}

fn refused() -> Fault {
    Fault::ours("tag", "the hash refuses")
}

/// The tags of tokens on the way from one node of a pair to the other, each with its key.
pub(super) fn tagged<'t>(
    pair: &Pair,
    sender: &NodeId,
    receiver: &NodeId,
    tokens: &'t [Kept],
) -> Done<Vec<(&'t Kept, Tag, TagKey)>> {
    let mut keys: BTreeMap<KeyId, TagKey> = BTreeMap::new();
    let mut tags = Vec::new();
    for kept in tokens {
        let key = match keys.entry(kept.key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let key = TagKey::derive(&pair.secret, sender, receiver, &kept.key);
                place.insert(key.ok_or_else(refused)?)
            }
        };
        tags.push((kept, key.tag(&kept.token).ok_or_else(refused)?, key.clone()));
    }
    Ok(tags)
}

/// The pair with a peer; none before both have their halves.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn pair_with(
    node: &Node,
    work: &mut Work<'_>,
    peer: &NodeId,
) -> Done<Option<Pair>> {
    let pairs = pairs::ready(node, work).await?;
    Ok(pairs.into_iter().find(|pair| pair.peer == *peer))
}

/// The tags under which this node shows a peer those tokens of a record that the peer has shown
/// too: they prove to it that this node has them.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn proving(
    node: &Node,
    work: &mut Work<'_>,
    peer: &NodeId,
    record: RecordId,
    theirs: &BTreeSet<Tag>,
) -> Done<BTreeSet<Tag>> {
    let (lineage, own) = (work.row.lineage, &node.identity.node);
    let Some(pair) = pair_with(node, work, peer).await? else { return Ok(BTreeSet::new()) };
    let mut tokens = tokens::kept(node, work.tx()?, lineage, record).await?;
    let expected = tagged(&pair, peer, own, &tokens)?;
    let agreeing: Vec<bool> = expected.iter().map(|(_, tag, _)| theirs.contains(tag)).collect();
    let mut agreeing = agreeing.into_iter();
    tokens.retain(|_| agreeing.next().unwrap_or(false));
    let shown = tagged(&pair, own, peer, &tokens)?.into_iter().map(|(_, tag, _)| tag);
    Ok(shown.take(EVENT_TAGS_MAX).collect())
}

/// Takes what a member shows of one of its objects, and looks for matches.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows. What the sender did wrong is the inner
/// reason.
pub async fn received(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    told: &Tags,
) -> Done<Result<(), &'static str>> {
    let (lineage, peer) = (work.row.lineage, &entry.sender);
    let Some(mine) = told.shown.iter().find(|shown| shown.receiver == node.identity.node) else {
        return Ok(Ok(()));
    };
    let tx = work.tx()?;
    // What is not known here was shared before this node joined, and may still come.
    if let Some(row) = tx.object(told.object).await? {
        if row.origin != *peer || row.lineage != lineage {
            return Ok(Err("not_origin"));
        }
        if row.state != State::Active.as_str() {
            return Ok(Ok(()));
        }
    }
    let before = tx.received_tags(told.object).await?;
    if before.first().is_some_and(|row| row.peer != *peer || row.lineage != lineage) {
        return Ok(Err("not_origin"));
    }
    let row = |shown: &ShownTag| ReceivedTagRow {
        lineage,
        peer: peer.clone(),
        tag: shown.tag,
        object: told.object,
        facts: shown.facts,
        register: told.register.exponent(),
    };
    let rows: Vec<_> = mine.tags.iter().map(row).collect();
    tx.delete_received_tags(told.object).await?;
    tx.put_received_tags(&rows).await?;
    find::by_object(node, work, peer, told.object).await?;
    Ok(Ok(()))
}
