//! Tests of the search for duplicates.

mod brute_force;
mod measured;
mod profiles;
mod rules;

use std::collections::BTreeMap;

use super::*;
use crate::domain::{
    Detail,
    record::{Achievement, Owner},
};

fn achievement(id: &str, title: &str, body: &str) -> Record {
    let mut record = Record::new("local", id, title, Detail::empty(Kind::Achievement));
    record.body = body.to_string();
    record
}

fn owned(id: &str, owner: &str, title: &str, body: &str) -> Record {
    let mut record = achievement(id, title, body);
    record.owner = Some(Owner { name: owner.into(), credit_code: String::new(), owner_type: None });
    record
}

fn numbered(id: &str, number: &str, title: &str) -> Record {
    let mut record = achievement(id, title, "");
    record.detail = Detail::Achievement(Achievement { registration_number: number.into(), ..Achievement::default() });
    record
}

fn search(records: &[Record]) -> DuplicateReport {
    let kind = records.first().map_or(Kind::Achievement, Record::kind);
    let by_name: BTreeMap<RecordName, &Record> = records.iter().map(|record| (record.name(), record)).collect();
    let mut finder = Finder::new(kind);
    records.iter().for_each(|record| finder.add(record).unwrap());
    finder.find(|name| by_name.get(name).map(|record| (*record).clone()))
}

/// Ids of the members of each group.
fn ids(report: &DuplicateReport) -> Vec<Vec<&str>> {
    report.groups.iter().map(|group| group.members.iter().map(|name| name.id.as_str()).collect()).collect()
}

/// Codes of the reasons between two records, without spaces between them.
fn between(left: &Record, right: &Record) -> String {
    let report = search(&[left.clone(), right.clone()]);
    let links = report.groups.iter().flat_map(|group| &group.links);
    links.map(|link| link.reason.code()).collect::<Vec<_>>().join(" ")
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = shingle::mix(self.0);
        (self.0 % end as u64) as usize
    }
}

/// Columns of the achievements of the samples: title, body.
fn samples() -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/achievements.csv");
    let text = std::fs::read_to_string(path).unwrap();
    rows(&text).skip(1).map(|row| (row[1].clone(), row[2].clone())).collect()
}

/// Rows of a CSV text with quotes.
fn rows(text: &str) -> impl Iterator<Item = Vec<String>> + '_ {
    let mut chars = text.trim_start_matches('\u{FEFF}').chars().peekable();
    std::iter::from_fn(move || {
        chars.peek()?;
        let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        while let Some(character) = chars.next() {
            match character {
                '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(std::mem::take(&mut cell)),
                '\n' if !quoted => break,
                _ => cell.push(character),
            }
        }
        row.push(cell);
        Some(row)
    })
}
