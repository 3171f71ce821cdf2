//! A twin of the embedder without a model: deterministic, in microseconds, for tests of what stands on vectors.

use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};

use super::{
    Embed, EmbedError, EmbeddingTexts, Priority,
    pool::HEAD_SHARE,
    vector::{WeightedVector, weighted_unit},
};

/// Hashes the pairs of neighbouring characters of a text into the components of a unit vector: the same text gives the
/// same vector, and the more pairs two texts share, the closer they are. It knows nothing of meaning.
#[derive(Debug, Clone, Copy)]
pub struct BigramEmbedder {
    dimensions: usize,
}

// === impl BigramEmbedder ===

impl BigramEmbedder {
    /// An embedder of vectors of this length, at least 1. Texts without a shared pair have a cosine near 0 where this is
    /// much more than the number of their pairs.
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions: dimensions.max(1) }
    }

    fn vector(self, record: &EmbeddingTexts) -> Result<Vec<f32>, EmbedError> {
        let head = WeightedVector { vector: self.bigrams(&record.head)?, weight: HEAD_SHARE };
        let weighted = |whole: &String| Ok(WeightedVector { vector: self.bigrams(whole)?, weight: 1.0 - HEAD_SHARE });
        let whole = record.whole.as_ref().map(weighted);
        weighted_unit(&[Ok(head)].into_iter().chain(whole).collect::<Result<Vec<_>, EmbedError>>()?)
    }

    fn bigrams(self, text: &str) -> Result<Vec<f32>, EmbedError> {
        if text.trim().is_empty() {
            return Err(EmbedError::Blank { index: 0 });
        }
        let mut counts = vec![0.0_f32; self.dimensions];
        // a text of one character has a pair too
        for (first, second) in [' '].into_iter().chain(text.chars()).zip(text.chars()) {
            let place = hash([first, second]) % self.dimensions as u64;
            if let Some(count) = usize::try_from(place).ok().and_then(|place| counts.get_mut(place)) {
                *count += 1.0;
            }
        }
        let length = counts.iter().map(|count| count * count).sum::<f32>().sqrt();
        Ok(counts.into_iter().map(|count| count / length).collect())
    }
}

impl Embed for BigramEmbedder {
    fn record_vectors<'a>(
        &'a self,
        records: &'a [EmbeddingTexts],
        _: Priority,
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        ready(records.iter().map(|record| self.vector(record)).collect()).boxed()
    }
}

/// FNV-1a over the numbers of the characters.
fn hash(characters: [char; 2]) -> u64 {
    let bytes = characters.into_iter().flat_map(|character| u32::from(character).to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shared_characters_give_closeness() {
        let texts = |head: &str| EmbeddingTexts { head: head.into(), whole: Some(format!("{head}。用于薄板")) };
        let records = ["激光焊接薄板", "激光焊接厚板", "中药材快速检测", "激光焊接薄板"].map(texts);
        let embedder = BigramEmbedder::new(512);
        let vectors = embedder.record_vectors(&records, Priority::Bulk).await.unwrap();
        let cosine =
            |one: usize, other: usize| -> f32 { vectors[one].iter().zip(&vectors[other]).map(|(a, b)| a * b).sum() };
        assert!((cosine(0, 0) - 1.0).abs() < 1e-5);
        assert_eq!(vectors[0], vectors[3]);
        assert!(cosine(0, 2) + 0.3 < cosine(0, 1), "{} {}", cosine(0, 2), cosine(0, 1));
        let blank = [EmbeddingTexts { head: " ".into(), whole: None }];
        assert_eq!(embedder.record_vectors(&blank, Priority::Bulk).await, Err(EmbedError::Blank { index: 0 }));
    }
}
