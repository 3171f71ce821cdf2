//! `duijie reindex`: rebuilds the store for the configured dictionary and model.

use std::{fs, io, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};

use super::{Done, progress::Progress};
use crate::{
    app,
    config::Config,
    maintenance::reindex::{self, OldVectors, Reindex},
};
use duijie_core::domain::{Filter, Kind};
use duijie_store::{
    EdgeIndex, EdgeOptions, Index, IndexError, Leases, MAINTENANCE, Pace, Qdrant, ServerIndex, StoreShape,
};

/// Time limit for a server's answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Rebuilds and prints the number of records.
pub async fn run(config: Config) -> anyhow::Result<Done> {
    let store = config.store.folder.clone();
    if config.qdrant.is_none() {
        reindex::recover(&store).with_context(|| moving(&store))?;
        if !store.exists() {
            bail!("存储 {} 不存在，没有可重建的记录，请检查 store.folder", store.display());
        }
    }
    let text = Arc::new(app::text_pipeline(&config)?);
    let embedder = app::embedder(&config)?;
    let (versions, dimensions) = (app::versions(&text, &embedder), embedder.identity().dimensions);
    let rebuild = Reindex { text, embedder, old: OldVectors::Foreign };
    match &config.qdrant {
        Some(qdrant) => on_server(qdrant, rebuild, StoreShape { versions, dimensions }).await,
        None => in_folder(store, app::store_options(&config, dimensions, versions), rebuild).await,
    }
}

/// Rebuilds the embedded store in a folder beside it.
async fn in_folder(store: PathBuf, options: EdgeOptions, rebuild: Reindex) -> anyhow::Result<Done> {
    let old = EdgeIndex::open(EdgeOptions { any_version: true, ..options.clone() })?;
    if *old.versions() == options.versions {
        return Ok(fits(&store.display().to_string()));
    }
    let vectors = OldVectors::of(&rebuild.embedder, &old.versions().model);
    let new = open_new(EdgeOptions { folder: reindex::new_folder(&store), ..options })?;
    let said = rebuild_all(Reindex { old: vectors, ..rebuild }, &old, &new).await?;
    // the folders must not be moved before every thread has released them
    tokio::task::spawn_blocking(move || {
        old.close();
        new.close();
    })
    .await?;
    reindex::swap(&store).with_context(|| moving(&store))?;
    println!("{said}");
    Ok(Done::All)
}

/// Rebuilds a server's store in collections beside the live ones, while no instance serves.
async fn on_server(qdrant: &Qdrant, rebuild: Reindex, shape: StoreShape) -> anyhow::Result<Done> {
    let old = ServerIndex::open_any(qdrant, Pace::default())?;
    old.ready(PATIENCE).await?;
    let stored = old.shape()?;
    if stored == shape {
        return Ok(fits(&qdrant.urls.join(",")));
    }
    println!("正在等待各服务实例停止应答……");
    let Some(lease) = old.claim(MAINTENANCE).await? else {
        bail!("另一个进程正在维护这个存储（重建、恢复或迁移），请待其完成后再执行");
    };
    let vectors = OldVectors::of(&rebuild.embedder, &stored.versions.model);
    let new = old.growing(qdrant, shape).await?;
    let said = tokio::select! {
        said = rebuild_all(Reindex { old: vectors, ..rebuild }, &old, &new) => said?,
        () = lease.lost() => bail!("与 Qdrant 失去联系太久，原存储未改动；再次执行 duijie reindex 即继续"),
    };
    old.replace_by(&new).await?;
    lease.release().await;
    println!("{said}，请重启各服务实例");
    Ok(Done::All)
}

/// Rebuilds one store into the other; returns a summary.
async fn rebuild_all(rebuild: Reindex, old: &dyn Index, new: &dyn Index) -> anyhow::Result<String> {
    let total = count(old).await?;
    let mut progress = Progress::new("重建", total, "条");
    let done = tokio::select! {
        done = rebuild.run(old, new, |done| progress.set(done)) => done?,
        _ = tokio::signal::ctrl_c() => bail!("已停止，原存储未改动；再次执行 duijie reindex 即继续"),
    };
    let kept = count(new).await?;
    if kept != total {
        bail!("重建后有 {kept} 条记录，原有 {total} 条，原存储未改动，请查看日志后再次执行");
    }
    let took = progress.finish();
    Ok(format!("已重建 {done} 条记录，用时 {:.1} 秒", took.as_secs_f64()))
}

fn fits(store: &str) -> Done {
    println!("存储 {store} 与当前的词典和模型一致，不需要重建");
    Done::All
}

fn moving(store: &std::path::Path) -> String {
    format!("无法移动文件夹 {}，请检查权限", store.display())
}

/// Opens the growing store; one begun for other versions is started afresh.
fn open_new(options: EdgeOptions) -> anyhow::Result<EdgeIndex> {
    match EdgeIndex::open(options.clone()) {
        Err(IndexError::OtherVersions { .. }) => {
            fs::remove_dir_all(&options.folder).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
            Ok(EdgeIndex::open(options)?)
        }
        opened => Ok(opened?),
    }
}

async fn count(index: &dyn Index) -> anyhow::Result<u64> {
    let mut total = 0;
    for kind in Kind::ALL {
        total += index.count(kind, &Filter::default()).await?;
    }
    Ok(total)
}
