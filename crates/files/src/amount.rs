//! Parses amounts of money in common spellings, exactly: decimal digits are shifted, never multiplied as floats.

use unicode_normalization::UnicodeNormalization;

/// Words for "to be negotiated" or no value.
const NONE_WORDS: [&str; 24] = [
    "",
    "-",
    "--",
    "—",
    "/",
    "无",
    "null",
    "none",
    "n/a",
    "面议",
    "面谈",
    "议价",
    "电议",
    "协商",
    "双方协商",
    "可协商",
    "价格面议",
    "待定",
    "另议",
    "暂无",
    "不详",
    "未定",
    "自筹",
    "未填",
];

/// Units with their power of ten; a longer unit comes before its own suffix.
const UNITS: [(&str, i64); 11] = [
    ("亿元", 8),
    ("亿", 8),
    ("千万元", 7),
    ("千万", 7),
    ("百万元", 6),
    ("百万", 6),
    ("万元", 4),
    ("万", 4),
    ("千元", 3),
    ("千", 3),
    ("元", 0),
];

/// Most digits of a whole amount: 10^18 fits an `i64`; the domain checks the record's own limit (10^12).
const MAX_DIGITS: i64 = 18;

/// Returns whether a text says its unit.
pub fn has_unit(text: &str) -> bool {
    text.contains(['亿', '万', '千', '元'])
}

/// Parses an amount in whole yuan. `heading_power` is the power of ten of the heading's unit (4 for 万元); a unit in the
/// text takes precedence. `None` means to be negotiated.
///
/// # Errors
/// A reason in Chinese: not a number, a range of two numbers, negative, too large, not a whole number of yuan.
pub fn parse(text: &str, heading_power: i64) -> Result<Option<i64>, String> {
    let text: String = text.nfkc().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    if NONE_WORDS.contains(&text.as_str()) {
        return Ok(None);
    }
    let bare = ["¥", "人民币", "rmb", "cny"].iter().fold(text.as_str(), |text, sign| text.trim_start_matches(sign));
    let bare = bare.trim_end_matches('整').trim_end_matches("人民币").trim_end_matches("rmb");
    let unit = UNITS.iter().find_map(|(unit, power)| bare.strip_suffix(unit).map(|number| (number, *power)));
    let (number, power) = unit.unwrap_or((bare, heading_power));
    if number.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')) {
        return Err("金额不能为负".into());
    }
    let Some(decimal) = Decimal::parse(number) else {
        return Err(refusal(number));
    };
    decimal.whole(power).map(Some)
}

/// Digits without leading and trailing zeros, times a power of ten.
struct Decimal {
    digits: String,
    power: i64,
}

// === impl Decimal ===

impl Decimal {
    /// Reads `1,234.50`, `.5`, `1.2e6`.
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = without_separators(whole)?;
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // any exponent beyond i32 is equally too large
        let size = i64::from(unsigned.parse::<i32>().unwrap_or(i32::MAX));
        let exponent = if exponent.starts_with('-') { -size } else { size };
        let trimmed = digits.trim_end_matches('0');
        let zeros = i64::try_from(digits.len() - trimmed.len()).ok()?;
        let power = exponent + zeros - i64::try_from(fraction.len()).ok()?;
        Some(Self { digits: trimmed.trim_start_matches('0').to_string(), power })
    }

    /// The number times `10^unit_power`, if that is whole.
    fn whole(&self, unit_power: i64) -> Result<i64, String> {
        if self.digits.is_empty() {
            return Ok(0);
        }
        let too_big = || "金额过大".to_string();
        let power = self.power + unit_power;
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX).saturating_add(power);
        if MAX_DIGITS < length {
            return Err(too_big());
        }
        let power = u32::try_from(power).map_err(|_| "折合后不是整数元，请精确到元".to_string())?;
        let digits: i64 = self.digits.parse().map_err(|_| too_big())?;
        10_i64.checked_pow(power).and_then(|factor| digits.checked_mul(factor)).ok_or_else(too_big)
    }
}

/// Digits without thousands separators; `None` if a group after the first does not have three digits.
fn without_separators(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let grouped = whole.contains(',');
    let fits = groups.all(|group| group.len() == 3) && (!grouped || (1..=3).contains(&first.len()));
    fits.then(|| whole.replace(',', ""))
}

