//! Logging: one line per event to standard error, as text or JSON.

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::Log;

/// Sets up logging for the process.
///
/// # Errors
/// A sentence when the filter cannot be parsed.
pub fn start(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| format!("log.filter 无法解析：{error}"))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = if log.json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|error| format!("无法开启日志：{error}"))
}
