//! Measures the order against judgements made by people.
//!
//! - [`measures`]: nDCG, Spearman, AUC, recall and MRR of one demand, pure
//! - [`judgements`]: the file of graded pairs
//! - [`report`]: means over all demands

pub mod judgements;
pub mod measures;
pub mod report;
