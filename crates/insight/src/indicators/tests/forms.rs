//! Tests of units and numbers in all the forms that people write: what is understood is compared, nothing else.

use super::super::{AnswerReason, compare, parse};

fn check(demand: &str, achievement: &str, want: AnswerReason) {
    let (demanded, stated) = (parse(demand), parse(achievement));
    let answers = compare(&demanded, &stated);
    let got = answers.first().map(|answer| answer.reason);
    assert_eq!(got, Some(want), "{demand} / {achievement}\n{demanded:#?}\n{stated:#?}");
}

use AnswerReason::*;

#[test]
fn units_of_one_quantity_are_converted() {
    let same = |demand: &str, achievement: &str| check(demand, achievement, Within);
    let worse = |demand: &str, achievement: &str| check(demand, achievement, Disjoint);
    same("吸收剂量不低于10 kGy", "吸收剂量为1.5 Mrad");
    worse("吸收剂量不低于10 kGy", "吸收剂量为150 krad");
    same("辐照剂量≥25千戈瑞", "辐照剂量30kGy");
    worse("吸收剂量≤100 mGy", "吸收剂量20 rad");
    same("耐压强度≥1MPa", "耐压强度12bar");
    worse("耐压强度≥1MPa", "耐压强度120psi");
    same("漏率≤1×10^-7 Pa·m3/s", "漏率8×10⁻⁷ mbar·L/s");
    worse("漏率≤1×10^-7 Pa·m3/s", "漏率2E-6 mbar·L/s");
    worse("漏率≤1×10^-9 Pa·m3/s", "漏率9×10^-10kPa·m³/s");
    same("漏率≤1×10^-9Pa·m3·s⁻¹", "漏率5×10^-10 Pa·m³/s");
    same("内毒素≤0.25EU/mL", "细菌内毒素低于0.1 EU/mL");
    same("耐热≥300℃", "耐热600K");
    worse("耐热≥300℃", "耐热500K");
    same("耐热≥100℃", "耐热230℉");
    same("转速≥3000转/分", "转速60r/s");
    same("处理能力≥24吨/天", "处理能力1.5t/h");
    same("流量不低于1m³/h", "流量20L/min");
    worse("流量不低于1m³/h", "流量500 mL/min");
    same("活菌数≥1×10^6CFU/mL", "活菌数20亿CFU/L");
    same("菌落总数≤100CFU/100mL", "菌落总数0.5CFU/mL");
    worse("菌落总数≤10CFU/100mL", "菌落总数5CFU/10mL");
    same("黏度≤100mPa·s", "黏度0.05Pa·s");
    same("能量密度≥300Wh/kg", "能量密度0.32kWh/kg");
    same("比容量≥180mAh/g", "比容量0.2Ah/g");
    same("脉宽≤1ps", "脉宽300飞秒");
    same("介电损耗≤0.2dB/m", "介电损耗100dB/km");
    same("功耗≤5毫瓦", "功耗300微瓦");
    same("输出功率≥2千瓦", "输出功率0.003兆瓦");
    same("容量保持率≥90%", "容量保持率920‰");
    same("含水率≤500ppm", "含水率0.3g/kg");
    same("亩产≥500公斤/亩", "亩产9吨/公顷");
    same("产量（万吨）≥5", "产量6万吨");
    same("寿命（h）≥2000", "寿命100天");
    same("扭矩≥20 N m", "扭矩25N·m");
    same("导热系数≥200 W m-1 K-1", "导热系数220W/(m·K)");
    same("浓度≥5毫克每升", "浓度8mg/L");
    same("真空度≤5mPa", "真空度0.002Pa");
}

#[test]
fn units_that_are_not_known_decide_nothing() {
    let unknown = |demand: &str, achievement: &str| check(demand, achievement, UnitNotKnown);
    unknown("吸收剂量不低于25 kGy", "吸收剂量不低于100 kfoo");
    unknown("吸收剂量不低于25 kfoo", "吸收剂量不低于100 kGy");
    unknown("抗拉强度≥500MPa", "抗拉强度520MPax");
    unknown("抗拉强度≥500MPa", "抗拉强度520 MPa·foo");
    unknown("抗拉强度≥500MPa", "抗拉强度520MPa/foo");
    unknown("工作压力≥5bar", "工作压力6 bar abs");
    unknown("工作压力≥5bar", "工作压力6bar(g)");
    unknown("抗拉强度≥500MPa", "抗拉强度达到520某某");
    unknown("浓度≤5mg/L", "浓度≤3mg/foo");
    unknown("浓度≤5mg/L", "浓度≤3mg/10foo");
    unknown("吸收剂量（kfoo）≥25", "吸收剂量30kGy");
    unknown("摩擦系数≥0.3", "摩擦系数0.5foo");
    unknown("电耗≤5kWh/m²·a", "电耗4kWh/(m²·a)");
    unknown("长度≥5mm", "长度4mm~9foo");
    unknown("导热系数≥1.5W/(m·K)", "导热系数1.8 W·(m·K)-1");
    check("吸收剂量不低于5 foo", "吸收剂量6 foo", Within);
    check("吸收剂量不低于5 foo", "吸收剂量4foo", Disjoint);
    check("吸收剂量不低于5 foo", "吸收剂量6 fooo", UnitNotKnown);
    check("吸收剂量不低于5 foo", "吸收剂量6 Foo", UnitNotKnown);
}

