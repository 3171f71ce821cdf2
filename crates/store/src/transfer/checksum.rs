//! Count and SHA-256 of all points of a kind, and of all documents, in id order.
//!
//! The hash of a point covers its record (JSON), the bits of its embedding, its sorted terms with the bits of their
//! weights, and its lexical query likewise. Each part is preceded by its length, so different points never give the
//! same bytes.
//!
//! Engines normalise embeddings to length 1 when they store them. A normalised one stays bit for bit the same, so a
//! copy has the checksum of its source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Result, Track, TransferError, TransferStep,
    piece::{self, Piece, PiecePage},
};
use crate::{CollectionKind, Document, FieldSelection, Index, LeftOut, Point, pages::Pages};

/// Checksum of each kind, and of the documents.
pub type Digests = BTreeMap<CollectionKind, Digest>;

/// Checksum of the points of one kind, or of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Number of points or documents.
    pub count: u64,
    /// SHA-256 of their contents, 64 hexadecimal digits.
    pub sha256: String,
}

/// Hashes points or documents, given in id order.
#[derive(Debug, Clone, Default)]
pub(super) struct Hasher {
    count: u64,
    sha256: Sha256,
}

// === impl Hasher ===

impl Hasher {
    /// Adds the next one.
    pub(super) fn add(&mut self, piece: &Piece) -> Result<()> {
        self.count += 1;
        match piece {
            Piece::Point(point) => self.add_point(point),
            Piece::Document(document) => {
                self.add_document(document);
                Ok(())
            }
        }
    }

    fn add_document(&mut self, document: &Document) {
        self.part(16, document.id().uuid().into_bytes());
        self.part(8, document.version.to_le_bytes());
        self.part(document.tags.len(), []);
        for text in document.tags.iter().chain([&document.text]) {
            self.part(text.len(), text.bytes());
        }
    }

    fn add_point(&mut self, point: &Point) -> Result<()> {
        let record = serde_json::to_vec(&point.record).map_err(|error| TransferError::Unwritable {
            name: point.record.name().to_string(),
            reason: error.to_string(),
        })?;
        self.part(record.len(), record);
        self.part(point.dense.len(), point.dense.iter().flat_map(|value| value.to_bits().to_le_bytes()));
        let sparse = &point.sparse;
        let mut terms: Vec<(u32, u32)> =
            sparse.indices.iter().copied().zip(sparse.values.iter().map(|value| value.to_bits())).collect();
        terms.sort_unstable();
        let terms = terms.into_iter().flat_map(|(index, value)| [index, value]);
        self.part(sparse.indices.len(), terms.flat_map(u32::to_le_bytes));
        self.part(point.query.terms.len(), []);
        for (term, weight) in &point.query.terms {
            self.part(term.len(), term.bytes().chain(weight.to_bits().to_le_bytes()));
        }
        Ok(())
    }

    /// Returns the checksum.
    pub(super) fn finish(self) -> Digest {
        Digest { count: self.count, sha256: format!("{:x}", self.sha256.finalize()) }
    }

    fn part(&mut self, length: usize, bytes: impl IntoIterator<Item = u8>) {
        self.sha256.update((length as u64).to_le_bytes());
        self.sha256.update(bytes.into_iter().collect::<Vec<u8>>());
    }
}

/// Checksums of all kinds, read page by page, and what is damaged and therefore not in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Examined {
    pub(super) digests: Digests,
    pub(super) left_out: LeftOut,
}

/// Checksums of all kinds, read page by page; without damaged ones.
///
/// # Errors
/// Errors of the index.
pub async fn digests(index: &dyn Index) -> Result<Digests> {
    let mut nobody = |_| ();
    Ok(track_digests(index, &mut Track::new(TransferStep::Verify, 0, &mut nobody)).await?.digests)
}

/// As `digests`, with progress.
pub(super) async fn track_digests(index: &dyn Index, track: &mut Track<'_, '_>) -> Result<Examined> {
    let Examined { mut digests, mut left_out } = Examined::default();
    for collection in CollectionKind::ALL {
        let mut hasher = Hasher::default();
        let mut pages = Pages::new(|after| piece::page(index, collection, after, FieldSelection::Everything));
        while let Some(PiecePage { pieces, damaged, .. }) = pages.next_page().await? {
            pieces.iter().try_for_each(|piece| hasher.add(piece))?;
            left_out.add(collection, &damaged);
            track.add(pieces.len());
        }
        digests.insert(collection, hasher.finish());
    }
    Ok(Examined { digests, left_out })
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Detail, Kind, Record};
    use duijie_core::text::{LexicalQuery, SparseVector};

    fn point() -> Point {
        Point {
            record: Record::new("local", "a-1", "激光焊接", Detail::empty(Kind::Achievement)),
            dense: vec![0.6, -0.8],
            sparse: SparseVector { indices: vec![3, 7], values: vec![1.0, 2.0] },
            query: LexicalQuery { terms: vec![("激光".into(), 1.5), ("焊接".into(), 0.5)] },
        }
    }

    fn digest(points: &[Point]) -> Digest {
        let mut hasher = Hasher::default();
        points.iter().for_each(|point| hasher.add(&Piece::Point(Box::new(point.clone()))).unwrap());
        hasher.finish()
    }

    #[test]
    fn every_part_of_a_point_counts() {
        let check = |change: fn(&mut Point), same: bool| {
            let mut changed = point();
            change(&mut changed);
            assert_eq!(digest(&[changed.clone()]) == digest(&[point()]), same, "{changed:?}");
        };
        check(|_| (), true);
        check(|p| p.sparse = SparseVector { indices: vec![7, 3], values: vec![2.0, 1.0] }, true);
        check(|p| p.record.revision = 1, false);
        check(|p| p.dense[0] = f32::from_bits(p.dense[0].to_bits() + 1), false);
        check(|p| p.dense.swap(0, 1), false);
        check(|p| p.sparse.values[0] = 1.5, false);
        check(|p| p.sparse.indices[0] = 4, false);
        check(|p| p.query.terms.swap(0, 1), false);
        check(|p| p.query.terms[0].1 = 1.25, false);
        check(|p| p.query.terms[0].0.push('的'), false);
    }

    #[test]
    fn every_part_of_a_document_counts() {
        let document = || Document {
            folder: "jobs".into(),
            key: "a".into(),
            version: 1,
            tags: vec!["done".into()],
            text: "{}".into(),
        };
        let digest = |document| {
            let mut hasher = Hasher::default();
            hasher.add(&Piece::Document(document)).unwrap();
            hasher.finish()
        };
        let check = |change: fn(&mut Document), same: bool| {
            let mut changed = document();
            change(&mut changed);
            assert_eq!(digest(changed.clone()) == digest(document()), same, "{changed:?}");
        };
        check(|_| (), true);
        check(|d| d.folder = "job".into(), false);
        check(|d| d.key = "b".into(), false);
        check(|d| d.version = 2, false);
        check(|d| d.tags.clear(), false);
        check(|d| d.text.push(' '), false);
    }

    #[test]
    fn order_and_number_count() {
        let mut other = point();
        other.record.id = "a-2".into();
        let both = digest(&[point(), other.clone()]);
        assert_eq!((both.count, both.sha256.len()), (2, 64));
        assert_ne!(both.sha256, digest(&[other, point()]).sha256);
        assert_ne!(both.sha256, digest(&[point(), point()]).sha256);
        // the SHA-256 of no bytes
        assert!(digest(&[]).sha256.starts_with("e3b0c442"));
    }
}
