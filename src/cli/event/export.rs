//! `duijie event export`.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use super::{args::Export, name};
use crate::{
    cli::{
        Done,
        client::{Server, explain},
    },
    events::export::Format,
};
use duijie_core::domain::Code;
use duijie_proto as pb;

/// Writes a file; it gets its name only when it is complete.
pub async fn export(server: &Server, it: Export) -> anyhow::Result<Done> {
    let Some(format) = Format::from_name(&it.format) else {
        let known: Vec<_> = Format::TABLE.iter().map(|(format, _)| format.key()).collect();
        bail!("不认识的格式“{}”，应为：{}", it.format, known.join("、"));
    };
    let request = pb::ExportEventRequest { name: name(&it.id), format: format.number(), record: it.record };
    let answer = server.events().await?.export_event(request).await.map_err(|status| explain(&status))?;
    let mut parts = answer.into_inner();
    let first = parts.message().await.map_err(|status| explain(&status))?.context("服务的回答不完整，请重试")?;
    let path = it.out.unwrap_or_else(|| PathBuf::from(&first.file_name));
    let part_path = PathBuf::from(format!("{}.part", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| cannot_write(&path))?;
    }
    let mut file = File::create(&part_path).with_context(|| cannot_write(&path))?;
    let (mut written, total) = (0, usize::try_from(first.total_bytes).unwrap_or(0));
    let mut part = Some(first);
    while let Some(it) = part {
        file.write_all(&it.chunk).with_context(|| cannot_write(&path))?;
        written += it.chunk.len();
        part = parts.message().await.map_err(|status| explain(&status))?;
    }
    ensure!(written == total, "服务的回答不完整，请重试");
    fs::rename(&part_path, &path).with_context(|| cannot_write(&path))?;
    println!("已写入 {}（{written} 字节）", path.display());
    Ok(Done::All)
}

fn cannot_write(path: &Path) -> String {
    format!("无法写入文件 {}，请检查路径、权限和磁盘空间", path.display())
}
