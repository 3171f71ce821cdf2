//! Finds the heading among the first rows of a table. It has one row, or two: groups above, names below.

use super::{fields::Field, headings::MAX_HEADING_CHARS, kind::Resolver, skip};

/// Rows searched for the heading: a banner and notes may precede it.
pub const HEADING_ROWS: usize = 10;

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its cells; those of two rows joined.
    pub cells: Vec<String>,
    /// Index of its last row among the rows searched.
    pub last: usize,
    /// Known headings.
    pub score: usize,
}

/// The heading with the most known names; the first of several, and one row before two. `joined` tells whether a column is
/// merged over a row and the next one.
pub fn find(rows: &[Vec<String>], resolver: Resolver<'_>, joined: impl Fn(usize, usize) -> bool) -> Option<Heading> {
    // a row of data among them may have long cells
    let short = |cell: &String| cell.chars().take(2 * MAX_HEADING_CHARS).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().take(HEADING_ROWS + 1).map(|row| row.iter().map(short).collect()).collect();
    let mut best: Option<Heading> = None;
    for (index, row) in rows.iter().take(HEADING_ROWS).enumerate() {
        let single = resolver.score(row).map(|score| Heading { cells: row.clone(), last: index, score });
        let double = rows.get(index + 1).and_then(|next| pair(row, next, index, resolver, &joined));
        for (heading, sure) in [single.map(|heading| (heading, false)), double].into_iter().flatten() {
            let most = best.as_ref().map_or(0, |best| best.score);
            // two rows that are surely a heading win over their first row alone
            let again = sure && best.as_ref().is_some_and(|best| best.last == index && best.score == heading.score);
            if best.is_none() || most < heading.score || again {
                best = Some(heading);
            }
        }
    }
    best
}

/// Two rows as one heading, and whether they are surely one; `None` if the second is a row of data or notes.
fn pair(
    upper: &[String],
    lower: &[String],
    index: usize,
    resolver: Resolver<'_>,
    joined: &impl Fn(usize, usize) -> bool,
) -> Option<(Heading, bool)> {
    let text = |row: &[String], column: usize| row.get(column).map(|cell| cell.trim().to_string()).unwrap_or_default();
    let known = |text: &str| resolver.find(text).map(|target| target.field);
    let width = upper.len().max(lower.len());
    let (mut cells, mut group, mut titled, mut named) = (Vec::new(), String::new(), None, false);
    for column in 0..width {
        let (above, below) = (text(upper, column), text(lower, column));
        let own_group = !above.is_empty();
        if own_group || below.is_empty() {
            group.clone_from(&above);
        }
        let ends = !text(upper, column + 1).is_empty() || text(lower, column + 1).is_empty();
        let alone = own_group && ends;
        let both = format!("{group}{below}");
        let cell = match (below.is_empty(), group.is_empty()) {
            (true, _) => above,
            (_, true) => {
                named |= known(&below).is_some();
                below
            }
            _ if known(&both).is_some() || known(&below).is_some() => {
                named = true;
                if known(&both).is_some() { both } else { below }
            }
            // a text under a group is a part of it; so is a unit under its amount
            _ if known(&group) == Some(Field::Body) || alone => format!("{group}（{below}）"),
            _ => below,
        };
        if titled.is_none() && known(&cell) == Some(Field::Title) {
            titled = Some(column);
        }
        cells.push(cell);
    }
    let score = resolver.score(&cells)?;
    let title = titled?;
    let below = text(lower, title);
    let data = |cell: &String| cell.trim().chars().any(|c| c.is_ascii_digit()) && known(cell).is_none();
    let filled = lower.iter().filter(|cell| !cell.trim().is_empty()).count();
    if filled == 0 || (!below.is_empty() && known(&below) != Some(Field::Title) && !text(upper, title).is_empty()) {
        return None;
    }
    let id = cells.iter().position(|cell| known(cell) == Some(Field::Id));
    let numbered = id.is_some_and(|id| !text(lower, id).is_empty() && known(&text(lower, id)) != Some(Field::Id));
    if numbered || lower.iter().any(data) || skip::is_note(lower) {
        return None;
    }
    // names below, or a title merged over both rows: without either the second row is one of data
    let merged = joined(index, title);
    (named || merged).then_some((Heading { cells, last: index + 1, score }, below.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;

    fn check(rows: &[&str], want: Option<(usize, &str)>) {
        check_merged(rows, false, want);
    }

    fn check_merged(rows: &[&str], merged: bool, want: Option<(usize, &str)>) {
        let mapping = Mapping::default();
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.split(',').map(String::from).collect()).collect();
        let got = find(&rows, Resolver { kind: None, mapping: &mapping }, |row, _| merged && row == 0);
        assert_eq!(
            got.map(|heading| (heading.last, heading.cells.join(","))),
            want.map(|(last, cells)| (last, cells.into())),
            "{rows:?}"
        );
    }

    #[test]
    fn long_cells_are_cut() {
        let mapping = Mapping::default();
        let rows = [vec!["长".repeat(90_000), "需求名称".into()], vec!["乙".repeat(90_000), "丙".into()]];
        let found = find(&rows, Resolver { kind: None, mapping: &mapping }, |_, _| true).unwrap();
        assert!(found.cells[0].chars().count() <= 5 * MAX_HEADING_CHARS, "{}", found.cells[0].len());
    }

    #[test]
    fn one_row_or_two() {
        check(&["需求汇总", "需求名称,预算", "甲,1"], Some((1, "需求名称,预算")));
        check(
            &["需求编号,需求名称,需求内容,,联系方式,", ",,主要技术难点,主要技术指标,联系人,电话", "a,甲,难,标,某,1"],
            Some((1, "需求编号,需求名称,主要技术难点,主要技术指标,联系人,电话")),
        );
        check(
            &["需求编号,需求信息,,", ",需求名称,需求描述,预算", "a,甲,乙,1"],
            Some((1, "需求编号,需求名称,需求描述,预算")),
        );
        check(&["需求名称,单位,,", ",名称,类型,性质", "甲,乙,企业,"], Some((1, "需求名称,单位名称,单位类型,单位性质")));
        check_merged(
            &["需求名称,需求内容,", ",现状,困难", "甲,乙,丙"],
            true,
            Some((1, "需求名称,需求内容（现状）,需求内容（困难）")),
        );
        check(&["需求名称,预期投入", ",万元", "甲,5"], Some((1, "需求名称,预期投入万元")));
        // rows of data stay data, also those without a title
        check(&["需求名称,预算", "甲,", "乙,1"], Some((0, "需求名称,预算")));
        check(&["需求编号,需求名称,地区", "d-1,,唐山", "d-2,乙,"], Some((0, "需求编号,需求名称,地区")));
        check(&["需求名称,预算,地区", ",5,唐山"], Some((0, "需求名称,预算,地区")));
        check(&["需求名称,需求描述,", ",很难,唐山"], Some((0, "需求名称,需求描述,")));
        check(&["需求名称,预算", "必填，不超过50字,选填"], Some((0, "需求名称,预算")));
        check(&["别的,列", "1,2"], None);
    }
}
