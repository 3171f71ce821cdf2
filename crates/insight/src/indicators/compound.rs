//! Units that consist of several: `元/吨`, `Pa·m³/s`, `W·m⁻¹·K⁻¹`, `CFU/100mL`, `毫克每升`.
//!
//! `A/B·C` may mean `A/(B·C)` or `A·C/B`, so it is none of these.

use super::{
    atoms::Atoms,
    number,
    table::{Spelling, TABLE},
    text::{CharText, is_han},
    units::{self, Conversion},
    unlisted,
    window::is_latin,
};

/// Maximum symbols of a unit.
const MAX_SYMBOLS: usize = 6;
/// Maximum digits of a number below the fraction stroke: `/100mL`.
const MAX_DIGITS: usize = 6;
/// Quantities that are stated for a time: `42kV/1min`, `1.0MPa/30min`.
const FOR_A_TIME: [&str; 5] = ["voltage", "pressure", "temperature", "current", "force"];

/// A unit that consists of several.
#[derive(Debug)]
pub(super) struct Compound {
    /// Position after it.
    pub end: usize,
    pub conversion: Conversion,
    /// Whether each symbol is written in the table's case.
    pub is_exact: bool,
}

/// Compound unit at a position.
pub(super) fn at(text: &CharText<'_>, place: usize) -> Option<Compound> {
    let mut reader = Reader {
        text,
        place,
        atoms: Atoms::one("1"),
        symbols: 0,
        is_below: false,
        is_open: false,
        is_exact: true,
        is_unclear: false,
    };
    reader.read()?;
    let conversion = Conversion { is_unclear: reader.is_unclear, ..Conversion::composed(&reader.atoms)? };
    Some(Compound { end: reader.place, conversion, is_exact: reader.is_exact })
}

/// Returns whether a number stands at the position after a fraction stroke that is no part of the unit before it.
pub(super) fn is_number_behind(text: &CharText<'_>, place: usize, above: &Spelling) -> bool {
    let Some(end) = digits(text, place) else { return false };
    let unit = text.skip_blanks(end).min(end + 1);
    let next = text.at(unit);
    let is_no_unit = !next.is_alphanumeric() && next != '%' || is_han(next) && unlisted::run(text, unit).is_none();
    is_no_unit || is_for_a_time(text, unit, above)
}

fn is_for_a_time(text: &CharText<'_>, place: usize, above: &Spelling) -> bool {
    let id = |spelling: &Spelling| {
        let unit = TABLE.units.get(spelling.unit)?;
        TABLE.quantity(unit.quantity).map(|quantity| quantity.id)
    };
    let below = || units::symbol_at(text, place, true).and_then(|below| id(below.spelling));
    id(above).is_some_and(|id| FOR_A_TIME.contains(&id)) && below() == Some("time")
}

/// Returns whether another Chinese unit follows a Chinese one: 千牛 before 米.
pub(super) fn is_joined(text: &CharText<'_>, spelling: &Spelling, place: usize) -> bool {
    /// Units that multiply others without a sign.
    const SECOND: [&str; 10] = ["秒", "米", "小时", "安", "平方米", "立方米", "开尔文", "升", "瓦", "特斯拉"];
    let quantity = TABLE.units.get(spelling.unit).and_then(|unit| TABLE.quantity(unit.quantity));
    let takes_second = quantity.is_some_and(|quantity| !quantity.is_count && !matches!(quantity.id, "time" | "ratio"));
    let is_unit_end = |end: usize| !is_han(text.at(end)) || matches!(text.at(end), '每' | '以' | '左' | '的');
    let last = spelling.normal.last().copied().unwrap_or_default();
    takes_second
        && is_han(last)
        && is_han(text.at(place))
        && SECOND.iter().any(|second| text.after(place, second).is_some_and(is_unit_end))
}

fn digits(text: &CharText<'_>, place: usize) -> Option<usize> {
    let end = (place..=place + MAX_DIGITS).find(|end| !text.at(*end).is_ascii_digit())?;
    (place < end).then_some(end)
}

struct Reader<'a> {
    text: &'a CharText<'a>,
    place: usize,
    atoms: Atoms,
    symbols: usize,
    is_below: bool,
    is_open: bool,
    is_exact: bool,
    is_unclear: bool,
}

// === impl Reader ===

