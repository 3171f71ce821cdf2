//! Checks of the parts of a rule: validity, schemes with their bands, questions.

use jiff::civil::Date;
use toml::{Spanned, value::Datetime};

use super::{
    award::WHOLE_BASIS_POINTS,
    check::Checker,
    note::Unknown,
    raw::{RawBand, RawQuestion, RawScheme, RawValidity},
    rule::{Band, Base, Question, Scheme, Validity},
};
use duijie_core::domain::{check::MAX_AMOUNT_YUAN, name::check_id};

/// Maximum regions per condition: there are 34 provinces.
pub const MAX_REGIONS: usize = 40;
/// Maximum bands per scheme.
pub const MAX_BANDS: usize = 8;
/// Accepted years of a plan.
const YEARS: std::ops::RangeInclusive<i64> = 1980..=2200;
/// Maximum characters of a scheme's name.
const MAX_TITLE_CHARS: usize = 50;

impl Checker<'_> {
    /// `[validity]`.
    pub fn validity(&mut self, raw: &RawValidity) -> Validity {
        let from = raw.from.as_ref().and_then(|date| self.date(date));
        let to = raw.to.as_ref().and_then(|date| self.date(date));
        if let (Some(from), Some(last), Some(place)) = (from, to, &raw.to)
            && last < from
        {
            self.say(place, "末日 to 早于首日 from");
        }
        let plan_years = raw.plan_years.as_ref().and_then(|years| self.plan_years(years));
        Validity { from, to, plan_years }
    }

    fn date(&mut self, raw: &Spanned<Datetime>) -> Option<Date> {
        let value = raw.get_ref();
        let date = value.date.filter(|_| value.time.is_none() && value.offset.is_none()).and_then(|date| {
            let year = i16::try_from(date.year).ok()?;
            Date::new(year, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?).ok()
        });
        if date.is_none() {
            self.say(raw, "日期应写成 2021-07-01 这样，不带时间");
        }
        date
    }

    fn plan_years(&mut self, raw: &Spanned<Vec<i64>>) -> Option<(i16, i16)> {
        let years = match raw.get_ref().as_slice() {
            [first, last] if first <= last && YEARS.contains(first) && YEARS.contains(last) => {
                i16::try_from(*first).ok().zip(i16::try_from(*last).ok())
            }
            _ => None,
        };
        if years.is_none() {
            self.say(raw, "plan_years 应写成 [首年, 末年]，例如 [2021, 2025]");
        }
        years
    }
}

/// `[[scheme]]`. Mistakes are recorded; the other values are used as they are.
pub(super) fn scheme(checker: &mut Checker<'_>, raw: &Spanned<RawScheme>) -> Scheme {
    let scheme = raw.get_ref();
    if check_id(scheme.id.get_ref()).is_err() {
        checker.say(&scheme.id, "方案编号只能用字母、数字和 . _ -，1 到 64 个字符");
    }
    checker.text("title", &scheme.title, MAX_TITLE_CHARS, false);
    let cap_yuan = checker.cap("cap_yuan", &scheme.cap_yuan).unwrap_or(1);
    if scheme.band.is_empty() || MAX_BANDS < scheme.band.len() {
        checker.say(raw, format!("每个方案的 [[scheme.band]] 至少 1 个，至多 {MAX_BANDS} 个"));
    }
    let mut bands: Vec<Band> = Vec::new();
    for raw_band in scheme.band.iter().take(MAX_BANDS) {
        check_joint(checker, bands.last(), raw_band);
        bands.push(band(checker, raw_band.get_ref()));
    }
    Scheme {
        id: scheme.id.get_ref().clone(),
        title: scheme.title.get_ref().trim().to_string(),
        seller_regions: checker.regions(&scheme.seller_regions),
        cap_yuan,
        bands,
    }
}

/// Checks that a band begins where the previous one ends.
fn check_joint(checker: &mut Checker<'_>, before: Option<&Band>, raw: &Spanned<RawBand>) {
    let Some(before) = before else { return };
    let from = &raw.get_ref().from_yuan;
    match before.below_yuan {
        None => checker.say(from, "前一个区间没有写 below_yuan（没有上限），后面不能再有区间"),
        Some(below) if *from.get_ref() < below => {
            checker.say(from, format!("区间重叠：前一个区间到 {below} 元为止，这里从 {} 元开始", from.get_ref()));
        }
        Some(below) if below < *from.get_ref() => {
            checker.say(from, format!("区间之间有空档：前一个区间到 {below} 元为止，这里从 {} 元开始", from.get_ref()));
        }
        Some(_) => {}
    }
}

