use futures::FutureExt;

use super::*;

const WAITS: Waits = Waits { target: Duration::from_millis(50), burst: Duration::from_millis(150) };

/// A gate with all places taken, and the calls that have them.
async fn full(waits: Waits) -> (Gate, Vec<Running>) {
    let gate = Gate::new(1_000, waits);
    let calls = gate.0.limit.lock().calls();
    let mut running = Vec::new();
    for _ in 0..calls {
        running.push(gate.enter(&Call::of(1)).await.unwrap());
    }
    (gate, running)
}

fn is_busy<T>(entered: Result<T, Error>) -> bool {
    matches!(entered, Err(Error::Busy { retry_ms }) if RETRY_MS.contains(&retry_ms))
}

#[tokio::test]
async fn a_burst_waits_for_its_turn() {
    let (gate, mut running) = full(Waits { burst: Duration::from_secs(3_600), ..WAITS }).await;
    let calls = [1, 1, 1, 2].map(Call::of);
    let mut waiting: Vec<_> = calls.iter().map(|call| Box::pin(gate.enter(call))).collect();
    assert!(waiting.iter_mut().all(|call| call.now_or_never().is_none()));
    running.pop();
    let _first = waiting[0].as_mut().now_or_never().unwrap().unwrap();
    // a caller with a single call is next, whoever came before it
    running.pop();
    let _other = waiting[3].as_mut().now_or_never().unwrap().unwrap();
    assert!(waiting[1].as_mut().now_or_never().is_none());
}

#[tokio::test]
async fn a_line_that_stands_is_an_overload_and_its_calls_are_refused() {
    // any line is an overload
    let waits = Waits { target: Duration::from_secs(3_600), burst: Duration::ZERO };
    let (gate, mut running) = full(waits).await;
    let places = running.len();
    let call = Call::of(1);
    let mut waiting: Vec<_> = (0..places).map(|_| Box::pin(gate.enter(&call))).collect();
    assert!(waiting.iter_mut().all(|call| call.now_or_never().is_none()));
    // as many wait as run: the next is refused, and so before its request is read
    assert!(is_busy(gate.enter(&call).now_or_never().unwrap()));
    assert!(is_busy(gate.check(&call)));
    // not so another caller, whose turn comes first
    let other = Call::of(2);
    assert!(gate.check(&other).is_ok());
    let mut entered = Box::pin(gate.enter(&other));
    assert!(entered.as_mut().now_or_never().is_none());
    running.pop();
    running.pop();
    assert!(entered.now_or_never().is_some_and(|entered| entered.is_ok()));
    // afterwards all is as before
    drop((waiting, running));
    assert_eq!(
        gate.0.running.stats(),
        duijie_cpu::PlacesStats { held: 0, waiting: 0, callers: 0, waiting_since: None }
    );
    assert!(gate.check(&call).is_ok());
    assert!(gate.enter(&call).now_or_never().is_some_and(|entered| entered.is_ok()));
}

#[tokio::test]
async fn who_waits_longer_than_its_time_is_refused() {
    let (gate, running) = full(WAITS).await;
    assert!(is_busy(gate.enter(&Call::of(1)).await));
    assert_eq!(gate.0.running.stats().waiting, 0);
    drop(running);
}

#[tokio::test]
async fn waiting_of_calls_that_run_lowers_the_limit() {
    let (gate, running) = full(WAITS).await;
    let before = running.len();
    for running in running {
        running.call.add_wait(10 * WAITS.target);
        // as if each ended in an interval of its own
        gate.0.limit.lock().ended(10 * WAITS.target, Instant::now() + 2 * super::super::limit::INTERVAL);
        drop(running);
    }
    assert!(gate.0.limit.lock().calls() < before);
}
