//! Tests of exclusions: what one side excludes and the other has.

use super::*;
use duijie_core::domain::{Detail, Kind};

fn told(query: &str, title: &str, body: &str) -> Vec<(String, String, bool)> {
    let asked = Record::new("", "q", query, Detail::empty(Kind::Demand));
    let mut record = Record::new("", "r", title, Detail::empty(Kind::Achievement));
    record.body = body.to_string();
    let found = MatchHit {
        record,
        rank: 1,
        score: 0.0,
        dense: Default::default(),
        sparse: Default::default(),
        works: None,
        terms: vec![],
        relevance: None,
    };
    let told = conflicts(&parts(&asked), &found);
    told.into_iter().map(|it| (it.other, it.own.text, it.record_excludes)).collect()
}

#[test]
fn what_is_excluded_and_there_speaks_against() {
    let check = |query: &str, title: &str, body: &str, asked: &str, own: &str, excludes: bool| {
        assert_eq!(told(query, title, body), [(asked.to_string(), own.to_string(), excludes)], "{query} / {title}");
    };
    check("黄铜中不得含铅", "易切削黄铜", "含铅3%，切削性好。", "不得含铅", "含铅3%", false);
    check("无铅黄铜棒", "黄铜棒", "含铅3%。", "无铅黄铜棒", "含铅3%", false);
    check("要求不使用甲醛的胶黏剂", "脲醛胶", "合成时使用甲醛。", "不使用甲醛", "使用甲醛", false);
    check("养殖中禁止添加激素", "促生长饲料", "饲料添加激素。", "禁止添加激素", "添加激素", false);
    check("不含铅、汞和镉的颜料", "镉黄颜料", "含镉颜料，色泽好", "不含铅、汞和镉", "含镉颜料", false);
    check("管线修补，无需停机", "停机修补法", "管线停机泄压后修补。", "无需停机", "停机修补法", false);
    check("免开挖修复管道", "开挖换管", "开挖路面后更换管道", "免开挖修复管道", "开挖换管", false);
    check("含铅玻璃", "环保玻璃", "不含铅，透光好。", "含铅玻璃", "不含铅", true);
    check("严禁使用石棉的密封垫", "密封垫片", "采用石棉板冲压", "严禁使用石棉", "采用石棉板冲压", false);
}

#[test]
fn what_is_not_there_does_not_speak_against() {
    for (query, title, body) in [
        ("黄铜中不得含铅", "无铅黄铜", "以铋代铅，不含铅。"),
        ("黄铜中不得含铅", "黄铜除铅工艺", "脱除铅，无铅污染。"),
        ("要求不使用甲醛的胶黏剂", "大豆胶", "替代甲醛类胶黏剂，无甲醛释放。"),
        ("管线修补，无需停机", "带压修补", "不停机修补。"),
        ("管线修补，无需停机", "带压修补", "避免停机损失。"),
        ("含铅玻璃", "铅玻璃", "含铅30%"),
        ("饲料不添加抗生素", "抗生素检测试剂", "用于饲料中抗生素残留检测"),
        ("玻璃", "玻璃", "不含铅"),
        ("不含铅的玻璃", "铅笔芯", "石墨铅笔"),
    ] {
        assert_eq!(told(query, title, body), [], "{query} / {title}");
    }
}

#[test]
fn negators_within_words_exclude_nothing() {
    for text in [
        "无机非金属材料",
        "无线传感",
        "无人机巡检",
        "非晶合金带材",
        "无纺布滤料",
        "不锈钢焊接",
        "免疫荧光",
        "无损检测",
        "无缝钢管",
        "无源器件",
        "无菌灌装",
        "无水乙醇",
        "无氧铜",
        "无烟煤",
        "无刷电机",
        "无级变速",
        "无规共聚",
        "非线性光学",
        "非接触测量",
        "非织造布",
        "无论停机与否",
        "免费开放",
        "以免停机",
        "避免焊接变形",
        "是否焊接",
        "不同电池",
        "不断电镀",
        "并非铅酸",
        "不饱和树脂",
        "不对称合成",
        "无定形碳",
        "无性繁殖",
        "无锡电池厂",
        "无功补偿",
        "非洲猪瘟",
        "非标设备",
        "非常规油气",
        "不粘锅",
        "不燃材料",
        "无限位",
    ] {
        let text: Vec<char> = text.chars().collect();
        assert_eq!(exclusions(&text), [], "{}", text.iter().collect::<String>());
    }
}
