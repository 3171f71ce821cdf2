//! Single rules: evidence with its places, fields, levels, questions, word lists.

use super::*;
use duijie_core::domain::{Detail, Kind, Record, codes::TransferMode, hit::Span, record::Demand};

fn of(text: &str) -> Diagnosis {
    DIAGNOSER.diagnose(&Given::text(text, 0))
}

#[test]
fn evidence_points_into_the_original() {
    let diagnosis = DIAGNOSER.diagnose(&Given {
        title: "无",
        body: "我厂ＧＣｒ15轴承总开裂；预算 60～80 万元",
        ..Given::default()
    });
    let problem = &diagnosis.finding(Aspect::Problem).unwrap().evidence[0];
    let span = Span { field: TextField::Body, start: 10, end: 12 };
    assert_eq!(*problem, StatementSource::Text { span, bytes: 26..32, text: "开裂".into() });
    assert_eq!(evidence(&diagnosis, Aspect::Object), ["轴承"]);
    assert_eq!(evidence(&diagnosis, Aspect::Budget), ["预算 60～80 万元"]);
}

#[test]
fn evidence_of_terms() {
    let check = |body: &str, aspect, want: &[&str]| assert_eq!(evidence(&of(body), aspect), want, "{body}");
    check("项目周期：自签约起12个月", Aspect::Deadline, &["项目周期：自签约起12个月"]);
    check("2027年6月底前完成，寿命5年", Aspect::Deadline, &["2027年6月底前"]);
    check("要求3—6个月内交付", Aspect::Deadline, &["3—6个月内"]);
    check("争取一年半之内投产", Aspect::Deadline, &["一年半之内"]);
    check("截止2027-06-30止", Aspect::Deadline, &["截止2027-06-30止"]);
    check("100万元以内的经费", Aspect::Budget, &["100万元以内的经费"]);
    check("预算（含两个工位的硬件）约105万元。", Aspect::Budget, &["预算（含两个工位的硬件）约105万元"]);
    check("预算。另有年产值3亿元", Aspect::Budget, &["预算"]);
    check("合作开发或普通许可", Aspect::Cooperation, &["合作开发", "普通许可"]);
    check("直驱风电主轴", Aspect::Object, &["风电", "主轴"]);
    check("热风干燥设备", Aspect::Object, &["干燥设备"]);
    check("磁选设备、先进设备", Aspect::Object, &["磁选设备"]);
}

#[test]
fn at_most_so_much_evidence() {
    assert_eq!(evidence(&of(&"开裂，".repeat(50)), Aspect::Problem).len(), Finding::MAX_EVIDENCE);
}

#[test]
fn fields_of_a_record_count() {
    let mut record = Record::new("local", "d1", "无", Detail::empty(Kind::Demand));
    let states = |record: &Record| letters(&DIAGNOSER.diagnose(&Given::record(record, 0).unwrap()));
    assert_eq!(states(&record), "------");
    let demand = |budget_yuan| Demand {
        budget_yuan: Some(budget_yuan),
        deadline: Some("2027-06-30T00:00:00Z".parse().unwrap()),
        cooperation_modes: vec![TransferMode::Equity],
    };
    record.detail = Detail::Demand(demand(1));
    assert_eq!(states(&record), "---ppp");
    let diagnosis = DIAGNOSER.diagnose(&Given::record(&record, 3).unwrap());
    assert_eq!(evidence(&diagnosis, Aspect::Budget), ["budget_yuan"]);
    assert_eq!(letters(&diagnosis), "--pppp");
    record.detail = Detail::Demand(demand(0));
    assert_eq!(states(&record), "----pp", "a budget of 0 is none");
    let achievement = Record::new("local", "a1", "无", Detail::empty(Kind::Achievement));
    assert_eq!(Given::record(&achievement, 0), None);
}

#[test]
fn levels() {
    let check = |body: &str, indicators, want| {
        let diagnosis = DIAGNOSER.diagnose(&Given::text(body, indicators));
        assert_eq!(diagnosis.level, want, "{body}");
        assert!(diagnosis.level.chinese().ends_with('。'));
    };
    check("轴承开裂，预算50万元，6个月内完成，委托开发", 1, Completeness::Complete);
    check("轴承开裂，预算50万元，6个月内完成，委托开发", 0, Completeness::Partial);
    check("轴承开裂", 0, Completeness::Partial);
    check("轴承", 1, Completeness::Partial);
    check("轴承，预算50万元，6个月内完成，委托开发", 0, Completeness::Vague);
    check("总是开裂，预算50万元，6个月内完成，委托开发", 1, Completeness::Vague);
    check("", 0, Completeness::Vague);
}

#[test]
fn questions_name_what_is_vague() {
    let diagnosis = of("先进设备大幅提高效率");
    let questions: Vec<&str> = diagnosis.findings.iter().filter_map(|finding| finding.question.as_deref()).collect();
    assert_eq!(questions.len(), 6);
    assert!(questions[1].starts_with("需求中写了“设备”，请说明具体是什么产品"), "{}", questions[1]);
    assert!(questions[2].starts_with("需求中写了“大幅”，请给出数值"), "{}", questions[2]);
    assert!(questions[3].starts_with("预计投入多少资金"), "{}", questions[3]);
    assert!(questions.iter().all(|question| question.ends_with('？')));
}

#[test]
fn terms_are_taken_from_outside() {
    let without = Diagnoser::new([]);
    let with = Diagnoser::new(["质子交换膜", "X", "膜"]);
    let state =
        |diagnoser: &Diagnoser, body| diagnoser.diagnose(&Given::text(body, 0)).finding(Aspect::Object).unwrap().state;
    assert_eq!(state(&without, "质子交换膜"), AspectState::Missing);
    assert_eq!(state(&with, "质子交换膜"), AspectState::Present);
    assert_eq!(state(&with, "膜"), AspectState::Missing, "terms of one character are left out");
}

#[test]
fn word_lists_are_in_order() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/diagnosis");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let words: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let mut unique = words.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), words.len(), "{} has a word twice", path.display());
        let folded =
            |word: &&str| word.trim() == *word && !word.is_empty() && word.chars().eq(word.chars().map(text::fold));
        assert!(words.iter().all(folded), "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 13);
}
