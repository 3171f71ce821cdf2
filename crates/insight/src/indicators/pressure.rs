//! What a pressure is measured from: 表压 from the air around, 绝压 from the vacuum. The two differ by about 0.1 MPa, so
//! each is a quantity of its own, and a pressure that says neither is a third.

use super::{
    table::{Quantity, TABLE},
    text::CharText,
    units::Conversion,
};

/// Maximum characters in brackets behind a pressure: `（绝对压力，25℃）`.
const MAX_IN_BRACKETS: usize = 12;
const GAUGE: [&str; 2] = ["表压", "相对压力"];
const ABSOLUTE: [&str; 3] = ["绝压", "绝对压力", "绝对压强"];

/// What a pressure is measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Gauge,
    Absolute,
    /// Both are named.
    Unclear,
}

/// Origin that stands behind a unit, in brackets or not, and the position after it.
pub(super) fn behind(text: &CharText<'_>, end: usize) -> Option<(Origin, usize)> {
    let place = text.skip_blanks(end).min(end + 1);
    match text.at(place) {
        '(' => {
            let inside = place + 1..place + 2 + MAX_IN_BRACKETS;
            let close = inside.clone().find(|close| matches!(text.at(*close), ')' | '(' | '\n' | '\0'))?;
            let origin = in_brackets(&text.folded(place + 1..close)).filter(|_| text.at(close) == ')')?;
            Some((origin, close + 1))
        }
        '表' | '绝' | '相' => {
            let after = |words: &[&str]| words.iter().find_map(|word| text.after(place, word));
            let gauge = after(&GAUGE).map(|end| (Origin::Gauge, end));
            gauge.or_else(|| Some((Origin::Absolute, after(&ABSOLUTE)?)))
        }
        _ => None,
    }
}

/// Origin in brackets, where 表 and 绝对 are enough.
fn in_brackets(inside: &str) -> Option<Origin> {
    match inside.trim() {
        "表" | "相对" => Some(Origin::Gauge),
        "绝" | "绝对" => Some(Origin::Absolute),
        other => named(other),
    }
}

/// Origin named in a subject or in brackets before a number.
pub(super) fn named(words: &str) -> Option<Origin> {
    let has = |origins: &[&str]| origins.iter().any(|origin| words.contains(origin));
    match (has(&GAUGE), has(&ABSOLUTE)) {
        (true, true) => Some(Origin::Unclear),
        (true, false) => Some(Origin::Gauge),
        (false, true) => Some(Origin::Absolute),
        (false, false) => None,
    }
}

/// Returns whether a quantity is a pressure that says nothing of its origin.
pub(super) fn is_plain(quantity: &Quantity) -> bool {
    quantity.id == "pressure"
}

// === impl Origin ===

impl Origin {
    /// Conversion of a pressure from this origin; of anything else it stays.
    pub(super) fn apply(self, conversion: Conversion) -> Conversion {
        if !is_plain(conversion.quantity) {
            return conversion;
        }
        let id = match self {
            Self::Gauge => "gauge_pressure",
            Self::Absolute => "absolute_pressure",
            Self::Unclear => return Conversion { is_unclear: true, ..conversion },
        };
        let Some(quantity) = TABLE.by_id(id) else { return conversion };
        Conversion { quantity, base_unit: quantity.base_unit.into(), ..conversion }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_stand_behind_and_before() {
        let check =
            |text: &str, want: Option<(Origin, usize)>| assert_eq!(behind(&CharText::new(text), 0), want, "{text}");
        check("（绝压）", Some((Origin::Absolute, 4)));
        check(" (表压)以上", Some((Origin::Gauge, 5)));
        check("（绝）", Some((Origin::Absolute, 3)));
        check("（绝对压力，25℃）", Some((Origin::Absolute, 10)));
        check("表压，", Some((Origin::Gauge, 2)));
        check("（表压、绝压）", Some((Origin::Unclear, 7)));
        check("（表压", None);
        check("（常温）", None);
        check("绝缘", None);
        check("", None);
        assert_eq!(named("入口绝对压力"), Some(Origin::Absolute));
        assert_eq!(named("工作压力"), None);
    }
}
