//! Writing and reading records: by name, by id, or all of them page by page.

use std::collections::{BTreeMap, HashMap};

use futures::future::BoxFuture;

use super::{Damaged, FieldSelection, Index, IndexError, Point, PointId, Result, VectorSelection, Vectors, Written};
use duijie_core::domain::{Filter, Kind, RecordName};

/// Most points of one page, and of one fetch.
pub(crate) const MAX_PAGE_POINTS: usize = 10_000;

/// Which page of a scroll, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The page begins behind this point; `None` for the first one.
    pub after: Option<PointId>,
    /// Most points of the page, at least 1.
    pub limit: usize,
    /// How much of each point.
    pub with: FieldSelection,
}

/// One page of a scroll, in the order of ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointPage {
    /// Points, as much of each as was asked for.
    pub points: Vec<Point>,
    /// Points that are stored but damaged, in no order.
    pub damaged: Vec<Damaged>,
    /// Points on the page without a checksum, which were taken as they are.
    pub unchecked: u64,
    /// What to ask for `after` to get the next page; `None` on the last one.
    pub next: Option<PointId>,
}

/// One page of a scan, in the order of ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VectorPage {
    /// Points with their vectors.
    pub rows: Vec<(PointId, Vectors)>,
    /// What to ask for `after` to get the next page; `None` on the last one.
    pub next: Option<PointId>,
}

/// The stored records, each a [`Point`]. A record that is damaged (see [`Damaged`]) is never given out; it can be
/// overwritten by any revision, and deleted.
pub trait Records: Send + Sync + 'static {
    /// Stores points of one kind, in order, each only if its revision is higher than the stored one. When it resolves,
    /// the points survive a kill of the process. Says what became of each.
    ///
    /// # Errors
    /// [`IndexError::BadPoint`] before anything is written. After another error it is not known which of the points
    /// are stored; sending them again does no harm.
    fn upsert(&self, kind: Kind, points: Vec<Point>) -> BoxFuture<'_, Result<Vec<Written>>>;

    /// Removes a record for good, whatever its revision, after writing its tombstone (see [`tombstones`]). Says whether
    /// there was one.
    ///
    /// [`tombstones`]: super::tombstones
    fn delete(&self, name: &RecordName) -> BoxFuture<'_, Result<bool>>;

    /// Reads records by name, in the order of the names; `None` where there is none.
    ///
    /// # Errors
    /// [`IndexError::RecordDamaged`] for the first one that is damaged; [`whole`] leaves those out.
    fn get(&self, names: &[RecordName], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>>;

    /// Reads found points by id, in the order of the ids; `None` where one is gone by now, or damaged.
    fn fetch(&self, kind: Kind, ids: &[PointId], with: FieldSelection) -> BoxFuture<'_, Result<Vec<Option<Point>>>>;

    /// Reads vectors of found points by id, in the order of the ids, without their records, which cost the most of a read.
    /// Of damaged vectors only those are seen, and left out, that cannot be vectors of a record.
    fn vectors(
        &self,
        kind: Kind,
        ids: &[PointId],
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<Vec<Option<Vectors>>>>;

    /// Reads the vectors of all points, at most `limit` of them that come after `after` in the order of ids.
    fn scan(
        &self,
        kind: Kind,
        after: Option<PointId>,
        limit: usize,
        which: VectorSelection,
    ) -> BoxFuture<'_, Result<VectorPage>>;

    /// Reads the points that meet a filter, page by page in the order of ids.
    fn scroll(&self, kind: Kind, filter: &Filter, page: PageRequest) -> BoxFuture<'_, Result<PointPage>>;

    /// Counts the points that meet a filter.
    fn count(&self, kind: Kind, filter: &Filter) -> BoxFuture<'_, Result<u64>>;
}

/// As [`Records::get`], with `None` also where a record is damaged: for callers that write it anew, or go on without it.
///
/// # Errors
/// Those of the index.
pub async fn whole(index: &dyn Index, names: &[RecordName], with: FieldSelection) -> Result<Vec<Option<Point>>> {
    let mut found = Vec::with_capacity(Kind::ALL.len());
    for kind in Kind::ALL {
        let ids: Vec<PointId> = names.iter().filter(|name| name.kind == kind).map(PointId::of).collect();
        if !ids.is_empty() {
            found.push((kind, index.fetch(kind, &ids, with).await?));
        }
    }
    Ok(by_name(names, found))
}

/// What was found by id, and what of it is damaged.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// In the order of the ids.
    pub points: Vec<Option<Point>>,
    /// In no order.
    pub damaged: Vec<Damaged>,
}

impl Fetched {
    /// Refuses what is damaged, by its name.
    pub(crate) fn check(&self, names: &[RecordName]) -> Result<()> {
        let Some(damaged) = self.damaged.first() else { return Ok(()) };
        let name = names.iter().find(|name| PointId::of(name) == damaged.id);
        let name = name.map_or_else(|| damaged.label(), ToString::to_string);
        Err(IndexError::RecordDamaged { name, reason: damaged.reason.clone() })
    }
}

/// What was found, in the order of the ids; a repeated id is found again.
pub(crate) fn in_order<T: Clone>(ids: &[PointId], mut found: HashMap<PointId, T>) -> Vec<Option<T>> {
    let mut ordered: Vec<Option<T>> = Vec::with_capacity(ids.len());
    let mut places: HashMap<PointId, usize> = HashMap::with_capacity(ids.len());
    for id in ids {
        let place = *places.entry(*id).or_insert(ordered.len());
        let next = found.remove(id).or_else(|| ordered.get(place).cloned().flatten());
        ordered.push(next);
    }
    ordered
}

/// What was found of each kind, in the order of the names; each kind's names were asked for in the same order.
pub(crate) fn by_name<T>(
    names: &[RecordName],
    found: impl IntoIterator<Item = (Kind, Vec<Option<T>>)>,
) -> Vec<Option<T>> {
    let mut found: BTreeMap<Kind, _> = found.into_iter().map(|(kind, found)| (kind, found.into_iter())).collect();
    names.iter().map(|name| found.get_mut(&name.kind).and_then(Iterator::next).flatten()).collect()
}

/// Refuses to read more points at once than an engine takes.
pub(crate) fn check_count(count: usize) -> Result<()> {
    if count <= MAX_PAGE_POINTS {
        return Ok(());
    }
    Err(IndexError::BadSearch { reason: format!("一次读取 {count} 条，最多 {MAX_PAGE_POINTS} 条") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_stands_where_it_was_asked_for() {
        let names: Vec<RecordName> = ["demands/a", "experts/b", "demands/c", "demands/a", "demands/gone"]
            .iter()
            .map(|name| name.parse().unwrap())
            .collect();
        let ids: Vec<PointId> = names.iter().map(PointId::of).collect();
        let found = HashMap::from([(ids[0], 'a'), (ids[1], 'b'), (ids[2], 'c')]);
        assert_eq!(in_order(&ids, found), [Some('a'), Some('b'), Some('c'), Some('a'), None]);
        let kinds = [(Kind::Expert, vec![Some('b')]), (Kind::Demand, vec![Some('a'), Some('c'), Some('a'), None])];
        assert_eq!(by_name(&names, kinds), [Some('a'), Some('b'), Some('c'), Some('a'), None]);
    }
}
