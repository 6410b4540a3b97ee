//! The numeric fields of messages, found in the descriptors of the protos themselves: a field
//! that is new there is bent here without anybody's doing.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
};
use prost_reflect::{ReflectMessage as _, Value};

/// Packages whose messages come from others.
const PACKAGES: [&str; 3] = ["raccordo.hub.v1", "raccordo.trust.v1", "raccordo.alert.v1"];

/// Where numbers without a sign overflow, wrap or change it in some type, and ours end.
pub const UNSIGNED: [u64; 12] = [
    0,
    1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (1 << 53) - 1,
    1 << 53,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// The same of numbers with a sign; and the ends of the times that are taken.
pub const SIGNED: [i64; 13] = [
    i64::MIN,
    -(1 << 53),
    -1,
    0,
    1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    (1 << 53) - 1,
    1 << 53,
    253_370_764_799_999,
    253_370_764_800_000,
    i64::MAX,
];

/// A message in which one number stands at an edge.
pub struct Bent {
    /// Which field, by its whole name.
    pub field: String,
    /// The number, in words.
    pub number: String,
    /// Whether it is beyond what is taken of anybody.
    pub beyond: bool,
    /// The message, encoded.
    pub bytes: Vec<u8>,
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(raccordo_proto::DESCRIPTORS).unwrap()
}

/// Reads a message by its type's whole name.
fn read(name: &str, bytes: &[u8]) -> DynamicMessage {
    let kind = pool().get_message_by_name(name);
    DynamicMessage::decode(kind.unwrap_or_else(|| panic!("no message {name}")), bytes).unwrap()
}

/// All numeric fields of all messages that come from others.
pub fn all() -> BTreeSet<String> {
    let pool = pool();
    let ours = |message: &MessageDescriptor| PACKAGES.contains(&message.package_name());
    let fields = pool.all_messages().filter(ours).flat_map(|message| {
        let fields: Vec<FieldDescriptor> = message.fields().collect();
        fields
    });
    let numeric = fields.filter(|field| !edges(&field.kind()).is_empty());
    numeric.map(|field| field.full_name().to_owned()).collect()
}

/// The fields among which a message has one, by name.
pub fn choices(message: &str, oneof: &str) -> Vec<String> {
    let message = pool().get_message_by_name(message).unwrap();
    let oneof = message.oneofs().find(|one| one.name() == oneof).unwrap();
    oneof.fields().map(|field| field.name().to_owned()).collect()
}

/// The calls of a service, each with the whole name of its request.
pub fn methods(service: &str) -> Vec<(String, String)> {
    let service = pool().get_service_by_name(service).unwrap();
    let named = |method: MethodDescriptor| {
        (method.name().to_owned(), method.input().full_name().to_owned())
    };
    service.methods().map(named).collect()
}

/// Copies of an encoded message, each with one number in it, or in a message in it, at an edge.
/// Of several messages of one type the first that has a field stands for all.
pub fn bent(name: &str, bytes: &[u8]) -> Vec<Bent> {
    let mut bender = Bender::default();
    bender.message(&read(name, bytes), &|message| message);
    bender.bent
}

#[derive(Default)]
struct Bender {
    seen: BTreeSet<String>,
    bent: Vec<Bent>,
}

/// Puts a part back into its whole.
type Whole<'w> = &'w dyn Fn(DynamicMessage) -> DynamicMessage;

impl Bender {
    fn message(&mut self, message: &DynamicMessage, whole: Whole<'_>) {
        let kind = message.descriptor();
        for field in kind.fields() {
            assert!(!field.is_map(), "{}: maps are not bent yet", field.full_name());
            let edges = edges(&field.kind());
            if !edges.is_empty() {
                self.number(message, &field, edges, whole);
            } else if let (Kind::Message(_), true) = (field.kind(), message.has_field(&field)) {
                self.parts(message, &field, whole);
            }
        }
    }

    fn number(
        &mut self,
        message: &DynamicMessage,
        field: &FieldDescriptor,
        edges: Vec<Value>,
        whole: Whole<'_>,
    ) {
        if !self.seen.insert(field.full_name().to_owned()) {
            return;
        }
        for edge in edges {
            let (number, beyond) = (format!("{edge:?}"), is_beyond(&edge));
            let value = if field.is_list() { Value::List(vec![edge]) } else { edge };
            let mut copy = message.clone();
            copy.set_field(field, value);
            let bytes = whole(copy).encode_to_vec();
            let field = field.full_name().to_owned();
            self.bent.push(Bent { field, number, beyond, bytes });
        }
    }

    fn parts(&mut self, message: &DynamicMessage, field: &FieldDescriptor, whole: Whole<'_>) {
        match message.get_field(field).into_owned() {
            Value::Message(part) => self.message(&part, &|bent| {
                let mut copy = message.clone();
                copy.set_field(field, Value::Message(bent));
                whole(copy)
            }),
            Value::List(parts) => {
                for (place, part) in parts.iter().enumerate() {
                    let Value::Message(part) = part else { continue };
                    self.message(part, &|bent| {
                        let mut parts = parts.clone();
                        parts[place] = Value::Message(bent);
                        let mut copy = message.clone();
                        copy.set_field(field, Value::List(parts));
                        whole(copy)
                    });
                }
            }
            other => panic!("{}: {other:?}", field.full_name()),
        }
    }
}

/// As the protos say it: integers up to 2^53 - 1, times to the end of the year 9998.
fn is_beyond(edge: &Value) -> bool {
    match edge {
        Value::U64(number) => *number >= 1 << 53,
        Value::I64(time) => !(0..253_370_764_800_000).contains(time),
        _ => false,
    }
}

fn edges(kind: &Kind) -> Vec<Value> {
    let low = |number: u64| u32::try_from(number).ok();
    let near = |number: i64| i32::try_from(number).ok();
    match kind {
        Kind::Uint64 | Kind::Fixed64 => UNSIGNED.map(Value::U64).to_vec(),
        Kind::Uint32 | Kind::Fixed32 => {
            UNSIGNED.into_iter().filter_map(low).map(Value::U32).collect()
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => SIGNED.map(Value::I64).to_vec(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            SIGNED.into_iter().chain([i32::MIN.into()]).filter_map(near).map(Value::I32).collect()
        }
        Kind::Enum(_) => {
            let far = [i32::MIN.into(), 2, 3, 4, 257];
            let all = SIGNED.into_iter().chain(far).filter_map(near);
            all.map(Value::EnumNumber).collect()
        }
        Kind::Double => [f64::NAN, f64::INFINITY, -0.0, f64::MAX].map(Value::F64).to_vec(),
        Kind::Float => [f32::NAN, f32::INFINITY, -0.0, f32::MAX].map(Value::F32).to_vec(),
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) => Vec::new(),
    }
}

#[test]
fn every_field_of_a_message_and_of_its_parts_is_bent() {
    use raccordo_proto::hub::v1::{AppendRequest, NewEntry};
    let entry = NewEntry { entry_id: vec![1; 16], kind: 1, epoch: 3, ..Default::default() };
    let request = AppendRequest { group_id: vec![2; 32], entries: vec![entry.clone(), entry] };
    let bent = bent("raccordo.hub.v1.AppendRequest", &request.encode_to_vec());
    let fields: BTreeSet<&str> = bent.iter().map(|bent| bent.field.as_str()).collect();
    let expected = ["raccordo.hub.v1.NewEntry.epoch", "raccordo.hub.v1.NewEntry.kind"];
    assert_eq!(fields, expected.into());
    let epochs = bent.iter().filter(|bent| bent.field.ends_with("epoch"));
    let epochs = epochs.map(|bent| AppendRequest::decode(&*bent.bytes).unwrap());
    let epochs: Vec<u64> = epochs.map(|request| request.entries[0].epoch).collect();
    assert_eq!(epochs, UNSIGNED);
    assert!(all().contains("raccordo.alert.v1.Echo.sequence"));
}
