//! Counts what an encoded message would become in memory, before it is decoded: two bytes of
//! an empty element on the wire become more than a hundred.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost::encoding::{WireType, decode_key, decode_varint};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// Deeper messages are not looked into: the decoder refuses them long before it has made
/// much (`prost` at 100).
const DEPTH_MAX: usize = 32;

/// What is counted of one field.
#[derive(Clone, Debug)]
struct Field {
    /// Whether each occurrence is kept: that of a repeated field or of a message.
    counts: bool,
    /// Full name of the message that it holds, if it holds one.
    message: Option<String>,
}

/// The counted fields of a message, by number.
type Fields = BTreeMap<u32, Field>;

/// A method of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Full name of the message that it takes.
    pub request: String,
    /// Full name of the message that it answers with.
    pub answer: String,
    /// Whether it answers with many of them, for as long as the caller listens.
    pub streams: bool,
}

/// All messages and methods of the protos.
#[derive(Debug, Default)]
pub struct Shapes {
    messages: BTreeMap<String, Fields>,
    methods: BTreeMap<String, Method>,
}

/// Those of the packages `raccordo`.
pub static SHAPES: LazyLock<Shapes> = LazyLock::new(|| Shapes::read(raccordo_proto::DESCRIPTORS));

impl Shapes {
    /// Reads a descriptor set; nothing where it is damaged, which a test would see.
    fn read(descriptors: &[u8]) -> Self {
        let mut shapes = Self::default();
        let set = FileDescriptorSet::decode(descriptors).unwrap_or_default();
        for file in set.file {
            let package = file.package().to_owned();
            for message in &file.message_type {
                shapes.add(&package, message);
            }
            for service in file.service {
                for method in &service.method {
                    let path = format!("/{package}.{}/{}", service.name(), method.name());
                    let method = Method {
                        request: full_name(method.input_type()),
                        answer: full_name(method.output_type()),
                        streams: method.server_streaming(),
                    };
                    shapes.methods.insert(path, method);
                }
            }
        }
        shapes
    }

    fn add(&mut self, parent: &str, message: &DescriptorProto) {
        let name = format!("{parent}.{}", message.name());
        let fields = message.field.iter().filter_map(|field| {
            let number = u32::try_from(field.number()).ok()?;
            Some((number, shape_of(field)))
        });
        self.messages.insert(name.clone(), fields.collect());
        for nested in &message.nested_type {
            self.add(&name, nested);
        }
    }

    /// A method by its path, `/package.Service/Method`.
    pub fn method(&self, path: &str) -> Option<&Method> {
        self.methods.get(path)
    }

    /// Whether an encoded message holds more than so many elements and messages, at all depths
    /// together. What cannot be read counts up to there: the decoder will say so.
    pub fn exceeds(&self, message: &str, bytes: &[u8], elements_max: usize) -> bool {
        let mut left = elements_max;
        self.messages.get(message).is_some_and(|fields| !self.count(fields, bytes, &mut left, 0))
    }

    /// Takes one off `left` for each element; false when there is none left.
    fn count(&self, fields: &Fields, mut bytes: &[u8], left: &mut usize, depth: usize) -> bool {
        while !bytes.is_empty() {
            let Ok((number, wire)) = decode_key(&mut bytes) else { return true };
            let Some(value) = value(&mut bytes, wire) else { return true };
            let Some(field) = fields.get(&number).filter(|field| field.counts) else { continue };
            let Some(fewer) = left.checked_sub(1) else { return false };
            *left = fewer;
            let inner = field.message.as_deref().and_then(|name| self.messages.get(name));
            if let (Some(inner), true) = (inner, depth < DEPTH_MAX)
                && !self.count(inner, value, left, depth + 1)
            {
                return false;
            }
        }
        true
    }
}

/// The bytes of a value that is delimited by its length; none of any other. Nothing where
/// they cannot be read.
fn value<'b>(bytes: &mut &'b [u8], wire: WireType) -> Option<&'b [u8]> {
    let length = match wire {
        WireType::Varint => {
            decode_varint(bytes).ok()?;
            return Some(&[]);
        }
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => usize::try_from(decode_varint(bytes).ok()?).ok()?,
        // No message of ours has groups.
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    let (value, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(value)
}

fn shape_of(field: &FieldDescriptorProto) -> Field {
    let is_message = field.r#type() == Type::Message;
    Field {
        counts: is_message || field.label() == Label::Repeated,
        message: is_message.then(|| full_name(field.type_name())),
    }
}

/// Without the dot that begins absolute names.
fn full_name(name: &str) -> String {
    name.strip_prefix('.').unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use raccordo_proto::hub::v1 as proto;
    use raccordo_proto::trust::v1 as trust;

    use super::*;

    const APPEND: &str = "raccordo.hub.v1.AppendRequest";

    #[test]
    fn methods_are_known_by_their_path() {
        let append = SHAPES.method("/raccordo.hub.v1.HubService/Append").unwrap();
        assert_eq!((append.request.as_str(), append.streams), (APPEND, false));
        assert!(SHAPES.messages.contains_key(&append.answer));
        assert!(SHAPES.method("/raccordo.hub.v1.HubService/Subscribe").unwrap().streams);
        assert_eq!(SHAPES.method("/raccordo.hub.v1.HubService/Erase"), None);
    }

    #[track_caller]
    fn check(name: &str, message: &impl prost::Message, elements: usize) {
        let bytes = message.encode_to_vec();
        assert!(!SHAPES.exceeds(name, &bytes, elements), "more than {elements}");
        assert!(
            elements == 0 || SHAPES.exceeds(name, &bytes, elements - 1),
            "fewer than {elements}"
        );
    }

    #[test]
    fn elements_are_counted_at_all_depths() {
        let entries = vec![proto::NewEntry::default(); 5];
        check(APPEND, &proto::AppendRequest { group_id: vec![1; 32], entries }, 5);
        let signatures = vec![trust::PartySignature::default(); 3];
        let statement = trust::SignedStatement { statement: vec![2; 99], signatures };
        let cards = vec![trust::Card { card: vec![3; 99], ..Default::default() }; 2];
        let earlier = vec![statement.clone()];
        let offer = proto::OfferEquipeRequest { statement: Some(statement), cards, earlier };
        check("raccordo.hub.v1.OfferEquipeRequest", &offer, 2 * (1 + 3) + 2);
        let parties = vec![String::new(); 7];
        let claim = proto::ClaimKeyPackagesRequest { parties, ..Default::default() };
        check("raccordo.hub.v1.ClaimKeyPackagesRequest", &claim, 7);
        check("raccordo.hub.v1.PostResponse", &proto::PostResponse {}, 0);
    }

    #[test]
    fn bytes_that_are_no_message_are_left_to_the_decoder() {
        let entries = vec![proto::NewEntry::default(); 3];
        let good = proto::AppendRequest { group_id: vec![1; 32], entries }.encode_to_vec();
        for end in 0..good.len() {
            SHAPES.exceeds(APPEND, &good[..end], 2);
        }
        for byte in 0..=255 {
            assert!(!SHAPES.exceeds(APPEND, &[byte, byte, byte], 9));
        }
        // Two elements, and then something broken: counted up to there.
        assert!(SHAPES.exceeds(APPEND, &[0x12, 0, 0x12, 0, 0xff], 1));
    }

    #[test]
    fn what_nobody_knows_makes_nothing() {
        // Field 9 is not of this message: the decoder skips it.
        let unknown = [0x4a, 0].repeat(1_000);
        assert!(!SHAPES.exceeds(APPEND, &unknown, 0));
    }
}
