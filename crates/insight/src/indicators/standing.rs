//! Decides whether a number is claimed, or describes the present state or other techniques.

use std::sync::LazyLock;

use super::{
    Standing,
    text::{ByChar, CharText},
};

/// Maximum distance in characters to a standing word in the same sentence.
const MAX_CHARS: usize = 40;

const MARKS: [(&str, Standing); 52] = [
    ("目前", Standing::Present),
    ("现为", Standing::Present),
    ("现状", Standing::Present),
    ("现在", Standing::Present),
    ("现只", Standing::Present),
    ("当前", Standing::Present),
    ("如今", Standing::Present),
    ("原来", Standing::Former),
    ("原有", Standing::Former),
    ("原先", Standing::Former),
    ("原为", Standing::Former),
    ("以前", Standing::Former),
    ("以往", Standing::Former),
    ("过去", Standing::Former),
    ("此前", Standing::Former),
    ("传统", Standing::Former),
    ("常规", Standing::Former),
    ("普通", Standing::Former),
    ("通常", Standing::Former),
    ("现有技术", Standing::Former),
    ("现有工艺", Standing::Former),
    ("现有方法", Standing::Former),
    ("现有产品", Standing::Former),
    ("同类", Standing::Former),
    ("进口", Standing::Former),
    ("国外", Standing::Former),
    ("改造前", Standing::Former),
    ("改进前", Standing::Former),
    ("处理前", Standing::Former),
    ("使用前", Standing::Former),
    ("修正前", Standing::Former),
    ("未处理", Standing::Former),
    ("未修正", Standing::Former),
    ("对照", Standing::Former),
    ("要求", Standing::Claimed),
    ("希望", Standing::Claimed),
    ("目标", Standing::Claimed),
    ("，本", Standing::Claimed),
    ("本项目", Standing::Claimed),
    ("本成果", Standing::Claimed),
    ("本产品", Standing::Claimed),
    ("本工艺", Standing::Claimed),
    ("本方法", Standing::Claimed),
    ("本技术", Standing::Claimed),
    ("本系统", Standing::Claimed),
    ("本装置", Standing::Claimed),
    ("需", Standing::Claimed),
    ("拟", Standing::Claimed),
    ("改造后", Standing::Claimed),
    ("处理后", Standing::Claimed),
    ("提高", Standing::Claimed),
    ("实现", Standing::Claimed),
];

static BY_LAST: LazyLock<ByChar<Vec<(&str, Standing)>>> = LazyLock::new(|| {
    let mut marks: ByChar<Vec<(&str, Standing)>> = ByChar::default();
    for mark in MARKS {
        if let Some(last) = mark.0.chars().next_back() {
            marks.entry(last).or_default().push(mark);
        }
    }
    marks
});

/// Standing according to the nearest word before a position in the sentence.
pub(super) fn standing(text: &CharText<'_>, start: usize) -> Standing {
    let first = start.saturating_sub(MAX_CHARS);
    for end in (first..=start).rev() {
        let last = text.before(end);
        if matches!(last, '。' | ';' | '!' | '?' | '\n') {
            break;
        }
        let marks = BY_LAST.get(&last).map_or(&[][..], Vec::as_slice);
        if let Some((_, standing)) = marks.iter().find(|(word, _)| text.back(end, word).is_some()) {
            return *standing;
        }
    }
    Standing::Claimed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_of_the_sentence_counts() {
        let check = |text: &str, want: Standing| {
            let text = CharText::new(text);
            assert_eq!(standing(&text, text.len()), want);
        };
        check("目前主要问题是总误差", Standing::Present);
        check("目前总误差大，要求总误差", Standing::Claimed);
        check("传统方法的误差", Standing::Former);
        check("传统方法误差大。误差", Standing::Claimed);
        check("传统方法误差大，本方法误差", Standing::Claimed);
        check("误差", Standing::Claimed);
        check("", Standing::Claimed);
    }
}
