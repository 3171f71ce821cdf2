//! What a message takes in memory once it is decoded, reckoned from its bytes before it is decoded.
//!
//! A few bytes can become much: each empty entry of a list has two bytes on the wire and some hundred in memory. So the
//! bytes are walked along the descriptors, without decoding anything, and the walk ends where the message is too large.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use crate::DESCRIPTORS;

/// Bytes of a text or a list beside its content.
const LIST: usize = 24;
/// Bytes of a number.
const NUMBER: usize = 8;
/// Depth at which decoding fails.
const MAX_DEPTH: usize = 100;
/// Depth below which a message is taken for boxed.
const MAX_NESTED: usize = 8;
/// Field numbers that are looked at; higher ones are not used by our protos.
const MAX_NUMBER: u32 = 512;

static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::new);

/// All messages of our protos.
struct Shapes {
    by_name: HashMap<String, usize>,
    shapes: Vec<Shape>,
}

/// A message.
#[derive(Default)]
struct Shape {
    /// Bytes of the message without texts and lists.
    size: usize,
    /// Its fields, by number.
    fields: Vec<Option<Field>>,
}

#[derive(Clone, Copy)]
struct Field {
    repeated: bool,
    content: Content,
}

#[derive(Clone, Copy)]
enum Content {
    Number,
    Text,
    Message(usize),
}

/// Why a walk ended early.
enum Stop {
    /// The message is too large.
    TooLarge,
    /// The bytes are no message; decoding will say so.
    Malformed,
}

/// Bytes that a message takes once decoded, about; `None` if that is more than `max`. Bytes that are no message weigh as
/// much as was read of them.
pub fn weigh(message: &str, bytes: &[u8], max: usize) -> Option<usize> {
    let Some(shape) = SHAPES.by_name.get(message) else { return Some(bytes.len()).filter(|len| *len <= max) };
    let mut left = max;
    match SHAPES.walk(*shape, bytes, 0, &mut left) {
        Ok(()) | Err(Stop::Malformed) => Some(max - left),
        Err(Stop::TooLarge) => None,
    }
}

// === impl Shapes ===

impl Shapes {
    fn new() -> Self {
        let messages: Vec<MessageDescriptor> =
            DescriptorPool::decode(DESCRIPTORS).map(|pool| pool.all_messages().collect()).unwrap_or_default();
        let by_name = messages.iter().enumerate().map(|(index, it)| (it.full_name().to_string(), index)).collect();
        let mut shapes = Self { by_name, shapes: Vec::new() };
        shapes.shapes = messages.iter().map(|message| shapes.shape(message)).collect();
        shapes
    }

    fn shape(&self, message: &MessageDescriptor) -> Shape {
        let mut fields = Vec::new();
        for field in message.fields().filter(|field| field.number() < MAX_NUMBER) {
            let place = field.number() as usize;
            if fields.len() <= place {
                fields.resize(place + 1, None);
            }
            let content = match field.kind() {
                Kind::Message(it) => self.by_name.get(it.full_name()).map_or(Content::Text, |it| Content::Message(*it)),
                Kind::String | Kind::Bytes => Content::Text,
                _ => Content::Number,
            };
            if let Some(slot) = fields.get_mut(place) {
                *slot = Some(Field { repeated: field.is_list() || field.is_map(), content });
            }
        }
        Shape { size: size(message, 0), fields }
    }

    fn walk(&self, shape: usize, mut bytes: &[u8], depth: usize, left: &mut usize) -> Result<(), Stop> {
        let Some(shape) = self.shapes.get(shape).filter(|_| depth < MAX_DEPTH) else { return Err(Stop::Malformed) };
        if depth == 0 {
            take(left, shape.size)?;
        }
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let field = usize::try_from(key >> 3).ok().and_then(|number| *shape.fields.get(number)?);
            let entry = |size| if field.is_some_and(|field| field.repeated) { size } else { 0 };
            match key & 7 {
                0 => drop((varint(&mut bytes)?, take(left, entry(NUMBER))?)),
                1 => drop((cut(&mut bytes, 8)?, take(left, entry(NUMBER))?)),
                5 => drop((cut(&mut bytes, 4)?, take(left, entry(NUMBER))?)),
                2 => {
                    let len = usize::try_from(varint(&mut bytes)?).map_err(|_| Stop::Malformed)?;
                    let content = cut(&mut bytes, len)?;
                    match field.map(|field| field.content) {
                        Some(Content::Text) => take(left, len + entry(LIST))?,
                        // numbers in one piece: each has a byte at least
                        Some(Content::Number) => take(left, len.saturating_mul(NUMBER))?,
                        Some(Content::Message(inner)) => {
                            take(left, entry(self.shapes.get(inner).map_or(0, |inner| inner.size)))?;
                            self.walk(inner, content, depth + 1, left)?;
                        }
                        None => {}
                    }
                }
                _ => return Err(Stop::Malformed),
            }
        }
        Ok(())
    }
}

