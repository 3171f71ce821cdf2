//! Compares the indicators of two records, with their positions in title and body.

use crate::indicators::{AnswerOutcome, AnswerReason, Indicator, Quantity, Standing, compare, parse};
use duijie_core::domain::{
    Record,
    hit::{Span, TextField},
};

use super::Quote;

/// Maximum answers per match; no sample asks for more than 20. Together with `MAX_READ` it bounds the work: a full
/// comparison takes 2 ms, a page of 200 less than half a second.
pub const MAX_ANSWERS: usize = 32;
/// Maximum indicators read from a record, the first ones.
const MAX_READ: usize = 96;

/// Answer of an achievement to one indicator of a demand.
#[derive(Debug, Clone, PartialEq)]
pub struct IndicatorAnswer {
    /// Quantity of the indicator.
    pub quantity: &'static Quantity,
    /// Subject of the demand's number, in the demand's words; may be empty.
    pub subject: String,
    /// Required value, quoted from the demand.
    pub asked: Quote,
    /// Deciding value, quoted from the achievement; `None` if the achievement states none.
    pub stated: Option<Quote>,
    /// Whether the requirement is met.
    pub outcome: AnswerOutcome,
    /// Reason for the outcome.
    pub reason: AnswerReason,
}

/// Indicators of one record.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    record: &'a Record,
    indicators: Vec<Indicator>,
    /// Text that contains the indicator with the same index.
    fields: Vec<TextField>,
}

/// Answers of an achievement to a demand. The demand's sheet must come from [`Sheet::asked`].
pub(super) fn answers(demand: &Sheet<'_>, achievement: &Sheet<'_>) -> Vec<IndicatorAnswer> {
    let answer = |answer: crate::indicators::Answer| {
        let asked = demand.indicators.get(answer.demand)?;
        Some(IndicatorAnswer {
            quantity: asked.quantity,
            subject: asked.subject.clone(),
            asked: demand.quote(answer.demand)?,
            stated: answer.achievement.and_then(|index| achievement.quote(index)),
            outcome: answer.outcome,
            reason: answer.reason,
        })
    };
    compare(&demand.indicators, &achievement.indicators).into_iter().filter_map(answer).collect()
}

// === impl Sheet ===

impl<'a> Sheet<'a> {
    /// Reads title and body, at most [`MAX_READ`] indicators in all.
    pub fn read(record: &'a Record) -> Self {
        let mut sheet = Self { record, indicators: Vec::new(), fields: Vec::new() };
        for (field, text) in [(TextField::Title, &record.title), (TextField::Body, &record.body)] {
            let found = parse(text).into_iter().take(MAX_READ - sheet.indicators.len());
            sheet.indicators.extend(found);
            sheet.fields.resize(sheet.indicators.len(), field);
        }
        sheet
    }

    /// Number of claimed or required indicators.
    pub fn claimed(&self) -> usize {
        self.indicators.iter().filter(|indicator| indicator.standing == Standing::Claimed).count()
    }

    /// Keeps a demand's requirements, at most [`MAX_ANSWERS`].
    pub fn asked(self) -> Self {
        let all = self.indicators.into_iter().zip(self.fields);
        let asked = all.filter(|(indicator, _)| indicator.standing == Standing::Claimed).take(MAX_ANSWERS);
        let (indicators, fields) = asked.unzip();
        Self { record: self.record, indicators, fields }
    }

    fn quote(&self, index: usize) -> Option<Quote> {
        let (indicator, field) = (self.indicators.get(index)?, *self.fields.get(index)?);
        let text = super::quote::field(self.record, field)?.get(indicator.span.bytes.clone())?.to_string();
        let chars = &indicator.span.chars;
        Some(Quote { text, span: Span { field, start: chars.start, end: chars.end } })
    }
}

// === impl IndicatorAnswer ===

impl IndicatorAnswer {
    /// Reason as a Chinese sentence without full stop.
    pub fn chinese(&self) -> String {
        let asked = &self.asked.text;
        let stated = self.stated.as_ref().map_or("", |quote| quote.text.as_str());
        match self.reason {
            AnswerReason::Within => format!("成果所写“{stated}”符合要求“{asked}”"),
            AnswerReason::Covers => format!("成果所写“{stated}”涵盖要求“{asked}”"),
            AnswerReason::Disjoint => format!("成果所写“{stated}”达不到要求“{asked}”"),
            AnswerReason::NotCovered => format!("成果所写“{stated}”没有涵盖要求“{asked}”的全部范围"),
            AnswerReason::UnitNotKnown => format!("成果所写“{stated}”与要求“{asked}”中有单位不认识，不作比较"),
            AnswerReason::UnitsDiffer => format!("成果所写“{stated}”与要求“{asked}”的单位不是同一种量，不作比较"),
            AnswerReason::Unclear => format!("成果所写“{stated}”与要求“{asked}”中有数值可作两种读法，不作比较"),
            AnswerReason::NoCounterpart => format!("成果没有写到要求“{asked}”"),
            AnswerReason::NoSubject => format!("要求“{asked}”没有写明是什么的数值，无从对照"),
            AnswerReason::NoStatedSubject => {
                format!("成果所写“{stated}”没有写明是什么的数值，是否就是要求“{asked}”，须向成果方核实")
            }
            AnswerReason::Weaker => format!("成果所写“{stated}”不足以说明符合要求“{asked}”，也不能说明不符合"),
            AnswerReason::NoDirection => format!("成果所写“{stated}”与要求“{asked}”不同，不知偏高还是偏低为好"),
            AnswerReason::PerhapsOther => format!("成果所写“{stated}”与要求“{asked}”说的可能不是同一件事"),
            AnswerReason::Contradictory => {
                format!("成果写了几个不同的数值（如“{stated}”），是否符合要求“{asked}”说法不一")
            }
        }
    }
}
