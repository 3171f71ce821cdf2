//! Maps table headings and JSON keys to fields.
//!
//! Headings are compared in NFKC (so the width of brackets does not matter), in lower case, without spaces, underscores,
//! markers of required columns (`【必填】`, `*`) and numbers before them (`1.`, `一、`). A unit in a heading (`预算（万元）`) is
//! removed and applied to amounts; in another currency the heading is not known.

use unicode_normalization::UnicodeNormalization;

use super::fields::{Field, TABLE};
use duijie_core::domain::Kind;

/// Most columns of a table or keys of a JSON object. The widest known forms of such platforms have about 80.
pub const MAX_COLUMNS: usize = 200;

/// Most characters of a heading; a longer text is a cell of data.
pub const MAX_HEADING_CHARS: usize = 200;

/// Meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Field of the record.
    pub field: Field,
    /// Power of ten applied to amounts in this column: 4 for 万元.
    pub unit_power: i64,
    /// Position among the names of the field; of two columns for one field, the lower rank is read.
    pub rank: usize,
}

/// Meanings of the columns of a table, or the keys of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Meaning of each column; `None` if ignored.
    pub targets: Vec<Option<Target>>,
}

/// Meaning of a heading in a table of `kind`, or of any kind if unknown.
pub fn find(heading: &str, kind: Option<Kind>) -> Option<Target> {
    if is_long(heading) {
        return None;
    }
    let name = normal(heading);
    let bare = without_brackets(&name);
    let without_unit = UNIT_ENDS.iter().find_map(|unit| bare.strip_suffix(unit)).unwrap_or(&bare);
    let without_unit = without_unit.trim_end_matches(['/', ',', '、', '-', ':']);
    let names = [name.as_str(), bare.as_str(), without_unit];
    let found = names.into_iter().filter(|name| !name.is_empty()).find_map(|name| {
        let rows = TABLE.iter().filter(|row| kind.is_none_or(|kind| row.kinds.contains(&kind)));
        rows.into_iter().find_map(|row| {
            let rank = row.names.iter().position(|known| *known == name)?;
            Some(Target { field: row.field, unit_power: 0, rank })
        })
    })?;
    match found.field {
        Field::Price | Field::Budget => unit_power(&name).map(|unit_power| Target { unit_power, ..found }),
        _ => Some(found),
    }
}

/// Returns whether a text is too long for a heading. Such a text is not normalised, which takes long.
pub fn is_long(text: &str) -> bool {
    MAX_HEADING_CHARS < text.len() && text.chars().nth(MAX_HEADING_CHARS).is_some()
}

/// Kind suggested by the headings: the one with the most headings that no other kind has; headings for a title count
/// ten times. `None` for a tie.
pub fn guess_kind<'a>(headings: impl IntoIterator<Item = &'a str>) -> Option<Kind> {
    let mut votes = [0_u32; 3];
    for heading in headings {
        let mut kinds = Kind::ALL
            .into_iter()
            .zip(&mut votes)
            .filter_map(|(kind, votes)| find(heading, Some(kind)).map(|target| (target.field, votes)));
        if let (Some((field, votes)), None) = (kinds.next(), kinds.next()) {
            *votes += if field == Field::Title { 10 } else { 1 };
        }
    }
    let most = votes.into_iter().max().filter(|most| 0 < *most)?;
    let mut best = Kind::ALL.into_iter().zip(votes).filter(|(_, votes)| *votes == most);
    best.next().filter(|_| best.next().is_none()).map(|(kind, _)| kind)
}

/// Normal form of a heading, for comparison.
pub fn normal(heading: &str) -> String {
    let drop = |c: &char| {
        !c.is_whitespace() && !matches!(c, '_' | '*' | ':' | '※' | '★' | '\'' | '"' | '\u{FEFF}' | '\u{200B}')
    };
    let name = heading.nfkc().filter(drop).collect::<String>().to_lowercase();
    let mut name = name
        .replace(['【', '〔', '[', '{', '〖', '<', '《', '「'], "(")
        .replace(['】', '〕', ']', '}', '〗', '>', '》', '」'], ")");
    for marker in MARKERS {
        name = name.replace(&format!("({marker})"), "");
    }
    let mut rest = name.as_str();
    while let Some(bare) = MARKERS.iter().find_map(|marker| rest.strip_suffix(marker)).filter(|bare| !bare.is_empty()) {
        rest = bare;
    }
    without_number(rest).to_string()
}

/// Words that say whether a column must be filled.
const MARKERS: [&str; 10] =
    ["必填项", "选填项", "必填", "选填", "可选", "必选", "可不填", "可空", "非必填", "required"];

/// Units at the end of a heading without brackets.
const UNIT_ENDS: [&str; 6] = ["万元人民币", "亿元", "百万元", "万元", "千元", "元"];

