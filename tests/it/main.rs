//! All integration tests in one binary: the real model, the real engine, real gRPC on 127.0.0.1.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bad_input;
mod catalog;
mod command_line;
mod crash;
mod duplicates;
mod harness;
mod index;
mod limits;
mod matching;
mod on_server;
#[path = "../qdrant_server/mod.rs"]
mod qdrant_server;
mod quality;
mod tidy;
mod transfer;
mod transfer_commands;
mod wire_server;
