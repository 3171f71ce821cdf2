//! Words before a number: comparison, change, and the subject.

use std::ops::Range;

use super::{
    Comparison, Measure,
    text::{CharText, is_han},
    units,
    words::{self, Effect},
};

/// Maximum characters of a subject. Longer noun phrases are cut at the start, since the end names the quantity.
const MAX_SUBJECT_CHARS: usize = 12;
/// Maximum words between a subject and its number: 应 不低于 约 is three.
const MAX_WORDS: usize = 8;
/// Maximum characters in brackets between a subject and its number: 总误差（含非线性、迟滞、温漂）≤.
const MAX_BRACKET_CHARS: usize = 30;
/// Maximum characters of the unit in a heading: 导热系数/(W·m-1·K-1).
const MAX_HEADING_UNIT_CHARS: usize = 16;
/// Maximum characters of the list before 分别.
const MAX_LIST_CHARS: usize = 40;

/// Words before a number.
#[derive(Debug, Default)]
pub(super) struct Lead {
    /// Start of the subject, or of the words if there is no subject.
    pub start: usize,
    /// Start of the words.
    pub words_start: usize,
    pub comparison: Option<Comparison>,
    /// 优于.
    pub is_better: bool,
    pub is_about: bool,
    /// 到, 达到.
    pub reaches: bool,
    /// A change directly before the number: 降低约 30%.
    pub change: Option<Measure>,
    /// A change before the subject: 降低能耗 30%.
    pub far_change: Option<Measure>,
    pub subject: Range<usize>,
    /// Bracket between subject and number.
    pub bracket: Option<Range<usize>>,
    /// The list before 分别.
    pub names: Vec<Range<usize>>,
}

// === impl Lead ===

impl Lead {
    /// Reads backwards from a number. `limit` returns the end of the last indicator before a position; reading stops
    /// there.
    pub(super) fn read(text: &CharText<'_>, number: usize, limit: impl Fn(usize) -> usize) -> Self {
        let mut lead = Self { start: number, words_start: number, subject: number..number, ..Self::default() };
        let mut floor = limit(number);
        for _ in 0..MAX_WORDS {
            let place = text.skip_blanks_back(lead.words_start).max(floor);
            // the bracket of 5MPa(绝压) belongs to that number
            if floor < place && text.before(place) == ')' && lead.bracket.is_none() {
                let Some(open) = opening(text, place) else { break };
                lead.bracket = Some(open + 1..place - 1);
                lead.words_start = open;
                floor = limit(open);
                continue;
            }
            let Some(word) = words::connecting(text, place).filter(|word| floor <= word.start) else { break };
            let longer = words::ending(text, place).filter(|longer| longer.start < word.start);
            if longer.is_some_and(|longer| longer.effect == Effect::Stop) {
                break;
            }
            if word.effect == Effect::Respectively {
                lead.names = list(text, word.start, floor);
                break;
            }
            lead.take(word.effect);
            lead.words_start = word.start;
            if word.effect != Effect::Fill {
                lead.start = word.start;
            }
        }
        if lead.names.len() < 2 {
            lead.read_subject(text, floor);
        }
        lead
    }

    /// Takes the unit of a heading before the sign, for a number without one: 吸收剂量/kGy：30, 流量/(m3/h)：5. It is read as
    /// in brackets: 吸收剂量（kGy）：30.
    pub(super) fn read_heading(&mut self, text: &CharText<'_>, floor: usize) {
        let end = text.skip_blanks_back(self.words_start).max(floor);
        let first = end.saturating_sub(MAX_HEADING_UNIT_CHARS).max(floor);
        let is_stroke = |place: &usize| text.at(*place) == '/' && is_han(text.before(*place));
        let (stroke, unit) = match self.bracket.clone() {
            None => {
                let Some(stroke) = (first..end).rev().find(is_stroke).filter(|_| self.has_sign(text)) else { return };
                (stroke, stroke + 1..end)
            }
            Some(inside) => {
                let stroke = inside.start.saturating_sub(2);
                if inside.start < 2 || stroke < floor || self.words_start != stroke + 1 || !is_stroke(&stroke) {
                    return;
                }
                (stroke, inside)
            }
        };
        let is_unit = units::unit_at(text, unit.start).is_some_and(|found| found.end == unit.end);
        if is_unit && !is_han(text.at(unit.start)) {
            self.bracket = Some(unit);
            self.words_start = stroke;
            self.subject = stroke..stroke;
            self.read_subject(text, floor);
        }
    }

    fn has_sign(&self, text: &CharText<'_>) -> bool {
        matches!(text.at(text.skip_blanks(self.words_start)), ':' | '≥' | '≤' | '>' | '<' | '=')
    }

    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Compare(comparison) => self.comparison = self.comparison.or(Some(comparison)),
            Effect::Better => self.is_better = true,
            Effect::About => self.is_about = true,
            // 提高到 states a level, 达到提高 does not
            Effect::Reach => self.reaches |= self.change.is_none(),
            Effect::Change(change) => self.change = self.change.or(Some(change)),
            Effect::Fill | Effect::Respectively | Effect::Stop => {}
        }
    }

    fn read_subject(&mut self, text: &CharText<'_>, floor: usize) {
        let end = text.skip_blanks_back(self.words_start).max(floor);
        let mut start = end;
        while floor < start && end - start < MAX_SUBJECT_CHARS && is_subject_char(text, start - 1) {
            let Some(word) = words::ending(text, start).filter(|word| floor <= word.start) else {
                start -= 1;
                continue;
            };
            let length = start - word.start;
            match word.effect {
                // 最高工作温度 is a separate subject, and 升, 降 are mostly parts of words
                Effect::Compare(_) if matches!(text.at(word.start), '最' | '上' | '下') => start = word.start,
                Effect::Change(_) if length == 1 || is_noun(text, start) => start = word.start,
                Effect::Change(change) if start < end => {
                    self.far_change = Some(change);
                    self.start = word.start;
                    break;
                }
                _ => break,
            }
        }
        // do not start inside a Latin word or with a digit
        let is_cut = |start: usize| text.before(start).is_ascii_alphabetic() && text.at(start).is_ascii_alphanumeric();
        while start < end && (is_cut(start) || !text.at(start).is_alphabetic()) {
            start += 1;
        }
        if start < end {
            self.subject = start..end;
            self.start = self.start.min(start);
        }
    }
}

