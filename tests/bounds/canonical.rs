//! Numbers inside of canonical bytes and of pacts, which no descriptor names: every field that
//! is as long as a number, and every whole number of a text of TOML.

use super::fields::{SIGNED, UNSIGNED};

/// Copies of canonical bytes, each with eight bytes that stand alone in a field at an edge.
pub fn bent(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let tag = bytes.iter().position(|byte| *byte == 0).expect("no tag") + 1;
    let mut places = Vec::new();
    numbers(bytes, tag..bytes.len(), &mut places);
    assert!(!places.is_empty(), "no number in it");
    let name = String::from_utf8_lossy(&bytes[..tag - 1]).into_owned();
    let edges = UNSIGNED.into_iter().chain(SIGNED.map(i64::cast_unsigned));
    let bend = |(place, edge): (usize, u64)| {
        let mut copy = bytes.to_vec();
        copy[place..place + 8].copy_from_slice(&edge.to_be_bytes());
        (format!("{name}, byte {place}: {edge}"), copy)
    };
    let pairs = places.into_iter().flat_map(|place| edges.clone().map(move |edge| (place, edge)));
    pairs.map(bend).collect()
}

/// Where fields of eight bytes begin, also those of records and lists in it.
fn numbers(bytes: &[u8], range: std::ops::Range<usize>, places: &mut Vec<usize>) -> bool {
    let (mut at, mut found) = (range.start, Vec::new());
    while at < range.end {
        let Some(length) = bytes.get(at..at + 4) else { return false };
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let (begin, end) = (at + 4, at + 4 + length);
        if end > range.end {
            return false;
        }
        if length == 8 {
            found.push(begin);
        } else {
            numbers(bytes, begin..end, &mut found);
        }
        at = end;
    }
    places.append(&mut found);
    true
}

/// Copies of a text of TOML, each with one of its whole numbers at an edge.
pub fn bent_toml(text: &str) -> Vec<(String, String)> {
    let table: toml::Table = text.parse().unwrap();
    let mut bent = Vec::new();
    walk(&toml::Value::Table(table), String::new(), &|value| value, &mut bent);
    bent
}

/// Puts a part back into its whole.
type Whole<'w> = &'w dyn Fn(toml::Value) -> toml::Value;

fn walk(value: &toml::Value, name: String, whole: Whole<'_>, bent: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Integer(_) => bent.extend(SIGNED.into_iter().map(|edge| {
            let text = toml::to_string(&whole(toml::Value::Integer(edge))).unwrap();
            (format!("{name}: {edge}"), text)
        })),
        toml::Value::Table(table) => {
            for (key, part) in table {
                let inner = |new: toml::Value| {
                    let mut copy = table.clone();
                    copy.insert(key.clone(), new);
                    whole(toml::Value::Table(copy))
                };
                walk(part, format!("{name}.{key}"), &inner, bent);
            }
        }
        toml::Value::Array(items) => {
            for (place, part) in items.iter().enumerate() {
                let inner = |new: toml::Value| {
                    let mut copy = items.clone();
                    copy[place] = new;
                    whole(toml::Value::Array(copy))
                };
                walk(part, format!("{name}[{place}]"), &inner, bent);
            }
        }
        _ => {}
    }
}

#[test]
fn numbers_are_found_in_records_and_lists() {
    use raccordo_core::canonical::Writer;
    let record = Writer::record().text("umbria").integer(7).finish();
    let bytes = Writer::new("sample").text("a").integer(5).list([record]).finish();
    let found = bent(&bytes);
    let edges = UNSIGNED.len() + SIGNED.len();
    assert_eq!(found.len(), 2 * edges);
    assert!(found.iter().all(|(_, copy)| copy.len() == bytes.len()));
    assert!(found.iter().any(|(name, _)| name.starts_with("raccordo/v1/sample, byte ")));
}

#[test]
fn numbers_of_toml_are_found_in_tables_and_arrays() {
    let found = bent_toml("a = 1\nb = \"x\"\n[c]\nd = 2\n[[e]]\nf = 3\n");
    assert_eq!(found.len(), 3 * SIGNED.len());
    assert!(found.iter().any(|(name, text)| name == ".c.d: -1" && text.contains("d = -1")));
    assert!(found.iter().any(|(name, _)| name == ".e[0].f: 1"));
}
