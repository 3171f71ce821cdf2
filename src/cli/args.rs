//! The command-line arguments. Their doc comments are the help texts, hence Chinese.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use super::{key::Key, rematch::args::Rematch, watch::Watch};

/// 科技成果、需求、专家的对接匹配服务
#[derive(Debug, Parser)]
#[command(name = "duijie", version, disable_help_subcommand = true)]
pub struct Args {
    /// 配置文件（TOML）；缺省读取当前文件夹下的 duijie.toml
    #[arg(long, global = true, value_name = "文件")]
    pub config: Option<PathBuf>,
    /// 服务地址，如 http://127.0.0.1:50051；缺省取配置中的 server.listen
    #[arg(long, global = true, value_name = "地址")]
    pub server: Option<String>,
    /// 供程序读取：标准输出每行一条 JSON（proto3 JSON，字段名同 proto），其余文字都写到标准错误
    #[arg(long, global = true)]
    pub json: bool,
    /// 要做什么
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// 启动服务
    Serve,
    /// 导入表格：CSV（UTF-8 或 GB18030）、XLSX、JSONL；中断后再次执行即从断点继续
    Import(Import),
    /// 为一条记录或一段文字寻找匹配的成果、需求或专家
    Match(Match),
    /// 查找与一条记录雷同的同类记录
    Similar(Similar),
    /// 查看一条记录
    Get(Named),
    /// 按条件列出记录
    List(List),
    /// 按条件统计记录数
    Count(Count),
    /// 删除一条记录
    Delete(Named),
    /// 查重：找出可能是同一项成果、需求或同一位专家的各组记录，并说明依据；不改动任何记录
    Duplicates(Duplicates),
    /// 批量重新匹配：任务的开始、进度、结果、差异
    Rematch(Rematch),
    /// 订阅：有新的匹配时逐条列出
    Watch(Watch),
    /// 对接活动：参会者、名单、排期、发布、对接结果、导出
    Event(super::event::args::Event),
    /// 查看服务是否正常：正常时退出码为 0，否则为 1（供容器和监控使用）
    Health,
    /// 密钥：新建、列出、更换、吊销；哪个系统以什么角色调用本服务
    Key(Key),
    /// 词典、停用词、模型或向量中心改变后，用库中的记录重建存储（须先停止服务）
    Reindex,
    /// 备份与恢复：全部记录连同向量存为一个文件
    Snapshot(Snapshot),
    /// 把一个存储的全部记录连同向量复制到另一个存储，不需要模型；中断后再次执行即继续
    Copy(Copy),
    /// 内嵌存储的日志损坏或不见了而不能启动时：说明损坏在何处、能挽救什么，加 --apply 则修复（须先停止服务）
    Repair(Repair),
    /// 读出整个存储，说明哪些记录和文档有损坏；有损坏时退出码为 1（内嵌存储须先停止服务）
    Verify(Verify),
    /// 用专家判分的数据测量排序质量
    Eval(Eval),
    /// 由判分数据的特征（duijie eval --features）生成相关级别的校准文件
    Calibrate(Calibrate),
    /// 由存储中的向量生成向量中心文件（须先停止服务）；设为 model.mean_vector 后执行 duijie reindex
    #[command(alias = "centre")]
    MeanVector(MeanVector),
    /// 列出全部配置项及其当前值
    Config,
    /// 演示：启动服务、导入示例数据、匹配并打印结果
    Demo(Demo),
}

/// `duijie import`.
#[derive(Debug, ClapArgs)]
pub struct Import {
    /// 要导入的文件
    #[arg(value_name = "文件")]
    pub file: PathBuf,
    /// 记录类型：achievements（成果）、demands（需求）、experts（专家）；缺省按表头判断
    #[arg(long, value_name = "类型")]
    pub kind: Option<String>,
    /// 来源系统，如 tangshan；用于没有来源列的文件
    #[arg(long, value_name = "系统")]
    pub source: Option<String>,
    /// 列名对照文件（TOML），用于不认识的表头
    #[arg(long, value_name = "文件")]
    pub mapping: Option<PathBuf>,
}

