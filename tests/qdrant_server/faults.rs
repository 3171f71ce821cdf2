//! Faults to inject, and calls received.

use std::{sync::Mutex, time::Duration};

use http::HeaderMap;
use tonic::Code;

use super::store::held;

/// Fault of a call.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The work starts late.
    Slow(Duration),
    /// The work is done at once, but the answer is late.
    Late(Duration),
    /// UNAVAILABLE, without doing the work.
    Unavailable,
    /// UNAVAILABLE after doing the work: a lost answer.
    UnavailableAfter,
    /// All connections are cut, without doing the work.
    DropConnection,
    /// All connections are cut after doing the work.
    DropConnectionAfter,
    /// The work is done twice: a network that repeats messages.
    Repeat,
    /// Another code, without doing the work.
    Error(Code),
}

/// Pending faults, and calls received.
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

/// Returns whether a method such as "Points/Get" matches `name`: "Points/Get", "Get" or "*".
fn is(method: &str, name: &str) -> bool {
    name == "*" || method == name || method.strip_suffix(name).is_some_and(|service| service.ends_with('/'))
}

/// Parses digits and a unit, as in the gRPC protocol.
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
