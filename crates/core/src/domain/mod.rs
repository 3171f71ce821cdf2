//! Records and their validation. No I/O, no runtime, no wire types.
//!
//! - [`record`]: achievements, demands and experts as checked plain values
//! - [`name`]: the three kinds and the names of records
//! - [`codes`]: enumerations with their Chinese names
//! - [`gb`]: national code tables (GB/T 2260, GB/T 4754, GB 32100) and their check characters
//! - [`filter`]: conditions on records
//! - [`check`]: all validation rules for records
//! - [`violation`]: errors in an input, in English and Chinese
//! - [`hit`]: match results

pub mod check;
pub mod codes;
pub mod filter;
pub mod gb;
pub mod hit;
pub mod name;
mod places;
pub mod record;
pub mod violation;

pub use codes::Code;
pub use filter::{Filter, Range};
pub use name::{Kind, RecordName};
pub use record::{Detail, Record};
pub use violation::{Problem, Violation, Violations};
