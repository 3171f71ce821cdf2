//! Fields of the records, and the table of their headings.

use duijie_core::domain::Kind;

/// A field of a record that a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Identifier.
    Id,
    /// Source system.
    Source,
    /// Title; an expert's name.
    Title,
    /// Full text; the only field that can come from several columns.
    Body,
    /// Keywords.
    Keywords,
    /// GB/T 4754-2017.
    Industry,
    /// 八大领域.
    HighTech,
    /// 创新专项.
    Programme,
    /// GB/T 2260.
    Region,
    /// Name of the owning organisation.
    Owner,
    /// Type of the owning organisation.
    OwnerType,
    /// 统一社会信用代码 of the owning organisation.
    CreditCode,
    /// Status of the record.
    Status,
    /// Sharing class.
    ShareClass,
    /// Publication time.
    PublishTime,
    /// 密级; no record has it, and what is secret is refused.
    Secrecy,
    /// Revision in the source system.
    Revision,
    /// 批准登记号.
    RegistrationNumber,
    /// Stage of maturity.
    Stage,
    /// Technology readiness level.
    Trl,
    /// 成果水平.
    Level,
    /// Intellectual property rights.
    IntellectualProperty,
    /// Ways of transfer.
    TransferModes,
    /// Price of an achievement.
    Price,
    /// Budget of a demand.
    Budget,
    /// Deadline for solutions.
    Deadline,
    /// Ways of cooperation.
    CooperationModes,
    /// 职称.
    ProfessionalTitle,
    /// Achievements of an expert.
    AchievementIds,
}

/// One row of the table: names in the form of [`super::headings::normal`], most specific first.
pub struct FieldRow {
    /// The field.
    pub field: Field,
    /// Kinds for which these names apply.
    pub kinds: &'static [Kind],
    /// Key in JSONL and in mapping files.
    pub key: &'static str,
    /// Headings for the field, in normal form.
    pub names: &'static [&'static str],
}

const ALL: &[Kind] = &[Kind::Achievement, Kind::Demand, Kind::Expert];
const ACHIEVEMENTS: &[Kind] = &[Kind::Achievement];
const DEMANDS: &[Kind] = &[Kind::Demand];
const EXPERTS: &[Kind] = &[Kind::Expert];

const fn row(field: Field, kinds: &'static [Kind], key: &'static str, names: &'static [&'static str]) -> FieldRow {
    FieldRow { field, kinds, key, names }
}

