//! Tables of complete texts, and properties.

mod compares;
mod parses;
mod properties;
