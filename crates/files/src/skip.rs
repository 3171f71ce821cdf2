//! Rows of a table that are no records: notes under the heading, the heading again, numbers of columns, totals.

use super::{
    cell::one_line,
    headings::{is_long, normal},
    kind::Resolver,
};

/// Rows under the heading that can be notes.
const NOTE_ROWS: usize = 3;

/// Beginnings and parts of what a note says.
const NOTES: [&str; 20] = [
    "必填",
    "选填",
    "请填",
    "请按",
    "请从",
    "请选",
    "请简",
    "请输入",
    "填写说明",
    "填写要求",
    "例如",
    "例：",
    "如：",
    "示例",
    "不超过",
    "字以内",
    "下拉",
    "单选",
    "多选",
    "不能为空",
];

/// Why a row is no record; `None` if it is one. `index` counts the rows under the heading.
pub fn why(
    cells: &[String],
    headings: &[String],
    title: Option<usize>,
    index: usize,
    resolver: Resolver<'_>,
) -> Option<&'static str> {
    let pairs = || cells.iter().zip(headings).filter(|(cell, _)| !cell.trim().is_empty());
    let filled: Vec<&str> = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let (Some(first), 2..) = (filled.first(), filled.len()) else { return total(&filled, cells, title) };
    if pairs().all(|(cell, heading)| repeats(cell, heading)) {
        return Some("与表头相同");
    }
    if NOTE_ROWS <= index {
        return total(&filled, cells, title);
    }
    let same = |(cell, heading): (&String, &String)| {
        let field = |text: &str| resolver.find(text).map(|target| target.field);
        field(cell).is_some_and(|own| field(heading) == Some(own))
    };
    if filled.len() < 2 * pairs().filter(|pair| same(*pair)).count() {
        return Some("像另一行表头");
    }
    if 3 <= filled.len()
        && (1..).zip(&filled).all(|(number, cell)| cell.trim_matches(['(', ')', '（', '）']).parse() == Ok(number))
    {
        return Some("像列的序号");
    }
    if matches!(*first, "示例" | "样例" | "例" | "例子" | "范例" | "示例行" | "填写示例") {
        return Some("像填写示例");
    }
    if is_note(cells) {
        return Some("像填写说明");
    }
    total(&filled, cells, title)
}

/// Returns whether a cell repeats its heading, of which a long one is cut.
fn repeats(cell: &str, heading: &str) -> bool {
    match (is_long(cell), is_long(heading)) {
        (false, false) => normal(cell) == normal(heading),
        (true, true) => one_line(cell).starts_with(heading),
        _ => false,
    }
}

/// Returns whether most cells say how to fill in the table.
pub fn is_note(cells: &[String]) -> bool {
    let filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
    let (mut all, mut notes) = (0, 0);
    for cell in filled {
        all += 1;
        notes += usize::from(NOTES.iter().any(|note| cell.contains(note)));
    }
    2 <= notes && all <= 2 * notes
}

/// A total below the table has no title.
fn total(filled: &[&str], cells: &[String], title: Option<usize>) -> Option<&'static str> {
    const TOTALS: [&str; 5] = ["合计", "总计", "小计", "共计", "总和"];
    let name = title.and_then(|title| cells.get(title)).map(|cell| cell.trim()).unwrap_or_default();
    let is_total = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        TOTALS.contains(&text.trim_end_matches(['：', ':']))
    };
    let found = (name.is_empty() && filled.iter().any(|cell| is_total(cell))) || (is_total(name) && filled.len() <= 3);
    found.then_some("像合计行")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;
    use duijie_core::domain::Kind;

    #[test]
    fn what_is_no_record() {
        let mapping = Mapping::default();
        let headings = ["需求编号", "需求名称", "需求描述", "预算（万元）"].map(String::from);
        let check = |row: &str, index: usize, want: Option<&str>| {
            let cells: Vec<String> = row.split(',').map(String::from).collect();
            let resolver = Resolver { kind: Some(Kind::Demand), mapping: &mapping };
            assert_eq!(why(&cells, &headings, Some(1), index, resolver), want, "{row}");
        };
        check("必填,必填，不超过50字,请填写,选填", 0, Some("像填写说明"));
        check("示例,光伏板清洗,清洗困难,5", 0, Some("像填写示例"));
        check("1,2,3,4", 0, Some("像列的序号"));
        check("(1),(2),(3),(4)", 1, Some("像列的序号"));
        check("id,title,body,budget_yuan", 0, Some("像另一行表头"));
        check("需求编号,需求名称,需求描述,预算(万元)", 70, Some("与表头相同"));
        check("合计,,,120", 90, Some("像合计行"));
        check(",合 计：,,120", 90, Some("像合计行"));
        check("d-1,智能填写系统,自动填写表格,5", 0, None);
        check("d-1,例如这样,普通,5", 0, None);
        check("必填,必填，不超过50字,请填写,选填", 9, None);
        check("d-1,合计算法优化,算不快,5", 0, None);
        check("1,甲,乙,4", 0, None);
        check(",,,", 0, None);
    }
}
