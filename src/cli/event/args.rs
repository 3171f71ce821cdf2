//! The arguments of `duijie event`. Their doc comments are the help texts, hence Chinese.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use crate::cli::args::Filter;

/// `duijie event`.
#[derive(Debug, ClapArgs)]
pub struct Event {
    /// 要做什么
    #[command(subcommand)]
    pub action: Action,
}

/// Actions.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// 新建活动；编号已存在且内容相同时不重复新建
    Create(Box<Create>),
    /// 列出全部活动
    List,
    /// 修改活动：只改写明的各项，其余不动
    Update(Box<Update>),
    /// 加入参会的需求、成果、专家：按记录名，或按条件
    Fill(Box<Fill>),
    /// 从名单中删除参会者（发布之前）
    Remove(Records),
    /// 生成各需求的对接名单（整体最优）
    Shortlist(Make),
    /// 人工指定：须对接、不得对接、固定时段和桌号；重新生成时保留
    Edit(Edit),
    /// 排期：为名单中的各对安排时段和桌号
    Schedule(Make),
    /// 发布（先经审核状态）；此后的改动尽量不影响已发布的安排
    Publish(Id),
    /// 参会者取消：只撤去与其有关的洽谈
    Cancel(Cancel),
    /// 查看活动
    Show(Show),
    /// 导出：工作簿、打印页、日历、表格、JSON
    Export(Export),
    /// 登记或列出对接结果
    Outcome(Box<Outcome>),
    /// 统计对接结果
    Statistics(Statistics),
    /// 删除活动
    Delete(Delete),
}

/// An event by its id.
#[derive(Debug, ClapArgs)]
pub struct Id {
    /// 活动编号，如 hebei-2026
    #[arg(value_name = "活动编号")]
    pub id: String,
}

/// `duijie event create`.
#[derive(Debug, ClapArgs)]
pub struct Create {
    /// 活动编号：1 到 64 个字母、数字或 . _ -
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 名称
    #[arg(long, value_name = "名称")]
    pub title: String,
    /// 地点
    #[arg(long, default_value = "", hide_default_value = true, value_name = "地点")]
    pub place: String,
    /// 日期，可重复
    #[arg(long, required = true, value_name = "年-月-日")]
    pub day: Vec<jiff::civil::Date>,
    /// 每天的时间段，可重复：09:00-11:30
    #[arg(long, required = true, value_name = "起-止")]
    pub session: Vec<String>,
    /// 每场分钟数
    #[arg(long, default_value_t = 25, value_name = "分钟", value_parser = clap::value_parser!(i64).range(1..=480))]
    pub minutes: i64,
    /// 两场之间的分钟数
    #[arg(long, default_value_t = 5, value_name = "分钟", value_parser = clap::value_parser!(i64).range(0..=480))]
    pub pause: i64,
    /// 桌数
    #[arg(long, value_name = "桌数")]
    pub tables: i32,
    /// 每个时段留空的桌数，百分之几
    #[arg(long, default_value_t = 0, value_name = "百分比")]
    pub spare: i32,
    /// Rules.
    #[command(flatten)]
    pub rules: Rules,
}

/// `duijie event update`.
#[derive(Debug, ClapArgs)]
pub struct Update {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 名称
    #[arg(long, value_name = "名称")]
    pub title: Option<String>,
    /// 地点
    #[arg(long, value_name = "地点")]
    pub place: Option<String>,
    /// 桌数
    #[arg(long, value_name = "桌数")]
    pub tables: Option<i32>,
    /// 每个时段留空的桌数，百分之几
    #[arg(long, value_name = "百分比")]
    pub spare: Option<i32>,
    /// 每项需求至多几个对接对象，0 为缺省（5）
    #[arg(long, value_name = "个数")]
    pub per_demand: Option<i32>,
    /// 每项成果至多几场，0 为缺省（5）
    #[arg(long, value_name = "场数")]
    pub per_achievement: Option<i32>,
    /// 每位专家至多几场，0 为缺省（5）
    #[arg(long, value_name = "场数")]
    pub per_expert: Option<i32>,
    /// 每个需求单位合计至多几场，或“不限”
    #[arg(long, value_name = "场数")]
    pub per_demand_owner: Option<String>,
    /// 每个供给单位合计至多几场，或“不限”
    #[arg(long, value_name = "场数")]
    pub per_supply_owner: Option<String>,
    /// 需求与成果的最低匹配等级：无、弱、较强、强
    #[arg(long, value_name = "等级")]
    pub min_level: Option<String>,
    /// 最低得分，0 到 1
    #[arg(long, value_name = "得分")]
    pub min_score: Option<f64>,
    /// 名额，可重复，取代原有的全部名额；只写“无”为取消全部
    #[arg(long, value_name = "名额")]
    pub quota: Vec<String>,
    /// 不安排对接的两家单位，可重复，取代原有的全部；只写“无”为取消全部
    #[arg(long, value_name = "单位,单位")]
    pub avoid: Vec<String>,
    /// 是否允许同一单位的需求与成果、专家对接：true 或 false
    #[arg(long, value_name = "是否")]
    pub allow_same_owner: Option<bool>,
    /// 是否允许在其他活动中已洽谈过的再次对接：true 或 false
    #[arg(long, value_name = "是否")]
    pub allow_met_before: Option<bool>,
}

