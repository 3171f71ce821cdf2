//! A block: the results of demands with consecutive ids, and the data that decides whether the results still hold.
//! Blocks are the checkpoints of a job: each is one document, written whole. Pure.
//!
//! An incremental job has the same blocks as its root, the full job below it. Its own block holds only the differences,
//! and is read over the root's.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    bytes::{Damaged, Reader, Writer},
    decision::Decision,
    model::DemandResult,
};
use duijie_core::domain::RecordName;
use duijie_store::PointId;

/// Compression level: names and numbers shrink to a quarter at almost no cost.
const ZSTD_LEVEL: i32 = 1;
/// Largest decompressed size of a block of results.
const MAX_JSON_BYTES: usize = 64 << 20;

/// A stored block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// Results, in the order of the demands' ids.
    pub results: Vec<DemandResult>,
    /// Demands of the root's block that are gone, changed or failed; their results in it are ignored.
    pub dropped: Vec<PointId>,
    /// Demands without a result; the next incremental job tries them again.
    pub failed: Vec<RecordName>,
    /// Decision data of each result in this block itself.
    pub decisions: Vec<Decision>,
}

/// The compressed part.
#[derive(Debug, Serialize, Deserialize)]
struct Json {
    results: Vec<DemandResult>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<PointId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failed: Vec<RecordName>,
}

// === impl Block ===

impl Block {
    /// Encodes the block as a document's text.
    ///
    /// # Errors
    /// [`Damaged`] if a number is not finite, which no result has.
    pub fn text(&self) -> Result<String, Damaged> {
        let json = Json { results: self.results.clone(), dropped: self.dropped.clone(), failed: self.failed.clone() };
        let json = serde_json::to_vec(&json).map_err(|_| Damaged)?;
        let packed = zstd::bulk::compress(&json, ZSTD_LEVEL).map_err(|_| Damaged)?;
        let mut writer = Writer::default();
        writer.u32(u32::try_from(self.failed.len()).unwrap_or(u32::MAX));
        writer.list(&self.decisions, |writer, decision| decision.write(writer));
        Ok(format!("{}\n{}", STANDARD.encode(packed), STANDARD.encode(writer.finish())))
    }

    /// Reads only the results.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read_results(text: &str) -> Result<Self, Damaged> {
        let (results, _) = text.split_once('\n').ok_or(Damaged)?;
        let packed = STANDARD.decode(results).map_err(|_| Damaged)?;
        let json = zstd::bulk::decompress(&packed, capacity(&packed)?).map_err(|_| Damaged)?;
        let json: Json = serde_json::from_slice(&json).map_err(|_| Damaged)?;
        Ok(Self { results: json.results, dropped: json.dropped, failed: json.failed, decisions: Vec::new() })
    }

    /// Reads the decision data, and the results only if demands have failed.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read_decisions(text: &str) -> Result<Self, Damaged> {
        let (_, decisions) = text.split_once('\n').ok_or(Damaged)?;
        let bytes = STANDARD.decode(decisions).map_err(|_| Damaged)?;
        let mut reader = Reader::new(&bytes);
        let failed = reader.u32()?;
        let decisions = reader.list(Decision::read)?;
        reader.end()?;
        let rest = if failed == 0 { Self::default() } else { Self::read_results(text)? };
        Ok(Self { decisions, ..rest })
    }

    /// Reads the whole block.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read(text: &str) -> Result<Self, Damaged> {
        Ok(Self { decisions: Self::read_decisions(text)?.decisions, ..Self::read_results(text)? })
    }

    /// Results of this block laid over the root's.
    #[must_use]
    pub fn over(self, root: Self) -> Vec<DemandResult> {
        let own = self.results.iter().map(|result| PointId::of(&result.demand));
        let hidden: HashSet<PointId> = own.chain(self.dropped.iter().copied()).collect();
        let beneath = root.results.into_iter().filter(|result| !hidden.contains(&PointId::of(&result.demand)));
        let beneath = beneath.map(|result| DemandResult { carried: true, ..result });
        let mut results: Vec<DemandResult> = self.results.into_iter().chain(beneath).collect();
        results.sort_by_key(|result| PointId::of(&result.demand));
        results
    }
}

/// The block of an id, among blocks that begin with these ids: the last block that begins at or before the id, or the
/// first block.
pub fn block_of(firsts: &[PointId], id: PointId) -> usize {
    firsts.partition_point(|first| *first <= id).saturating_sub(1)
}

/// Demands per block of a full job: as many as fit into a document with the longest names.
pub fn block_demands(limit: usize, kinds: usize) -> usize {
    (1_280 / (limit * kinds).max(1)).clamp(6, 32)
}

