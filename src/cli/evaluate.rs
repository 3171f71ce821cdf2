//! `duijie eval`: builds a separate store of the judged records, and measures the ranking against the judgements.

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
    app::{self, Parts},
    config::Config,
    ingest::{MAX_BATCH, UpsertOutcome},
    maintenance::{
        mean_vector,
        reindex::{OldVectors, Reindex},
    },
    matching::{self, Query},
};
use duijie_core::{
    domain::{Kind, Record},
    eval::{
        calibrate::said,
        features::{self, Features},
        judgements::{self, JudgedAchievement, Judgements},
        levels::Levels,
        report::{QualityReport, RankedAchievement},
    },
    rank::{Context as OfQuery, Fused},
};
use duijie_files::ReadOptions;
use duijie_store::{Hit, MAX_DEPTH, PointId};

/// Demands ranked at the same time.
const IN_FLIGHT: usize = 2;

/// A ranked demand.
struct Ranked {
    demand: String,
    /// All achievements, best first.
    order: Vec<RankedAchievement>,
    /// Statistics of the first pass.
    context: Option<OfQuery>,
    /// Features of its graded pairs.
    pairs: Vec<Features>,
}

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
    // never uses the live store
    config.qdrant = None;
    let mut parts = serve::build(&config).await?;
    store(&parts, achievements.iter().chain(&demands)).await?;
    if args.own_mean_vector {
        config.store.folder = folder.path().join("own");
        parts = with_own_mean_vector(&config, parts).await?;
    }
    let ids: HashMap<PointId, &str> =
        achievements.iter().map(|record| (PointId::of(&record.name()), record.id.as_str())).collect();
    let judged: Vec<&Record> = demands.iter().filter(|record| judgements.contains_key(&record.id)).collect();
    if judged.is_empty() {
        bail!("判分文件中的 demand_id 都不在需求文件中，请检查两个文件是否配套");
    }
    let ranked = rank(&parts, &judged, &ids, &judgements).await?;
    print!("{}", report(&ranked, &judgements));
    print_levels(&parts, &ranked);
    serve::close(parts).await;
    if let Some(path) = args.run {
        write_run(&path, &ranked, &ids).with_context(|| format!("无法写入 {}", path.display()))?;
        println!("得分已写入 {}", path.display());
    }
    if let Some(path) = args.features {
        if ranked.iter().any(|ranked| ranked.context.is_none()) {
            bail!("只查一轮时没有特征可写，请将 match.feedback 设为大于 0，并使用有向量中心的模型");
        }
        let rows: Vec<Features> = ranked.into_iter().flat_map(|ranked| ranked.pairs).collect();
        fs::write(&path, features::write(&rows)).with_context(|| format!("无法写入 {}", path.display()))?;
        println!("特征已写入 {}", path.display());
    }
    Ok(Done::All)
}

/// The same records in a store with a mean vector computed from them.
async fn with_own_mean_vector(config: &Config, parts: Parts) -> anyhow::Result<Parts> {
    let mean_vector = mean_vector::mean_vector_of(&*parts.index, parts.embedder.mean_vector()).await?;
    let embedder = parts.embedder.with_mean_vector(mean_vector);
    let (versions, dimensions) = (app::versions(&parts.text, &embedder), embedder.identity().dimensions);
    let index = app::index(config, dimensions, versions.clone())?;
    let (text, old) = (parts.text.clone(), OldVectors::Ours(parts.embedder.mean_vector().cloned()));
    Reindex { text, embedder: embedder.clone(), old }.run(&*parts.index, &*index, |_| {}).await?;
    let settings = app::settings(config, &embedder)?;
    let explainer = parts.explainer.clone();
    let with_own = Parts::new(parts.text.clone(), embedder, index, explainer, versions, settings);
    serve::close(parts).await;
    Ok(with_own)
}

