//! duijie (对接) finds, for a technical demand, the achievements and experts that can meet it, and the other way round.
//!
//! See ARCHITECTURE.md for the map. The layers, each knowing only what stands below it:
//! [`cli`] → [`grpc`] → [`app`] → [`matcher`], [`ingest`], [`reindex`], [`transfer`], [`duplicate_search`] → [`embed`],
//! [`index`], [`rank`], [`duplicates`] → [`text`] → [`domain`].
//! Beside the order stands [`evidence`] → [`indicators`], [`policy`], [`diagnosis`]; [`allocation`] and [`scheduling`] know
//! nothing of the crate.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod allocation;
pub mod app;
pub mod calls;
pub mod cli;
pub mod config;
pub mod deadline;
pub mod diagnosis;
pub mod domain;
pub mod duplicate_search;
pub mod duplicates;
pub mod embed;
pub mod error;
pub mod eval;
pub mod event;
pub mod event_export;
pub mod events;
pub mod evidence;
pub mod files;
pub mod grpc;
pub mod index;
pub mod indicators;
pub mod ingest;
pub mod matcher;
pub mod metrics;
pub mod pb;
pub mod policy;
pub mod rank;
pub mod recentre;
pub mod reindex;
pub mod rematch;
pub mod rematch_difference;
pub mod rematch_export;
pub mod rematch_reader;
pub mod rematch_schedule;
pub mod rematch_scheduler;
pub mod scheduling;
pub mod telemetry;
pub mod text;
pub mod transfer;
pub mod watch;
