//! Enumerations used in records. Each has a [`Code::TABLE`] in protobuf number order, with the names that import files
//! use. The first name is displayed.

use serde::{Deserialize, Serialize};

/// An enumeration with a number on the wire (from 1; 0 is "not stated") and Chinese names.
pub trait Code: Copy + Eq + Sized + 'static {
    /// Name of the table for messages.
    const NAME: &'static str;
    /// Values in number order, each with its names: display name, aliases, key.
    const TABLE: &'static [(Self, &'static [&'static str])];

    /// Value with this number; `None` for 0 and for numbers outside the table.
    fn from_number(number: i32) -> Option<Self> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        Self::TABLE.get(index).map(|(value, _)| *value)
    }

    /// Number on the wire.
    fn number(self) -> i32 {
        let place = Self::TABLE.iter().position(|(value, _)| *value == self);
        place.map_or(0, |place| i32::try_from(place + 1).unwrap_or(0))
    }

    /// Value whose Chinese name, alias or key is `name`; surrounding spaces are ignored.
    fn from_name(name: &str) -> Option<Self> {
        let name = name.trim();
        Self::TABLE.iter().find(|(_, names)| names.contains(&name)).map(|(value, _)| *value)
    }

    /// Chinese name.
    fn label(self) -> &'static str {
        let row = Self::TABLE.iter().find(|(value, _)| *value == self);
        row.and_then(|(_, names)| names.first()).copied().unwrap_or("")
    }

    /// Key: the last name, in lower case with underscores.
    fn key(self) -> &'static str {
        let row = Self::TABLE.iter().find(|(value, _)| *value == self);
        row.and_then(|(_, names)| names.last()).copied().unwrap_or("")
    }
}

/// Special programme (创新专项), clause 2 of the Hebei plan of 2021.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyField {
    /// 新一代电子信息.
    Electronics,
    /// 高端装备.
    Equipment,
    /// 新能源.
    Energy,
    /// 新材料.
    Materials,
    /// 生物医药.
    Biomedicine,
    /// 现代农业.
    Agriculture,
    /// 双碳与环保.
    Environment,
    /// 社会公共事业.
    PublicService,
}

impl Code for PolicyField {
    const NAME: &'static str = "创新专项";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Electronics, &["新一代电子信息", "新一代电子信息技术", "电子信息", "electronics"]),
        (Self::Equipment, &["高端装备", "高端装备制造", "高端装备制造技术", "equipment"]),
        (Self::Energy, &["新能源", "新能源产业", "新能源产业技术", "energy"]),
        (Self::Materials, &["新材料", "高性能新材料", "高性能新材料技术", "materials"]),
        (Self::Biomedicine, &["生物医药", "biomedicine"]),
        (Self::Agriculture, &["现代农业", "农业高质量发展", "agriculture"]),
        (Self::Environment, &["双碳与环保", "碳达峰碳中和", "环保", "environment"]),
        (Self::PublicService, &["社会公共事业", "公共事业", "public_service"]),
    ];
}

/// Type of organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerType {
    /// 大专院校.
    University,
    /// 独立科研机构.
    Institute,
    /// 企业.
    Enterprise,
    /// Any other type.
    Other,
}

impl Code for OwnerType {
    const NAME: &'static str = "单位类型";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::University, &["大专院校", "高校", "高等院校", "university"]),
        (Self::Institute, &["独立科研机构", "科研院所", "科研机构", "institute"]),
        (Self::Enterprise, &["企业", "工矿企业", "enterprise"]),
        (Self::Other, &["其他", "集体或个体", "other"]),
    ];
}

/// Life-cycle status of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 已发布: can be matched.
    #[default]
    Active,
    /// 未发布.
    Draft,
    /// 已截止, 已退出.
    Closed,
    /// 已撤回.
    Withdrawn,
}

impl Code for Status {
    const NAME: &'static str = "状态";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Active, &["已发布", "有效", "在库", "征集中", "published", "open", "active"]),
        (Self::Draft, &["未发布", "草稿", "draft"]),
        (Self::Closed, &["已截止", "退出", "已退出", "已结束", "inactive", "closed"]),
        (Self::Withdrawn, &["已撤回", "withdrawn"]),
    ];
}

/// Sharing class of a record (政务数据共享条例).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareClass {
    /// 无条件共享.
    #[default]
    Unconditional,
    /// 有条件共享.
    Conditional,
    /// 不予共享.
    None,
}

impl Code for ShareClass {
    const NAME: &'static str = "共享类型";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Unconditional, &["无条件共享", "unconditional"]),
        (Self::Conditional, &["有条件共享", "conditional"]),
        (Self::None, &["不予共享", "none"]),
    ];
}

/// Stage of maturity on the registration form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 初期: laboratory, 小试.
    Laboratory,
    /// 中期: pilot, 中试.
    Pilot,
    /// 成熟应用.
    Mature,
}