/// Rules of the shortlists.
#[derive(Debug, Default, ClapArgs)]
pub struct Rules {
    /// 每项需求至多几个对接对象（缺省 5）
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "个数")]
    pub per_demand: i32,
    /// 每项成果至多几场（缺省 5）
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "场数")]
    pub per_achievement: i32,
    /// 每位专家至多几场（缺省 5）
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "场数")]
    pub per_expert: i32,
    /// 每个需求单位合计至多几场
    #[arg(long, value_name = "场数")]
    pub per_demand_owner: Option<i32>,
    /// 每个供给单位合计至多几场
    #[arg(long, value_name = "场数")]
    pub per_supply_owner: Option<i32>,
    /// 需求与成果的最低匹配等级：弱、较强、强
    #[arg(long, alias = "least-level", value_name = "等级")]
    pub min_level: Option<String>,
    /// 最低得分，0 到 1
    #[arg(long, alias = "least-score", default_value_t = 0.0, hide_default_value = true, value_name = "得分")]
    pub min_score: f64,
    /// 名额，可重复：需求方:地区:1301:2-10（方:地区或领域:代码:至少-至多，两端可省一端）
    #[arg(long, value_name = "名额")]
    pub quota: Vec<String>,
    /// 不安排对接的两家单位（名称或统一社会信用代码），可重复：甲公司,乙研究所
    #[arg(long, value_name = "单位,单位")]
    pub avoid: Vec<String>,
    /// 允许同一单位的需求与成果、专家对接
    #[arg(long)]
    pub allow_same_owner: bool,
    /// 允许在其他活动中已洽谈过的再次对接
    #[arg(long)]
    pub allow_met_before: bool,
}

/// `duijie event fill`.
#[derive(Debug, ClapArgs)]
pub struct Fill {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 记录名，如 demands/d-001；不写则按 --kind 和条件选取
    #[arg(value_name = "记录名")]
    pub records: Vec<String>,
    /// 按条件选取的记录类型：demands、achievements 或 experts
    #[arg(long, value_name = "类型", conflicts_with = "records")]
    pub kind: Option<String>,
    /// 按条件选取时至多几条，0 为不限（5000）
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "条数")]
    pub limit: i32,
    /// 联系人
    #[arg(long, default_value = "", hide_default_value = true, value_name = "姓名")]
    pub person: String,
    /// 联系电话
    #[arg(long, default_value = "", hide_default_value = true, value_name = "电话")]
    pub phone: String,
    /// 电子邮箱
    #[arg(long, default_value = "", hide_default_value = true, value_name = "邮箱")]
    pub email: String,
    /// 到场代表：同一代表名下的各记录不会同时洽谈；不写则为联系人，也没有联系人则为单位（同一单位同时只洽谈一场）
    #[arg(long, default_value = "", hide_default_value = true, value_name = "代表")]
    pub presenter: String,
    /// 该代表或单位派几人到场，即同时可洽谈的场数
    #[arg(long, default_value_t = 1, value_name = "人数")]
    pub people: i32,
    /// 可到场的时间，可重复：“2026-12-01 09:00-12:00”；不写为随时
    #[arg(long, value_name = "时间")]
    pub window: Vec<String>,
    /// 至多几场，0 为按活动规则
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "场数")]
    pub cap: i32,
    /// 固定桌号，0 为不固定
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "桌号")]
    pub table: i32,
    /// Conditions.
    #[command(flatten)]
    pub filter: Filter,
}

/// `duijie event remove`.
#[derive(Debug, ClapArgs)]
pub struct Records {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 记录名
    #[arg(required = true, value_name = "记录名")]
    pub records: Vec<String>,
}

