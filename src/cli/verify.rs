//! `duijie verify`: reads a whole store and says what of it is damaged.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::bail;
use serde::Serialize;

use super::{Done, args::Verify, end_point::StoreAddress, out, progress::Progress};
use crate::{app, config::Config};
use duijie_store::{
    CensusDifference, CollectionKind, Damaged, EdgeIndex, EdgeOptions, Index, PartlyOpened, STORE_FORMAT,
    verify::{Verified, verify},
};

/// Damaged rows that are printed for each collection; with `--json` all are.
const MAX_PRINTED: usize = 50;
/// So that nothing is moved while it is read.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3_600);

/// An open store.
struct Opened {
    index: Arc<dyn Index>,
    dimensions: usize,
    /// The embedded store, and why parts of it could not be opened.
    embedded: Option<Embedded>,
}

struct Embedded {
    index: Arc<EdgeIndex>,
    failed: Vec<(CollectionKind, String)>,
}

/// A line of `--json` about one collection.
#[derive(Serialize)]
struct CollectionLine<'a> {
    collection: &'a str,
    whole: u64,
    unchecked: u64,
    damaged: u64,
    counted: u64,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<&'a str>,
    /// Points at the last checkpoint, if they are not those that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_last_checkpoint: Option<u64>,
}

/// A line of `--json` about one damaged row.
#[derive(Serialize)]
struct DamagedLine<'a> {
    collection: &'a str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    reason: &'a str,
}

/// Reads the store, and prints what is damaged.
pub async fn run(config: Config, args: Verify) -> anyhow::Result<Done> {
    let place = match &args.store {
        Some(store) => StoreAddress::of(store),
        None => StoreAddress::configured(&config),
    };
    let opened = open(&place, &config).await?;
    let is_whole = tokio::select! {
        examined = examine(&opened) => examined?,
        _ = tokio::signal::ctrl_c() => bail!("已停止，尚未读完；存储未改动"),
    };
    if let Some(Embedded { index, failed }) = &opened.embedded
        && args.accept
    {
        if !failed.is_empty() {
            bail!("有的库无法打开，不能接受现状，请从备份恢复");
        }
        index.accept_census()?;
        println!("已接受现有的条目，服务可以启动；缺失的记录请重新导入");
    }
    if is_whole {
        println!("没有发现损坏");
        return Ok(Done::All);
    }
    let what = "重新导入即可覆盖，不再需要的可以删除（duijie delete），文档（任务、活动等）请从备份恢复";
    bail!("存储有损坏，见以上所列；损坏的记录不会出现在列表、查重、匹配和备份中，{what}")
}

/// Opens an embedded store as far as it can be opened, or connects to a server.
async fn open(place: &StoreAddress, config: &Config) -> anyhow::Result<Opened> {
    let StoreAddress::Folder(folder) = place else {
        let opened = place.open(None, config).await?;
        return Ok(Opened { index: opened.index, dimensions: opened.shape.dimensions, embedded: None });
    };
    let Some(shape) = EdgeIndex::shape_of(folder)? else {
        bail!("{} 中没有存储，请检查路径", folder.display());
    };
    if shape.versions.format != STORE_FORMAT {
        bail!("存储的格式为 {}，当前为 {STORE_FORMAT}，请先执行 duijie reindex", shape.versions.format);
    }
    let dimensions = shape.dimensions;
    let mut options = EdgeOptions {
        tuning: app::tuning(config),
        ..EdgeOptions::new(PathBuf::from(folder), dimensions, shape.versions)
    };
    options.tuning.optimize_after_rest = NEVER;
    let PartlyOpened { index, failed } = tokio::task::spawn_blocking(move || EdgeIndex::open_partly(options)).await??;
    let index = Arc::new(index);
    let failed = failed.into_iter().map(|(collection, error)| (collection, error.to_string())).collect();
    let embedded = Some(Embedded { index: Arc::clone(&index), failed });
    Ok(Opened { index, dimensions, embedded })
}

/// Reads all collections; says whether nothing is damaged.
async fn examine(opened: &Opened) -> anyhow::Result<bool> {
    let mut is_whole = true;
    let differences = opened.embedded.as_ref().map(|embedded| embedded.index.census_differences()).unwrap_or_default();
    for collection in CollectionKind::ALL {
        let failed = opened.embedded.iter().flat_map(|embedded| &embedded.failed);
        let failed = failed.filter(|(other, _)| *other == collection).map(|(_, reason)| reason.clone()).next();
        let read = match failed {
            Some(reason) => Err(reason),
            None => read(opened, collection).await.map_err(|error| error.to_string()),
        };
        let difference = differences.get(&collection);
        is_whole &= difference.is_none() && read.as_ref().is_ok_and(Verified::is_whole);
        print(collection, &read, difference)?;
    }
    Ok(is_whole)
}

