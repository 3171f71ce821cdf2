//! The unit after a number: the longest matching spelling of the table, or one that consists of several (`元/吨`).

use std::{borrow::Cow, sync::LazyLock};

use super::{
    atoms::Atoms,
    compound, number,
    table::{Quantity, Spelling, TABLE, Unit},
    text::{ByChar, CharText, folded, is_han},
    unlisted,
};

/// Maximum characters of a unit, without ignored ones; `W/(m2·K)` has 6.
const MAX_UNIT_CHARS: usize = 24;
/// Han characters that may follow a unit of one character. Before any other one, the unit starts a word: `5米粉`, `3克隆`,
/// `4K分辨率`.
const AFTER_SHORT: &str = "以的左每至到和及或高长宽厚深内为时上下之起后前且并等不升降提增减缩延";
/// Single Latin letters that are usually not units before a Han character: `4K分辨率`, `2U机箱`.
const WEAK_LETTERS: &str = "KTFCUdaSHrlM";
/// Words that start with a counting word.
const NOT_COUNTS: &str = "次级 次数 次日 次氯 次要 台阶 台式 台车 套筒 套管 个体 个人 个别 个性 条件 条码 根部 根据 项目 人工 人员 人类 \
    人机 人次 张力 张拉 支架 支撑 支持 片材 片剂 批量 户外 头部 组分 组织 组成 组合 组装 转化 转换 转移 转动 转速 转子 转炉 转让 路径 路线 \
    路面 级联 级配 层压 层状 层流 块状 株系 班组 名称 名义 件数 点位 节点 座椅 例如 支路 片层";

static NOT_COUNT_PAIRS: LazyLock<ByChar<Vec<char>>> = LazyLock::new(|| {
    let mut pairs: ByChar<Vec<char>> = ByChar::default();
    for word in NOT_COUNTS.split_whitespace() {
        let mut characters = word.chars();
        if let Some((first, second)) = characters.next().zip(characters.next()) {
            pairs.entry(first).or_default().push(second);
        }
    }
    pairs
});

/// A unit found in a text.
#[derive(Debug)]
pub(super) struct FoundUnit {
    /// Position after the unit.
    pub end: usize,
    pub kind: Kind,
}

/// Conversion of a value to a quantity's base unit.
#[derive(Debug, Clone)]
pub(super) struct Conversion {
    pub quantity: &'static Quantity,
    pub base_unit: Cow<'static, str>,
    pub factor: f64,
    pub offset: f64,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Meanings of one spelling, those with hints first.
    Simple(&'static [Spelling]),
    Compound(Conversion),
    /// Normal spelling.
    Unlisted(String),
}

/// Text after a number, without ignored characters.
struct Window {
    chars: [char; MAX_UNIT_CHARS],
    /// Position after each character and any ignored ones that follow.
    ends: [usize; MAX_UNIT_CHARS],
    length: usize,
}

/// Unit that starts at a position.
pub(super) fn unit_at(text: &CharText<'_>, place: usize) -> Option<FoundUnit> {
    let whole = whole_at(text, place);
    // %FS/℃ is longer than its %
    let compound =
        compound::at(text, place).map(|(end, conversion)| FoundUnit { end, kind: Kind::Compound(conversion) });
    let is_longer = |compound: &FoundUnit| whole.as_ref().is_none_or(|whole| whole.end < compound.end);
    compound.filter(is_longer).or(whole)
}

/// Unit of the table that starts at a position, on its own.
pub(super) fn whole_at(text: &CharText<'_>, place: usize) -> Option<FoundUnit> {
    let window = Window::new(|offset| text.at(place + offset), place);
    window.whole(text, true).or_else(|| window.whole(text, false))
}

/// Characters at a position that stand where a unit stands, but are none of the table.
pub(super) fn unlisted_at(text: &CharText<'_>, place: usize) -> Option<FoundUnit> {
    let (end, written) = unlisted::run(text, place)?;
    // 5年达到, 5/MPa/: a known unit before a character that is part of none; but 4K分辨率
    let is_cut = !(end == place + 1 && is_latin(text.at(place)) && is_han(text.at(end)));
    let alone: String = text.slice(place..end).iter().collect();
    let known = is_cut.then(|| unit_at(&CharText::new(&alone), 0)).flatten();
    let known = known.filter(|unit| place + unit.end == end);
    let kind = known.map_or(Kind::Unlisted(written), |unit| unit.kind);
    Some(FoundUnit { end, kind })
}

/// Symbol within a compound unit: its meanings without a hint, and the position after it.
pub(super) fn symbol_at(text: &CharText<'_>, place: usize, is_below: bool) -> Option<(&'static Spelling, usize)> {
    let window = Window::new(|offset| text.at(place + offset), place);
    let ends = |spelling: &Spelling, index: usize| {
        (is_below || !spelling.is_below) && window.goes_on_or_ends(text, spelling, index, is_below)
    };
    let (spellings, length) = window.longest(0, true, ends).or_else(|| window.longest(0, false, ends))?;
    Some((spellings.iter().find(|spelling| spelling.hints.is_empty())?, window.end(length)))
}

/// Normal spelling of a unit, as in the window.
pub(super) fn normal(written: &str) -> Vec<char> {
    let chars: Vec<char> = written.chars().map(folded).collect();
    let window = Window::new(|offset| chars.get(offset).copied().unwrap_or('\0'), 0);
    window.chars.iter().take(window.length).copied().collect()
}

// === impl FoundUnit ===

impl FoundUnit {
    /// Conversion of the unit for a number about `subject`.
    pub(super) fn conversion(&self, subject: &str) -> Option<Conversion> {
        let spellings = match &self.kind {
            Kind::Compound(conversion) => return Some(conversion.clone()),
            Kind::Unlisted(written) => return Conversion::unlisted(written.clone()),
            Kind::Simple(spellings) => *spellings,
        };
        match spellings.iter().find(|spelling| spelling.fits(subject)) {
            Some(spelling) => Conversion::of_spelling(spelling),
            None => Conversion::unlisted(spellings.first()?.normal.iter().collect()),
        }
    }

