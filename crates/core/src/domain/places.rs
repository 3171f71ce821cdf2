//! Names of regions and industries: the tables below `data/`, and how people write these names.

use std::sync::LazyLock;

/// A region of the table.
struct Place {
    /// Two, four or six digits.
    code: &'static str,
    full: &'static str,
    /// Name without its suffix; empty where that means another place as well.
    short: &'static str,
    /// Name without its suffix, which is clear behind the province's name.
    within: &'static str,
}

/// Municipalities: their districts are written right behind the short name.
const MUNICIPALITIES: [&str; 4] = ["11", "12", "31", "50"];
/// Ends of the names of places within a city, a longer one before its own end.
const INNER_ENDS: [&str; 10] = ["街道", "园区", "基地", "区", "县", "市", "旗", "镇", "乡", "园"];
/// Words in the name of an industrial park. A park without one is a garden or a company's.
const PARK_WORDS: [&str; 11] = ["工业", "产业", "科技", "高新", "软件", "创新", "创业", "经济", "开发", "保税", "物流"];
/// Districts whose names begin like a street.
const NO_STREETS: [&str; 3] = ["路北区", "路南区", "路桥区"];

static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let rows = lines(include_str!("../../data/regions.txt"));
    let place = |line: &'static str| {
        let mut parts = line.split(' ');
        let (code, full, short) = (parts.next()?, parts.next()?, parts.next()?);
        let within = short.strip_prefix('-');
        Some(Place { code, full, short: if within.is_some() { "" } else { short }, within: within.unwrap_or(short) })
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
    let whole = |place: &&Place| place.full == name || place.short == name || other_end(place, place.short, name);
    if let Some(place) = provinces().find(whole).or_else(|| cities("").find(whole)).filter(|_| !name.is_empty()) {
        return Some(six(place.code));
    }
    let (province, rest, _) = province_at_front(name)?;
    let whole = |place: &&Place| place.full == rest || place.within == rest || other_end(place, place.within, rest);
    cities(province.code).find(whole).filter(|_| !rest.is_empty()).map(|place| six(place.code))
}

/// A short name with another suffix than the table's: 延边州, 阿克苏市, 广西省.
fn other_end(place: &Place, short: &str, name: &str) -> bool {
    let rest = name.strip_prefix(short).filter(|_| !short.is_empty());
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
/// city or province there: less precise, but not wrong. `None` if the name can mean several places (`朝阳区`), or if the
/// name of a city only begins another word (`南京路街道`).
pub fn region_of_place(name: &str) -> Option<String> {
    let name = name.strip_prefix("中国").unwrap_or(name);
    if let Some(code) = region_by_name(name) {
        return Some(code);
    }
    let province = province_at_front(name);
    if let Some((province, rest, true)) = province {
        return Some(six(city_in(province, rest).unwrap_or(province).code));
    }
    if let Some(city) = cities("").find(|city| name.starts_with(city.full)) {
        return Some(six(city.code));
    }
    let place = match province {
        Some((province, rest, _)) => {
            city_in(province, rest).or_else(|| is_in_province(province, rest).then_some(province))
        }
        None => cities("").find(|city| {
            let rest = name.strip_prefix(city.short).filter(|_| !city.short.is_empty());
            rest.is_some_and(is_inner)
        }),
    };
    place.map(|place| six(place.code))
}

/// City of a province at the front of what follows the province's name.
fn city_in(province: &Place, name: &str) -> Option<&'static Place> {
    cities(province.code).find(|city| {
        let Some(rest) = name.strip_prefix(city.within) else { return name.starts_with(city.full) };
        let own_end = ["市", "州", "地区", "盟", "县"].iter().any(|end| rest.starts_with(end));
        let other_word = rest == "区" || begins_street(rest) || rest.starts_with("大学") || rest.starts_with("学院");
        name.starts_with(city.full) || own_end || (!city.short.is_empty() && !other_word)
    })
}

/// Returns whether what follows the short name of a province is a place in it. 河北区 is a district of 天津, 河南蒙古族自治县
/// is in 青海, as is 海南州.
fn is_in_province(province: &Place, rest: &str) -> bool {
    let other_place = rest.chars().count() < 2 || rest.starts_with(['州', '市', '盟']) || begins_street(rest);
    let municipality = MUNICIPALITIES.contains(&province.code);
    !other_place && (municipality || (is_inner(rest) && !rest.contains("自治县")))
}

/// Returns whether what follows the short name of a city is a place within it. 朝阳区 and 中山街道 are names of their own,
/// and so are many towns: there a district, county or city must stand between.
fn is_inner(rest: &str) -> bool {
    let Some((end, stem)) = INNER_ENDS.iter().find_map(|end| Some((*end, rest.strip_suffix(end)?))) else {
        return false;
    };
    let in_district = stem.contains(['区', '县', '市']);
    let fits = match end {
        "镇" | "乡" | "街道" => in_district,
        "园" | "园区" | "基地" => in_district || PARK_WORDS.iter().any(|word| stem.contains(word)),
        _ => true,
    };
    fits && !stem.is_empty() && !begins_street(rest)
}

/// Returns whether a name behind a city's is that of a street: 路, 东路, 大街, 大道.
fn begins_street(rest: &str) -> bool {
    let bare = rest.trim_start_matches(['东', '西', '南', '北', '中', '大']);
    let street = bare.starts_with(['路', '街']) || rest.starts_with("大道");
    street && !NO_STREETS.iter().any(|district| rest.starts_with(district))
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
    fn a_name_within_another_word_is_no_place() {
        for name in [
            "中山街道",
            "南京路街道",
            "四平路街道",
            "西安路街道",
            "郑州路街道",
            "南京东路街道",
            "北京东路小学",
            "河南街道",
            "河北街道",
            "山东庄镇",
            "河南寨镇",
            "阿里巴巴西溪园区",
            "中山公园",
            "海南州共和县",
            "双河镇",
            "双河",
        ] {
            assert_eq!(region_of_place(name), None, "{name}");
        }
    }

    #[test]
    fn short_names_are_clear_behind_their_province() {
        let check = |name: &str, want: &str| assert_eq!(region_of_place(name).as_deref(), Some(want), "{name}");
        check("青海省海南州", "632500");
        check("青海海南州共和县", "632500");
        check("海南藏族自治州共和县", "632500");
        check("吉林省吉林", "220200");
        check("吉林市船营区", "220200");
        check("吉林省吉林大学", "220000");
        check("辽宁省朝阳", "211300");
        check("辽宁省朝阳县", "211300");
        check("海南省东方", "469007");
        check("新疆双河", "659007");
        check("新疆维吾尔自治区铁门关市", "659006");
        check("白杨市", "659012");
        check("河北唐山路北区", "130200");
        check("唐山路北区", "130200");
        check("广东省中山大学", "440000");
        check("深圳南山区粤海街道", "440300");
        check("西安高新区", "610100");
        check("重庆石柱土家族自治县", "500000");
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
