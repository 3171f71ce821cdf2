//! What every engine must do, tested against Qdrant Edge.
//!
//! - `sample`: random records, points and filters
//! - `contract`: the promises of `Index`, written against the trait
//! - `oracle`: searches and filters against plain Rust
//! - `crash`: kill -9 in the middle of writing and optimising
//! - `store`: opening, refusing, repairing

pub mod contract;
mod crash;
mod oracle;
pub mod sample;
mod store;
