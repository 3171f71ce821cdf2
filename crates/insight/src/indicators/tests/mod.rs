//! Tables of whole texts, and properties.

mod compares;
mod parses;
mod properties;
