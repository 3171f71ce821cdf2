//! Stand-ins for the two types of the text module that the index stores; replaced when the branches meet.

use serde::{Deserialize, Serialize};

/// Weights of terms by their number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SparseVector {
    /// Numbers of the terms, each once.
    pub indices: Vec<u32>,
    /// Weights, in the order of the numbers.
    pub values: Vec<f32>,
}

/// Terms of a text with what they weigh when the text is the query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LexicalQuery {
    /// Terms and weights.
    pub terms: Vec<(String, f32)>,
}