fn band(checker: &mut Checker<'_>, raw: &RawBand) -> Band {
    if !(0..=MAX_AMOUNT_YUAN).contains(raw.from_yuan.get_ref()) {
        checker.say(&raw.from_yuan, format!("from_yuan 应为 0 到 {MAX_AMOUNT_YUAN} 的整数（元）"));
    }
    if let Some(below) = &raw.below_yuan {
        if !(1..=MAX_AMOUNT_YUAN).contains(below.get_ref()) {
            checker.say(below, format!("below_yuan 应为 1 到 {MAX_AMOUNT_YUAN} 的整数（元）"));
        } else if below.get_ref() <= raw.from_yuan.get_ref() {
            checker.say(below, "below_yuan 必须大于 from_yuan");
        }
    }
    if !(0..=WHOLE_BASIS_POINTS).contains(raw.rate_basis_points.get_ref()) {
        checker.say(&raw.rate_basis_points, "rate_basis_points 应为 0 到 10000 的整数，10 % 写 1000");
    }
    Band {
        from_yuan: *raw.from_yuan.get_ref(),
        below_yuan: raw.below_yuan.as_ref().map(|below| *below.get_ref()),
        rate_basis_points: *raw.rate_basis_points.get_ref(),
        base: base(checker, raw),
    }
}

fn base(checker: &mut Checker<'_>, raw: &RawBand) -> Base {
    let lower = raw.lower_bands.as_ref().map(|lower| lower.get_ref().as_str());
    match (raw.base.get_ref().as_str(), lower, &raw.lower_bands) {
        ("whole", None, _) => return Base::Whole,
        ("excess", Some("kept"), _) => return Base::Excess { keeps_lower: true },
        ("excess", Some("dropped"), _) => return Base::Excess { keeps_lower: false },
        ("whole", _, Some(place)) => checker.say(place, "base = \"whole\" 时不能写 lower_bands"),
        ("excess", None, _) => {
            checker.say(&raw.base, "base = \"excess\" 时必须写 lower_bands：\"kept\" 或 \"dropped\"")
        }
        ("excess", _, Some(place)) => {
            checker.say(place, "lower_bands 只能是 \"kept\"（较低区间照计）或 \"dropped\"（不计）")
        }
        _ => checker.say(&raw.base, "base 只能是 \"whole\"（全部交易额）或 \"excess\"（超过部分）"),
    }
    Base::Whole
}

/// `[[question]]`.
pub(super) fn question(checker: &mut Checker<'_>, raw: &Spanned<RawQuestion>, schemes: &[Scheme]) -> Question {
    let question = raw.get_ref();
    let code = question.code.get_ref();
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if code.is_empty() || 64 < code.len() || !code.bytes().all(allowed) {
        checker.say(&question.code, "问题代码只能用大写字母、数字和 _，1 到 64 个字符");
    }
    if Unknown::CODES.contains(&code.as_str()) {
        checker.say(&question.code, format!("{code} 由程序自己使用，请换一个问题代码"));
    }
    checker.question_text(&question.text);
    for id in &question.schemes {
        if !schemes.iter().any(|scheme| scheme.id == *id.get_ref()) {
            checker.say(id, format!("没有编号为 {} 的方案", id.get_ref()));
        }
    }
    let drops_lower = match question.otherwise.as_ref().map(|other| (other, other.get_ref().as_str())) {
        None => false,
        Some((_, "without_lower_bands")) => true,
        Some((place, _)) => {
            checker.say(place, "otherwise 只能是 \"without_lower_bands\"");
            false
        }
    };
    let from_yuan = question.from_yuan.as_ref().map_or(0, |from| *from.get_ref());
    let below_yuan = question.below_yuan.as_ref().map_or(i64::MAX, |below| *below.get_ref());
    if let Some(place) = question.below_yuan.as_ref().or(question.from_yuan.as_ref())
        && !(0 <= from_yuan && from_yuan < below_yuan)
    {
        checker.say(place, "from_yuan 不能为负，below_yuan 必须大于 from_yuan");
    }
    let schemes = question.schemes.iter().map(|id| id.get_ref().clone()).collect();
    Question {
        code: code.clone(),
        text: question.text.get_ref().trim().to_string(),
        schemes,
        from_yuan,
        below_yuan,
        drops_lower,
    }
}
