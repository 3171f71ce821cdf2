//! Random records, points and filters, the same for the same seed.

use std::path::Path;

use duijie_core::{
    domain::{Detail, Filter, Kind, Range, Record, RecordName, codes::*, record::*},
    text::{LexicalQuery, SparseVector},
};
use duijie_store::{
    DocumentWrite, EdgeIndex, EdgeOptions, Expect, Index, Key, Point, STORE_FORMAT, StoreVersions, Tuning,
};

/// Dimensions of the sample embeddings.
pub const DIMENSIONS: usize = 16;

/// Pseudo-random numbers (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// -1 to 1.
    pub fn float(&mut self) -> f32 {
        (self.next() % 2_000_001) as f32 / 1e6 - 1.0
    }

    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// Some value in about half of the cases.
    pub fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| value(self))
    }
}

const REGIONS: [&str; 8] = ["130000", "130100", "130102", "130200", "131000", "110000", "110108", "130682"];
const INDUSTRIES: [&str; 7] = ["C", "C38", "C385", "C3851", "C39", "A01", "C3852"];
const FIELDS: [&str; 6] = ["10", "101", "10101", "80", "804", "80406"];
const OWNERS: [&str; 4] = ["甲大学", "乙公司", "丙研究院", "914403001922038216"];
const ACHIEVEMENTS: [&str; 3] = ["r-0", "r-1", "r-2"];
const SOURCES: [&str; 3] = ["local", "tianjin", "beijing"];

fn codes<C: Code>() -> Vec<C> {
    C::TABLE.iter().map(|(code, _)| *code).collect()
}

fn time(dice: &mut Dice) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_700_000_000 + dice.below(50) as i64).unwrap()
}

/// A record in which each filtered field is set about half of the time.
pub fn record(kind: Kind, id: &str, dice: &mut Dice) -> Record {
    let mut record = Record::new(dice.pick(&SOURCES), id, format!("题目{id}"), Detail::empty(kind));
    record.region = dice.maybe(|dice| dice.pick(&REGIONS)).unwrap_or_default().to_string();
    record.industry = dice.maybe(|dice| dice.pick(&INDUSTRIES)).unwrap_or_default().to_string();
    record.field = dice.maybe(|dice| dice.pick(&FIELDS)).unwrap_or_default().to_string();
    record.policy_field = dice.maybe(|dice| dice.pick(&codes()));
    record.status = dice.pick(&codes());
    record.owner = dice.maybe(|dice| Owner {
        name: dice.pick(&OWNERS[..3]).to_string(),
        credit_code: dice.maybe(|_| OWNERS[3]).unwrap_or_default().to_string(),
        owner_type: None,
    });
    record.publish_time = dice.maybe(time);
    record.update_time = dice.maybe(time);
    record.revision = 1;
    match &mut record.detail {
        Detail::Achievement(achievement) => {
            achievement.stage = dice.maybe(|dice| dice.pick(&codes()));
            achievement.trl = dice.maybe(|dice| 1 + dice.below(9) as u8);
            achievement.price_yuan = dice.maybe(|dice| dice.below(100) as i64);
        }
        Detail::Demand(demand) => {
            demand.budget_yuan = dice.maybe(|dice| dice.below(100) as i64);
            demand.deadline = dice.maybe(time);
        }
        Detail::Expert(expert) => {
            let ids: Vec<&str> = (0..dice.below(3)).map(|_| dice.pick(&ACHIEVEMENTS)).collect();
            expert.achievement_ids = ids.into_iter().map(String::from).collect();
        }
    }
    record
}

/// Distinct terms with weights above 0; low numbers are more frequent.
pub fn sparse(dice: &mut Dice, terms: usize, vocabulary: usize) -> SparseVector {
    let mut chosen = std::collections::BTreeMap::new();
    while chosen.len() < terms {
        let term = dice.below(vocabulary).min(dice.below(vocabulary)) as u32;
        chosen.insert(term.wrapping_mul(0x9e37_79b9), dice.float().abs() + 0.01);
    }
    SparseVector { indices: chosen.keys().copied().collect(), values: chosen.values().copied().collect() }
}

