//! Scores given records for a stored one, with the same scores and levels as a match.

use std::{collections::BTreeMap, sync::Arc};

use super::{Matcher, Prepared, Query, passes::published, were_graded};
use crate::error::Result;
use duijie_core::domain::{Filter, Kind, RecordName, hit::Level};
use duijie_cpu::Lane;
use duijie_store::{Candidates, PointId, Search};

/// A scored record.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Name of the record.
    pub name: RecordName,
    /// Final score, 0 to 1.
    pub score: f64,
    /// Level, as people would grade it; `None` if levels are not known for such pairs.
    pub level: Option<Level>,
}

// === impl Matcher ===

impl Matcher {
    /// Scores records of one kind, at most [`MAX_DEPTH`](duijie_store::MAX_DEPTH), for a stored record. Best first,
    /// ties by name. Records that are not stored are left out; unpublished ones are scored too.
    ///
    /// # Errors
    /// As [`Matcher::find`].
    pub async fn score(&self, query: &RecordName, records: &[RecordName]) -> Result<Vec<Scored>> {
        let Some(target) = records.first().map(|record| record.kind) else { return Ok(Vec::new()) };
        let stored = Query::Stored(query.clone());
        let prepared = self.prepare(&stored, target).await?;
        let owned = records.to_vec();
        // thousands of them take milliseconds
        let by_id = move || -> BTreeMap<PointId, RecordName> {
            owned.into_iter().map(|name| (PointId::of(&name), name)).collect()
        };
        let mut names = duijie_cpu::run(Lane::Bulk, by_id).await?;
        let ids: Vec<PointId> = names.keys().copied().collect();
        let (expanded, context) = if self.settings.feedback == 0 {
            (prepared.dense.clone(), None)
        } else {
            let (first, _) = self.first_pass(&prepared, target, &published().into(), 1).await?;
            let (context, expanded) = self.feedback(&prepared, target, &first).await?;
            (expanded, Some(context))
        };
        let candidates = self.score_candidates(&prepared, &expanded, &ids, target).await?;
        let order = self.join(target, &expanded, &candidates, ids.len()).await?;
        let everybody = Filter::default().into();
        let order = self.with_works(&prepared, &expanded, order, target, &everybody).await?.order;
        let graded = context.filter(|_| were_graded(&stored, target));
        let calibration = Arc::clone(&self.settings.calibration);
        let rank = move || {
            let level = |score| graded.map(|context| calibration.relevance(score, context).level);
            let scored = order.into_iter().filter_map(|fused| {
                let name = names.remove(&fused.id)?;
                Some(Scored { name, score: fused.score, level: level(fused.score) })
            });
            let mut scored: Vec<Scored> = scored.collect();
            scored.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.name.cmp(&other.name)));
            scored
        };
        Ok(duijie_cpu::run(Lane::Bulk, rank).await?)
    }

    /// Scores of all these points from both sources.
    pub(super) async fn score_candidates(
        &self,
        query: &Prepared,
        expanded: &[f32],
        ids: &[PointId],
        target: Kind,
    ) -> Result<Candidates> {
        let terms = Search { within: Some(ids.to_vec()), ..query.terms(Filter::default(), ids.len()) };
        let sparse = async {
            match &terms.sparse {
                Some(_) => Ok(self.index.search(target, terms).await?.sparse),
                None => Ok(Vec::new()),
            }
        };
        let (dense, sparse) = futures::try_join!(self.index.cosines(target, expanded, ids), sparse)?;
        Ok(Candidates { dense, sparse })
    }
}
