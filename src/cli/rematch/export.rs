//! `duijie rematch export`.

use std::path::Path;

use anyhow::bail;

use super::{args::Export, told};
use crate::cli::{Done, client::Server, file_parts::receive};
use duijie_proto as pb;
use duijie_store::transfer::PartFile;

/// Writes a file; it gets its name only when it is complete.
pub async fn run(server: &Server, args: Export) -> anyhow::Result<Done> {
    let request = pb::ExportRematchRequest {
        name: args.name,
        format: format(&args.file)? as i32,
        compared_with: args.compared_with.unwrap_or_default(),
    };
    let parts = server.rematch().await?.export_rematch(request).await.map_err(told)?.into_inner();
    let file = PartFile::replacing(&args.file)?;
    let mut rows = 0;
    receive(parts, &file, |part| rows = part.row_count).await?;
    file.finish()?;
    println!("已写入 {}，共 {rows} 行", args.file.display());
    Ok(Done::All)
}

fn format(path: &Path) -> anyhow::Result<pb::RematchFormat> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "jsonl" => Ok(pb::RematchFormat::Jsonl),
        "csv" => Ok(pb::RematchFormat::Csv),
        "xlsx" => Ok(pb::RematchFormat::Xlsx),
        "parquet" => Ok(pb::RematchFormat::Parquet),
        _ => bail!("不认识的文件类型 {}，应为 .jsonl、.csv、.xlsx 或 .parquet", path.display()),
    }
}
