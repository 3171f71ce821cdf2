//! Work on a whole store that an operator asks for.
//!
//! - [`reindex`]: rebuilds a store for another dictionary, model or mean vector
//! - [`mean_vector`]: makes a mean vector from a store
//! - [`duplicates`]: searches a store for records that are the same thing

pub mod duplicates;
pub mod mean_vector;
pub mod reindex;
