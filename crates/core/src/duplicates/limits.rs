//! Thresholds and limits, each with the reason for its value.
//!
//! Measured on the 320 achievements of the samples, no two of them the same, and on made-up near-copies of these
//! achievements; `tests/measured.rs` prints and checks it. Jaccard is that of the sets of three characters in a row.

/// Jaccard from which texts are near-equal. The most alike two of the samples reach 0.07. Copies of the samples with one
/// character in 100 replaced reach 0.95 in the mean (318 of 320 are found), one in 50 0.91 (314), one in 30 0.86 (278), one
/// in 15 0.75 (69); copies with other order of the sentences reach 1.0.
pub const TEXT_NEAR: f64 = 0.8;
/// Fewest shingles of a text that can be near-equal to another: a sentence or two. Shorter texts have to be equal.
pub const MIN_SHINGLES: usize = 30;
/// Fewest shingles of a text that can be equal to another without an owner who says so: a title of 12 characters.
pub const MIN_EQUAL_SHINGLES: usize = 10;

/// Jaccard of pairs of characters from which titles of one owner are near-equal, generic words (技术, 一种, 的) left out. The
/// most alike two of the samples reach 0.35.
/// A word added to a title of 12 characters leaves 0.85; another metal in a title of 9 characters leaves 0.78.
pub const TITLE_NEAR: f64 = 0.8;
/// Below this titles say different things.
pub const TITLE_UNLIKE: f64 = 0.3;
/// Fewest characters of a title, generic words left out, that names one thing of an owner. A shorter one (水泵) needs
/// texts that are alike.
pub const MIN_TITLE_CHARS: usize = 6;
/// Jaccard of texts that supports a short title.
pub const TEXT_SUPPORTS: f64 = 0.5;

/// Part of the numbers, and of the model numbers, that near-equal texts have to share.
pub const NUMBERS_AGREE: f64 = 0.5;

/// Characters that each of two texts must have in sentences of its own to say something different by them.
pub const MIN_REST_CHARS: usize = 12;
/// Jaccard below which such sentences say different things. It is asked only where the titles do
/// not name one thing already, since an update may rewrite a whole sentence.
pub const REST_NEAR: f64 = 0.3;

/// Titles under which a sentence stands that says nothing of the thing itself.
pub const BOILERPLATE_TITLES: usize = 4;
/// Fewest characters of a sentence that can be counted; shorter ones (合作方式面议) are common by chance.
pub const MIN_SENTENCE_CHARS: usize = 8;
/// Most sentences that are counted: 48 MB.
pub const MAX_SENTENCES: usize = 1_000_000;

/// Most members of a group that may hang together by any links. A larger one is cut down to its firm links.
pub const MAX_LOOSE_MEMBERS: usize = 30;
/// Measure of texts from which a link is firm; one of titles has to reach it with both.
pub const FIRM: f64 = 0.95;
/// Most records with one registration number; more of them make it a placeholder.
pub const MAX_SAME_NUMBER: usize = 20;

/// Most records of a search; at about 0.5 KB each.
pub const MAX_RECORDS: usize = 1_000_000;
/// Most pairs that are compared, the most alike ones: 7 MB while they are gathered. 100,000 records with 5,000 copies among
/// them have 5,000 pairs, and 280,000 where each tenth record has one company's profile. 100,000 records that all share one
/// profile have more; their copies are found all the same, since they are the most alike.
pub const MAX_PAIRS: usize = 300_000;
/// Most records of a bucket that are all compared with each other; in a larger one each is compared with some next to it.
pub const MAX_BUCKET: usize = 40;
/// With how many, in a larger bucket.
pub const BUCKET_WINDOW: usize = 8;
/// Texts that are kept ready while pairs are compared: 0.3 MB for each at most, 10 KB as a rule.
pub const MAX_READY: usize = 256;

/// Values of a text's sketch: the measure that it estimates has a standard deviation of 0.04 at 0.8.
pub const TEXT_VALUES: usize = 120;
/// Values in a band. 20 bands of 6: of pairs with 0.8 one in 400 is missed, with 0.9 one in a million, and of those with
/// 0.4 one in 12 is looked at.
pub const TEXT_BAND: usize = 6;
/// Estimate from which a pair of texts is compared exactly: four standard deviations below what is wanted.
pub const TEXT_ESTIMATE: f64 = 0.64;
/// Values of a title's sketch.
pub const TITLE_VALUES: usize = 30;
/// Values in a band. 10 bands of 3: of pairs with 0.8 one in 1,300 is missed.
pub const TITLE_BAND: usize = 3;
/// Estimate from which a pair of titles is compared exactly: four standard deviations below what is wanted.
pub const TITLE_ESTIMATE: f64 = 0.5;
