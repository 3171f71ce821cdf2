//! Tests of parsing.

use super::super::{Bound, Indicator, Measure, Standing, parse};

fn only(text: &str) -> Indicator {
    let found = parse(text);
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    found.into_iter().next().unwrap()
}

/// `[a,b]`, `(a,b)`, `(,b]` in the base unit.
fn shown(indicator: &Indicator) -> String {
    let number = |number: f64| format!("{}", format!("{number:.6e}").parse::<f64>().unwrap());
    let min = match indicator.interval.min {
        Bound::Unbounded => "(".to_string(),
        Bound::Open(min) => format!("({}", number(min)),
        Bound::Closed(min) => format!("[{}", number(min)),
    };
    let max = match indicator.interval.max {
        Bound::Unbounded => ")".to_string(),
        Bound::Open(max) => format!("{})", number(max)),
        Bound::Closed(max) => format!("{}]", number(max)),
    };
    let measure = match indicator.measure {
        Measure::Level => "",
        Measure::Increase => "+",
        Measure::Decrease => "-",
    };
    format!("{measure}{min},{max}")
}

/// Text, subject, quantity, interval, base unit.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn check(cases: &[Case]) {
    for (text, subject, quantity, interval, base_unit) in cases {
        let found = only(text);
        let shown = shown(&found);
        let got = (found.subject.as_str(), found.quantity.id, shown.as_str(), &*found.base_unit);
        assert_eq!(got, (*subject, *quantity, *interval, *base_unit), "{text}");
        assert_eq!(text.get(found.span.bytes.clone()).unwrap().chars().count(), found.span.chars.len(), "{text}");
    }
}

#[test]
fn comparisons_in_signs_and_words() {
    check(&[
        ("抗拉强度≥500 MPa", "抗拉强度", "pressure", "[500000000,)", "Pa"),
        ("抗拉强度＞＝５００ＭＰａ", "抗拉强度", "pressure", "[500000000,)", "Pa"),
        ("抗拉强度不低于500兆帕", "抗拉强度", "pressure", "[500000000,)", "Pa"),
        ("抗拉强度应不得低于五百兆帕", "抗拉强度", "pressure", "[500000000,)", "Pa"),
        ("抗拉强度大于等于0.5GPa", "抗拉强度", "pressure", "[500000000,)", "Pa"),
        ("抗拉强度达到500MPa以上", "抗拉强度", "pressure", "[500000000,)", "Pa"),
        ("抗拉强度(室温)：≧ 500 MPa", "抗拉强度", "pressure", "[500000000,)", "Pa"),
        ("抗拉強度達到500MPa", "抗拉强度", "pressure", "[500000000,500000000]", "Pa"),
        ("抗压强度超过60MPa", "抗压强度", "pressure", "(60000000,)", "Pa"),
        ("误差不超过0.1mm", "误差", "length", "(,0.0001]", "m"),
        ("定位误差小于0.1毫米", "定位误差", "length", "(,0.0001)", "m"),
        ("精度优于0.1mm", "精度", "length", "(,0.0001)", "m"),
        ("识别精度优于95%", "识别精度", "ratio", "(0.95,)", "1"),
        ("误差±0.1mm", "误差", "length", "[-0.0001,0.0001]", "m"),
        ("总误差≤±0.15%FS", "总误差", "full_scale", "[-0.0015,0.0015]", "FS"),
        ("整机重量约20kg", "整机重量", "mass", "[19,21]", "kg"),
        ("整机重量20千克左右", "整机重量", "mass", "[19,21]", "kg"),
        ("节拍不足3s", "节拍", "time", "(,3)", "s"),
        ("续航时间至少4h", "续航时间", "time", "[14400,)", "s"),
        ("6≤pH≤9", "pH", "ph", "[6,9]", "pH"),
        ("0.1mm<壁厚≤0.5mm", "壁厚", "length", "(0.0001,0.0005]", "m"),
    ]);
}

