//! Places that are shared fairly: whoever finds none free waits for its turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    CpuError,
    call::{Call, Turn},
    line::Line,
};

/// Places; clones share them. Callers take turns, and so do the calls of a caller.
#[derive(Debug, Clone)]
pub struct Places(Arc<Mutex<State>>);

/// A place that is held until this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    waited: Duration,
}

/// How things stand with places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacesStats {
    /// Places that are held.
    pub held: usize,
    /// Those that wait for one.
    pub waiting: usize,
    /// Callers among them.
    pub callers: usize,
    /// Since when somebody has waited without a break.
    pub waiting_since: Option<Instant>,
}

#[derive(Debug)]
struct State {
    total: usize,
    held: usize,
    max_waiting: usize,
    line: Line<oneshot::Sender<Place>>,
    waiting_since: Option<Instant>,
    next: u64,
}

/// Somebody in the line, until dropped.
struct Waiting<'a> {
    places: &'a Places,
    turn: Turn,
    id: u64,
}

// === impl Places ===

impl Places {
    /// So many places, and at most `max_waiting` that wait for one.
    pub fn new(total: usize, max_waiting: usize) -> Self {
        let (line, total) = (Line::new(), total.max(1));
        Self(Arc::new(Mutex::new(State { total, held: 0, max_waiting, line, waiting_since: None, next: 0 })))
    }

    /// Takes a place for the present call, as soon as it is its turn.
    ///
    /// # Errors
    /// [`CpuError::Busy`] if too many wait.
    pub async fn take(&self) -> Result<Place, CpuError> {
        self.take_for(Call::current().as_ref()).await
    }

    /// As [`Places::take`], for another call.
    ///
    /// # Errors
    /// [`CpuError::Busy`] if too many wait.
    pub async fn take_for(&self, call: Option<&Call>) -> Result<Place, CpuError> {
        let turn = call.map_or_else(Turn::default, Call::turn);
        let started = Instant::now();
        let (id, mine) = {
            let mut state = self.0.lock();
            // who came first has its turn first
            if state.held < state.total && state.line.len() == 0 {
                state.held += 1;
                return Ok(Place { places: self.clone(), waited: Duration::ZERO });
            }
            if state.max_waiting <= state.line.len() {
                return Err(CpuError::Busy);
            }
            let (turns, mine) = oneshot::channel();
            let id = state.next;
            state.next += 1;
            state.line.push(turn, id, turns);
            state.waiting_since.get_or_insert(started);
            (id, mine)
        };
        let _waiting = Waiting { places: self, turn, id };
        let mut place = mine.await.map_err(|_| CpuError::Closed)?;
        place.waited = started.elapsed();
        Ok(place)
    }

    /// Changes the number of places. Where there are fewer than are held, those that are freed are not given out again.
    pub fn set_total(&self, total: usize) {
        self.0.lock().total = total.max(1);
        self.hand_out();
    }

    /// How many of a call's caller wait.
    pub fn waiting_of(&self, call: &Call) -> usize {
        self.0.lock().line.len_of(call.turn().caller)
    }

    /// How things stand.
    pub fn stats(&self) -> PlacesStats {
        let state = self.0.lock();
        let (waiting, callers) = (state.line.len(), state.line.callers());
        PlacesStats { held: state.held, waiting, callers, waiting_since: state.waiting_since }
    }

    /// Gives free places to those that wait.
    fn hand_out(&self) {
        loop {
            let mut state = self.0.lock();
            if state.total <= state.held {
                return;
            }
            let Some(next) = state.line.pop() else { return };
            state.held += 1;
            state.look();
            drop(state);
            // one that has gone in this moment gives it back when it is dropped
            let _ = next.send(Place { places: self.clone(), waited: Duration::ZERO });
        }
    }
}

// === impl State ===

impl State {
    fn look(&mut self) {
        if self.line.len() == 0 {
            self.waiting_since = None;
        }
    }
}

// === impl Place ===

impl Place {
    /// Time that its holder waited for it.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.lock().held -= 1;
        self.places.hand_out();
    }
}

// === impl Waiting ===

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.places.0.lock();
        state.line.remove(self.turn, self.id);
        state.look();
    }
}
