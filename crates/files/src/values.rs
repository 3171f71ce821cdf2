//! Parses codes, regions and intellectual property rights in common spellings. Each function returns a reason in
//! Chinese on failure.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{
    cell::{Cell, one_line, split},
    export::unguarded,
};
use duijie_core::domain::{
    Code,
    codes::{IpKind, IpStatus},
    gb,
    record::IntellectualProperty,
};

/// Text in NFKC on one line, the form in which codes are compared.
pub fn plain(text: &str) -> String {
    one_line(&text.nfkc().collect::<String>())
}

/// Enumeration value by Chinese name, alias, key or number; `None` for an empty text.
pub fn code<C: Code>(text: &str) -> Result<Option<C>, String> {
    let text = plain(text);
    if text.is_empty() {
        return Ok(None);
    }
    let by_number = || text.parse().ok().and_then(C::from_number);
    let found = C::from_name(&text).or_else(|| C::from_name(&text.to_lowercase())).or_else(by_number);
    found.map(Some).ok_or_else(|| {
        let labels: Vec<_> = C::TABLE.iter().map(|(value, _)| value.label()).collect();
        format!("不是{}；可填：{}", C::NAME, labels.join("、"))
    })
}

/// Checks that a degree of secrecy says that there is none. What nobody can read may be secret, so it is refused too.
pub fn unclassified(text: &str) -> Result<(), String> {
    let none = ["", "无", "无密级", "非密", "非涉密", "不涉密", "未涉密", "公开", "可公开", "否", "-", "/"];
    match none.contains(&plain(text).as_str()) {
        true => Ok(()),
        false => Err("涉密内容不得进入本系统；确实不涉密的，请填“公开”或“无”".into()),
    }
}

/// Values of a list, without duplicates.
pub fn codes<C: Code>(entries: &[String]) -> Result<Vec<C>, String> {
    let mut values = Vec::new();
    for entry in entries {
        if let Some(value) = code(entry)?
            && !values.contains(&value)
        {
            values.push(value);
        }
    }
    Ok(values)
}

/// Text of an id or a long number. A number of 16 digits has lost its last ones, in a spreadsheet as in a program that
/// keeps it as a float.
pub fn exact(cell: &Cell) -> Result<String, String> {
    const LOST: &str = "数字超过 15 位，已丢失末尾数字（科学计数法或浮点数），请在原表或程序中改为文本后重新导出";
    let float = match cell {
        Cell::Json(Value::Number(number)) if number.is_f64() => number.as_f64(),
        _ => None,
    };
    let shown = cell.text()?;
    let text = match cell {
        // only digits and letters are part of an id: 00123 is, 1,001 and 12.00 are how a number is displayed
        Cell::Number { raw, shown } if shown.contains([',', '.', ' ', '%']) => plain(raw),
        _ => plain(&unguarded(&shown)),
    };
    let written = text.split_once(['e', 'E']).is_some_and(|(number, exponent)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let sign = exponent.strip_prefix('+');
        digits(whole) && digits(sign.unwrap_or(exponent)) && (digits(fraction) || sign.is_some())
    });
    if written || float.is_some_and(|number| 1e15 <= number.abs()) { Err(LOST.into()) } else { Ok(text) }
}

/// Text as [`plain`], where a whole number may have been written as a decimal (`130100.0`).
fn whole(text: &str) -> String {
    let text = plain(text);
    let number = text.strip_suffix(".0").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number.map_or(text.clone(), String::from)
}

/// Industry by code, by name, or by both (`C3851 家用电器`). A code beside a name has its letter, and does not contradict it.
pub fn industry(text: &str) -> Result<String, String> {
    let text = whole(text);
    if text.is_empty() {
        return Ok(text);
    }
    if let Some(code) = gb::industry(&text) {
        return Ok(code);
    }
    let code = only_run(&text, |run| {
        run.starts_with(|c: char| c.is_ascii_alphabetic())
            && 3 <= run.len()
            && is_digits(run.get(1..).unwrap_or_default())
    });
    let name = gb::industry_by_name(&text).or_else(|| gb::industry_by_name(without_code(&text)));
    match (name, code.and_then(gb::industry)) {
        (Some(name), Some(code)) if code.starts_with(&name) => Ok(code),
        (Some(name), Some(code)) if !name.starts_with(&code) => {
            Err(format!("行业代码 {code} 与名称（{name}）不一致，请改正其中一个"))
        }
        (Some(name), _) => Ok(name),
        (None, Some(code)) => Ok(code),
        (None, None) => {
            Err("不是 GB/T 4754-2017 的行业代码（如 C3851）或门类、大类名称（如 通用设备制造业）；可用 --mapping 对照"
                .into())
        }
    }
}

