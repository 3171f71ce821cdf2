//! Matchmaking events over real gRPC.

mod bad_input;
mod commands;
mod day;
mod engines;
mod life;
mod outcomes;
mod pages;
mod people;
pub mod setting;