    /// Returns whether it is none of the table.
    pub(super) fn is_unlisted(&self) -> bool {
        matches!(self.kind, Kind::Unlisted(_))
    }
}

// === impl Conversion ===

impl Conversion {
    pub(super) fn of(unit: &'static Unit) -> Option<Self> {
        let quantity = TABLE.quantity(unit.quantity)?;
        let base_unit = Cow::Borrowed(if quantity.is_count { unit.canonical } else { quantity.base_unit });
        Some(Self { quantity, base_unit, factor: unit.factor, offset: unit.offset })
    }

    pub(super) fn of_spelling(spelling: &Spelling) -> Option<Self> {
        let own = Self::of(TABLE.units.get(spelling.unit)?)?;
        Some(Self { factor: own.factor * spelling.scale, ..own })
    }

    /// Conversion of a unit that the table does not have: only what is written alike is compared.
    pub(super) fn unlisted(written: String) -> Option<Self> {
        let quantity = TABLE.by_id("unlisted")?;
        Some(Self { quantity, base_unit: Cow::Owned(written), factor: 1.0, offset: 0.0 })
    }

    /// Conversion of a unit that consists of others.
    pub(super) fn composed(atoms: &Atoms) -> Option<Self> {
        if let Some((quantity, factor)) = TABLE.by_atoms(atoms) {
            return Some(Self { quantity, base_unit: Cow::Borrowed(quantity.base_unit), factor, offset: 0.0 });
        }
        let quantity = TABLE.by_id("composite")?;
        Some(Self { quantity, base_unit: Cow::Owned(atoms.name()), factor: atoms.factor, offset: 0.0 })
    }

    /// Conversion of a number without a unit.
    pub(super) fn none() -> Option<Self> {
        let quantity = TABLE.by_id("number")?;
        Some(Self { quantity, base_unit: Cow::Borrowed(quantity.base_unit), factor: 1.0, offset: 0.0 })
    }

    /// Conversion of a difference: no offset.
    pub(super) fn difference(self) -> Self {
        let quantity = match self.quantity.id {
            "temperature" => TABLE.by_id("temperature_difference").unwrap_or(self.quantity),
            _ => self.quantity,
        };
        let is_same = quantity.id == self.quantity.id;
        let base_unit = if is_same { self.base_unit } else { Cow::Borrowed(quantity.base_unit) };
        Self { quantity, base_unit, factor: self.factor, offset: 0.0 }
    }
}

// === impl Window ===

impl Window {
    fn new(at: impl Fn(usize) -> char, place: usize) -> Self {
        let mut window = Self { chars: ['\0'; MAX_UNIT_CHARS], ends: [place; MAX_UNIT_CHARS], length: 0 };
        let mut is_open = false;
        // ignored characters are limited too, so a long run of blanks is not scanned to its end
        for offset in 0..2 * MAX_UNIT_CHARS {
            let (character, next) = (at(offset), at(offset + 1));
            let last = window.length.checked_sub(1).map_or('\0', |last| window.char(last));
            let end = place + offset + 1;
            let kept = match character {
                ' ' if last == '/' || matches!(next, '/' | '·') => None,
                '·' | '*' | '.'
                    if is_unit_part(last) && next.is_alphabetic() && (character != '.' || next.is_ascii()) =>
                {
                    None
                }
                '^' if next.is_ascii_digit() || matches!(next, '-' | '(') => None,
                '(' if last == '/' => {
                    is_open = true;
                    None
                }
                ')' if is_open => {
                    is_open = false;
                    window.extend_last(end);
                    None
                }
                '每' if last != '\0' => Some('/'),
                '⁻' => Some('-'),
                '\0' | ' ' | '\n' | '，' | '。' | ';' | '、' => break,
                other => Some(number::raised(other).unwrap_or(other)),
            };
            if kept.is_some_and(|kept| !window.push(kept, end)) {
                break;
            }
        }
        window
    }

