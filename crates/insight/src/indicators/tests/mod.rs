//! Tables of complete texts, and properties.

mod compares;
mod forms;
mod misread;
mod parses;
mod properties;
