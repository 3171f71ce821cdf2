//! What a diagnosis says.

use std::ops::Range;

use duijie_core::domain::hit::Span;

/// One thing that a demand should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// What goes wrong today.
    Problem,
    /// With which product, material, process or plant.
    Object,
    /// What is to be reached, in numbers.
    Indicators,
    /// How much may be spent.
    Budget,
    /// Until when.
    Deadline,
    /// Way of cooperation.
    Cooperation,
}

/// How well a demand says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It is there.
    Present,
    /// It is touched but not said: "大幅提高".
    Vague,
    /// It is not there.
    Missing,
}

/// What was found of one aspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which aspect.
    pub aspect: Aspect,
    /// How well it is said.
    pub state: State,
    /// Places that say it, in order, at most [`Finding::MAX_EVIDENCE`]; of a vague one those that touch it. Empty where it
    /// is missing, and for indicators that the parser found, which has the places itself.
    pub evidence: Vec<Evidence>,
    /// Chinese question for the enterprise; `None` where it is present.
    pub question: Option<String>,
}

/// A place that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// A place in the title or the body.
    Text {
        /// Place in characters.
        span: Span,
        /// Place in bytes of the same text.
        bytes: Range<usize>,
        /// What stands there.
        text: String,
    },
    /// A field of the record, by its name in the proto.
    Field(&'static str),
}

/// How complete a demand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Everything is said.
    Complete,
    /// It can be matched; something is to be asked.
    Partial,
    /// It has to be asked before it can be matched well.
    Vague,
}

/// What a demand says and does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// How complete it is.
    pub level: Level,
    /// One for each aspect, in the order of [`Aspect::ALL`].
    pub findings: Vec<Finding>,
}

// === impl Aspect ===

impl Aspect {
    /// All aspects in the order in which they are told.
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

// === impl State ===

impl State {
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
    /// Most places that are told of an aspect: enough to see why.
    pub const MAX_EVIDENCE: usize = 5;
}

// === impl Level ===

impl Level {
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

    /// The rule by which a demand is of this level, in Chinese.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Complete => "六项（存在的问题、技术对象、技术指标、预算、期限、合作方式）都已说明。",
            Self::Partial => "技术对象已说明，存在的问题和技术指标至少一项已说明，其余有缺少或含糊的。",
            Self::Vague => "技术对象没有说明，或者存在的问题和技术指标都没有说明，直接匹配难有好结果。",
        }
    }
}

// === impl Diagnosis ===

impl Diagnosis {
    /// What was found of an aspect.
    pub fn finding(&self, aspect: Aspect) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.aspect == aspect)
    }

    /// Questions for the enterprise, in the order of the aspects.
    pub fn questions(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().filter_map(|finding| finding.question.as_deref())
    }
}