/// `duijie event shortlist`, `duijie event schedule`.
#[derive(Debug, ClapArgs)]
pub struct Make {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 已经结束的时段数（当天调整时用）
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "个数")]
    pub over: i32,
}

/// `duijie event edit`.
#[derive(Debug, ClapArgs)]
pub struct Edit {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 须对接，可重复
    #[arg(long, num_args = 2, value_names = ["需求", "对象"])]
    pub pin: Vec<String>,
    /// 不得对接，可重复
    #[arg(long, num_args = 2, value_names = ["需求", "对象"])]
    pub forbid: Vec<String>,
    /// 撤销指定，可重复
    #[arg(long, num_args = 2, value_names = ["需求", "对象"])]
    pub free: Vec<String>,
    /// 固定时段和桌号，可重复
    #[arg(long, num_args = 4, value_names = ["需求", "对象", "时段", "桌号"])]
    pub lock: Vec<String>,
    /// 不再固定时段和桌号，可重复
    #[arg(long, num_args = 2, value_names = ["需求", "对象"])]
    pub unlock: Vec<String>,
}

/// `duijie event cancel`.
#[derive(Debug, ClapArgs)]
pub struct Cancel {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 取消参会的记录名
    #[arg(value_name = "记录名")]
    pub record: String,
    /// 空出的位置由其他合适的对象补上
    #[arg(long)]
    pub refill: bool,
    /// 已经结束的时段数：其中的洽谈保留
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "个数")]
    pub over: i32,
}

/// `duijie event show`.
#[derive(Debug, ClapArgs)]
pub struct Show {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 列出对接名单和落选原因
    #[arg(long)]
    pub shortlists: bool,
    /// 列出洽谈安排
    #[arg(long)]
    pub meetings: bool,
    /// 列出参会者
    #[arg(long)]
    pub participants: bool,
}

/// `duijie event export`.
#[derive(Debug, ClapArgs)]
pub struct Export {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 格式：xlsx（工作簿）、html（打印页）、ics（日历）、zip（各方日历）、csv、json
    #[arg(long, default_value = "xlsx", value_name = "格式")]
    pub format: String,
    /// 只导出此记录的日历，配合 --format ics
    #[arg(long, default_value = "", hide_default_value = true, value_name = "记录名")]
    pub record: String,
    /// 写入的文件；缺省为当前文件夹下的“编号.格式”
    #[arg(long, value_name = "文件")]
    pub out: Option<PathBuf>,
}

/// `duijie event outcome`.
#[derive(Debug, ClapArgs)]
pub struct Outcome {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 需求的记录名；不写则列出全部结果
    #[arg(requires = "counterpart", value_name = "需求")]
    pub demand: Option<String>,
    /// 成果或专家的记录名
    #[arg(value_name = "成果或专家")]
    pub counterpart: Option<String>,
    /// 到会情况：已预约、已洽谈、空场、已替换
    #[arg(long, value_name = "情况")]
    pub attendance: Option<String>,
    /// 进展：意向、洽谈、签约、未成
    #[arg(long, value_name = "进展", requires = "attendance")]
    pub progress: Option<String>,
    /// 合同类型：开发、转让、许可、咨询、服务
    #[arg(long, value_name = "类型")]
    pub contract: Option<String>,
    /// 合同金额，元
    #[arg(long, value_name = "元")]
    pub yuan: Option<i64>,
    /// 未成的原因，如 成熟度不够、优势不明确、产业化路径不明确、材料说明不清、不属于本单位方向、没有人力或预算、已有解决方案
    #[arg(long, value_name = "原因")]
    pub reason: Option<String>,
    /// 实际到场的记录名，用于已替换
    #[arg(long, default_value = "", hide_default_value = true, value_name = "记录名")]
    pub replaced_by: String,
    /// 备注
    #[arg(long, default_value = "", hide_default_value = true, value_name = "文字")]
    pub note: String,
    /// 同意向对方公开联系方式的一方：需求方、供给方、双方
    #[arg(long, value_name = "哪一方")]
    pub consent: Option<String>,
}

/// `duijie event statistics`.
#[derive(Debug, ClapArgs)]
pub struct Statistics {
    /// 活动编号；不写则统计全部活动
    #[arg(value_name = "活动编号")]
    pub id: Option<String>,
}

/// `duijie event delete`.
#[derive(Debug, ClapArgs)]
pub struct Delete {
    /// 活动编号
    #[arg(value_name = "活动编号")]
    pub id: String,
    /// 连同对接结果一并删除
    #[arg(long)]
    pub force: bool,
}
