//! Wire types, generated from `proto/` at build time.

#![allow(missing_docs, reason = "generated; the comments are in proto/")]
#![allow(clippy::all, clippy::pedantic, reason = "generated")]

pub mod json;
pub mod weight;

tonic::include_proto!("duijie.v1");

/// Descriptors of all messages and services, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/duijie_descriptor.bin"));
