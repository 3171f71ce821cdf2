//! `duijie copy`: copies all points of one store into another, without the model.

use std::time::Instant;

use anyhow::bail;

use super::{
    Done,
    args::Copy,
    end_point::StoreAddress,
    progress::Steps,
    snapshot::{contents, left_out},
};
use crate::config::Config;
use duijie_store::transfer;

/// Copies, compares both sides, and prints the number of points.
pub async fn run(config: Config, args: Copy) -> anyhow::Result<Done> {
    let (from, to) = (StoreAddress::of(&args.from), StoreAddress::of(&args.to));
    if same(&from, &to) {
        bail!("来源与目标是同一处（{}），请改用另一个目标", args.from);
    }
    let started = Instant::now();
    let source = from.open(None, &config).await?;
    let target = to.open(Some(&source.shape), &config).await?;
    let mut bars = Steps::default();
    let copied = tokio::select! {
        copied = transfer::copy(&*source.index, &*target.index, |at| bars.set(at, "复制")) => copied?,
        _ = tokio::signal::ctrl_c() => bail!("已停止，来源未改动；再次执行同一命令即继续"),
    };
    bars.finish();
    let (written, seconds) = (copied.written, started.elapsed().as_secs_f64());
    let contents = contents(&copied.digests);
    source.close().await;
    target.close().await;
    println!("目标中共 {contents}，与来源校验一致；本次写入 {written} 条，用时 {seconds:.1} 秒");
    Ok(left_out(&copied.left_out, "未复制"))
}

fn same(from: &StoreAddress, to: &StoreAddress) -> bool {
    match (from, to) {
        (StoreAddress::Folder(from), StoreAddress::Folder(to)) => {
            from == to || from.canonicalize().is_ok_and(|from| to.canonicalize().is_ok_and(|to| from == to))
        }
        _ => from == to,
    }
}
