//! Tests of all engines.
//!
//! - `sample`: random records, points and filters
//! - `contract`: the contract of `Index`; `engines`: runs it on each engine
//! - `documents`: the contract of `Documents`
//! - `server`: faults that only a remote server has; `nodes`: several nodes, of which one is away
//! - `oracle`: searches and filters against plain Rust
//! - `crash`: kill -9 in the middle of writing and optimising
//! - `damage`: flipped bits in the files of the engine
//! - `settled`: counts and pages while much is written
//! - `disk`: a nearly full disk
//! - `journal`: damaged and missing journals
//! - `store`: opening, refusing, repairing
//! - `wrapped`: an engine that does one thing otherwise, for tests

pub mod contract;
mod crash;
mod damage;
mod disk;
mod documents;
pub mod engines;
mod journal;
mod nodes;
mod oracle;
pub mod sample;
pub mod server;
mod settled;
mod store;
pub mod wrapped;
