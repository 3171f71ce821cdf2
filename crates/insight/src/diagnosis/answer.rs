//! Result of a diagnosis.

use std::ops::Range;

use duijie_core::domain::hit::Span;

/// An item that a demand should state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// Current problem.
    Problem,
    /// Product, material, process or plant concerned.
    Object,
    /// Numeric targets.
    Indicators,
    /// Available budget.
    Budget,
    /// Deadline.
    Deadline,
    /// Way of cooperation.
    Cooperation,
}

/// How well a demand states an aspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AspectState {
    /// Stated.
    Present,
    /// Mentioned without detail: "大幅提高".
    Vague,
    /// Not stated.
    Missing,
}

/// Finding for one aspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The aspect.
    pub aspect: Aspect,
    /// State of the aspect.
    pub state: AspectState,
    /// Positions in order, at most `Finding::MAX_EVIDENCE`; for a vague aspect, the vague words. Empty if
    /// missing, and for indicators, whose positions the parser returns.
    pub evidence: Vec<StatementSource>,
    /// Chinese question for the enterprise; `None` if the aspect is present.
    pub question: Option<String>,
}

/// Source of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementSource {
    /// A position in the title or the body.
    Text {
        /// Position in characters.
        span: Span,
        /// Position in bytes of the same text.
        bytes: Range<usize>,
        /// Text at the position.
        text: String,
    },
    /// A field of the record, by its name in the proto.
    Field(&'static str),
}

/// Completeness of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Completeness {
    /// All aspects are stated.
    Complete,
    /// Enough for matching; some questions remain.
    Partial,
    /// Questions must be answered first for good matches.
    Vague,
}

/// Completeness of a demand, aspect by aspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Completeness level.
    pub level: Completeness,
    /// One finding per aspect, in the order of [`Aspect::ALL`].
    pub findings: Vec<Finding>,
}

// === impl Aspect ===

impl Aspect {
    /// All aspects, in display order.
    pub const ALL: [Self; 6] =
        [Self::Problem, Self::Object, Self::Indicators, Self::Budget, Self::Deadline, Self::Cooperation];

    /// Stable key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Object => "object",
            Self::Indicators => "indicators",
            Self::Budget => "budget",
            Self::Deadline => "deadline",
            Self::Cooperation => "cooperation",
        }
    }

    /// Chinese name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Problem => "存在的问题",
            Self::Object => "技术对象",
            Self::Indicators => "技术指标",
            Self::Budget => "预算",
            Self::Deadline => "期限",
            Self::Cooperation => "合作方式",
        }
    }
}

// === impl AspectState ===

impl AspectState {
    /// Stable key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Vague => "vague",
            Self::Missing => "missing",
        }
    }

    /// Chinese name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Present => "已说明",
            Self::Vague => "含糊",
            Self::Missing => "缺少",
        }
    }
}

// === impl Finding ===

impl Finding {
    /// Maximum evidence per aspect: enough to see why.
    pub(crate) const MAX_EVIDENCE: usize = 5;
}

// === impl Completeness ===

impl Completeness {
    /// Stable key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Vague => "vague",
        }
    }

    /// Chinese name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Complete => "完整",
            Self::Partial => "部分完整",
            Self::Vague => "含糊",
        }
    }

    /// Rule for this level, as a sentence in Chinese.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Complete => "六项（存在的问题、技术对象、技术指标、预算、期限、合作方式）都已说明。",
            Self::Partial => "技术对象已说明，存在的问题和技术指标至少一项已说明，其余有缺少或含糊的。",
            Self::Vague => "技术对象没有说明，或者存在的问题和技术指标都没有说明，直接匹配难有好结果。",
        }
    }
}

// === impl Diagnosis ===

impl Diagnosis {
    /// Finding for an aspect.
    pub fn finding(&self, aspect: Aspect) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.aspect == aspect)
    }
}
