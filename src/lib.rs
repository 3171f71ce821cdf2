//! duijie (对接) finds, for a technical demand, the achievements and experts that can meet it, and the other way round.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod domain;
pub mod index;
pub mod text;
