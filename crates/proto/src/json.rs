//! proto3 JSON of any message, made from the descriptors: no code of its own for any type.

use std::sync::LazyLock;

use prost::Name;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use crate::DESCRIPTORS;

static POOL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).ok());

/// Why a message has no JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The descriptors do not have the type: a build error.
    #[error("{0} is not in the descriptors")]
    Unknown(String),
    /// The message does not fit its own descriptor: a build error.
    #[error(transparent)]
    Unreadable(#[from] prost::DecodeError),
    /// A value has no JSON, such as a time beyond the year 9999.
    #[error(transparent)]
    Value(#[from] serde_json::Error),
}

/// Writes a message as proto3 JSON on one line. Fields have the names of the proto; those with their default value are
/// left out.
///
/// # Errors
/// If the type is not in the descriptors, or a value has no JSON.
pub fn to_json<M: Name>(message: &M) -> Result<String, JsonError> {
    let name = M::full_name();
    let unknown = || JsonError::Unknown(name.clone());
    let descriptor = POOL.as_ref().and_then(|pool| pool.get_message_by_name(&name)).ok_or_else(unknown)?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    let mut serializer = serde_json::Serializer::new(Vec::new());
    dynamic.serialize_with_options(&mut serializer, &SerializeOptions::new().use_proto_field_name(true))?;
    Ok(String::from_utf8_lossy(&serializer.into_inner()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate as pb;

    #[test]
    fn fields_have_the_names_of_the_protos() {
        let common = pb::Common { title: "轴承\n密封".into(), revision: 1 << 60, ..Default::default() };
        let demand = pb::Demand { common: Some(common), budget_yuan: Some(0), ..Default::default() };
        let record = pb::Record { kind: Some(pb::record::Kind::Demand(demand)) };
        let json = to_json(&record).unwrap();
        assert!(!json.contains('\n'), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["demand"]["common"]["title"], "轴承\n密封");
        // proto3 JSON writes 64-bit numbers as texts, and a field that is set although it is 0
        assert_eq!(read["demand"]["common"]["revision"], (1_u64 << 60).to_string());
        assert_eq!(read["demand"]["budget_yuan"], "0");
        assert_eq!(read["demand"]["common"].get("body"), None);
    }

    #[test]
    fn times_and_enumerations_are_texts() {
        let job = pb::Rematch {
            state: pb::RematchState::Done as i32,
            create_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            ..Default::default()
        };
        let read: serde_json::Value = serde_json::from_str(&to_json(&job).unwrap()).unwrap();
        assert_eq!(
            (&read["state"], &read["create_time"]),
            (&"REMATCH_STATE_DONE".into(), &"1970-01-01T00:00:01Z".into())
        );
    }

    #[test]
    fn a_value_without_json_is_told() {
        let time = prost_types::Timestamp { seconds: i64::MAX, nanos: -1 };
        assert!(to_json(&pb::Rematch { create_time: Some(time), ..Default::default() }).is_err());
    }
}
