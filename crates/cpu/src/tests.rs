use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
    task::Poll,
};

use super::*;

/// Work that holds its place until it is told to end.
async fn hold(pool: &Arc<Pool>, lane: Lane) -> (Sender<()>, tokio::task::JoinHandle<Result<(), CpuError>>) {
    let (end, ended): (Sender<()>, Receiver<()>) = channel();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let held = tokio::spawn({
        let pool = Arc::clone(pool);
        let work = move || {
            begun.send(()).unwrap();
            ended.recv().unwrap_or_default();
        };
        async move { pool.run(lane, work).await }
    });
    begins.await.unwrap();
    (end, held)
}

/// Starts to wait: a future is a call only once it is polled.
async fn waits<T>(call: &mut (impl Future<Output = T> + Unpin)) {
    let polled = std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *call).poll(context).is_pending()));
    assert!(polled.await);
}

#[tokio::test]
async fn work_waits_for_a_place_and_too_much_of_it_is_refused() {
    let pool = Arc::new(Pool::new(1, 1));
    let (end, held) = hold(&pool, Lane::Bulk).await;
    let mut second = Box::pin(pool.run(Lane::Bulk, || 2));
    waits(&mut second).await;
    assert_eq!(pool.stats(Lane::Bulk), LaneStats { pending: 1, running: 1 });
    assert_eq!(pool.run(Lane::Bulk, || 3).await, Err(CpuError::Busy));
    // the other lane has places of its own
    assert_eq!(pool.run(Lane::Interactive, || 4).await, Ok(4));
    end.send(()).unwrap();
    assert_eq!((second.await, held.await.unwrap()), (Ok(2), Ok(())));
    assert_eq!(pool.stats(Lane::Bulk), LaneStats::default());
}

#[tokio::test]
async fn work_whose_caller_has_gone_does_not_begin() {
    let pool = Arc::new(Pool::new(1, 8));
    let (end, held) = hold(&pool, Lane::Interactive).await;
    let begun = Arc::new(AtomicUsize::new(0));
    let count = |begun: &Arc<AtomicUsize>| {
        let begun = Arc::clone(begun);
        move || begun.fetch_add(1, SeqCst)
    };
    let mut gone = Box::pin(pool.run(Lane::Interactive, count(&begun)));
    let mut stays = Box::pin(pool.run(Lane::Interactive, count(&begun)));
    waits(&mut gone).await;
    waits(&mut stays).await;
    assert_eq!(pool.stats(Lane::Interactive).pending, 2);
    drop(gone);
    assert_eq!(pool.stats(Lane::Interactive).pending, 1);
    end.send(()).unwrap();
    assert_eq!(stays.await, Ok(0));
    held.await.unwrap().unwrap();
    assert_eq!(begun.load(SeqCst), 1);
}

#[tokio::test]
async fn a_panic_is_an_error_and_frees_the_place() {
    let pool = Pool::new(1, 0);
    let broken = |pool: Pool| async move {
        let said = pool
            .run(Lane::Bulk, || {
                if true {
                    panic!("a mistake of {}", 1)
                }
            })
            .await;
        (pool, said)
    };
    let (pool, said) = broken(pool).await;
    assert_eq!(said, Err(CpuError::Panicked("a mistake of 1".into())));
    assert_eq!(pool.run(Lane::Bulk, || 1).await, Ok(1));
    assert_eq!(
        thread("test", || if true {
            panic!("another")
        })
        .unwrap()
        .join()
        .await,
        Err(CpuError::Panicked("another".into()))
    );
}

#[tokio::test]
async fn threads_of_their_own_take_no_place() {
    let (end, ended) = channel::<()>();
    let own = thread("test", move || ended.recv().is_ok()).unwrap();
    assert!(0 < threads());
    assert_eq!(run(Lane::Interactive, || 1).await, Ok(1));
    end.send(()).unwrap();
    assert_eq!(own.join().await, Ok(true));
}

#[tokio::test]
async fn a_short_call_does_not_wait_for_a_long_one() {
    let pool = Arc::new(Pool::new(1, 100));
    let (end, held) = hold(&pool, Lane::Bulk).await;
    let done = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let work = |name: &'static str| {
        let done = Arc::clone(&done);
        move || done.lock().push(name)
    };
    let (long, short, other) = (Call::of(1), Call::of(1), Call::of(2));
    let calls = [(&long, "long"), (&long, "long"), (&long, "long"), (&short, "short"), (&other, "other")];
    let mut waiting = Vec::new();
    for (call, name) in calls {
        let (pool, work) = (Arc::clone(&pool), work(name));
        let before = pool.stats(Lane::Bulk).pending;
        let task = {
            let pool = Arc::clone(&pool);
            async move { pool.run(Lane::Bulk, work).await }
        };
        waiting.push(tokio::spawn(call.clone().run(task)));
        while pool.stats(Lane::Bulk).pending == before {
            tokio::task::yield_now().await;
        }
    }
    end.send(()).unwrap();
    held.await.unwrap().unwrap();
    for call in waiting {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
    assert_eq!(*done.lock(), ["long", "other", "short", "long", "long"]);
    // bulk work waits for its like: that says nothing of the load
    assert_eq!(short.waited(), std::time::Duration::ZERO);
}

#[tokio::test]
async fn a_call_knows_how_long_it_has_waited_also_in_a_task_of_its_own() {
    let pool = Arc::new(Pool::new(1, 100));
    let (end, held) = hold(&pool, Lane::Interactive).await;
    let call = Call::of(7);
    let mut waiting = None;
    let spawning = async {
        let pool = Arc::clone(&pool);
        let asks = async move { pool.run(Lane::Interactive, || Call::current().is_none()).await };
        waiting = Some(tokio::spawn(carried(asks)));
    };
    call.clone().run(spawning).await;
    while pool.stats(Lane::Interactive).pending == 0 {
        tokio::task::yield_now().await;
    }
    std::thread::sleep(std::time::Duration::from_millis(2));
    end.send(()).unwrap();
    assert_eq!(waiting.unwrap().await.unwrap(), Ok(true));
    held.await.unwrap().unwrap();
    assert!(!call.waited().is_zero());
}

#[tokio::test]
async fn places_can_become_fewer_and_more() {
    let places = Places::new(2, 10);
    let (first, second) = (places.take().await.unwrap(), places.take().await.unwrap());
    places.set_total(1);
    let mut third = Box::pin(places.take());
    waits(&mut third).await;
    assert!(places.stats().waiting_since.is_some());
    drop(first);
    // one is held, and one is all there is
    waits(&mut third).await;
    places.set_total(2);
    let third = third.await.unwrap();
    assert_eq!((places.stats().held, places.stats().waiting_since), (2, None));
    drop((second, third));
    assert_eq!(places.stats().held, 0);
}
