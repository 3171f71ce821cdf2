//! What everything in a store depends on: versions and dimensions.

use serde::{Deserialize, Serialize};

/// Versions of everything that decides what a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreVersions {
    /// Layout of folder, payload and ids.
    pub format: u32,
    /// Text pipeline, which decides the terms of the sparse vectors.
    pub text: String,
    /// Name and version of the model, which decides the embeddings.
    pub model: String,
}

/// What two stores must have in common for points to go from one into the other as they are, and a store and a program
/// to work together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreShape {
    /// Versions that the store was built by.
    #[serde(flatten)]
    pub versions: StoreVersions,
    /// Dimensions of the embeddings.
    pub dimensions: usize,
}

// === impl StoreShape ===

impl StoreShape {
    /// What differs, in Chinese: name, value here, value there.
    pub fn difference(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let rows = [
            ("格式", self.versions.format.to_string(), other.versions.format.to_string()),
            ("文本处理", self.versions.text.clone(), other.versions.text.clone()),
            ("模型", self.versions.model.clone(), other.versions.model.clone()),
            ("维数", self.dimensions.to_string(), other.dimensions.to_string()),
        ];
        rows.into_iter().filter(|(_, here, there)| here != there).collect()
    }

    /// What differs between this store and the program that opens it, as a text; empty where they fit.
    pub(super) fn misfit(&self, program: &Self) -> String {
        let said = |(name, stored, wanted)| format!("{name}：库中为 {stored}，当前为 {wanted}");
        self.difference(program).into_iter().map(said).collect::<Vec<_>>().join("；")
    }
}
