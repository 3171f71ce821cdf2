//! Tests of the allocation: brute force, properties, edge cases.

mod brute;
mod edges;
mod explained;
mod optimum;
mod problems;
