//! What the service needs to answer calls, and which of it does not work.

use std::fmt;

use super::Parts;

/// A part of the service whose health is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// The embedding model.
    Model,
    /// The engine: reads and writes.
    Engine,
    /// The lanes for work that keeps a core busy.
    Processors,
    /// The threads for work that blocks.
    Threads,
    /// The task that runs jobs.
    Jobs,
    /// The task that starts jobs by schedule.
    Schedule,
    /// The task that asks all others.
    Probe,
}

/// A part that does not work, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which part.
    pub component: Component,
    /// What is the matter, in Chinese.
    pub reason: String,
}

// === impl Component ===

impl Component {
    /// All components.
    pub const ALL: [Self; 7] =
        [Self::Model, Self::Engine, Self::Processors, Self::Threads, Self::Jobs, Self::Schedule, Self::Probe];

    /// Name in the gRPC health service.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "duijie.model",
            Self::Engine => "duijie.engine",
            Self::Processors => "duijie.processors",
            Self::Threads => "duijie.threads",
            Self::Jobs => "duijie.rematch",
            Self::Schedule => "duijie.schedule",
            Self::Probe => "duijie.probe",
        }
    }

    /// What people call it.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Model => "向量模型",
            Self::Engine => "存储引擎",
            Self::Processors => "计算线程池",
            Self::Threads => "阻塞线程池",
            Self::Jobs => "重新匹配的后台任务",
            Self::Schedule => "自动匹配的后台任务",
            Self::Probe => "自检的后台任务",
        }
    }
}

// === impl Trouble ===

impl Trouble {
    /// Something that is the matter with a part.
    pub(super) fn new(component: Component, reason: impl Into<String>) -> Self {
        Self { component, reason: reason.into() }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.component.chinese(), self.reason)
    }
}

// === impl Parts ===

impl Parts {
    /// Whether calls can be answered.
    pub fn healthy(&self) -> bool {
        self.troubles().is_empty()
    }

    /// All that does not work; nothing if calls can be answered.
    pub fn troubles(&self) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        if !*self.embedder.healthy().borrow() {
            troubles.push(Trouble::new(Component::Model, "不能工作"));
        }
        let status = self.index.status();
        if !status.healthy() {
            let of_kinds = status.kinds.into_iter().filter_map(|kind| kind.problem);
            let all: Vec<String> = status.refusal.into_iter().chain(of_kinds).chain(status.documents_problem).collect();
            troubles.push(Trouble::new(Component::Engine, format!("有问题：{}", all.join("；"))));
        }
        troubles.extend(self.probes.troubles());
        troubles.extend(self.background.troubles());
        troubles
    }
}
