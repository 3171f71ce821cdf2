//! What to do wrong, and what was called.

use std::{sync::Mutex, time::Duration};

use http::HeaderMap;
use tonic::Code;

use super::store::held;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The work begins late.
    Slow(Duration),
    /// The work is done at once, the answer comes late.
    Late(Duration),
    /// UNAVAILABLE, nothing done.
    Unavailable,
    /// Done, then UNAVAILABLE: an answer that got lost.
    UnavailableAfter,
    /// All connections are cut, nothing done.
    DropConnection,
    /// Done, then all connections are cut.
    DropConnectionAfter,
    /// Done twice: a network that repeats.
    Repeat,
    /// Another code, nothing done.
    Error(Code),
}

/// Faults to come and calls that came.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    faults: Mutex<Vec<(String, Fault, usize)>>,
    /// Method and timeout of each call, in order.
    calls: Mutex<Vec<(String, Option<Duration>)>>,
}

// === impl Traffic ===

impl Traffic {
    pub(super) fn inject(&self, method: &str, fault: Fault, times: usize) {
        held(self.faults.lock()).push((method.to_string(), fault, times));
    }

    pub(super) fn heal(&self) {
        held(self.faults.lock()).clear();
    }

    pub(super) fn next_fault(&self, method: &str) -> Option<Fault> {
        let mut faults = held(self.faults.lock());
        let (_, fault, times) = faults.iter_mut().find(|(name, _, times)| 0 < *times && is(method, name))?;
        *times -= 1;
        Some(*fault)
    }

    pub(super) fn note(&self, method: &str, headers: &HeaderMap) {
        let timeout = headers.get("grpc-timeout").and_then(|value| duration(value.to_str().ok()?));
        held(self.calls.lock()).push((method.to_string(), timeout));
    }

    pub(super) fn calls(&self, name: &str) -> usize {
        held(self.calls.lock()).iter().filter(|(method, _)| is(method, name)).count()
    }

    pub(super) fn last_timeout(&self, name: &str) -> Option<Duration> {
        held(self.calls.lock()).iter().rfind(|(method, _)| is(method, name))?.1
    }
}

/// Whether "Points/Get" is called "Points/Get", "Get" or "*".
fn is(method: &str, name: &str) -> bool {
    name == "*" || method == name || method.strip_suffix(name).is_some_and(|service| service.ends_with('/'))
}

/// Digits and a unit, as the gRPC protocol says.
fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let nanos = match unit {
        "H" => 3_600_000_000_000,
        "M" => 60_000_000_000,
        "S" => 1_000_000_000,
        "m" => 1_000_000,
        "u" => 1_000,
        "n" => 1,
        _ => return None,
    };
    Some(Duration::from_nanos(digits.parse::<u64>().ok()?.checked_mul(nanos)?))
}
