//! What every engine must do.
//!
//! - `sample`: random records, points and filters
//! - `contract`: the promises of `Index`, written against the trait; `engines`: run on each
//! - `documents`: the promises of `Documents`
//! - `server`: what only a server across the network can do to us
//! - `oracle`: searches and filters against plain Rust
//! - `crash`: kill -9 in the middle of writing and optimising
//! - `store`: opening, refusing, repairing
//! - `wrapped`: an engine that does one thing otherwise, for tests

pub mod contract;
mod crash;
mod documents;
pub mod engines;
mod oracle;
pub mod sample;
pub mod server;
mod store;
pub mod wrapped;