#[test]
fn ranges_and_tolerances() {
    check(&[
        ("厚度10~20μm", "厚度", "length", "[0.00001,0.00002]", "m"),
        ("厚度10-20 um", "厚度", "length", "[0.00001,0.00002]", "m"),
        ("厚度10µm～20µm", "厚度", "length", "[0.00001,0.00002]", "m"),
        ("长度800mm至1.2m", "长度", "length", "[0.8,1.2]", "m"),
        ("工作温度-40℃~85℃", "工作温度", "temperature", "[233.15,358.15]", "K"),
        ("工作温度：-40～+85℃", "工作温度", "temperature", "[233.15,358.15]", "K"),
        ("工作温度-40到-20摄氏度", "工作温度", "temperature", "[233.15,253.15]", "K"),
        ("固化温度25±2℃", "固化温度", "temperature", "[296.15,300.15]", "K"),
        ("额定电压220V±10%", "额定电压", "voltage", "[198,242]", "V"),
        ("控温精度±0.5℃", "控温精度", "temperature_difference", "[-0.5,0.5]", "ΔK"),
        ("产量1~2万吨", "产量", "mass", "[10000000,20000000]", "kg"),
        ("泄漏率1~5×10⁻³Pa", "泄漏率", "pressure", "[0.001,0.005]", "Pa"),
        ("相对湿度45%RH~75%RH", "相对湿度", "relative_humidity", "[0.45,0.75]", "RH"),
    ]);
}

