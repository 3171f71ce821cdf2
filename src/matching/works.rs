//! Experts by their achievements: an expert's own text names the subjects, and the achievements show the work done.
//!
//! ```text
//! query ─► experts by text (two passes) ──────────────────────────────┐
//!       └► achievements (one pass) ─► experts who took part in the best ─► 0.8 text + 0.2 best achievement
//! ```
//!
//! The share is the same for every expert, so the order of experts without achievements does not change. It was not
//! tuned: no graded pairs of demands and experts are known. `docs/relevance.md` shows its effect on the samples.

use std::collections::{HashMap, HashSet};

use super::{Matcher, Prepared, Wanted, passes::published};
use crate::error::Result;
use duijie_core::{
    domain::{
        Filter, Kind, Record, RecordName,
        hit::{SourceScore, Works},
    },
    rank::Fused,
};
use duijie_store::{FieldSelection, PageRequest, PointId, Search};

/// Share of an expert's best achievement in the score.
const WORKS_SHARE: f64 = 0.2;
/// Number of achievements whose experts are looked up: as many as a filter takes.
const ACHIEVEMENTS: usize = 50;
/// Most experts of these achievements.
const EXPERTS: usize = 500;

/// An achievement with its score for a query.
#[derive(Debug, Clone)]
struct ScoredAchievement {
    name: RecordName,
    score: f64,
}

/// A ranking, and what the experts' achievements add to it.
pub(super) struct RankedWithWorks {
    pub(super) order: Vec<Fused<PointId>>,
    pub(super) works: HashMap<PointId, Works>,
}

// === impl Matcher ===

impl Matcher {
    /// Adds the experts' achievements to a ranking of experts, including experts found only by an achievement. A
    /// ranking of another kind, or of experts for an expert, stays unchanged.
    pub(super) async fn with_works(
        &self,
        query: &Prepared,
        expanded: &[f32],
        order: Vec<Fused<PointId>>,
        target: Kind,
        wanted: &Wanted,
    ) -> Result<RankedWithWorks> {
        // experts similar to an expert are ranked by both texts, not by one achievement
        if target != Kind::Expert || query.exclude.is_some() {
            return Ok(RankedWithWorks { order, works: HashMap::new() });
        }
        let best = self.best_achievements(query).await?;
        let experts = self.experts_of(&best, query, wanted).await?;
        let works: HashMap<PointId, Works> =
            experts.iter().filter_map(|expert| Some((PointId::of(&expert.name()), best_of(expert, &best)?))).collect();
        let there: HashSet<PointId> = order.iter().map(|fused| fused.id).collect();
        let mut missing: Vec<PointId> = works.keys().filter(|id| !there.contains(id)).copied().collect();
        missing.sort_unstable();
        let mut all = order;
        if !missing.is_empty() {
            let found = self.score_candidates(query, expanded, &missing, target).await?;
            all.extend(self.join(target, expanded, &found, missing.len()).await?.into_iter().map(unranked));
        }
        all.iter_mut().for_each(|fused| weigh(fused, works.get(&fused.id)));
        all.sort_unstable_by(|one, other| other.score.total_cmp(&one.score).then(one.id.cmp(&other.id)));
        Ok(RankedWithWorks { order: all, works })
    }

    /// The achievements that match the query best, with their scores.
    async fn best_achievements(&self, query: &Prepared) -> Result<Vec<ScoredAchievement>> {
        let depth = self.settings.candidates.max(ACHIEVEMENTS);
        let search = Search { dense: Some(query.dense.clone()), ..query.terms(published(), depth) };
        let found = self.index.search(Kind::Achievement, search).await?;
        let mut order = self.join(Kind::Achievement, &query.dense, &found, ACHIEVEMENTS).await?;
        order.truncate(ACHIEVEMENTS);
        let ids: Vec<PointId> = order.iter().map(|fused| fused.id).collect();
        let records = self.index.fetch(Kind::Achievement, &ids, FieldSelection::Payload).await?;
        let scored = order
            .iter()
            .zip(records)
            .filter_map(|(fused, point)| Some(ScoredAchievement { name: point?.record.name(), score: fused.score }));
        Ok(scored.collect())
    }

