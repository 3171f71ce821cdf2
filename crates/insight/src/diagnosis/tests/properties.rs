//! Properties of any text: no panic, correct positions.

use proptest::prelude::*;

use super::*;

/// Pieces of demands, so that the rules find their words, and unusual characters.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "预算", "经费：", "100万元", "五十万", "～", "6元/只", "面议", "2027年", "6月", "底前", "12个月内", "完成", "截止",
            "2027-06-30", "项目周期", "尽快", "开裂", "设备", "先进", "轴承", "合作", "委托开发", "大幅", "提高", "无", "，", "。", "\n",
            "1,000", "-", "９９", "元", "年", "内",
        ]).prop_map(String::from),
        1 => ".{0,6}",
        1 => "[\u{0}-\u{10FFFF}]{0,3}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn places_are_right(title in texts(), body in texts(), indicators_found in 0..3_usize) {
        let diagnosis = DIAGNOSER.diagnose(&Given { title: &title, body: &body, indicators_found, ..Given::default() });
        prop_assert_eq!(diagnosis.findings.iter().map(|finding| finding.aspect).collect::<Vec<_>>(), Aspect::ALL);
        for finding in &diagnosis.findings {
            prop_assert!(finding.evidence.len() <= Finding::MAX_EVIDENCE);
            for evidence in &finding.evidence {
                let StatementSource::Text { span, bytes, text } = evidence else { continue };
                let original = if span.field == TextField::Title { &title } else { &body };
                prop_assert_eq!(original.get(bytes.clone()), Some(text.as_str()));
                let chars: String = original.chars().skip(span.start).take(span.end - span.start).collect();
                prop_assert_eq!(&chars, text);
                prop_assert!(!text.is_empty());
            }
        }
    }

    #[test]
    fn what_is_said_in_the_title_is_said_in_the_body(text in texts()) {
        let title = DIAGNOSER.diagnose(&Given { title: &text, ..Given::default() });
        let body = DIAGNOSER.diagnose(&Given::text(&text, 0));
        prop_assert_eq!(letters(&title), letters(&body));
    }
}

#[test]
fn long_texts_take_no_long_time() {
    let start = std::time::Instant::now();
    for piece in ["预算", "期限", "100万元", "2027年", "一", "1", "开裂，", "设备", "\u{1F600}", "12个月内完成，"]
    {
        let text = piece.repeat(40_000 / piece.chars().count());
        let _ = DIAGNOSER.diagnose(&Given::text(&text, 0));
    }
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
