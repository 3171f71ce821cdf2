use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static SEGMENTER: LazyLock<Segmenter> = LazyLock::new(|| Segmenter::new(None).unwrap());

fn texts(text: &str) -> Vec<String> {
    SEGMENTER.terms(text).into_iter().map(|term| term.text).collect()
}

fn check(text: &str, want: &[&str]) {
    assert_eq!(texts(text), want, "{text}");
}

fn check_has(text: &str, want: &[&str]) {
    let found = texts(text);
    for term in want {
        assert!(found.iter().any(|found| found == term), "{text}: {term} is not in {found:?}");
    }
}

#[test]
fn model_numbers_and_formulas_are_whole() {
    check("42CrMo", &["42crmo"]);
    check("Q345B钢板", &["q345b", "钢板"]);
    check("316L", &["316l"]);
    check("TC4", &["tc4"]);
    check("LiFePO4", &["lifepo4"]);
    check("STM32F103", &["stm32f103"]);
    check("α-Al2O3", &["α-al2o3", "al2o3"]);
    check("0.1mm", &["0.1mm"]);
    check("0.1 毫米", &["0.1mm"]);
    check("PM2.5", &["pm2.5"]);
    check("5G", &["5g"]);
    check("IGBT", &["igbt"]);
    check("C/C", &["c/c"]);
    check("ＩＧＢＴ", &["igbt"]);
    check("MOF-5", &["mof", "mof-5"]);
    check("H13/SKD61", &["h13", "h13/skd61", "skd61"]);
    check("γ-TiAl", &["γ-tial", "tial"]);
    check("ZSM-5", &["zsm", "zsm-5"]);
    check("Ti-6Al-4V", &["ti", "ti-6al-4v", "6al", "4v"]);
    check("IP67", &["ip67"]);
    check("GB/T", &["gb", "gb/t"]);
    check("10kg/m3", &["10kg", "10kg/m3", "m3"]);
    check("120℃", &["120°c"]);
    check("99.9%", &["99.9%"]);
    check("C++", &["c++"]);
    check("200目", &["200目"]);
    check_has("β-葡聚糖提取", &["β-葡聚糖", "葡聚糖", "提取"]);
    check_has("L-乳酸", &["l-乳酸", "乳酸"]);
    check_has("采用C/C复合材料", &["c/c", "复合材料"]);
    check_has("5G基站与CAR-T细胞", &["5g基站", "5g", "基站", "car-t细胞", "细胞"]);
}

#[test]
fn terms_of_each_dictionary_are_whole() {
    for (file, text) in DICTIONARIES {
        let entries = dictionary::parse(file, text).unwrap();
        let cut = |entry: &&DictionaryTerm| !texts(&entry.term).contains(&entry.term);
        let cut: Vec<_> = entries.iter().filter(cut).map(|entry| &entry.term).collect();
        assert!(cut.is_empty(), "{file}: {cut:?}");
    }
}

#[test]
fn terms_are_whole_within_sentences() {
    check_has("面向玉米的病虫害防治技术与智慧农业平台", &["病虫害", "智慧农业"]);
    check_has("开发多肽药物的缓释制剂", &["缓释", "多肽"]);
    check_has("基于数字孪生的边缘计算网关", &["数字孪生", "边缘计算", "网关"]);
    check_has("质子交换膜燃料电池的膜电极", &["质子交换膜", "膜电极", "燃料"]);
    check_has("工业废水零排放与烟气脱硝", &["废水", "脱硝"]);
    check_has("五轴联动数控机床的主轴热误差补偿", &["数控机床", "主轴"]);
    check_has("高性能不饱和聚酯树脂的制备", &["不饱和聚酯树脂", "聚酯", "树脂"]);
    check_has("城市轨道交通的应急指挥", &["轨道交通"]);
}

#[test]
fn what_says_nothing_is_left_out() {
    check("", &[]);
    check("，。！\n\t《》", &[]);
    check("的技术研究与开发", &[]);
    check("2020年 3 个 1/2", &[]);
    check("based on the", &[]);
    check("酶", &["酶"]);
    check(" 酶 ", &["酶"]);
    check("c", &["c"]);
    check("的", &[]);
    check("5", &[]);
    check("酶，的", &[]);
}

#[test]
fn places_are_those_of_the_original() {
    let text = "  鋰離子電池，強度１０ ＭＰａ、α－Ａｌ２Ｏ３。";
    let terms = SEGMENTER.terms(text);
    let placed = terms.iter().map(|term| {
        let original: String = text.chars().skip(term.start).take(term.end - term.start).collect();
        (original, term.text.as_str())
    });
    let placed: Vec<_> = placed.collect();
    for want in [("鋰離子電池", "锂离子电池"), ("強度", "强度"), ("１０ ＭＰａ", "10mpa"), ("Ａｌ２Ｏ３", "al2o3")]
    {
        assert!(placed.iter().any(|(original, term)| (original.as_str(), *term) == want), "{want:?}: {placed:?}");
    }
}

#[test]
fn an_extra_dictionary_adds_terms() {
    let segmenter = Segmenter::new(Some("超构表面棱镜 20 n\nYOLO检测器 20 n")).unwrap();
    let terms = |text: &str| segmenter.terms(text).into_iter().map(|term| term.text).collect::<Vec<_>>();
    assert!(terms("一种超构表面棱镜").contains(&"超构表面棱镜".to_string()));
    assert!(terms("改进的yolo检测器").contains(&"yolo检测器".to_string()));
    assert!(!texts("一种超构表面棱镜").contains(&"超构表面棱镜".to_string()));
    let error = Segmenter::new(Some("石墨烯 20 n\n石墨烯电极 0 n")).unwrap_err();
    assert!(matches!(error, TextError::Dictionary { line: 2, .. }), "{error}");
    let long = "石墨烯 1\n".repeat(MAX_EXTRA_LINES + 1);
    assert_eq!(Segmenter::new(Some(&long)).unwrap_err(), TextError::TooManyLines { lines: MAX_EXTRA_LINES + 1 });
}

#[test]
fn endless_words_are_left_out() {
    let link = "a1".repeat(50);
    check(&format!("见 {link}/锂电池"), &["锂电", "锂电池", "电池"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_gives_terms_within_it(text in "\\PC{0,40}|[a-zα-ω0-9./·°%+# -]{0,40}|[锂电池强度兆帕0-9a-c， -]{0,40}") {
        let count = text.chars().count();
        for term in SEGMENTER.terms(&text) {
            prop_assert!(term.start < term.end && term.end <= count, "{:?}", term);
            prop_assert!(!term.text.is_empty() && term.text.chars().count() <= MAX_TERM_CHARS, "{:?}", term);
            prop_assert!(!scan::is_bare_number(&term.text), "{:?}", term);
        }
    }
}
