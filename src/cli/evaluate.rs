//! `duijie eval`: a store of its own, the judged records in it, and how well the order fits the judgements.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, anyhow, bail};
use futures::{StreamExt, stream};

use super::{Done, args::Eval, progress::Progress, serve};
use crate::{
    app::Parts,
    config::Config,
    domain::{Kind, Record},
    eval::{
        judgements::{self, Judgements},
        report::Report,
    },
    files::{self, ReadOptions},
    index::{MAX_DEPTH, PointId},
    ingest::{MAX_BATCH, Outcome},
    matcher::Query,
};

/// Demands that are ranked at the same time.
const IN_FLIGHT: usize = 2;

/// Whole order of one demand: achievement ids with scores, best first.
type Order = Vec<(String, f64)>;

/// Measures and prints.
pub async fn run(mut config: Config, args: Eval) -> anyhow::Result<Done> {
    let text = fs::read_to_string(&args.judgements)
        .with_context(|| format!("无法读取判分文件 {}", args.judgements.display()))?;
    let judgements = judgements::read(&text).map_err(|sentence| anyhow!(sentence))?;
    let achievements = records(&args.achievements, Kind::Achievement)?;
    let demands = records(&args.demands, Kind::Demand)?;
    if MAX_DEPTH < achievements.len() {
        eprintln!("注意：成果多于 {MAX_DEPTH} 项，排在其后的一律按 0 分计");
    }
    let folder = tempfile::Builder::new().prefix("duijie-eval-").tempdir()?;
    config.store.folder = folder.path().join("store");
    let parts = serve::build(&config).await?;
    store(&parts, achievements.iter().chain(&demands)).await?;
    let ids: HashMap<PointId, &str> =
        achievements.iter().map(|record| (PointId::of(&record.name()), record.id.as_str())).collect();
    let judged: Vec<&Record> = demands.iter().filter(|record| judgements.contains_key(&record.id)).collect();
    if judged.is_empty() {
        bail!("判分文件中的 demand_id 都不在需求文件中，请检查两个文件是否配套");
    }
    let orders = orders(&parts, &judged, &ids).await?;
    serve::close(parts).await;
    print!("{}", report(&orders, &judgements));
    if let Some(path) = args.run {
        write_run(&path, &orders, &ids).with_context(|| format!("无法写入 {}", path.display()))?;
        println!("得分已写入 {}", path.display());
    }
    Ok(Done::All)
}

/// Reads all records of a file; a bad row ends it, since a measure over a part would mislead.
fn records(path: &Path, kind: Kind) -> anyhow::Result<Vec<Record>> {
    let options = ReadOptions { kind: Some(kind), ..ReadOptions::default() };
    let rows = files::open(path, &options)?;
    let mut records = Vec::new();
    for row in rows {
        match row.result {
            Ok(record) => records.push(record),
            Err(errors) => {
                let reasons: Vec<_> = errors.iter().map(|error| format!("{} {}", error.column, error.reason)).collect();
                bail!("{} 第 {} 行有误：{}", path.display(), row.number, reasons.join("；"));
            }
        }
    }
    Ok(records)
}

async fn store(parts: &Parts, records: impl Iterator<Item = &Record>) -> anyhow::Result<()> {
    let records: Vec<Record> = records.cloned().collect();
    let mut progress = Progress::new("向量化", u64::try_from(records.len())?, "条");
    let batches: Vec<Vec<_>> =
        records.chunks(MAX_BATCH / 4).map(|batch| batch.iter().cloned().map(Ok).collect()).collect();
    let mut storing = stream::iter(batches).map(|batch| parts.ingest.upsert(batch)).buffered(IN_FLIGHT);
    let mut done = 0;
    while let Some(stored) = storing.next().await {
        for stored in stored? {
            done += 1;
            if let (Outcome::Refused(violations), Some(name)) = (&stored.outcome, &stored.name) {
                let reasons: Vec<_> = violations.iter().map(|violation| violation.problem.chinese()).collect();
                bail!("记录 {name} 未能存入：{}", reasons.join("；"));
            }
        }
        progress.set(done);
    }
    progress.finish();
    Ok(())
}

/// Ranks the whole catalogue for each demand.
async fn orders(
    parts: &Parts,
    demands: &[&Record],
    ids: &HashMap<PointId, &str>,
) -> anyhow::Result<Vec<(String, Order)>> {
    let depth = ids.len().clamp(1, MAX_DEPTH);
    let mut progress = Progress::new("匹配", u64::try_from(demands.len())?, "项");
    let rank = |demand: &Record| {
        let (query, id) = (Query::Stored(demand.name()), demand.id.clone());
        async move {
            let order = parts.matcher.rank_all(&query, Kind::Achievement, depth).await?;
            let named = order.iter().filter_map(|fused| Some(((*ids.get(&fused.id)?).to_string(), fused.score)));
            anyhow::Ok((id, named.collect::<Order>()))
        }
    };
    let mut ranking = stream::iter(demands.iter().copied()).map(rank).buffered(IN_FLIGHT);
    let mut orders = Vec::new();
    while let Some(order) = ranking.next().await {
        orders.push(order?);
        progress.set(u64::try_from(orders.len())?);
    }
    drop(ranking);
    progress.finish();
    Ok(orders)
}

fn report(orders: &[(String, Order)], judgements: &Judgements) -> Report {
    let mut report = Report::default();
    for (demand, order) in orders {
        if let Some(levels) = judgements.get(demand) {
            report.add(order, levels);
        }
    }
    report
}

/// One line for each demand and achievement; what the order does not hold has score 0.
fn write_run(path: &Path, orders: &[(String, Order)], ids: &HashMap<PointId, &str>) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for (demand, order) in orders {
        let mut left: Vec<&str> = ids.values().copied().collect();
        let held: std::collections::HashSet<&str> = order.iter().map(|(id, _)| id.as_str()).collect();
        left.retain(|id| !held.contains(id));
        left.sort_unstable();
        for (achievement, score) in order {
            writeln!(out, "{demand}\t{achievement}\t{score:.6}")?;
        }
        for achievement in left {
            writeln!(out, "{demand}\t{achievement}\t0")?;
        }
    }
    out.flush()
}
