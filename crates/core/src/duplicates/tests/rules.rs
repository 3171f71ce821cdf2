//! Tables for every rule.

use super::*;
use crate::domain::{Kind, record::Demand};

const BODY: &str = "针对薄壁壳体焊接变形大的问题，采用双光束摆动焊接和随焊冷却。热输入降低百分之三十以上，变形量由1.2mm降到0.3mm。\
    已在两家企业试用，累计焊接壳体3.6万件，合格率98.5%。设备占地12平方米，可由一名工人操作。转化方式为普通许可。";

#[test]
fn registration_numbers() {
    let check = |one: &str, other: &str, want: &str| {
        assert_eq!(between(&numbered("a", one, "激光焊接"), &numbered("b", other, "水稻育种")), want, "{one} {other}");
    };
    check("1302021Y0123", "1302021Y0123", "REGISTRATION_NUMBER");
    check("1302021Y0123", " 1302021y0123 ", "REGISTRATION_NUMBER");
    check("1302021Y0123", "１３０２０２１Ｙ０１２３", "REGISTRATION_NUMBER");
    check("1302021Y0123", "130-2021-Y-0123", "REGISTRATION_NUMBER");
    check("1302021Y0123", "1302021Y0124", "");
    check("", "", "");
    check("无", "无", "");
    check("1302021Y0000", "1302021Y0000", "");
    check("12345", "12345", "");
}

#[test]
fn a_number_that_many_have_is_a_placeholder() {
    let of = |count: usize| {
        let records: Vec<Record> =
            (0..count).map(|id| numbered(&format!("{id:03}"), "1302021Y0001", &format!("题目{id}"))).collect();
        let report = search(&records);
        (report.groups.len(), report.ignored_numbers)
    };
    assert_eq!(of(limits::MAX_SAME_NUMBER), (1, vec![]));
    assert_eq!(of(limits::MAX_SAME_NUMBER + 1), (0, vec!["1302021Y0001".to_string()]));
}

#[test]
fn titles_of_one_owner() {
    let check = |one: &str, other: &str, want: &str| {
        let (one_body, other_body) = ("第一份说明，讲的是原理和结构", "另一份说明，讲的是用途和市场");
        let found = between(&owned("a", "冀华理工大学", one, one_body), &owned("b", "冀华理工大学", other, other_body));
        assert_eq!(found, want, "{one} {other}");
    };
    let same = "OWNER_AND_TITLE";
    check("薄壁壳体激光焊接变形控制", "薄壁壳体激光焊接变形控制", same);
    check("薄壁壳体激光焊接变形控制", "薄壁壳体激光焊接变形控制技术", same);
    check("薄壁壳体激光焊接变形控制", "一种薄壁壳体激光焊接变形控制的技术研究", same);
    check("薄壁壳体激光焊接变形控制", "薄壁壳体的激光焊接与变形控制", same);
    check("薄壁壳体激光焊接变形控制技术", "薄壁壳体激光焊接变形的控制", same);
    check("ＭＥＭＳ压力传感器温漂补偿", "MEMS压力传感器温漂补偿", same);
    check("薄壁壳体激光焊接变形控制", "薄壁壳体激光焊接变形检测", "");
    check("铝合金焊接变形控制", "镁合金焊接变形控制", "");
    check("冬小麦节水灌溉方案", "夏玉米节水灌溉方案", "");
    // other models and sizes
    check("TX-200型数控龙门铣床", "TX-300型数控龙门铣床", "");
    check("燃气锅炉低氮燃烧器10MW", "燃气锅炉低氮燃烧器20MW", "");
    check("燃气锅炉低氮燃烧器（一期1号炉）", "燃气锅炉低氮燃烧器（一期2号炉）", "");
    check("TX-200型数控龙门铣床", "tx-200 型数控龙门铣床", same);
    // too short to name one thing
    check("水泵", "水泵", "");
    check("技术需求", "技术需求", "");
    check("的", "的", "");
}