/// Reads all records of a file; a bad row is an error, since a measure over a part would mislead.
fn records(path: &Path, kind: Kind) -> anyhow::Result<Vec<Record>> {
    let options = ReadOptions { kind: Some(kind), ..ReadOptions::default() };
    let rows = duijie_files::open(path, &options)?;
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
            if let (UpsertOutcome::Refused(violations), Some(name)) = (&stored.outcome, &stored.name) {
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
async fn rank(
    parts: &Parts,
    demands: &[&Record],
    ids: &HashMap<PointId, &str>,
    judgements: &Judgements,
) -> anyhow::Result<Vec<Ranked>> {
    let depth = ids.len().clamp(1, MAX_DEPTH);
    let points: HashMap<&str, PointId> = ids.iter().map(|(point, id)| (*id, *point)).collect();
    let mut progress = Progress::new("匹配", u64::try_from(demands.len())?, "项");
    let rank = |demand: &Record| {
        let (query, demand, points) = (Query::Stored(demand.name()), demand.id.clone(), &points);
        async move {
            let found = parts.matcher.rank_all(&query, Kind::Achievement, depth).await?;
            let judged = judgements.get(&demand).into_iter().flatten();
            let graded = judged.filter_map(|judged| Some(Graded { point: *points.get(judged.id.as_str())?, judged }));
            let pairs = pairs(parts, &demand, &graded.collect::<Vec<_>>(), &found).await?;
            let ranked = |fused: &Fused<PointId>| {
                Some(RankedAchievement { id: (*ids.get(&fused.id)?).to_string(), score: fused.score })
            };
            let order = found.order.iter().filter_map(ranked).collect();
            anyhow::Ok(Ranked { demand, order, context: found.context, pairs })
        }
    };
    let mut ranking = stream::iter(demands.iter().copied()).map(rank).buffered(IN_FLIGHT);
    let mut all = Vec::new();
    while let Some(ranked) = ranking.next().await {
        all.push(ranked?);
        progress.set(u64::try_from(all.len())?);
    }
    drop(ranking);
    progress.finish();
    Ok(all)
}

/// A judged achievement of the catalogue.
struct Graded<'a> {
    point: PointId,
    judged: &'a JudgedAchievement,
}

/// Features of a demand's graded pairs.
async fn pairs(
    parts: &Parts,
    demand: &str,
    graded: &[Graded<'_>],
    found: &matching::Order,
) -> anyhow::Result<Vec<Features>> {
    let ids: Vec<PointId> = graded.iter().map(|graded| graded.point).collect();
    let mut cosines = Vec::new();
    for query in [&found.query, &found.expanded] {
        let hits =
            if ids.is_empty() { Vec::new() } else { parts.index.cosines(Kind::Achievement, query, &ids).await? };
        cosines.push(hits.into_iter().map(|Hit { id, score }| (id, f64::from(score))).collect::<HashMap<_, _>>());
    }
    let [before, after] = cosines.as_slice() else { return Ok(Vec::new()) };
    let places: HashMap<PointId, (usize, &Fused<PointId>)> =
        found.order.iter().zip(1..).map(|(fused, place)| (fused.id, (place, fused))).collect();
    let (fusion, context) = (parts.matcher.settings().fusion, found.context.unwrap_or_default());
    let pair = |Graded { point: id, judged }: &Graded<'_>| {
        let (cosine, cosine_feedback) = (*before.get(id)?, *after.get(id)?);
        let place = places.get(id);
        let bm25 = place.and_then(|(_, fused)| fused.sparse.score).map_or(0.0, f64::from);
        Some(Features {
            demand: demand.to_string(),
            achievement: judged.id.clone(),
            level: judged.level,
            score: place.map_or_else(|| fusion.score(cosine_feedback, bm25), |(_, fused)| fused.score),
            base: fusion.score(cosine, bm25),
            cosine,
            cosine_feedback,
            bm25,
            context: context.mean,
            best: context.best,
            rank: place.map_or(found.order.len() + 1, |(place, _)| *place),
        })
    };
    Ok(graded.iter().filter_map(pair).collect())
}

fn report(ranked: &[Ranked], judgements: &Judgements) -> QualityReport {
    let mut report = QualityReport::default();
    for Ranked { demand, order, .. } in ranked {
        if let Some(judged) = judgements.get(demand) {
            report.add(order, judged);
        }
    }
    report
}

/// Prints how far the announced levels are from the graded ones, if there are levels.
fn print_levels(parts: &Parts, ranked: &[Ranked]) {
    if ranked.iter().any(|ranked| ranked.context.is_none()) {
        return;
    }
    let calibration = parts.matcher.calibration();
    let pairs = ranked.iter().flat_map(|ranked| &ranked.pairs);
    let levels: Vec<_> = pairs.map(|pair| said(&calibration.logits, &pair.graded())).collect();
    let refused = ranked.iter().filter_map(|ranked| ranked.context);
    let refused = refused.filter(|context| calibration.nothing_good_enough(*context)).count();
    println!("\n相关级别（校准 {}）", calibration.version);
    print!("{}", Levels::of(&levels));
    println!("没有足够好的成果的需求：{refused} 项");
}

/// Writes one line per demand and achievement; an achievement missing in the ranking has score 0.
fn write_run(path: &Path, ranked: &[Ranked], ids: &HashMap<PointId, &str>) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for Ranked { demand, order, .. } in ranked {
        let mut left: Vec<&str> = ids.values().copied().collect();
        let held: std::collections::HashSet<&str> = order.iter().map(|ranked| ranked.id.as_str()).collect();
        left.retain(|id| !held.contains(id));
        left.sort_unstable();
        for RankedAchievement { id, score } in order {
            writeln!(out, "{demand}\t{id}\t{score:.6}")?;
        }
        for achievement in left {
            writeln!(out, "{demand}\t{achievement}\t0")?;
        }
    }
    out.flush()
}
