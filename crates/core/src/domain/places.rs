//! Names of regions and industries: the tables below `data/`, and how people write these names.

use std::sync::LazyLock;

/// A region of the table.
struct Place {
    /// Two, four or six digits.
    code: &'static str,
    full: &'static str,
    /// Name without its suffix; empty where that means another place as well.
    short: &'static str,
}

/// Municipalities: their districts are written right behind the short name.
const MUNICIPALITIES: [&str; 4] = ["11", "12", "31", "50"];
/// Ends of the names of places within a city.
const INNER_ENDS: [&str; 9] = ["区", "县", "市", "旗", "镇", "乡", "街道", "园", "基地"];

static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let rows = lines(include_str!("../../data/regions.txt"));
    let place = |line: &'static str| {
        let mut parts = line.split(' ');
        let (code, full, short) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Place { code, full, short: if short == "-" { "" } else { short } })
    };
    rows.filter_map(place).collect()
});

static INDUSTRIES: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let rows = lines(include_str!("../../data/industries.txt"));
    let named = |line: &'static str| {
        let (code, names) = line.split_once(' ').unwrap_or((line, ""));
        names.split('|').map(move |name| (code, bare_industry(name)))
    };
    rows.flat_map(named).collect()
});

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn six(code: &str) -> String {
    format!("{code:0<6}")
}

fn provinces() -> impl Iterator<Item = &'static Place> {
    PLACES.iter().filter(|place| place.code.len() == 2)
}

fn cities(province: &str) -> impl Iterator<Item = &'static Place> {
    PLACES.iter().filter(move |place| 2 < place.code.len() && place.code.starts_with(province))
}

/// Returns whether the digits are those of a province.
pub(super) fn is_province(digits: &str) -> bool {
    provinces().any(|place| place.code == digits)
}

/// Region whose whole name is `name`: a province, a city, or a province and its city; with or without suffixes.
pub fn region_by_name(name: &str) -> Option<String> {
    let name = name.trim();
    let name = name.strip_prefix("中国").filter(|rest| !rest.is_empty()).unwrap_or(name);
    let whole = |place: &&Place| place.full == name || place.short == name || other_end(place, name);
    if let Some(place) = provinces().find(whole).or_else(|| cities("").find(whole)).filter(|_| !name.is_empty()) {
        return Some(six(place.code));
    }
    let (province, rest, _) = province_at_front(name)?;
    let whole =
        |place: &&Place| !rest.is_empty() && (place.full == rest || place.short == rest || other_end(place, rest));
    cities(province.code).find(whole).map(|place| six(place.code))
}

/// A short name with another suffix than the table's: 延边州, 阿克苏市, 广西省.
fn other_end(place: &Place, name: &str) -> bool {
    let rest = name.strip_prefix(place.short).filter(|_| !place.short.is_empty());
    match place.code.len() {
        2 => rest.is_some_and(|rest| matches!(rest, "省" | "自治区" | "特别行政区")),
        _ => rest.is_some_and(|rest| matches!(rest, "市" | "州" | "地区" | "盟" | "新区" | "自治州")),
    }
}

/// Province at the front of a name, what follows it, and whether the province is written with its suffix.
fn province_at_front(name: &str) -> Option<(&'static Place, &str, bool)> {
    let full = provinces().find_map(|place| Some((place, name.strip_prefix(place.full)?, true)));
    let with_end = |place: &'static Place| {
        let rest = name.strip_prefix(place.short)?;
        ["自治区", "省", "特别行政区"].iter().find_map(|end| Some((place, rest.strip_prefix(end)?, true)))
    };
    let short = || provinces().find_map(|place| Some((place, name.strip_prefix(place.short)?, false)));
    full.or_else(|| provinces().find_map(with_end)).or_else(short)
}

/// Region that a place lies in, as people write it: `江苏省昆山市`, `深圳南山区`. If only the front of the name is known, the
/// city or province there: less precise, but not wrong. `None` if the name can mean several places (`朝阳区`).
pub fn region_of_place(name: &str) -> Option<String> {
    let name = name.strip_prefix("中国").unwrap_or(name);
    if let Some(code) = region_by_name(name) {
        return Some(code);
    }
    // a district can have a name such as 朝阳区 or 西安区, so a short name needs two characters more
    let inner = |rest: &str| 2 <= rest.chars().count() && INNER_ENDS.iter().any(|end| rest.ends_with(end));
    match province_at_front(name) {
        Some((province, rest, written_out)) => {
            let known = at_front(cities(province.code), rest, |rest| rest != "区");
            let near = MUNICIPALITIES.contains(&province.code) || inner(rest);
            // 河北区 is a district of 天津, 河南蒙古族自治县 is in 青海
            let strange = rest.chars().count() < 2 || rest.contains("自治县") || rest.starts_with('路');
            known.or_else(|| (written_out || (near && !strange)).then(|| six(province.code)))
        }
        None => at_front(cities(""), name, inner),
    }
}

