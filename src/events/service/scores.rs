//! Scores and levels of candidate pairs, from matching.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{
    FutureExt,
    stream::{self, StreamExt, TryStreamExt},
};

use crate::{
    error::{Error, Result},
    events::model::Pair,
    matching::{Matcher, Scored},
};
use duijie_core::domain::{Kind, RecordName, hit::Level};

/// Maximum candidate pairs of an event, so that the optimisation takes seconds only. Each demand gets the same number,
/// best first.
pub(super) const MAX_PAIRS: usize = 100_000;
/// Demands scored concurrently.
const AT_ONCE: usize = 4;

/// A candidate pair.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// The pair.
    pub pair: Pair,
    /// Score, 0 to 1.
    pub score: f64,
    /// Level, if known.
    pub level: Option<Level>,
    /// Rank among all counterparts of the demand, from 1; 0 without a score.
    pub rank: u32,
}

/// The counterparts of each demand, best first.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates {
    /// Candidates, ordered by demand and rank.
    pub all: Vec<Candidate>,
    /// Maximum candidates per demand.
    pub per_demand: usize,
}

/// Scores all counterparts for each demand and keeps the best of each, plus the pairs of `always`. A deleted demand has
/// no scores.
pub(super) async fn candidates(
    matcher: &Matcher,
    demands: &[RecordName],
    counterparts: &[RecordName],
    always: &BTreeSet<Pair>,
) -> Result<Candidates> {
    let per_demand = (MAX_PAIRS / demands.len().max(1)).max(1).min(counterparts.len().max(1));
    let of_kind = |kind| counterparts.iter().filter(|it| it.kind == kind).cloned().collect::<Vec<_>>();
    let groups = Arc::new([of_kind(Kind::Achievement), of_kind(Kind::Expert)]);
    // owned and boxed, so that the compiler can prove `Send`
    let scored = demands.iter().map(|demand| scored(matcher.clone(), demand.clone(), groups.clone()).boxed());
    let mut scored = stream::iter(scored.collect::<Vec<_>>()).buffered(AT_ONCE);
    let mut found = Candidates { all: Vec::new(), per_demand };
    for demand in demands {
        let Some(of_demand) = scored.try_next().await? else { break };
        found.take(demand, of_demand, always);
    }
    Ok(found)
}

/// Returns all counterparts of a demand, best first.
async fn scored(matcher: Matcher, demand: RecordName, groups: Arc<[Vec<RecordName>; 2]>) -> Result<Vec<Scored>> {
    let mut all = Vec::new();
    for group in groups.iter() {
        match matcher.score(&demand, group).await {
            Ok(some) => all.extend(some),
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    all.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.name.cmp(&other.name)));
    Ok(all)
}

// === impl Candidates ===

impl Candidates {
    fn take(&mut self, demand: &RecordName, scored: Vec<Scored>, always: &BTreeSet<Pair>) {
        let mut missing: BTreeSet<&Pair> = always.iter().filter(|pair| pair.demand == *demand).collect();
        for (place, scored) in scored.into_iter().enumerate() {
            let pair = Pair::new(demand.clone(), scored.name);
            if self.per_demand <= place && !missing.contains(&pair) {
                continue;
            }
            missing.remove(&pair);
            let rank = u32::try_from(place + 1).unwrap_or(u32::MAX);
            self.all.push(Candidate { pair, score: scored.score, level: scored.level, rank });
        }
        let unscored =
            missing.into_iter().map(|pair| Candidate { pair: pair.clone(), score: 0.0, level: None, rank: 0 });
        self.all.extend(unscored);
    }

    /// Returns the candidates by pair.
    pub fn by_pair(&self) -> BTreeMap<&Pair, &Candidate> {
        self.all.iter().map(|it| (&it.pair, it)).collect()
    }
}
