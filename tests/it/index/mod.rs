//! What every engine must do.
//!
//! - `sample`: random records, points and filters
//! - `contract`: the promises of `Index`, written against the trait; `engines`: run on each
//! - `documents`: the promises of `Documents`
//! - `server`: what only a server across the network can do to us
//! - `oracle`: searches and filters against plain Rust
//! - `crash`: kill -9 in the middle of writing and optimising
//! - `settled`: counts and pages while much is written
//! - `store`: opening, refusing, repairing

pub mod contract;
mod crash;
mod documents;
pub mod engines;
mod oracle;
pub mod sample;
pub mod server;
mod settled;
mod store;