/// Reason why a text is not an amount.
fn refusal(number: &str) -> String {
    let range = number.split(['-', '~', '至', '到', '—', '–']).filter(|part| !part.is_empty()).count() == 2
        && number.starts_with(|c: char| c.is_ascii_digit());
    if range {
        "金额须是一个数，不能是区间".into()
    } else {
        "不是金额；可写 120000、12万元、1,200,000 或 面议".into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts() {
        let check = |text: &str, power: i64, want: Result<Option<i64>, &str>| {
            let got = parse(text, power);
            match want {
                Ok(want) => assert_eq!(got, Ok(want), "{text}"),
                Err(part) => assert!(got.as_ref().is_err_and(|reason| reason.contains(part)), "{text}: {got:?}"),
            }
        };
        check("500000", 0, Ok(Some(500_000)));
        check("50", 4, Ok(Some(500_000)));
        check("12.5", 4, Ok(Some(125_000)));
        check("12.5万", 0, Ok(Some(125_000)));
        check("12.5万", 4, Ok(Some(125_000)));
        check("50万元", 0, Ok(Some(500_000)));
        check("500000元", 4, Ok(Some(500_000)));
        check("１，０００，０００", 0, Ok(Some(1_000_000)));
        check("1,000,000", 0, Ok(Some(1_000_000)));
        check("1,000.50", 4, Ok(Some(10_005_000)));
        check("￥ 1,200元整", 0, Ok(Some(1200)));
        check("人民币80万元", 0, Ok(Some(800_000)));
        check("RMB 3000", 0, Ok(Some(3000)));
        check("1.2亿", 0, Ok(Some(120_000_000)));
        check("3百万", 0, Ok(Some(3_000_000)));
        check("2千万元", 0, Ok(Some(20_000_000)));
        check("5千元", 0, Ok(Some(5000)));
        check("100.00", 0, Ok(Some(100)));
        check("0.1", 4, Ok(Some(1000)));
        check("0.0001", 4, Ok(Some(1)));
        // 1.1 * 10,000 is 11000.000000000002 as a float
        check("1.1", 4, Ok(Some(11_000)));
        check("0.29", 4, Ok(Some(2900)));
        check("1.2E+06", 0, Ok(Some(1_200_000)));
        check("1000000.0", 0, Ok(Some(1_000_000)));
        check(".5", 4, Ok(Some(5000)));
        check("5.", 0, Ok(Some(5)));
        check("0", 0, Ok(Some(0)));
        check("0.00", 0, Ok(Some(0)));
        check("007", 0, Ok(Some(7)));
        check("100000000000000000", 0, Ok(Some(100_000_000_000_000_000)));
        check("", 0, Ok(None));
        check(" \u{3000} ", 0, Ok(None));
        check("面议", 4, Ok(None));
        check("双方 协商", 0, Ok(None));
        check("—", 0, Ok(None));
        check("N/A", 0, Ok(None));
        check("-5", 0, Err("负"));
        check("－5万元", 0, Err("负"));
        check("NaN", 0, Err("不是金额"));
        check("inf", 0, Err("不是金额"));
        check("1e400", 0, Err("过大"));
        check("1e99999999999999999999", 0, Err("过大"));
        check("1e-400", 0, Err("整数元"));
        check("10000000000000000000", 0, Err("过大"));
        check("12.34", 0, Err("整数元"));
        check("0.00001", 4, Err("整数元"));
        check("50-100", 4, Err("区间"));
        check("50～100万元", 0, Err("区间"));
        check("50至100", 0, Err("区间"));
        check("1,00", 0, Err("不是金额"));
        check("1000,000", 0, Err("不是金额"));
        check("约50万", 0, Err("不是金额"));
        check("$500", 0, Err("不是金额"));
        check("1.2.3", 0, Err("不是金额"));
        check("万元", 0, Err("不是金额"));
        check("e5", 0, Err("不是金额"));
        check("5e", 0, Err("不是金额"));
    }

    proptest! {
        #[test]
        fn whole_yuan_come_back_from_any_unit(yuan in 0_i64..1_000_000_000_000) {
            prop_assert_eq!(parse(&yuan.to_string(), 0), Ok(Some(yuan)));
            let ten_thousands = format!("{}.{:04}", yuan / 10_000, yuan % 10_000);
            prop_assert_eq!(parse(&ten_thousands, 4), Ok(Some(yuan)));
            prop_assert_eq!(parse(&format!("{ten_thousands}万元"), 0), Ok(Some(yuan)));
        }

        #[test]
        fn any_text_has_an_answer(text in "\\PC{0,40}", power in 0_i64..9) {
            let _ = parse(&text, power);
        }
    }
}
