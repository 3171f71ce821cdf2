//! Versions and dimensions that the contents of a store depend on.

use serde::{Deserialize, Serialize};

/// Versions that determine the contents of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreVersions {
    /// Layout of folder, payload and ids.
    pub format: u32,
    /// Text pipeline; determines the terms of the sparse vectors.
    pub text: String,
    /// Name and version of the model; determines the embeddings.
    pub model: String,
}

/// Must be equal for a program to work on a store, and for points to be copied unchanged between two stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreShape {
    /// Versions that the store was built with.
    #[serde(flatten)]
    pub versions: StoreVersions,
    /// Dimensions of the embeddings.
    pub dimensions: usize,
}

/// A value in which two shapes differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShapeDifference {
    /// Name of the value, in Chinese.
    pub name: &'static str,
    /// Value of the one shape.
    pub here: String,
    /// Value of the other one.
    pub there: String,
}

// === impl StoreShape ===

impl StoreShape {
    /// All values in which two shapes differ.
    pub(crate) fn differences(&self, other: &Self) -> Vec<ShapeDifference> {
        let rows = [
            ("格式", self.versions.format.to_string(), other.versions.format.to_string()),
            ("文本处理", self.versions.text.clone(), other.versions.text.clone()),
            ("模型", self.versions.model.clone(), other.versions.model.clone()),
            ("维数", self.dimensions.to_string(), other.dimensions.to_string()),
        ];
        let rows = rows.into_iter().filter(|(_, here, there)| here != there);
        rows.map(|(name, here, there)| ShapeDifference { name, here, there }).collect()
    }

    /// Differences between this store and the program that opens it, as text; empty if they match.
    pub(super) fn misfit(&self, program: &Self) -> String {
        let said = |ShapeDifference { name, here, there }| format!("{name}：库中为 {here}，当前为 {there}");
        self.differences(program).into_iter().map(said).collect::<Vec<_>>().join("；")
    }
}
