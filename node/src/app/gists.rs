//! What active alerts say in codes: kept in memory once they have been opened, since searches
//! and pictures look at thousands of them at a time. Only ids and codes, as in the alerts
//! themselves; what ends is forgotten at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use raccordo_core::alert;
use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::object::{Kind, State, Subject};
use serde_json::Value;

use super::Node;
use super::apply::open_share;
use super::fault::Done;
use crate::store::Tx;
use crate::store::object::{NewestFilter, ObjectHead, ObjectRow};

/// Alerts that one look takes in at most, and that are kept: the newest.
pub const LOOK_MAX: u32 = 5_000;

/// What an alert says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gist {
    /// The alert.
    pub object: ObjectId,
    /// Its place in the order of coming.
    pub position: u64,
    /// The version that says so.
    pub version: u64,
    /// What it is.
    pub kind: Kind,
    /// Whose.
    pub origin: NodeId,
    /// Of whom it speaks.
    pub subject: Subject,
    /// Classes of organisations that may see it, as its label says.
    pub classes: Vec<String>,
    /// Codes, dates and ids by the declared name of their field.
    pub codes: BTreeMap<&'static str, Vec<String>>,
}

impl Gist {
    /// What a field says; nothing where it is empty.
    pub fn said(&self, field: &str) -> &[String] {
        self.codes.get(field).map_or(&[], Vec::as_slice)
    }

    /// The first value of a field; empty where there is none.
    pub fn first(&self, field: &str) -> &str {
        self.said(field).first().map_or("", String::as_str)
    }
}

/// What is kept, by position.
#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<u64, Arc<Gist>>>);

impl Memory {
    /// Forgets what has ended.
    pub fn forget(&self, position: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&position);
    }

    /// Those of these heads that are kept as they are now.
    fn kept(&self, heads: &[ObjectHead]) -> Vec<Option<Arc<Gist>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = heads.iter().map(|head| {
            let gist = kept.get(&head.position)?;
            let same = gist.version == head.version && gist.object == head.object;
            same.then(|| Arc::clone(gist))
        });
        found.collect()
    }

    fn keep(&self, gists: &BTreeMap<u64, Arc<Gist>>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(gists.iter().map(|(position, gist)| (*position, Arc::clone(gist))));
        while kept.len() > LOOK_MAX as usize {
            kept.pop_first();
        }
    }
}

/// What the newest active alerts say that a filter lets pass, whatever state it names; the
/// second value is the position to go on from, none at the end. At most [`LOOK_MAX`].
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn newest(
    node: &Node,
    tx: &mut dyn Tx,
    filter: &NewestFilter,
) -> Done<(Vec<Arc<Gist>>, Option<u64>)> {
    let state = Some(State::Active.as_str().to_owned());
    let limit = filter.limit.min(LOOK_MAX);
    let heads = tx.newest_heads(&NewestFilter { state, limit, ..filter.clone() }).await?;
    let more = heads.len() >= limit as usize;
    let next = heads.last().filter(|_| more).map(|head| head.position);
    let mut found = node.gists.kept(&heads);
    let unknown = heads.iter().zip(&found).filter(|(_, known)| known.is_none());
    let unknown: Vec<ObjectId> = unknown.map(|(head, _)| head.object).collect();
    if !unknown.is_empty() {
        let mut opened = BTreeMap::new();
        for row in tx.objects_among(&unknown).await? {
            opened.extend(gist(node, &row)?.map(|gist| (row.position, Arc::new(gist))));
        }
        node.gists.keep(&opened);
        for (head, place) in heads.iter().zip(&mut found).filter(|(_, place)| place.is_none()) {
            *place = opened.remove(&head.position);
        }
    }
    Ok((found.into_iter().flatten().collect(), next))
}

/// What a row says; nothing once it has ended.
fn gist(node: &Node, row: &ObjectRow) -> Done<Option<Gist>> {
    let (Some(share), Ok(kind)) = (open_share(node, row)?, row.kind.parse::<Kind>()) else {
        return Ok(None);
    };
    let declaration = kind.declaration();
    let mut body = serde_json::to_value(&share.alert).unwrap_or_default();
    let mut body = body.get_mut(declaration.body).map(Value::take).unwrap_or_default();
    let codes = declaration.fields.iter().filter_map(|field| {
        let said = match body.get_mut(field.name)?.take() {
            Value::String(one) => vec![one],
            Value::Array(all) => all.into_iter().filter_map(text).collect(),
            _ => Vec::new(),
        };
        let said: Vec<String> = said.into_iter().filter(|one| !one.is_empty()).collect();
        (!said.is_empty()).then_some((field.name, said))
    });
    Ok(Some(Gist {
        object: row.object,
        position: row.position,
        version: row.version,
        kind,
        origin: row.origin.clone(),
        subject: alert::subject(&share.alert),
        classes: share.label.recipient_classes,
        codes: codes.collect(),
    }))
}

fn text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(position: u64, version: u64) -> Arc<Gist> {
        Arc::new(Gist {
            object: ObjectId(uuid::Uuid::from_u128(u128::from(position))),
            position,
            version,
            kind: Kind::Case,
            origin: "umbria".parse().unwrap(),
            subject: Subject::Person,
            classes: Vec::new(),
            codes: BTreeMap::from([("province", vec!["048".to_owned()])]),
        })
    }

    fn keep(memory: &Memory, gists: &[Arc<Gist>]) {
        memory.keep(&gists.iter().map(|gist| (gist.position, gist.clone())).collect());
    }

    fn head(gist: &Gist) -> ObjectHead {
        ObjectHead { object: gist.object, position: gist.position, version: gist.version }
    }

    #[test]
    fn what_ended_or_changed_is_not_kept() {
        let memory = Memory::default();
        let gists = [some(1, 1), some(2, 1), some(3, 1)];
        keep(&memory, &gists);
        memory.forget(2);
        let changed = ObjectHead { version: 2, ..head(&gists[2]) };
        let kept = memory.kept(&[head(&gists[0]), head(&gists[1]), changed]);
        assert_eq!(kept, [Some(gists[0].clone()), None, None]);
    }

    #[test]
    fn the_newest_are_kept() {
        let memory = Memory::default();
        let most = u64::from(LOOK_MAX);
        let gists: Vec<_> = (0..most + 2).map(|position| some(position, 1)).collect();
        keep(&memory, &gists);
        let heads: Vec<_> = gists.iter().map(|gist| head(gist)).collect();
        let kept = memory.kept(&heads);
        assert_eq!(kept.iter().flatten().count() as u64, most);
        assert_eq!(kept[..3], [None, None, Some(gists[2].clone())]);
    }

    #[test]
    fn fields_are_read_by_name() {
        let gist = some(1, 1);
        assert_eq!((gist.first("province"), gist.first("comune")), ("048", ""));
    }
}
