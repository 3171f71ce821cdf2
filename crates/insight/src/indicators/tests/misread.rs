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

#[test]
fn capitals_are_not_mega_where_no_one_means_it() {
    check("电池容量≥5000mAh", "电池容量4000MAH", Disjoint);
    check("电池容量≥5000mAh", "电池容量6000MAh", Unclear);
    for (demand, achievement) in [
        ("工作电流≤20mA", "工作电流20MA"),
        ("工作电流≤20MA", "工作电流10mA"),
        ("年剂量≤5mSv", "年剂量4MSv"),
        ("年剂量≤5mSv", "年剂量4MSV"),
        ("吸收剂量≥5mGy", "吸收剂量4MGy"),
        ("吸收剂量≥5mGy", "吸收剂量4MGY"),
        ("工作压力≤5mbar", "工作压力4Mbar"),
        ("工作压力≤5mbar", "工作压力4MBAR"),
        ("输出电压≤20mV", "输出电压15MV"),
        ("磁感应强度≥5mT", "磁感应强度4MT"),
        ("放射性活度≥5mCi", "放射性活度4MCI"),
        ("电流密度≤20mA/cm2", "电流密度15MA/cm2"),
        ("黏度≤500mPa·s", "黏度400MPa·s"),
        ("电导率≤5mS/cm", "电导率4MS/cm"),
    ] {
        check(demand, achievement, Unclear);
    }
    check("抗拉强度≥500MPa", "抗拉强度0.52GPA", Within);
    check("抗拉强度≥500MPa", "抗拉强度480MPA", Disjoint);
    check("工作频率≥5MHz", "工作频率6MHZ", Within);
    check("击穿场强≥20kV/mm", "击穿场强25MV/m", Within);
    check("电导率≤5mS/m", "电导率4mS/m", Within);
    check("无功功率≥5Mvar", "无功功率6MVAR", Within);
}

#[test]
fn small_letters_do_not_hide_mega() {
    check("装机功率≥5MW", "装机功率6mw", Unclear);
    check("储能容量≥5MWh", "储能容量6mwh", Unclear);
    check("冲击能量≥5MJ", "冲击能量6mj", Unclear);
    check("功率密度≥5MW/cm2", "功率密度6mw/cm2", Unclear);
    check("真空度≤5mPa", "真空度4mpa", Unclear);
    check("抗拉强度≥500MPa", "抗拉强度520mpa", Within);
    check("工作电流≤20mA", "工作电流15ma", Within);
    check("电池容量≥5000mAh", "电池容量4000mah", Disjoint);
    check("黏度≤500mPa·s", "黏度400mpa·s", Within);
}

#[test]
fn bits_are_not_bytes() {
    check("读取速率≥500MBps", "读取速率600MB/s", Within);
    check("读取速率≥500MB/s", "读取速率1000Mbps", Disjoint);
    check("读取速率≥5GBps", "读取速率10Gbps", Disjoint);
    check("读取速率≥500KBps", "读取速率600kbps", Disjoint);
    check("读取速率≥5TBps", "读取速率6Tbps", Disjoint);
    check("传输速率≥100Mbps", "传输速率150mbps", Within);
    for stated in ["600mb/s", "600gb/s", "600MBPS", "6GBPS", "600Mb/S"] {
        check("读取速率≥500MB/s", &format!("读取速率{stated}"), Unclear);
        check(&format!("读取速率≥{stated}"), "读取速率500MB/s", Unclear);
    }
    check("存储容量≥8GB", "存储容量16Gb", Unclear);
    check("存储容量≥8GB", "存储容量16gb", Unclear);
    check("存储容量≥8GB", "存储容量16GB", Within);
    check("读取速率≥500MB/s", "读取速率600MB/S", Within);
    check("传输速率≥500kbps", "传输速率60kb/s", Unclear);
}

#[test]
fn twins_in_the_wrong_case() {
    check("板厚≤5mm", "板厚4MM", Within);
    check("浓度≤5mmol/L", "浓度4MM", Within);
    check("进给速度≥5mm/min", "进给速度6MM/MIN", Within);
    check("膜厚≤5μm", "膜厚4UM", Within);
    check("响应时间≤5ms", "响应时间4MS", Within);
    check("响应时间≤5us", "响应时间6US", Disjoint);
    check("漂移≤5ms", "漂移4MS", Unclear);
    check("工作压力≤5Pa", "工作压力4pa", Within);
    check("漏电流≤5pA", "漏电流4pa", Unclear);
    check("扭矩≥5N·m", "扭矩6NM", Within);
    check("波长≤500nm", "波长400NM", Within);
    check("振幅≤500nm", "振幅400NM", Unclear);
    check("推力≥5kN", "推力6kn", Within);
    check("推力≥5kN", "推力6KN", Within);
    check("航速≥5节", "航速6kn", Within);
    check("读数≥5kN", "读数6kn", Unclear);
    check("脉宽≤5ps", "脉宽4PS", UnitsDiffer);
    check("采样间隔≤5ms/s", "采样间隔4MS/s", UnitsDiffer);
    check("抗拉强度≥500MPa", "抗拉强度520N/MM2", Within);
    check("种植面积≥5公顷", "种植面积100Ha", Within);
}

#[test]
fn ordinals_are_no_units() {
    for text in ["采用1st代技术", "采用3rd代技术", "64排CT", "不超过3rd代"] {
        let found = parse(text);
        assert!(found.iter().all(|found| found.is_unlisted()), "{text}: {found:?}");
    }
    assert_eq!(unit("运动黏度≤5St").0, "kinematic_viscosity");
}

