//! Operator's work on a whole store.
//!
//! - [`reindex`]: rebuilds a store for another dictionary, model or mean vector
//! - [`mean_vector`]: computes a store's mean vector
//! - [`duplicates`]: searches a store for duplicate records

pub mod duplicates;
pub mod mean_vector;
pub mod reindex;
