use proptest::prelude::*;

use super::*;

fn check(original: &str, want: &str) {
    assert_eq!(normalize(original).text, want, "{original:?}");
    assert_eq!(normalize(want).text, want, "stays as it is");
}

#[test]
fn one_spelling_for_width_case_and_script() {
    check("", "");
    check("锂电池隔膜", "锂电池隔膜");
    check("鋰電池隔膜", "锂电池隔膜");
    check("乾燥設備與瞭解", "干燥设备与了解");
    check("乾坤", "乾坤");
    check("ＩＧＢＴ模块", "igbt模块");
    check("ｱﾙﾐﾆｳﾑ", "アルミニウム");
    check("材料，工艺；（装备）：！？", "材料,工艺;(装备):!?");
    check("保留。、《》“”", "保留。、《》“”");
    check("42CrMo", "42crmo");
    check("α-Al₂O₃", "α-al2o3");
    check("Α与Ω", "α与ω");
    check("e\u{301}té", "été");
    check("e\u{200B}\u{301}", "é");
    check("①第一②第二", " 第一 第二");
    check("Ⅱ型", "ii型");
    check("㎏㎡℡", "kgm2tel");
    check("a\t\r\n　b", "a b");
    check("a\u{0}\u{7}b", "a b");
    check("锂\u{FEFF}电\u{200D}池", "锂电池");
    check("İ", "i\u{307}");
    check("ﬁne", "fine");
    check("½", "1/2");
    check("\u{1112}\u{1161}\u{11AB}", "한");
}

#[test]
fn look_alikes_become_one() {
    check("10×20", "10x20");
    check("５～１０", "5~10");
    check("5〜10", "5~10");
    check("5—10", "5-10");
    check("5–10", "5-10");
    check("−40", "-40");
    check("－40", "-40");
    check("a・b•c‧d", "a·b·c·d");
    check("µ与μ", "μ与μ");
    check("45º角", "45°角");
}

#[test]
fn units_behind_numbers_become_one() {
    check("10兆帕", "10mpa");
    check("10 MPa", "10mpa");
    check("10ＭＰａ", "10mpa");
    check("5 微米", "5μm");
    check("5um", "5μm");
    check("5µm", "5μm");
    check("0.1毫米以下", "0.1mm以下");
    check("120℃", "120°c");
    check("120 °C", "120°c");
    check("120摄氏度", "120°c");
    check("120攝氏度", "120°c");
    check("20毫克/升", "20mg/l");
    check("20 mg/L", "20mg/l");
    check("3立方米", "3m3");
    check("3 m³", "3m3");
    check("100千瓦·小时", "100kwh");
    check("100kW·h", "100kwh");
    check("100千瓦·h", "100kwh");
    check("5×10毫米", "5x10mm");
    check("10%", "10%");
    check("200 目", "200目");
    check("24小时", "24h");
    check("10 Ω", "10ω");
    check("5~10 兆帕", "5~10mpa");
}

#[test]
fn what_is_no_unit_stays() {
    check("兆帕", "兆帕");
    check("Q345 米", "q345 米");
    check("PM2.5 微米", "pm2.5 微米");
    check("5米粉", "5米粉");
    check("3克隆", "3克隆");
    check("10 MPax", "10 mpax");
    check("in 2020 a new way", "in 2020 a new way");
    check("5G基站", "5g基站");
    check("316L不锈钢", "316l不锈钢");
}

#[test]
fn places_point_into_the_original() {
    let check = |original: &str, part: &str, want: &str| {
        let normal = normalize(original);
        let start = normal.text.split(part).next().unwrap().chars().count();
        let range = normal.original_range(start, start + part.chars().count());
        let found: String = original.chars().skip(range.start).take(range.len()).collect();
        assert_eq!(found, want, "{original}");
    };
    check("强度，１０ ＭＰａ以上", "10mpa", "１０ ＭＰａ");
    check("强度10兆帕以上", "10mpa", "10兆帕");
    check("强度10兆帕以上", "以上", "以上");
    check("  鋰  電池", "电池", "電池");
    check("约100千瓦·小时。", "100kwh", "100千瓦·小时");
    check("e\u{301}té与锂", "锂", "锂");
    check("重㎏锂", "锂", "锂");
    let normal = normalize("锂电池");
    assert_eq!(normal.original_range(1, 2), 1..2);
    assert_eq!(normal.original_range(2, 99), 2..3);
    assert_eq!(normal.original_range(9, 3), 3..3);
    let normal = normalize("5 兆帕");
    assert_eq!((normal.original_range(0, 99), normal.original_range(9, 99)), (0..4, 4..4));
    assert!(normal.is_cut(0) && normal.is_cut(1) && !normal.is_cut(2));
}

#[test]
fn natural_text_keeps_case_and_units() {
    let check = |original: &str, want: &str| assert_eq!(natural(original), want);
    check(" 鋰電池　ＩＧＢＴ\n\n10 MPa。 ", "锂电池 IGBT 10 MPa。");
    check("", "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20000))]

    #[test]
    fn any_text_has_one_normal_form(original in any_text()) {
        let once = normalize(&original);
        let twice = normalize(&once.text);
        prop_assert_eq!(&once.text, &twice.text);
        prop_assert!(!once.text.contains("  "));
    }

    #[test]
    fn places_are_in_order_and_in_range(original in any_text()) {
        let normal = normalize(&original);
        let count = original.chars().count();
        let mut before = 0..0;
        for index in 0..normal.text.chars().count() {
            let place = normal.original_range(index, index + 1);
            prop_assert!(place.start < place.end && place.end <= count, "{:?}", place);
            prop_assert!(before.start <= place.start && before.end <= place.end, "{:?} {:?}", before, place);
            before = place;
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,6}",
        any::<String>(),
        "[0-9]{1,3}[.]?[0-9]?[ 　]?",
        prop::sample::select(vec![
            "兆帕",
            "微米",
            "千瓦·",
            "小时",
            "攝氏度",
            "毫克/",
            "升",
            "米",
            " ",
            "\u{301}",
            "\u{200B}",
            "㎏",
            "ﬁ",
            "×",
            "～",
            "乾",
            "坤",
            "圖",
            "藉",
            "反覆",
            "於",
            "麼",
            "么",
            "mpa",
            "kw",
            "·h",
            "°",
            "C",
            "m",
            "3",
            "İ",
            "①",
            "½",
        ])
        .prop_map(str::to_string),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}