#[test]
fn owners() {
    let (code, other_code) = ("91440300708461136T", "914403001922038216");
    let check = |one: (&str, &str), other: (&str, &str), want: bool| {
        let of = |id: &str, (name, credit_code): (&str, &str)| {
            let mut record = achievement(id, "薄壁壳体激光焊接变形控制", "");
            if !name.is_empty() {
                record.owner = Some(Owner { name: name.into(), credit_code: credit_code.into(), owner_type: None });
            }
            record
        };
        let found = between(&of("a", one), &of("b", other));
        assert_eq!(found.contains("OWNER_AND_TITLE"), want, "{one:?} {other:?}");
    };
    check(("甲公司", ""), ("甲公司", ""), true);
    check(("甲公司（石家庄）", ""), ("甲公司(石家庄)", ""), true);
    check(("甲公司", code), ("甲公司", ""), true);
    check(("甲公司", code), ("乙公司", code), true);
    check(("甲公司", &code.to_lowercase()), ("乙公司", code), true);
    check(("甲公司", code), ("甲公司", other_code), false);
    check(("甲公司", ""), ("乙公司", ""), false);
    check(("甲公司", ""), ("", ""), false);
    check(("", ""), ("", ""), false);
    // a code with a wrong check character counts as missing
    check(("甲公司", "914403001922038217"), ("乙公司", "914403001922038217"), false);
}

#[test]
fn texts() {
    let title = "薄壁壳体激光焊接变形控制";
    let check = |other_title: &str, body: &str, want: &str| {
        assert_eq!(between(&achievement("a", title, BODY), &achievement("b", other_title, body)), want, "{body}");
    };
    check(title, BODY, "TEXT");
    check(title, &BODY.replace('，', ", "), "TEXT");
    check(title, &BODY.replace("。", "。\n"), "TEXT");
    // sentences in another order
    let mut sentences: Vec<&str> = BODY.split('。').collect();
    sentences.reverse();
    check(title, &sentences.join("。"), "TEXT");
    // an edit, one updated figure, one added sentence
    check(title, &BODY.replace("已在两家企业试用", "已在三家企业应用"), "TEXT");
    check(title, &BODY.replace("3.6万件", "5.2万件"), "TEXT");
    check(title, &format!("{BODY}欢迎洽谈。"), "TEXT");
    check(title, &BODY.replace("设备占地12平方米，可由一名工人操作", "目前正与三家整车厂洽谈建设示范产线"), "");
    check(title, &BODY.replace("可由一名工人操作", "目前已建成示范产线"), "TEXT");
    // most figures changed: another size of a series
    let other =
        BODY.replace("1.2mm", "2.5mm").replace("0.3mm", "0.8mm").replace("3.6万", "1.1万").replace("98.5%", "97%");
    check(title, &other, "");
    // the title names another size
    check("薄壁壳体激光焊接变形控制2型", BODY, "");
    // half of it is another text
    let half: String = BODY.chars().take(60).collect();
    check(title, &half, "");
    // another title for the same text
    check("一种双光束摆动焊接工艺", BODY, "TEXT");
}

#[test]
fn an_update_may_rewrite_a_sentence() {
    let (title, body) = samples().swap_remove(0);
    let sentences: Vec<&str> = content::split(&body).collect();
    let place = sentences.iter().position(|sentence| sentence.contains("可先拿20只样品")).unwrap();
    let update = body.replace(sentences[place], "目前已有三家整车厂完成台架试验并签订了供货意向书");
    assert_eq!(between(&achievement("a", &title, &body), &achievement("b", &title, &update)), "TEXT");
    // under another title each states something of its own
    assert_eq!(between(&achievement("a", &title, &body), &achievement("b", "车用传感器供货", &update)), "");
}

#[test]
fn a_text_that_differs_in_its_only_figure_or_model_is_another() {
    let body = |figure: &str, model: &str| {
        format!(
            "本成果为{model}系列高效节能水泵，叶轮采用三元流设计，壳体整体铸造，密封件选用碳化硅，运行平稳噪声小。流量为{figure}，可替代进口产品。"
        )
    };
    let check = |one: String, other: String, want: &str| {
        assert_eq!(between(&achievement("a", "高效节能水泵", &one), &achievement("b", "高效节能水泵", &other)), want);
    };
    check(body("50立方米每小时", "节能"), body("50立方米每小时", "节能"), "TEXT");
    check(body("50立方米每小时", "节能"), body("80立方米每小时", "节能"), "");
    check(body("50立方米每小时", "GY-200"), body("50立方米每小时", "GY-300"), "");
}

