//! What is known of an open connection, and when it is closed: while it says nothing, when its calls are over, when its
//! client takes no answers, when it is old.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::caller::Caller;

/// Time for which a client may leave an answer that is ready.
const UNREAD: Duration = Duration::from_secs(120);
/// Longest time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Limits of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at a time; more are closed at once. At most half of the files that the process may open.
    pub max: usize,
    /// Calls at a time of one connection. A client waits with further ones.
    pub max_calls: u32,
    /// Time for the first bytes.
    pub handshake: Duration,
    /// Time after which a connection without calls is closed.
    pub idle: Duration,
    /// Age at which a connection takes no new calls; `None` for any age.
    pub age: Option<Duration>,
    /// Time after that age for calls to end; then the connection is closed.
    pub grace: Duration,
}

/// An open connection. Requests carry it as an extension.
#[derive(Debug)]
pub struct Connection {
    caller: Caller,
    opened: Instant,
    limits: ConnectionLimits,
    state: Mutex<State>,
}

/// A call of a connection, until dropped.
#[derive(Debug)]
pub struct InFlight {
    connection: Arc<Connection>,
    number: u64,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It never said what it speaks.
    Handshake,
    /// It has had no calls for long.
    Idle,
    /// Its client does not take an answer.
    Unread,
    /// It is too old, and its calls do not end.
    Age,
}

#[derive(Debug)]
struct State {
    begun: bool,
    calls: usize,
    next: u64,
    /// When the last call ended, or the connection was opened.
    quiet_since: Instant,
    /// Calls with a part of an answer that the client has not taken, and since when.
    unread: HashMap<u64, Instant>,
}

// === impl Closed ===

impl Closed {
    /// Name in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Idle => "idle",
            Self::Unread => "unread",
            Self::Age => "age",
        }
    }
}

// === impl Connection ===

impl Connection {
    /// A connection that was just opened.
    pub fn new(peer: Option<SocketAddr>, limits: ConnectionLimits) -> Self {
        let caller = peer.map_or(Caller::Unknown, |peer| Caller::at(peer.ip()));
        let now = Instant::now();
        let state = State { begun: false, calls: 0, next: 0, quiet_since: now, unread: HashMap::new() };
        Self { caller, opened: now, limits, state: Mutex::new(state) }
    }

    /// Who calls.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// The client has said what it speaks.
    pub fn begin(&self) {
        self.state.lock().begun = true;
    }

    /// Counts a call until the result is dropped.
    pub fn enter(self: &Arc<Self>) -> InFlight {
        let mut state = self.state.lock();
        state.calls += 1;
        state.next += 1;
        InFlight { connection: Arc::clone(self), number: state.next }
    }

    /// When to look again, or why the connection is closed.
    pub fn look(&self, now: Instant) -> Result<Instant, Closed> {
        let (state, limits) = (self.state.lock(), &self.limits);
        if !state.begun {
            let end = self.opened + limits.handshake;
            return if end <= now { Err(Closed::Handshake) } else { Ok(end) };
        }
        if state.calls == 0 && state.quiet_since + limits.idle <= now {
            return Err(Closed::Idle);
        }
        if state.unread.values().any(|since| *since + UNREAD <= now) {
            return Err(Closed::Unread);
        }
        // tonic ends the taking of calls at the age
        if limits.age.is_some_and(|age| self.opened + age + limits.grace <= now) {
            return Err(Closed::Age);
        }
        Ok(now + (limits.idle / 4).clamp(Duration::from_millis(10), LOOK_EVERY))
    }
}

// === impl InFlight ===

impl InFlight {
    /// A part of the answer waits for the client.
    pub fn handed(&self) {
        self.connection.state.lock().unread.insert(self.number, Instant::now());
    }

    /// The client has taken what was handed over.
    pub fn taken(&self) {
        self.connection.state.lock().unread.remove(&self.number);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.connection.state.lock();
        state.calls -= 1;
        state.unread.remove(&self.number);
        state.quiet_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn connection() -> Arc<Connection> {
        let limits = ConnectionLimits {
            max: 1,
            max_calls: 1,
            handshake: seconds(10),
            idle: seconds(300),
            age: Some(seconds(1_000)),
            grace: seconds(500),
        };
        Arc::new(Connection::new(None, limits))
    }

    #[test]
    fn a_connection_that_says_nothing_is_closed() {
        let connection = connection();
        let opened = connection.opened;
        assert!(connection.look(opened + seconds(9)).is_ok());
        assert_eq!(connection.look(opened + seconds(10)), Err(Closed::Handshake));
        connection.begin();
        assert!(connection.look(opened + seconds(10)).is_ok());
    }

    #[test]
    fn a_connection_without_calls_is_closed_and_one_with_a_call_stays() {
        let connection = connection();
        connection.begin();
        let opened = connection.opened;
        let call = connection.enter();
        assert!(connection.look(opened + seconds(900)).is_ok());
        drop(call);
        let quiet = connection.state.lock().quiet_since;
        assert!(opened <= quiet);
        assert!(connection.look(quiet + seconds(299)).is_ok());
        assert_eq!(connection.look(quiet + seconds(300)), Err(Closed::Idle));
    }

    #[test]
    fn a_connection_whose_client_takes_no_answer_is_closed() {
        let connection = connection();
        connection.begin();
        let (stuck, quiet) = (connection.enter(), connection.enter());
        stuck.handed();
        let later = Instant::now() + UNREAD;
        assert_eq!(connection.look(later), Err(Closed::Unread));
        stuck.taken();
        assert!(connection.look(later).is_ok());
        // a call that has nothing to send waits as long as it likes
        stuck.handed();
        drop(stuck);
        assert!(connection.look(later).is_ok());
        drop(quiet);
    }

    #[test]
    fn an_old_connection_has_its_grace() {
        let connection = connection();
        connection.begin();
        let _call = connection.enter();
        assert!(connection.look(connection.opened + seconds(1_499)).is_ok());
        assert_eq!(connection.look(connection.opened + seconds(1_500)), Err(Closed::Age));
    }
}
