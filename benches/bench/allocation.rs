//! Shortlists of whole events: `cargo bench -- allocation`.
//!
//! 100 × 300 with all 30,000 pairs, and 1,000 × 3,000 with the best 100 of each demand. Quota variants: none; caps per
//! organisation (nested); quotas by city and by field of the counterparts (crossing); all of them with minimums, on
//! both sides. `explained` is the last variant with the cost of every constraint.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, SamplingMode};
use duijie_solver::allocation::{
    Attribute, Candidate, Effort, Group, Participant, Problem, Quota, Rules, Side, allocate,
};
use fastrand::Rng;

use crate::support;

const CITIES: u32 = 12;
const FIELDS: u32 = 10;
/// Counterparts per demand.
const PLACES: u32 = 5;

/// Quotas of an event.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    organisations: bool,
    crossing: bool,
    minimums: bool,
    is_explained: bool,
}

const PLAIN: Kind =
    Kind { name: "limits", organisations: false, crossing: false, minimums: false, is_explained: false };
const KINDS: [Kind; 5] = [
    PLAIN,
    Kind { name: "organisations", organisations: true, ..PLAIN },
    Kind { name: "city and field", crossing: true, ..PLAIN },
    Kind { name: "all with minimums", organisations: true, crossing: true, minimums: true, ..PLAIN },
    Kind { name: "explained", organisations: true, crossing: true, minimums: true, is_explained: true },
];

/// Runs the benches of this file.
pub fn allocation(criterion: &mut Criterion) {
    if !support::asked_for(&["allocation"]) {
        return;
    }
    for (demands, counterparts, each) in [(100, 300, 300), (1000, 3000, 100)] {
        let mut group = criterion.benchmark_group(format!("allocation/{demands}x{counterparts}"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(10));
        for kind in KINDS {
            let problem = event(demands, counterparts, each, kind);
            let effort = Effort::default();
            let effort = if kind.is_explained { effort } else { Effort { cost_pivots: 0, ..effort } };
            group.bench_function(kind.name, |bencher| {
                bencher.iter(|| allocate(black_box(&problem), &effort, &|| false));
            });
        }
        group.finish();
    }
}

fn event(demands: usize, counterparts: usize, each: usize, kind: Kind) -> Problem {
    let mut random = Rng::with_seed(7);
    let mut side = |count: usize, limit: u32, organisations: u32| -> Vec<Participant> {
        let mut participant = || Participant {
            limit,
            organisation: Some(random.u32(0..organisations)),
            city: Some(random.u32(0..CITIES)),
            field: Some(random.u32(0..FIELDS)),
        };
        (0..count).map(|_| participant()).collect()
    };
    let asking = side(demands, PLACES, demands as u32 / 2);
    let answering = side(counterparts, 3, counterparts as u32 / 6);
    let pairs = candidates(&asking, &answering, each, &mut random);
    let quotas = quotas(demands as u32 * PLACES, counterparts as u32 / 6, kind);
    let rules = Rules { min_level: Some(2), same_organisation_apart: true, ..Rules::default() };
    Problem { demands: asking, counterparts: answering, pairs, quotas, rules }
}

/// The best of each demand: some counterparts suit all demands, and those of the same field suit more.
fn candidates(demands: &[Participant], counterparts: &[Participant], each: usize, random: &mut Rng) -> Vec<Candidate> {
    let liked: Vec<f64> = counterparts.iter().map(|_| random.f64() * 0.3).collect();
    let mut pairs = Vec::new();
    for (demand, asks) in demands.iter().enumerate() {
        let mut row: Vec<(f64, usize)> = counterparts
            .iter()
            .enumerate()
            .map(|(place, answers)| {
                let same = if asks.field == answers.field { 0.25 } else { 0.0 };
                ((0.45 * random.f64() + liked[place] + same).min(1.0), place)
            })
            .collect();
        row.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        pairs.extend(row.into_iter().take(each).map(|(value, counterpart)| Candidate {
            demand: demand as u32,
            counterpart: counterpart as u32,
            value,
            level: Some(1 + ((value * 4.0) as u8).min(3)),
        }));
    }
    pairs
}

fn quotas(places: u32, organisations: u32, kind: Kind) -> Vec<Quota> {
    let mut quotas = Vec::new();
    let mut add = |side: Side, attribute: Attribute, keys: u32, (min, max): (u32, u32)| {
        quotas.extend((0..keys).map(|key| Quota {
            group: Group { side, attribute, key },
            min: if kind.minimums { min } else { 0 },
            max: Some(max),
        }));
    };
    if kind.organisations {
        add(Side::Counterparts, Attribute::Organisation, organisations, (0, 8));
    }
    if kind.crossing {
        add(Side::Counterparts, Attribute::City, CITIES, (places / 24, places / 16));
        add(Side::Counterparts, Attribute::Field, FIELDS, (places / 20, places / 12));
    }
    if kind.crossing && kind.minimums {
        add(Side::Demands, Attribute::City, CITIES, (0, places / 12));
        add(Side::Demands, Attribute::Field, FIELDS, (0, places / 10));
    }
    quotas
}
