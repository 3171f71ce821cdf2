//! `duijie rematch export`.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::{args::Export, told};
use crate::cli::{Done, client::Server};
use duijie_proto as pb;

/// Removes an incomplete file when dropped.
struct Unfinished(Option<PathBuf>);

/// Writes a file; it gets its name only when it is complete.
pub async fn run(server: &Server, args: Export) -> anyhow::Result<Done> {
    let request = pb::ExportRematchRequest {
        name: args.name,
        format: format(&args.file)? as i32,
        compared_with: args.compared_with.unwrap_or_default(),
    };
    let mut parts = server.rematch().await?.export_rematch(request).await.map_err(told)?.into_inner();
    let mut part_name = args.file.clone().into_os_string();
    part_name.push(".part");
    let unfinished = Unfinished(Some(PathBuf::from(&part_name)));
    let cannot = || format!("无法写入文件 {}，请检查路径、权限和磁盘空间", args.file.display());
    let mut file = BufWriter::new(File::create(&part_name).with_context(cannot)?);
    let mut rows = None;
    while let Some(part) = parts.message().await.map_err(told)? {
        file.write_all(&part.chunk).with_context(cannot)?;
        rows = part.complete.then_some(part.row_count);
    }
    let Some(rows) = rows else { bail!("服务的回答不完整，请重试") };
    file.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(cannot)?;
    unfinished.finish(&args.file).with_context(cannot)?;
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

// === impl Unfinished ===

impl Unfinished {
    fn finish(mut self, path: &Path) -> std::io::Result<()> {
        match self.0.take() {
            Some(part) => std::fs::rename(part, path),
            None => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(part) = &self.0 {
            let _ = std::fs::remove_file(part);
        }
    }
}
