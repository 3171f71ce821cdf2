//! The two passes of a query: the first covers everything published and gives the feedback; the second gives the
//! answer.
//!
//! ```text
//! query q ──┬─ dense q, terms ──► fuse ──► ten best ──► q' ──► dense q' ─┬─► fuse ──► order
//!           └─ terms under the filter ───────────────────────────────────┘
//! ```
//!
//! The first pass uses neither the filter nor the page, so a record's score depends on neither. If the first pass's
//! term search also serves the second pass, it is not repeated; otherwise both searches run at the same time. `works`
//! adds the experts' achievements to the ranking at the end.

use std::collections::HashMap;

use super::{Matcher, Prepared, Wanted, works::RankedWithWorks};
use crate::error::Result;
use duijie_core::{
    domain::{Filter, Kind, codes::Status, hit::Works},
    rank::{Candidate, Context, FeedbackRecord, Fused, expanded, fuse, needs_rescoring},
};
use duijie_cpu::Lane;
use duijie_store::{Candidates, Hit, PointId, Search, VectorSelection};

/// Minimum depth of the first pass: its ten best must be those of the whole catalogue.
const FIRST_DEPTH: usize = 100;

/// Candidates whose fusion takes about half a millisecond.
const LONG: usize = 1_000;

/// The whole ranking of a query, with its inputs.
#[derive(Debug, Clone)]
pub struct Order {
    /// Matches, best first.
    pub order: Vec<Fused<PointId>>,
    /// Contributions of the experts' achievements; empty for other kinds.
    pub works: HashMap<PointId, Works>,
    /// Statistics of the first pass; `None` if there was only one pass.
    pub context: Option<Context>,
    /// Query vector of the first pass.
    pub query: Vec<f32>,
    /// Expanded query: the query vector of the second pass.
    pub expanded: Vec<f32>,
}

/// Default conditions: published records.
pub(super) fn published() -> Filter {
    Filter { statuses: vec![Status::Active], ..Filter::default() }
}

// === impl Matcher ===

impl Matcher {
    /// Ranks at least the first `depth` matches.
    pub(super) async fn order(&self, query: &Prepared, target: Kind, wanted: Wanted, depth: usize) -> Result<Order> {
        let wide = depth.max(self.settings.candidates);
        if self.settings.feedback == 0 {
            let search = Search { dense: Some(query.dense.clone()), ..query.wanted(&wanted, wide) };
            let found = self.index.search(target, search).await?;
            let order = self.join(target, &query.dense, &found, depth).await?;
            let RankedWithWorks { order, works } = self.with_works(query, &query.dense, order, target, &wanted).await?;
            let (query, expanded) = (query.dense.clone(), query.dense.clone());
            return Ok(Order { order, works, context: None, query, expanded });
        }
        let (first, terms) = self.first_pass(query, target, &wanted, wide).await?;
        let (context, expanded) = self.feedback(query, target, &first).await?;
        let nearest = Search { dense: Some(expanded.clone()), sparse: None, ..query.wanted(&wanted, wide) };
        let Candidates { dense, .. } = self.index.search(target, nearest).await?;
        let sparse = terms.unwrap_or(first.sparse);
        let order = self.join(target, &expanded, &Candidates { dense, sparse }, depth).await?;
        let RankedWithWorks { order, works } = self.with_works(query, &expanded, order, target, &wanted).await?;
        Ok(Order { order, works, context: Some(context), query: query.dense.clone(), expanded })
    }

    /// Candidates among everything published, and separately those of the terms under the filter if they differ.
    pub(super) async fn first_pass(
        &self,
        query: &Prepared,
        target: Kind,
        wanted: &Wanted,
        wide: usize,
    ) -> Result<(Candidates, Option<Vec<Hit>>)> {
        let depth = self.settings.candidates.max(FIRST_DEPTH);
        let all = Search { dense: Some(query.dense.clone()), ..query.terms(published(), depth) };
        let filtered = query.wanted(wanted, wide);
        let narrow = wanted.filter != published() || !wanted.avoid.is_empty();
        let others = (narrow || depth < wide) && filtered.sparse.is_some();
        let terms =
            async { if others { Ok(Some(self.index.search(target, filtered).await?.sparse)) } else { Ok(None) } };
        let first = self.index.search(target, all);
        Ok(futures::try_join!(first, terms)?)
    }

    /// Pseudo-relevance feedback: the context and the expanded query from the first pass's best records.
    pub(super) async fn feedback(
        &self,
        query: &Prepared,
        target: Kind,
        first: &Candidates,
    ) -> Result<(Context, Vec<f32>)> {
        let count = self.settings.feedback;
        let mut best = self.join(target, &query.dense, first, count).await?;
        best.truncate(count);
        let ids: Vec<PointId> = best.iter().map(|fused| fused.id).collect();
        let vectors = match ids.as_slice() {
            [] => Vec::new(),
            ids => self.index.vectors(target, ids, VectorSelection::Dense).await?,
        };
        // a record deleted since the search gives no feedback
        let records = best.iter().zip(&vectors).filter_map(|(fused, vectors)| {
            Some(FeedbackRecord { score: fused.score, vector: &vectors.as_ref()?.dense })
        });
        let records: Vec<_> = records.collect();
        Ok((Context::of(&best), expanded(&query.dense, &records)))
    }

    /// Joins both lists into one ranking, exact for the first `wanted`.
    pub(super) async fn join(
        &self,
        target: Kind,
        query: &[f32],
        candidates: &Candidates,
        wanted: usize,
    ) -> Result<Vec<Fused<PointId>>> {
        let (dense, sparse, fusion) = (candidates.dense.clone(), candidates.sparse.clone(), self.settings.fusion);
        let is_long = LONG < dense.len() + sparse.len();
        let first = move || {
            let (dense, sparse) = (scored(&dense), scored(&sparse));
            let order = fuse(&dense, &[], &sparse, &fusion);
            let needs_rescoring = needs_rescoring(&order, &dense, wanted, &fusion);
            (dense, sparse, order, needs_rescoring)
        };
        let (dense, sparse, order, needs_rescoring) = apart(is_long, first).await?;
        if needs_rescoring.is_empty() {
            return Ok(order);
        }
        let cosines = self.index.cosines(target, query, &needs_rescoring).await?;
        apart(is_long, move || fuse(&dense, &scored(&cosines), &sparse, &fusion)).await
    }
}

// === impl Prepared ===

impl Prepared {
    /// A search by terms only.
    pub(super) fn terms(&self, filter: Filter, depth: usize) -> Search {
        let sparse = Some(self.lexical.sparse()).filter(|sparse| !sparse.indices.is_empty());
        Search { dense: None, sparse, filter, depth, exclude: self.exclude.into_iter().collect(), within: None }
    }

    /// The same search, limited to the wanted matches.
    fn wanted(&self, wanted: &Wanted, depth: usize) -> Search {
        let mut search = self.terms(wanted.filter.clone(), depth);
        search.exclude.extend(&wanted.avoid);
        search
    }
}

/// Runs long work outside the async threads; short work is done sooner than handed over.
async fn apart<T: Send + 'static>(is_long: bool, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    if is_long { Ok(duijie_cpu::run(Lane::Interactive, work).await?) } else { Ok(work()) }
}

fn scored(hits: &[Hit]) -> Vec<Candidate<PointId>> {
    hits.iter().map(|hit| Candidate { id: hit.id, score: hit.score }).collect()
}
