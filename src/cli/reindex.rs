//! `duijie reindex`: rebuilds the store for the dictionary and model that are configured now.

use std::{fs, io, sync::Arc};

use anyhow::{Context, bail};

use super::{Done, progress::Progress};
use crate::{
    app,
    config::Config,
    domain::{Filter, Kind},
    index::{EdgeIndex, EdgeOptions, Index, IndexError},
    reindex::{self, Reindex},
};

/// Rebuilds and prints how many records there were.
pub async fn run(config: Config) -> anyhow::Result<Done> {
    let store = config.store.folder.clone();
    let moving = || format!("无法移动文件夹 {}，请检查权限", store.display());
    reindex::recover(&store).with_context(moving)?;
    if !store.exists() {
        bail!("存储 {} 不存在，没有可重建的记录，请检查 store.folder", store.display());
    }
    let text = Arc::new(app::text_pipeline(&config)?);
    let embedder = app::embedder(&config)?;
    let versions = app::versions(&text, &embedder);
    let options = app::store_options(&config, embedder.identity().dimensions, versions.clone());
    let old = EdgeIndex::open(EdgeOptions { any_version: true, ..options.clone() })?;
    if *old.versions() == versions {
        println!("存储 {} 与当前的词典和模型一致，不需要重建", store.display());
        return Ok(Done::All);
    }
    let new = open_new(EdgeOptions { folder: reindex::new_folder(&store), ..options })?;
    let total = count(&old).await?;
    let mut progress = Progress::new("重建", total, "条");
    let keep_vectors = old.versions().model == versions.model;
    let rebuild = Reindex { text, embedder, keep_vectors };
    let done = tokio::select! {
        done = rebuild.run(&old, &new, |done| progress.set(done)) => done?,
        _ = tokio::signal::ctrl_c() => bail!("已停止，原存储未改动；再次执行 duijie reindex 即继续"),
    };
    let kept = count(&new).await?;
    if kept != total {
        bail!("重建后有 {kept} 条记录，原有 {total} 条，原存储未改动，请查看日志后再次执行");
    }
    let took = progress.finish();
    // the folders must not be moved before every thread has let go of them
    tokio::task::spawn_blocking(move || {
        old.close();
        new.close();
    })
    .await?;
    reindex::swap(&store).with_context(moving)?;
    println!("已重建 {done} 条记录，用时 {:.1} 秒", took.as_secs_f64());
    Ok(Done::All)
}

/// Opens the store that grows; one that was begun for yet other versions is begun anew.
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

async fn count(index: &EdgeIndex) -> anyhow::Result<u64> {
    let mut total = 0;
    for kind in Kind::ALL {
        total += index.count(kind, &Filter::default()).await?;
    }
    Ok(total)
}
