//! JSONL as the sample records, the tech-match set and the service itself write it.

use super::*;

const ACHIEVEMENT: &str = r#"{"id": "dzxx-a001", "title": "硅压阻芯体全温区零点与满度输出的数字校正技术", "body": "一、背景\n扩散硅压阻芯体\n二、技术内容", "keywords": ["压阻芯体", "温度补偿, 快速"], "industry": "C3983", "field": "106", "policy_field": "electronics", "region": "130100", "owner": "冀华理工大学", "owner_type": "university", "stage": "mature", "trl": 8, "intellectual_property": [{"kind": "invention", "number": "ZL2021XXXXXXXX.X", "status": "granted"}, {"kind": "software", "number": "", "status": "pending"}], "transfer_modes": ["ordinary_license", "technical_service"], "price_yuan": 1000000, "status": "published", "publish_date": "2024-05-16", "share_class": "unconditional", "level": "domestic_leading"}"#;
const DEMAND: &str = r#"{"id": "xdny-d001", "title": "越冬番茄灰霉病年年重发", "body": "我们合作社", "keywords": [], "industry": "A0141", "field": "20701", "policy_field": "agriculture", "region": "131124", "owner": "饶阳县绿脉蔬菜专业合作社", "owner_type": "other", "budget_yuan": null, "deadline": null, "cooperation_modes": ["technical_service"], "status": "open", "publish_date": "2025-10-17", "share_class": "none"}"#;
const EXPERT: &str = r#"{"id": "dzxx-e001", "title": "韩立群", "body": "从事硅基传感器封装", "keywords": ["压力传感器"], "industry": "M7320", "field": "106", "policy_field": "electronics", "region": "130100", "owner": "冀华理工大学", "owner_type": "university", "professional_title": "教授", "status": "inactive", "publish_date": "2025-01-09", "share_class": "unconditional", "achievement_ids": ["dzxx-a001", "dzxx-a017"]}"#;

#[test]
fn sample_records_are_read() {
    let record = &records("x.jsonl", ACHIEVEMENT)[0];
    assert_eq!(record.keywords, ["压阻芯体", "温度补偿, 快速"]);
    assert_eq!((record.status, record.publish_time), (Status::Active, time("2024-05-15T16:00:00Z")));
    let Detail::Achievement(detail) = &record.detail else { panic!() };
    assert_eq!((detail.trl, detail.price_yuan, detail.intellectual_property.len()), (Some(8), Some(1_000_000), 2));
    let record = &records("x.jsonl", DEMAND)[0];
    let Detail::Demand(detail) = &record.detail else { panic!() };
    assert_eq!((detail.budget_yuan, detail.deadline, detail.cooperation_modes.len()), (None, None, 1));
    assert_eq!(record.share_class, ShareClass::None);
    let record = &records("x.jsonl", EXPERT)[0];
    assert_eq!((record.kind(), record.status), (Kind::Expert, Status::Closed));
    let lines = format!("{ACHIEVEMENT}\n\n{}\n", ACHIEVEMENT.replace("a001", "a002"));
    assert_eq!(records("x.jsonl", lines).len(), 2);
}

#[test]
fn tech_match_is_read() {
    let got =
        records("demands.jsonl", r#"{"id": "07518b9e-d77a", "title": "环保新型橡胶助剂", "content": "目前世界"}"#);
    assert_eq!((got[0].kind(), got[0].body.as_str()), (Kind::Demand, "目前世界"));
    let got = records("achievements.jsonl", r#"{"id": "a-00365b36a48a", "title": "调节散热强度油浸变压器"}"#);
    assert_eq!((got[0].kind(), got[0].id.as_str()), (Kind::Achievement, "a-00365b36a48a"));
}

#[test]
fn what_the_service_writes_is_read_again() {
    for line in [ACHIEVEMENT, DEMAND, EXPERT] {
        let record = &records("x.jsonl", line)[0];
        let again = &records("x.jsonl", serde_json::to_string(record).unwrap())[0];
        assert_eq!(again, record);
    }
    let wire = r#"{"achievement": {"common": {"id": "a-1", "title": "甲", "sourceSystem": "hebei", "owner": {"name": "乙", "creditCode": "", "type": "企业"}, "publishTime": "2024-05-15T16:00:00Z"}, "priceYuan": "5"}}"#;
    let record = &records("x.jsonl", wire)[0];
    assert_eq!((record.source.as_str(), record.amount_yuan()), ("hebei", Some(5)));
    assert_eq!(record.owner.as_ref().and_then(|owner| owner.owner_type), Some(OwnerType::Enterprise));
}

#[test]
fn owners_ids_and_unknown_keys() {
    let lines = r#"{"title":"甲","owner":{"name":"乙","credit_code":"91440300708461136T","type":"enterprise"},"budget_yuan":1}
{"title":"甲","owner":"乙","phone":"1","budget_yuan":120000.0}
{"title":"甲","id":null,"note":[1],"owner":null}
"#;
    let (_folder, path) = file("x.jsonl", lines);
    let mut reader = open(&path, &ReadOptions::default()).unwrap();
    let got: Vec<_> = reader.by_ref().map(|row| row.result.unwrap()).collect();
    assert_eq!(got[0].owner.as_ref().unwrap().credit_code, "91440300708461136T");
    // title and owner alike, but other content: two records
    assert_eq!((got[0].id == got[1].id, got[0].id == got[2].id), (false, false));
    assert_eq!(got[0].id, records("x.jsonl", r#"{"title":"甲","owner":"乙","budget_yuan":7}"#)[0].id);
    assert_eq!(got[1].amount_yuan(), Some(120_000));
    assert_eq!(reader.unknown_headings(), ["phone", "note"]);
}

#[test]
fn bad_values_of_json() {
    let lines = r#"{"id":"1","title":"甲","budget_yuan":true,"keywords":{"a":1}}
{"id":"","title":["甲"],"deadline":"明天"}
{"id":"3","budget_yuan":1e400}
{"id":"4","title":"好","budget_yuan":1e20}
5
"#;
    check_errors(
        "x.jsonl",
        lines,
        &[
            (1, "budget_yuan", "true", "true 或 false"),
            (1, "keywords", r#"{"a":1}"#, "不能是对象"),
            (2, "title", r#"["甲"]"#, "列表"),
            (2, "deadline", "明天", "不是日期"),
            (2, "id", "", "必填"),
            (3, "（整行）", r#"{"id":"3","budget_yuan":1e400}"#, "不是合法的 JSON"),
            (4, "budget_yuan", "1e+20", "过大"),
            (5, "（整行）", "5", "不是 JSON 对象"),
        ],
    );
    check_errors("demands.jsonl", r#"{"id":"1"}"#, &[(1, "需求名称", "", "必填")]);
}
