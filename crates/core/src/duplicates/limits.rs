//! Thresholds and limits, each with the reason for its value.
//!
//! Measured on the 320 sample achievements, which contain no duplicates, and on synthetic near-copies of them;
//! `tests/measured.rs` prints and checks the values. Jaccard here means the similarity of character trigram sets.

/// Jaccard from which texts are near-equal. The most similar two samples reach 0.07. Copies with one character in 100
/// replaced have a mean of 0.95 (318 of 320 found), one in 50: 0.91 (314), one in 30: 0.86 (278), one in 15: 0.75 (69).
/// Copies with reordered sentences reach 1.0.
pub const TEXT_NEAR: f64 = 0.8;
/// Minimum shingles for a near-equal match: a sentence or two. Shorter texts must be equal.
pub const MIN_SHINGLES: usize = 30;
/// Minimum shingles for a match of equal texts by text alone: a title of 12 characters.
pub const MIN_EQUAL_SHINGLES: usize = 10;

/// Jaccard of character pairs from which titles of one owner are near-equal, without generic words (技术, 一种, 的). The
/// most similar two samples reach 0.35. One word added to a title of 12 characters leaves 0.85; another metal in a
/// title of 9 characters leaves 0.78.
pub const TITLE_NEAR: f64 = 0.8;
/// Jaccard below which titles are unlike.
pub const TITLE_UNLIKE: f64 = 0.3;
/// Minimum characters, without generic words, for a title to name one thing of an owner. A shorter title (水泵) needs
/// similar texts as well.
pub const MIN_TITLE_CHARS: usize = 6;
/// Text Jaccard required to support a short title.
pub const TEXT_SUPPORTS: f64 = 0.5;

/// Share of the numbers, and of the model numbers, that near-equal texts must have in common.
pub const NUMBERS_AGREE: f64 = 0.5;

/// Minimum characters that each text must have in sentences of its own for these to count as different.
pub const MIN_REST_CHARS: usize = 12;
/// Jaccard below which such sentences differ. Checked only if the titles do not already name one thing, since an update
/// may rewrite a whole sentence.
pub const REST_NEAR: f64 = 0.3;

/// Number of titles under which a sentence must occur to count as boilerplate.
pub const BOILERPLATE_TITLES: usize = 4;
/// Minimum characters of a counted sentence; shorter ones (合作方式面议) repeat by chance.
pub const MIN_SENTENCE_CHARS: usize = 8;
/// Maximum number of counted sentences: 48 MB.
pub const MAX_SENTENCES: usize = 1_000_000;

/// Maximum members of a group connected by any links. A larger group is reduced to its firm links.
pub const MAX_LOOSE_MEMBERS: usize = 30;
/// Similarity from which a link is firm; a title link needs it for both title and text.
pub const FIRM: f64 = 0.95;
/// Maximum records per registration number; above this the number is a placeholder.
pub const MAX_SAME_NUMBER: usize = 20;

/// Maximum records per search, about 0.5 KB each.
pub const MAX_RECORDS: usize = 1_000_000;
/// Maximum pairs compared, the most similar first: 7 MB during collection. 100,000 records with 5,000 copies give 5,000
/// pairs, or 280,000 if every tenth record has one company's profile. If all 100,000 share one profile, the limit is
/// exceeded, but their copies are still found because they are the most similar.
pub const MAX_PAIRS: usize = 300_000;
/// Maximum bucket size for comparing all pairs; in a larger bucket each record is compared with its neighbours.
pub const MAX_BUCKET: usize = 40;
/// Number of neighbours compared in a larger bucket.
pub const BUCKET_WINDOW: usize = 8;
/// Maximum texts cached during comparison: at most 0.3 MB each, usually 10 KB.
pub const MAX_READY: usize = 256;

/// Values in a text sketch; the estimate has a standard deviation of 0.04 at 0.8.
pub const TEXT_VALUES: usize = 120;
/// Values per band. With 20 bands of 6, one pair in 400 is missed at 0.8 and one in a million at 0.9; one in 12 is
/// examined at 0.4.
pub const TEXT_BAND: usize = 6;
/// Estimate from which two texts are compared exactly: four standard deviations below the threshold.
pub const TEXT_ESTIMATE: f64 = 0.64;
/// Values in a title sketch.
pub const TITLE_VALUES: usize = 30;
/// Values per band. With 10 bands of 3, one pair in 1,300 is missed at 0.8.
pub const TITLE_BAND: usize = 3;
/// Estimate from which two titles are compared exactly: four standard deviations below the threshold.
pub const TITLE_ESTIMATE: f64 = 0.5;