    fn push(&mut self, character: char, end: usize) -> bool {
        let Some((slot, slot_end)) = self.chars.get_mut(self.length).zip(self.ends.get_mut(self.length)) else {
            return false;
        };
        (*slot, *slot_end) = (character, end);
        self.length += 1;
        true
    }

    fn extend_last(&mut self, end: usize) {
        if let Some(last) = self.length.checked_sub(1).and_then(|last| self.ends.get_mut(last)) {
            *last = end;
        }
    }

    fn char(&self, index: usize) -> char {
        self.chars.get(index).copied().unwrap_or('\0')
    }

    fn end(&self, length: usize) -> usize {
        length.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default()
    }

    /// Unit of the table, if the characters after it allow it to end.
    fn whole(&self, text: &CharText<'_>, keeps_case: bool) -> Option<FoundUnit> {
        let ends = |spelling: &Spelling, end: usize| !spelling.is_below && self.ends_at(text, spelling, end, false);
        let (spellings, length) = self.longest(0, keeps_case, ends)?;
        Some(FoundUnit { end: self.end(length), kind: Kind::Simple(spellings) })
    }

    /// Returns whether a symbol may end here, or an operator or a power follows.
    fn goes_on_or_ends(&self, text: &CharText<'_>, spelling: &Spelling, index: usize, is_below: bool) -> bool {
        let end = self.end(index);
        let next = text.at(end);
        let operator = text.at(text.skip_blanks(end).min(end + 1));
        let is_power = |digit: char| digit.is_ascii_digit() && !text.at(end + 1).is_ascii_alphanumeric();
        matches!(operator, '·' | '*' | '/')
            || matches!(next, '每' | '^' | '⁻' | ')' | '.')
            || number::raised(next).is_some()
            || is_power(next)
            || next == ' ' && spelling.normal.last().is_some_and(|last| !is_han(*last))
            || next == '-' && text.at(end + 1).is_ascii_digit()
            || compound::is_joined(text, spelling, end)
            || self.ends_at(text, spelling, index, is_below)
    }

    /// Longest spelling from an index, with its meanings and the index after it.
    fn longest(
        &self,
        from: usize,
        keeps_case: bool,
        ends: impl Fn(&Spelling, usize) -> bool,
    ) -> Option<(&'static [Spelling], usize)> {
        let spellings = TABLE.spellings(self.char(from));
        let rest = self.chars.get(from..self.length)?;
        let second = rest.get(1).map(char::to_ascii_lowercase);
        let fits = |spelling: &Spelling| {
            // fast rejection of most spellings
            if spelling.normal.get(1).is_some_and(|other| second != Some(other.to_ascii_lowercase())) {
                return false;
            }
            let Some(written) = rest.get(..spelling.normal.len()) else { return false };
            let is_same = written == spelling.normal.as_slice()
                || !keeps_case && spelling.normal.len() > 1 && is_same_but_case(written, &spelling.normal);
            is_same && ends(spelling, from + spelling.normal.len())
        };
        let first = if keeps_case {
            spellings.iter().position(fits)?
        } else {
            // Mw is MW and mw is mW; what has no such twin is read in any case
            let same_prefix = |spelling: &Spelling| spelling.normal.first() == rest.first() && fits(spelling);
            let listed = |spelling: &Spelling| !spelling.is_derived && fits(spelling);
            spellings.iter().position(same_prefix).or_else(|| spellings.iter().position(listed))?
        };
        let found = spellings.get(first)?;
        let meanings = spellings.iter().skip(first).take_while(|other| other.normal == found.normal).count();
        Some((spellings.get(first..first + meanings)?, from + found.normal.len()))
    }

