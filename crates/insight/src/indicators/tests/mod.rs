//! Tables of complete texts, and properties.

mod compares;
mod forms;
mod parses;
mod properties;