/// 八大领域 by code or name. Beside a name only a code of the same field counts: `新材料（2025）` has a year.
pub fn tech_field(text: &str) -> Result<String, String> {
    let text = whole(text);
    if text.is_empty() || gb::is_field(&text) {
        return Ok(text);
    }
    let code = only_run(&text, gb::is_field).filter(|run| 3 <= run.len());
    let name = gb::field_by_name(&text).or_else(|| gb::field_by_name(without_code(&text)));
    match (name, code) {
        (Some(name), Some(code)) if code.starts_with(name.trim_end_matches('0')) => Ok(code.to_string()),
        (Some(name), _) => Ok(name.to_string()),
        (None, Some(code)) if text.starts_with(code) => Ok(code.to_string()),
        _ => Err(
            "不是八大领域的代码或名称；可填：电子信息、生物与新医药、航空航天、新材料、高技术服务、新能源与节能、资源与环境、先进制造与自动化"
                .into(),
        ),
    }
}

/// Region by code or name. If only the start of a name is known (`河北省石家庄市长安区`), returns that city or province: less
/// precise, but not wrong. Beside a name only a code within the named region counts; others are postcodes
/// (`杭州市 310012`).
pub fn region(text: &str) -> Result<String, String> {
    let text = whole(text);
    if text.is_empty() {
        return Ok(text);
    }
    if let Some(code) = gb::region(&text) {
        return Ok(code);
    }
    let is_code = |run: &str| run.len() == 6 && (run.get(2..4) != Some("00") || run.ends_with("0000"));
    let code = only_run(&text, is_code).and_then(gb::region);
    let name: String = without_code(&text)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '/' | ',' | '、' | '·' | '>' | '|' | '\\'))
        .collect();
    let known = match (gb::region_of_place(&name), code) {
        (Some(name), Some(code)) if code.starts_with(gb::region_prefix(&name)) => Some(code),
        (Some(name), _) => Some(name),
        (None, code) => code,
    };
    known.ok_or_else(|| "不是行政区划代码（GB/T 2260，如 130100）或省、市名称；重名的区县请写明省、市".into())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The only run of letters and digits in a text that can be a code: `C3851 家用电器`, `通用设备制造业(C34)`.
fn only_run(text: &str, can_be: impl Fn(&str) -> bool) -> Option<&str> {
    let mut runs = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| !run.is_empty() && can_be(run));
    runs.next().filter(|_| runs.next().is_none())
}

/// The text without a code at its start or end.
fn without_code(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "()[]:-".contains(c))
}

/// TRL as `7`, `TRL7`, `7级`, `第7级`.
pub fn trl(text: &str) -> Result<Option<u8>, String> {
    let text = whole(text).to_lowercase();
    let digits =
        text.trim_start_matches("trl").trim_start_matches('第').trim_end_matches('级').trim_matches([' ', '-', ':']);
    if text.is_empty() {
        return Ok(None);
    }
    digits.parse().map(Some).map_err(|_| "应为 1 到 9 的整数".to_string())
}

/// Revision: a whole number, with or without a leading `v`.
pub fn revision(text: &str) -> Result<u64, String> {
    let text = whole(text).to_lowercase();
    if text.is_empty() {
        return Ok(0);
    }
    text.trim_start_matches('v').parse().map_err(|_| "修订号应为不小于 0 的整数".to_string())
}

/// Rights: `发明专利:ZL2021...:已授权;软件著作权` in a table, objects with `kind`, `number` and `status` in JSON.
pub fn rights(cell: &Cell) -> Result<Vec<IntellectualProperty>, String> {
    let entries = match cell {
        Cell::Json(Value::Array(entries)) => entries.iter().map(right_of_json).collect::<Result<Vec<_>, _>>()?,
        Cell::Json(entry @ Value::Object(_)) => vec![right_of_json(entry)?],
        _ => split(&cell.text()?).iter().map(|entry| right_of_text(entry)).collect::<Result<Vec<_>, _>>()?,
    };
    Ok(entries.into_iter().flatten().collect())
}

