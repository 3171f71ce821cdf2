//! Tests of spellings that were once read as another unit: a wrong answer is worse than none.

use super::super::{AnswerReason, compare, parse};

fn check(demand: &str, achievement: &str, want: AnswerReason) {
    let (demanded, stated) = (parse(demand), parse(achievement));
    let answers = compare(&demanded, &stated);
    let got = answers.first().map(|answer| answer.reason);
    assert_eq!(got, Some(want), "{demand} / {achievement}\n{demanded:#?}\n{stated:#?}");
}

/// Quantity and base unit of the first number.
fn unit(text: &str) -> (&'static str, String) {
    let found = parse(text);
    let first = found.first().unwrap_or_else(|| panic!("{text}"));
    (first.quantity.id, first.base_unit.to_string())
}

use AnswerReason::*;

#[test]
fn hints_are_words_not_characters() {
    check("投加量≤5g", "投加量4000mg", Within);
    check("添加量≤5g", "添加量6000mg", Disjoint);
    check("过滤量≥5g", "过滤量6000mg", Within);
    check("加速度≥5g", "加速度6g", Within);
    check("过载≥5g", "过载4g", Disjoint);
    check("抗冲击≥500G", "抗冲击600g", Within);
    check("耐热≥100度", "耐热110℃", Within);
    check("耐低温零下30度", "耐低温-40℃", Within);
    check("浓度≤5M", "浓度3mol/L", Within);
    assert_eq!(unit("电机步距角≤1.8度"), ("angle", "°".to_string()));
    assert_eq!(unit("热像仪视场角≥60度"), ("angle", "°".to_string()));
    assert_eq!(unit("月耗电≤500度"), ("energy", "J".to_string()));
    assert_eq!(unit("深度达到600M").0, "unlisted");
    assert_eq!(unit("转化速率≥5min-1").0, "rate");
    assert_eq!(unit("转速≥500min-1").0, "rotation");
}
