//! How many people of the own register share a combination of coarse values: what is rare
//! names somebody by itself (DESIGN §8, CASEWORK "Re-identification").
//!
//! The count is over the whole node, whoever asks: only a number leaves this module.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::alert::Alert;
use raccordo_core::codes::CodeLists;
use raccordo_core::id::RecordId;
use raccordo_core::object::{Kind, Subject};
use raccordo_core::operator::Action;
use raccordo_core::register::{codes_context, open_codes};
use serde_json::Value;

use super::Node;
use super::directory::Operator;
use super::fault::{Done, Fault};
use super::register::{ERASED, keys};
use super::work::open_pact;
use crate::store::Tx;
use crate::store::register::{CaseRow, RecordRow, RegisterFilter};

/// Values that together may name a person.
const COARSE: [&str; 7] =
    ["ageBand", "gender", "citizenship", "sector", "province", "comune", "month"];
/// Cases that one step reads.
const PAGE: u32 = 500;
/// Cases that are looked at, at most: the newest registers have fewer, and a page must come.
const LOOKED_MAX: usize = 20_000;

/// Coarse values by field; several of a field that takes several.
type Values = BTreeMap<&'static str, Vec<String>>;

/// How many share a combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// So many people, or [`Self::threshold`] where there are more.
    pub people: usize,
    /// Below so many the combination is rare: the pact's.
    pub threshold: usize,
    /// How many it would be without one value, by field, where that is enough.
    pub without: Vec<&'static str>,
    /// Values of the combination, by field.
    pub fields: Vec<&'static str>,
}

/// How many people share what an alert about a person says; none for a company.
///
/// # Errors
/// `role_not_allowed`, `no_such_equipe`.
pub async fn alike(
    node: &Node,
    operator: &Operator,
    equipe: &str,
    kind: Kind,
    alert: &Alert,
) -> Done<Option<Alike>> {
    if kind == Kind::Company {
        return Ok(None);
    }
    operator.must(Action::ShareAlert(Subject::Person))?;
    let mut tx = node.store.read().await?;
    let row = tx.equipe_named(equipe).await?.ok_or_else(|| {
        Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
    })?;
    let threshold = open_pact(node, &row)?.terms().threshold_k as usize;
    let ring = keys::Ring::open(node, &mut *tx).await?;
    let sought = coarse(alert);
    let mut count = Count::new(threshold, sought.keys().copied());
    let mut filter = RegisterFilter { limit: PAGE, ..RegisterFilter::default() };
    let mut looked = 0;
    while !count.is_enough() && looked < LOOKED_MAX {
        let cases = tx.list_cases(&filter).await?;
        let Some(last) = cases.last() else { break };
        filter.after_position = last.position;
        looked = looked.saturating_add(cases.len());
        for (record, said) in opened(&ring, &mut *tx, cases).await? {
            count.add(record, &differing(&node.lists, &sought, &said));
        }
    }
    Ok(Some(count.end()))
}

/// What the cases say, with their people; those without codes say nothing.
async fn opened(
    ring: &keys::Ring,
    tx: &mut dyn Tx,
    cases: Vec<CaseRow>,
) -> Done<Vec<(RecordId, Values)>> {
    let cases: Vec<CaseRow> = cases
        .into_iter()
        .filter(|case| case.state != ERASED && !case.sealed_codes.is_empty())
        .collect();
    let ids: Vec<RecordId> = cases.iter().map(|case| case.record).collect();
    let rows = tx.records_among(&ids).await?;
    let rows: BTreeMap<RecordId, RecordRow> =
        rows.into_iter().map(|row| (row.record, row)).collect();
    let mut all = Vec::new();
    for case in cases {
        let Some(row) = rows.get(&case.record) else { continue };
        let Some(key) = ring.of(row)? else { continue };
        let context = codes_context(&case.case.to_string());
        let codes = open_codes(&key, &context, &case.sealed_codes);
        let codes = codes.map_err(|cause| Fault::ours("vault", cause))?;
        all.push((case.record, coarse(&codes)));
    }
    Ok(all)
}