    /// Experts who took part in one of these achievements and meet the conditions.
    async fn experts_of(&self, best: &[ScoredAchievement], query: &Prepared, wanted: &Wanted) -> Result<Vec<Record>> {
        if best.is_empty() {
            return Ok(Vec::new());
        }
        let mut achievements: Vec<RecordName> = best.iter().map(|one| one.name.clone()).collect();
        if !wanted.filter.achievements.is_empty() {
            achievements.retain(|name| wanted.filter.achievements.contains(name));
        }
        if achievements.is_empty() {
            return Ok(Vec::new());
        }
        let filter = Filter { achievements, ..wanted.filter.clone() };
        let page = PageRequest { after: None, limit: EXPERTS, with: FieldSelection::Payload };
        let found = self.index.scroll(Kind::Expert, &filter, page).await?;
        let avoided = |id: PointId| query.exclude == Some(id) || wanted.avoid.contains(&id);
        let records = found.points.into_iter().map(|point| point.record);
        Ok(records.filter(|record| !avoided(PointId::of(&record.name()))).collect())
    }
}

/// An expert's best achievement.
fn best_of(expert: &Record, best: &[ScoredAchievement]) -> Option<Works> {
    let place = expert.achievements().filter_map(|name| best.iter().position(|other| other.name == name)).min()?;
    let ScoredAchievement { name, score } = best.get(place)?;
    #[expect(clippy::cast_possible_truncation, reason = "a score of 0 to 1")]
    let said = *score as f32;
    let score = SourceScore { score: Some(said), rank: place + 1, contribution: WORKS_SHARE * score };
    Some(Works { best: name.clone(), score })
}

/// Scales the parts of an expert's score to their shares.
fn weigh(fused: &mut Fused<PointId>, works: Option<&Works>) {
    fused.dense.contribution *= 1.0 - WORKS_SHARE;
    fused.sparse.contribution *= 1.0 - WORKS_SHARE;
    let works = works.map_or(0.0, |works| works.score.contribution);
    fused.score = fused.dense.contribution + fused.sparse.contribution + works;
}

/// Clears the ranks of an expert that was not among the candidates of the sources.
fn unranked(mut fused: Fused<PointId>) -> Fused<PointId> {
    (fused.dense.rank, fused.sparse.rank) = (0, 0);
    fused
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Detail, record::Expert};
    use duijie_core::rank::{Candidate, Fusion, fuse};

    fn expert(achievements: &[&str]) -> Record {
        let achievement_ids = achievements.iter().map(ToString::to_string).collect();
        Record::new("local", "e-1", "某人", Detail::Expert(Expert { achievement_ids, ..Expert::default() }))
    }

    #[test]
    fn the_best_of_an_experts_achievements_counts() {
        let best: Vec<ScoredAchievement> = ["achievements/a-1", "achievements/tianjin/a-2", "achievements/a-3"]
            .map(|it| it.parse().unwrap())
            .into_iter()
            .zip([0.75, 0.5, 0.25])
            .map(|(name, score)| ScoredAchievement { name, score })
            .collect();
        let check = |achievements: &[&str], want: Option<(&str, usize)>| {
            let found = best_of(&expert(achievements), &best);
            let found = found.as_ref().map(|works| (works.best.id.as_str(), works.score.rank));
            assert_eq!(found, want, "{achievements:?}");
        };
        check(&[], None);
        check(&["a-9"], None);
        // the same id in another source
        check(&["a-2"], None);
        check(&["a-3"], Some(("a-3", 3)));
        check(&["a-3", "a-9", "a-1"], Some(("a-1", 1)));
    }

    #[test]
    fn parts_still_sum_up() {
        let fusion = Fusion { dense_weight: 0.75, cosine_floor: 0.0, bm25_saturation: 25.0 };
        let id = PointId::from(uuid::Uuid::nil());
        let candidate = |score| [Candidate { id, score }];
        let mut fused = fuse(&candidate(0.8), &[], &candidate(25.0), &fusion).remove(0);
        let text = fused.score;
        let best = ScoredAchievement { name: "achievements/a-1".parse().unwrap(), score: 0.5 };
        let works = best_of(&expert(&["a-1"]), &[best]);
        weigh(&mut fused, works.as_ref());
        let sum = fused.dense.contribution + fused.sparse.contribution + 0.1;
        assert!((fused.score - sum).abs() < 1e-12 && (fused.score - (0.8 * text + 0.1)).abs() < 1e-12, "{fused:?}");
    }
}
