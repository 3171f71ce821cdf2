//! Data stored with a result to decide later whether the result can have changed: both queries of the demand, the best
//! of the first pass, and the list. Pure. `candidates` makes the decision.

use super::{
    bytes::{Damaged, Reader, Writer},
    packed::Packed,
};
use duijie_core::{domain::Kind, text::SparseVector};
use duijie_store::PointId;

/// Data of a demand that decides whether it must be matched again.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Id of the demand.
    pub demand: PointId,
    /// Number of pairs in its result.
    pub pairs: u32,
    /// Query vector of the first pass.
    pub dense: Packed,
    /// Terms of the demand.
    pub sparse: SparseVector,
    /// Data for each kind of targets.
    pub kinds: Vec<KindDecision>,
}

/// Data for one kind of targets.
#[derive(Debug, Clone, PartialEq)]
pub struct KindDecision {
    /// Kind of targets.
    pub kind: Kind,
    /// The best of the first pass; `None` if there was only one pass.
    pub first: Option<Best>,
    /// Expanded query of the second pass, if there was one.
    pub expanded: Packed,
    /// The list, before targets below the minimum level are removed.
    pub list: Best,
}

/// The best of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Target ids.
    pub ids: Vec<PointId>,
    /// Score of the last target; `None` if there were fewer than requested, so that any target would come in.
    pub last: Option<f64>,
}

// === impl Decision ===

impl Decision {
    /// Encodes the data.
    pub fn write(&self, writer: &mut Writer) {
        writer.u128(self.demand.uuid().as_u128());
        writer.u32(self.pairs);
        self.dense.write(writer);
        writer.list(&self.sparse.indices, |writer, term| writer.u32(*term));
        writer.list(&self.sparse.values, |writer, weight| writer.f32(*weight));
        writer.list(&self.kinds, |writer, kind| {
            writer.u32(number(kind.kind));
            writer.list(kind.first.as_slice(), write_best);
            kind.expanded.write(writer);
            write_best(writer, &kind.list);
        });
    }

    /// Decodes the data of one demand.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(Self {
            demand: read_id(reader)?,
            pairs: reader.u32()?,
            dense: Packed::read(reader)?,
            sparse: SparseVector { indices: reader.list(Reader::u32)?, values: reader.list(Reader::f32)? },
            kinds: reader.list(|reader| {
                Ok(KindDecision {
                    kind: kind(reader.u32()?)?,
                    first: reader.list(read_best)?.into_iter().next(),
                    expanded: Packed::read(reader)?,
                    list: read_best(reader)?,
                })
            })?,
        })
    }
}

fn write_best(writer: &mut Writer, best: &Best) {
    writer.list(&best.ids, |writer, id| writer.u128(id.uuid().as_u128()));
    writer.list(best.last.as_slice(), |writer, last| writer.f64(*last));
}

fn read_best(reader: &mut Reader<'_>) -> Result<Best, Damaged> {
    Ok(Best { ids: reader.list(read_id)?, last: reader.list(Reader::f64)?.into_iter().next() })
}

fn read_id(reader: &mut Reader<'_>) -> Result<PointId, Damaged> {
    reader.u128().map(|id| PointId::from(uuid::Uuid::from_u128(id)))
}

fn number(kind: Kind) -> u32 {
    match kind {
        Kind::Achievement => 1,
        Kind::Demand => 2,
        Kind::Expert => 3,
    }
}

fn kind(given: u32) -> Result<Kind, Damaged> {
    Kind::ALL.into_iter().find(|kind| number(*kind) == given).ok_or(Damaged)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    pub(in crate::rematch::job) fn id(number: u128) -> PointId {
        PointId::from(Uuid::from_u128(number))
    }

    pub(in crate::rematch::job) fn sparse() -> impl Strategy<Value = SparseVector> {
        prop::collection::btree_map(0u32..30, 0.1f32..9.0, 0..8)
            .prop_map(|terms| terms.into_iter().collect::<SparseVector>())
    }

    pub(in crate::rematch::job) fn dense() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-1f32..1.0, 24)
    }

    pub(in crate::rematch::job) fn best(ids: &[u128], last: Option<f64>) -> Best {
        Best { ids: ids.iter().copied().map(id).collect(), last }
    }

    pub(in crate::rematch::job) fn demand(
        dense: &[f32],
        sparse: &SparseVector,
        first: Option<Best>,
        list: Best,
    ) -> Decision {
        let kind = KindDecision { kind: Kind::Achievement, first, expanded: Packed::new(dense), list };
        let (dense, sparse) = (Packed::new(dense), sparse.clone());
        Decision { demand: id(1), pairs: 3, dense, sparse, kinds: vec![kind] }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(dense in dense(), sparse in sparse(), ids in prop::collection::vec(any::<u128>(), 0..5), last: Option<f64>) {
            prop_assume!(last.is_none_or(|last| !last.is_nan()));
            let demand = demand(&dense, &sparse, last.map(|_| best(&ids, last)), best(&ids, last));
            let mut writer = Writer::default();
            demand.write(&mut writer);
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(Decision::read(&mut reader).unwrap(), demand);
            prop_assert!(reader.end().is_ok());
            let cut = Decision::read(&mut Reader::new(&bytes[..bytes.len() - 1]));
            prop_assert!(cut.is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Decision::read(&mut Reader::new(&bytes));
        }
    }
}
