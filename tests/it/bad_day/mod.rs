//! A bad day: kills and a full disk. `make chaos` runs these tests, and others, for longer than CI does.

use std::env;

pub mod expected;
mod kills;
pub mod server;
mod small_disk;

/// Rounds of a test: as many as `make chaos` asks for, else `short`.
pub fn rounds(short: u64) -> u64 {
    env::var("CHAOS_ROUNDS").map_or(short, |rounds| rounds.parse().unwrap())
}
