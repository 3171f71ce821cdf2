//! What one side excludes and the other one has: `不得含铅` against `含铅37%`.
//!
//! A negator of several characters excludes the words behind it. A single one (无, 免, 非, 不) is more often part of a
//! word (无机, 免疫, 非晶, 不锈钢), so it counts only before what the lists below name.

use std::ops::Range;

use super::Quote;
use duijie_core::domain::{
    Record,
    hit::{MatchHit, Span, TextField},
};

/// Maximum characters of what is excluded.
const MAX_TERM_CHARS: usize = 10;
/// Maximum exclusions read from a text, and conflicts told of a match.
const MAX_EXCLUSIONS: usize = 16;
const MAX_CONFLICTS: usize = 3;
/// Characters quoted behind the excluded thing.
const QUOTED_BEHIND: usize = 4;

/// Negators of several characters; longer ones first among those with one beginning.
const NEGATORS: [&str; 58] = [
    "不得含有",
    "不得使用",
    "不得采用",
    "不得添加",
    "不得加入",
    "不得有",
    "不得含",
    "不得",
    "不允许使用",
    "不允许含有",
    "不允许添加",
    "不允许有",
    "不允许含",
    "不允许",
    "不能含有",
    "不能含",
    "不能使用",
    "不能添加",
    "不能有",
    "不可含有",
    "不可含",
    "不可使用",
    "不可添加",
    "不含有",
    "不含",
    "不使用",
    "不采用",
    "不添加",
    "不掺加",
    "不掺",
    "不加入",
    "不借助",
    "不依赖",
    "不需要",
    "不需",
    "不必",
    "无需",
    "无须",
    "毋需",
    "毋须",
    "免除",
    "禁止使用",
    "禁止添加",
    "禁止含有",
    "禁止",
    "严禁使用",
    "严禁添加",
    "严禁含有",
    "严禁",
    "禁用",
    "禁含",
    "未添加",
    "未使用",
    "未采用",
    "零添加",
    "没有添加",
    "避免使用",
    "杜绝使用",
];
/// Single negators.
const SHORT_NEGATORS: [char; 4] = ['无', '免', '非', '不'];
/// Words in which the character behind 无 or 非 names no substance that is missing.
const WORDS: [&str; 26] = [
    "无机",
    "无线",
    "无人",
    "无纺",
    "无损",
    "无缝",
    "无锡",
    "无源",
    "无菌",
    "无水",
    "无氧",
    "无烟",
    "无极",
    "无级",
    "无功",
    "无规",
    "无定",
    "无性",
    "无刷",
    "无酸纸",
    "无碱玻",
    "无油墨",
    "非金属",
    "非晶",
    "非线",
    "非织",
];
/// Substances that one character names.
const SUBSTANCES: &str = "铅汞镉铬镍氰卤氟氯溴磷硫醛苯钴锑砷酸碱盐糖油胶硅铝锌硼铜锡锰氨酚氮钠钾铁钛钒锂铍铊";
/// What a single negator may exclude.
const EXCLUDED: [&str; 54] = [
    "溶剂",
    "甲醛",
    "抗生素",
    "氰化物",
    "添加剂",
    "防腐剂",
    "重金属",
    "粘结剂",
    "粘合剂",
    "催化剂",
    "激素",
    "卤素",
    "增塑剂",
    "胶水",
    "转基因",
    "贵金属",
    "稀土",
    "塑化剂",
    "色素",
    "香精",
    "农药",
    "石棉",
    "废水",
    "废气",
    "废渣",
    "停机",
    "停产",
    "停车",
    "停炉",
    "停电",
    "停水",
    "停气",
    "开挖",
    "拆卸",
    "拆除",
    "拆机",
    "动火",
    "焊接",
    "烧结",
    "破碎",
    "化学药剂",
    "助剂",
    "表面活性剂",
    "乳化剂",
    "重铬酸",
    "六价铬",
    "聚四氟",
    "氟利昂",
    "矿物油",
    "电池",
    "电镀",
    "蒸养",
    "脱模剂",
    "维护",
];
/// Verbs between a negator and what it excludes, and before what a text has.
const VERBS: [&str; 14] =
    ["含有", "含", "添加", "加入", "掺入", "掺加", "使用", "采用", "利用", "选用", "加有", "配有", "用", "有"];