/// Words for currencies other than yuan.
const FOREIGN: [&str; 10] = ["美元", "美金", "欧元", "日元", "港元", "港币", "英镑", "usd", "eur", "$"];

/// A heading without the number before it: `1.`, `(2)`, `一、`.
fn without_number(name: &str) -> &str {
    let digits = |c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c);
    let inner = name.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    if let Some((number, rest)) = inner
        && !number.is_empty()
        && number.chars().all(digits)
    {
        return rest;
    }
    let rest = name.trim_start_matches(digits);
    let rest = rest.strip_prefix(['.', '、', ',', ')']).filter(|rest| rest.len() + 1 < name.len() && !rest.is_empty());
    rest.filter(|_| name.starts_with(digits)).unwrap_or(name)
}

/// The name without brackets and what is in them.
fn without_brackets(name: &str) -> String {
    let (mut bare, mut depth) = (String::new(), 0_usize);
    for c in name.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => bare.push(c),
            _ => (),
        }
    }
    bare
}

/// Power of ten of the unit in a name; `None` for another currency.
fn unit_power(name: &str) -> Option<i64> {
    let unit = |units: &[&str]| {
        units.iter().any(|unit| {
            name.contains(&format!("{unit}元"))
                || name.contains(&format!("({unit})"))
                || name.contains(&format!("单位{unit})"))
        })
    };
    match name {
        name if FOREIGN.iter().any(|word| name.contains(word)) => None,
        _ if unit(&["亿"]) => Some(8),
        _ if unit(&["千万"]) => Some(7),
        _ if unit(&["百万"]) => Some(6),
        _ if unit(&["十万"]) => Some(5),
        _ if unit(&["万", "w"]) => Some(4),
        _ if unit(&["千", "k"]) => Some(3),
        _ => Some(0),
    }
}

// === impl Columns ===

impl Columns {
    /// Assigns each field except the body to one column: the one with the lowest rank, then the first. The body may
    /// have several.
    pub fn assign(mut targets: Vec<Option<Target>>) -> Self {
        for index in 0..targets.len() {
            let Some(Some(own)) = targets.get(index).copied() else { continue };
            let rival = |(place, other): (usize, &Option<Target>)| {
                other.is_some_and(|other| other.field == own.field && (other.rank, place) < (own.rank, index))
            };
            let beaten = own.field != Field::Body && targets.iter().enumerate().any(rival);
            if beaten && let Some(target) = targets.get_mut(index) {
                *target = None;
            }
        }
        Self { targets }
    }