#[test]
fn normal_cubic_metres_and_working_days() {
    for spelling in ["Nm3/h", "nm3/h", "NM3/H", "Nm³/h", "标方/小时"] {
        assert_eq!(unit(&format!("流量≥5{spelling}")), ("normal_flow", "标m3/s".to_string()), "{spelling}");
    }
    check("流量≥5Nm3/h", "流量6nm3/h", Within);
    check("流量≥5Nm3/h", "流量6Sm3/h", UnitsDiffer);
    check("储气量≥5Nm3", "储气量6Sm3", UnitsDiffer);
    check("储气量≥5Sm3", "储气量6SM3", Within);
    check("交货期≤30天", "交货期20个工作日", UnitsDiffer);
    check("交货期≤30个工作日", "交货期20工作日", Within);
    check("交货期≤30天", "交货期20日历天", Within);
}

/// Every spelling of the table in capitals and in small letters: of the same quantity it is the same unit, or unclear.
#[test]
fn no_spelling_in_the_wrong_case_is_another_unit() {
    let lines = include_str!("../../../data/quantities.txt").lines();
    let lines = lines.filter(|line| !line.starts_with(['#', '@']) && !line.is_empty());
    let is_plain = |word: &&str| !word.starts_with(['^', '÷', '!', '=']) && !word.contains('?');
    let words = lines.flat_map(|line| line.split(' ').enumerate().filter(|(index, _)| *index != 1));
    let words: Vec<&str> = words.map(|(_, word)| word.trim_start_matches('~')).filter(is_plain).collect();
    assert!(500 < words.len(), "{}", words.len());
    let read = |word: &str| parse(&format!("测值≥5{word}")).pop().filter(|found| !found.is_unclear);
    for word in words.iter().filter(|word| 1 < word.len()) {
        let Some(own) = read(word) else { continue };
        for other in [word.to_uppercase(), word.to_lowercase()] {
            // what the table lists so is what it says: MW and mW; MPA and MΩ·CM are mega by custom
            let is_listed = words.contains(&other.as_str()) || ["mvar", "MPA", "MΩ·CM"].contains(&other.as_str());
            let Some(read) = read(&other).filter(|_| !is_listed) else { continue };
            let is_same = read.interval.is_same(&own.interval);
            assert!(is_same || !read.is_alike(&own), "{word} {other}: {own:?} {read:?}");
        }
    }
}

#[test]
fn gauge_and_absolute_pressures_are_two_things() {
    for (demand, achievement) in [
        ("工作压力≥0.5MPa（绝压）", "工作压力0.55MPa（表压）"),
        ("工作压力≥0.5MPa（绝对压力）", "工作压力0.55MPa"),
        ("工作压力≥0.5MPa", "工作压力0.55MPa（表压）"),
        ("工作压力≥0.5MPa（绝）", "工作压力6bar(表)"),
        ("工作压力（绝压）≥0.5MPa", "工作压力（表压）0.55MPa"),
        ("工作压力≥0.5MPa绝压", "工作压力0.4MPa 表压"),
        ("工作压力≤5kgf/cm2（表压）", "工作压力0.4MPa（绝压）以下"),
        ("工作压力（绝对压力）0.2~0.5MPa", "工作压力0.3~0.4MPa"),
    ] {
        check(demand, achievement, UnitsDiffer);
    }
    check("工作压力≥0.5MPa（绝压）", "工作压力6bar（绝对压力）", Within);
    check("工作压力≥0.5MPa（表压）", "工作压力（表压）400kPa", Disjoint);
    check("工作压力（表压）200kPa~0.5MPa", "工作压力0.3~0.4MPa（表压）", Within);
    check("工作压力≥0.5MPa（表压、绝压）", "工作压力0.6MPa（表压）", Unclear);
    check("工作压力≥0.5MPa（常温）", "工作压力0.6MPa", Within);
}

#[test]
fn ends_of_ranges_are_read_by_the_subject_too() {
    check("浓度5mM~10M", "浓度8mmol/L", Within);
    check("加速度5000mg~10g", "加速度6g", UnitNotKnown);
}

#[test]
fn units_in_headings() {
    for (text, subject, quantity, base) in [
        ("吸收剂量/kGy：30", "吸收剂量", "dose", 30e3),
        ("吸收剂量/kGy≥30", "吸收剂量", "dose", 30e3),
        ("产品吸收剂量/kGy: 20~30", "产品吸收剂量", "dose", 20e3),
        ("流量/(m3/s)：5", "流量", "volume_flow", 5.0),
        ("导热系数/W·(m·K)-1：5", "导热系数", "", 0.0),
        ("工作温度/K：300", "工作温度", "temperature", 300.0),
        ("合格率/%：95", "合格率", "ratio", 0.95),
        ("电流/MA：5", "电流", "current", 5e6),
    ] {
        let found = parse(text);
        let first = found.first().filter(|found| found.quantity.id != "number");
        assert_eq!(first.map_or("", |first| first.quantity.id), quantity, "{text}: {found:?}");
        let Some(first) = first else { continue };
        let low = first.interval.min.number().unwrap();
        assert_eq!((first.subject.as_str(), (low / base - 1.0).abs() < 1e-9), (subject, true), "{text} {low}");
        assert_eq!(text.get(first.span.bytes.clone()), Some(text));
    }
    check("吸收剂量≥25kGy", "吸收剂量/kGy：30", Within);
    check("吸收剂量≥25kGy", "吸收剂量/kGy：20", Disjoint);
    check("电流≤5mA", "电流/MA：4", Unclear);
    // the number has a unit of its own, so the stroke means per
    check("产量≥25t", "产量/d：30t", NoCounterpart);
    check("速度≥25m/s", "加速度/速度：30m/s", Within);
}
