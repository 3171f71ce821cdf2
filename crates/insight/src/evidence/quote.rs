//! Quotes from a record with their position.

use duijie_core::domain::{
    Record,
    hit::{Span, TextField},
};

/// A quote from a record's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Text as written.
    pub text: String,
    /// Position in characters.
    pub span: Span,
}

// === impl Quote ===

impl Quote {
    /// Reads a span of a record; `None` if the span is out of range.
    pub fn read(record: &Record, span: Span) -> Option<Self> {
        let text = field(record, span.field)?;
        let byte = |place: usize| text.char_indices().map(|(byte, _)| byte).chain([text.len()]).nth(place);
        let text = text.get(byte(span.start)?..byte(span.end)?)?.to_string();
        (!text.is_empty()).then_some(Self { text, span })
    }
}

/// A text of a record.
pub(super) fn field(record: &Record, field: TextField) -> Option<&str> {
    match field {
        TextField::Title => Some(&record.title),
        TextField::Body => Some(&record.body),
        TextField::Keyword(index) => record.keywords.get(index).map(String::as_str),
    }
}