async fn read(opened: &Opened, collection: CollectionKind) -> anyhow::Result<Verified> {
    let mut bar: Option<Progress> = None;
    let progress = |done, total| {
        bar.get_or_insert_with(|| Progress::new(collection.label(), total, "条")).set(done);
    };
    let verified = verify(&*opened.index, collection, opened.dimensions, progress).await;
    if let Some(bar) = bar {
        bar.finish();
    }
    Ok(verified?)
}

fn print(
    collection: CollectionKind,
    read: &Result<Verified, String>,
    difference: Option<&CensusDifference>,
) -> anyhow::Result<()> {
    if out::is_json() {
        let verified = read.as_ref().ok();
        out::line(&CollectionLine {
            collection: collection.collection(),
            whole: verified.map_or(0, |it| it.whole),
            unchecked: verified.map_or(0, |it| it.unchecked),
            damaged: verified.map_or(0, |it| it.damaged),
            counted: verified.map_or(0, |it| it.counted[1]),
            unreadable: read.as_ref().err().map(String::as_str),
            at_last_checkpoint: difference.map(|it| it.before),
        })?;
        for Damaged { id, name, reason } in verified.iter().flat_map(|it| &it.listed) {
            let (collection, id) = (collection.collection(), id.to_string());
            out::line(&DamagedLine { collection, id, name: name.as_deref(), reason })?;
        }
        return Ok(());
    }
    for line in described(collection, read, difference) {
        println!("{line}");
    }
    Ok(())
}

/// Some lines about one collection.
fn described(
    collection: CollectionKind,
    read: &Result<Verified, String>,
    difference: Option<&CensusDifference>,
) -> Vec<String> {
    let label = collection.label();
    let mut lines = Vec::new();
    match read {
        Err(reason) => lines.push(format!("{label}库无法读取：{reason}")),
        Ok(verified) => {
            let unchecked = match verified.unchecked {
                0 => String::new(),
                count => format!("，其中 {count} 条写于有校验和之前，未核对（再次写入或 duijie reindex 之后即有）"),
            };
            let Verified { whole, damaged, counted: [_, counted], .. } = verified;
            lines.push(format!("{label}库：完好 {whole} 条{unchecked}，损坏 {damaged} 条"));
            lines.extend(verified.listed.iter().take(MAX_PRINTED).map(|it| format!("  {}：{}", it.label(), it.reason)));
            let more = damaged.saturating_sub(MAX_PRINTED as u64);
            lines.extend((0 < more).then(|| format!("  另有 {more} 条")));
            let read = whole + damaged;
            lines.extend((!verified.counts_agree()).then(|| format!("  读出 {read} 条，而引擎计数为 {counted} 条")));
        }
    }
    lines.extend(difference.map(|CensusDifference { before, now }| {
        format!(
            "  条目与上次存盘时不符：当时 {before} 条，现在 {now} 条，或有编号改变，服务因此不启动；请从备份恢复，\
             或以 duijie verify --accept 接受现状"
        )
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_told() {
        let damaged = |number: u128| Damaged {
            id: uuid::Uuid::from_u128(number).into(),
            name: (number == 0).then(|| "demands/local/d-1".to_string()),
            reason: "内容与校验和不符".to_string(),
        };
        let verified = Verified {
            collection: CollectionKind::Documents,
            whole: 7,
            unchecked: 2,
            damaged: 60,
            listed: (0..60).map(damaged).collect(),
            counted: [70, 70],
        };
        let difference = CensusDifference { before: 71, now: 70 };
        let said = described(CollectionKind::Documents, &Ok(verified), Some(&difference)).join("\n");
        for part in [
            "完好 7 条，其中 2 条写于有校验和之前",
            "损坏 60 条",
            "demands/local/d-1：内容",
            "编号 00000000-0000-0000-0000-000000000001",
            "另有 10 条",
            "读出 67 条，而引擎计数为 70 条",
            "当时 71 条，现在 70 条",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
        let said = described(CollectionKind::Documents, &Err("没有数据段".to_string()), None);
        assert_eq!(said, ["文档库无法读取：没有数据段"]);
    }
}
