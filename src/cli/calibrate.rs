//! `duijie calibrate`: turns features of graded pairs into a calibration of the levels.

use std::fs;

use anyhow::{Context, anyhow};

use super::{Done, args::Calibrate};
use duijie_core::eval::{
    calibrate::{FEW_DEMANDS, calibrate},
    features,
};

/// Fits and writes the calibration, and prints its expected error.
pub fn run(args: Calibrate) -> anyhow::Result<Done> {
    let path = args.features.display();
    let text = fs::read_to_string(&args.features).with_context(|| format!("无法读取特征文件 {path}"))?;
    let rows = features::read(&text).map_err(|sentence| anyhow!("{path}：{sentence}"))?;
    let calibrated = calibrate(&rows, &args.name)?;
    let calibration = &calibrated.calibration;
    let json = serde_json::to_string_pretty(calibration)? + "\n";
    fs::write(&args.out, json).with_context(|| format!("无法写入 {}", args.out.display()))?;
    let (data, expected) = (&calibration.data, &calibration.expected);
    println!("需求 {} 项，判分 {} 对；以下为对未参与拟合的需求的交叉验证：", data.demands, data.pairs);
    print!("{}", calibrated.levels);
    let [low, high] = expected.score_95;
    println!("1/(1+MAE) 的 95% 区间为 {low:.3} 到 {high:.3}");
    if data.demands < FEW_DEMANDS {
        println!("注意：需求少于 {FEW_DEMANDS} 项，结果不可靠，请补充判分");
    }
    println!("已写入 {}（版本 {}），将 match.calibration 设为该文件即可使用", args.out.display(), calibration.version);
    Ok(Done::All)
}
