//! `duijie duplicates`.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use serde_json::{Value as Json, json};
use tonic::Code;

use super::{
    Done,
    args::Duplicates,
    client::{Server, explain},
    filter::{filter, kind},
    out,
    progress::Progress,
    table,
};
use duijie_proto as pb;
use duijie_proto::find_duplicates_response::Event;

/// Most members, and most links, of a group that are printed; the file has all.
const SHOWN: usize = 20;

/// Receives the groups.
struct Printer {
    file: Option<(BufWriter<File>, PathBuf)>,
    /// The group being assembled from its parts.
    group: Option<pb::DuplicateGroup>,
    members: usize,
}

/// Prints the groups, or writes them to a file.
pub async fn run(server: &Server, args: Duplicates) -> anyhow::Result<Done> {
    let request = pb::FindDuplicatesRequest { kind: kind(&args.kind)?, filter: Some(filter(args.filter)?) };
    let mut printer = Printer::new(args.jsonl)?;
    let answer = server.catalog().await?.find_duplicates(request).await.map_err(|status| match status.code() {
        Code::Unimplemented => anyhow!("该服务不支持查重，请升级服务"),
        _ => explain(&status),
    })?;
    let mut messages = answer.into_inner();
    let mut bar: Option<Progress> = None;
    while let Some(message) = messages.message().await.map_err(|status| explain(&status))? {
        match message.event {
            Some(Event::Progress(at)) => {
                bar.get_or_insert_with(|| Progress::new("查重", count(at.total_count), "条")).set(count(at.done_count));
            }
            Some(Event::Group(part)) => {
                if let Some(bar) = bar.take() {
                    bar.finish();
                }
                printer.take(part)?;
            }
            Some(Event::Summary(summary)) => {
                if let Some(bar) = bar.take() {
                    bar.finish();
                }
                print!("{}", printer.finish(&summary)?);
                return Ok(Done::All);
            }
            None => {}
        }
    }
    bail!("服务的回答不完整，请重试")
}

// === impl Printer ===

impl Printer {
    fn new(path: Option<PathBuf>) -> anyhow::Result<Self> {
        let open = |path: PathBuf| {
            let file = File::create(&path).with_context(|| cannot_write(&path))?;
            anyhow::Ok((BufWriter::new(file), path))
        };
        Ok(Self { file: path.map(open).transpose()?, group: None, members: 0 })
    }

    fn take(&mut self, part: pb::DuplicateGroup) -> anyhow::Result<()> {
        self.members += part.members.len();
        match &mut self.group {
            Some(group) if group.index == part.index => {
                group.members.extend(part.members);
                group.links.extend(part.links);
                Ok(())
            }
            before => {
                let whole = before.replace(part);
                whole.map_or(Ok(()), |group| self.print(&group))
            }
        }
    }

    fn print(&mut self, group: &pb::DuplicateGroup) -> anyhow::Result<()> {
        match &mut self.file {
            Some((file, path)) => writeln!(file, "{}", line(group)).with_context(|| cannot_write(path)),
            None => {
                if !out::as_json([group])? {
                    print!("{}", text(group));
                }
                Ok(())
            }
        }
    }

    /// Prints the last group; returns the summary.
    fn finish(mut self, summary: &pb::DuplicatesSummary) -> anyhow::Result<String> {
        if let Some(group) = self.group.take() {
            self.print(&group)?;
        }
        let (records, groups) = (summary.record_count, summary.group_count);
        let mut said = format!("共查 {records} 条记录，找到 {groups} 组疑似重复，涉及 {} 条\n", self.members);
        if let Some((mut file, path)) = self.file {
            file.flush().with_context(|| cannot_write(&path))?;
            said += &format!("已写入 {}\n", path.display());
        }
        if !summary.ignored_numbers.is_empty() {
            said += &format!("以下登记号出现次数过多，未作为依据：{}\n", summary.ignored_numbers.join("、"));
        }
        if summary.truncated {
            said += "相近的记录过多，未能全部比对；请用条件（如 --region、--industry）分批查重\n";
        }
        Ok(said)
    }
}

/// A group as text.
fn text(group: &pb::DuplicateGroup) -> String {
    let mut said = format!("第 {} 组，{} 条\n", group.index + 1, group.members.len());
    said += &table::duplicates(group.members.get(..SHOWN).unwrap_or(&group.members));
    for link in group.links.iter().take(SHOWN) {
        said += &format!("  {} 与 {}：{}\n", link.left, link.right, link.localized_description);
    }
    if SHOWN < group.members.len().max(group.links.len()) {
        said += &format!("  只列出前 {SHOWN} 条记录和依据；加参数 --jsonl 文件 可导出全部\n");
    }
    if group.weak_links_removed {
        said += "  相连的记录过多，只保留了最确定的依据\n";
    }
    said + "\n"
}

/// A group as a JSON line.
fn line(group: &pb::DuplicateGroup) -> Json {
    let member = |member: &pb::DuplicateMember| {
        let owner = member.owner.clone().unwrap_or_default();
        json!({"name": member.name, "title": member.title, "owner": owner.name, "credit_code": owner.credit_code})
    };
    let link = |link: &pb::DuplicateLink| {
        json!({
            "left": link.left,
            "right": link.right,
            "reason": link.reason().as_str_name().trim_start_matches("DUPLICATE_REASON_"),
            "registration_number": link.registration_number,
            "title_similarity": link.title_similarity,
            "text_similarity": link.text_similarity,
            "description": link.localized_description,
        })
    };
    json!({
        "group": group.index + 1,
        "members": group.members.iter().map(member).collect::<Vec<_>>(),
        "links": group.links.iter().map(link).collect::<Vec<_>>(),
        "weak_links_removed": group.weak_links_removed,
    })
}

fn cannot_write(path: &Path) -> String {
    format!("无法写入文件 {}，请检查路径、权限和磁盘空间", path.display())
}

fn count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
