//! Standard output. With `--json` it holds lines of JSON and nothing else: what is meant for people goes to standard
//! error. A reader who closes the pipe has read enough, so the command then ends quietly.

use std::{
    fmt,
    io::{self, Write},
    process,
    sync::OnceLock,
};

use anyhow::Context;
use prost::Name;
use serde::Serialize;

use super::exit;
use duijie_proto::json::to_json;

/// Whether `--json` was given.
static JSON: OnceLock<bool> = OnceLock::new();

/// Says whether data are printed as JSON; called once, at the start.
pub fn set_json(json: bool) {
    let _ = JSON.set(json);
}

/// Whether data are printed as JSON.
pub fn is_json() -> bool {
    JSON.get().copied().unwrap_or_default()
}

/// With `--json`, prints each message as a line and returns true.
///
/// # Errors
/// If a message has no JSON.
pub fn as_json<'a, M: Name + 'a>(messages: impl IntoIterator<Item = &'a M>) -> anyhow::Result<bool> {
    if is_json() {
        for message in messages {
            let line = to_json(message).context("服务的回答无法写成 JSON")?;
            to_stdout(format_args!("{line}\n"));
        }
    }
    Ok(is_json())
}

/// Prints a value as a line of JSON; only with `--json`.
///
/// # Errors
/// If it has no JSON.
pub fn line(value: &impl Serialize) -> anyhow::Result<()> {
    let line = serde_json::to_string(value)?;
    to_stdout(format_args!("{line}\n"));
    Ok(())
}

/// Writes what is meant for people: to standard output, or with `--json` to standard error.
pub fn for_people(text: fmt::Arguments) {
    if is_json() { to_stderr(text) } else { to_stdout(text) }
}

/// Writes to standard error; nobody can be told if that fails.
pub fn to_stderr(text: fmt::Arguments) {
    let _ = io::stderr().lock().write_fmt(text);
}

fn to_stdout(text: fmt::Arguments) {
    let mut stdout = io::stdout().lock();
    let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) else { return };
    if error.kind() == io::ErrorKind::BrokenPipe {
        process::exit(0);
    }
    to_stderr(format_args!("错误：无法写到标准输出：{error}\n"));
    process::exit(i32::from(exit::FAILED));
}
