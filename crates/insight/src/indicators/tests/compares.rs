//! Tests of answers to demands.

use super::super::{AnswerOutcome, AnswerReason, compare, parse};

fn first(demand: &str, achievement: &str) -> (AnswerOutcome, AnswerReason) {
    let (demanded, achieved) = (parse(demand), parse(achievement));
    let answers = compare(&demanded, &achieved);
    let answer = answers.first().unwrap_or_else(|| panic!("{demand}: {demanded:?}"));
    (answer.outcome, answer.reason)
}

#[test]
fn answers_follow_the_table() {
    let check = |demand: &str, achievement: &str, want: AnswerReason| {
        assert_eq!(first(demand, achievement), (want.outcome(), want), "{demand} / {achievement}");
    };
    use AnswerReason::*;
    check("抗拉强度≥500MPa", "抗拉强度520MPa", Within);
    check("抗拉强度≥500MPa", "拉伸强度达0.52GPa", Within);
    check("抗拉强度≥500MPa", "抗拉强度500~600MPa", Within);
    check("抗拉强度500MPa", "抗拉强度≥520MPa", Within);
    check("抗拉强度≥500MPa", "抗拉强度480MPa", Disjoint);
    check("抗拉强度≥500MPa", "抗拉强度不超过480MPa", Disjoint);
    check("抗拉强度≥500MPa", "抗拉强度≥400MPa", Weaker);
    check("抗拉强度≥500MPa", "抗拉强度450~600MPa", Weaker);
    check("抗拉强度≥500MPa", "抗拉强度约500MPa", Weaker);
    check("抗拉强度≥500MPa", "抗压强度520MPa", NoCounterpart);
    check("抗拉强度≥500MPa", "强度480MPa", PerhapsOther);
    check("抗拉强度≥500MPa", "强度520MPa", Within);
    check("抗拉强度≥500MPa", "误差0.1mm", NoCounterpart);
    check("抗拉强度≥500MPa", "抗拉强度480MPa，热处理后抗拉强度520MPa", Contradictory);
    check("抗拉强度≥500MPa", "传统材料抗拉强度仅300MPa，本材料抗拉强度550MPa", Within);
    check("误差不超过0.1mm", "误差0.05mm", Within);
    check("误差不超过0.1mm", "精度±50μm", Within);
    check("误差0.1mm", "误差0.05mm", Within);
    check("误差0.1mm", "误差0.2mm", Disjoint);
    check("误差±0.1mm", "误差±0.2mm", Weaker);
    check("误差≤0.5℃", "测温误差±0.3℃", Within);
    check("识别准确率≥95%", "识别准确率98.2%", Within);
    check("识别准确率≥95%", "漏检率2%", NoCounterpart);
    check("使用寿命不少于5年", "寿命60个月", Within);
    check("使用寿命不少于5年", "寿命20000小时", Disjoint);
    check("效率提高30%", "效率提高35%", Within);
    check("效率提高30%", "效率提高20%", Disjoint);
    check("效率提高30%", "效率30%", NoCounterpart);
    check("能耗降低20%以上", "能耗由5kWh/t降至3kWh/t", NoCounterpart);
    check("硬度58~62HRC", "淬火后60HRC", Within);
    check("硬度58~62HRC", "硬度HRC50", Disjoint);
    check("硬度58~62HRC", "硬度800HV", UnitsDiffer);
    check("能量密度≥300Wh/kg", "电芯达到320Wh/kg", Within);
    check("工作温度-40~85℃", "工作温度-55~125℃", Covers);
    check("工作温度-40~85℃", "工作温度-20~60℃", NotCovered);
    check("工作温度-40~85℃", "工作温度25℃", Weaker);
    check("工作温度-40~85℃", "工作温度90~120℃", NotCovered);
    check("量程≥100kPa", "量程0~200kPa", Covers);
    check("直径20mm", "直径25mm", NoDirection);
    check("直径20mm", "直径2cm", Within);
    check("pH值6~9", "pH 7.2", Within);
    check("≥500MPa", "抗拉强度520MPa", NoSubject);
    check("效率≥90%", "产率95%", NoCounterpart);
    check("纯度≥99%", "99.5%", NoStatedSubject);
    check("纯度≥99%", "主要技术指标：99.5%", NoStatedSubject);
    check("纯度≥99%", "产率95%。主要技术指标：99.5%、3mm", NoStatedSubject);
    check("纯度≥99%", "主要技术指标：99.5%。纯度98%", Disjoint);
    check("纯度≥99%", "主要技术指标：3mm", NoCounterpart);
    check("≥99%", "99.5%", NoSubject);
    check("最高温度≤80℃", "最低温度20℃", NoCounterpart);
    check("出水COD≤50mg/L", "进水COD 300mg/L", NoCounterpart);
    check("出水COD≤50mg/L", "出水COD 30mg/L", Within);
    check("固化温度120℃以下", "烧结温度1500℃", NoCounterpart);
    check("固化温度120℃以下", "固化温度80~100℃", Within);
    check("药剂成本≤30元/吨", "药剂成本25元/t", Within);
    check("摩擦系数≥0.3", "摩擦系数0.35", Within);
    check("良率提升5个百分点", "良率提升4.7个百分点", Disjoint);
}

#[test]
fn only_what_is_claimed_is_answered() {
    let demand = parse("目前漏检率3%，要求漏检率≤0.3%，600℃下抗拉强度≥300MPa");
    let achievement = parse("漏检率由2.5%降至0.21%，在25℃下抗拉强度350MPa");
    let answers = compare(&demand, &achievement);
    let lines: Vec<String> = answers.iter().map(|answer| answer.chinese(&demand, &achievement)).collect();
    assert_eq!(lines, ["漏检率：要求 ≤0.3%，成果为 0.21%，满足", "抗拉强度：要求 ≥300 MPa，成果为 350 MPa，满足"]);
    let none = compare(&demand, &[]);
    assert_eq!(none.first().map(|answer| (answer.outcome, answer.achievement)), Some((AnswerOutcome::NotStated, None)));
    assert_eq!(
        none.first().map(|answer| answer.chinese(&demand, &[])).as_deref(),
        Some("漏检率：要求 ≤0.3%，成果未说明，无法判断")
    );
    assert_eq!(compare(&[], &achievement), []);
}
