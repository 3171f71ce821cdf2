//! Questions for the enterprise.

use super::answer::{Aspect, AspectState, StatementSource};

/// Maximum characters of quoted evidence.
const MAX_QUOTED_CHARS: usize = 20;

/// Question for an aspect; `None` if it is present.
pub(super) fn question(aspect: Aspect, state: AspectState, evidence: &[StatementSource]) -> Option<String> {
    match state {
        AspectState::Present => None,
        AspectState::Missing => Some(missing(aspect).to_string()),
        AspectState::Vague => Some(match quoted(evidence) {
            Some(quoted) => format!("需求中写了“{quoted}”，{}", vague(aspect)),
            None => missing(aspect).to_string(),
        }),
    }
}

fn missing(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Problem => {
            "目前遇到的具体问题是什么（例如出现什么缺陷、哪道工序、多大比例、造成多少损失，试过哪些办法）？"
        }
        Aspect::Object => "问题出在什么产品、材料、工艺或设备上（名称、型号、规格）？",
        Aspect::Indicators => "希望达到的指标是多少（例如强度、精度、寿命、成本各到什么程度），现在是多少？",
        Aspect::Budget => "预计投入多少资金（万元，可以写范围），是否含设备和试制费用？",
        Aspect::Deadline => "希望什么时候完成（例如某年某月前，或签约后几个月内）？",
        Aspect::Cooperation => "希望以什么方式合作（委托开发、合作开发、技术转让、专利许可、技术服务、作价入股等）？",
    }
}

fn vague(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Problem => "请说明具体是什么问题：出现什么现象、在哪道工序、多大比例、有什么后果？",
        Aspect::Object => "请说明具体是什么产品、材料、工艺或设备（名称、型号、规格）？",
        Aspect::Indicators => "请给出数值：现在是多少，希望达到多少（例如强度、精度、寿命、成本）？",
        Aspect::Budget => "请说明预计投入多少资金（万元，可以写范围）？",
        Aspect::Deadline => "请说明最迟什么时候完成（某年某月前，或签约后几个月内）？",
        Aspect::Cooperation => "请说明合作的方式（委托开发、合作开发、技术转让、专利许可、技术服务、作价入股等）？",
    }
}

fn quoted(evidence: &[StatementSource]) -> Option<String> {
    evidence.iter().find_map(|evidence| match evidence {
        StatementSource::Text { text, .. } => Some(text.chars().take(MAX_QUOTED_CHARS).collect()),
        StatementSource::Field(_) => None,
    })
}
