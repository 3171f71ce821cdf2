//! Compares pairs by their full texts, which are fetched again; a limited number of texts is cached.

use std::collections::{HashMap, VecDeque};

use super::{
    boilerplate::Boilerplate,
    candidates::NearPair,
    compare::{ComparedRecord, reasons},
    content::RecordTexts,
    groups::SignedLink,
    limits::MAX_READY,
    signed::Signed,
};
use crate::domain::{Record, RecordName};

/// Confirmed links.
#[derive(Debug)]
pub(super) struct Verified {
    pub links: Vec<SignedLink>,
    /// Whether sentences were left uncounted because of the limit.
    pub is_cut: bool,
}

/// Cached texts, the oldest first.
struct Ready<F> {
    fetch: F,
    contents: HashMap<u32, Option<RecordTexts>>,
    order: VecDeque<u32>,
}

/// Confirmed links of the pairs, in pair order.
pub(super) fn verify(
    signed: &[Signed],
    pairs: &[NearPair],
    fetch: impl FnMut(&RecordName) -> Option<Record>,
) -> Verified {
    let mut ready = Ready { fetch, contents: HashMap::new(), order: VecDeque::new() };
    let boilerplate = count(signed, pairs, &mut ready);
    let mut links = Vec::new();
    for NearPair { left, right } in pairs {
        let both = signed.get(*left as usize).zip(signed.get(*right as usize));
        let Some((left_signed, right_signed)) = both else { continue };
        ready.load(*left, left_signed, *right);
        ready.load(*right, right_signed, *left);
        let (Some(left_content), Some(right_content)) = (ready.get(*left), ready.get(*right)) else { continue };
        let left_side = ComparedRecord { signed: left_signed, content: left_content };
        let right_side = ComparedRecord { signed: right_signed, content: right_content };
        let found = reasons(left_side, right_side, &boilerplate).into_iter();
        links.extend(found.map(|reason| SignedLink { left: *left, right: *right, reason }));
    }
    Verified { links, is_cut: boilerplate.is_cut }
}

/// Counts the sentences of all records in the pairs.
fn count<F: FnMut(&RecordName) -> Option<Record>>(
    signed: &[Signed],
    pairs: &[NearPair],
    ready: &mut Ready<F>,
) -> Boilerplate {
    let mut places: Vec<u32> = pairs.iter().flat_map(|pair| [pair.left, pair.right]).collect();
    places.sort_unstable();
    places.dedup();
    let mut boilerplate = Boilerplate::default();
    for place in places {
        let Some(signed) = signed.get(place as usize) else { continue };
        ready.load(place, signed, place);
        if let Some(content) = ready.get(place) {
            boilerplate.add(content);
        }
    }
    boilerplate
}

// === impl Ready ===

impl<F: FnMut(&RecordName) -> Option<Record>> Ready<F> {
    /// Loads a record's texts into the cache; never evicts `keep`.
    fn load(&mut self, place: u32, signed: &Signed, keep: u32) {
        if self.contents.contains_key(&place) {
            return;
        }
        if MAX_READY <= self.order.len()
            && let Some(oldest) = self.order.pop_front()
        {
            if oldest == keep {
                self.order.push_back(oldest);
            } else {
                self.contents.remove(&oldest);
            }
        }
        let record = (self.fetch)(&signed.name);
        self.contents.insert(place, record.map(|record| RecordTexts::new(&record)));
        self.order.push_back(place);
    }

    fn get(&self, place: u32) -> Option<&RecordTexts> {
        self.contents.get(&place)?.as_ref()
    }
}
