//! One ONNX session: prefixed texts in, unit vectors out, one call at a time.

use super::{EmbedError, Model, vector::checked_unit, worker::Encode};
use fastembed::TextEmbedding;
use tokenizers::Tokenizer;

/// Text that tests whether a session works. Its vector is not used.
const PROBE: &str = "对接";

/// A session with one thread of its own.
pub struct Session {
    embedding: TextEmbedding,
    dimensions: usize,
}

// === impl Session ===

impl Session {
    /// Opens a session and embeds one text, which also warms it up.
    ///
    /// # Errors
    /// [`EmbedError::Session`] when ONNX Runtime rejects the model, or when the output is not a unit vector.
    pub fn open(model: &Model) -> Result<Self, EmbedError> {
        let mut session = Self { embedding: model.open_embedding()?, dimensions: 0 };
        let error = |detail: String| EmbedError::Session { name: model.name().to_string(), detail };
        let vectors = session.embed(&[PROBE]).map_err(|e| error(e.to_string()))?;
        session.dimensions = vectors.first().map_or(0, Vec::len);
        Ok(session)
    }

    /// Length of a vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Most tokens of a text; what is beyond is cut off without a word, so texts come here as windows.
    pub(crate) fn max_tokens(&self) -> usize {
        self.embedding.tokenizer.get_truncation().map_or(0, |truncation| truncation.max_length)
    }

    /// The tokeniser, as configured by fastembed.
    pub(super) fn tokenizer(&self) -> Tokenizer {
        self.embedding.tokenizer.clone()
    }

    /// Embeds texts that already have their prefix, in one batch.
    ///
    /// # Errors
    /// [`EmbedError::Failed`] when the model fails, or when a vector is not of unit length.
    pub fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |detail: String| EmbedError::Failed { detail };
        let vectors = self.embedding.embed(texts, Some(texts.len())).map_err(|e| failed(e.to_string()))?;
        if vectors.len() != texts.len() {
            return Err(failed(format!("{} vectors for {} texts", vectors.len(), texts.len())));
        }
        vectors.into_iter().map(checked_unit).collect()
    }
}

// === impl Encode for Session ===

impl Encode for Session {
    fn encode(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.embed(texts)
    }

    fn probe(&mut self) -> bool {
        self.embed(&[PROBE]).is_ok()
    }
}
