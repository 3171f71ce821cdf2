//! A catalogue that is edited at random, with an incremental and a full job after each few edits.

use duijie::{
    matching::Settings,
    rematch::job::{JobRequest, Method},
};
use duijie_core::domain::{Filter, Kind, codes::Status, hit::Level};
use duijie_store::{FieldSelection, Index, PageRequest, Point};

use super::{Store, bare, changed, point, results, settings, store, with_status};
use crate::index::sample::Dice;

/// Jobs after the first one.
const ROUNDS: usize = 4;

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// Decides the records and the edits.
    pub seed: u64,
    /// Candidates of a source.
    pub candidates: usize,
    /// Records of the first pass.
    pub feedback: usize,
    /// Targets of a demand.
    pub limit: usize,
    /// Whether experts are matched as well.
    pub experts: bool,
    /// Whether only what is good enough is listed.
    pub strict: bool,
    /// How much there is.
    pub size: Size,
}

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Demands, achievements and experts at the beginning.
    pub counts: [usize; 3],
    /// Edits between two jobs.
    pub edits: usize,
}

pub async fn all(index: &dyn Index, kind: Kind) -> Vec<Point> {
    let page = PageRequest { after: None, limit: 1_000, with: FieldSelection::Everything };
    index.scroll(kind, &Filter::default(), page).await.unwrap().points
}

/// Stores so many records of each kind.
pub async fn fill(index: &dyn Index, counts: [usize; 3], dice: &mut Dice) {
    for (kind, count) in [Kind::Demand, Kind::Achievement, Kind::Expert].into_iter().zip(counts) {
        store(index, kind, count, dice).await;
    }
}

/// Edits one record.
async fn edit(index: &dyn Index, number: usize, dice: &mut Dice) {
    let kind = dice.pick(&[Kind::Demand, Kind::Demand, Kind::Achievement, Kind::Achievement, Kind::Expert]);
    let there = all(index, kind).await;
    let new = |dice: &mut Dice| changed(&point(kind, &format!("new-{number}"), dice).record, dice);
    if there.is_empty() {
        index.upsert(kind, vec![new(dice)]).await.unwrap();
        return;
    }
    let any = dice.pick(&there);
    let edited = match dice.below(5) {
        0 => {
            assert!(index.delete(&any.record.name()).await.unwrap());
            return;
        }
        1 => new(dice),
        2 => with_status(any, Status::Closed),
        3 => with_status(any, Status::Active),
        _ => changed(&any.record, dice),
    };
    index.upsert(kind, vec![edited]).await.unwrap();
}

// === impl Trial ===

impl Trial {
    pub fn settings(&self) -> Settings {
        Settings { candidates: self.candidates, feedback: self.feedback, ..settings() }
    }

    fn wish(&self) -> JobRequest {
        JobRequest {
            targets: if self.experts { vec![Kind::Achievement, Kind::Expert] } else { vec![Kind::Achievement] },
            limit: self.limit,
            min_level: self.strict.then_some(Level::Fair),
            min_score: if self.strict { 0.4 } else { 0.0 },
            ..JobRequest::default()
        }
    }

    /// Edits a store, and runs both jobs again and again. `between` is done before each few edits.
    pub async fn run(&self, it: &Store, between: impl Fn()) {
        let (mut dice, wish) = (Dice::new(self.seed), self.wish());
        fill(&*it.index, self.size.counts, &mut dice).await;
        let mut base = it.run(wish.clone()).await;
        let mut number = 0;
        for round in 0..ROUNDS {
            between();
            for _ in 0..self.size.edits {
                number += 1;
                edit(&*it.index, number, &mut dice).await;
            }
            let incremental = it.run(JobRequest { base: Some(base.id), ..wish.clone() }).await;
            // few edits always fit; later there may be too many new demands for a block, too many changes for the
            // statistics of a small catalogue, or nothing in the base
            let few = number <= 10 && self.size.counts.iter().all(|count| 20 <= *count);
            let said = ["重新分块", "词频统计", "没有结果"];
            let as_asked = match &incremental.method {
                Some(Method::Full { because: Some(because) }) => {
                    !few && said.iter().any(|said| because.chinese().contains(said))
                }
                method => method.is_some(),
            };
            assert!(as_asked, "{incremental:?}");
            let full = it.run(wish.clone()).await;
            let (inputs, other) = (incremental.inputs.clone().unwrap(), full.inputs.clone().unwrap());
            assert!(inputs.targets.iter().zip(&other.targets).all(|(one, other)| one.statistics == other.statistics));
            let got = results(&it.rematch, incremental.id, 7).await;
            let want = results(&it.rematch, full.id, 50).await;
            for (got, want) in bare(got.clone()).iter().zip(&want) {
                assert_eq!(got, want, "round {round}");
            }
            assert_eq!(got.len(), want.len(), "round {round}");
            assert_eq!(incremental.counts.carried as usize, got.iter().filter(|result| result.carried).count());
            let (one, other) = (incremental.counts, full.counts);
            assert_eq!((one.demands, one.done, one.pairs), (other.demands, other.done, other.pairs), "round {round}");
            base = incremental;
        }
    }
}
