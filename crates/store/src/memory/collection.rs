//! The points of one kind in the order of their ids, found by going through all of them. Pure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Bound,
};

use jiff::SignedDuration;

use crate::{
    Candidates, Damaged, FieldSelection, Hit, PageRequest, Point, PointId, PointPage, Search, VectorPage,
    VectorSelection, Vectors, Written,
};
use duijie_core::{
    domain::Filter,
    text::{LexicalQuery, SparseVector},
};

/// Stored points, as the engines give them back: embeddings of unit length, terms in order.
#[derive(Debug, Default)]
pub(super) struct Collection {
    points: BTreeMap<PointId, Point>,
    /// Points that reads take for damaged.
    damaged: BTreeSet<PointId>,
    /// Terms of deleted points: they still count in the idf, as in an engine that has not purged them.
    deleted: Vec<SparseVector>,
}

// === impl Collection ===

impl Collection {
    /// Stores a point whose revision is higher than the stored one.
    pub(super) fn put(&mut self, mut point: Point) -> Written {
        let id = point.id();
        let stored = self.points.get(&id).map(|stored| stored.record.revision);
        let was_damaged = self.damaged.remove(&id);
        if let Some(stored) = stored.filter(|stored| !was_damaged && point.record.revision <= *stored) {
            return Written::Stale { stored };
        }
        point.dense = unit(&point.dense);
        point.sparse = in_order(point.sparse);
        self.points.insert(id, point);
        if stored.is_some() { Written::Updated } else { Written::Created }
    }

    /// Removes a point; says whether there was one.
    pub(super) fn remove(&mut self, id: PointId) -> bool {
        self.damaged.remove(&id);
        let gone = self.points.remove(&id);
        let there = gone.is_some();
        self.deleted.extend(gone.map(|point| point.sparse));
        there
    }

    /// Lets reads take a point for damaged, until it is written anew.
    pub(super) fn damage(&mut self, id: PointId) {
        self.damaged.insert(id);
    }

    /// Number of damaged points.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged.len() as u64
    }

    /// What is wrong with a point; `None` if it is whole, or not there.
    pub(super) fn check(&self, id: PointId) -> Option<Damaged> {
        let name = self.points.get(&id).filter(|_| self.damaged.contains(&id))?.record.name().to_string();
        Some(Damaged { id, name: Some(name), reason: "内容与校验和不符".to_string() })
    }

    /// A point that is whole, as much of it as is wanted.
    pub(super) fn get(&self, id: PointId, with: FieldSelection) -> Option<Point> {
        self.points.get(&id).filter(|_| !self.damaged.contains(&id)).map(|point| selected(point, with))
    }

    /// The vectors of a point.
    pub(super) fn vectors(&self, id: PointId, which: VectorSelection) -> Option<Vectors> {
        self.points.get(&id).map(|point| vectors(point, which))
    }

    /// One page of vectors.
    pub(super) fn scan(&self, after: Option<PointId>, limit: usize, which: VectorSelection) -> VectorPage {
        let FirstRows { rows, has_more } = page(self.behind(after), limit);
        let rows: Vec<_> = rows.into_iter().map(|(id, point)| (*id, vectors(point, which))).collect();
        let next = rows.last().map(|(id, _)| *id).filter(|_| has_more);
        VectorPage { rows, next }
    }

    /// One page of the points that a filter keeps.
    pub(super) fn scroll(&self, filter: &Filter, PageRequest { after, limit, with }: PageRequest) -> PointPage {
        let kept = self.behind(after).filter(|(_, point)| filter.keeps(&point.record));
        let FirstRows { rows, has_more } = page(kept, limit);
        let next = rows.last().map(|(id, _)| **id).filter(|_| has_more);
        let damaged: Vec<Damaged> = rows.iter().filter_map(|(id, _)| self.check(**id)).collect();
        let whole = rows.into_iter().filter(|(id, _)| !self.damaged.contains(id));
        let points = whole.map(|(_, point)| selected(point, with)).collect();
        PointPage { points, damaged, unchecked: 0, next }
    }

    /// Number of points that a filter keeps.
    pub(super) fn count(&self, filter: &Filter) -> u64 {
        self.points.values().filter(|point| filter.keeps(&point.record)).count() as u64
    }

    /// Candidates of a checked search: all points are scored, and the best kept.
    pub(super) fn search(&self, search: &Search) -> Candidates {
        let exclude: HashSet<&PointId> = search.exclude.iter().collect();
        let within: Option<HashSet<&PointId>> = search.within.as_ref().map(|within| within.iter().collect());
        let kept = self.points.iter().filter(|(id, point)| {
            !exclude.contains(id)
                && within.as_ref().is_none_or(|within| within.contains(id))
                && search.filter.keeps(&point.record)
        });
        let kept: Vec<(&PointId, &Point)> = kept.collect();
        let best = |score: &dyn Fn(&Point) -> Option<f64>| {
            let hits = kept.iter().filter_map(|(id, point)| Some(Hit { id: **id, score: score(point)? as f32 }));
            let mut hits: Vec<Hit> = hits.collect();
            // stable: equal scores stay in the order of ids
            hits.sort_by(|one, other| other.score.total_cmp(&one.score));
            hits.truncate(search.depth);
            hits
        };
        let direction = search.dense.as_ref().map(|dense| unit(dense));
        let dense = direction.map(|direction| best(&|point| Some(dot(&point.dense, &direction))));
        let weights = search.sparse.as_ref().map(|sparse| self.weights(sparse));
        let sparse = weights.map(|weights| best(&|point| Some(shared(&point.sparse, &weights)).filter(|it| 0.0 < *it)));
        Candidates { dense: dense.unwrap_or_default(), sparse: sparse.unwrap_or_default() }
    }

    /// Moves the time of the last change of all points into the past.
    pub(super) fn age(&mut self, by: SignedDuration) {
        for record in self.points.values_mut().map(|point| &mut point.record) {
            record.update_time = record.update_time.and_then(|time| time.checked_sub(by).ok());
        }
    }

    /// Query weights of terms, each times the idf of the term among the points that have terms.
    fn weights(&self, query: &SparseVector) -> HashMap<u32, f64> {
        let counted = || self.points.values().map(|point| &point.sparse).chain(&self.deleted);
        let total = counted().filter(|sparse| !sparse.indices.is_empty()).count() as f64;
        let mut frequencies: HashMap<u32, f64> = query.indices.iter().map(|term| (*term, 0.0)).collect();
        for term in counted().flat_map(|sparse| &sparse.indices) {
            if let Some(frequency) = frequencies.get_mut(term) {
                *frequency += 1.0;
            }
        }
        let idf = |term: &u32| {
            let frequency = frequencies.get(term).copied().unwrap_or_default();
            ((total - frequency + 0.5) / (frequency + 0.5)).ln_1p()
        };
        query.indices.iter().zip(&query.values).map(|(term, weight)| (*term, idf(term) * f64::from(*weight))).collect()
    }

    /// The points behind one in the order of ids.
    fn behind(&self, after: Option<PointId>) -> impl Iterator<Item = (&PointId, &Point)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.points.range((from, Bound::Unbounded))
    }
}