/// Noun after a number: `≥500MPa的抗拉强度`. `known` returns whether a subject is in the table.
pub(super) fn subject_behind(
    text: &CharText<'_>,
    place: usize,
    known: impl Fn(&[char]) -> bool,
) -> Option<Range<usize>> {
    const ENDS: &str = "的和与及或且并为是在";
    let mut end = place;
    // 的CO2浓度 contains a digit, but 的抗拉强度5MPa ends before the number
    let is_number = |end: usize| text.at(end).is_ascii_digit() && is_han(text.before(end));
    let is_part = |end: usize| is_subject_char(text, end) && !ENDS.contains(text.at(end)) && !is_number(end);
    while end - place < MAX_SUBJECT_CHARS && is_part(end) {
        end += 1;
    }
    let is_known = |end: &usize| known(text.slice(place..*end));
    let end = (place + 2..=end).rev().find(is_known).unwrap_or(end);
    (place + 1 < end && is_han(text.at(place))).then_some(place..end)
}

/// Position of the bracket that closes before `end`.
fn opening(text: &CharText<'_>, end: usize) -> Option<usize> {
    let first = end.saturating_sub(MAX_BRACKET_CHARS);
    let mut depth = 0_usize;
    for place in (first..end).rev() {
        match text.at(place) {
            ')' => depth += 1,
            '(' if depth <= 1 => return Some(place),
            '(' => depth -= 1,
            '\n' | '。' => return None,
            _ => {}
        }
    }
    None
}

/// Names before 分别, in order.
fn list(text: &CharText<'_>, end: usize, floor: usize) -> Vec<Range<usize>> {
    let first = end.saturating_sub(MAX_LIST_CHARS).max(floor);
    let mut names = Vec::new();
    let (mut start, mut name_end) = (end, end);
    while first < start {
        let place = start - 1;
        let is_separator = matches!(text.at(place), '、' | '和' | '与' | '及') && start != end;
        if is_separator {
            names.push(start..name_end);
            name_end = place;
        } else if !is_subject_char(text, place) || words::ending(text, start).is_some_and(|word| start - word.start > 1)
        {
            break;
        }
        start = place;
    }
    names.push(start..name_end);
    names.retain(|name| !name.is_empty() && name.len() <= MAX_SUBJECT_CHARS);
    names.reverse();
    names
}

/// Returns whether a change word continues as a noun: 增加率, 减少量.
fn is_noun(text: &CharText<'_>, place: usize) -> bool {
    matches!(text.at(place), '率' | '量' | '值' | '幅' | '度' | '比' | '系' | '速')
}

fn is_subject_char(text: &CharText<'_>, place: usize) -> bool {
    let character = text.at(place);
    let joins = |place: usize| text.at(place).is_ascii_alphanumeric();
    match character {
        '-' | '_' => 0 < place && joins(place - 1) && joins(place + 1),
        '℃' | '℉' => false,
        _ => is_han(character) || character.is_ascii_alphanumeric() || matches!(character, 'Α'..='ω'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_reach_back_to_their_beginning() {
        let check = |text: &str, subject: &str, words: &str| {
            let text = CharText::new(text);
            let lead = Lead::read(&text, text.len(), |_| 0);
            let found = (text.folded(lead.subject.clone()), text.folded(lead.words_start..text.len()));
            assert_eq!(found, (subject.to_string(), words.to_string()));
        };
        check("要求抗拉强度≥", "抗拉强度", "≥");
        check("，其使用寿命不少于", "使用寿命", "不少于");
        check("钢板的屈服强度应不低于", "屈服强度", "应不低于");
        check("能耗降低约", "能耗", "降低约");
        check("性能指标：", "", ":");
        check("总误差（含迟滞、漂移）≤", "总误差", "（含迟滞、漂移）≤".replace('（', "(").replace('）', ")").as_str());
        check("最高工作温度", "最高工作温度", "");
        check("比表面积达到", "比表面积", "达到");
        check("SOC误差不超过", "SOC误差", "不超过");
        check("响应时间", "响应时间", "");
        check("。", "", "");
    }

    #[test]
    fn changes_are_found_near_and_far() {
        let check = |text: &str, near: Option<Measure>, far: Option<Measure>, reaches: bool| {
            let text = CharText::new(text);
            let lead = Lead::read(&text, text.len(), |_| 0);
            assert_eq!((lead.change, lead.far_change, lead.reaches), (near, far, reaches));
        };
        check("能耗降低了约", Some(Measure::Decrease), None, false);
        check("能耗降低至", Some(Measure::Decrease), None, true);
        check("提高生产效率", None, Some(Measure::Increase), false);
        check("河北省投入", None, None, false);
        check("质量增加率", None, None, false);
        check("强度", None, None, false);
    }

    #[test]
    fn lists_before_respectively() {
        let text = CharText::new("抗拉强度和屈服强度分别不低于");
        let lead = Lead::read(&text, text.len(), |_| 0);
        let names: Vec<String> = lead.names.into_iter().map(|name| text.folded(name)).collect();
        assert_eq!(names, ["抗拉强度", "屈服强度"]);
    }
}
