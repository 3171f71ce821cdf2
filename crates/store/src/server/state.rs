//! Small state documents: versions of the store, duties. Every write is conditional on the version last seen.
//!
//! A document is a point without vectors in the collection `<prefix>_state`. Each write carries a unique token. The
//! engine applies a write only if the stored token is the one that the writer saw (Qdrant's conditional update);
//! reading afterwards shows whose token is stored. A write that reaches the engine twice is applied once.
//!
//! Reads ask one replica. Qdrant can ask several, but then it fails as soon as one is down, and omits points whose
//! versions differ. A lagging replica shows an old token; the write is then not applied, or counts as not applied, and
//! is retried. It is never lost or applied twice.

use std::collections::HashMap;

use qdrant_client::qdrant::{Filter, GetPoints, NamedVectors, PointStruct, UpsertPoints, Value, Vectors, vectors};
use uuid::Uuid;

use super::{
    convert::{self, text},
    core::ServerCore,
    wire::WireFailure,
};
use crate::PointId;

/// Random namespace of the documents' ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f0b_8f3a_66c1_5d0e_9a57_70cd_1be4_83d2);
/// Key of the last write's token, in documents and records.
pub(super) const WRITE: &str = "write";
const KEY: &str = "key";
const VALUE: &str = "value";

/// A document as last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StateDocument {
    /// Text; empty after a release.
    pub(super) value: String,
    /// Token of the write that stored it.
    pub(super) write: String,
}

/// A unique token.
pub(super) fn token() -> String {
    Uuid::new_v4().to_string()
}

/// Filter that keeps points last written with one of these tokens; keeps nothing if there are none.
pub(super) fn written_by(mut tokens: Vec<String>) -> Filter {
    if tokens.is_empty() {
        // no write has this token
        tokens.push(Uuid::nil().to_string());
    }
    Filter { must: vec![convert::any(WRITE, tokens)], ..Filter::default() }
}

/// Reads documents by key, in the order of the keys.
pub(super) async fn read(core: &ServerCore, keys: &[&str]) -> Result<Vec<Option<StateDocument>>, WireFailure> {
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
        found.insert(convert::point_id(point.id.as_ref()), StateDocument { value: field(VALUE), write: field(WRITE) });
    }
    Ok(ids.into_iter().map(|id| found.remove(&Some(id))).collect())
}

/// Writes a document if it is unchanged since `seen` (`None`: it did not exist); returns `None` if it has changed.
pub(super) async fn put(
    core: &ServerCore,
    key: &str,
    value: String,
    seen: Option<&StateDocument>,
) -> Result<Option<StateDocument>, WireFailure> {
    let document = StateDocument { value, write: token() };
    let payload = [(KEY, key), (VALUE, &document.value), (WRITE, &document.write)];
    let payload = payload.map(|(key, text)| (key.to_string(), Value::from(text)));
    // the server requires an explicit empty set of vectors
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
    let written = core.wire.send_write(|node| {
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