/// Words before a thing that is not there or is to go.
const AWAY_BEFORE: [&str; 27] = [
    "不", "无", "未", "免", "非", "禁", "零", "防", "除", "脱", "去", "减", "代", "替", "避免", "防止", "消除", "减少",
    "降低", "替代", "代替", "取代", "去除", "脱除", "检测", "监测", "没有",
];
/// Words behind a thing that is not there or is to go.
const AWAY_BEHIND: [&str; 20] = [
    "残留",
    "检测",
    "监测",
    "去除",
    "脱除",
    "替代",
    "代替",
    "污染",
    "危害",
    "处理",
    "回收",
    "吸附",
    "降解",
    "防治",
    "超标",
    "时间短",
    "次数少",
    "方便",
    "简便",
    "损失",
];
/// Words of a comparison: 不得低于 is none of a thing.
const AMOUNTS: [&str; 10] = ["低于", "高于", "超过", "大于", "小于", "少于", "多于", "超出", "达到", "不"];
/// Characters that end what is excluded.
const ENDS: &str = "的等且并而但时来为是在以可能应需要将从对经被，。；、：！？（）()[]“”\"' \t\n,.;:!?/|";

/// Something that one side excludes and the other one has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conflict {
    /// Words of the matched record.
    pub own: Quote,
    /// Words of the query.
    pub other: String,
    /// Whether the record is the one that excludes.
    pub record_excludes: bool,
}

/// An exclusion in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exclusion {
    /// What is excluded, perhaps with words behind it: 铅焊料.
    what: Vec<char>,
    /// Characters from the negator to the end of `what`.
    start: usize,
    end: usize,
}

/// A text of a record, character by character, and what it excludes.
#[derive(Debug)]
pub(super) struct Part {
    field: TextField,
    chars: Vec<char>,
    exclusions: Vec<Exclusion>,
}

/// What the query excludes and the record has, and the other way round.
pub(super) fn conflicts(query: &[Part], found: &MatchHit) -> Vec<Conflict> {
    let parts = parts(&found.record);
    let terms: Vec<Vec<char>> = found.terms.iter().map(|term| term.term.chars().collect()).collect();
    let mut conflicts = Vec::new();
    for (part, exclusion) in all(query) {
        let has = names(exclusion, &terms).into_iter().find_map(|name| affirmed(&parts, &name, false));
        if let Some((other, start, end)) = has {
            let other_quote = quote(other, start, end);
            conflicts.push(Conflict { own: other_quote, other: written(part, exclusion), record_excludes: false });
        }
    }
    for (part, exclusion) in all(&parts) {
        let asks = names(exclusion, &terms).into_iter().find_map(|name| affirmed(query, &name, true));
        if let Some((other, start, end)) = asks {
            let own = quote(part, exclusion.start, exclusion.end);
            conflicts.push(Conflict { own, other: quote(other, start, end).text, record_excludes: true });
        }
    }
    conflicts.dedup_by(|one, other| one.other == other.other || one.own == other.own);
    conflicts.truncate(MAX_CONFLICTS);
    conflicts
}

/// Reads a record.
pub(super) fn parts(record: &Record) -> Vec<Part> {
    let keywords = record.keywords.iter().enumerate().map(|(index, text)| (TextField::Keyword(index), text));
    let texts = [(TextField::Title, &record.title), (TextField::Body, &record.body)].into_iter().chain(keywords);
    let part = |(field, text): (TextField, &String)| {
        let chars: Vec<char> = text.chars().collect();
        let exclusions = exclusions(&chars);
        Part { field, chars, exclusions }
    };
    texts.map(part).collect()
}

fn all(parts: &[Part]) -> impl Iterator<Item = (&Part, &Exclusion)> {
    parts.iter().flat_map(|part| part.exclusions.iter().map(move |exclusion| (part, exclusion)))
}

/// All exclusions of a text, in order.
fn exclusions(text: &[char]) -> Vec<Exclusion> {
    let mut found: Vec<Exclusion> = Vec::new();
    let mut place = 0;
    while place < text.len() && found.len() < MAX_EXCLUSIONS {
        let next = match negator(text, place) {
            Some(start) => list(text, place, start, &mut found),
            None => place + 1,
        };
        place = next.max(place + 1);
    }
    found
}

/// Position of what a negator at this position excludes.
fn negator(text: &[char], place: usize) -> Option<usize> {
    if let Some(end) = NEGATORS.iter().find_map(|word| after(text, place, word)) {
        let verb = VERBS.iter().find_map(|verb| after(text, end, verb)).unwrap_or(end);
        return Some(after(text, verb, "任何").unwrap_or(verb));
    }
    let short = text.get(place).filter(|first| SHORT_NEGATORS.contains(first))?;
    let before = place.checked_sub(1).and_then(|before| text.get(before));
    let is_other = before.is_some_and(|before| "避难以豁减赦并而除是毫若绝".contains(*before));
    if is_other || WORDS.iter().any(|word| after(text, place, word).is_some()) {
        return None;
    }
    let is_listed = EXCLUDED.iter().any(|word| after(text, place + 1, word).is_some());
    let is_substance =
        matches!(short, '无' | '非') && text.get(place + 1).is_some_and(|next| SUBSTANCES.contains(*next));
    (is_listed || is_substance).then_some(place + 1)
}