/// `duijie match`.
#[derive(Debug, ClapArgs)]
pub struct Match {
    /// 记录名，如 demands/d-001；与 --text 二选一
    #[arg(required_unless_present = "text", conflicts_with = "text", value_name = "记录名")]
    pub name: Option<String>,
    /// 一句话描述的需求或成果
    #[arg(long, value_name = "文字")]
    pub text: Option<String>,
    /// 详细描述，配合 --text
    #[arg(long, value_name = "文字", requires = "text")]
    pub body: Option<String>,
    /// 要找什么：achievements、demands 或 experts
    #[arg(long = "to", value_name = "类型")]
    pub target: String,
    /// 条数
    #[arg(long, default_value_t = 20, value_name = "条数", value_parser = clap::value_parser!(i32).range(1..=200))]
    pub limit: i32,
    /// 逐条列出依据：等级、理由、指标对照、政策提示，以及需求诊断
    #[arg(long)]
    pub evidence: bool,
    /// 回避与该需求同一单位的记录
    #[arg(long)]
    pub avoid_owner: bool,
    /// 回避的记录名，可多次给出
    #[arg(long, value_name = "记录名")]
    pub avoid: Vec<String>,
    /// Conditions.
    #[command(flatten)]
    pub filter: Filter,
}

/// `duijie similar`.
#[derive(Debug, ClapArgs)]
pub struct Similar {
    /// 记录名，如 achievements/a-001
    #[arg(value_name = "记录名")]
    pub name: String,
    /// 条数
    #[arg(long, default_value_t = 10, value_name = "条数", value_parser = clap::value_parser!(i32).range(1..=200))]
    pub limit: i32,
    /// Conditions.
    #[command(flatten)]
    pub filter: Filter,
}

/// `duijie get`, `duijie delete`.
#[derive(Debug, ClapArgs)]
pub struct Named {
    /// 记录名，如 demands/d-001
    #[arg(value_name = "记录名")]
    pub name: String,
}

/// `duijie list`.
#[derive(Debug, ClapArgs)]
pub struct List {
    /// 记录类型：achievements、demands 或 experts
    #[arg(value_name = "类型")]
    pub kind: String,
    /// 条数
    #[arg(long, default_value_t = 20, value_name = "条数", value_parser = clap::value_parser!(i32).range(1..=200))]
    pub limit: i32,
    /// 上一页末尾给出的翻页令牌
    #[arg(long, default_value = "", hide_default_value = true, value_name = "令牌")]
    pub page_token: String,
    /// Conditions.
    #[command(flatten)]
    pub filter: Filter,
}

/// `duijie count`.
#[derive(Debug, ClapArgs)]
pub struct Count {
    /// 记录类型：achievements、demands 或 experts
    #[arg(value_name = "类型")]
    pub kind: String,
    /// Conditions.
    #[command(flatten)]
    pub filter: Filter,
}

/// `duijie duplicates`.
#[derive(Debug, ClapArgs)]
pub struct Duplicates {
    /// 记录类型：achievements、demands 或 experts
    #[arg(value_name = "类型")]
    pub kind: String,
    /// 把各组写入此文件（JSONL，每行一组），不逐组打印
    #[arg(long, value_name = "文件")]
    pub jsonl: Option<PathBuf>,
    /// Conditions.
    #[command(flatten)]
    pub filter: Filter,
}

/// Conditions on records.
#[derive(Debug, Default, ClapArgs)]
pub struct Filter {
    /// 地区代码或名称（含下级），可重复：13、1301、石家庄
    #[arg(long, value_name = "地区")]
    pub region: Vec<String>,
    /// 行业代码（含下级），可重复：C38
    #[arg(long, value_name = "行业")]
    pub industry: Vec<String>,
    /// 高新技术领域代码（含下级），可重复：40
    #[arg(long, value_name = "领域")]
    pub field: Vec<String>,
    /// 创新专项，可重复：新材料
    #[arg(long, value_name = "专项")]
    pub policy_field: Vec<String>,
    /// 所处阶段，可重复：初期、中试、成熟
    #[arg(long, value_name = "阶段")]
    pub stage: Vec<String>,
    /// 最低技术成熟度
    #[arg(long, value_name = "1-9")]
    pub min_trl: Option<i64>,
    /// 最高技术成熟度
    #[arg(long, value_name = "1-9")]
    pub max_trl: Option<i64>,
    /// 最低价格或预算，元
    #[arg(long, value_name = "元")]
    pub min_yuan: Option<i64>,
    /// 最高价格或预算，元
    #[arg(long, value_name = "元")]
    pub max_yuan: Option<i64>,
    /// 状态，可重复：已发布、未发布、已截止、已撤回
    #[arg(long, value_name = "状态")]
    pub status: Vec<String>,
    /// 只要这些单位（名称或统一社会信用代码）的，可重复
    #[arg(long, value_name = "单位")]
    pub owner: Vec<String>,
    /// 不要这些单位的，可重复
    #[arg(long, value_name = "单位")]
    pub not_owner: Vec<String>,
    /// 发布日期不早于
    #[arg(long, value_name = "年-月-日")]
    pub since: Option<jiff::civil::Date>,
    /// 发布日期早于
    #[arg(long, value_name = "年-月-日")]
    pub until: Option<jiff::civil::Date>,
}

