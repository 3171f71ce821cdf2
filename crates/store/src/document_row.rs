//! Layout of a document in an engine: the same on every engine, without vectors.

use serde_json::{Map, Value, json};

use super::{
    Document, DocumentQuery, DocumentWrite, Key, PointId,
    damage::{Checked, Damaged},
    payload::{REVISION, StoredRow},
    row_sum,
};
use duijie_core::text::SparseVector;

/// Key of the folder; indexed.
pub const FOLDER: &str = "folder";
/// Key of the tags; indexed.
pub(crate) const TAGS: &str = "tags";
/// Fields that an engine indexes before any document arrives; all are keywords.
pub(crate) const INDEXED: [&str; 2] = [FOLDER, TAGS];
/// Key of the document's own key: a number or a name.
pub(crate) const KEY: &str = "key";
/// Key of the text.
pub const TEXT: &str = "text";

/// Lays a document out as its `version`.
pub fn row(write: DocumentWrite, version: u64) -> StoredRow {
    let id = write.id();
    let key = match write.key {
        // as text: an engine's integers are signed
        Key::Number(number) => json!([number.to_string()]),
        Key::Name(name) => json!(name),
    };
    let mut payload = Map::new();
    payload.insert(FOLDER.to_string(), Value::String(write.folder));
    payload.insert(KEY.to_string(), key);
    payload.insert(REVISION.to_string(), json!(version));
    payload.insert(TEXT.to_string(), Value::String(write.text));
    if !write.tags.is_empty() {
        payload.insert(TAGS.to_string(), json!(write.tags));
    }
    row_sum::seal_document(id, &mut payload);
    StoredRow { payload, dense: Vec::new(), sparse: SparseVector::default() }
}

/// Folder and key of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentLabel {
    /// Folder.
    pub folder: String,
    /// Key within the folder.
    pub key: Key,
}

/// Reads the document with this id back, and compares it with its checksum.
///
/// # Errors
/// When the payload is not the document that was written under this id.
pub(crate) fn document(id: PointId, mut payload: Map<String, Value>) -> Result<Checked<Document>, Damaged> {
    let label = label(&payload);
    let name = label.as_ref().map(|DocumentLabel { folder, key }| format!("{folder}/{key}"));
    let damaged = |reason: String| Damaged { id, name: name.clone(), reason };
    let missing = |field: &str| damaged(format!("缺少 {field}"));
    let checked = row_sum::check_document(id, &payload);
    let checked = checked.map_err(|part| damaged(format!("{part}与校验和不符")))?;
    let DocumentLabel { folder, key } = label.ok_or_else(|| missing(KEY))?;
    let version = payload.get(REVISION).and_then(Value::as_u64).ok_or_else(|| missing(REVISION))?;
    let Some(Value::String(text)) = payload.remove(TEXT) else { return Err(missing(TEXT)) };
    let tags = match payload.remove(TAGS) {
        Some(Value::Array(tags)) => tags.into_iter().filter_map(|tag| Some(tag.as_str()?.to_string())).collect(),
        _ => Vec::new(),
    };
    let document = Document { folder, key, version, tags, text };
    if document.id() != id {
        return Err(damaged("该编号下存的是另一份文档".to_string()));
    }
    Ok(Checked { row: document, checked })
}

/// Folder and key in a payload.
pub fn label(payload: &Map<String, Value>) -> Option<DocumentLabel> {
    let folder = payload.get(FOLDER)?.as_str()?.to_string();
    let key = match payload.get(KEY)? {
        Value::String(name) => Key::Name(name.clone()),
        Value::Array(number) => Key::Number(number.first()?.as_str()?.parse().ok()?),
        _ => return None,
    };
    Some(DocumentLabel { folder, key })
}

/// Conditions of a query: fields and the required value of each.
pub fn conditions(query: DocumentQuery) -> Vec<(&'static str, String)> {
    let folder = query.folder.into_iter().map(|folder| (FOLDER, folder));
    folder.chain(query.tags.into_iter().map(|tag| (TAGS, tag))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Expect, documents::document_id};

    #[test]
    fn documents_come_back_as_they_were() {
        for key in [Key::Number(0), Key::Number(u64::MAX), "7".into(), "任务".into()] {
            let write = DocumentWrite::new("jobs", "", "{\"a\":1}".into(), Expect::Any).tagged("state/done");
            let write = DocumentWrite { key: key.clone(), ..write };
            let want = Document {
                folder: "jobs".into(),
                key,
                version: 7,
                tags: vec!["state/done".into()],
                text: "{\"a\":1}".into(),
            };
            let read = |write: DocumentWrite| {
                let mut payload = row(write, 7).payload;
                let read = document(want.id(), payload.clone()).unwrap();
                assert!(read.checked);
                payload.insert(TEXT.to_string(), "{}".into());
                assert_eq!(document(want.id(), payload).unwrap_err().reason, "内容与校验和不符");
                read.row
            };
            assert_eq!(read(write.clone()), want.clone());
            let bare = DocumentWrite { tags: Vec::new(), ..write };
            assert_eq!(read(bare), Document { tags: Vec::new(), ..want.clone() });
        }
    }

    #[test]
    fn what_is_no_document_is_told() {
        for field in [FOLDER, KEY, REVISION, TEXT] {
            let mut payload = row(DocumentWrite::new("jobs", 1, String::new(), Expect::Any), 1).payload;
            payload.remove(field);
            assert!(document(document_id("jobs", &Key::Number(1)), payload.clone()).is_err(), "{field}");
            payload.remove(row_sum::SUM);
            assert!(document(document_id("jobs", &Key::Number(1)), payload).is_err(), "{field} without a checksum");
        }
    }
}