/// The first rows of a list.
pub(super) struct FirstRows<T> {
    pub(super) rows: Vec<T>,
    pub(super) has_more: bool,
}

/// The first `limit` rows.
pub(super) fn page<T>(mut rows: impl Iterator<Item = T>, limit: usize) -> FirstRows<T> {
    let page = rows.by_ref().take(limit).collect();
    FirstRows { rows: page, has_more: rows.next().is_some() }
}

fn selected(point: &Point, with: FieldSelection) -> Point {
    let (dense, query) = match with {
        FieldSelection::Everything => (point.dense.clone(), point.query.clone()),
        FieldSelection::Payload | FieldSelection::Sparse => (Vec::new(), LexicalQuery::default()),
    };
    let sparse = match with {
        FieldSelection::Payload => SparseVector::default(),
        FieldSelection::Sparse | FieldSelection::Everything => point.sparse.clone(),
    };
    Point { record: point.record.clone(), dense, sparse, query }
}

fn vectors(point: &Point, which: VectorSelection) -> Vectors {
    let (dense, sparse) = match which {
        VectorSelection::Dense => (true, false),
        VectorSelection::Sparse => (false, true),
        VectorSelection::Both => (true, true),
    };
    Vectors {
        dense: if dense { point.dense.clone() } else { Vec::new() },
        sparse: if sparse { point.sparse.clone() } else { SparseVector::default() },
    }
}

/// The vector scaled to length 1; one without direction as it is.
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = dot(vector, vector).sqrt();
    let scale = |value: &f32| if length == 0.0 { *value } else { (f64::from(*value) / length) as f32 };
    vector.iter().map(scale).collect()
}

fn dot(one: &[f32], other: &[f32]) -> f64 {
    one.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
}

/// Sum over the shared terms.
fn shared(stored: &SparseVector, weights: &HashMap<u32, f64>) -> f64 {
    let terms = stored.indices.iter().zip(&stored.values);
    terms.filter_map(|(term, value)| Some(weights.get(term)? * f64::from(*value))).sum()
}

fn in_order(sparse: SparseVector) -> SparseVector {
    let mut terms: Vec<(u32, f32)> = sparse.indices.into_iter().zip(sparse.values).collect();
    terms.sort_unstable_by_key(|(term, _)| *term);
    let (indices, values) = terms.into_iter().unzip();
    SparseVector { indices, values }
}