/// Bytes of a message without texts and lists, with the messages that lie in it.
fn size(message: &MessageDescriptor, depth: usize) -> usize {
    let of_field = |field: FieldDescriptor| match field.kind() {
        _ if field.is_list() || field.is_map() => LIST,
        Kind::String | Kind::Bytes => LIST,
        Kind::Message(_) if MAX_NESTED <= depth => NUMBER,
        Kind::Message(inner) => size(&inner, depth + 1) + NUMBER,
        _ => NUMBER,
    };
    let alone = message.fields().filter(|field| field.containing_oneof().is_none()).map(of_field);
    let choices = message.oneofs().map(|choice| choice.fields().map(of_field).max().unwrap_or(0) + NUMBER);
    alone.sum::<usize>() + choices.sum::<usize>()
}

fn take(left: &mut usize, size: usize) -> Result<(), Stop> {
    *left = left.checked_sub(size).ok_or(Stop::TooLarge)?;
    Ok(())
}

fn cut<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], Stop> {
    let (head, rest) = bytes.split_at_checked(len).ok_or(Stop::Malformed)?;
    *bytes = rest;
    Ok(head)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Stop> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(Stop::Malformed)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Stop::Malformed)
}

#[cfg(test)]
mod tests {
    use prost::Name;

    use super::*;
    use crate as pb;

    const ANY: usize = usize::MAX;

    fn weight<M: Name>(message: &M) -> usize {
        weigh(&M::full_name(), &message.encode_to_vec(), ANY).unwrap()
    }

    #[test]
    fn an_empty_entry_weighs_what_it_takes_in_memory() {
        let check = |weight: usize, count: usize, size: usize| {
            let each = weight / count;
            assert!(size / 2 <= each && each <= size * 2, "{each} for {size}");
        };
        let records = vec![pb::Record { kind: None }; 10_000];
        check(weight(&pb::BatchUpsertRecordsRequest { records }), 10_000, size_of::<pb::Record>());
        let owners = vec![String::new(); 10_000];
        let filter = Some(pb::Filter { owners, ..Default::default() });
        check(weight(&pb::CountRecordsRequest { filter, ..Default::default() }), 10_000, size_of::<String>());
        let filter = Some(pb::Filter { statuses: vec![1; 10_000], ..Default::default() });
        check(weight(&pb::CountRecordsRequest { filter, ..Default::default() }), 10_000, NUMBER);
    }

    #[test]
    fn texts_weigh_their_bytes() {
        let common = pb::Common { body: "长".repeat(20_000), ..Default::default() };
        let demand = pb::Demand { common: Some(common), ..Default::default() };
        let record = pb::Record { kind: Some(pb::record::Kind::Demand(demand)) };
        let weight = weight(&pb::BatchUpsertRecordsRequest { records: vec![record; 10] });
        assert!((600_000..620_000).contains(&weight), "{weight}");
    }

    #[test]
    fn what_is_too_large_is_said_as_soon_as_it_is() {
        let name = pb::BatchUpsertRecordsRequest::full_name();
        // sixteen million empty records, of which the first few thousand are looked at
        let bytes = [10, 0].repeat(16 << 20);
        assert_eq!(weigh(&name, &bytes, 1 << 20), None);
        assert!(weigh(&name, bytes.get(..200).unwrap(), 1 << 20).is_some());
    }

    #[test]
    fn all_fields_are_looked_at() {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        let ours = pool.all_messages().filter(|message| message.full_name().starts_with("duijie."));
        for message in ours {
            assert!(message.fields().all(|field| field.number() < MAX_NUMBER), "{}", message.full_name());
        }
    }

    #[test]
    fn any_bytes_end() {
        let name = pb::BatchUpsertRecordsRequest::full_name();
        for seed in 0..2_000_u64 {
            let mut state = seed;
            let mut byte = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            };
            let bytes: Vec<u8> = (0..64).map(|_| byte()).collect();
            weigh(&name, &bytes, 1 << 20);
        }
        // messages in messages beyond any depth
        let mut deep = Vec::new();
        for _ in 0..1_000 {
            let mut outer = vec![10];
            prost::encoding::encode_varint(deep.len() as u64, &mut outer);
            outer.extend(&deep);
            deep = outer;
        }
        assert!(weigh(&name, &deep, ANY).is_some());
        assert!(weigh("nothing.Known", &[1, 2], 1).is_none());
    }
}
