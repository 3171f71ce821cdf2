//! Small documents of our own: versions of the store, duties. Each is written only by who has seen it last.
//!
//! A document is a point without vectors in the collection `<prefix>_state`. Each write carries a token of its own; a
//! write is applied only where the token in the store is the one that its writer saw (Qdrant's conditional update), and
//! a look afterwards says whose token is there. A write that reaches the engine twice is applied once.
//!
//! Looks ask one replica. Qdrant can ask several, but then answers nothing as soon as one of them is down, and leaves out
//! what they hold in different versions. A replica that lags shows an old token: then a write is not applied, or counts
//! as not applied, and is tried again; it is never lost or doubled.

use std::collections::HashMap;

use qdrant_client::qdrant::{Filter, GetPoints, NamedVectors, PointStruct, UpsertPoints, Value, Vectors, vectors};
use uuid::Uuid;

use super::{
    convert::{self, text},
    core::Core,
    wire::Failure,
};
use crate::PointId;

/// Namespace of the documents' ids, made up once.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f0b_8f3a_66c1_5d0e_9a57_70cd_1be4_83d2);
/// Key of the token of the last write, in documents and in records.
pub(super) const WRITE: &str = "write";
const KEY: &str = "key";
const VALUE: &str = "value";

/// A document as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    /// Its text; empty where it was given up.
    pub(super) value: String,
    /// Token of the write that made it.
    pub(super) write: String,
}

/// A token that no other write has.
pub(super) fn token() -> String {
    Uuid::new_v4().to_string()
}

/// Keeps what one of these writes has made; nothing where there are none.
pub(super) fn written_by(mut tokens: Vec<String>) -> Filter {
    if tokens.is_empty() {
        // no write has this token
        tokens.push(Uuid::nil().to_string());
    }
    Filter { must: vec![convert::any(WRITE, tokens)], ..Filter::default() }
}

/// Reads documents by key, in the order of the keys.
pub(super) async fn read(core: &Core, keys: &[&str]) -> Result<Vec<Option<Document>>, Failure> {
    let ids: Vec<PointId> = keys.iter().map(|key| id(key)).collect();
    let request = GetPoints {
        collection_name: core.state_name(),
        ids: ids.iter().copied().map(convert::server_id).collect(),
        with_payload: Some(convert::fields(&[VALUE, WRITE])),
        ..GetPoints::default()
    };
    let answer = core.wire.send(|node| {
        let request = request.clone();
        async move { node.points().get(request).await }
    });
    let mut found = HashMap::new();
    for point in answer.await?.result {
        let field = |key| point.payload.get(key).and_then(text).unwrap_or_default();
        found.insert(convert::point_id(point.id.as_ref()), Document { value: field(VALUE), write: field(WRITE) });
    }
    Ok(ids.into_iter().map(|id| found.remove(&Some(id))).collect())
}

/// Writes a document if it still is as it was seen (`None`: it was not there); `None` where it is not.
pub(super) async fn put(
    core: &Core,
    key: &str,
    value: String,
    seen: Option<&Document>,
) -> Result<Option<Document>, Failure> {
    let document = Document { value, write: token() };
    let payload = [(KEY, key), (VALUE, &document.value), (WRITE, &document.write)];
    let payload = payload.map(|(key, text)| (key.to_string(), Value::from(text)));
    // the server wants to be told that there are none
    let none = Vectors { vectors_options: Some(vectors::VectorsOptions::Vectors(NamedVectors::default())) };
    let point = PointStruct { id: Some(convert::server_id(id(key))), payload: payload.into(), vectors: Some(none) };
    let request = UpsertPoints {
        collection_name: core.state_name(),
        wait: Some(true),
        points: vec![point],
        ordering: Some(core.ordering()),
        update_filter: Some(written_by(seen.map(|seen| seen.write.clone()).into_iter().collect())),
        ..UpsertPoints::default()
    };
    let written = core.wire.send(|node| {
        let request = request.clone();
        async move { node.points().upsert(request).await }
    });
    written.await?;
    let now = read(core, &[key]).await?.into_iter().next().flatten();
    Ok(now.filter(|now| now.write == document.write))
}

fn id(key: &str) -> PointId {
    PointId::from(Uuid::new_v5(&NAMESPACE, key.as_bytes()))
}