impl Reader<'_> {
    /// Reads the whole unit. `None` if there is none, if it has one symbol, or if it is ambiguous.
    fn read(&mut self) -> Option<()> {
        let mut above: Option<&'static Spelling> = None;
        let mut is_composed = false;
        if self.text.at(self.place) == '/' {
            self.stroke(None)?;
            is_composed = true;
        }
        loop {
            let symbol = units::symbol_at(self.text, self.place, self.is_below)?;
            let (spelling, end) = (symbol.spelling, symbol.end);
            self.is_exact &= symbol.is_exact;
            self.is_unclear |= symbol.is_unclear;
            let last = spelling.normal.last().copied().unwrap_or_default();
            let (power, power_end) = self.power(end)?;
            is_composed |= power != 1;
            let unit = TABLE.units.get(spelling.unit)?;
            let atoms = TABLE.atoms(unit)?.times(spelling.scale);
            self.atoms.multiply(&atoms, if self.is_below { -power } else { power });
            (self.place, self.symbols) = (power_end, self.symbols + 1);
            above = above.or(Some(spelling));
            if self.is_open && self.text.at(self.place) == ')' {
                self.is_open = false;
                self.place += 1;
            }
            if MAX_SYMBOLS <= self.symbols || !self.operator(spelling, above)? {
                let is_cut = ends_badly(self.text, last, self.place);
                let is_whole = !self.is_open && !is_cut && (is_composed || 1 < self.symbols);
                return is_whole.then_some(());
            }
        }
    }

    /// Reads an operator before another symbol. `Some(false)` where the unit ends.
    fn operator(&mut self, last: &Spelling, above: Option<&Spelling>) -> Option<bool> {
        let blank = self.text.skip_blanks(self.place).min(self.place + 1);
        let next = self.text.at(blank);
        if next == '/' || self.text.at(self.place) == '每' {
            self.place = blank;
            self.stroke(above)?;
            return Some(true);
        }
        let is_sign = matches!(next, '·' | '*') || next == '.' && self.text.at(blank + 1).is_ascii_alphabetic();
        let after = self.text.skip_blanks(blank + 1).min(blank + 2);
        let is_sign = is_sign && (self.text.at(after).is_alphabetic() || self.text.at(after) == '℃');
        let is_blank = blank != self.place && self.is_symbol_apart(blank, MAX_SYMBOLS);
        if !is_sign && !is_blank && !is_joined(self.text, last, self.place) {
            return Some(false);
        }
        // kWh/m2·a is ambiguous
        if self.is_below && !self.is_open {
            return None;
        }
        self.place = if is_sign { after } else { blank };
        Some(true)
    }

    /// Returns whether a symbol stands alone after a blank: the `m` of `N m`.
    fn is_symbol_apart(&self, place: usize, max: usize) -> bool {
        let first = self.text.at(place);
        let Some(symbol) =
            units::symbol_at(self.text, place, false).filter(|_| is_latin(first) && !first.is_ascii_digit())
        else {
            return false;
        };
        let end = self.power(symbol.end).map_or(symbol.end, |(_, end)| end);
        let behind = self.text.at(self.text.skip_blanks(end).min(end + 1));
        let next = self.text.at(end);
        let goes_on = next == ' ' && behind.is_alphanumeric() && !is_han(behind);
        !next.is_alphanumeric() && next != '(' && (!goes_on || 0 < max && self.is_symbol_apart(end + 1, max - 1))
    }

    /// Reads a fraction stroke, a number behind it, and an opening bracket.
    fn stroke(&mut self, above: Option<&Spelling>) -> Option<()> {
        if self.is_open {
            return None;
        }
        self.is_below = true;
        self.place = self.text.skip_blanks(self.place + 1).min(self.place + 2);
        if let Some(end) = digits(self.text, self.place) {
            let unit = self.text.skip_blanks(end).min(end + 1);
            let number: f64 = self.text.folded(self.place..end).parse().ok()?;
            if number == 0.0 || above.is_none_or(|above| is_for_a_time(self.text, unit, above)) {
                return None;
            }
            self.atoms = std::mem::take(&mut self.atoms).times(1.0 / number);
            self.place = unit;
        }
        if self.text.at(self.place) == '(' {
            self.is_open = true;
            self.place += 1;
        }
        Some(())
    }

    /// Power after a symbol, 1 if there is none. `None` if it cannot be read.
    fn power(&self, end: usize) -> Option<(i32, usize)> {
        let text = self.text;
        let open = usize::from(text.at(end) == '^');
        let is_raised = open == 1 || text.at(end) == '⁻' || number::raised(text.at(end)).is_some();
        let sign = end + open;
        let is_negative = matches!(text.at(sign), '⁻' | '-');
        let first = sign + usize::from(is_negative);
        let digit = |place: usize| number::raised(text.at(place)).unwrap_or(text.at(place)).to_digit(10);
        let Some(power) = digit(first).and_then(|power| i32::try_from(power).ok()) else {
            return (!is_raised).then_some((1, end));
        };
        let next = text.at(first + 1);
        let is_one_digit = digit(first + 1).is_none() && !next.is_ascii_alphabetic() && next != '%';
        let is_fraction = matches!(next, '.' | '/') && text.at(first + 2).is_ascii_digit();
        if is_raised {
            return (is_one_digit && !is_fraction && power != 0)
                .then_some((if is_negative { -power } else { power }, first + 1));
        }
        // superscripts that were lost: m2, and K-1 after another symbol
        let is_flat = is_one_digit && !is_fraction && (1..=4).contains(&power) && (!is_negative || 0 < self.symbols);
        match (is_flat, is_negative) {
            (true, _) => Some((if is_negative { -power } else { power }, first + 1)),
            (false, true) => Some((1, end)),
            (false, false) => None,
        }
    }
}

fn ends_badly(text: &CharText<'_>, last: char, place: usize) -> bool {
    let next = text.at(place);
    is_latin(last) && is_latin(next) || unlisted::goes_on(text, last, place)
}