/// All names of all fields. A field may have several rows, each for different kinds.
#[rustfmt::skip]
pub const TABLE: &[FieldRow] = &[
    row(Field::Id, ALL, "id", &["id", "编号", "序列号", "唯一标识", "uuid"]),
    row(Field::Id, ACHIEVEMENTS, "id", &["成果编号", "成果id", "项目编号", "achievementid"]),
    row(Field::Id, DEMANDS, "id", &["需求编号", "需求id", "项目编号", "榜单编号", "demandid"]),
    row(Field::Id, EXPERTS, "id", &["专家编号", "专家id", "人才编号", "expertid"]),
    row(Field::Source, ALL, "source_system", &["sourcesystem", "source", "来源系统", "来源平台", "数据来源"]),
    row(Field::Title, ALL, "title", &["title", "名称", "标题", "题目", "name"]),
    row(Field::Title, ACHIEVEMENTS, "title", &["成果名称", "科技成果名称", "成果标题", "成果题目", "技术名称", "项目名称"]),
    row(Field::Title, DEMANDS, "title", &["需求名称", "技术需求名称", "需求标题", "需求题目", "难题名称", "榜单名称", "项目名称"]),
    row(Field::Title, EXPERTS, "title", &["姓名", "专家姓名", "专家名称", "人才姓名"]),
    row(Field::Body, ALL, "body", &["body", "content", "内容", "简介", "摘要", "描述", "正文", "详情", "description", "abstract", "summary"]),
    row(Field::Body, ACHIEVEMENTS, "body", &[
        "成果简介", "成果内容", "成果描述", "成果介绍", "成果摘要", "技术简介", "技术内容", "项目简介", "创新点", "主要创新点", "技术创新点",
        "主要技术指标", "主要技术经济指标", "技术指标", "技术优势", "应用前景", "应用情况", "市场前景",
    ]),
    row(Field::Body, DEMANDS, "body", &[
        "需求描述", "需求内容", "需求简介", "需求背景", "需求说明", "技术需求描述", "技术需求", "主要技术难点", "技术难点", "主要技术指标",
        "技术指标", "研究内容", "主要研究内容", "问题描述", "难题描述", "详细描述", "预期目标", "现有基础",
    ]),
    row(Field::Body, EXPERTS, "body", &[
        "研究方向", "主要研究方向", "研究领域", "主要成果", "代表性成果", "科研成果", "主要业绩", "个人简介", "专家简介", "人才简介",
        "个人简历", "专业特长", "擅长领域", "研究方向与业绩",
    ]),
    row(Field::Keywords, ALL, "keywords", &["keywords", "keyword", "关键词", "关键字", "主题词", "标签"]),
    row(Field::Industry, ALL, "industry", &["industry", "行业代码", "国民经济行业代码", "所属行业代码", "所属行业", "国民经济行业", "行业", "行业分类", "应用行业"]),
    row(Field::HighTech, ALL, "field", &["field", "领域代码", "高新技术领域代码", "高新技术领域", "高新领域", "技术领域", "所属领域", "所属技术领域", "八大领域", "领域"]),
    row(Field::Programme, ALL, "policy_field", &["policyfield", "创新专项", "所属专项", "专项"]),
    row(Field::Region, ALL, "region", &["region", "行政区划代码", "地区代码", "行政区划", "地区", "所在地区", "所属地区", "区域", "所在地", "所在城市", "城市"]),
    row(Field::Owner, ALL, "owner", &["owner", "单位名称", "单位", "所属单位", "机构名称", "organization", "organisation"]),
    row(Field::Owner, ACHIEVEMENTS, "owner", &["完成单位", "第一完成单位", "持有单位", "成果持有单位", "成果持有人", "权利人", "成果单位", "研发单位"]),
    row(Field::Owner, DEMANDS, "owner", &["需求单位", "企业名称", "发布单位", "需求企业", "需求方", "发榜单位", "公司名称"]),
    row(Field::Owner, EXPERTS, "owner", &["工作单位", "所在单位", "任职单位", "依托单位"]),
    row(Field::OwnerType, ALL, "owner_type", &["ownertype", "单位类型", "单位性质", "机构类型", "企业性质"]),
    row(Field::CreditCode, ALL, "credit_code", &["creditcode", "统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码"]),
    row(Field::Status, ALL, "status", &["status", "状态", "发布状态", "成果状态", "需求状态", "专家状态", "在库状态"]),
    row(Field::ShareClass, ALL, "share_class", &["shareclass", "共享类型", "共享属性", "共享方式"]),
    row(Field::PublishTime, ALL, "publish_time", &["publishtime", "publishdate", "发布时间", "发布日期", "公布日期", "登记日期", "入库日期", "入库时间"]),
    row(Field::Secrecy, ALL, "secrecy", &["secrecy", "密级", "涉密等级", "涉密级别", "保密级别", "密级标识", "是否涉密"]),
    row(Field::Revision, ALL, "revision", &["revision", "修订号", "修订版", "版本号", "版本"]),
    row(Field::RegistrationNumber, ACHIEVEMENTS, "registration_number", &["registrationnumber", "批准登记号", "成果登记号", "登记号"]),
    row(Field::Stage, ACHIEVEMENTS, "stage", &["stage", "所处阶段", "成果阶段", "成果所处阶段", "成熟度", "成果成熟度", "成熟程度", "研发阶段"]),
    row(Field::Trl, ACHIEVEMENTS, "trl", &["trl", "技术成熟度", "技术成熟度等级", "技术就绪度", "trl等级"]),
    row(Field::Level, ACHIEVEMENTS, "level", &["level", "成果水平", "技术水平", "评价水平"]),
    row(Field::IntellectualProperty, ACHIEVEMENTS, "intellectual_property", &["intellectualproperty", "知识产权", "专利情况", "知识产权情况", "专利"]),
    row(Field::TransferModes, ACHIEVEMENTS, "transfer_modes", &["transfermodes", "转化方式", "拟转化方式", "转让方式", "交易方式", "合作方式"]),
    row(Field::Price, ACHIEVEMENTS, "price_yuan", &["priceyuan", "price", "价格", "交易价格", "转让价格", "拟转让价格", "意向价格", "参考价格", "报价", "挂牌价格", "转化价格"]),
    row(Field::Budget, DEMANDS, "budget_yuan", &["budgetyuan", "budget", "预算", "预算金额", "项目预算", "预期投入", "拟投入", "拟投入资金", "计划投入", "投入预算", "悬赏金额", "揭榜金额", "意向金额", "金额"]),
    row(Field::Deadline, DEMANDS, "deadline", &["deadline", "截止日期", "截止时间", "截止日", "有效期至", "需求截止日期"]),
    row(Field::CooperationModes, DEMANDS, "cooperation_modes", &["cooperationmodes", "合作方式", "拟合作方式", "意向合作方式", "合作模式"]),
    row(Field::ProfessionalTitle, EXPERTS, "professional_title", &["professionaltitle", "职称", "专业技术职称", "技术职称", "职称级别"]),
    row(Field::AchievementIds, EXPERTS, "achievement_ids", &["achievementids", "成果编号", "相关成果编号", "参与成果编号", "成果id"]),
];

