use tokio::sync::mpsc::{Receiver, channel};

use super::*;
use crate::tests::{Twins, Wall, record};

/// Ids of the matches that came.
fn came(events: &mut Receiver<Event>) -> Vec<String> {
    let mut ids = Vec::new();
    while let Ok(event) = events.try_recv() {
        match event {
            Event::Match(it) => ids.push(it.found.record.id),
            Event::Checkpoint { .. } => {}
        }
    }
    ids.sort_unstable();
    ids
}

fn for_demand() -> Subscription {
    Subscription {
        subject: Subject::Record("demands/d-1".parse().unwrap()),
        target: Kind::Achievement,
        filter: Filter::default(),
        min_level: None,
        min_score: 0.0,
    }
}

#[tokio::test]
async fn a_look_finds_what_became_new_once() {
    let twins = Twins::new();
    let welding = |id: &str| record(Kind::Achievement, id, "激光焊接薄板", "焊接薄壁壳体，变形小");
    twins.store([record(Kind::Demand, "d-1", "薄板焊接变形", ""), welding("a-1"), welding("a-2")]).await;
    let watcher = Watcher::new(twins.index.clone(), twins.matcher.clone());
    let subscription = for_demand();
    let (sender, mut events) = channel(100);
    let (cursor, patience) = (Cursor::starting_at(0), Duration::ZERO);
    let mut stream = Stream { subscription, cursor, events: sender, patience };
    let mut look = async |want: &[&str]| {
        assert_eq!(watcher.look(&mut stream).await.unwrap().sent, want.len());
        assert_eq!(came(&mut events), want);
    };
    look(&["a-1", "a-2"]).await;
    look(&[]).await;
    twins.store([welding("a-3")]).await;
    look(&["a-3"]).await;
    // a new revision is new
    twins.store([record(Kind::Achievement, "a-1", "激光焊接薄板", "变形更小")]).await;
    look(&["a-1"]).await;
    look(&[]).await;
}

/// The clock of the machine is set back an hour, first while the service runs, then once more while it restarts.
#[tokio::test]
async fn a_clock_that_is_set_back_hides_nothing() {
    let wall = Wall::default();
    let twins = Twins::with_clock(wall.clock());
    let welding = |id: &str| record(Kind::Achievement, id, "激光焊接薄板", "焊接薄壁壳体，变形小");
    twins.store([record(Kind::Demand, "d-1", "薄板焊接变形", ""), welding("a-1")]).await;
    let watcher = Watcher::new(twins.index.clone(), twins.matcher.clone());
    let (sender, mut events) = channel(100);
    let now = twins.index.clock().now(&*twins.index).await.unwrap().as_second();
    let (cursor, patience) = (Cursor::starting_at(now), Duration::ZERO);
    let mut stream = Stream { subscription: for_demand(), cursor, events: sender, patience };
    watcher.look(&mut stream).await.unwrap();
    came(&mut events);
    wall.set(-3_600);
    twins.store([welding("a-2")]).await;
    watcher.look(&mut stream).await.unwrap();
    assert_eq!(came(&mut events), ["a-2"]);
    wall.set(-7_200);
    let after = twins.restarted(wall.clock()).await;
    after.store([welding("a-3")]).await;
    let watcher = Watcher::new(after.index.clone(), after.matcher.clone());
    stream.cursor = Cursor::read(&stream.cursor.bytes()).unwrap();
    watcher.look(&mut stream).await.unwrap();
    assert_eq!(came(&mut events), ["a-3"]);
}