fn right_of_text(entry: &str) -> Result<Option<IntellectualProperty>, String> {
    let entry = plain(entry);
    let mut parts = entry.split(':').map(str::trim);
    let (kind, number, status) = (parts.next(), parts.next(), parts.next());
    if parts.next().is_some() {
        return Err("知识产权的写法应为 类型:号码:状态，各项用分号隔开".into());
    }
    right([kind, number, status].map(Option::unwrap_or_default))
}

fn right_of_json(entry: &Value) -> Result<Option<IntellectualProperty>, String> {
    let Value::Object(object) = entry else {
        return right_of_text(&Cell::Json(entry.clone()).text()?);
    };
    let part = |key: &str| object.get(key).map_or(Ok(String::new()), |value| Cell::Json(value.clone()).text());
    let (kind, number, status) = (part("kind")?, part("number")?, part("status")?);
    right([&kind, &number, &status])
}

fn right([kind, number, status]: [&str; 3]) -> Result<Option<IntellectualProperty>, String> {
    match (code::<IpKind>(kind)?, code::<IpStatus>(status)?) {
        (Some(kind), status) => Ok(Some(IntellectualProperty { kind, number: one_line(number), status })),
        (None, None) if number.trim().is_empty() => Ok(None),
        _ => Err("知识产权缺少类型；写法为 类型:号码:状态".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use duijie_core::domain::codes::{Status, TransferMode};

    #[test]
    fn only_what_is_said_not_to_be_secret_is_taken() {
        for text in ["", "公开", " 非密 ", "否", "／"] {
            assert_eq!(unclassified(text), Ok(()), "{text}");
        }
        for text in ["秘密", "机密", "绝密★", "内部", "是", "?"] {
            assert!(unclassified(text).is_err(), "{text}");
        }
    }

    #[test]
    fn codes_by_any_name() {
        let check = |text: &str, want: Option<Status>| assert_eq!(code::<Status>(text).ok(), Some(want), "{text}");
        check("已发布", Some(Status::Active));
        check(" published ", Some(Status::Active));
        check("OPEN", Some(Status::Active));
        check("inactive", Some(Status::Closed));
        check("２", Some(Status::Draft));
        check("", None);
        let reason = code::<Status>("上架").unwrap_err();
        assert!(reason.contains("状态") && reason.contains("已发布"), "{reason}");
        assert!(code::<Status>("99").is_err());
        let modes = ["独家（排他）许可", "技术转让", "转让"].map(String::from);
        assert_eq!(codes(&modes), Ok(vec![TransferMode::SoleLicense, TransferMode::Assignment]));
    }

    #[test]
    fn national_codes() {
        let check = |got: Result<String, String>, want: &str| assert_eq!(got.as_deref(), Ok(want));
        check(industry("c3851"), "C3851");
        check(industry("C"), "C");
        check(industry("C3851 家用电器制造"), "C3851");
        check(industry("通用设备制造业（C34）"), "C34");
        check(industry(""), "");
        check(industry("通用设备制造业"), "C34");
        check(industry("制造业/专用设备制造业"), "C35");
        check(region("130100.0"), "130100");
        check(region("广东省-深圳市"), "440300");
        assert!(industry("钢铁冶炼").is_err() && region("朝阳区").is_err());
        assert!(industry("A类企业").is_err());
        check(tech_field("804"), "804");
        check(tech_field("新材料技术"), "40");
        check(tech_field("80 先进制造与自动化"), "80");
        assert!(tech_field("核应用").is_err());
        check(region("130100"), "130100");
        check(region("1301"), "130100");
        check(region("石家庄市"), "130100");
        check(region("河北省石家庄市长安区"), "130100");
        check(region("河北唐山"), "130200");
        check(region("河北-唐山市-遵化市"), "130200");
        check(region("河北雄安新区"), "133100");
        check(region("河北省定州市"), "130000");
        check(region("北京市海淀区"), "110000");
        check(region("天津市河北区"), "120000");
        check(region("天津"), "120000");
        check(region(""), "");
        assert!(region("河北区").is_err());
        assert!(region("火星").is_err());
        assert!(region("990000").is_err());
    }

    #[test]
    fn numbers_within_names_are_no_codes() {
        let check = |got: Result<String, String>, want: &str| assert_eq!(got.as_deref(), Ok(want));
        check(region("河北省石家庄市长安区中山东路11号"), "130100");
        check(region("杭州市 310012"), "330100");
        check(region("310012 杭州市西湖区"), "330100");
        check(region("石家庄市长安区（130102）"), "130102");
        check(region("130102 长安区"), "130102");
        check(region("13 河北省"), "130000");
        assert!(region("西湖区 310012").is_err() && region("解放路11号").is_err());
        for text in ["新材料（2025）", "智能制造2025", "第34届展会"] {
            assert!(industry(text).is_err(), "{text}");
        }
        check(industry("通用设备制造业 2025"), "C34");
        check(industry("C35 专用设备制造业"), "C35");
        check(industry("C3421 通用设备制造业"), "C3421");
        assert!(industry("C35 通用设备制造业").is_err_and(|reason| reason.contains("不一致")));
        check(tech_field("新材料（2025）"), "40");
        check(tech_field("401 新材料"), "401");
        check(tech_field("40101 钢铁材料"), "40101");
        assert!(tech_field("钢铁20项").is_err());
    }

    #[test]
    fn numbers() {
        for text in ["7", "TRL7", "trl 7", "7级", "第7级", "TRL-7"] {
            assert_eq!(trl(text), Ok(Some(7)), "{text}");
        }
        assert_eq!(trl(""), Ok(None));
        assert!(trl("七").is_err() && trl("300").is_err() && trl("6.5").is_err());
        assert_eq!((revision("3"), revision("v3"), revision("")), (Ok(3), Ok(3), Ok(0)));
        assert!(revision("-1").is_err() && revision("1.2").is_err());
    }

    #[test]
    fn ids_that_lost_their_digits_are_refused() {
        let text = |text: &str| exact(&Cell::Text(text.into()));
        for lost in ["1.7E+17", "1.70E17", "9E+15", "1.234e+12"] {
            assert!(text(lost).is_err_and(|reason| reason.contains("15 位")), "{lost}");
        }
        for kept in ["17E3", "00123", "x-1e5", "E+5"] {
            assert_eq!(text(kept).as_deref(), Ok(kept));
        }
        assert!(exact(&Cell::Json(json!(170000000000000000.0))).is_err());
        assert_eq!(exact(&Cell::Json(json!(1001.0))).as_deref(), Ok("1001"));
        assert_eq!(exact(&Cell::Json(json!(170000000000000001_u64))).as_deref(), Ok("170000000000000001"));
    }

    #[test]
    fn rights_in_text_and_json() {
        let check = |cell: Cell, want: &[(IpKind, &str, Option<IpStatus>)]| {
            let got = rights(&cell).unwrap();
            let got: Vec<_> = got.iter().map(|right| (right.kind, right.number.as_str(), right.status)).collect();
            assert_eq!(got, want);
        };
        use {IpKind as K, IpStatus as S};
        let text = |text: &str| Cell::Text(text.into());
        check(
            text("发明专利:ZL202110000000.X:已授权;软件著作权"),
            &[(K::Invention, "ZL202110000000.X", Some(S::Granted)), (K::Software, "", None)],
        );
        check(text("实用新型：：申请中；"), &[(K::UtilityModel, "", Some(S::Pending))]);
        check(text(""), &[]);
        let objects = json!([{"kind": "invention", "number": "", "status": "pending"}, {"kind": "software"}, "软著"]);
        check(
            Cell::Json(objects),
            &[(K::Invention, "", Some(S::Pending)), (K::Software, "", None), (K::Software, "", None)],
        );
        check(Cell::Json(json!([])), &[]);
        assert!(rights(&text("授权专利3项")).is_err());
        assert!(rights(&text(":ZL2021:已授权")).is_err());
        assert!(rights(&text("发明:1:2:3")).is_err());
        assert!(rights(&Cell::Json(json!([{"number": "1"}]))).is_err());
    }
}
