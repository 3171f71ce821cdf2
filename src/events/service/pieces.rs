//! A plan cut into pieces, so that a page of a list reads its own pieces and not the whole plan. Pure.
//!
//! The head holds the plan without its lists, and says what lies in which piece. The pieces of a list follow each other
//! in the order of the list.

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, Serialize};

use crate::events::model::{Change, LeftOut, Meeting, Plan, Shortlisted, Unplaced};
use duijie_core::domain::RecordName;

/// Bytes of a piece, about: an entry that is longer alone makes a longer one.
const PIECE_BYTES: usize = 64 << 10;

/// A list of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Chosen and left-out pairs, by demand.
    Shortlists,
    /// Meetings.
    Meetings,
    /// Chosen pairs without a meeting.
    Unplaced,
    /// Changes since the previous plan.
    Changes,
}

/// A plan without its lists, with the contents of the pieces.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The plan; its lists are empty.
    pub plan: Plan,
    /// Number of demands with a shortlist.
    pub demands: usize,
    /// Number of meetings.
    pub meetings: usize,
    /// Number of chosen pairs without a meeting.
    pub unplaced: usize,
    /// Number of changes.
    pub changes: usize,
    /// The pieces: all of one list, then all of the next one.
    pub pieces: Vec<Contents>,
}

/// What a piece holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// List.
    pub list: List,
    /// Entries of the list before this piece; of the shortlists, the demands that begin before it.
    pub first: usize,
    /// Demand of the first entry.
    pub demand: RecordName,
    /// Whether the first entry belongs to a shortlist that began before this piece.
    pub continues: bool,
    /// Hash of the text.
    pub hash: String,
}

/// Some entries of a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Piece {
    /// Chosen pairs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shortlist: Vec<Shortlisted>,
    /// Pairs that were not chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Meetings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub meetings: Vec<Meeting>,
    /// Chosen pairs without a meeting.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<Unplaced>,
    /// Changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// Cuts lists.
#[derive(Default)]
struct Cutter {
    contents: Vec<Contents>,
    pieces: Vec<Piece>,
    /// Bytes of the last piece.
    bytes: usize,
}

/// Place of an entry: its list, what is before it, its demand, and whether it continues a shortlist.
type Place<'a> = (List, usize, &'a RecordName, bool);

/// Cuts a plan. The hashes of the contents are set when the pieces are written.
///
/// # Errors
/// Never for plans of this service: JSON can hold them.
pub fn cut(plan: &Plan) -> serde_json::Result<(Head, Vec<Piece>)> {
    let mut cutter = Cutter::default();
    let mut lists: BTreeMap<&RecordName, (Vec<&Shortlisted>, Vec<&LeftOut>)> = BTreeMap::new();
    plan.shortlist.iter().for_each(|it| lists.entry(&it.pair.demand).or_default().0.push(it));
    plan.left_out.iter().for_each(|it| lists.entry(&it.pair.demand).or_default().1.push(it));
    for (number, (demand, (chosen, left_out))) in lists.iter().enumerate() {
        let place = |index: usize| (List::Shortlists, number + usize::from(0 < index), *demand, 0 < index);
        for (index, it) in chosen.iter().enumerate() {
            cutter.add(place(index), *it, |piece| &mut piece.shortlist)?;
        }
        for (index, it) in left_out.iter().enumerate() {
            cutter.add(place(chosen.len() + index), *it, |piece| &mut piece.left_out)?;
        }
    }
    for (index, it) in plan.meetings.iter().enumerate() {
        cutter.add((List::Meetings, index, &it.pair.demand, false), it, |piece| &mut piece.meetings)?;
    }
    for (index, it) in plan.unplaced.iter().enumerate() {
        cutter.add((List::Unplaced, index, &it.pair.demand, false), it, |piece| &mut piece.unplaced)?;
    }
    for (index, it) in plan.changes.iter().enumerate() {
        cutter.add((List::Changes, index, &it.pair.demand, false), it, |piece| &mut piece.changes)?;
    }
    let head = Head {
        demands: lists.len(),
        meetings: plan.meetings.len(),
        unplaced: plan.unplaced.len(),
        changes: plan.changes.len(),
        plan: without_lists(plan),
        pieces: cutter.contents,
    };
    Ok((head, cutter.pieces))
}

