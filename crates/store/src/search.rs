//! Searches and their results.

use futures::future::BoxFuture;

use super::{
    IndexError, PointId, Result,
    point::{check_dense, check_sparse},
};
use duijie_core::{
    domain::{Filter, Kind},
    text::SparseVector,
};

/// Most candidates per source; beyond this, engines lose more speed than recall is gained.
pub const MAX_DEPTH: usize = 10_000;

/// Search by nearest embedding, by shared terms, or by both; each source has its own list.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Query embedding.
    pub dense: Option<Vec<f32>>,
    /// Query terms; the engine multiplies their weights by its idf.
    pub sparse: Option<SparseVector>,
    /// Filter that every candidate meets.
    pub filter: Filter,
    /// Most candidates per source, 1 to [`MAX_DEPTH`].
    pub depth: usize,
    /// Points to exclude: the querying record itself and excluded records.
    pub exclude: Vec<PointId>,
    /// Restricts the search to these points, 1 to [`MAX_DEPTH`]; `None` for all points.
    pub within: Option<Vec<PointId>>,
}

/// Candidates of each source, best first; empty for a source not in the search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidates {
    /// By embedding; the score is the cosine, -1 to 1.
    pub dense: Vec<Hit>,
    /// By shared terms; the score is the sum of idf · query weight · stored weight, above 0.
    pub sparse: Vec<Hit>,
}

/// Searches of an engine; `None` for a source that is not asked.
#[derive(Debug)]
pub(crate) struct SourceSearches<T> {
    pub dense: Option<T>,
    pub sparse: Option<T>,
}

/// One candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Id of the point.
    pub id: PointId,
    /// Score by its source.
    pub score: f32,
}

/// Finding records: the nearest embeddings, and those that share terms.
pub trait Retrieval: Send + Sync + 'static {
    /// Finds candidates, one list per source.
    ///
    /// # Errors
    /// [`IndexError::BadSearch`], and those of the engine.
    fn search(&self, kind: Kind, search: Search) -> BoxFuture<'_, Result<Candidates>>;

    /// Cosines of 1 to [`MAX_DEPTH`] points, best first; for candidates found only by shared terms.
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
