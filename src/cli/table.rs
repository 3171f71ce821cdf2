//! Tables for users: wide characters count double, long texts wrap.

use std::{collections::BTreeMap, fmt::Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::{api::convert::record_in, config::KEYS};
use duijie_core::domain::{Code, Record, gb};
use duijie_proto as pb;

/// Width in columns without a terminal.
const WIDTH: u16 = 120;
/// Most terms printed per match.
const SHOWN_TERMS: usize = 6;

/// Matches: rank, score, title, owner, region, matched terms.
pub fn matches(matches: &[pb::Match]) -> String {
    let mut table = table(&["名次", "得分", "名称", "单位", "地区", "匹配词"]);
    for found in matches {
        let Some(record) = found.record.clone().and_then(|record| record_in(record).ok()) else { continue };
        let terms: Vec<_> = found.matched_terms.iter().take(SHOWN_TERMS).map(|term| term.term.as_str()).collect();
        table.add_row(vec![
            Cell::new(found.rank).set_alignment(CellAlignment::Right),
            Cell::new(format!("{:.3}", found.score)).set_alignment(CellAlignment::Right),
            Cell::new(format!("{}\n{}", record.title, record.name())),
            Cell::new(owner(&record)),
            Cell::new(gb::region_label(&record.region)),
            Cell::new(terms.join("、")),
        ]);
    }
    finish(&table)
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