impl Code for Stage {
    const NAME: &'static str = "所处阶段";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Laboratory, &["初期阶段", "初期", "实验室", "实验室阶段", "小试", "小试阶段", "laboratory"]),
        (Self::Pilot, &["中期阶段", "中期", "中试", "中试阶段", "完成中试", "pilot"]),
        (Self::Mature, &["成熟应用阶段", "成熟应用", "成熟", "产业化", "小规模生产", "大规模应用", "mature"]),
    ];
}

/// 成果水平 from the evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AchievementLevel {
    /// 国际领先.
    InternationalLeading,
    /// 国际先进.
    InternationalAdvanced,
    /// 国内领先.
    DomesticLeading,
    /// 国内先进.
    DomesticAdvanced,
    /// 其他.
    Other,
    /// 未评价.
    Unrated,
}

impl Code for AchievementLevel {
    const NAME: &'static str = "成果水平";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::InternationalLeading, &["国际领先", "international_leading"]),
        (Self::InternationalAdvanced, &["国际先进", "international_advanced"]),
        (Self::DomesticLeading, &["国内领先", "domestic_leading"]),
        (Self::DomesticAdvanced, &["国内先进", "domestic_advanced"]),
        (Self::Other, &["其他", "other"]),
        (Self::Unrated, &["未评价", "unrated"]),
    ];
}

/// Way of transfer or cooperation (转化方式, 合作方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferMode {
    /// 独占许可.
    ExclusiveLicense,
    /// 独家(排他)许可.
    SoleLicense,
    /// 普通许可.
    OrdinaryLicense,
    /// 所有权转让.
    Assignment,
    /// 合作开发.
    JointDevelopment,
    /// 技术服务.
    TechnicalService,
    /// 作价投资.
    Equity,
}

impl Code for TransferMode {
    const NAME: &'static str = "转化或合作方式";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::ExclusiveLicense, &["独占许可", "exclusive_license"]),
        (Self::SoleLicense, &["独家(排他)许可", "独家许可", "排他许可", "sole_license"]),
        (Self::OrdinaryLicense, &["普通许可", "许可", "ordinary_license"]),
        (Self::Assignment, &["所有权转让", "技术转让", "转让", "assignment"]),
        (Self::JointDevelopment, &["合作开发", "联合开发", "委托开发", "joint_development"]),
        (Self::TechnicalService, &["技术服务", "技术咨询", "technical_service"]),
        (Self::Equity, &["作价投资", "技术入股", "作价入股", "equity"]),
    ];
}

/// Type of intellectual property right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IpKind {
    /// 发明专利.
    Invention,
    /// 实用新型专利.
    UtilityModel,
    /// 外观设计专利.
    Design,
    /// 软件著作权.
    Software,
    /// 植物新品种权.
    PlantVariety,
    /// Any other right.
    Other,
}

impl Code for IpKind {
    const NAME: &'static str = "知识产权类型";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Invention, &["发明专利", "发明", "invention"]),
        (Self::UtilityModel, &["实用新型专利", "实用新型", "utility_model"]),
        (Self::Design, &["外观设计专利", "外观设计", "design"]),
        (Self::Software, &["软件著作权", "软著", "software"]),
        (Self::PlantVariety, &["植物新品种权", "plant_variety"]),
        (Self::Other, &["其他", "other"]),
    ];
}

/// Legal status of an intellectual property right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IpStatus {
    /// 已授权.
    Granted,
    /// 申请中.
    Pending,
    /// 已失效.
    Expired,
}

impl Code for IpStatus {
    const NAME: &'static str = "知识产权状态";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Granted, &["已授权", "授权", "有效", "granted"]),
        (Self::Pending, &["申请中", "公开", "实审", "pending"]),
        (Self::Expired, &["已失效", "失效", "expired"]),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers_come_back<C: Code + std::fmt::Debug>() {
        for (index, (value, names)) in C::TABLE.iter().enumerate() {
            assert_eq!(value.number(), i32::try_from(index + 1).unwrap());
            assert_eq!(C::from_number(value.number()), Some(*value));
            for name in *names {
                assert_eq!(C::from_name(name), Some(*value), "{name}");
            }
        }
        assert_eq!(C::from_number(0), None);
        assert_eq!(C::from_number(-1), None);
        assert_eq!(C::from_number(i32::MAX), None);
        assert_eq!(C::from_name("没有这个名字"), None);
    }

    #[test]
    fn every_table_is_consistent() {
        numbers_come_back::<PolicyField>();
        numbers_come_back::<OwnerType>();
        numbers_come_back::<Status>();
        numbers_come_back::<ShareClass>();
        numbers_come_back::<Stage>();
        numbers_come_back::<AchievementLevel>();
        numbers_come_back::<TransferMode>();
        numbers_come_back::<IpKind>();
        numbers_come_back::<IpStatus>();
    }
}