    /// Returns whether a unit may end before the character at this index.
    fn ends_at(&self, text: &CharText<'_>, spelling: &Spelling, index: usize, is_below: bool) -> bool {
        let next = self.char(index);
        let Some(last) = spelling.normal.last().copied() else { return false };
        let end = self.end(index);
        if next == '/' || matches!(text.at(end), '/' | '每') {
            // 42kV/1min is a voltage, 5mm/x and 5mg/100g are not of this unit alone
            return !unlisted::is_below(text, text.skip_blanks(end))
                || !is_below && compound::is_number_behind(text, end + 1, spelling);
        }
        let quantity = TABLE.units.get(spelling.unit).and_then(|unit| TABLE.quantity(unit.quantity));
        let is_count = quantity.is_some_and(|quantity| quantity.is_count);
        // 5个AGV counts, 5克foo is not known
        let is_counted = is_count && is_han(last) && next.is_ascii_alphabetic();
        let goes_on = !is_counted && unlisted::goes_on(text, last, end);
        if is_latin(last) && is_latin(next) || goes_on || compound::is_joined(text, spelling, end) {
            return false;
        }
        if !is_han(next) || is_below {
            return true;
        }
        let is_short = spelling.normal.len() == 1 && (is_han(last) || WEAK_LETTERS.contains(last));
        if is_count && is_han(last) {
            return !NOT_COUNT_PAIRS.get(&last).is_some_and(|nexts| nexts.contains(&next));
        }
        !is_short || AFTER_SHORT.contains(next)
    }
}

pub(super) fn is_latin(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, 'μ' | 'Ω' | 'Å')
}

fn is_unit_part(character: char) -> bool {
    is_latin(character) || is_han(character) || matches!(character, '℃' | '%')
}

fn is_same_but_case(written: &[char], spelling: &[char]) -> bool {
    written.iter().zip(spelling).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, f64, usize)> {
        let found = unit_at(&CharText::new(text), 0)?;
        let conversion = found.conversion("")?;
        Some((conversion.base_unit.to_string(), conversion.factor, found.end))
    }

    #[test]
    fn units_are_found_in_many_spellings() {
        let check = |text: &str, base_unit: &str, factor: f64, end: usize| {
            let (base, found_factor, found_end) = found(text).unwrap_or_default();
            assert_eq!((base.as_str(), found_end), (base_unit, end), "{text}");
            assert!((found_factor / factor - 1.0).abs() < 1e-12, "{text}: {found_factor}");
        };
        check("MPa", "Pa", 1e6, 3);
        check("Mpa以上", "Pa", 1e6, 3);
        check("ＭＰａ，", "Pa", 1e6, 3);
        check("mW", "W", 1e-3, 2);
        check("MW", "W", 1e6, 2);
        check("Mw", "W", 1e6, 2);
        check("W/(m·K)", "W/(m·K)", 1.0, 7);
        check("W/m.K(500℃)", "W/(m·K)", 1.0, 5);
        check("W·m⁻¹·K⁻¹", "W/(m·K)", 1.0, 9);
        check("g/cm³", "kg/m3", 1e3, 5);
        check("mg/L", "kg/m3", 1e-3, 4);
        check("毫克每升", "kg/m3", 1e-3, 4);
        check("千克/立方米", "kg/m3", 1.0, 6);
        check("kW·h/t", "J/kg", 3.6e3, 6);
        check("m/s", "m/s", 1.0, 3);
        check("r/min", "r/s", 1.0 / 60.0, 5);
        check("次/分钟", "次/s", 1.0 / 60.0, 4);
        check("元/吨产品", "元/kg", 1e-3, 3);
        check("s/片以内", "s/片", 1.0, 3);
        check("mm / min", "m/s", 1e-3 / 60.0, 8);
        check("%FS/℃", "FS/K", 0.01, 5);
        check("℃/min", "K/s", 1.0 / 60.0, 5);
        check("m2", "m2", 1.0, 2);
        check("m^2", "m2", 1.0, 3);
        check("平方米", "m2", 1.0, 3);
        check("kgf/cm²", "Pa", 98066.5, 7);
    }

    #[test]
    fn units_end_where_words_begin() {
        let check = |text: &str, want: Option<usize>| assert_eq!(found(text).map(|found| found.2), want, "{text}");
        check("米以上", Some(1));
        check("米粉", None);
        check("克隆", None);
        check("mx", None);
        check("m2x", None);
        check("K分辨率", None);
        check("K以下", Some(1));
        check("年级", None);
        check("年", Some(1));
        check("个样品", Some(1));
        check("个月", Some(2));
        check("条件", None);
        check("元/疗程", None);
        check("mm/10", Some(2));
        check("D", None);
        check("", None);
    }
}
