//! `duijie snapshot create`, `duijie snapshot restore`.

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, anyhow, bail};
use tonic::Code;

use super::{
    Done,
    args::SnapshotAction,
    client::{Connection, Server, explain},
    end_point::StoreAddress,
    file_parts::receive,
    progress::{Progress, Steps},
};
use crate::{app, config::Config};
use duijie_proto::{CreateSnapshotRequest, maintenance_service_client::MaintenanceServiceClient};
use duijie_store::{
    CollectionKind, LeftOut, LeftOutRow,
    transfer::{self, Digest, Digests, PartFile, Snapshot},
};

/// Creates or restores a snapshot.
pub async fn run(server: &Server, config: Config, action: SnapshotAction) -> anyhow::Result<Done> {
    match action {
        SnapshotAction::Create(it) => create(server, &config, &it.file).await,
        SnapshotAction::Restore(it) => restore(&config, &it.file).await,
    }
}

async fn create(server: &Server, config: &Config, path: &Path) -> anyhow::Result<Done> {
    let started = Instant::now();
    let file = PartFile::create(path)?;
    let written = async {
        match server.maintenance().await? {
            Some(client) => through_service(client, &file).await,
            None => directly(config, &file).await,
        }?;
        // checks the file on disk, not the intended content
        open(file.part().to_path_buf()).await
    };
    let snapshot = tokio::select! {
        written = written => written?,
        _ = tokio::signal::ctrl_c() => bail!("已停止，没有生成备份文件；再次执行同一命令即重新备份"),
    };
    file.finish()?;
    let (contents, seconds) = (contents(&snapshot.summary().digests), started.elapsed().as_secs_f64());
    println!("已备份 {contents}到 {}，校验一致，用时 {seconds:.1} 秒", path.display());
    Ok(left_out(&snapshot.summary().left_out, "未备份"))
}

/// Downloads the snapshot from the running service, part by part.
async fn through_service(mut client: MaintenanceServiceClient<Connection>, file: &PartFile) -> anyhow::Result<()> {
    let answer = client.create_snapshot(CreateSnapshotRequest {}).await.map_err(|status| match status.code() {
        Code::Unimplemented => anyhow!("该服务不支持在线备份，请升级服务，或停止服务后再备份"),
        _ => explain(&status),
    })?;
    let mut bar: Option<Progress> = None;
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    receive(answer.into_inner(), file, |part| {
        bar.get_or_insert_with(|| Progress::new("备份", count(part.total_count), "条")).set(count(part.done_count));
    })
    .await?;
    if let Some(bar) = bar {
        bar.finish();
    }
    Ok(())
}

/// Reads the configured store, of any versions.
async fn directly(config: &Config, file: &PartFile) -> anyhow::Result<()> {
    let source = StoreAddress::configured(config).open(None, config).await.context("服务未运行，改为直接读取存储")?;
    let sink = BufWriter::new(file.writer()?);
    let mut bars = Steps::default();
    transfer::create(&*source.index, source.shape.clone(), sink, |at| bars.set(at, "备份")).await?;
    bars.finish();
    source.close().await;
    Ok(())
}

async fn restore(config: &Config, path: &Path) -> anyhow::Result<Done> {
    let started = Instant::now();
    let mut bars = Steps::default();
    let work = async {
        println!("正在检查备份文件 {}", path.display());
        let snapshot = open(path.to_path_buf()).await?;
        let target = StoreAddress::configured(config).open(Some(&snapshot.header().store), config).await?;
        let restored = snapshot.restore(&*target.index, |at| bars.set(at, "恢复")).await?;
        target.close().await;
        anyhow::Ok((snapshot, restored))
    };
    let (snapshot, restored) = tokio::select! {
        done = work => done?,
        _ = tokio::signal::ctrl_c() => bail!("已停止，存储尚不完整；再次执行同一命令即继续"),
    };
    bars.finish();
    let (contents, seconds) = (contents(&snapshot.summary().digests), started.elapsed().as_secs_f64());
    let written = restored.written;
    println!("存储中共 {contents}，与备份校验一致；本次写入 {written} 条，用时 {seconds:.1} 秒");
    println!("{}", what_next(config, &snapshot));
    Ok(left_out(&snapshot.summary().left_out, "不在备份中"))
}

/// Prints what was damaged and left out, if anything.
pub(super) fn left_out(left_out: &LeftOut, so: &str) -> Done {
    if left_out.is_empty() {
        return Done::All;
    }
    eprintln!("来源中有 {} 条已损坏，{so}：", left_out.count);
    for LeftOutRow { collection, name, reason } in &left_out.listed {
        eprintln!("  {}库 {name}：{reason}", collection.label());
    }
    if 0 < left_out.more() {
        eprintln!("  另有 {} 条", left_out.more());
    }
    Done::WithWarnings
}

/// Content of a store: records and documents.
pub(super) fn contents(digests: &Digests) -> String {
    let (documents, records): (Vec<_>, Vec<_>) =
        digests.iter().partition(|(collection, _)| **collection == CollectionKind::Documents);
    let count = |of: Vec<(&CollectionKind, &Digest)>| of.into_iter().map(|(_, digest)| digest.count).sum::<u64>();
    match (count(records), count(documents)) {
        (records, 0) => format!("{records} 条记录"),
        (records, documents) => format!("{records} 条记录、{documents} 份任务和活动等文档"),
    }
}

/// Whether the service can use the restored store. The model's version is known only once it is loaded.
fn what_next(config: &Config, snapshot: &Snapshot) -> String {
    let versions = &snapshot.header().store.versions;
    match app::text_pipeline(config) {
        Ok(text) if text.version() == versions.text => {
            format!(
                "备份所用的模型为 {}；若与当前的模型不同，服务会拒绝启动，届时请执行 duijie reindex",
                versions.model
            )
        }
        Ok(_) => "备份所用的词典与当前的不同，启动服务之前请执行 duijie reindex".to_string(),
        Err(error) => error.to_string(),
    }
}

async fn open(path: PathBuf) -> anyhow::Result<Snapshot> {
    Ok(tokio::task::spawn_blocking(move || Snapshot::open(&path)).await??)
}