fn capacity(packed: &[u8]) -> Result<usize, Damaged> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten().ok_or(Damaged)?;
    usize::try_from(size).ok().filter(|size| *size <= MAX_JSON_BYTES).ok_or(Damaged)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::rematch::job::{
        decision::{Best, KindDecision},
        model::{MAX_LIMIT, MatchedTarget, TargetList},
        packed::Packed,
    };
    use duijie_core::domain::{Kind, hit::Level};
    use duijie_core::text::SparseVector;
    use duijie_store::documents::MAX_DOCUMENT_BYTES;

    fn result(id: &str, revision: u64) -> DemandResult {
        let target = "achievements/tianjin/a-1".parse().unwrap();
        let pair =
            MatchedTarget { target, revision: 3, score: 0.123_456_789, level: Some(Level::Fair), probabilities: None };
        let list = TargetList { kind: Kind::Achievement, nothing_good_enough: false, pairs: vec![pair] };
        DemandResult { demand: format!("demands/{id}").parse().unwrap(), revision, lists: vec![list], carried: false }
    }

    #[test]
    fn what_was_written_is_read() {
        let carried = DemandResult { carried: true, ..result("d-2", 2) };
        let block = Block {
            results: vec![result("d-1", 1), carried],
            dropped: vec![PointId::of(&"demands/d-3".parse().unwrap())],
            failed: vec!["demands/d-5".parse().unwrap()],
            decisions: Vec::new(),
        };
        assert_eq!(Block::read(&block.text().unwrap()).unwrap(), block);
        for text in ["", "\n", "AAAA\n", "not base64\n"] {
            assert!(Block::read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn own_results_hide_the_roots() {
        let root = Block { results: vec![result("d-1", 1), result("d-2", 1), result("d-3", 1)], ..Block::default() };
        let own = Block {
            results: vec![result("d-2", 2), result("d-4", 1)],
            dropped: vec![PointId::of(&"demands/d-3".parse().unwrap())],
            ..Block::default()
        };
        let mut read = own.over(root);
        assert!(read.is_sorted_by_key(|result| PointId::of(&result.demand)));
        read.sort_by(|a, b| a.demand.cmp(&b.demand));
        let read: Vec<_> = read.iter().map(|r| (r.demand.id.as_str(), r.revision, r.carried)).collect();
        assert_eq!(read, [("d-1", 1, true), ("d-2", 2, false), ("d-4", 1, false)]);
    }

    #[test]
    fn ids_belong_to_the_block_that_begins_before_them() {
        let id = |number: u128| PointId::from(Uuid::from_u128(number));
        let firsts = [id(10), id(20), id(30)];
        let check = |number: u128, want: usize| assert_eq!(block_of(&firsts, id(number)), want, "{number}");
        check(0, 0);
        check(10, 0);
        check(19, 0);
        check(20, 1);
        check(99, 2);
        assert_eq!(block_of(&[], id(1)), 0);
    }

    /// Uses names of the maximum length and incompressible numbers.
    #[test]
    fn the_largest_block_fits_into_a_document() {
        let noise = |seed: u64| {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            move || {
                state ^= state >> 12;
                state ^= state << 25;
                state ^= state >> 27;
                state.wrapping_mul(0x2545_f491_4f6c_dd1d)
            }
        };
        let check = |limit: usize, kinds: &[Kind]| {
            let mut next = noise(limit as u64);
            let mut name = |kind: Kind| {
                let id: String = (0..4).map(|_| format!("{:016x}", next())).collect();
                RecordName { kind, source: format!("{:016x}{:016x}", next(), next()), id }
            };
            let mut numbers = noise(7);
            let mut number = || numbers() as f64 / u64::MAX as f64;
            let mut list = |kind: Kind| {
                let pair = |_| {
                    let probabilities = Some([(); 4].map(|()| (number() * 1e6).round() / 1e6));
                    let (target, level) = (name(kind), Some(Level::Fair));
                    MatchedTarget { target, revision: 1_764_100_000_000, score: number(), level, probabilities }
                };
                TargetList { kind, nothing_good_enough: false, pairs: (0..limit).map(pair).collect() }
            };
            let vector = Packed::new(&vec![0.1; 1_024]);
            let best = |count: usize| Best { ids: vec![PointId::from(Uuid::max()); count], last: Some(0.5) };
            let kind = |kind: &Kind| KindDecision {
                kind: *kind,
                first: Some(best(50)),
                expanded: vector.clone(),
                list: best(limit),
            };
            let decision = Decision {
                demand: PointId::from(Uuid::max()),
                pairs: 1,
                dense: vector.clone(),
                sparse: SparseVector { indices: vec![1; 64], values: vec![1.0; 64] },
                kinds: kinds.iter().map(kind).collect(),
            };
            // an incremental job's block may have half as many demands again
            let demands = block_demands(limit, kinds.len()) * 3 / 2;
            let results = (0..demands).map(|number| DemandResult {
                lists: kinds.iter().map(|kind| list(*kind)).collect(),
                ..result(&number.to_string(), 1)
            });
            let results = results.collect();
            let block = Block { results, decisions: vec![decision; demands], ..Block::default() };
            let bytes = block.text().unwrap().len();
            assert!(bytes <= MAX_DOCUMENT_BYTES, "{limit} {kinds:?}: {bytes}");
        };
        for limit in [1, 20, 40, 64, MAX_LIMIT] {
            check(limit, &[Kind::Achievement]);
            check(limit, &[Kind::Achievement, Kind::Expert]);
        }
    }
}
