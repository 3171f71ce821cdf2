//! `duijie event export`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::{args::Export, name};
use crate::{
    cli::{
        Done,
        client::{Server, explain},
        file_parts::receive,
    },
    events::export::{Format, file_name},
};
use duijie_core::domain::{Code, RecordName, Violation};
use duijie_proto as pb;
use duijie_store::transfer::PartFile;

/// Writes a file; it gets its name only when it is complete.
pub async fn export(server: &Server, it: Export) -> anyhow::Result<Done> {
    let Some(format) = Format::from_name(&it.format) else {
        let known: Vec<_> = Format::TABLE.iter().map(|(format, _)| format.key()).collect();
        bail!("不认识的格式“{}”，应为：{}", it.format, known.join("、"));
    };
    let path = match it.out {
        Some(path) => path,
        None => default_path(&it.id, &it.record, format)?,
    };
    let request = pb::ExportEventRequest { name: name(&it.id), format: format.number(), record: it.record };
    let answer = server.events().await?.export_event(request).await.map_err(|status| explain(&status))?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| cannot_write(&path))?;
    }
    let file = PartFile::replacing(&path)?;
    let written = receive(answer.into_inner(), &file, |_| ()).await?;
    file.finish()?;
    println!("已写入 {}（{written} 字节）", path.display());
    Ok(Done::All)
}

/// A file in the current folder. Its name is made here, of what the user typed; the service's suggestion is not used.
fn default_path(id: &str, record: &str, format: Format) -> anyhow::Result<PathBuf> {
    let id = id.trim_start_matches("events/");
    if record.is_empty() {
        return Ok(PathBuf::from(plain(&format!("{id}.{}", format.extension()))));
    }
    let record: RecordName =
        record.parse().map_err(|violation: Violation| anyhow::anyhow!("记录名{}", violation.problem.chinese()))?;
    Ok(PathBuf::from(plain(&format!("{id}-{}", file_name(&record)))))
}

/// A name without folders.
fn plain(name: &str) -> String {
    name.replace(['/', '\\'], "~")
}

fn cannot_write(path: &Path) -> String {
    format!("无法写入文件 {}，请检查路径、权限和磁盘空间", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_names_lie_in_the_current_folder() {
        let check = |id: &str, record: &str, want: &str| {
            assert_eq!(default_path(id, record, Format::Ics).unwrap(), PathBuf::from(want));
        };
        check("hebei", "", "hebei.ics");
        check("events/hebei", "", "hebei.ics");
        check("hebei", "demands/tj/d-1", "hebei-demands~tj~d-1.ics");
        check("../../etc/x", "", "..~..~etc~x.ics");
        assert!(default_path("hebei", "../x", Format::Ics).is_err());
    }
}
