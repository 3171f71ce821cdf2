//! All integration tests in one binary: the real model, the real engine, real gRPC on 127.0.0.1.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod access;
mod answer_size;
mod bad_day;
mod bad_input;
mod catalog;
mod clients;
mod command_line;
mod connections;
mod deploy;
mod duplicates;
mod events;
mod evidence;
mod experts;
mod harness;
mod health;
mod index;
mod json_lines;
mod limits;
mod matching;
mod on_server;
mod overload;
#[path = "../qdrant_server/mod.rs"]
mod qdrant_server;
mod quality;
mod relevance;
mod rematch;
mod rematch_api;
mod seeds;
mod slow_callers;
mod slow_readers;
mod tidy;
mod transfer;
mod transfer_commands;
mod transfer_server;
mod watch;
mod wire_server;