#[test]
fn short_texts_have_to_be_equal() {
    let check = |one: (&str, &str), other: (&str, &str), want: &str| {
        let of = |id: &str, (owner, title): (&str, &str)| match owner {
            "" => achievement(id, title, ""),
            owner => owned(id, owner, title, ""),
        };
        assert_eq!(between(&of("a", one), &of("b", other)), want, "{one:?} {other:?}");
    };
    check(("", "薄壁壳体激光焊接变形控制"), ("", "薄壁壳体激光焊接变形控制"), "TEXT");
    check(("甲公司", "薄壁壳体激光焊接变形控制"), ("", "薄壁壳体激光焊接变形控制"), "TEXT");
    check(("甲公司", "薄壁壳体激光焊接变形控制"), ("乙公司", "薄壁壳体激光焊接变形控制"), "");
    check(("", "薄壁壳体激光焊接变形控制"), ("", "薄壁壳体激光焊接变形控制好"), "");
    check(("", "污水处理技术"), ("", "污水处理技术"), "");
}

#[test]
fn experts_are_compared_by_name_and_owner() {
    let expert = |id: &str, name: &str, owner: &str, body: &str| {
        let mut record = Record::new("local", id, name, Detail::empty(Kind::Expert));
        record.owner = Some(Owner { name: owner.into(), credit_code: String::new(), owner_type: None });
        record.body = body.into();
        record
    };
    let check = |one: Record, other: Record, want: &str| assert_eq!(between(&one, &other), want);
    check(expert("a", "欧阳明华", "冀华理工大学", ""), expert("b", "欧阳明华", "冀华理工大学", ""), "OWNER_AND_TITLE");
    check(expert("a", "欧阳明华", "冀华理工大学", ""), expert("b", "欧阳明", "冀华理工大学", ""), "");
    check(expert("a", "张伟", "冀华理工大学", ""), expert("b", "张伟", "燕山师范大学", ""), "");
    check(expert("a", "张伟", "冀华理工大学", BODY), expert("b", "张伟", "燕山师范大学", BODY), "TEXT");
    check(expert("a", "张伟", "冀华理工大学", BODY), expert("b", "李强", "冀华理工大学", BODY), "");
}

#[test]
fn transitive_groups_say_all_their_reasons() {
    let mut one = numbered("1", "1302021Y0123", "水稻育种");
    one.body = "说明".into();
    let mut two = owned("2", "冀华理工大学", "薄壁壳体激光焊接变形控制", "说明");
    two.detail = one.detail.clone();
    let three = owned("3", "冀华理工大学", "薄壁壳体激光焊接变形控制技术", BODY);
    let four = achievement("4", "薄壁壳体激光焊接变形控制技术", &format!("{BODY}欢迎洽谈。"));
    let five = achievement("5", "别的东西", "毫不相干");
    let report = search(&[five, three, one, four, two]);
    assert_eq!(ids(&report), [["1", "2", "3", "4"]]);
    let links: Vec<(&str, &str, &str)> =
        report.groups[0].links.iter().map(|l| (l.left.id.as_str(), l.right.id.as_str(), l.reason.code())).collect();
    assert_eq!(links, [("1", "2", "REGISTRATION_NUMBER"), ("2", "3", "OWNER_AND_TITLE"), ("3", "4", "TEXT")]);
    let sentence = report.groups[0].links[2].reason.chinese();
    assert!(sentence.starts_with("名称和正文相近（相似度 0.9"), "{sentence}");
    assert!(!report.groups[0].is_cut_down && !report.is_cut);
}

#[test]
fn a_record_is_never_grouped_with_itself() {
    let record = owned("a", "甲公司", "薄壁壳体激光焊接变形控制", BODY);
    let report = search(&[record.clone(), record.clone(), record]);
    assert_eq!((report.records, report.groups.len()), (1, 0));
    assert_eq!(search(&[]), DuplicateReport::default());
}

#[test]
fn records_of_other_kinds_are_refused() {
    let demand = Record::new("local", "d", "需求", Detail::Demand(Demand::default()));
    let mut finder = Finder::new(Kind::Achievement);
    let error = finder.add(&demand).unwrap_err();
    assert_eq!(error.to_string(), "查重只能在同一类记录中进行：正在查成果，却收到需求");
}

#[test]
fn records_that_are_gone_are_left_out() {
    let (one, other) = (achievement("a", "薄壁壳体", BODY), achievement("b", "薄壁壳体", BODY));
    let mut finder = Finder::new(Kind::Achievement);
    finder.add(&one).unwrap();
    finder.add(&other).unwrap();
    assert_eq!(finder.find(|name| (name.id == "a").then(|| one.clone())).groups, []);
}

#[test]
fn a_record_takes_half_a_kilobyte() {
    const { assert!(size_of::<Signed>() <= 512) };
}
