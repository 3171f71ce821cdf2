//! National code tables and their rules.
//!
//! - industry: GB/T 4754-2017 国民经济行业分类, a letter and up to four digits
//! - region: GB/T 2260 中华人民共和国行政区划代码, six digits
//! - credit code: GB 32100-2015 法人和其他组织统一社会信用代码, 18 characters, the last a check character modulo 31
//! - high-technology field: 国家重点支持的高新技术领域 (八大领域), 2, 3 or 5 digits

use super::places;

pub use super::places::{industry_by_name, region_by_name, region_label, region_of_place};

/// Sections of GB/T 4754-2017 with their first and last division.
const SECTIONS: [(char, u8, u8); 20] = [
    ('A', 1, 5),
    ('B', 6, 12),
    ('C', 13, 43),
    ('D', 44, 46),
    ('E', 47, 50),
    ('F', 51, 52),
    ('G', 53, 60),
    ('H', 61, 62),
    ('I', 63, 65),
    ('J', 66, 69),
    ('K', 70, 70),
    ('L', 71, 72),
    ('M', 73, 75),
    ('N', 76, 79),
    ('O', 80, 82),
    ('P', 83, 83),
    ('Q', 84, 85),
    ('R', 86, 90),
    ('S', 91, 96),
    ('T', 97, 97),
];

/// Codes that other systems use for the counties administered directly by the province: 定州, 辛集.
const REGION_ALIASES: [(&str, &str); 2] = [("139001", "130682"), ("139002", "130181")];

/// Roots of 国家重点支持的高新技术领域.
const FIELDS: [(&str, &str); 8] = [
    ("10", "电子信息"),
    ("20", "生物与新医药"),
    ("30", "航空航天"),
    ("40", "新材料"),
    ("50", "高技术服务"),
    ("60", "新能源与节能"),
    ("70", "资源与环境"),
    ("80", "先进制造与自动化"),
];

/// Alphabet of GB 32100-2015: digits and letters without I, O, S, V, Z. The index of a character is its value.
const CREDIT_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Normal form of an industry: a capital letter alone or with 2 to 4 digits whose division belongs to the letter. The
/// input may omit the letter before digits. `None` if it is no code of GB/T 4754-2017.
pub fn industry(code: &str) -> Option<String> {
    let code = code.trim().to_ascii_uppercase();
    let letter = code.chars().next().filter(char::is_ascii_uppercase);
    let digits = if letter.is_some() { code.get(1..)? } else { code.as_str() };
    if digits.is_empty() {
        return letter.filter(|letter| SECTIONS.iter().any(|(section, ..)| section == letter)).map(String::from);
    }
    if !(2..=4).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let division: u8 = digits.get(..2)?.parse().ok()?;
    let (section, ..) = SECTIONS.iter().find(|(_, first, last)| (*first..=*last).contains(&division))?;
    (letter.is_none() || letter == Some(*section)).then(|| format!("{section}{digits}"))
}

/// Normal form of a region: six digits, with zeros for "the whole province" or "the whole city". Accepts 2, 4 or 6
/// digits. `None` if the province does not exist.
pub fn region(code: &str) -> Option<String> {
    let code = code.trim();
    if !matches!(code.len(), 2 | 4 | 6) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let full = format!("{code:0<6}");
    let full = REGION_ALIASES.iter().find(|(alias, _)| *alias == full).map_or(full.as_str(), |(_, code)| code);
    places::is_province(full.get(..2)?).then(|| full.to_string())
}

/// Region code without trailing pairs of zeros, for a prefix search.
pub fn region_prefix(region: &str) -> &str {
    let city = region.strip_suffix("00").unwrap_or(region);
    if city.len() == 4 { city.strip_suffix("00").unwrap_or(city) } else { city }
}

/// Returns whether `code` is a code of 八大领域 with 2, 3 or 5 digits.
pub fn is_field(code: &str) -> bool {
    matches!(code.len(), 2 | 3 | 5)
        && code.bytes().all(|byte| byte.is_ascii_digit())
        && FIELDS.iter().any(|(root, _)| code.starts_with(root.trim_end_matches('0')) && root_of(code) == *root)
}

/// Root of the field named `name`, with or without the suffix 技术.
pub fn field_by_name(name: &str) -> Option<&'static str> {
    let name = name.trim().trim_end_matches("技术");
    FIELDS.iter().find(|(_, known)| known.trim_end_matches("技术") == name).map(|(code, _)| *code)
}

