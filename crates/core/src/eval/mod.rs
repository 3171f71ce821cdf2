//! Measures the order against judgements made by people.
//!
//! - [`measures`]: nDCG, Spearman, AUC, recall and MRR of one demand, pure
//! - [`judgements`]: the file of graded pairs
//! - [`report`]: means over all demands
//! - [`features`]: what the ranking knows of each graded pair
//! - [`levels`]: errors and reliability of announced levels
//! - [`calibrate`]: from features to a calibration

pub mod calibrate;
pub mod features;
pub mod judgements;
pub mod levels;
pub mod measures;
pub mod report;