// === impl Field ===

impl Field {
    /// Key in JSONL and in mapping files.
    pub fn key(self) -> &'static str {
        TABLE.iter().find(|row| row.field == self).map_or("", |row| row.key)
    }

    /// Name of the field, for a file without a column for it.
    pub fn label(self, kind: Kind) -> &'static str {
        let rows = TABLE.iter().filter(|row| row.field == self && row.kinds.contains(&kind));
        let chinese = |row: &FieldRow| row.names.iter().find(|name| !name.is_ascii()).copied();
        rows.filter_map(chinese).next_back().unwrap_or(self.key())
    }

    /// Field of a path in a [`duijie_core::domain::Violation`], such as `common.keywords[3]` or `trl`.
    pub fn of_path(path: &str) -> Option<Self> {
        let path = path.strip_prefix("common.").unwrap_or(path);
        let key = path.split('[').next().unwrap_or(path);
        match key {
            "owner.name" => Some(Self::Owner),
            "owner.credit_code" => Some(Self::CreditCode),
            key => TABLE.iter().find(|row| row.key == key).map(|row| row.field),
        }
    }

    /// Returns whether records of the kind have the field.
    pub fn belongs_to(self, kind: Kind) -> bool {
        TABLE.iter().any(|row| row.field == self && row.kinds.contains(&kind))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{super::headings::normal, *};

    #[test]
    fn no_name_means_two_fields_of_one_kind() {
        for kind in Kind::ALL {
            let mut seen = HashMap::new();
            for row in TABLE.iter().filter(|row| row.kinds.contains(&kind)) {
                for name in row.names {
                    assert_eq!(normal(name), *name);
                    let before = seen.insert(*name, row.field);
                    assert!(before.is_none(), "{name} means {before:?} and {:?}", row.field);
                }
            }
        }
    }

    #[test]
    fn fields_of_paths() {
        let check = |path: &str, want: Option<Field>| assert_eq!(Field::of_path(path), want, "{path}");
        check("common.title", Some(Field::Title));
        check("common.source_system", Some(Field::Source));
        check("common.keywords[3]", Some(Field::Keywords));
        check("common.owner.credit_code", Some(Field::CreditCode));
        check("common.owner.name", Some(Field::Owner));
        check("intellectual_property[0].number", Some(Field::IntellectualProperty));
        check("achievement_ids[2]", Some(Field::AchievementIds));
        check("price_yuan", Some(Field::Price));
        check("something", None);
    }

    #[test]
    fn labels_are_chinese() {
        assert_eq!(Field::Title.label(Kind::Demand), "需求名称");
        assert_eq!(Field::Title.label(Kind::Expert), "姓名");
        assert_eq!(Field::Trl.label(Kind::Achievement), "技术成熟度");
        assert!(Field::Price.belongs_to(Kind::Achievement) && !Field::Price.belongs_to(Kind::Demand));
    }
}