#[test]
fn quantities_and_their_spellings() {
    check(&[
        ("硬度HRC58-62", "硬度HRC", "hardness_rockwell_c", "[58,62]", "HRC"),
        ("表面硬度≥60HRC", "表面硬度", "hardness_rockwell_c", "[60,)", "HRC"),
        ("硬度达到HV 800以上", "HV", "hardness_vickers", "[800,)", "HV"),
        ("出水pH值6~9", "出水pH值", "ph", "[6,9]", "pH"),
        ("表面粗糙度Ra≤0.8", "表面粗糙度Ra", "length", "(,0.0000008]", "m"),
        ("导热系数≤0.2W/(m·K)", "导热系数", "thermal_conductivity", "(,0.2]", "W/(m·K)"),
        ("密度7.8g/cm³", "密度", "density", "[7800,7800]", "kg/m3"),
        ("COD低于50mg/L", "COD", "density", "(,0.05)", "kg/m3"),
        ("重金属含量≤5ppm", "重金属含量", "trace", "(,5]", "ppm"),
        ("吨产品电耗≤350kW·h/t", "吨产品电耗", "energy_per_mass", "(,1260000]", "J/kg"),
        ("能量密度≥300Wh/kg", "能量密度", "specific_energy", "[300,)", "Wh/kg"),
        ("比容量不低于180mAh/g", "比容量", "specific_capacity", "[180,)", "mAh/g"),
        ("转速3000r/min", "转速", "rotation", "[50,50]", "r/s"),
        ("车速不低于60km/h", "车速", "speed", "[16.66667,)", "m/s"),
        ("流量20m³/h", "流量", "volume_flow", "[0.005555556,0.005555556]", "m3/s"),
        ("推力不小于5kN", "推力", "force", "[5000,)", "N"),
        ("扭矩≥20N·m", "扭矩", "torque", "[20,)", "N·m"),
        ("静态功耗≤5mW", "静态功耗", "power", "(,0.005]", "W"),
        ("装机功率5MW", "装机功率", "power", "[5000000,5000000]", "W"),
        ("击穿电压≥10KV", "击穿电压", "voltage", "[10000,)", "V"),
        ("漏电流<5μA", "漏电流", "current", "(,0.000005)", "A"),
        ("绝缘电阻≥100MΩ", "绝缘电阻", "resistance", "[100000000,)", "Ω"),
        ("工作频率2.4GHz", "工作频率", "frequency", "[2400000000,2400000000]", "Hz"),
        ("噪声≤65dB(A)", "噪声", "level", "(,65]", "dB"),
        ("传输速率≥100Mbps", "传输速率", "data_rate", "[100000000,)", "bit/s"),
        ("菌液活菌数达到20~30亿CFU/mL", "菌液活菌数", "composite", "[2000000000000000,3000000000000000]", "CFU/m3"),
        ("耐寒—20度", "耐寒", "temperature", "[253.15,253.15]", "K"),
        ("存储容量不少于2TB", "存储容量", "data_size", "[16000000000000,)", "bit"),
        ("亮度≥500cd/m²", "亮度", "luminance", "[500,)", "cd/m2"),
        ("占地面积不超过5亩", "占地面积", "area", "(,3333.333]", "m2"),
        ("容积50L", "容积", "volume", "[0.05,0.05]", "m3"),
        ("坡度15°", "坡度", "angle", "[15,15]", "°"),
        ("成本不超过50万元", "成本", "money", "(,500000]", "元"),
        ("年销售收入1.2亿元", "年销售收入", "money", "[120000000,120000000]", "元"),
        ("药剂成本≤30元/吨", "药剂成本", "composite", "(,0.03]", "元/kg"),
        ("节拍1.5s/片以内", "节拍", "composite", "(,1.5]", "s/片"),
        ("检测速度120次/分钟", "检测速度", "composite", "[2,2]", "次/s"),
        ("热膨胀系数7.8×10⁻⁶/K", "热膨胀系数", "expansion", "[0.0000078,0.0000078]", "1/K"),
        ("真空度1×10^-3Pa", "真空度", "pressure", "[0.001,0.001]", "Pa"),
        ("循环寿命10^5次", "循环寿命", "count", "[100000,100000]", "次"),
        ("使用寿命2000小时", "使用寿命", "time", "[7200000,7200000]", "s"),
        ("交货周期3个月", "交货周期", "time", "[7884000,7884000]", "s"),
        ("耐热120度", "耐热", "temperature", "[393.15,393.15]", "K"),
        ("扫描角度120度", "扫描角度", "angle", "[120,120]", "°"),
        ("摩擦系数≥0.35", "摩擦系数", "number", "[0.35,)", "无"),
        ("召回率≥0.95", "召回率", "ratio", "[0.95,)", "1"),
        ("纯度99.9%", "纯度", "ratio", "[0.999,0.999]", "1"),
        ("合格率百分之九十五以上", "合格率", "ratio", "[0.95,)", "1"),
        ("发明专利不少于3项", "发明专利", "count", "[3,)", "项"),
        ("寿命（小时）≥2000", "寿命", "time", "[7200000,)", "s"),
        ("处理能力12,000 t/d", "处理能力", "mass_flow", "[138.8889,138.8889]", "kg/s"),
        ("设备占地2000余平方米", "设备占地", "area", "[2000,)", "m2"),
        ("熔点1668°F", "熔点", "temperature", "[1182.039,1182.039]", "K"),
        ("粘度800mPa·s", "粘度", "viscosity", "[0.8,0.8]", "Pa·s"),
        ("≥500MPa的抗拉强度", "抗拉强度", "pressure", "[500000000,)", "Pa"),
        ("每年有95%以上的准确率", "准确率", "ratio", "[0.95,)", "1"),
    ]);
}

#[test]
fn changes_are_another_thing_than_levels() {
    check(&[
        ("效率提高30%", "效率", "ratio", "+[0.3,0.3]", "1"),
        ("效率提高30%以上", "效率", "ratio", "+[0.3,)", "1"),
        ("效率提高到30%", "效率", "ratio", "[0.3,0.3]", "1"),
        ("能耗降低至少10%", "能耗", "ratio", "-[0.1,)", "1"),
        ("降低综合能耗20%以上", "综合能耗", "ratio", "-[0.2,)", "1"),
        ("结温降50℃以上", "结温", "temperature_difference", "-[50,)", "ΔK"),
        ("寿命提高2倍", "寿命", "ratio", "+[2,2]", "1"),
        ("工时缩短一半", "工时", "ratio", "-[0.5,0.5]", "1"),
        ("成本下降三分之一", "成本", "ratio", "-[0.3333333,0.3333333]", "1"),
        ("良率提升4.7个百分点", "良率", "points", "+[4.7,4.7]", "百分点"),
        ("厚度减小到5μm以下", "厚度", "length", "(,0.000005]", "m"),
        ("提高识别准确率达到98%", "识别准确率", "ratio", "[0.98,0.98]", "1"),
        ("节电36万kWh", "", "energy", "-[1296000000000,1296000000000]", "J"),
        ("写入性能高4倍", "写入性能", "ratio", "+[4,4]", "1"),
        ("质量增加率18%", "质量增加率", "ratio", "[0.18,0.18]", "1"),
        ("车内噪声降低至少3dB(A)以上", "车内噪声", "level", "-[3,)", "dB"),
        ("漏检率由2.5%降至0.3%", "漏检率", "ratio", "[0.003,0.003]", "1"),
    ]);
    let found = only("漏检率由2.5%降至0.3%");
    assert_eq!(found.former.and_then(|former| former.as_point()), Some(0.025));
    assert_eq!(found.chinese(), "0.3%");
}

