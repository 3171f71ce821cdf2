//! `duijie demo`: the main workflow in one run, over real gRPC.

use std::path::Path;

use anyhow::{Context, ensure};
use tokio::sync::oneshot;

use super::{
    Done,
    args::{self, Demo},
    client::Server,
    event, import, matching, serve,
};
use crate::{config::Config, serve::serve as serve_parts};
use duijie_files::ReadOptions;

/// Sample files.
const FILES: [&str; 3] = ["achievements.csv", "demands.csv", "experts.jsonl"];

/// Demand whose match is printed with evidence.
const EXPLAINED: &str = "demands/dzxx-d001";

/// Serves, imports, matches, and suggests the next steps.
pub async fn run(mut config: Config, args: Demo) -> anyhow::Result<Done> {
    for file in FILES {
        let path = args.samples.join(file);
        ensure!(path.is_file(), "找不到示例数据 {}，请在项目文件夹中执行，或用 --samples 指明", path.display());
    }
    config.store.folder = args.store;
    config.server.listen.set_port(0);
    config.server.drain = std::time::Duration::ZERO;
    let listener = serve::listen(&config).await?;
    let address = listener.local_addr()?;
    let parts = serve::build(&config).await?;
    println!("服务已启动，监听 {address}，存储在 {}\n", config.store.folder.display());
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move {
        let _ = stopped.await;
    };
    let serving = tokio::spawn(serve_parts(parts.clone(), serve::limits(&config), listener, stopped));
    let server = Server::new(Some(format!("http://{address}")), &config);
    let shown = async {
        show(&server, &args.samples).await?;
        event::demo::run(&server, &args.event_folder).await
    };
    let shown = shown.await;
    let _ = stop.send(());
    serving.await.context("服务线程中断")??;
    serve::close(parts).await;
    shown?;
    print_next(&config.store.folder, &args.event_folder);
    Ok(Done::All)
}

async fn show(server: &Server, samples: &Path) -> anyhow::Result<()> {
    for file in FILES {
        import::import(server, &samples.join(file), ReadOptions::default()).await?;
    }
    let matches = [
        ("一项需求 → 成果", by_name("demands/xcl-d001", "achievements")),
        ("一项成果 → 需求", by_name("achievements/sthb-a001", "demands")),
        ("一项需求 → 专家", by_name("demands/swyy-d001", "experts")),
        ("一段文字 → 成果", by_text("冲压件边缘容易开裂，想降低废品率", "achievements")),
        (
            "匹配的依据：理由、指标、政策、需求诊断",
            args::Match { limit: 1, evidence: true, ..by_name(EXPLAINED, "achievements") },
        ),
    ];
    for (what, request) in matches {
        let query = request.name.clone().or_else(|| request.text.clone()).unwrap_or_default();
        println!("\n■ {what}：{query}");
        matching::run_match(server, request).await?;
    }
    Ok(())
}

fn by_name(name: &str, target: &str) -> args::Match {
    args::Match { name: Some(name.to_string()), text: None, ..blank(target) }
}

fn by_text(text: &str, target: &str) -> args::Match {
    args::Match { name: None, text: Some(text.to_string()), ..blank(target) }
}

fn blank(target: &str) -> args::Match {
    args::Match {
        name: None,
        text: None,
        body: None,
        target: target.to_string(),
        limit: 5,
        evidence: false,
        avoid_owner: false,
        avoid: Vec::new(),
        filter: args::Filter::default(),
    }
}

fn print_next(store: &Path, event: &Path) {
    println!(
        "\n接下来可以试试：\n  \
         DUIJIE_STORE_FOLDER={store} make serve        用演示数据启动服务，再另开一个终端执行下列命令\n  \
         target/release/duijie import samples/achievements.csv    导入自己的表格也是这样\n  \
         target/release/duijie match demands/xny-d001 --to achievements --region 13 --max-yuan 1000000\n  \
         target/release/duijie match demands/xny-d001 --to achievements --limit 3 --evidence    附匹配的依据\n  \
         target/release/duijie match --text 锂电池热失控预警 --to experts\n  \
         target/release/duijie event show demo --shortlists    对接会的名单和落选原因\n  \
         target/release/duijie --help                                    全部命令\n\
         对接会的导出文件在 {event}，其中 demo.html 可直接打印。\n\
         演示数据在 {store}，删去该文件夹即恢复原状。",
        store = store.display(),
        event = event.display()
    );
}
