//! What agreeing tags are worth: the evidence of an own record that they were made of, weighed by
//! how frequent its values are here, less what the peer knows too and what does not agree.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::evidence::facts::Facts;
use raccordo_core::evidence::family::{Evidence, Family, Mark};
use raccordo_core::evidence::grade;
use raccordo_core::evidence::weight::Weight;
use raccordo_core::id::{NodeId, ObjectId, RecordId};
use raccordo_core::matching::shown::RegisterSize;
use raccordo_core::normal::stop_list::StopList;
use raccordo_core::pseudonym::token::Tag;

use super::pairs::Pair;
use super::statistics::{self, Statistics};
use super::{evidence, standing, stops, tags, tokens};
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::work::Work;

/// What is known of a peer's object.
pub(super) struct Beside<'b> {
    /// The object.
    pub(super) object: ObjectId,
    /// Its tags, with masked facts where they were shown.
    pub(super) tags: &'b BTreeMap<Tag, Option<u8>>,
    /// How many records the peer has.
    pub(super) register: RegisterSize,
    /// What the peer has told that it knows at all; else it is read from under the masks.
    pub(super) facts: Option<Facts>,
}

/// A weight with what it is of.
struct Weighed {
    record: RecordId,
    weight: Weight,
    families: BTreeSet<Family>,
    both: u32,
}

/// What agrees between own records and a peer's object, by the tags that do.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn weigh(
    node: &Node,
    work: &mut Work<'_>,
    peer: &NodeId,
    agreeing: &[(RecordId, BTreeSet<Tag>)],
    beside: &Beside<'_>,
) -> Done<BTreeMap<RecordId, standing::Evidence>> {
    let Some(pair) = tags::pair_with(node, work, peer).await? else { return Ok(BTreeMap::new()) };
    let stops = stops::list(node, work.tx()?).await?;
    let statistics = statistics::current(node, work.tx()?).await?;
    let mut weighed = Vec::new();
    for (record, tags) in agreeing {
        let own = Own { pair: &pair, stops: &stops, statistics: &statistics, record: *record };
        weighed.extend(own.weigh(node, work, tags, beside).await?);
    }
    weighed.retain(|one| grade::is_question(&one.weight, one.both));
    // An object is about one of several namesakes at most.
    let best = weighed.iter().map(|one| one.weight.bits).fold(f64::MIN, f64::max);
    let graded = weighed.into_iter().map(|one| {
        let grade = grade::grade(&one.weight, one.both);
        let grade = grade::beside(grade, &one.weight, best);
        let evidence = standing::Evidence {
            grade,
            families: one.families,
            reasons: reasons(&one.weight),
            strength: tenths(grade::above(&one.weight, one.both)),
        };
        (one.record, evidence)
    });
    Ok(graded.collect())
}

/// An own record that is weighed.
struct Own<'o> {
    pair: &'o Pair,
    stops: &'o StopList,
    statistics: &'o Statistics,
    record: RecordId,
}

impl Own<'_> {
    /// None where the record is erased, or has changed since its tokens were made.
    async fn weigh(
        &self,
        node: &Node,
        work: &mut Work<'_>,
        agreeing: &BTreeSet<Tag>,
        beside: &Beside<'_>,
    ) -> Done<Option<Weighed>> {
        let (lineage, record) = (work.row.lineage, self.record);
        let Some(subject) = evidence::known(node, work.tx()?, record).await? else {
            return Ok(None);
        };
        let tokens = tokens::kept(node, work.tx()?, lineage, record).await?;
        let expected = tags::tagged(self.pair, &self.pair.peer, &node.identity.node, &tokens)?;
        let (mut marks, mut theirs): (BTreeSet<Mark>, Option<Facts>) = (BTreeSet::new(), None);
        for (kept, tag, key) in expected.iter().filter(|(_, tag, _)| agreeing.contains(tag)) {
            marks.insert(kept.mark);
            let masked = beside.tags.get(tag).copied().flatten();
            let facts = || Facts::of_byte(masked? ^ key.mask(&beside.object, &kept.token)?);
            theirs = theirs.or_else(facts);
        }
        let all = subject.evidence(self.stops);
        let agreeing: Vec<&Evidence> =
            all.iter().filter(|one| marks.contains(&one.mark())).collect();
        if agreeing.is_empty() {
            return Ok(None);
        }
        let ours = subject.facts(self.stops);
        // Of a peer that says nothing nothing disagrees.
        let theirs = beside.facts.or(theirs).unwrap_or_else(Facts::none);
        let frequencies = self.statistics.frequencies(&subject);
        let weight = subject.weigh(&agreeing, (ours, theirs), frequencies);
        let families = agreeing.iter().map(|one| one.family).collect();
        let both = grade::both(self.statistics.records(&subject), beside.register.records());
        Ok(Some(Weighed { record, weight, families, both }))
    }
}

/// What agrees, each with its tenths of bits, the strongest first: `phone:120 name:98`.
fn reasons(weight: &Weight) -> String {
    let mut parts: Vec<(&str, i64)> =
        weight.parts.iter().map(|(what, bits)| (*what, tenths(*bits))).collect();
    parts.retain(|(_, tenths)| *tenths > 0);
    parts.sort_by_key(|(what, tenths)| (std::cmp::Reverse(*tenths), *what));
    let parts: Vec<String> =
        parts.iter().map(|(what, tenths)| format!("{what}:{tenths}")).collect();
    parts.join(" ")
}

/// Tenths of bits, whole; within bounds that any evidence is.
fn tenths(bits: f64) -> i64 {
    (bits.clamp(-1_000.0, 1_000.0) * 10.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stand_by_their_weight() {
        let parts = [("day", 8.3), ("name", 15.24), ("phone", 0.0), ("year", -0.0)].into();
        let weight = Weight { parts, ..Weight::default() };
        assert_eq!(reasons(&weight), "name:152 day:83");
        assert_eq!(tenths(f64::MAX), 10_000);
    }
}
