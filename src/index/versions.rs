//! Versions of everything that decides what a store holds.

use serde::{Deserialize, Serialize};

/// Versions that a store was built by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreVersions {
    /// Layout of folder, payload and ids.
    pub format: u32,
    /// Text pipeline, which decides the terms of the sparse vectors.
    pub text: String,
    /// Name and version of the model, which decides the embeddings.
    pub model: String,
}

// === impl StoreVersions ===

impl StoreVersions {
    /// What differs between a store and the program that opens it, each with the dimensions of its embeddings; empty where
    /// they fit.
    pub(super) fn difference(
        (stored, stored_dimensions): (&Self, usize),
        (wanted, dimensions): (&Self, usize),
    ) -> String {
        let rows = [
            ("格式", stored.format.to_string(), wanted.format.to_string()),
            ("文本处理", stored.text.clone(), wanted.text.clone()),
            ("模型", stored.model.clone(), wanted.model.clone()),
            ("维数", stored_dimensions.to_string(), dimensions.to_string()),
        ];
        let differing = rows.into_iter().filter(|(_, stored, wanted)| stored != wanted);
        let said: Vec<String> =
            differing.map(|(name, stored, wanted)| format!("{name}：库中为 {stored}，当前为 {wanted}")).collect();
        said.join("；")
    }
}