pub fn dense(dice: &mut Dice, dimensions: usize) -> Vec<f32> {
    (0..dimensions).map(|_| dice.float()).collect()
}

/// A point of that record.
pub fn point(record: Record, dice: &mut Dice) -> Point {
    let query = LexicalQuery { terms: vec![(record.title.clone(), dice.float())] };
    Point { record, dense: dense(dice, DIMENSIONS), sparse: sparse(dice, 8, 200), query }
}

/// Points `0..count` of a kind.
pub fn points(kind: Kind, count: usize, dice: &mut Dice) -> Vec<Point> {
    (0..count).map(|number| point(record(kind, &format!("r-{number}"), dice), dice)).collect()
}

fn some<T: Clone>(all: &[T], dice: &mut Dice) -> Vec<T> {
    if dice.below(5) != 0 {
        return Vec::new();
    }
    (0..=dice.below(3)).map(|_| dice.pick(all)).collect()
}

fn range(from: i64, width: usize, dice: &mut Dice) -> Option<Range> {
    (dice.below(5) == 0).then(|| {
        let min = from + dice.below(width) as i64;
        let (min, max) = (dice.maybe(|_| min), dice.maybe(|dice| min + dice.below(width) as i64));
        Range { min: min.or(max.is_none().then_some(from)), max }
    })
}

fn achievements(dice: &mut Dice) -> Vec<RecordName> {
    let name = |id: &str, source: &str| RecordName { kind: Kind::Achievement, source: source.into(), id: id.into() };
    (0..=dice.below(2)).map(|_| name(dice.pick(&ACHIEVEMENTS), dice.pick(&SOURCES))).collect()
}

/// A filter with few conditions.
pub fn filter(dice: &mut Dice) -> Filter {
    let strings = |all: &[&str], dice: &mut Dice| some(all, dice).into_iter().map(String::from).collect();
    Filter {
        regions: strings(&REGIONS, dice),
        industries: strings(&INDUSTRIES, dice),
        fields: strings(&FIELDS, dice),
        policy_fields: some(&codes(), dice),
        stages: some(&codes(), dice),
        trl: range(1, 9, dice),
        amount_yuan: range(0, 100, dice),
        statuses: some(&codes(), dice),
        owners: strings(&OWNERS, dice),
        excluded_owners: strings(&OWNERS, dice),
        publish_time: range(1_700_000_000, 50, dice),
        update_time: range(1_700_000_000, 50, dice),
        sources: strings(&SOURCES, dice),
        deadline: range(1_700_000_000, 50, dice),
        achievements: if dice.below(4) == 0 { achievements(dice) } else { Vec::new() },
    }
}

/// Options of a test store: graphs from 32 KiB (512 points), and only on request.
pub fn options(folder: &Path) -> EdgeOptions {
    EdgeOptions {
        folder: folder.to_path_buf(),
        dimensions: DIMENSIONS,
        versions: StoreVersions { format: STORE_FORMAT, text: "1".into(), model: "sample".into() },
        any_version: false,
        tuning: Tuning {
            graph_from_kib: 32,
            scan_up_to_kib: 10,
            optimize_after_points: u64::MAX,
            optimize_after_rest: std::time::Duration::from_secs(3_600),
            ..Tuning::default()
        },
    }
}

/// Opens a store.
pub fn open(folder: &Path) -> EdgeIndex {
    EdgeIndex::open(options(folder)).unwrap()
}

/// Writes documents in a few folders, by name and number, with and without tags; some more than once.
pub async fn write_documents(index: &dyn Index, count: usize) {
    for round in 0..2 {
        let writes = (0..count as u64).filter(|number| round == 0 || number.is_multiple_of(3)).map(|number| {
            let (folder, text) = (format!("folder-{}", number % 4), format!("{{\"轮\":{round},\"号\":{number}}}"));
            let key =
                if number.is_multiple_of(2) { Key::Number(number) } else { Key::Name(format!("名称-{number}")) };
            let write = DocumentWrite::new(folder, key, text, Expect::Any);
            if number.is_multiple_of(5) { write } else { write.tagged(format!("tag-{}", number % 5)) }
        });
        index.write_documents(writes.collect()).await.unwrap();
    }
}
