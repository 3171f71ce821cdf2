//! The characters where a unit may stand, and the longest spelling of the table that they begin with.

use std::sync::LazyLock;

use super::{
    case, compound, number,
    table::{Spelling, TABLE},
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

/// Text after a number, without ignored characters.
pub(super) struct Window {
    chars: [char; MAX_UNIT_CHARS],
    /// Position after each character and any ignored ones that follow.
    ends: [usize; MAX_UNIT_CHARS],
    length: usize,
}

/// A spelling of the table at the window's start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match {
    /// Its meanings, those with hints first.
    pub spellings: &'static [Spelling],
    /// Position after it.
    pub end: usize,
    /// Whether it is written in the table's case.
    pub is_exact: bool,
    /// Whether its first letter is m and was written M, or the other way round.
    pub changes_prefix: bool,
    /// Whether another unit differs from it by nothing but case.
    pub is_unclear: bool,
}

/// Normal spelling of a unit, as in the window.
pub(super) fn normal(written: &str) -> Vec<char> {
    let chars: Vec<char> = written.chars().map(folded).collect();
    let window = Window::new(|offset| chars.get(offset).copied().unwrap_or('\0'), 0);
    window.chars.iter().take(window.length).copied().collect()
}

// === impl Window ===

impl Window {
    pub(super) fn at(text: &CharText<'_>, place: usize) -> Self {
        Self::new(|offset| text.at(place + offset), place)
    }

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
    pub(super) fn whole(&self, text: &CharText<'_>) -> Option<Match> {
        self.longest(|spelling, end| !spelling.is_below && self.ends_at(text, spelling, end, false))
    }

    /// Symbol within a compound unit.
    pub(super) fn symbol(&self, text: &CharText<'_>, is_below: bool) -> Option<Match> {
        self.longest(|spelling, index| {
            (is_below || !spelling.is_below) && self.goes_on_or_ends(text, spelling, index, is_below)
        })
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

    /// Longest spelling that may end, in its own case or else in any.
    fn longest(&self, ends: impl Fn(&Spelling, usize) -> bool) -> Option<Match> {
        let spellings = TABLE.spellings(self.char(0));
        let written = self.chars.get(..self.length)?;
        let ends = |spelling: &Spelling| ends(spelling, spelling.normal.len());
        let exact = spellings.iter().position(|spelling| written.starts_with(&spelling.normal) && ends(spelling));
        let (first, is_unclear) = match exact {
            Some(first) => (first, false),
            None => case::folded(spellings, written, ends).map(|folded| (folded.first, folded.is_unclear))?,
        };
        let found = spellings.get(first)?;
        let meanings = spellings.iter().skip(first).take_while(|other| other.normal == found.normal).count();
        Some(Match {
            spellings: spellings.get(first..first + meanings)?,
            end: self.end(found.normal.len()),
            is_exact: exact.is_some(),
            changes_prefix: matches!(self.char(0), 'm' | 'M') && found.normal.first() != Some(&self.char(0)),
            is_unclear,
        })
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
