//! `duijie repair`: says what is damaged in the journals of an embedded store, what can be saved, and saves it.

use std::path::PathBuf;

use anyhow::bail;

use super::{Done, args::Repair};
use crate::config::Config;
use duijie_store::salvage::{Changes, JournalDamage, JournalReport, JournalState, Salvage};

/// Looks at the store; with `--apply` writes what can be saved.
pub async fn run(config: Config, args: Repair) -> anyhow::Result<Done> {
    let folder = args.folder.unwrap_or(config.store.folder);
    tokio::task::spawn_blocking(move || repair(folder, args.apply)).await?
}

fn repair(folder: PathBuf, apply: bool) -> anyhow::Result<Done> {
    let salvage = Salvage::look(&folder)?;
    for report in &salvage.reports {
        println!("{}", described(report));
    }
    if !salvage.is_damaged() {
        println!("日志没有损坏，不需要修复");
        return Ok(Done::All);
    }
    if !apply {
        bail!("以上日志有损坏，存储未作任何改动；备份存储文件夹后执行 duijie repair --apply，以能挽救的内容修复");
    }
    for rewritten in salvage.apply()? {
        let kept = rewritten.kept.map(|kept| format!("，损坏的原文件保存为 {}", kept.display())).unwrap_or_default();
        println!("{}库：已写成新的日志，含 {} 项写入{kept}", rewritten.collection.label(), rewritten.changes);
    }
    println!("已修复，可以启动服务；请核对上面列出的缺失和可疑的记录，必要时重新导入");
    Ok(Done::All)
}

/// Some lines about one journal.
fn described(report: &JournalReport) -> String {
    let file = format!("{}库的日志 {}", report.collection.label(), report.path.display());
    match report.state {
        JournalState::NotMade => format!("{}库尚未建立", report.collection.label()),
        JournalState::Missing => format!(
            "{file} 不见了：其中的写入无从挽救。若能找到原文件，请放回原处；否则 --apply 新建空的日志，\
             最近一次停止服务或检查点之后的写入会缺失"
        ),
        JournalState::Whole { torn_bytes: 0 } => format!("{file} 完好，{}", counted(&report.before)),
        JournalState::Whole { torn_bytes } => format!(
            "{file} 完好，{}；末尾有 {torn_bytes} 字节是中断而未应答的写入，启动时自动清除",
            counted(&report.before)
        ),
        JournalState::Damaged => {
            let mut lines = vec![format!("{file} 有损坏（共 {} 字节）：", report.bytes)];
            lines.extend(report.damages.iter().map(damage));
            lines.push(format!("  损坏之前：{}", listed(&report.before)));
            lines.push(format!("  损坏之后：{}", listed(&report.behind)));
            lines.join("\n")
        }
    }
}

fn damage(damage: &JournalDamage) -> String {
    let lost = match damage.lost {
        Some(0) => "没有缺失写入".to_string(),
        Some(lost) => format!("缺失 {lost} 项写入"),
        None => "缺失的写入数不详".to_string(),
    };
    let name = damage.name.as_ref().map(|name| format!("，其中可疑的是 {name}")).unwrap_or_default();
    format!("  从第 {} 字节起 {} 字节无法读取，{lost}{name}", damage.offset, damage.bytes)
}

fn counted(changes: &Changes) -> String {
    match changes.count() {
        0 => "其中没有待落盘的写入".to_string(),
        count => format!("其中有 {count} 项写入"),
    }
}

fn listed(changes: &Changes) -> String {
    let mut text = format!("{} 项写入可以挽救（存入 {}，删除 {}）", changes.count(), changes.stored, changes.deleted);
    if !changes.names.is_empty() {
        let more = if (changes.names.len() as u64) < changes.stored { " 等" } else { "" };
        text.push_str(&format!("：{}{more}", changes.names.join("、")));
    }
    text
}