/// The coarse values of an alert's body.
fn coarse(alert: &Alert) -> Values {
    let body = serde_json::to_value(alert).unwrap_or_default();
    let body = body.get(Kind::Case.declaration().body);
    let value = |name: &&'static str| {
        let texts: Vec<&str> = match body?.get(*name)? {
            Value::String(text) => vec![text],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let texts: Vec<String> =
            texts.into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect();
        (!texts.is_empty()).then_some((*name, texts))
    };
    let mut found: Values = COARSE.iter().filter_map(value).collect();
    // The first three digits of a comune are its province.
    let comune = found.get("comune").and_then(|codes| codes.first());
    if let Some(province) = comune.and_then(|code| code.get(..3)) {
        let province = vec![province.to_owned()];
        found.entry("province").or_insert(province);
    }
    found
}

/// In which values somebody differs.
fn differing(lists: &CodeLists, sought: &Values, said: &Values) -> Vec<&'static str> {
    let within = |name: &str, wanted: &str, found: &str| {
        // A citizenship may be said as a part of the world.
        let wider = lists.lookup("country", found).and_then(|code| code.parent.as_deref());
        wanted == found || (name == "citizenship" && wider == Some(wanted))
    };
    let differs = |(name, wanted): (&&'static str, &Vec<String>)| {
        let found = said.get(*name).map(Vec::as_slice).unwrap_or_default();
        let mut wanted = wanted.iter();
        let same = wanted.all(|wanted| found.iter().any(|found| within(name, wanted, found)));
        (!same).then_some(*name)
    };
    sought.iter().filter_map(differs).collect()
}

/// People counted so far.
struct Count {
    threshold: usize,
    alike: BTreeSet<RecordId>,
    /// Who differs in this value alone.
    nearly: BTreeMap<&'static str, BTreeSet<RecordId>>,
}

impl Count {
    fn new(threshold: usize, fields: impl Iterator<Item = &'static str>) -> Self {
        let nearly = fields.map(|name| (name, BTreeSet::new())).collect();
        Self { threshold, alike: BTreeSet::new(), nearly }
    }

    fn is_enough(&self) -> bool {
        self.alike.len() >= self.threshold
    }

    fn add(&mut self, record: RecordId, differing: &[&'static str]) {
        match differing {
            [] => {
                self.alike.insert(record);
            }
            [only] => {
                self.nearly.entry(only).or_default().insert(record);
            }
            _ => {}
        }
    }

    fn end(self) -> Alike {
        let Self { threshold, alike, nearly } = self;
        let people = alike.len().min(threshold);
        let fields = nearly.keys().copied().collect();
        let enough = |other: &BTreeSet<RecordId>| alike.union(other).count() >= threshold;
        let without = nearly.iter().filter(|(_, other)| people < threshold && enough(other));
        Alike { people, threshold, without: without.map(|(name, _)| *name).collect(), fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&'static str, &str)]) -> Values {
        let mut values = Values::new();
        for (name, value) in pairs {
            values.entry(name).or_default().push((*value).to_owned());
        }
        values
    }

    #[test]
    fn who_is_alike() {
        let lists = CodeLists::builtin();
        let check =
            |sought: &[(&'static str, &str)], said: &[(&'static str, &str)], expected: &str| {
                let found = differing(&lists, &values(sought), &values(said));
                assert_eq!(found.join(" "), expected);
            };
        check(&[], &[("province", "048")], "");
        check(&[("province", "048")], &[("province", "048"), ("gender", "1")], "");
        check(&[("province", "048"), ("gender", "1")], &[("province", "054")], "gender province");
        let world = lists.lookup("country", "BD").and_then(|code| code.parent.clone()).unwrap();
        check(&[("citizenship", &world)], &[("citizenship", "BD")], "");
        check(&[("citizenship", "BD")], &[("citizenship", &world)], "citizenship");
        let two = [("citizenship", "BD"), ("citizenship", "IT")];
        check(&[("citizenship", "BD")], &two, "");
        check(&two, &[("citizenship", "BD")], "citizenship");
    }

    #[test]
    fn one_person_counts_once_and_what_would_help_is_named() {
        let mut count = Count::new(3, ["comune", "month"].into_iter());
        let person = |number: u8| RecordId::try_from([number; 16].as_slice()).unwrap();
        count.add(person(1), &[]);
        count.add(person(1), &[]);
        count.add(person(2), &["comune"]);
        count.add(person(3), &["comune"]);
        count.add(person(4), &["month"]);
        count.add(person(5), &["comune", "month"]);
        assert!(!count.is_enough());
        let end = count.end();
        assert_eq!((end.people, end.without), (1, vec!["comune"]));
    }
}
