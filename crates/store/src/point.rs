//! The unit of storage: a record with its vectors, and its id in an engine.

use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{IndexError, Result};
use duijie_core::{
    domain::{Kind, Record, RecordName},
    text::{LexicalQuery, SparseVector},
};

/// Random namespace of the ids. Stored points depend on it.
const NAMESPACE: Uuid = Uuid::from_u128(0x7d1f_5c0e_94b3_5a6e_8c1d_2f6b_0e57_a914);

/// Id of a point: UUID version 5 of the record's full name, the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PointId(Uuid);

/// A record with its vectors and lexical query.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The record.
    pub record: Record,
    /// Embedding; an engine may return it scaled to length 1. Empty if not requested.
    pub dense: Vec<f32>,
    /// Term weights. Empty if not requested.
    pub sparse: SparseVector,
    /// Term weights of its text as a query.
    pub query: LexicalQuery,
}

/// Outcome of one point of an upsert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// No point was stored before.
    Created,
    /// Replaced a point with a lower revision.
    Updated,
    /// Not stored: the stored revision is equal or higher.
    Stale {
        /// Stored revision.
        stored: u64,
    },
}

/// Vectors of a point, without its record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    /// Embedding; empty if not requested.
    pub dense: Vec<f32>,
    /// Term weights; empty if not requested.
    pub sparse: SparseVector,
}

/// Which vectors to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorSelection {
    /// The embedding.
    Dense,
    /// The term weights.
    Sparse,
    /// Both.
    Both,
}

/// How much of a point to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldSelection {
    /// The record.
    Payload,
    /// The record and the sparse vector, as needed for a response page.
    Sparse,
    /// Everything.
    Everything,
}

// === impl PointId ===

impl PointId {
    /// Id of the record with this name.
    pub fn of(name: &RecordName) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, name.to_string().as_bytes()))
    }

    /// The id as a UUID.
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// The next id in id order; `None` after the last.
    pub fn next(self) -> Option<Self> {
        self.0.as_u128().checked_add(1).map(|next| Self(Uuid::from_u128(next)))
    }
}

impl From<Uuid> for PointId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Point ===

impl Point {
    /// Id of the point.
    pub fn id(&self) -> PointId {
        PointId::of(&self.record.name())
    }

    /// Rejects points that an engine would fail on or store unnoticed: wrong kind or dimension, NaN or infinite
    /// numbers, repeated terms.
    ///
    /// # Errors
    /// [`IndexError::BadPoint`].
    pub fn check(&self, kind: Kind, dimensions: usize) -> Result<()> {
        let dense = check_dense(&self.dense, dimensions);
        let query = self.query.terms.iter().all(|(_, weight)| weight.is_finite());
        let query = if query { Ok(()) } else { Err("查询词的权重不是有限数".to_string()) };
        let found = self.record.kind();
        let same =
            if found == kind { Ok(()) } else { Err(format!("属于{}，不是{}", found.label(), kind.label())) };
        let problem = dense.and_then(|()| check_sparse(&self.sparse)).and(query).and(same);
        problem.map_err(|reason| IndexError::BadPoint { name: self.record.name().to_string(), reason })
    }
}

/// Checks the length and the numbers of an embedding.
pub(super) fn check_dense(dense: &[f32], dimensions: usize) -> std::result::Result<(), String> {
    if dense.len() != dimensions {
        return Err(format!("向量为 {} 维，应为 {dimensions} 维", dense.len()));
    }
    if dense.iter().all(|value| value.is_finite()) { Ok(()) } else { Err("向量中有非有限数".to_string()) }
}

/// Checks that terms and weights have the same length and that terms are unique.
pub(super) fn check_sparse(sparse: &SparseVector) -> std::result::Result<(), String> {
    if sparse.indices.len() != sparse.values.len() {
        return Err(format!("稀疏向量有 {} 个词、{} 个权重", sparse.indices.len(), sparse.values.len()));
    }
    if !sparse.values.iter().all(|value| value.is_finite()) {
        return Err("稀疏向量中有非有限数".to_string());
    }
    let mut seen = HashSet::with_capacity(sparse.indices.len());
    if sparse.indices.iter().all(|index| seen.insert(*index)) {
        Ok(())
    } else {
        Err("稀疏向量中有重复的词".to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Detail, Kind};

    fn point() -> Point {
        Point {
            record: Record::new("local", "a-1", "激光焊接", Detail::empty(Kind::Achievement)),
            dense: vec![0.5, 0.5],
            sparse: SparseVector { indices: vec![7, 3], values: vec![1.0, 2.0] },
            query: LexicalQuery { terms: vec![("激光".into(), 1.5)] },
        }
    }

    fn check(change: impl FnOnce(&mut Point), want: Option<&str>) {
        let mut point = point();
        change(&mut point);
        let said = point.check(point.record.kind(), 2).err().map(|error| error.to_string());
        match want {
            None => assert_eq!(said, None),
            Some(want) => assert!(said.as_deref().is_some_and(|said| said.contains(want)), "{said:?}, want {want}"),
        }
    }

    #[test]
    fn points_that_would_break_an_engine_are_refused() {
        check(|_| (), None);
        check(|p| p.dense.push(0.0), Some("3 维，应为 2 维"));
        check(|p| p.dense[1] = f32::NAN, Some("向量中有非有限数"));
        check(|p| p.dense[1] = f32::INFINITY, Some("向量中有非有限数"));
        check(|p| p.sparse.values[0] = f32::NAN, Some("稀疏向量中有非有限数"));
        check(|p| p.sparse.indices[0] = 3, Some("重复的词"));
        check(|p| p.sparse.values.clear(), Some("2 个词、0 个权重"));
        check(|p| p.query.terms[0].1 = f32::NAN, Some("查询词的权重"));
        check(|p| p.sparse = SparseVector::default(), None);
    }

    #[test]
    fn ids_come_from_full_names() {
        let id = |name: &str| PointId::of(&name.parse().unwrap());
        // stored points depend on this value
        assert_eq!(id("achievements/a-1").to_string(), "1f4d6362-5797-522e-bfb5-1bc51386f7bf");
        assert_eq!(id("achievements/a-1"), point().id());
        assert_eq!(id("achievements/a-1"), id("achievements/local/a-1"));
        assert_ne!(id("achievements/a-1"), id("demands/a-1"));
        assert_ne!(id("achievements/a-1"), id("achievements/tianjin/a-1"));
        let last = PointId::from(Uuid::max());
        assert_eq!((last.next(), PointId::from(Uuid::nil()).next()), (None, Some(PointId::from(Uuid::from_u128(1)))));
    }
}