/// Region whose full name stands at the front of a name, or its short name where `sure` of what follows.
fn at_front(places: impl Iterator<Item = &'static Place>, name: &str, sure: impl Fn(&str) -> bool) -> Option<String> {
    let mut places = places;
    let found = places.find(|place| {
        let short = name.strip_prefix(place.short).filter(|_| !place.short.is_empty());
        name.starts_with(place.full) || short.is_some_and(&sure)
    });
    found.map(|place| six(place.code))
}

/// Display name of a region: province and city. Empty if unknown.
pub fn region_label(region: &str) -> String {
    let of = |length: usize| {
        let code = region.get(..length)?;
        PLACES.iter().find(|place| place.code == code)
    };
    let shown = |place: &Place| if place.short.is_empty() { place.full } else { place.short };
    let province = of(2).map(shown).unwrap_or_default();
    let city = of(6).or_else(|| of(4)).map(shown).unwrap_or_default();
    format!("{province}{city}")
}

/// Industry named so in GB/T 4754, as a whole (`通用设备制造业`) or as the last part of a path (`制造业/通用设备制造业`).
pub fn industry_by_name(name: &str) -> Option<String> {
    let known = |name: &str| {
        let name = bare_industry(name);
        INDUSTRIES.iter().find(|(_, known)| !name.is_empty() && *known == name).map(|(code, _)| (*code).to_string())
    };
    known(name).or_else(|| name.rsplit(['/', '>', '-', '—', '–', '→', '|', '\\', ':']).find_map(known))
}

/// Name of an industry for comparison: editions and people differ in 业, 和 and 及.
fn bare_industry(name: &str) -> String {
    let name: String =
        name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '、' | ',' | '，' | '和' | '及' | '与')).collect();
    name.strip_suffix('业').map_or(name.clone(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gb;

    #[test]
    fn every_line_of_the_tables_is_right() {
        assert_eq!((provinces().count(), cities("13").count(), cities("44").count()), (34, 12, 21));
        for place in PLACES.iter() {
            assert_eq!(gb::region(&six(place.code)), Some(six(place.code)), "{}", place.full);
            assert_eq!(region_by_name(place.full), Some(six(place.code)), "{}", place.full);
            assert_eq!(region_by_name(&region_label(&six(place.code))), Some(six(place.code)), "{}", place.full);
        }
        for (code, name) in INDUSTRIES.iter() {
            assert_eq!(gb::industry(code).as_deref(), Some(*code), "{name}");
            assert_eq!(industry_by_name(name).as_deref(), Some(*code), "{name}");
        }
        assert_eq!(lines(include_str!("../../data/industries.txt")).count(), 20 + 94);
    }

    #[test]
    fn places_as_people_write_them() {
        let check = |name: &str, want: Option<&str>| assert_eq!(region_of_place(name).as_deref(), want, "{name}");
        check("深圳", Some("440300"));
        check("广东省深圳市南山区", Some("440300"));
        check("深圳南山区", Some("440300"));
        check("江苏省苏州市", Some("320500"));
        check("江苏苏州", Some("320500"));
        check("江苏省昆山市", Some("320000"));
        check("苏州工业园区", Some("320500"));
        check("内蒙古呼和浩特", Some("150100"));
        check("内蒙古自治区包头市", Some("150200"));
        check("广西南宁市", Some("450100"));
        check("延边州", Some("222400"));
        check("吉林", Some("220000"));
        check("吉林市", Some("220200"));
        check("吉林省吉林市", Some("220200"));
        check("海南", Some("460000"));
        check("北京海淀区", Some("110000"));
        check("北京海淀", Some("110000"));
        check("重庆市渝北区", Some("500000"));
        check("中国上海", Some("310000"));
        check("河北省石家庄市长安区", Some("130100"));
        check("河北遵化市", Some("130000"));
        check("湖北省仙桃市", Some("429004"));
        for several in
            ["朝阳", "朝阳区", "西安区", "大同区", "河北区", "海南区", "河南蒙古族自治县", "火星", "新区", ""]
        {
            check(several, None);
        }
    }

    #[test]
    fn industries_by_name() {
        let check = |name: &str, want: Option<&str>| assert_eq!(industry_by_name(name).as_deref(), want, "{name}");
        check("通用设备制造业", Some("C34"));
        check("通用设备制造", Some("C34"));
        check("黑色金属冶炼和压延加工业", Some("C31"));
        check("黑色金属冶炼及压延加工业", Some("C31"));
        check("制造业/专用设备制造业", Some("C35"));
        check("制造业 - 医药制造业", Some("C27"));
        check("制造业", Some("C"));
        check("农、林、牧、渔业", Some("A"));
        check("农林牧渔业", Some("A"));
        check("教育", Some("P"));
        check("钢铁冶炼", None);
        check("业", None);
        check("", None);
    }
}
