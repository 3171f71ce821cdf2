//! Searches and what they find.

use futures::future::BoxFuture;

use super::{
    IndexError, PointId, Result,
    point::{check_dense, check_sparse},
};
use duijie_core::{
    domain::{Filter, Kind},
    text::SparseVector,
};

/// Most candidates of one source that a search may ask for: above it every engine slows down more than it finds.
pub const MAX_DEPTH: usize = 10_000;

/// Looks for the nearest embeddings, for shared terms, or for both, each with its own list.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Embedding to be near to.
    pub dense: Option<Vec<f32>>,
    /// Terms to share; their weights are multiplied with the engine's idf.
    pub sparse: Option<SparseVector>,
    /// Conditions that every candidate meets.
    pub filter: Filter,
    /// Most candidates of each source, 1 to [`MAX_DEPTH`].
    pub depth: usize,
    /// Points to leave out: the record that is the query, and who is to be avoided.
    pub exclude: Vec<PointId>,
    /// Only these points, 1 to [`MAX_DEPTH`]; `None`: all.
    pub within: Option<Vec<PointId>>,
}

/// Candidates of each source, best first; a source that was not asked has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidates {
    /// By embedding; the score is the cosine, -1 to 1.
    pub dense: Vec<Hit>,
    /// By shared terms; the score is the sum of idf · query weight · stored weight, above 0.
    pub sparse: Vec<Hit>,
}

/// One candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Which point.
    pub id: PointId,
    /// Score of the source.
    pub score: f32,
}

/// Finding records: the nearest embeddings, and those that share terms.
pub trait Retrieval: Send + Sync + 'static {
    /// Finds candidates; each source says its own.
    ///
    /// # Errors
    /// [`IndexError::BadSearch`], and those of the engine.
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>>;

    /// Cosines of some points, 1 to [`MAX_DEPTH`] of them, best first: of candidates that only shared terms have found.
    ///
    /// # Errors
    /// As [`Retrieval::search`].
    fn cosines(&self, kind: Kind, dense: &[f32], ids: &[PointId]) -> BoxFuture<'_, Result<Vec<Hit>>>;
}

// === impl Search ===

impl Search {
    /// Checks depth and vectors.
    ///
    /// # Errors
    /// [`IndexError::BadSearch`].
    pub fn check(&self, dimensions: usize) -> Result<()> {
        let depth = (1..=MAX_DEPTH).contains(&self.depth);
        let depth =
            if depth { Ok(()) } else { Err(format!("候选数为 {}，应在 1 到 {MAX_DEPTH} 之间", self.depth)) };
        let within = self.within.as_ref().is_none_or(|within| (1..=MAX_DEPTH).contains(&within.len()));
        let within = if within { Ok(()) } else { Err(format!("限定的记录数应在 1 到 {MAX_DEPTH} 之间")) };
        let dense = self.dense.as_deref().map_or(Ok(()), |dense| check_dense(dense, dimensions));
        let sparse = self.sparse.as_ref().map_or(Ok(()), check_sparse);
        depth.and(within).and(dense).and(sparse).map_err(|reason| IndexError::BadSearch { reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_at_the_edges() {
        let check = |depth: usize, dense: Option<Vec<f32>>, want: bool| {
            let search = Search { dense, depth, ..Search::default() };
            assert_eq!(search.check(2).is_ok(), want, "{search:?}");
        };
        check(0, None, false);
        check(1, None, true);
        check(MAX_DEPTH, Some(vec![1.0, 0.0]), true);
        check(MAX_DEPTH + 1, None, false);
        check(1, Some(vec![1.0]), false);
        check(1, Some(vec![1.0, f32::NAN]), false);
        let within = |count| {
            let within = vec![PointId::from(uuid::Uuid::nil()); count];
            Search { within: Some(within), depth: 1, ..Search::default() }.check(2).is_ok()
        };
        assert_eq!([0, 1, MAX_DEPTH, MAX_DEPTH + 1].map(within), [false, true, true, false]);
    }
}