/// The plan of a head and all of its pieces.
pub fn joined(head: Head, pieces: impl IntoIterator<Item = Piece>) -> Plan {
    let mut plan = head.plan;
    for piece in pieces {
        plan.shortlist.extend(piece.shortlist);
        plan.left_out.extend(piece.left_out);
        plan.meetings.extend(piece.meetings);
        plan.unplaced.extend(piece.unplaced);
        plan.changes.extend(piece.changes);
    }
    plan
}

fn without_lists(plan: &Plan) -> Plan {
    Plan {
        number: plan.number,
        inputs: plan.inputs,
        layout: plan.layout,
        versions: plan.versions.clone(),
        proof: plan.proof.clone(),
        shortfalls: plan.shortfalls.clone(),
        costs: plan.costs.clone(),
        schedule: plan.schedule,
        shared: plan.shared.clone(),
        shortlist: Vec::new(),
        left_out: Vec::new(),
        meetings: Vec::new(),
        unplaced: Vec::new(),
        changes: Vec::new(),
    }
}

// === impl Cutter ===

impl Cutter {
    fn add<T: Clone + Serialize>(
        &mut self,
        (list, first, demand, continues): Place<'_>,
        entry: &T,
        entries: impl FnOnce(&mut Piece) -> &mut Vec<T>,
    ) -> serde_json::Result<()> {
        let bytes = serde_json::to_string(entry)?.len();
        let fits = self.contents.last().is_some_and(|last| last.list == list) && self.bytes + bytes <= PIECE_BYTES;
        if !fits {
            let (demand, hash) = (demand.clone(), String::new());
            self.contents.push(Contents { list, first, demand, continues, hash });
            self.pieces.push(Piece::default());
            self.bytes = 0;
        }
        self.bytes += bytes;
        if let Some(piece) = self.pieces.last_mut() {
            entries(piece).push(entry.clone());
        }
        Ok(())
    }
}

// === impl Head ===

impl Head {
    /// The pieces of a list.
    pub fn of(&self, list: List) -> Range<usize> {
        let start = self.pieces.iter().position(|it| it.list == list).unwrap_or(self.pieces.len());
        let count = self.pieces.iter().filter(|it| it.list == list).count();
        start..start + count
    }

    /// The pieces with the shortlists of these demands, counted from 0, and the number of the demand that is first in
    /// them.
    pub fn of_demands(&self, demands: Range<usize>) -> (Range<usize>, usize) {
        let within = self.within(List::Shortlists, &demands);
        let first = self.pieces.get(within.start).map_or(0, |it| it.first.saturating_sub(usize::from(it.continues)));
        (within, first)
    }

    /// The pieces with the shortlist of a demand.
    pub fn of_demand(&self, demand: &RecordName) -> Range<usize> {
        let all = self.of(List::Shortlists);
        let pieces = self.pieces.get(all.clone()).unwrap_or_default();
        let start = pieces.partition_point(|it| it.demand < *demand).saturating_sub(1);
        let end = pieces.partition_point(|it| it.demand <= *demand);
        all.start + start..all.start + end.max(start)
    }

    /// The pieces with these entries of a list, counted from 0, and the number of the first entry in them. Of the
    /// shortlists: see [`Head::of_demands`].
    pub fn of_entries(&self, list: List, entries: Range<usize>) -> (Range<usize>, usize) {
        let within = self.within(list, &entries);
        let first = self.pieces.get(within.start).map_or(0, |it| it.first);
        (within, first)
    }