/// Adds what is excluded from `start`, with each member of a list: 不含铅、汞和镉. Returns where it ends.
fn list(text: &[char], negator: usize, start: usize, found: &mut Vec<Exclusion>) -> usize {
    let mut place = start;
    loop {
        let is_end = |place: &usize| text.get(*place).is_none_or(|next| ENDS.contains(*next) || is_join(*next));
        let end = (place..place + MAX_TERM_CHARS).find(is_end).unwrap_or(place + MAX_TERM_CHARS);
        let is_amount = |what: &&[char]| AMOUNTS.iter().any(|word| after(what, 0, word).is_some());
        if let Some(what) = text.get(place..end).filter(|what| !what.is_empty() && !is_amount(what)) {
            found.push(Exclusion { what: what.to_vec(), start: negator, end });
        }
        let joins = text.get(end).is_some_and(|next| is_join(*next) || *next == '、');
        if !joins || end == place || MAX_EXCLUSIONS <= found.len() {
            return end;
        }
        place = end + 1;
    }
}

fn is_join(character: char) -> bool {
    matches!(character, '和' | '与' | '及' | '或')
}

/// Names of what is excluded: as written, a substance of one character, and words that both records share.
fn names(exclusion: &Exclusion, terms: &[Vec<char>]) -> Vec<Vec<char>> {
    let what = &exclusion.what;
    let listed = EXCLUDED.iter().map(|word| word.chars().collect::<Vec<char>>());
    let mut names: Vec<Vec<char>> =
        listed.chain(terms.iter().cloned()).filter(|name| 2 <= name.len() && what.starts_with(name)).collect();
    names.push(what.clone());
    // 氰化镀金 has 氰化物
    if let Some(stem) = what.strip_suffix(&['物']).filter(|stem| 2 <= stem.len()) {
        names.push(stem.to_vec());
    }
    names.extend(what.first().filter(|first| SUBSTANCES.contains(**first)).map(|first| vec![*first]));
    names.sort_by_key(|name| usize::MAX - name.len());
    names.dedup();
    names
}

/// Where a side has the named thing. Nothing if it also says that it does not.
fn affirmed<'a>(parts: &'a [Part], name: &[char], needs_verb: bool) -> Option<(&'a Part, usize, usize)> {
    let excludes = |it: &Exclusion| it.what.starts_with(name) || name.starts_with(&it.what);
    if name.is_empty() || all(parts).any(|(_, exclusion)| excludes(exclusion)) {
        return None;
    }
    let needs_verb = needs_verb || name.len() == 1;
    parts.iter().find_map(|part| {
        let is_here = |start: &usize| part.chars.get(*start..*start + name.len()) == Some(name);
        let had = |start: &usize| is_had(&part.chars, *start..*start + name.len(), name, needs_verb);
        let start = (0..part.chars.len()).find(|start| is_here(start) && had(start))?;
        Some((part, start, start + name.len()))
    })
}

/// Returns whether a text has the thing at these characters: 含铅, but not 除铅 or 铅污染.
fn is_had(text: &[char], Range { start, end }: Range<usize>, name: &[char], needs_verb: bool) -> bool {
    let before = |words: &[&str], end: usize| words.iter().find_map(|word| back(text, end, word));
    let verb = before(&VERBS, start);
    let is_away = before(&AWAY_BEFORE, verb.unwrap_or(start)).is_some();
    let is_treated = AWAY_BEHIND.iter().any(|word| after(text, end, word).is_some());
    // 人工 is not in 人工智能
    let is_listed = || EXCLUDED.iter().any(|word| word.chars().eq(name.iter().copied()));
    let is_whole = || text.get(end).is_none_or(|next| ENDS.contains(*next)) || is_listed();
    !is_away && !is_treated && (verb.is_some() || !needs_verb && is_whole())
}

fn quote(part: &Part, start: usize, end: usize) -> Quote {
    let verb = VERBS.iter().find_map(|verb| back(&part.chars, start, verb)).unwrap_or(start);
    let is_end = |place: &usize| part.chars.get(*place).is_none_or(|next| ENDS.contains(*next));
    let end = (end..end + QUOTED_BEHIND).find(is_end).unwrap_or(end + QUOTED_BEHIND).min(part.chars.len());
    let text = part.chars.get(verb..end).unwrap_or_default().iter().collect();
    Quote { text, span: Span { field: part.field, start: verb, end } }
}

fn written(part: &Part, exclusion: &Exclusion) -> String {
    part.chars.get(exclusion.start..exclusion.end).unwrap_or_default().iter().collect()
}

fn after(text: &[char], place: usize, word: &str) -> Option<usize> {
    let mut end = place;
    for character in word.chars() {
        if text.get(end) != Some(&character) {
            return None;
        }
        end += 1;
    }
    Some(end)
}

fn back(text: &[char], end: usize, word: &str) -> Option<usize> {
    let start = end.checked_sub(word.chars().count())?;
    after(text, start, word).map(|_| start)
}

#[cfg(test)]
mod tests;
