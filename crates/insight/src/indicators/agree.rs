//! Decides whether two indicators have the same subject.

use super::{
    Indicator,
    subjects::{self, Subject},
};

/// Words before a subject that do not distinguish it.
const NOT_TELLING: [&str; 22] = [
    "产品", "系统", "设备", "整机", "成品", "材料", "综合", "整体", "平均", "单位", "样品", "样机", "装置", "的", "其",
    "总", "该", "制品", "控制", "HRC", "HV", "HB",
];
/// Opposites; two subjects with one each differ.
const OPPOSITES: [(&str, &str); 12] = [
    ("最高", "最低"),
    ("最大", "最小"),
    ("高温", "低温"),
    ("进口", "出口"),
    ("进水", "出水"),
    ("输入", "输出"),
    ("初始", "最终"),
    ("初凝", "终凝"),
    ("上限", "下限"),
    ("室温", "高温"),
    ("横向", "纵向"),
    ("正向", "反向"),
];

/// Agreement of two subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Agreement {
    /// Different, or unknown.
    None,
    /// Possibly the same: 强度 and 抗拉强度. Enough to satisfy, not enough to violate.
    Related,
    /// The same: 抗拉强度 and 拉伸强度.
    Same,
}

/// Headings over numbers of any subject.
const NO_SUBJECTS: [&str; 6] = ["指标", "技术指标", "性能指标", "参数", "技术参数", "性能参数"];

/// Returns whether an indicator does not say what its number is about: `99.5%`, `主要技术指标：99.5%`.
pub(super) fn says_no_subject(indicator: &Indicator) -> bool {
    let subject = indicator.subject.strip_prefix("主要").unwrap_or(&indicator.subject);
    subject.is_empty() || NO_SUBJECTS.contains(&subject)
}

/// Agreement of two indicators of one dimension.
pub(super) fn agreement(one: &Indicator, other: &Indicator) -> Agreement {
    let subjects = of_subjects(&one.subject, &other.subject);
    if !one.quantity.is_specific {
        return subjects;
    }
    let is_empty = one.subject.is_empty() || other.subject.is_empty();
    if is_empty { Agreement::Same } else { subjects.max(Agreement::Related) }
}

/// Agreement of two subjects, whatever their numbers are.
pub(super) fn of_subjects(one: &str, other: &str) -> Agreement {
    if one.is_empty() || other.is_empty() || has_opposites(one, other) {
        return Agreement::None;
    }
    if one.eq_ignore_ascii_case(other) {
        return Agreement::Same;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    match (subjects::known(&one), subjects::known(&other)) {
        (Some((subject, end)), Some((other_subject, other_end))) if subject == other_subject => {
            of_qualifiers(subject, one.get(..end).unwrap_or_default(), other.get(..other_end).unwrap_or_default())
        }
        // 强度 may mean 抗拉强度, but 效率 never means 产率
        (Some((subject, end)), Some((other_subject, other_end))) => {
            let is_bare = |written: &[char], end: usize| telling(written.get(..end).unwrap_or_default()).is_empty();
            let is_kind = is_bare(&other, other_end) && subjects::ends_as(&one, other_subject)
                || is_bare(&one, end) && subjects::ends_as(&other, subject);
            if is_kind { Agreement::Related } else { Agreement::None }
        }
        (None, None) => of_unknown(&one, &other),
        _ => Agreement::None,
    }
}

/// Compares the words before one subject: 钢板 and 带钢 before 抗拉强度.
fn of_qualifiers(subject: &Subject, one: &[char], other: &[char]) -> Agreement {
    let (one, other) = (telling(one), telling(other));
    let is_one = one.eq_ignore_ascii_case(&other);
    let is_part = one.ends_with(&other) || other.ends_with(&one);
    match (is_one, subject.is_generic) {
        (true, _) => Agreement::Same,
        (false, true) if one.is_empty() || other.is_empty() || is_part => Agreement::Related,
        (false, true) => Agreement::None,
        (false, false) if one.is_empty() || other.is_empty() || is_part => Agreement::Same,
        (false, false) => Agreement::Related,
    }
}

/// Compares two subjects missing from the table: one ends with the other, or both end with the same three characters.
fn of_unknown(one: &[char], other: &[char]) -> Agreement {
    let common = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let shorter = one.len().min(other.len());
    if common == shorter && 2 <= common || 3 <= common { Agreement::Related } else { Agreement::None }
}

fn telling(qualifier: &[char]) -> String {
    let mut qualifier: String = qualifier.iter().collect();
    for word in NOT_TELLING {
        if qualifier.contains(word) {
            qualifier = qualifier.replace(word, "");
        }
    }
    qualifier
}

fn has_opposites(one: &str, other: &str) -> bool {
    let split = |left: &str, right: &str| one.contains(left) && other.contains(right);
    OPPOSITES.iter().any(|(left, right)| split(left, right) || split(right, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_agree_as_far_as_they_are_one_thing() {
        let check = |one: &str, other: &str, want: Agreement| {
            assert_eq!(of_subjects(one, other), want, "{one} {other}");
            assert_eq!(of_subjects(other, one), want, "{other} {one}");
        };
        check("抗拉强度", "拉伸强度", Agreement::Same);
        check("寿命", "使用寿命", Agreement::Same);
        check("精度", "误差", Agreement::Same);
        check("钢板抗拉强度", "抗拉强度", Agreement::Same);
        check("钢板抗拉强度", "焊缝抗拉强度", Agreement::Related);
        check("强度", "抗拉强度", Agreement::Related);
        check("抗拉强度", "抗压强度", Agreement::None);
        check("效率", "产率", Agreement::None);
        check("壁厚", "涂层厚度", Agreement::Related);
        check("固化温度", "烧结温度", Agreement::None);
        check("SOC误差", "SOC精度", Agreement::Same);
        check("SOC误差", "温度误差", Agreement::None);
        check("误差", "SOC误差", Agreement::Related);
        check("误差", "测温误差", Agreement::Related);
        check("最高温度", "最低温度", Agreement::None);
        check("进水COD", "出水COD", Agreement::None);
        check("产品合格率", "合格率", Agreement::Same);
        check("掉块深坑", "深坑", Agreement::Related);
        check("", "", Agreement::None);
        check("抗拉强度", "", Agreement::None);
    }
}
