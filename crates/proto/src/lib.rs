//! Wire types, generated from `proto/` at build time.

#![allow(missing_docs, reason = "generated; the comments are in proto/")]
#![allow(clippy::all, clippy::pedantic, reason = "generated")]

pub mod json;
pub mod weight;

tonic::include_proto!("duijie.v1");

/// Descriptors of all messages and services, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/duijie_descriptor.bin"));

/// The roles that may call each method, by its path; they are numbers of [`Role`]. Made from the option `role` of `proto/`.
pub const METHOD_ROLES: &[(&str, &[i32])] = include!(concat!(env!("OUT_DIR"), "/roles.rs"));
