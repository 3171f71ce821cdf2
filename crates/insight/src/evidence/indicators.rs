//! The indicators of two records, compared, with their places in title and body.

use crate::indicators::{Indicator, Outcome, Quantity, Reason, Standing, compare, parse};
use duijie_core::domain::{
    Record,
    hit::{Span, TextField},
};

use super::Quote;

/// Most answers of a match: no sample asks for more than 20. With `MAX_READ` of the other side it bounds the work: a
/// comparison of all takes 2 ms, a page of 200 less than half a second.
pub const MAX_ANSWERS: usize = 32;
/// Most indicators that are read of a record, the first ones.
const MAX_READ: usize = 96;

/// What an achievement says to one indicator that a demand asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct IndicatorAnswer {
    /// Its quantity.
    pub quantity: &'static Quantity,
    /// What the number of the demand is about, in the demand's words; empty where there are none.
    pub subject: String,
    /// What is asked, in the demand.
    pub asked: Quote,
    /// What decides, in the achievement; `None` where nothing in it speaks of this.
    pub stated: Option<Quote>,
    /// Whether it is met.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
}

/// The indicators of one record.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    record: &'a Record,
    indicators: Vec<Indicator>,
    /// Text of the indicator with the same index.
    fields: Vec<TextField>,
}

/// Answers of an achievement to a demand. The demand's sheet is [`Sheet::asked`].
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
    /// Reads title and body, at most [`MAX_READ`] in all.
    pub fn read(record: &'a Record) -> Self {
        let mut sheet = Self { record, indicators: Vec::new(), fields: Vec::new() };
        for (field, text) in [(TextField::Title, &record.title), (TextField::Body, &record.body)] {
            let found = parse(text).into_iter().take(MAX_READ - sheet.indicators.len());
            sheet.indicators.extend(found);
            sheet.fields.resize(sheet.indicators.len(), field);
        }
        sheet
    }

    /// How many are claimed or asked for.
    pub fn claimed(&self) -> usize {
        self.indicators.iter().filter(|indicator| indicator.standing == Standing::Claimed).count()
    }

    /// What a demand asks for, at most [`MAX_ANSWERS`].
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
    /// Why, as a stable code.
    pub fn code(&self) -> &'static str {
        match self.reason {
            Reason::Within => "WITHIN",
            Reason::Covers => "COVERS",
            Reason::Disjoint => "DISJOINT",
            Reason::NoCounterpart => "NO_COUNTERPART",
            Reason::NoSubject => "NO_SUBJECT",
            Reason::Weaker => "WEAKER",
            Reason::NoDirection => "NO_DIRECTION",
            Reason::PerhapsOther => "PERHAPS_OTHER",
            Reason::Contradictory => "CONTRADICTORY",
        }
    }

    /// Why, as a Chinese sentence without full stop.
    pub fn chinese(&self) -> String {
        let asked = &self.asked.text;
        let stated = self.stated.as_ref().map_or("", |quote| quote.text.as_str());
        match self.reason {
            Reason::Within => format!("成果所写“{stated}”符合要求“{asked}”"),
            Reason::Covers => format!("成果所写“{stated}”涵盖要求“{asked}”"),
            Reason::Disjoint => format!("成果所写“{stated}”达不到要求“{asked}”"),
            Reason::NoCounterpart => format!("成果没有写到要求“{asked}”"),
            Reason::NoSubject => format!("要求“{asked}”没有写明是什么的数值，无从对照"),
            Reason::Weaker => format!("成果所写“{stated}”不足以说明符合要求“{asked}”，也不能说明不符合"),
            Reason::NoDirection => format!("成果所写“{stated}”与要求“{asked}”不同，不知偏高还是偏低为好"),
            Reason::PerhapsOther => format!("成果所写“{stated}”与要求“{asked}”说的可能不是同一件事"),
            Reason::Contradictory => format!("成果写了几个不同的数值（如“{stated}”），是否符合要求“{asked}”说法不一"),
        }
    }
}
