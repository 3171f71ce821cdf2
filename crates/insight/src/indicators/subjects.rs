//! Subjects of numbers: their names, and whether higher is better. Read once from `data/subjects.txt`.

use std::{collections::HashMap, hash::BuildHasherDefault, sync::LazyLock};

use serde::Serialize;

use super::text::{CharHasher, folded};

const SUBJECTS: &str = include_str!("../../data/subjects.txt");
/// Suffixes that do not change a subject's meaning.
const TAILS: [&str; 18] = [
    "指标",
    "要求",
    "水平",
    "数值",
    "范围",
    "性能",
    "大小",
    "参数",
    "目标",
    "值",
    "量程",
    "平均值",
    "最大值",
    "HRC",
    "HRB",
    "HBW",
    "HB",
    "HV",
];

static TABLE: LazyLock<UnitTable> = LazyLock::new(|| UnitTable::read(SUBJECTS));

/// Direction of improvement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Better {
    /// Higher is better: 强度, 寿命.
    Higher,
    /// Lower is better: 误差, 能耗.
    Lower,
    /// Depends on the case: 直径, 电压.
    Unknown,
}

/// Subject of numbers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// First name in the table.
    pub name: &'static str,
    /// Direction of improvement.
    pub better: Better,
    /// Whether it is ambiguous without the word before it: 厚度, 温度.
    pub is_generic: bool,
    /// Whether `±0.1` and `0.1` both mean at most 0.1.
    pub is_magnitude: bool,
    /// Whether temperatures are differences: 误差 0.5 ℃.
    pub is_difference: bool,
    /// Whether a required range must be covered: 工作温度.
    pub is_cover: bool,
}

/// A name in lower case and the index of its subject.
type Name = (Vec<char>, usize);

#[derive(Debug, Default)]
struct UnitTable {
    subjects: Vec<Subject>,
    /// Lower-case names with their subjects, by the last two characters; longer names first.
    by_end: HashMap<[char; 2], Vec<Name>, BuildHasherDefault<CharHasher>>,
}

/// Subject whose name ends the text, and the number of characters before that name.
pub(super) fn known(subject: &[char]) -> Option<(&'static Subject, usize)> {
    let mut end = subject.len();
    if let Some(found) = TABLE.ending(subject) {
        return Some(found);
    }
    // 抗拉强度指标值
    for _ in 0..2 {
        let written = subject.get(..end)?;
        let tail = TAILS.iter().find(|tail| ends_with(written, tail))?;
        end -= tail.chars().count();
        if let Some(found) = subject.get(..end).and_then(|written| TABLE.ending(written)) {
            return Some(found);
        }
    }
    None
}

/// Returns whether a subject ends with the name of a more general one: 测温误差 with 误差.
pub(super) fn ends_as(written: &[char], general: &Subject) -> bool {
    let is_general = |start: usize| {
        let ending = written.get(start..).and_then(|ending| TABLE.ending(ending));
        ending.is_some_and(|(subject, place)| subject == general && place == 0)
    };
    general.is_generic && (1..written.len()).any(is_general)
}

// === impl UnitTable ===

impl UnitTable {
    fn read(lines: &'static str) -> Self {
        let mut table = Self::default();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (names, flags) = line.split_once('|').unwrap_or((line, ""));
            let has = |flag: &str| flags.split_whitespace().any(|other| other == flag);
            let Some(name) = names.split_whitespace().next() else { continue };
            let better = if has("+") { Better::Higher } else { Better::Unknown };
            let better = if has("-") { Better::Lower } else { better };
            for name in names.split_whitespace() {
                let name: Vec<char> = name.chars().map(|name| folded(name).to_ascii_lowercase()).collect();
                let names = table.by_end.entry(end(&name)).or_default();
                names.push((name, table.subjects.len()));
            }
            table.subjects.push(Subject {
                name,
                better,
                is_generic: has("generic"),
                is_magnitude: has("magnitude"),
                is_difference: has("difference"),
                is_cover: has("cover"),
            });
        }
        table.by_end.values_mut().for_each(|names| names.sort_by_key(|(name, _)| usize::MAX - name.len()));
        table
    }

    /// Longest subject name that ends the text, and the number of characters before it.
    fn ending(&'static self, written: &[char]) -> Option<(&'static Subject, usize)> {
        let long =
            self.by_end.get(&end(written)).and_then(|names| names.iter().find(|(name, _)| ends_like(written, name)));
        let last = written.last().map(|last| ['\0', last.to_ascii_lowercase()])?;
        let short = || self.by_end.get(&last).and_then(|names| names.first());
        let (name, subject) = long.or_else(short)?;
        Some((self.subjects.get(*subject)?, written.len() - name.len()))
    }
}

/// The last two characters, in lower case.
fn end(written: &[char]) -> [char; 2] {
    match written {
        [.., first, last] => [first.to_ascii_lowercase(), last.to_ascii_lowercase()],
        [last] => ['\0', last.to_ascii_lowercase()],
        [] => ['\0'; 2],
    }
}

fn ends_like(written: &[char], name: &[char]) -> bool {
    let mut written = written.iter().rev();
    name.iter().rev().all(|name| written.next().is_some_and(|character| character.to_ascii_lowercase() == *name))
}

fn ends_with(written: &[char], tail: &str) -> bool {
    let mut written = written.iter().rev();
    tail.chars().rev().all(|character| written.next() == Some(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_known_by_their_end() {
        let check = |written: &str, want: Option<(&str, usize)>| {
            let characters: Vec<char> = written.chars().collect();
            assert_eq!(known(&characters).map(|(subject, place)| (subject.name, place)), want, "{written}");
        };
        check("抗拉强度", Some(("抗拉强度", 0)));
        check("钢板拉伸强度", Some(("抗拉强度", 2)));
        check("钢板强度", Some(("强度", 2)));
        check("抗拉强度指标值", Some(("抗拉强度", 0)));
        check("工作温度范围", Some(("工作温度", 0)));
        check("ph值", Some(("pH", 0)));
        check("产率", Some(("收率", 0)));
        check("效率", Some(("效率", 0)));
        check("钢板", None);
        check("", None);
    }

    #[test]
    fn a_name_belongs_to_one_subject() {
        let lines = SUBJECTS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut seen = HashMap::new();
        for line in lines {
            let (names, flags) = line.split_once('|').unwrap_or((line, ""));
            for name in names.split_whitespace() {
                let earlier = seen.insert(name, line);
                assert!(earlier.is_none(), "{name}: {earlier:?}");
            }
            for flag in flags.split_whitespace() {
                let known = ["+", "-", "generic", "magnitude", "difference", "cover"];
                assert!(known.contains(&flag), "{line}");
            }
        }
        assert!(400 < seen.len(), "{}", seen.len());
    }
}
