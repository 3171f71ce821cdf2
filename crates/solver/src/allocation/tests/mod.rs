//! Tests of the allocation: against all subsets, by properties, and at the edges.

mod brute;
mod edges;
mod explained;
mod optimum;
mod problems;