    fn within(&self, list: List, entries: &Range<usize>) -> Range<usize> {
        let all = self.of(list);
        let pieces = self.pieces.get(all.clone()).unwrap_or_default();
        let start = pieces.partition_point(|it| it.first <= entries.start).saturating_sub(1);
        // a piece that begins with the rest of the last wanted shortlist counts that one as begun
        let end = pieces.partition_point(|it| it.first.saturating_sub(usize::from(it.continues)) < entries.end);
        all.start + start..all.start + end.max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::model::{LeftOutReason, Pair, UnplacedCause, plan::Why};

    fn name(kind: &str, number: usize) -> RecordName {
        format!("{kind}/r-{number:04}").parse().unwrap()
    }

    /// Each demand has this many pairs, chosen and left out; each chosen one meets.
    fn plan(demands: usize, chosen: usize, left_out: usize) -> Plan {
        let pairs = |count: usize, more: usize| {
            (0..demands).flat_map(move |demand| {
                (0..count).map(move |it| Pair::new(name("demands", demand), name("achievements", more + it)))
            })
        };
        let reasons =
            || vec![LeftOutReason::CounterpartCap { taken_by: (0..9).map(|it| name("demands", it)).collect() }];
        let mut plan = Plan { number: 3, ..Plan::default() };
        plan.shortlist = pairs(chosen, 0)
            .map(|pair| Shortlisted { pair, score: 0.5, level: None, rank: 1, why: Why::Chosen })
            .collect();
        plan.left_out = pairs(left_out, chosen)
            .map(|pair| LeftOut { pair, score: 0.25, level: None, rank: 2, reasons: reasons(), loss: None })
            .collect();
        plan.meetings = pairs(chosen, 0)
            .enumerate()
            .map(|(at, pair)| Meeting { pair, slot: at / 50, table: (at % 50) as u32, locked: false })
            .collect();
        plan.unplaced = pairs(1, 0).map(|pair| Unplaced { pair, cause: UnplacedCause::SamePerson }).collect();
        plan.changes = pairs(1, 0).map(|pair| Change { pair, from: None, to: Some((1, 2)) }).collect();
        plan.sort();
        plan
    }

    #[test]
    fn pieces_are_short_and_join_to_the_plan() {
        for plan in [plan(300, 3, 10), plan(2, 700, 900), plan(1, 1, 0), Plan::default()] {
            let (head, pieces) = cut(&plan).unwrap();
            assert_eq!(head.pieces.len(), pieces.len());
            for piece in &pieces {
                let text = serde_json::to_string(piece).unwrap();
                assert!(text.len() < PIECE_BYTES * 5 / 4, "{}", text.len());
                assert_eq!(serde_json::from_str::<Piece>(&text).unwrap(), *piece);
            }
            assert_eq!(joined(head, pieces), plan);
        }
    }

    #[test]
    fn every_demand_and_meeting_is_where_the_head_says() {
        // many demands in a piece, and many pieces of a demand
        for plan in [plan(300, 3, 10), plan(5, 700, 900)] {
            let (head, pieces) = cut(&plan).unwrap();
            let demands = head.demands;
            assert!(8 < head.of(List::Shortlists).len());
            for from in (0..demands).step_by(1 + demands / 20) {
                for to in [from + 1, from + 2, from + 50] {
                    let (range, first) = head.of_demands(from..to);
                    let wanted =
                        |demand: &RecordName| (from..to.min(demands)).any(|number| *demand == name("demands", number));
                    let found = joined(head.clone(), pieces[range.clone()].iter().cloned());
                    let chosen = found.shortlist.iter().filter(|it| wanted(&it.pair.demand)).count();
                    let left_out = found.left_out.iter().filter(|it| wanted(&it.pair.demand)).count();
                    let all = |pairs: usize| pairs / demands * (to.min(demands) - from);
                    assert_eq!((chosen, left_out), (all(plan.shortlist.len()), all(plan.left_out.len())));
                    assert!(first <= from, "{first} {from}");
                    let begins = found.shortlist.iter().map(|it| &it.pair.demand);
                    let begins = begins.chain(found.left_out.iter().map(|it| &it.pair.demand)).min();
                    assert_eq!(begins, Some(&name("demands", first)));
                }
                let one = joined(head.clone(), pieces[head.of_demand(&name("demands", from))].iter().cloned());
                let chosen = one.shortlist.iter().filter(|it| it.pair.demand == name("demands", from)).count();
                assert_eq!(chosen, plan.shortlist.len() / demands);
            }
            for from in [0, 1, plan.meetings.len() / 2, plan.meetings.len() - 1] {
                let to = (from + 20).min(plan.meetings.len());
                let (range, first) = head.of_entries(List::Meetings, from..to);
                assert!(range.len() <= 2);
                let found = joined(head.clone(), pieces[range].iter().cloned()).meetings;
                assert_eq!(found[from - first..to - first], plan.meetings[from..to]);
            }
        }
    }

    #[test]
    fn a_page_reads_little() {
        let (head, pieces) = cut(&plan(300, 3, 10)).unwrap();
        let (range, _) = head.of_demands(100..101);
        assert!(range.len() <= 2 && 10 < pieces.len());
        assert!(head.of_demand(&name("demands", 100)).len() <= 2);
        assert!(head.of_demands(300..350).0.len() <= 1, "behind the end");
        assert_eq!(Head::default().of_demands(0..50), (0..0, 0));
        assert_eq!(Head::default().of_entries(List::Meetings, 7..50), (0..0, 0));
    }
}
