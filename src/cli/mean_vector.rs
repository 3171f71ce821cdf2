//! `duijie mean-vector`: computes the mean vector of the configured store.

use std::fs;

use anyhow::{Context, bail};

use super::{
    Done, args,
    end_point::{EndPoint, StoreAddress},
};
use crate::{app, config::Config, maintenance::mean_vector};

/// Computes and writes the mean vector, and prints the next steps.
pub async fn run(config: Config, args: args::MeanVector) -> anyhow::Result<Done> {
    let store = StoreAddress::configured(&config).open(None, &config).await?;
    let made = make(&config, &store).await;
    store.close().await;
    let mean_vector = made?;
    fs::write(&args.out, mean_vector.to_json()).with_context(|| format!("无法写入 {}", args.out.display()))?;
    let path = args.out.display();
    println!(
        "已写入 {path}（版本 {}）。请将 model.mean_vector 设为该文件，然后执行 duijie reindex",
        mean_vector.version()
    );
    Ok(Done::All)
}

async fn make(config: &Config, store: &EndPoint) -> anyhow::Result<duijie_embed::MeanVector> {
    let embedder = app::embedder(config)?;
    let Some(present) = embedder.mean_vector_of_version(&store.shape.versions.model) else {
        bail!("存储中的向量出自另一个模型或另一个中心，请先执行 duijie reindex");
    };
    match mean_vector::mean_vector_of(&*store.index, present.as_ref()).await? {
        Some(mean_vector) => Ok(mean_vector),
        None => bail!("存储中没有可用的需求或成果，请先导入"),
    }
}