#[test]
fn numbers_that_are_no_indicators() {
    for text in [
        "",
        "1、设计",
        "（2）研究",
        "第3批",
        "2025年底前完成",
        "2024~2026年",
        "2025-03-12",
        "牌号Q345B",
        "GB/T 7714-2015",
        "RS-485接口",
        "5G基站",
        "4K分辨率",
        "316L不锈钢",
        "3D打印",
        "1:8的比例",
        "35/10变电站",
        "尺寸20mm×13mm×5mm",
        "V1.0.2版",
        "一种方法",
        "三个问题",
        "5米粉",
        "6名技术人员",
        "电话010-12345678",
        "二元合金",
        "下午8:30",
        "占一半",
        "误差三四十米",
        "图1",
        "D50",
        "统一标准",
        "一次成型",
    ] {
        assert_eq!(parse(text), [], "{text}");
    }
}

#[test]
fn what_is_claimed_and_what_is_not() {
    let check = |text: &str, want: &[Standing]| {
        let found: Vec<Standing> = parse(text).iter().map(|indicator| indicator.standing).collect();
        assert_eq!(found, want, "{text}");
    };
    use Standing::{Claimed, Condition, Former, Present};
    check("目前漏检率3%，要求漏检率≤0.3%", &[Present, Claimed]);
    check("传统工艺收率80%。本工艺收率92%", &[Former, Claimed]);
    check("600℃下抗拉强度≥300MPa", &[Condition, Claimed]);
    check("导热系数≤0.3W/m·K(500℃)", &[Claimed, Condition]);
    check("较传统工艺能耗降低30%", &[Claimed]);
    check("结温超过225℃时报警", &[Condition]);
    check("寿命（现为3800h）", &[Present]);
    check("温漂：-40℃~125℃ ≤0.5%FS", &[Condition, Claimed]);
}

#[test]
fn subjects_in_lists() {
    let check = |text: &str, want: &[(&str, &str)]| {
        let found = parse(text);
        let found: Vec<(&str, String)> = found.iter().map(|found| (found.subject.as_str(), found.chinese())).collect();
        let want: Vec<(&str, String)> = want.iter().map(|(subject, shown)| (*subject, (*shown).to_string())).collect();
        assert_eq!(found, want, "{text}");
    };
    check(
        "要求：抗拉强度≥500MPa、屈服强度≥400MPa，延伸率≥15%。",
        &[("抗拉强度", "≥500 MPa"), ("屈服强度", "≥400 MPa"), ("延伸率", "≥15%")],
    );
    check("≥5的抗拉强度5MPa", &[("抗拉强度", "5 MPa")]);
    check("抗拉强度和屈服强度分别不低于500MPa和400MPa", &[("抗拉强度", "≥500 MPa"), ("屈服强度", "400 MPa")]);
}

#[test]
fn places_are_those_of_the_original() {
    let text = "指标：① 抗拉强度　≥ ５００ ＭＰａ；② 误差";
    let found = only(text);
    assert_eq!(text.get(found.span.bytes.clone()), Some("抗拉强度　≥ ５００ ＭＰａ"));
    assert_eq!(found.span.chars, 5..19);
    assert_eq!(found.subject_span.and_then(|span| text.get(span.bytes)), Some("抗拉强度"));
    assert_eq!((found.value.as_str(), found.unit.trim()), ("５００", "ＭＰａ"));
}
