//! What every engine must do.
//!
//! - `sample`: random records, points and filters
//! - `contract`: the promises of `Index`, written against the trait; `engines`: run on each
//! - `documents`: the promises of `Documents`
//! - `server`: what only a server across the network can do to us
//! - `oracle`: searches and filters against plain Rust
//! - `memory`: an engine in memory, for many cases in little time; it keeps the same promises
//! - `crash`: kill -9 in the middle of writing and optimising
//! - `store`: opening, refusing, repairing

pub mod contract;
mod crash;
mod documents;
pub mod engines;
pub mod memory;
mod oracle;
pub mod sample;
pub mod server;
mod store;
