//! Layout of a document in an engine: the same on every engine, without vectors.

use serde_json::{Map, Value, json};

use super::{
    Document, DocumentQuery, DocumentWrite, Key,
    payload::{REVISION, StoredRow},
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

/// Reads a document back.
///
/// # Errors
/// When the payload is not one of our documents.
pub fn document(mut payload: Map<String, Value>) -> Result<Document, String> {
    let missing = |field: &str| format!("payload has no {field}");
    let DocumentLabel { folder, key } = label(&payload).ok_or_else(|| missing(KEY))?;
    let version = payload.get(REVISION).and_then(Value::as_u64).ok_or_else(|| missing(REVISION))?;
    let Some(Value::String(text)) = payload.remove(TEXT) else { return Err(missing(TEXT)) };
    let tags = match payload.remove(TAGS) {
        Some(Value::Array(tags)) => tags.into_iter().filter_map(|tag| Some(tag.as_str()?.to_string())).collect(),
        _ => Vec::new(),
    };
    Ok(Document { folder, key, version, tags, text })
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
    use crate::Expect;

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
            assert_eq!(document(row(write.clone(), 7).payload), Ok(want.clone()));
            let bare = DocumentWrite { tags: Vec::new(), ..write };
            assert_eq!(document(row(bare, 7).payload), Ok(Document { tags: Vec::new(), ..want }));
        }
    }

    #[test]
    fn what_is_no_document_is_told() {
        for field in [FOLDER, KEY, REVISION, TEXT] {
            let mut payload = row(DocumentWrite::new("jobs", 1, String::new(), Expect::Any), 1).payload;
            payload.remove(field);
            assert!(document(payload).is_err(), "{field}");
        }
    }
}