/// Name of a field's root; empty if unknown.
pub fn field_label(code: &str) -> &'static str {
    FIELDS.iter().find(|(root, _)| root_of(code) == *root).map_or("", |(_, name)| *name)
}

/// Prefixes of a code at the given lengths, up to the code's own length; for prefix filters.
pub fn prefixes<'a>(code: &'a str, lengths: &'a [usize]) -> impl Iterator<Item = &'a str> {
    lengths.iter().filter_map(|&length| code.get(..length))
}

/// Returns whether the check character of a credit code is correct.
pub(crate) fn is_credit_code(code: &str) -> bool {
    let value = |character: char| CREDIT_ALPHABET.find(character);
    let values: Option<Vec<usize>> = code.chars().map(value).collect();
    match values.as_deref() {
        Some([body @ .., last]) if body.len() == 17 => credit_check_value(body) == *last,
        _ => false,
    }
}

/// GB 32100-2015: weights are 3^(i-1) mod 31; the check value is (31 - sum mod 31) mod 31.
fn credit_check_value(body: &[usize]) -> usize {
    let (sum, _) = body.iter().fold((0, 1), |(sum, weight), value| (sum + value * weight, weight * 3 % 31));
    (31 - sum % 31) % 31
}

/// First two digits of a field. A third digit is not part of the root.
fn root_of(code: &str) -> &str {
    code.get(..2).unwrap_or_default()
}

/// Returns whether `number` is a 批准登记号: 3 characters, 4 digits of the year, `Y`, 4 digits.
pub(crate) fn is_registration_number(number: &str) -> bool {
    let bytes = number.as_bytes();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match bytes {
        [place @ .., _, _, _, _, b'Y', _, _, _, _] if place.len() == 3 => {
            place.iter().all(u8::is_ascii_alphanumeric) && digits(&bytes[3..7]) && digits(&bytes[8..])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn industries() {
        let check = |code: &str, want: Option<&str>| assert_eq!(industry(code).as_deref(), want, "{code}");
        check("C", Some("C"));
        check("c38", Some("C38"));
        check("C3851", Some("C3851"));
        check("3851", Some("C3851"));
        check("A0111", Some("A0111"));
        check("A3851", None);
        check("C1", None);
        check("C38511", None);
        check("U01", None);
        check("T98", None);
        check("", None);
        check("电", None);
    }

    #[test]
    fn regions() {
        let check = |code: &str, want: Option<&str>| assert_eq!(region(code).as_deref(), want, "{code}");
        check("13", Some("130000"));
        check("1301", Some("130100"));
        check("130102", Some("130102"));
        check("139001", Some("130682"));
        check("99", None);
        check("130", None);
        check("13010a", None);
        assert_eq!(region_by_name("河北省石家庄市").as_deref(), Some("130100"));
        assert_eq!(region_by_name("雄安新区").as_deref(), Some("133100"));
        assert_eq!(region_by_name("北京").as_deref(), Some("110000"));
        assert_eq!(region_by_name("火星"), None);
        assert_eq!(region_prefix("130100"), "1301");
        assert_eq!(region_prefix("130000"), "13");
        assert_eq!(region_prefix("131000"), "1310");
        assert_eq!(region_prefix("130102"), "130102");
        assert_eq!(region_label("130102"), "河北石家庄");
        assert_eq!(region_label("110108"), "北京");
    }

    #[test]
    fn fields() {
        for code in ["10", "101", "80406", "604"] {
            assert!(is_field(code), "{code}");
        }
        for code in ["", "1", "90", "1010", "11", "8040a", "１０"] {
            assert!(!is_field(code), "{code}");
        }
        assert_eq!(field_by_name("新材料技术"), Some("40"));
        assert_eq!(["40", "406", "41", ""].map(field_label), ["新材料", "新材料", "", ""]);
    }

    #[test]
    fn credit_codes() {
        // two codes that public companies print on their own pages
        assert!(is_credit_code("91440300708461136T"));
        assert!(is_credit_code("914403001922038216"));
        assert!(!is_credit_code("914403001922038217"));
        assert!(!is_credit_code("91440300192203821"));
        assert!(!is_credit_code("9144030019220382161"));
        assert!(!is_credit_code("91440300192203821I"));
        assert!(!is_credit_code("短"));
    }

    #[test]
    fn registration_numbers() {
        assert!(is_registration_number("1302021Y0123"));
        assert!(!is_registration_number("1302021X0123"));
        assert!(!is_registration_number("1302021Y012"));
        assert!(!is_registration_number("河北2021Y0123"));
    }
}