/// `duijie snapshot`.
#[derive(Debug, ClapArgs)]
pub struct Snapshot {
    /// 要做什么
    #[command(subcommand)]
    pub action: SnapshotAction,
}

/// `duijie snapshot create`, `duijie snapshot restore`.
#[derive(Debug, Subcommand)]
pub enum SnapshotAction {
    /// 备份：服务在运行则经由服务，不必停止；否则直接读取配置的存储
    Create(SnapshotFile),
    /// 恢复到配置的存储（须先停止服务，存储须为空）；中断后再次执行即继续
    Restore(SnapshotFile),
}

/// The file of a snapshot.
#[derive(Debug, ClapArgs)]
pub struct SnapshotFile {
    /// 备份文件
    #[arg(value_name = "文件")]
    pub file: PathBuf,
}

/// `duijie copy`.
#[derive(Debug, ClapArgs)]
pub struct Copy {
    /// 来源：存储文件夹，或 Qdrant 的地址（http://… 或 https://…，其余设置取自配置的 qdrant.*）
    #[arg(long, value_name = "文件夹或地址")]
    pub from: String,
    /// 目标：同上；文件夹不存在则新建
    #[arg(long, value_name = "文件夹或地址")]
    pub to: String,
}

/// `duijie repair`.
#[derive(Debug, ClapArgs)]
pub struct Repair {
    /// 存储文件夹；缺省取配置中的 store.folder
    #[arg(value_name = "文件夹")]
    pub folder: Option<PathBuf>,
    /// 以能挽救的内容写成新的日志，损坏的原文件另名保存在旁边；缺省只作说明，不作改动
    #[arg(long)]
    pub apply: bool,
}

/// `duijie verify`.
#[derive(Debug, ClapArgs)]
pub struct Verify {
    /// 存储文件夹，或 Qdrant 的地址（http://… 或 https://…）；缺省取配置中的存储
    #[arg(value_name = "文件夹或地址")]
    pub store: Option<String>,
    /// 内嵌存储的条目与上次存盘时不符而不能启动时，接受现状；缺失的记录须另行导入
    #[arg(long)]
    pub accept: bool,
}

/// `duijie eval`.
#[derive(Debug, ClapArgs)]
pub struct Eval {
    /// 成果文件：JSONL（id、title）或任一可导入的格式
    #[arg(long, value_name = "文件")]
    pub achievements: PathBuf,
    /// 需求文件：JSONL（id、title、content）或任一可导入的格式
    #[arg(long, value_name = "文件")]
    pub demands: PathBuf,
    /// 判分文件：TSV（demand_id、achievement_id、level，1 到 4）
    #[arg(long, value_name = "文件")]
    pub judgements: PathBuf,
    /// 把每项需求对每项成果的得分写入此文件（TSV）
    #[arg(long, value_name = "文件")]
    pub run: Option<PathBuf>,
    /// 把每对判分的特征写入此文件（TSV），供 duijie calibrate 使用
    #[arg(long, value_name = "文件")]
    pub features: Option<PathBuf>,
    /// 向量中心由所测的数据算出，而不用配置的
    #[arg(long, alias = "own-centre")]
    pub own_mean_vector: bool,
}

/// `duijie calibrate`.
#[derive(Debug, ClapArgs)]
pub struct Calibrate {
    /// duijie eval --features 写出的文件
    #[arg(long, value_name = "文件")]
    pub features: PathBuf,
    /// 校准文件写到哪里
    #[arg(long, value_name = "文件")]
    pub out: PathBuf,
    /// 数据的名称，记在校准文件中
    #[arg(long, default_value = "", hide_default_value = true, value_name = "名称")]
    pub name: String,
}

/// `duijie mean-vector`.
#[derive(Debug, ClapArgs)]
pub struct MeanVector {
    /// 中心文件写到哪里
    #[arg(long, value_name = "文件")]
    pub out: PathBuf,
}

/// `duijie demo`.
#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// 示例数据所在的文件夹
    #[arg(long, default_value = "samples", value_name = "文件夹")]
    pub samples: PathBuf,
    /// 演示用存储的文件夹
    #[arg(long, default_value = "data/demo", value_name = "文件夹")]
    pub store: PathBuf,
    /// 演示活动的导出文件写到哪个文件夹
    #[arg(long, default_value = "data/demo-event", value_name = "文件夹")]
    pub event_folder: PathBuf,
}