    /// Returns whether a column has the field.
    pub fn has(&self, field: Field) -> bool {
        self.targets.iter().flatten().any(|target| target.field == field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_each_kind() {
        use Kind::{Achievement as A, Demand as D, Expert as E};
        let check = |kind: Kind, headings: &[&str], want: Option<Field>| {
            for heading in headings {
                assert_eq!(find(heading, Some(kind)).map(|target| target.field), want, "{heading}");
            }
        };
        for kind in Kind::ALL {
            check(kind, &["编号", "ID", "id", " Id "], Some(Field::Id));
            check(kind, &["title", "名称", "标题"], Some(Field::Title));
            check(kind, &["body", "content", "内容", "简介"], Some(Field::Body));
            check(kind, &["关键词", "关键字", "keywords"], Some(Field::Keywords));
            check(kind, &["所属行业", "行业代码", "industry"], Some(Field::Industry));
            check(kind, &["技术领域", "高新技术领域", "领域", "field"], Some(Field::HighTech));
            check(kind, &["创新专项", "policy_field", "policyField"], Some(Field::Programme));
            check(kind, &["地区", "所在地区", "行政区划代码", "region"], Some(Field::Region));
            check(kind, &["单位名称", "owner"], Some(Field::Owner));
            check(kind, &["统一社会信用代码", "credit_code"], Some(Field::CreditCode));
            check(kind, &["单位类型", "owner_type"], Some(Field::OwnerType));
            check(kind, &["状态", "status"], Some(Field::Status));
            check(kind, &["共享类型", "share_class"], Some(Field::ShareClass));
            check(kind, &["发布日期", "发布时间", "publish_date", "publish_time"], Some(Field::PublishTime));
            check(kind, &["修订号", "版本", "revision"], Some(Field::Revision));
            check(kind, &["来源系统", "source", "source_system"], Some(Field::Source));
            check(kind, &["联系电话", "", "（万元）", "()", "元"], None);
        }
        check(A, &["成果编号"], Some(Field::Id));
        check(A, &["成果名称", "项目名称", "成果名称*", "成果名称（必填）", "＊成果名称："], Some(Field::Title));
        check(A, &["成果简介", "摘要"], Some(Field::Body));
        check(A, &["完成单位", "持有单位"], Some(Field::Owner));
        check(A, &["所处阶段", "成熟度", "stage"], Some(Field::Stage));
        check(A, &["技术成熟度", "技术成熟度（TRL）", "TRL"], Some(Field::Trl));
        check(A, &["成果水平", "level"], Some(Field::Level));
        check(A, &["批准登记号", "登记号", "registration_number"], Some(Field::RegistrationNumber));
        check(A, &["知识产权", "intellectual_property"], Some(Field::IntellectualProperty));
        check(A, &["转化方式", "transfer_modes"], Some(Field::TransferModes));
        check(A, &["价格", "价格(万元)", "价格（万元）", "交易价格(元)", "价格万元", "price_yuan"], Some(Field::Price));
        check(D, &["需求名称"], Some(Field::Title));
        check(D, &["需求描述", "主要技术难点", "主要技术指标", "研究内容"], Some(Field::Body));
        check(D, &["预算", "预期投入（万元）", "悬赏金额", "budget_yuan"], Some(Field::Budget));
        check(D, &["截止日期", "deadline"], Some(Field::Deadline));
        check(D, &["合作方式", "cooperation_modes"], Some(Field::CooperationModes));
        check(D, &["企业名称", "需求单位"], Some(Field::Owner));
        check(E, &["姓名", "专家姓名"], Some(Field::Title));
        check(E, &["研究方向", "主要成果"], Some(Field::Body));
        check(E, &["职称", "professional_title"], Some(Field::ProfessionalTitle));
        check(E, &["工作单位"], Some(Field::Owner));
        check(E, &["专家编号"], Some(Field::Id));
        check(E, &["achievement_ids"], Some(Field::AchievementIds));
        check(E, &["价格", "预算", "需求名称"], None);
        check(D, &["price_yuan", "成果名称"], None);
    }

    #[test]
    fn long_texts_are_no_headings() {
        let padded = |length: usize| format!("需求名称{}", " ".repeat(length - 4));
        assert!(find(&padded(200), None).is_some() && find(&padded(201), None).is_none());
    }

    #[test]
    fn units_of_headings() {
        let check = |heading: &str, want: i64| {
            assert_eq!(find(heading, None).map(|target| target.unit_power), Some(want), "{heading}");
        };
        check("价格(万元)", 4);
        check("价格（单位：万元）", 4);
        check("预算（万）", 4);
        check("预期投入万元", 4);
        check("交易价格(元)", 0);
        check("price_yuan", 0);
        check("预算（千元）", 3);
        check("预算\n（万元）", 4);
        check("1.预算【万元】", 4);
        check("预算（人民币，万元）", 4);
        check("预算/万元", 4);
        check("预算(百万元)【必填】", 6);
        check("*预算（亿元）", 8);
        check("预算（含税，万元）", 4);
        check("ＢＵＤＧＥＴ（万元）", 4);
        for foreign in ["预算（万美元）", "预算(USD)"] {
            assert_eq!(find(foreign, None), None, "{foreign}");
        }
    }

    #[test]
    fn markers_and_numbers_do_not_count() {
        for heading in [
            "需求名称【必填】",
            "需求名称（必填）",
            "(必填)需求名称",
            "*需求名称",
            "需求名称＊",
            "需求\n名称",
            "１．需求名称",
            "一、需求名称",
            "（一）需求名称",
            "(2) 需求名称",
            "需求名称（不超过50字）",
            "需求名称 必填",
            "【必填】需求名称：",
            "需求名称[必填项]",
            "需求　名称",
        ] {
            assert_eq!(find(heading, Some(Kind::Demand)).map(|target| target.field), Some(Field::Title), "{heading}");
        }
    }

    #[test]
    fn kinds_are_guessed() {
        let check = |headings: &[&str], want: Option<Kind>| {
            assert_eq!(guess_kind(headings.iter().copied()), want, "{headings:?}");
        };
        check(&["成果名称", "简介"], Some(Kind::Achievement));
        check(&["需求名称", "单位名称"], Some(Kind::Demand));
        check(&["姓名", "职称"], Some(Kind::Expert));
        check(&["title", "price_yuan"], Some(Kind::Achievement));
        check(&["title", "budget_yuan", "deadline"], Some(Kind::Demand));
        check(&["id", "title", "content"], None);
        check(&["需求名称", "姓名"], None);
        check(&["需求名称", "姓名", "预算"], Some(Kind::Demand));
        check(&[], None);
    }

    #[test]
    fn one_column_for_each_field() {
        let columns = |headings: &[&str]| {
            Columns::assign(headings.iter().map(|heading| find(heading, Some(Kind::Demand))).collect())
        };
        let read = |headings: &[&str]| columns(headings).targets.iter().map(Option::is_some).collect::<Vec<_>>();
        assert_eq!(read(&["所属行业", "行业代码"]), [false, true]);
        assert_eq!(read(&["需求名称", "名称", "需求名称"]), [true, false, false]);
        assert_eq!(read(&["主要技术难点", "研究内容", "电话"]), [true, true, false]);
        assert!(columns(&["需求名称"]).has(Field::Title));
    }
}
