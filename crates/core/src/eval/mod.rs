//! Measures the ranking against human judgements.
//!
//! - [`measures`]: nDCG, Spearman, AUC, recall and MRR of one demand, pure
//! - [`judgements`]: the file of graded pairs
//! - [`report`]: means over all demands
//! - [`features`]: ranking features of each graded pair
//! - [`levels`]: error and reliability of predicted levels
//! - [`calibrate`]: fits a calibration to features

pub mod calibrate;
pub mod features;
pub mod judgements;
pub mod levels;
pub mod measures;
pub mod report;
