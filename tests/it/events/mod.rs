//! Matchmaking events over real gRPC.

mod bad_input;
mod day;
mod engines;
mod life;
mod outcomes;
mod setting;
