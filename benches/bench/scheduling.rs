//! The schedule of an event: `cargo bench -- schedule`.

use std::{collections::BTreeSet, hint::black_box, time::Duration};

use criterion::Criterion;
use duijie_solver::scheduling::{Input, Meeting, MeetingRequest, Participant, Published, Work, schedule};

use crate::support::Random;

/// Measured events: name, demands, counterparts, slots, tables, pairs.
const EVENTS: [(&str, [usize; 5]); 3] = [
    ("100x300 550 pairs", [100, 300, 16, 40, 550]),
    ("100x300 800 pairs, too many", [100, 300, 16, 40, 800]),
    ("1000x3000 8000 pairs", [1000, 3000, 32, 300, 8000]),
];

/// Measures first schedules, and one cancellation after them. Prints placed meetings, gaps and table changes.
pub fn scheduling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("schedule");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    for (name, sizes) in EVENTS {
        let input = event(sizes);
        let mut first: Vec<Meeting> = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let made = schedule(black_box(&input), &Work::default()).expect("nothing contradicts itself");
                if first.is_empty() {
                    let numbers = &made.statistics;
                    eprintln!(
                        "{name}: {} of {} placed, weight {} of at most {}, {} gaps, {} moves of hosts, {} of guests, {} steps",
                        numbers.placed, numbers.wanted, numbers.placed_weight, numbers.max_weight, numbers.gaps,
                        numbers.host_moves, numbers.guest_moves, numbers.steps,
                    );
                    first = made.meetings;
                }
            });
        });
        if first.is_empty() {
            continue; // not asked for
        }
        let mut cancelled = input.clone();
        cancelled.participants[0].available.fill(false);
        cancelled.pairs.retain(|pair| pair.demand != 0);
        cancelled.published = Some(Published { meetings: first, refill: true });
        group.bench_function(format!("{name}, one cancelled"), |bencher| {
            bencher.iter(|| schedule(black_box(&cancelled), &Work::default()).expect("nothing contradicts itself"));
        });
    }
    group.finish();
}

/// A generated event: days of eight slots; one in ten participants present for half of them; popular counterparts with
/// at most six meetings; presenters of one to three people; one table in ten spare.
fn event([demands, counterparts, slots, tables, pairs]: [usize; 5]) -> Input {
    let mut random = Random(7);
    let mut input = Input {
        days: (0..slots).map(|slot| u32::try_from(slot / 8).expect("few days")).collect(),
        tables: vec![None; tables],
        spare_percent: 10,
        presenters: (0..counterparts / 2).map(|_| 1 + u32::try_from(random.below(3)).expect("small")).collect(),
        ..Input::default()
    };
    for at in 0..demands + counterparts {
        let half = (random.below(10) == 0).then(|| random.below(2) == 0);
        let available = (0..slots).map(|slot| half.is_none_or(|early| (slot < slots / 2) == early)).collect();
        let presenter = (demands <= at && random.below(10) < 6).then(|| random.below(counterparts / 2));
        input.participants.push(Participant { available, presenter });
    }
    let (mut load, mut seen, mut turn) = (vec![0; counterparts], BTreeSet::new(), 0);
    while input.pairs.len() < pairs {
        let (demand, counterpart) = (turn % demands, random.below(counterparts).min(random.below(counterparts)));
        turn += 1;
        if load[counterpart] < 6 && seen.insert((demand, counterpart)) {
            load[counterpart] += 1;
            let weight = 100 + u32::try_from(random.below(900)).expect("small");
            input.pairs.push(MeetingRequest { demand, counterpart: demands + counterpart, weight });
        }
    }
    input
}
