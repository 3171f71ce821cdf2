//! Tables for users: wide characters count double, long texts wrap.

use std::{collections::BTreeMap, fmt::Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::grade::grade_label;
use crate::{api::convert::record_in, config::KEYS};
use duijie_core::domain::{Code, Record, gb};
use duijie_proto as pb;

/// Width in columns without a terminal.
const WIDTH: u16 = 120;
/// Most terms printed per match.
const SHOWN_TERMS: usize = 6;
/// Least weight of a printed term, as a share of the highest.
const MIN_WEIGHT: f64 = 0.2;

/// Matches: rank, score, level if levels are known, title, owner, region, matched terms.
pub fn matches(matches: &[pb::Match]) -> String {
    let has_levels = matches.iter().any(|found| found.level.is_some());
    let level = has_levels.then_some("等级");
    let headings = ["名次", "得分"].into_iter().chain(level).chain(["名称", "单位", "地区", "匹配词"]);
    let mut table = table(&headings.collect::<Vec<_>>());
    for found in matches {
        let Some(record) = found.record.clone().and_then(|record| record_in(record).ok()) else { continue };
        let terms = whole_words(&found.matched_terms);
        let mut row = vec![
            Cell::new(found.rank).set_alignment(CellAlignment::Right),
            Cell::new(format!("{:.3}", found.score)).set_alignment(CellAlignment::Right),
        ];
        row.extend(has_levels.then(|| Cell::new(found.level.map_or("", |level| grade_label(level.grade)))));
        row.extend([
            Cell::new(format!("{}\n{}", record.title, record.name())),
            Cell::new(owner(&record)),
            Cell::new(gb::region_label(&record.region)),
            Cell::new(terms.join("、")),
        ]);
        table.add_row(row);
    }
    finish(&table)
}

/// The words that say why: without pieces of longer ones, which the index has for recall, without single letters and
/// digits, and without words that are in so many texts that they hardly count.
fn whole_words(terms: &[pb::MatchedTerm]) -> Vec<&str> {
    let best = terms.iter().map(|term| term.weight).fold(0.0, f64::max);
    let is_piece = |term: &str| terms.iter().any(|other| other.term.len() > term.len() && other.term.contains(term));
    let says = |term: &&pb::MatchedTerm| {
        let short = term.term.chars().count() < 2 || (term.term.is_ascii() && term.term.len() < 3);
        !short && !is_piece(&term.term) && MIN_WEIGHT * best <= term.weight
    };
    terms.iter().filter(says).take(SHOWN_TERMS).map(|term| term.term.as_str()).collect()
}

/// Records: name, title, owner, region, status, amount.
pub fn records(records: &[Record]) -> String {
    let mut table = table(&["记录名", "名称", "单位", "地区", "状态", "金额（元）"]);
    for record in records {
        let amount = record.amount_yuan().map_or_else(|| "面议".to_string(), |yuan| yuan.to_string());
        table.add_row(vec![
            record.name().to_string(),
            record.title.clone(),
            owner(record),
            gb::region_label(&record.region),
            record.status.label().to_string(),
            amount,
        ]);
    }
    finish(&table)
}

/// Members of a group of duplicates: name, title, owner.
pub fn duplicates(members: &[pb::DuplicateMember]) -> String {
    let mut table = table(&["记录名", "名称", "单位"]);
    for member in members {
        let owner = member.owner.as_ref().map_or("", |owner| owner.name.as_str());
        table.add_row([member.name.as_str(), member.title.as_str(), owner]);
    }
    finish(&table)
}

/// Rows of texts under headings.
pub fn rows(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = table(headings);
    table.add_rows(rows);
    finish(&table)
}

/// Every key of the configuration with its value.
pub fn config(values: &BTreeMap<&'static str, String>) -> String {
    let mut table = table(&["配置项", "当前值", "缺省值", "说明"]);
    for key in KEYS {
        let value = values.get(key.name).map_or("", String::as_str);
        table.add_row([key.name, value, key.default, key.what]);
    }
    finish(&table)
}

/// Label and value, one pair per line.
pub fn pairs(rows: &[(&str, String)]) -> String {
    rows.iter().filter(|(_, value)| !value.is_empty()).fold(String::new(), |mut text, (label, value)| {
        // writing to a string cannot fail
        let _ = writeln!(text, "{label}：{value}");
        text
    })
}

fn owner(record: &Record) -> String {
    record.owner.as_ref().map(|owner| owner.name.clone()).unwrap_or_default()
}

fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    table.set_header(headings);
    table
}

fn finish(table: &Table) -> String {
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matched_terms_are_whole_words() {
        let check = |terms: &[(&str, f64)], want: &[&str]| {
            let term =
                |&(term, weight): &(&str, f64)| pb::MatchedTerm { term: term.into(), weight, ..Default::default() };
            let terms: Vec<_> = terms.iter().map(term).collect();
            assert_eq!(whole_words(&terms), want);
        };
        check(&[("催化剂", 5.0), ("催化", 4.0), ("化剂", 3.0), ("脱硝", 2.0)], &["催化剂", "脱硝"]);
        check(&[("8m", 3.0), ("l", 2.0), ("pva", 2.0), ("膜", 2.0), ("薄膜", 2.0)], &["pva", "薄膜"]);
        check(&[("轴承", 4.0), ("运行", 0.5)], &["轴承"]);
        check(&[], &[]);
    }
}
