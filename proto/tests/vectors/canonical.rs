//! Canonical bytes, read and written by their description.

use serde_json::{Map, Value};

use crate::schema::{Field, Form};

fn tag(name: &str) -> Vec<u8> {
    [b"raccordo/v1/", name.as_bytes(), &[0]].concat()
}

/// Reads bytes strictly.
pub fn read(name: &str, fields: &[Field], bytes: &[u8]) -> Value {
    let mut rest = bytes.strip_prefix(tag(name).as_slice()).expect("the tag");
    read_fields(fields, &mut rest)
}

fn read_fields(fields: &[Field], rest: &mut &[u8]) -> Value {
    let mut read = Map::new();
    for field in fields {
        if rest.is_empty() && field.may_be_absent {
            continue;
        }
        read.insert(field.name.clone(), read_form(&field.form, take(rest), &field.name));
    }
    assert!(rest.is_empty(), "bytes follow the last field");
    read.into()
}

/// The next field or item.
fn take<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (length, after) = rest.split_first_chunk::<4>().expect("a length");
    let (content, after) = after.split_at(u32::from_be_bytes(*length) as usize);
    *rest = after;
    content
}

fn read_form(form: &Form, content: &[u8], name: &str) -> Value {
    match form {
        Form::Text => std::str::from_utf8(content).expect(name).into(),
        Form::Integer => u64::from_be_bytes(content.try_into().expect(name)).into(),
        Form::Instant => i64::from_be_bytes(content.try_into().expect(name)).into(),
        Form::Boolean => match content {
            [0] => false.into(),
            [1] => true.into(),
            other => panic!("{name}: {other:?}"),
        },
        Form::Bytes(length) => {
            assert!(length.is_none_or(|length| length == content.len()), "{name}");
            hex::encode(content).into()
        }
        Form::List(item) => {
            let (mut rest, mut items) = (content, Vec::new());
            while !rest.is_empty() {
                items.push(read_form(item, take(&mut rest), name));
            }
            items.into()
        }
        Form::Record(fields) => {
            let mut rest = content;
            read_fields(fields, &mut rest)
        }
    }
}

/// Writes the bytes of these fields.
pub fn write(name: &str, fields: &[Field], values: &Value) -> Vec<u8> {
    [tag(name), write_fields(fields, values)].concat()
}

fn write_fields(fields: &[Field], values: &Value) -> Vec<u8> {
    let present =
        fields.iter().filter(|field| !(field.may_be_absent && values[&field.name].is_null()));
    present.flat_map(|field| framed(&write_form(&field.form, &values[&field.name]))).collect()
}

fn framed(content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len()).unwrap().to_be_bytes(), content].concat()
}

fn write_form(form: &Form, value: &Value) -> Vec<u8> {
    match form {
        Form::Text => crate::text(value).as_bytes().to_vec(),
        Form::Integer => value.as_u64().expect("a number").to_be_bytes().to_vec(),
        Form::Instant => value.as_i64().expect("a number").to_be_bytes().to_vec(),
        Form::Boolean => vec![u8::from(value.as_bool().expect("a boolean"))],
        Form::Bytes(_) => crate::bytes(value),
        Form::List(item) => {
            let items = value.as_array().expect("a list").iter();
            items.flat_map(|value| framed(&write_form(item, value))).collect()
        }
        Form::Record(fields) => write_fields(fields, value),
    }
}