#[test]
fn units_of_two_quantities_decide_nothing() {
    let differ = |demand: &str, achievement: &str| check(demand, achievement, UnitsDiffer);
    differ("内毒素不高于0.25 EU/mL", "内毒素不高于0.2 EU/mg");
    differ("硬度≥58HRC", "硬度≥600HV");
    differ("氧含量≤5vol%", "氧含量≤3wt%");
    differ("流量≥5Nm3/h", "流量≥6m3/h");
    differ("扭矩≥5N·m", "扭矩≥6N");
    differ("含量≤5mg/100g", "含量≤3mg");
    differ("摩擦系数≥0.3", "摩擦系数0.5%");
    differ("价格≤100万元", "价格90万美元");
}

#[test]
fn signs_and_numerals() {
    let same = |demand: &str, achievement: &str| check(demand, achievement, Within);
    let worse = |demand: &str, achievement: &str| check(demand, achievement, Disjoint);
    same("耐低温零下30℃", "耐低温零下四十摄氏度");
    same("耐低温零下30度", "耐低温-40℃");
    worse("耐低温零下30℃", "耐低温零下二十度");
    worse("耐低温零下30℃", "耐低温负20℃");
    same("耐低温(-30)℃", "耐低温-40 ºC");
    check("工作温度(-40~85)℃", "工作温度（-55～+125）℃", Covers);
    check("工作温度零下40℃至85℃", "工作温度-55~125℃", Unclear);
    check("工作温度零下40℃至零上85℃", "工作温度-55~125℃", Covers);
    check("工作温度-40℃~85", "工作温度-55~125℃", Covers);
    same("疲劳寿命不低于200万次", "疲劳寿命三百万次");
    same("疲劳寿命不低于二百万次", "疲劳寿命2.5×10⁶次");
    worse("疲劳寿命不低于200万次", "疲劳寿命一百五十万次");
    same("疲劳寿命不低于200万次", "疲劳寿命三百余万次");
    same("年产量≥2万5千吨", "年产量3万吨");
    check("产品纯度≥99.5%", "产品纯度为4N", Within);
    check("产品纯度≥99.99%", "产品纯度3N5", Disjoint);
    check("产品纯度不低于5N", "产品纯度99.9995%", Within);
    check("拉力≥5N", "拉力4N", Disjoint);
    same("厚度5~10μm", "厚度6µm-8µm");
    same("压力0.1-0.3MPa", "压力（0.15～0.25）MPa");
    same("测量误差不超过0.5%", "测量误差±0.3%");
    same("测量误差不超过0.5%", "测量误差正负0.3%");
    same("直径20±0.1mm", "直径20mm±50μm");
    same("处理能力≥１２，０００吨/年".replace('，', ",").as_str(), "处理能力12 500吨/年");
    check("漏率不大于1×10^-9 Pa·m3/s", "漏率10-12 Pa·m3/s", Unclear);
    check("漏率不大于10-8 Pa·m3/s", "漏率5×10^-9 Pa·m3/s", Unclear);
    check("厚度10-12mm", "厚度11mm", Within);
    check("效率提高2倍", "效率提高250%", Within);
}

#[test]
fn ranges_that_are_to_be_covered_and_ranges_to_lie_within() {
    check("工作温度-40~85℃", "工作温度-20～60℃", NotCovered);
    check("工作湿度10%RH~90%RH", "工作湿度20~80%RH", NotCovered);
    check("测量范围0~10MPa", "测量范围0~16MPa", Covers);
    check("测量范围0~10MPa", "测量范围0~6MPa", NotCovered);
    check("输入电压85~265V", "输入电压100~240V", NotCovered);
    check("粒径10~20μm", "粒径5~15μm", Weaker);
    check("粒径10~20μm", "粒径12~15μm", Within);
    check("扬程不低于15 m", "扬程10-20 m", Weaker);
}

#[test]
fn subjects_keep_their_first_character() {
    for (text, subject) in [
        ("注射用水内毒素不高于0.25 EU/mL", "注射用水内毒素"),
        ("钢内应力≤50MPa", "钢内应力"),
        ("产物中性洗涤纤维≤30%", "产物中性洗涤纤维"),
        ("上清液浊度≤5NTU", "上清液浊度"),
        ("对虾成活率≥80%", "对虾成活率"),
        ("时效强度≥300MPa", "时效强度"),
    ] {
        let found = parse(text);
        assert_eq!(found.first().map(|found| found.subject.as_str()), Some(subject), "{text}");
    }
}

#[test]
fn the_whole_quote_is_told() {
    let text = "产品吸收剂量不低于100 kfoo/m²，合格";
    let found = parse(text);
    let quote = found.first().and_then(|found| text.get(found.span.bytes.clone()));
    assert_eq!(quote, Some("产品吸收剂量不低于100 kfoo/m²"));
}
