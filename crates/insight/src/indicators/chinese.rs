//! Chinese display texts of answers and indicators.

use super::{Answer, AnswerOutcome, AnswerReason, Comparison, Indicator, Measure};

// === impl Answer ===

impl Answer {
    /// One line such as `抗拉强度：要求 ≥500 MPa，成果为 520 MPa，满足`. Pass the two lists that were compared.
    pub fn chinese(&self, demand: &[Indicator], achievement: &[Indicator]) -> String {
        let Some(asked) = demand.get(self.demand) else { return String::new() };
        let subject = if asked.subject.is_empty() { asked.quantity.name } else { &asked.subject };
        let stated = self.achievement.and_then(|index| achievement.get(index));
        let stated = stated.map_or("成果未说明".to_string(), |stated| format!("成果为 {}", stated.chinese()));
        format!("{subject}：要求 {}，{stated}，{}", asked.chinese(), self.reason.chinese())
    }
}

// === impl Indicator ===

impl Indicator {
    /// Comparison, value and unit as written: `≥500 MPa`, `降低 30%`.
    pub fn chinese(&self) -> String {
        let change = match self.measure {
            Measure::Level => "",
            Measure::Increase => "提高 ",
            Measure::Decrease => "降低 ",
        };
        let sign = match self.comparison {
            Comparison::AtLeast => "≥",
            Comparison::MoreThan => ">",
            Comparison::AtMost => "≤",
            Comparison::LessThan => "<",
            Comparison::Tolerance => "±",
            Comparison::Exact | Comparison::Reach | Comparison::Range => "",
        };
        let about = if self.is_about { "约 " } else { "" };
        let unit = self.unit.trim();
        let blank = if unit.starts_with(|first: char| first.is_alphabetic()) { " " } else { "" };
        format!("{change}{about}{sign}{}{blank}{unit}", self.value)
    }
}

// === impl AnswerReason ===

impl AnswerReason {
    /// Outcome and reason, in a few words.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Within => "满足",
            Self::Covers => "满足（范围覆盖）",
            Self::Disjoint => "不满足",
            Self::NotCovered => "不满足（未涵盖全部范围）",
            Self::UnitNotKnown => "无法判断（单位不认识）",
            Self::UnitsDiffer => "无法判断（单位不是同一种量）",
            Self::Unclear => "无法判断（数值写法有歧义）",
            Self::NoCounterpart => "无法判断",
            Self::NoStatedSubject => "无法判断（成果的数值未写明指标名称）",
            Self::NoSubject => "无法判断（需求未写明指标名称）",
            Self::Weaker => "无法判断（成果的保证弱于要求）",
            Self::NoDirection => "无法判断（数值不同，不知大小何者为优）",
            Self::PerhapsOther => "无法判断（所指可能不同）",
            Self::Contradictory => "无法判断（成果所述前后不一）",
        }
    }
}

// === impl AnswerOutcome ===

impl AnswerOutcome {
    /// The outcome in one word.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Satisfied => "满足",
            Self::Violated => "不满足",
            Self::NotStated => "未说明",
        }
    }
}
